"""The order ladder: how fit, surface, focus and pointing change with the highest order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from oofpy.fitting.order_choice import DECISIVE, bic_above_least
from oofpy.fitting.result import FitResult, OrderFit
from oofpy.fitting.status import FitStatus
from oofpy.plots.frame import add_panel, drawing_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_IN, _HEIGHT_IN, _GAP_IN = 2.55, 1.75, 0.86
_LEFT_IN, _BOTTOM_IN, _TOP_IN = 0.8, 0.5, 0.2
_ARCSEC_PER_RAD = 648000 / math.pi
_COLOUR = "#1f5a94"


class _Curve(NamedTuple):
    """A quantity against order."""

    label: str
    values: Sequence[float]
    errors: Sequence[float]


def has_ladder(result: FitResult) -> bool:
    """Whether two orders or more were fitted."""
    return len(result.orders) > 1


def ladder_figure(result: FitResult) -> Figure:
    """Draw what the fits of all orders find, against order.

    Parameters
    ----------
    result : FitResult
        What to draw; with two orders or more.

    Returns
    -------
    Figure
        Reduced chi2, BIC above the least, rms of the surface, focus error and the pointing of the map nearest to focus,
        with standard errors. Filled: converged; open: not. A band marks the chosen order.
    """
    orders = [fit.order for fit in result.orders]
    lines = (
        "filled: converged; open: not converged; band: chosen order; error bars: one standard error",
        "BIC counted with the effective samples of the highest converged order; 10 (dashed) is decisive",
    )
    curves = _curves(result)
    with drawing_style():
        width = _LEFT_IN + 3 * _PANEL_IN + 2 * _GAP_IN + 0.15
        row_in = _HEIGHT_IN + _TOP_IN
        figure = new_figure(result, width, 2 * row_in + _BOTTOM_IN, *lines)
        for number, curve in enumerate(curves):
            left = _LEFT_IN + (number % 3) * (_PANEL_IN + _GAP_IN)
            lowest = number >= 3
            bottom = _BOTTOM_IN + (0 if lowest else row_in)
            panel = add_panel(figure, left, bottom, _PANEL_IN, _HEIGHT_IN)
            panel.axvspan(result.chosen_order - 0.35, result.chosen_order + 0.35, color="0.88", zorder=0.5)
            _draw_curve(panel, curve, result.orders)
            panel.set_xlim(orders[0] - 0.6, orders[-1] + 0.6)
            panel.set_xticks(orders)
            panel.tick_params(labelbottom=lowest)
            if lowest:
                panel.set_xlabel("order")
            if number == 0:
                _scale_chi2(panel, curve.values)
            if number == 1:
                _scale_bic(panel, curve.values)
    return figure


def _curves(result: FitResult) -> list[_Curve]:
    orders = result.orders
    nothing = [math.nan] * len(orders)
    surfaces = [fit.surface for fit in orders]
    nearest = result.fit.maps_in_focus[0]
    pointing = [
        _Curve(
            f"pointing {axis}, map {nearest + 1} [arcsec]",
            [_ARCSEC_PER_RAD * fit.maps[nearest].pointing_rad[side] for fit in orders],
            [_ARCSEC_PER_RAD * _parameter_error(fit, f"pointing_{axis}_rad[{nearest + 1}]") for fit in orders],
        )
        for side, axis in enumerate("uv")
    ]
    return [
        _Curve("reduced chi2", [fit.reduced_chi2 for fit in orders], nothing),
        _Curve("BIC above the least", bic_above_least(orders), nothing),
        _Curve(
            "surface rms [\N{MICRO SIGN}m]", [one.rms_um for one in surfaces], [one.rms_um_error for one in surfaces]
        ),
        _Curve(
            "focus error dz [mm]",
            [1e3 * one.best_focus_m for one in surfaces],
            [1e3 * one.best_focus_m_error for one in surfaces],
        ),
        *pointing,
    ]


def _parameter_error(fit: OrderFit, name: str) -> float:
    """Give the standard error of a parameter, NaN where it is fixed or not there."""
    errors = [one.error for one in fit.parameters if one.name == name and one.error is not None]
    return errors[0] if errors else math.nan


def _draw_curve(panel: Axes, curve: _Curve, orders: Sequence[OrderFit]) -> None:
    at = np.array([fit.order for fit in orders])
    values, errors = np.asarray(curve.values, np.float64), np.asarray(curve.errors, np.float64)
    known = np.isfinite(values)
    panel.plot(at[known], values[known], color="0.65", linewidth=0.8, zorder=2)
    for converged in (True, False):
        chosen = known & np.array([(fit.status is FitStatus.CONVERGED) == converged for fit in orders])
        if not chosen.any():
            continue
        panel.errorbar(
            at[chosen],
            values[chosen],
            np.where(np.isfinite(errors[chosen]), errors[chosen], 0.0) if np.isfinite(errors).any() else None,
            fmt="o",
            color=_COLOUR,
            markerfacecolor=_COLOUR if converged else "white",
            markersize=5,
            elinewidth=0.9,
            capsize=2,
            zorder=3,
        )
    for order in at[~known]:
        panel.annotate("unknown", (order, 0.5), xycoords=panel.get_xaxis_transform(), rotation=90, size=7, ha="center")
    panel.grid(axis="y", color="0.9", linewidth=0.5)
    panel.set_axisbelow(True)
    panel.set_ylabel(curve.label)
    panel.locator_params(axis="y", nbins=6)
    panel.margins(y=0.12)


def _scale_chi2(panel: Axes, values: Sequence[float]) -> None:
    """Mark 1, on a logarithmic axis where the values call for one."""
    panel.axhline(1, color="0.4", linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    positive = [value for value in values if 0 < value < math.inf]
    if positive and max(positive) > 5 * min(1.0, *positive):
        panel.set_yscale("log")
        _plain_ticks(panel)


def _scale_bic(panel: Axes, values: Sequence[float]) -> None:
    """Linear up to what is decisive, logarithmic beyond, so that both ends can be read."""
    panel.axhline(DECISIVE, color="0.4", linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    largest = max([DECISIVE, *(abs(value) for value in values if math.isfinite(value))])
    if largest > 3 * DECISIVE:
        panel.set_yscale("symlog", linthresh=DECISIVE)
        decades = range(1, math.floor(math.log10(largest)) + 1)
        step = max(1, len(decades) // 4)
        panel.set_yticks([0, *(10.0**decade for decade in decades[::step])])
        panel.set_yticks([], minor=True)
        panel.set_yticklabels(["0", *(f"{10**decade:g}" for decade in decades[::step])])
    lowest = min([0.0, *(value for value in values if math.isfinite(value))])
    panel.set_ylim(2 * lowest - 2, largest * (2 if largest > 3 * DECISIVE else 1.15))


def _plain_ticks(panel: Axes) -> None:
    """Write 2 and 50 where a logarithmic axis would write powers."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    low, high = panel.get_ylim()
    subs = (1.0, 2.0, 5.0) if high < 300 * low else (1.0,)
    panel.yaxis.set_major_locator(LogLocator(subs=subs))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.minorticks_off()
