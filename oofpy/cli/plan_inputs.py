"""From the options of `oofpy plan` to what is planned for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from oofpy.errors import ConfigurationError, UsageError
from oofpy.recipe.entries import settings_of
from oofpy.recipe.reading import wavelength_m_of

if TYPE_CHECKING:
    from oofpy.fitting.settings import FitSettings
    from oofpy.planning import NoiseBudget, Situation

_MOST_CANDIDATES = 200
_RANGE_CANDIDATES = 20
# Settings of the planning and the options that they come from.
_OPTIONS = {
    "dz": "--dz",
    "dz_m": "--dz",
    "pattern": "--pattern",
    "order": "--order",
    "merit": "--merit",
    "half_width_rad": "--half-width",
    "spacing_rad": "--spacing",
    "peak_over_noise": "--snr",
    "total_s": "--time",
    "peak_over_noise_in_1s": "--snr-1s",
    "wavelength": "--wavelength, --frequency",
    "rms_rad": "--surface",
    "seed": "--seed",
}


@contextmanager
def options_named() -> Iterator[None]:
    """Name the option where the planning names its setting."""
    try:
        yield
    except ConfigurationError as error:
        key = _OPTIONS.get(error.key or "", error.key)
        raise ConfigurationError(
            error.problem, file=error.file, key=key, value=error.value, remedy=error.remedy
        ) from None


def budget_of(snr: float | None, time: str | None, snr_in_1s: float | None) -> NoiseBudget:
    """Read how noisy the samples are.

    Raises
    ------
    UsageError
        If nothing is said, or both ways are mixed.
    ConfigurationError
        If a value is out of range, or the time is none.
    """
    from oofpy.planning import SampleNoise, SharedTime

    if snr is not None:
        if time is not None or snr_in_1s is not None:
            raise UsageError("--snr and --time are both given", remedy="give --snr, or --time with --snr-1s")
        return SampleNoise(snr)
    if time is None or snr_in_1s is None:
        missing = "the noise is not given" if time is None and snr_in_1s is None else "one of two options is missing"
        raise UsageError(missing, remedy="give --snr, such as 200, or both --time and --snr-1s")
    return SharedTime(_seconds(time), snr_in_1s)


def _seconds(text: str) -> float:
    from astropy.units import Quantity

    try:
        seconds = float(Quantity(text).to_value("s"))
    except (TypeError, ValueError):  # astropy's own errors of units are both
        seconds = math.nan
    if not math.isfinite(seconds):
        raise ConfigurationError(
            "is not a time with a unit", key="--time", value=text or "''", remedy="write e.g. 20min, 300s or 1.5h"
        )
    return seconds


def candidates_of(text: str | None) -> tuple[float, ...] | None:
    """Read candidates for dz in metres, a list or a range; None where nothing is said.

    Raises
    ------
    ConfigurationError
        If a text is no length, or the range is none.
    """
    from oofpy.quantities import parse_quantities, parse_quantity

    if text is None:
        return None
    if ":" not in text:
        return parse_quantities(text, "length", key="--dz")
    first, last, *count = text.split(":")
    low, high = (parse_quantity(item, "length", key="--dz") for item in (first, last))
    number = count[0].strip() if len(count) == 1 else str(_RANGE_CANDIDATES)
    if len(count) > 1 or not number.isascii() or not number.isdigit() or not 2 <= int(number) <= _MOST_CANDIDATES:
        raise ConfigurationError(
            "is not FROM:TO or FROM:TO:N",
            key="--dz",
            value=text,
            remedy=f"N, how many candidates, is a whole number from 2 to {_MOST_CANDIDATES}",
        )
    if not 0 < low < high:
        raise ConfigurationError("must rise and begin above zero", key="--dz", value=text, remedy="e.g. 0.5mm:6mm")
    return tuple(float(f"{one:.3g}") for one in np.geomspace(low, high, int(number)))


def situation_of(
    telescope: str,
    wavelength: str | None,
    frequency: str | None,
    orders: str | None,
    pattern: str,
    likelihood: str | None,
    settings_file: Path | None,
    assignments: Sequence[str],
) -> Situation:
    """Put together what is planned for, of an ideal dish.

    Raises
    ------
    UsageError, ConfigurationError, InputError
        If an option, a setting or the telescope is wrong.
    """
    from oofpy.io.observing_keys import apply_observing
    from oofpy.observing import Observing
    from oofpy.planning import Situation
    from oofpy.planning.situation import PLAN_SETTINGS
    from oofpy.quantities import parse_quantities
    from oofpy.telescope.loading import load_telescope, with_overrides

    wavelength_m = wavelength_m_of(wavelength, frequency)
    if wavelength_m is None:
        raise UsageError("no wavelength is given", remedy="give --wavelength or --frequency")
    settings, entries = settings_of(settings_file, {"likelihood": likelihood}, assignments, PLAN_SETTINGS)
    return Situation(
        with_overrides(load_telescope(telescope), entries.telescope),
        wavelength_m,
        _orders(orders, settings),
        parse_quantities(pattern, "number", key="--pattern"),
        settings,
        apply_observing(Observing(), entries.observing, wavelength_m),
    )


def _orders(text: str | None, settings: FitSettings) -> tuple[int, ...]:
    """Orders of the option, or that of the settings."""
    if text is None:
        if isinstance(settings.order, int):
            return (settings.order,)
        raise UsageError("nothing is observed that could choose the order", key="order", remedy="give --order")
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and len(word) < 3 for word in words):
        raise UsageError("is not a list of orders", key="--order", value=text or "''", remedy="write e.g. 5 or 4,5,6")
    return tuple(sorted({int(word) for word in words}))


def with_surface(situation: Situation, rms: str | None, seed: int, result: Path | None) -> Situation:
    """Give the dish a surface: a random one of some rms, or that of a result.

    Raises
    ------
    UsageError, ConfigurationError, InputError
        If both are given, the rms is no length, or the result is of another telescope.
    """
    if rms is not None and result is not None:
        raise UsageError("--surface and --result are both given", remedy="give one of them")
    if rms is not None:
        from oofpy.optics.half_path import phase_of_half_path_rad
        from oofpy.quantities import parse_quantity
        from oofpy.simulation import random_surface

        rms_um = parse_quantity(rms, "length", key="--surface") * 1e6
        rms_rad = phase_of_half_path_rad(rms_um, situation.wavelength_m)
        return replace(situation, surface_rad=random_surface(situation.highest_order, rms_rad, seed))
    return situation if result is None else _with_result(situation, result)


def _with_result(situation: Situation, place: Path) -> Situation:
    from oofpy.io.results import read_result

    result = read_result(place)
    if result.telescope.name != situation.telescope.name:
        raise UsageError(
            f"this is the surface of {result.telescope.name}",
            file=place,
            key="--result",
            remedy=f"give a result of {situation.telescope.name}",
        )
    phases = np.array([one.phase_rad for one in result.fit.coefficients])
    # The surface stays what it is; its phase grows towards shorter wavelengths.
    return replace(situation, surface_rad=phases * (result.wavelength_m / situation.wavelength_m))
