"""Time of a fit, against itself and against pyoof, and of whole commands."""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.recovery import SURFACE_RMS_RAD
from benchmarks.scenario import ORDER, Scenario, one_order, phases
from oofpy.conventions import in_file_convention, in_model_convention
from oofpy.fitting.assemble import assemble_order
from oofpy.fitting.fitter import fit_batch
from oofpy.fitting.problem import prepare
from oofpy.fitting.result import FitResult
from oofpy.fitting.settings import FitSettings
from oofpy.fitting.solver import Tolerances
from oofpy.io import read_observation, write_pyoof_fits
from oofpy.report.fit_report import REPORT_FILE
from oofpy.simulation import NoiseModel
from oofpy.telescope import load_telescope

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "data" / "jcmt_270GHz.fits"
SRT = REPOSITORY.parent / "shared" / "data" / "srt_2019-04-26" / "srt_2019-04-26.fits"
SRT_REFERENCE_WAVES = {"Z(2,0)": -0.19, "Z(3,-3)": -0.17, "Z(3,-1)": -0.27}


def _timed(call: Callable[[], Any], repeats: int) -> list[float]:
    call()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds


def fit_time(scenario: Scenario, repeats: int) -> list[dict[str, Any]]:
    """Warm time of one order from the default start: minimisation, errors, and the whole call."""
    table = []
    observations = [scenario.observe(SURFACE_RMS_RAD, seed, NoiseModel()).observation for seed in range(3)]
    for likelihood in ("gaussian", "cauchy"):
        settings = one_order(likelihood)
        problem = prepare((observations[0],), scenario.telescope, settings, ORDER)
        free = problem.at_order(ORDER).for_solver("cpu")
        tolerances = Tolerances(settings.tolerance, settings.max_evaluations)
        solution = problem.solve(problem.start, free, tolerances)
        minimise = _timed(lambda: problem.solve(problem.start, free, tolerances), repeats)  # noqa: B023
        errors = _timed(lambda: assemble_order(problem, ORDER, solution, ("zero",)), repeats)  # noqa: B023
        call = [
            seconds
            for observation in observations
            for seconds in _timed(lambda: fit_batch([observation], scenario.telescope, settings), repeats)  # noqa: B023
        ]
        reported = fit_batch([observations[0]], scenario.telescope, settings)[0].fit
        table.append(
            {
                "likelihood": likelihood,
                "threads": torch.get_num_threads(),
                "evaluations": reported.evaluations,
                "minimise_s": float(np.median(minimise)),
                "with_errors_s": float(np.median(minimise) + np.median(errors)),
                "whole_call_s": float(np.median(call)),
                "least_with_errors_s": float(np.min(minimise) + np.min(errors)),
            }
        )
    return table


def srt(grids: list[Path] | None) -> list[dict[str, Any]]:
    """The real observation: peak-normalised misfit and the three largest terms; and the misfit of given GRASP grids."""
    observation, telescope = read_observation(SRT), load_telescope("srt")
    table = []
    for likelihood in ("gaussian", "cauchy"):
        result = fit_batch([observation], telescope, FitSettings(order=ORDER, likelihood=likelihood))[0]
        misfit = _peak_normalised_misfit(result)
        waves = {f"Z({c.n},{c.l})": c.phase_rad / (2 * math.pi) for c in result.fit.coefficients}
        table.append(
            {
                "likelihood": likelihood,
                "half_sum_of_squares": misfit,
                **{name: waves[name] for name in SRT_REFERENCE_WAVES},
                "largest_difference_waves": max(abs(waves[n] - v) for n, v in SRT_REFERENCE_WAVES.items()),
                "rms_um": result.fit.surface.rms_um,
                "rms_um_error": result.fit.surface.rms_um_error,
                "correlation_samples": max(m.correlation_samples for m in result.fit.maps),
            }
        )
    if grids:
        table += [_grids(grids, likelihood) for likelihood in ("gaussian", "cauchy")]
    automatic = fit_batch([observation], telescope, FitSettings(order="auto", likelihood="gaussian"))[0]
    table.append(
        {
            "likelihood": "gaussian, order auto",
            "chosen_order": automatic.chosen_order,
            "orders_tried": [fit.order for fit in automatic.orders],
            "bic": [round(fit.bic, 1) for fit in automatic.orders],
        }
    )
    return table


def _peak_normalised_misfit(result: FitResult) -> float:
    """Half the sum of squares of the residuals over the peak of each map."""
    return sum(float(np.nansum((one.residual / np.nanmax(one.observed)) ** 2)) / 2 for one in result.map_arrays)


GRID_DEFOCUS_M = (-0.01153, 0.0, 0.01153)
GRID_SAMPLES = 101 * 101


