"""Which residuals move together: how many neighbours, and over how large a distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from oofpy.optics.sky import product_axes

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

_SMALLEST_CORRELATION = 0.05
_MOST_CELLS = 512


@dataclass(frozen=True, eq=False)
class RingCorrelation:
    """Autocorrelation of residuals, lags of about equal length together in a ring.

    Parameters
    ----------
    sums : array, shape (rings,)
        Sum of the correlations at the lags of each ring; the first ring is lag zero.
    lags : array, shape (rings,)
        Number of lags in each.
    pitch_rad : float, radians
        Distance of the rings.
    """

    sums: FloatArray
    lags: FloatArray
    pitch_rad: float

    @property
    def area(self) -> float:
        """Sum of the correlations up to the first ring on which their mean is below 0.05.

        The number of neighbouring samples whose residuals move together, at least 1, which is independent noise.
        """
        below = np.flatnonzero(self.sums / self.lags < _SMALLEST_CORRELATION)
        last = below[0] if below.size else self.sums.size
        return max(1.0, float(self.sums[:last].sum()))

    def mean_between(self, nearest_rad: float, farthest_rad: float) -> float:
        """Mean correlation of residuals that lie so far apart; 0 where no samples do."""
        radius = np.arange(self.sums.size) * self.pitch_rad
        ring = (radius >= nearest_rad) & (radius <= farthest_rad) & (radius > 0)
        return float(self.sums[ring].sum() / self.lags[ring].sum()) if ring.any() else 0.0


@dataclass(frozen=True, eq=False)
class LagGrid:
    """Samples sorted into cells of about one each, and the pairs of samples at every lag.

    Parameters
    ----------
    shape : (int, int)
        Rows (v) and columns (u) of cells.
    index : array of int, shape (samples,)
        Cell of every sample.
    padded : (int, int)
        Shape of the transforms.
    pairs : array, shape `padded`
        Number of pairs of samples at each lag.
    ring : array of int, flattened `padded`
        Length of each lag in cells, rounded.
    pitch_rad : float, radians
        Side of a cell; where the sides differ, of a square of the same area.
    """

    shape: tuple[int, int]
    index: IndexArray
    padded: tuple[int, int]
    pairs: FloatArray
    ring: IndexArray
    pitch_rad: float

    @classmethod
    def of(cls, u: FloatArray, v: FloatArray) -> LagGrid:
        """Sort samples at the directions u, v (radians, any order)."""
        shape, index = _cells(u, v)
        padded = (scipy.fft.next_fast_len(2 * shape[0]), scipy.fft.next_fast_len(2 * shape[1]))
        lags = [np.fft.fftfreq(size, 1 / size) for size in padded]
        ring = np.rint(np.hypot(lags[0][:, None], lags[1])).astype(np.int64).ravel()
        sides = [float(np.ptp(axis)) / max(count - 1, 1) for axis, count in zip((v, u), shape, strict=True)]
        pitch_rad = float(np.sqrt(sides[0] * sides[1]))
        grid = cls(shape, index, padded, np.empty(0), ring, pitch_rad)
        return cls(shape, index, padded, grid._autocorrelation(np.ones(u.size)), ring, pitch_rad)

    def _autocorrelation(self, values: FloatArray) -> FloatArray:
        image = np.bincount(self.index, values, self.shape[0] * self.shape[1]).reshape(self.shape)
        spectrum = scipy.fft.rfft2(image, self.padded)
        return np.asarray(scipy.fft.irfft2(spectrum.real**2 + spectrum.imag**2, self.padded))

    def correlation(self, residual: FloatArray) -> RingCorrelation:
        """Correlate residuals with one another.

        Parameters
        ----------
        residual : array, shape (samples,)
            Residuals, bounded by the likelihood.

        Returns
        -------
        RingCorrelation
            Out to half the smaller side of the map.
        """
        power = self._autocorrelation(residual - residual.mean())
        if power[0, 0] <= 0:
            return RingCorrelation(np.ones(1), np.ones(1), self.pitch_rad)
        present = self.pairs > 0.5
        correlation = np.where(present, power / np.where(present, self.pairs, 1.0), 0.0).ravel()
        correlation *= self.pairs[0, 0] / power[0, 0]
        inside = self.ring < max(min(self.shape) // 2, 1)
        rings = self.ring[inside]
        sums = np.bincount(rings, correlation[inside]).astype(np.float64)
        lags = np.bincount(rings)
        return RingCorrelation(sums, lags.astype(np.float64), self.pitch_rad)


def _cells(u: FloatArray, v: FloatArray) -> tuple[tuple[int, int], IndexArray]:
    """Cell of every sample: the product grid where there is one, else squares of about one sample."""
    axes = product_axes(u, v)
    if axes is not None:
        return (axes[1].size, axes[0].size), axes[2]
    side = np.sqrt(max(np.ptp(u) * np.ptp(v), 1e-300) / u.size)
    counts = [min(max(1, int(np.ptp(axis) / side)), _MOST_CELLS) for axis in (u, v)]
    column, row = (
        np.minimum((axis - axis.min()) / max(np.ptp(axis), 1e-300) * count, count - 1).astype(np.int64)
        for axis, count in zip((u, v), counts, strict=True)
    )
    return (counts[1], counts[0]), row * counts[0] + column
