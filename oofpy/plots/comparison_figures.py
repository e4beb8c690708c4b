"""The figures of a comparison, in the order in which they are read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from oofpy.comparison.values import Comparison, FloatArray
from oofpy.fitting.result import Coefficient, FitResult
from oofpy.plots.comparison_frame import comparison_figure, elevation_in_words
from oofpy.plots.comparison_maps import (
    UM,
    deviations_figure,
    difference_figure,
    scatter_figure,
    surfaces_figure,
)
from oofpy.plots.frame import add_panel, drawing_style, shorten
from oofpy.plots.map_marks import map_mark
from oofpy.plots.saving import FigureKind
from oofpy.plots.term_rows import add_term_panels, rows_height_in, term_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_IN, _LEFT_IN, _RIGHT_IN = 10.3, 0.8, 0.2
_MOST_IN_ROW, _MOST_NAMED, _LEGEND_IN = 24, 14, 0.34
_NUMBERS_IN, _NUMBERS_BOTTOM_IN = 2.6, 0.72
_MOST_TICKS = 16


def comparison_coefficients_figure(comparison: Comparison) -> Figure:
    """Draw the coefficients of all results side by side, and below what sets them apart.

    Parameters
    ----------
    comparison : Comparison
        What to draw.

    Returns
    -------
    Figure
        Half-path errors in micrometres with standard errors. Below, of two results the difference, of several each
        minus the weighted mean, over its standard error, with bands of one and three standard errors. Terms that
        were not fitted in all results have no mark there.
    """
    terms = _terms(comparison)
    tested = [one for one, wanted in zip(terms, comparison.tested, strict=True) if wanted]
    rows, rows_below = term_rows(terms, _MOST_IN_ROW), term_rows(tested, _MOST_IN_ROW) if tested else []
    body = rows_height_in(rows) + rows_height_in(rows_below) + _LEGEND_IN
    line = (
        "coefficients of Z(n,l), 1 at the rim, as half-path errors: wavelength x coefficient / 4 pi; one standard error"
    )
    with drawing_style():
        figure = comparison_figure(comparison, _WIDTH_IN, body, line)
        top, width = body - _LEGEND_IN, _WIDTH_IN - _LEFT_IN - _RIGHT_IN
        for row, panel in zip(rows, add_term_panels(figure, rows, _LEFT_IN, top, width), strict=True):
            _draw_values(panel, comparison, [terms.index(one) for one in row.coefficients])
        top -= rows_height_in(rows)
        below = add_term_panels(figure, rows_below, _LEFT_IN, top, width) if rows_below else []
        for row, panel in zip(rows_below, below, strict=True):
            _draw_pulls(panel, comparison, [terms.index(one) for one in row.coefficients])
        _add_legend(figure, comparison, body)
    return figure


def numbers_figure(comparison: Comparison) -> Figure:
    """Draw surface rms, focus error and efficiency of every result.

    Parameters
    ----------
    comparison : Comparison
        What to draw.

    Returns
    -------
    Figure
        Three panels; the results stand in the order given, with their elevations where these are known.
    """
    width = (_WIDTH_IN - _LEFT_IN - _RIGHT_IN - 2 * 0.75) / 3
    corrected = any(result.observing.applied is not None for result in comparison.results)
    line = "error bars: one standard error" + (
        "; focus and efficiency are those of the dish as observed, a correction on it included" if corrected else ""
    )
    with drawing_style():
        body = _NUMBERS_IN + _NUMBERS_BOTTOM_IN + 0.3
        figure = comparison_figure(comparison, _WIDTH_IN, body, line)
        panels = [
            add_panel(figure, _LEFT_IN + number * (width + 0.75), _NUMBERS_BOTTOM_IN, width, _NUMBERS_IN)
            for number in range(3)
        ]
        surfaces = [result.fit.surface for result in comparison.results]
        focus, focus_error = (
            np.array([getattr(one, name) * 1e3 for one in surfaces]) for name in ("best_focus_m", "best_focus_m_error")
        )
        _draw_numbers(
            panels[0],
            np.array([one.rms_um for one in surfaces]),
            np.array([one.rms_um_error for one in surfaces]),
            np.array([one.rms_without_focus_um for one in surfaces]),
        )
        _draw_numbers(panels[1], focus, focus_error, None)
        _draw_numbers(
            panels[2],
            np.array([one.exact_efficiency for one in surfaces]),
            None,
            np.array([one.ruze_efficiency for one in surfaces]),
        )
        panels[0].set_title(f"surface rms [{UM}]; open: without focus", loc="left")
        panels[1].set_title("focus error dz [mm]", loc="left")
        panels[2].set_title("efficiency, exact; open: by Ruze", loc="left")
        for panel in panels:
            _label_results(panel, comparison)
    return figure


def _terms(comparison: Comparison) -> list[Coefficient]:
    """Give the terms as coefficients, held where a result that has the term held it."""
    held = ~comparison.tested & np.isfinite(comparison.values_um).all(axis=0)
    return [
        Coefficient(term.n, term.l, term.name, 0.0, 0.0, free=not one)
        for term, one in zip(comparison.terms, held, strict=True)
    ]


def _draw_values(panel: Axes, comparison: Comparison, places: Sequence[int]) -> None:
    for number in range(len(comparison.names)):
        values, errors = (array[number, list(places)] for array in (comparison.values_um, comparison.errors_um))
        _mark(panel, comparison, number, values, errors)
    panel.margins(y=0.12)
    panel.set_ylabel(f"coefficient [{UM}]")
    panel.locator_params(axis="y", nbins=6)


def _draw_pulls(panel: Axes, comparison: Comparison, places: Sequence[int]) -> None:
    """Draw differences in standard errors; those of focus do not press the others flat."""
    for size, shade in ((3, "0.93"), (1, "0.85")):
        panel.axhspan(-size, size, color=shade, zorder=0.5)
    pulls = _pulls(comparison)[:, list(places)]
    limit = _pull_limit(comparison)
    inside = np.clip(pulls, -0.97 * limit, 0.97 * limit)
    if comparison.difference is not None:
        panel.bar(range(len(places)), np.nan_to_num(inside[0]), width=0.6, color="#0b2f5b", zorder=3)
        panel.set_ylabel("(A - B) / error")
    else:
        for number, row in enumerate(inside):
            _mark(panel, comparison, number, row, None)
        panel.set_ylabel("(result - mean) / error")
    for slot, column in enumerate(pulls.T):
        beyond = column[np.abs(column) > limit]
        if beyond.size:
            _write_beyond(panel, slot, beyond, limit)
    panel.set_ylim(-limit, limit)
    panel.locator_params(axis="y", nbins=8)


def _pulls(comparison: Comparison) -> FloatArray:
    """Differences in standard errors, shape (rows, terms): one row of two results, one for each of several."""
    if comparison.difference is not None:
        return comparison.difference.z[None]
    repeated = comparison.repeatability
    return np.zeros((0, len(comparison.terms))) if repeated is None else repeated.pulls


def _pull_limit(comparison: Comparison) -> float:
    """Give the end of the scale: all terms but focus lie within."""
    others = [place for place, term in enumerate(comparison.terms) if (term.n, term.l) != (2, 0)]
    found = np.abs(_pulls(comparison)[:, others])
    return max(4.0, 1.12 * float(found[np.isfinite(found)].max(initial=0.0)))


def _write_beyond(panel: Axes, slot: int, values: FloatArray, limit: float) -> None:
    """Write the numbers that lie beyond the ends of the scale beside the term."""
    low, high = float(values.min()), float(values.max())
    words = f"{high:+.0f}" if low == high else f"{low:+.0f} to\n{high:+.0f}"
    above = abs(high) >= abs(low)
    panel.annotate(
        words,
        (slot + 0.4, 0.9 * limit if above else -0.9 * limit),
        va="top" if above else "bottom",
        size=7.5,
        color="firebrick",
        zorder=4,
    )


def _mark(panel: Axes, comparison: Comparison, number: int, values: FloatArray, errors: FloatArray | None) -> None:
    """Mark the values of one result beside those of the others."""
    count = len(comparison.names)
    mark = map_mark(number + 1)
    slots = np.arange(len(values)) + 0.7 * ((number + 0.5) / count - 0.5)
    small = count > _MOST_NAMED
    known = np.isfinite(values)
    panel.errorbar(
        slots[known],
        values[known],
        None if errors is None else np.nan_to_num(errors[known]),
        fmt=mark.marker,
        color=mark.colour,
        markersize=2.5 if small else 4.0,
        markerfacecolor=mark.colour if number < 7 else "white",
        markeredgewidth=0.8,
        elinewidth=0.8,
        zorder=3,
    )


def _add_legend(figure: Figure, comparison: Comparison, body_in: float) -> None:
    from matplotlib.lines import Line2D

    entries = []
    for number, (label, name) in enumerate(zip(comparison.labels, comparison.names, strict=True)):
        mark = map_mark(number + 1)
        entries.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker=mark.marker,
                color=mark.colour,
                markerfacecolor=mark.colour if number < 7 else "white",
                markersize=4.5,
                label=f"{label} {shorten(name, 18)}" if len(comparison.names) <= 5 else label,
            )
        )
    if len(entries) > _MOST_NAMED:
        return
    across, up = (float(side) for side in figure.get_size_inches())
    figure.legend(
        handles=entries,
        loc="upper left",
        bbox_to_anchor=(_LEFT_IN / across, (body_in - 0.08) / up),
        ncol=len(entries),
        frameon=False,
        fontsize=8,
        handletextpad=0.2,
        columnspacing=1.2,
        borderpad=0.0,
        borderaxespad=0.0,
    )


def _draw_numbers(panel: Axes, values: FloatArray, errors: FloatArray | None, other: FloatArray | None) -> None:
    """Draw one number of every result with its error, and another one open beside it."""
    places = np.arange(len(values))
    if other is not None:
        panel.plot(places + 0.12, other, "o", color="0.35", markersize=4.5, markerfacecolor="white", zorder=2)
    bars = None if errors is None else np.nan_to_num(errors)
    panel.errorbar(places, values, bars, fmt="o", color="#0b2f5b", markersize=5, elinewidth=1.0, zorder=3)
    panel.grid(axis="y", color="0.9", linewidth=0.5)
    panel.set_axisbelow(True)
    panel.margins(y=0.15)
    panel.locator_params(axis="y", nbins=6)
    panel.ticklabel_format(axis="y", useOffset=False)


def _label_results(panel: Axes, comparison: Comparison) -> None:
    labels = [
        "\n".join(filter(None, (label, elevation_in_words(result))))
        for label, result in zip(comparison.labels, comparison.results, strict=True)
    ]
    step = math.ceil(len(labels) / _MOST_TICKS)
    places = range(0, len(labels), step)
    panel.set_xticks(places, [labels[place] for place in places])
    panel.set_xlim(-0.6, len(labels) - 0.4)
    panel.set_xlabel("result, elevation" if _any_elevation(comparison.results) else "result")


def _any_elevation(results: Sequence[FitResult]) -> bool:
    return any(result.elevation_rad is not None for result in results)


def _of_two(comparison: Comparison) -> bool:
    return comparison.difference is not None


def _of_several(comparison: Comparison) -> bool:
    return comparison.repeatability is not None


COMPARISON_FIGURES: tuple[FigureKind[Comparison], ...] = (
    FigureKind(
        "surfaces",
        surfaces_figure,
        "Surfaces",
        "Half-path surface error of each result without tilt, and without tilt and focus, all on one scale. Contours "
        "are dashed where it is negative; what is blocked is grey.",
    ),
    FigureKind(
        "difference",
        difference_figure,
        "Difference",
        "A - B, its standard error, and the one over the other with contours at 3 and 5; above with focus, below "
        "without. Beside each rms stands the one that the errors alone make.",
        _of_two,
    ),
    FigureKind(
        "scatter",
        scatter_figure,
        "Repeatability",
        "Standard deviation of the surfaces at every point, the one that their errors predict, and the ratio of both, "
        "with contours at 1, 2 and 5; above with focus, below without. Where the errors explain the scatter, the ratio "
        "is 1.",
        _of_several,
    ),
    FigureKind(
        "deviations",
        deviations_figure,
        "Deviations from the mean",
        "Each surface minus the weighted mean, focus left out, all on one scale. Beside each rms stands the one that "
        "the errors alone make.",
        _of_several,
    ),
    FigureKind(
        "coefficients",
        comparison_coefficients_figure,
        "Coefficients",
        "Every coefficient of every result as half-path error with its standard error. Below, how many standard errors "
        "set them apart: the difference of two, or each of several minus the mean; bands at 1 and 3.",
    ),
    FigureKind(
        "numbers",
        numbers_figure,
        "Rms, focus and efficiency",
        "Surface rms with and without focus, focus error and efficiency of each result, at its own wavelength.",
    ),
)
