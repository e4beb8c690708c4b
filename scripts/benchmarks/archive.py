"""An archive: how fast it is fitted, in how much memory, and what is left when runs are killed or files are broken."""

from __future__ import annotations

import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.broken_files import BROKEN
from benchmarks.catalogue import catalogue
from benchmarks.gravity import gravity
from benchmarks.scenario import Scenario
from oofpy.archive.backlog import RunSettings
from oofpy.archive.executors import DaskCluster, Executor, Processes
from oofpy.archive.finding import find_requests
from oofpy.archive.run import Tally, run_archive
from oofpy.conventions import in_file_convention
from oofpy.fitting.fitter import fit_batch
from oofpy.fitting.settings import FitSettings
from oofpy.io import write_oof_fits
from oofpy.observation import Observation
from oofpy.recipe import Recipe
from oofpy.simulation import NoiseModel
from oofpy.telescope import load_telescope

Row = dict[str, Any]
USUAL = FitSettings(device="cpu")
# Where the fit is not what is measured: small maps, one order.
LIGHT = FitSettings(device="cpu", order=3, ladder=False)
LIGHT_OPTIONS = ("--order", "3", "--set", "ladder=false", "--device", "cpu")
NOISE = NoiseModel(faintest_peak_over_noise=200)
CORES = 2
SIDE_BY_SIDE = 8
SURFACES = 20
ONE_BY_ONE = 48


class _Silent:
    def say(self, line: str) -> None:
        """Take no notice."""

    def progress(self, tally: Tally) -> None:
        """Take no notice."""


@cache
def _surfaces(points: int) -> tuple[Observation, ...]:
    """Observations of a few surfaces without noise."""
    scenario = Scenario.build(points)
    clean = NoiseModel(faintest_peak_over_noise=math.inf)
    return tuple(scenario.observe(0.5, seed, clean).observation for seed in range(SURFACES))


def observations(numbers: Sequence[int], points: int = 65) -> Iterator[Observation]:
    """Simulated observations: a few surfaces, each with noise of its own."""
    for number in numbers:
        clean, rng = _surfaces(points)[number % SURFACES], np.random.default_rng(number)
        noise = min(np.ptp(one.power) for one in clean.maps) / 200
        maps = tuple(replace(one, power=one.power + rng.normal(0, noise, one.power.size)) for one in clean.maps)
        yield replace(clean, maps=maps, name=f"obs{number:05d}")


def write_files(folder: Path, count: int, points: int = 21) -> list[Path]:
    """An archive of simulated observations, 100 a folder."""
    telescope, files = load_telescope("effelsberg"), []
    for observation in observations(range(count), points):
        file = folder / f"{len(files) // 100:03d}" / f"{observation.name}.fits"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_oof_fits(in_file_convention(observation, telescope), file)
        files.append(file)
    return files


def throughput(count: int) -> list[Row]:
    """The fit stage: observations that are read, to results, on two processes."""
    shares = [range(first, count, CORES) for first in range(CORES)]
    with ProcessPoolExecutor(CORES, get_context("spawn"), _one_thread) as pool:
        fitted = list(pool.map(partial(_fit_seconds, size=SIDE_BY_SIDE), shares))
    wall, cpu = (max(seconds) for seconds in zip(*fitted, strict=True))
    few = range(min(count, ONE_BY_ONE))
    together, alone = (_fit_seconds(few, size)[1] for size in (SIDE_BY_SIDE, 1))
    return [
        {"what": f"fits a second, {count} observations, two processes", "value": count / wall, "target": ">= 20"},
        {"what": "the same by the time of the processors", "value": count / cpu, "target": ""},
        {"what": "time one by one over batched", "value": alone / together, "target": ">= 1"},
    ]


def _one_thread() -> None:
    torch.set_num_threads(1)


def _fit_seconds(numbers: Sequence[int], size: int) -> tuple[float, float]:
    """Wall and processor time of fits, warm."""
    telescope = load_telescope("effelsberg")
    fit_batch(list(observations(numbers[:size])), telescope, USUAL)
    wall = cpu = 0.0
    for first in range(0, len(numbers), size):
        batch = list(observations(numbers[first : first + size]))
        began = time.perf_counter(), time.process_time()
        fit_batch(batch, telescope, USUAL)
        wall, cpu = wall + time.perf_counter() - began[0], cpu + time.process_time() - began[1]
    return wall, cpu


