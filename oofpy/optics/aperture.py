"""The aperture on a pixel grid: blockage by area, and a band-limited mask that makes coarse grids exact.

A sum over pixels that are in or out of the dish errs by the steps of its rim. Here the covered area is
computed on a grid sixteen times finer and reduced by a low-pass filter that is flat up to the highest
frequency the beam maps, the defocus and the surface can ask for. By Parseval's theorem the sum over the
coarse pixels then equals the integral over the true, sharp-edged aperture for every field below that
frequency. The weights run a few pixels beyond the rim and are slightly negative in places; they are
quadrature weights, not a picture of the dish.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.telescope import Telescope

_SUBPIXELS = 16
_STOPBAND_DB = 80.0
# Transition of the low-pass filter as a fraction of the sampling frequency: a wider one asks for more pixels
# across the dish, a narrower one for more pixels beyond the rim. The cost has a flat minimum near 0.4.
_TRANSITION = 0.4


@dataclass(frozen=True)
class ApertureSampling:
    """Pixels over the dish and their quadrature weights.

    Parameters
    ----------
    axis_m : array, shape (pixels,), metres
        Pixel centres along x and along y.
    weight : array, shape (pixels, pixels) as (y, x)
        Quadrature weight of each pixel: `sum(weight * f) * pitch_m**2` is the integral of f over the open
        aperture.
    pixels_across : int
        Pixels across the dish; `axis_m` runs beyond the rim by the length of the filter.
    """

    axis_m: NDArray[np.float64]
    weight: NDArray[np.float64]
    pixels_across: int

    @property
    def pitch_m(self) -> float:
        """Distance between pixels in metres."""
        return float(self.axis_m[1] - self.axis_m[0])

    def mesh(self, device: torch.device | str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
        """Pixel coordinates x, y in metres, each of shape (y, x)."""
        axis = torch.as_tensor(self.axis_m, device=device)
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        return x, y


def pixels_needed(bandwidth_per_dish: float) -> int:
    """Pixels across the dish for fields up to a spatial frequency.

    Parameters
    ----------
    bandwidth_per_dish : float, cycles per dish diameter
        Highest frequency along x or y of illumination times phase times the kernel of the transform.

    Returns
    -------
    int
        An even number, at least 32.
    """
    # Half way into the transition is still accurate, since only the sharp edges reach that far, and weakly.
    return max(32, 2 * math.ceil(bandwidth_per_dish / (1 - 0.75 * _TRANSITION)))


@lru_cache(maxsize=16)
def band_limited_aperture(telescope: Telescope, pixels_across: int) -> ApertureSampling:
    """Sample the open aperture of a telescope with a band-limited mask.

    Parameters
    ----------
    telescope : Telescope
        Dish radius and blockage.
    pixels_across : int
        Pixels across the dish.

    Returns
    -------
    ApertureSampling
        Exact to a few 1e-5 of the peak for fields of up to `0.3 * pixels_across` cycles per dish.
    """
    radius = telescope.geometry.dish_radius_m
    pitch = 2 * radius / pixels_across
    taps = (_STOPBAND_DB - 7.95) / (2.285 * 2 * math.pi * _TRANSITION)
    beyond = math.ceil(taps / 2)
    axis = _centres(radius + beyond * pitch, pixels_across + 2 * beyond)
    fine = _centres(radius, pixels_across * _SUBPIXELS)
    reduce = _low_pass(axis / pitch, fine / pitch, taps / 2) / _SUBPIXELS
    weight = reduce @ open_area(telescope, fine, fine) @ reduce.T
    weight.setflags(write=False)
    return ApertureSampling(axis, weight, pixels_across)


def area_aperture(telescope: Telescope, pixels_across: int) -> ApertureSampling:
    """Sample the open aperture by the covered area of each pixel.

    Parameters
    ----------
    telescope : Telescope
        Dish radius and blockage.
    pixels_across : int
        Pixels across the dish; the error of the beam falls with its square.

    Returns
    -------
    ApertureSampling
        Pixels within the dish only. The independent way, for simulations and checks.
    """
    axis = _centres(telescope.geometry.dish_radius_m, pixels_across)
    return ApertureSampling(axis, open_area(telescope, axis, axis), pixels_across)


def _centres(half_width: float, count: int) -> NDArray[np.float64]:
    return (np.arange(count, dtype=np.float64) - (count - 1) / 2) * (2 * half_width / count)


def _low_pass(coarse: NDArray[np.float64], fine: NDArray[np.float64], half_length: float) -> NDArray[np.float64]:
    """Kaiser-windowed sinc from fine to coarse pixels, both in coarse pixels; shape (coarse, fine)."""
    step = fine[1] - fine[0]
    padded = np.concatenate([[fine[0] - step], fine, [fine[-1] + step]])
    offset = coarse[:, None] - padded
    kernel = np.sinc(offset) * _kaiser(offset / half_length)
    # Truncation leaves the gain at zero frequency a little off one; the on-axis beam would inherit that.
    samples = np.arange(-half_length, half_length, step / 2)
    kernel /= np.trapezoid(np.sinc(samples) * _kaiser(samples / half_length), dx=step / 2)
    # The area of a fine pixel is itself a box average; to second order this takes its attenuation back.
    return np.asarray(kernel[:, 1:-1] - (kernel[:, :-2] - 2 * kernel[:, 1:-1] + kernel[:, 2:]) / 24)


def _kaiser(position: NDArray[np.float64]) -> NDArray[np.float64]:
    beta = 0.1102 * (_STOPBAND_DB - 8.7)
    window = np.i0(beta * np.sqrt(np.clip(1 - position**2, 0, None))) / np.i0(beta)
    return np.where(np.abs(position) < 1, window, 0.0)


def open_area(telescope: Telescope, x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unblocked fraction of each pixel of a product grid.

    The area that a straight edge leaves of a pixel is exact; rims are taken as straight within a pixel, and
    where several edges cross a pixel their fractions multiply.

    Parameters
    ----------
    telescope : Telescope
        Dish radius and blockage.
    x_m, y_m : array, metres
        Pixel centres along each axis, equally spaced, with one spacing for both.

    Returns
    -------
    array, shape (y, x)
        0 (blocked or off the dish) to 1.
    """
    pitch = float(x_m[1] - x_m[0])
    x, y = np.broadcast_arrays(x_m[None, :], y_m[:, None])
    area = _disc(x, y, telescope.geometry.dish_radius_m, pitch)
    blockage = telescope.blockage
    if blockage.disc_radius_m > 0:
        area *= 1 - _disc(x, y, blockage.disc_radius_m, pitch)
    if blockage.legs is not None:
        for angle in blockage.legs.position_angles_rad:
            area *= 1 - _leg_shadow(telescope, x, y, angle, pitch)
    return area


