"""What a reader is given and what it hands back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from oofpy.errors import InputError
from oofpy.flags import Flag
from oofpy.io.fits_access import checked_hdus
from oofpy.observation import FileFrame, FloatArray, SkyOrientation, SourceFile
from oofpy.observing import Observing

MAX_BYTES = 2**31


@dataclass(frozen=True)
class FileContent:
    """The bytes of one file, read once, so that what is parsed is what is hashed.

    Parameters
    ----------
    path : Path
        Where it is.
    data : bytes
        All of it.
    """

    path: Path
    data: bytes

    @classmethod
    def load(cls, path: str | Path) -> FileContent:
        """Read a regular file of at most `MAX_BYTES`.

        Raises
        ------
        InputError
            If the file is absent, unreadable, empty, not a regular file or too large.
        """
        path = Path(path)
        try:
            data = cls._bytes(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(
                f"the file cannot be read: {reason}", file=path, remedy="check its name and permissions"
            ) from error
        if not data:
            raise InputError("the file is empty", file=path, remedy="copy it again from its origin")
        return cls(path, data)

    @staticmethod
    def _bytes(path: Path) -> bytes:
        if not path.exists():
            raise InputError("there is no such file", file=path, remedy="check the path")
        if not path.is_file():
            raise InputError("this is not a regular file", file=path, remedy="name the data file itself")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(
                f"the file is larger than the limit of {MAX_BYTES} bytes",
                file=path,
                key="size",
                value=f"{size} bytes",
                remedy="give the beam maps alone",
            )
        return path.read_bytes()

    @cached_property
    def source(self) -> SourceFile:
        """The path and the hash of the bytes."""
        return SourceFile(self.path, hashlib.sha256(self.data).hexdigest())

    @property
    def is_fits(self) -> bool:
        """Whether the bytes begin as a FITS file does."""
        return self.data.startswith(b"SIMPLE  =")

    @cached_property
    def text(self) -> str | None:
        """The bytes as UTF-8 text; None where they are not text."""
        if self.is_fits or b"\0" in self.data:
            return None
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    @cached_property
    def hdus(self) -> tuple[Any, ...]:
        """The HDUs of a FITS file, checked for completeness and checksums; none for another file."""
        if not self.is_fits:
            return ()
        return checked_hdus(self)


@dataclass(frozen=True, slots=True)
class GivenNumber:
    """A value as a file gives it, judged only when it is needed.

    A header with a wrong frequency can thus still be read where the user gives the right one.

    Parameters
    ----------
    file : Path
        The file that gives it.
    key : str
        Its key there.
    value : object
        What stands there.
    unit : str
        The unit in which the format has it.
    """

    file: Path
    key: str
    value: object
    unit: str

    def finite(self) -> float:
        """Give the value as a finite number.

        Raises
        ------
        InputError
            If it is text, a truth value or not finite.
        """
        value = self.value
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
            raise self.error(f"this must be a number in {self.unit}", "correct the file or give the value yourself")
        if not np.isfinite(float(value)):  # numpy knows no integers beyond 64 bits
            raise self.error(f"this must be a finite number in {self.unit}", "correct the file")
        return float(value)

    def positive(self) -> float:
        """Give the value as a positive finite number.

        Raises
        ------
        InputError
            If it is not one.
        """
        number = self.finite()
        if number <= 0:
            raise self.error(f"this must be a positive number in {self.unit}", "correct the file")
        return number

    def error(self, problem: str, remedy: str) -> InputError:
        """Make the error that names this file, key and value."""
        return InputError(problem, file=self.file, key=self.key, value=self.value, remedy=remedy)


@dataclass(frozen=True, slots=True)
class ErrorOrigin:
    """One image that says the standard errors of another, or where there are observations; for messages.

    Parameters
    ----------
    name : str
        The extension or the file, such as `WEIGHT`.
    kind : str
        What its values are, such as `weight`.
    negative : int
        How many of them are negative; their samples are unobserved.
    void : bool
        Whether none of them is positive, so that no sample is observed.
    """

    name: str
    kind: str
    negative: int = 0
    void: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RawMap:
    """One map as its file has it, in SI units, before anything is judged.

    Parameters
    ----------
    file : Path
        The file it stands in.
    label : str
        What the file calls it.
    u_rad, v_rad, power : array, shape (samples,)
        The columns.
    error : array, shape (samples,), optional
        The column of standard errors, if any.
    defocus : GivenNumber, optional
        Defocus in metres; None where the file does not say.
    position : GivenNumber, optional
        Absolute axial position of the subreflector in metres, for formats that give no defocus: the defocus is then
        the difference to the map in focus.
    error_origins : tuple of ErrorOrigin
        For images: what says the errors and where there is an observation, first what gives the errors, or should.
    """

    file: Path
    label: str
    u_rad: FloatArray
    v_rad: FloatArray
    power: FloatArray
    error: FloatArray | None = None
    defocus: GivenNumber | None = None
    position: GivenNumber | None = None
    error_origins: tuple[ErrorOrigin, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class RawFile:
    """Everything one file says about its maps.

    Parameters
    ----------
    maps : tuple of RawMap
        In the order of the file.
    sources : tuple of SourceFile
        The file, and the files it names.
    frequency, wavelength : GivenNumber, optional
        In hertz and in metres.
    telescope, object_name, date : str, optional
        As the file gives them.
    elevation_rad : float, optional
        Mean elevation; None where unknown.
    flags : tuple of Flag
        What the reader found odd.
    observing : Observing
        What the file says in full about how the maps were taken.
    observing_texts : mapping of str to str
        What the file says beside it, perhaps half of a mode only, by the keys of `oofpy.io.observing_keys`. A user may
        complete or replace it; what is lacking then is refused.
    frame : {"file", "sky-azel", "sky-radec", "sky-offset"}
        What u and v are; see `oofpy.observation.Observation`. "sky-offset": u grows with the longitude, v with the
        latitude of a system that the file does not name.
    orientation : SkyOrientation
        What the file says about the orientation of an image of the sky.
    in_focus : int, optional
        Number of the map in focus, from 1, for maps that give absolute positions.
    """

    maps: tuple[RawMap, ...]
    sources: tuple[SourceFile, ...]
    frequency: GivenNumber | None = None
    wavelength: GivenNumber | None = None
    telescope: str | None = None
    object_name: str | None = None
    date: str | None = None
    elevation_rad: float | None = None
    flags: tuple[Flag, ...] = field(default=())
    observing: Observing = field(default=Observing())
    observing_texts: Mapping[str, str] = field(default_factory=dict)
    frame: FileFrame = "file"
    orientation: SkyOrientation = field(default=SkyOrientation())
    in_focus: int | None = None

    @property
    def path(self) -> Path:
        """The file as the user named it."""
        return self.sources[0].path


@dataclass(frozen=True, slots=True)
class Reader:
    """One file format.

    Parameters
    ----------
    name : str
        Short name of the format.
    description : str
        One line: what a file of this format holds.
    recognises : callable
        Whether a `FileContent` is of this format, from its bytes and never from its name.
    read : callable
        Makes the `RawFile` of a `FileContent` that was recognised.
    needs : str
        One line: what a fit needs that a file of this format does not say; empty where it says all.
    read_part : callable, optional
        For files that hold several things of which only one can be fitted: makes the `RawFile` of the part that the
        user names.
    parts : str
        One line: what the parts are and how they are named.
    """

    name: str
    description: str
    recognises: Callable[[FileContent], bool]
    read: Callable[[FileContent], RawFile]
    needs: str = ""
    read_part: Callable[[FileContent, str], RawFile] | None = None
    parts: str = ""
