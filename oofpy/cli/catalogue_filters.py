"""The options that say which results of a catalogue are meant, for every command that reads one."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_type_hints

import typer

from oofpy.errors import UsageError, one_line

if TYPE_CHECKING:
    from oofpy.catalogue import Catalogue
    from oofpy.catalogue.records import Filter

    Wanted: TypeAlias = Filter
else:
    Wanted = Any  # commands are read by typer, long before a catalogue is

_CATALOGUE_OPTION = re.compile(r"--catalogue[ =]'?(postgres[^\s']+)")

Place = Annotated[
    str,
    typer.Argument(
        metavar="RESULTS",
        show_default=False,
        help="Folder that 'oofpy batch' wrote to, or postgresql://USER@HOST/DATABASE.",
    ),
]
TelescopeName = Annotated[str | None, typer.Option(metavar="NAME", show_default=False, help="Of this telescope.")]
ObjectName = Annotated[
    str | None,
    typer.Option("--object", metavar="PATTERN", show_default=False, help="Of this source; * and ? stand for letters."),
]
Name = Annotated[
    str | None,
    typer.Option(metavar="PATTERN", show_default=False, help="Observations of this name; * and ? stand for letters."),
]
DateFrom = Annotated[
    str | None, typer.Option("--from", metavar="DATE", show_default=False, help="On or after, e.g. 2024-05-31.")
]
DateTo = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="DATE", show_default=False, help="Up to the end of this day, or before this time in UTC."
    ),
]
ElevationAbove = Annotated[str | None, typer.Option(metavar="ANGLE", show_default=False, help="At least, e.g. 30deg.")]
ElevationBelow = Annotated[str | None, typer.Option(metavar="ANGLE", show_default=False, help="At most.")]
RmsAbove = Annotated[str | None, typer.Option(metavar="LENGTH", show_default=False, help="At least, e.g. 100um.")]
RmsBelow = Annotated[str | None, typer.Option(metavar="LENGTH", show_default=False, help="At most.")]
Flags = Annotated[
    list[str] | None,
    typer.Option(
        "--flag", metavar="CODE", show_default=False, help="With this flag, see 'oofpy flags'; of several any one."
    ),
]
Statuses = Annotated[
    list[str] | None,
    typer.Option("--status", metavar="ok|flagged|failed", show_default=False, help="Of several any one."),
]
Verdicts = Annotated[
    list[str] | None,
    typer.Option("--verdict", metavar="accept|check|reject", show_default=False, help="Of several any one."),
]
Decisions = Annotated[
    list[str] | None,
    typer.Option(
        "--decision",
        metavar="accept|reject|look|none",
        show_default=False,
        help="The decision of reviewers that stands; of several any one.",
    ),
]
Accepted = Annotated[
    bool,
    typer.Option(
        "--accepted", help="Accepted by reviewers, or by the verdict where reviewers did not decide, and nothing else."
    ),
]
Run = Annotated[int | None, typer.Option(metavar="NUMBER", show_default=False, help="Recorded in this run.")]
AllResults = Annotated[
    bool, typer.Option("--all-results", help="Every result of an observation, not only the newest that did not fail.")
]


@contextmanager
def opened(place: str) -> Iterator[Catalogue]:
    """Open the catalogue that a user names; where the results have theirs on a server, the error says which.

    Raises
    ------
    UsageError, InputError
        As `Catalogue.open`.
    """
    from oofpy.catalogue import Catalogue
    from oofpy.catalogue.engine import FILE_NAME

    folder = Path(place)
    if "://" not in place and folder.is_dir() and not (folder / FILE_NAME).is_file():
        url = _url_of(folder)
        if url:
            raise UsageError(
                f"the catalogue of these results is on a server, {url}",
                key="RESULTS",
                value=place,
                remedy="give this URL, with its password where it needs one, in place of the folder",
            )
    with Catalogue.open(place) as catalogue:
        yield catalogue


def _url_of(folder: Path) -> str | None:
    """URL of the catalogue, without a password, of the last run that the log of a folder names."""
    from oofpy.archive.run import without_passwords

    try:
        lines = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        found = _CATALOGUE_OPTION.search(line)
        if found and " begins: " in line:
            return one_line(without_passwords(found[1]))
    return None


def filter_of(
    telescope: TelescopeName = None,
    object_name: ObjectName = None,
    name: Name = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    elevation_above: ElevationAbove = None,
    elevation_below: ElevationBelow = None,
    rms_above: RmsAbove = None,
    rms_below: RmsBelow = None,
    flags: Flags = None,
    statuses: Statuses = None,
    verdicts: Verdicts = None,
    decisions: Decisions = None,
    accepted: Accepted = False,
    run: Run = None,
    all_results: AllResults = False,
) -> Wanted:
    """Put together what the options say.

    Raises
    ------
    ConfigurationError
        If a quantity is none.
    UsageError
        If a date or a word is none of those known.
    """
    from oofpy.catalogue.filter_texts import filter_of_texts

    single = {
        "telescope": telescope,
        "object": object_name,
        "name": name,
        "from": date_from,
        "to": date_to,
        "elevation-above": elevation_above,
        "elevation-below": elevation_below,
        "rms-above": rms_above,
        "rms-below": rms_below,
    }
    several = {"flag": flags, "status": statuses, "verdict": verdicts, "decision": decisions}
    texts = {key: (text,) for key, text in single.items() if text is not None}
    wanted = filter_of_texts(texts | {key: tuple(words or ()) for key, words in several.items()}, "--{}".format)
    return replace(wanted, accepted_only=accepted, run=run, all_results=all_results)


def filtered(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of `filter_of`; what they say, it takes as its argument `wanted`."""
    hints = get_type_hints(filter_of, include_extras=True)
    own = inspect.signature(command, eval_str=True).parameters
    others = [entry.replace(annotation=hints[entry.name]) for entry in inspect.signature(filter_of).parameters.values()]
    names = {entry.name for entry in others}
    arguments = [entry for entry in own.values() if entry.default is entry.empty and entry.name != "wanted"]
    options = [entry for entry in own.values() if entry.default is not entry.empty]
    parameters = [entry.replace(kind=entry.KEYWORD_ONLY) for entry in (*arguments, *others, *options)]

    @functools.wraps(command)
    def run(**given: Any) -> int:
        said = {name: given.pop(name) for name in names & given.keys()}
        return command(wanted=filter_of(**said), **given)

    made: Any = run
    made.__signature__ = inspect.Signature(parameters)
    made.__annotations__ = {entry.name: entry.annotation for entry in parameters}
    return run
