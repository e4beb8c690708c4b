"""Gain, background and likelihood scale of every map, eliminated for given model maps.

For given model maps the best gain, background (and its slopes) follow from a small weighted least-squares problem and
the scale from one equation; for a robust likelihood both are iterated with the weights. What is left is the profile
cost, a function of the other parameters alone (variable projection).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.fitting.likelihood import Likelihood

_FIRST_PASSES, _LATER_PASSES = 12, 4
SMALLEST_TOLERANCE = 1e-6
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
    samples : Tensor, shape (observations, maps)
        Samples in use.
    """

    values: torch.Tensor
    weight: torch.Tensor
    background: torch.Tensor
    node_background: torch.Tensor
    smallest_scale: torch.Tensor
    samples: torch.Tensor

    def relative_error(self, number: int, m: int) -> NDArray[np.float64]:
        """Errors of the samples of one map in units of their median; infinite for padding."""
        with np.errstate(divide="ignore"):
            return np.asarray(1 / np.sqrt(self.weight[number, m].cpu().numpy()))

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


def eliminate(
    model: torch.Tensor,
    data: MapData,
    likelihood: Likelihood,
    start: LinearFit | None,
    tolerance: float = SMALLEST_TOLERANCE,
) -> LinearFit:
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
    tolerance : float
        How far the cost of a robust fit may stay above its minimum, in units of the log-likelihood.

    Returns
    -------
    LinearFit
        At the minimum of the cost over gain, background and scale.
    """
    columns = [model, *data.background.unbind(2)]
    influence = data.weight if start is None or likelihood.quadratic else start.influence
    coefficients, _ = _weighted_least_squares(columns, data.values, influence)
    residual = _residual(coefficients, columns, data)
    if likelihood.quadratic:
        return _least_squares_fit(coefficients, residual, data)
    root_weight = data.weight.sqrt()
    scale = _root_mean_square(residual, data) if start is None else start.scale
    for _ in range(_FIRST_PASSES if start is None else _LATER_PASSES):
        z = residual * (root_weight / scale[..., None])
        weight = likelihood.weight(z)
        new_scale, ratio = _next_scale(z, weight, scale, data, likelihood)
        solution, normal = _weighted_least_squares(columns, data.values, data.weight * weight)
        stretch = (1 / ratio[..., None]).clamp(max=_LONGEST_STRETCH)
        step = (solution - coefficients) * stretch
        coefficients = _non_negative_gain(coefficients + step)
        residual = _residual(coefficients, columns, data)
        squares = (step * (normal @ step[..., None])[..., 0]).sum(-1) / scale.square()
        left = (squares + data.samples * (new_scale / scale).log().square()).sum(-1)
        scale = new_scale
        if float(left.max()) < tolerance:
            break
    z = residual * (root_weight / scale[..., None])
    weight = likelihood.weight(z)
    _, ratio = _next_scale(z, weight, scale, data, likelihood)
    cost = likelihood.cost(z).sum(-1) + data.samples * scale.log()
    influence = data.weight * weight / scale[..., None].square()
    return LinearFit(coefficients, scale, cost, residual, influence, ratio)


def _residual(coefficients: torch.Tensor, columns: list[torch.Tensor], data: MapData) -> torch.Tensor:
    residual = data.values - coefficients[..., :1] * columns[0]
    for number, column in enumerate(columns[1:], start=1):
        residual = residual - coefficients[..., number : number + 1] * column
    return residual


def _least_squares_fit(coefficients: torch.Tensor, residual: torch.Tensor, data: MapData) -> LinearFit:
    scale = _root_mean_square(residual, data)
    influence = data.weight / scale[..., None].square()
    squares = (residual.square() * influence).sum(-1)
    cost = squares / 2 + data.samples * scale.log()
    return LinearFit(coefficients, scale, cost, residual, influence, torch.ones_like(scale))


def _weighted_least_squares(
    columns: list[torch.Tensor], values: torch.Tensor, weight: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Coefficients of every map, shape (batch, maps, columns), and the normal matrix."""
    # Sums of products one by one: matrix products with two thin columns are several times slower.
    weighted = [weight * column for column in columns]
    rows = [[(w * column).sum(-1) for column in columns[: number + 1]] for number, w in enumerate(weighted)]
    count = len(columns)
    flat = [rows[max(i, j)][min(i, j)] for i in range(count) for j in range(count)]
    batch = columns[0].shape[:-1]
    normal = torch.stack([element.expand(batch) for element in flat], dim=-1)
    normal = normal.reshape(*batch, count, count)
    right = torch.stack([(w * values).sum(-1).expand(batch) for w in weighted], dim=-1)
    root = normal.diagonal(dim1=-2, dim2=-1).clamp(min=torch.finfo(values.dtype).tiny).rsqrt()
    scaled = normal * root[..., None] * root[..., None, :]
    scaled = scaled + 1e-12 * torch.eye(count, dtype=scaled.dtype, device=scaled.device)
    of_gain = torch.eye(count, 1, dtype=scaled.dtype, device=scaled.device)[:, 0].expand_as(right)
    solved, _ = torch.linalg.solve_ex(scaled, torch.stack([right * root, of_gain], dim=-1))
    solution, follow = solved.unbind(-1)
    # Where the gain would be negative it is zero, and the background the best beside that.
    excess = (solution[..., :1] / follow[..., :1]).clamp(max=0.0)
    background = solution[..., 1:] - excess * follow[..., 1:]
    return _non_negative_gain(torch.cat([solution[..., :1], background], dim=-1) * root), normal


def _non_negative_gain(coefficients: torch.Tensor) -> torch.Tensor:
    return torch.cat([coefficients[..., :1].clamp(min=0.0), coefficients[..., 1:]], dim=-1)


def _root_mean_square(residual: torch.Tensor, data: MapData) -> torch.Tensor:
    scale = ((residual.square() * data.weight).sum(-1) / data.samples).sqrt()
    return torch.maximum(scale, data.smallest_scale)


def _next_scale(
    z: torch.Tensor, weight: torch.Tensor, scale: torch.Tensor, data: MapData, likelihood: Likelihood
) -> tuple[torch.Tensor, torch.Tensor]:
    """One Newton step in the logarithm of the scale towards `sum psi(z) z = N`, in multiplicative form.

    Returns the scale and the ratio of curvature to weight.
    """
    slope, squared = likelihood.slope(z), z.square()
    sum_psi_z = (weight * squared).sum(-1)
    exponent = sum_psi_z / (sum_psi_z + (slope * squared).sum(-1)).clamp(min=1e-300)
    factor = (sum_psi_z / data.samples).clamp(min=1e-30) ** exponent.clamp(0.0, 2.0)
    new = torch.maximum(scale * factor.clamp(0.1, 10.0), data.smallest_scale)
    # Masked samples have z = 0, where weight and slope are equal: they leave both sums alike.
    masked = (z.shape[-1] - data.samples) * float(likelihood.weight(torch.zeros((), dtype=z.dtype)))
    ratio = (slope.sum(-1) - masked) / (weight.sum(-1) - masked)
    return new, ratio.clamp(_SMALLEST_SLOPE_RATIO, 1.0)


def rescaled(fit: LinearFit, ratio: float) -> LinearFit:
    """The same fit with another scale, to start another likelihood from."""
    return replace(fit, scale=fit.scale * ratio)
