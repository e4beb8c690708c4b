"""Decide on the result that is open, or on those that are chosen: who, what and why, appended to what was there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn

from oofpy.catalogue.records import Decision, DecisionRecord
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
    """The decisions on what is open or chosen, and the way to add one.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        # What stands, by the keys of the results, as the reviewer sees it.
        self._standing: dict[str, Decision | None] = {}
        self.reviewer = pn.widgets.TextInput(name="reviewer", placeholder="your name", width=120)
        self.comment = pn.widgets.TextInput(name="comment", placeholder="why", width=260)
        self._subject = pn.pane.HTML("", css_classes=["standing"])
        self._entries = pn.pane.HTML("", sizing_mode="stretch_width")
        buttons = []
        for decision, (words, kind) in _WORDS.items():
            button = pn.widgets.Button(name=words, button_type=kind)
            button.on_click(self._deciding(decision))
            buttons.append(button)
        self.reviewer.param.watch(self._named, "value")
        row = pn.FlexBox(self._subject, *buttons, self.reviewer, self.comment, align_items="end")
        self.layout = pn.Column(
            row, self._entries, visible=False, css_classes=["decisions"], sizing_mode="stretch_width"
        )
        session.on_choice(self._show_chosen)

    def _deciding(self, decision: Decision) -> Callable[[object], None]:
        return lambda _: self.decide(decision)

    def _named(self, event: Any) -> None:
        self._session.reviewer = (event.new or "").strip()

    def show(self, view: View) -> None:
        """Show the decisions on the result that is open, or how many are chosen; what is being written stays."""
        if view.page == "observation":
            self._show_opened(view)
        elif view.page == "compare":
            self._nothing()
        else:
            self._show_chosen()

    def _nothing(self) -> None:
        self._standing, self.layout.visible = {}, False

    def _show_opened(self, view: View) -> None:
        if not view.keys:
            self._nothing()
            return
        try:
            entry = self._session.entry(view.keys[0])
        except OofError:
            self._nothing()
            raise
        standing = entry.decisions[-1].standing if entry.decisions else None
        self._standing = {entry.result.key: standing}
        self._subject.object = f"<b class='{standing or ''}'>{_IN_WORDS[standing]}</b>"
        self._entries.object = _entries_html(entry.decisions)
        self.layout.visible = True

    def _show_chosen(self) -> None:
        self._standing = {row.key: row.decision for row in self._session.chosen}
        self._subject.object = f"<b>{len(self._standing)} chosen</b>"
        self._entries.object = ""
        self.layout.visible = bool(self._standing)

    def decide(self, decision: Decision) -> None:
        """Append a decision on what is open or chosen.

        Nothing is appended where no reviewer is named, or where another decision stands than the one that is shown:
        then what is new is shown first.
        """
        shown, session = self._standing, self._session
        if not shown:
            session.say("no observation is open or chosen that could be decided on")
            return
        if not session.reviewer:
            session.say("write your name beside the buttons first: a decision says whose it is")
            return
        try:
            if self._now_standing() != shown:
                session.refresh()
                session.say(
                    "somebody else decided in the meantime: see what is new, and decide again if it is not yours"
                )
                return
            # Of several results those are taken back on which a decision stands.
            concerned = [key for key, standing in shown.items() if decision != "undo" or standing is not None]
            session.archive.decide(concerned or shown, session.reviewer, decision, (self.comment.value or "").strip())
        except OofError as error:
            session.say(str(error))
            return
        self.comment.value = ""
        session.say("")
        session.refresh()

    def _now_standing(self) -> dict[str, Decision | None]:
        """What stands in the catalogue, by the keys of what is shown."""
        entries = {key: self._session.archive.decisions(key) for key in self._standing}
        return {key: found[-1].standing if found else None for key, found in entries.items()}


def _entries_html(decisions: tuple[DecisionRecord, ...]) -> str:
    if not decisions:
        return ""
    newest, *older = (
        f"<tr><td>{one.at:%Y-%m-%d %H:%M} UTC</td><td>{text(one.who)}</td>"
        f"<td class='{one.decision}'>{text(_WORDS[one.decision][0])}</td><td>{text(one.why)}</td></tr>"
        for one in reversed(decisions)
    )
    folded = f"<details><summary>{len(older)} before it</summary>{_table(older)}</details>" if older else ""
    return _table([newest]) + folded


def _table(rows: list[str]) -> str:
    return f"<div class='scroll'><table>{''.join(rows)}</table></div>"
