"""The posterior of a fit, sampled: whether the errors, drawn from the curvature at its end, tell the truth.

Model, data, likelihood, free parameters, bounds and priors are those of the fit; beyond the priors of the settings the
prior is flat. Two choices make posterior and errors answers to one question.

**What is eliminated stays eliminated.** Gain, background and scale of every map are at their best for every sample, as
in the fit, so that the posterior is that of the profile likelihood. To integrate over them instead multiplies it by a
factor that hardly depends on the other parameters: it differs by one part in the number of effective samples of a map.

**Samples that move together count as one, and a likelihood need not be the distribution of the noise.** Both make the
errors of the fit wider than the curvature of the likelihood says, G in place of H in `H^-1 G H^-1` (see
`oofpy.fitting.uncertainty`): the number of neighbouring samples whose residuals move together (`correlation_samples`),
and the mean of psi^2 over that of psi', which for a Cauchy likelihood on Gaussian noise is 1.6. The log-likelihood is
therefore multiplied by one number, `parameters / trace(H^-1 G)`, with which the posterior is as wide as the errors on
average, and its maximum stays where the fit ended. With all maps alike it is 1 over the product of the two; where the
likelihood holds, it is 1. For composite likelihoods this is known as magnitude adjustment (F. Pauli, W. Racugno,
L. Ventura 2011, Statistica Sinica 21, 149; M. Ribatet, D. Cooley, A. Davison 2012, Statistica Sinica 22, 813). H and G
take means over each map, the errors every sample by itself: where few bright samples decide, as in the peak of a map in
focus, the latter have a part of chance.

What the posterior says beyond the errors is its shape: bounds, curved valleys, tails, further minima in reach.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import eigh

from oofpy.errors import UsageError
from oofpy.fitting.elimination import LinearFit, eliminate
from oofpy.fitting.parameters import parameter_unit
from oofpy.fitting.posterior import FitPosterior, ParameterPosterior, fitted_values
from oofpy.fitting.problem import FitProblem, parameters_of, prepare
from oofpy.fitting.result import FitResult
from oofpy.fitting.solver import FreeParameters
from oofpy.fitting.tied import mean_influence
from oofpy.fitting.uncertainty import cramer_rao
from oofpy.observation import Observation
from oofpy.optics.half_path import half_path_um
from oofpy.optics.zernike import ZernikeTerm
from oofpy.sampling import PosteriorSamples, sample_posterior
from oofpy.surface import WeightedDish

FloatArray = NDArray[np.float64]

KEPT_SAMPLES = 2000
# Of the log-likelihood, far below one.
_ELIMINATION_TOLERANCE = 1e-2
# Bytes that the maps of the walkers in one call may hold: the caches of a CPU, a share of a GPU's memory.
_CALL_BYTES = {"cpu": 24e6, "cuda": 4e9}
_IMAGES_OF_A_WALKER = 12
_LOWER, _UPPER = 0.16, 0.84


def sample_fit(
    observation: Observation,
    result: FitResult,
    *,
    effective_samples: float = 1000.0,
    steps: int = 3000,
    seed: int = 0,
    report: Callable[[str], None] | None = None,
) -> FitPosterior:
    """Sample the posterior of a fit.

    Parameters
    ----------
    observation : Observation
        That was fitted, in the sign convention of the model.
    result : FitResult
        Of the fit; its settings and its telescope are used again.
    effective_samples : float
        How many of every parameter end the walk.
    steps : int
        Most steps of every walker.
    seed : int
        The same seed gives the same samples on the same machine.
    report : callable, optional
        Takes one line of progress at a time.

    Returns
    -------
    FitPosterior
        Also where the walk has not converged: its status says so, with advice.

    Raises
    ------
    UsageError
        If the extra `posterior` is not installed, or the fit failed.
    InputError, ConfigurationError
        As in `oofpy.fit`.
    """
    began = time.perf_counter()
    if result.status == "failed":
        raise UsageError(
            "the fit failed: there is no posterior about it", key="result", remedy=result.fit.status.advice
        )
    problem = prepare((observation,), result.telescope, result.settings, result.chosen_order)
    target = ProfilePosterior(problem, result)
    names = result.fit.covariance_names
    samples = sample_posterior(
        lambda named: target(torch.stack([named[name] for name in names], dim=-1)),
        dict(zip(names, target.begin.tolist(), strict=True)),
        covariance=_positive(result.fit.covariance),
        bounds=dict(zip(names, zip(target.free.lower.tolist(), target.free.upper.tolist(), strict=True), strict=True)),
        effective_samples=effective_samples,
        steps=steps,
        device=problem.start.device,
        vectorised=True,
        chunk=target.walkers_in_a_call,
        seed=seed,
        progress=report,
    )
    kept = samples.thinned(KEPT_SAMPLES)
    return FitPosterior(
        name=result.name,
        order=result.chosen_order,
        parameters=_of_parameters(result, samples),
        derived=_derived(result, samples.samples[kept]),
        samples=samples.samples[kept],
        log_posterior=samples.log_posterior.ravel()[kept],
        covariance=samples.covariance,
        combination_ratios=_combination_ratios(samples.covariance, result.fit.covariance),
        correlation_samples=tuple(target.correlation_samples.tolist()),
        likelihood_share=target.share,
        walkers=samples.walkers,
        steps=samples.steps,
        acceptance_fraction=samples.acceptance_fraction,
        status=samples.status,
        advice=samples.advice,
        seed=seed,
        seconds=time.perf_counter() - began,
    )


class ProfilePosterior:
    """Logarithm of the posterior of a fit, for many places at once, above that of the fit.

    Parameters
    ----------
    problem : FitProblem
        Of one observation, at the order of the fit.
    result : FitResult
        Where it ended.
    """

    def __init__(self, problem: FitProblem, result: FitResult) -> None:
        self.problem = problem
        parameters = problem.at_order(result.chosen_order)
        self.free: FreeParameters = parameters.for_solver(problem.start.device)
        self.fitted = parameters_of(problem, result)
        inside = self.fitted[:, self.free.index].clamp(self.free.lower, self.free.upper)
        self.fitted[:, self.free.index] = inside
        self.begin: FloatArray = inside[0].cpu().numpy()
        maps = problem.model(self.fitted).maps
        linear = eliminate(maps, problem.data, problem.likelihood, None)
        correlations = [one.area for one in problem.correlations(linear)[0]]
        self.correlation_samples = torch.tensor(correlations, dtype=torch.float64, device=problem.start.device)
        self.share = self._magnitude(linear)
        self._at_fit = self._cost(self.fitted, linear)

    def _magnitude(self, linear: LinearFit) -> float:
        """What the log-likelihood is multiplied by: parameters / trace(H^-1 G)."""
        problem, data = self.problem, self.problem.data
        squares, slopes = mean_influence(problem, linear)
        # A prior is no likelihood: it is neither widened nor does it count here.
        free = replace(self.free, prior_sigma=torch.full_like(self.free.prior_sigma, torch.inf))

        def inverse(weights: torch.Tensor) -> FloatArray:
            noise = linear.scale / weights.sqrt()
            found = cramer_rao(problem.model, self.fitted, linear.gain, noise, data, free)[0]
            return np.asarray(found.cpu().numpy())

        inverse_h, inverse_g = inverse(slopes), inverse(squares * self.correlation_samples)
        root = np.sqrt(np.maximum(np.diag(inverse_h), 1e-300))
        unit = np.outer(root, root)
        return len(root) / float(np.trace(np.linalg.solve(_positive(inverse_g / unit), inverse_h / unit)))

    @property
    def walkers_in_a_call(self) -> int:
        """How many walkers are evaluated side by side."""
        each = 8.0 * _IMAGES_OF_A_WALKER * self.problem.data.values.numel()
        return max(1, int(_CALL_BYTES[self.problem.start.device.type] / each))

    def __call__(self, places: torch.Tensor) -> torch.Tensor:
        """Logarithm of the posterior at given values of the free parameters.

        Parameters
        ----------
        places : Tensor, shape (walkers, free)

        Returns
        -------
        Tensor, shape (walkers,)
        """
        parameters = self.fitted.repeat(len(places), 1)
        parameters[:, self.free.index] = places
        # From least squares, not from the fit: the value then depends on the place alone, and bright samples that a
        # small change of the pointing moves far are not taken for glitches.
        maps = self.problem.model(parameters).maps
        linear = eliminate(maps, self.problem.data, self.problem.likelihood, None, _ELIMINATION_TOLERANCE)
        return self._at_fit - self._cost(parameters, linear)

    def _cost(self, parameters: torch.Tensor, linear: LinearFit) -> torch.Tensor:
        pull = (parameters[:, self.free.index] - self.free.prior_mean) / self.free.prior_sigma
        return self.share * linear.map_cost.sum(-1) + pull.square().sum(-1) / 2


def _positive(covariance: FloatArray) -> FloatArray:
    """A covariance whose smallest eigenvalues rounding has not made negative."""
    root = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    values, vectors = np.linalg.eigh(covariance / np.outer(root, root))
    floored = (vectors * np.maximum(values, 1e-10 * values.max())) @ vectors.T
    return np.asarray(floored * np.outer(root, root))


def _combination_ratios(posterior: FloatArray, errors: FloatArray) -> tuple[float, float]:
    """Least and largest ratio of two covariances' standard deviations, over all combinations of parameters."""
    root = np.sqrt(np.maximum(np.diag(errors), 1e-300))
    squares = eigh(posterior / np.outer(root, root), _positive(errors) / np.outer(root, root), eigvals_only=True)
    least, most = np.sqrt(np.clip(squares[[0, -1]], 0, None)).tolist()
    return least, most


