"""A quantity of many results against something, to be read, opened and chosen with the mouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from bokeh.models import BoxSelectTool, ColumnDataSource, HoverTool, LassoSelectTool, Legend, LegendItem, TapTool
from bokeh.plotting import figure
from numpy.typing import NDArray

from oofpy.catalogue.trends import Against, Trend
from oofpy.plots.frame import MICROMETRE
from oofpy.review.bending import Bending
from oofpy.review.figures.colours import INK

FloatArray = NDArray[np.float64]

_KINDS = {"accepted": "#2c5f8a", "to be checked": "#d9822b", "rejected": "#b22222"}
_MARKERS = {"accepted": "circle", "to be checked": "diamond", "rejected": "x"}
_MODEL = "#14633a"
_LABELS: dict[Against, str] = {"elevation": "elevation [deg]", "date": "date (UTC)", "hour": "hour (UTC)", "object": ""}
_MS_PER_DAY = 86400e3
_POINTS = ("x", "y", "error", "low", "high", "colour", "marker", "name", "date", "object", "elevation", "decision")
# Of the distance between two objects, what the results of one are spread over.
_SPREAD = 0.5


class TrendFigure:
    """Points with their errors, the running median, and the gravity model where there is one.

    Parameters
    ----------
    against : {"elevation", "date", "hour", "object"}
        What lies along the axis; it is for good, each has an axis of its own kind.
    opened : callable
        Takes the number of the row that is tapped.
    chosen : callable
        Takes the numbers of the rows that are lassoed.
    """

    def __init__(
        self, against: Against, opened: Callable[[int], None], chosen: Callable[[Sequence[int]], None]
    ) -> None:
        self._against: Against = against
        self._opened, self._chosen = opened, chosen
        self._filling = False
        self._points = ColumnDataSource({name: [] for name in _POINTS})
        self._median, self._line, self._expected = (ColumnDataSource({"x": [], "y": []}) for _ in range(3))
        tap, lasso = TapTool(), LassoSelectTool(continuous=False)
        self.figure: Any = figure(
            height=430,
            sizing_mode="stretch_width",
            margin=0,
            styles={"flex": "1 1 100%"},
            x_axis_type="datetime" if against == "date" else "linear",
            tools=["pan", "box_zoom", "wheel_zoom", tap, lasso, BoxSelectTool(continuous=False), "reset", "save"],
            active_drag=lasso,
            active_scroll=None,
            active_tap=tap,
            toolbar_location="above",
            x_axis_label=_LABELS[against],
        )
        self._draw()
        self._points.selected.on_change("indices", self._selected)

    def _draw(self) -> None:
        made, points = self.figure, self._points
        bars = made.segment(x0="x", x1="x", y0="low", y1="high", source=points, line_color="colour", line_alpha=0.6)
        marks = made.scatter(x="x", y="y", marker="marker", size=7, color="colour", source=points)
        for renderer in (bars, marks):
            renderer.nonselection_glyph.update(line_alpha=0.15)
        marks.nonselection_glyph.update(fill_alpha=0.15)
        for tool in made.tools:
            if isinstance(tool, TapTool | LassoSelectTool | BoxSelectTool):
                tool.renderers = [marks]
        median = made.line(x="x", y="y", source=self._median, line_color=INK, line_width=1.5)
        line = made.line(x="x", y="y", source=self._line, line_color=_MODEL, line_width=2)
        expected = made.scatter(
            x="x", y="y", source=self._expected, marker="dash", size=11, line_color=_MODEL, line_width=2
        )
        made.add_tools(
            HoverTool(
                renderers=[marks],
                tooltips=[
                    ("", "@name"),
                    ("", "@object, @date"),
                    ("elevation", "@elevation deg"),
                    ("value", "@y{0.0000} +- @error"),
                    ("decision or verdict", "@decision"),
                ],
            )
        )
        self._items = {
            "running median": LegendItem(label="running median", renderers=[median]),
            "model": LegendItem(label="gravity model A sin(el) + B cos(el) + C", renderers=[line]),
            "expected": LegendItem(label="gravity model at the elevation of each", renderers=[expected]),
        }
        self._legend = Legend(items=[], orientation="horizontal", border_line_color=None, background_fill_alpha=0)
        made.add_layout(self._legend, "above")
        made.toolbar.logo = None
        made.title.text_font_style, made.title.text_font_size = "normal", "12px"
        made.legend.label_text_font_size = "11px"

    def show(self, trend: Trend, bending: Bending | None = None, chosen: Sequence[int] = ()) -> None:
        """Show a trend.

        Parameters
        ----------
        trend : Trend
            Against what the figure is made for.
        bending : Bending, optional
            The gravity model: a line against the elevation, otherwise a mark at each result.
        chosen : sequence of int
            Numbers of the rows that are chosen.
        """
        x = _places(trend)
        self._filling = True
        try:
            self._points.selected.indices = []
            self._points.data = _columns(trend, x)
            self._points.selected.indices = list(chosen)
        finally:
            self._filling = False
        places, medians = _median(trend)
        self._median.data = {"x": places * (_MS_PER_DAY if self._against == "date" else 1), "y": medians}
        self._show_bending(x, bending)
        self.figure.yaxis.axis_label = trend.quantity.label.replace("[um]", f"[{MICROMETRE}]")
        if trend.objects:
            self.figure.xaxis.ticker = list(range(len(trend.objects)))
            self.figure.xaxis.major_label_overrides = dict(enumerate(trend.objects))
            self.figure.xaxis.major_label_orientation = 0.6

    def _show_bending(self, x: FloatArray, bending: Bending | None) -> None:
        nothing: dict[str, Any] = {"x": [], "y": []}
        line = expected = nothing
        items = [self._items["running median"]]
        if bending is not None and self._against == "elevation":
            elevation, values = bending.line()
            line = {"x": np.degrees(elevation), "y": values}
            items.append(self._items["model"])
        elif bending is not None:
            expected = {"x": x, "y": bending.curve.at(bending.elevation_rad)}
            items.append(self._items["expected"])
        self._line.data, self._expected.data = line, expected
        self._legend.items = items

    def _selected(self, _name: str, _old: object, rows: list[int]) -> None:
        if self._filling:
            return
        if len(rows) == 1:
            self._opened(rows[0])
        else:
            self._chosen(sorted(rows))


def _places(trend: Trend) -> FloatArray:
    """Along the axis; results of one object lie side by side."""
    if trend.against == "date":
        return trend.places * _MS_PER_DAY
    places = trend.places.copy()
    if trend.against == "object":
        for number in range(len(trend.objects)):
            own = np.flatnonzero(trend.places == number)
            places[own] += np.linspace(-_SPREAD / 2, _SPREAD / 2, own.size) if own.size > 1 else 0.0
    return places


def _median(trend: Trend) -> tuple[FloatArray, FloatArray]:
    """The running median; of objects one level each, with gaps between them."""
    if trend.against != "object":
        return trend.running_median()
    bins = trend.bins(1)
    places = [place for one in bins for place in (one.low + 0.2, one.high - 0.2, np.nan)]
    return np.array(places), np.array([value for one in bins for value in (one.median, one.median, np.nan)])


def _columns(trend: Trend, x: FloatArray) -> dict[str, Any]:
    errors = np.where(np.isfinite(trend.errors), trend.errors, 0.0)
    words = np.select([trend.rejected, trend.flagged], ["rejected", "to be checked"], "accepted")
    rows = trend.rows
    return {
        "x": x,
        "y": trend.values,
        "error": [f"{error:.4g}" if np.isfinite(error) else "unknown" for error in trend.errors],
        "low": trend.values - errors,
        "high": trend.values + errors,
        "colour": [_KINDS[word] for word in words],
        "marker": [_MARKERS[word] for word in words],
        "name": [row.name for row in rows],
        "date": [(row.date or "date unknown")[:16].replace("T", " ") for row in rows],
        "object": [row.object_name or "object unknown" for row in rows],
        "elevation": [
            "unknown" if row.elevation_rad is None else f"{np.degrees(row.elevation_rad):.1f}" for row in rows
        ],
        "decision": [row.decision or row.verdict or row.status for row in rows],
    }
