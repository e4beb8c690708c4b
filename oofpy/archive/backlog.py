"""What is still to be done: the requests of an archive, less what has a result, cut into tasks."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from oofpy._version import __version__
from oofpy.archive.folders import Folders
from oofpy.archive.planning import KEY_LETTERS, Item, Planner, Task
from oofpy.archive.requests import Fragment, Request
from oofpy.archive.single_maps import SingleMaps
from oofpy.archive.tasks import failed
from oofpy.catalogue import KnownResult, Outcome
from oofpy.catalogue.records import Status

COPY = "copy"


@dataclass(frozen=True)
class RunSettings:
    """How a run goes about its work; none of it changes a result.

    Parameters
    ----------
    task_size : int
        Observations of a task, which one worker fits in one go and which are recorded together.
    side_by_side : int
        How many observations of one shape are fitted together at most.
    retry_failed : bool
        Fit again what failed in an earlier run.
    force : bool
        Fit everything again.
    page, figures : bool
        Draw the report and the figures of every result.
    """

    task_size: int = 8
    side_by_side: int = 8
    retry_failed: bool = False
    force: bool = False
    page: bool = False
    figures: bool = False


class Backlog:
    """The requests that wait, in their order.

    Files with the content of another wait until that one has a result, or is known to be a single map of several.

    Parameters
    ----------
    requests : iterable of Request
        It is read as far as tasks are asked for.
    out : Path
        The folder of the results.
    settings : RunSettings
    statuses : callable
        Takes keys and gives the status of those that have a result.
    """

    def __init__(
        self,
        requests: Iterable[Request],
        out: Path,
        settings: RunSettings,
        statuses: Callable[[Iterable[str]], dict[str, Status]],
    ) -> None:
        self._out, self._settings, self._statuses = out, settings, statuses
        self._planner = Planner()
        self._found = self._planner.pieces(requests, settings.task_size)
        self._all_found = False
        self._folders = Folders()
        self._single_maps = SingleMaps(out)
        self._formed: deque[Item] = deque()
        self._seen: set[bytes] = set()
        self._pending: set[str] = set()
        self._copies: list[Item] = []
        # One look at the folder, not one for every observation; a result whose folder is gone is made again.
        self._present = {path.name[-KEY_LETTERS:] for path in out.iterdir()} if out.is_dir() else set()
        self.formed = 0
        self.missing = 0
        self.single_maps = 0
        self.skipped: Counter[str] = Counter()
        self.hopeless: list[Outcome] = []
        self.taken_over: list[KnownResult] = []

    def close(self) -> None:
        """End its threads."""
        self._planner.close()

    @property
    def to_look_at(self) -> bool:
        """Whether `look` would find something."""
        return not self._all_found or bool(self._formed) or any(item.key not in self._pending for item in self._copies)

    def look(self) -> Task | None:
        """Look at the next few requests.

        Returns
        -------
        Task or None
            Of those that are to be fitted; None if there is none among them. `skipped` counts the others, `hopeless`
            are single maps that belong to no observation, which are only to be recorded, `taken_over` what has a
            result, which the run makes its own.
        """
        if self._formed:
            size = min(self._settings.task_size, len(self._formed))
            to_do = self._without_done([self._formed.popleft() for _ in range(size)])
        elif not self._all_found:
            to_do = self._without_done(self._next_found())
        else:
            to_do = self._copies_to_do()
        self._form_observations()
        if not to_do:
            return None
        settings = self._settings
        return Task(tuple(to_do), self._out, settings.side_by_side, settings.page, settings.figures, __version__)

    def settle(self, item: Item, fragment: Fragment | None = None) -> None:
        """Note that a request has been dealt with, and the single map that it turned out to be."""
        self._pending.discard(item.key)
        if fragment is not None:
            self.single_maps += 1
            self._single_maps.note(item, fragment)
        self._folders.done(item, fragment)
        self._form_observations()

    def _next_found(self) -> Sequence[Item]:
        piece = next(self._found, None)
        if piece is None:
            self._all_found = True
            self._folders.all_found()
            return ()
        for item in piece:
            self._folders.found(item)
        return piece

    def _without_done(self, items: Sequence[Item]) -> list[Item]:
        """Lay copies aside, and leave out what has a result."""
        first = []
        for item in items:
            letters = bytes.fromhex(item.key[:32])
            if letters in self._seen:
                self._copies.append(item)
            else:
                self._seen.add(letters)
                first.append(item)
        return self._not_done(first if self._settings.force else self._to_be_read(first))

    def _to_be_read(self, items: Sequence[Item]) -> list[Item]:
        """Leave out single maps that an earlier run has read."""
        remaining = []
        for item in items:
            fragment = None if item.visit is None else self._single_maps.find(item)
            if fragment is None:
                remaining.append(item)
            else:
                self.single_maps += 1
                self._folders.done(item, fragment)
        return remaining

    def _copies_to_do(self) -> list[Item]:
        """Give copies of what turned out to be a single map or no observation.

        A single map belongs to the observation in its own folder, and of what cannot be used every file is told.
        """
        free = list(islice((item for item in self._copies if item.key not in self._pending), self._settings.task_size))
        known = self._statuses(item.key for item in free)
        useless = [item.told_by_name() for item in free if known.get(item.key) == "failed"]
        to_do = self._not_done(useless)
        dealt_with = {id(item) for item in free if item.key in known}
        copies = len(dealt_with) - len(useless)
        self.skipped += Counter({COPY: copies})
        for item in free:
            if known.get(item.key, "failed") != "failed":
                self._folders.done(item)
            elif item.key not in known and item.key not in self._pending:  # a second copy waits for the first
                dealt_with.add(id(item))
                self._pending.add(item.key)
                to_do.append(item)
        self._copies = [item for item in self._copies if id(item) not in dealt_with]
        return to_do

    def _not_done(self, items: Sequence[Item]) -> list[Item]:
        """Leave out what has a result."""
        known = {} if self._settings.force else self._statuses(item.key for item in items)
        to_do = []
        for item in items:
            status = known.get(item.key)
            gone = status in ("ok", "flagged") and item.key[:KEY_LETTERS] not in self._present
            self.missing += gone
            if status is None or gone or (status == "failed" and self._settings.retry_failed):
                self._pending.add(item.key)
                to_do.append(item)
            else:
                self.skipped[status] += 1
                self.taken_over.append(item.known)
                self._folders.done(item)
        return to_do

    def _form_observations(self) -> None:
        requests, left_over = self._folders.complete()
        self.formed += len(requests) + len(left_over)
        self._formed.extend(self._planner.items(requests))
        if left_over:
            known = {} if self._settings.force else self._statuses(item.key for item, _ in left_over)
            for item, reason in left_over:
                if item.key not in known or self._settings.retry_failed:
                    self.hopeless.append(failed(item, reason, "InputError"))
                else:
                    self.skipped["failed"] += 1
                    self.taken_over.append(item.known)
