"""What a user says beside the files, as text or in SI units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from oofpy.errors import UsageError

if TYPE_CHECKING:
    from oofpy.observation import Observation, SkyOrientation


@dataclass(frozen=True, slots=True)
class Reading:
    """What the user says beside the files, in SI units, as `read_observation` takes it; None where nothing is said."""

    defocus_m: tuple[float, ...] | None = None
    wavelength_m: float | None = None
    maps: tuple[int, ...] | None = None
    radius_rad: float | None = None
    mask: Path | None = None
    orientation: SkyOrientation | None = None
    in_focus: int | None = None
    observing: Mapping[str, str] | None = None
    part: str | None = None

    def observation(self, files: Sequence[Path]) -> Observation:
        """Read the files of one observation."""
        from oofpy.io.observations import read_observation

        said: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return read_observation(*files, **said)


def reading_of(
    dz: str | None,
    wavelength: str | None,
    frequency: str | None,
    maps: str | None,
    radius: str | None,
    mask: Path | None,
) -> Reading:
    """Convert the texts of the options.

    Raises
    ------
    ConfigurationError, UsageError
        If a text is not what its option takes, or wavelength and frequency are both given.
    """
    from oofpy.quantities import parse_quantities, parse_quantity

    return Reading(
        defocus_m=None if dz is None else parse_quantities(dz, "length", key="--dz"),
        wavelength_m=wavelength_m_of(wavelength, frequency),
        maps=None if maps is None else _map_numbers(maps),
        radius_rad=None if radius is None else parse_quantity(radius, "angle", key="--radius"),
        mask=mask,
    )


def as_taken(
    reading: Reading,
    axes: str | None,
    offsets: str | None,
    parallactic_angle: str | None,
    in_focus: int | None,
    part: str | None,
    observing: Mapping[str, str],
) -> Reading:
    """Add what the options say about parts of files, the orientation of images, and the observing.

    Raises
    ------
    ConfigurationError, UsageError
        If a text is not what its option takes.
    """
    if in_focus is not None and in_focus < 1:
        raise UsageError("is no number of a map", key="--in-focus", value=in_focus, remedy="maps count from 1")
    orientation = _orientation(axes, offsets, parallactic_angle)
    return replace(reading, orientation=orientation, in_focus=in_focus, part=part, observing=observing or None)


def _orientation(axes: str | None, offsets: str | None, parallactic_angle: str | None) -> SkyOrientation | None:
    from oofpy.observation import Offsets, SkyOrientation, SkySystem
    from oofpy.quantities import parse_quantities

    if axes is None and offsets is None and parallactic_angle is None:
        return None
    known: dict[str | None, Offsets | None] = {None: None, **{word: word for word in get_args(Offsets)}}
    systems: dict[str | None, SkySystem | None] = {None: None, **{word: word for word in get_args(SkySystem)}}
    if offsets not in known:
        remedy = "choose telescope (telescope minus source, as in a map of the sky) or source (the reverse)"
        raise UsageError("is not known", key="--offsets", value=offsets or "''", remedy=remedy)
    if axes not in systems:
        raise UsageError("is not known", key="--axes", value=axes or "''", remedy="choose azel or radec")
    angles = None
    if parallactic_angle is not None:
        angles = parse_quantities(parallactic_angle, "angle", key="--parallactic-angle")
        if any(abs(angle) > 2 * math.pi * (1 + 1e-12) for angle in angles):
            problem, remedy = "is beyond 360 deg", "check its unit"
            raise UsageError(problem, key="--parallactic-angle", value=parallactic_angle, remedy=remedy)
    return SkyOrientation(known[offsets], angles, systems[axes])


def wavelength_m_of(wavelength: str | None, frequency: str | None) -> float | None:
    """Convert the texts of --wavelength and --frequency, of which at most one may be given."""
    from oofpy.quantities import parse_quantity

    if wavelength is not None and frequency is not None:
        raise UsageError("--wavelength and --frequency are both given", remedy="give one of them")
    if wavelength is not None:
        return parse_quantity(wavelength, "length", key="--wavelength")
    if frequency is None:
        return None
    frequency_hz = parse_quantity(frequency, "frequency", key="--frequency")
    if frequency_hz <= 0:
        raise UsageError("the frequency must be above zero", key="--frequency", value=frequency)
    from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S

    return SPEED_OF_LIGHT_M_S / frequency_hz


def _map_numbers(text: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and len(word) < 6 for word in words):
        raise UsageError("is not a list of map numbers", key="--maps", value=text or "''", remedy="write e.g. 1,3")
    return tuple(int(word) for word in words)
