"""Errors of the fitted parameters: M-estimator covariance, scaled by the correlation area of the residuals.

With the exact derivatives J (eliminated parameters projected out), psi of the standardised residuals z = r / s and the
weights w of the samples, the curvature is the sum of `w psi'(z) JJ' / s^2`, and the variance of the gradient the sum of
`w psi(z)^2 c JJ' / s^2`, with c the number of neighbouring samples whose residuals move together in a map. The
covariance is their sandwich. Taking psi^2 sample by sample lets the errors grow where the model fits worst.
"""

from __future__ import annotations

import torch

from oofpy.fitting.curvature import scatter_curvature
from oofpy.fitting.elimination import LinearFit, MapData
from oofpy.fitting.likelihood import Likelihood
from oofpy.fitting.solver import FreeParameters
from oofpy.optics.beam import BeamModel, BeamState


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
    base = data.weight / linear.scale[..., None].square()
    projected = _projected_derivatives(model, state, linear.gain, base, data, free)

    def information(weights: torch.Tensor) -> torch.Tensor:
        return _information(projected, weights, free)

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


def cramer_rao(
    model: BeamModel,
    parameters: torch.Tensor,
    gain: torch.Tensor,
    noise: torch.Tensor,
    data: MapData,
    free: FreeParameters,
) -> torch.Tensor:
    """Smallest covariance that any unbiased fit can have, for independent Gaussian noise.

    Parameters
    ----------
    model : BeamModel
    parameters : Tensor, shape (batch, parameters)
        The truth.
    gain : Tensor, shape (batch, maps)
        Map units per unit of the model.
    noise : Tensor, shape (batch, maps)
        Standard deviation of a sample of weight one, map units.
    data : MapData
        Weights and background shapes; its values do not matter.
    free : FreeParameters

    Returns
    -------
    Tensor, shape (batch, free, free)
        Inverse of the Fisher matrix with gains and backgrounds free.
    """
    state = model(parameters)
    base = data.weight / noise[..., None].square()
    projected = _projected_derivatives(model, state, gain, base, data, free)
    return _inverse(_information(projected, base, free))[0]


def _projected_derivatives(
    model: BeamModel,
    state: BeamState,
    gain: torch.Tensor,
    weights: torch.Tensor,
    data: MapData,
    free: FreeParameters,
) -> torch.Tensor:
    """Derivatives of the maps, what gain and background can follow taken out; (batch, maps, columns, samples)."""
    jacobian = model.jacobian(state, free.columns, torch.complex64) * gain[..., None, None]
    background = data.background.expand(state.maps.shape[0], -1, -1, -1)
    return _project(jacobian, torch.cat([state.maps[:, :, None], background], dim=2), weights)


def _information(projected: torch.Tensor, weights: torch.Tensor, free: FreeParameters) -> torch.Tensor:
    """Sum over samples of weighted products of derivatives, with the priors; shape (batch, free, free)."""
    gram = (projected * weights[:, :, None]) @ projected.transpose(-1, -2)
    return scatter_curvature(gram, free.place, len(free.index)) + torch.diag_embed(free.prior_sigma.pow(-2))


def _project(jacobian: torch.Tensor, columns: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Take from the derivatives what the eliminated parameters can follow; shape (batch, maps, columns, samples)."""
    weighted = columns * weights[:, :, None]
    inner = weighted @ columns.transpose(-1, -2)
    root = inner.diagonal(dim1=-2, dim2=-1).clamp(min=1e-300).rsqrt()
    scaled = inner * root[..., None] * root[..., None, :]
    scaled = scaled + 1e-12 * torch.eye(scaled.shape[-1], dtype=scaled.dtype, device=scaled.device)
    mixed = (weighted @ jacobian.transpose(-1, -2)) * root[..., None]
    explained, _ = torch.linalg.solve_ex(scaled, mixed)
    followed: torch.Tensor = (explained * root[..., None]).transpose(-1, -2) @ columns
    return jacobian - followed


def _inverse(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Inverse, eigenvalues floored, and whether the matrix is positive."""
    root = matrix.diagonal(dim1=-2, dim2=-1).abs().clamp(min=1e-300).rsqrt()
    scaled = matrix * root[:, :, None] * root[:, None, :]
    # A fit without a finite cost must not stop those beside it.
    values, vectors = torch.linalg.eigh(torch.nan_to_num((scaled + scaled.mT) / 2))
    inverse = (vectors / values.clamp(min=1e-12)[:, None, :]) @ vectors.mT
    return torch.nan_to_num(inverse * root[:, :, None] * root[:, None, :]), (values > 0).all(-1)
