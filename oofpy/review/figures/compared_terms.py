"""The coefficients of several results beside each other, and below what sets them apart in standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from bokeh.models import BoxAnnotation, ColumnDataSource, FactorRange, HoverTool, Span, Whisker
from bokeh.plotting import figure

from oofpy.comparison.values import Comparison, FloatArray
from oofpy.plots.frame import MICROMETRE
from oofpy.plots.map_marks import map_mark
from oofpy.review.figures.colours import INK

# Of the distance between two terms, what the marks of all results take.
_SHARE = 0.7
_HEIGHT = 250
# As Bokeh calls the marks of `map_mark`.
_MARKERS = {
    "o": "circle",
    "s": "square",
    "^": "triangle",
    "D": "diamond",
    "v": "inverted_triangle",
    "P": "plus",
    "X": "x",
}
_VALUES = ("term", "words", "label", "value_um", "error_um", "upper", "lower", "colour", "marker")
_PULLS = ("term", "words", "label", "pull", "colour", "marker")


class ComparedTerms:
    """Two figures with one axis of terms: values with their errors, and differences over their errors."""

    def __init__(self) -> None:
        self._terms = FactorRange()
        self._values, self._pulls = (ColumnDataSource({name: [] for name in names}) for names in (_VALUES, _PULLS))
        self.values = self._figure(f"half-path error [{MICROMETRE}]")
        marks = self.values.scatter(
            x="term", y="value_um", marker="marker", size=7, color="colour", source=self._values
        )
        whisker = Whisker(base="term", upper="upper", lower="lower", source=self._values, line_color="colour")
        whisker.upper_head.size = whisker.lower_head.size = 4
        self.values.add_layout(whisker)
        tips = [("", "@label"), ("", "@words"), ("value", f"@value_um{{0.00}} +- @error_um{{0.00}} {MICROMETRE}")]
        self.values.add_tools(HoverTool(renderers=[marks], tooltips=tips))
        self.pulls = self._figure("")
        for size, alpha in ((3, 0.25), (1, 0.35)):
            self.pulls.add_layout(BoxAnnotation(bottom=-size, top=size, fill_color="#b9bfc6", fill_alpha=alpha))
        marks = self.pulls.scatter(x="term", y="pull", marker="marker", size=7, color="colour", source=self._pulls)
        tips = [("", "@label"), ("", "@words"), ("over its error", "@pull{0.00}")]
        self.pulls.add_tools(HoverTool(renderers=[marks], tooltips=tips))

    def _figure(self, label: str) -> Any:
        made: Any = figure(
            height=_HEIGHT,
            sizing_mode="stretch_width",
            margin=0,
            styles={"flex": "1 1 100%"},
            x_range=self._terms,
            tools="ypan,ywheel_zoom,reset,save",
            active_scroll=None,
            toolbar_location="below",
            y_axis_label=label,
        )
        made.add_layout(Span(location=0, dimension="width", line_color=INK, line_width=1))
        made.xaxis.major_label_orientation = 1.1
        made.toolbar.logo = None
        made.title.text_font_style, made.title.text_font_size = "normal", "12px"
        return made

    def show(self, comparison: Comparison) -> None:
        """Show a comparison."""
        self._terms.factors = [term.label for term in comparison.terms]
        values, errors = comparison.values_um, comparison.errors_um
        columns = _columns(comparison, values, comparison.labels)
        known = np.isfinite(values)
        self._values.data = columns | {
            "value_um": values[known],
            "error_um": errors[known],
            "upper": (values + errors)[known],
            "lower": (values - errors)[known],
        }
        pulls, names, title = _pulls(comparison)
        self._pulls.data = _columns(comparison, pulls, names) | {"pull": pulls[np.isfinite(pulls)]}
        self.pulls.yaxis.axis_label = title
        self.values.title.text = "coefficients, each as the half-path error at the rim, with standard errors"
        self.pulls.title.text = "what sets them apart, in standard errors; grey: one and three"


def _pulls(comparison: Comparison) -> tuple[FloatArray, Sequence[str], str]:
    """Differences in standard errors, shape (rows, terms), what each row is called, and all of them."""
    if comparison.difference is not None:
        name = "A \N{MINUS SIGN} B"
        return comparison.difference.z[None], (name,), f"({name}) / error"
    if comparison.repeatability is None:
        return np.zeros((0, len(comparison.terms))), (), ""
    return comparison.repeatability.pulls, comparison.labels, "(result \N{MINUS SIGN} mean) / error"


def _columns(comparison: Comparison, values: FloatArray, names: Sequence[str]) -> dict[str, Any]:
    """What both figures have of every value that is known, result by result; the results stand side by side."""
    columns: dict[str, list[Any]] = {name: [] for name in ("term", "words", "label", "colour", "marker")}
    for number, (row, name) in enumerate(zip(values, names, strict=True)):
        mark = map_mark(number + 1)
        aside = _SHARE * ((number + 0.5) / len(names) - 0.5)
        for term, value in zip(comparison.terms, row, strict=True):
            if np.isfinite(value):
                columns["term"].append((term.label, aside))
                columns["words"].append(term.name)
                columns["label"].append(name)
                columns["colour"].append(mark.colour)
                columns["marker"].append(_MARKERS[mark.marker])
    return columns
