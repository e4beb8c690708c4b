"""What is to be corrected: the surface of a dish at one elevation, from a result or from a model of gravity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import UsageError
from oofpy.fitting.result import FitResult
from oofpy.observation import SourceFile
from oofpy.observing import AppliedCorrection
from oofpy.optics.half_path import half_path_um
from oofpy.optics.parameter_names import SHAPE_PARAMETERS
from oofpy.optics.zernike import ZernikeTerm
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]

_SAME_RADIUS = 1e-6
# At which phases are counted where no wavelength is known; the half-path errors do not depend on it.
_ANY_WAVELENGTH_M = 1e-2


class ElevationModel(Protocol):
    """A surface against elevation, such as `oofpy.gravity.GravityModel`."""

    @property
    def telescope(self) -> str:
        """Name of the telescope."""

    @property
    def dish_radius_m(self) -> float:
        """Where the polynomials are 1, metres."""

    @property
    def wavelength_m(self) -> float | None:
        """Wavelength that all observations have in common, metres; None where they differ or it is not known."""

    @property
    def terms(self) -> tuple[ZernikeTerm, ...]:
        """Terms of the surface."""

    @property
    def elevation_range_rad(self) -> tuple[float, float]:
        """Lowest and highest elevation that was observed, radians."""

    def coefficients_um(self, elevation_rad: float) -> tuple[FloatArray, FloatArray]:
        """Coefficients of the surface at an elevation and their covariance, micrometres of half-path error."""


@dataclass(frozen=True, eq=False)
class DishSurface:
    """The surface of a dish at one elevation.

    Parameters
    ----------
    name : str
        Of the observation or the model.
    telescope : Telescope
        Whose dish.
    shape : tuple of float
        Illumination: values of `SHAPE_PARAMETERS`.
    terms : tuple of ZernikeTerm
        Of the surface; orders 0 and 1 are never among them.
    values_um : array, shape (terms,), micrometres
        Half-path errors, positive for metal below the ideal surface, of the dish without `applied`.
    covariance_um2 : array, shape (terms, terms), micrometres squared
        Of the values.
    wavelength_m : float, metres, or None
        Of the observation, or that which all observations of a model have in common; None where there is none.
    elevation_rad : float, radians, or None
        None where it is unknown.
    applied : AppliedCorrection, optional
        Correction that is on the dish. What it does not take away is what is left to be corrected.
    """

    name: str
    telescope: Telescope
    shape: tuple[float, ...]
    terms: tuple[ZernikeTerm, ...]
    values_um: FloatArray
    covariance_um2: FloatArray
    wavelength_m: float | None = None
    elevation_rad: float | None = None
    applied: AppliedCorrection | None = None

    @property
    def phase_wavelength_m(self) -> float:
        """Wavelength at which phases are counted, metres: that of the surface, or any where it has none."""
        return self.wavelength_m or _ANY_WAVELENGTH_M


@dataclass(frozen=True, eq=False)
class CorrectionSource:
    """Surfaces of one dish, one for each elevation, and where they come from.

    Parameters
    ----------
    surfaces : tuple of DishSurface
        In the order in which elevations were asked for.
    file : SourceFile
        What they were read from.
    notes : tuple of str
        What has to be known to use them.
    of_gravity : bool
        Whether they come from a model against elevation.
    doubtful : bool
        Whether the verdict on the fit asks somebody to look at it first.
    """

    surfaces: tuple[DishSurface, ...]
    file: SourceFile
    notes: tuple[str, ...] = ()
    of_gravity: bool = False
    doubtful: bool = False

    @property
    def telescope(self) -> Telescope:
        """The telescope of all of them."""
        return self.surfaces[0].telescope


def source_of_result(result: FitResult, file: SourceFile) -> CorrectionSource:
    """Take the surface of a result, at its chosen order.

    Parameters
    ----------
    result : FitResult
        Of any verdict: whether it is fit for use is the caller's to judge.
    file : SourceFile
        What it was read from.

    Returns
    -------
    CorrectionSource
    """
    fit = result.fit
    um_per_rad = half_path_um(1.0, result.wavelength_m)
    rows = {name: row for row, name in enumerate(fit.covariance_names)}
    covariance = np.zeros((len(fit.coefficients), len(fit.coefficients)))
    terms = tuple(ZernikeTerm(one.n, one.l) for one in fit.coefficients)
    free = [place for place, term in enumerate(terms) if term.label in rows]
    chosen = [rows[terms[place].label] for place in free]
    covariance[np.ix_(free, free)] = fit.covariance[np.ix_(chosen, chosen)] * um_per_rad**2
    surface = DishSurface(
        name=result.name,
        telescope=result.telescope,
        shape=result.illumination_shape,
        terms=terms,
        values_um=np.array([one.phase_rad for one in fit.coefficients]) * um_per_rad,
        covariance_um2=covariance,
        wavelength_m=result.wavelength_m,
        elevation_rad=result.elevation_rad,
        applied=result.observing.applied,
    )
    notes = []
    if result.verdict != "accept":
        notes.append(f"the verdict on the result is {result.verdict} ({', '.join(result.serious_codes)})")
    if result.observing.applied is not None:
        origin = result.observing.applied.origin or "a correction"
        notes.append(f"it was observed with a correction on the dish ({origin}): the increment comes on top of it")
    return CorrectionSource((surface,), file, tuple(notes), doubtful=result.verdict != "accept")


def source_of_model(
    model: ElevationModel, telescope: Telescope, elevations_rad: tuple[float, ...], file: SourceFile, name: str
) -> CorrectionSource:
    """Take the surface of a model at elevations.

    Parameters
    ----------
    model : ElevationModel
        Such as a gravity model.
    telescope : Telescope
        Its telescope, with the illumination for which efficiencies are predicted.
    elevations_rad : tuple of float, radians
        One or more.
    file : SourceFile
        What it was read from.
    name : str
        What to call it.

    Returns
    -------
    CorrectionSource

    Raises
    ------
    UsageError
        If the dish is not that of the model, or an elevation is not from 0 to 90 deg.
    """
    radius = telescope.geometry.dish_radius_m
    if not math.isclose(radius, model.dish_radius_m, rel_tol=_SAME_RADIUS):
        raise UsageError(
            f"its dish has a radius of {radius:.6g} m, that of the model {model.dish_radius_m:.6g} m",
            key="--telescope",
            value=telescope.name,
            remedy="give the telescope that was observed",
        )
    surfaces = []
    for elevation in elevations_rad:
        values, covariance = model.coefficients_um(elevation)
        kept = [place for place, term in enumerate(model.terms) if term.n > 1]
        surfaces.append(
            DishSurface(
                name=name,
                telescope=telescope,
                shape=_nominal_shape(telescope),
                terms=tuple(model.terms[place] for place in kept),
                values_um=values[kept],
                covariance_um2=covariance[np.ix_(kept, kept)],
                wavelength_m=model.wavelength_m,
                elevation_rad=elevation,
            )
        )
    low, high = model.elevation_range_rad
    beyond = [f"{math.degrees(one):.4g}" for one in elevations_rad if not low - 1e-6 <= one <= high + 1e-6]
    notes = [
        f"the model rests on observations from {math.degrees(low):.4g} to {math.degrees(high):.4g} deg: "
        f"at {', '.join(beyond)} deg it extrapolates"
    ]
    if telescope.name != model.telescope:
        notes.append(f"the model is of the telescope {model.telescope}, used is {telescope.name}")
    return CorrectionSource(tuple(surfaces), file, tuple(notes[0 if beyond else 1 :]), of_gravity=True)


def _nominal_shape(telescope: Telescope) -> tuple[float, ...]:
    """Give the illumination of a telescope as its file has it."""
    nominal = {"edge_taper_db": telescope.illumination.edge_taper_db}
    return tuple(nominal.get(name, 0.0) for name in SHAPE_PARAMETERS)
