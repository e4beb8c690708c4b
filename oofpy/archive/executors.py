"""Where tasks run: in this process, in others of this machine, or on a Dask cluster.

All of them take a task at a time and give its end, in whatever order tasks end. They keep nothing of a task that has
ended.

On a cluster, a scheduler and its workers are started first, in the environment of the command, and all of them must see
the archive and the results under the same paths. With SLURM, for 4 nodes of 32 cores:

    dask scheduler --scheduler-file scheduler.json &
    srun --ntasks=128 --cpus-per-task=1 dask worker --scheduler-file scheduler.json --nthreads 1 --memory-limit 0 &
    oofpy batch ARCHIVE --out RESULTS --scheduler scheduler.json

or, where the address is known, `dask worker tcp://HOST:8786 ...` and `--scheduler tcp://HOST:8786`. One thread a
worker: the tasks of one process would wait for each other. On nodes with GPUs, a few workers a GPU keep it busy while
others of them read and write: `srun --gpus-per-task=1 dask worker --nworkers 4 --nthreads 1 ...`.
"""

from __future__ import annotations

import importlib
import logging
import os
import queue
import re
import signal
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection as connections
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from oofpy.archive.planning import Task
from oofpy.archive.tasks import Report, RunEndsError, run_task
from oofpy.errors import OofError, UsageError


@dataclass(frozen=True)
class End:
    """How a task ended.

    Parameters
    ----------
    task : Task
    reports : list of Report, optional
        One for each item; None where there are none, which `died` or `trace` explain.
    died : str
        How the process died that had the task; empty otherwise.
    trace : str
        Where the program itself failed; empty otherwise.
    """

    task: Task
    reports: list[Report] | None = None
    died: str = ""
    trace: str = ""


class Executor(Protocol):
    """Runs tasks."""

    @property
    def capacity(self) -> int:
        """How many tasks it can make use of at a time."""

    @property
    def description(self) -> str:
        """Where the tasks run, in words."""

    def submit(self, task: Task) -> None:
        """Take a task."""

    def ended(self, timeout_s: float) -> list[End]:
        """Wait for tasks to end, so long at most, and give each end once.

        Raises
        ------
        OofError
            If the run cannot go on.
        """

    def close(self) -> None:
        """Give up what is under way, and everything that was started."""


class InThisProcess:
    """One task at a time, in this process: the least effort, but what kills the task kills the run.

    Parameters
    ----------
    cancelled : callable
        Asked between observations whether to leave the rest of a task.
    """

    capacity = 1
    description = "this process"

    def __init__(self, cancelled: Callable[[], bool] = lambda: False) -> None:
        self._cancelled = cancelled
        self._tasks: deque[Task] = deque()

    def submit(self, task: Task) -> None:
        """Take a task, which runs when its end is asked for."""
        self._tasks.append(task)

    def ended(self, timeout_s: float) -> list[End]:  # noqa: ARG002
        """Run a task."""
        if not self._tasks:
            return []
        task = self._tasks.popleft()
        return [_end_of(task, _answer(task, self._cancelled))]

    def close(self) -> None:
        """Forget tasks that did not run."""
        self._tasks.clear()


