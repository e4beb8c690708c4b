"""The Chromium of the system, and where what it shows is kept to be looked at."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def output_folder():
    place = Path(os.environ.get("OOFPY_TEST_OUTPUT") or Path(__file__).parents[1] / "test-output")
    place.mkdir(parents=True, exist_ok=True)
    return place


@contextmanager
def running_chromium():
    """A Chromium with a profile of its own; the test is skipped where there is none, which CI does not allow."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        missing = f"no browser here: none of {', '.join(BROWSERS)} is installed"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield running
        running.close()
