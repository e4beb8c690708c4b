"""`oofpy inspect`: what was read and what looks wrong with it, without a fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oofpy.cli import options
from oofpy.cli.endings import Ending, guarded, worst
from oofpy.cli.reading import description_of, groups_of
from oofpy.cli.text_tables import aligned, flag_line, number
from oofpy.recipe.entries import entries_of
from oofpy.recipe.reading import Reading, as_taken, reading_of
from oofpy.recipe.telescopes import require_orientation, shipped_name, telescope_of

if TYPE_CHECKING:
    from oofpy.flags import Flag
    from oofpy.observation import BeamMap, Observation
    from oofpy.telescope import Telescope

_ARCSEC_RAD = math.pi / 648000


@dataclass(frozen=True, slots=True)
class _Look:
    """One map at a glance; powers in map units, None where there is none.

    `half_width_beams` is the smaller half-width in lambda/D, None where the telescope is not known.
    """

    label: str
    dz_m: float
    samples: int
    masked: int
    peak: float
    background: float
    noise: float
    signal_to_noise: float | None
    half_width_rad: tuple[float, float]
    half_width_beams: float | None
    spacing_rad: float
    peak_position_rad: tuple[float, float]


@dataclass(frozen=True)
class _Job:
    """What to do with every observation; `seen` collects what `--json` prints."""

    reading: Reading
    telescope: str | None
    overrides: Mapping[str, str]
    json: bool
    seen: list[dict[str, Any]] = field(default_factory=list)


def inspect_command(
    files: options.Files,
    telescope: options.TelescopeName = None,
    dz: options.Dz = None,
    wavelength: options.Wavelength = None,
    frequency: options.Frequency = None,
    maps: options.Maps = None,
    radius: options.Radius = None,
    mask: options.Mask = None,
    axes: options.Axes = None,
    offsets: options.Offsets = None,
    parallactic_angle: options.ParallacticAngle = None,
    in_focus: options.InFocus = None,
    part: options.Part = None,
    settings: options.SettingsFile = None,
    assignments: options.SetEntry = None,
    json: options.Json = False,
) -> int:
    """Show what beam maps hold and what looks wrong.

    Signs and positions are those of the file; the peak is the height above the background, and the noise is
    the scatter at the border of the map. Exit code 4 where a flag is serious.
    """
    entries = entries_of(settings, assignments or [])
    reading = reading_of(dz, wavelength, frequency, maps, radius, mask)
    reading = as_taken(reading, axes, offsets, parallactic_angle, in_focus, part, entries.observing)
    job = _Job(reading, telescope, entries.telescope, json)
    groups = groups_of(files, part)
    ending = worst([guarded(partial(_inspect_group, group, job)) for group in groups])
    if json and (job.seen or len(groups) > 1):
        from json import dumps

        print(dumps(job.seen if len(groups) > 1 else job.seen[0], indent=2, allow_nan=False))
    return ending


def _inspect_group(files: Sequence[Path], job: _Job) -> Ending:
    """Look at one observation and print what was seen."""
    from oofpy.io.observing_words import how_taken

    observation = job.reading.observation(files)
    telescope = None
    if job.telescope is not None or job.overrides or shipped_name(observation.telescope) is not None:
        telescope = telescope_of(job.telescope, observation, job.overrides)
    looks = [_look(beam_map, observation.wavelength_m, telescope) for beam_map in observation.maps]
    if not job.json:
        taken = how_taken(observation.observing)
        print("\n".join([*description_of(observation), *([taken] if taken else []), *_table(looks)]))
    flags = _flags(observation, telescope)
    if job.json:
        job.seen.append(_plain(observation, telescope, looks, flags))
    else:
        print("\n".join(_remarks(observation, telescope, flags)), flush=True)
    return Ending.FLAGGED if any(flag.serious for flag in flags) else Ending.DONE


def _look(beam_map: BeamMap, wavelength_m: float, telescope: Telescope | None) -> _Look:
    from oofpy import map_statistics

    _, _, half_u, half_v = map_statistics.extent(beam_map)
    noise = map_statistics.border_noise(beam_map)
    peak = map_statistics.peak_height(beam_map)
    beam_rad = None if telescope is None else wavelength_m / (2 * telescope.geometry.dish_radius_m)
    return _Look(
        label=beam_map.label,
        dz_m=beam_map.defocus_m,
        samples=beam_map.samples,
        masked=beam_map.masked,
        peak=peak,
        background=map_statistics.border_level(beam_map),
        noise=noise,
        signal_to_noise=peak / noise if noise > 0 else None,
        half_width_rad=(half_u, half_v),
        half_width_beams=None if beam_rad is None else min(half_u, half_v) / beam_rad,
        spacing_rad=math.sqrt(4 * half_u * half_v / beam_map.samples),
        peak_position_rad=map_statistics.peak_position(beam_map),
    )


def _flags(observation: Observation, telescope: Telescope | None) -> tuple[Flag, ...]:
    if telescope is None or telescope.missing:
        return observation.flags
    from oofpy.conventions import in_model_convention
    from oofpy.plausibility import check_observation

    require_orientation(observation, telescope)
    return (*observation.flags, *check_observation(in_model_convention(observation, telescope), telescope))


def _table(looks: Sequence[_Look]) -> list[str]:
    def row(place: int, look: _Look) -> list[str]:
        half_u, half_v = (width / _ARCSEC_RAD for width in look.half_width_rad)
        peak_u, peak_v = (position / _ARCSEC_RAD for position in look.peak_position_rad)
        return [
            str(place),
            number(look.peak),
            number(look.background),
            number(look.noise, ".3g"),
            number(look.signal_to_noise, ".0f"),
            f"{number(half_u)} x {number(half_v)}",
            number(look.half_width_beams, ".1f"),
            number(look.spacing_rad / _ARCSEC_RAD, ".3g"),
            f"{peak_u:+.1f}, {peak_v:+.1f}",
        ]

    header = [
        "map",
        "height",
        "background",
        "scatter",
        "peak/noise",
        "half-widths arcsec",
        "lambda/D",
        "spacing arcsec",
        "peak at u, v arcsec",
    ]
    return aligned(header, [row(place, look) for place, look in enumerate(looks, 1)])


def _remarks(observation: Observation, telescope: Telescope | None, flags: Sequence[Flag]) -> list[str]:
    from oofpy.io.observing_words import conversions

    if telescope is None:
        named = f"of the telescope {observation.telescope} " if observation.telescope else ""
        about = [f"nothing is known {named}here: give --telescope to have the maps judged against it"]
    elif telescope.missing:
        about = [f"the maps are not judged, as {', '.join(telescope.missing)} of {telescope.name} is unknown"]
    else:
        turned = conversions(observation, telescope)
        about = [f"telescope: {telescope.name}", *([turned] if turned else [])]
    return [*about, *(flag_line(flag) for flag in flags)]


def _plain(
    observation: Observation, telescope: Telescope | None, looks: Sequence[_Look], flags: Sequence[Flag]
) -> dict[str, Any]:
    """Give what was seen as plain values for JSON, in SI units."""
    elevation = observation.elevation_rad
    return {
        "observation": {
            "name": observation.name,
            "telescope": telescope.name if telescope else observation.telescope,
            "wavelength_m": observation.wavelength_m,
            "elevation_deg": None if elevation is None else math.degrees(elevation),
            "object": observation.object_name,
            "date": observation.date,
            "observing": observation.observing.as_dict(),
        },
        "inputs": [{"file": str(source.path), "sha256": source.sha256} for source in observation.sources],
        "maps": [asdict(look) for look in looks],
        "flags": [asdict(flag) for flag in flags],
    }