class Processes:
    """Processes of this machine, one task each. One that dies takes its task with it and is replaced.

    Parameters
    ----------
    count : int
        How many.
    """

    def __init__(self, count: int) -> None:
        self.capacity = count
        self.description = f"{count} process{'es' if count > 1 else ''}"
        self._waiting: deque[Task] = deque()
        self._workers: list[_Worker] = []

    @property
    def pids(self) -> list[int]:
        """Of the processes that are running."""
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    def submit(self, task: Task) -> None:
        """Give a task to an idle process, a new one where there is none and may be one."""
        self._waiting.append(task)
        if not any(worker.idle for worker in self._workers) and len(self._workers) < self.capacity:
            self._workers.append(_Worker())
        self._hand_out()

    def _hand_out(self) -> None:
        for worker in self._workers:
            if worker.idle and self._waiting:
                worker.take(self._waiting.popleft())

    def ended(self, timeout_s: float) -> list[End]:
        """Wait for processes that have something to say, or have died."""
        by_sign: dict[Any, _Worker] = {}
        for worker in self._workers:
            by_sign |= {worker.pipe: worker, worker.process.sentinel: worker}
        if not by_sign:
            return []
        speaking = {id(by_sign[sign]): by_sign[sign] for sign in connections.wait(list(by_sign), timeout_s)}
        ends = [end for worker in speaking.values() if (end := self._heard(worker)) is not None]
        self._hand_out()
        return ends

    def _heard(self, worker: _Worker) -> End | None:
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            return self._buried(worker)
        if answer == _READY:
            worker.ready = True
            return None
        task, worker.task = worker.task, None
        assert task is not None
        return _end_of(task, answer)

    def _buried(self, worker: _Worker) -> End | None:
        """Replace a process that died; its end is that of its task."""
        worker.end()
        self._workers.remove(worker)
        how = _manner_of_death(worker.process.exitcode)
        if not worker.ready:
            raise RunEndsError(f"a process that should fit cannot start: {how}", remedy="try --workers 0")
        if self._waiting:
            self._workers.append(_Worker())
        return None if worker.task is None else End(worker.task, died=how)

    def close(self) -> None:
        """Kill the processes."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        self._waiting.clear()


_READY = "ready"


class _Worker:
    """One process, and the task that it has."""

    def __init__(self) -> None:
        # Forked processes cannot use CUDA, and may hang where the parent has threads.
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), name="oofpy-worker", daemon=True)
        self.process.start()
        theirs.close()  # so that its death is heard as the end of the pipe
        self.ready = False
        self.task: Task | None = None

    @property
    def idle(self) -> bool:
        return self.task is None

    def take(self, task: Task) -> None:
        self.task = task
        try:
            self.pipe.send(task)
        except OSError:
            return  # it has just died, which `ended` will find

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(pipe: Connection) -> None:
    """Run tasks until the sender ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the sender decides
    threading.Thread(target=_die_with_parent, daemon=True).start()
    pipe.send(_READY)
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_answer(task))


