"""Serve the review page, to this machine or to those who know the token."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

import panel as pn

from oofpy.review.application import Application
from oofpy.review.reviewed import ReviewedArchive


@dataclass(frozen=True)
class Address:
    """Where a page is served.

    Parameters
    ----------
    host : str
    port : int
        0 for any that is free.
    """

    host: str = "127.0.0.1"
    port: int = 5006


def make_server(archive: ReviewedArchive, address: Address) -> Any:
    """Make a server, not yet started."""
    pn.extension("tabulator")
    origins = [f"{address.host}:{address.port}", f"localhost:{address.port}"]
    return pn.serve(
        {"/": lambda: Application(archive).layout()},
        address=address.host,
        port=address.port,
        show=False,
        start=False,
        title="oofpy review",
        websocket_origin=origins,
        verbose=False,
    )


def serve(archive: ReviewedArchive, address: Address) -> None:
    """Serve until a signal ends it."""
    server = make_server(archive, address)

    def end(*_: object) -> None:
        server.io_loop.add_callback_from_signal(server.io_loop.stop)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    server.start()
    server.io_loop.start()
    server.stop(wait=False)
