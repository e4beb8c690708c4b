"""Which files of an archive hold one map, and which: kept between runs, so that these need not be read again."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from oofpy._version import __version__
from oofpy.archive.planning import Item
from oofpy.archive.requests import Fragment
from oofpy.errors import UsageError

FILE_NAME = ".single-maps.jsonl"
_SAID = ("sha256", "defocus_m", "wavelength_m", "telescope", "object_name", "date")


class SingleMaps:
    """Single maps by the content of their files and the recipe that they were read by, a line each in a file.

    The file may be deleted at any time. Lines of another version of oofpy, and what a killed run left of one, do not
    count: such files are read again.

    Parameters
    ----------
    out : Path
        The folder of the results.
    """

    def __init__(self, out: Path) -> None:
        self._path = out / FILE_NAME
        self._known: dict[bytes, tuple[Any, ...]] = {}
        with suppress(OSError), self._path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                with suppress(ValueError, TypeError):
                    version, key, *said = json.loads(line)
                    if version == __version__ and len(said) == len(_SAID):
                        self._known[bytes.fromhex(key)] = tuple(said)

    def find(self, item: Item) -> Fragment | None:
        """Give the map that a file holds; None where that is not known."""
        said = self._known.get(bytes.fromhex(item.key))
        if said is None:
            return None
        return Fragment(file=item.request.files[0], recipe=item.request.recipe, **dict(zip(_SAID, said, strict=True)))

    def note(self, item: Item, fragment: Fragment) -> None:
        """Keep the map that a file was found to hold.

        Raises
        ------
        UsageError
            If it cannot be written, as where the disk is full.
        """
        said = tuple(getattr(fragment, name) for name in _SAID)
        key = bytes.fromhex(item.key)
        if self._known.get(key) == said:
            return
        self._known[key] = said
        try:
            with self._path.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps([__version__, item.key, *said]) + "\n")
        except OSError as error:
            raise UsageError(
                f"this cannot be written: {error.strerror or error}", file=self._path, remedy="make room, or check it"
            ) from error
