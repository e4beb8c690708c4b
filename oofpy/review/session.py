"""One reviewer's page: what is looked at, and what happens when that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from oofpy.catalogue.records import CatalogueEntry, Filter, ObservationRow
from oofpy.errors import OofError
from oofpy.review.reviewed import ReviewedArchive
from oofpy.review.view import View


class Page(Protocol):
    """One of the pages of a session."""

    layout: Any

    def show(self, view: View) -> None:
        """Show a view. Called with every view whose page this is, and again when the catalogue has changed."""


class Session:
    """What a reviewer looks at, and the one way to look at something else.

    Pages ask for another view with `go`; the address of the browser follows, and every page that listens is told.

    Parameters
    ----------
    archive : ReviewedArchive
    say : callable
        Takes what a reviewer must be told, an error for example, in plain text; an empty one takes it back.

    Attributes
    ----------
    view : View
        What is looked at.
    reviewer : str
        Who decides; empty where nobody is named.
    state : tuple of int
        Of the catalogue when it was read last; see `ReviewedArchive.state`.
    chosen : tuple of ObservationRow
        Results that were chosen in the table or among the trends; no part of the view, since they may be thousands.
    """

    def __init__(self, archive: ReviewedArchive, say: Callable[[str], None]) -> None:
        self.archive, self.say = archive, say
        self.view = View()
        self.reviewer = ""
        self.state = archive.state()
        self.chosen: tuple[ObservationRow, ...] = ()
        self._entry: tuple[str, CatalogueEntry] | None = None
        self._listeners: list[Callable[[View], None]] = []
        self._choosing: list[Callable[[], None]] = []
        self._rows: tuple[tuple[Filter, str], list[ObservationRow]] | None = None
        # Among which rows what was open when they were read anew had which place.
        self._left: tuple[tuple[Filter, str], str, int] | None = None

    def listen(self, listener: Callable[[View], None]) -> None:
        """Tell a listener of every view from now on."""
        self._listeners.append(listener)

    def choose(self, rows: Iterable[ObservationRow]) -> None:
        """Choose results among those that are shown, to compare them or to decide on them together."""
        self.chosen = tuple(rows)
        for listener in self._choosing:
            listener()

    def on_choice(self, listener: Callable[[], None]) -> None:
        """Call a listener whenever others are chosen."""
        self._choosing.append(listener)

    def go(self, **changes: Any) -> None:
        """Look at something else.

        Parameters
        ----------
        **changes
            Fields of the view.
        """
        self.open(self.view.changed(**changes))

    def open(self, view: View) -> None:
        """Look at a view."""
        self.view = view
        for listener in self._listeners:
            try:
                listener(view)
            except OofError as error:
                self.say(str(error))

    def rows(self) -> list[ObservationRow]:
        """Rows of the table as the view has them, filtered and sorted."""
        asked = (self.archive.wanted(self.view), self.view.sort)
        if self._rows is None or self._rows[0] != asked:
            self._rows = (asked, self.archive.rows(*asked))
        return self._rows[1]

    def entry(self, key: str) -> CatalogueEntry:
        """What the catalogue holds of a result, read once for all that show it; see `ReviewedArchive.entry`."""
        if self._entry is None or self._entry[0] != key:
            self._entry = (key, self.archive.entry(key))
        return self._entry[1]

    def refresh(self) -> None:
        """Show the same view again, what the catalogue holds being read anew, of the chosen results as well."""
        self._entry = None
        with suppress(OofError):  # which the pages tell
            self.state = self.archive.state()
        if self._rows is not None:
            asked, rows = self._rows
            place = self._place([row.key for row in rows])
            self._left = self._left if place is None else (asked, self._opened, place)
        self._rows = None
        if self.chosen:
            keys = {row.key for row in self.chosen}
            with suppress(OofError):  # which the page that has rows tells
                self.choose(row for row in self.rows() if row.key in keys)
        self.open(self.view)

    def step(self, by: int) -> None:
        """Open the observation that lies so many rows after the one that is open, in the order of the table.

        From one that a decision has taken out of the filter it goes on where that was.
        """
        try:
            keys = [row.key for row in self.rows()]
        except OofError as error:
            self.say(str(error))
            return
        if not keys:
            return
        here = self._place(keys)
        if here is not None:
            there = here + by
        elif self._rows is not None and self._left is not None and self._left[:2] == (self._rows[0], self._opened):
            there = self._left[2] + (by - 1 if by > 0 else by)
        else:
            there = 0 if by > 0 else len(keys) - 1
        self.go(page="observation", keys=(keys[min(max(there, 0), len(keys) - 1)][:KEY_LETTERS],))

    @property
    def _opened(self) -> str:
        return self.view.keys[0] if self.view.keys else ""

    def _place(self, keys: list[str]) -> int | None:
        """Place of what is open among the rows."""
        opened = self._opened
        return next((place for place, key in enumerate(keys) if opened and key.startswith(opened)), None)


# As many letters of a key as tell results apart in any catalogue that there will be.
KEY_LETTERS = 12
