"""`oofpy watch`: fit observations as they come into a folder."""

from __future__ import annotations

import json as json_format
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oofpy.cli import batch as batch_options
from oofpy.cli import fit as fit_options
from oofpy.cli import options
from oofpy.cli.endings import Ending
from oofpy.cli.text_tables import number
from oofpy.errors import OofError, UsageError, one_line
from oofpy.recipe import RecipeTexts

if TYPE_CHECKING:
    from oofpy.archive.requests import Request
    from oofpy.archive.run import Tally
    from oofpy.catalogue import ObservationRow

# Seconds between two looks at the signals that end the command.
_PAUSE_STEP_S = 0.1

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", show_default=False, help="Folder to watch, with all folders below it.")
]
Settle = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0, help="A file is left alone until it has not changed for so long and can be read."
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0, help="How long to wait for further maps of an observation that has two or more."
    ),
]
MapsPerObservation = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=2,
        help="Of files with one map each, fit an observation as soon as it has so many; where more of it come, again "
        "when none has come for the time of --wait.",
    ),
]
UntilIdle = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=0,
        show_default=False,
        help="End when nothing has come for so long, without waiting for further maps; left out, on SIGINT or SIGTERM.",
    ),
]


def watch_command(
    folder: Folder,
    out: batch_options.Out = Path("oofpy-results"),
    settle: Settle = 2.0,
    wait: Wait = 600.0,
    maps_per_observation: MapsPerObservation = 3,
    until_idle: UntilIdle = None,
    telescope: options.TelescopeName = None,
    order: fit_options.Order = None,
    likelihood: fit_options.Likelihood = None,
    device: fit_options.Device = None,
    catalogue: batch_options.CatalogueUrl = None,
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
    report: batch_options.WithReport = False,
    figures: batch_options.WithFigures = False,
    quiet: options.Quiet = False,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON object on a line for each observation.")] = False,
) -> int:
    """Fit each observation seconds after its last map has come into a folder.

    What has a result in RESULTS is skipped, as by 'oofpy batch', which may take part in the same RESULTS. A line for
    each observation goes to standard output. A file that cannot be read is tried again as long as it grows, and then
    becomes a failed row of the catalogue. SIGINT and SIGTERM end the command with exit code 0.
    """
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
    recipe = texts.recipe()
    fit_options.require_place(out)
    if folder.is_file():
        remedy = "name the folder that it lies in, or fit the file with 'oofpy batch' or 'oofpy fit'"
        raise UsageError("this is a file, and only folders can be watched", file=folder, key="DIR", remedy=remedy)
    if not folder.is_dir():
        raise UsageError("there is no such folder", file=folder, key="DIR", remedy="make it first, or check the path")
    from oofpy.archive.backlog import RunSettings
    from oofpy.archive.watching import Watch, WatchRules, watch

    with batch_options.stopped_by_signals() as stopped:
        fits = _Fits(out, catalogue, RunSettings(page=report, figures=figures), stopped, quiet, json)
        watched = Watch(folder, recipe, WatchRules(settle, wait, maps_per_observation), leave_out=out, stopped=stopped)
        fits.say(f"watching {folder}, results in {out}")
        try:
            watch(watched, fits.fit, _pause(stopped), until_idle, interval_s=min(1.0, settle / 2))
        finally:
            watched.close()
        for path in watched.waiting:
            fits.say(f"{path}: holds one map, and waits for others of its observation")
    return Ending.DONE


def _pause(stopped: Callable[[], bool]) -> Callable[[float], bool]:
    def pause(seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not stopped() and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _PAUSE_STEP_S))
        return stopped()

    return pause


@dataclass
class _Fits:
    """Fits what has come, a run each time, and prints a line for each observation."""

    out: Path
    catalogue: str | None
    settings: Any
    stopped: Callable[[], bool]
    quiet: bool
    json: bool
    last_said: str = ""

    def fit(self, requests: list[Request]) -> None:
        from oofpy.archive.executors import InThisProcess
        from oofpy.archive.run import run_archive
        from oofpy.archive.tasks import RunEndsError

        if self.stopped():
            return
        try:
            tally = run_archive(
                lambda: iter(requests),
                self.out,
                InThisProcess(self.stopped),
                listener=_Silent(),
                settings=self.settings,
                catalogue=self.catalogue,
                stopped=self.stopped,
            )
        except RunEndsError:
            raise
        except OofError as error:
            self.say(f"{error}; tried again while watching")
            raise
        self._print(tally)

    def _print(self, tally: Tally) -> None:
        from oofpy.catalogue import Catalogue, Filter

        if tally.skipped.total():
            self.say(f"{tally.skipped.total()} observations have a result already")
        if not tally.fitted:
            return
        try:
            with Catalogue.open(self.catalogue or self.out) as records:
                rows = records.select(Filter(run=tally.run, all_results=True))
        except OofError as error:  # what is recorded is not fitted again for a line
            self.say(f"{tally.fitted} observations are recorded and cannot be shown: {error}")
            return
        for row in rows:
            if self.json:
                print(json_format.dumps(_plain(row), allow_nan=False), flush=True)
            elif not self.quiet:
                print(_line(row), flush=True)

    def say(self, line: str) -> None:
        """Show a line, unless it was the last one shown."""
        line = one_line(line)
        if not self.quiet and line != self.last_said:
            print(line, file=sys.stderr, flush=True)
        self.last_said = line


class _Silent:
    """Shows nothing: a few observations at a time are done in seconds, and each has its line."""

    def say(self, line: str) -> None:
        """Leave it to the log."""

    def progress(self, tally: Tally) -> None:
        """Show nothing."""


def _line(row: ObservationRow) -> str:
    if row.status == "failed":
        return one_line(f"{row.name}: failed: {row.reason}")
    rms = "unknown" if row.rms_um is None else f"{number(row.rms_um, '.2f')} um"
    error = "" if row.rms_um_error is None else f" +- {number(row.rms_um_error, '.2f')}"
    flags = f", {', '.join(row.flags)}" if row.flags else ""
    return one_line(f"{row.name}: {row.verdict}, rms {rms}{error}, {row.maps} maps{flags}")


def _plain(row: ObservationRow) -> dict[str, Any]:
    names = ("name", "files", "status", "verdict", "reason", "rms_um", "rms_um_error", "best_focus_m", "maps")
    return {name: getattr(row, name) for name in (*names, "flags", "folder", "key")}
