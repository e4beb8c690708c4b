"""Gain, background and likelihood scale of every map, eliminated for given model maps.

For given model maps the best gain, background (and its slopes) follow from a small weighted least-squares problem and the
scale from one equation; for a robust likelihood both are iterated with the weights. What is left is the profile cost, a
function of the other parameters alone (variable projection).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch

from oofpy.fitting.likelihood import Likelihood

_FIRST_PASSES, _LATER_PASSES = 12, 4
_TOLERANCE = 1e-6  # of the cost, in units of the logarithm of the likelihood
_SMALLEST_SLOPE_RATIO = 0.3
# A step of iteratively reweighted least squares may be stretched by less than two without raising the cost.
_LONGEST_STRETCH = 1.9


@dataclass(frozen=True)
class MapData:
    """Observed maps of a batch of observations.

    Parameters
    ----------
    values : Tensor, shape (observations, maps, samples)
        Observed power; 0 where padded or masked.
    weight : Tensor, shape (observations, maps, samples)
        Inverse square of the relative error of each sample, 0 where padded or masked.
    background : Tensor, shape (observations, maps, shapes, samples)
        Shapes of the background: a constant, or a constant and two slopes.
    node_background : Tensor, shape (observations, maps, shapes, nodes)
        The same on the nodes of the model.
    smallest_scale : Tensor, shape (observations, maps)
        Floor of the scale, so that noise-free data have a likelihood.
    """

    values: torch.Tensor
    weight: torch.Tensor
    background: torch.Tensor
    node_background: torch.Tensor
    smallest_scale: torch.Tensor

    @property
    def samples(self) -> torch.Tensor:
        """Samples in use, shape (observations, maps)."""
        return (self.weight > 0).sum(-1).to(self.values.dtype)

    def take(self, keep: list[int]) -> MapData:
        """Pick observations; what all share stays as it is."""
        if self.values.shape[0] == 1:
            return self
        return MapData(*(getattr(self, item.name)[keep] for item in fields(self)))


@dataclass(frozen=True)
class LinearFit:
    """Eliminated parameters of every map, and what follows from them.

    Parameters
    ----------
    coefficients : Tensor, shape (batch, maps, 1 + shapes)
        Gain (map units per unit of the model, not negative), then the coefficients of the background's shapes.
    scale : Tensor, shape (batch, maps)
        Scale of the likelihood for a sample of weight one, map units.
    map_cost : Tensor, shape (batch, maps)
        Minus the logarithm of the likelihood of each map, up to a constant of the data.
    residual : Tensor, shape (batch, maps, samples)
        Data minus model.
    influence : Tensor, shape (batch, maps, samples)
        Weight of each sample in the equations of the fit, `weight * psi(z) / z / scale^2`.
    slope_ratio : Tensor, shape (batch, maps)
        Mean psi'(z) over mean psi(z)/z: curvature of the likelihood over that of the weights; 1 for Gaussian.
    """

    coefficients: torch.Tensor
    scale: torch.Tensor
    map_cost: torch.Tensor
    residual: torch.Tensor
    influence: torch.Tensor
    slope_ratio: torch.Tensor

    @property
    def gain(self) -> torch.Tensor:
        """Gain of every map, shape (batch, maps)."""
        return self.coefficients[..., 0]

    def standardised(self, data: MapData) -> torch.Tensor:
        """Residuals in units of the scale, z, shape (batch, maps, samples)."""
        return self.residual * data.weight.sqrt() / self.scale[..., None]


def eliminate(model: torch.Tensor, data: MapData, likelihood: Likelihood, start: LinearFit | None) -> LinearFit:
    """Find gain, background and scale of every map.

    Parameters
    ----------
    model : Tensor, shape (batch, maps, samples)
        Model maps.
    data : MapData
        Observed maps.
    likelihood : Likelihood
        Which.
    start : LinearFit, optional
        Of a model close by, whose weights and scale are the start; None starts from least squares.

    Returns
    -------
    LinearFit
        At the minimum of the cost over gain, background and scale.
    """
    columns = torch.cat([model[:, :, None], data.background.expand(model.shape[0], -1, -1, -1)], dim=2)
    influence = data.weight.expand_as(model) if start is None else start.influence
    coefficients = _weighted_least_squares(columns, data.values, influence)
    if start is None:
        residual = data.values - (coefficients[:, :, None] @ columns)[:, :, 0]
        scale = _root_mean_square(residual, data)
    else:
        scale = start.scale
    fit = _evaluate(columns, coefficients, scale, data, likelihood)
    if likelihood.quadratic:
        return fit
    for _ in range(_FIRST_PASSES if start is None else _LATER_PASSES):
        solution = _weighted_least_squares(columns, data.values, fit.influence)
        stretch = (1 / fit.slope_ratio[..., None]).clamp(max=_LONGEST_STRETCH)
        coefficients = _non_negative_gain(fit.coefficients + (solution - fit.coefficients) * stretch)
        new = _evaluate(columns, coefficients, fit.scale, data, likelihood)
        gained = (fit.map_cost - new.map_cost).sum(-1).abs().max()
        fit = new
        if float(gained) < _TOLERANCE:
            break
    return fit


def _evaluate(
    columns: torch.Tensor,
    coefficients: torch.Tensor,
    scale: torch.Tensor,
    data: MapData,
    likelihood: Likelihood,
) -> LinearFit:
    """Residuals, the next scale, weights and cost for given coefficients."""
    residual = data.values - (coefficients[:, :, None] @ columns)[:, :, 0]
    samples, root_weight = data.samples, data.weight.sqrt()
    scale = _next_scale(residual * root_weight, scale, data, likelihood)
    if likelihood.quadratic:
        weight = data.weight / scale[..., None].square()
        squares = (residual.square() * weight).sum(-1)
        return LinearFit(
            coefficients, scale, squares / 2 + samples * scale.log(), residual, weight, torch.ones_like(scale)
        )
    z = residual * root_weight / scale[..., None]
    weight = likelihood.weight(z)
    cost = likelihood.cost(z).sum(-1) + samples * scale.log()
    # Masked samples have z = 0: each adds nothing to the cost, and weight(0) = slope(0) to both sums.
    masked = z.shape[-1] - samples
    at_zero = float(likelihood.weight(torch.zeros((), dtype=z.dtype)))
    slopes = likelihood.slope(z).sum(-1) - masked * at_zero
    ratio = (slopes / (weight.sum(-1) - masked * at_zero)).clamp(_SMALLEST_SLOPE_RATIO, 1.0)
    influence = data.weight * weight / scale[..., None].square()
    return LinearFit(coefficients, scale, cost, residual, influence, ratio)


def _weighted_least_squares(columns: torch.Tensor, values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Coefficients of every map, shape (batch, maps, columns)."""
    weighted = columns * weight[:, :, None]
    normal = weighted @ columns.transpose(-1, -2)
    right = (weighted @ values[..., None])[..., 0]
    diagonal = normal.diagonal(dim1=-2, dim2=-1).clamp(min=torch.finfo(values.dtype).tiny)
    root = diagonal.rsqrt()
    scaled = normal * root[..., None] * root[..., None, :]
    scaled = scaled + 1e-12 * torch.eye(scaled.shape[-1], dtype=scaled.dtype, device=scaled.device)
    solution, _ = torch.linalg.solve_ex(scaled, right * root)
    return _non_negative_gain(solution * root)