def _die_with_parent() -> None:
    """End at once when the parent has been killed: another run may begin in its place."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


Answer = list[Report] | OofError | str


def _answer(task: Task, cancelled: Callable[[], bool] = lambda: False) -> Answer:
    """Run a task; what it raises becomes its answer."""
    try:
        return run_task(task, cancelled)
    except OofError as error:
        return error
    except Exception as error:
        return "".join(traceback.format_exception(error))


def _end_of(task: Task, answer: Answer) -> End:
    if isinstance(answer, OofError):
        raise answer
    return End(task, trace=answer) if isinstance(answer, str) else End(task, answer)


def _manner_of_death(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        hint = "; was the memory full?" if name == "SIGKILL" else ""
        return f"the process died of {name}{hint}"
    return f"the process ended by itself with code {code}"


# Tasks a Dask thread may have beside the one that it runs, so that it does not wait for the next to arrive.
_AHEAD = 1
_WORKERS_ASKED_EVERY_S = 2.0
_ADDRESS = re.compile(r"(?:[a-z]+://)?[^\s/:]+:[0-9]{1,5}/?|[a-z]+://\[[0-9a-f:]+\]:[0-9]{1,5}")
_CONNECT_S = 10


class DaskCluster:
    """The workers of a Dask cluster.

    Parameters
    ----------
    address : str
        `tcp://host:port`, a scheduler file, or `local` for a cluster of processes of this machine, which ends with
        this object.
    workers : int
        How many processes a local cluster has.

    Raises
    ------
    UsageError
        If the extra is not installed, or nothing answers at the address.
    """

    def __init__(self, address: str, workers: int = 1) -> None:
        try:
            distributed: Any = importlib.import_module("distributed")  # which is typed in part
        except ImportError as error:
            raise UsageError(
                "--scheduler needs Dask", key="--scheduler", value=address, remedy="pip install 'oofpy[cluster]'"
            ) from error
        self._distributed = distributed
        self._ended: queue.SimpleQueue[tuple[Task, Any]] = queue.SimpleQueue()
        self._futures: set[Any] = set()
        self._cluster = _local_cluster(distributed, workers) if address == "local" else None
        self.client = _client(distributed, self._cluster or address, address)
        self._threads, self._asked_at = 0, float("-inf")

    @property
    def capacity(self) -> int:
        """So many tasks as keep all threads busy; workers may come and go."""
        if time.monotonic() - self._asked_at > _WORKERS_ASKED_EVERY_S:
            self._threads = sum(self.client.nthreads().values())
            self._asked_at = time.monotonic()
        return (1 + _AHEAD) * self._threads

    @property
    def description(self) -> str:
        """The cluster and its size."""
        workers, address = len(self.client.nthreads()), self.client.scheduler.address
        words = f"a Dask cluster of {workers} worker{'s' if workers != 1 else ''} at {address}"
        if workers:
            return words
        return f"{words}; it waits for some: start them with 'dask worker {address} --nthreads 1'"

    def submit(self, task: Task) -> None:
        """Send a task to the scheduler."""
        # Not pure: a task that is sent again is to run again.
        future = self.client.submit(_answer, task, pure=False)
        self._futures.add(future)
        future.add_done_callback(lambda done: self._ended.put((task, done)))

    def ended(self, timeout_s: float) -> list[End]:
        """Wait for the scheduler to tell of ends."""
        found = []
        try:
            found.append(self._ended.get(timeout=timeout_s))
            while True:
                found.append(self._ended.get_nowait())
        except queue.Empty:
            pass
        return [self._end(task, future) for task, future in found]

    def _end(self, task: Task, future: Any) -> End:
        self._futures.discard(future)  # Dask forgets what came of it
        if future.status == "finished":
            return _end_of(task, future.result())
        if future.status == "error":
            error = future.exception()
            if isinstance(error, self._distributed.KilledWorker):
                return End(task, died="the workers that had it died")
            return End(task, trace="".join(traceback.format_exception(error)))
        raise RunEndsError(
            "the connection to the scheduler is lost",
            key="--scheduler",
            value=self.client.scheduler.address if self.client.scheduler else None,
            remedy="start it, and run the command again: what is done is kept",
        )

    def close(self) -> None:
        """Take back what is under way, and end a local cluster."""
        with suppress(Exception):
            self.client.cancel(list(self._futures), force=True)
        with suppress(Exception):
            self.client.close(timeout=2)
        if self._cluster is not None:
            with suppress(Exception):
                self._cluster.close(timeout=5)


def _local_cluster(distributed: Any, workers: int) -> Any:
    return distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",  # a fixed one may be taken
        memory_limit=None,
        silence_logs=logging.CRITICAL,
    )


def _client(distributed: Any, place: Any, shown: str) -> Any:
    is_file = isinstance(place, str) and Path(place).is_file()
    if isinstance(place, str) and not is_file and not _ADDRESS.fullmatch(place):
        # What Dask itself makes of such an address is a wait and a traceback.
        raise UsageError(
            "is neither a scheduler file nor an address with its port",
            key="--scheduler",
            value=shown,
            remedy="give local, or the address that 'dask scheduler' prints, e.g. tcp://host:8786",
        )
    try:
        if is_file:
            return distributed.Client(scheduler_file=place, timeout=_CONNECT_S, set_as_default=False)
        return distributed.Client(place, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(
            f"no Dask scheduler answers: {error}",
            key="--scheduler",
            value=shown,
            remedy="give local, or the address that 'dask scheduler' prints, e.g. tcp://host:8786",
        ) from error
