"""The same model fitted by `scipy.optimize`: a check of the solver that shares none of its algorithm.

`least_squares` eliminates nothing: gains and backgrounds stand beside the other parameters, the Jacobian is the
model's exact one, and the scale of each map is held fixed while scipy fits, then brought up to date until it rests.
`l-bfgs-b` minimises the profile cost that the solver minimises, by its exact gradient alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import optimize

from oofpy.errors import UsageError
from oofpy.fitting.elimination import LinearFit, eliminate
from oofpy.fitting.likelihood import HUBER_THRESHOLD, LIKELIHOODS, STUDENT_DEGREES_OF_FREEDOM, Likelihood
from oofpy.fitting.problem import APPROACH, REDESCENDING, FitProblem, parameters_of, prepare
from oofpy.fitting.result import FitResult
from oofpy.fitting.settings import FitSettings
from oofpy.fitting.solver import LevenbergMarquardt, Position, Tolerances
from oofpy.observation import Observation
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]
Method = Literal["least_squares", "l-bfgs-b"]

# A general minimiser takes many more evaluations than the solver: this many times the settings' limit are allowed.
_PATIENCE = 20
_MOST_SCALE_ROUNDS = 30
_SCALE_AT_REST = 1e-4  # relative change; it moves the other parameters by far less of their errors
# Of the log-likelihood; a line search takes what is left of the elimination for a slope.
_ELIMINATION_TOLERANCE = 1e-9
_MOST_ELIMINATIONS = 20


@dataclass(frozen=True)
class CrossCheck:
    """What scipy found.

    Parameters
    ----------
    coefficients_rad : mapping of str to float, radians
        Coefficients up to the order of the fit, by name such as `Z(2,0)`; positive for a longer path.
    parameters : mapping of str to float
        All other parameters, free and fixed, in the unit of their names.
    cost : float
        Minus the log-likelihood of the parameters with the best gains, backgrounds and scales, up to the constant of
        `OrderFit.cost`.
    evaluations : int
        Evaluations of the model that scipy asked for.
    success : bool
        Whether scipy says that it has converged.
    message : str
        What scipy says of its end.
    """

    coefficients_rad: Mapping[str, float]
    parameters: Mapping[str, float]
    cost: float
    evaluations: int
    success: bool
    message: str


def scipy_fit(
    observation: Observation,
    telescope: Telescope,
    settings: FitSettings | None = None,
    *,
    method: Method = "least_squares",
    start: FitResult | None = None,
) -> CrossCheck:
    """Fit one observation at the requested order by `scipy.optimize`.

    Parameters
    ----------
    observation : Observation
        In the sign convention of the model.
    telescope : Telescope
        Complete: every number known.
    settings : FitSettings, optional
        By default those of `start`, or the defaults; order "auto" means the order that `start` chose.
    method : {"least_squares", "l-bfgs-b"}
        Trust-region least squares over all parameters, or a quasi-Newton method on the profile cost.
    start : FitResult, optional
        Where to start; by default from an ideal surface pointed by the maps, for a redescending likelihood (cauchy,
        student-t) by way of Huber's. Such a likelihood has other minima on real data: there, start from the result
        that is to be checked.

    Returns
    -------
    CrossCheck

    Raises
    ------
    UsageError
        For an unknown method, or order "auto" without a result to start from.
    InputError, ConfigurationError
        As in `oofpy.fit`.
    """
    if method not in _METHODS:
        raise UsageError("is not known", key="method", value=method, remedy=f"choose one of {', '.join(_METHODS)}")
    settings = settings or (FitSettings() if start is None else start.settings)
    order = settings.order
    if order == "auto":
        if start is None:
            raise UsageError("the order must be known", key="order", value=order, remedy="give a number, or a result")
        order = start.chosen_order
    telescope.require_complete()
    problem = prepare((observation,), telescope, settings, int(order))
    minimise, used, begin = _METHODS[method], 0, problem.start
    if start is not None:
        begin = parameters_of(problem, start)
    elif settings.likelihood in REDESCENDING:
        approach = _ProfileFit(problem, int(order), LIKELIHOODS[APPROACH], begin)
        end = minimise(approach)
        used, begin = end.evaluations, approach.full_parameters(end.free_values)
    fit = _ProfileFit(problem, int(order), problem.likelihood, begin)
    end = minimise(fit)
    return fit.cross_check(replace(end, evaluations=end.evaluations + used))


@dataclass(frozen=True)
class _End:
    """Where scipy ended: free parameters and its report."""

    free_values: FloatArray
    evaluations: int
    success: bool
    message: str


class _ProfileFit:
    """The solver's own cost and gradient as functions of the free parameters."""

    def __init__(self, problem: FitProblem, order: int, likelihood: Likelihood, start: torch.Tensor) -> None:
        self.problem, self.likelihood = problem, likelihood
        parameters = problem.at_order(order)
        self.free = parameters.for_solver(problem.start.device)
        self.solver = LevenbergMarquardt(problem.model, problem.data, likelihood, self.free, Tolerances())
        self.full = start.clone()
        held = torch.as_tensor(~parameters.free, device=start.device)
        self.full[:, held] = torch.as_tensor(parameters.start, device=start.device)[held]
        self.lower, self.upper = self.free.lower.cpu().numpy(), self.free.upper.cpu().numpy()
        index = self.free.index.cpu()
        self.start = np.clip(self.full[0].cpu()[index].numpy(), self.lower, self.upper)

    def full_parameters(self, free_values: FloatArray) -> torch.Tensor:
        """Parameter vector of the model, shape (1, parameters)."""
        full = self.full.clone()
        full[0, self.free.index] = torch.as_tensor(free_values, device=full.device)
        return full

    def position(self, free_values: FloatArray, linear: LinearFit | None = None) -> Position:
        """Model, eliminated parameters and cost as the solver sees them."""
        position = self.solver.evaluate(self.full_parameters(free_values), linear, _ELIMINATION_TOLERANCE)
        data, likelihood = self.problem.data, self.likelihood
        if likelihood.quadratic:
            return position
        for _ in range(_MOST_ELIMINATIONS):
            maps, before = position.state.maps, position.linear
            linear = eliminate(maps, data, likelihood, before, _ELIMINATION_TOLERANCE)
            change = (linear.map_cost - before.map_cost).sum(-1)
            position = replace(position, linear=linear, cost=position.cost + change)
            if float(change.abs()) < _ELIMINATION_TOLERANCE:
                break
        return position

    def cost_and_gradient(self, free_values: FloatArray) -> tuple[float, FloatArray]:
        """Profile cost and its derivatives by the free parameters."""
        position = self.position(free_values)
        return float(position.cost), self.solver.gradient(position)[0].cpu().numpy()

    def cross_check(self, end: _End) -> CrossCheck:
        """Give scipy's end by name."""
        full = self.full_parameters(end.free_values)[0].cpu().tolist()
        named = dict(zip(self.problem.model.layout.names, full, strict=True))
        modes = [term.label for term in self.problem.terms]
        cost = float(self.position(end.free_values).cost)
        for beam_map in self.problem.observations[0].maps:
            cost -= beam_map.samples * math.log(np.ptp(beam_map.power[beam_map.used]))
        return CrossCheck(
            coefficients_rad={name: named[name] for name in modes},
            parameters={name: value for name, value in named.items() if name not in modes},
            cost=cost,
            evaluations=end.evaluations,
            success=end.success,
            message=end.message,
        )


