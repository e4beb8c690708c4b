"""Coefficients of the phase: those of every order of the ladder, and those without each of the maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.fitting.result import Coefficient, FitResult, OrderFit
from oofpy.fitting.status import FitStatus
from oofpy.plots.frame import add_panel, drawing_style, new_figure, with_error
from oofpy.plots.map_images import FloatArray
from oofpy.plots.map_marks import map_mark, map_title
from oofpy.plots.term_rows import TermRow, add_term_panels, rows_height_in, term_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_IN, _LEFT_IN, _RIGHT_IN = 10.3, 0.8, 0.75
_LEGEND_IN, _LEGEND_LINE_IN = 0.22, 0.16
_MOST_IN_ROW, _MOST_OF_MANY_MAPS, _MANY_MAPS = 23, 18, 5
_CHOSEN = "#1f5a94"
# Part of a term's slot that its bars fill, and the widest of a bar.
_FILLED, _WIDEST = 0.86, 0.22
# Orders that went astray do not press the chosen one flat.
_MOST_OF_CHOSEN = 3.0
_SMALL_RAD = 0.03
_SIDE_IN, _SIDE_LABEL_IN = 1.75, 1.15
_LEAST_SIDE_HEIGHT_IN, _MOST_SIDE_HEIGHT_IN = 3.2, 2.2


def coefficient_figure(result: FitResult) -> Figure:
    """Draw the coefficients of the chosen order, beside them those of the other orders.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        A group of bars for each term, ascending in order, with standard errors: the chosen order dark and wide,
        the others light. Radians to the left, waves to the right. Fixed coefficients are hatched, those pressed
        against a bound have a red edge. With many terms there are several rows, each with a scale of its own.
    """
    rows = term_rows(result.fit.coefficients, _MOST_IN_ROW)
    lines = ["coefficients of Z(n,l), 1 at the rim, not normalised; > 0: longer path; error bars: one standard error"]
    if len(rows) > 1:
        lines[0] += "; every row has a scale of its own"
    legend = _LEGEND_IN + _LEGEND_LINE_IN
    height = rows_height_in(rows) + legend
    with drawing_style():
        figure = new_figure(result, _WIDTH_IN, height, *lines)
        width = _WIDTH_IN - _LEFT_IN - _RIGHT_IN
        panels = add_term_panels(figure, rows, _LEFT_IN, height - legend, width)
        for panel, row in zip(panels, rows, strict=True):
            _draw_bars(panel, row.coefficients, result)
            _label_axes(panel)
        _add_order_legend(figure, result, height)
    return figure


def has_left_out_fits(result: FitResult) -> bool:
    """Whether there are fits without one of the maps."""
    return bool(result.left_out_fits)


def left_out_figure(result: FitResult) -> Figure:
    """Draw what the fits without one of the maps find, against the fit of all maps.

    Parameters
    ----------
    result : FitResult
        What to draw; with fits without one of the maps.

    Returns
    -------
    Figure
        For each term the difference of the coefficient from that of the full fit, in standard errors of the full
        fit, which fill the grey band; to the right rms of the surface and focus error. Open symbols belong to fits that
        did not converge.
    """
    many = len(result.left_out_fits) >= _MANY_MAPS
    rows = term_rows(result.fit.coefficients, _MOST_OF_MANY_MAPS if many else _MOST_IN_ROW)
    legend = _LEGEND_IN + _LEGEND_LINE_IN * math.ceil(len(result.left_out_fits) / _legend_columns(result))
    below = max(rows_height_in(rows), _LEAST_SIDE_HEIGHT_IN)
    lines = (
        "coefficients without one of the maps minus those of all maps, sigma: standard error of the latter (grey band)",
        "change: rms over the disc of the change of the phase, over that of its error without the map",
    )
    with drawing_style():
        figure = new_figure(result, _WIDTH_IN, below + legend, *lines)
        width = _WIDTH_IN - _LEFT_IN - _SIDE_LABEL_IN - _SIDE_IN - 0.2
        panels = add_term_panels(figure, rows, _LEFT_IN, below, width)
        for panel, row in zip(panels, rows, strict=True):
            _draw_differences(panel, row, result)
        _share_scale(panels, _largest_difference(result))
        _draw_summaries(figure, result, below)
        _add_map_legend(figure, result, below + legend)
    return figure


def _draw_bars(panel: Axes, coefficients: Sequence[Coefficient], result: FitResult) -> None:
    """Draw the bars of all orders in one row of terms."""
    shown: list[float] = [0.0]
    other: list[float] = []
    for fit in result.orders:
        places, values, errors, widths = _bars_of(fit, coefficients, result)
        if not values.size:
            continue
        chosen = fit.order == result.chosen_order
        drawn = panel.bar(
            places,
            values,
            widths,
            color=_colour(fit.order, result),
            edgecolor=_CHOSEN if chosen else "0.45",
            linewidth=0.8 if chosen else 0.3,
            zorder=2,
        )
        panel.errorbar(
            places,
            values,
            errors,
            fmt="none",
            ecolor="0.1" if chosen else "0.4",
            elinewidth=1.0 if chosen else 0.5,
            capsize=1.8 if chosen else 0.0,
            zorder=3,
        )
        if chosen:
            _mark_held(drawn, coefficients)
            shown += [*(values - errors), *(values + errors)]
        else:
            other += [*values]
    _limit_scale(panel, shown, other)


def _bars_of(
    fit: OrderFit, coefficients: Sequence[Coefficient], result: FitResult
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Places, values, errors and widths of the bars of one order."""
    found = {(one.n, one.l): one for one in fit.coefficients}
    bars = []
    for slot, term in enumerate(coefficients):
        one = found.get((term.n, term.l))
        if one is None:
            continue
        holders = [other.order for other in result.orders if other.order >= term.n]
        units = [2 if order == result.chosen_order else 1 for order in holders]
        unit = min(_FILLED / sum(units), _WIDEST)
        number = holders.index(fit.order)
        place = slot + unit * (sum(units[:number]) + units[number] / 2 - sum(units) / 2)
        bars.append((place, one.phase_rad, one.phase_rad_error, unit * units[number] * 0.94))
    table = np.array(bars, np.float64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3]


