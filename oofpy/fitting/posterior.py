"""What a sampled posterior says of a fit: plain values, as the result is (see `oofpy.fitting.posterior_sampling`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oofpy.fitting.result import FitResult

FloatArray = NDArray[np.float64]

# Wider or narrower than the standard error by more than this, a parameter is worth a word.
LARGEST_RATIO = 1.2


@dataclass(frozen=True, slots=True)
class ParameterPosterior:
    """What the posterior says of one parameter, and what the fit said.

    Parameters
    ----------
    name : str
        As in `OrderFit.covariance_names`; or `rms_um`, `best_focus_m`, which follow from the coefficients.
    unit : str
        `rad`, `dB`, `m`, `um` or empty.
    fitted, error : float
        Value and standard error of the fit.
    mean, standard_deviation : float
        Of the posterior.
    lower, median, upper : float
        16, 50 and 84 % of the posterior lie below.
    effective_samples, split_r_hat : float
        How well the walkers know it; NaN for what follows from the coefficients.
    """

    name: str
    unit: str
    fitted: float
    error: float
    mean: float
    standard_deviation: float
    lower: float
    median: float
    upper: float
    effective_samples: float
    split_r_hat: float

    @property
    def ratio(self) -> float:
        """Standard deviation of the posterior over the standard error of the fit; NaN without an error."""
        return self.standard_deviation / self.error if self.error > 0 else float("nan")

    @property
    def shift(self) -> float:
        """Median of the posterior minus the fitted value, in standard errors; NaN without an error."""
        return (self.median - self.fitted) / self.error if self.error > 0 else float("nan")

    @property
    def differs(self) -> bool:
        """Whether the posterior is wider or narrower than the error by more than `LARGEST_RATIO`."""
        return not 1 / LARGEST_RATIO <= self.ratio <= LARGEST_RATIO


@dataclass(frozen=True, slots=True, eq=False)
class FitPosterior:
    """The sampled posterior of one fit.

    Parameters
    ----------
    name : str
        Of the observation.
    order : int
        Of the fit.
    parameters : tuple of ParameterPosterior
        The free ones, in the order of `OrderFit.covariance_names`.
    derived : tuple of ParameterPosterior
        Weighted half-path rms of the surface and focus error, the illumination held as fitted.
    samples : array, shape (samples, parameters)
        A part of the samples, evenly over the walk, in the unit of each parameter.
    log_posterior : array, shape (samples,)
        Its logarithm at each, above that of the fit.
    covariance : array, shape (parameters, parameters)
        Of all samples.
    combination_ratios : (float, float)
        Standard deviation over standard error in the combination of parameters in which this is least, and in which it
        is most: the error of one parameter may hold where the covariance of all does not.
    correlation_samples : tuple of float
        Of every map: neighbouring samples whose residuals move together.
    likelihood_share : float
        What the log-likelihood was multiplied by, so that it counts such samples as one and is as wide as the scatter
        of the fit where the noise is not as the likelihood says; 1 where neither matters.
    walkers, steps : int
        Of the walk; the warm-up is not in it.
    acceptance_fraction : float
    status : str
        `converged` or `not-converged`.
    advice : str
        What to do about it.
    seed : int
    seconds : float
        Wall time.
    """

    name: str
    order: int
    parameters: tuple[ParameterPosterior, ...]
    derived: tuple[ParameterPosterior, ...]
    samples: FloatArray
    log_posterior: FloatArray
    covariance: FloatArray
    combination_ratios: tuple[float, float]
    correlation_samples: tuple[float, ...]
    likelihood_share: float
    walkers: int
    steps: int
    acceptance_fraction: float
    status: str
    advice: str
    seed: int
    seconds: float

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of `samples`."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def differing(self) -> tuple[str, ...]:
        """Names of the parameters of which posterior and error differ."""
        return tuple(parameter.name for parameter in self.parameters if parameter.differs)

    @property
    def fewest_effective_samples(self) -> float:
        """Effective samples of the parameter that has the fewest."""
        return min((parameter.effective_samples for parameter in self.parameters), default=0.0)

    def belongs_to(self, result: FitResult) -> bool:
        """Whether this is the posterior of a result: the same parameters, fitted to the same values."""
        values = fitted_values(result)
        return (
            self.order == result.chosen_order
            and self.names == result.fit.covariance_names
            and all(values[parameter.name] == parameter.fitted for parameter in self.parameters)
        )


def fitted_values(result: FitResult) -> dict[str, float]:
    """Values of all parameters of a result by name, in the order of the fit.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    dict of str to float
    """
    values = {f"Z({c.n},{c.l})": c.phase_rad for c in result.fit.coefficients}
    return values | {parameter.name: parameter.value for parameter in result.fit.parameters}
