"""Residuals in units of their fitted scale, and what the likelihoods say of how they are distributed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from oofpy.fitting.result import MapArrays
from oofpy.plots.map_images import FloatArray

_KEPT_AT_EACH_END = 60
_BAND = 0.95


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


def standardised_residuals(arrays: MapArrays, scale: float) -> FloatArray:
    """Give the residuals of the used samples as the likelihood sees them.

    Parameters
    ----------
    arrays : MapArrays
    scale : float
        Of the likelihood, map units, for a sample of the map's median error.

    Returns
    -------
    array, shape (used samples,)
        Data minus model over the scale and the relative error of the sample; NaN without a positive scale.
    """
    used = (arrays.weight > 0) & np.isfinite(arrays.residual)
    residual, relative_error = arrays.residual[used], arrays.relative_error[used]
    return np.asarray(residual / (scale * relative_error)) if scale > 0 else np.full(residual.size, np.nan)


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

    assumed = LIKELIHOODS[likelihood]
    cost = assumed.cost(torch.as_tensor(z, dtype=torch.float64)).numpy()
    return np.asarray(np.exp(-cost) / assumed.integral)


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
