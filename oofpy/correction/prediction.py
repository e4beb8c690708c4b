"""What a correction brings: the dish that is left when the points have moved, and its efficiency.

Between the points the surface is taken to follow a thin plate spline through the half-path errors that their moves take
away (`scipy.interpolate.RBFInterpolator`, with a plane), which is also how it goes on beyond the outermost of them:
panels are smooth between their actuators, and the spline bends least of all that pass through the points. What is left
is averaged over the dish by `oofpy.surface.WeightedDish`, as the efficiency of a result is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.correction.source import DishSurface
from oofpy.correction.values import Efficiency, PointMoves, PointStatus, Prediction
from oofpy.observing import AppliedCorrection
from oofpy.optics.aperture import open_area
from oofpy.optics.half_path import half_path_um, phase_of_half_path_rad
from oofpy.optics.zernike import ZernikeTerm, zernike_basis
from oofpy.surface import IMAGE_PIXELS, WeightedDish, applied_image, illumination_amplitude
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]

# Above this many points the spline of a pixel is that of its neighbours.
_MOST_TOGETHER, _NEIGHBOURS = 3000, 100
_SAME_PLACE = 1e-5


def spans(x_m: FloatArray, y_m: FloatArray, telescope: Telescope) -> bool:
    """Whether points are enough, and spread enough, for a surface through them."""
    if x_m.size < 3:
        return False
    plane = np.column_stack([np.ones(x_m.size), x_m, y_m]) / [1, *[telescope.geometry.dish_radius_m] * 2]
    return bool(np.linalg.svd(plane, compute_uv=False)[-1] > 1e-2)


def image_of_points(
    telescope: Telescope, x_m: FloatArray, y_m: FloatArray, values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Lay out values at points over the dish.

    Parameters
    ----------
    telescope : Telescope
        Whose dish.
    x_m, y_m : array, shape (points,), metres
        In the aperture; of points at one place the mean is taken. They must span the dish.
    values : array, shape (points,)
        In any unit.

    Returns
    -------
    axis_m : array, shape (pixels,), metres
        Pixel centres along x and y.
    image : array, shape (y, x)
        NaN off the dish.
    """
    from scipy.interpolate import RBFInterpolator

    radius = telescope.geometry.dish_radius_m
    axis, x, y = _grid(telescope)
    on_dish = np.hypot(x, y) <= radius
    places = np.column_stack([x_m, y_m]) / radius
    _, first, which = np.unique(np.round(places / _SAME_PLACE), axis=0, return_index=True, return_inverse=True)
    means = np.bincount(which.ravel(), values) / np.bincount(which.ravel())
    near = _NEIGHBOURS if first.size > _MOST_TOGETHER else None
    spline = RBFInterpolator(places[first], means, neighbors=near, kernel="thin_plate_spline", degree=1)
    image = np.full(x.shape, np.nan)
    image[on_dish] = spline(np.column_stack([x[on_dish], y[on_dish]]) / radius)
    return axis, image


def predict(
    surface: DishSurface,
    increment: Mapping[ZernikeTerm, float],
    moves: PointMoves | None,
    left_out: tuple[ZernikeTerm, ...],
    wavelengths_m: tuple[float, ...],
) -> Prediction | None:
    """Predict the dish after an increment.

    Parameters
    ----------
    surface : DishSurface
        The dish as it is.
    increment : mapping of ZernikeTerm to float, micrometres
        What is taken away where no points are given.
    moves : PointMoves or None
        What the points do.
    left_out : tuple of ZernikeTerm
        Terms that something else may correct.
    wavelengths_m : tuple of float, metres
        For which efficiencies are wanted.

    Returns
    -------
    Prediction or None
        None where the points do not span the dish.
    """
    telescope = surface.telescope
    reached = _reached_um(telescope, increment, moves)
    if reached is None:
        return None
    taken = reached[1]
    axis, x, y = _grid(telescope)
    wavelength_m = surface.phase_wavelength_m
    flat = _laid_out(telescope, surface.terms, surface.values_um)
    # Of the same pixels as `axis`: both are those of an image of the aperture.
    applied = applied_image(telescope, surface.applied, wavelength_m)
    before = flat - applied
    amplitude = open_area(telescope, axis, axis) * illumination_amplitude(
        telescope, surface.shape, torch.as_tensor(x), torch.as_tensor(y)
    )
    both = tuple(_on_dish(axis, image) for image in (applied, applied + taken))
    rms = tuple(_rms_um(surface, one, wavelength_m) for one in both)
    # Without what shifts the beam and blurs nothing, which is left where points were held back.
    shown = applied_image(telescope, _on_dish(axis, taken), wavelength_m)
    return Prediction(
        axis_m=axis,
        before_um=before,
        after_um=before - shown,
        applied_um=applied + taken,
        open_dish=np.isfinite(flat) & (amplitude > 0.01 * amplitude.max()),
        rms_before_um=rms[0],
        rms_after_um=rms[1],
        efficiencies=tuple(_efficiency(surface, both, left_out, rms, wavelength) for wavelength in wavelengths_m),
    )


