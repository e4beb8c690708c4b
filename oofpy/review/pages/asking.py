"""How widgets ask for another view, and when what they ask for may be done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import panel as pn

from oofpy.review.session import Session


class Asking:
    """Passes on what a reviewer sets, and not what a page sets itself, to show the view that it was given.

    Parameters
    ----------
    session : Session

    Attributes
    ----------
    quiet : bool
        Whether the page is setting its widgets.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.quiet = False

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """While widgets are set from the view, they do not ask for another one."""
        self.quiet = True
        try:
            yield
        finally:
            self.quiet = False

    def go(self, **changes: Any) -> None:
        """Look at something else, if it was a reviewer who asked."""
        if not self.quiet:
            self._session.go(**changes)


def afterwards(act: Callable[[], None]) -> None:
    """Do something when the browser has sent all that it is about to send.

    Figures that are made while a widget passes on its value are refused by Bokeh.

    Parameters
    ----------
    act : callable
        Done at once where there is no browser.
    """
    if pn.state.curdoc is None:
        act()
    else:
        pn.state.curdoc.add_next_tick_callback(act)
