"""From coefficients to the surface: phase, half-path error, weighted rms with its error, efficiency, best focus.

`W = lambda phi / 2 pi` is the wavefront and `eps = lambda phi / 4 pi` the half-path surface error; both are positive
for a longer path, metal below the ideal surface. Weighted means run over the unblocked dish with the illumination as
the weight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.observing import AppliedCorrection
from oofpy.optics.aperture import ApertureSampling, band_limited_aperture, open_area
from oofpy.optics.defocus import defocus_images
from oofpy.optics.fixed_phase import applied_coefficients, applied_phase
from oofpy.optics.half_path import half_path_um
from oofpy.optics.illumination import illuminate
from oofpy.optics.parameter_names import SHAPE_PARAMETERS
from oofpy.optics.zernike import ZernikeTerm, zernike_basis, zernike_terms
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]

_PIXELS_ACROSS = 64
IMAGE_PIXELS = 129
# Orders that are fitted together to an image of a correction, so that its tilt is not taken for coma.
SEPARATED_ORDER = 8


@dataclass(frozen=True)
class WeightedDish:
    """A dish with its illumination, over which phases are averaged.

    Parameters
    ----------
    telescope : Telescope
    shape : tuple of float
        Values of `SHAPE_PARAMETERS`: taper in dB, offsets in metres, ellipticities.
    terms : tuple of ZernikeTerm
        Terms the coefficients belong to.
    wavelength_m : float, metres
    applied : AppliedCorrection, optional
        Correction that was on the dish while it was observed. The coefficients are those of the dish without it;
        efficiency and focus are those of the dish as it was observed.
    """

    telescope: Telescope
    shape: tuple[float, ...]
    terms: tuple[ZernikeTerm, ...]
    wavelength_m: float
    applied: AppliedCorrection | None = None

    @cached_property
    def _sampling(self) -> ApertureSampling:
        return band_limited_aperture(self.telescope, _PIXELS_ACROSS)

    @cached_property
    def _modes(self) -> FloatArray:
        """Terms on the pixels, shape (terms, pixels)."""
        return _dish_modes(self.telescope, self.terms)

    @cached_property
    def _weight(self) -> FloatArray:
        x, y = self._sampling.mesh()
        weight = self._sampling.weight * illumination_amplitude(self.telescope, self.shape, x, y)
        return np.asarray(weight.ravel() / weight.sum())

    @cached_property
    def _uniform_weight(self) -> FloatArray:
        return np.asarray(self._sampling.weight.ravel() / self._sampling.weight.sum())

    @cached_property
    def covariance_of_modes(self) -> FloatArray:
        """Weighted covariance of the terms over the dish, shape (terms, terms); `c G c` is the weighted variance."""
        return _covariance(self._modes, self._weight)

    @cached_property
    def uniform_covariance_of_modes(self) -> FloatArray:
        """The same without the illumination as a weight."""
        return _covariance(self._modes, self._uniform_weight)

    def rms_rad(self, coefficients: FloatArray) -> float:
        """Weighted rms of the phase about its weighted mean, radians."""
        return math.sqrt(max(float(coefficients @ self.covariance_of_modes @ coefficients), 0.0))

    def uniform_rms_rad(self, coefficients: FloatArray) -> float:
        """Rms of the phase about its mean, every part of the unblocked dish alike, radians."""
        return math.sqrt(max(float(coefficients @ self.uniform_covariance_of_modes @ coefficients), 0.0))

    @cached_property
    def _taken(self) -> FloatArray | float:
        """Phase that the correction took away on the pixels; 0 without one."""
        if self.applied is None:
            return 0.0
        return _taken_rad(self.applied, self.telescope, *self._sampling.mesh(), self.wavelength_m).ravel()

    def _observed(self, coefficients: FloatArray) -> FloatArray:
        """Phase of the dish as it was observed, on the pixels."""
        return np.asarray(coefficients @ self._modes - self._taken)

    def rms_as_observed_rad(self, coefficients: FloatArray) -> float:
        """Weighted rms of the phase of the dish as it was observed, radians."""
        left = self._observed(coefficients)
        return math.sqrt(max(float(self._weight @ (left - self._weight @ left) ** 2), 0.0))

    def rms_error_rad(self, coefficients: FloatArray, covariance: FloatArray) -> float:
        """Standard error of the weighted rms, to first order, radians; see `rms_of_errors_rad` for a flat surface."""
        rms = self.rms_rad(coefficients)
        if rms == 0:
            return self.rms_of_errors_rad(covariance)
        slope = self.covariance_of_modes @ coefficients / rms
        return math.sqrt(max(float(slope @ covariance @ slope), 0.0))

    def rms_of_errors_rad(self, covariance: FloatArray) -> float:
        """Expected weighted rms of the phase's error over the dish, radians."""
        return math.sqrt(max(float(np.sum(self.covariance_of_modes * covariance)), 0.0))

    def exact_efficiency(self, coefficients: FloatArray) -> float:
        """`|sum A exp(i phi)|^2 / (sum A)^2` of the dish as it was observed."""
        return float(abs(np.sum(self._weight * np.exp(1j * self._observed(coefficients)))) ** 2)

    def best_focus_m(self, coefficients: FloatArray, covariance: FloatArray) -> tuple[float, float]:
        """The dz that minimises the weighted rms of `phi - k delta(dz)`, piston and tilt removed, and its error.

        phi is the phase of the dish as it was observed.

        The subreflector acts as if it stood this far from focus; a move by minus this corrects it. A tilt moves the
        beam and blurs nothing; the path of an offset dish contains one.
        The path is taken as linear in the move, which for the small moves of a focus correction it is.

        Parameters
        ----------
        coefficients : array, shape (terms,), radians
        covariance : array, shape (terms, terms), radians squared

        Returns
        -------
        (best_focus_m, error_m) : float, metres
            Positive away from the primary.
        """
        x, y = self._sampling.mesh()
        path = defocus_images(self.telescope.geometry, x, y)[0].flatten().numpy()
        path = _without_tilt(path, x.flatten().numpy(), y.flatten().numpy(), self._weight)
        path = path - self._weight @ path
        # Moves per radian of phase, pixel by pixel; the path has no mean, so that of the phase does not count.
        move = self._weight * path / (self._weight @ path**2) * self.wavelength_m / (2 * math.pi)
        per_radian = self._modes @ move
        error = math.sqrt(max(float(per_radian @ covariance @ per_radian), 0.0))
        return float(self._observed(coefficients) @ move), error