def _of_parameters(result: FitResult, samples: PosteriorSamples) -> tuple[ParameterPosterior, ...]:
    values, errors = fitted_values(result), np.sqrt(np.clip(np.diag(result.fit.covariance), 0, None))
    known = zip(samples.effective_samples, samples.split_r_hat, strict=True)
    found = []
    for place, (name, (effective, r_hat)) in enumerate(zip(result.fit.covariance_names, known, strict=True)):
        pair = values[name], float(errors[place])
        found.append(_described(name, pair, samples.samples[:, place], float(effective), float(r_hat)))
    return tuple(found)


def _described(
    name: str, fitted: tuple[float, float], values: FloatArray, effective: float = np.nan, r_hat: float = np.nan
) -> ParameterPosterior:
    lower, median, upper = np.quantile(values, (_LOWER, 0.5, _UPPER)).tolist()
    return ParameterPosterior(
        name=name,
        unit="um" if name.endswith("_um") else parameter_unit(name),
        fitted=fitted[0],
        error=fitted[1],
        mean=float(values.mean()),
        standard_deviation=float(values.std()),
        lower=lower,
        median=median,
        upper=upper,
        effective_samples=effective,
        split_r_hat=r_hat,
    )


def _derived(result: FitResult, samples: FloatArray) -> tuple[ParameterPosterior, ...]:
    """Rms of the surface and focus error of samples, shape (samples, parameters)."""
    fit = result.fit
    terms = tuple(ZernikeTerm(one.n, one.l) for one in fit.coefficients)
    dish = WeightedDish(
        result.telescope, result.illumination_shape, terms, result.wavelength_m, result.observing.applied
    )
    values = np.tile([one.phase_rad for one in fit.coefficients], (len(samples), 1))
    for place, term in enumerate(terms):
        if term.label in fit.covariance_names:
            values[:, place] = samples[:, fit.covariance_names.index(term.label)]
    rms_um = half_path_um(np.array([dish.rms_rad(one) for one in values]), result.wavelength_m)
    nothing = np.zeros((len(terms), len(terms)))
    # The best focus is linear in the coefficients.
    at_zero, *slopes = (dish.best_focus_m(one, nothing)[0] for one in (np.zeros(len(terms)), *np.eye(len(terms))))
    focus_m = at_zero + values @ (np.array(slopes) - at_zero)
    surface = fit.surface
    return (
        _described("rms_um", (surface.rms_um, surface.rms_um_error), rms_um),
        _described("best_focus_m", (surface.best_focus_m, surface.best_focus_m_error), focus_m),
    )
