"""What several files that make one observation say together, and where they contradict each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from oofpy.errors import InputError
from oofpy.flags import Flag
from oofpy.io.observing_keys import PREFIX, covered_keys, values_of
from oofpy.io.reader import RawFile
from oofpy.observation import FileFrame, Offsets, SkySystem
from oofpy.observing import AppliedCorrection, Observing

FRAMES = {
    "file": "directions in radians",
    "sky-azel": "a map in azimuth and elevation",
    "sky-radec": "a map in right ascension and declination",
    "sky-offset": "a map in offsets along axes that it does not name",
    "model": "directions in the convention of the model",
}
# A flag about what a header says stands only as long as nobody says otherwise about these keys.
_NOTES = {
    "correction-found": {"applied"},
    "chop-from-header": {"chop_throw", "chop_angle"},
    "chop-unknown": {"chop_throw"},
    "source-size-from-header": {"source_diameter"},
}


def first_said(files: Sequence[RawFile], name: str) -> str | None:
    """Give the first text that a file has under this name of `RawFile`."""
    return next((str(value) for file in files if (value := getattr(file, name)) is not None), None)


def mean_elevation_rad(files: Sequence[RawFile]) -> float | None:
    """Mean of the elevations that are known, radians; None where none is."""
    known = [file.elevation_rad for file in files if file.elevation_rad is not None]
    return float(np.mean(known)) if known else None


def differences(files: Sequence[RawFile]) -> tuple[Flag, ...]:
    """Find where files that make one observation contradict each other about what was observed."""
    flags = []
    for name, words in (("telescope", "telescope"), ("object_name", "object")):
        values = sorted({str(value) for file in files if (value := getattr(file, name)) is not None})
        if len(values) > 1:
            message = f"the files name different {words}s: {', '.join(values)}; are they one observation?"
            flags.append(Flag(f"{words}-differs", message))
    return tuple(flags)


def notes(files: Sequence[RawFile], texts: Mapping[str, str]) -> tuple[Flag, ...]:
    """Give the flags of the files, without the notes about what texts above them decide."""
    covered = covered_keys(texts)
    return tuple(flag for file in files for flag in file.flags if not _NOTES.get(flag.code, set()) & covered)


def with_axes_named(files: Sequence[RawFile], system: SkySystem) -> tuple[RawFile, ...]:
    """Say of which system the offsets are in images that do not name it."""
    return tuple(_named(file, system) if file.frame == "sky-offset" else file for file in files)


def _named(file: RawFile, system: SkySystem) -> RawFile:
    if system == "azel":
        return replace(file, frame="sky-azel")
    # Right ascension grows to the left of north.
    return replace(file, frame="sky-radec", maps=tuple(replace(one, u_rad=0.0 - one.u_rad) for one in file.maps))


def one_frame(files: Sequence[RawFile]) -> FileFrame:
    """Give what u and v are in all the files.

    Raises
    ------
    InputError
        If they differ.
    """
    first = files[0]
    for file in files[1:]:
        if file.frame != first.frame:
            raise InputError(
                f"it holds {FRAMES[file.frame]} and {first.path} {FRAMES[first.frame]}",
                file=file.path,
                remedy="give maps of one kind together",
            )
    return first.frame


def one_offsets(files: Sequence[RawFile]) -> Offsets | None:
    """Give what the offsets of images are, as far as the files say.

    Raises
    ------
    InputError
        If they differ.
    """
    said = [(file, file.orientation.offsets) for file in files if file.orientation.offsets is not None]
    for file, offsets in said[1:]:
        if offsets != said[0][1]:
            raise InputError(
                f"{said[0][0].path} says {said[0][1]}",
                file=file.path,
                key="offsets",
                value=offsets,
                remedy="say with --offsets what the offsets of all the images are",
            )
    return said[0][1] if said else None


def zenith_angles(files: Sequence[RawFile]) -> tuple[float, ...] | None:
    """Give the position angle of the zenith of every map, radians; None where a file does not say.

    Raises
    ------
    InputError
        If a file has another number of angles than maps.
    """
    angles: list[float] = []
    for file in files:
        found, maps = file.orientation.parallactic_angle_rad, len(file.maps)
        if found is None:
            return None
        if len(found) not in (1, maps):
            problem = f"there are {len(found)} values for {maps} maps"
            raise InputError(problem, file=file.path, key="parallactic angle", remedy="give it for every map")
        angles += found if len(found) == maps else found * maps
    return tuple(angles)


def joint_observing(files: Sequence[RawFile], above: Mapping[str, str]) -> tuple[Observing, dict[str, str]]:
    """Put together what the files say about how the maps were taken.

    Parameters
    ----------
    files : sequence of RawFile
        The files.
    above : mapping of str to str
        Texts that stand above what the files say: about their keys the files may differ.

    Returns
    -------
    observing : Observing
        That of the files.
    texts : dict of str to str
        Their texts, not yet with those above.

    Raises
    ------
    InputError
        If the files contradict each other.
    """
    covered = covered_keys(above)
    first = files[0]
    for file in files[1:]:
        for key, mine, other in _unequal(file, first):
            if key not in covered:
                raise InputError(
                    f"{first.path} has {other}",
                    file=file.path,
                    key=PREFIX + key,
                    value=mine,
                    remedy=f"are they one observation? otherwise set {PREFIX}{key} for all of them",
                )
    return first.observing, dict(first.observing_texts)


def _unequal(one: RawFile, other: RawFile) -> list[tuple[str, str, str]]:
    """Find the keys about which two files differ, with what each says."""
    mine, theirs = ({**values_of(file.observing), **file.observing_texts} for file in (one, other))
    keys = dict.fromkeys((*theirs, *mine))
    return [
        (key, _shown(mine.get(key)), _shown(theirs.get(key)))
        for key in keys
        if not _same(mine.get(key), theirs.get(key))
    ]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, AppliedCorrection) and isinstance(other, AppliedCorrection):
        return one.takes_the_same(other)
    return bool(one == other)


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return value.origin or "a correction" if isinstance(value, AppliedCorrection) else str(value)
