"""Manifests: tables that name the files of observations, with what is said about each beside the command line.

A manifest is CSV or ECSV, with names of columns in its first line. `files` names the files of one observation, several
separated by `;`, patterns included; `file` names files each of which stands for itself, as on the command line. Rows
with the same `observation` are one observation, in the order of the rows, and it is called so; `name` says what the
observation of a single row is called. All other columns are the options of `oofpy fit` (`telescope`, `dz`,
`parallactic_angle` ...) or keys of `--set`, but for `comment`. An empty cell says nothing, and what a row says stands
above the command line. Files in it are relative to its folder.
"""

from __future__ import annotations

import difflib
import glob
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from oofpy.archive.finding import find_requests
from oofpy.archive.manifest_table import TableFile, TableRow
from oofpy.archive.requests import Request
from oofpy.errors import InputError, OofError, UsageError
from oofpy.recipe import Recipe, RecipeTexts
from oofpy.recipe.texts import OPTIONS

if TYPE_CHECKING:
    from oofpy.fitting.settings import FitSettings

FILE, FILES, OBSERVATION, NAME, COMMENT = "file", "files", "observation", "name", "comment"
_NO_SETTINGS = frozenset({FILE, FILES, OBSERVATION, NAME, COMMENT})
MANIFEST_SUFFIXES = frozenset({".csv", ".ecsv"})
# Said of every map: the rows of one observation may say each its own.
_OF_EVERY_MAP = ("dz", "parallactic_angle")
_LISTS = (*_OF_EVERY_MAP, "maps")
_NAMING_FILES = ("mask", "telescope", "observing.applied")
_RECIPES_KEPT = 4096


def requests_of(
    places: Sequence[str | Path],
    texts: RecipeTexts,
    start: FitSettings | None = None,
    leave_out: Path | None = None,
    passed_over: Counter[str] | None = None,
) -> Iterator[Request]:
    """Find what is to be fitted in all that a user names.

    Parameters
    ----------
    places : sequence of path-like
        Directories, patterns, files and manifests.
    texts : RecipeTexts
        What the command line says.
    start : FitSettings, optional
        Settings that hold where nothing is said.
    leave_out, passed_over
        As for `oofpy.archive.finding.find_requests`.

    Returns
    -------
    iterator of Request
        First those of the manifests, then the others.

    Raises
    ------
    UsageError, InputError, ConfigurationError
        Before anything is found: if a place does not exist, or a manifest or a setting is wrong.
    """
    recipe = texts.recipe(start)
    manifests = [place for place in places if is_manifest(Path(place))]
    others = [place for place in places if place not in manifests]
    found = [read_manifest(Path(place), texts, start) for place in manifests]
    found.append(find_requests(others, recipe, leave_out, passed_over))
    return (request for requests in found for request in requests)


def is_manifest(path: Path) -> bool:
    """Whether a file is a table with a column of files; no beam maps come as ECSV."""
    if path.suffix.lower() not in MANIFEST_SUFFIXES or not path.is_file():
        return False
    if path.suffix.lower() == ".ecsv":
        return True
    try:
        return bool({FILE, FILES, OBSERVATION} & set(TableFile(path).columns))
    except InputError:
        return False


def read_manifest(path: Path, texts: RecipeTexts, start: FitSettings | None = None) -> Iterator[Request]:
    """Read a manifest.

    Parameters
    ----------
    path : Path
        CSV, or ECSV, of which the units of columns stand for those of numbers without one.
    texts : RecipeTexts
        What the command line says; every row is laid over it.
    start : FitSettings, optional
        Settings that hold where neither says anything.

    Returns
    -------
    iterator of Request
        An observation as soon as its last row is read. The table is walked through more than once and never kept.

    Raises
    ------
    InputError
        Before anything is found: if the table cannot be read, or a row is wrong; it names the line and the column.
    """
    manifest = _Manifest(path, texts, start)
    rows_of = manifest.rows_by_observation()
    for _ in manifest.requests(rows_of, checking=True):
        pass
    return manifest.requests(rows_of)