def _reached_um(
    telescope: Telescope, increment: Mapping[ZernikeTerm, float], moves: PointMoves | None
) -> tuple[FloatArray, FloatArray] | None:
    """Half-path error that the increment takes away, over the dish."""
    if moves is not None:
        within = ~moves.having(PointStatus.OUTSIDE)
        x, y = moves.aperture_x_m[within], moves.aperture_y_m[within]
        if not spans(x, y, telescope):
            return None
        return image_of_points(telescope, x, y, (moves.increment_um * moves.half_path_per_move)[within])
    return _grid(telescope)[0], _laid_out(telescope, tuple(increment), np.array(list(increment.values())))


def _grid(telescope: Telescope) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Pixel centres along an axis, and x and y of every pixel; the pixels of `oofpy.surface.applied_image`."""
    radius = telescope.geometry.dish_radius_m
    axis = np.linspace(-radius, radius, IMAGE_PIXELS)
    x, y = np.meshgrid(axis, axis)
    return axis, x, y


def _laid_out(telescope: Telescope, terms: tuple[ZernikeTerm, ...], values: FloatArray) -> FloatArray:
    """Lay out coefficients over the dish, NaN off it."""
    _, x, y = _grid(telescope)
    radius = telescope.geometry.dish_radius_m
    modes = zernike_basis(torch.as_tensor(x / radius), torch.as_tensor(y / radius), terms).numpy()
    return np.where(np.hypot(x, y) <= radius, np.tensordot(values, modes, axes=1), np.nan)


def _on_dish(axis_m: FloatArray, taken_um: FloatArray) -> AppliedCorrection:
    return AppliedCorrection(axis_m=axis_m, surface_m=taken_um * 1e-6, origin="prediction")


def _rms_um(surface: DishSurface, taken: AppliedCorrection, wavelength_m: float) -> float:
    dish = WeightedDish(surface.telescope, surface.shape, surface.terms, wavelength_m, taken)
    phases = phase_of_half_path_rad(surface.values_um, wavelength_m)
    return half_path_um(dish.rms_as_observed_rad(phases), wavelength_m)


def _efficiency(
    surface: DishSurface,
    taken: tuple[AppliedCorrection, ...],
    left_out: tuple[ZernikeTerm, ...],
    rms_um: tuple[float, ...],
    wavelength_m: float,
) -> Efficiency:
    phases = phase_of_half_path_rad(surface.values_um, wavelength_m)
    kept = np.array([term not in left_out for term in surface.terms])
    before, after = (WeightedDish(surface.telescope, surface.shape, surface.terms, wavelength_m, one) for one in taken)
    ruze = [math.exp(-((4 * math.pi * rms * 1e-6 / wavelength_m) ** 2)) for rms in rms_um]
    return Efficiency(
        wavelength_m=wavelength_m,
        exact_before=before.exact_efficiency(phases),
        exact_after=after.exact_efficiency(phases),
        ruze_before=ruze[0],
        ruze_after=ruze[1],
        exact_without_left_out=after.exact_efficiency(phases * kept),
    )
