"""A run over an archive: what is done is left alone, what fails is noted, and all of it is recorded as it comes."""

from __future__ import annotations

import re
import shlex
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread
from typing import Protocol

from oofpy._version import __version__
from oofpy.archive.backlog import Backlog, RunSettings
from oofpy.archive.executors import End, Executor
from oofpy.archive.place import RunLog, held
from oofpy.archive.planning import Task
from oofpy.archive.requests import Fragment, Request
from oofpy.archive.tasks import INTERNAL, failed
from oofpy.catalogue import Catalogue, Outcome
from oofpy.errors import OofError

MOST_FAILURES_KEPT = 20
_TASKS_AT_HAND = 2
# Results of earlier runs that are noted in one go.
_TAKEN_OVER_TOGETHER = 512
_WAIT_S = 0.2
# Workers that a task may take with it before its observations are tried one by one.
_MOST_DEATHS = 2


@dataclass
class Tally:
    """How far a run is.

    Parameters
    ----------
    run : int
        Number in the catalogue.
    state : str
        `running`, `completed` or `interrupted`.
    found : int, optional
        Requests in the archive, and observations put together from single maps; None until all are counted.
    ok, flagged, failed : int
        Results of this run.
    skipped : Counter of str
        Observations that have a result already, by its status; `copy`: files with the content of another.
    missing : int
        Observations fitted again since the folders of their results were gone.
    raised : Counter of str
        How often each flag that is more than a note was raised.
    single_maps : int
        Files that hold one map of an observation.
    failures : list of (str, str)
        Name and reason of the first that failed.
    seconds : float
    """

    run: int = 0
    state: str = "running"
    found: int | None = None
    ok: int = 0
    flagged: int = 0
    failed: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    raised: Counter[str] = field(default_factory=Counter)
    single_maps: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def fitted(self) -> int:
        """Observations that this run has a result of, or knows to have none."""
        return self.ok + self.flagged + self.failed

    @property
    def done(self) -> int:
        """All that need no further work."""
        return self.fitted + self.skipped.total() + self.single_maps

    def count(self, outcome: Outcome) -> None:
        """Count a result."""
        status = outcome.result.status
        setattr(self, status, getattr(self, status) + 1)
        self.raised.update(flag.code for flag in outcome.result.flags if flag.level != "note")
        if status == "failed" and len(self.failures) < MOST_FAILURES_KEPT:
            self.failures.append((outcome.observation.name, outcome.result.reason))


class Listener(Protocol):
    """Is told how a run goes."""

    def say(self, line: str) -> None:
        """Take a line."""

    def progress(self, tally: Tally) -> None:
        """Take a look at how far it is; called several times a second."""


def without_passwords(text: str) -> str:
    """Hide the passwords of URLs in a text that is kept."""
    return re.sub(r"(\w://[^\s:/@]+):[^\s@]+@", r"\1:***@", text)


