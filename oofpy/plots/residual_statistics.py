"""Residuals in units of their fitted scale, and what the likelihoods say of how they are distributed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from oofpy.fitting.result import MapArrays
from oofpy.plots.map_images import FloatArray

# By which a residual over the scale may differ from what its weight says, rounding aside.
_ROUNDING = 1e-3
_KEPT_AT_EACH_END = 60
_BAND = 0.95


@dataclass(frozen=True, eq=False)
class StandardisedResiduals:
    """Residuals of a map as the likelihood sees them.

    Parameters
    ----------
    z : array, shape (samples,)
        Data minus model over the fitted scale, used samples only; where `weighed`, over the scale times the
        relative error of the sample.
    errors_given : bool
        Whether the file's errors gave the samples different weights, as far as the result tells.
    weighed : bool
        Whether `z` takes these errors into account.
    """

    z: FloatArray
    errors_given: bool
    weighed: bool


@dataclass(frozen=True, eq=False)
class BinnedResiduals:
    """A histogram of which the outermost bins hold all that lies beyond.

    Parameters
    ----------
    counts : array of int, shape (bins,)
    density : array, shape (bins,)
        Counts over their sum and the width of the bin.
    below, above : int
        How many lie beyond the first and the last edge.
    """

    counts: np.ndarray
    density: FloatArray
    below: int
    above: int


@dataclass(frozen=True, eq=False)
class NormalQuantiles:
    """Ordered residuals against the quantiles of a normal distribution.

    Parameters
    ----------
    theoretical, ordered : array, shape (points,)
        Ascending; of all samples, the outermost and an even choice of the others.
    """

    theoretical: FloatArray
    ordered: FloatArray


def standardised_residuals(arrays: MapArrays, scale: float, likelihood: str) -> StandardisedResiduals:
    """Give the residuals of the used samples in units of the fitted scale.

    The weight that a Cauchy or Student-t likelihood gave a sample says how large its residual was over the scale times
    its relative error; the weight of a Gaussian or, in its core, Huber likelihood says nothing of it.

    Parameters
    ----------
    arrays : MapArrays
    scale : float
        Of the likelihood, map units, for a sample of the map's median error.
    likelihood : {"cauchy", "gaussian", "student-t", "huber"}

    Returns
    -------
    StandardisedResiduals
    """
    used = (arrays.weight > 0) & np.isfinite(arrays.residual)
    residual, weight = arrays.residual[used], np.clip(arrays.weight[used], None, 1.0)
    plain = residual / scale if scale > 0 else np.full(residual.size, np.nan)
    size = _size_from_weight(weight, likelihood)
    told = np.isfinite(size) & (size > _ROUNDING)
    given = bool(np.any(np.abs(size[told] - np.abs(plain[told])) > _ROUNDING * size[told]))
    if given and np.isfinite(size).all():
        return StandardisedResiduals(np.copysign(size, residual), True, True)
    return StandardisedResiduals(plain, given, False)


def _size_from_weight(weight: FloatArray, likelihood: str) -> FloatArray:
    """Give the absolute standardised residual to which a likelihood gives this relative weight; NaN if not told."""
    from oofpy.fitting.likelihood import HUBER_THRESHOLD, STUDENT_DEGREES_OF_FREEDOM

    if likelihood == "gaussian":
        return np.full(weight.size, np.nan)
    if likelihood == "huber":
        return np.where(weight < 1, HUBER_THRESHOLD / weight, np.nan)
    freedom = 1.0 if likelihood == "cauchy" else STUDENT_DEGREES_OF_FREEDOM
    return np.sqrt(freedom * (1 / weight - 1))


def likelihood_density(likelihood: str, z: FloatArray) -> FloatArray:
    """Density of the standardised residual under a likelihood.

    Parameters
    ----------
    likelihood : {"cauchy", "gaussian", "student-t", "huber"}
    z : array
        Residual over the scale.

    Returns
    -------
    array, shape of `z`
        Its integral over all z is 1.
    """
    import torch

    from oofpy.fitting.likelihood import LIKELIHOODS

    cost = LIKELIHOODS[likelihood].cost(torch.as_tensor(z, dtype=torch.float64)).numpy()
    return np.asarray(np.exp(-cost) / _integral(likelihood))


def _integral(likelihood: str) -> float:
    """Integral of exp(-rho(z)) over all z."""
    from oofpy.fitting.likelihood import HUBER_THRESHOLD, STUDENT_DEGREES_OF_FREEDOM

    nu, k = STUDENT_DEGREES_OF_FREEDOM, HUBER_THRESHOLD
    return {
        "gaussian": math.sqrt(2 * math.pi),
        "cauchy": math.pi,
        "student-t": math.sqrt(nu * math.pi) * math.gamma(nu / 2) / math.gamma((nu + 1) / 2),
        "huber": math.sqrt(2 * math.pi) * math.erf(k / math.sqrt(2)) + 2 / k * math.exp(-(k**2) / 2),
    }[likelihood]


def gaussian_sigma(likelihood: str) -> float:
    """Standard deviation of Gaussian noise in units of the scale that a likelihood fits to it.

    Parameters
    ----------
    likelihood : {"cauchy", "gaussian", "student-t", "huber"}

    Returns
    -------
    float
        1 for a Gaussian likelihood, more for the others.
    """
    from oofpy.fitting.likelihood import LIKELIHOODS

    return 1 / LIKELIHOODS[likelihood].gaussian_scale


def binned_residuals(z: FloatArray, edges: FloatArray) -> BinnedResiduals:
    """Count residuals in bins; what lies beyond the edges goes into the outermost.

    Parameters
    ----------
    z : array, shape (samples,)
        Finite.
    edges : array, shape (bins + 1,)
        Ascending.

    Returns
    -------
    BinnedResiduals
    """
    counts, _ = np.histogram(np.clip(z, edges[0], edges[-1]), edges)
    density = counts / (max(z.size, 1) * np.diff(edges))
    return BinnedResiduals(counts, density, int(np.sum(z < edges[0])), int(np.sum(z > edges[-1])))


def normal_quantiles(z: FloatArray, points: int = 500) -> NormalQuantiles:
    """Order residuals and give the normal quantiles that belong to them, at (i - 1/2) / N.

    Parameters
    ----------
    z : array, shape (samples,)
        Finite, in standard deviations.
    points : int
        About how many are kept: all near both ends, evenly chosen ones between.

    Returns
    -------
    NormalQuantiles
    """
    last = z.size - 1
    ends = np.arange(min(_KEPT_AT_EACH_END, z.size))
    between = np.linspace(0, last, max(points - 2 * _KEPT_AT_EACH_END, 2)).round().astype(int) if z.size else ends
    kept = np.unique(np.concatenate([ends, last - ends, between]))
    return NormalQuantiles(stats.norm.ppf((kept + 0.5) / max(z.size, 1)), np.sort(z)[kept])


def normal_band(theoretical: FloatArray, samples: float) -> tuple[FloatArray, FloatArray]:
    """Between which quantiles noise keeps 95 % of ordered Gaussian samples, each by itself.

    Parameters
    ----------
    theoretical : array
        Normal quantiles.
    samples : float
        Number of independent samples.

    Returns
    -------
    (array, array)
        Lower and upper edge, by the beta distribution of order statistics.
    """
    part = stats.norm.cdf(theoretical)
    below, above = samples * part + 0.5, samples * (1 - part) + 0.5
    low, high = (stats.beta.ppf(edge, below, above) for edge in ((1 - _BAND) / 2, (1 + _BAND) / 2))
    return stats.norm.ppf(low), stats.norm.ppf(high)
