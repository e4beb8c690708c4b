"""Two results or more: what sets them apart, over the dish and coefficient by coefficient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import panel as pn

from oofpy.comparison.comparing import compare
from oofpy.comparison.values import Comparison
from oofpy.errors import OofError
from oofpy.fitting.dish_images import at_order
from oofpy.fitting.result import FitResult
from oofpy.report.comparison_page import ComparisonContent, comparison_content
from oofpy.review.choices import Removed
from oofpy.review.figures.compared import ComparedDishes
from oofpy.review.figures.compared_terms import ComparedTerms
from oofpy.review.pages.asking import Asking, afterwards
from oofpy.review.pages.words import numbers_html, table_html, text
from oofpy.review.session import KEY_LETTERS, Session
from oofpy.review.view import View

MOST_COMPARED = 12
# A comparison never has the tilt in it.
_REMOVED: dict[str, Removed] = {"tilt removed": "tilt", "tilt and focus removed": "focus"}
_NO_ORDER = 0


@dataclass(frozen=True, eq=False)
class _Opened:
    """One of the results that a view opens, or why it cannot be shown."""

    key: str
    name: str
    result: FitResult | None
    problem: str


class ComparingPage:
    """All results that a view opens, beside each other.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asking = Asking(session)
        self._compared: tuple[object, Comparison] | None = None
        self._heading = pn.pane.HTML("", sizing_mode="stretch_width")
        self._opened = pn.FlexBox(css_classes=["opened"])
        self._add = pn.widgets.TextInput(name="add", placeholder="name of an observation, or a key", width=230)
        self._add.param.watch(lambda event: self._added(event.new), "value")
        self._removed = pn.widgets.Select(name="surface", options=_REMOVED, width=180)
        self._removed.param.watch(lambda event: self._asking.go(removed=event.new), "value")
        self._order = pn.widgets.Select(name="order", width=130)
        self._order.param.watch(lambda event: self._asking.go(order=event.new or None), "value")
        self._dishes, self._terms = ComparedDishes(), ComparedTerms()
        self._images = pn.FlexBox(sizing_mode="stretch_width")
        self._tables = pn.pane.HTML("", sizing_mode="stretch_width")
        self._figures = pn.Column(
            pn.FlexBox(self._order, self._removed, css_classes=["controls"]),
            self._images,
            pn.FlexBox(self._terms.values, self._terms.pulls),
            self._tables,
            sizing_mode="stretch_width",
        )
        self.layout = pn.Column(
            pn.FlexBox(self._opened, self._add, align_items="end"),
            self._heading,
            self._figures,
            sizing_mode="stretch_width",
        )

    def _added(self, name: str) -> None:
        name, keys = (name or "").strip(), self._session.view.keys
        if self._asking.quiet or not name:
            return
        if len(keys) >= MOST_COMPARED:
            self._session.say(f"no more than {MOST_COMPARED} are compared at once: leave one out first")
            return
        try:
            key = self._session.archive.entry(name).result.key[:KEY_LETTERS]
        except OofError as error:
            self._session.say(str(error))
            return
        with self._asking.quietly():
            self._add.value = ""
        more = tuple(dict.fromkeys((*keys, key)))
        afterwards(lambda: self._session.go(keys=more))

    def _leave_out(self, key: str) -> None:
        self._session.go(keys=tuple(one for one in self._session.view.keys if one != key))

    def show(self, view: View) -> None:
        """Show the comparison of the results that are open, or say why there is none."""
        opened = [self._open(key) for key in view.keys[:MOST_COMPARED]]
        results = [one.result for one in opened if one.result is not None]
        self._set_controls(results, view)
        self._opened[:] = [self._button(one) for one in opened]
        problems = [one.problem for one in opened if one.problem]
        try:
            comparison = None if len(results) < 2 else self._compare(opened, view.order)
        except OofError as error:
            comparison, problems = None, [*problems, str(error)]
        lines = "".join(f"<p class='reject'>{text(problem)}</p>" for problem in problems)
        self._figures.visible = comparison is not None
        if comparison is not None:
            content = comparison_content(comparison)
            self._heading.object = lines + _heading_html(content)
            self._show_comparison(comparison, content, with_focus=view.removed != "focus")
        else:
            words = "Open two results or more: tick them in the table, or add them here by their names."
            self._heading.object = lines + ("" if len(results) > 1 else f"<p>{words}</p>")

    def _open(self, key: str) -> _Opened:
        archive, name = self._session.archive, key
        try:
            entry = archive.entry(key)
            name = entry.observation.name
            return _Opened(key, name, archive.result(entry), "")
        except OofError as error:
            return _Opened(key, name, None, str(error))

    def _compare(self, opened: list[_Opened], order: int | None) -> Comparison:
        """Compare what could be opened; nothing is computed again where only the view of it has changed."""
        # Of the results themselves: one that is fitted again keeps its key.
        asked = ([one.result for one in opened], order)
        if self._compared is None or self._compared[0] != asked:
            known = [(one.name, at_order(one.result, order)) for one in opened if one.result is not None]
            self._compared = asked, compare([result for _, result in known], [name for name, _ in known])
        return self._compared[1]

    def _show_comparison(self, comparison: Comparison, content: ComparisonContent, *, with_focus: bool) -> None:
        self._dishes.show(comparison, with_focus=with_focus)
        figures = self._dishes.figures
        if len(figures) != len(self._images):
            self._images[:] = [pn.pane.Bokeh(one) for one in figures]
        self._terms.show(comparison)
        tables = (content.results, *content.deviations, content.coefficients, *content.each)
        self._tables.object = "".join(table_html(table) for table in tables)

    def _set_controls(self, results: list[FitResult], view: View) -> None:
        common = set.intersection(*({fit.order for fit in result.orders} for result in results)) if results else set()
        orders = {"chosen orders": _NO_ORDER} | {f"order {order}": order for order in sorted(common)}
        with self._asking.quietly():
            self._order.options = orders
            self._order.value = view.order if view.order in common else _NO_ORDER
            self._removed.value = "focus" if view.removed == "focus" else "tilt"

    def _button(self, one: _Opened) -> Any:
        button = pn.widgets.Button(name=f"{one.name} \N{MULTIPLICATION SIGN}", button_type="light")
        button.on_click(lambda _: self._leave_out(one.key))
        return button


def _heading_html(content: ComparisonContent) -> str:
    remarks = "".join(
        f"<p class='check'><code>{text(one.code)}</code> {text(one.message)}</p>" for one in content.remarks
    )
    return f"<h1>{text(content.title)}</h1>{numbers_html(content.numbers)}{remarks}"
