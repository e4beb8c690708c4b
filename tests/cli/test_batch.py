"""`oofpy batch` as a user meets it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from oofpy.cli import main
from scripts.benchmarks.broken_files import BROKEN
from tests.archive.made_archive import OPTIONS, catalogued, write_archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    good = write_archive(folder, 4)
    BROKEN["empty"].make(good[0], folder / "zero.fits")
    return folder


def batch(*arguments, workers="0"):
    return main(["batch", *map(str, arguments), "--workers", workers, *OPTIONS])


def test_a_run_with_failures_has_completed(archive, tmp_path, capsys):
    assert batch(archive, "--out", tmp_path) == 0
    told = capsys.readouterr()
    table = [line.split() for line in told.out.splitlines()]
    assert ["failed", "1"] in table
    assert ["flagged", "4", "(too-few-good-maps"] in [line[:3] for line in table]
    assert f"zero: {archive / 'zero.fits'}: the file is empty" in told.out
    assert told.out.splitlines()[-1] == f"results in {tmp_path}"
    assert "this process" in told.err
    assert batch(archive, "--out", tmp_path) == 0
    told = capsys.readouterr().out
    assert "1 failed before)" in told
    assert "--retry-failed" in told


def test_json_tells_the_same(archive, tmp_path, capsys):
    assert batch(archive, "--out", tmp_path, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"] + told["flagged"], told["failed"], told["state"], told["found"]) == (4, 1, "completed", 5)
    assert told["failures"][0][0] == "zero"


def test_quiet_prints_nothing(archive, tmp_path, capsys):
    assert batch(archive / "obs000.fits", "--out", tmp_path, "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_many_failures_are_not_all_listed(tmp_path, capsys):
    folder = tmp_path / "archive"
    folder.mkdir()
    for number in range(25):
        (folder / f"{number:02d}.fits").write_bytes(b"no beam map %d" % number)
    assert batch(folder, "--out", tmp_path / "out") == 0
    told = capsys.readouterr().out
    assert told.count("no known format") == 20
    assert f"and 5 more: oofpy catalogue list {tmp_path / 'out'} --status failed" in told


def test_a_manifest_says_what_to_fit(archive, tmp_path, capsys):
    manifest = tmp_path / "list.csv"
    manifest.write_text(f"file,likelihood\n{archive}/obs000.fits,gaussian\n{archive}/obs001.fits,\n")
    assert batch("--manifest", manifest, "--out", tmp_path / "out", "--quiet") == 0
    assert {row["name"]: row["likelihood"] for row in catalogued(tmp_path / "out").values()} == {
        "obs000": "gaussian",
        "obs001": "cauchy",
    }
    assert capsys.readouterr() == ("", "")


def test_a_report_is_made_on_request(archive, tmp_path):
    assert batch(archive / "obs000.fits", "--out", tmp_path, "--report", "--quiet") == 0
    (page,) = tmp_path.glob("*/report.html")
    assert "obs000" in page.read_text()
    assert not list(tmp_path.glob("*/*.png"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to fit is named"),
        (["/no/such/place"], "no such file or folder"),
        (["--manifest", "/no/such/list.csv"], "there is no such file"),
        (["--scheduler", "nonsense", "."], "is neither a scheduler file nor an address with its port"),
        (["--scheduler", "tcp://127.0.0.1", "."], "is neither a scheduler file nor an address with its port"),
        (["--order", "99", "."], "order"),
    ],
)
def test_bad_usage_is_told_in_a_line(arguments, words, tmp_path, capsys):
    assert main(["batch", *arguments, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_is_done(archive, tmp_path, which):
    command = [sys.executable, "-m", "oofpy", "batch", archive, "--out", tmp_path, "--workers", "1", *OPTIONS]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert "1 process" in process.stderr.readline()
    began = time.monotonic()
    process.send_signal(which)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert told == "oofpy: error: interrupted; the same command goes on from here\n"
    assert time.monotonic() - began < 20
    assert batch(archive, "--out", tmp_path, "--quiet") == 0
    assert len(catalogued(tmp_path)) == 5


def test_a_terminal_sees_how_far_it_is(archive, tmp_path):
    terminal, other = pty.openpty()
    command = [sys.executable, "-m", "oofpy", "batch", archive, "--out", tmp_path, "--workers", "0", *OPTIONS]
    process = subprocess.Popen(command, stderr=other, stdout=subprocess.PIPE, env={**os.environ, "TERM": "xterm"})
    os.close(other)
    seen = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    os.close(terminal)
    process.communicate()
    assert process.returncode == 0
    assert b"of 5: " in seen
