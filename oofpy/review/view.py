"""What a reviewer looks at, and the address that says so: who opens it sees the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_args, get_type_hints
from urllib.parse import parse_qs, urlencode

from oofpy.review.choices import FILTERS, Against, Limits, PageName, Removed, Scale

_LONGEST_VALUE = 200
_MOST_VALUES = 50


@dataclass(frozen=True)
class View:
    """What is looked at.

    Parameters
    ----------
    page : {"table", "observation", "compare", "trends"}
    filters : mapping of str to tuple of str
        What the table and the trends are limited to, as texts by the names in `choices.FILTERS`, which are those of the
        options of `oofpy catalogue list`.
    sort : str
        Column of the table, with a minus before it for the largest first.
    keys : tuple of str
        Beginnings of the keys of the results that are open: the first one on the page of an observation, all of them
        where they are compared.
    order : int, optional
        Order of the ladder; None for the chosen one of each result.
    removed : {"nothing", "tilt", "focus"}
        What is taken from the surface: nothing, the tilt, or tilt and focus.
    scale : {"linear", "db"}
        Of the beam maps.
    limits : {"own", "common"}
        Whether a surface fills its colours, or all dishes have one scale.
    quantity, against : str
        Of the trends.
    """

    page: PageName = "table"
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: str = "-date"
    keys: tuple[str, ...] = ()
    order: int | None = None
    removed: Removed = "tilt"
    scale: Scale = "db"
    limits: Limits = "own"
    quantity: str = "rms"
    against: Against = "elevation"

    def changed(self, **changes: Any) -> View:
        """Give the same view with some things changed."""
        return replace(self, **changes)

    @property
    def query(self) -> str:
        """The address after the question mark, without what is as by default; empty where all is."""
        # What is no text, which only a program sends, cannot be in an address.
        return urlencode(list(self._pairs()), errors="replace")

    def _pairs(self) -> Iterator[tuple[str, str]]:
        nothing = View()
        for entry in fields(self):
            value, usual = getattr(self, entry.name), getattr(nothing, entry.name)
            if entry.name == "filters":
                yield from ((name, word) for name in FILTERS for word in self.filters.get(name, ()))
            elif value != usual:
                yield entry.name, ",".join(value) if entry.name == "keys" else str(value)

    @classmethod
    def of_query(cls, query: str) -> View:
        """Read an address. What it holds comes from anywhere: what is not understood is left out.

        Parameters
        ----------
        query : str
            With or without the question mark.
        """
        given = parse_qs(query.removeprefix("?"))
        readable = {name: [text for text in values[:_MOST_VALUES] if is_text(text)] for name, values in given.items()}
        texts = {name: [text[:_LONGEST_VALUE] for text in values] for name, values in readable.items() if values}
        known: dict[str, Any] = {}
        for name, kind in get_type_hints(cls).items():
            if name in texts and name != "filters":
                value = _value(name, kind, texts[name][-1])
                known |= {} if value is None else {name: value}
        return cls(filters={name: tuple(texts[name]) for name in FILTERS if name in texts}, **known)


def is_text(text: str) -> bool:
    """Tell whether every database can look for a text: it is Unicode and holds no zero."""
    return text.encode("utf-8", "ignore").decode() == text and "\0" not in text


def _value(name: str, kind: Any, text: str) -> Any:
    """Read one value; None where it is none."""
    if name == "keys":
        return tuple(key for key in text.split(",") if key.isalnum())
    if name == "order":
        return int(text) if text.isascii() and text.isdigit() else None
    words = get_args(kind)
    return text if text in words or not words else None