def _mark_held(drawn: Any, coefficients: Sequence[Coefficient]) -> None:
    for patch, one in zip(drawn, coefficients, strict=True):
        if not one.free:
            patch.set(facecolor="white", hatch="////")
        elif one.at_bound:
            patch.set(edgecolor="firebrick", linewidth=1.8)


def _colour(order: int, result: FitResult) -> Any:
    """Give the chosen order the darkest, the others light tones that darken with the order."""
    from matplotlib import colormaps

    if order == result.chosen_order:
        return _CHOSEN
    others = [fit.order for fit in result.orders if fit.order != result.chosen_order]
    tone = others.index(order) / max(len(others) - 1, 1)
    return colormaps["Blues"](0.08 + 0.34 * tone)


def _limit_scale(panel: Axes, shown: Sequence[float], other: Sequence[float]) -> None:
    """Set the limits to all of the chosen order, and to the others up to a multiple of it; zero lies within."""
    values = np.asarray(shown)
    values = values[np.isfinite(values)]
    largest = float(np.abs(values).max())
    rest = np.asarray(other)[np.isfinite(other)]
    if rest.size:
        most = _MOST_OF_CHOSEN * largest if largest > 0 else math.inf
        values = np.append(values, np.clip(rest, -most, most))
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    panel.set_ylim(low - 0.08 * span, high + 0.16 * span)


def _label_axes(panel: Axes) -> None:
    """Label radians to the left and waves to the right, thousandths of them where the numbers are small."""
    from matplotlib.ticker import FuncFormatter

    low, high = panel.get_ylim()
    small = max(-low, high) < _SMALL_RAD
    waves = panel.twinx()
    waves.set_ylim(low / (2 * math.pi), high / (2 * math.pi))
    panel.set_ylabel("coefficient [mrad]" if small else "coefficient [rad]")
    waves.set_ylabel("[0.001 waves]" if small else "[waves]")
    for axes in (panel, waves):
        axes.locator_params(axis="y", nbins=6)
        if small:
            axes.yaxis.set_major_formatter(
                FuncFormatter(lambda value, _: f"{1e3 * value:.6g}".replace("-", "\N{MINUS SIGN}"))
            )


def _add_order_legend(figure: Figure, result: FitResult, top_in: float) -> None:
    from matplotlib.patches import Patch

    entries = []
    for fit in result.orders:
        name = f"order {fit.order}" + (" (chosen)" if fit.order == result.chosen_order else "")
        entries.append(Patch(facecolor=_colour(fit.order, result), edgecolor="0.45", linewidth=0.4, label=name))
    coefficients = result.fit.coefficients
    if not all(one.free for one in coefficients):
        entries.append(Patch(facecolor="white", edgecolor=_CHOSEN, hatch="////", label="fixed"))
    if any(one.at_bound for one in coefficients):
        entries.append(Patch(facecolor=_CHOSEN, edgecolor="firebrick", linewidth=1.8, label="at bound"))
    _add_legend(figure, entries, top_in, len(entries))


def _add_legend(figure: Figure, entries: Sequence[Any], top_in: float, columns: int) -> None:
    """Add a legend between heading and panels."""
    across, up = (float(side) for side in figure.get_size_inches())
    figure.legend(
        handles=entries,
        loc="upper left",
        bbox_to_anchor=(_LEFT_IN / across, (top_in - 0.12) / up),
        ncol=columns,
        frameon=False,
        fontsize=7.5,
        handlelength=1.1,
        handletextpad=0.4,
        columnspacing=0.9,
        borderpad=0.0,
        borderaxespad=0.0,
    )


