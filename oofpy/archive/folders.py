"""Files with one map each wait until all files of their folder have been read, and are then put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from oofpy.archive.grouping import LeftOver, group_fragments
from oofpy.archive.planning import Item
from oofpy.archive.requests import Fragment, Request
from oofpy.errors import InputError


@dataclass
class _Folder:
    unread: int = 0
    fragments: dict[str, tuple[Item, Fragment]] = field(default_factory=dict)


class Folders:
    """The folders of which not every file has been read.

    Only what lies in the folder that is being searched, and in those of tasks under way, is kept.

    Parameters
    ----------
    group : callable
        As `oofpy.archive.grouping.group_fragments`.
    """

    def __init__(
        self, group: Callable[[Iterable[Fragment]], tuple[list[Request], list[LeftOver]]] = group_fragments
    ) -> None:
        self._group = group
        self._folders: dict[int, _Folder] = {}
        self._newest = 0
        self._all_found = False

    def found(self, item: Item) -> None:
        """Note that an item was found."""
        assert item.visit is not None
        self._newest = max(self._newest, item.visit)
        self._folders.setdefault(item.visit, _Folder()).unread += 1

    def all_found(self) -> None:
        """Note that there are no further items."""
        self._all_found = True

    def done(self, item: Item, fragment: Fragment | None = None) -> None:
        """Note that an item has been read, or need not be, and the single map that it holds."""
        if item.visit is None:
            return
        folder = self._folders[item.visit]
        folder.unread -= 1
        if fragment is not None:
            # What comes from another process has a copy of the recipe.
            fragment = replace(fragment, recipe=item.request.recipe)
            folder.fragments[str(fragment.file)] = (item, fragment)

    def complete(self) -> tuple[list[Request], list[tuple[Item, str]]]:
        """Put together the single maps of the folders that have been read, and forget these.

        Returns
        -------
        requests : list of Request
            Observations, of one or more files each.
        left_over : list of (Item, str)
            Single maps that belong to none, each with the reason. Their keys are not those of the files: with these a
            map would not be looked at again when one that belongs to it has come.
        """
        requests: list[Request] = []
        left_over: list[tuple[Item, str]] = []
        read = [
            visit
            for visit, folder in self._folders.items()
            if folder.unread == 0 and (self._all_found or visit < self._newest)
        ]
        for visit in read:
            known = self._folders.pop(visit).fragments
            if known:
                formed, lone = self._group(fragment for _, fragment in known.values())
                requests += formed
                left_over += [
                    (known[str(fragment.file)][0].told_by_name(), _reason(fragment, why)) for fragment, why in lone
                ]
        return requests, left_over


def _reason(fragment: Fragment, why: str) -> str:
    return str(InputError(why, file=fragment.file))
