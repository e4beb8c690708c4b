"""What the figures of a comparison share: heading, names of the results, images over the dish."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.comparison.values import Comparison, FloatArray
from oofpy.fitting.result import FitResult
from oofpy.plots.frame import colour_map, framed, shorten
from oofpy.plots.surface_views import blocked_pixels
from oofpy.quantities import format_length

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LETTER_IN = 0.068
_MOST_LINES = 4
# What is blocked; darker than the middle of any scale, without a hue.
_BLOCKED = "0.6"


def comparison_figure(comparison: Comparison, width_in: float, body_in: float, *more: str) -> Figure:
    """Make a figure of a comparison, with the heading that names the results.

    Parameters
    ----------
    comparison : Comparison
        For the heading; its first remark stands there in red.
    width_in, body_in : float, inches
        Width of the whole, and height of what lies below the heading.
    *more : str
        Further lines of the heading.

    Returns
    -------
    Figure
        With a canvas that draws into memory.
    """
    longest = int((width_in - 0.3) / _LETTER_IN)
    named = list(zip(comparison.labels, comparison.names, comparison.results, strict=True))
    telescope = shorten(comparison.results[0].telescope.name, 30)
    lines = [f"{telescope}: comparison of {len(named)} results"]
    if len(named) <= _MOST_LINES:
        lines += [_line(*entry, longest) for entry in named]
    else:
        lines.append(shorten(", ".join(f"{label} {name}" for label, name, _ in named), longest))
    warning = shorten(comparison.remarks[0].message, longest) if comparison.remarks else ""
    return framed([*lines, *(shorten(line, longest) for line in more)], warning, width_in, body_in)


def _line(label: str, name: str, result: FitResult, longest: int) -> str:
    wavelength = format_length(float(f"{result.wavelength_m:.5g}"))
    parts = [
        shorten(name, 40),
        *(shorten(text, 30) for text in (result.object_name, result.date) if text),
        *([f"elevation {elevation_in_words(result)}"] if result.elevation_rad is not None else []),
        f"\N{GREEK SMALL LETTER LAMDA} {wavelength}",
        f"order {result.chosen_order}",
    ]
    return shorten(f"{label} {', '.join(parts)}", longest)


def elevation_in_words(result: FitResult) -> str:
    """Write the elevation in degrees; nothing where it is unknown."""
    return "" if result.elevation_rad is None else f"{math.degrees(result.elevation_rad):.0f}\N{DEGREE SIGN}"


def dish_panel(
    panel: Axes, comparison: Comparison, values: FloatArray, colours: str, ends: tuple[float, float]
) -> tuple[Any, FloatArray]:
    """Draw an image over the dish, what is blocked in grey.

    Parameters
    ----------
    panel : Axes
    comparison : Comparison
        Whose dish it is.
    values : array, shape (y, x)
        NaN off the dish.
    colours : str
        As for `colour_map`.
    ends : (float, float)
        Of the scale.

    Returns
    -------
    image : AxesImage
    shown : array, shape (y, x)
        The values that are seen; NaN elsewhere.
    """
    from matplotlib.patches import Circle

    shown = open_values(comparison, values)
    image = panel.imshow(
        shown,
        origin="lower",
        extent=_extent(comparison.axis_m),
        cmap=colour_map(colours).with_extremes(bad=_BLOCKED),
        vmin=ends[0],
        vmax=ends[1],
        interpolation="nearest",
        aspect="equal",
    )
    radius = comparison.results[0].telescope.geometry.dish_radius_m
    rim = panel.add_patch(Circle((0, 0), radius, fill=False, edgecolor="0.3", linewidth=0.7))
    image.set_clip_path(rim)
    return image, shown


def open_values(comparison: Comparison, values: FloatArray) -> FloatArray:
    """Take out what is blocked; of one image or of several."""
    return np.where(blocked_pixels(comparison.results[0]), np.nan, values)


def draw_contours(
    panel: Axes, comparison: Comparison, values: FloatArray, levels: Sequence[float], colour: str = "0.15"
) -> None:
    """Draw contours, dashed where negative, at the levels that the values cross."""
    finite = values[np.isfinite(values)]
    crossed = [level for level in levels if finite.size and finite.min() < level < finite.max()]
    if crossed:
        axis = comparison.axis_m
        panel.contour(axis, axis, values, levels=crossed, colors=colour, linewidths=0.6)


def label_dish_axes(panel: Axes, *, lowest: bool, leftmost: bool) -> None:
    """Label x and y in metres at the outer sides of a group of panels."""
    panel.locator_params(nbins=5)
    panel.tick_params(labelbottom=lowest, labelleft=leftmost)
    if lowest:
        panel.set_xlabel("x [m]", labelpad=1)
    if leftmost:
        panel.set_ylabel("y [m]", labelpad=1)


def _extent(axis_m: FloatArray) -> tuple[float, float, float, float]:
    """Outer edges of the pixels."""
    half = float(axis_m[1] - axis_m[0]) / 2 if axis_m.size > 1 else 0.5
    low, high = float(axis_m[0]) - half, float(axis_m[-1]) + half
    return low, high, low, high