class _Manifest:
    def __init__(self, path: Path, texts: RecipeTexts, start: FitSettings | None) -> None:
        self._path, self._texts, self._start = path, texts, start
        self._table = TableFile(path)
        # Rows that say the same have one recipe: it is understood, checked and kept once.
        self._recipe = lru_cache(_RECIPES_KEPT)(self._new_recipe)

    def rows_by_observation(self) -> Counter[str]:
        """How many rows every observation with a name has."""
        self._refuse_wrong_columns()
        numbers, any_row, named = Counter[str](), False, list[TableRow]()
        for row in self._table.rows():
            any_row = True
            numbers.update([row.cells[OBSERVATION]] if OBSERVATION in row.cells else [])
            named += [row] if NAME in row.cells else []
        if not any_row:
            raise InputError("the table has no rows", file=self._path, remedy="write a row for each observation")
        self._refuse_names_given_twice(named, numbers)
        return numbers

    def _refuse_names_given_twice(self, named: Sequence[TableRow], numbers: Mapping[str, int]) -> None:
        lines: dict[str, int] = {}
        for row in named:
            name = row.cells[NAME]
            if OBSERVATION in row.cells:
                problem, remedy = f"the column {OBSERVATION} names it already", f"leave {NAME} empty in this row"
                self._refuse(row, NAME, UsageError(problem, remedy=remedy))
            if name in lines or name in numbers:
                where = f"line {lines[name]}" if name in lines else f"the column {OBSERVATION}"
                remedy = f"give each a name of its own, or, of rows of one observation, the same {OBSERVATION}"
                self._refuse(row, NAME, UsageError(f"{where} calls another observation so", remedy=remedy))
            lines[name] = row.line

    def requests(self, rows_of: Mapping[str, int], checking: bool = False) -> Iterator[Request]:
        """Give the observations; where they are not being checked, a file that has gone meanwhile stops nothing."""
        begun: dict[str, list[TableRow]] = {}
        for row in self._table.rows():
            name = row.cells.get(OBSERVATION)
            if name is None:
                yield from self._of_row(row, checking)
                continue
            begun.setdefault(name, []).append(row)
            if len(begun[name]) == rows_of[name]:
                rows = begun.pop(name)
                recipe = self._recipe_in(rows[-1], self._joint(rows))
                files = tuple(file for row in rows for file in self._files(row, recipe, checking))
                yield Request(files, recipe, complete=True, name=name)

    def _of_row(self, row: TableRow, checking: bool) -> Iterator[Request]:
        recipe = self._recipe_in(row, _said(row))
        files = self._files(row, recipe, checking)
        name = row.cells.get(NAME)
        if name is not None and FILES not in row.cells and len(files) > 1:
            remedy = f"name them in a column {FILES} if they are one observation, or leave the name out"
            self._refuse(row, NAME, UsageError(f"each of the {len(files)} files stands for itself", remedy=remedy))
        if name is not None or (FILES in row.cells and len(files) > 1):
            yield Request(files, recipe, complete=True, name=name)
        else:
            yield from (Request((file,), recipe) for file in files)

    def _files(self, row: TableRow, recipe: Recipe, checking: bool) -> tuple[Path, ...]:
        named = [column for column in (FILE, FILES) if column in row.cells]
        if len(named) != 1:
            problem = "both are given" if named else "no file is named"
            self._refuse(row, f"{FILE}, {FILES}", UsageError(problem, remedy="name the files in one of them"))
        found: list[Path] = []
        for name in filter(None, map(str.strip, row.cells[named[0]].split(";"))):
            place = self._path.parent / name
            # Of a pattern only the part in the table is one.
            text = str(place) if place.exists() else str(Path(glob.escape(str(self._path.parent)), name))
            try:
                found += [request.files[0] for request in find_requests([text], recipe)]
            except UsageError as error:
                if checking:
                    self._refuse(row, named[0], UsageError(error.problem, value=name, remedy=error.remedy))
                found.append(place)
        return tuple(dict.fromkeys(found))

    def _joint(self, rows: Sequence[TableRow]) -> dict[str, str]:
        """Put together what the rows of one observation say about it."""
        return {key: self._joint_text(key, rows) for key in dict.fromkeys(key for row in rows for key in _said(row))}

    def _joint_text(self, key: str, rows: Sequence[TableRow]) -> str:
        saying = [row for row in rows if key in row.cells]
        first = saying[0].cells[key]
        differing = [row for row in saying if row.cells[key] != first]
        one_each = key == "dz" and len(rows) > 1 and not {",", ";"} & set(first)
        if not differing and not one_each:
            return first
        if key not in _OF_EVERY_MAP:
            problem = f"line {saying[0].line} of the same observation says {first}"
            self._refuse(differing[0], key, UsageError(problem, remedy="say one thing of an observation"))
        for row in rows:
            if key not in row.cells:
                problem = f"it is empty, and line {saying[0].line} of the same observation says it"
                self._refuse(row, key, UsageError(problem, value="''", remedy="say it in every row of the observation"))
        return ",".join(row.cells[key] for row in rows)

    def _recipe_in(self, row: TableRow, said: Mapping[str, str]) -> Recipe:
        try:
            return self._recipe(tuple(said.items()))
        except OofError as error:
            key = (error.key or "").removeprefix("--").replace("-", "_")
            columns = [name for name in said if name in (key, f"telescope.{key}")]
            self._refuse(row, columns[0] if columns else error.key, error)

    def _new_recipe(self, said: tuple[tuple[str, str], ...]) -> Recipe:
        texts = dict(said)
        for key in set(_LISTS) & set(texts):
            texts[key] = texts[key].replace(";", ",")
        for key in set(_NAMING_FILES) & set(texts):
            beside = self._path.parent / texts[key]
            texts[key] = str(beside) if beside.is_file() else texts[key]
        recipe = self._texts.overlaid(texts).recipe(self._start)
        _refuse_absent_files(recipe, texts)
        return recipe

    def _refuse_wrong_columns(self) -> None:
        columns = self._table.columns
        if not {FILE, FILES} & set(columns):
            problem, remedy = "no column names the files", f"name one {FILES}, or {FILE}"
            raise InputError(problem, file=self._path, key="columns", value=", ".join(columns), remedy=remedy)
        for name in filter(None, columns):
            if not _known(name):
                near = difflib.get_close_matches(name, _plain_columns(), n=1)
                remedy = f"did you mean {near[0]}?" if near else "leave it out, or call it comment"
                raise InputError("is no option and no setting", file=self._path, key=f"column {name}", remedy=remedy)

    def _refuse(self, row: TableRow, column: str | None, error: OofError) -> NoReturn:
        where = f"line {row.line}" + (f", column {column}" if column else "")
        value = row.cells.get(column or "", error.value) if error.value is None else error.value
        problem = error.problem if error.file is None else f"{error.file}: {error.problem}"
        raise InputError(problem, file=self._path, key=where, value=value, remedy=error.remedy) from None


