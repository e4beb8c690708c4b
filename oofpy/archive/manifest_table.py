"""The rows of a CSV or ECSV table, one by one, with their lines in the file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from oofpy.errors import InputError

_ECSV = "# %ECSV"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class TableRow:
    """One row.

    Parameters
    ----------
    line : int
        Its last line in the file, from 1.
    cells : mapping of str to str
        By the name of the column; empty cells are not there. A number of ECSV carries the unit of its column.
    """

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class TableFile:
    """A table, read as it is walked through.

    Parameters
    ----------
    path : Path
        CSV with names in the first line, or ECSV. Lines that begin with # are comments.
    """

    path: Path

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns.

        Raises
        ------
        InputError
            If the file is no such table.
        """
        with self._open() as (_, columns, _):
            return columns

    def rows(self) -> Iterator[TableRow]:
        """Walk through the rows that are not empty.

        Raises
        ------
        InputError
            If the file is no such table; it names the line.
        """
        with self._open() as (lines, columns, units):
            for line, texts in lines:
                if any(texts[len(columns) :]):
                    raise self._error("there are more cells than columns", line, "put text with commas into quotes")
                if "" in columns and any(text for name, text in zip(columns, texts, strict=False) if not name):
                    raise self._error("a column without a name is not empty", line, "name it in the first line")
                cells = {name: text for name, text in zip(columns, texts, strict=False) if text}
                if cells:
                    yield TableRow(line, {name: _with_unit(text, units.get(name)) for name, text in cells.items()})

    @contextmanager
    def _open(self) -> Iterator[tuple[Iterator[tuple[int, list[str]]], tuple[str, ...], dict[str, str]]]:
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as stream:
                lines = _Lines(stream)
                delimiter, units = self._said_in_header(lines.comments())
                records = self._records(lines, delimiter)
                _, names = next(records, (0, []))
                yield records, self._named(names), units
        except OSError as error:
            raise InputError(
                f"the table cannot be read: {error.strerror}", file=self.path, remedy="check its name and permissions"
            ) from None
        except UnicodeDecodeError:
            raise InputError("is not text in UTF-8", file=self.path, remedy="save it as CSV in UTF-8") from None

    def _records(self, lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
        try:
            for texts in reader:
                if texts and not texts[0].lstrip().startswith("#"):
                    yield lines.number, [text.strip() for text in texts]
        except csv.Error as error:
            raise self._error(f"this is no row of a table: {error}", lines.number, "correct the line") from None

    def _said_in_header(self, comments: Sequence[str]) -> tuple[str, dict[str, str]]:
        """Give the delimiter, and the units of columns."""
        if not comments or not comments[0].startswith(_ECSV):
            return ",", {}
        from astropy.table.meta import YamlParseError, get_header_from_yaml

        try:
            header: dict[str, Any] = get_header_from_yaml([line.removeprefix("#")[1:] for line in comments[1:]])
            columns = header["datatype"]
            return header.get("delimiter", " "), {one["name"]: one["unit"] for one in columns if "unit" in one}
        except (YamlParseError, KeyError, TypeError) as error:
            problem = f"the header is not that of ECSV: {error}"
            raise InputError(problem, file=self.path, remedy="write it with astropy, or plain CSV") from None

    def _named(self, names: Sequence[str]) -> tuple[str, ...]:
        twice = next((name for name in names if name and list(names).count(name) > 1), None)
        if twice is not None:
            raise InputError("two columns have this name", file=self.path, key=twice, remedy="leave one of them out")
        if not any(names):
            remedy = "name the columns in the first line, e.g. files,telescope,dz"
            raise InputError("the table has no columns", file=self.path, remedy=remedy)
        return tuple(names)

    def _error(self, problem: str, line: int, remedy: str) -> InputError:
        return InputError(problem, file=self.path, key=f"line {line}", remedy=remedy)


@dataclass
class _Lines:
    """Lines of a file, counted."""

    stream: IO[str]
    number: int = 0
    _first: list[str] = field(default_factory=list)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._first.pop() if self._first else next(self.stream)
        self.number += 1
        return line

    def comments(self) -> list[str]:
        """Take the comments before the first line that is none."""
        found = []
        for line in self.stream:
            if line.strip() and not line.startswith("#"):
                self._first.append(line)
                break
            self.number += 1
            found.append(line.rstrip("\r\n"))
        return found


def _with_unit(text: str, unit: str | None) -> str:
    if unit is None:
        return text
    items = re.split(r"([,;])", text)
    return "".join(f"{item} {unit}" if _NUMBER.fullmatch(item.strip()) else item for item in items)