def _disc(x: NDArray[np.float64], y: NDArray[np.float64], radius: float, pitch: float) -> NDArray[np.float64]:
    """Fraction of each pixel within a circle about the centre."""
    r = np.hypot(x, y)
    fraction = (r < radius).astype(np.float64)
    edge = np.abs(r - radius) < pitch
    r_edge = np.maximum(r[edge], np.finfo(float).tiny)
    # The mean of r over a pixel exceeds r at its centre by this much, to second order.
    distance = radius - r_edge - pitch**2 / (24 * np.maximum(r_edge, pitch))
    fraction[edge] = _half_plane(distance / pitch, np.abs(x[edge]) / r_edge, np.abs(y[edge]) / r_edge)
    return fraction


def _leg_shadow(
    telescope: Telescope, x: NDArray[np.float64], y: NDArray[np.float64], angle: float, pitch: float
) -> NDArray[np.float64]:
    """Shadow of one leg: a bar in the plane wave, and beyond its end a wedge in the spherical wave."""
    legs = telescope.blockage.legs
    assert legs is not None
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    end = _edge(along - legs.outer_radius_m, angle, pitch)
    shadow = _strip(across, legs.half_width_m, angle, pitch) * _edge(along, angle, pitch) * (1 - end)
    if legs.shade_angle_rad is None:
        return shadow
    # The wedge's edge is the line from the bar's end to where a ray at the shade angle meets the rim.
    end_x, end_y = _wedge_end(telescope.geometry.dish_radius_m, legs.half_width_m, legs.shade_angle_rad)
    slope = (end_y - legs.half_width_m) / (end_x - legs.outer_radius_m)
    half_width = legs.half_width_m + slope * (along - legs.outer_radius_m)
    tilt = math.atan(slope)
    upper = _edge((half_width - across) * math.cos(tilt), angle + tilt + math.pi / 2, pitch)
    lower = _edge((half_width + across) * math.cos(tilt), angle - tilt - math.pi / 2, pitch)
    # The fractions left by two edges that a pixel may both hold overlap in their sum less one.
    return shadow + end * np.maximum(upper + lower - 1, 0.0)


def _strip(across: NDArray[np.float64], half_width: float, angle: float, pitch: float) -> NDArray[np.float64]:
    """Fraction of each pixel within a straight bar."""
    normal = angle + math.pi / 2
    return _edge(across + half_width, normal, pitch) - _edge(across - half_width, normal, pitch)


def _edge(distance: NDArray[np.float64], normal_angle: float, pitch: float) -> NDArray[np.float64]:
    """Fraction of each pixel on the inner side of a straight edge, from the distance of its centre within."""
    fraction = (distance > 0).astype(np.float64)
    edge = np.abs(distance) < pitch
    normal = np.array(abs(math.cos(normal_angle))), np.array(abs(math.sin(normal_angle)))
    fraction[edge] = _half_plane(distance[edge] / pitch, *normal)
    return fraction


def _half_plane(
    distance: NDArray[np.float64], normal_x: NDArray[np.float64], normal_y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fraction of a unit square within a half-plane whose edge has this unit normal (absolute components)."""
    wide, narrow = np.maximum(normal_x, normal_y), np.maximum(np.minimum(normal_x, normal_y), 1e-9)
    off = np.abs(distance)
    corner = np.clip((wide + narrow) / 2 - off, 0, None) ** 2 / (2 * wide * narrow)
    outside = np.where(off < (wide - narrow) / 2, 0.5 - off / wide, corner)
    return np.where(distance > 0, 1 - outside, outside)


def _wedge_end(radius: float, width: float, shade_angle: float) -> tuple[float, float]:
    """Where the wedge's edge meets the rim: (h / tan alpha, width + h) lies on the circle."""
    sine2, tangent = math.sin(shade_angle) ** 2, math.tan(shade_angle)
    h = (-width + math.sqrt(width**2 - (width**2 - radius**2) / sine2)) * sine2
    return h / tangent, width + h
