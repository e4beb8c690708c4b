"""Beam maps as plain FITS images with celestial coordinates, one or more a file, with noise, weights or hits."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np

from oofpy.errors import InputError, one_line
from oofpy.flags import Flag
from oofpy.io.formats.image_errors import ImageErrors, image_errors
from oofpy.io.formats.image_headers import (
    header_elevation,
    header_frequency,
    header_number,
    header_text,
    header_wavelength,
)
from oofpy.io.formats.sky_images import (
    ImagePlane,
    azimuth_offset_notes,
    image_values,
    is_image,
    is_sky_header,
    sky_image,
)
from oofpy.io.reader import FileContent, GivenNumber, RawFile, RawMap, Reader
from oofpy.io.wavelength import CONSISTENT
from oofpy.observation import BoolArray, FileFrame

Role = Literal["signal", "error", "variance", "weight", "hits", "quality", "mask", "other"]

# What the names of extensions say, the most telling first: a weight may be called that of the signal, a signal-to-noise
# ratio has noise in its name. Short words count only where they stand alone.
_ROLES: tuple[tuple[Role, str], ...] = (
    ("other", r"sig(nal)?_?(2|to|over)_?noise|snr|s2n|\bs n\b|kernel|psf"),
    ("weight", r"weight|\bi(nv)?var\b|inv(erse)?_?var|\b(wht|wgt|wt)s?\b"),
    ("variance", r"variance|\bvar\b"),
    ("error", r"std_?dev|sigma|error|noise|uncertainty|\b(rms|err|std|unc)\b"),
    ("hits", r"hits?\b|coverage|exposure|exp_?time|\b(cov|time)\b"),
    ("quality", r"quality|\b(dq|qual|flags?)\b"),
    ("mask", r"mask"),
)
# Words that say no more than that an image is one.
_SIGNAL_WORDS = r"\b(signal|sig|image|img|map|data|sci|science|flux|power|intensity|brightness|beam|primary)\b"
_ELEVATION_KEYS = ("MEANEL", "ELEVATIO")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Extension:
    """One HDU with an image.

    Parameters
    ----------
    index : int
        Number of the HDU, from 0.
    hdu : PrimaryHDU or ImageHDU
        The HDU.
    label : str
        What it is called.
    role : str
        What it holds, by its name.
    stem : str
        Its name without what says its role; companions share it with their image.
    """

    index: int
    hdu: Any
    label: str
    role: Role
    stem: str


def recognises(content: FileContent) -> bool:
    """Whether a file has an image with directions on the sky, compressed or not."""
    return any((is_image(hdu) or _is_compressed(hdu)) and is_sky_header(hdu.header) for hdu in content.hdus)


def _is_compressed(hdu: Any) -> bool:
    return hdu.header.get("ZIMAGE") is True


def read(content: FileContent) -> RawFile:
    """Read the images of a file.

    Parameters
    ----------
    content : FileContent
        The file.

    Returns
    -------
    RawFile
        One map for every image with celestial coordinates that is no companion of another. Companions are told by
        their names: variance, weight (inverse variance), noise (standard errors), hits or exposure (errors go as one
        over their root), quality (0 is good). A companion belongs to the image that shares the rest of its name, or
        else to the image before it. DZ [m] of each header is the defocus; frequency and wavelength are FREQ [Hz], a
        spectral axis of length 1, RESTFRQ, WAVEL [m].

    Raises
    ------
    InputError
        If an image is compressed, in decibels, in coordinates that are not read, or its companion differs in shape.
    """
    for index, hdu in enumerate(content.hdus):
        if _is_compressed(hdu):
            raise InputError(
                "the image is compressed", file=content.path, key=f"HDU {index}", remedy="unpack it with funpack first"
            )
    return read_images(content, image_extensions(content))


def image_extensions(content: FileContent) -> list[Extension]:
    """List the HDUs of a file that hold an image, with their roles; an image without directions is no signal."""
    found = []
    for index, hdu in enumerate(content.hdus):
        if is_image(hdu):
            name = header_text(hdu.header, "EXTNAME") or ""
            role, stem = role_of(name)
            if role == "signal" and not is_sky_header(hdu.header):
                role = "other"
            found.append(Extension(index, hdu, one_line(name) or f"HDU {index}", role, stem))
    return found


def role_of(name: str) -> tuple[Role, str]:
    """Tell what an image is by its name.

    Parameters
    ----------
    name : str
        EXTNAME.

    Returns
    -------
    role : str
        "signal" where nothing says otherwise.
    stem : str
        The name, in lower case, without the words that say the role.
    """
    # Words are parted by blanks: of "WeightMap_2" remain "weight map 2".
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", name)
    words = re.sub(r"[^a-z0-9]+", " ", words.lower())
    for role, pattern in _ROLES:
        spaced = pattern.replace("_?", " ?")
        if re.search(spaced, words):
            return role, _stem(re.sub(rf"n?({spaced})s?", " ", words))
    return "signal", _stem(words)


def _stem(words: str) -> str:
    return " ".join(re.sub(_SIGNAL_WORDS, " ", words).split())


def read_images(content: FileContent, extensions: Sequence[Extension]) -> RawFile:
    """Read the signal images among some extensions, with their companions.

    Parameters
    ----------
    content : FileContent
        The file.
    extensions : sequence of Extension
        Its images.

    Returns
    -------
    RawFile
        See `read`.

    Raises
    ------
    InputError
        See `read`.
    """
    signals = [extension for extension in extensions if extension.role == "signal"]
    if not signals:
        names = ", ".join(f"{one.label} ({one.role})" for one in extensions)
        raise InputError(
            "no image in the file is a map of the beam by its name",
            file=content.path,
            key="EXTNAME",
            value=names or "none",
            remedy="name the map SIGNAL",
        )
    companions, flags = _companions(content, signals, extensions)
    maps, frames = [], []
    for signal in signals:
        raw, frame, notes = _read_map(content, signal, companions[signal.index], alone=len(signals) == 1)
        maps.append(raw)
        frames.append(frame)
        flags += notes
    facts = _facts(content, signals)
    return replace(
        facts,
        maps=tuple(maps),
        frame=_one_frame(content, signals, frames),
        flags=(
            *facts.flags,
            *flags,
            *dict.fromkeys(note for one in signals for note in azimuth_offset_notes(content, one.hdu.header)),
            *_ignored(content, extensions),
        ),
    )


def _companions(
    content: FileContent, signals: Sequence[Extension], extensions: Sequence[Extension]
) -> tuple[dict[int, list[Extension]], list[Flag]]:
    """Give each signal, by the number of its HDU, the extensions that belong to it."""
    owned: dict[int, list[Extension]] = {signal.index: [] for signal in signals}
    flags = []
    for one in extensions:
        if one.role in ("signal", "other"):
            continue
        same = [signal for signal in signals if signal.stem == one.stem]
        before = [signal for signal in signals if signal.index < one.index]
        owner = same[0] if len(same) == 1 else before[-1] if before else signals[0] if len(signals) == 1 else None
        if owner is None:
            message = f"{content.path.name}: HDU {one.index} ({one.label}) belongs to no map and is not read"
            flags.append(Flag("extension-without-map", message))
        elif one.role == "mask":
            message = (
                f"{content.path.name}: HDU {one.index} ({one.label}) is not read, since it is not known whether 1 or 0 "
                "means good there; write NaN into the map, or give --mask"
            )
            flags.append(Flag("mask-not-read", message))
        else:
            owned[owner.index].append(one)
    return owned, flags


def _read_map(
    content: FileContent, signal: Extension, companions: Sequence[Extension], *, alone: bool
) -> tuple[RawMap, FileFrame, tuple[Flag, ...]]:
    values = image_values(content, signal.hdu, signal.label)
    observed: BoolArray = np.ones(values.shape, bool)
    found: list[ImageErrors] = []
    # Where there are several, the one nearest to a standard error gives it; all of them say what is unobserved.
    order = ("error", "variance", "weight", "hits", "quality")
    for one in sorted(companions, key=lambda companion: order.index(companion.role)):
        said = image_errors(content, one.role, one.label, image_values(content, one.hdu, one.label))
        there = said.observed
        if there.shape != values.shape:
            raise InputError(
                f"it differs in shape from the map {signal.label}, to which it belongs",
                file=content.path,
                key=f"HDU {one.index} ({one.label})",
                value=f"{there.shape[1]} x {there.shape[0]} pixels beside {values.shape[1]} x {values.shape[0]}",
                remedy="give both on the same pixels",
            )
        observed &= there
        found.append(said)
    flags = tuple(flag for said in found for flag in said.flags)
    header = signal.hdu.header
    defocus = header_number(content, header, "DZ", "m")
    if defocus is None and alone:
        defocus = header_number(content, content.hdus[0].header, "DZ", "m")
    origins = tuple(origin for said in found for origin in said.origins)
    error = next((said.error for said in found if said.error is not None), None)
    plane = ImagePlane(signal.label, values, error, observed, defocus, error_origins=origins)
    return *sky_image(content, header, plane), flags


def _one_frame(content: FileContent, signals: Sequence[Extension], frames: Sequence[FileFrame]) -> FileFrame:
    for signal, frame in zip(signals, frames, strict=True):
        if frame != frames[0]:
            raise InputError(
                f"its coordinates are of another kind than those of {signals[0].label}",
                file=content.path,
                key=f"HDU {signal.index} ({signal.label})",
                value=f"{frame} beside {frames[0]}",
                remedy="give all maps in the same coordinates",
            )
    return frames[0]


def _ignored(content: FileContent, extensions: Sequence[Extension]) -> list[Flag]:
    read = {one.index for one in extensions if one.role != "other"}
    names = [
        header_text(hdu.header, "EXTNAME") or f"HDU {index}"
        for index, hdu in enumerate(content.hdus)
        if index not in read and (index > 0 or hdu.header.get("NAXIS", 0))
    ]
    if not names:
        return []
    return [Flag("extension-ignored", f"{content.path.name}: not read, as no map: {', '.join(names)}")]


def _facts(content: FileContent, signals: Sequence[Extension]) -> RawFile:
    """What the headers say beside the maps; the header of a map stands above the primary header."""
    headers = [signal.hdu.header for signal in signals] + [content.hdus[0].header]

    def first(find: Callable[[Any], Found | None]) -> Found | None:
        return next((found for header in headers if (found := find(header)) is not None), None)

    def text(*keys: str) -> str | None:
        return first(lambda header: header_text(header, *keys))

    for find in (header_frequency, header_wavelength):
        _refuse_several(content, signals, find)
    elevations = [header_elevation(content, header, *_ELEVATION_KEYS) for header in headers]
    elevation_rad, flags = next((one for one in elevations if one != (None, ())), (None, ()))
    return RawFile(
        maps=(),
        sources=(content.source,),
        frequency=first(lambda header: header_frequency(content, header)),
        wavelength=first(lambda header: header_wavelength(content, header)),
        telescope=text("TELESCOP", "TELESC"),
        object_name=text("OBJECT"),
        date=text("DATE-OBS", "DATE_OBS"),
        elevation_rad=elevation_rad,
        flags=flags,
    )


def _refuse_several(
    content: FileContent, signals: Sequence[Extension], find: Callable[[FileContent, Any], GivenNumber | None]
) -> None:
    """Refuse maps of different frequencies in one file."""
    found = [given for signal in signals if (given := find(content, signal.hdu.header)) is not None]
    for given in found[1:]:
        one, other = found[0].value, given.value
        if isinstance(one, int | float) and isinstance(other, int | float) and abs(other - one) > CONSISTENT * abs(one):
            raise given.error(f"another map of the file has {one} {given.unit}", "give the maps of one band in a file")


READER = Reader(
    name="FITS image",
    description="FITS images with celestial coordinates in RA and Dec or azimuth and elevation, one or more a file, "
    "with extensions of variance, weight, noise, hits or quality",
    recognises=recognises,
    read=read,
    needs="dz and the frequency, if not in the header; what the offsets are; the parallactic angle, if in RA and Dec",
)