def _non_negative_gain(coefficients: torch.Tensor) -> torch.Tensor:
    return torch.cat([coefficients[..., :1].clamp(min=0.0), coefficients[..., 1:]], dim=-1)


def _root_mean_square(residual: torch.Tensor, data: MapData) -> torch.Tensor:
    scale = ((residual.square() * data.weight).sum(-1) / data.samples).sqrt()
    return torch.maximum(scale, data.smallest_scale)


def _next_scale(
    residual: torch.Tensor, scale: torch.Tensor, data: MapData, likelihood: Likelihood
) -> torch.Tensor:
    """One Newton step in the logarithm of the scale towards `sum psi(z) z = N`, in multiplicative form."""
    if likelihood.quadratic:
        return torch.maximum((residual.square().sum(-1) / data.samples).sqrt(), data.smallest_scale)
    z = residual / scale[..., None]
    squared = z.square()
    sum_psi_z = (likelihood.weight(z) * squared).sum(-1)
    sum_slope = (likelihood.slope(z) * squared).sum(-1)
    exponent = sum_psi_z / (sum_psi_z + sum_slope).clamp(min=1e-300)
    factor = (sum_psi_z / data.samples).clamp(min=1e-30) ** exponent.clamp(0.0, 2.0)
    return torch.maximum(scale * factor.clamp(0.1, 10.0), data.smallest_scale)


def rescaled(fit: LinearFit, ratio: float) -> LinearFit:
    """The same fit with another scale, to start another likelihood from."""
    return replace(fit, scale=fit.scale * ratio)
