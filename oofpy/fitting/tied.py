"""What the maps of each observation of a batch say of its coefficients, near a value expected beforehand.

A model of many observations ties their coefficients together. It needs the likelihood of each observation as a function
of its coefficients, the other parameters marginalised; here it is a Gaussian, drawn out from a fit that a prior holds
near the expected coefficients. The prior itself is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.fitting.elimination import LinearFit
from oofpy.fitting.likelihood import LIKELIHOODS
from oofpy.fitting.problem import FitProblem
from oofpy.fitting.solver import FreeParameters, LevenbergMarquardt, Position, Solution, Tolerances
from oofpy.fitting.status import FitStatus
from oofpy.fitting.uncertainty import cramer_rao
from oofpy.optics.zernike import ZernikeTerm

FloatArray = NDArray[np.float64]

_SMALLEST_EIGENVALUE = 1e-9
_SMALLEST_SLOPE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class LocalLikelihoods:
    """Gaussian likelihoods of the free coefficients of a batch of observations.

    Parameters
    ----------
    terms : tuple of ZernikeTerm
        The free coefficients.
    most_likely_rad : array, shape (observations, terms), radians
        Where the Gaussian has its maximum, which may lie far from where it was drawn out.
    covariance_rad2 : array, shape (observations, terms, terms), radians squared
        Its covariance, correlation of the residuals included; large but finite where the maps know nothing.
    expanded_rad : array, shape (observations, terms), radians
        Where it was drawn out.
    parameters : array, shape (observations, parameters)
        All parameters there, to start from again.
    correlation_samples : array, shape (observations,)
        Mean number of neighbouring samples whose residuals move together.
    status : tuple of FitStatus
        How the fits ended.
    """

    terms: tuple[ZernikeTerm, ...]
    most_likely_rad: FloatArray
    covariance_rad2: FloatArray
    expanded_rad: FloatArray
    parameters: FloatArray
    correlation_samples: FloatArray
    status: tuple[FitStatus, ...]


def free_terms(problem: FitProblem) -> tuple[ZernikeTerm, ...]:
    """Terms whose coefficients are fitted."""
    return tuple(term for term, free in zip(problem.terms, problem.parameters.free, strict=False) if free)


def starts_at(problem: FitProblem, mean_rad: FloatArray) -> torch.Tensor:
    """Start every observation at given coefficients, its maps pointed as fits them better.

    Parameters
    ----------
    problem : FitProblem
    mean_rad : array, shape (observations, free terms), radians

    Returns
    -------
    Tensor, shape (observations, parameters)
    """
    places = _free_modes(problem)
    starts = []
    for start in (problem.start, problem.other_start):
        moved = start.clone()
        moved[:, places] = torch.as_tensor(mean_rad, device=start.device)
        starts.append(moved)
    free = problem.parameters.for_solver(problem.start.device)
    solver = LevenbergMarquardt(problem.model, problem.data, LIKELIHOODS["gaussian"], free, Tolerances())
    first, second = (solver.evaluate(start, None).cost for start in starts)
    return torch.where((first <= second)[:, None], starts[0], starts[1])


def local_likelihoods(
    problem: FitProblem,
    start: torch.Tensor,
    mean_rad: FloatArray,
    sigma_rad: FloatArray,
    tolerances: Tolerances,
) -> LocalLikelihoods:
    """Fit a batch near expected coefficients, and draw out the likelihood of each from there.

    Parameters
    ----------
    problem : FitProblem
        At its highest order.
    start : Tensor, shape (observations, parameters)
        For instance of `starts_at`.
    mean_rad, sigma_rad : array, shape (observations, free terms), radians
        Gaussian prior of the free coefficients of each observation; it takes the place of one in the settings.
    tolerances : Tolerances
        Of the fits. As the exact gradient goes into the result, they need not be tight.

    Returns
    -------
    LocalLikelihoods
    """
    alone = _without_prior(problem, len(problem.observations))
    modes = len(free_terms(problem))
    mean, sigma = alone.prior_mean.clone(), alone.prior_sigma.clone()
    mean[:, :modes] = torch.as_tensor(mean_rad, device=mean.device)
    sigma[:, :modes] = torch.as_tensor(sigma_rad, device=mean.device)
    held = replace(alone, prior_mean=mean, prior_sigma=sigma)
    solution = problem.solve(start, held, tolerances)
    solver = LevenbergMarquardt(problem.model, problem.data, problem.likelihood, alone, tolerances)
    position = solver.evaluate(solution.parameters, solution.linear)
    areas = np.array([[one.area for one in maps] for maps in problem.correlations(position.linear)], np.float64)
    noise = _effective_noise(problem, position.linear, areas)
    parameters, gain = position.parameters, position.linear.gain
    covariance = cramer_rao(problem.model, parameters, gain, noise, problem.data, alone)[:, :modes, :modes]
    expanded = position.parameters[:, _free_modes(problem)]
    step = _step_to_maximum(solver, position)[:, :modes]
    return LocalLikelihoods(
        terms=free_terms(problem),
        most_likely_rad=(expanded + step).cpu().numpy(),
        covariance_rad2=covariance.cpu().numpy(),
        expanded_rad=expanded.cpu().numpy(),
        parameters=position.parameters.cpu().numpy(),
        correlation_samples=areas.mean(axis=1),
        status=_with_finite_cost(solution, position),
    )


def _free_modes(problem: FitProblem) -> list[int]:
    """Places of the free coefficients in a full parameter vector; among the free parameters they stand first."""
    return np.flatnonzero(problem.parameters.free[: len(problem.terms)]).tolist()


def _without_prior(problem: FitProblem, count: int) -> FreeParameters:
    """Free parameters, every observation with priors of its own, those of the settings on coefficients left out."""
    free = problem.parameters.for_solver(problem.start.device)
    mean, sigma = (prior.expand(count, -1).clone() for prior in (free.prior_mean, free.prior_sigma))
    sigma[:, : len(free_terms(problem))] = torch.inf
    return replace(free, prior_mean=mean, prior_sigma=sigma)


def _effective_noise(problem: FitProblem, linear: LinearFit, areas: FloatArray) -> torch.Tensor:
    """Independent Gaussian noise that would make the errors of an M-estimator, shape (observations, maps).

    As `parameter_covariance`, with means over each map in place of the single samples: where the information of many
    observations is added up, the chance in which samples of one of them happen to fit would count as knowledge.
    """
    squares, slopes = mean_influence(problem, linear)
    crowding = torch.as_tensor(areas, device=squares.device)
    return linear.scale * (squares * crowding).sqrt() / slopes


def mean_influence(problem: FitProblem, linear: LinearFit) -> tuple[torch.Tensor, torch.Tensor]:
    """Means over the samples of every map that decide the errors of an M-estimator.

    Parameters
    ----------
    problem : FitProblem
    linear : LinearFit
        At the minimum.

    Returns
    -------
    squares : Tensor, shape (observations, maps)
        Mean of psi(z)^2.
    slopes : Tensor, shape (observations, maps)
        Mean of psi'(z), positive. The two are equal where the residuals are distributed as the likelihood says.
    """
    z = linear.standardised(problem.data)
    used = problem.data.weight > 0
    squares, slopes = (
        torch.where(used, values, 0.0).sum(-1) / problem.data.samples
        for values in ((problem.likelihood.weight(z) * z).square(), problem.likelihood.slope(z))
    )
    return squares, slopes.clamp(min=_SMALLEST_SLOPE)


def _step_to_maximum(solver: LevenbergMarquardt, position: Position) -> torch.Tensor:
    """Newton step of all free parameters to the maximum of the likelihood, shape (observations, free)."""
    free = solver.free
    place = position.parameters[:, free.index]
    gradient, nodes = solver.gradient(position), solver.nodes(position)
    # The true curvature of a redescending likelihood can vanish along some direction by chance; that of the weights
    # stands for its mean, as the covariance does (a step of Fisher scoring).
    true = torch.zeros(len(place), dtype=torch.bool, device=place.device)
    curvature, _ = solver.curvature(position, nodes, true)
    # A parameter that is pressed against a bound stays there.
    held = ((place <= free.lower) & (gradient > 0)) | ((place >= free.upper) & (gradient < 0))
    moving = (~held).to(curvature.dtype)
    curvature = curvature * moving[:, :, None] * moving[:, None, :] + torch.diag_embed(
        held * curvature.diagonal(dim1=-2, dim2=-1)
    )
    scaled, root = _scaled(curvature)
    values, vectors = torch.linalg.eigh(scaled)
    right = (vectors.mT @ (gradient * moving * root)[..., None]) / values.clamp(min=_SMALLEST_EIGENVALUE)[..., None]
    step: torch.Tensor = -(vectors @ right)[..., 0] * root
    return step


def _scaled(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Matrix with a unit diagonal, and the factors of rows and columns that make it so."""
    root = matrix.diagonal(dim1=-2, dim2=-1).abs().clamp(min=1e-300).rsqrt()
    scaled = torch.nan_to_num(matrix * root[:, :, None] * root[:, None, :])
    return (scaled + scaled.mT) / 2, root


def _with_finite_cost(solution: Solution, position: Position) -> tuple[FitStatus, ...]:
    finite = torch.isfinite(position.cost).tolist()
    return tuple(status if good else FitStatus.NOT_FINITE for status, good in zip(solution.status, finite, strict=True))
