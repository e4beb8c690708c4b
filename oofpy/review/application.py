"""The page that a browser gets: a session, its pages, the bar above them, and the address that follows them."""

from __future__ import annotations

import html
from collections.abc import Callable
from contextlib import suppress

import panel as pn
from panel.io import hold

from oofpy._version import __version__
from oofpy.errors import OofError
from oofpy.review.browser import Browser
from oofpy.review.choices import PageName
from oofpy.review.pages.asking import afterwards
from oofpy.review.pages.comparing import ComparingPage
from oofpy.review.pages.deciding import DecisionBar
from oofpy.review.pages.help import HELP
from oofpy.review.pages.observation import ObservationPage
from oofpy.review.pages.table import TablePage
from oofpy.review.pages.trends import TrendsPage
from oofpy.review.reviewed import ReviewedArchive
from oofpy.review.session import Page, Session
from oofpy.review.view import View

_NAMES: dict[PageName, str] = {
    "table": "Observations",
    "observation": "Observation",
    "compare": "Compare",
    "trends": "Trends",
}
# How often a page asks whether others decided, or new results came.
_POLL_MS = 5000


class Application:
    """All that one browser tab shows.

    Parameters
    ----------
    archive : ReviewedArchive
    """

    def __init__(self, archive: ReviewedArchive) -> None:
        self._words = pn.pane.HTML("", margin=0, sizing_mode="stretch_width")
        dismiss = pn.widgets.Button(name="\N{MULTIPLICATION SIGN}", description="close", css_classes=["tab"])
        dismiss.on_click(lambda _: self._close())
        self._message = pn.Row(
            self._words, dismiss, css_classes=["message"], sizing_mode="stretch_width", visible=False
        )
        self.session = Session(archive, self._say)
        self._browser = Browser(self.press)
        self._view: View | None = None
        self._table = TablePage(self.session)
        self._pages: dict[PageName, Page] = {
            "table": self._table,
            "observation": ObservationPage(self.session),
            "compare": ComparingPage(self.session),
            "trends": TrendsPage(self.session),
        }
        self._decisions = DecisionBar(self.session)
        self._links = {
            name: pn.widgets.Button(name=words, button_type="light", css_classes=["tab"])
            for name, words in _NAMES.items()
        }
        for name, link in self._links.items():
            link.on_click(self._opening(name))
        self._body = pn.Column(sizing_mode="stretch_width", css_classes=["page"])
        self._help = pn.pane.HTML(HELP, visible=False, css_classes=["help"], sizing_mode="stretch_width")
        self.session.listen(self._show)

    def _opening(self, name: PageName) -> Callable[[object], None]:
        return lambda _: self.session.go(page=name)

    def _say(self, text: str) -> None:
        # Made anew each time, so that what is said twice is read out twice.
        self._words.object = f"<div role='alert'>{html.escape(text)}</div>" if text else ""
        self._message.visible = bool(text)

    def say_fault(self) -> None:
        """Tell the reviewer that something failed which should not; what it was is in the log of the server."""
        self._say("this could not be done; the log of the server says why")

    def _show(self, view: View) -> None:
        # First of all, so that who goes back at once comes to what was there before.
        self._browser.param.update(query=view.query, title=self._title(view))
        if view != self._view:  # what was said of this view stays while the catalogue changes
            self._message.visible = False
        self._view = view
        for name, link in self._links.items():
            link.button_type = "primary" if name == view.page else "light"
        page = self._pages[view.page]
        # In one message: the browser lays figures out anew for each one.
        with hold():
            try:
                page.show(view)
                self._decisions.show(view)
            finally:
                self._attach(page)
                for one in self._pages.values():
                    one.layout.visible = one is page

    def _attach(self, page: Page) -> None:
        """Send the layout of a page to the browser; it stays there, since drawing figures anew takes long."""
        if page.layout not in list(self._body):
            self._body.append(page.layout)

    def prepare(self) -> None:
        """Make the figures of an observation while the reviewer still reads the table, so that it opens at once."""
        page = self._pages["observation"]
        page.layout.visible = self.session.view.page == "observation"
        self._attach(page)

    def press(self, key: str) -> None:
        """Do what a key stands for; see `browser.KEYS`."""
        actions: dict[str, Callable[[], None]] = {
            "next": lambda: self.session.step(1),
            "previous": lambda: self.session.step(-1),
            "accept": lambda: self._decisions.decide("accept"),
            "reject": lambda: self._decisions.decide("reject"),
            "look": lambda: self._decisions.decide("look"),
            "undo": lambda: self._decisions.decide("undo"),
            "table": lambda: self.session.go(page="table"),
            "help": self._toggle_help,
            "close": self._close,
        }
        actions[key]()

    def _toggle_help(self) -> None:
        self._help.visible = not self._help.visible

    def _close(self) -> None:
        self._help.visible = self._message.visible = False

    def poll(self) -> None:
        """Show what others decided, and new results, if there are any."""
        try:
            state = self.session.archive.state()
        except OofError as error:  # a server that is down, a file that is locked
            self._say(str(error))
            return
        if state != self.session.state:
            self.session.refresh()

    def layout(self) -> pn.viewable.Viewable:
        """Give everything, to be served; called in a session of the server."""
        location = pn.state.location
        view = View.of_query((location.search if location else "") or "")
        browser = self._browser
        browser.query = view.query
        browser.param.watch(lambda event: self._open_address(event.new), "query")
        browser.param.watch(lambda event: self._table.fold(event.new), "narrow")
        browser.param.watch(lambda _: afterwards(self.prepare), "loaded")
        # The same name in both, whichever has it first.
        self._decisions.reviewer.link(browser, value="reviewer", bidirectional=True)
        self.session.open(view)
        pn.state.add_periodic_callback(self.poll, period=_POLL_MS)
        title = pn.pane.HTML(f"<b>oofpy review</b> {html.escape(self.session.archive.name)}", css_classes=["title"])
        help_button = pn.widgets.Button(name="?", description="keys", button_type="light", css_classes=["tab"])
        help_button.on_click(lambda _: self._toggle_help())
        version = pn.pane.HTML(f"oofpy {html.escape(__version__)}", css_classes=["version"])
        bar = pn.FlexBox(title, *self._links.values(), help_button, version, align_items="center", css_classes=["bar"])
        return pn.Column(
            bar,
            self._message,
            self._help,
            self._decisions.layout,
            self._body,
            browser,
            sizing_mode="stretch_width",
        )

    def _title(self, view: View) -> str:
        """What the tab is called: what is open comes first, since tabs are narrow."""
        words = _NAMES[view.page]
        if view.page == "observation" and view.keys:
            with suppress(OofError):
                words = self.session.entry(view.keys[0]).observation.name
        return f"{words} \N{EN DASH} oofpy review {self.session.archive.name}"

    def _open_address(self, query: str) -> None:
        view = View.of_query(query)
        if view != self.session.view:
            self.session.open(view)
