"""Which results are meant, from what a user writes: on the command line, or in the address of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from oofpy.catalogue.records import DECISIONS, STATUSES, VERDICTS, Filter, parsed_date
from oofpy.errors import UsageError
from oofpy.flag_kinds import FLAG_KINDS
from oofpy.quantities import Dimension, parse_quantity

_DATE_LETTERS = len("2024-05-31")


def filter_of_texts(texts: Mapping[str, Sequence[str]], written: Callable[[str], str] = str) -> Filter:
    """Put together what a user wrote.

    Parameters
    ----------
    texts : mapping of str to sequence of str
        By name: `telescope`, `object`, `name`, `from`, `to`, `elevation-above`, `elevation-below`, `rms-above`,
        `rms-below`, of which the last text counts, and `flag`, `status`, `verdict`, `decision`, of whose texts any one
        may hold. What is empty or not there is not asked for.
    written : callable
        How a name is written where the user wrote it, for errors.

    Returns
    -------
    Filter

    Raises
    ------
    ConfigurationError
        If a quantity is none.
    UsageError
        If a date or a word is none of those known.
    """

    def text(name: str) -> str | None:
        return next((one for one in reversed(texts.get(name, ())) if one.strip()), None)

    def date(name: str, *, whole_day: bool = False) -> datetime | None:
        return _date(text(name), written(name), whole_day=whole_day)

    def quantity(name: str, dimension: Dimension) -> float | None:
        found = text(name)
        return None if found is None else parse_quantity(found, dimension, key=written(name))

    def micrometres(name: str) -> float | None:
        metres = quantity(name, "length")
        return None if metres is None else 1e6 * metres

    def words(name: str, known: Iterable[str], remedy: str | None = None) -> tuple[str, ...]:
        return _words(texts.get(name, ()), tuple(known), written(name), remedy)

    return Filter(
        telescope=text("telescope"),
        object_name=text("object"),
        name=text("name"),
        date_from=date("from"),
        date_before=date("to", whole_day=True),
        elevation_from_rad=quantity("elevation-above", "angle"),
        elevation_to_rad=quantity("elevation-below", "angle"),
        rms_from_um=micrometres("rms-above"),
        rms_to_um=micrometres("rms-below"),
        flags=words("flag", FLAG_KINDS, "'oofpy flags' lists them"),
        statuses=words("status", STATUSES),
        verdicts=words("verdict", VERDICTS),
        decisions=words("decision", (*DECISIONS[:-1], "none")),
    )


def _date(text: str | None, key: str, *, whole_day: bool) -> datetime | None:
    if text is None:
        return None
    date = parsed_date(text)
    if date is None:
        raise UsageError("is no date", key=key, value=text, remedy="write e.g. 2024-05-31 or 2024-05-31T18:30")
    try:
        return date + timedelta(days=1) if whole_day and len(text.strip()) <= _DATE_LETTERS else date
    except OverflowError as error:
        raise UsageError("no day comes after it", key=key, value=text, remedy="give an earlier one") from error


def _words(given: Iterable[str], known: tuple[str, ...], key: str, remedy: str | None) -> tuple[str, ...]:
    words = tuple(word for word in given if word.strip())
    for word in words:
        if word not in known:
            raise UsageError("is not known", key=key, value=word, remedy=remedy or f"choose of {', '.join(known)}")
    return words
