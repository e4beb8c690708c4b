"""Coefficients of many observations of one dish, and what is known of each of them beside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import InputError, UsageError
from oofpy.fitting.result import FitResult, OrderFit
from oofpy.gravity.model import gravity_terms
from oofpy.optics.half_path import half_path_um
from oofpy.optics.zernike import ZernikeTerm

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

FEWEST_OBSERVATIONS = 4
# Singular values of sin(el), cos(el), 1 over the observations, largest over smallest: 20 to 85 deg gives about 40.
# Beyond this limit, a range of some 13 deg, A, B and C are known a thousand times worse than the coefficients.
_LARGEST_CONDITION = 1000.0
_SAME_WAVELENGTH = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class ElevationSample:
    """Coefficients of one observation.

    Parameters
    ----------
    name : str
        Of the observation.
    telescope : str
    dish_radius_m : float, metres
    elevation_rad : float or None, radians
    wavelength_m : float, metres
    terms : tuple of ZernikeTerm
        That were fitted; those held fixed say nothing of the dish.
    values_um : array, shape (terms,), micrometres
        Half-path errors, > 0 for metal below the ideal surface, of the dish WITHOUT the correction that was on it.
    covariance_um2 : array, shape (terms, terms), micrometres squared
    date_utc : str or None
        ISO 8601, with or without a time.
    object_name : str or None
    temperature_k : float or None, kelvin
    hour_angle_rad : float or None, radians
    """

    name: str
    telescope: str
    dish_radius_m: float
    elevation_rad: float | None
    wavelength_m: float
    terms: tuple[ZernikeTerm, ...]
    values_um: FloatArray
    covariance_um2: FloatArray
    date_utc: str | None = None
    object_name: str | None = None
    temperature_k: float | None = None
    hour_angle_rad: float | None = None

    @classmethod
    def from_result(
        cls,
        result: FitResult,
        order: int | None = None,
        *,
        name: str | None = None,
        temperature_k: float | None = None,
        hour_angle_rad: float | None = None,
    ) -> ElevationSample:
        """Take the coefficients out of a result.

        A fit models the dish's own phase minus the correction that was on it (`observing.applied`): its coefficients
        are those of the dish without the correction, so that nothing is left to add back.

        Parameters
        ----------
        result : FitResult
        order : int, optional
            Of the ladder; that which was chosen by default.
        name : str, optional
            Another than that of the observation, where names are not unique.
        temperature_k : float, kelvin, optional
            Of the structure or the air, as the caller knows it.
        hour_angle_rad : float, radians, optional

        Returns
        -------
        ElevationSample

        Raises
        ------
        InputError
            If the result has no fit of that order, or its coefficients or their covariance are not finite.
        """
        fit = _fit_at(result, order, name or result.name)
        free = [coefficient for coefficient in fit.coefficients if coefficient.free]
        places = [fit.covariance_names.index(f"Z({one.n},{one.l})") for one in free]
        scale = half_path_um(1.0, result.wavelength_m)
        values = np.array([one.phase_rad for one in free]) * scale
        covariance = fit.covariance[np.ix_(places, places)] * scale**2
        if not (np.isfinite(values).all() and np.isfinite(covariance).all() and (np.diag(covariance) > 0).all()):
            raise InputError(
                "the coefficients or their errors are not known",
                key="observation",
                value=name or result.name,
                remedy="leave the observation out",
            )
        return cls(
            name=name or result.name,
            telescope=result.telescope.name,
            dish_radius_m=result.telescope.geometry.dish_radius_m,
            elevation_rad=result.elevation_rad,
            wavelength_m=result.wavelength_m,
            terms=tuple(ZernikeTerm(one.n, one.l) for one in free),
            values_um=values,
            covariance_um2=covariance,
            date_utc=result.date,
            object_name=result.object_name,
            temperature_k=temperature_k,
            hour_angle_rad=hour_angle_rad,
        )


def _fit_at(result: FitResult, order: int | None, name: str) -> OrderFit:
    if order is None:
        return result.fit
    for fit in result.orders:
        if fit.order == order:
            return fit
    raise InputError(
        f"the observation {name} was not fitted at this order",
        key="--order",
        value=order,
        remedy=f"choose one of {', '.join(str(fit.order) for fit in result.orders)}, or fit it again",
    )


@dataclass(frozen=True, slots=True, eq=False)
class CoefficientSeries:
    """Coefficients of observations of one dish side by side; what an observation does not have is NaN.

    Parameters
    ----------
    samples : tuple of ElevationSample
        With elevations that can determine the model.
    terms : tuple of ZernikeTerm
        Those that enough observations have, in OSA/ANSI order.
    """

    samples: tuple[ElevationSample, ...]
    terms: tuple[ZernikeTerm, ...]

    @classmethod
    def of(cls, samples: Sequence[ElevationSample]) -> CoefficientSeries:
        """Put observations side by side.

        Parameters
        ----------
        samples : sequence of ElevationSample
            Of one dish, every one with its elevation.

        Returns
        -------
        CoefficientSeries

        Raises
        ------
        UsageError
            With fewer than four observations, of more than one telescope, or of elevations that cannot determine
            three terms.
        InputError
            If the elevation of one is not known.
        """
        _require_one_dish(samples)
        for sample in samples:
            if sample.elevation_rad is None or not 0 <= sample.elevation_rad <= math.pi / 2:
                raise InputError(
                    "the observation has no elevation from 0 to 90 deg",
                    key="elevation",
                    value=f"{sample.elevation_rad} rad in {sample.name}",
                    remedy="leave it out, or fit it again with its elevation (MEANEL, or elevation in a TOML file)",
                )
        require_elevations(np.array([sample.elevation_rad for sample in samples], np.float64))
        known = sorted({term for sample in samples for term in sample.terms}, key=lambda term: term.osa_index)
        enough = tuple(term for term in known if sum(term in sample.terms for sample in samples) >= FEWEST_OBSERVATIONS)
        if not enough:
            raise UsageError(
                "no coefficient was fitted in four observations or more",
                key="RESULTS",
                value=len(samples),
                remedy="fit them at one order",
            )
        for term in enough:
            have = [sample.elevation_rad for sample in samples if term in sample.terms]
            require_elevations(np.array(have, np.float64), f" of {term.label}")
        return cls(tuple(samples), enough)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the observations."""
        return tuple(sample.name for sample in self.samples)

    @property
    def elevation_rad(self) -> FloatArray:
        """Elevations, shape (observations,), radians."""
        return np.array([sample.elevation_rad for sample in self.samples], np.float64)

    @property
    def wavelength_m(self) -> float | None:
        """Wavelength that the observations have in common, to a thousandth, metres; None where they differ."""
        known = np.array([sample.wavelength_m for sample in self.samples], np.float64)
        middle = float(np.median(known))
        return middle if np.abs(known / middle - 1).max() < _SAME_WAVELENGTH else None

    @property
    def design(self) -> FloatArray:
        """What A, B and C are multiplied with in every observation, shape (observations, 3)."""
        return gravity_terms(self.elevation_rad)

    @property
    def values_um(self) -> FloatArray:
        """Coefficients, shape (observations, terms), micrometres; NaN where one was not fitted."""
        values = np.full((len(self.samples), len(self.terms)), np.nan)
        for row, sample in zip(values, self.samples, strict=True):
            mine, own = self._places(sample)
            row[mine] = sample.values_um[own]
        return values

    @property
    def covariances_um2(self) -> FloatArray:
        """Their covariances, shape (observations, terms, terms), micrometres squared; NaN where one was not fitted."""
        count = len(self.terms)
        covariances = np.full((len(self.samples), count, count), np.nan)
        for matrix, sample in zip(covariances, self.samples, strict=True):
            mine, own = self._places(sample)
            matrix[np.ix_(mine, mine)] = sample.covariance_um2[np.ix_(own, own)]
        return covariances

    def _places(self, sample: ElevationSample) -> tuple[list[int], list[int]]:
        """Places of an observation's terms here, and in the observation."""
        mine = [place for place, term in enumerate(self.terms) if term in sample.terms]
        return mine, [sample.terms.index(self.terms[place]) for place in mine]


