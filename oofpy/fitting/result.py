"""The result of a fit: plain values that whatever comes after it consumes and never computes again."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from oofpy.fitting.settings import FitSettings
from oofpy.fitting.status import FitStatus
from oofpy.flag_kinds import Level
from oofpy.flags import Flag, verdict
from oofpy.observation import SourceFile
from oofpy.observing import Observing
from oofpy.optics.half_path import half_path_um
from oofpy.optics.parameter_names import SHAPE_PARAMETERS
from oofpy.optics.zernike import ZernikeTerm
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]

_DARK = 0.01

# Below this part of the full weight the likelihood hardly listens to a sample.
LOW_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One coefficient of the phase.

    Parameters
    ----------
    n, l : int
        Radial order and azimuthal number of the Zernike term (Born & Wolf, not normalised, l < 0 sine).
    name : str
        `Z(n,l)`, followed by the aberration's common name where it has one.
    phase_rad, phase_rad_error : float, radians
        Value, positive for a longer path, and standard error; the error is zero where the coefficient was held.
    free : bool
        Whether it was fitted.
    at_bound : bool
        Whether the fit pressed it against a bound.
    """

    n: int
    l: int
    name: str
    phase_rad: float
    phase_rad_error: float
    free: bool = True
    at_bound: bool = False

    def surface_rms_um(self, wavelength_m: float) -> float:
        """Half-path rms in micrometres of the term over the full disc, at the wavelength (metres) of the phase."""
        return half_path_um(abs(self.phase_rad) / ZernikeTerm(self.n, self.l).norm, wavelength_m)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter other than the coefficients.

    Parameters
    ----------
    name : str
        For example `edge_taper_db` or `pointing_u_rad[2]`; the number of the map counts from 1.
    value : float
        In `unit`.
    error : float or None
        Standard error; None where it is fixed.
    unit : str
        `dB`, `rad`, `m` or empty.
    free : bool
        Whether it was fitted.
    at_bound : bool
        Whether the fit pressed it against a bound.
    """

    name: str
    value: float
    error: float | None
    unit: str
    free: bool
    at_bound: bool = False


@dataclass(frozen=True, slots=True)
class SurfaceSummary:
    """The surface in a few numbers.

    The surface is that of the dish without any correction that was on it. Efficiency and focus are those of the dish
    as it was observed, the correction included.

    Parameters
    ----------
    rms_um, rms_um_error : float, micrometres
        Half-path error over the unblocked dish weighted by the illumination, orders n <= 1 removed, focus kept;
        and its standard error.
    rms_unweighted_um, rms_without_focus_um : float, micrometres
        The same without weighting; weighted, with the coefficient of Z(2,0) left out.
    rms_as_observed_um : float, micrometres
        As `rms_um`, of the dish with the correction that was on it while it was observed; the same as `rms_um` where
        there was none.
    ruze_efficiency, exact_efficiency : float
        Ruze's exp(-(4 pi rms / lambda)^2), and |sum A exp(i phi)|^2 / (sum A)^2.
    best_focus_m, best_focus_m_error : float, metres
        The dz whose path comes closest to the phase (least weighted rms of `phi - k delta(dz)`), and its standard
        error: the subreflector acts as if it stood this far out of focus, and a move by minus this corrects it.
    """

    rms_um: float
    rms_um_error: float
    rms_unweighted_um: float
    rms_without_focus_um: float
    rms_as_observed_um: float
    ruze_efficiency: float
    exact_efficiency: float
    best_focus_m: float
    best_focus_m_error: float


@dataclass(frozen=True, slots=True)
class MapFit:
    """What the fit says of one map.

    Parameters
    ----------
    dz_m : float, metres
        Nominal defocus, positive away from the primary.
    gain : float
        Peak of the unaberrated beam in map units.
    background : float
        Map units, at (u, v) = (0, 0).
    background_slope_per_rad : (float, float)
        Slope along u and v, map units per radian; zero where not fitted.
    pointing_rad : (float, float), radians
        Where the unaberrated beam peaks, (u, v).
    noise : float
        Fitted scale of the likelihood in map units, for a sample of the map's median error.
    border_noise : float
        Robust standard deviation of the residuals at the map's border, where there is hardly any source, map units, for
        a sample of the map's median error.
    samples, masked : int
        Samples used and left out.
    residual_rms_over_peak : float
        Rms of data minus model over all unmasked samples, unweighted, over the range of the observed samples.
    correlation_samples : float
        Number of neighbouring samples whose residuals move together; 1 for independent noise.
    beam_scale_correlation : float
        Mean correlation of residuals half a beam to a beam, lambda/D, apart: the part of them that looks like a beam
        rather than like noise; 0 for independent noise.
    down_weighted_fraction : float
        Fraction of the samples to which the likelihood gave less than a tenth of the full weight.
    bright_weight : float
        Mean weight it gave the samples where the model is brighter than half its peak, 1 being the full weight.
    """

    dz_m: float
    gain: float
    background: float
    background_slope_per_rad: tuple[float, float]
    pointing_rad: tuple[float, float]
    noise: float
    border_noise: float
    samples: int
    masked: int
    residual_rms_over_peak: float
    correlation_samples: float
    beam_scale_correlation: float
    down_weighted_fraction: float
    bright_weight: float


@dataclass(frozen=True, slots=True, eq=False)
class OrderFit:
    """The fit at one order of the ladder.

    Parameters
    ----------
    order : int
        Highest Zernike order.
    coefficients : tuple of Coefficient
        Orders 2 to `order`; order 1 is the pointing, order 0 unobservable.
    parameters : tuple of Parameter
        All others, free and fixed.
    covariance_names : tuple of str
        Names of the rows and columns of `covariance`: `Z(n,l)` and parameter names, the free ones.
    covariance : array, shape (free, free)
        Covariance of the free parameters, correlation of the residuals included.
    maps : tuple of MapFit
    surface : SurfaceSummary
    status : FitStatus
    start : str
        The start that won: `zero`, `order below`, ...
    cost : float
        Minus the log-likelihood with the priors, samples in units of each map's range.
    bic : float
        Bayesian information criterion. In a result all orders are counted in the effective samples of the highest that
        converged, so that they compare; see `with_common_count`.
    effective_samples : float
        Samples over the correlation of their residuals.
    reduced_chi2 : float
        Mean square of the fitted noise (as a Gaussian standard deviation) over the noise at the border, corrected for
        the number of parameters.
    evaluations : int
        Evaluations of the model over all starts of this order.
    seconds : float
        Wall time of this order.
    rival_log_likelihood : float
        By how much the log-likelihood of the other start lies below this one's, in effective samples; NaN with one
        start.
    rival_distance_rad : float, radians
        Largest difference of a coefficient between the two; NaN with one start.
    left_out : int
        Number of the map that did not take part, counted from 1; 0 where all did.
    """

    order: int
    coefficients: tuple[Coefficient, ...]
    parameters: tuple[Parameter, ...]
    covariance_names: tuple[str, ...]
    covariance: FloatArray
    maps: tuple[MapFit, ...]
    surface: SurfaceSummary
    status: FitStatus
    start: str
    cost: float
    bic: float
    effective_samples: float
    reduced_chi2: float
    evaluations: int
    seconds: float
    rival_log_likelihood: float = float("nan")
    rival_distance_rad: float = float("nan")
    left_out: int = 0

    @property
    def maps_in_focus(self) -> tuple[int, ...]:
        """Places in `maps` of the one nearest to focus, or of those that are equally near."""
        nearest = min(abs(fitted.dz_m) for fitted in self.maps)
        return tuple(place for place, fitted in enumerate(self.maps) if abs(fitted.dz_m) == nearest)

    @property
    def pointing_in_focus_rad(self) -> tuple[float, float]:
        """Where (u, v) the unaberrated beam peaks in focus: the mean of `maps_in_focus`.

        A move out of focus may take the beam along, by different amounts to either side, so that a mean over all maps
        would stand for no state of the telescope.
        """
        u, v = np.mean([self.maps[place].pointing_rad for place in self.maps_in_focus], axis=0)
        return float(u), float(v)

    @property
    def correlation(self) -> FloatArray:
        """Correlations of the free parameters, shape (free, free)."""
        sigma = np.sqrt(np.clip(np.diag(self.covariance), 1e-300, None))
        return np.asarray(self.covariance / np.outer(sigma, sigma))

    @property
    def condition_number(self) -> float:
        """Largest over smallest eigenvalue of `correlation`; 1 where every parameter is told from the others."""
        if not self.covariance_names:
            return 1.0
        if not np.isfinite(self.covariance).all():
            return float("inf")
        values = np.linalg.eigvalsh(self.correlation)
        return float(values[-1] / values[0]) if values[0] > 0 else float("inf")

    def degenerate_pairs(self, least: float) -> tuple[tuple[str, str, float], ...]:
        """Pairs of parameters whose correlation is at least so large in size, and the correlation; the worst first."""
        correlation = self.correlation
        first, second = np.nonzero(np.triu(np.abs(correlation) >= least, 1))
        names = self.covariance_names
        pairs = [(names[i], names[j], float(correlation[i, j])) for i, j in zip(first, second, strict=True)]
        return tuple(sorted(pairs, key=lambda pair: -abs(pair[2])))


@dataclass(frozen=True, slots=True, eq=False)
class MapArrays:
    """One map as it went into the fit and came out, at the chosen order.

    Parameters
    ----------
    label : str
        Name of the map in its file.
    u_rad, v_rad : array, shape (samples,), radians
        Directions of all samples, masked ones included, in the convention of the model.
    observed, model : array, shape (samples,)
        Map units; the model includes gain and background. Unobserved samples are NaN in `observed`.
    relative_error : array, shape (samples,)
        Errors that were given, in units of their median in the map; one where none were. NaN for masked samples.
    weight : array, shape (samples,)
        Weight the likelihood gave each sample, relative to a sample that fits perfectly; 0 for masked ones.
    signal_to_noise : float
        Peak over the scatter at the border of the map, before any model; infinite without noise.
    """

    label: str
    u_rad: FloatArray
    v_rad: FloatArray
    observed: FloatArray
    model: FloatArray
    relative_error: FloatArray
    weight: FloatArray
    signal_to_noise: float

    @property
    def residual(self) -> FloatArray:
        """Data minus model, map units."""
        return self.observed - self.model


@dataclass(frozen=True, slots=True, eq=False)
class ApertureImages:
    """Images over the dish at the chosen order, as (y, x), seen from behind the dish looking at the sky.

    Parameters
    ----------
    axis_m : array, shape (pixels,), metres
        Pixel centres along x and along y.
    phase_rad : array, shape (pixels, pixels), radians
        Orders 2 and up, without pointing and defocus, positive for a longer path; NaN off the dish.
    surface_um : array, micrometres
        Half-path error of the same, positive for metal below the ideal surface; NaN off the dish.
    surface_error_um : array, micrometres
        Standard error of `surface_um`.
    amplitude : array
        Field amplitude, 1 at the centre of the illumination, 0 where blocked and off the dish.
    applied_um : array, micrometres
        Half-path error that the correction on the dish took away while it was observed, its orders 0 and 1 left out:
        the dish then had `surface_um - applied_um`. Zero without one; NaN off the dish.
    """

    axis_m: FloatArray
    phase_rad: FloatArray
    surface_um: FloatArray
    surface_error_um: FloatArray
    amplitude: FloatArray
    applied_um: FloatArray

    @property
    def lit(self) -> NDArray[np.bool_]:
        """Pixels that send a field: the maps say nothing of those below a hundredth of the largest."""
        return np.asarray(self.amplitude > _DARK * float(np.nanmax(self.amplitude, initial=0.0)))


@dataclass(frozen=True, slots=True, eq=False)
class FitResult:
    """One fitted observation.

    Parameters
    ----------
    name : str
        Of the observation.
    wavelength_m : float, metres
    elevation_rad : float or None, radians
    object_name, date : str or None
    sources : tuple of SourceFile
        Input files and their hashes.
    observing : Observing
        How the maps were taken, directions in the convention of the model. The surface is that of the dish without
        the correction named there.
    telescope : Telescope
        As used, settings applied.
    settings : FitSettings
        As used.
    orders : tuple of OrderFit
        The ladder, lowest order first.
    chosen_order : int
        The order the result stands for.
    left_out_fits : tuple of OrderFit
        Fits of that order without one of the maps each, where they were asked for.
    map_arrays : tuple of MapArrays
    aperture : ApertureImages
    flags : tuple of Flag
        Of the observation and of the fit.
    device, dtype : str
        Where and in which precision it ran.
    versions : mapping of str to str
        Of oofpy and the libraries that matter.
    """

    name: str
    wavelength_m: float
    elevation_rad: float | None
    object_name: str | None
    date: str | None
    sources: tuple[SourceFile, ...]
    observing: Observing
    telescope: Telescope
    settings: FitSettings
    orders: tuple[OrderFit, ...]
    chosen_order: int
    left_out_fits: tuple[OrderFit, ...]
    map_arrays: tuple[MapArrays, ...]
    aperture: ApertureImages
    flags: tuple[Flag, ...]
    device: str
    dtype: str
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def fit(self) -> OrderFit:
        """The fit at the chosen order."""
        return next(fit for fit in self.orders if fit.order == self.chosen_order)

    @property
    def status(self) -> str:
        """`ok`, `flagged` or `failed`."""
        if self.fit.status is FitStatus.NOT_FINITE or any(fitted.gain <= 0 for fitted in self.fit.maps):
            return "failed"
        return "ok" if self.verdict == "accept" else "flagged"

    @property
    def verdict(self) -> str:
        """`accept`, `check` or `reject`: what the weightiest of its flags asks for."""
        level = verdict(self.flags)
        return "accept" if level is Level.NOTE else level.value

    @property
    def serious_codes(self) -> tuple[str, ...]:
        """Codes of the flags that make the verdict what it is, each once, in the order in which they were raised."""
        return tuple(dict.fromkeys(flag.code for flag in self.flags if flag.serious))

    @property
    def illumination_shape(self) -> tuple[float, ...]:
        """Values of `SHAPE_PARAMETERS` at the chosen order; of the telescope where a result does not know them."""
        return illumination_shape(self.fit, self.telescope)

    @property
    def degenerate_pairs(self) -> tuple[tuple[str, str, float], ...]:
        """Pairs of parameters at the chosen order that are hardly told apart; see `OrderFit.degenerate_pairs`."""
        return self.fit.degenerate_pairs(self.settings.limits.least_correlation)


def illumination_shape(fit: OrderFit, telescope: Telescope) -> tuple[float, ...]:
    """Values of `SHAPE_PARAMETERS` of a fit; of the telescope where a fit does not know them."""
    known = {one.name: one.value for one in fit.parameters if math.isfinite(one.value)}
    nominal = {"edge_taper_db": telescope.illumination.edge_taper_db}
    return tuple(known.get(name, nominal.get(name, 0.0)) for name in SHAPE_PARAMETERS)
