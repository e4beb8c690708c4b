"""The page served by the command itself, in a process of its own, and a Chromium that visits it.

Screenshots are kept in `test-output/`, or where OOFPY_TEST_OUTPUT says.
"""

import os
import queue
import signal
import subprocess
import sys
import threading
from urllib.parse import urlencode, urlsplit

import pytest

from oofpy.catalogue import Catalogue
from tests.chromium import output_folder, running_chromium
from tests.made_catalogue import made_catalogue
from tests.review.made_review import fill

WINDOWS = {"wide": {"width": 1400, "height": 900}, "phone": {"width": 390, "height": 844}}
LONGEST_START_S = 60


class Served:
    """A running `oofpy review`, after a line of Python where something is to be broken."""

    def __init__(self, results, *options, environment=None, after="pass"):
        program = f"import sys, oofpy.cli\n{after}\nsys.exit(oofpy.cli.main(sys.argv[1:]))"
        words = [sys.executable, "-c", program, "review", str(results), "--no-browser", *map(str, options)]
        self.process = subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=results,
            env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
        )
        self._lines, self._log = queue.Queue(), []
        self._readers = [
            threading.Thread(target=self._read, args=[self.process.stdout, self._lines.put], daemon=True),
            threading.Thread(target=self._read, args=[self.process.stderr, self._log.append], daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        try:
            self.address = self._lines.get(timeout=LONGEST_START_S).strip()
        except queue.Empty:
            self.end()
            raise AssertionError(f"it did not start: {self.log}") from None

    @staticmethod
    def _read(stream, take):
        for line in stream:
            take(line)

    @property
    def url(self):
        """The address without its token."""
        return self.address.partition("?")[0]

    @property
    def port(self):
        return urlsplit(self.address).port

    @property
    def log(self):
        return "".join(self._log)

    def end(self, number=signal.SIGTERM, timeout_s=5):
        """Send a signal; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        for reader in self._readers:
            reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        return code


@pytest.fixture(scope="module")
def serve():
    """Serve a folder of results on a free port, with options of `oofpy review`."""
    running = []

    def start(results, *options, port=0, **arguments):
        words = options if port is None else ("--port", port, *options)
        running.append(Served(results, *words, **arguments))
        return running[-1]

    yield start
    for served in running:
        if served.process.poll() is None:
            served.end()


class Reviewed:
    """A catalogue that is served for all tests together; each decides on results of its own.

    Attributes
    ----------
    results : Path
    keys : dict of str to str
        By the names of the observations.
    served : Served
    """

    def __init__(self, results, keys):
        self.results, self.keys, self.served = results, keys, Served(results, "--port", 0)

    def address(self, observation="", /, **query):
        """Where an observation is open, or where anything else is."""
        opened = {"page": "observation", "keys": self.keys[observation][:12]} if observation else {}
        return f"{self.served.url}?{urlencode(opened | query, doseq=True)}"

    def decisions(self, name):
        """What was decided on an observation: by whom, what, and why."""
        with Catalogue.open(self.results) as catalogue:
            return [(one.who, one.decision, one.why) for one in catalogue.decisions(self.keys[name])]

    def decide(self, name, who, decision, why=""):
        """Decide as somebody else does it, elsewhere."""
        with Catalogue.open(self.results) as catalogue:
            catalogue.decide_all([self.keys[name]], who, decision, why)

    def end(self):
        assert self.served.end() == 0
        assert self.served.log == ""


@pytest.fixture(scope="session")
def fitted(tmp_path_factory):
    """Three observations with results, one that could not be read, and rows whose names mean harm."""
    reviewed = Reviewed(*fill(tmp_path_factory.mktemp("fitted")))
    yield reviewed
    reviewed.end()


@pytest.fixture(scope="session")
def many(tmp_path_factory):
    """Five thousand observations without results."""
    results = made_catalogue(tmp_path_factory.mktemp("many") / "results", 4999)
    reviewed = Reviewed(results, {f"obs{number:03d}": f"key{number:03d}" for number in range(4999)})
    yield reviewed
    reviewed.end()


@pytest.fixture(scope="session")
def kept():
    """Folder for what is to be looked at."""
    return output_folder()


@pytest.fixture(scope="module")
def browser():
    with running_chromium() as running:
        yield running


class Visit:
    """A tab that is open, with cookies of its own, and what it did besides being shown."""

    def __init__(self, browser, url, window, expected=()):
        self._context = browser.new_context(viewport=WINDOWS[window], accept_downloads=True)
        self._expected = tuple(expected)
        self.requests, self.complaints, self.dialogs = [], [], []
        self.page = self.tab(url)

    def tab(self, url):
        """Open one more tab, which has the same cookies and the same memory."""
        page = self._context.new_page()
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", self._dismiss)
        page.goto(url, wait_until="load")
        return page

    def _hear(self, message):
        if message.type == "error" and not any(words in message.text for words in self._expected):
            self.complaints.append(message.text)

    def _dismiss(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def close(self):
        self._context.close()


@pytest.fixture
def visit(browser):
    """Open an address in a tab of its own; a test fails where a tab reports errors that it did not name as expected."""
    visits = []

    def opened(url, window="wide", expected=()):
        visits.append(Visit(browser, url, window, expected))
        return visits[-1]

    yield opened
    complaints = [line for entry in visits for line in entry.complaints]
    dialogs = [line for entry in visits for line in entry.dialogs]
    for entry in visits:
        entry.close()
    assert (complaints, dialogs) == ([], [])
