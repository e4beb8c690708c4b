"""One observation: its flags and numbers, the dish, the coefficients and the maps."""

from __future__ import annotations

import re
from typing import Any

import panel as pn
from bokeh.models import SaveTool

from oofpy.catalogue.records import CatalogueEntry
from oofpy.errors import OofError
from oofpy.fitting.dish_images import at_order
from oofpy.fitting.result import FitResult
from oofpy.report.fit_content import FitContent, fit_content
from oofpy.review.figures.coefficients import CoefficientsFigure
from oofpy.review.figures.dish import DishFigure
from oofpy.review.figures.maps import MapFigures
from oofpy.review.pages.asking import Asking
from oofpy.review.pages.words import flags_html, numbers_html, table_html, text
from oofpy.review.session import Session
from oofpy.review.view import View

_REMOVED = {"tilt": "tilt removed", "focus": "tilt and focus removed", "nothing": "as fitted"}
_SCALES = {"db": "dB", "linear": "linear"}
_LIMITS = {"own": "own colours", "common": "common colours"}
_MAPS = ("observed", "model", "residual")
_CHOSEN, _NO_ORDER = "chosen order", 0


class ObservationPage:
    """The first of the results that a view opens.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown: str | None = None
        self._asking = Asking(session)
        self._heading = pn.pane.HTML("", sizing_mode="stretch_width")
        self._facts = pn.pane.HTML("", sizing_mode="stretch_width")
        self._tables = pn.pane.HTML("", sizing_mode="stretch_width")
        self._maps_title = pn.pane.HTML("", sizing_mode="stretch_width")
        self._dish, self._coefficients, self._maps = DishFigure(), CoefficientsFigure(), MapFigures()
        self._order = pn.widgets.Select(name="order", options={_CHOSEN: _NO_ORDER}, width=130)
        self._removed = _choice("surface", _REMOVED)
        self._limits = _choice("scale", _LIMITS)
        self._scale = _choice("maps", _SCALES)
        for name, widget in (
            ("order", self._order),
            ("removed", self._removed),
            ("limits", self._limits),
            ("scale", self._scale),
        ):
            widget.param.watch(lambda event, name=name: self._asking.go(**{name: event.new or None}), "value")
        previous, following = (
            pn.widgets.Button(name=words, button_type="light", description=words, css_classes=["tab"])
            for words in ("\N{LEFTWARDS ARROW} previous", "next \N{RIGHTWARDS ARROW}")
        )
        previous.on_click(lambda _: session.step(-1))
        following.on_click(lambda _: session.step(1))
        self._controls = pn.FlexBox(self._order, self._removed, self._limits, self._scale, css_classes=["controls"])
        self._rows = pn.Column(*self._map_rows(), sizing_mode="stretch_width")
        self._figures = pn.Column(
            self._controls,
            pn.FlexBox(
                pn.pane.Bokeh(self._dish.figure),
                pn.Column(
                    pn.pane.Bokeh(self._coefficients.figure, sizing_mode="stretch_width"), min_width=330, max_width=760
                ),
            ),
            self._maps_title,
            self._rows,
            self._tables,
            sizing_mode="stretch_width",
        )
        self.layout = pn.Column(
            pn.FlexBox(previous, following), self._heading, self._facts, self._figures, sizing_mode="stretch_width"
        )

    def show(self, view: View) -> None:
        """Show the result that is open, or say that none is."""
        if not view.keys:
            self._tell("<p>No observation is open: choose one in the table, or press j.</p>")
            return
        title = ""
        try:
            entry = self._session.entry(view.keys[0])
            title = _title(entry)
            result = self._session.archive.result(entry)
            order = view.order if view.order in {fit.order for fit in result.orders} else None
            of_order = at_order(result, order)
        except OofError as error:
            self._tell(f"{title}<p class='reject'>{text(error)}</p>")
            return
        self._set_controls(result, view)
        self._dish.show(of_order, removed=view.removed, limits=view.limits)
        self._coefficients.show(of_order)
        shown = f"{entry.result.key} {entry.recorded_at} {view.scale}"
        if self._shown != shown:
            self._shown = shown
            self._show_result(entry, result, view)
        self._maps_title.object = f"<h2>Maps and their fit at order {result.chosen_order}</h2>" + (
            "" if of_order is result else f"<p class='note'>dish and coefficients above are of order {order}</p>"
        )
        self._figures.visible = True

    def _show_result(self, entry: CatalogueEntry, result: FitResult, view: View) -> None:
        """Show what does not depend on the order that is looked at."""
        content = fit_content(result)
        self._heading.object = f"{_title(entry)}<p>{text(content.subtitle)}</p>{_verdict_html(content)}"
        self._facts.object = (
            numbers_html(content.numbers) + f"<p>{text(content.focus)}</p><p>{text(content.pointing)}</p>"
        )
        tables = (content.orders, content.maps, content.coefficients, content.parameters)
        self._tables.object = "".join(table_html(table) for table in tables)
        self._maps.show(result, view.scale)
        self._name_saved(entry.observation.name)
        if len(self._rows) != len(self._maps.figures):
            self._rows[:] = self._map_rows()

    def _map_rows(self) -> list[pn.FlexBox]:
        return [pn.FlexBox(*(pn.pane.Bokeh(one) for one in row)) for row in self._maps.figures]

    def _name_saved(self, observation: str) -> None:
        """Say under which name each figure is saved; without one the browser asks for it."""
        figures = {"dish": self._dish.figure, "coefficients": self._coefficients.figure}
        for number, row in enumerate(self._maps.figures, 1):
            figures |= {f"map{number}-{what}": one for what, one in zip(_MAPS, row, strict=True)}
        for what, figure in figures.items():
            [save] = (tool for tool in figure.toolbar.tools if isinstance(tool, SaveTool))
            save.filename = re.sub(r"[^\w.+-]+", "_", f"{observation}-{what}")

    def _set_controls(self, result: FitResult, view: View) -> None:
        orders = {_CHOSEN: _NO_ORDER} | {f"order {fit.order}": fit.order for fit in result.orders}
        with self._asking.quietly():
            self._order.options = orders
            self._order.value = view.order if view.order in orders.values() else _NO_ORDER
            self._removed.value, self._limits.value, self._scale.value = view.removed, view.limits, view.scale

    def _tell(self, words: str) -> None:
        """Show words instead of figures."""
        self._shown = None
        self._heading.object, self._facts.object = words, ""
        self._figures.visible = False


def _choice(name: str, words: dict[str, str]) -> Any:
    return pn.widgets.Select(name=name, options={shown: value for value, shown in words.items()}, width=160)


def _title(entry: CatalogueEntry) -> str:
    return f"<h1>{text(entry.observation.name)} <small>{text(entry.result.key[:12])}</small></h1>"


def _verdict_html(content: FitContent) -> str:
    verdict = content.verdict
    words = f"<p><b class='{text(verdict.word)}'>{text(verdict.word)}</b>: {text(verdict.meaning)}</p>"
    folded = f"<details><summary>{len(verdict.notes)} notes</summary>{flags_html(verdict.notes)}</details>"
    return words + flags_html(verdict.flags) + (folded if verdict.notes else "")
