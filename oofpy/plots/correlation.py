"""Correlations of the fitted parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from oofpy.fitting.result import FitResult
from oofpy.plots.frame import (
    BLANK,
    DIVERGING,
    add_colour_bar,
    add_panel,
    colour_map,
    drawing_style,
    new_figure,
    shorten,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE_IN, _LABEL_IN, _TOP_IN, _BAR_IN, _LIST_IN = 5.6, 1.45, 0.1, 1.0, 2.25
_LARGEST_TEXT, _SMALLEST_TEXT = 7.5, 4.2
_MOST_LISTED, _MOST_STRONGEST = 22, 6
_LONGEST_NAME = 20
_POINTS_PER_IN = 72
_LINE_IN = 0.19


def has_correlation(result: FitResult) -> bool:
    """Whether two parameters or more were free."""
    return len(result.fit.covariance_names) > 1


def correlation_figure(result: FitResult) -> Figure:
    """Draw the matrix of correlations of the free parameters at the chosen order.

    Parameters
    ----------
    result : FitResult
        What to draw; with two free parameters or more.

    Returns
    -------
    Figure
        Correlations from -1 to 1; those of parameters that are hardly told apart are ringed, and named beside the
        matrix with their correlation, the worst first.
    """
    line = f"correlations of the {len(result.fit.covariance_names)} free parameters; {_condition(result)}"
    with drawing_style():
        width = _LABEL_IN + _SIDE_IN + _BAR_IN + _LIST_IN
        figure = new_figure(result, width, _TOP_IN + _SIDE_IN + _LABEL_IN, line)
        panel = add_panel(figure, _LABEL_IN, _LABEL_IN, _SIDE_IN, _SIDE_IN)
        panel.set_facecolor(BLANK)
        values = result.fit.correlation
        image = panel.imshow(values, cmap=colour_map(DIVERGING), vmin=-1, vmax=1, interpolation="nearest")
        bar = add_colour_bar(figure, panel, image, "correlation", np.zeros(1))
        bar.set_ticks([-1, -0.5, 0, 0.5, 1])
        _name_axes(panel, result.fit.covariance_names)
        _part_coefficients(panel, result)
        _ring_pairs(panel, result)
        _list_pairs(figure, result, _LABEL_IN + _SIDE_IN + _BAR_IN, _LABEL_IN + _SIDE_IN)
    return figure


def _condition(result: FitResult) -> str:
    """Write the condition number against its limit."""
    limit = result.settings.limits.most_condition_number
    if not np.isfinite(result.fit.correlation).all():
        return "condition number unknown"
    return f"condition number {result.fit.condition_number:.3g} (limit {limit:.3g})"


def _name_axes(panel: Axes, names: Sequence[str]) -> None:
    """Name every row and column, or every second or third where they stand too close to be read."""
    pitch = _SIDE_IN * _POINTS_PER_IN / len(names)
    step = max(1, math.ceil(_SMALLEST_TEXT / (0.95 * pitch)))
    size = min(_LARGEST_TEXT, 0.85 * pitch * step)
    places = range(0, len(names), step)
    shown = [shorten(names[place], _LONGEST_NAME) for place in places]
    panel.set_xticks(places, shown, rotation=90, size=size)
    panel.set_yticks(places, shown, size=size)
    panel.tick_params(length=2, width=0.4, pad=1.5)


def _part_coefficients(panel: Axes, result: FitResult) -> None:
    """Draw a line between the coefficients and the other parameters."""
    labels = {one.name.partition(" ")[0] for one in result.fit.coefficients}
    count = sum(name in labels for name in result.fit.covariance_names)
    if 0 < count < len(result.fit.covariance_names):
        panel.axhline(count - 0.5, color="0.3", linewidth=0.6)
        panel.axvline(count - 0.5, color="0.3", linewidth=0.6)


def _ring_pairs(panel: Axes, result: FitResult) -> None:
    place = {name: number for number, name in enumerate(result.fit.covariance_names)}
    pairs = [(place[first], place[second]) for first, second, _ in result.degenerate_pairs]
    if not pairs:
        return
    corners = np.array(pairs + [(second, first) for first, second in pairs])
    points = min(max(0.75 * _SIDE_IN * _POINTS_PER_IN / len(place), 6.5), 18.0)
    # Light on the dark cells, with a dark edge where the ring is wider than its cell.
    for colour, width in (("black", 2.6), ("white", 1.3)):
        panel.scatter(corners[:, 0], corners[:, 1], s=points**2, facecolors="none", edgecolors=colour, linewidths=width)


def _list_pairs(figure: Figure, result: FitResult, left_in: float, top_in: float) -> None:
    """Name the degenerate pairs beside the matrix, or the strongest where there are none."""
    limit = result.settings.limits.least_correlation
    pairs, title = result.degenerate_pairs, f"hardly told apart ({limit:g} or more)"
    texts = [f"{_pair_name(first, second)}  {value:+.3f}" for first, second, value in pairs[:_MOST_LISTED]]
    if len(pairs) > _MOST_LISTED:
        texts.append(f"and {len(pairs) - _MOST_LISTED} more")
    if not pairs:
        strongest = result.fit.degenerate_pairs(0.0)[:_MOST_STRONGEST]
        texts = [
            "none; the strongest:",
            *(f"{_pair_name(one, other)}  {value:+.3f}" for one, other, value in strongest),
        ]
    across, up = (float(side) for side in figure.get_size_inches())
    figure.text(left_in / across, top_in / up, title, va="top", size=8, weight="bold")
    for number, text in enumerate(texts, start=1):
        level = (top_in - 0.06 - _LINE_IN * number) / up
        figure.text(left_in / across, level, text, va="top", size=7.5)


def _pair_name(first: str, second: str) -> str:
    return f"{shorten(first, _LONGEST_NAME)}, {shorten(second, _LONGEST_NAME)}"
