"""Coefficients of the surface against elevation, with the model fitted to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from oofpy.gravity.gravity_fit import GravityFit
from oofpy.gravity.model import gravity_terms
from oofpy.plots.frame import MICROMETRE, drawing_style, with_error
from oofpy.plots.gravity_panels import MODEL_COLOUR, draw_points, gravity_panels, shown_terms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LINES = (
    "A sin(el) + B cos(el) + C: line, dark band its error, light band with the scatter of single observations "
    "(one standard deviation)",
    "surface error as half path, > 0: metal below the ideal surface, without the correction that was on the dish",
)
_MARGIN_DEG = 2.0
_FORMULA_ABOVE_PT, _NAME_ABOVE_PT = 5.0, 14.5


def gravity_model_figure(fit: GravityFit) -> Figure:
    """Draw every coefficient against elevation.

    Parameters
    ----------
    fit : GravityFit

    Returns
    -------
    Figure
        A panel a coefficient: observations with their errors, those far off in red, the model with its error, and the
        scatter about it.
    """
    with drawing_style():
        figure, panels = gravity_panels(fit, *_LINES)
        for panel, place in zip(panels, shown_terms(fit), strict=True):
            _draw(panel, fit, place)
        for panel in panels[-4:]:
            panel.set_xlabel("elevation [\N{DEGREE SIGN}]")
    return figure


def _draw(panel: Axes, fit: GravityFit, place: int) -> None:
    low, high = np.degrees(fit.model.elevation_range_rad)
    elevation = np.linspace(max(low - _MARGIN_DEG, 0), min(high + _MARGIN_DEG, 90), 120)
    shape = gravity_terms(np.radians(elevation))
    curve = shape @ fit.model.parameters_um[place]
    error = np.sqrt(np.einsum("ka,ab,kb->k", shape, fit.model.covariance_of(place), shape))
    wide = np.hypot(error, fit.model.scatter_um[place])
    panel.fill_between(elevation, curve - wide, curve + wide, color=MODEL_COLOUR, alpha=0.13, linewidth=0, zorder=1)
    panel.fill_between(elevation, curve - error, curve + error, color=MODEL_COLOUR, alpha=0.35, linewidth=0, zorder=2)
    panel.plot(elevation, curve, color=MODEL_COLOUR, linewidth=1.0, zorder=2)
    panel.set_xlim(elevation[0], elevation[-1])
    across = np.degrees(fit.series.elevation_rad)
    every = np.concatenate([curve - wide, curve + wide])
    draw_points(panel, across, fit.values_um[:, place], fit.errors_um[:, place], fit.outlying[:, place], every)
    words = ", ".join(
        f"{part} {with_error(value, spread)}"
        for part, value, spread in zip("ABC", fit.model.parameters_um[place], fit.model.errors_um[place], strict=True)
    )
    panel.set_title(panel.get_title(loc="left"), loc="left", pad=_NAME_ABOVE_PT, size=8.5)
    panel.annotate(
        f"{words} {MICROMETRE}",
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, _FORMULA_ABOVE_PT),
        textcoords="offset points",
        size=6.5,
        color=MODEL_COLOUR,
        annotation_clip=False,
    )
