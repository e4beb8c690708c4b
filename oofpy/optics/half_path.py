"""Phase and surface: the half-path error eps = lambda phi / 4 pi, positive for metal below the ideal surface."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", float, NDArray[np.float64])


def half_path_um(phase_rad: Value, wavelength_m: float) -> Value:
    """Half-path surface error in micrometres of a phase in radians."""
    return phase_rad * (wavelength_m / (4 * math.pi) * 1e6)


def phase_of_half_path_rad(surface_um: Value, wavelength_m: float) -> Value:
    """Phase in radians of a half-path surface error in micrometres."""
    return surface_um / (wavelength_m / (4 * math.pi) * 1e6)
