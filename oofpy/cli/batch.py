"""`oofpy batch`: fit all observations of an archive, and keep account of them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oofpy.cli import fit as fit_options
from oofpy.cli import options
from oofpy.cli.endings import Ending, complain
from oofpy.cli.text_tables import aligned
from oofpy.errors import UsageError, one_line
from oofpy.recipe import RecipeTexts

if TYPE_CHECKING:
    from oofpy.archive.executors import Executor
    from oofpy.archive.requests import Request
    from oofpy.archive.run import Tally

# On a terminal the line is drawn anew, elsewhere a line is printed so often.
_LINE_EVERY_S = 30.0
# Observations a task and side by side: as many as fit a CPU's caches, or keep a GPU busy.
_SIZES = {"cpu": (8, 8), "cuda": (512, 256)}
# Processes that share a GPU: while one fits, the others read and write.
_SHARING_A_GPU = 4

Archive = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ARCHIVE",
        show_default=False,
        help="Folders, which are searched with all below them, patterns such as '2024/**/*.fits', and files. Files "
        "with one map each are put together by folder, telescope, object, wavelength and dz.",
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        metavar="RESULTS", parser=options.place_of, help="Where the results and the catalogue go; kept between runs."
    ),
]
Manifest = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        show_default=False,
        help="Table of observations, CSV or ECSV, a line each: its files, and settings of its own.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        show_default=False,
        help="Processes on this machine; 0 fits in this one. Left out, one a core, with a GPU 4 that share it.",
    ),
]
Batch = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        show_default=False,
        help="Observations that one process takes at a time, fits side by side where their maps are alike, and records "
        "together; 8 on a CPU and 512 on a GPU if left out.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|local",
        show_default=False,
        help="Fit on the workers of a Dask cluster: tcp://HOST:PORT, a scheduler file, or local for one of --workers "
        "processes on this machine. All workers must see ARCHIVE and RESULTS under the same paths.",
    ),
]
RetryFailed = Annotated[bool, typer.Option("--retry-failed", help="Fit again what failed in an earlier run.")]
Force = Annotated[bool, typer.Option("--force", help="Fit everything again.")]
CatalogueUrl = Annotated[
    str | None,
    typer.Option(
        "--catalogue",
        metavar="URL",
        show_default=False,
        help="Catalogue on a PostgreSQL server, postgresql://user@host/database, instead of a file in RESULTS.",
    ),
]
WithReport = Annotated[
    bool, typer.Option("--report", help="Write report.html for every result; it takes several times as long as a fit.")
]
WithFigures = Annotated[
    bool, typer.Option("--figures", help="Write single figures for every result; they take as long as a report.")
]


def batch_command(
    archive: Archive = None,
    out: Out = Path("oofpy-results"),
    manifest: Manifest = None,
    telescope: options.TelescopeName = None,
    order: fit_options.Order = None,
    likelihood: fit_options.Likelihood = None,
    device: fit_options.Device = None,
    workers: Workers = None,
    batch: Batch = None,
    scheduler: Scheduler = None,
    retry_failed: RetryFailed = False,
    force: Force = False,
    catalogue: CatalogueUrl = None,
    dz: options.Dz = None,
    wavelength: options.Wavelength = None,
    frequency: options.Frequency = None,
    maps: options.Maps = None,
    radius: options.Radius = None,
    mask: options.Mask = None,
    axes: options.Axes = None,
    offsets: options.Offsets = None,
    parallactic_angle: options.ParallacticAngle = None,
    in_focus: options.InFocus = None,
    part: options.Part = None,
    settings: options.SettingsFile = None,
    assignments: options.Set = None,
    report: WithReport = False,
    figures: WithFigures = False,
    quiet: options.Quiet = False,
    json: Annotated[bool, typer.Option("--json", help="Print a summary of the run as JSON instead.")] = False,
) -> int:
    """Fit all observations of an archive; run it again to go on where it was stopped.

    An observation is known by the content of its files and the settings: what has a result is skipped. A file that
    cannot be used becomes a failed row of the catalogue with the reason, and the others are fitted. The exit code is 0
    when the run has completed, whatever failed.
    """
    from oofpy.archive.backlog import RunSettings
    from oofpy.archive.run import run_archive, without_passwords

    texts = RecipeTexts.of_options(
        settings={"order": order, "likelihood": likelihood, "device": device},
        assignments=assignments,
        settings_file=settings,
        telescope=telescope,
        dz=dz,
        wavelength=wavelength,
        frequency=frequency,
        maps=maps,
        radius=radius,
        mask=mask,
        axes=axes,
        offsets=offsets,
        parallactic_angle=parallactic_angle,
        in_focus=in_focus,
        part=part,
    )
    fit_options.require_place(out)
    find, passed_over = _finder(archive or [], manifest, texts, out)
    find()  # what is wrong with it is told before anything is started
    kind = _device_of(texts.recipe().settings.device)
    most, side_by_side = _SIZES[kind]
    run_settings = RunSettings(batch or most, side_by_side, retry_failed, force, report, figures)
    with stopped_by_signals() as stopped, _Progress(quiet) as progress:
        tally = run_archive(
            find,
            out,
            _executor(scheduler, workers, kind, stopped),
            listener=progress,
            settings=run_settings,
            catalogue=catalogue,
            stopped=stopped,
        )
    if json:
        _print_json(tally, out)
    elif not quiet:
        lines = _summary(tally, str(out), without_passwords(catalogue or str(out)), passed_over())
        print("\n".join(lines), flush=True)
    if tally.state == "interrupted":
        complain("interrupted; the same command goes on from here")
        return Ending.INTERRUPTED
    return Ending.DONE


def _finder(
    archive: Sequence[str], manifest: Path | None, texts: RecipeTexts, out: Path
) -> tuple[Callable[[], Iterator[Request]], Callable[[], Counter[str]]]:
    """Give what walks through the archive, each time from its beginning, and what was passed over on a whole way."""
    from oofpy.archive.manifest import is_manifest, requests_of

    if manifest is not None and not manifest.is_file():
        raise UsageError("there is no such file", file=manifest, key="--manifest", remedy="check the path")
    if manifest is not None and not is_manifest(manifest):
        raise UsageError(
            "is no manifest",
            key="--manifest",
            value=manifest,
            remedy="give a table, CSV or ECSV, with a column 'file' or 'files'",
        )
    places = [*archive, *([] if manifest is None else [str(manifest)])]
    if not places:
        raise UsageError("nothing to fit is named", key="ARCHIVE", remedy="name folders or files, or give --manifest")
    walks: list[Counter[str]] = []

    def find() -> Iterator[Request]:
        walks.append(Counter())
        return requests_of(places, texts, leave_out=out, passed_over=walks[-1])

    return find, lambda: max(walks, key=Counter.total)


def _device_of(wanted: str) -> str:
    """Find what a fit on this machine would use."""
    if wanted != "auto":
        return wanted
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _executor(scheduler: str | None, workers: int | None, kind: str, stopped: Callable[[], bool]) -> Executor:
    from oofpy.archive.executors import DaskCluster, InThisProcess, Processes

    if workers is None:
        workers = _SHARING_A_GPU if kind == "cuda" else _cores()
    if scheduler is not None:
        return DaskCluster(scheduler, max(1, workers))
    return Processes(workers) if workers else InThisProcess(stopped)


def _cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def stopped_by_signals() -> Iterator[Callable[[], bool]]:
    """Note SIGINT and SIGTERM; the second one stops at once."""
    heard: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if heard:
            raise KeyboardInterrupt
        heard.append(number)

    former = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(heard)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


class _Progress:
    """Shows how a run goes: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None
        self._task: Any = None
        self._began: float | None = None
        self._line_at = time.monotonic()

    def __enter__(self) -> _Progress:
        if not self._quiet and sys.stderr.isatty():
            from rich import progress as rich
            from rich.console import Console

            columns = (
                rich.BarColumn(),
                rich.TextColumn("{task.fields[told]}", markup=False),
            )
            self._bar = rich.Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=None, told="looking")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, line: str) -> None:
        """Show a line."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def progress(self, tally: Tally) -> None:
        """Show how far a run is."""
        now = time.monotonic()
        if self._began is None and tally.fitted:
            self._began, self._fitted_then, self._done_then = now, tally.fitted, tally.done
        if self._bar is not None:
            self._bar.update(self._task, total=tally.found, completed=tally.done, told=self._told(tally, now))
        elif now - self._line_at > _LINE_EVERY_S:
            self._line_at = now
            self.say(self._told(tally, now))

    def _told(self, tally: Tally, now: float) -> str:
        found = "?" if tally.found is None else f"{tally.found}"
        counts = f"{tally.done} of {found}: {tally.ok} ok, {tally.flagged} flagged, {tally.failed} failed"
        if tally.skipped:
            counts += f", {tally.skipped.total()} skipped"
        spent = 0.0 if self._began is None else now - self._began
        if spent <= 1 or tally.done <= self._done_then:
            return counts
        counts += f"; {(tally.fitted - self._fitted_then) / spent:.3g} a second"
        if tally.found is not None:
            left_s = (tally.found - tally.done) * spent / (tally.done - self._done_then)
            counts += f", {_duration(left_s)} left"
        return counts


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


_FLAGGED_LINE = 3  # below the heading of the run, that of the table, and the line of those without flags


def _summary(tally: Tally, out: str, place: str, passed_over: Counter[str]) -> list[str]:
    """Tell what came of a run, with its results in `out` and the catalogue at `place`."""
    skipped = tally.skipped
    rows = [["ok", str(tally.ok)], ["flagged", str(tally.flagged)], ["failed", str(tally.failed)]]
    rows.append(["skipped", str(skipped.total())])
    lines = [f"run {tally.run} {tally.state} in {_duration(tally.seconds)}", *aligned(["", "observations"], rows)]
    lines[-1] += _of_which(skipped)
    if tally.flagged and tally.raised:
        raised = ", ".join(f"{code} {count}" for code, count in tally.raised.most_common(6))
        lines[_FLAGGED_LINE] += f" ({raised})"
    if tally.missing:
        lines.append(f"{tally.missing} were fitted again, since the folders of their results were gone")
    if tally.state == "completed" and not tally.done:
        lines.append("no file was found that looks like beam maps")
    if tally.failures:
        lines += ["", "failed:", *(f"  {one_line(f'{name}: {reason}')}" for name, reason in tally.failures)]
    if tally.failed > len(tally.failures):
        more = tally.failed - len(tally.failures)
        lines.append(f"  and {more} more: oofpy catalogue list {place} --status failed --all-results")
    if skipped["failed"]:
        lines.append(f"{skipped['failed']} failed in an earlier run; --retry-failed tries them again")
    if passed_over:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in passed_over.most_common(10))
        lines.append(one_line(f"passed over by their names: {kinds}; a file that is named itself is fitted"))
    return [*lines, f"results in {out}"]


def _of_which(skipped: Counter[str]) -> str:
    copies = "copy of another" if skipped["copy"] == 1 else "copies of another"
    words = {"ok": "ok", "flagged": "flagged", "failed": "failed before", "copy": copies}
    told = [f"{skipped[status]} {word}" for status, word in words.items() if skipped[status]]
    return f" ({', '.join(told)})" if told else ""


def _print_json(tally: Tally, out: Path) -> None:
    import json
    from dataclasses import asdict

    print(
        json.dumps(
            {**asdict(tally), "skipped": dict(tally.skipped), "raised": dict(tally.raised), "results": str(out)},
            indent=2,
        )
    )
