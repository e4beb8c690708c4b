"""A folder into which a telescope writes: which observations in it are complete, as they become so.

It is looked into again and again, since network file systems tell of nothing. A file is left alone until its size and
time, and those of what belongs to it, have not changed for a while, and then it is read. A file with several maps is an
observation. One with a single map waits for others, put together as everywhere (`oofpy.archive.grouping`): until there
are as many as make an observation, or none has come for long and there are two or more. Where more maps of an
observation come after that, it is given once more, when none has come for long.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from oofpy.archive.finding import TOML_SUFFIX, companions_of, find_requests
from oofpy.archive.grouping import LONGEST_GAP_S, MAPS_PER_OBSERVATION, group_fragments
from oofpy.archive.planning import Planner
from oofpy.archive.reading import read
from oofpy.archive.requests import Fragment, Request
from oofpy.archive.tasks import RunEndsError
from oofpy.errors import OofError, UsageError
from oofpy.recipe import Recipe

# A copy over a network may pause. Only after so many times the settling time is a file that cannot be read given up.
_PATIENCE = 5
# Looking may take this part of the time: a large folder on a slow disk is looked into less often.
_LOOKING_SHARE = 0.2

_Version = tuple[tuple[str, int, int], ...]
# An observation by the paths and the hashes of its files.
_KnownAs = tuple[tuple[Path, str], ...]


@dataclass(frozen=True)
class WatchRules:
    """When files count as complete.

    Parameters
    ----------
    settle_s : float, seconds
        How long a file must not have changed.
    wait_s : float, seconds
        How long to wait for further maps of an observation that has two or more, or that has been given with
        enough and has grown since.
    maps_per_observation : int
        As soon as an observation has so many single maps, it is given.
    longest_gap_s : float, seconds
        See `oofpy.archive.grouping.group_fragments`. Observations given longer ago are forgotten: a map that comes
        later, whatever its date, belongs to none of them.
    """

    settle_s: float = 2.0
    wait_s: float = 600.0
    maps_per_observation: int = MAPS_PER_OBSERVATION
    longest_gap_s: float = LONGEST_GAP_S


@dataclass
class _File:
    """What is known of a file: in which version, when it got it, and whether that has been dealt with."""

    version: _Version
    since: float
    done: bool = False


class Watch:
    """What has come into a folder.

    Parameters
    ----------
    folder : Path
        Watched with all below it.
    recipe : Recipe
        By which all is read and fitted.
    rules : WatchRules
    leave_out : Path, optional
        Folder of results.
    clock : callable
        Seconds that never run backwards.
    stopped : callable
        Asked between files whether to stop.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        rules: WatchRules,
        leave_out: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._folder, self._recipe, self._rules, self._leave_out = folder, recipe, rules, leave_out
        self._clock, self._stopped = clock, stopped
        self._planner = Planner()
        self._files: dict[Path, _File] = {}
        self._fragments: dict[Path, Fragment] = {}
        self._given: dict[_KnownAs, float] = {}
        self._looked = False
        self.changed_at = clock()

    def close(self) -> None:
        """End what works in the background."""
        self._planner.close()

    @property
    def waiting(self) -> list[Path]:
        """Files with one map that no observation given so far has."""
        given = {file for files in self._given for file, _ in files}
        return sorted(set(self._fragments) - given)

    @property
    def settled(self) -> bool:
        """Whether every file has been dealt with, apart from those that wait for others."""
        return all(file.done for file in self._files.values())

    def look(self, flush: bool = False) -> list[Request]:
        """Look into the folder once.

        Parameters
        ----------
        flush : bool
            Wait no longer for further maps where there are two or more.

        Returns
        -------
        list of Request
            Observations that have become complete, and files that cannot be read; none where it is stopped.
        """
        now = self._clock()
        present = self._present(now)
        if self._stopped():
            return []
        for gone in set(self._files) - present:
            del self._files[gone]
            self._fragments.pop(gone, None)
        found: list[Request] = []
        for path in sorted(present):
            found += self._landed(path, now)
            if self._stopped():
                return []
        found += self._put_together(now, flush)
        if found:
            self.changed_at = now
        self._looked = True
        return found

    def _present(self, now: float) -> set[Path]:
        """Find the files, and note which of them have changed."""
        present: set[Path] = set()
        with suppress(UsageError):  # the folder may be away for a while, as when its disk is mounted anew
            for request in find_requests([self._folder], self._recipe, self._leave_out):
                path = request.files[0]
                version = _version(path)
                if version:
                    present.add(path)
                    self._note(path, version, now)
                if self._stopped():
                    break
        return present

    def _note(self, path: Path, version: _Version, now: float) -> None:
        file = self._files.get(path)
        if file is None:
            # What was there before is as old as it says; what comes now may keep the time of what it is a copy of.
            age_s = 0.0 if self._looked else max(0.0, time.time() - max(mtime for _, _, mtime in version) / 1e9)
            self._files[path] = _File(version, now - age_s)
        elif file.version != version:
            self._files[path] = _File(version, now)
            self._fragments.pop(path, None)
        else:
            return
        self.changed_at = now

    def _landed(self, path: Path, now: float) -> list[Request]:
        """Read a file that has not changed for a while; give it where it is an observation, or cannot be read."""
        file = self._files[path]
        if file.done or now - file.since < self._rules.settle_s:
            return []
        request = Request((path,), self._recipe)
        try:
            found = read(self._planner.items([request], [0])[0])
        except OofError:
            if _version(path) != file.version or now - file.since < self._patience_s(path):
                return []
            found = None
        except Exception:
            found = None
        if _version(path) != file.version:
            return []
        file.done = True
        if isinstance(found, Fragment):
            self._fragments[path] = found
            return []
        return [request]

    def _patience_s(self, path: Path) -> float:
        if path.suffix.lower() == TOML_SUFFIX:  # the files that it lists may still come
            return max(self._rules.wait_s, self._rules.settle_s)
        return _PATIENCE * self._rules.settle_s

    def _put_together(self, now: float, flush: bool) -> list[Request]:
        rules = self._rules
        requests, _ = group_fragments(self._fragments.values(), rules.longest_gap_s, rules.maps_per_observation)
        # The reading gives absolute paths.
        since = {fragment.file: self._files[path].since for path, fragment in self._fragments.items()}
        hashes = {fragment.file: fragment.sha256 for fragment in self._fragments.values()}
        paths = {fragment.file: path for path, fragment in self._fragments.items()}
        known = [tuple((paths[file], hashes[file]) for file in request.files) for request in requests]
        ready = []
        for request, known_as in zip(requests, known, strict=True):
            newest = max(since[file] for file in request.files)
            at_once = flush or (len(known_as) >= rules.maps_per_observation and not self._has_grown(known_as))
            if known_as not in self._given and (at_once or now - newest >= rules.wait_s):
                self._given[known_as] = now
                ready.append(request)
        self._forget(known, now)
        return ready

    def _has_grown(self, known_as: _KnownAs) -> bool:
        """Whether a part of this observation that has enough maps has been given."""
        whole = set(known_as)
        return any(len(part) >= self._rules.maps_per_observation and whole > set(part) for part in self._given)

    def _forget(self, present: list[_KnownAs], now: float) -> None:
        """Let go of what was given long ago, so that a night or a year of watching takes the same memory."""
        oldest = now - max(self._rules.longest_gap_s, self._rules.wait_s)
        old = {known_as for known_as, given_at in self._given.items() if given_at < oldest}
        in_use = {path for known_as in present if known_as not in old for path, _ in known_as}
        for known_as in old:
            if in_use.isdisjoint(path for path, _ in known_as):
                del self._given[known_as]
                for path, sha256 in known_as:
                    if path in self._fragments and self._fragments[path].sha256 == sha256:
                        del self._fragments[path]


