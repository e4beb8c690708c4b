"""Errors of the fitted parameters: M-estimator covariance, scaled by the correlation area of the residuals.

With the exact derivatives J (eliminated parameters projected out), psi of the standardised residuals z = r / s and the weights
w of the samples, the curvature is the sum of `w psi'(z) JJ' / s^2`, and the variance of the gradient the sum of
`w psi(z)^2 c JJ' / s^2`, with c the number of neighbouring samples whose residuals move together in a map. The covariance is
their sandwich. Taking psi^2 sample by sample lets the errors grow where the model fits worst.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.fitting.elimination import LinearFit, MapData
from oofpy.fitting.likelihood import Likelihood
from oofpy.fitting.solver import FreeParameters, scatter_curvature
from oofpy.optics.beam import BeamModel, BeamState
from oofpy.optics.sky import product_axes

FloatArray = NDArray[np.float64]

_SMALLEST_CORRELATION = 0.05
_MOST_CORRELATION_CELLS = 512
DEGENERATE_CORRELATION = 0.9


def parameter_covariance(
    model: BeamModel,
    state: BeamState,
    linear: LinearFit,
    data: MapData,
    likelihood: Likelihood,
    free: FreeParameters,
    correlation_samples: torch.Tensor,
) -> torch.Tensor:
    """Covariance of the free parameters.

    Parameters
    ----------
    model : BeamModel
    state : BeamState
        Of the model at the fitted parameters.
    linear : LinearFit
    data : MapData
    likelihood : Likelihood
    free : FreeParameters
    correlation_samples : Tensor, shape (batch, maps)
        Correlation area of the residuals of each map, in samples.

    Returns
    -------
    Tensor, shape (batch, free, free)
        Along directions that the data do not know, the variance is very large but finite.
    """
    jacobian = model.jacobian(state, free.columns).transpose(1, 2)
    background = data.background.expand(state.maps.shape[0], -1, -1, -1)
    columns = torch.cat([state.maps[:, :, None], background], dim=2)
    base = data.weight / linear.scale[..., None].square()
    projected = _project(jacobian * linear.gain[..., None, None], columns, base)
    count = len(free.index)
    prior = torch.diag_embed(free.prior_sigma.pow(-2))

    def information(weights: torch.Tensor) -> torch.Tensor:
        gram = (projected * weights[:, :, None]) @ projected.transpose(-1, -2)
        return scatter_curvature(gram, free.place, count) + prior

    z = linear.standardised(data)
    psi_squared = (likelihood.weight(z) * z).square()
    meat = information(base * psi_squared * correlation_samples[..., None])
    inverse, positive = _inverse(information(base * likelihood.slope(z)))
    if not bool(positive.all()):
        # Where a bad fit leaves the true curvature indefinite, its mean over the map stands in.
        used = data.weight > 0
        mean = torch.where(used, likelihood.slope(z), 0.0).sum(-1) / data.samples
        safe, _ = _inverse(information(base * mean.clamp(min=1e-2)[..., None]))
        inverse = torch.where(positive[:, None, None], inverse, safe)
    covariance = inverse @ meat @ inverse
    return (covariance + covariance.mT) / 2


def _project(jacobian: torch.Tensor, columns: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Take from the derivatives what the eliminated parameters can follow; shape (batch, maps, columns, samples)."""
    weighted = columns * weights[:, :, None]
    inner = weighted @ columns.transpose(-1, -2)
    root = inner.diagonal(dim1=-2, dim2=-1).clamp(min=1e-300).rsqrt()
    scaled = inner * root[..., None] * root[..., None, :]
    scaled = scaled + 1e-12 * torch.eye(scaled.shape[-1], dtype=scaled.dtype, device=scaled.device)
    mixed = (weighted @ jacobian.transpose(-1, -2)) * root[..., None]
    explained, _ = torch.linalg.solve_ex(scaled, mixed)
    return jacobian - (explained * root[..., None]).transpose(-1, -2) @ columns


