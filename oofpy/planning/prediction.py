"""The errors that a fit would have, before anything is observed: the Cramer-Rao bound of its own model.

The Fisher matrix is that of `oofpy.fitting`: gain and background of every map free, and whatever else the settings of
the fit leave free, with their priors. The noise is Gaussian and independent from sample to sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm

from oofpy.fitting.dish_images import mode_covariance
from oofpy.fitting.likelihood import HUBER_THRESHOLD, LIKELIHOODS
from oofpy.fitting.problem import FitProblem
from oofpy.fitting.uncertainty import cramer_rao
from oofpy.optics.half_path import half_path_um
from oofpy.optics.parameter_names import SHAPE_PARAMETERS
from oofpy.optics.zernike import ZernikeTerm
from oofpy.planning.map_size import WIDEST_SPACING_BEAMS
from oofpy.planning.noise_budget import NoiseBudget
from oofpy.planning.situation import Situation
from oofpy.simulation import Grid
from oofpy.surface import WeightedDish

FloatArray = NDArray[np.float64]

# Beyond such errors of a coefficient the maps are no longer linear in it, and a fit does worse than the bound.
_LARGEST_LINEAR_ERROR_RAD = 0.3


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a fit of one order would know after one observation.

    Parameters
    ----------
    order : int
        Highest Zernike order of the fit.
    dz_m : float, metres
        By which the pattern is scaled.
    defocus_m : tuple of float, metres
        Defocus of every map.
    maps : Grid
        Where the samples of every map lie.
    noise : float
        Standard deviation of the noise of a sample over the peak in focus.
    seconds : float or None
        Time of all maps together, where it is known.
    peaks : tuple of float
        Largest sample of every map over the peak in focus.
    path_waves : float
        Path of the map farthest out of focus, peak to valley over the dish, in wavelengths.
    reach_rad : float, radians
        How far the pattern reaches.
    dish : WeightedDish
        Over which phases are averaged; its terms are those of the order.
    coefficients_rad : array, shape (terms,), radians
        Of the dish, at which the errors hold.
    names : tuple of str
        Free parameters.
    covariance : array, shape (free, free)
        Of these, in the units of their names.
    remarks : tuple of str
        What speaks against such an observation; codes of `oofpy.planning.remarks.remark_texts`.
    """

    order: int
    dz_m: float
    defocus_m: tuple[float, ...]
    maps: Grid
    noise: float
    seconds: float | None
    peaks: tuple[float, ...]
    path_waves: float
    reach_rad: float
    dish: WeightedDish
    coefficients_rad: FloatArray
    names: tuple[str, ...]
    covariance: FloatArray
    remarks: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[ZernikeTerm, ...]:
        """Terms of the order."""
        return self.dish.terms

    @property
    def samples(self) -> int:
        """Samples of all maps together."""
        return len(self.defocus_m) * self.maps.points**2

    @cached_property
    def mode_covariance_rad2(self) -> FloatArray:
        """Covariance of the coefficients, zero for those that are held; shape (terms, terms), radians squared."""
        return mode_covariance(self.names, self.covariance, self.terms)

    @property
    def coefficient_errors_rad(self) -> FloatArray:
        """Standard errors of the coefficients, shape (terms,), radians; zero where one is held."""
        return np.asarray(np.sqrt(np.clip(self.mode_covariance_rad2.diagonal(), 0, None)))

    @property
    def coefficient_errors_um(self) -> FloatArray:
        """The same as half-path rms of the term over the full disc, micrometres."""
        norms = np.array([term.norm for term in self.terms])
        return np.asarray(half_path_um(self.coefficient_errors_rad / norms, self.dish.wavelength_m))

    @property
    def surface_error_um(self) -> float:
        """Expected rms over the dish of the error of the surface map, weighted by the illumination, half path.

        The square root of `sum G C`, C the covariance of the coefficients and G that of their terms over the dish.
        """
        return self._micrometres(self.dish.rms_of_errors_rad(self.mode_covariance_rad2))

    @property
    def surface_error_without_focus_um(self) -> float:
        """The same of the surface map without its focus term."""
        covariance = self.mode_covariance_rad2.copy()
        covariance[self._focus], covariance[:, self._focus] = 0.0, 0.0
        return self._micrometres(self.dish.rms_of_errors_rad(covariance))

    @property
    def rms_error_um(self) -> float:
        """Standard error of the rms of the surface; of an ideal dish, the rms that noise alone would show."""
        return self._micrometres(self.dish.rms_error_rad(self.coefficients_rad, self.mode_covariance_rad2))

    @property
    def focus_error_m(self) -> float:
        """Standard error of the focus, as a move of the subreflector in metres."""
        return self.dish.best_focus_m(self.coefficients_rad, self.mode_covariance_rad2)[1]

    @property
    def other_errors(self) -> dict[str, float]:
        """Standard errors of the other free parameters by name: taper, pointing of every map and so on."""
        errors = np.sqrt(np.clip(self.covariance.diagonal(), 0, None))
        labels = {term.label for term in self.terms}
        return {name: float(error) for name, error in zip(self.names, errors, strict=True) if name not in labels}

    @property
    def _focus(self) -> int:
        return next(place for place, term in enumerate(self.terms) if (term.n, term.l) == (2, 0))

    def _micrometres(self, phase_rad: float) -> float:
        return half_path_um(phase_rad, self.dish.wavelength_m)


