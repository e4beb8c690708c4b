"""The defocus of every map: as given, as the files say, or from absolute positions of the subreflector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from oofpy.errors import InputError, UsageError
from oofpy.flags import Flag
from oofpy.io.reader import RawFile, RawMap

# The gaps between three positions may differ by this much of their mean and still count as equal.
_EQUAL_GAPS = 0.1
_SAY_DZ = "give the defocus of every map with --dz, or list the files with their dz in an observation TOML"
_SAY_FOCUS = "give its number, from 1, with --in-focus N, or in_focus = true for its file in an observation TOML"


def resolve_defocus(
    files: Sequence[RawFile],
    chosen: Sequence[int],
    given: tuple[float, ...] | None = None,
    in_focus: int | None = None,
) -> tuple[list[float], tuple[Flag, ...]]:
    """Find the defocus of the chosen maps.

    Parameters
    ----------
    files : sequence of RawFile
        The files of one observation.
    chosen : sequence of int
        Indices from 0 of the maps to keep, among those of all the files.
    given : tuple of float, optional, metres
        Defocus of all maps, or of the chosen ones; stands above what the files say.
    in_focus : int, optional
        Number from 1 of the map in focus, for files that give positions; stands above what the files say.

    Returns
    -------
    defocus_m : list of float, metres
        One for each chosen map, with the signs of the files.
    flags : tuple of Flag
        Which map is taken as the one in focus, where nobody says so.

    Raises
    ------
    InputError
        If the defocus of a map is not known, or which map is in focus.
    UsageError
        If an argument contradicts the files.
    """
    maps = [raw for file in files for raw in file.maps]
    if in_focus is not None:
        _refuse_focus(files[0].path, maps, given, in_focus)
    if given is not None:
        return _as_given(maps, chosen, given), ()
    if not any(raw.defocus is None and raw.position is not None for raw in maps):
        return [_filed(files, maps, index) for index in chosen], ()
    return _from_positions(files, maps, chosen, in_focus)


def _refuse_focus(path: Path, maps: Sequence[RawMap], given: tuple[float, ...] | None, in_focus: int) -> None:
    """Refuse a number of the map in focus that means nothing."""
    problem = ""
    if not any(raw.defocus is None and raw.position is not None for raw in maps):
        if any(raw.defocus is None for raw in maps):
            problem = "these files give no positions of the subreflector, so it means nothing here"
            remedy = "leave it out" if given is not None else "give the defocus of every map with --dz instead"
        else:
            problem, remedy = "the maps give their defocus themselves, so it means nothing here", "leave it out"
    elif given is not None:
        problem, remedy = "the defocus is given as well", "give one of --dz and --in-focus"
    elif not 1 <= in_focus <= len(maps):
        problem, remedy = f"there is no map {in_focus}", f"the maps are numbered from 1 to {len(maps)}"
    if problem:
        raise UsageError(problem, file=path, key="--in-focus", value=in_focus, remedy=remedy)


def _as_given(maps: Sequence[RawMap], chosen: Sequence[int], given: tuple[float, ...]) -> list[float]:
    if len(given) == len(maps):
        return [given[index] for index in chosen]
    if len(given) == len(chosen):
        return list(given)
    raise UsageError(
        f"{len(given)} values are given for {len(maps)} maps",
        file=maps[0].file,
        key="--dz",
        value=", ".join(f"{dz:g} m" for dz in given),
        remedy="give the defocus of every map, in order",
    )


def _filed(files: Sequence[RawFile], maps: Sequence[RawMap], index: int) -> float:
    defocus = maps[index].defocus
    if defocus is None:
        path, key, remedy = _place_of_dz(files, index)
        problem = f"the defocus of map {index + 1} ({maps[index].label}) is not given"
        raise InputError(problem, file=path, key=key or "DZ", remedy=remedy)
    return defocus.finite()


def _place_of_dz(files: Sequence[RawFile], index: int) -> tuple[Path, str | None, str]:
    """Give the file where the defocus of a map belongs, its key in an observation TOML, and how to give it."""
    for file in files:
        if index < len(file.maps):
            break
        index -= len(file.maps)
    raw = file.maps[index]
    if file.path == raw.file:
        return raw.file, None, _SAY_DZ
    # Of the files, only an observation TOML has its maps in others.
    remedy = f'write dz, e.g. dz = "-3mm", into the table [[maps]] of {raw.file.name}, or give --dz for every map'
    return file.path, f"maps[{index + 1}].dz", remedy


def _from_positions(
    files: Sequence[RawFile], maps: Sequence[RawMap], chosen: Sequence[int], in_focus: int | None
) -> tuple[list[float], tuple[Flag, ...]]:
    for index in chosen:
        if maps[index].position is None or maps[index].defocus is not None:
            path, key, remedy = _place_of_dz(files, index)
            raise InputError(
                "some maps give the position of the subreflector, but this one does not",
                file=path,
                key=key or f"map {index + 1} ({maps[index].label})",
                remedy=remedy,
            )
    number = in_focus or _focus_in_files(files)
    flags: tuple[Flag, ...] = ()
    if number is None:
        number = _middle(maps, chosen)
        raw = maps[number - 1]
        message = (
            f"map {number} ({raw.label}) is taken as the one in focus, since it is the middle one of three equally "
            "spaced positions and has the highest peak; say which one it is with --in-focus"
        )
        flags = (Flag("in-focus-assumed", message),)
    focus = _position(maps, number - 1)
    return [_position(maps, index) - focus for index in chosen], flags


def _position(maps: Sequence[RawMap], index: int) -> float:
    position = maps[index].position
    if position is None:
        raise InputError(
            "the map in focus gives no position of the subreflector",
            file=maps[index].file,
            key=f"map {index + 1} ({maps[index].label})",
            remedy=_SAY_DZ,
        )
    return position.finite()


def _focus_in_files(files: Sequence[RawFile]) -> int | None:
    """Number from 1, among the maps of all files, of the map that the files call in focus."""
    before, found = 0, []
    for file in files:
        if file.in_focus is not None:
            found.append((before + file.in_focus, file))
        before += len(file.maps)
    if len(found) > 1:
        raise InputError(
            f"it says that its map is in focus, and {found[0][1].path} says so as well",
            file=found[1][1].path,
            key="in_focus",
            remedy="say which one it is with --in-focus N",
        )
    return found[0][0] if found else None


def _middle(maps: Sequence[RawMap], chosen: Sequence[int]) -> int:
    """Number from 1 of the middle one of three equally spaced positions, if its peak is the highest."""
    three = range(len(maps)) if len(maps) == 3 else chosen
    places, lower = sorted((_position(maps, index), index) for index in three), ""
    if len(places) == 3:
        (low, _), (middle, index), (high, _) = places
        below, above = middle - low, high - middle
        if min(below, above) > 0 and abs(below - above) <= _EQUAL_GAPS * (below + above) / 2:
            peaks = {other: _peak(maps[other]) for other in three}
            if all(peaks[index] > peak for other, peak in peaks.items() if other != index):
                return index + 1
            lower = f", since the middle one, map {index + 1}, does not have the highest peak"
    raise InputError(
        f"the maps give positions of the subreflector, and it is not known which of them is in focus{lower}",
        file=maps[0].file,
        key="positions",
        value=", ".join(f"{place:g} m" for place, _ in places),
        remedy=_SAY_FOCUS,
    )


def _peak(raw: RawMap) -> float:
    """Peak above the median, which stands for the background; minus infinity where there is no number."""
    power = raw.power[np.isfinite(raw.power)]
    return float(power.max() - np.median(power)) if power.size else -np.inf
