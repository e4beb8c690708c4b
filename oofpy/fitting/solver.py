"""Batched robust Levenberg-Marquardt with variable projection. It knows no telescope.

Each step uses the exact gradient of the profile cost (one transform back) and a curvature from the nodes (fewer and
cheaper derivatives, the weights of the samples summed on them). An inexact curvature costs a little speed of
convergence and nothing in the result: a fit ends where the exact gradient vanishes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Protocol, TypeVar

import torch

from oofpy.fitting.curvature import projected_curvature, scatter_curvature
from oofpy.fitting.elimination import SMALLEST_TOLERANCE, LinearFit, MapData, eliminate
from oofpy.fitting.likelihood import Likelihood
from oofpy.fitting.status import FitStatus

T = TypeVar("T")

_FIRST_DAMPING, _SMALLEST_DAMPING, _LARGEST_DAMPING = 1e-3, 1e-9, 1e10
# A robust likelihood's true curvature psi' is the better guide near the minimum, but need not be positive far from it.
_NEAR_DECREASE = 10.0
# A shorter step leaves the derivatives nearly as they were.
_FAR_DECREASE = 10.0
_ELIMINATION_SHARE = 1e-3
_FIRST_TOLERANCE = 1.0
_SAME_MINIMUM = 0.5  # of the log-likelihood: one standard error
_LONGEST_STRETCH = 64.0


class DifferentiableMaps(Protocol):
    """What the solver asks of a model; leading dimensions are (observation, map)."""

    def __call__(self, parameters: torch.Tensor) -> Any:
        """Evaluate; the state is a dataclass of tensors and has `maps` (batch, maps, samples)."""

    def gradient(self, state: Any, cotangent: torch.Tensor) -> torch.Tensor:
        """Pull a derivative by the maps back to all parameters."""

    def node_jacobian(self, state: Any, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps and derivatives on the nodes."""

    def node_weights(self, weights: torch.Tensor) -> torch.Tensor:
        """Sum weights of samples on the nodes."""

    def take(self, keep: list[int]) -> DifferentiableMaps:
        """Pick observations."""


@dataclass(frozen=True)
class FreeParameters:
    """Which parameters are fitted, within which bounds, and what is known of them beforehand.

    Parameters
    ----------
    index : Tensor of int, shape (free,)
        Places in the full vector.
    lower, upper : Tensor, shape (free,)
        Bounds; infinite where there are none.
    prior_mean, prior_sigma : Tensor, shape (free,) or (batch, free)
        Gaussian prior of all fits, or of each of a batch; an infinite sigma where there is none.
    columns : Tensor of int, shape (columns,)
        Derivative columns that are needed.
    place : Tensor of int, shape (maps, columns)
        Free parameter that each column of each map belongs to; `free` where it is fixed.
    """

    index: torch.Tensor
    lower: torch.Tensor
    upper: torch.Tensor
    prior_mean: torch.Tensor
    prior_sigma: torch.Tensor
    columns: torch.Tensor
    place: torch.Tensor

    def take(self, keep: list[int]) -> FreeParameters:
        """Pick fits; a prior that all share stays as it is."""
        mean, sigma = (prior[keep] if prior.ndim == 2 else prior for prior in (self.prior_mean, self.prior_sigma))
        return replace(self, prior_mean=mean, prior_sigma=sigma)


@dataclass(frozen=True)
class Tolerances:
    """When to stop.

    Parameters
    ----------
    decrease : float
        Predicted decrease of the cost, a log-likelihood, below which a fit has converged; every parameter is then
        within about sqrt(2 decrease) of its standard error of the minimum.
    max_evaluations : int
        Limit of evaluations of each fit.
    """

    decrease: float = 1e-5
    max_evaluations: int = 100


@dataclass(frozen=True)
class Position:
    """Where the fits of a batch stand.

    Parameters
    ----------
    parameters : Tensor, shape (batch, parameters)
    state : dataclass of tensors
        Of the model.
    linear : LinearFit
    cost : Tensor, shape (batch,)
        Cost with the priors.
    """

    parameters: torch.Tensor
    state: Any
    linear: LinearFit
    cost: torch.Tensor


