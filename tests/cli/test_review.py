import subprocess
import sys
import webbrowser
from contextlib import contextmanager

import pytest

pytest.importorskip("panel")

from oofpy.catalogue import Catalogue
from oofpy.review import server
from oofpy.review.server import Address


@pytest.fixture
def results(tmp_path):
    Catalogue.open(tmp_path / "results", create=True).close()
    return tmp_path / "results"


@pytest.fixture
def served(monkeypatch):
    """What is served, and browsers that are opened, without any."""

    class Calls(list):
        def __init__(self):
            self.opened = []

    calls = Calls()

    def fake(archive, address, ready):
        calls.append((archive, address))
        ready("http://127.0.0.1:5006/")

    def opened(url):
        calls.opened.append(url)

    monkeypatch.setattr(server, "serve", fake)
    monkeypatch.setattr(webbrowser, "open", opened)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "OOFPY_REVIEW_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return calls


def test_this_machine_only_unless_told_otherwise(run, served, results):
    outcome = run("review", results)
    assert (outcome.code, outcome.out, outcome.err) == (0, "http://127.0.0.1:5006/\n", "")
    [(archive, address)] = served
    assert archive.name == "results"
    assert address == Address("127.0.0.1", None, None, ())


def test_options(run, served, results, monkeypatch):
    words = (
        "--host",
        "0.0.0.0",
        "--port",
        "7000",
        "--origin",
        "https://review.example/x",
        "--origin",
        "a.example:8443",
    )
    assert run("review", results, *words, "--token", "open-sesame").code == 0
    monkeypatch.setenv("OOFPY_REVIEW_TOKEN", "of the environment")
    assert run("review", results).code == 0
    assert run("review", results, "--token", "said here").code == 0
    addresses = [address for _, address in served]
    assert addresses[0] == Address("0.0.0.0", 7000, "open-sesame", ("review.example", "a.example:8443"))
    assert [address.token for address in addresses[1:]] == ["of the environment", "said here"]


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="there is always a display")
def test_the_browser_is_opened_where_there_is_a_display(run, served, results, monkeypatch):
    run("review", results)
    monkeypatch.setenv("DISPLAY", ":0")
    run("review", results, "--no-browser")
    assert served.opened == []
    run("review", results)
    assert served.opened == ["http://127.0.0.1:5006/"]


def test_a_catalogue_on_a_server_belongs_to_a_folder(run, served, results, monkeypatch):
    asked = []

    @contextmanager
    def opened(place):
        asked.append(place)
        yield None

    monkeypatch.setattr(Catalogue, "open", opened)
    (results / "catalogue.sqlite").unlink()
    assert run("review", results, "--catalogue", "postgresql://me@host/db").code == 0
    assert asked == ["postgresql://me@host/db"]
    assert len(served) == 1


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--port", "70000"), "less than or equal to 65535"),
        (("--origin", "*"), "--origin = *: is no name"),
        (("--origin", "a.example:port"), "is no name"),
        (("--origin", "http://a b/"), "is no name"),
        (("--catalogue", "sqlite:///x"), "a catalogue is in a folder or in a PostgreSQL database"),
    ],
)
def test_refused_options(refused, results, options, said):
    assert said in refused("review", results, *options)


def test_refused_folders(refused, served, tmp_path):
    assert "no-such: is no folder; give the folder of results" in refused("review", tmp_path / "no-such")
    assert "the folder holds no catalogue.sqlite; give the folder" in refused("review", tmp_path)
    assert served == []


def test_a_token_that_is_short_is_refused_before_anything_listens(refused, results):
    assert "--token: is too short; give at least 8 letters" in refused(
        "review", results, "--token", "abc", "--port", "0"
    )


def test_without_the_extra(refused, results, monkeypatch):
    monkeypatch.setitem(sys.modules, "panel", None)
    assert "reviewing needs the library panel; pip install 'oofpy[review]'" in refused("review", results)


def test_help_waits_for_no_library():
    line = "import sys, oofpy.cli.application; print([n for n in ('panel', 'bokeh', 'tornado') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", line], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
