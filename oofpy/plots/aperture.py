"""Images over the dish: phase, surface error and its standard error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.fitting.result import FitResult
from oofpy.plots.frame import (
    DIVERGING,
    VIEW_LINE,
    add_colour_bar,
    add_panel,
    colour_map,
    drawing_style,
    new_figure,
    symmetric_limit,
    with_error,
)
from oofpy.plots.map_images import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT_IN, _BOTTOM_IN, _BAR_IN, _TITLE_IN = 0.72, 0.52, 1.0, 0.3
# Where the field is below this part of its largest value, the dish is blocked: the maps say nothing of it.
_DARK = 0.01


def phase_figure(result: FitResult) -> Figure:
    """Draw the phase over the dish.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        Phase in radians on a scale symmetric about zero, with contours that are dashed where it is
        negative. What is blocked is grey; off the dish it is blank.
    """
    surface = result.fit.surface
    per_um = 4 * math.pi / (result.wavelength_m * 1e6)
    rms = with_error(surface.rms_um * per_um, surface.rms_um_error * per_um)
    line = f"phase of orders 2 and up, > 0: longer path; rms {rms} rad weighted by the illumination"
    side = 5.0
    with drawing_style():
        figure = new_figure(result, _LEFT_IN + side + _BAR_IN + 0.35, side + _BOTTOM_IN, VIEW_LINE, line)
        panel = add_panel(figure, _LEFT_IN, _BOTTOM_IN, side, side)
        _draw_signed(figure, panel, result, result.aperture.phase_rad, "phase [rad]")
        _label_axes(panel)
    return figure


def surface_figure(result: FitResult) -> Figure:
    """Draw the surface error over the dish, and beside it its standard error.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        Half-path errors in micrometres, drawn as in `phase_figure`; the standard error on a scale from zero.
    """
    side = 4.1
    with drawing_style():
        figure = new_figure(
            result,
            2 * (_LEFT_IN + side + _BAR_IN) - 0.2,
            _TITLE_IN + side + _BOTTOM_IN,
            VIEW_LINE,
            _surface_line(result),
        )
        left = add_panel(figure, _LEFT_IN, _BOTTOM_IN, side, side)
        right = add_panel(figure, 2 * _LEFT_IN + side + _BAR_IN - 0.2, _BOTTOM_IN, side, side)
        micrometres = "\N{MICRO SIGN}m"
        _draw_signed(figure, left, result, result.aperture.surface_um, f"surface error [{micrometres}]")
        left.set_title("half-path error, > 0: metal below the ideal surface", loc="left")
        _draw_error(figure, right, result, f"standard error [{micrometres}]")
        right.set_title("its standard error", loc="left")
        for panel in (left, right):
            _label_axes(panel)
    return figure


def _surface_line(result: FitResult) -> str:
    surface = result.fit.surface
    focus = with_error(surface.best_focus_m * 1e3, surface.best_focus_m_error * 1e3)
    # The rms is of the dish without the correction, efficiency and focus are of the dish with it.
    observed = "" if result.observing.applied is None else " as observed"
    return (
        f"without focus {surface.rms_without_focus_um:.0f} \N{MICRO SIGN}m, "
        f"unweighted {surface.rms_unweighted_um:.0f} \N{MICRO SIGN}m; "
        f"efficiency{observed} {surface.exact_efficiency:.3f} (Ruze {surface.ruze_efficiency:.3f}); "
        f"focus error{observed} dz {focus} mm"
    )


def _draw_signed(figure: Figure, panel: Axes, result: FitResult, values: FloatArray, label: str) -> None:
    """Draw an image whose sign matters, with contours."""
    from matplotlib.ticker import MaxNLocator

    open_values = np.where(_blocked(result), np.nan, values)
    limit = symmetric_limit(open_values, 99.0)
    image = _draw(panel, result, values, DIVERGING, (-limit, limit))
    bar = add_colour_bar(figure, panel, image, label, open_values)
    ticks = np.array(MaxNLocator(nbins=14, steps=[1, 2, 5, 10]).tick_values(-limit, limit))
    ticks = ticks[np.abs(ticks) <= limit]
    bar.set_ticks(ticks)
    finite = values[np.isfinite(values)]
    crossed = [level for level in ticks if finite.size and finite.min() < level < finite.max()]
    if crossed:
        axis = result.aperture.axis_m
        lines = panel.contour(axis, axis, values, levels=crossed, colors="0.15", linewidths=0.5)
        bar.add_lines(lines)
    _shade_blocked(panel, result)


def _draw_error(figure: Figure, panel: Axes, result: FitResult, label: str) -> None:
    error = result.aperture.surface_error_um
    open_values = np.where(_blocked(result), np.nan, error)
    image = _draw(panel, result, error, "viridis", (0.0, symmetric_limit(open_values, 99.0)))
    add_colour_bar(figure, panel, image, label, open_values)
    _shade_blocked(panel, result)


def _draw(panel: Axes, result: FitResult, values: FloatArray, name: str, ends: tuple[float, float]) -> Any:
    colours = colour_map(name).with_extremes(bad="white")
    return panel.imshow(
        values,
        origin="lower",
        extent=_extent(result.aperture.axis_m),
        cmap=colours,
        vmin=ends[0],
        vmax=ends[1],
        interpolation="nearest",
        aspect="equal",
    )


def _extent(axis_m: FloatArray) -> tuple[float, float, float, float]:
    """Outer edges of the pixels."""
    half = float(axis_m[1] - axis_m[0]) / 2 if axis_m.size > 1 else 0.5
    low, high = float(axis_m[0]) - half, float(axis_m[-1]) + half
    return low, high, low, high


def _blocked(result: FitResult) -> Any:
    aperture = result.aperture
    highest = float(np.nanmax(aperture.amplitude, initial=0.0))
    return np.isfinite(aperture.phase_rad) & ~(aperture.amplitude > _DARK * highest)


def _shade_blocked(panel: Axes, result: FitResult) -> None:
    """Grey what is blocked and draw the rim."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Circle

    blocked = _blocked(result)
    shade = np.where(blocked, 1.0, np.nan)
    extent = _extent(result.aperture.axis_m)
    panel.imshow(
        shade,
        origin="lower",
        extent=extent,
        cmap=ListedColormap(["0.55"]),
        alpha=0.85,
        interpolation="nearest",
    )
    radius = result.telescope.geometry.dish_radius_m
    rim = panel.add_patch(Circle((0, 0), radius, fill=False, edgecolor="0.3", linewidth=0.7))
    for image in panel.get_images():
        image.set_clip_path(rim)


def _label_axes(panel: Axes) -> None:
    panel.set_xlabel("x [m]")
    panel.set_ylabel("y [m]")