def _draw_differences(panel: Axes, row: TermRow, result: FitResult) -> None:
    """Draw one row of terms: differences in standard errors of the full fit."""
    panel.axhspan(-1, 1, color="0.85", zorder=0.5)
    count = len(result.left_out_fits)
    for number, fit in enumerate(result.left_out_fits):
        found = {(one.n, one.l): one for one in fit.coefficients}
        slots, changes, errors = [], [], []
        for slot, full in enumerate(row.coefficients):
            one = found.get((full.n, full.l))
            if one is not None and full.phase_rad_error > 0:
                slots.append(slot + 0.7 * ((number + 0.5) / count - 0.5))
                changes.append((one.phase_rad - full.phase_rad) / full.phase_rad_error)
                errors.append(one.phase_rad_error / full.phase_rad_error)
        _mark(panel, fit, slots, changes, yerr=errors)
    panel.set_ylabel("difference [sigma]")


def _largest_difference(result: FitResult) -> float:
    """Largest change of a coefficient in standard errors of the full fit, or 2."""
    full = {(one.n, one.l): one for one in result.fit.coefficients}
    changes = [
        abs(one.phase_rad - full[one.n, one.l].phase_rad) / full[one.n, one.l].phase_rad_error
        for fit in result.left_out_fits
        for one in fit.coefficients
        if (one.n, one.l) in full and full[one.n, one.l].phase_rad_error > 0
    ]
    return max([2.0, *(change for change in changes if math.isfinite(change))])


def _share_scale(panels: Sequence[Axes], largest: float) -> None:
    for panel in panels:
        panel.set_ylim(-1.12 * largest - 0.5, 1.25 * largest + 0.5)
        panel.locator_params(axis="y", nbins=8, integer=True)


def _mark(panel: Axes, fit: OrderFit, x: Any, y: Any, **errors: Any) -> None:
    """Draw values of a fit without a map with their errors."""
    mark = map_mark(fit.left_out)
    converged = fit.status is FitStatus.CONVERGED
    panel.errorbar(
        x,
        y,
        **errors,
        fmt=mark.marker,
        color=mark.colour,
        markersize=4.0,
        markerfacecolor=mark.colour if converged else "white",
        markeredgewidth=0.8,
        elinewidth=0.8,
        zorder=3,
    )


def _draw_summaries(figure: Figure, result: FitResult, height_in: float) -> None:
    """Draw rms of the surface and focus error of every fit, one above the other."""
    left = _WIDTH_IN - _SIDE_IN - 0.2
    bottom, gap, above = 0.5, 0.72, 0.3
    side = min((height_in - above - bottom - gap) / 2, _MOST_SIDE_HEIGHT_IN)
    bottom = height_in - above - gap - 2 * side
    names = ["all maps", *(f"without map {fit.left_out}" for fit in result.left_out_fits)]
    full = result.fit.surface
    parts = (
        ("surface rms [\N{MICRO SIGN}m]", "rms_um", "rms_um_error", 1.0, bottom + side + gap),
        ("focus error dz [mm]", "best_focus_m", "best_focus_m_error", 1e3, bottom),
    )
    for label, name, error_name, scale, level in parts:
        panel = add_panel(figure, left, level, _SIDE_IN, side)
        value, error = scale * getattr(full, name), scale * getattr(full, error_name)
        if math.isfinite(value) and math.isfinite(error):
            panel.axvspan(value - error, value + error, color="0.85", zorder=0.5)
        panel.errorbar([value], [0], xerr=[error], fmt="|", color="0.1", markersize=9, elinewidth=0.9)
        for place, fit in enumerate(result.left_out_fits, start=1):
            found, its_error = (scale * getattr(fit.surface, key) for key in (name, error_name))
            _mark(panel, fit, [found], [place], xerr=[its_error])
        panel.set_yticks(range(len(names)), names)
        panel.set_ylim(len(names) - 0.4, -0.6)
        panel.tick_params(axis="y", length=0)
        panel.locator_params(axis="x", nbins=4)
        panel.margins(x=0.12)
        panel.set_title(with_error(value, error) + f" {label[label.index('[') + 1 : -1]}", loc="left", size=8)
        panel.set_xlabel(label)


def _legend_columns(result: FitResult) -> int:
    """Give the number of entries that fit side by side; those of fits that did not converge are longer."""
    return 3 if all(fit.status is FitStatus.CONVERGED for fit in result.left_out_fits) else 2


def _add_map_legend(figure: Figure, result: FitResult, top_in: float) -> None:
    from matplotlib.lines import Line2D

    from oofpy.fitting.rules.maps import left_out_change

    entries = []
    for fit in result.left_out_fits:
        mark, converged = map_mark(fit.left_out), fit.status is FitStatus.CONVERGED
        change = left_out_change(result.fit, fit)
        title = map_title(fit.left_out, result.fit.maps[fit.left_out - 1])
        name = f"without {title}, change {change:.2g} sigma"
        entries.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker=mark.marker,
                color=mark.colour,
                markerfacecolor=mark.colour if converged else "white",
                markersize=4.5,
                label=name if converged else f"{name}, not converged",
            )
        )
    _add_legend(figure, entries, top_in, _legend_columns(result))
