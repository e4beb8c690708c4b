"""The model from the coefficients of observations fitted one by one, coefficient by coefficient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oofpy.gravity.gravity_fit import GravityFit
from oofpy.gravity.model import GravityModel, gravity_terms
from oofpy.gravity.regression import OUTLYING_WEIGHT, Measured, robust_weight
from oofpy.gravity.series import FEWEST_OBSERVATIONS, CoefficientSeries, require_elevations

FloatArray = NDArray[np.float64]

_MOST_ROUNDS = 100
_WEIGHTS_SETTLED = 1e-3
# Median of the square of a normal number.
_MEDIAN_SQUARE = 0.4549
_PARAMETERS = 3


def fit_two_step(series: CoefficientSeries) -> GravityFit:
    """Fit `A sin(el) + B cos(el) + C` to every coefficient.

    Every coefficient is fitted for itself, weighted by its errors and a scatter of which the data tell the size.
    Observations far off lose their weight in the coefficient concerned, beginning from a fit that half of them could
    not mislead. The covariance between the coefficients of one observation enters that between A, B and C of
    different ones.

    Parameters
    ----------
    series : CoefficientSeries
        Of the dish without the corrections that were on it, as fits give them.

    Returns
    -------
    GravityFit
    """
    values, covariances, design = series.values_um, series.covariances_um2, series.design
    fits = [
        _fit_coefficient(design, values[:, place], covariances[:, place, place]) for place in range(len(series.terms))
    ]
    scatter = np.array([fit.scatter for fit in fits])
    residuals = values - design @ np.array([fit.parameters for fit in fits]).T
    weights = np.column_stack([fit.weights for fit in fits])
    outlying = (weights < OUTLYING_WEIGHT) & np.isfinite(values)
    unsettled = [term.label for term, fit in zip(series.terms, fits, strict=True) if not fit.settled]
    elevation = series.elevation_rad
    first = series.samples[0]
    model = GravityModel(
        telescope=first.telescope,
        dish_radius_m=first.dish_radius_m,
        method="two-step",
        terms=series.terms,
        parameters_um=np.array([fit.parameters for fit in fits]),
        covariance_um2=_covariance(fits, covariances, scatter),
        scatter_um=scatter,
        leave_one_out_um=np.array([fit.leave_one_out for fit in fits]),
        elevation_range_rad=(float(elevation.min()), float(elevation.max())),
        observations=series.names,
        outlying=tuple(name for name, far in zip(series.names, outlying, strict=True) if far.any()),
        converged=not unsettled,
        wavelength_m=series.wavelength_m,
    )
    return GravityFit(
        model=model,
        series=series,
        values_um=values,
        errors_um=np.sqrt(np.diagonal(covariances, axis1=1, axis2=2)),
        residuals_um=residuals,
        standard_residuals=np.column_stack([fit.standard_residuals for fit in fits]),
        weights=np.where(np.isfinite(values), weights, np.nan),
        probability=distance_probability(residuals, covariances, scatter),
        outlying=outlying,
        advice=f"the weights of {', '.join(unsettled)} did not settle: look at its figure" if unsettled else "",
    )


@dataclass(frozen=True, slots=True, eq=False)
class ElevationCurve:
    """`A sin(el) + B cos(el) + C` of one quantity.

    Parameters
    ----------
    parameters : array, shape (3,)
        A, B and C, in the unit of the quantity.
    scatter : float
        Standard deviation by which single values differ from the curve beyond their errors.
    outlying : array of bool, shape (values,)
        Values that lie so far off that they have no influence.
    """

    parameters: FloatArray
    scatter: float
    outlying: NDArray[np.bool_]

    def at(self, elevation_rad: ArrayLike) -> FloatArray:
        """Give the curve at elevations in radians, an array of their shape."""
        return np.asarray(gravity_terms(elevation_rad) @ self.parameters)


def fit_curve(elevation_rad: FloatArray, values: FloatArray, errors: FloatArray) -> ElevationCurve:
    """Fit `A sin(el) + B cos(el) + C` to one quantity, as `fit_two_step` does to each coefficient.

    Parameters
    ----------
    elevation_rad : array, shape (values,), radians
    values, errors : array, shape (values,)
        In one unit; the errors are standard errors, positive.

    Returns
    -------
    ElevationCurve

    Raises
    ------
    UsageError
        With fewer than four values, or elevations that cannot determine three terms.
    """
    require_elevations(elevation_rad)
    found = _fit_coefficient(gravity_terms(elevation_rad), values, errors**2)
    return ElevationCurve(found.parameters, found.scatter, found.weights < OUTLYING_WEIGHT)


@dataclass(frozen=True, slots=True, eq=False)
class _CoefficientFit:
    """One coefficient; `answer` are the derivatives of A, B, C by the values, all (observations,) padded with NaN."""

    parameters: FloatArray
    scatter: float
    answer: FloatArray
    weights: FloatArray
    standard_residuals: FloatArray
    leave_one_out: float
    settled: bool


def _fit_coefficient(design: FloatArray, values: FloatArray, variances: FloatArray) -> _CoefficientFit:
    have = np.isfinite(values)
    x, y, noise = design[have], values[have], variances[have]
    parameters, variance = _robust_start(x, y, noise)
    weights = robust_weight((y - x @ parameters) / np.sqrt(noise + variance))
    settled = False
    for _ in range(_MOST_ROUNDS):
        if weights.sum() < FEWEST_OBSERVATIONS:
            weights = np.ones_like(weights)
        measured = Measured(x, y[:, None], noise[:, None, None], weights)
        [variance] = measured.scatter_variance(np.array([variance]))
        found = measured.regression(np.array([variance]))
        spread = noise + variance
        leverage = np.einsum("ka,ab,kb->k", x, found.covariance, x) * weights / spread
        residuals, own = found.residuals[:, 0], np.clip(1 - leverage, 1e-6, 1.0)
        distance = residuals / np.sqrt(spread * own)
        new = robust_weight(distance)
        settled = bool(np.abs(new - weights).max() < _WEIGHTS_SETTLED)
        if settled or new.sum() < FEWEST_OBSERVATIONS:
            break
        weights = (new + weights) / 2 if np.abs(new - weights).max() < 1 else new
    sound = weights >= OUTLYING_WEIGHT
    answer = np.zeros((_PARAMETERS, values.size))
    answer[:, have] = found.covariance @ (x * (weights / spread)[:, None]).T

    def spread_out(found_values: FloatArray) -> FloatArray:
        every = np.full(values.size, np.nan)
        every[have] = found_values
        return every

    return _CoefficientFit(
        found.parameters[0],
        float(np.sqrt(variance)),
        answer,
        spread_out(weights),
        spread_out(distance),
        float(np.sqrt(np.average((residuals / own)[sound] ** 2, weights=1 / spread[sound]))),
        settled,
    )


def _robust_start(x: FloatArray, y: FloatArray, noise: FloatArray) -> tuple[FloatArray, float]:
    """Parameters and square of the scatter from least absolute residuals, whatever a part of the values is."""
    variance = float(np.median(noise))
    parameters = np.zeros(_PARAMETERS)
    for _ in range(_MOST_ROUNDS):
        spread = np.sqrt(noise + variance)
        distance = np.abs(y - x @ parameters) / spread if parameters.any() else np.ones_like(y)
        root = 1 / np.sqrt(spread**2 * np.clip(distance, 1e-3, None))
        new = np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]
        settled = bool(np.abs(x @ (new - parameters)).max() < 1e-4 * float(spread.min()))
        parameters = new
        variance = _median_variance(y - x @ parameters, noise)
        if settled:
            break
    return parameters, variance


def _median_variance(residuals: FloatArray, noise: FloatArray) -> float:
    """Square of the scatter with which the median of the residuals is as it should be.

    As many residuals as there are parameters can be made zero by the fit: the smallest ones do not count.
    """
    counted = np.argsort(np.abs(residuals) / np.sqrt(noise))[_PARAMETERS:]
    squares, noise = residuals[counted] ** 2, noise[counted]
    low, high = 0.0, float(squares.max()) / _MEDIAN_SQUARE
    if np.median(squares / noise) <= _MEDIAN_SQUARE:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        too_small = np.median(squares / (noise + middle)) > _MEDIAN_SQUARE
        low, high = (middle, high) if too_small else (low, middle)
    return high


def _covariance(fits: list[_CoefficientFit], covariances: FloatArray, scatter: FloatArray) -> FloatArray:
    """Covariance of A, B, C of all terms, shape (3 terms, 3 terms)."""
    count = len(fits)
    total = np.nan_to_num(covariances) + np.diag(scatter**2)
    answers = np.array([fit.answer for fit in fits])
    blocks = np.einsum("iak,kij,jbk->iajb", answers, total, answers)
    return np.asarray(blocks.reshape(3 * count, 3 * count))


def distance_probability(residuals: FloatArray, covariances: FloatArray, scatter: FloatArray) -> FloatArray:
    """Probability that errors and scatter alone take an observation as far from the model, all coefficients together.

    Parameters
    ----------
    residuals : array, shape (observations, terms)
        NaN for what an observation does not have.
    covariances : array, shape (observations, terms, terms)
    scatter : array, shape (terms,)

    Returns
    -------
    array, shape (observations,)
    """
    from scipy.stats import chi2

    found = np.ones(len(residuals))
    for place, (residual, covariance) in enumerate(zip(residuals, covariances, strict=True)):
        have = np.flatnonzero(np.isfinite(residual))
        total = (covariance + np.diag(scatter**2))[np.ix_(have, have)]
        root = 1 / np.sqrt(np.diag(total))
        scaled = residual[have] * root
        square = scaled @ np.linalg.solve(total * np.outer(root, root), scaled)
        found[place] = chi2.sf(square, have.size)
    return found
