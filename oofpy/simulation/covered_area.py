"""Quadrature weights of the simulator's aperture: the covered area of every pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oofpy.optics.aperture import open_area
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]

# Sub-pixels along each side: those cut by an edge count by the part that is covered, not as in or out.
_SUBPIXELS = 4
_ROWS_AT_ONCE = 128
# Pixels beyond the rim, for the partly covered ones and for the correction of their neighbours.
MARGIN_PIXELS = 2


def aperture_axis(radius_m: float, pitch_m: float) -> FloatArray:
    """Pixel centres along one axis: the dish, centred, and a margin; metres."""
    pixels = int(np.ceil(2 * radius_m / pitch_m)) + 2 * MARGIN_PIXELS
    return np.asarray((np.arange(pixels) - (pixels - 1) / 2) * pitch_m, float)


def covered_weight(telescope: Telescope, axis_m: FloatArray) -> FloatArray:
    """Quadrature weight of every pixel.

    Parameters
    ----------
    telescope : Telescope
        Dish and blockage.
    axis_m : array, shape (pixels,), metres
        Pixel centres along x and along y, reaching `MARGIN_PIXELS` beyond the rim.

    Returns
    -------
    array, shape (y, x)
        The covered area in units of a pixel, with a small correction on both sides of every edge.
    """
    pitch = axis_m[1] - axis_m[0]
    parts = (np.arange(_SUBPIXELS) - (_SUBPIXELS - 1) / 2) * (pitch / _SUBPIXELS)
    x = (axis_m[:, None] + parts).ravel()
    blocks = []
    for start in range(0, axis_m.size, _ROWS_AT_ONCE):
        rows = axis_m[start : start + _ROWS_AT_ONCE]
        area = open_area(telescope, x, (rows[:, None] + parts).ravel())
        blocks.append(area.reshape(rows.size, _SUBPIXELS, axis_m.size, _SUBPIXELS).mean((1, 3)))
    area = np.concatenate(blocks)
    # An area is the aperture averaged over a pixel, which smears its edges. Taking a 24th of the second
    # difference away undoes this to second order: at 512 pixels and a defocused peak of 3 % the error falls
    # from 7e-5 to 1.5e-5 of that peak.
    around = np.pad(area, 1)
    second = around[2:, 1:-1] + around[:-2, 1:-1] + around[1:-1, 2:] + around[1:-1, :-2] - 4 * area
    return area - second / 24
