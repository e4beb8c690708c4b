import os
import subprocess
import sys
from pathlib import Path

import pytest

import oofpy
from oofpy import __version__
from oofpy.cli import application, main


def start(*words, cwd=None, stdout=subprocess.PIPE, **variables):
    """Run the real command; the package need not be installed for it."""
    return subprocess.run(
        [sys.executable, "-m", "oofpy", *map(str, words)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(oofpy.__file__).parents[1]), **variables},
    )


def test_version_and_help_of_the_real_command():
    version = start("--version")
    assert (version.returncode, version.stdout, version.stderr) == (0, f"oofpy {__version__}\n", "")
    helped = start("--help")
    assert helped.returncode == 0
    for word in ("fit", "inspect", "convert", "formats", "simulate", "telescopes", "--version", "4 done but flagged"):
        assert word in helped.stdout


def test_bad_file_of_the_real_command(tmp_path):
    path = tmp_path / "absent.fits"
    refused = start("fit", path, "--telescope", "srt", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr == f"oofpy: error: {path}: there is no such file; check the path\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["fit", "inspect", "convert", "formats", "simulate", "telescopes"])
def test_help_of_every_command(run, command):
    outcome = run(command, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert f"Usage: oofpy {command}" in outcome.out
    assert run(command, "-h").out == outcome.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing command; see 'oofpy --help'"),
        (["ftt"], "No such command 'ftt'"),
        (["fit"], "Missing argument 'FILE'; see 'oofpy fit --help'"),
        (["fit", "a.fits", "--oder", "3"], "No such option: --oder"),
        (["fit", "a.fits", "--order"], "'--order' requires an argument"),
        (["simulate", "--telescope", "srt"], "Missing option '--dz'; see 'oofpy simulate --help'"),
        (["simulate", "--telescope", "srt", "--dz", "1mm", "--seed", "x"], "Invalid value for '--seed'"),
        (["convert", "a.fits"], "Missing option '--out'; see 'oofpy convert --help'"),
        (["formats", "fits"], "unexpected extra argument"),
        (["telescopes", "show"], "Missing argument 'NAME|FILE.toml'"),
    ],
)
def test_bad_usage_is_one_line(refused, words, said):
    assert said in refused(*words)


def test_internal_fault_is_one_line_unless_debugged(run, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("a\nb\x1b[2J")

    monkeypatch.setattr(application, "_run", broken)
    monkeypatch.delenv("OOFPY_DEBUG", raising=False)
    outcome = run("telescopes")
    assert outcome.code == 70
    assert outcome.err == (
        "oofpy: error: internal error: ZeroDivisionError: a b?[2J; set OOFPY_DEBUG=1 to see where, and report it\n"
    )
    monkeypatch.setenv("OOFPY_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        main(["telescopes"])


def test_interruption(run, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("oofpy.telescope.loading.available_telescopes", interrupted)
    outcome = run("telescopes")
    assert (outcome.code, outcome.err) == (130, "oofpy: error: interrupted\n")


@pytest.mark.skipif(os.name == "nt", reason="pipes close otherwise on Windows")
@pytest.mark.parametrize("buffering", ["", "1"])
@pytest.mark.parametrize("word", ["telescopes", "--help"])
def test_reader_that_leaves_early(word, buffering):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = start(word, stdout=writing, PYTHONUNBUFFERED=buffering)
    finally:
        os.close(writing)
    assert ended.returncode != 0
    assert ended.stderr == ""


def test_text_that_the_terminal_cannot_show(tmp_path):
    shown = start("inspect", tmp_path / "\u00fc.fits", PYTHONIOENCODING="ascii")
    assert shown.returncode == 2
    assert shown.stderr.count("\n") == 1
    assert "\\xfc.fits: there is no such file" in shown.stderr
