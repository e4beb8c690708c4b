"""From files to observations: which maps belong together, and what the user says about them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oofpy.errors import InputError, UsageError, one_line
from oofpy.flags import Flag
from oofpy.io.checks import (
    observed,
    oddities,
    refuse_duplicates,
    refuse_void,
    sign_flags,
    trio_flags,
    usable_errors,
)
from oofpy.io.defocus_values import resolve_defocus
from oofpy.io.joined_files import (
    FRAMES,
    differences,
    first_said,
    joint_observing,
    mean_elevation_rad,
    notes,
    one_frame,
    one_offsets,
    with_axes_named,
    zenith_angles,
)
from oofpy.io.observing_keys import check_observing_texts, overlaid, resolve_observing
from oofpy.io.reader import FileContent, RawFile, RawMap
from oofpy.io.registry import read_file
from oofpy.io.sample_mask import parse_mask
from oofpy.io.wavelength import resolve_wavelength
from oofpy.observation import BeamMap, BoolArray, Frame, Observation, SkyOrientation, SkySystem, SourceFile


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the user says beside the files."""

    defocus_m: tuple[float, ...] | None
    wavelength_m: float | None
    maps: tuple[int, ...] | None
    radius_rad: float | None
    mask: Path | None
    orientation: SkyOrientation
    in_focus: int | None
    observing: Mapping[str, str]
    part: str | None


def read_observation(
    *files: str | Path,
    defocus_m: Sequence[float] | None = None,
    wavelength_m: float | None = None,
    maps: Sequence[int] | None = None,
    radius_rad: float | None = None,
    mask: str | Path | None = None,
    orientation: SkyOrientation | None = None,
    in_focus: int | None = None,
    observing: Mapping[str, str] | None = None,
    part: str | None = None,
) -> Observation:
    """Read the beam maps of one observation.

    Parameters
    ----------
    *files : path-like
        One file with two or more maps, or files with one map each, in the order of the observation.
        The format is told by content.
    defocus_m : sequence of float, optional, metres
        Defocus of every map in order, or of the maps that `maps` selects; instead of what the files say.
    wavelength_m : float, optional, metres
        Wavelength, instead of what the files say.
    maps : sequence of int, optional
        Numbers of the maps to keep, from 1. Their order stays that of the files.
    radius_rad : float, optional, radians
        Keep only samples within this distance of (u, v) = (0, 0).
    mask : path-like, optional
        File that says which samples to leave out: see `oofpy.io.read_mask`. It refers to all maps, before
        `maps` selects.
    orientation : SkyOrientation, optional
        How images of the sky are to be turned; what it says stands above what the files say. The parallactic angle is
        one for all maps, or one for each map of the files or of the selected ones.
    in_focus : int, optional
        Number of the map in focus, from 1 and before `maps` selects, for files that give the position of the
        subreflector instead of the defocus.
    observing : mapping of str to str, optional
        How the maps were taken, by the keys of `oofpy.io.observing_keys`, as text with units; stands above what the
        files say, and `none` takes that away.
    part : str, optional
        Which part to take of files that hold several, such as a band; see `oofpy.io.reader.Reader`.

    Returns
    -------
    Observation
        The maps, with values and signs as the files have them; `oofpy.in_model_convention` turns them.

    Raises
    ------
    InputError
        If a file cannot be used, or the maps do not make an observation.
    ConfigurationError
        If a quantity in a TOML file has no unit or a wrong one, or `observing` has a wrong key or value, or only half
        of a mode is known.
    UsageError
        If the files are more than one observation, or an argument contradicts them.
    """
    found = read_observations(
        files,
        defocus_m=defocus_m,
        wavelength_m=wavelength_m,
        maps=maps,
        radius_rad=radius_rad,
        mask=mask,
        orientation=orientation,
        in_focus=in_focus,
        observing=observing,
        part=part,
    )
    if len(found) > 1:
        raise UsageError(
            f"these files are {len(found)} observations, since each holds several maps",
            key="FILE",
            value=", ".join(str(file) for file in files),
            remedy="read them one at a time",
        )
    return found[0]


def read_observations(
    files: Sequence[str | Path],
    *,
    defocus_m: Sequence[float] | None = None,
    wavelength_m: float | None = None,
    maps: Sequence[int] | None = None,
    radius_rad: float | None = None,
    mask: str | Path | None = None,
    orientation: SkyOrientation | None = None,
    in_focus: int | None = None,
    observing: Mapping[str, str] | None = None,
    part: str | None = None,
) -> list[Observation]:
    """Read files with several maps as one observation each, or files with one map as one together.

    Parameters
    ----------
    files : sequence of path-like
        The files.
    defocus_m, wavelength_m, maps, radius_rad, mask, orientation, in_focus, observing, part
        As for `read_observation`; they hold for every observation.

    Returns
    -------
    list of Observation
        In the order of the files.

    Raises
    ------
    InputError, ConfigurationError
        As `read_observation`.
    UsageError
        If no file is given, a file is given twice, files with one map and with several are mixed, or an
        argument contradicts the files.
    """
    wishes = _Wishes(
        defocus_m=None if defocus_m is None else tuple(float(dz) for dz in defocus_m),
        wavelength_m=wavelength_m,
        maps=None if maps is None else tuple(sorted(maps)),
        radius_rad=radius_rad,
        mask=None if mask is None else Path(mask),
        orientation=orientation or SkyOrientation(),
        in_focus=in_focus,
        observing=dict(observing or {}),
        part=part,
    )
    _refuse_nonsense(wishes)
    return [_observation(group, wishes) for group in _groups([Path(file) for file in files], part)]


