"""The work itself: read observations, fit those of one shape side by side, write their results.

A task is a plain function of its items, so that it runs the same in this process, in another and on another machine. It
uses no threads: the readers turn warnings into flags, and Python hands warnings to whichever thread listens. What keeps
a device busy while files are read and written is another process with another task.
"""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oofpy._version import __version__
from oofpy.archive.planning import Item, Task
from oofpy.archive.reading import Prepared, read
from oofpy.archive.requests import Fragment
from oofpy.catalogue import Outcome, ResultRecord, content_hash, observation_record, record_of
from oofpy.errors import OofError, UsageError, one_line

if TYPE_CHECKING:
    from oofpy.fitting.result import FitResult

INTERNAL = "internal"


@dataclass(frozen=True)
class Report:
    """What came of an item.

    Parameters
    ----------
    finding : Outcome or Fragment
    trace : str
        Where the program itself failed; empty otherwise.
    """

    finding: Outcome | Fragment
    trace: str = ""


class RunEndsError(UsageError):
    """Something that no observation is to blame for, and that would befall all of them."""


def run_task(task: Task, cancelled: Callable[[], bool] = lambda: False) -> list[Report]:
    """Fit observations and write their results.

    Parameters
    ----------
    task : Task
    cancelled : callable
        Asked between observations whether to leave the rest.

    Returns
    -------
    list of Report
        One for each item, in their order; fewer where it was cancelled.

    Raises
    ------
    RunEndsError
        If no result can be kept here.
    """
    _require_equal_footing(task)
    _one_thread()
    reports: dict[int, Report] = {}
    places = {id(item): place for place, item in enumerate(task.items)}
    for group in _groups(task, reports, places, cancelled):
        for prepared, report in zip(group, _fitted(group, task), strict=True):
            reports[places[id(prepared.item)]] = report
    return [reports[place] for place in sorted(reports)]


def failed(item: Item, error: BaseException | str, fault: str | None = None) -> Outcome:
    """Say that no result came of an item.

    Parameters
    ----------
    item : Item
    error : exception or str
        Why.
    fault : str, optional
        Which kind of failure; told by the exception if left out.

    Returns
    -------
    Outcome
    """
    if isinstance(error, OofError):
        where = "" if error.file is not None or item.problem else f"{item.request.files[0]}: "
        reason, fault = one_line(f"{where}{error}"), fault or type(error).__name__
    elif isinstance(error, BaseException):
        reason, fault = one_line(f"internal error: {type(error).__name__}: {error}"), INTERNAL
    else:
        reason = one_line(error)
    record = ResultRecord(
        key=item.key,
        settings_digest=item.settings_digest,
        settings=item.settings,
        status="failed",
        reason=reason,
        fault=fault or INTERNAL,
        oofpy_version=__version__,
    )
    named = item.request.recipe.telescope
    telescope = Path(named).stem if named else None
    observation = observation_record(item.inputs, name=item.name, telescope=telescope)
    return Outcome(replace(observation, content_hash=content_hash(item.identity)), record)


def _require_equal_footing(task: Task) -> None:
    """Refuse to work where the sender would not find the results, or not expect them."""
    if task.version != __version__:
        raise RunEndsError(
            f"this worker has oofpy {__version__}, the command {task.version}",
            key=socket.gethostname(),
            remedy="start the workers in the environment of the command",
        )
    if not task.out.is_dir():
        raise RunEndsError(
            f"the folder of the results is not there on {socket.gethostname()}",
            file=task.out,
            remedy="choose one that all workers see under the same name",
        )


def _one_thread() -> None:
    # More gain little where other processes have the other cores, and lose much where they wait for each other.
    import torch

    torch.set_num_threads(1)


def _groups(
    task: Task, reports: dict[int, Report], places: dict[int, int], cancelled: Callable[[], bool]
) -> Iterator[list[Prepared]]:
    """Read item after item and give those that can be fitted together as soon as they are enough."""
    open_groups: list[list[Prepared]] = []
    for item in task.items:
        if cancelled():
            return
        try:
            found = read(item)
        except Exception as error:
            reports[places[id(item)]] = _failure(item, error)
            continue
        if isinstance(found, Fragment):
            reports[places[id(item)]] = Report(found)
            continue
        group = next((group for group in open_groups if group[0].fits_beside(found)), None)
        if group is None:
            group = []
            open_groups.append(group)
        group.append(found)
        if len(group) == task.side_by_side:
            open_groups = [other for other in open_groups if other is not group]
            yield group
    for group in open_groups:
        if not cancelled():
            yield group


def _fitted(group: Sequence[Prepared], task: Task) -> list[Report]:
    """Fit and write a group; where it fails as a whole, each for itself, so that the others do not suffer."""
    from oofpy.fitting.fitter import fit_batch

    try:
        results = fit_batch(
            [one.observation for one in group], group[0].telescope, group[0].item.request.recipe.settings
        )
    except Exception as error:
        if len(group) > 1:
            return [report for one in group for report in _fitted([one], task)]
        return [_failure(group[0].item, error)]
    return [_kept(one, result, task) for one, result in zip(group, results, strict=True)]


def _kept(prepared: Prepared, result: FitResult, task: Task) -> Report:
    """Write a result and make its record."""
    item = prepared.item
    folder = None if result.status == "failed" else item.folder
    if folder is not None:
        try:
            _write(prepared, result, task)
        except UsageError as error:
            raise RunEndsError(error.problem, file=error.file, key=error.key, remedy=error.remedy) from error
        except Exception as error:
            return _failure(item, error)
    seconds = sum(fit.seconds for fit in result.orders)
    record = record_of(
        result,
        key=item.key,
        settings_digest=item.settings_digest,
        settings=item.settings,
        folder=folder,
        seconds=seconds,
    )
    observation = observation_record(item.inputs, prepared.observation, telescope=prepared.telescope.name)
    return Report(Outcome(replace(observation, content_hash=content_hash(item.identity)), record))


def _write(prepared: Prepared, result: FitResult, task: Task) -> None:
    from oofpy.io.results import write_result

    def illustrate(result: FitResult, folder: Path) -> None:
        if task.page or task.figures:
            from oofpy.report import write_report

            write_report(result, folder, page=task.page, figures=task.figures)

    folder = prepared.item.folder
    write_result(result, task.out, name=folder, log=_log(prepared, result), illustrate=illustrate, overwrite=True)


def _log(prepared: Prepared, result: FitResult) -> str:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    files = ", ".join(str(source.path) for source in prepared.observation.sources)
    fit = result.fit
    lines = [
        f"{result.name}: read from {files}",
        f"order {fit.order}, {fit.status.value}, on {result.device}; part of a batch on {socket.gethostname()}",
        *(f"flag {flag.code} ({flag.level.value}): {flag.message}" for flag in result.flags),
    ]
    return "".join(f"{now} {one_line(line)}\n" for line in lines)


def _failure(item: Item, error: Exception) -> Report:
    trace = "" if isinstance(error, OofError) else "".join(traceback.format_exception(error))
    return Report(failed(item, error), trace)
