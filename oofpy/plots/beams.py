"""Beam maps: observed, model and residual of every map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.fitting.result import FitResult, MapArrays, MapFit
from oofpy.plots.frame import (
    BLANK,
    DIVERGING,
    VIEW_LINE,
    add_colour_bar,
    add_panel,
    colour_map,
    drawing_style,
    new_figure,
    shorten,
    symmetric_limit,
)
from oofpy.plots.map_images import FloatArray, MapPixels, map_pixels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_IN = 2.45
_LEFT_IN, _BOTTOM_IN, _GAP_IN, _BAR_IN, _TITLE_IN = 0.95, 0.52, 0.1, 0.95, 0.35
_ARCSEC_PER_RAD = 648000 / math.pi
_MOST_ARCSEC = 3600.0


def beam_figure(result: FitResult) -> Figure:
    """Draw observed, model and residual of every map, one row a map.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        Observed and model share a colour scale, the range of the model. Residuals, observed minus model,
        are in per cent of that range, on a scale symmetric about zero. Samples left out are blank; a
        cross marks where the unaberrated beam peaks.
    """
    pixels = [map_pixels(arrays.u_rad, arrays.v_rad) for arrays in result.map_arrays]
    scale, unit = _angle_unit(pixels)
    limits = [scale * edge for edge in _limits_rad(pixels)]
    height = _PANEL_IN * min(max((limits[3] - limits[2]) / (limits[1] - limits[0]), 0.4), 2.5)
    rows, row_in = len(pixels), height + _TITLE_IN
    with drawing_style():
        width_in = _LEFT_IN + 3 * _PANEL_IN + _GAP_IN + 2 * _BAR_IN
        figure = new_figure(result, width_in, rows * row_in + _BOTTOM_IN, VIEW_LINE)
        for row in range(rows):
            panels = _add_row(figure, _BOTTOM_IN + (rows - 1 - row) * row_in, height)
            _draw_map(figure, panels, result.map_arrays[row], pixels[row], scale)
            _write_titles(panels, result.fit.maps[row], scale)
            _label_axes(panels, limits, unit, lowest=row == rows - 1)
            name = f"map {row + 1}   {shorten(result.map_arrays[row].label, 24)}".strip()
            middle = _BOTTOM_IN + (rows - 1 - row) * row_in + height / 2
            place = (0.2 / width_in, middle / figure.get_size_inches()[1])
            figure.text(*place, name, rotation=90, ha="center", va="center", weight="bold")
    return figure


def _add_row(figure: Figure, bottom: float, height: float) -> list[Axes]:
    """Add the panels of one map; the second and third leave room for a colour bar."""
    second = _LEFT_IN + _PANEL_IN + _GAP_IN
    lefts = (_LEFT_IN, second, second + _PANEL_IN + _BAR_IN)
    return [add_panel(figure, left, bottom, _PANEL_IN, height) for left in lefts]


def _draw_map(figure: Figure, panels: list[Axes], arrays: MapArrays, pixels: MapPixels, scale: float) -> None:
    """Fill one row of panels."""
    used = arrays.weight > 0
    low, high = _range(arrays.model[used])
    observed = np.where(used, arrays.observed, np.nan)
    percent = np.where(used, 100 * arrays.residual / (high - low), np.nan)
    limit = symmetric_limit(percent, 99.5)
    left, right, bottom, top = (scale * edge for edge in pixels.extent_rad)

    def draw(panel: Axes, values: FloatArray, name: str, ends: tuple[float, float]) -> Any:
        return panel.imshow(
            pixels.image(values),
            origin="lower",
            extent=(left, right, bottom, top),
            cmap=colour_map(name),
            vmin=ends[0],
            vmax=ends[1],
            interpolation="nearest",
            aspect="equal",
        )

    draw(panels[0], observed, "viridis", (low, high))
    model = draw(panels[1], arrays.model, "viridis", (low, high))
    difference = draw(panels[2], percent, DIVERGING, (-limit, limit))
    add_colour_bar(figure, panels[1], model, "power [map unit]", observed)
    add_colour_bar(figure, panels[2], difference, "residual [% of peak]", percent)


def _write_titles(panels: list[Axes], fit: MapFit, scale: float) -> None:
    for panel in panels[:2]:
        panel.plot(*(scale * angle for angle in fit.pointing_rad), "+", color="white", ms=7, mew=0.8)
    defocus = f"{1e3 * fit.dz_m:+.4g}" if fit.dz_m else "0"
    panels[0].set_title(f"observed, dz {defocus} mm", loc="left")
    panels[1].set_title(f"model, gain {fit.gain:.5g}", loc="left")
    panels[2].set_title(f"observed - model, rms {100 * fit.residual_rms_over_peak:.2g} %", loc="left")


def _label_axes(panels: list[Axes], limits: list[float], unit: str, *, lowest: bool) -> None:
    for panel in panels:
        panel.set_facecolor(BLANK)
        panel.set_xlim(limits[0], limits[1])
        panel.set_ylim(limits[2], limits[3])
        panel.tick_params(labelbottom=lowest, labelleft=panel is panels[0])
        if lowest:
            panel.set_xlabel(f"u [{unit}]")
    panels[0].set_ylabel(f"v [{unit}]")


def _angle_unit(pixels: list[MapPixels]) -> tuple[float, str]:
    """Give the unit in which the axes of all maps have short numbers, and its size."""
    largest = max(abs(edge) for entry in pixels for edge in entry.extent_rad)
    return (1e3, "mrad") if largest * _ARCSEC_PER_RAD > _MOST_ARCSEC else (_ARCSEC_PER_RAD, "arcsec")


def _limits_rad(pixels: list[MapPixels]) -> tuple[float, ...]:
    """Give the limits that hold every map, so that the rows can be compared."""
    left, right, bottom, top = zip(*(entry.extent_rad for entry in pixels), strict=True)
    return min(left), max(right), min(bottom), max(top)


def _range(values: FloatArray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if finite.size == 0 or np.ptp(finite) == 0:
        return 0.0, 1.0
    return float(finite.min()), float(finite.max())
