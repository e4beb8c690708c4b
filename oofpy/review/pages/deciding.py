"""To be written."""

from __future__ import annotations

import panel as pn

from oofpy.catalogue.records import Decision
from oofpy.review.session import Session
from oofpy.review.view import View


class DecisionBar:
    """Decisions."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.layout = pn.Row(visible=False)

    def show(self, view: View) -> None:
        """Show the decisions on the observation that is open."""
        self.layout.visible = view.page == "observation" and bool(view.keys)

    def decide(self, decision: Decision) -> None:
        """Append a decision on the observation that is open."""
