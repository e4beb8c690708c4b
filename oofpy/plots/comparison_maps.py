"""Comparison of results over the dish: their surfaces, the difference of two, the scatter of several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.comparison.values import Comparison, DifferenceView, DishRms, FloatArray, ScatterView, ViewName
from oofpy.plots.comparison_frame import (
    comparison_figure,
    dish_panel,
    draw_contours,
    label_dish_axes,
    open_values,
)
from oofpy.plots.frame import (
    DIVERGING,
    VIEW_LINE,
    add_colour_bar,
    add_panel,
    drawing_style,
    shorten,
    symmetric_limit,
    with_error,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT_IN, _BOTTOM_IN, _TITLE_IN, _GAP_IN, _BAR_IN = 0.62, 0.45, 0.3, 0.14, 0.85
_ACROSS_IN, _WIDEST_PANEL_IN = 8.6, 3.3
_HEADING_IN = 0.22
_MOST_COLUMNS, _MOST_SHOWN = 4, 8
_TRIPLE_IN = 2.75
UM = "\N{MICRO SIGN}m"
_SIGN = "half-path error, > 0: metal below the ideal surface"
# How the two views are called over a surface: the tilt is never in it.
_VIEWS: dict[ViewName, str] = {"with focus": "without tilt", "without focus": "without tilt and focus"}


@dataclass(frozen=True)
class _Tile:
    """One of many panels that share a scale."""

    title: str
    values: FloatArray


def surfaces_figure(comparison: Comparison) -> Figure:
    """Draw the surfaces side by side.

    Parameters
    ----------
    comparison : Comparison
        What to draw; of more than eight results those farthest from their mean.

    Returns
    -------
    Figure
        Without tilt, and below without tilt and focus, all on one scale in micrometres that is symmetric about zero,
        with contours that are dashed where it is negative. What is blocked is grey.
    """
    shown = _shown(comparison)
    surfaces = [comparison.results[place].fit.surface for place in shown]
    blocks = [
        [
            _Tile(
                f"{_name(comparison, place)}, rms {with_error(surface.rms_um, surface.rms_um_error)} {UM}",
                comparison.surfaces_um[place],
            )
            for place, surface in zip(shown, surfaces, strict=True)
        ],
        [
            _Tile(
                f"{_name(comparison, place)}, rms {surface.rms_without_focus_um:.4g} {UM}",
                comparison.surfaces_without_focus_um[place],
            )
            for place, surface in zip(shown, surfaces, strict=True)
        ],
    ]
    return _draw_tiles(comparison, blocks, list(_VIEWS.values()), f"surface error [{UM}]", _few(comparison, shown))


def deviations_figure(comparison: Comparison) -> Figure:
    """Draw each of several surfaces minus their mean, focus left out.

    Parameters
    ----------
    comparison : Comparison
        Of three or more results; of more than eight those farthest from the mean are drawn.

    Returns
    -------
    Figure
        As `surfaces_figure`, with the rms of each and the one that the errors alone make.
    """
    view = _scatter_views(comparison)[1]
    shown = _shown(comparison)
    tiles = [
        _Tile(f"{_name(comparison, place)}, {_beside(view.deviations[place])}", view.deviations_um[place])
        for place in shown
    ]
    words = "each minus the weighted mean, without tilt and focus"
    return _draw_tiles(comparison, [tiles], [words], f"surface minus mean [{UM}]", _few(comparison, shown))


def difference_figure(comparison: Comparison) -> Figure:
    """Draw the difference of two surfaces, its standard error, and the one over the other.

    Parameters
    ----------
    comparison : Comparison
        Of two results.

    Returns
    -------
    Figure
        With focus, and below without.
    """
    difference = comparison.difference
    views = () if difference is None else difference.views
    line = f"A - B, {_SIGN} (> 0: the metal lies lower in A)"
    with drawing_style():
        figure, rows = _triples(comparison, len(views), line)
        for view, panels in zip(views, rows, strict=True):
            _draw_difference(figure, panels, comparison, view)
    return figure


def scatter_figure(comparison: Comparison) -> Figure:
    """Draw the scatter of several surfaces, what their errors predict, and the ratio of both.

    Parameters
    ----------
    comparison : Comparison
        Of three or more results.

    Returns
    -------
    Figure
        With focus, and below without; scatter and prediction on one scale.
    """
    views = _scatter_views(comparison)
    line = "scatter: standard deviation of the half-path errors (n - 1); predicted: root of their mean variance"
    with drawing_style():
        figure, rows = _triples(comparison, len(views), line)
        for view, panels in zip(views, rows, strict=True):
            _draw_scatter(figure, panels, comparison, view)
    return figure


def _draw_difference(figure: Figure, panels: Sequence[Axes], comparison: Comparison, view: DifferenceView) -> None:
    limit = symmetric_limit(open_values(comparison, view.map_um), 99.5)
    image, shown = dish_panel(panels[0], comparison, view.map_um, DIVERGING, (-limit, limit))
    bar = add_colour_bar(figure, panels[0], image, f"A - B [{UM}]", shown)
    _add_signed_contours(panels[0], comparison, view.map_um, limit, bar)
    panels[0].set_title(f"{_VIEWS[view.name]}: {_beside(view.dish)}", loc="left", size=8.5)
    _draw_positive(figure, panels[1], comparison, view.error_um, f"standard error [{UM}]")
    largest = max(5.0, min(symmetric_limit(open_values(comparison, view.significance), 99.5), 20.0))
    image, shown = dish_panel(panels[2], comparison, view.significance, "viridis", (0.0, largest))
    add_colour_bar(figure, panels[2], image, "|A - B| / error", shown)
    draw_contours(panels[2], comparison, view.significance, (3.0, 5.0), "white")
    panels[2].set_title("significance, contours 3 and 5", loc="left", size=8.5)
    panels[1].set_title("error of the difference", loc="left", size=8.5)


def _draw_scatter(figure: Figure, panels: Sequence[Axes], comparison: Comparison, view: ScatterView) -> None:
    both = open_values(comparison, np.stack([view.scatter_um, view.predicted_um]))
    limit = symmetric_limit(both, 99.5)
    for panel, values, name in ((panels[0], view.scatter_um, "scatter"), (panels[1], view.predicted_um, "predicted")):
        _draw_positive(figure, panel, comparison, values, f"{name} [{UM}]", limit)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(view.predicted_um > 0, view.scatter_um / view.predicted_um, np.nan)
    largest = max(2.0, symmetric_limit(open_values(comparison, ratio), 99.5))
    image, shown = dish_panel(panels[2], comparison, ratio, "viridis", (0.0, largest))
    add_colour_bar(figure, panels[2], image, "scatter / predicted", shown)
    draw_contours(panels[2], comparison, ratio, (1.0, 2.0, 5.0), "white")
    panels[0].set_title(f"{_VIEWS[view.name]}: rms {view.dish.rms_um:.3g} {UM}", loc="left", size=8.5)
    panels[1].set_title(f"predicted by the errors: {view.dish.expected_um:.3g} {UM}", loc="left", size=8.5)
    dish = view.dish
    words = "no errors known"
    if math.isfinite(dish.ratio):
        words = f"ratio {dish.ratio:.3g} (1 \N{PLUS-MINUS SIGN} {dish.ratio_spread:.2g} by chance)"
    panels[2].set_title(words, loc="left", size=8.5)


def _draw_positive(
    figure: Figure, panel: Axes, comparison: Comparison, values: FloatArray, label: str, limit: float | None = None
) -> None:
    limit = symmetric_limit(open_values(comparison, values), 99.5) if limit is None else limit
    image, shown = dish_panel(panel, comparison, values, "viridis", (0.0, limit))
    add_colour_bar(figure, panel, image, label, shown)


def _triples(comparison: Comparison, rows: int, line: str) -> tuple[Figure, list[list[Axes]]]:
    """Make a figure with rows of three panels, each with room for a colour bar."""
    step, row_in = _TRIPLE_IN + _BAR_IN, _TRIPLE_IN + _TITLE_IN
    width = _LEFT_IN + 3 * step + 2 * 0.2
    figure = comparison_figure(comparison, width, rows * row_in + _BOTTOM_IN, VIEW_LINE, line)
    grid = []
    for row in range(rows):
        bottom = _BOTTOM_IN + (rows - 1 - row) * row_in
        panels = [
            add_panel(figure, _LEFT_IN + column * (step + 0.2), bottom, _TRIPLE_IN, _TRIPLE_IN) for column in range(3)
        ]
        for panel in panels:
            label_dish_axes(panel, lowest=row == rows - 1, leftmost=panel is panels[0])
        grid.append(panels)
    return figure, grid


def _draw_tiles(
    comparison: Comparison, blocks: Sequence[Sequence[_Tile]], headings: Sequence[str], label: str, few: str
) -> Figure:
    """Draw blocks of panels on one scale, a heading over each block."""
    lines = math.ceil(len(blocks[0]) / _MOST_COLUMNS)
    columns = math.ceil(len(blocks[0]) / lines)
    side = min(_WIDEST_PANEL_IN, (_ACROSS_IN - (columns - 1) * _GAP_IN) / columns)
    block_in = lines * (side + _TITLE_IN) + _HEADING_IN
    width = _LEFT_IN + columns * side + (columns - 1) * _GAP_IN + _BAR_IN + 0.15
    limit = symmetric_limit(open_values(comparison, np.stack([one.values for block in blocks for one in block])), 99.5)
    with drawing_style():
        more = [VIEW_LINE, f"{_SIGN}; all on one scale{few}"]
        figure = comparison_figure(comparison, width, len(blocks) * block_in + _BOTTOM_IN, *more)
        height = float(figure.get_size_inches()[1])
        for number, (tiles, words) in enumerate(zip(blocks, headings, strict=True)):
            top = _BOTTOM_IN + (len(blocks) - number) * block_in
            figure.text(_LEFT_IN / width, (top - 0.15) / height, words, weight="bold", size=9)
            for place, tile in enumerate(tiles):
                line, column = divmod(place, columns)
                bottom = top - _HEADING_IN - (line + 1) * (side + _TITLE_IN) + 0.06
                panel = add_panel(figure, _LEFT_IN + column * (side + _GAP_IN), bottom, side, side)
                lowest = number == len(blocks) - 1 and place + columns >= len(tiles)
                _draw_tile(figure, panel, comparison, tile, limit, label if column == columns - 1 else "")
                label_dish_axes(panel, lowest=lowest, leftmost=column == 0)
    return figure


def _draw_tile(figure: Figure, panel: Axes, comparison: Comparison, tile: _Tile, limit: float, label: str) -> None:
    image, shown = dish_panel(panel, comparison, tile.values, DIVERGING, (-limit, limit))
    bar = add_colour_bar(figure, panel, image, label, shown) if label else None
    _add_signed_contours(panel, comparison, tile.values, limit, bar)
    longest = int(float(panel.get_position().width) * float(figure.get_size_inches()[0]) / 0.062)
    panel.set_title(shorten(tile.title, longest), loc="left", size=8)


def _add_signed_contours(panel: Axes, comparison: Comparison, values: FloatArray, limit: float, bar: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    ticks = np.array(MaxNLocator(nbins=10, steps=[1, 2, 5, 10]).tick_values(-limit, limit))
    ticks = ticks[np.abs(ticks) <= limit]
    draw_contours(panel, comparison, values, list(ticks))
    if bar is not None:
        bar.set_ticks(ticks)


def _scatter_views(comparison: Comparison) -> tuple[ScatterView, ...]:
    return () if comparison.repeatability is None else comparison.repeatability.views


def _shown(comparison: Comparison) -> list[int]:
    """Which results are drawn one by one: all of a few, and of many those farthest from their mean."""
    places = range(len(comparison.names))
    if len(places) <= _MOST_SHOWN:
        return list(places)
    deviations = _scatter_views(comparison)[1].deviations
    farthest = sorted(places, key=lambda place: -np.nan_to_num(deviations[place].rms_um, nan=np.inf))
    return sorted(farthest[:_MOST_SHOWN])


def _few(comparison: Comparison, shown: Sequence[int]) -> str:
    count = len(comparison.names)
    return "" if len(shown) == count else f"; drawn are the {len(shown)} of {count} that are farthest from their mean"


def _name(comparison: Comparison, place: int) -> str:
    return f"{comparison.labels[place]} {shorten(comparison.names[place], 22)}"


def _beside(dish: DishRms) -> str:
    """Write an rms with the one that the errors alone make, both to the second digit of the latter."""
    if not dish.expected_um > 0:
        return f"rms {dish.rms_um:.4g} {UM}"
    digits = max(0, 1 - math.floor(math.log10(dish.expected_um)))
    return f"rms {dish.rms_um:.{digits}f} {UM}, errors alone {dish.expected_um:.{digits}f}"