def memory(count: int) -> list[Row]:
    """Peak memory of a run and of one ten times as long, of all processes together."""
    peaks = {}
    for size in (count, 10 * count):
        with _folder() as folder:
            write_files(folder / "archive", size)
            process = _batch(folder / "archive", folder / "out", "--workers", str(CORES))
            peaks[size] = _peak_bytes(process) / 1e6
    one, ten = peaks.values()
    rows = [{"what": f"peak memory, {size} observations, MB", "value": peak} for size, peak in peaks.items()]
    return [*rows, {"what": "ratio", "value": ten / one, "target": "0.9 to 1.1"}]


def _peak_bytes(process: subprocess.Popen[bytes]) -> float:
    import psutil

    parent, highest = psutil.Process(process.pid), 0
    while process.poll() is None:
        with suppress(psutil.Error):
            family = [parent, *parent.children(recursive=True)]
            highest = max(highest, sum(one.memory_info().rss for one in family))
        time.sleep(0.2)
    assert process.returncode == 0
    return float(highest)


def cluster(count: int) -> list[Row]:
    """Dask on one machine: two workers against one, and one killed in the middle."""
    seconds = {}
    with _folder() as folder:
        write_files(folder / "archive", count, 65)
        for workers in (1, CORES):
            out, executor = folder / f"out{workers}", DaskCluster("local", workers)
            before = executor.client.run(_warm)
            began, spent = time.perf_counter(), _Spent(executor)
            _run(folder / "archive", out, executor, Recipe(USUAL), spent)
            seconds[workers] = time.perf_counter() - began
            work = [spent.seconds[worker] - warm for worker, warm in before.items()]
        reference = _rows(out)
        executor, killer = DaskCluster("local", CORES), _Killer()
        killer.executor = executor
        tally = _run(folder / "archive", folder / "killed", executor, Recipe(USUAL), killer)
        rows = _rows(folder / "killed")
    return [
        {"what": f"Dask, time of 1 over {CORES} workers", "value": seconds[1] / seconds[CORES], "target": ">= 1.7"},
        {
            "what": "processor time of both over that of the busier",
            "value": sum(work) / max(work),
        },
        {"what": "a worker killed: observations lost", "value": len(set(reference) - set(rows)), "target": "0"},
        {"what": "a worker killed: recorded more than once", "value": tally.fitted - len(rows), "target": "0"},
    ]


def _warm() -> float:
    """Import and compute what the first fit needs, and give the time that the processor spent on it."""
    _one_thread()
    _fit_seconds(range(1), 1)
    return time.process_time()


class _Spent(_Silent):
    """Asks the workers of a cluster for the time of their processors; they end with the run."""

    def __init__(self, executor: DaskCluster) -> None:
        self._executor = executor
        self.seconds: dict[str, float] = {}

    def progress(self, tally: Tally) -> None:  # noqa: ARG002
        """Ask."""
        self.seconds = self._executor.client.run(time.process_time)


class _Killer(_Silent):
    executor: DaskCluster
    killed = False

    def progress(self, tally: Tally) -> None:
        """Kill a worker when something is done."""
        if tally.fitted and not self.killed:
            self.killed = True
            os.kill(next(iter(self.executor.client.run(os.getpid).values())), signal.SIGKILL)


def kills(times: int) -> list[Row]:
    """A run that is killed at random moments and started again, against one that is left alone."""
    rng, killed = np.random.default_rng(20), 0
    with _folder() as folder:
        write_files(folder / "archive", 200)
        whole, stopped = folder / "whole", folder / "stopped"
        assert _batch(folder / "archive", whole, "--workers", str(CORES)).wait() == 0
        while killed < times:
            process = _batch(folder / "archive", stopped, "--workers", str(CORES))
            with suppress(subprocess.TimeoutExpired):
                process.wait(rng.uniform(0, 8))
                shutil.rmtree(stopped)  # it had come to its end: once more from the beginning
                continue
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
        assert _batch(folder / "archive", stopped, "--workers", str(CORES)).wait() == 0
        rows, others = _rows(whole), _rows(stopped)
        wrong = sum(rows.get(key) != others.get(key) for key in rows.keys() | others.keys())
        left = [path.name for path in stopped.glob(".*.part")]
    return [
        {"what": f"killed {killed} times: rows that differ of {len(rows)}", "value": wrong, "target": "0"},
        {"what": "unfinished folders left", "value": len(left), "target": "0"},
    ]


