"""Observations in, results out: the order ladder, the choice of the order, and what is worth a flag."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.fitting.assemble import assemble_order, assemble_result
from oofpy.fitting.leave_one_out import fits_without_a_map
from oofpy.fitting.order_choice import choose_order, settled
from oofpy.fitting.problem import FitProblem, prepare
from oofpy.fitting.result import FitResult, OrderFit
from oofpy.fitting.settings import LOWEST_FIT_ORDER, FitSettings
from oofpy.fitting.solver import FreeParameters, Solution, Tolerances
from oofpy.fitting.status import FitStatus
from oofpy.map_statistics import robust_sigma
from oofpy.observation import Observation
from oofpy.plausibility import check_observation
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]
Report = Callable[[str], None]


@dataclass(frozen=True)
class Winner:
    """The better of the starts of one order, for every observation.

    Parameters
    ----------
    solution : Solution
    starts : tuple of str
        Name of the start that won.
    rival_excess : array, shape (observations,)
        Cost of the other start above the winner's; NaN with one start.
    rival_distance : array, shape (observations,)
        Largest difference of a coefficient between the two, radians; NaN with one start.
    """

    solution: Solution
    starts: tuple[str, ...]
    rival_excess: FloatArray
    rival_distance: FloatArray


def fit_observation(
    observation: Observation,
    telescope: Telescope,
    settings: FitSettings | None = None,
    *,
    report: Report | None = None,
) -> FitResult:
    """Fit the surface of a telescope to one observation.

    Parameters
    ----------
    observation : Observation
        In the sign convention of the model (see `oofpy.conventions`).
    telescope : Telescope
        Complete: every number known.
    settings : FitSettings, optional
        Defaults where None.
    report : callable, optional
        Takes one line of progress at a time.

    Returns
    -------
    FitResult
        Also where the fit did not converge: its status says so, with advice.

    Raises
    ------
    InputError
        If the observation cannot belong to the telescope or has too few samples.
    ConfigurationError
        If a number of the telescope is unknown or a parameter's rule is wrong.
    UsageError
        If CUDA is asked for and absent.
    """
    return fit_batch([observation], telescope, settings, report=report)[0]


def fit_batch(
    observations: Sequence[Observation],
    telescope: Telescope,
    settings: FitSettings | None = None,
    *,
    report: Report | None = None,
) -> list[FitResult]:
    """Fit observations of one telescope side by side; see `fit_observation`.

    Parameters
    ----------
    observations : sequence of Observation
        With the same number of maps each; maps of unequal size are padded.
    telescope : Telescope
    settings : FitSettings, optional
    report : callable, optional

    Returns
    -------
    list of FitResult
        In the order given. `seconds` is the time of an order over the number of observations.
    """
    settings = settings or FitSettings()
    if not observations:
        return []
    telescope.require_complete()
    flags = [check_observation(observation, telescope, settings.limits) for observation in observations]
    highest = settings.highest_auto_order if settings.order == "auto" else int(settings.order)
    problem = prepare(tuple(observations), telescope, settings, highest)
    results = []
    size = _group_size(problem)
    for first in range(0, len(observations), size):
        numbers = list(range(first, min(first + size, len(observations))))
        group = problem.take(numbers)
        ladder = climb(group, highest, report or _silent)
        for number, steps in enumerate(ladder):
            orders, winners = zip(*steps, strict=True)
            chosen = choose_order(orders) if settings.order == "auto" else highest
            left_out: tuple[OrderFit, ...] = ()
            if settings.leave_one_out:
                solution = winners[[fit.order for fit in orders].index(chosen)].solution
                left_out = fits_without_a_map(group, number, chosen, solution.parameters[number])
            known = (*group.observations[number].flags, *flags[first + number])
            results.append(assemble_result(group, number, orders, winners, chosen, left_out, known))
    return results


# Single precision moves the cost by some 0.01 in 5,000 to 30,000 samples: what a step promises below that is noise.
_SINGLE_TOLERANCE = 0.01
# Bytes of derivatives that a group of fits may hold at a time: the caches of a CPU, a share of a GPU's memory.
_GROUP_BYTES = {"cpu": 24e6, "cuda": 8e9}


def _group_size(problem: FitProblem) -> int:
    """How many observations to fit side by side."""
    pixels = problem.model.x_m.numel() * problem.model.frequency_ratio.shape[1]
    columns = len(problem.terms) + 4
    each = 16.0 * pixels * columns * problem.data.values.shape[1]
    return max(1, int(_GROUP_BYTES[problem.start.device.type] / each))


def climb(problem: FitProblem, highest: int, report: Report) -> list[list[tuple[OrderFit, Winner]]]:
    """Fit order after order, each from the order below; the requested one, or all to choose from, from zero as well.

    Parameters
    ----------
    problem : FitProblem
    highest : int
        Where the ladder ends, unless the order is chosen by the data and all surfaces have settled before.
    report : callable

    Returns
    -------
    list (observations) of list (orders) of (OrderFit, Winner)
    """
    settings = problem.settings
    automatic = settings.order == "auto"
    lowest = LOWEST_FIT_ORDER if settings.ladder or automatic else highest
    ladder: list[list[tuple[OrderFit, Winner]]] = [[] for _ in problem.observations]
    below: Solution | None = None
    for order in range(lowest, highest + 1):
        began = time.perf_counter()
        finest = _SINGLE_TOLERANCE if settings.precision == "single" else 0.0
        tolerances = Tolerances(max(settings.tolerance, finest), settings.max_evaluations)
        if order < highest and not automatic:
            limit = min(settings.max_evaluations, settings.ladder_evaluations)
            tolerances = Tolerances(settings.ladder_tolerance, limit)
        winner = fit_order(problem, order, below, tolerances)
        below = winner.solution
        fits = assemble_order(problem, order, winner.solution, winner.starts)
        seconds = (time.perf_counter() - began) / len(problem.observations)
        for number, fit in enumerate(fits):
            # What one observation chooses must not depend on those fitted beside it.
            if not (automatic and settled([step for step, _ in ladder[number]])):
                ladder[number].append((replace(_with_rival(fit, winner, number), seconds=seconds), winner))
        report(_progress(order, highest, fits))
        if automatic and all(settled([fit for fit, _ in steps]) for steps in ladder):
            break
    return ladder


def _with_rival(fit: OrderFit, winner: Winner, number: int) -> OrderFit:
    """A fit with what it says of the start that lost, the log-likelihood in effective samples."""
    effective = fit.effective_samples / sum(fitted.samples for fitted in fit.maps)
    return replace(
        fit,
        rival_log_likelihood=float(winner.rival_excess[number]) * effective,
        rival_distance_rad=float(winner.rival_distance[number]),
    )


def fit_order(problem: FitProblem, order: int, below: Solution | None, tolerances: Tolerances) -> Winner:
    """Fit one order from the order below; where that is not given, or the order is wanted, from zero; keep the better.

    Parameters
    ----------
    problem : FitProblem
    order : int
    below : Solution, optional
        Of the order below.
    tolerances : Tolerances

    Returns
    -------
    Winner
    """
    free = problem.at_order(order).for_solver(problem.start.device)
    count = len(problem.observations)
    missing = np.full(count, np.nan)
    start = _with_modes_up_to(problem, order, problem.start)
    if below is None:
        if order < problem.terms[-1].n:
            # The first step of a ladder: the next ones give it its second opinion.
            return Winner(problem.solve(start, free, tolerances), ("zero",) * count, missing, missing)
        solution, starts = _alone(problem, order, start, free, tolerances)
        return Winner(solution, starts, missing, missing)
    entering = torch.as_tensor(np.flatnonzero(problem.orders == order))
    begin = below.parameters.clone()
    begin[:, entering] = start[:, entering]
    risen = problem.solve(begin, free, tolerances, linear=below.linear)
    wanted = problem.settings.order in (order, "auto")
    if not (wanted and problem.settings.both_starts):
        return Winner(risen, ("order below",) * count, missing, missing)
    zero = problem.solve(start, free, tolerances, rival=risen)
    higher = risen.cost - zero.cost
    modes = problem.model.layout.slice_of("modes")
    distance = (risen.parameters[:, modes] - zero.parameters[:, modes]).abs().amax(-1)
    # A difference below the tolerance is none; the order below is then the one to name.
    from_zero = ~(higher <= tolerances.decrease)
    chosen = from_zero.nonzero().flatten().tolist()
    better = replace(risen.exchanged(chosen, zero.take(chosen)), evaluations=risen.evaluations + zero.evaluations)
    starts = tuple("zero" if flag else "order below" for flag in from_zero.tolist())
    return Winner(better, starts, higher.abs().cpu().numpy(), distance.cpu().numpy())


def _with_modes_up_to(problem: FitProblem, order: int, start: torch.Tensor) -> torch.Tensor:
    """A start with the coefficients above an order at zero."""
    start = start.clone()
    start[:, torch.as_tensor(np.flatnonzero(problem.orders > order))] = 0.0
    return start


# Fitted noise over that at the border of the residuals, beyond which an order without others beside it is in doubt.
_DOUBTFUL_NOISE = 1.5


def _alone(
    problem: FitProblem, order: int, start: torch.Tensor, free: FreeParameters, tolerances: Tolerances
) -> tuple[Solution, tuple[str, ...]]:
    """Fit an order that has none below it; where the end is in doubt, try the other pointing as well."""
    solution = problem.solve(start, free, tolerances)
    names = ["zero"] * len(problem.observations)
    doubtful = [number for number in range(len(names)) if _in_doubt(problem, solution, number)]
    if doubtful:
        other = _with_modes_up_to(problem, order, problem.other_start)[doubtful]
        second = problem.take(doubtful).solve(other, free, tolerances)
        total = solution.evaluations.clone()
        total[doubtful] += second.evaluations
        better = [place for place, number in enumerate(doubtful) if second.cost[place] < solution.cost[number]]
        where = [doubtful[place] for place in better]
        solution = replace(solution.exchanged(where, second.take(better)), evaluations=total)
        for number in where:
            names[number] = "zero, other pointing"
    return solution, tuple(names)


def _in_doubt(problem: FitProblem, solution: Solution, number: int) -> bool:
    """Whether a fit did not converge, or leaves far more noise in a map than at its border."""
    if solution.status[number] is not FitStatus.CONVERGED:
        return True
    borders = problem.borders[number % len(problem.borders)]
    residuals = solution.linear.residual[number].cpu().numpy()
    noise = (solution.linear.scale[number] / problem.likelihood.gaussian_scale).tolist()
    quiet = [robust_sigma(residual[border]) for residual, border in zip(residuals, borders, strict=True)]
    return any(scale > _DOUBTFUL_NOISE * least for scale, least in zip(noise, quiet, strict=True))


def _silent(_: str) -> None:
    """Report nothing."""


def _progress(order: int, highest: int, fits: list[OrderFit]) -> str:
    if len(fits) > 1:
        converged = sum(fit.status is FitStatus.CONVERGED for fit in fits)
        return f"order {order} of {highest}: {converged} of {len(fits)} converged"
    fit = fits[0]
    # Below the requested order a fit is a stepping stone, and whether it converged says nothing of the result.
    ending = f", {fit.status.value}" if order == highest else ""
    return f"order {order} of {highest}: surface rms {fit.surface.rms_um:.1f} um, {fit.evaluations} evaluations{ending}"
