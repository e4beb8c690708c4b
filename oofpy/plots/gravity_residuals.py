"""What is left of the coefficients beside the gravity model, against what else may move a surface."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from oofpy.gravity.gravity_fit import FloatArray, GravityFit
from oofpy.gravity.series import ElevationSample
from oofpy.plots.frame import drawing_style
from oofpy.plots.gravity_panels import MODEL_COLOUR, draw_points, gravity_panels, shown_terms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST = 2
_LINE = "observation minus model as half path; grey: scatter of single observations (one standard deviation)"
_ZERO_CELSIUS_K = 273.15


def residual_time_figure(fit: GravityFit) -> Figure:
    """Draw what is left against the date; a panel a coefficient."""
    return _figure(fit, _day, "date (UTC)", _label_dates)


def residual_temperature_figure(fit: GravityFit) -> Figure:
    """Draw what is left against the temperature; a panel a coefficient."""
    return _figure(fit, _celsius, "temperature [\N{DEGREE SIGN}C]", None)


def residual_hour_angle_figure(fit: GravityFit) -> Figure:
    """Draw what is left against the hour angle; a panel a coefficient."""
    return _figure(fit, _hours, "hour angle [h]", None)


def has_dates(fit: GravityFit) -> bool:
    """Whether the observations have dates, and not all the same."""
    return _varies(fit, _day)


def has_temperatures(fit: GravityFit) -> bool:
    """Whether the observations have temperatures, and not all the same."""
    return _varies(fit, _celsius)


def has_hour_angles(fit: GravityFit) -> bool:
    """Whether the observations have hour angles, and not all the same."""
    return _varies(fit, _hours)


def _day(sample: ElevationSample) -> float:
    """Days since 1970; NaN where there is no date."""
    words = (sample.date_utc or "").strip().removesuffix("UTC").strip()
    try:
        date = datetime.fromisoformat(words)
    except ValueError:
        return math.nan
    date = date.replace(tzinfo=UTC) if date.tzinfo is None else date
    return date.timestamp() / 86400


def _celsius(sample: ElevationSample) -> float:
    return math.nan if sample.temperature_k is None else sample.temperature_k - _ZERO_CELSIUS_K


def _hours(sample: ElevationSample) -> float:
    return math.nan if sample.hour_angle_rad is None else sample.hour_angle_rad * 12 / math.pi


def _places(fit: GravityFit, quantity: Callable[[ElevationSample], float]) -> FloatArray:
    return np.array([quantity(sample) for sample in fit.series.samples], np.float64)


def _varies(fit: GravityFit, quantity: Callable[[ElevationSample], float]) -> bool:
    known = _places(fit, quantity)
    return np.unique(known[np.isfinite(known)]).size >= _FEWEST


def _figure(
    fit: GravityFit,
    quantity: Callable[[ElevationSample], float],
    label: str,
    label_axis: Callable[[Sequence[Axes]], None] | None,
) -> Figure:
    across = _places(fit, quantity)
    with drawing_style():
        figure, panels = gravity_panels(fit, _LINE)
        for panel, place in zip(panels, shown_terms(fit), strict=True):
            scatter = float(fit.model.scatter_um[place])
            panel.axhspan(-scatter, scatter, color="0.88", linewidth=0, zorder=1)
            panel.axhline(0, color=MODEL_COLOUR, linewidth=0.8, zorder=2)
            ends = np.array([-scatter, scatter])
            residuals, errors = fit.residuals_um[:, place], fit.errors_um[:, place]
            draw_points(panel, across, residuals, errors, fit.outlying[:, place], ends)
        if label_axis is not None:
            label_axis(panels)
        for panel in panels[-4:]:
            panel.set_xlabel(label)
    return figure


def _label_dates(panels: Sequence[Axes]) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    for panel in panels:
        locator = AutoDateLocator(minticks=2, maxticks=6)  # type: ignore[no-untyped-call]
        panel.xaxis.set_major_locator(locator)
        panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
