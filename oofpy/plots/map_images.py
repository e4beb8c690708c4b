"""Samples of a map as an image, without inventing values between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_SCATTER_PIXELS = 160
# A pixel of a scattered map belongs to its nearest sample, if that is closer than this many mean distances.
_REACH = 2.5
# Part of the widest gap between coordinates that parts two columns of a grid.
_GAP = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class MapPixels:
    """Which sample each pixel of an image shows.

    Parameters
    ----------
    extent_rad : tuple of 4 float, radians
        Left, right, bottom and top edge of the image.
    sample : array of int, shape (rows, columns)
        Index of the sample, row 0 at the bottom; -1 where there is none.
    """

    extent_rad: tuple[float, float, float, float]
    sample: NDArray[np.intp]

    def image(self, values: FloatArray) -> FloatArray:
        """Arrange values of the samples as an image; NaN where there is no sample."""
        image = np.full(self.sample.shape, np.nan)
        shown = self.sample >= 0
        image[shown] = values[self.sample[shown]]
        return image


def map_pixels(u_rad: FloatArray, v_rad: FloatArray) -> MapPixels:
    """Find the image of a map.

    Parameters
    ----------
    u_rad, v_rad : array, shape (samples,), radians
        Directions, in any order.

    Returns
    -------
    MapPixels
        One pixel a sample if they lie on a regular grid along u and v, which may have gaps; otherwise the
        cells of the points that are nearest to each sample.
    """
    placed = np.flatnonzero(np.isfinite(u_rad) & np.isfinite(v_rad))
    if placed.size == 0:
        return MapPixels((-1.0, 1.0, -1.0, 1.0), np.full((1, 1), -1, np.intp))
    on_grid = _grid_pixels(u_rad[placed], v_rad[placed])
    pixels = _nearest_pixels(u_rad[placed], v_rad[placed]) if on_grid is None else on_grid
    sample = np.where(pixels.sample < 0, -1, placed[pixels.sample])
    return MapPixels(pixels.extent_rad, sample)


def _grid_pixels(u: FloatArray, v: FloatArray) -> MapPixels | None:
    """Give the pixels of a regular grid, of which at least half is there; None for other samples."""
    columns, rows = _grid_axis(u), _grid_axis(v)
    if columns is None or rows is None:
        return None
    (column, count_u, edges_u), (row, count_v, edges_v) = columns, rows
    cell = row * count_u + column
    if np.unique(cell).size != u.size or 2 * u.size < count_u * count_v:
        return None
    sample = np.full(count_u * count_v, -1, np.intp)
    sample[cell] = np.arange(u.size)
    return MapPixels((*edges_u, *edges_v), sample.reshape(count_v, count_u))


def _grid_axis(values: FloatArray) -> tuple[NDArray[np.intp], int, tuple[float, float]] | None:
    """Number the positions along one axis of a grid and give its edges; None if they are not equidistant."""
    ordered = np.sort(values)
    gaps = np.diff(ordered)
    if gaps.size == 0 or gaps.max() <= 0:
        return None
    # Printed coordinates are rounded: gaps within a column are small against those between columns.
    columns = np.split(ordered, np.flatnonzero(gaps > _GAP * gaps.max()) + 1)
    centres = np.array([column.mean() for column in columns])
    start, stop = float(centres[0]), float(centres[-1])
    count = round((stop - start) / float(np.median(np.diff(centres)))) + 1
    pitch = (stop - start) / (count - 1)
    position = (values - start) / pitch
    number = np.rint(position)
    if count > values.size or np.abs(position - number).max() > 0.2:
        return None
    return number.astype(np.intp), count, (start - pitch / 2, stop + pitch / 2)


def _nearest_pixels(u: FloatArray, v: FloatArray) -> MapPixels:
    from scipy.spatial import cKDTree

    spans = [max(float(np.ptp(values)), 1e-12) for values in (u, v)]
    pixel = max(spans) / _SCATTER_PIXELS
    axes = []
    for values, span in zip((u, v), spans, strict=True):
        count = max(1, round(span / pixel))
        axes.append(float(values.min()) + (np.arange(count) + 0.5) * span / count)
    across, up = np.meshgrid(*axes)
    reach = _REACH * float(np.sqrt(spans[0] * spans[1] / u.size))
    _, nearest = cKDTree(np.column_stack([u, v])).query(
        np.column_stack([across.ravel(), up.ravel()]), distance_upper_bound=reach
    )
    sample = np.where(nearest == u.size, -1, nearest).astype(np.intp).reshape(across.shape)
    extent = (float(u.min()), float(u.max()), float(v.min()), float(v.max()))
    return MapPixels(extent, sample)