class _ExplicitResiduals:
    """Standardised residuals of all maps and of the priors, as functions of all parameters, gains included."""

    def __init__(self, fit: _ProfileFit, free_values: FloatArray, linear: LinearFit) -> None:
        self.fit, data = fit, fit.problem.data
        self.start_values = free_values
        self.used = (data.weight[0] > 0).cpu().numpy()
        self.root_weight = data.weight[0].sqrt().cpu().numpy() / linear.scale[0].cpu().numpy()[:, None]
        self.background = data.background[0].cpu().numpy()
        self.values = data.values[0].cpu().numpy()
        self.count = fit.start.size
        self.start_linear = linear.coefficients[0].cpu().numpy()
        sigma = fit.free.prior_sigma.cpu().numpy()
        self.with_prior = np.flatnonzero(np.isfinite(sigma))
        self.prior_sigma = sigma[self.with_prior]
        self.prior_mean = fit.free.prior_mean.cpu().numpy()[self.with_prior]

    def split(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Free parameters, and gain and background of every map, shape (maps, 1 + shapes)."""
        return x[: self.count], x[self.count :].reshape(self.start_linear.shape)

    def __call__(self, x: FloatArray) -> FloatArray:
        """Data minus model over the scale, then the pull of every prior."""
        free_values, linear = self.split(x)
        maps = self.fit.problem.model(self.fit.full_parameters(free_values)).maps[0].cpu().numpy()
        residual = self.values - linear[:, :1] * maps - np.einsum("mk,mks->ms", linear[:, 1:], self.background)
        pull = (free_values[self.with_prior] - self.prior_mean) / self.prior_sigma
        return np.concatenate([(residual * self.root_weight)[self.used], pull])

    def jacobian(self, x: FloatArray) -> FloatArray:
        """Derivatives of all residuals by all parameters."""
        free_values, linear = self.split(x)
        model, free = self.fit.problem.model, self.fit.free
        state = model(self.fit.full_parameters(free_values))
        columns = model.jacobian(state, free.columns)[0].cpu().numpy()  # (maps, columns, samples)
        maps = state.maps[0].cpu().numpy()
        place = free.place.cpu().numpy()
        count, shapes = self.count, self.start_linear.shape[1]
        whole = np.zeros((*self.used.shape, x.size))
        for m in range(len(maps)):
            for column, target in enumerate(place[m]):
                if target < count:
                    whole[m, :, target] = linear[m, 0] * columns[m, column]
            own = count + m * shapes
            whole[m, :, own] = maps[m]
            whole[m, :, own + 1 : own + shapes] = self.background[m].T
        data_rows = -(whole * self.root_weight[..., None])[self.used]
        prior_rows = np.zeros((self.with_prior.size, x.size))
        prior_rows[np.arange(self.with_prior.size), self.with_prior] = 1 / self.prior_sigma
        return np.concatenate([data_rows, prior_rows])

    def at_start(self) -> FloatArray:
        """All parameters at the start, with the gains and backgrounds that belong to it."""
        return np.concatenate([self.start_values, self.start_linear.ravel()])

    def unit_curvature(self, x: FloatArray) -> FloatArray:
        """Change of each parameter alone that changes the residuals by one scale."""
        size = np.linalg.norm(self.jacobian(x), axis=0)
        return np.asarray(1 / np.maximum(size, 1e-14 * max(float(size.max()), 1e-300)))

    def loss(self, squares: FloatArray) -> FloatArray:
        """Twice the cost and its derivatives by the squared residual; priors stay Gaussian."""
        priors = self.with_prior.size
        data = squares[: squares.size - priors]
        prior = squares[squares.size - priors :]
        quadratic = np.stack([prior, np.ones_like(prior), np.zeros_like(prior)])
        return np.concatenate([_LOSSES[self.fit.likelihood.name](data), quadratic], axis=1)


def _by_lbfgsb(fit: _ProfileFit) -> _End:
    at_start = fit.position(fit.start)
    residuals = _ExplicitResiduals(fit, fit.start, at_start.linear)
    unit = residuals.unit_curvature(residuals.at_start())[: fit.start.size]

    def scaled(x: FloatArray) -> tuple[float, FloatArray]:
        cost, gradient = fit.cost_and_gradient(fit.start + unit * x)
        return cost - float(at_start.cost), gradient * unit

    found = optimize.minimize(
        scaled,
        np.zeros_like(fit.start),
        jac=True,
        method="L-BFGS-B",
        bounds=np.stack([(fit.lower - fit.start) / unit, (fit.upper - fit.start) / unit], axis=1),
        options={
            "maxcor": 30,
            "maxfun": _PATIENCE * fit.problem.settings.max_evaluations,
            "maxiter": _PATIENCE * fit.problem.settings.max_evaluations,
            "ftol": 1e-13,
            "gtol": 1e-3,
        },
    )
    return _End(fit.start + unit * found.x, int(found.nfev), bool(found.success), str(found.message))


def _by_least_squares(fit: _ProfileFit) -> _End:
    free_values, linear = fit.start, fit.position(fit.start).linear
    evaluations = 0
    for _ in range(_MOST_SCALE_ROUNDS):
        residuals = _ExplicitResiduals(fit, free_values, linear)
        found, free_values = _minimise(residuals)
        evaluations += int(found.nfev)
        before, linear = linear.scale, fit.position(free_values, linear).linear
        if not found.success or float((linear.scale / before - 1).abs().max()) < _SCALE_AT_REST:
            break
    return _End(free_values, evaluations, bool(found.success), str(found.message))


def _minimise(residuals: _ExplicitResiduals) -> tuple[Any, FloatArray]:
    """Fit all parameters at fixed scales; scipy's report, and the free parameters."""
    fit, start = residuals.fit, residuals.at_start()
    # In units of their own influence, so that steps are comparable from 1e-6 rad to thousands of counts.
    unit = residuals.unit_curvature(start)
    free_below = np.full_like(residuals.start_linear, -np.inf)
    free_below[:, 0] = 0.0  # a gain is not negative
    lower = np.concatenate([fit.lower, free_below.ravel()])
    upper = np.concatenate([fit.upper, np.full(free_below.size, np.inf)])
    found = optimize.least_squares(
        lambda y: residuals(start + unit * y),
        np.zeros_like(start),
        jac=lambda y: residuals.jacobian(start + unit * y) * unit,
        bounds=((lower - start) / unit, (upper - start) / unit),
        x_scale="jac",
        loss="linear" if fit.likelihood.quadratic else residuals.loss,
        ftol=1e-9,
        xtol=1e-8,
        gtol=None,
        max_nfev=_PATIENCE * fit.problem.settings.max_evaluations,
    )
    free_values, _ = residuals.split(start + unit * found.x)
    return found, np.clip(free_values, fit.lower, fit.upper)


def _linear_loss(z: FloatArray) -> FloatArray:
    return np.stack([z, np.ones_like(z), np.zeros_like(z)])


def _cauchy_loss(z: FloatArray) -> FloatArray:
    return np.stack([2 * np.log1p(z), 2 / (1 + z), -2 / (1 + z) ** 2])


def _student_loss(z: FloatArray) -> FloatArray:
    nu = STUDENT_DEGREES_OF_FREEDOM
    return np.stack([(nu + 1) * np.log1p(z / nu), (nu + 1) / (nu + z), -(nu + 1) / (nu + z) ** 2])


def _huber_loss(z: FloatArray) -> FloatArray:
    k = HUBER_THRESHOLD
    inside = z <= k * k
    root = np.sqrt(np.where(inside, 1.0, z))
    outside = np.stack([2 * k * root - k * k, k / root, -k / (2 * root**3)])
    return np.where(inside, _linear_loss(z), outside)


# As scipy takes them: rho(z) of the squared residual z, such that the cost is half the sum.
_LOSSES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "gaussian": _linear_loss,
    "cauchy": _cauchy_loss,
    "student-t": _student_loss,
    "huber": _huber_loss,
}

_METHODS: dict[Any, Callable[[_ProfileFit], _End]] = {
    "least_squares": _by_least_squares,
    "l-bfgs-b": _by_lbfgsb,
}
