"""Which files of an archive may hold beam maps: directories, patterns and single files become requests."""

from __future__ import annotations

import glob
import os
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from oofpy.archive.requests import Request
from oofpy.errors import UsageError
from oofpy.io.observing_keys import NONE, is_coefficient_list
from oofpy.io.result_record import FORMAT_KEY
from oofpy.recipe import Recipe

# Formats are told by content. Found in a folder, a file with one of these is taken for a beam map whatever it holds.
MAP_SUFFIXES = frozenset({".fits", ".fit", ".fts", ".grd"})
# Much else has these: such a file is taken where it begins as a beam map does.
TEXT_SUFFIXES = frozenset({".txt", ".dat", ".csv", ".tsv"})
TOML_SUFFIX = ".toml"
# Endings of the stem of what a reader finds by itself beside a map: PIIC's weights, the correction beside an OOF file.
_COMPANIONS = ("rgw", "-offset")
_PACKED = (".gz", ".bz2", ".xz", ".zip", ".zst")
_TEMPORARY = re.compile(r"^[.~#]|~$")
_RESULT_FILE = "result.fits"
_BEGINNING_BYTES = 65536
_FITS_BLOCK_BYTES = 2880

_Identity = tuple[int, int]


def find_requests(
    places: Sequence[str | Path],
    recipe: Recipe,
    leave_out: Path | None = None,
    passed_over: Counter[str] | None = None,
) -> Iterator[Request]:
    """Find the files that may hold beam maps.

    Parameters
    ----------
    places : sequence of path-like
        Directories, which are searched with all below them, patterns such as `2024/**/*.fits`, and files. A place that
        exists under its name is no pattern.
    recipe : Recipe
        By which all are to be read and fitted.
    leave_out : Path, optional
        Folder of results; nothing in it is found.
    passed_over : Counter of str, optional
        Is told the suffix of every file in a directory that is no beam map.

    Returns
    -------
    iterator of Request
        A file each, every file once, in an order that depends on the names only: the places as given, in each folder
        the files before the folders. Hidden and temporary files, results of oofpy, files beside a map that belong to
        it, files that an observation TOML lists, and files with a suffix that no reader uses are passed over; not so a
        file that is named.

    Raises
    ------
    UsageError
        Before anything is found: if a place does not exist, or no file has the form of a pattern.
    """
    named = [_existing(str(place)) for place in places]
    return _requests(named, _Search(recipe, leave_out, Counter() if passed_over is None else passed_over))


def matching_paths(pattern: str) -> Iterator[Path]:
    """Give what matches a pattern, `**` standing for any number of folders, in the order of the names."""
    return (Path(found) for found in sorted(_glob(pattern)))


def _glob(pattern: str) -> Iterator[str]:
    # As shells have it; Path.glob takes no absolute pattern.
    return glob.iglob(pattern, recursive=True)  # noqa: PTH207


def require_path(text: str) -> None:
    """Refuse a file, a folder or a pattern that is not there.

    Raises
    ------
    UsageError
        If nothing exists under this name, and no file has the form of it.
    """
    if os.path.lexists(text):
        return
    if not glob.has_magic(text):
        raise UsageError("there is no such file or folder", file=text, remedy="check the path")
    if next(_glob(text), None) is None:
        raise UsageError("no file has a name of this form", file=text, remedy="check the pattern; ** crosses folders")


def _existing(place: str) -> str:
    if not place:
        raise UsageError("a place to search has an empty name", value="''", remedy="give . for this folder")
    require_path(place)
    return place


def _requests(places: Sequence[str], search: _Search) -> Iterator[Request]:
    search.note_listed(places)
    for place in places:
        if os.path.lexists(place):
            found = search.named(Path(place))
        else:
            found = (request for path in matching_paths(place) for request in search.matched(path, place))
        yield from found


class _Search:
    """One search: what was found already, and what other files hold."""

    def __init__(self, recipe: Recipe, leave_out: Path | None, passed_over: Counter[str]) -> None:
        self._recipe = recipe
        self._results = None if leave_out is None else _identity(leave_out)
        self._passed_over = passed_over
        self._found: set[_Identity] = set()
        self._entered: set[_Identity] = set()
        self._listed: set[_Identity] = set()
        given = recipe.reading.mask, (recipe.reading.observing or {}).get("applied"), recipe.telescope
        self._listed |= _identities(Path(path) for path in given if path is not None)

    def note_listed(self, places: Sequence[str]) -> None:
        """Read which files the observation TOML in all directories list: they may lie in any of them."""
        walk = _Walk(self._results)
        for place in places:
            for path in [Path(place)] if os.path.lexists(place) else matching_paths(place):
                files: Iterable[Path] = walk.files(path) if path.is_dir() else [path]
                for file in files:
                    if file.suffix.lower() == TOML_SUFFIX:
                        self._listed |= _identities(_files_of_toml(file))

    def named(self, path: Path) -> Iterator[Request]:
        """Give a file as it is, a directory with all in it."""
        if path.is_dir():
            yield from self._below(path)
        else:
            yield from self._once(path)

    def matched(self, path: Path, pattern: str) -> Iterator[Request]:
        """Give what a pattern matches; a pattern that spells the suffix out names its files."""
        suffix = Path(pattern).suffix
        spelt = bool(suffix) and not glob.has_magic(suffix)
        if path.is_dir():
            yield from self._below(path)
        elif _TEMPORARY.search(path.name) or self._in_results(path) or self._belongs_to_another(path):
            return
        elif spelt or self._may_hold_maps(path):
            yield from self._once(path)

    def _below(self, folder: Path) -> Iterator[Request]:
        walk = _Walk(self._results, self._entered, lambda name: self._passed_over.update([f"{name}: may not be read"]))
        for path in walk.files(folder):
            if not self._belongs_to_another(path) and self._may_hold_maps(path):
                yield from self._once(path)

    def _once(self, path: Path) -> Iterator[Request]:
        identity = _identity(path)
        if identity is None or identity not in self._found:
            if identity is not None:
                self._found.add(identity)
            yield Request((path,), self._recipe)

    def _in_results(self, path: Path) -> bool:
        if _is_result(path.with_name(_RESULT_FILE)):
            return True
        return self._results is not None and self._results in map(_identity, path.absolute().parents)

    def _belongs_to_another(self, path: Path) -> bool:
        return _identity(path) in self._listed or is_companion(path)

    def _may_hold_maps(self, path: Path) -> bool:
        held = may_hold_maps(path)
        if not held:
            self._passed_over[_shown_suffix(path)] += 1
        return held


