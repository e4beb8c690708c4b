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

_FIRST_PASSES, _LATER_PASSES = 20, 6
SMALLEST_TOLERANCE = 1e-9
_SMALLEST_SLOPE_RATIO = 0.3
# A step of iteratively reweighted least squares may be stretched by less than two without raising the cost.
_LONGEST_STRETCH = 1.9
# Mean square of a change of z up to which Newton's step is sure to come closer.
_SHORT_STEP = 0.03


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
    tolerance: torch.Tensor | float = SMALLEST_TOLERANCE,
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
        Of a model close by, whose coefficients and scale are the start; None starts from least squares.
    tolerance : float or Tensor, shape (batch,)
        How far the cost of a robust fit may stay above its minimum, in units of the log-likelihood.

    Returns
    -------
    LinearFit
        At the minimum of the cost over gain, background and scale.
    """
    equations = _NormalEquations.of(model, data)
    if likelihood.quadratic:
        coefficients = _solve(*equations.sums(None))
        return _least_squares_fit(coefficients, equations.residual(coefficients), data)
    if start is None:
        coefficients = _solve(*equations.sums(None))
        scale = _root_mean_square(equations.residual(coefficients), data)
    else:
        coefficients, scale = start.coefficients, start.scale
    root_weight = data.weight.sqrt()
    done = torch.zeros_like(scale[:, 0], dtype=torch.bool)
    for _ in range(_FIRST_PASSES if start is None else _LATER_PASSES):
        z = equations.residual(coefficients) * (root_weight / scale[..., None])
        moved, new_scale, left = _improve(equations, coefficients, scale, z, data, likelihood)
        # An observation that has arrived stays there, whatever those beside it need.
        coefficients = torch.where(done[:, None, None], coefficients, moved)
        scale = torch.where(done[:, None], scale, new_scale)
        done = done | (left < tolerance)
        if bool(done.all()):
            break
    residual = equations.residual(coefficients)
    z = residual * (root_weight / scale[..., None])
    weight = likelihood.weight(z)
    ratio = _slope_ratio(weight, likelihood.slope_of_weight(weight), data, likelihood)
    cost = likelihood.cost(z).sum(-1) + data.samples * scale.log()
    influence = data.weight * weight / scale[..., None].square()
    return LinearFit(coefficients, scale, cost, residual, influence, ratio)


def _improve(
    equations: _NormalEquations,
    coefficients: torch.Tensor,
    scale: torch.Tensor,
    z: torch.Tensor,
    data: MapData,
    likelihood: Likelihood,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One pass towards the best coefficients and scales.

    Newton's step where it is short, and one of iteratively reweighted least squares elsewhere.

    Returns
    -------
    coefficients : Tensor, shape (batch, maps, columns)
    scale : Tensor, shape (batch, maps)
    left : Tensor, shape (batch,)
        About how far the cost is still above its minimum.
    """
    weight = likelihood.weight(z)
    slope, squared = likelihood.slope_of_weight(weight), z.square()
    sum_psi_z, sum_slope_z = torch.linalg.vecdot(weight, squared), torch.linalg.vecdot(slope, squared)
    normal, right = equations.sums(weight)
    true_normal, true_right = equations.sums(slope)
    pull = right - (normal @ coefficients[..., None])[..., 0]
    true_pull = true_right - (true_normal @ coefficients[..., None])[..., 0]
    # Curvature and gradient by the coefficients in units of the scale, and by the logarithm of the scale.
    mixed = (pull + true_pull) / scale[..., None]
    curvature = torch.cat(
        [
            torch.cat([true_normal, mixed[..., None]], dim=-1),
            torch.cat([mixed, (sum_psi_z + sum_slope_z)[..., None]], dim=-1)[..., None, :],
        ],
        dim=-2,
    )
    gradient = torch.cat([-pull / scale[..., None], (data.samples - sum_psi_z)[..., None]], dim=-1)
    newton, decrease, positive = _newton_step(curvature, gradient)
    free = coefficients[..., 0] > 0
    short = positive & free & (decrease < _SHORT_STEP * data.samples)

    ratio = _slope_ratio(weight, slope, data, likelihood)
    stretch = (1 / ratio[..., None]).clamp(max=_LONGEST_STRETCH)
    step = (_solve(normal, right) - coefficients) * stretch
    squares = (step * (normal @ step[..., None])[..., 0]).sum(-1) / scale.square()
    factor = _scale_factor(sum_psi_z, sum_slope_z, data)

    step = torch.where(short[..., None], newton[..., :-1] * scale[..., None], step)
    factor = torch.where(short, newton[..., -1].exp(), factor)
    # What Newton's step leaves is of second order in what it takes away.
    left = torch.where(
        short, decrease.square() / (_SHORT_STEP * data.samples), squares + data.samples * factor.log() ** 2
    )
    return _non_negative_gain(coefficients + step), torch.maximum(scale * factor, data.smallest_scale), left.sum(-1)