@lru_cache(maxsize=8)
def error_factor(likelihood: str) -> float:
    """How much larger than the Cramer-Rao bound the errors of a robust likelihood are where the noise is Gaussian.

    `s sqrt(E psi(z)^2) / E psi'(z)`, s the fitted scale over the standard deviation of the noise, z the noise over that
    scale (Huber, Robust Statistics, 1981, 3.2).

    Parameters
    ----------
    likelihood : str
        Of a fit.

    Returns
    -------
    float
        1 for "gaussian".
    """
    chosen = LIKELIHOODS[likelihood]

    def moment(of_z: str) -> float:
        def density(x: float) -> float:
            z = torch.tensor(x / chosen.gaussian_scale, dtype=torch.float64)
            value = chosen.slope(z) if of_z == "slope" else (chosen.weight(z) * z).square()
            return float(value) * float(norm.pdf(x))

        # Huber's slope has a step, which the quadrature must know of.
        return 2 * float(quad(density, 0, 12, limit=200, points=_steps(likelihood))[0])

    return math.sqrt(moment("psi squared")) * chosen.gaussian_scale / moment("slope")


def _steps(likelihood: str) -> list[float] | None:
    return [HUBER_THRESHOLD * LIKELIHOODS["huber"].gaussian_scale] if likelihood == "huber" else None


def predict(
    situation: Situation, dz_m: float, maps: Grid, budget: NoiseBudget, orders: tuple[int, ...] | None = None
) -> tuple[Prediction, ...]:
    """Predict the errors of an observation.

    Parameters
    ----------
    situation : Situation
    dz_m : float, metres
        By which the pattern of the situation is scaled.
    maps : Grid
        Where the samples of every map lie.
    budget : NoiseBudget
        How noisy they are.
    orders : tuple of int, optional
        Of the orders of the situation; by default all.

    Returns
    -------
    tuple of Prediction
        One an order.

    Raises
    ------
    InputError
        If the maps have too few samples, or the model would be too large.
    ConfigurationError
        If a rule of the settings is wrong.
    """
    defocus_m = situation.defocus_m(dz_m)
    problem = situation.problem(defocus_m, maps)
    point = torch.as_tensor(problem.parameters.start.copy())[None]
    point[:, problem.model.layout.slice_of("modes")] = torch.as_tensor(situation.coefficients_rad)
    point = point.to(problem.start.device)
    peaks = problem.model(point).maps.abs().amax(-1)[0].cpu().numpy() / situation.peak_in_focus
    noise = budget.sample_noise(len(defocus_m) * maps.points**2)
    made = []
    for order in situation.orders if orders is None else orders:
        names, covariance = _covariance(problem, order, point, situation.peak_in_focus, noise)
        prediction = Prediction(
            order=order,
            dz_m=dz_m,
            defocus_m=defocus_m,
            maps=maps,
            noise=noise,
            seconds=budget.seconds(len(defocus_m) * maps.points**2),
            peaks=tuple(peaks.tolist()),
            path_waves=situation.path_waves(dz_m),
            reach_rad=situation.reach_rad(dz_m),
            dish=_dish(situation, problem, point, order),
            coefficients_rad=situation.coefficients_rad[problem.orders <= order],
            names=names,
            covariance=covariance,
        )
        made.append(_with_remarks(prediction, situation))
    return tuple(made)


def _covariance(
    problem: FitProblem, order: int, point: torch.Tensor, peak_in_focus: float, noise: float
) -> tuple[tuple[str, ...], FloatArray]:
    """Names of the free parameters of a fit of an order, and their covariance."""
    parameters = problem.at_order(order)
    gain = torch.full_like(problem.model.defocus_m, 1 / peak_in_focus)
    spread = torch.full_like(gain, noise * error_factor(problem.settings.likelihood))
    free = parameters.for_solver(point.device)
    covariance = cramer_rao(problem.model, point, gain, spread, problem.data, free)
    return parameters.free_names, covariance[0].cpu().numpy()


def _dish(situation: Situation, problem: FitProblem, point: torch.Tensor, order: int) -> WeightedDish:
    layout = problem.model.layout
    shape = tuple(float(point[0, layout.slice_of(name)][0]) for name in SHAPE_PARAMETERS)
    terms = tuple(term for term in situation.terms if term.n <= order)
    return WeightedDish(situation.telescope, shape, terms, situation.wavelength_m, situation.observing.applied)


def _with_remarks(prediction: Prediction, situation: Situation) -> Prediction:
    limits = situation.settings.limits
    beam = situation.beam_rad
    found = {
        "small-map": prediction.maps.half_width_rad < prediction.reach_rad,
        "undersampled": prediction.maps.spacing_rad > WIDEST_SPACING_BEAMS * beam * (1 + 1e-9),
        "low-signal": min(prediction.peaks) < limits.least_signal_to_noise * prediction.noise,
        "defocus-range": not limits.least_defocus_waves <= prediction.path_waves <= limits.most_defocus_waves,
        "not-linear": float(prediction.coefficient_errors_rad.max()) > _LARGEST_LINEAR_ERROR_RAD,
    }
    return replace(prediction, remarks=tuple(code for code, raised in found.items() if raised))
