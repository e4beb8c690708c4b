"""Images over the dish of a fit, and of a result at another order of its ladder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import UsageError
from oofpy.fitting.result import ApertureImages, FitResult, OrderFit, illumination_shape
from oofpy.observing import AppliedCorrection
from oofpy.optics.half_path import half_path_um
from oofpy.optics.zernike import ZernikeTerm
from oofpy.surface import aperture_images, applied_image
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]


def dish_images(
    fit: OrderFit, telescope: Telescope, wavelength_m: float, applied: AppliedCorrection | None
) -> ApertureImages:
    """Give the images over the dish that a fit stands for.

    Parameters
    ----------
    fit : OrderFit
    telescope : Telescope
    wavelength_m : float, metres
    applied : AppliedCorrection or None
        That was on the dish.

    Returns
    -------
    ApertureImages
    """
    terms = tuple(ZernikeTerm(one.n, one.l) for one in fit.coefficients)
    axis, phase, error, amplitude = aperture_images(
        telescope,
        illumination_shape(fit, telescope),
        terms,
        np.array([one.phase_rad for one in fit.coefficients]),
        mode_covariance(fit.covariance_names, fit.covariance, terms),
    )
    return ApertureImages(
        axis_m=axis,
        phase_rad=phase,
        surface_um=half_path_um(phase, wavelength_m),
        surface_error_um=half_path_um(error, wavelength_m),
        amplitude=amplitude,
        applied_um=applied_image(telescope, applied, wavelength_m),
    )


def at_order(result: FitResult, order: int | None) -> FitResult:
    """Give a result as it would stand if another order of its ladder had been chosen; its maps stay as they are.

    Parameters
    ----------
    result : FitResult
    order : int or None
        None for the order that was chosen.

    Returns
    -------
    FitResult
        The same one at the order that was chosen.

    Raises
    ------
    UsageError
        If the order was not fitted.
    """
    if order is None or order == result.chosen_order:
        return result
    fit = next((fit for fit in result.orders if fit.order == order), None)
    if fit is None:
        fitted = ", ".join(str(fit.order) for fit in result.orders)
        raise UsageError(f"{result.name} was not fitted at this order", key="order", value=order, remedy=f"of {fitted}")
    images = dish_images(fit, result.telescope, result.wavelength_m, result.observing.applied)
    return replace(result, chosen_order=order, aperture=images)


def mode_covariance(names: tuple[str, ...], covariance: FloatArray, terms: tuple[ZernikeTerm, ...]) -> FloatArray:
    """Covariance of the coefficients of all terms, zero for those that are held; the free ones stand first."""
    free = [place for place, term in enumerate(terms) if term.label in names]
    full = np.zeros((len(terms), len(terms)))
    full[np.ix_(free, free)] = covariance[: len(free), : len(free)]
    return full