def _inverse(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Inverse, eigenvalues floored, and whether the matrix is positive."""
    root = matrix.diagonal(dim1=-2, dim2=-1).abs().clamp(min=1e-300).rsqrt()
    scaled = matrix * root[:, :, None] * root[:, None, :]
    values, vectors = torch.linalg.eigh((scaled + scaled.mT) / 2)
    inverse = (vectors / values.clamp(min=1e-12)[:, None, :]) @ vectors.mT
    return inverse * root[:, :, None] * root[:, None, :], (values > 0).all(-1)


def correlation_area(u: FloatArray, v: FloatArray, residual: FloatArray) -> float:
    """Number of neighbouring samples whose residuals move together.

    The autocorrelation of the residuals is summed over all lags up to the first ring on which its mean falls below 0.05.

    Parameters
    ----------
    u, v : array, shape (samples,), radians
        Directions of the samples.
    residual : array, shape (samples,)
        Residuals, bounded by the likelihood.

    Returns
    -------
    float
        At least 1, which is independent noise.
    """
    image, seen = _gridded(u, v, residual - residual.mean())
    shape = [2 * size for size in image.shape]
    power = np.fft.irfft2(np.abs(np.fft.rfft2(image, shape)) ** 2, shape)
    pairs = np.fft.irfft2(np.abs(np.fft.rfft2(seen, shape)) ** 2, shape)
    if power[0, 0] <= 0:
        return 1.0
    correlation = np.where(pairs > 0.5, power / np.maximum(pairs, 0.5), 0.0) * (pairs[0, 0] / power[0, 0])
    lags = [np.fft.fftfreq(size, 1 / size) for size in shape]
    ring = np.rint(np.hypot(lags[0][:, None], lags[1])).astype(np.int64).ravel()
    reach = min(image.shape) // 2
    inside = ring < max(reach, 1)
    rings = np.bincount(ring[inside], correlation.ravel()[inside])
    counts = np.bincount(ring[inside])
    below = np.flatnonzero(rings / np.maximum(counts, 1) < _SMALLEST_CORRELATION)
    last = below[0] if below.size else rings.size
    return max(1.0, float(rings[:last].sum()))


def _gridded(u: FloatArray, v: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values and numbers of samples on a grid of about one sample a cell."""
    axes = product_axes(u, v)
    if axes is not None:
        shape, index = (axes[1].size, axes[0].size), axes[2]
    else:
        side = np.sqrt(max(np.ptp(u) * np.ptp(v), 1e-300) / u.size)
        columns, rows = (
            min(max(1, int(np.ptp(axis) / side)), _MOST_CORRELATION_CELLS) for axis in (u, v)
        )
        column = np.minimum((u - u.min()) / max(np.ptp(u), 1e-300) * columns, columns - 1).astype(np.int64)
        row = np.minimum((v - v.min()) / max(np.ptp(v), 1e-300) * rows, rows - 1).astype(np.int64)
        shape, index = (rows, columns), row * columns + column
    size = shape[0] * shape[1]
    return (
        np.bincount(index, values, size).reshape(shape),
        np.bincount(index, minlength=size).astype(float).reshape(shape),
    )


def degenerate_pairs(names: tuple[str, ...], covariance: FloatArray) -> tuple[tuple[str, str, float], ...]:
    """Pairs of parameters that the data hardly tell apart.

    Parameters
    ----------
    names : tuple of str
    covariance : array, shape (free, free)

    Returns
    -------
    tuple of (name, name, correlation)
        Those with an absolute correlation of at least 0.9, the worst first.
    """
    sigma = np.sqrt(np.clip(np.diag(covariance), 1e-300, None))
    correlation = covariance / np.outer(sigma, sigma)
    first, second = np.nonzero(np.triu(np.abs(correlation) >= DEGENERATE_CORRELATION, 1))
    pairs = [(names[i], names[j], float(correlation[i, j])) for i, j in zip(first, second, strict=True)]
    return tuple(sorted(pairs, key=lambda pair: -abs(pair[2])))
