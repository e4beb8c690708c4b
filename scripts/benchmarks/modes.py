"""Every way of taking maps: simulated with it, and fitted with it and without it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmarks.scenario import DEFOCUS_M, WAVELENGTH_M, Scenario, one_order, phases
from oofpy.fitting.settings import ParameterRule
from oofpy.observing import AppliedCorrection, Chop, ExtendedSource, Observing, Smearing
from oofpy.simulation import SimulatedObservation

SURFACE_RMS_RAD = 0.5
POINTS = 73
BEAM_RAD = WAVELENGTH_M / 100
FWHM_RAD = 1.2 * BEAM_RAD
DEFOCUS_ERROR_M = 0.5e-3


@dataclass(frozen=True)
class Mode:
    """One way of taking maps.

    Parameters
    ----------
    name : str
    observing : Observing
        Of the simulation, and of the fit that knows it.
    simulated : dict
        Further keyword arguments of the simulator.
    rules : dict
        What the fit that knows it frees.
    """

    name: str
    observing: Observing = field(default_factory=Observing)
    simulated: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, ParameterRule] = field(default_factory=dict)


def bump() -> AppliedCorrection:
    """A correction of 120 um on a circle of 6 m: finer than any term of the fit."""
    axis = np.linspace(-50, 50, 201)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return AppliedCorrection(axis_m=axis, surface_m=120e-6 * np.exp(-((x - 18) ** 2 + (y + 25) ** 2) / (2 * 6.0**2)))


def modes() -> list[Mode]:
    """All of them."""
    free = ParameterRule(free=True)
    moved = {f"lateral_{axis}_m[{number}]": free for axis in "xy" for number in (1, 3)}
    known = ParameterRule(free=True, prior_sigma=DEFOCUS_ERROR_M)
    chop = Chop(5.3 * BEAM_RAD, math.radians(20))
    return [
        Mode("plain"),
        Mode("applied, coefficients", Observing(applied=AppliedCorrection(((2, 2, 0.5), (3, -1, -0.3))))),
        Mode("applied, image of a bump", Observing(applied=bump())),
        Mode("chop, gain ratio fixed", Observing(chop=chop)),
        Mode(
            "chop, gain ratio 0.9 free",
            Observing(chop=chop),
            {"chop_gain_ratio": 0.9},
            {"chop_gain_ratio": free},
        ),
        Mode("disc of 1 FWHM", Observing(source=ExtendedSource("disc", FWHM_RAD))),
        Mode("darkened disc of 1 FWHM", Observing(source=ExtendedSource("limb-darkened", FWHM_RAD, 0.5))),
        Mode("Gaussian source of 0.6 FWHM", Observing(source=ExtendedSource("gaussian", 0.6 * FWHM_RAD))),
        Mode("bandwidth of 10 %", Observing(fractional_bandwidth=0.1)),
        Mode("scan of 0.8 lambda/D", Observing(smearing=Smearing(scan_rad=0.8 * BEAM_RAD, scan_angle_rad=0.5))),
        Mode("pixel of 0.8 lambda/D", Observing(smearing=Smearing(pixel_rad=0.8 * BEAM_RAD))),
        Mode("source at 400 km", Observing(source_distance_m=400e3)),
        Mode(
            "dz errors of 0.5 mm, prior",
            simulated={"defocus_error_m": "drawn"},
            rules={"defocus_error_m": known},
        ),
        Mode(
            "lateral moves of 5 mm",
            simulated={"lateral_m": ((5e-3, -2e-3), (0.0, 0.0), (-4e-3, 3e-3))},
            rules=moved,
        ),
    ]


def taken(surfaces: int, draws: int, only: list[str] | None = None) -> list[dict[str, Any]]:
    """Error of the phase over its bound with each mode in the fit, and bias and flags without it."""
    return [_row(mode, surfaces, draws) for mode in modes() if not only or any(word in mode.name for word in only)]


def _row(mode: Mode, surfaces: int, draws: int) -> dict[str, Any]:
    settings = replace(one_order("gaussian"), parameters=mode.rules)
    errors, bounds, biases, silent = [], [], [], 0
    flags: Counter[str] = Counter()
    for surface in range(surfaces):
        for scenario, batch in _batches(mode, surface, draws):
            truth = scenario.truths(batch)
            bounds.append(scenario.cramer_rao_rms(batch, settings))
            errors.append(scenario.rms_error(phases(scenario.fit(batch, settings)) - truth))
            without = scenario.fit([_ignorant(simulated) for simulated in batch], one_order("gaussian"))
            biases.append(scenario.rms_error(phases(without) - truth))
            for result in without:
                codes = {flag.code for flag in result.flags if flag.serious}
                flags.update(codes)
                silent += not codes
    bound, error, bias = (float(np.sqrt(np.mean(np.concatenate(one) ** 2))) for one in (bounds, errors, biases))
    return {
        "mode": mode.name,
        "fits": surfaces * draws,
        "bound_rad": bound,
        "error_over_bound": error / bound,
        "error_without_rad": bias,
        "without_over_bound": bias / bound,
        "flags_without": ", ".join(f"{code} {number}" for code, number in flags.most_common()) or "none",
        "silent_without": silent,
    }


def _batches(mode: Mode, surface: int, draws: int) -> Iterator[tuple[Scenario, list[SimulatedObservation]]]:
    """Draws of noise over one simulation, which is what takes long.

    Errors of dz, which a prior describes, are drawn with the noise.
    """
    if "defocus_error_m" not in mode.simulated:
        scenario = Scenario.build(POINTS, observing=mode.observing, **mode.simulated)
        yield scenario, list(scenario.redrawn(SURFACE_RMS_RAD, surface, range(draws)))
        return
    for draw in range(draws):
        errors = np.random.default_rng([surface, draw]).normal(0, DEFOCUS_ERROR_M, len(DEFOCUS_M))
        scenario = Scenario.build(POINTS, defocus_error_m=tuple(errors))
        yield scenario, list(scenario.redrawn(SURFACE_RMS_RAD, surface, range(draw, draw + 1)))


def _ignorant(simulated: SimulatedObservation) -> SimulatedObservation:
    """The same data with nothing said about how they were taken."""
    return replace(simulated, observation=replace(simulated.observation, observing=Observing()))
