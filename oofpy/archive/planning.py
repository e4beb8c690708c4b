"""From requests to work: what each is known by, and which are fitted together."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from oofpy.archive.inputs import inputs_of
from oofpy.archive.requests import Request, inputs_hash, result_key
from oofpy.catalogue import KnownResult
from oofpy.observation import SourceFile
from oofpy.recipe import Recipe

# Files are hashed by threads: they wait for the disk, and the hash does not hold the interpreter.
_HASHING_THREADS = 4
_KEPT_DIGESTS = 64
_LONGEST_FOLDER_NAME = 100  # of which `oofpy.io.atomic` keeps all in the names that it uses meanwhile
KEY_LETTERS = 12


@dataclass(frozen=True)
class Item:
    """A request, and what it is known by.

    Parameters
    ----------
    visit : int, optional
        Counts how often the folder changes along the requests: files with one map each are put together when all
        files of a visit have been read. None for what was put together.
    request : Request
        With absolute paths.
    inputs : tuple of SourceFile
        Its files and all that their readers find by themselves, with the hashes of their content.
    key : str
        Of the result.
    settings_digest : str
        Hash of the recipe.
    settings : mapping
        The recipe in plain values.
    problem : str
        Why its files cannot be read at all; empty otherwise.
    by_name : bool
        Whether it is told from others by the names of its files, not by their content alone.
    """

    visit: int | None
    request: Request
    inputs: tuple[SourceFile, ...]
    key: str
    settings_digest: str
    settings: Mapping[str, Any]
    problem: str = ""
    by_name: bool = False

    @property
    def name(self) -> str:
        """Of the observation."""
        return self.request.name or self.request.files[0].stem

    @property
    def folder(self) -> str:
        """Name of the folder of its result."""
        stem = self.request.files[0].stem
        while len(os.fsencode(stem)) > _LONGEST_FOLDER_NAME - KEY_LETTERS - 1:
            stem = stem[:-1]
        return f"{stem}-{self.key[:KEY_LETTERS]}"

    def told_by_name(self) -> Item:
        """Tell a file of which no result can come from others with the same content: empty ones, or copies of a page.

        Its content cannot say which observation it is.
        """
        named = replace(self, by_name=True)
        key = result_key(inputs_hash([one.sha256 for one in named.identity]), self.settings_digest)
        return replace(named, key=key)

    @property
    def identity(self) -> tuple[SourceFile, ...]:
        """Its files with the hashes that say which observation it is."""
        if not self.by_name:
            return self.inputs
        return tuple(
            SourceFile(one.path, hashlib.sha256(os.fsencode(one.path) + b"\n" + one.sha256.encode()).hexdigest())
            for one in self.inputs
        )

    @property
    def known(self) -> KnownResult:
        """Its result, where the catalogue has it already."""
        return KnownResult(self.key, self.name, tuple(str(source.path) for source in self.inputs))


@dataclass(frozen=True)
class Task:
    """Observations that one worker fits in one go; it can be sent to another machine.

    Parameters
    ----------
    items : tuple of Item
    out : Path
        The folder of all results.
    side_by_side : int
        How many observations of one shape are fitted together at most.
    page, figures : bool
        Whether the report and the figures are drawn.
    version : str
        Of the oofpy that sends it.
    deaths : int
        How many workers have died of it.
    """

    items: tuple[Item, ...]
    out: Path
    side_by_side: int
    page: bool
    figures: bool
    version: str
    deaths: int = 0

    def singles(self) -> list[Task]:
        """The same work, an observation a task."""
        return [replace(self, items=(item,), deaths=0) for item in self.items]


class Planner:
    """Gives requests their keys, and cuts them into pieces in their order.

    The cut depends on the requests only, not on what is done already: an observation is fitted beside the same others
    in a run that was stopped and started as in one that was not.
    """

    def __init__(self) -> None:
        self._recipes: OrderedDict[int, tuple[Recipe, Recipe, str, Mapping[str, Any]]] = OrderedDict()
        self._threads = ThreadPoolExecutor(_HASHING_THREADS, "hashing")

    def close(self) -> None:
        """End its threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def pieces(self, requests: Iterable[Request], size: int) -> Iterator[tuple[Item, ...]]:
        """Cut a stream of requests into pieces of `size`."""
        stream, visit, folder = iter(requests), 0, None
        while batch := list(islice(stream, size)):
            visits: list[int | None] = []
            for request in batch:
                if request.files[0].parent != folder:
                    visit, folder = visit + 1, request.files[0].parent
                visits.append(visit)
            yield self.items(batch, visits)

    def items(self, requests: Sequence[Request], visits: Sequence[int | None] | None = None) -> tuple[Item, ...]:
        """Give requests their keys; without `visits`, as to what was put together from single maps."""
        known = [self._known(request.recipe) for request in requests]
        hashed = self._threads.map(inputs_of, requests)
        return tuple(map(_item, requests, visits or [None] * len(requests), known, hashed))

    def _known(self, recipe: Recipe) -> tuple[Recipe, str, Mapping[str, Any]]:
        """Give a recipe with absolute paths, its digest and its plain values; the last few are kept."""
        kept = self._recipes.get(id(recipe))
        if kept is None or kept[0] is not recipe:
            kept = (recipe, _with_absolute_paths(recipe), recipe.digest(), recipe.as_plain())
            self._recipes[id(recipe)] = kept
            while len(self._recipes) > _KEPT_DIGESTS:
                self._recipes.popitem(last=False)
        return kept[1:]


def _item(
    request: Request,
    visit: int | None,
    known: tuple[Recipe, str, Mapping[str, Any]],
    hashed: tuple[tuple[SourceFile, ...], str],
) -> Item:
    recipe, digest, settings = known
    inputs, problem = hashed
    files = tuple(_absolute(file) for file in request.files)
    key = result_key(inputs_hash([source.sha256 for source in inputs]), digest)
    return Item(visit, replace(request, files=files, recipe=recipe), inputs, key, digest, settings, problem)


def _absolute(path: Path) -> Path:
    return path.absolute()


def _with_absolute_paths(recipe: Recipe) -> Recipe:
    """Name files such that they are found from another working folder."""
    reading = recipe.reading
    if reading.mask is not None:
        reading = replace(reading, mask=_absolute(reading.mask))
    applied = (reading.observing or {}).get("applied", "")
    if applied and Path(applied).is_file():
        reading = replace(reading, observing={**(reading.observing or {}), "applied": str(_absolute(Path(applied)))})
    telescope = recipe.telescope
    if telescope and Path(telescope).suffix == ".toml":
        telescope = str(_absolute(Path(telescope)))
    return replace(recipe, reading=reading, telescope=telescope)