def _refuse_nonsense(wishes: _Wishes) -> None:
    """Refuse what no file could make right."""
    if wishes.defocus_m is not None and not all(math.isfinite(dz) for dz in wishes.defocus_m):
        raise UsageError("every defocus must be a finite number", key="--dz", value=list(wishes.defocus_m))
    if wishes.radius_rad is not None and not (math.isfinite(wishes.radius_rad) and wishes.radius_rad > 0):
        raise UsageError("the radius must be a positive angle", key="--radius", value=wishes.radius_rad)
    if wishes.maps is not None and (not wishes.maps or len(set(wishes.maps)) < len(wishes.maps)):
        raise UsageError("name each map to keep once", key="--maps", value=_listed(wishes.maps) or "nothing")
    check_observing_texts(wishes.observing)


def _groups(paths: Sequence[Path], part: str | None) -> list[tuple[RawFile, ...]]:
    """Read the files and put together those that make one observation."""
    if not paths:
        raise UsageError("no file is given", key="FILE", remedy="name the files with the beam maps")
    for index, path in enumerate(paths):
        if any(path.resolve() == other.resolve() for other in paths[:index]):
            raise UsageError("this file is given twice", file=path, remedy="give every file once")
    read = [read_file(path, part) for path in paths]
    several = [raw for raw in read if len(raw.maps) > 1]
    if not several:
        return [tuple(read)]
    if len(several) == len(read):
        return [(raw,) for raw in read]
    single = next(raw for raw in read if len(raw.maps) == 1)
    raise UsageError(
        f"it holds one map and {several[0].path} holds {len(several[0].maps)}",
        file=single.path,
        remedy="give files with one map each, or files with several maps, not both",
    )


def _observation(files: tuple[RawFile, ...], wishes: _Wishes) -> Observation:
    wavelength_m, wavelength_flags = resolve_wavelength(files, wishes.wavelength_m)
    files = _axes_named(files, wishes.orientation.axes)
    frame = one_frame(files)
    assert frame != "sky-offset"
    chosen = _chosen(wishes.maps, sum(len(file.maps) for file in files), files[0].path)
    orientation = _orientation(files, frame, chosen, wishes.orientation)
    beam_maps, map_flags, mask_sources = _beam_maps(files, chosen, wishes)
    known, texts = joint_observing(files, wishes.observing)
    resolved = resolve_observing(known, overlaid(texts, wishes.observing), wavelength_m, file=files[0].path)
    return Observation(
        name=files[0].path.stem,
        maps=beam_maps,
        wavelength_m=wavelength_m,
        telescope=first_said(files, "telescope"),
        elevation_rad=mean_elevation_rad(files),
        object_name=first_said(files, "object_name"),
        date=first_said(files, "date"),
        sources=(*(source for file in files for source in file.sources), *mask_sources, *resolved.sources),
        flags=(
            *notes(files, wishes.observing),
            *wavelength_flags,
            *map_flags,
            *differences(files),
            *resolved.flags,
        ),
        observing=resolved.observing,
        frame=frame,
        orientation=orientation,
    )


def _axes_named(files: tuple[RawFile, ...], system: SkySystem | None) -> tuple[RawFile, ...]:
    """Name the axes of images of offsets that do not name them, as the user says."""
    unnamed = [file for file in files if file.frame == "sky-offset"]
    if system is None and unnamed:
        raise InputError(
            "the header does not say along which axes the offsets are",
            file=unnamed[0].path,
            key="CTYPE",
            remedy="give --axes azel or --axes radec",
        )
    if system is not None and not unnamed:
        problem = "the file says itself what its axes are"
        raise UsageError(problem, file=files[0].path, key="--axes", value=system, remedy="leave it out")
    return files if system is None else with_axes_named(files, system)