def _taken_rad(
    applied: AppliedCorrection, telescope: Telescope, x_m: torch.Tensor, y_m: torch.Tensor, wavelength_m: float
) -> FloatArray:
    """Phase that a correction takes away, orders 0 and 1 left out: they are no error of a surface."""
    radius, wavenumber = telescope.geometry.dish_radius_m, 2 * math.pi / wavelength_m
    low_and_high = zernike_terms(SEPARATED_ORDER, 0)
    values = applied_coefficients(applied, radius, low_and_high, wavenumber)[:3]
    tilt = torch.tensordot(values, zernike_basis(x_m / radius, y_m / radius, low_and_high[:3]), dims=1)
    return np.asarray((applied_phase(applied, radius, x_m, y_m, wavenumber) - tilt).numpy(), np.float64)


@lru_cache(maxsize=16)
def _dish_modes(telescope: Telescope, terms: tuple[ZernikeTerm, ...]) -> FloatArray:
    """Terms on the pixels of a weighted dish, shape (terms, pixels), read-only."""
    x, y = band_limited_aperture(telescope, _PIXELS_ACROSS).mesh()
    radius = telescope.geometry.dish_radius_m
    modes = zernike_basis(x / radius, y / radius, terms).flatten(1).numpy()
    modes.setflags(write=False)
    return modes


def _covariance(modes: FloatArray, weight: FloatArray) -> FloatArray:
    mean = modes @ weight
    return np.asarray((modes * weight) @ modes.T - np.outer(mean, mean))


def _without_tilt(path: FloatArray, x_m: FloatArray, y_m: FloatArray, weight: FloatArray) -> FloatArray:
    """Take the plane that fits best, by the weights, off a path over the pixels."""
    plane = np.stack([np.ones_like(x_m), x_m, y_m])
    weighted = plane * weight
    return np.asarray(path - np.linalg.solve(weighted @ plane.T, weighted @ path) @ plane)


