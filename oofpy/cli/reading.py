"""Which files of a command line make one observation, and what was read, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oofpy.errors import OofError, UsageError, one_line

if TYPE_CHECKING:
    from oofpy.observation import BeamMap, Observation


def groups_of(files: Sequence[Path], part: str | None = None) -> list[tuple[Path, ...]]:
    """Put together the files that make one observation.

    Where all files that can be read hold several maps each, every file stands alone, so that one that
    cannot be read does not keep the others from being fitted.

    Raises
    ------
    UsageError
        If two observations would have the same name.
    """
    numbers = [_number_of_maps(file, part) for file in files] if len(files) > 1 else [1]
    # Where a part is named and no file has it, one error says so for all of them.
    if 1 in numbers or (part is not None and not any(numbers)):
        return [tuple(files)]
    seen: dict[str, Path] = {}
    for file in files:
        if file.stem in seen:
            raise UsageError(
                f"its result would have the same name as that of {seen[file.stem]}",
                file=file,
                remedy="fit one of them with another --out, or rename it",
            )
        seen[file.stem] = file
    return [(file,) for file in files]


def _number_of_maps(file: Path, part: str | None) -> int | None:
    from oofpy.io.registry import read_file

    try:
        return len(read_file(file, part).maps)
    except OofError:
        return None  # told when its turn comes


def description_of(observation: Observation) -> list[str]:
    """Describe what was read: a line for the observation and one for each map."""
    from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S
    from oofpy.quantities import format_frequency, format_length

    elevation = observation.elevation_rad
    known = [
        f"{format_frequency(SPEED_OF_LIGHT_M_S / observation.wavelength_m)}",
        f"wavelength {format_length(observation.wavelength_m)}",
        "" if elevation is None else f"elevation {math.degrees(elevation):.1f} deg",
        observation.object_name or "",
        observation.date or "",
    ]
    files = ", ".join(str(source.path) for source in observation.sources)
    heading = f"{observation.name}: read from {files}: {', '.join(text for text in known if text)}"
    return [one_line(heading), *(map_line(place, beam_map) for place, beam_map in enumerate(observation.maps, 1))]


def map_line(place: int, beam_map: BeamMap) -> str:
    """Describe a map on one line: label, defocus and samples."""
    from oofpy.quantities import format_length

    label = f" ({beam_map.label})" if beam_map.label else ""
    masked = f", {beam_map.masked} masked" if beam_map.masked else ""
    dz = format_length(beam_map.defocus_m)
    return one_line(f"map {place}{label}: dz = {dz}, {beam_map.samples} samples{masked}")
