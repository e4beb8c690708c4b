"""Quantities of many results against elevation, date, hour or object: a panel a quantity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.catalogue.trends import Trend, probability_text
from oofpy.plots.frame import MICROMETRE, add_panel, drawing_style, framed, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_IN, _PANEL_IN, _GAP_IN, _LEFT_IN, _RIGHT_IN, _BELOW_IN = 8.0, 1.9, 0.32, 0.95, 0.2, 0.6
_POINT, _FLAGGED, _REJECTED, _MEDIAN = "#2c5f8a", "#d9822b", "firebrick", "black"
_LABELS = {"elevation": "elevation [\N{DEGREE SIGN}]", "date": "date (UTC)", "object": ""}
# A panel is as high as these percentiles of what is not rejected, and a margin.
_SHOWN_PERCENT = (2.0, 98.0)
_MOST_OBJECT_LETTERS = 14


def trend_figure(trends: Sequence[Trend], heading: str, hour_label: str = "hour (UTC)") -> Figure:
    """Draw quantities against one thing.

    Parameters
    ----------
    trends : sequence of Trend
        All against the same, at least one.
    heading : str
        What they are of.
    hour_label : str
        What the hours of the day are.

    Returns
    -------
    Figure
    """
    with drawing_style():
        body_in = len(trends) * (_PANEL_IN + _GAP_IN) + _BELOW_IN + 0.1
        figure = framed([heading, _line(trends)], "", _WIDTH_IN, body_in)
        panels: list[Axes] = []
        for number, trend in enumerate(trends):
            bottom = _BELOW_IN + (len(trends) - 1 - number) * (_PANEL_IN + _GAP_IN)
            panel = add_panel(figure, _LEFT_IN, bottom, _WIDTH_IN - _LEFT_IN - _RIGHT_IN, _PANEL_IN)
            if panels:
                panel.sharex(panels[0])
            _draw(panel, trend)
            panels.append(panel)
        for panel in panels[:-1]:
            panel.tick_params(labelbottom=False)
        _label(panels[-1], trends[0], hour_label)
        _explain(panels)
        figure.align_ylabels(panels)
    return figure


def _line(trends: Sequence[Trend]) -> str:
    counts = sorted({trend.values.size for trend in trends})
    number = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    middle = "black: median of each object" if trends[0].against == "object" else "black: running median"
    results = "result" if counts == [1] else "results"
    return f"{number} {results}; bars: one standard error; {middle}; rho: Spearman's rank correlation"


def _draw(panel: Axes, trend: Trend) -> None:
    places = _places(trend)
    plain = ~(trend.flagged | trend.rejected)
    kinds = (
        (plain, _POINT, "o", "accepted"),
        (trend.flagged, _FLAGGED, "D", "to be checked"),
        (trend.rejected, _REJECTED, "x", "rejected"),
    )
    for chosen, colour, marker, label in kinds:
        if chosen.any():
            errors = np.where(np.isfinite(trend.errors[chosen]), trend.errors[chosen], 0.0)
            bars: Any = {"elinewidth": 0.7, "alpha": 0.8, "color": colour, "label": label}
            panel.errorbar(places[chosen], trend.values[chosen], errors, fmt=marker, markersize=3.2, **bars)
    _draw_median(panel, trend)
    panel.set_ylabel(trend.quantity.label.replace("[um]", f"[{MICROMETRE}]"))
    panel.grid(linewidth=0.4, color="0.9")
    panel.set_axisbelow(True)
    _limit(panel, trend)
    rho, probability = trend.correlation()
    if np.isfinite(rho):
        panel.set_title(f"rho = {rho:+.2f}, p {probability_text(probability, '= ')}", loc="right", size=8, pad=3)


def _explain(panels: Sequence[Axes]) -> None:
    """Explain the marks of all panels over the first, where there is more than one kind."""
    marks: dict[str, Any] = {}
    for panel in panels:
        handles, labels = panel.get_legend_handles_labels()
        marks = dict(zip(labels, handles, strict=True)) | marks
    if len(marks) > 1:
        place: Any = {"loc": "lower left", "bbox_to_anchor": (-0.01, 0.97), "ncols": len(marks), "columnspacing": 1.2}
        panels[0].legend(marks.values(), marks, fontsize=8, frameon=False, handletextpad=0.1, **place)


def _draw_median(panel: Axes, trend: Trend) -> None:
    if trend.against == "object":
        for one in trend.bins(1):
            panel.hlines(one.median, one.low + 0.2, one.high - 0.2, color=_MEDIAN, linewidth=1.4, zorder=4)
        return
    places, medians = trend.running_median()
    panel.plot(places, medians, color=_MEDIAN, linewidth=1.3, zorder=4)


def _places(trend: Trend) -> Any:
    """Places along the axis; those of one object side by side."""
    if trend.against != "object":
        return trend.places
    places = trend.places.copy()
    for number in range(len(trend.objects)):
        chosen = np.flatnonzero(trend.places == number)
        places[chosen] += np.linspace(-0.25, 0.25, chosen.size) if chosen.size > 1 else 0.0
    return places


def _limit(panel: Axes, trend: Trend) -> None:
    """Show what most values are; single ones far off do not stretch the axis, and stand at its edge as triangles."""
    if trend.values.size == 0:
        panel.text(0.5, 0.5, "no values", transform=panel.transAxes, ha="center", va="center", color="0.4")
        return
    values = trend.values[~trend.rejected] if not trend.rejected.all() else trend.values
    low = np.percentile(values, _SHOWN_PERCENT[0], method="higher")
    high = np.percentile(values, _SHOWN_PERCENT[1], method="lower")
    middle, half = (low + high) / 2, max((high - low) * 0.72, abs(low) * 1e-3, 1e-12)
    bottom, top = middle - half, middle + half
    panel.set_ylim(bottom, top)
    places = _places(trend)
    for beyond, level, marker in ((trend.values < bottom, 0.03, "v"), (trend.values > top, 0.97, "^")):
        if beyond.any():
            at = np.full(int(beyond.sum()), level)
            across = panel.get_xaxis_transform()
            look: Any = {"color": "0.35", "markersize": 4, "transform": across, "linestyle": ""}
            panel.plot(places[beyond], at, marker, label="beyond the axis" if marker == "^" else None, **look)


def _label(panel: Axes, trend: Trend, hour_label: str) -> None:
    if trend.against == "object":
        names = [shorten(name, _MOST_OBJECT_LETTERS) for name in trend.objects]
        few = len(names) <= 6
        panel.set_xticks(range(len(names)), names, rotation=0 if few else 30, ha="center" if few else "right")
        panel.set_xlim(-0.6, len(names) - 0.4)
        return
    panel.set_xlabel(_LABELS.get(trend.against, hour_label))
    if trend.against == "hour":
        panel.set_xlim(0, 24)
        panel.set_xticks(range(0, 25, 3))
    if trend.against == "date" and trend.places.size:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

        locator = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
        panel.xaxis.set_major_locator(locator)
        panel.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
