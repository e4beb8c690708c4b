"""Recovery of known surfaces: error against the Cramer-Rao bound, pulls, glitches, capture."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.scenario import Scenario, one_order, phase_errors, phases
from oofpy.simulation import NoiseModel

SURFACE_RMS_RAD = 0.5
CAPTURED_RAD = 0.05


def recovery(scenario: Scenario, seeds: int) -> list[dict[str, Any]]:
    """Error of the phase over its bound, and pulls of every coefficient, for both likelihoods."""
    rows: dict[str, dict[str, list[Any]]] = {}
    for batch in scenario.batches(SURFACE_RMS_RAD, range(seeds), NoiseModel(faintest_peak_over_noise=200)):
        bound = scenario.cramer_rao_rms(batch)
        truth = scenario.truths(batch)
        for likelihood in ("gaussian", "cauchy"):
            results = scenario.fit(batch, one_order(likelihood))
            difference = phases(results) - truth
            row = rows.setdefault(likelihood, {"error": [], "bound": [], "pull": [], "evaluations": [], "ok": []})
            row["error"].append(scenario.rms_error(difference))
            row["bound"].append(bound)
            row["pull"].append(difference / phase_errors(results))
            row["evaluations"].append([result.fit.evaluations for result in results])
            row["ok"].append([result.fit.status.value == "converged" for result in results])
    table = []
    for likelihood, row in rows.items():
        error, bound = np.concatenate(row["error"]), np.concatenate(row["bound"])
        spread = np.concatenate(row["pull"]).std(axis=0)
        table.append(
            {
                "likelihood": likelihood,
                "seeds": seeds,
                "rms_error_rad": float(np.sqrt(np.mean(error**2))),
                "cramer_rao_rad": float(np.sqrt(np.mean(bound**2))),
                "error_over_bound": float(np.sqrt(np.mean(error**2) / np.mean(bound**2))),
                "largest_error_rad": float(error.max()),
                "pull_sd_least": float(spread.min()),
                "pull_sd_most": float(spread.max()),
                "evaluations": float(np.mean(np.concatenate(row["evaluations"]))),
                "converged": float(np.mean(np.concatenate(row["ok"]))),
            }
        )
    return table


def glitches(scenario: Scenario, seeds: int) -> list[dict[str, Any]]:
    """3 % glitches of 20 to 100 % of the peak, against the clean Gaussian fit of the same surfaces and noise."""
    clean = NoiseModel(faintest_peak_over_noise=200)
    spoiled = replace(clean, glitch_fraction=0.03)
    errors: dict[str, list[Any]] = {}
    for good, bad in zip(
        scenario.batches(SURFACE_RMS_RAD, range(seeds), clean),
        scenario.batches(SURFACE_RMS_RAD, range(seeds), spoiled),
        strict=True,
    ):
        for name, batch, likelihood in (
            ("clean, gaussian", good, "gaussian"),
            ("glitches, gaussian", bad, "gaussian"),
            ("glitches, cauchy", bad, "cauchy"),
            ("glitches, student-t", bad, "student-t"),
            ("glitches, huber", bad, "huber"),
        ):
            difference = phases(scenario.fit(batch, one_order(likelihood))) - scenario.truths(batch)
            errors.setdefault(name, []).append(scenario.rms_error(difference))
    rms = {name: float(np.sqrt(np.mean(np.concatenate(values) ** 2))) for name, values in errors.items()}
    reference = rms["clean, gaussian"]
    return [
        {"case": name, "seeds": seeds, "rms_error_rad": value, "over_clean_gaussian": value / reference}
        for name, value in rms.items()
    ]


LEVELS_RAD = (1.5, 2.0, 3.0)


def capture(scenario: Scenario, surfaces: int, likelihoods: list[str]) -> list[dict[str, Any]]:
    """Share of surfaces that one call from the default start finds, and its time over that of an easy fit."""
    table = []
    noise = NoiseModel(faintest_peak_over_noise=200)
    for likelihood in likelihoods:
        settings = one_order(likelihood)
        easy = []
        for seed in range(20):
            batch = [scenario.observe(SURFACE_RMS_RAD, seed, noise)]
            began = time.perf_counter()
            scenario.fit(batch, settings)
            easy.append(time.perf_counter() - began)
        for level in LEVELS_RAD:
            errors, seconds = [], []
            for seed in range(10_000, 10_000 + surfaces):
                batch = [scenario.observe(level, seed, noise)]
                began = time.perf_counter()
                results = scenario.fit(batch, settings)
                seconds.append(time.perf_counter() - began)
                errors.append(float(scenario.rms_error(phases(results) - scenario.truths(batch))[0]))
            table.append(
                {
                    "likelihood": likelihood,
                    "rms_rad": level,
                    "surfaces": surfaces,
                    "captured": float(np.mean(np.array(errors) < CAPTURED_RAD)),
                    "median_time_over_easy_fit": float(np.median(seconds) / np.median(easy)),
                    "longest_time_over_easy_fit": float(np.max(seconds) / np.median(easy)),
                }
            )
    return table
