"""The kinds of grids of GRASP: from their coordinates to direction cosines along x and y of their own system."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from oofpy.observation import BoolArray, FloatArray

# Direction cosines along x and y of the grid's system, and whether a direction is in front of the dish.
Directions = tuple[FloatArray, FloatArray, BoolArray]


def _uv(x: FloatArray, y: FloatArray) -> Directions:
    return x, y, x**2 + y**2 < 1


def _elevation_over_azimuth(x: FloatArray, y: FloatArray) -> Directions:
    """Azimuth runs towards -x, to the right, as in all grids of azimuth and elevation."""
    azimuth, elevation = np.radians(x), np.radians(y)
    return -np.sin(azimuth) * np.cos(elevation), np.sin(elevation), (np.abs(x) < 90) & (np.abs(y) < 90)


def _azimuth_over_elevation(x: FloatArray, y: FloatArray) -> Directions:
    azimuth, elevation = np.radians(x), np.radians(y)
    return -np.sin(azimuth), np.cos(azimuth) * np.sin(elevation), (np.abs(x) < 90) & (np.abs(y) < 90)


def _elevation_and_azimuth(x: FloatArray, y: FloatArray) -> Directions:
    """Azimuth is -theta cos(phi) and elevation theta sin(phi)."""
    theta_deg = np.hypot(x, y)
    sine_over_theta = np.sinc(theta_deg / 180)
    return -np.radians(x) * sine_over_theta, np.radians(y) * sine_over_theta, theta_deg < 90


def _phi_and_theta(x: FloatArray, y: FloatArray) -> Directions:
    phi, theta = np.radians(x), np.radians(y)
    return np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.abs(y) < 90


# IGRID: its name, and the directions of X and Y. 9 and 10 are further definitions of azimuth and elevation.
GRIDS: dict[int, tuple[str, Callable[[FloatArray, FloatArray], Directions]]] = {
    1: ("u and v", _uv),
    4: ("elevation over azimuth", _elevation_over_azimuth),
    5: ("elevation and azimuth", _elevation_and_azimuth),
    6: ("azimuth over elevation", _azimuth_over_elevation),
    7: ("phi and theta", _phi_and_theta),
}
