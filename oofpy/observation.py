"""What was observed: beam maps of one source at several defocus positions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import InputError
from oofpy.flags import Flag
from oofpy.observing import Observing

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# What u, v and dz of an observation mean: see Observation.
Frame = Literal["file", "sky-azel", "sky-radec", "model"]
# What a file may hold besides: an image in offsets along axes that it does not name.
FileFrame = Literal["file", "sky-azel", "sky-radec", "sky-offset"]
SkySystem = Literal["azel", "radec"]
# What the offsets of an image on the sky are: where the telescope points relative to the source, or the reverse.
Offsets = Literal["telescope", "source"]


def _frozen_array(values: object, dtype: type) -> NDArray[Any]:
    array: NDArray[Any] = np.array(values, dtype=dtype).reshape(-1)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class BeamMap:
    """Samples of the beam at one defocus, in any order and at any positions.

    Parameters
    ----------
    u_rad, v_rad : array, shape (samples,), radians
        Direction of the source minus the telescope's pointing axis, as direction cosines;
        u to the right and v up, seen from behind the dish looking at the sky.
    power : array, shape (samples,)
        Beam power in the map's own unit. NaN means unobserved.
    defocus_m : float, metres
        Move of the subreflector (prime focus: of the feed) from focus, positive away from the primary.
    relative_error : array, shape (samples,), optional
        Standard errors of the samples up to a common factor; the factor is fitted. None: all equal.
    used : array of bool, shape (samples,), optional
        False leaves a sample out of the fit. Samples with a non-finite value or a non-positive error
        are always left out.
    label : str
        What the file calls the map.

    Raises
    ------
    InputError
        If the arrays differ in length or the coordinates of a used sample are not finite.
    """

    u_rad: FloatArray
    v_rad: FloatArray
    power: FloatArray
    defocus_m: float
    relative_error: FloatArray | None = None
    used: BoolArray | None = None
    label: str = ""

    def __post_init__(self) -> None:
        for name in ("u_rad", "v_rad", "power"):
            object.__setattr__(self, name, _frozen_array(getattr(self, name), float))
        sizes = {name: getattr(self, name).size for name in ("u_rad", "v_rad", "power")}
        used = np.ones(self.power.size, bool) if self.used is None else np.array(self.used, bool).ravel()
        sizes["used"] = used.size
        if self.relative_error is not None:
            object.__setattr__(self, "relative_error", _frozen_array(self.relative_error, float))
            sizes["relative_error"] = self.relative_error.size
        if len(set(sizes.values())) != 1:
            raise InputError(
                "the columns of a map differ in length",
                key=self.label or None,
                value=", ".join(f"{name} {size}" for name, size in sizes.items()),
            )
        used = used & np.isfinite(self.power) & np.isfinite(self.u_rad) & np.isfinite(self.v_rad)
        if self.relative_error is not None:
            with np.errstate(invalid="ignore"):
                used &= np.isfinite(self.relative_error) & (self.relative_error > 0)
        used.setflags(write=False)
        object.__setattr__(self, "used", used)
        object.__setattr__(self, "defocus_m", float(self.defocus_m))

    @property
    def samples(self) -> int:
        """Number of samples that enter the fit."""
        return int(np.count_nonzero(np.asarray(self.used)))

    @property
    def masked(self) -> int:
        """Number of samples left out."""
        return int(self.power.size - self.samples)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read, and the hash of its content.

    Parameters
    ----------
    path : Path
        Where it was.
    sha256 : str
        Hash of its bytes, hexadecimal.
    """

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class SkyOrientation:
    """How offsets on the sky become directions seen from the dish; see `oofpy.conventions`.

    Parameters
    ----------
    offsets : {"telescope", "source"}, optional
        What an offset in the image is: the telescope's axis minus the source, as in a map of the sky, or the source
        minus the axis. None: as the telescope's file says.
    parallactic_angle_rad : tuple of float, radians, optional
        Position angle of the zenith, from north through east, of every map, or one for all; needed for images in
        right ascension and declination.
    axes : {"azel", "radec"}, optional
        Along which axes the offsets are in an image that does not name them.
    """

    offsets: Offsets | None = None
    parallactic_angle_rad: tuple[float, ...] | None = None
    axes: SkySystem | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Two or more beam maps of one source, and how they were taken.

    Parameters
    ----------
    name : str
        Stem of the first file; names the result folder.
    maps : tuple of BeamMap
        In the order given.
    wavelength_m : float, metres
        Wavelength of the observation.
    telescope : str, optional
        Name of the telescope as the file gives it.
    elevation_rad : float, optional
        Mean elevation; None where unknown.
    object_name, date : str, optional
        As the file gives them.
    sources : tuple of SourceFile
        What was read.
    flags : tuple of Flag
        What the reader found odd.
    observing : Observing
        How the maps were taken.
    frame : {"file", "sky-azel", "sky-radec", "model"}
        What u, v and dz mean. "file": the signs are those of the telescope's data files. "sky-azel", "sky-radec":
        (u, v) are offsets in an image of the sky, u to the right (azimuth increasing, or west) and v up (elevation
        increasing, or north), which `orientation` and the telescope turn into directions; dz as for "file". "model":
        all signs are those of the model.
    orientation : SkyOrientation
        What is known of the orientation of an image of the sky.

    Raises
    ------
    InputError
        With fewer than two maps, all defocus values equal, or a wavelength that is not positive.
    """

    name: str
    maps: tuple[BeamMap, ...]
    wavelength_m: float
    telescope: str | None = None
    elevation_rad: float | None = None
    object_name: str | None = None
    date: str | None = None
    sources: tuple[SourceFile, ...] = ()
    flags: tuple[Flag, ...] = field(default=())
    observing: Observing = field(default=Observing())
    frame: Frame = "file"
    orientation: SkyOrientation = SkyOrientation()

    def __post_init__(self) -> None:
        file = self.file
        object.__setattr__(self, "maps", tuple(self.maps))
        if len(self.maps) < 2:
            raise InputError(
                "an observation needs two or more maps",
                file=file,
                key="maps",
                value=len(self.maps),
                remedy="check that the file is complete, or give the files of all focus positions together",
            )
        if not (np.isfinite(self.wavelength_m) and self.wavelength_m > 0):
            raise InputError(
                "the wavelength must be a positive number",
                file=file,
                key="wavelength",
                value=self.wavelength_m,
                remedy="give it with --wavelength or --frequency",
            )
        if not all(np.isfinite(beam_map.defocus_m) for beam_map in self.maps):
            raise InputError(
                "the defocus of a map is not a finite number",
                file=file,
                key="DZ",
                value=self.defocus_m.tolist(),
                remedy="give the defocus of every map with --dz",
            )
        if np.ptp(self.defocus_m) == 0:
            raise InputError(
                "all maps have the same defocus, which does not determine the phase",
                file=file,
                key="DZ",
                value=f"{self.maps[0].defocus_m:g} m",
                remedy="give the true defocus of every map with --dz",
            )

    @property
    def file(self) -> Path | str:
        """What messages call it: its first file, or its name where there is none."""
        return self.sources[0].path if self.sources else self.name

    @property
    def defocus_m(self) -> FloatArray:
        """Defocus of every map in metres, shape (maps,)."""
        return np.array([beam_map.defocus_m for beam_map in self.maps])
