"""The model fitted to the maps of all observations in one likelihood.

The coefficients c_k of every observation are tied to the model by `c_k = (A, B, C) x_k + scatter`; gains, pointings,
taper and all else that belongs to one observation are free. The likelihood of all maps given A, B, C and the scatter,
the c_k integrated over, is maximised in passes. In a pass the maps of each observation are fitted near its prediction,
from which its likelihood is drawn out as a Gaussian (Laplace's approximation), and then one regression gives A, B and C
of all terms and the scatter together. A weak observation thus cannot end in a wrong minimum of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.errors import UsageError
from oofpy.fitting.problem import FitProblem, prepare
from oofpy.fitting.settings import FitSettings
from oofpy.fitting.solver import Tolerances
from oofpy.fitting.status import FitStatus
from oofpy.fitting.tied import free_terms, local_likelihoods, starts_at
from oofpy.gravity.gravity_fit import GravityFit
from oofpy.gravity.model import GravityModel
from oofpy.gravity.regression import OUTLYING_WEIGHT, Measured, Regression, robust_weight
from oofpy.gravity.series import FEWEST_OBSERVATIONS
from oofpy.gravity.two_step import distance_probability
from oofpy.observation import Observation
from oofpy.optics.half_path import half_path_um
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]
Report = Callable[[str], None]

MOST_PASSES = 12
# Of A, B and C from one pass to the next, in standard errors.
_SETTLED = 0.1
# After so many passes the model moves half the way only: an observation whose likelihood is no Gaussian could otherwise
# throw it to and fro for ever.
_FULL_MOVES = 3
_MOST_ROUNDS = 50
_WEIGHTS_SETTLED = 1e-3
# A fit is not tied closer than this part of the errors of good observations: their likelihood is drawn out as well from
# there, and a tie much closer than the errors makes a fit slow.
_CLOSEST_TIE = 0.5
_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class MapBatch:
    """Observations that are fitted side by side.

    Parameters
    ----------
    names : tuple of str
        As in the series.
    observations : tuple of Observation
        In the convention of the model, with the same number of maps each.
    telescope : Telescope
    settings : FitSettings
        Its order is not used.
    """

    names: tuple[str, ...]
    observations: tuple[Observation, ...]
    telescope: Telescope
    settings: FitSettings


def fit_joint(
    batches: Iterable[MapBatch], start: GravityFit, *, report: Report | None = None, most_passes: int = MOST_PASSES
) -> GravityFit:
    """Fit `A sin(el) + B cos(el) + C` of all coefficients to the maps of all observations.

    A correction that was on the dish is part of the model of its maps (`observing.applied`): the coefficients are those
    of the dish without it.

    Parameters
    ----------
    batches : iterable of MapBatch
        Gone through once a pass, so that it must give the same again; only one batch is held at a time.
    start : GravityFit
        Of the same observations, by `fit_two_step`.
    report : callable, optional
        Takes one line of progress at a time.
    most_passes : int
        After which it ends unconverged.

    Returns
    -------
    GravityFit
        Also where it did not converge: `model.converged` and `advice` say so.

    Raises
    ------
    UsageError
        If the observations are not those of the start, or their fits do not have its coefficients free.
    """
    say = report or _silent
    joint = _Joint(start)
    for number in range(1, most_passes + 1):
        joint.gather(batches)
        change = joint.update(1.0 if number <= _FULL_MOVES else 0.5)
        say(f"pass {number}: A, B, C moved by up to {change:.2g} standard errors")
        if change < _SETTLED and number > 1:
            break
    return joint.result(number, change)


class _Joint:
    """Where the model stands, and what the maps of every observation say near it."""

    def __init__(self, start: GravityFit) -> None:
        series = start.series
        self.start, self.series, self.design = start, series, series.design
        self.terms = start.model.terms
        self.places = {name: place for place, name in enumerate(series.names)}
        if len(self.places) < len(series.names):
            raise UsageError("two observations have the same name", key="observations", remedy="name them apart")
        self.parameters_um = np.array(start.model.parameters_um)
        self.variance_um2 = start.model.scatter_um**2
        closest = np.nanquantile(start.errors_um, 0.25, axis=0)
        self.closest_tie_um = _CLOSEST_TIE * closest
        count, terms = len(series.names), len(self.terms)
        self.values_um = np.zeros((count, terms))
        self.covariances_um2 = np.zeros((count, terms, terms))
        self.crowding = np.ones(count)
        self.states: list[FloatArray | None] = [None] * count
        self.status = [FitStatus.NOT_FINITE] * count
        self.weights = np.ones(count)
        self.usable = np.ones(count, bool)
        self.found: Regression | None = None
        self.distance = np.zeros(count)
        self.own = np.ones(count)

    def gather(self, batches: Iterable[MapBatch]) -> None:
        """Draw out the likelihood of every observation near its prediction."""
        seen: list[int] = []
        for batch in batches:
            places = [self._place(name) for name in batch.names]
            seen += places
            order = max(term.n for term in self.terms)
            settings = replace(batch.settings, order=order)
            problem = prepare(batch.observations, batch.telescope, settings, order)
            if free_terms(problem) != self.terms:
                raise UsageError(
                    "the coefficients that are free differ from those of the model",
                    key="parameters",
                    value=f"{', '.join(batch.names[:3])}{' ...' if len(batch.names) > 3 else ''}",
                    remedy="fit all observations at one order with the same coefficients free",
                )
            self._draw_out(problem, places)
        if sorted(seen) != list(range(len(self.series.names))):
            raise UsageError(
                "the maps are not those of the observations of the first step, each once",
                key="observations",
                value=f"{len(seen)} with maps, {len(self.series.names)} with coefficients",
            )

    def _place(self, name: str) -> int:
        if name not in self.places:
            raise UsageError("the observation was not in the first step", key="observation", value=name)
        return self.places[name]

    def _draw_out(self, problem: FitProblem, places: list[int]) -> None:
        micrometres = np.array([half_path_um(1.0, one.wavelength_m) for one in problem.observations])[:, None]
        mean = self.design[places] @ self.parameters_um.T / micrometres
        tie = np.sqrt(np.maximum(self.variance_um2, self.closest_tie_um**2)) / micrometres
        # The fit counts samples whose residuals move together one by one: the tie must not be weaker for that.
        tie = tie / np.sqrt(self.crowding[places])[:, None]
        start = starts_at(problem, mean)
        for row, place in enumerate(places):
            if self.states[place] is not None:
                start[row] = torch.as_tensor(self.states[place], device=start.device)
        tolerances = Tolerances(max(_TOLERANCE, problem.settings.tolerance), problem.settings.max_evaluations)
        local = local_likelihoods(problem, start, mean, tie, tolerances)
        self.values_um[places] = local.most_likely_rad * micrometres
        self.covariances_um2[places] = local.covariance_rad2 * micrometres[:, :, None] ** 2
        self.crowding[places] = local.correlation_samples
        for row, place in enumerate(places):
            sound = local.status[row] is not FitStatus.NOT_FINITE and bool(np.isfinite(local.parameters[row]).all())
            self.states[place] = local.parameters[row] if sound else None
            self.status[place] = local.status[row] if sound else FitStatus.NOT_FINITE
            if not sound:
                self.crowding[place] = 1.0

    def update(self, share: float) -> float:
        """Fit A, B, C and the scatter to the Gaussians, and move by a share of the way there.

        Gives the largest change of A, B, C in standard errors, of the whole way.
        """
        usable = np.array([status is not FitStatus.NOT_FINITE for status in self.status])
        usable &= np.isfinite(self.values_um).all(axis=1) & np.isfinite(self.covariances_um2).all(axis=(1, 2))
        self.usable = usable
        self.values_um[~usable] = (self.design @ self.parameters_um.T)[~usable]
        self.covariances_um2[~usable] = np.diag(self.closest_tie_um**2)
        residuals = self.values_um - self.design @ self.parameters_um.T
        precision = np.asarray(np.linalg.inv(self.covariances_um2 + np.diag(self.variance_um2)), np.float64)
        self.distance = _distance(residuals, precision, np.ones(len(residuals)))
        weights = robust_weight(self.distance) * usable
        for _ in range(_MOST_ROUNDS):
            if weights.sum() < FEWEST_OBSERVATIONS:
                weights = usable.astype(float)
            measured = Measured(self.design, self.values_um, self.covariances_um2, weights)
            self.variance_um2 = measured.scatter_variance(self.variance_um2)
            found = measured.regression(self.variance_um2)
            self.own = _own_share(self.design, found, weights)
            self.distance = _distance(found.residuals, found.precision, self.own)
            new = robust_weight(self.distance) * usable
            moved = np.abs(new - weights).max()
            if moved < _WEIGHTS_SETTLED or new.sum() < FEWEST_OBSERVATIONS:
                break
            weights = (new + weights) / 2 if moved < 1 else new
        errors = np.sqrt(np.diag(found.covariance)).reshape(-1, 3)
        move = found.parameters - self.parameters_um
        change = float(np.abs(move / errors).max())
        self.parameters_um = self.parameters_um + share * move
        self.weights, self.found = weights, found
        return change

    def result(self, passes: int, change: float) -> GravityFit:
        """What has been found."""
        found, series = self.found, self.series
        assert found is not None
        scatter = np.sqrt(self.variance_um2)
        far = self.weights < OUTLYING_WEIGHT
        total = np.diagonal(self.covariances_um2, axis1=1, axis2=2) + self.variance_um2
        spread_weights = np.repeat(self.weights[:, None], len(self.terms), axis=1)
        unusable = [name for name, sound in zip(series.names, self.usable, strict=True) if not sound]
        converged = change < _SETTLED and not unusable
        model = GravityModel(
            telescope=self.start.model.telescope,
            dish_radius_m=self.start.model.dish_radius_m,
            method="joint",
            terms=self.terms,
            parameters_um=found.parameters,
            covariance_um2=found.covariance,
            scatter_um=scatter,
            leave_one_out_um=_left_out_scatter(self.design, found, self.weights, total),
            elevation_range_rad=self.start.model.elevation_range_rad,
            observations=series.names,
            outlying=tuple(name for name, flag in zip(series.names, far, strict=True) if flag),
            converged=converged,
            wavelength_m=series.wavelength_m,
        )
        return GravityFit(
            model=model,
            series=series,
            values_um=self.values_um,
            errors_um=np.sqrt(np.diagonal(self.covariances_um2, axis1=1, axis2=2)),
            residuals_um=found.residuals,
            standard_residuals=found.residuals / np.sqrt(total * self.own[:, None]),
            weights=spread_weights,
            probability=distance_probability(found.residuals, self.covariances_um2, scatter),
            outlying=spread_weights < OUTLYING_WEIGHT,
            passes=passes,
            advice="" if converged else _advice(change, passes, int(far.sum()), len(far), unusable),
        )


def _distance(residuals: FloatArray, precision: FloatArray, own: FloatArray) -> FloatArray:
    """Distance of observations from the model in standard deviations of a normal number; zero for the nearer half.

    The cube root of a chi-squared over its degrees of freedom is nearly normal (Wilson & Hilferty 1931).
    """
    terms = residuals.shape[1]
    square = np.einsum("ki,kij,kj->k", residuals, precision, residuals) / own / terms
    width = 2 / (9 * terms)
    return np.asarray(np.clip((np.cbrt(np.maximum(square, 0)) - (1 - width)) / np.sqrt(width), 0, None))


def _own_share(design: FloatArray, found: Regression, weights: FloatArray) -> FloatArray:
    """Mean part of the variance of its residuals that an observation is left with, shape (observations,)."""
    count = found.residuals.shape[1]
    leverage = np.einsum("kij,kji->k", _predicted(design, found), found.precision) / count
    return np.asarray(np.clip(1 - weights * leverage, 1e-6, 1.0))


def _predicted(design: FloatArray, found: Regression) -> FloatArray:
    """Covariance of the model at every observation, shape (observations, terms, terms)."""
    count = found.residuals.shape[1]
    blocks = found.covariance.reshape(count, 3, count, 3)
    return np.asarray(np.einsum("ka,iajb,kb->kij", design, blocks, design))


def _left_out_scatter(design: FloatArray, found: Regression, weights: FloatArray, variances: FloatArray) -> FloatArray:
    """Root mean square of observations minus the model without them, weighted, shape (terms,)."""
    influence = weights[:, None, None] * (_predicted(design, found) @ found.precision)
    own = np.eye(found.residuals.shape[1]) - influence
    left_out = np.linalg.solve(own, found.residuals[..., None])[..., 0]
    share = (weights >= OUTLYING_WEIGHT)[:, None] / variances
    return np.asarray(np.sqrt((share * left_out**2).sum(axis=0) / share.sum(axis=0)))


def _advice(change: float, passes: int, far: int, count: int, unusable: list[str]) -> str:
    if unusable:
        return (
            f"the fits of {len(unusable)} of {count} observations gave no finite numbers and have no influence: "
            f"{', '.join(unusable[:3])}{' ...' if len(unusable) > 3 else ''}; fit without them"
        )
    text = f"A, B and C still moved by {change:.2g} standard errors in pass {passes}"
    if far > count / 4:
        return f"{text}, and {far} of {count} observations lie far off: look at them, or fit without them"
    return f"{text}: look at the weakest observations, lower the order, or use the fit in two steps"


def _silent(_: str) -> None:
    """Report nothing."""
