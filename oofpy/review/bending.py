"""The gravity model beside a trend: fitted to the results that the trend shows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from oofpy.catalogue.trends import Trend
from oofpy.errors import UsageError
from oofpy.gravity.two_step import ElevationCurve, fit_curve
from oofpy.observation import BoolArray, FloatArray

# Of the wavelengths, to which a coefficient in radians is that of one surface.
_SAME_WAVELENGTH = 1e-3
_FOCUS = "focus"


@dataclass(frozen=True, eq=False)
class Bending:
    """How a quantity goes with the elevation.

    Parameters
    ----------
    curve : ElevationCurve
        In the unit of the trend.
    elevation_rad : array, shape (rows,), radians
        Of the results of the trend; NaN where it is not known.
    outlying : array of bool, shape (rows,)
        Those that lie far off.
    """

    curve: ElevationCurve
    elevation_rad: FloatArray
    outlying: BoolArray

    def line(self, points: int = 200) -> tuple[FloatArray, FloatArray]:
        """Elevations in radians from the lowest to the highest of the results, and the curve there."""
        elevation = np.linspace(np.nanmin(self.elevation_rad), np.nanmax(self.elevation_rad), points)
        return elevation, self.curve.at(elevation)


def bends(trend: Trend) -> bool:
    """Whether the quantity of a trend follows gravity in proportion: coefficients and the focus."""
    return trend.quantity.unit == "rad" or trend.quantity.name == _FOCUS


def bending_of(trend: Trend) -> Bending:
    """Fit `A sin(el) + B cos(el) + C` to a trend.

    Parameters
    ----------
    trend : Trend
        Of a coefficient or of the focus; rejected results among it do not count.

    Returns
    -------
    Bending

    Raises
    ------
    UsageError
        If the results are of more than one telescope or, for a coefficient, wavelength, are too few, or their
        elevations too close to each other.
    """
    elevation = np.array([math.nan if row.elevation_rad is None else row.elevation_rad for row in trend.rows], float)
    counted = np.isfinite(elevation) & ~trend.rejected & (trend.errors > 0)
    _require_one_kind(trend, counted)
    curve = fit_curve(elevation[counted], trend.values[counted], trend.errors[counted])
    outlying = np.zeros(elevation.size, bool)
    outlying[counted] = curve.outlying
    return Bending(curve, elevation, outlying)


def _require_one_kind(trend: Trend, counted: BoolArray) -> None:
    rows = [row for row, one in zip(trend.rows, counted, strict=True) if one]
    telescopes = sorted({row.telescope or "unknown" for row in rows})
    if len(telescopes) > 1:
        remedy = "choose one by its filter"
        raise UsageError("no gravity model of several dishes", key="telescope", value=telescopes, remedy=remedy)
    wavelengths = [row.wavelength_m for row in rows if row.wavelength_m]
    if trend.quantity.name == _FOCUS or not wavelengths:
        return
    if max(wavelengths) / min(wavelengths) > 1 + _SAME_WAVELENGTH:
        ends = f"{min(wavelengths) * 1e3:.4g} to {max(wavelengths) * 1e3:.4g} mm"
        raise UsageError(
            "no gravity model of a phase at several wavelengths",
            key="wavelength",
            value=ends,
            remedy="'oofpy gravity' makes one of the surface",
        )
