"""Serve the review page, to this machine or to those who know the token."""

from __future__ import annotations

import errno
import html
import ipaddress
import logging
import os
import re
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from weakref import WeakValueDictionary

import panel as pn
from bokeh.protocol.message import Message
from bokeh.protocol.messages.error import error as ErrorMessage  # noqa: N812
from bokeh.server.connection import ServerConnection
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from panel.io.application import build_applications
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

from oofpy.errors import OofError, UsageError, one_line
from oofpy.review.access import AtTheDoor, Door, Hosts, SecurityHeaders
from oofpy.review.application import Application
from oofpy.review.reviewed import ReviewedArchive
from oofpy.review.style import COMPONENT_STYLE, PAGE_STYLE

USUAL_PORT, _PORTS_TRIED = 5006, 100
_SHORTEST_TOKEN = 8
# What is sent by HTTP is no larger than a token; the pages talk over a websocket, which has a limit of its own.
_LARGEST_BODY_BYTES = 65536
_LONGEST_MESSAGE_BYTES = 4 * 1024 * 1024
# A signal that finds the server busy, with a large result for example, ends it all the same.
_PATIENCE_S = 3.0
_LOGGERS = ("bokeh", "panel", "param", "tornado", "asyncio")
_LOG = logging.getLogger("panel.oofpy")
# Those that are open, by their sessions, and no longer than these.
_APPLICATIONS: WeakValueDictionary[str, Application] = WeakValueDictionary()


@dataclass(frozen=True)
class Address:
    """Where a page is served, and to whom.

    Parameters
    ----------
    host : str
        Name or number; 0.0.0.0 or :: for every address of this machine.
    port : int, optional
        0 for any that is free; None for 5006, or the next that is free.
    token : str, optional
        What everybody must give. Where others than this machine reach the page, one is made if there is none.
    origins : tuple of str
        What browsers see where a proxy stands before the server, as `Hosts` has it.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    token: str | None = None
    origins: tuple[str, ...] = ()


class _Connection(ServerConnection):
    """A connection to a browser, which gets to know that something went wrong, but not where in the program."""

    def error(self, message: Message[Any], text: str) -> ErrorMessage:  # noqa: ARG002
        made = super().error(message, "the server could not do this; its log says why")
        made.content["traceback"] = None
        return made


class _ReviewTornado(BokehTornado):
    """Bokeh's server with a door before every one of its addresses.

    Parameters
    ----------
    door : Door
    applications : dict
        As for `BokehTornado`.
    """

    def __init__(self, door: Door, applications: dict[str, Any]) -> None:
        self._door = door
        super().__init__(
            applications,
            # The door has checked it, against the name that the browser asked for.
            extra_websocket_origins=["*"],
            websocket_max_message_size_bytes=_LONGEST_MESSAGE_BYTES,
            # Bokeh writes them into the page, where scripts could read them.
            include_cookies=[],
            include_headers=[],
            transforms=[SecurityHeaders],
        )

    def find_handler(self, request: HTTPServerRequest, **arguments: Any) -> Any:
        """Let a request through, or answer it at the door."""
        if self._door.open_to(request):
            return super().find_handler(request, **arguments)
        return self.get_handler_delegate(request, AtTheDoor, {"door": self._door})

    def new_connection(self, protocol: Any, socket: Any, application_context: Any, session: Any) -> ServerConnection:
        """Make a connection of our own kind."""
        connection = _Connection(protocol, socket, application_context, session)
        self._clients.add(connection)
        return connection


class ReviewServer:
    """A server that listens, not yet started.

    Parameters
    ----------
    archive : ReviewedArchive
    address : Address

    Raises
    ------
    UsageError
        If the address cannot be had, or the token is too short.
    """

    def __init__(self, archive: ReviewedArchive, address: Address) -> None:
        if address.token is not None and len(address.token) < _SHORTEST_TOKEN:
            raise UsageError("is too short", key="--token", remedy=f"give at least {_SHORTEST_TOKEN} letters")
        sockets = _listening(address)
        self.port = sockets[0].getsockname()[1]
        here = all(ipaddress.ip_address(one.getsockname()[0].partition("%")[0]).is_loopback for one in sockets)
        token = address.token
        if token is None and (address.origins or not here):
            token = secrets.token_urlsafe(24)
        everywhere = any(ipaddress.ip_address(one.getsockname()[0].partition("%")[0]).is_unspecified for one in sockets)
        names = [address.host, *(one.getsockname()[0] for one in sockets)]
        shown = address.host
        if everywhere:
            names += [socket.gethostname(), socket.getfqdn()]
            shown = socket.gethostname()
        shown = f"[{shown}]" if ":" in shown else shown
        self.url = f"http://{shown}:{self.port}/" + ("?" + urlencode({"token": token}) if token else "")
        door = Door(Hosts(names, address.origins, everywhere), token, f"oofpy-review-{self.port}")
        self._prepare_pages()
        applications = build_applications({"/": lambda: _page(archive)}, title="oofpy review")
        tornado = _ReviewTornado(door, applications)
        http = HTTPServer(tornado, max_body_size=_LARGEST_BODY_BYTES, idle_connection_timeout=600, body_timeout=30)
        http.add_sockets(sockets)
        self.loop = IOLoop.current()
        self._server = BaseServer(self.loop, tornado, http)

    @staticmethod
    def _prepare_pages() -> None:
        pn.extension("tabulator")
        pn.config.global_css = [PAGE_STYLE]
        pn.config.raw_css = [COMPONENT_STYLE]
        pn.config.exception_handler = _log_fault

    def run(self) -> None:
        """Serve until the loop is stopped."""
        self._server.start()
        try:
            self.loop.start()
        finally:
            self._server.stop(wait=False)


def _page(archive: ReviewedArchive) -> pn.viewable.Viewable:
    """Make the page of a session, or one that says why there is none."""
    try:
        application = _APPLICATIONS[_session()] = Application(archive)
        return application.layout()
    except OofError as error:
        problem = str(error)
    except Exception as fault:
        _log_fault(fault)
        problem = "The page could not be made; the log of the server says why."
    return pn.pane.HTML(html.escape(problem), css_classes=["message"], sizing_mode="stretch_width")


def _log_fault(fault: BaseException) -> None:
    """Write it into the log, and tell the reviewer that there is something in it."""
    _LOG.error("a page could not do what was asked", exc_info=fault)
    application = _APPLICATIONS.get(_session())
    if application is not None:
        application.say_fault()


def _session() -> str:
    """Name of the session that is served just now; empty where there is none."""
    document = pn.state.curdoc
    return "" if document is None or document.session_context is None else document.session_context.id


def _listening(address: Address) -> list[socket.socket]:
    """Sockets that listen, all at the same port."""
    ports = range(USUAL_PORT, USUAL_PORT + _PORTS_TRIED) if address.port is None else (address.port,)
    for port in ports:
        try:
            return _sockets(address.host, port)
        except (OSError, UnicodeError) as error:
            number = getattr(error, "errno", None)
            if number == errno.EACCES:
                raise UsageError("may not be used", key="--port", value=port, remedy="take one above 1023") from error
            if number != errno.EADDRINUSE:
                raise UsageError(
                    "is no address of this machine",
                    key="--host",
                    value=address.host or "''",
                    remedy="leave it out, or give 0.0.0.0",
                ) from error
    taken = ports[0] if len(ports) == 1 else f"{ports[0]} to {ports[-1]}"
    raise UsageError("is taken by another program", key="--port", value=taken, remedy="give another, or leave it out")


def _sockets(host: str, port: int) -> list[socket.socket]:
    """Listen at all addresses of a name; those of a protocol that this machine does not speak are left out."""
    if not host:
        raise OSError(errno.EADDRNOTAVAIL, "no host")
    found = dict.fromkeys((one[0], one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    made: list[socket.socket] = []
    missing: OSError | None = None
    with ExitStack() as unfinished:
        for family, number in found:
            at = made[0].getsockname()[1] if made else port
            try:
                one = socket.create_server((str(number), at), family=family)
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                missing = error
                continue
            unfinished.callback(one.close)
            one.setblocking(False)
            made.append(one)
        if missing and not made:
            raise missing
        unfinished.pop_all()
    return made


class _OneLine(logging.Formatter):
    """A line for each message, an exception as its name, its text and where it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if text.startswith("Traceback"):
            text = _last_of(text)
        fault = record.exc_info[1] if record.exc_info else None
        if fault is not None:
            text += f": {type(fault).__name__}: {fault}{_where(fault)}"
        return f"oofpy: {record.levelname.lower()}: {one_line(text)[:2000]}"