def _grids(files: list[Path], likelihood: str) -> dict[str, Any]:
    """Three GRASP grids of a simulation of the SRT, dz -11.53, 0 and +11.53 mm, as if each had 101 x 101 samples."""
    telescope = load_telescope("srt")
    observation = in_model_convention(read_observation(*files, defocus_m=GRID_DEFOCUS_M), telescope)
    result = fit_batch([observation], telescope, FitSettings(order=ORDER, likelihood=likelihood))[0]
    samples = np.mean([one.observed.size for one in result.map_arrays])
    return {
        "likelihood": f"{likelihood}, GRASP grids",
        "half_sum_of_squares": _peak_normalised_misfit(result) * GRID_SAMPLES / float(samples),
        "rms_um": result.fit.surface.rms_um,
        "rms_um_error": result.fit.surface.rms_um_error,
    }


def against_pyoof(scenario: Scenario) -> list[dict[str, Any]]:
    """Orders 1 to 5 on both sides, same file, same run; our order 1 is the pointing, fitted with every order."""
    simulated = scenario.observe(SURFACE_RMS_RAD, 1, NoiseModel())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "simulated.fits"
        write_pyoof_fits(in_file_convention(simulated.observation, scenario.telescope), file)
        observation = read_observation(file)
        command = [sys.executable, str(REPOSITORY / "scripts" / "peer_pyoof.py"), str(file), "--order-max", str(ORDER)]
        peer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    last = peer["orders"][-1]
    truth = scenario.truths([simulated])[0]
    waves = [k for (n, _), k in zip(last["terms"], last["k_waves"], strict=True) if n >= 2]
    peer_error = float(scenario.rms_error(2 * math.pi * np.array(waves) - truth))
    table = [{"program": "pyoof", "seconds": peer["seconds"], "error_rad": peer_error}]
    for likelihood in ("gaussian", "cauchy"):
        default = FitSettings(order=ORDER, likelihood=likelihood)
        cases = {
            "two starts an order (default)": default,
            "one start an order, as pyoof": replace(default, both_starts=False),
            "order 5 alone": replace(default, ladder=False),
        }
        for name, settings in cases.items():
            seconds = float(np.median(_timed(lambda: fit_batch([observation], scenario.telescope, settings), 5)))  # noqa: B023
            result = fit_batch([observation], scenario.telescope, settings)
            table.append(
                {
                    "program": f"oofpy, {likelihood}, {name}",
                    "seconds": seconds,
                    "error_rad": float(scenario.rms_error(phases(result) - truth)[0]),
                    "times_faster": peer["seconds"] / seconds,
                }
            )
    return table


def commands(repeats: int) -> list[dict[str, Any]]:
    """Whole processes: time, peak memory, and the size of the page they wrote, if any."""
    oofpy = [sys.executable, "-m", "oofpy"]
    table = []
    with tempfile.TemporaryDirectory() as folder:
        fit = [*oofpy, "fit", "--out", folder, "--overwrite", "--quiet"]
        sample = [*fit, str(SAMPLE), "--telescope", "jcmt"]
        cases = {
            "oofpy --help": [*oofpy, "--help"],
            "fit --no-report --no-figures": [*sample, "--no-report", "--no-figures"],
            "fit": sample,
            "report": [*oofpy, "report", str(Path(folder, SAMPLE.stem)), "--quiet"],
        }
        if SRT.exists():
            cases["fit of the SRT observation"] = [*fit, str(SRT), "--telescope", "srt"]
        for name, command in cases.items():
            seconds, megabytes = zip(*(_whole_process(command) for _ in range(repeats + 1)), strict=True)
            table.append(
                {
                    "command": name,
                    "seconds": float(np.median(seconds[1:])),
                    "longest_s": max(seconds[1:]),
                    "peak_memory_mb": max(megabytes),
                    "page_mb": _page_megabytes(Path(folder, SRT.stem if "SRT" in name else SAMPLE.stem)),
                }
            )
    return table


def _page_megabytes(result: Path) -> float | None:
    page = result / REPORT_FILE
    return page.stat().st_size / 1e6 if page.exists() else None


def _whole_process(command: list[str]) -> tuple[float, float]:
    """Wall time in seconds and peak memory in MB of a command."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    complaint = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 4):
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {complaint}")
    unit = 1.0 if sys.platform == "darwin" else 1024.0
    return time.perf_counter() - began, usage.ru_maxrss * unit / 1e6


def processor() -> str:
    """What the figures were measured on."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return f"{line.split(':')[1].strip()}, {os.cpu_count()} cores"
    return f"{os.cpu_count()} cores, peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}"