def run_archive(
    find: Callable[[], Iterator[Request]],
    out: Path,
    executor: Executor,
    *,
    listener: Listener,
    settings: RunSettings | None = None,
    catalogue: str | None = None,
    stopped: Callable[[], bool] = lambda: False,
    command: str | None = None,
) -> Tally:
    """Fit the observations of an archive and record what came of them.

    Parameters
    ----------
    find : callable
        Gives the requests, the same each time that it is called.
    out : Path
        The folder of the results. Only one run may be at work in it.
    executor : Executor
        Where tasks run; it is closed at the end.
    listener : Listener
    settings : RunSettings, optional
    catalogue : str, optional
        URL of the catalogue; in the folder of the results where None.
    stopped : callable
        Asked several times a second whether to stop; what is done by then is recorded.
    command : str, optional
        What to record as the command; that of this process where None.

    Returns
    -------
    Tally

    Raises
    ------
    UsageError
        If another run is at work in the folder, or no result can be written there.
    InputError
        If the catalogue cannot be used.
    """
    began = time.monotonic()
    out, command = out.absolute(), without_passwords(command or shlex.join(["oofpy", *sys.argv[1:]]))
    try:
        with held(out) as log, Catalogue.open(catalogue or out, create=True) as records:
            number = records.begin_run(command, __version__, socket.gethostname())
            log.write(f"run {number} begins: {command}")
            run = _Run(Tally(number), executor, records, log, listener, stopped)
            backlog = Backlog(find(), out, settings or RunSettings(), records.statuses)
            try:
                run.work(backlog, find)
            except BaseException as error:
                log.write(f"run {number} ends: {type(error).__name__}: {error}")
                with suppress(OofError):  # of a catalogue that was the cause, nothing more is to be heard
                    records.end_run(number, "interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
                raise
            finally:
                executor.close()  # before another run may begin here
                backlog.close()
            tally = run.tally
            records.end_run(number, tally.state)
            counts = f"{tally.ok} ok, {tally.flagged} flagged, {tally.failed} failed"
            log.write(f"run {number} ends, {tally.state}: {counts}, {tally.skipped.total()} skipped")
    finally:
        executor.close()
    tally.seconds = time.monotonic() - began
    return tally


class _Run:
    """The one place that sends tasks and writes the catalogue."""

    def __init__(
        self,
        tally: Tally,
        executor: Executor,
        records: Catalogue,
        log: RunLog,
        listener: Listener,
        stopped: Callable[[], bool],
    ) -> None:
        self.tally = tally
        self._executor, self._records, self._log = executor, records, log
        self._listener, self._stopped = listener, stopped
        self._at_hand: deque[Task] = deque()
        self._under_way = 0
        self._counted: int | None = None

    def work(self, backlog: Backlog, find: Callable[[], Iterator[Request]]) -> None:
        """Do everything, or as much as is done when it is stopped."""
        Thread(target=self._count, args=(find,), daemon=True).start()
        self._listener.say(f"run {self.tally.run}: on {self._executor.description}")
        while not self._stopped():
            looking = len(self._at_hand) < _TASKS_AT_HAND and backlog.to_look_at
            if looking:
                self._look(backlog)
            self._send()
            if not (self._under_way or self._at_hand or backlog.to_look_at):
                self.tally.state = "completed"
                break
            self._hear(backlog, 0.0 if looking else _WAIT_S)
            self._tell(backlog)
        else:
            self.tally.state = "interrupted"
            self._hear(backlog, 0.0)
        self._take_over(backlog)
        self._tell(backlog)

    def _count(self, find: Callable[[], Iterator[Request]]) -> None:
        """Count what there is to do, so that the time left can be told."""
        try:
            self._counted = sum(1 for _ in find())
        except Exception:
            return  # the other reader of the same meets it, too

    def _tell(self, backlog: Backlog) -> None:
        self.tally.skipped, self.tally.missing = backlog.skipped, backlog.missing
        self.tally.single_maps = backlog.single_maps
        if self._counted is not None:
            self.tally.found = self._counted + backlog.formed
        self._listener.progress(self.tally)

    def _look(self, backlog: Backlog) -> None:
        task = backlog.look()
        if task is not None:
            self._at_hand.append(task)
        self._record_others(backlog)

    def _record_others(self, backlog: Backlog) -> None:
        """Record what needs no fit."""
        if backlog.hopeless or len(backlog.taken_over) >= _TAKEN_OVER_TOGETHER or not backlog.to_look_at:
            self._take_over(backlog)
        self._record([(outcome, "") for outcome in backlog.hopeless])
        backlog.hopeless.clear()

    def _take_over(self, backlog: Backlog) -> None:
        """Make results of earlier runs those of this one."""
        if backlog.taken_over:
            self._records.take_over(self.tally.run, backlog.taken_over)
            backlog.taken_over.clear()

    def _send(self) -> None:
        """Keep the workers busy, and no more: tasks and their results take memory."""
        while self._at_hand and self._under_way < self._executor.capacity:
            self._executor.submit(self._at_hand.popleft())
            self._under_way += 1

    def _hear(self, backlog: Backlog, timeout_s: float) -> None:
        ends = self._executor.ended(timeout_s)
        self._under_way -= len(ends)
        if not self._stopped():
            self._send()  # before the catalogue is written: the workers need not wait for it
        for end in ends:
            if end.reports is None:
                self._try_again(end, backlog)
            else:
                self._settle(end, backlog)
        self._record_others(backlog)

    def _settle(self, end: End, backlog: Backlog) -> None:
        """Record the results of a task, all or none."""
        self._take_over(backlog)  # what was asked for before; of one observation the last counts
        pairs = list(zip(end.task.items, end.reports or (), strict=False))
        self._record([(one.finding, one.trace) for _, one in pairs if isinstance(one.finding, Outcome)])
        for item, report in pairs:
            fragment = report.finding if isinstance(report.finding, Fragment) else None
            backlog.settle(item, fragment)

    def _try_again(self, end: End, backlog: Backlog) -> None:
        """Find the one observation that a worker dies of; the others do not suffer."""
        task = replace(end.task, deaths=end.task.deaths + 1)
        files = ", ".join(str(file) for file in task.items[0].request.files)
        self._log.write(f"{end.died or 'a task failed'}, with {len(task.items)} observations from {files}")
        self._log.write_trace(end.trace)
        if end.died and task.deaths < _MOST_DEATHS:
            self._at_hand.appendleft(task)
        elif len(task.items) > 1:
            self._at_hand.extendleft(reversed(task.singles()))
        else:
            reason = f"internal error: {end.died or end.trace.strip().splitlines()[-1]}"
            self._take_over(backlog)
            self._record([(failed(task.items[0], reason, INTERNAL), "")])
            backlog.settle(task.items[0])

    def _record(self, outcomes: Sequence[tuple[Outcome, str]]) -> None:
        if not outcomes:
            return
        self._records.record(self.tally.run, [outcome for outcome, _ in outcomes])
        for outcome, trace in outcomes:
            self.tally.count(outcome)
            if outcome.result.status == "failed":
                self._log.write(f"failed: {_named(outcome.observation.files)}: {outcome.result.reason}")
                self._log.write_trace(trace)


def _named(files: Iterable[str]) -> str:
    return ", ".join(files)