def watch(
    watched: Watch,
    fit: Callable[[list[Request]], None],
    pause: Callable[[float], bool],
    until_idle_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    interval_s: float = 1.0,
) -> None:
    """Fit what comes into a folder until told to stop.

    Parameters
    ----------
    watched : Watch
    fit : callable
        Fits observations. Where it raises `OofError`, as when another run holds the results or the server of the
        catalogue starts anew, it is called again with the same ones later. All ends where it raises `RunEndsError`,
        or raises before anything has been fitted.
    pause : callable
        Waits so many seconds, and says whether to stop.
    until_idle_s : float, optional, seconds
        End where nothing has come for so long, and fit what still waited for further maps.
    clock : callable
        As that of `watched`.
    interval_s : float, seconds
        Time between two looks, at least.

    Raises
    ------
    OofError
        As `fit`, the first time or at the end.
    """
    pending: list[Request] = []
    fitted_at = -math.inf
    began = False
    stopped = False
    while not stopped:
        before = clock()
        # What comes while others are fitted is seen only now: the time of a fit is none in which nothing came.
        quiet_s = before - max(watched.changed_at, fitted_at)
        idle = until_idle_s is not None and watched.settled and began and quiet_s >= until_idle_s
        pending += watched.look(flush=idle)
        looking_s = clock() - before
        if pending:
            try:
                fit(pending)
                pending, fitted_at = [], clock()
            except RunEndsError:
                raise
            except OofError:
                if idle or not began:
                    raise
        elif idle:
            break
        began = True
        stopped = pause(max(interval_s, looking_s / _LOOKING_SHARE))


def _version(path: Path) -> _Version:
    """Size and time of a file and of what belongs to it; empty where it is gone."""
    try:
        own = path.stat()
    except OSError:
        return ()
    version = [(path.name, own.st_size, own.st_mtime_ns)]
    for companion in companions_of(path):
        with suppress(OSError):
            status = companion.stat()
            version.append((str(companion), status.st_size, status.st_mtime_ns))
    return tuple(version)
