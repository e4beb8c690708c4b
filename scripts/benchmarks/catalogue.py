"""A large catalogue: how long it takes to filter and to list."""

from __future__ import annotations

import hashlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from oofpy.catalogue import Catalogue, CoefficientRecord, ObservationRecord, OrderRecord, Outcome, ResultRecord

ORDER = 5
TELESCOPES = ("effelsberg", "gbt", "jcmt", "srt")
FILTERS = ("--telescope", "srt", "--rms-above", "350um", "--elevation-above", "30deg", "--sort", "-rms")
_AT_A_TIME = 2000


def catalogue(rows: int, repeats: int = 7) -> list[dict[str, Any]]:
    """Time of the whole command that filters, sorts and lists, and of its start without any of that."""
    with tempfile.TemporaryDirectory() as folder:
        with Catalogue.open(folder, create=True) as records:
            run = records.begin_run("benchmark", "0", "here")
            outcomes = _outcomes(rows)
            while batch := [outcome for outcome, _ in zip(outcomes, range(_AT_A_TIME), strict=False)]:
                records.record(run, batch)
            records.end_run(run, "completed")
        seconds = _median_seconds(["catalogue", "list", folder, *FILTERS], repeats)
    start = _median_seconds(["--help"], repeats)
    return [
        {
            "what": f"catalogue of {rows} rows: filter, sort and list, whole command, s",
            "value": seconds,
            "target": "<= 0.5",
        },
        {"what": "of which oofpy --help takes, s", "value": start, "target": ""},
    ]


def _outcomes(rows: int) -> Iterator[Outcome]:
    rng = np.random.default_rng(5)
    terms = [(n, l) for n in range(2, ORDER + 1) for l in range(-n, n + 1, 2)]
    begin = datetime(2015, 1, 1, tzinfo=UTC)
    for number in range(rows):
        date, rms = begin + timedelta(hours=number), float(rng.gamma(9, 25))
        observation = ObservationRecord(
            content_hash=_hash(f"content {number}"),
            name=f"obs{number:06d}",
            files=(f"obs{number:06d}.fits",),
            telescope=TELESCOPES[number % len(TELESCOPES)],
            object_name="3C84",
            date=date.isoformat(),
            date_utc=date,
            wavelength_m=0.009,
            elevation_rad=float(rng.uniform(0.3, 1.5)),
            maps=3,
            dz_m=(-0.02, 0.0, 0.02),
        )
        yield Outcome(observation, _result(number, rms, terms, rng))


def _result(number: int, rms: float, terms: list[tuple[int, int]], rng: np.random.Generator) -> ResultRecord:
    values = rng.normal(0, 0.1, len(terms))
    return ResultRecord(
        key=_hash(f"key {number}"),
        settings_digest=_hash("settings"),
        settings={"order": ORDER},
        status="ok",
        verdict="accept",
        folder=f"obs{number:06d}",
        order=ORDER,
        likelihood="cauchy",
        rms_um=rms,
        rms_um_error=rms / 100,
        orders=(OrderRecord(ORDER, "converged", rms, rms / 100, 0.0, 1.0, 0.0),),
        coefficients=tuple(
            CoefficientRecord(ORDER, n, l, float(value), 0.001) for (n, l), value in zip(terms, values, strict=True)
        ),
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _median_seconds(words: list[str], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "oofpy", *words], check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)