def _last_of(traceback: str) -> str:
    """Text of the exception of a traceback that is logged as a text, and where it was raised."""
    lines = traceback.rstrip().splitlines()
    last = max((number for number, line in enumerate(lines) if line.startswith("  ")), default=-1)
    places = re.findall(r'File "(.*)", line (\d+)', traceback)
    return " ".join(lines[last + 1 :]) + (f" ({Path(places[-1][0]).name}:{places[-1][1]})" if places else "")


def _told(record: logging.LogRecord) -> bool:
    """Leave out what only announces the next line, and browsers that went away while they were told something."""
    fault = record.exc_info[1] if record.exc_info else None
    gone = isinstance(fault, (WebSocketClosedError, StreamClosedError))
    return not gone and record.getMessage() != "Error thrown from periodic callback:"


def _where(fault: BaseException) -> str:
    step = fault.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return "" if step is None else f" ({Path(step.tb_frame.f_code.co_filename).name}:{step.tb_lineno})"


def log_in_lines() -> None:
    """Write what the libraries log to standard error, a line each; as they do it where OOFPY_DEBUG is set."""
    if os.environ.get("OOFPY_DEBUG"):
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    handler.addFilter(_told)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(logging.ERROR)


def serve(archive: ReviewedArchive, address: Address, ready: Callable[[str], None] = lambda url: None) -> None:  # noqa: ARG005
    """Serve until a signal ends it.

    Parameters
    ----------
    archive : ReviewedArchive
    address : Address
    ready : callable
        Takes the address of the page, with its token, as soon as it can be opened.

    Raises
    ------
    UsageError
        If the address cannot be had, or the token is too short.
    KeyboardInterrupt
        If it was ended by SIGINT.
    """
    log_in_lines()
    server = ReviewServer(archive, address)
    received: list[int] = []

    def end(number: int, _: object) -> None:
        received.append(number)
        code = 130 if number == signal.SIGINT else 0
        limit = threading.Timer(_PATIENCE_S, os._exit, [code])
        limit.daemon = True
        limit.start()
        server.loop.asyncio_loop.call_soon_threadsafe(server.loop.stop)  # type: ignore[attr-defined]

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    ready(server.url)
    server.run()
    if signal.SIGINT in received:
        raise KeyboardInterrupt
