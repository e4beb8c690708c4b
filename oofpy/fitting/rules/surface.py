"""Whether this may be the surface of a dish: size, smoothness, rim and focus of the phase."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from oofpy.fitting.result import FitResult
from oofpy.fitting.status import FitStatus
from oofpy.flags import Flag, raised
from oofpy.limits import Limits
from oofpy.optics.half_path import phase_of_half_path_rad
from oofpy.quantities import format_length

_LEAST_EFFICIENCY = 1e-8  # Ruze's, at a phase of about 4.3 rad rms
_RIM = 0.85  # of the radius: the outer quarter of the area
_SIGNIFICANT = 3.0  # standard errors


def size(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag a surface that is rougher than a limit, or than any that leaves a beam."""
    surface = result.fit.surface
    if surface.ruze_efficiency < _LEAST_EFFICIENCY:
        yield raised(
            "surface-implausible",
            f"a surface rms of {surface.rms_as_observed_um:.3g} um leaves no beam at this wavelength",
        )
        return
    rms_um = surface.rms_as_observed_um
    phase_rad = phase_of_half_path_rad(rms_um, result.wavelength_m)
    most_um = math.inf if limits.most_surface_rms_m is None else limits.most_surface_rms_m * 1e6
    if phase_rad > limits.most_phase_rms_rad or rms_um > most_um:
        observed = "" if result.observing.applied is None else " as observed, with the correction that was on the dish,"
        yield raised("large-rms", f"the surface rms{observed} is {rms_um:.4g} um, {phase_rad:.2f} rad of phase")


def steepness(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag a phase that changes by more than the order can carry from one resolution element to the next."""
    axis, phase = result.aperture.axis_m, _open_phase(result)
    rise, run = np.gradient(phase, axis, axis)
    slope = np.hypot(rise, run)
    known = np.isfinite(slope)
    if not known.any():
        return
    mean_square = float(np.average(slope[known] ** 2, weights=result.aperture.amplitude[known]))
    element_m = 2 * result.telescope.geometry.dish_radius_m / (result.chosen_order + 1)
    step_rad = math.sqrt(mean_square) * element_m
    if step_rad > limits.most_phase_step_rad:
        yield raised(
            "steep-phase",
            f"the phase changes by {step_rad:.1f} rad rms over {format_length(float(f'{element_m:.3g}'))}, the finest "
            f"that order {result.chosen_order} resolves",
        )


def rim(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag a phase that is far rougher near the rim than inside, beyond its errors there."""
    axis, phase = result.aperture.axis_m, _open_phase(result)
    radius = np.hypot(axis[:, None], axis) / result.telescope.geometry.dish_radius_m
    known = np.isfinite(phase)
    outer, inner = known & (radius > _RIM), known & (radius <= _RIM)
    if not (outer.any() and inner.any()):
        return
    at_rim, inside = (float(np.sqrt(np.mean(phase[part] ** 2))) for part in (outer, inner))
    error_um = float(np.sqrt(np.mean(result.aperture.surface_error_um[outer] ** 2)))
    error_rad = phase_of_half_path_rad(error_um, result.wavelength_m)
    if at_rim > limits.most_rim_ratio * inside and at_rim > _SIGNIFICANT * error_rad:
        yield raised("rim-dominated", f"the phase has {at_rim:.2f} rad rms near the rim and {inside:.2f} rad inside")


def _open_phase(result: FitResult) -> np.ndarray:
    """Phase over the dish as it was observed, NaN where it is blocked as well."""
    aperture = result.aperture
    taken = phase_of_half_path_rad(aperture.applied_um, result.wavelength_m)
    return np.where(aperture.lit, aperture.phase_rad - taken, np.nan)


def focus(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag a large focus error, and one that depends on the order."""
    largest_m = max(abs(fitted.dz_m) for fitted in result.fit.maps)
    if largest_m == 0:
        return
    error_m = result.fit.surface.best_focus_m
    if abs(error_m) > limits.most_focus_error * largest_m:
        yield raised(
            "large-focus",
            f"the focus is off by dz = {error_m * 1e3:+.3g} mm, the largest dz is {largest_m * 1e3:.3g} mm",
        )
    for fit in result.orders:
        jump = abs(fit.surface.best_focus_m - error_m)
        # Also where the ladder left an order early: the focus of good observations agrees there as well.
        neighbour = abs(fit.order - result.chosen_order) == 1 and fit.status is not FitStatus.NOT_FINITE
        if neighbour and jump > limits.most_focus_jump * largest_m:
            yield raised(
                "focus-jumps",
                f"the focus error is dz = {error_m * 1e3:+.3g} mm at order {result.chosen_order} and "
                f"{fit.surface.best_focus_m * 1e3:+.3g} mm at order {fit.order}",
            )


RULES = (size, steepness, rim, focus)
