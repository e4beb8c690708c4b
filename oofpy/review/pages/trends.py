"""A quantity of all observations that the filters let through, against elevation, date, hour or object."""

from __future__ import annotations

import math
from collections.abc import Sequence

import panel as pn

from oofpy.catalogue.records import ObservationRow
from oofpy.catalogue.trends import AGAINST, Against, Trend, probability_text, quantity_names, quantity_of, trends_of
from oofpy.errors import OofError
from oofpy.review.bending import Bending, bending_of, bends
from oofpy.review.figures.trend import TrendFigure
from oofpy.review.pages.asking import Asking
from oofpy.review.pages.words import text
from oofpy.review.session import KEY_LETTERS, Session
from oofpy.review.view import View

_HIGHEST_ORDER = 6


class TrendsPage:
    """The trend of one quantity; a tap opens a result, a lasso chooses some.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asking = Asking(session)
        self._shown: tuple[ObservationRow, ...] = ()
        self._figures: dict[Against, TrendFigure] = {}
        names = [*quantity_names(), *_coefficient_names()]
        self._quantity = pn.widgets.Select(name="quantity", options=names, width=190)
        self._against = pn.widgets.Select(name="against", options=list(AGAINST), width=110)
        self._quantity.param.watch(lambda event: self._asking.go(quantity=event.new), "value")
        self._against.param.watch(lambda event: self._asking.go(against=event.new), "value")
        self._words = pn.pane.HTML("", sizing_mode="stretch_width")
        self._figure = pn.FlexBox()
        self.layout = pn.Column(
            pn.FlexBox(self._quantity, self._against, css_classes=["controls"]),
            self._words,
            self._figure,
            sizing_mode="stretch_width",
        )

    def show(self, view: View) -> None:
        """Show the trend that a view asks for."""
        try:
            quantity = quantity_of(view.quantity)
        except OofError as error:  # a link that somebody wrote by hand
            self._session.say(str(error))
            quantity = quantity_of(View().quantity)
        with self._asking.quietly():
            if quantity.name not in self._quantity.options:
                self._quantity.options = [*self._quantity.options, quantity.name]
            self._quantity.value, self._against.value = quantity.name, view.against
        archive = self._session.archive
        [trend] = trends_of(archive.catalogue, archive.wanted(view), [quantity], view.against)
        bending, problem = _bending(trend)
        self._words.object = _words_html(trend, bending, problem, view)
        self._shown = trend.rows
        keys = {row.key for row in self._session.chosen}
        chosen = [place for place, row in enumerate(trend.rows) if row.key in keys]
        self._drawn(view.against).show(trend, bending, chosen)
        self._session.choose(trend.rows[place] for place in chosen)

    def _drawn(self, against: Against) -> TrendFigure:
        """The figure for what lies along the axis, put on the page."""
        if against not in self._figures:
            self._figures[against] = TrendFigure(against, self._open, self._choose)
            self._figures[against].figure.visible = False
            self._figure.append(self._figures[against].figure)
        for one, drawn in self._figures.items():
            drawn.figure.visible = one == against
        return self._figures[against]

    def _open(self, place: int) -> None:
        self._session.go(page="observation", keys=(self._shown[place].key[:KEY_LETTERS],))

    def _choose(self, places: Sequence[int]) -> None:
        self._session.choose(self._shown[place] for place in places)


def _coefficient_names() -> list[str]:
    return [f"Z({n},{l})" for n in range(2, _HIGHEST_ORDER + 1) for l in range(-n, n + 1, 2)]


def _bending(trend: Trend) -> tuple[Bending | None, str]:
    """The gravity model, or why there is none; neither where the quantity has none."""
    if not bends(trend):
        return None, ""
    try:
        return bending_of(trend), ""
    except OofError as error:
        return None, str(error)


def _words_html(trend: Trend, bending: Bending | None, problem: str, view: View) -> str:
    rho, probability = trend.correlation()
    words = [f"<b>{len(trend.rows)}</b> results"]
    if trend.missing:
        words.append(f"{trend.missing} without it, failed or rejected are left out")
    if math.isfinite(rho):
        words.append(f"Spearman's rank correlation {rho:+.2f}, probability {probability_text(probability)} by chance")
    if bending is not None:
        a, b, c = bending.curve.parameters
        unit, outlying = trend.quantity.unit, int(bending.outlying.sum())
        words.append(
            f"gravity model {a:+.4g} sin(el) {b:+.4g} cos(el) {c:+.4g} {unit}, scatter {bending.curve.scatter:.2g} "
            f"{unit} beyond the errors, {outlying} far off"
        )
    elif problem:
        words.append(f"no gravity model: {problem}")
    filters = ", ".join(f"{name} {' '.join(given)}" for name, given in view.filters.items())
    if filters:
        words.append(f"filters of the table: {filters}")
    hint = "Tap a point to open it; draw a lasso around some to decide on them together."
    return "".join(f"<p>{line if number == 0 else text(line)}</p>" for number, line in enumerate(words)) + (
        f"<p class='note'>{hint}</p>"
    )
