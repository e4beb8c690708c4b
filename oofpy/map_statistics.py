"""What a beam map shows before any model: background, noise, and where the source is.

All of it withstands glitches: medians instead of means, so that single bright samples change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from oofpy.observation import BeamMap

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]
T = TypeVar("T")

_BORDER_SHARE = 0.25  # of the samples, those farthest out
_MAD_TO_SIGMA = 1.4826  # median absolute deviation to standard deviation, for a Gaussian
_SAMPLES_PER_CELL = 9  # their median still shows the source where a few of them are glitches
_CLIP = 3.5  # standard deviations beyond which a border sample does not shape the background plane


def _once(function: Callable[[BeamMap], T]) -> Callable[[BeamMap], T]:
    """Compute a statistic once for each map, which never changes, and keep it as long as the map lives."""
    known: WeakKeyDictionary[BeamMap, T] = WeakKeyDictionary()

    @wraps(function)
    def remembered(beam_map: BeamMap) -> T:
        if beam_map not in known:
            known[beam_map] = function(beam_map)
        return known[beam_map]

    return remembered


@_once
def extent(beam_map: BeamMap) -> tuple[float, float, float, float]:
    """Centre and half-widths of the rectangle that the used samples span.

    Parameters
    ----------
    beam_map : BeamMap
        With at least one used sample.

    Returns
    -------
    (u_centre, v_centre, u_half_width, v_half_width) : float, radians
    """
    u, v, _ = _used(beam_map)
    return (
        float(u.min() + u.max()) / 2,
        float(v.min() + v.max()) / 2,
        float(np.ptp(u)) / 2,
        float(np.ptp(v)) / 2,
    )


@_once
def border_level(beam_map: BeamMap) -> float:
    """Background: the median of the quarter of the samples that lie farthest out.

    Parameters
    ----------
    beam_map : BeamMap
        With at least one used sample.

    Returns
    -------
    float
        In the map's unit.
    """
    _, _, power = _border(beam_map)
    return float(np.median(power))


@_once
def border_noise(beam_map: BeamMap) -> float:
    """Noise: the robust standard deviation of the border about its own plane.

    The side lobes that reach the border count as noise, so this is an upper bound for clean maps.

    Parameters
    ----------
    beam_map : BeamMap
        With at least one used sample.

    Returns
    -------
    float
        1.4826 times the median absolute deviation, in the map's unit. Where more than half of the border has
        one value (clipped or exactly zero), the plain standard deviation instead; 0 for a constant border.
    """
    u, v, power = _border(beam_map)
    u_centre, v_centre, u_half_width, v_half_width = extent(beam_map)
    across = (u - u_centre) / (u_half_width or 1.0)
    up = (v - v_centre) / (v_half_width or 1.0)
    shapes = np.stack([np.ones_like(across), across, up], axis=1)
    residual = power - np.median(power)
    if not np.median(np.abs(residual)) > 0:
        return float(power.std())
    for _ in range(3):
        kept = np.abs(residual - np.median(residual)) <= _CLIP * robust_sigma(residual)
        if np.count_nonzero(kept) < 2 * shapes.shape[1]:
            break
        plane = np.linalg.lstsq(shapes[kept], power[kept], rcond=None)[0]
        residual = power - shapes @ plane
    return robust_sigma(residual)


def peak_position(beam_map: BeamMap) -> tuple[float, float]:
    """Where the source is: the centroid of the brightest part of the map.

    The samples are sorted into square cells of about nine, each taken as its median, so that a glitch cannot
    win. The cells brighter than half of the brightest enter the centroid, which for a defocused beam lies in
    the middle of its rings and spots rather than on one of them.

    Parameters
    ----------
    beam_map : BeamMap
        With at least one used sample.

    Returns
    -------
    (u, v) : float, radians
    """
    u, v, level = _cells(beam_map)
    height = level - border_level(beam_map)
    weight = np.clip(height - height.max() / 2, 0, None)
    if not weight.any():  # nothing rises above the border
        brightest = int(np.argmax(level))
        return float(u[brightest]), float(v[brightest])
    return float(np.average(u, weights=weight)), float(np.average(v, weights=weight))


def brightest_position(beam_map: BeamMap) -> tuple[float, float]:
    """Where the map is brightest: the middle of its brightest cell, untouched by glitches.

    Parameters
    ----------
    beam_map : BeamMap
        With at least one used sample.

    Returns
    -------
    (u, v) : float, radians
    """
    u, v, level = _cells(beam_map)
    brightest = int(np.argmax(level))
    return float(u[brightest]), float(v[brightest])


def peak_height(beam_map: BeamMap) -> float:
    """Height of the brightest part of the map above its border, untouched by glitches.

    Parameters
    ----------
    beam_map : BeamMap
        With at least one used sample.

    Returns
    -------
    float
        In the map's unit; lower than the true peak by the smoothing over a cell of about nine samples.
    """
    return height_and_depth(beam_map)[0]


def height_and_depth(beam_map: BeamMap) -> tuple[float, float]:
    """Height of the brightest and depth of the lowest part of the map, above and below its border.

    Parameters
    ----------
    beam_map : BeamMap
        With at least one used sample.

    Returns
    -------
    (height, depth) : float
        In the map's unit, untouched by glitches; the height is that of `peak_height`.
    """
    level, border = _cells(beam_map)[2], border_level(beam_map)
    return float(level.max()) - border, border - float(level.min())


def _used(beam_map: BeamMap) -> tuple[FloatArray, FloatArray, FloatArray]:
    used = beam_map.used
    return beam_map.u_rad[used], beam_map.v_rad[used], beam_map.power[used]


def border_places(u: FloatArray, v: FloatArray) -> IndexArray:
    """Which samples form the border: the quarter that lie farthest out, in units of the half-widths.

    Parameters
    ----------
    u, v : array, shape (samples,), radians

    Returns
    -------
    array of int
        Their places.
    """
    outwards = np.zeros(u.size)
    for axis in (u, v):
        centre, half_width = (axis.max() + axis.min()) / 2, np.ptp(axis) / 2
        outwards = np.maximum(outwards, np.abs(axis - centre) / (half_width or 1.0))
    return np.flatnonzero(outwards >= np.quantile(outwards, 1 - _BORDER_SHARE))


@_once
def _border(beam_map: BeamMap) -> tuple[FloatArray, FloatArray, FloatArray]:
    u, v, power = _used(beam_map)
    outer = border_places(u, v)
    return u[outer], v[outer], power[outer]


def robust_sigma(values: FloatArray) -> float:
    """Standard deviation by the median absolute deviation; 0 where more than half of the values are equal."""
    return float(_MAD_TO_SIGMA * np.median(np.abs(values - np.median(values))))


@_once
def _cells(beam_map: BeamMap) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean position and median power of the cells that hold enough samples."""
    u, v, power = _used(beam_map)
    place = _cell_of_sample(u, v)
    order = np.lexsort((power, place))
    _, first, count = np.unique(place[order], return_index=True, return_counts=True)
    # Cells at a ragged edge hold one or two samples, which a glitch could rule.
    count_needed = min(_SAMPLES_PER_CELL // 2 + 1, int(count.max()))
    enough = count >= count_needed
    sorted_power = power[order]
    lower, upper = first + (count - 1) // 2, first + count // 2
    median = (sorted_power[lower] + sorted_power[upper]) / 2
    u_mean = np.add.reduceat(u[order], first) / count
    v_mean = np.add.reduceat(v[order], first) / count
    return u_mean[enough], v_mean[enough], median[enough]


def _cell_of_sample(u: FloatArray, v: FloatArray) -> IndexArray:
    """Number of the cell of each sample; the cells are squares that hold `_SAMPLES_PER_CELL` on average."""
    widths = float(np.ptp(u)), float(np.ptp(v))
    side = np.sqrt(widths[0] * widths[1] * _SAMPLES_PER_CELL / u.size) or max(*widths, 1e-300)
    columns, rows = (max(1, round(width / side)) for width in widths)
    column = _bin(u, widths[0], columns)
    return _bin(v, widths[1], rows) * columns + column


def _bin(values: FloatArray, width: float, bins: int) -> IndexArray:
    scaled = (values - values.min()) / (width or 1.0) * bins
    return np.asarray(np.minimum(scaled.astype(np.int64), bins - 1), np.int64)
