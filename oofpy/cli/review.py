"""`oofpy review`: the results of an archive in the browser, for one engineer or for several at once."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oofpy.cli import options
from oofpy.cli.endings import Ending
from oofpy.errors import InputError, UsageError

if TYPE_CHECKING:
    from oofpy.catalogue import Catalogue

TOKEN_VARIABLE = "OOFPY_REVIEW_TOKEN"
_LARGEST_PORT = 65535

Results = Annotated[
    Path,
    typer.Argument(metavar="RESULTS", show_default=False, help="Folder that 'oofpy batch' wrote to."),
]
Host = Annotated[
    str,
    typer.Option(metavar="HOST", help="Where to listen; 0.0.0.0 for all addresses of this machine, with a token."),
]
Port = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        max=_LARGEST_PORT,
        show_default=False,
        help="Port to listen at, 0 for any; 5006 or the next that is free if left out.",
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        show_default=False,
        help=f"What everybody must give; better in the environment, as {TOKEN_VARIABLE}, where others do not see it. "
        "Left out, one is made where others than this machine can reach the page.",
    ),
]
Origins = Annotated[
    list[str] | None,
    typer.Option(
        "--origin",
        metavar="NAME[:PORT]",
        show_default=False,
        help="What browsers see where a proxy stands before the server, e.g. review.example.org; may be repeated.",
    ),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Serve only, open no browser.")]


def review_command(
    results: Results,
    catalogue: options.CatalogueUrl = None,
    host: Host = "127.0.0.1",
    port: Port = None,
    token: Token = None,
    origins: Origins = None,
    no_browser: NoBrowser = False,
) -> int:
    """Review the results of an archive in the browser: table, surfaces, comparisons, trends, decisions.

    Serves this machine only, unless --host says otherwise. Ends with Ctrl-C.
    """
    try:
        import panel  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(f"reviewing needs the library {error.name}", remedy="pip install 'oofpy[review]'") from error
    from oofpy.review.reviewed import ReviewedArchive
    from oofpy.review.server import Address, serve

    asked = os.environ.get(TOKEN_VARIABLE) or None if token is None else token
    address = Address(host, port, asked, tuple(_origin(text) for text in origins or ()))

    def ready(url: str) -> None:
        print(url, flush=True)
        if not no_browser and _has_display():
            _open_browser(url)

    with _opened(results, catalogue) as opened:
        serve(ReviewedArchive(opened, results), address, ready)
    return Ending.DONE


def _opened(results: Path, url: str | None) -> Catalogue:
    from oofpy.catalogue import Catalogue
    from oofpy.catalogue.engine import FILE_NAME

    if not results.is_dir():
        raise InputError("is no folder", file=results, remedy="give the folder of results that 'oofpy batch' filled")
    if url is None and not (results / FILE_NAME).is_file():
        raise InputError(
            f"the folder holds no {FILE_NAME}",
            file=results,
            remedy="give the folder of results that 'oofpy batch' filled, with --catalogue URL where its catalogue is "
            "on a server",
        )
    return Catalogue.open(url or results)


def _origin(text: str) -> str:
    """Take the name out of what may be a whole address."""
    from urllib.parse import urlsplit

    try:
        where = urlsplit(text if "//" in text else f"//{text}")
        name, port = where.hostname, where.port
    except ValueError:
        name, port = None, None
    if not name or not re.fullmatch(r"[\w.:-]+", name):
        raise UsageError("is no name", key="--origin", value=text, remedy="give one such as review.example.org:8443")
    shown = f"[{name}]" if ":" in name else name
    return shown if port is None else f"{shown}:{port}"


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_browser(url: str) -> None:
    import threading
    import webbrowser

    # Some browsers return only when they are closed.
    threading.Thread(target=webbrowser.open, args=[url], daemon=True).start()