def _require_one_dish(samples: Sequence[ElevationSample]) -> None:
    _require_enough(len(samples))
    dishes = sorted({(sample.telescope, float(f"{sample.dish_radius_m:.6g}")) for sample in samples})
    if len(dishes) > 1:
        raise UsageError(
            "the observations are of more than one telescope",
            key="--telescope",
            value=", ".join(f"{name} (radius {radius:g} m)" for name, radius in dishes),
            remedy="choose one",
        )


def _require_enough(count: int) -> None:
    if count < FEWEST_OBSERVATIONS:
        raise UsageError(
            "A, B and C and their errors need four observations or more",
            key="RESULTS",
            value=count,
            remedy="give more, at elevations far apart",
        )


def require_elevations(elevation_rad: FloatArray, whose: str = "") -> None:
    """Refuse elevations from which three terms cannot be told apart.

    Parameters
    ----------
    elevation_rad : array, radians
    whose : str
        For the message, after a space.

    Raises
    ------
    UsageError
        With fewer than four, or where they lie too close together.
    """
    _require_enough(elevation_rad.size)
    singular = np.linalg.svd(gravity_terms(elevation_rad), compute_uv=False)
    condition = singular[0] / singular[-1] if singular[-1] > 0 else math.inf
    if condition <= _LARGEST_CONDITION:
        return
    low, high = np.degrees([elevation_rad.min(), elevation_rad.max()])
    raise UsageError(
        f"from these elevations{whose} sin(el), cos(el) and a constant cannot be told apart (condition "
        + (f"{condition:.3g}" if condition < 1e12 else "without limit")
        + f", at most {_LARGEST_CONDITION:g})",
        key="elevation",
        value=f"{low:.1f} to {high:.1f} deg in {elevation_rad.size} observations",
        remedy="add observations at three or more elevations, farther apart",
    )
