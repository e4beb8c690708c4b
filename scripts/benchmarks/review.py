"""The review page in a browser: how long the first page of a large archive takes, and opening one observation."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.archive import LIGHT_OPTIONS, write_files
from oofpy.catalogue import Catalogue
from oofpy.catalogue.records import ObservationRecord, Outcome, ResultRecord

ROWS = 5000
OBSERVATIONS = 12
VISITS = 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_LONGEST_S = 120
# How long somebody looks at the table at least, before one of its rows is opened.
_READ_S = 2
# Just enough for the keys and the address to be listened to.
_NO_TIME_S = 0.1


def review(rows: int = ROWS) -> list[dict[str, Any]]:
    """Seconds in the browser, medians; most rows of the catalogue are copies of one."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "results"
        keys = _fill(place, Path(folder) / "archive", rows)
        with _served(place) as url, _browser() as browser:
            first = [_seconds(browser, url, _table_is_there) for _ in range(VISITS + 1)]
            at_once, opened = (
                [_opening(browser, url, key, read_s) for key in keys] for read_s in (_NO_TIME_S, _READ_S)
            )
    return [
        {
            "what": f"first page with {rows} results, s",
            "value": float(np.median(first[1:])),
            "longest": max(first[1:]),
            "target": "<= 3",
        },
        {"what": "the very first after the start, s", "value": first[0], "longest": first[0], "target": ""},
        {
            "what": f"opening one of {len(opened)}, the first after {_READ_S} s with the table, s",
            "value": float(np.median(opened)),
            "longest": max(opened),
            "target": "<= 1",
        },
        {
            "what": "opening one in the moment in which the table is there, s",
            "value": float(np.median(at_once)),
            "longest": max(at_once),
            "target": "",
        },
    ]


def _fill(place: Path, archive: Path, rows: int) -> list[str]:
    """Fit a few observations, and add rows without a file as many as asked for; gives keys of those with one."""
    write_files(archive, OBSERVATIONS, 65)
    command = [sys.executable, "-m", "oofpy", "batch", str(archive), "--telescope", "effelsberg", "--out", str(place)]
    subprocess.run([*command, *LIGHT_OPTIONS, "--workers", "1", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    with Catalogue.open(place) as catalogue:
        fitted = catalogue.select()
        entry = catalogue.show(fitted[0].key)
        copies = [_copy(entry.observation, entry.result, number) for number in range(rows - len(fitted))]
        catalogue.record(catalogue.begin_run("benchmark", "", ""), copies)
        assert catalogue.count() == rows
    return [row.key for row in fitted]


def _copy(observation: ObservationRecord, result: ResultRecord, number: int) -> Outcome:
    name = f"copy{number:05d}"
    return Outcome(
        replace(observation, content_hash=f"content-{name}", name=name, files=(f"{name}.fits",)),
        replace(result, key=f"{number:012d}{name}", folder=None),
    )


@contextmanager
def _served(place: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "oofpy", "review", str(place), "--port", "0", "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
    try:
        yield lines.get(timeout=_LONGEST_S).strip()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@contextmanager
def _browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    found = next(path for path in map(shutil.which, BROWSERS) if path)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


def _table_is_there(page: Any) -> None:
    page.locator(".tabulator-row").first.wait_for()


def _observation_is_there(page: Any) -> None:
    """All of the page has come, and every figure of it is drawn."""
    page.locator("h2", has_text="Maps and their fit").wait_for()  # what is sent last
    page.locator(".bk-Figure:visible").first.wait_for()
    page.wait_for_function("() => Bokeh.documents.every(one => one.is_idle)")
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


def _seconds(browser: Any, url: str, wait: Callable[[Any], None]) -> float:
    """From the request to what is waited for, with nothing kept of an earlier visit."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(1000 * _LONGEST_S)
    began = time.perf_counter()
    page.goto(url)
    wait(page)
    seconds = time.perf_counter() - began
    context.close()
    return seconds


def _opening(browser: Any, url: str, key: str, read_s: float) -> float:
    """From the table to the figures of one observation, as by the button of the browser that goes back to it."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(1000 * _LONGEST_S)
    page.goto(url)
    _table_is_there(page)
    page.wait_for_timeout(1000 * read_s)
    began = time.perf_counter()
    page.evaluate(
        "query => { history.pushState({}, '', query); dispatchEvent(new PopStateEvent('popstate')) }",
        f"?page=observation&keys={key[:12]}",
    )
    _observation_is_there(page)
    seconds = time.perf_counter() - began
    context.close()
    return seconds


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for row in review():
        print(row)
