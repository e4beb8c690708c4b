"""Power of a beam without its background: relative to the peak of the model, and in units of the noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oofpy.fitting.result import LOW_WEIGHT, FitResult, MapArrays, MapFit

FloatArray = NDArray[np.float64]


def without_background(arrays: MapArrays, fitted: MapFit, values: FloatArray) -> FloatArray:
    """Take the fitted background from values of a map's samples.

    Parameters
    ----------
    arrays : MapArrays
        For the directions.
    fitted : MapFit
        For the background and its slopes.
    values : array, shape (samples,), map units
        Observed or model.

    Returns
    -------
    array, shape (samples,), map units
    """
    slope_u, slope_v = fitted.background_slope_per_rad
    return np.asarray(values - fitted.background - slope_u * arrays.u_rad - slope_v * arrays.v_rad)


def model_peak(arrays: MapArrays, fitted: MapFit) -> float:
    """Peak of a map's model over its background.

    Parameters
    ----------
    arrays : MapArrays
    fitted : MapFit

    Returns
    -------
    float
        Map units, over the used samples; NaN where none is above the background.
    """
    beam = without_background(arrays, fitted, arrays.model)[arrays.weight > 0]
    beam = beam[np.isfinite(beam)]
    return float(beam.max()) if beam.size and beam.max() > 0 else float("nan")


def noise_sigma(result: FitResult, number: int) -> float:
    """Fitted noise of a map as the standard deviation of Gaussian noise.

    Parameters
    ----------
    result : FitResult
    number : int
        Of the map, counted from 0.

    Returns
    -------
    float
        Map units, of a sample with the map's median error. Where the fit has none: the rms of the
        residuals over the relative errors.
        Always positive; 1 where there is no residual either.
    """
    from oofpy.fitting.likelihood import LIKELIHOODS

    sigma = result.fit.maps[number].noise / LIKELIHOODS[result.settings.likelihood].gaussian_scale
    if np.isfinite(sigma) and sigma > 0:
        return float(sigma)
    arrays = result.map_arrays[number]
    residual = (arrays.residual / arrays.relative_error)[(arrays.weight > 0) & np.isfinite(arrays.residual)]
    rms = float(np.sqrt(np.mean(residual**2))) if residual.size else 0.0
    return rms if rms > 0 else 1.0


def down_weighted(arrays: MapArrays) -> NDArray[np.bool_]:
    """Tell which samples the likelihood hardly listened to.

    Parameters
    ----------
    arrays : MapArrays

    Returns
    -------
    array of bool, shape (samples,)
        Used, with less than a tenth of the full weight.
    """
    return np.asarray((arrays.weight > 0) & (arrays.weight < LOW_WEIGHT))


def decibels(ratio: FloatArray, floor_db: float) -> FloatArray:
    """Level of a power ratio, whatever its sign.

    Parameters
    ----------
    ratio : array
        Power over a reference power.
    floor_db : float, dB
        Lowest level given.

    Returns
    -------
    array, dB
        10 log10 of the magnitude; NaN where that is not known.
    """
    level = 10 * np.log10(np.maximum(np.abs(ratio), 10 ** (floor_db / 10)))
    return np.asarray(level, np.float64)
