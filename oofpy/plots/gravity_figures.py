"""The figures of a gravity model, in the order in which they are read."""

from __future__ import annotations

from pathlib import Path

from oofpy.gravity.gravity_fit import GravityFit
from oofpy.plots.gravity_model import gravity_model_figure
from oofpy.plots.gravity_residuals import (
    has_dates,
    has_hour_angles,
    has_temperatures,
    residual_hour_angle_figure,
    residual_temperature_figure,
    residual_time_figure,
)
from oofpy.plots.saving import FigureKind, draw_figures, write_drawn

_CAPTION = (
    "Observation minus model of every coefficient against {}; red: far off, a triangle: beyond the scale; grey: "
    "scatter of single observations. A trend here is something that gravity does not explain."
)

GRAVITY_FIGURES: tuple[FigureKind[GravityFit], ...] = (
    FigureKind(
        "gravity",
        gravity_model_figure,
        "Coefficients against elevation",
        "Half-path coefficients of the dish without a correction, with the model A sin(el) + B cos(el) + C, its error "
        "(dark band) and the scatter about it (light band); red: far off, a triangle: beyond the scale.",
    ),
    FigureKind("residuals_time", residual_time_figure, "Left over against time", _CAPTION.format("date"), has_dates),
    FigureKind(
        "residuals_temperature",
        residual_temperature_figure,
        "Left over against temperature",
        _CAPTION.format("temperature"),
        has_temperatures,
    ),
    FigureKind(
        "residuals_hour_angle",
        residual_hour_angle_figure,
        "Left over against hour angle",
        _CAPTION.format("hour angle"),
        has_hour_angles,
    ),
)


def write_gravity_figures(fit: GravityFit, folder: str | Path, *, pdf: bool = False) -> None:
    """Draw every figure of a gravity model into a folder.

    Parameters
    ----------
    fit : GravityFit
        What to draw.
    folder : path-like
        An existing folder, for `NAME.png` of every figure.
    pdf : bool
        Write `NAME.pdf` as well.
    """
    write_drawn(draw_figures(GRAVITY_FIGURES, fit, pdf=pdf), Path(folder))
