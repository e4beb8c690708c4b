"""What the maps say of the dish, seen in the ways in which it is looked at: with tilt and focus and without."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oofpy.fitting.result import FitResult
from oofpy.optics.half_path import half_path_um

FloatArray = NDArray[np.float64]

# The scale on which observations are compared at the Green Bank Telescope.
FIXED_SCALE_RAD = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceView:
    """The phase over the dish in one of the ways of looking at it.

    Parameters
    ----------
    name : str
        For example `without tilt`.
    phase_rad : array, shape (pixels, pixels), radians
        On the pixels of `ApertureImages`, positive for a longer path; NaN off the dish and where it is blocked.
    rms_rad : float, radians
        About the mean, both weighted by the illumination.
    peak_to_valley_rad : float, radians
        Largest minus least value; NaN where nothing is known.
    """

    name: str
    phase_rad: FloatArray
    rms_rad: float
    peak_to_valley_rad: float


def surface_views(result: FitResult) -> tuple[SurfaceView, ...]:
    """Give the three views of the dish without any correction that was on it.

    Parameters
    ----------
    result : FitResult
        Whose chosen order is shown.

    Returns
    -------
    tuple of SurfaceView
        `as fitted`: orders 2 and up, and the tilt that `OrderFit.pointing_in_focus_rad` stands for. `without tilt`:
        orders 2 and up, with the rms of the fit. `without tilt and focus`: the coefficient of Z(2,0) set to zero as
        well, with the rms of the fit without focus.
    """
    phase, surface = result.aperture.phase_rad, result.fit.surface
    tilted = phase + _tilt_rad(result)
    rms = surface.rms_um / um_per_rad(result)
    # The pixels of an image end at the rim in steps, the rms of the fit does not: they give what the tilt adds to it.
    square = rms**2 + rms_over_dish(result, tilted) ** 2 - rms_over_dish(result, phase) ** 2
    return (
        _view(result, "as fitted", tilted, math.sqrt(square) if square >= 0 else math.nan),
        _view(result, "without tilt", phase, rms),
        _view(
            result,
            "without tilt and focus",
            phase - _focus_rad(result),
            surface.rms_without_focus_um / um_per_rad(result),
        ),
    )


def blocked_pixels(result: FitResult) -> NDArray[np.bool_]:
    """Find the pixels on the dish that send no field; the maps say nothing of the surface there.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    array of bool, shape (pixels, pixels)
    """
    return on_dish(result) & ~result.aperture.lit


def on_dish(result: FitResult) -> NDArray[np.bool_]:
    """Find the pixels whose centres lie on the dish, blocked or not.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    array of bool, shape (pixels, pixels)
    """
    return np.isfinite(result.aperture.applied_um) | np.isfinite(result.aperture.phase_rad)


def um_per_rad(result: FitResult) -> float:
    """Give the half-path surface error, in micrometres, of one radian of phase."""
    return half_path_um(1.0, result.wavelength_m)


def fixed_scale_um(result: FitResult) -> float:
    """Give the limit of a scale that is the same for all observations of a dish with one receiver.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    float, micrometres
        The 1, 2 or 5 with zeros that is nearest, in ratio, to the surface error of `FIXED_SCALE_RAD`: a round number
        has round contours, and wavelengths of one band share it.
    """
    wanted = FIXED_SCALE_RAD * um_per_rad(result)
    decade = 10.0 ** math.floor(math.log10(wanted))
    return min((digit * decade for digit in (1, 2, 5, 10)), key=lambda one: max(one / wanted, wanted / one))


def surface_as_observed_um(result: FitResult) -> FloatArray:
    """Give the half-path error that the dish had while it was observed.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    array, shape (pixels, pixels), micrometres
        The surface less the correction that was on the dish, positive for metal below the ideal surface; the surface
        itself where there was none. NaN off the dish.
    """
    return result.aperture.surface_um - result.aperture.applied_um


def significance(result: FitResult) -> FloatArray:
    """Give the surface error over its standard error, with its sign.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    array, shape (pixels, pixels)
        Infinite where a surface other than zero has no error; NaN off the dish.
    """
    aperture = result.aperture
    with np.errstate(divide="ignore", invalid="ignore"):
        return aperture.surface_um / aperture.surface_error_um


def amplitude_db(result: FitResult) -> FloatArray:
    """Give the level of the field, illumination times open area, against the centre of the illumination.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    array, shape (pixels, pixels), dB
        NaN off the dish and where it is blocked.
    """
    level = np.where(on_dish(result) & ~blocked_pixels(result), result.aperture.amplitude, np.nan)
    return 20 * np.log10(level)


def rms_over_dish(result: FitResult, values: FloatArray) -> float:
    """Give the rms about the mean over the unblocked dish, both weighted by the illumination.

    Parameters
    ----------
    result : FitResult
    values : array, shape (pixels, pixels)
        In any unit; those that are not finite do not count.

    Returns
    -------
    float
        In the unit of the values; NaN where none counts.
    """
    amplitude = result.aperture.amplitude
    known = np.isfinite(values) & np.isfinite(amplitude)
    weight = amplitude[known]
    if not weight.sum() > 0:
        return math.nan
    mean = np.average(values[known], weights=weight)
    return math.sqrt(np.average((values[known] - mean) ** 2, weights=weight))


def _view(result: FitResult, name: str, phase_rad: FloatArray, rms_rad: float) -> SurfaceView:
    opened = np.where(blocked_pixels(result), np.nan, phase_rad)
    known = opened[np.isfinite(opened)]
    extent = float(np.ptp(known)) if known.size else math.nan
    return SurfaceView(name, opened, rms_rad, extent)


def _tilt_rad(result: FitResult) -> FloatArray:
    """Give the phase `k (x u + y v)` of a beam that peaks at (u, v)."""
    u, v = result.fit.pointing_in_focus_rad
    axis = 2 * math.pi / result.wavelength_m * result.aperture.axis_m
    return np.asarray(axis[np.newaxis, :] * u + axis[:, np.newaxis] * v)


def _focus_rad(result: FitResult) -> FloatArray:
    """Give the phase of the fitted Z(2,0), which is `2 r^2 - 1`."""
    focus = sum(one.phase_rad for one in result.fit.coefficients if (one.n, one.l) == (2, 0))
    square = (result.aperture.axis_m / result.telescope.geometry.dish_radius_m) ** 2
    return np.asarray(focus * (2 * (square[np.newaxis, :] + square[:, np.newaxis]) - 1))