def broken(count: int) -> list[Row]:
    """Files of which every tenth is broken."""
    with _folder() as folder:
        files = write_files(folder / "archive", count)
        kinds = {}
        for number, file in enumerate(files[::10]):
            name, kind = list(BROKEN.items())[number % len(BROKEN)]
            good = folder / "good.fits"
            file.rename(good)
            kind.make(good, file)
            kinds[str(file)] = name
        tally = _run(folder / "archive", folder / "out", Processes(CORES), Recipe(LIGHT))
        with sqlite3.connect(folder / "out" / "catalogue.sqlite") as connection:
            found = connection.execute(
                "SELECT json_extract(files, '$[0]'), reason FROM results JOIN observations "
                "ON observations.id = observation_id WHERE status = 'failed'"
            ).fetchall()
        connection.close()
    right = sum(BROKEN[kinds[file]].reason in reason for file, reason in found if file in kinds)
    rows = [
        {"what": "good files done", "value": tally.ok + tally.flagged, "target": str(count - len(kinds))},
        {"what": "failed rows with the right reason", "value": right, "target": str(len(kinds))},
        {"what": "other failed rows", "value": len(found) - right, "target": "0"},
    ]
    return [*rows, {"what": f"kinds: {', '.join(BROKEN)}", "value": len(BROKEN), "target": ""}]


def _run(archive: Path, out: Path, executor: Executor, recipe: Recipe, listener: _Silent | None = None) -> Tally:
    return run_archive(
        lambda: find_requests([archive], recipe, out),
        out,
        executor,
        listener=listener or _Silent(),
        settings=RunSettings(SIDE_BY_SIDE, SIDE_BY_SIDE),
    )


def _batch(archive: Path, out: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "oofpy", "batch", str(archive), "--out", str(out), "--quiet"]
    return subprocess.Popen([*command, *LIGHT_OPTIONS, *options], start_new_session=True)


def _rows(out: Path) -> dict[str, tuple[Any, ...]]:
    """Everything of a catalogue but times and numbers of runs, by the key of the result."""
    with sqlite3.connect(out / "catalogue.sqlite") as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(results)")]
        taken = [name for name in names if name not in ("id", "observation_id", "run", "recorded_at", "seconds")]
        listed = ", ".join(f'results."{name}"' for name in taken)
        query = (
            f"SELECT results.id, {listed}, name, files, content_hash, telescope, elevation_rad, dz_m "
            "FROM results JOIN observations ON observations.id = observation_id"
        )
        found = {}
        for number, *values in connection.execute(query).fetchall():
            key = values[taken.index("key")]
            parts = [
                connection.execute(f"SELECT {what} FROM {table} WHERE result_id = ? ORDER BY 1, 2, 3", (number,))
                for table, what in (
                    ("coefficients", '"order", n, l, phase_rad, phase_rad_error'),
                    ("flags", "place, code, message"),
                )
            ]
            found[key] = (*values, *(tuple(part.fetchall()) for part in parts))
    connection.close()
    return found


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def gravity_models(seeds: int) -> list[Row]:
    """Models in two steps and jointly with the maps, against the truth."""
    rows: list[Row] = []
    for found in gravity(seeds):
        case = f"gravity, 60 observations, {found['case']}"
        rows += [
            {"what": f"{case}: {name} chi2 within 99 %", "value": found[f"{method}_within_99"], "target": "0.99"}
            for method, name in (("two_step", "two-step"), ("joint", "joint"))
        ]
        rows.append(
            {"what": f"{case}: rms joint over two-step", "value": found["joint_over_two_step"], "target": "<= 1.02"}
        )
    return rows


def archive(count: int, gravity_seeds: int, only: Sequence[str] | None) -> list[Row]:
    """All of it; `only` names parts."""
    parts = {
        "throughput": lambda: throughput(count),
        "memory": lambda: memory(count),
        "cluster": lambda: cluster(max(16, count // 10)),
        "kills": lambda: kills(20),
        "broken": lambda: broken(count),
        "catalogue": lambda: catalogue(100 * count),
        "gravity": lambda: gravity_models(gravity_seeds),
    }
    chosen = [part for name, part in parts.items() if not only or any(word in name for word in only)]
    return [row for part in chosen for row in part()]
