"""To be written."""

from __future__ import annotations

import panel as pn

from oofpy.review.session import Session
from oofpy.review.view import View


class TrendsPage:
    """A page."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._text = pn.pane.Str("")
        self.layout = pn.Column(self._text, sizing_mode="stretch_width")

    def show(self, view: View) -> None:
        """Show a view."""
        self._text.object = f"trends {view.query} {len(self._session.rows())}"