def _newton_step(curvature: torch.Tensor, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Newton's step, twice the decrease that it promises, and whether the curvature is positive."""
    root = curvature.diagonal(dim1=-2, dim2=-1).clamp(min=torch.finfo(gradient.dtype).tiny).rsqrt()
    factor, failed = torch.linalg.cholesky_ex(curvature * root[..., None] * root[..., None, :])
    step = -torch.cholesky_solve((gradient * root)[..., None], factor)[..., 0] * root
    return step, -(gradient * step).sum(-1), failed == 0


def _scale_factor(sum_psi_z: torch.Tensor, sum_slope_z: torch.Tensor, data: MapData) -> torch.Tensor:
    """One Newton step in the logarithm of the scale towards `sum psi(z) z = N`, in multiplicative form."""
    exponent = sum_psi_z / (sum_psi_z + sum_slope_z).clamp(min=1e-300)
    factor = (sum_psi_z / data.samples).clamp(min=1e-30) ** exponent.clamp(0.0, 2.0)
    return factor.clamp(0.1, 10.0)


def _slope_ratio(weight: torch.Tensor, slope: torch.Tensor, data: MapData, likelihood: Likelihood) -> torch.Tensor:
    """Mean slope of the likelihood over the mean weight, within bounds."""
    # Masked samples have z = 0, where weight and slope are equal: they leave both sums alike.
    masked = (weight.shape[-1] - data.samples) * float(likelihood.weight(torch.zeros((), dtype=weight.dtype)))
    ratio = (slope.sum(-1) - masked) / (weight.sum(-1) - masked)
    return ratio.clamp(_SMALLEST_SLOPE_RATIO, 1.0)


@dataclass(frozen=True)
class _NormalEquations:
    """Weighted least squares of every map over its columns, which are the model and the shapes of the background.

    Parameters
    ----------
    columns : Tensor, shape (batch, maps, columns, samples)
    values : Tensor, shape (batch, maps, samples)
    products : Tensor, shape (batch, maps, pairs, samples)
        Products of any two columns, then of each column and the values, times the weights of the data: with robust
        weights, which change from pass to pass, the sums are then one product of a matrix and a vector.
    """

    columns: torch.Tensor
    values: torch.Tensor
    products: torch.Tensor

    @classmethod
    def of(cls, model: torch.Tensor, data: MapData) -> _NormalEquations:
        background = data.background.expand(model.shape[0], -1, -1, -1)
        columns = torch.cat([model[:, :, None], background], dim=2)
        values = data.values.expand_as(model)
        weighted = columns * data.weight[:, :, None]
        count = columns.shape[2]
        pairs = [weighted[:, :, place, None] * columns[:, :, place:] for place in range(count)]
        products = torch.cat([*pairs, weighted * values[:, :, None]], dim=2)
        return cls(columns, values, products)

    def residual(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Values minus columns times coefficients, shape (batch, maps, samples)."""
        return self.values - (coefficients[..., None, :] @ self.columns)[..., 0, :]

    def sums(self, weight: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Normal matrix, shape (batch, maps, columns, columns), and right side.

        Parameters
        ----------
        weight : Tensor, shape (batch, maps, samples), optional
            Beside those of the data.
        """
        sums = self.products.sum(-1) if weight is None else (self.products @ weight[..., None])[..., 0]
        count = self.columns.shape[2]
        return sums[..., _places_in_pairs(count)], sums[..., -count:]


def _solve(normal: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Coefficients of every map that solve its normal equations, the gain not negative."""
    count = right.shape[-1]
    root = normal.diagonal(dim1=-2, dim2=-1).clamp(min=torch.finfo(right.dtype).tiny).rsqrt()
    scaled = normal * root[..., None] * root[..., None, :]
    scaled = scaled + 1e-12 * torch.eye(count, dtype=scaled.dtype, device=scaled.device)
    of_gain = torch.eye(count, 1, dtype=scaled.dtype, device=scaled.device)[:, 0].expand_as(right)
    solved, _ = torch.linalg.solve_ex(scaled, torch.stack([right * root, of_gain], dim=-1))
    solution, follow = solved.unbind(-1)
    # Where the gain would be negative it is zero, and the background the best beside that.
    excess = (solution[..., :1] / follow[..., :1]).clamp(max=0.0)
    background = solution[..., 1:] - excess * follow[..., 1:]
    return _non_negative_gain(torch.cat([solution[..., :1], background], dim=-1) * root)


def _places_in_pairs(count: int) -> list[list[int]]:
    """Place of each element of a symmetric matrix among its rows from the diagonal on, one after the other."""
    first = [row * count - row * (row - 1) // 2 for row in range(count)]
    return [[first[min(i, j)] + abs(i - j) for j in range(count)] for i in range(count)]


def _least_squares_fit(coefficients: torch.Tensor, residual: torch.Tensor, data: MapData) -> LinearFit:
    scale = _root_mean_square(residual, data)
    influence = data.weight / scale[..., None].square()
    squares = (residual.square() * influence).sum(-1)
    cost = squares / 2 + data.samples * scale.log()
    return LinearFit(coefficients, scale, cost, residual, influence, torch.ones_like(scale))


def _non_negative_gain(coefficients: torch.Tensor) -> torch.Tensor:
    return torch.cat([coefficients[..., :1].clamp(min=0.0), coefficients[..., 1:]], dim=-1)


def _root_mean_square(residual: torch.Tensor, data: MapData) -> torch.Tensor:
    scale = ((residual.square() * data.weight).sum(-1) / data.samples).sqrt()
    return torch.maximum(scale, data.smallest_scale)


def rescaled(fit: LinearFit, ratio: float) -> LinearFit:
    """The same fit with another scale, to start another likelihood from."""
    return replace(fit, scale=fit.scale * ratio)
