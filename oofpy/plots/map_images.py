"""Samples of a map as an image, without inventing values between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_SCATTER_PIXELS, _THINNEST = 160, 0.01
# A pixel of a scattered map belongs to its nearest sample, if that is closer than this many mean distances.
_REACH = 2.5
# A triangle with less than this part of the square of its longest side allowed is as good as a line.
_FLAT = 1e-8
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
    on_grid : bool
        Whether each pixel is a sample of a regular grid, rather than the cell of a scattered one.
    """

    extent_rad: tuple[float, float, float, float]
    sample: NDArray[np.intp]
    on_grid: bool = False

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
    return MapPixels(pixels.extent_rad, sample, on_grid is not None)


def scattered_triangles(u: FloatArray, v: FloatArray) -> NDArray[np.intp]:
    """Join scattered samples to triangles, over which contours can be drawn.

    Parameters
    ----------
    u, v : array, shape (samples,)
        Directions, in any unit.

    Returns
    -------
    array of int, shape (triangles, 3)
        Samples at the corners. None spans a hole or the hollow rim of a map, or is degenerate; there is none at all
        where the samples lie on a line.
    """
    from scipy.spatial import Delaunay, QhullError

    try:
        corners = Delaunay(np.column_stack([u, v])).simplices
    except (QhullError, ValueError):
        return np.empty((0, 3), np.intp)
    across, up = (values[corners] - np.roll(values[corners], 1, axis=1) for values in (u, v))
    longest = np.hypot(across, up).max(axis=1)
    twice_area = np.abs(across[:, 0] * up[:, 1] - across[:, 1] * up[:, 0])
    reach = 2 * _REACH * float(np.sqrt(np.ptp(u) * np.ptp(v) / u.size))
    return np.asarray(corners[(longest < reach) & (twice_area > _FLAT * reach**2)], np.intp)


def pixel_borders(inside: NDArray[np.bool_]) -> FloatArray:
    """Find the lines that surround pixels of an image.

    Parameters
    ----------
    inside : array of bool, shape (rows, columns)
        Which pixels, row 0 at the bottom.

    Returns
    -------
    array, shape (sides, 2, 2)
        Both ends of every side that parts such a pixel from another or from the outside, as (column, row); the
        lower left corner of the image is (0, 0).
    """
    framed = np.pad(inside, 1)
    row, column = np.nonzero(framed[1:-1, 1:] != framed[1:-1, :-1])
    upright = np.stack([column, row, column, row + 1], axis=1)
    row, column = np.nonzero(framed[1:, 1:-1] != framed[:-1, 1:-1])
    level = np.stack([column, row, column + 1, row], axis=1)
    return np.concatenate([upright, level]).reshape(-1, 2, 2).astype(np.float64)


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
    steps = np.diff(centres)
    # Of coordinates rounded to a part of the pitch the median step is too rough; steps over gaps do not count.
    single = steps[np.abs(steps / np.median(steps) - 1) < 0.5]
    count = round((stop - start) / float(single.mean() if single.size else np.median(steps))) + 1
    pitch = (stop - start) / (count - 1)
    position = (values - start) / pitch
    number = np.rint(position)
    if count > values.size or np.abs(position - number).max() > 0.2:
        return None
    return number.astype(np.intp), count, (start - pitch / 2, stop + pitch / 2)


def _nearest_pixels(u: FloatArray, v: FloatArray) -> MapPixels:
    from scipy.spatial import cKDTree

    widest = max(float(np.ptp(u)), float(np.ptp(v)), 1e-12)
    # Samples on a line make an image as well, a thin one.
    spans = [max(float(np.ptp(values)), _THINNEST * widest) for values in (u, v)]
    edges = [(values.min() + values.max() - span) / 2 for values, span in zip((u, v), spans, strict=True)]
    axes = []
    for edge, span in zip(edges, spans, strict=True):
        count = max(1, round(_SCATTER_PIXELS * span / widest))
        axes.append(edge + (np.arange(count) + 0.5) * span / count)
    across, up = np.meshgrid(*axes)
    reach = _REACH * float(np.sqrt(spans[0] * spans[1] / u.size))
    _, nearest = cKDTree(np.column_stack([u, v])).query(
        np.column_stack([across.ravel(), up.ravel()]), distance_upper_bound=reach
    )
    sample = np.where(nearest == u.size, -1, nearest).astype(np.intp).reshape(across.shape)
    extent = (float(edges[0]), float(edges[0] + spans[0]), float(edges[1]), float(edges[1] + spans[1]))
    return MapPixels(extent, sample)