def _orientation(
    files: Sequence[RawFile], frame: Frame, chosen: Sequence[int], given: SkyOrientation
) -> SkyOrientation:
    """Put together what the files and the user say about the orientation of the chosen maps."""
    angles = given.parallactic_angle_rad
    useless = given.offsets is not None and frame == "file", angles is not None and frame != "sky-radec"
    for wrong, option in zip(useless, ("--offsets", "--parallactic-angle"), strict=True):
        if wrong:
            problem = f"this means nothing for {FRAMES[frame]}"
            raise UsageError(problem, file=files[0].path, key=option, remedy="leave it out")
    total = sum(len(file.maps) for file in files)
    if angles is not None and len(angles) not in (1, total, len(chosen)):
        raise UsageError(
            f"{len(angles)} values are given for {total} maps",
            file=files[0].path,
            key="--parallactic-angle",
            value=", ".join(f"{math.degrees(angle):g} deg" for angle in angles),
            remedy="give one for all maps or one for each, in order",
        )
    angles = zenith_angles(files) if angles is None else angles
    if angles is not None and len(angles) == total:
        angles = tuple(angles[index] for index in chosen)
    return SkyOrientation(given.offsets or one_offsets(files), angles)


def _beam_maps(
    files: Sequence[RawFile], chosen: Sequence[int], wishes: _Wishes
) -> tuple[tuple[BeamMap, ...], tuple[Flag, ...], tuple[SourceFile, ...]]:
    """Check the maps to keep and make them; the flags are what is odd about them, the source is the mask."""
    every_map = [raw for file in files for raw in file.maps]
    keep, mask_sources = _kept(every_map, wishes)
    defocus_m, focus_flags = resolve_defocus(files, chosen, wishes.defocus_m, wishes.in_focus)
    numbers = [index + 1 for index in chosen]
    raw_maps = [every_map[index] for index in chosen]
    for number, raw in zip(numbers, raw_maps, strict=True):
        refuse_void(raw, number)
    refuse_duplicates(raw_maps, numbers)
    errors, error_flags = usable_errors(raw_maps, numbers)
    beam_maps = tuple(
        BeamMap(raw.u_rad, raw.v_rad, raw.power, dz, error, keep[index] & observed(raw), raw.label)
        for index, raw, dz, error in zip(chosen, raw_maps, defocus_m, errors, strict=True)
    )
    as_filed = wishes.defocus_m is None
    sign = sign_flags(beam_maps) if as_filed else _replaced_defocus(raw_maps, defocus_m)
    _refuse_nothing_kept(files[0].path, beam_maps, wishes)
    flags = (*focus_flags, *trio_flags(every_map), *sign, *error_flags, *oddities(raw_maps, numbers))
    return beam_maps, flags, mask_sources


def _chosen(maps: tuple[int, ...] | None, total: int, path: Path) -> list[int]:
    """Give the indices from 0 of the maps to keep."""
    if maps is None:
        return list(range(total))
    for number in maps:
        if not 1 <= number <= total:
            raise UsageError(
                f"there is no map {number}",
                file=path,
                key="--maps",
                value=_listed(maps),
                remedy=f"the maps are numbered from 1 to {total}",
            )
    return [number - 1 for number in maps]


def _kept(maps: Sequence[RawMap], wishes: _Wishes) -> tuple[list[BoolArray], tuple[SourceFile, ...]]:
    """Give the samples of every map that the mask and the radius keep, and the mask file as a source."""
    keep = [np.ones(raw.power.size, bool) for raw in maps]
    sources: tuple[SourceFile, ...] = ()
    if wishes.mask is not None:
        mask = FileContent.load(wishes.mask)
        keep, sources = list(parse_mask(mask, [raw.power.size for raw in maps])), (mask.source,)
    if wishes.radius_rad is not None:
        with np.errstate(over="ignore"):
            inside = [np.hypot(raw.u_rad, raw.v_rad) <= wishes.radius_rad for raw in maps]
        keep = [kept & near for kept, near in zip(keep, inside, strict=True)]
    return keep, sources


def _refuse_nothing_kept(path: Path, maps: Sequence[BeamMap], wishes: _Wishes) -> None:
    for beam_map in maps:
        if beam_map.samples == 0:
            by = [name for name, wish in (("--radius", wishes.radius_rad), ("--mask", wishes.mask)) if wish]
            raise UsageError(
                f"no sample of the map {beam_map.label} is left",
                file=path,
                key=" and ".join(by) or None,
                remedy="select fewer samples away" if by else "check its errors",
            )


def _replaced_defocus(maps: Sequence[RawMap], defocus_m: Sequence[float]) -> tuple[Flag, ...]:
    replaced = [
        f"{raw.label}: {dz:g} m for {one_line(str(raw.defocus.value))} {raw.defocus.unit}"
        for raw, dz in zip(maps, defocus_m, strict=True)
        if raw.defocus is not None and raw.defocus.value != dz
    ]
    if not replaced:
        return ()
    message = f"the given dz replace those of the file ({'; '.join(replaced)})"
    return (Flag("defocus-replaced", message),)


def _listed(numbers: Sequence[object]) -> str:
    return ", ".join(str(number) for number in numbers)