@dataclass(frozen=True)
class Solution:
    """Where the fits ended.

    Parameters
    ----------
    parameters : Tensor, shape (batch, parameters)
    linear : LinearFit
    cost : Tensor, shape (batch,)
        Cost with the priors.
    curvature : Tensor, shape (batch, free, free)
        Of the cost at the end.
    evaluations : Tensor of int, shape (batch,)
    arrival : Tensor, shape (batch, parameters)
        Where the step leads that a converged fit did not take any more; elsewhere the parameters.
    joined : Tensor of bool, shape (batch,)
        Which ended at the rival.
    status : tuple of FitStatus
    approach : Solution, optional
        Of the rougher problem from which this one started.
    """

    parameters: torch.Tensor
    linear: LinearFit
    cost: torch.Tensor
    curvature: torch.Tensor
    evaluations: torch.Tensor
    arrival: torch.Tensor
    joined: torch.Tensor
    status: tuple[FitStatus, ...]
    approach: Solution | None = None

    def take(self, keep: list[int]) -> Solution:
        """Pick fits."""
        approach = None if self.approach is None else self.approach.take(keep)
        tensors = {name: getattr(self, name)[keep] for name in _TENSORS}
        linear = LinearFit(*(getattr(self.linear, item.name)[keep] for item in fields(LinearFit)))
        return Solution(**tensors, linear=linear, status=tuple(self.status[i] for i in keep), approach=approach)

    def exchanged(self, where: list[int], other: Solution) -> Solution:
        """Put all fits of another solution in given places of this one."""

        def put(mine: torch.Tensor, theirs: torch.Tensor) -> torch.Tensor:
            mine = mine.clone()
            mine[where] = theirs
            return mine

        tensors = {name: put(getattr(self, name), getattr(other, name)) for name in _TENSORS}
        linear = LinearFit(
            *(put(getattr(self.linear, i.name), getattr(other.linear, i.name)) for i in fields(LinearFit))
        )
        status = list(self.status)
        for place, theirs in zip(where, other.status, strict=True):
            status[place] = theirs
        return Solution(**tensors, linear=linear, status=tuple(status), approach=None)


_TENSORS = ("parameters", "cost", "curvature", "evaluations", "arrival", "joined")


