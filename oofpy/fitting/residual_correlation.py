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
_FEWEST_PAIRS = 2000  # each counted from both sides: the mean correlation of so many is known to 0.03


@dataclass(frozen=True, eq=False)
class Autocorrelation:
    """How residuals correlate with one another, lag by lag.

    Parameters
    ----------
    correlation : array, shape (lags,)
        1 at lag zero.
    pairs : array, shape (lags,)
        Number of pairs of samples at each lag.
    ring : array of int, shape (lags,)
        Length of each lag in cells, rounded.
    length_rad : array, shape (lags,), radians
        Length of each lag on the sky.
    farthest : int
        Ring up to which lags count: half the smaller side of the map, in cells.
    """

    correlation: FloatArray
    pairs: FloatArray
    ring: IndexArray
    length_rad: FloatArray
    farthest: int

    @property
    def area(self) -> float:
        """Sum of the correlations over all lags up to the first ring on which their mean is below 0.05.

        The number of neighbouring samples whose residuals move together, at least 1, which is independent noise.
        """
        inside = self.ring < self.farthest
        sums = np.bincount(self.ring[inside], self.correlation[inside])
        below = np.flatnonzero(sums / np.bincount(self.ring[inside]) < _SMALLEST_CORRELATION)
        last = below[0] if below.size else sums.size
        return max(1.0, float(sums[:last].sum()))

    def mean_between(self, nearest_rad: float, farthest_rad: float) -> float:
        """Mean correlation of the pairs of samples that lie so far apart; NaN where there are too few to tell."""
        slack = 1e-6 * farthest_rad  # the steps of a grid may fall on the ends
        between = (self.length_rad >= nearest_rad - slack) & (self.length_rad <= farthest_rad + slack)
        pairs = self.pairs[between]
        if pairs.sum() < _FEWEST_PAIRS:
            return float("nan")
        return float(np.average(self.correlation[between], weights=pairs))


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
    length_rad : array, flattened `padded`, radians
        Length of each lag on the sky.
    """

    shape: tuple[int, int]
    index: IndexArray
    padded: tuple[int, int]
    pairs: FloatArray
    ring: IndexArray
    length_rad: FloatArray

    @classmethod
    def of(cls, u: FloatArray, v: FloatArray) -> LagGrid:
        """Sort samples at the directions u, v (radians, any order)."""
        shape, index, sides = _cells(u, v)
        padded = (scipy.fft.next_fast_len(2 * shape[0]), scipy.fft.next_fast_len(2 * shape[1]))
        lags = [np.fft.fftfreq(size, 1 / size) for size in padded]
        ring = np.rint(np.hypot(lags[0][:, None], lags[1])).astype(np.int64).ravel()
        length_rad = np.hypot(sides[0] * lags[0][:, None], sides[1] * lags[1]).ravel()
        grid = cls(shape, index, padded, np.empty(0), ring, length_rad)
        return cls(shape, index, padded, grid._autocorrelation(np.ones(u.size)), ring, length_rad)

    def _autocorrelation(self, values: FloatArray) -> FloatArray:
        image = np.bincount(self.index, values, self.shape[0] * self.shape[1]).reshape(self.shape)
        spectrum = scipy.fft.rfft2(image, self.padded)
        return np.asarray(scipy.fft.irfft2(spectrum.real**2 + spectrum.imag**2, self.padded))

    def correlation(self, residual: FloatArray) -> Autocorrelation:
        """Correlate residuals with one another.

        Parameters
        ----------
        residual : array, shape (samples,)
            Residuals, bounded by the likelihood.

        Returns
        -------
        Autocorrelation
            That of independent noise where all residuals are alike.
        """
        power = self._autocorrelation(residual - residual.mean())
        if power[0, 0] <= 0:
            power = np.zeros(self.padded)
            power[0, 0] = 1.0
        present = self.pairs > 0.5
        pairs = np.where(present, self.pairs, 0.0)
        correlation = np.where(present, power / np.where(present, self.pairs, 1.0), 0.0)
        correlation *= self.pairs[0, 0] / power[0, 0]
        farthest = max(min(self.shape) // 2, 1)
        return Autocorrelation(correlation.ravel(), pairs.ravel(), self.ring, self.length_rad, farthest)


def _cells(u: FloatArray, v: FloatArray) -> tuple[tuple[int, int], IndexArray, tuple[float, float]]:
    """Cells along v and u, the cell of every sample, and the sides of a cell along v and u in radians.

    The product grid where there is one, else squares of about one sample.
    """
    axes = product_axes(u, v)
    if axes is not None:
        shape = (axes[1].size, axes[0].size)
        pitch_v, pitch_u = (float(np.ptp(axis)) / max(axis.size - 1, 1) for axis in (axes[1], axes[0]))
        return shape, axes[2], (pitch_v, pitch_u)
    side = np.sqrt(max(np.ptp(u) * np.ptp(v), 1e-300) / u.size)
    counts = [min(max(1, int(np.ptp(axis) / side)), _MOST_CELLS) for axis in (u, v)]
    column, row = (
        np.minimum((axis - axis.min()) / max(np.ptp(axis), 1e-300) * count, count - 1).astype(np.int64)
        for axis, count in zip((u, v), counts, strict=True)
    )
    side_u, side_v = (float(np.ptp(axis)) / count for axis, count in zip((u, v), counts, strict=True))
    return (counts[1], counts[0]), row * counts[0] + column, (side_v, side_u)
