"""Decide on the result that is open: who, what and why, appended to what was decided before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

from oofpy.catalogue.records import CatalogueEntry, Decision, DecisionRecord
from oofpy.errors import OofError
from oofpy.review.pages.words import text
from oofpy.review.session import Session
from oofpy.review.view import View

_WORDS: dict[Decision, tuple[str, str]] = {
    "accept": ("accept", "success"),
    "reject": ("reject", "danger"),
    "look": ("needs a look", "warning"),
    "undo": ("undo", "light"),
}
_IN_WORDS: dict[str | None, str] = {"accept": "accepted", "reject": "rejected", "look": "needs a look", None: "open"}


class DecisionBar:
    """The decisions on the result that is open, and the way to add one.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entry: CatalogueEntry | None = None
        self.reviewer = pn.widgets.TextInput(name="reviewer", placeholder="your name", width=120)
        self.comment = pn.widgets.TextInput(name="comment", placeholder="why", width=260)
        self._standing = pn.pane.HTML("", css_classes=["standing"])
        self._entries = pn.pane.HTML("", sizing_mode="stretch_width")
        buttons = []
        for decision, (words, kind) in _WORDS.items():
            button = pn.widgets.Button(name=words, button_type=kind)
            button.on_click(self._deciding(decision))
            buttons.append(button)
        self.reviewer.param.watch(self._named, "value")
        row = pn.FlexBox(self._standing, *buttons, self.reviewer, self.comment, align_items="end")
        self.layout = pn.Column(
            row, self._entries, visible=False, css_classes=["decisions"], sizing_mode="stretch_width"
        )

    def _deciding(self, decision: Decision) -> Callable[[object], None]:
        return lambda _: self.decide(decision)

    def _named(self, event: Any) -> None:
        self._session.reviewer = (event.new or "").strip()

    def show(self, view: View) -> None:
        """Show the decisions on the result that is open; what is being written stays."""
        self.layout.visible = view.page == "observation" and bool(view.keys)
        self._entry = None
        if not self.layout.visible:
            return
        entry = self._session.archive.entry(view.keys[0])
        self._entry = entry
        standing = entry.decisions[-1].standing if entry.decisions else None
        self._standing.object = f"<b class='{standing or ''}'>{_IN_WORDS[standing]}</b>"
        self._entries.object = _entries_html(entry.decisions)

    def decide(self, decision: Decision) -> None:
        """Append a decision on the result that is open.

        Nothing is appended where no reviewer is named, or where somebody else decided since the page was shown: then
        what is new is shown first.
        """
        shown, session = self._entry, self._session
        if shown is None:
            session.say("no observation is open that could be decided on")
            return
        if not session.reviewer:
            session.say("write your name beside the buttons first: a decision says whose it is")
            return
        key = shown.result.key
        try:
            if session.archive.catalogue.decisions(key) != shown.decisions:
                session.refresh()
                session.say(
                    "somebody else decided in the meantime: see what is new, and decide again if it is not yours"
                )
                return
            session.archive.decide(key, session.reviewer, decision, (self.comment.value or "").strip())
        except OofError as error:
            session.say(str(error))
            return
        self.comment.value = ""
        session.refresh()


def _entries_html(decisions: tuple[DecisionRecord, ...]) -> str:
    if not decisions:
        return ""
    rows = "".join(
        f"<tr><td>{one.at:%Y-%m-%d %H:%M} UTC</td><td>{text(one.who)}</td>"
        f"<td class='{one.decision}'>{text(_WORDS[one.decision][0])}</td><td>{text(one.why)}</td></tr>"
        for one in reversed(decisions)
    )
    return f"<div class='scroll'><table>{rows}</table></div>"
