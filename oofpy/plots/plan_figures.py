"""The figure of a plan: error against defocus, and the errors of the coefficients at the best one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.fitting.result import Coefficient
from oofpy.planning import Curve, Plan, Prediction
from oofpy.planning.words import angle_unit, defocus_in_words, merit_in_words, surface_in_words
from oofpy.plots.frame import MICROMETRE, add_panel, drawing_style, framed, length_words, shorten
from oofpy.plots.saving import FigureKind, draw_figures, write_drawn
from oofpy.plots.term_rows import add_term_panels, rows_height_in, term_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_IN, _LEFT_IN, _RIGHT_IN = 8.6, 0.8, 0.2
_PANEL_IN, _ABOVE_IN, _BELOW_IN, _TITLE_IN = 3.1, 0.6, 0.48, 0.2
_LEGEND_LINE_IN, _LEGEND_COLUMNS = 0.19, 2
_MOST_TERMS = 26
# Told apart by those who see no red or no green, too (Okabe & Ito 2008).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "0.35")
_STYLES = ("-", "--", ":", "-.")
_MOST_LAYOUTS = len(_STYLES)
_LONGEST_LINE = 120
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


def plan_figure(plan: Plan) -> Figure:
    """Draw the error against dz for every order and layout of the maps, and the coefficient errors at the best dz.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Figure
        Above a curve an order and layout, the best dz of each marked; below bars, an order beside the other.
    """
    bests = [plan.best_of_order(order) for order in plan.situation.orders]
    rows = term_rows(_coefficients(bests[-1]), _MOST_TERMS)
    with drawing_style():
        explained_in = _LEGEND_LINE_IN * math.ceil((len(plan.curves) + 2) / _LEGEND_COLUMNS)
        between = _BELOW_IN + explained_in + _TITLE_IN
        body = _ABOVE_IN + _PANEL_IN + between + rows_height_in(rows)
        figure = framed(_heading(plan), "", _WIDTH_IN, body)
        width = _WIDTH_IN - _LEFT_IN - _RIGHT_IN
        bottom = body - _ABOVE_IN - _PANEL_IN
        panel = add_panel(figure, _LEFT_IN, bottom, width, _PANEL_IN)
        _draw_curves(panel, plan)
        panels = add_term_panels(figure, rows, _LEFT_IN, bottom - between, width)
        _draw_bars(panels, [row.coefficients for row in rows], bests, plan)
        figure.align_ylabels([panel, *panels])
    return figure


PLAN_FIGURES: tuple[FigureKind[Plan], ...] = (
    FigureKind(
        "plan",
        plan_figure,
        "Error against defocus",
        "Expected error against dz for every order and size of the maps, the best marked, and the errors of the "
        "coefficients there.",
    ),
)


def write_plan_figures(plan: Plan, folder: str | Path, *, pdf: bool = False) -> None:
    """Draw the figure of a plan into a folder.

    Parameters
    ----------
    plan : Plan
        What to draw.
    folder : path-like
        An existing folder, for `plan.png`.
    pdf : bool
        Write `plan.pdf` as well.
    """
    write_drawn(draw_figures(PLAN_FIGURES, plan, pdf=pdf), Path(folder))


def _heading(plan: Plan) -> list[str]:
    best, situation = plan.best.best, plan.situation
    factor, unit = angle_unit(best.maps.half_width_rad)
    maps = f"{PLUS_MINUS}{best.maps.half_width_rad / factor:.3g} {unit}, {best.maps.points} samples a side"
    error = f"{best.surface_error_um:.3g} {MICROMETRE}"
    words = defocus_in_words(situation, best.dz_m).replace("+-", PLUS_MINUS)
    budget, _, _ = plan.budget.described.rpartition("; ")
    lines = [
        f"best dz: {words}; error of the surface {error} (rms over the dish, half path), order {best.order}",
        f"maps of {maps}; {surface_in_words(situation).replace(' um', f' {MICROMETRE}')}; likelihood "
        f"{situation.settings.likelihood}",
        budget,
    ]
    wavelength = f"\N{GREEK SMALL LETTER LAMDA} {length_words(situation.wavelength_m)}"
    return [f"{shorten(situation.telescope.name, 30)}   {wavelength}", *(shorten(one, _LONGEST_LINE) for one in lines)]


def _merit_scale(plan: Plan) -> tuple[float, str]:
    """What one of the shown unit is of a merit, and the label of the axis."""
    words = merit_in_words(plan.merit)
    if plan.merit == "focus":
        return 1e-3, f"{words} [mm]"
    if plan.merit.startswith("Z("):
        return 1.0, f"{words} [rad]"
    return 1.0, f"{words} [{MICROMETRE}]"


def _draw_curves(panel: Axes, plan: Plan) -> None:
    scale, label = _merit_scale(plan)
    best = plan.best
    low, high = best.nearly_best_dz_m
    if low < high:
        panel.axvspan(low * 1e3, high * 1e3, color="0.92", linewidth=0, label="at most 10 % above the least")
    layouts = _layouts(plan)
    for curve in plan.curves:
        colour = _colour(plan, curve.order)
        style = _STYLES[layouts.index((curve.half_width_rad, curve.spacing_rad)) % _MOST_LAYOUTS]
        dz = np.array([one.dz_m for one in curve.predictions]) * 1e3
        values = np.array(curve.merits) / scale
        panel.plot(dz, values, style, color=colour, linewidth=1.3, label=_label(curve, plan))
        doubtful = [bool(one.remarks) for one in curve.predictions]
        panel.plot(dz[doubtful], values[doubtful], "x", color=colour, markersize=4.5, markeredgewidth=1.0)
        place = curve.predictions.index(curve.best)
        panel.plot(dz[place], values[place], "o", color=colour, markersize=6.5, zorder=5)
    codes = dict.fromkeys(code for curve in plan.curves for one in curve.predictions for code in one.remarks)
    if codes:
        panel.plot([], [], "x", color="0.3", markersize=4.5, label=f"doubtful: {', '.join(codes)}")
    _label_axes(panel, plan, label)
    look: Any = {"frameon": False, "columnspacing": 1.5, "borderaxespad": 0.0, "labelspacing": 0.3}
    below = -(_BELOW_IN - 0.02) / _PANEL_IN
    panel.legend(fontsize=8, loc="upper left", bbox_to_anchor=(0, below), ncols=_LEGEND_COLUMNS, **look)


def _layouts(plan: Plan) -> list[tuple[float | None, float]]:
    return list(dict.fromkeys((curve.half_width_rad, curve.spacing_rad) for curve in plan.curves))


def _colour(plan: Plan, order: int) -> str:
    return _COLOURS[plan.situation.orders.index(order) % len(_COLOURS)]


def _label(curve: Curve, plan: Plan) -> str:
    """Name a curve by what differs between the curves, and its best dz."""
    words = [f"order {curve.order}"]
    if len({half_width for half_width, _ in _layouts(plan)}) > 1 and curve.half_width_rad is not None:
        factor, unit = angle_unit(curve.half_width_rad)
        words.append(f"maps of {PLUS_MINUS}{curve.half_width_rad / factor:.3g} {unit}")
    if len({spacing for _, spacing in _layouts(plan)}) > 1:
        factor, unit = angle_unit(curve.spacing_rad)
        words.append(f"samples every {curve.spacing_rad / factor:.3g} {unit}")
    return f"{', '.join(words)}: best {curve.best.dz_m * 1e3:.3g} mm"


def _label_axes(panel: Axes, plan: Plan, label: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    panel.set_xscale("log")
    panel.set_yscale("log")
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(_plain))
        axis.set_minor_formatter(NullFormatter())
    panel.set_xlabel("dz [mm]")
    panel.set_ylabel(label)
    panel.grid(linewidth=0.4, color="0.9")
    panel.set_axisbelow(True)
    best = plan.best.best
    waves_per_mm = best.path_waves / (best.dz_m * 1e3)

    def path_of(dz_mm: Any) -> Any:
        return dz_mm * waves_per_mm

    def dz_of(path: Any) -> Any:
        return path / waves_per_mm

    waves = panel.secondary_xaxis("top", functions=(path_of, dz_of))
    waves.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
    waves.xaxis.set_major_formatter(FuncFormatter(_plain))
    waves.xaxis.set_minor_formatter(NullFormatter())
    waves.set_xlabel("path of the defocus over the dish [wavelengths]")


def _plain(value: float, _: Any) -> str:
    return f"{value:g}"


def _coefficients(curve: Curve) -> list[Coefficient]:
    """Terms of a curve as rows of terms take them; none is at a bound."""
    best = curve.best
    errors = best.coefficient_errors_rad
    return [
        Coefficient(term.n, term.l, f"{term.label} {term.common_name}".strip(), 0.0, float(error), bool(error > 0))
        for term, error in zip(best.terms, errors, strict=True)
    ]


def _draw_bars(
    panels: Sequence[Axes], rows: Sequence[Sequence[Coefficient]], bests: Sequence[Curve], plan: Plan
) -> None:
    width = 0.8 / len(bests)
    highest = max(float(curve.best.coefficient_errors_um.max()) for curve in bests)
    for panel, row in zip(panels, rows, strict=True):
        for number, curve in enumerate(bests):
            errors = _errors_um(curve.best, row)
            places = np.arange(len(row)) + (number - (len(bests) - 1) / 2) * width
            panel.bar(places, errors, width * 0.92, color=_colour(plan, curve.order), label=f"order {curve.order}")
        panel.set_ylim(0, 1.18 * highest)
        panel.set_ylabel(f"error, rms [{MICROMETRE}]")
    dz = ", ".join(dict.fromkeys(f"{curve.best.dz_m * 1e3:.3g}" for curve in bests))
    panels[0].set_title(f"error of every coefficient at the best dz ({dz} mm), half-path rms of the term", loc="left")
    if len(bests) > 1:
        look: Any = {"frameon": False, "columnspacing": 1.2, "handlelength": 1.2, "borderaxespad": 0.0}
        panels[0].legend(fontsize=8, loc="lower right", bbox_to_anchor=(1, 1.01), ncols=len(bests), **look)


def _errors_um(best: Prediction, row: Sequence[Coefficient]) -> np.ndarray:
    known = {(term.n, term.l): error for term, error in zip(best.terms, best.coefficient_errors_um, strict=True)}
    return np.array([known.get((one.n, one.l), 0.0) for one in row])
