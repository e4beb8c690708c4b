"""Pages from templates: one file of HTML that needs nothing else, and in which no text is taken for markup."""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from oofpy.errors import one_line

_TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **content: Any) -> str:
    """Fill a template.

    Parameters
    ----------
    template : str
        Name of a file in the folder of templates.
    **content : object
        What the template refers to. Text is escaped, and what does not print in it becomes a question mark.

    Returns
    -------
    str
        The page.

    Raises
    ------
    jinja2.UndefinedError
        If the template refers to something that is not given.
    """
    return _environment().get_template(template).render(**content)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_printable,
    )
    environment.filters["base64"] = _base64
    return environment


def _printable(value: Any) -> Any:
    """Take out of a text what would turn the direction of the page or end its line; markup of templates stays."""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