class _Walk:
    """The files below directories, in the order of their names; each directory once, so that no link makes a loop."""

    def __init__(
        self,
        results: _Identity | None,
        entered: set[_Identity] | None = None,
        refused: Callable[[str], None] | None = None,
    ) -> None:
        self._results = results
        self._entered = set() if entered is None else entered
        self._refused = refused

    def files(self, folder: Path) -> Iterator[Path]:
        identity = _identity(folder)
        if identity is None or identity == self._results or identity in self._entered:
            return
        self._entered.add(identity)
        try:
            with os.scandir(folder) as entries:
                names = sorted(
                    (entry.name, _is_folder(entry)) for entry in entries if not _TEMPORARY.search(entry.name)
                )
        except OSError:
            if self._refused is not None:
                self._refused(str(folder))
            return
        if any(name == _RESULT_FILE and _is_result(folder / name) for name, _ in names):
            return
        yield from (folder / name for name, is_folder in names if not is_folder)
        for name, is_folder in names:
            if is_folder:
                yield from self.files(folder / name)


def may_hold_maps(path: Path) -> bool:
    """Whether a file is taken for a beam map, damaged or not, by its suffix and, of text, by how it begins.

    Of TOML files those that name maps are taken, not those of telescopes and settings.
    """
    suffix = path.suffix.lower()
    if suffix in MAP_SUFFIXES:
        return True
    if suffix == TOML_SUFFIX:
        return re.search(rb"^\s*(\[\[\s*maps\s*\]\]|maps\s*=)", _beginning(path), re.MULTILINE) is not None
    return suffix in TEXT_SUFFIXES and _begins_as_map(path)


def is_companion(path: Path) -> bool:
    """Whether a file belongs to another beside it: the reader of that one finds it by itself."""
    for ending in _COMPANIONS:
        stem = path.stem.removesuffix(ending)
        if stem and stem != path.stem and path.with_name(stem + path.suffix).is_file():
            return True
    return False


def companions_of(path: Path) -> tuple[Path, ...]:
    """Files that a reader finds by itself when it is given this one: what an observation TOML names, and companions."""
    listed = _files_of_toml(path) if path.suffix.lower() == TOML_SUFFIX else []
    beside = [one.with_name(one.stem + ending + one.suffix) for one in (path, *listed) for ending in _COMPANIONS]
    return tuple(dict.fromkeys([*listed, *(one for one in beside if one.is_file())]))


def _begins_as_map(path: Path) -> bool:
    """Whether one of the readers takes the beginning of a text for one of its own."""
    from oofpy.io.formats import grasp, text_columns
    from oofpy.io.reader import FileContent

    beginning = _beginning(path)
    if len(beginning) == _BEGINNING_BYTES:
        beginning = beginning.rpartition(b"\n")[0]  # no half line, and no half of a letter
    content = FileContent(path, beginning)
    return any(reader.recognises(content) for reader in (text_columns.COLUMNS_READER, grasp.READER))


def _beginning(path: Path, length: int = _BEGINNING_BYTES) -> bytes:
    try:
        if not path.is_file():  # a pipe would be waited for
            return b""
        with path.open("rb") as file:
            return file.read(length)
    except OSError:
        return b""


def _is_result(path: Path) -> bool:
    """Whether a file is a result that oofpy wrote."""
    return path.name == _RESULT_FILE and FORMAT_KEY.encode() in _beginning(path, 5 * _FITS_BLOCK_BYTES)


def _files_of_toml(path: Path) -> list[Path]:
    """Give the maps that an observation TOML lists and its correction; none where it is none, or cannot be read."""
    try:
        table = tomllib.loads(path.read_bytes().decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
        return []
    entries, observing = table.get("maps"), table.get("observing")
    names = [entry.get("file") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    applied = observing.get("applied") if isinstance(observing, dict) else None
    if isinstance(applied, str) and applied.strip().lower() != NONE and not is_coefficient_list(applied):
        names.append(applied)
    listed = [path.parent / name for name in names if isinstance(name, str) and "\0" not in name]
    return [file for file in listed if file.is_file() and not file.samefile(path)]


def _identities(paths: Iterable[Path]) -> set[_Identity]:
    return {identity for path in paths if (identity := _identity(path)) is not None}


def _identity(path: str | Path) -> _Identity | None:
    """What tells a file or folder from others by whatever name; None where it is not there."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _shown_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in _PACKED:
        return "".join(path.suffixes[-2:]).lower()
    return suffix or "no suffix"
