"""Statistics of vectors of coefficients with their covariances: chi2, and rms over the dish beside its expectation."""

from __future__ import annotations

import math

import numpy as np

from oofpy.comparison.values import NO_TEST, Chi2, DishRms, FloatArray

# Directions whose variance, in units of the single errors, is below this part of the largest are left out of a chi2:
# there the covariance holds its own rounding only.
_SMALLEST_EIGENVALUE = 1e-8


def chi2_of(values: FloatArray, covariance: FloatArray) -> Chi2:
    """Compare a vector with zero.

    Parameters
    ----------
    values : array, shape (terms,)
    covariance : array, shape (terms, terms)
        It may be singular; its rank counts as the degrees of freedom.

    Returns
    -------
    Chi2
        `d C^+ d`; NaN where a value is not finite.
    """
    if not np.isfinite(values).all():
        return NO_TEST
    whitened = _whitening(covariance) @ values
    return _chi2(float(whitened @ whitened), whitened.size)


def chi2_about_mean(values: FloatArray, covariances: FloatArray) -> Chi2:
    """Compare vectors with the one mean that fits them best.

    Parameters
    ----------
    values : array, shape (results, terms)
    covariances : array, shape (results, terms, terms)
        They may be singular; the ranks count.

    Returns
    -------
    Chi2
        Smallest sum of `(c - m) C^+ (c - m)` over all means m; NaN where a value is not finite.
    """
    if not np.isfinite(values).all():
        return NO_TEST
    whitenings = [_whitening(covariance) for covariance in covariances]
    # In units of the errors, so that large and small terms are treated alike.
    unit = np.sqrt(np.mean([np.diag(covariance) for covariance in covariances], axis=0))
    unit = np.where(np.isfinite(unit) & (unit > 0), unit, 1.0)
    rows = np.concatenate([whitening * unit for whitening in whitenings])
    targets = np.concatenate([whitening @ one for whitening, one in zip(whitenings, values, strict=True)])
    if rows.size == 0:
        return _chi2(0.0, 0)
    mean, _, rank, _ = np.linalg.lstsq(rows, targets, rcond=math.sqrt(_SMALLEST_EIGENVALUE))
    left = targets - rows @ mean
    return _chi2(float(left @ left), targets.size - int(rank))


def _whitening(covariance: FloatArray) -> FloatArray:
    """Give the rows that turn a vector of this covariance into independent numbers of variance one."""
    sigma = np.sqrt(np.clip(np.diag(covariance), 0, None))
    if sigma.size == 0 or not np.isfinite(covariance).all() or not (sigma > 0).all():
        return np.zeros((0, sigma.size))
    values, vectors = np.linalg.eigh(covariance / np.outer(sigma, sigma))
    kept = values > _SMALLEST_EIGENVALUE * values[-1]
    return np.asarray((vectors[:, kept] / np.sqrt(values[kept])).T / sigma)


def _chi2(value: float, degrees_of_freedom: int) -> Chi2:
    from scipy.stats import chi2

    if degrees_of_freedom == 0:
        return Chi2(value, 0, math.nan)
    return Chi2(value, degrees_of_freedom, float(chi2.sf(value, degrees_of_freedom)))


def rms_over_dish(values: FloatArray, covariance: FloatArray, gram: FloatArray) -> DishRms:
    """Rms over the dish of a surface, and what its errors alone would make.

    Parameters
    ----------
    values : array, shape (terms,), micrometres
    covariance : array, shape (terms, terms), micrometres squared
    gram : array, shape (terms, terms)
        Weighted covariance of the terms over the dish.

    Returns
    -------
    DishRms
    """
    spread = gram @ covariance
    return _dish_rms(float(values @ gram @ values), float(np.trace(spread)), 2 * float(np.sum(spread * spread.T)))


def scatter_over_dish(values: FloatArray, covariances: FloatArray, gram: FloatArray) -> DishRms:
    """Rms over the dish of the standard deviation (n - 1) of surfaces, and what their errors alone would make.

    Parameters
    ----------
    values : array, shape (results, terms), micrometres
    covariances : array, shape (results, terms, terms), micrometres squared
        Of results independent of each other.
    gram : array, shape (terms, terms)
        Weighted covariance of the terms over the dish.

    Returns
    -------
    DishRms
    """
    count = len(values)
    about_mean = values - values.mean(axis=0)
    found = float(np.einsum("ki,ij,kj->", about_mean, gram, about_mean)) / (count - 1)
    spreads = gram @ covariances
    expected = float(np.trace(spreads, axis1=1, axis2=2).mean())
    # Variance of a quadratic form of normal numbers: twice the trace of its square, here of the projection that takes
    # the mean away times the covariances of all results.
    products = spreads.reshape(count, -1) @ spreads.swapaxes(1, 2).reshape(count, -1).T
    projection = np.eye(count) - 1 / count
    return _dish_rms(found, expected, 2 * float(np.sum(projection**2 * products)) / (count - 1) ** 2)


def _dish_rms(square: float, expected_square: float, variance_of_square: float) -> DishRms:
    def root(value: float) -> float:
        return math.sqrt(max(value, 0.0)) if math.isfinite(value) else math.nan

    expected = root(expected_square)
    spread = root(variance_of_square) / (2 * expected) if expected > 0 else 0.0
    return DishRms(root(square), expected, spread)
