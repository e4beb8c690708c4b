"""A trust region on exact gradients, whose curvature is a Fisher matrix that is computed seldom.

One gradient costs a few evaluations whatever the number of parameters, one Fisher matrix about as many as there are
parameters. A Fisher matrix of an earlier place, or of a part of the residuals, is nearly that of all of them here: it
only shapes the steps. Between two of them the gradients themselves correct it (BFGS). The end is where the exact
gradient vanishes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_FIRST_DAMPING, _SMALLEST_DAMPING, _LARGEST_DAMPING = 1e-3, 1e-9, 1e12
_REJECTED_DAMPING = 1e-2  # at least that after a step that failed: less would hardly shorten it
_TRUSTED_DAMPING = 1e-2  # above it a step promises little because it is short
_ACCEPTED = 1e-4  # of the promised decrease
_SHORT_OF_PROMISE, _AS_PROMISED = 0.25, 0.75
# A step that promises this share of what the last one promised shows a curvature that has aged.
_SLOW = 0.25


@dataclass(frozen=True)
class Objective:
    """What the trust region asks of a cost.

    Parameters
    ----------
    value_and_gradient : callable
        Cost and its exact gradient at a place; an infinite cost turns a step back.
    curvature : callable
        Positive semi-definite matrix at a place, about the second derivatives of the cost there.
    passes : float
        What a curvature costs, in gradients.
    """

    value_and_gradient: Callable[[FloatArray], tuple[float, FloatArray]]
    curvature: Callable[[FloatArray], FloatArray]
    passes: float


@dataclass(frozen=True)
class Tolerances:
    """When to stop.

    Parameters
    ----------
    ftol : float
        Promised decrease over the cost.
    xtol : float
        Length of a step over that of the parameters, both in units of the curvature's diagonal.
    gtol : float
        Largest element of the gradient that is not held by a bound.
    evaluations : int
        Limit of evaluations of the cost.
    """

    ftol: float
    xtol: float
    gtol: float
    evaluations: int


@dataclass
class Walk:
    """Where a minimisation stands.

    Parameters
    ----------
    place : array, shape (parameters,)
    cost : float
    gradient : array, shape (parameters,)
    curvature : array, shape (parameters, parameters)
    evaluations, curvatures : int
        How often each was computed.
    ended : str
        Why it ended; empty while it goes on.
    """

    place: FloatArray
    cost: float
    gradient: FloatArray
    curvature: FloatArray
    evaluations: int = 1
    curvatures: int = 1
    ended: str = ""


CONVERGED = {
    "ftol": "`ftol`: no step promises a decrease of the cost any more",
    "xtol": "`xtol`: the steps have become too short to matter",
    "gtol": "`gtol`: the gradient vanishes",
}
LIMIT, STUCK = "evaluations", "stuck"


def descend(
    objective: Objective,
    start: FloatArray,
    bounds: tuple[FloatArray, FloatArray],
    tolerances: Tolerances,
    *,
    curvature: FloatArray | None = None,
    after_step: Callable[[Walk], bool] | None = None,
) -> Walk:
    """Minimise a cost from a start within bounds.

    Parameters
    ----------
    objective : Objective
    start : array, shape (parameters,)
        Within the bounds, at a finite cost.
    bounds : (lower, upper)
    tolerances : Tolerances
    curvature : array, optional
        Known at the start.
    after_step : callable, optional
        Told after every accepted step; ends the walk by returning True.

    Returns
    -------
    Walk
        Its end.
    """
    cost, gradient = objective.value_and_gradient(start)
    fresh = curvature is None
    walk = Walk(start, cost, gradient, objective.curvature(start) if curvature is None else curvature, 1, int(fresh))
    damping, growth, promised_before, age = _FIRST_DAMPING, 4.0, np.inf, 0
    while not walk.ended:
        step, promised = damped_step(walk, bounds, damping)
        walk.ended = _arrived(walk, step, promised, damping, bounds, tolerances)
        if walk.ended:
            break
        # Renewed when the gradients alone have taken as many passes as a new one takes, and progress is slow.
        if age >= objective.passes and promised > _SLOW * promised_before:
            walk.curvature, age, promised_before = objective.curvature(walk.place), 0, np.inf
            walk.curvatures += 1
            continue
        cost, gradient = objective.value_and_gradient(walk.place + step)
        walk.evaluations += 1
        age += 1
        ratio = (walk.cost - cost) / promised if promised > 0 and np.isfinite(cost) else -np.inf
        if ratio < _SHORT_OF_PROMISE:
            damping, growth = max(damping, _REJECTED_DAMPING) * growth, growth * 2
        elif ratio > _AS_PROMISED:
            damping, growth = max(damping / 10, _SMALLEST_DAMPING), 4.0
        if ratio > _ACCEPTED:
            walk.curvature = with_secant(walk.curvature, step, gradient - walk.gradient)
            walk.place, walk.cost, walk.gradient = walk.place + step, cost, gradient
            promised_before = promised
            if after_step is not None and after_step(walk):
                walk.ended = "callback"
        elif damping > _LARGEST_DAMPING:
            walk.ended = STUCK
    return walk


def damped_step(walk: Walk, bounds: tuple[FloatArray, FloatArray], damping: float) -> tuple[FloatArray, float]:
    """Step within the bounds, and the decrease of the cost that it promises.

    Parameters
    ----------
    walk : Walk
    bounds : (lower, upper)
    damping : float
        Added to the diagonal, of which it is a share.

    Returns
    -------
    step : array, shape (parameters,)
    promised : float
        Negative where the bounds leave no good step of this length.
    """
    lower, upper = bounds
    fixed = held(walk, bounds)
    step = np.zeros_like(walk.place)
    while not fixed.all():
        free = ~fixed
        pull = walk.gradient[free] + walk.curvature[np.ix_(free, fixed)] @ step[fixed]
        step[free] = -_solved(walk.curvature[np.ix_(free, free)], damping, pull)
        inside = np.clip(walk.place + step, lower, upper) - walk.place
        beyond = free & (inside != step)
        if not beyond.any():
            break
        # What would run through its bound stops there, and the others step as if it had been fixed.
        step[beyond], fixed = inside[beyond], fixed | beyond
    return step, float(-walk.gradient @ step - step @ walk.curvature @ step / 2)


def with_secant(curvature: FloatArray, step: FloatArray, change: FloatArray) -> FloatArray:
    """Curvature that explains how the gradient changed over a step, otherwise as near to the old one as can be (BFGS).

    Parameters
    ----------
    curvature : array, shape (parameters, parameters)
        Positive semi-definite.
    step, change : array, shape (parameters,)

    Returns
    -------
    array, shape (parameters, parameters)
        Positive semi-definite; the old one where the cost is not convex along the step.
    """
    bend, old = float(step @ change), curvature @ step
    known = float(step @ old)
    if bend <= 1e-3 * known or known <= 0:
        return curvature
    return curvature + np.outer(change, change) / bend - np.outer(old, old) / known


def held(walk: Walk, bounds: tuple[FloatArray, FloatArray]) -> BoolArray:
    """What stands at a bound, through which the cost would fall."""
    lower, upper = bounds
    return ((walk.place <= lower) & (walk.gradient > 0)) | ((walk.place >= upper) & (walk.gradient < 0))


def _scale(curvature: FloatArray) -> FloatArray:
    """Natural length of a step in every parameter; that of the stiffest where one has no influence."""
    diagonal = curvature.diagonal()
    largest = float(diagonal.max(initial=0.0))
    return 1 / np.sqrt(np.where(diagonal > 1e-28 * largest, diagonal, max(largest, 1e-300)))


def _solved(curvature: FloatArray, damping: float, pull: FloatArray) -> FloatArray:
    scale = _scale(curvature)
    matrix = curvature * scale[:, None] * scale + (damping + _SMALLEST_DAMPING) * np.eye(pull.size)
    try:
        solved = cho_solve(cho_factor(matrix), pull * scale)
    except LinAlgError:
        values, vectors = np.linalg.eigh(matrix)
        solved = vectors @ ((vectors.T @ (pull * scale)) / np.maximum(np.abs(values), 1e-6))
    return np.asarray(solved * scale)


def _arrived(
    walk: Walk,
    step: FloatArray,
    promised: float,
    damping: float,
    bounds: tuple[FloatArray, FloatArray],
    tolerances: Tolerances,
) -> str:
    """Why to end here; empty where a step is worth an evaluation."""
    if np.abs(np.where(held(walk, bounds), 0.0, walk.gradient)).max(initial=0.0) <= tolerances.gtol:
        return "gtol"
    if damping < _TRUSTED_DAMPING and promised <= tolerances.ftol * abs(walk.cost):
        return "ftol"
    scale = _scale(walk.curvature)
    if np.linalg.norm(step / scale) <= tolerances.xtol * np.linalg.norm(walk.place / scale):
        return "xtol"
    return LIMIT if walk.evaluations >= tolerances.evaluations else ""