class LevenbergMarquardt:
    """Minimise the profile cost of a batch of fits from given starts.

    Parameters
    ----------
    model : DifferentiableMaps
    data : MapData
    likelihood : Likelihood
    free : FreeParameters
    tolerances : Tolerances
    """

    def __init__(
        self,
        model: DifferentiableMaps,
        data: MapData,
        likelihood: Likelihood,
        free: FreeParameters,
        tolerances: Tolerances,
    ) -> None:
        self.model, self.data, self.likelihood = model, data, likelihood
        self.free, self.tolerances = free, tolerances

    def take(self, keep: list[int]) -> LevenbergMarquardt:
        """Pick fits."""
        return LevenbergMarquardt(
            self.model.take(keep), self.data.take(keep), self.likelihood, self.free.take(keep), self.tolerances
        )

    def evaluate(
        self, parameters: torch.Tensor, start: LinearFit | None, tolerance: torch.Tensor | float = SMALLEST_TOLERANCE
    ) -> Position:
        """Model, eliminated parameters and cost at given parameters; see `eliminate` for start and tolerance."""
        state = self.model(parameters)
        linear = eliminate(state.maps, self.data, self.likelihood, start, tolerance)
        pull = (parameters[:, self.free.index] - self.free.prior_mean) / self.free.prior_sigma
        cost = linear.map_cost.sum(-1) + pull.square().sum(-1) / 2
        return Position(parameters, state, linear, torch.where(torch.isfinite(cost), cost, torch.inf))

    def gradient(self, position: Position) -> torch.Tensor:
        """Exact gradient of the cost by the free parameters, shape (batch, free)."""
        free, linear = self.free, position.linear
        pull = position.parameters[:, free.index] - free.prior_mean
        cotangent = -linear.gain[..., None] * linear.influence * linear.residual
        gradient = self.model.gradient(position.state, cotangent)
        return gradient[:, free.index] + pull / free.prior_sigma.square()

    def nodes(self, position: Position) -> tuple[torch.Tensor, torch.Tensor]:
        """Model and background on the nodes, (batch, maps, 1 + shapes, nodes), and the derivatives there."""
        maps, jacobian = self.model.node_jacobian(position.state, self.free.columns)
        background = self.data.node_background.to(maps.dtype).expand(maps.shape[0], -1, -1, -1)
        return torch.cat([maps[:, :, None], background], dim=2), jacobian

    def curvature(
        self, position: Position, nodes: tuple[torch.Tensor, torch.Tensor], near: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Curvature of the cost by the free parameters.

        Parameters
        ----------
        position : Position
        nodes : (Tensor, Tensor)
            Of a position close by.
        near : Tensor of bool, shape (batch,)
            Where the minimum is close: there the curvature takes the true slopes of the likelihood.

        Returns
        -------
        curvature : Tensor, shape (batch, free, free)
        near : Tensor of bool, shape (batch,)
            Without those whose true curvature is not that of a minimum; they have that of the weights.
        """
        linear = position.linear
        if self.likelihood.quadratic:
            return self._curvature(position, nodes, self._base_on_nodes / linear.scale[..., None].square()), near
        weights = linear.influence * linear.slope_ratio[..., None]
        if not bool(near.any()):
            return self._curvature(position, nodes, self.model.node_weights(weights)), near
        slope = self.likelihood.slope(linear.standardised(self.data))
        true = self.data.weight * slope / linear.scale[..., None].square()
        chosen = torch.where(near[:, None, None], true, weights)
        curvature = self._curvature(position, nodes, self.model.node_weights(chosen))
        saddle = near & (torch.linalg.cholesky_ex(curvature)[1] > 0)
        if bool(saddle.any()):
            safe = self._curvature(position, nodes, self.model.node_weights(weights))
            curvature = torch.where(saddle[:, None, None], safe, curvature)
        return curvature, near & ~saddle

    def _curvature(
        self, position: Position, nodes: tuple[torch.Tensor, torch.Tensor], on_nodes: torch.Tensor
    ) -> torch.Tensor:
        free, (columns, jacobian) = self.free, nodes
        per_map = projected_curvature(jacobian, position.linear.gain, columns, on_nodes)
        total = scatter_curvature(per_map, free.place, len(free.index))
        return total + torch.diag_embed(free.prior_sigma.pow(-2))

    @cached_property
    def _base_on_nodes(self) -> torch.Tensor:
        """Weights of the samples on the nodes."""
        return self.model.node_weights(self.data.weight)

    def step(
        self, place: torch.Tensor, gradient: torch.Tensor, curvature: torch.Tensor, damping: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Damped step within the bounds, and the decrease of the cost that it promises."""
        free = self.free
        held = ((place <= free.lower) & (gradient > 0)) | ((place >= free.upper) & (gradient < 0))
        gradient = torch.where(held, 0.0, gradient)
        diagonal = curvature.diagonal(dim1=-2, dim2=-1).clamp(min=0.0)
        unknown = diagonal <= 1e-28 * diagonal.amax(-1, keepdim=True)
        root = torch.where(held | unknown, 0.0, diagonal.clamp(min=1e-300).rsqrt())
        scaled = curvature * root[:, :, None] * root[:, None, :]
        # What is held or has no influence gets a unit diagonal and, having no gradient, does not move.
        damped = scaled + torch.diag_embed(damping[:, None] + 1e-9 + (root == 0).to(scaled.dtype))
        factor, failed = torch.linalg.cholesky_ex(damped)
        right = (gradient * root)[..., None]
        solved = torch.cholesky_solve(right, factor)
        if bool((failed > 0).any()):
            values, vectors = torch.linalg.eigh(torch.nan_to_num(damped))
            # Directions of negative or vanishing curvature are followed downhill, shortened by its size.
            downhill = vectors @ ((vectors.mT @ right) / values.abs().clamp(min=1e-6)[..., None])
            solved = torch.where((failed > 0)[:, None, None], downhill, solved)
        moved = place - solved[..., 0] * root
        step = torch.minimum(torch.maximum(moved, free.lower), free.upper) - place
        promised = -(gradient * step).sum(-1) - (step * (curvature @ step[..., None])[..., 0]).sum(-1) / 2
        return step, promised

    def solve(self, start: torch.Tensor, linear: LinearFit | None = None, rival: Solution | None = None) -> Solution:
        """Run all fits of the batch to their end.

        Parameters
        ----------
        start : Tensor, shape (batch, parameters)
            Full parameter vectors; what is not free stays as it is. The batch is that of the observations, or any
            number of starts of one observation.
        linear : LinearFit, optional
            Weights and scale to start from.
        rival : Solution, optional
            Of the same problem from other starts: a fit that is about to arrive within one standard error of where
            that arrived ends there, with its values.

        Returns
        -------
        Solution
            Every fit that started from a finite cost ends finite.
        """
        return _Run(self, start, linear, rival).to_the_end()


class _Run:
    """The fits that are still going on, and what is known of them."""

    def __init__(
        self,
        solver: LevenbergMarquardt,
        start: torch.Tensor,
        linear: LinearFit | None,
        rival: Solution | None,
    ) -> None:
        self.solver, self.rival = solver, rival
        self.position = solver.evaluate(start, linear, _FIRST_TOLERANCE)
        batch = start.shape[0]
        self.place = torch.arange(batch, device=start.device)  # of the active fits in the batch
        self.damping = start.new_full((batch,), _FIRST_DAMPING)
        self.growth = start.new_full((batch,), 4.0)
        self.stretch = start.new_ones(batch)
        self.used = torch.ones(batch, dtype=torch.int64, device=start.device)
        self.near = torch.zeros(batch, dtype=torch.bool, device=start.device)
        self.final = Position(start.clone(), None, self.position.linear, self.position.cost.clone())
        self.evaluations = self.used.clone()
        self.status = [FitStatus.NOT_FINITE] * batch
        self.gradient = solver.gradient(self.position)
        self.nodes = solver.nodes(self.position)
        self.curvature, _ = solver.curvature(self.position, self.nodes, self.near)
        self.final_curvature = self.curvature.clone()
        self.arrival = start.clone()
        self.joined = torch.zeros_like(self.near)

    def to_the_end(self) -> Solution:
        self._retire(~torch.isfinite(self.position.cost), FitStatus.NOT_FINITE)
        while self.place.numel():
            here = self.position.parameters[:, self.solver.free.index]
            step, promised = self.solver.step(here, self.gradient, self.curvature, self.damping)
            tolerances = self.solver.tolerances
            joined = self._joins_rival(here + step)
            small = promised.abs() < tolerances.decrease
            converged = (small & (self.damping < 1e-2)) | joined
            stuck = ~converged & ((self.damping > _LARGEST_DAMPING) | (promised <= 0) | small & (self.damping > 1e3))
            spent = ~converged & ~stuck & (self.used >= tolerances.max_evaluations)
            if bool((converged | stuck | spent).any()):
                for ended, status in (
                    (converged, FitStatus.CONVERGED),
                    (stuck, FitStatus.STALLED),
                    (spent, FitStatus.EVALUATION_LIMIT),
                ):
                    self._record(ended, status)
                self.arrival[self.place[converged]] = self._full(here + step)[converged]
                self._take_rival(joined)
                going = ~(converged | stuck | spent)
                step, promised = step[going], promised[going]
                self._keep(going)
                if not self.place.numel():
                    break
            self._try(step, promised)
        return Solution(
            parameters=self.final.parameters,
            linear=self.final.linear,
            cost=self.final.cost,
            curvature=self.final_curvature,
            evaluations=self.evaluations,
            arrival=self.arrival,
            joined=self.joined,
            status=tuple(self.status),
        )

    def _full(self, free_values: torch.Tensor) -> torch.Tensor:
        """Parameters with given values of the free ones."""
        parameters = self.position.parameters.clone()
        parameters[:, self.solver.free.index] = free_values
        return parameters

    def _joins_rival(self, arrival: torch.Tensor) -> torch.Tensor:
        """Which fits would arrive within a standard error of the rival's minimum."""
        if self.rival is None:
            return torch.zeros_like(self.near)
        distance = arrival - self.rival.arrival[self.place][:, self.solver.free.index]
        excess = (distance * (self.rival.curvature[self.place] @ distance[..., None])[..., 0]).sum(-1) / 2
        arrived = [self.rival.status[number] is FitStatus.CONVERGED for number in self.place.tolist()]
        return torch.tensor(arrived, device=excess.device) & (excess >= 0) & (excess < _SAME_MINIMUM)

    def _take_rival(self, joined: torch.Tensor) -> None:
        if self.rival is None or not bool(joined.any()):
            return
        where, rival = self.place[joined], self.rival
        self._write(where, rival.parameters[where], rival.cost[where], rival.curvature[where], _at(where, rival.linear))
        self.arrival[where] = rival.arrival[where]
        self.joined[where] = True

    def _write(
        self,
        where: torch.Tensor,
        parameters: torch.Tensor,
        cost: torch.Tensor,
        curvature: torch.Tensor,
        linear: LinearFit,
    ) -> None:
        """Put what some fits ended with in their places of the batch."""
        self.final.parameters[where] = parameters
        self.arrival[where] = parameters
        self.final.cost[where] = cost
        self.final_curvature[where] = curvature
        for item in fields(LinearFit):
            getattr(self.final.linear, item.name)[where] = getattr(linear, item.name)

    def _try(self, step: torch.Tensor, promised: torch.Tensor) -> None:
        """Evaluate the steps and take those that improve the fit."""
        free = self.solver.free
        here = self.position.parameters[:, free.index]
        trial = self._full((here + self.stretch[:, None] * step).clamp(free.lower, free.upper))
        # While much is still to be gained, the eliminated parameters need not be exact.
        tolerance = (_ELIMINATION_SHARE * promised).clamp(min=SMALLEST_TOLERANCE)
        new = self.solver.evaluate(trial, self.position.linear, tolerance)
        self.used = self.used + 1
        gained = self.position.cost - new.cost
        better = gained > 0
        self.near = better & (promised < _NEAR_DECREASE)
        if bool(better.any()):
            self.position = new if bool(better.all()) else _choose(better, new, self.position)
            self.gradient = self.solver.gradient(self.position)
            self._renew_nodes(better & (promised > _FAR_DECREASE))
            self.curvature, self.near = self.solver.curvature(self.position, self.nodes, self.near)
        self._adapt(better, gained / promised)

    def _renew_nodes(self, moved: torch.Tensor) -> None:
        """Take new derivatives where a fit has moved far, of those fits alone."""
        if bool(moved.all()):
            self.nodes = self.solver.nodes(self.position)
        elif bool(moved.any()):
            keep = moved.nonzero().flatten().tolist()
            fresh = self.solver.take(keep).nodes(_at(moved, self.position))
            for old, new in zip(self.nodes, fresh, strict=True):
                old[moved] = new

    def _adapt(self, better: torch.Tensor, ratio: torch.Tensor) -> None:
        """Damping after Nielsen; and longer steps where the curvature turns out to be too high.

        A redescending likelihood lets go of the samples that a poor model cannot follow; its cost then falls almost
        linearly along the step, far beyond the minimum that the weights promise.
        """
        stretched = self.stretch > 1
        shrink = (1 - (2 * ratio - 1) ** 3).clamp(0.1, 1.0)
        grown = (self.damping * self.growth).clamp(min=1e-4)
        kept = torch.where(stretched, self.damping, grown)
        self.damping = torch.where(better, (self.damping * shrink).clamp(min=_SMALLEST_DAMPING), kept)
        self.growth = torch.where(better, 4.0, torch.where(stretched, self.growth, self.growth * 2))
        if self.solver.likelihood.quadratic:
            return
        longer = (self.stretch * 2).clamp(max=_LONGEST_STRETCH)
        shorter = (self.stretch / 2).clamp(min=1.0)
        promise_kept = ratio / self.stretch
        steady = torch.where(promise_kept < 0.6, shorter, self.stretch)
        far = better & ~self.near
        self.stretch = torch.where(far, torch.where(promise_kept > 1.5, longer, steady), 1.0)

    def _retire(self, ended: torch.Tensor, status: FitStatus) -> None:
        if bool(ended.any()):
            self._record(ended, status)
            self._keep(~ended)

    def _record(self, ended: torch.Tensor, status: FitStatus) -> None:
        where, position = self.place[ended], self.position
        self._write(
            where,
            position.parameters[ended],
            position.cost[ended],
            self.curvature[ended],
            _at(ended, position.linear),
        )
        self.evaluations[where] = self.used[ended]
        for number in where.tolist():
            self.status[number] = status

    def _keep(self, going: torch.Tensor) -> None:
        keep = going.nonzero().flatten().tolist()
        self.solver = self.solver.take(keep)
        self.position = _at(going, self.position)
        self.nodes = (self.nodes[0][going], self.nodes[1][going])
        for name in ("place", "damping", "growth", "stretch", "used", "near", "gradient", "curvature"):
            setattr(self, name, getattr(self, name)[going])


def _map_tensors(function: Callable[..., torch.Tensor], value: Any, *others: Any) -> Any:
    """Apply a function to every tensor in a tree of dataclasses, named tuples and dicts, side by side."""
    if isinstance(value, torch.Tensor):
        return function(value, *others)
    if isinstance(value, dict):
        return {key: _map_tensors(function, value[key], *(other[key] for other in others)) for key in value}
    if isinstance(value, tuple):
        return type(value)(*(_map_tensors(function, *parts) for parts in zip(value, *others, strict=True)))
    named = {
        item.name: _map_tensors(function, getattr(value, item.name), *(getattr(o, item.name) for o in others))
        for item in fields(value)
    }
    return type(value)(**named)


def _at(places: torch.Tensor, tree: T) -> T:
    """Pick elements of the batch of every tensor in a tree."""
    picked: T = _map_tensors(lambda tensor: tensor[places], tree)
    return picked


def _choose(better: torch.Tensor, new: Position, old: Position) -> Position:
    def choose(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.where(better.reshape(-1, *[1] * (a.ndim - 1)), a, b)

    chosen: Position = _map_tensors(choose, new, old)
    return chosen