def illumination_amplitude(
    telescope: Telescope, shape: tuple[float, ...], x_m: torch.Tensor, y_m: torch.Tensor
) -> FloatArray:
    """Field amplitude of the illumination, 1 at its centre.

    Parameters
    ----------
    telescope : Telescope
    shape : tuple of float
        Values of `SHAPE_PARAMETERS`.
    x_m, y_m : Tensor, shape (y, x), metres

    Returns
    -------
    array, shape (y, x)
    """
    values = {name: x_m.new_tensor([value]) for name, value in zip(SHAPE_PARAMETERS, shape, strict=True)}
    radius = telescope.geometry.dish_radius_m
    return illuminate(telescope.illumination, x_m, y_m, radius, values).amplitude[0].numpy()


def aperture_images(
    telescope: Telescope,
    shape: tuple[float, ...],
    terms: tuple[ZernikeTerm, ...],
    coefficients: FloatArray,
    covariance: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Phase, its standard error and the amplitude over the dish, on pixels for people to look at.

    Parameters
    ----------
    telescope : Telescope
    shape : tuple of float
        Values of `SHAPE_PARAMETERS`.
    terms : tuple of ZernikeTerm
    coefficients : array, shape (terms,), radians
    covariance : array, shape (terms, terms), radians squared

    Returns
    -------
    axis_m : array, shape (pixels,), metres
    phase_rad, phase_error_rad : array, shape (y, x), radians, NaN off the dish
    amplitude : array, shape (y, x)
        0 where blocked and off the dish.
    """
    axis, x, y, area = _image_grid(telescope)
    modes = _image_modes(telescope, terms)
    on_dish = np.hypot(x.numpy(), y.numpy()) <= telescope.geometry.dish_radius_m
    phase = np.where(on_dish, (coefficients @ modes).reshape(x.shape), np.nan)
    variance = ((covariance @ modes) * modes).sum(axis=0).reshape(x.shape)
    error = np.where(on_dish, np.sqrt(np.clip(variance, 0, None)), np.nan)
    amplitude = area * illumination_amplitude(telescope, shape, x, y)
    return axis, phase, error, np.where(on_dish, amplitude, 0.0)


def applied_image(telescope: Telescope, applied: AppliedCorrection | None, wavelength_m: float) -> FloatArray:
    """Half-path error that a correction takes away, orders 0 and 1 left out, on the pixels of `aperture_images`.

    Parameters
    ----------
    telescope : Telescope
    applied : AppliedCorrection or None
        None: no correction.
    wavelength_m : float, metres

    Returns
    -------
    array, shape (y, x), micrometres
        NaN off the dish.
    """
    _, x, y, _ = _image_grid(telescope)
    radius = telescope.geometry.dish_radius_m
    phase = np.zeros(x.shape)
    if applied is not None:
        phase = _taken_rad(applied, telescope, x, y, wavelength_m)
    return np.where(np.hypot(x.numpy(), y.numpy()) <= radius, half_path_um(phase, wavelength_m), np.nan)


@lru_cache(maxsize=4)
def _image_grid(telescope: Telescope) -> tuple[FloatArray, torch.Tensor, torch.Tensor, FloatArray]:
    """Axis, coordinates and open area of the pixels of an image, read-only."""
    radius = telescope.geometry.dish_radius_m
    axis = np.linspace(-radius, radius, IMAGE_PIXELS)
    grid = torch.as_tensor(axis.copy())
    y, x = torch.meshgrid(grid, grid, indexing="ij")
    area = open_area(telescope, axis, axis)
    for array in (axis, area):
        array.setflags(write=False)
    return axis, x, y, area


@lru_cache(maxsize=16)
def _image_modes(telescope: Telescope, terms: tuple[ZernikeTerm, ...]) -> FloatArray:
    """Terms on the pixels of an image, shape (terms, pixels), read-only."""
    _, x, y, _ = _image_grid(telescope)
    radius = telescope.geometry.dish_radius_m
    modes = zernike_basis(x / radius, y / radius, terms).flatten(1).numpy()
    modes.setflags(write=False)
    return modes
