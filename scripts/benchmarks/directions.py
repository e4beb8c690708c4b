"""Where the samples of an observation lie in every layout, from the geometry alone, apart from the readers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oofpy.telescope import Conventions

FloatArray = NDArray[np.float64]
# In tables of the imagined telescope u grows to the left and v down, and in all its files dz > 0 moves towards the
# primary.
CONVENTIONS = Conventions(defocus_sign=-1, u_sign=-1, v_sign=-1)
# Position angle of the zenith of one map after the other, and the same for all.
ZENITH_DEG = (33.0, 35.0, 38.5)
ONE_ZENITH_DEG = (35.0,) * 3
ROTATION_DEG = 20.0
RA_DEG, DEC_DEG = 83.6, 22.0
AZ_DEG, EL_DEG = 150.0, 61.0


@dataclass(frozen=True)
class Pixels:
    """Pixels of an image: no square, and the source between pixels and off the middle.

    Parameters
    ----------
    rows, columns : int
    step_deg : float
        Their size.
    """

    rows: int
    columns: int
    step_deg: float

    @property
    def reference(self) -> tuple[float, float]:
        """Pixel of the source along the first and the second axis, from 1: CRPIX."""
        return (self.columns + 1) / 2 + 0.4, (self.rows + 1) / 2 - 0.7

    def offsets(self) -> tuple[FloatArray, FloatArray]:
        """Offsets from the source along the two axes in radians, shape (rows, columns)."""
        across, along = self.reference
        axes = np.arange(self.columns) + 1 - across, np.arange(self.rows) + 1 - along
        x, y = np.meshgrid(*(math.radians(self.step_deg) * axis for axis in axes))
        return x, y


# Directions (u, v) of every map in the signs of the model.
Directions = list[tuple[FloatArray, FloatArray]]


def on_a_grid(pixels: Pixels) -> Directions:
    """A regular grid of direction cosines in the signs of the telescope's tables."""
    x, y = pixels.offsets()
    return [(CONVENTIONS.u_sign * x, CONVENTIONS.v_sign * y)] * 3


def on_a_right_handed_grid(pixels: Pixels) -> Directions:
    """A regular grid with z towards the sky and y up, so that x points to the left."""
    x, y = pixels.offsets()
    return [(-x, y)] * 3


def in_linear_offsets(pixels: Pixels) -> Directions:
    """Where the telescope points: azimuth falls along the first axis, and the source lies the other way."""
    x, y = pixels.offsets()
    return [(x, -y)] * 3


def _tangent(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Direction cosines of points of the tangent plane."""
    scale = 1 / np.sqrt(1 + x**2 + y**2)
    return x * scale, y * scale


def in_azimuth_and_elevation(pixels: Pixels) -> Directions:
    """TAN image that a program has turned to directions of the source: azimuth grows along the first axis."""
    return [_tangent(*pixels.offsets())] * 3


def where_the_telescope_points(pixels: Pixels) -> Directions:
    """TAN image of where the telescope points, so that the source lies the other way."""
    right, up = _tangent(*pixels.offsets())
    return [(-right, -up)] * 3


def _from_equatorial(east: FloatArray, north: FloatArray, zenith_deg: Sequence[float]) -> Directions:
    """Maps of where the telescope points in right ascension and declination."""
    found = []
    for angle in np.radians(zenith_deg):
        # Up is towards the zenith; to the right of it azimuth grows, which is west where the zenith is north.
        right = -east * np.cos(angle) + north * np.sin(angle)
        up = east * np.sin(angle) + north * np.cos(angle)
        found.append((-right, -up))
    return found


def _turned(pixels: Pixels, rotation_deg: float) -> tuple[FloatArray, FloatArray]:
    """East and north of a TAN image with CDELT1 < 0 whose axes are turned by CROTA2."""
    x, y = pixels.offsets()
    cos, sin = math.cos(math.radians(rotation_deg)), math.sin(math.radians(rotation_deg))
    return _tangent(-x * cos - y * sin, -x * sin + y * cos)


def in_turned_equatorial(pixels: Pixels) -> Directions:
    """TAN image in right ascension and declination, turned, with one position angle of the zenith."""
    return _from_equatorial(*_turned(pixels, ROTATION_DEG), ONE_ZENITH_DEG)


def in_equatorial(pixels: Pixels) -> Directions:
    """TAN images in right ascension and declination, each with its own position angle of the zenith."""
    return _from_equatorial(*_turned(pixels, 0.0), ZENITH_DEG)


def in_plate_carree(pixels: Pixels) -> Directions:
    """CAR image whose reference is its corner; its coordinates count from the middle of the image."""

    def vectors(column: FloatArray, row: FloatArray) -> FloatArray:
        """Unit vectors in the equatorial system of the corner's meridian; (0, 0) is the corner."""
        lon, lat = -math.radians(pixels.step_deg) * column, math.radians(pixels.step_deg) * row
        ahead, east, north = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
        cos, sin = math.cos(math.radians(DEC_DEG)), math.sin(math.radians(DEC_DEG))
        return np.stack([ahead * cos - north * sin, east, ahead * sin + north * cos])

    points = vectors(*np.meshgrid(np.arange(pixels.columns) * 1.0, np.arange(pixels.rows) * 1.0))
    middle = vectors(np.array((pixels.columns - 1) / 2), np.array((pixels.rows - 1) / 2))
    east_axis = np.cross([0, 0, 1], middle) / math.hypot(*middle[:2])
    north_axis = np.cross(middle, east_axis)
    east, north = (np.tensordot(axis, points, 1) for axis in (east_axis, north_axis))
    return _from_equatorial(east, north, ONE_ZENITH_DEG)