def _said(row: TableRow) -> dict[str, str]:
    return {key: text for key, text in row.cells.items() if key not in _NO_SETTINGS}


def _plain_columns() -> list[str]:
    """Columns that are words, without those of keys with dots."""
    from oofpy.fitting.overrides import setting_keys

    # One run computes on one device.
    settings = [key for key in setting_keys() if "." not in key and key != "device"]
    return [FILE, FILES, OBSERVATION, NAME, COMMENT, *OPTIONS, *settings]


def _known(column: str) -> bool:
    return column in _plain_columns() or column.startswith(("parameters.", "limits.", "telescope.", "observing."))


def _refuse_absent_files(recipe: Recipe, texts: Mapping[str, str]) -> None:
    """Refuse what a row names and is not there, before anything is fitted."""
    from oofpy.io.observing_keys import NONE, is_coefficient_list
    from oofpy.telescope.loading import load_telescope, with_overrides

    if recipe.telescope is not None:
        with_overrides(load_telescope(recipe.telescope), recipe.overrides)
    applied = texts.get("observing.applied", NONE)
    files = {} if applied.lower() == NONE or is_coefficient_list(applied) else {"observing.applied": applied}
    files |= {"mask": texts["mask"]} if "mask" in texts else {}
    for key, file in files.items():
        if not Path(file).is_file():
            raise UsageError("there is no such file", key=key, value=file, remedy="check the path")
