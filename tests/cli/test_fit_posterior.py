import json
import sys
from dataclasses import replace
from importlib.machinery import PathFinder

import pytest

from oofpy.fitting import posterior_sampling
from oofpy.flags import Flag
from oofpy.io.posterior_file import POSTERIOR_FILE, read_posterior, write_posterior
from oofpy.report import fit_report
from tests.made_posterior import WIDER, made_posterior

PLAIN = ("--no-figures", "--no-report")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results"


@pytest.fixture
def sampled(monkeypatch, fits):
    """Replace the sampling; gives what it was called with. `sampled.changes` go into the posterior."""

    class Calls(list):
        changes = {}  # noqa: RUF012

    calls = Calls()
    found = fits.result
    fits.result = lambda observation: found(observation, flags=(Flag("file-odd", "a note"),))

    def fake(observation, result, *, steps, report):
        report("100 steps of 64 walkers, 900 effective samples")
        calls.append((observation, result, steps))
        return replace(made_posterior(result), **calls.changes)

    monkeypatch.setattr(posterior_sampling, "sample_fit", fake)
    return calls


def test_posterior_is_printed_and_written(run, maps_file, sampled, out):
    outcome = run("fit", maps_file(), "--telescope", "jcmt", "--out", out, "--posterior", *PLAIN)
    assert outcome.code == 0
    [(observation, result, steps)] = sampled
    assert (observation.name, observation.frame, result.name, steps) == ("obs", "model", "obs", 3000)
    lines = outcome.out.splitlines()
    [words] = [line for line in lines if line.startswith("posterior: ")]
    assert "differ from the error by more than a factor of 1.2" in words
    [row] = [line for line in lines if line.startswith(f"{WIDER} ") and line.endswith("differs")]
    assert "1.6" in row
    assert lines[-1] == f"results in {out / 'obs'}"
    posterior = read_posterior(out / "obs")
    assert posterior.belongs_to(result)
    assert "obs: posterior: 100 steps of 64 walkers, 900 effective samples" in outcome.err
    assert "obs: posterior converged, 12 s" in outcome.err
    assert json.loads((out / "obs" / "summary.json").read_text())["posterior"]["walkers"] == 64


def test_without_the_option_there_is_none(run, maps_file, sampled, out):
    outcome = run("fit", maps_file(), "--telescope", "jcmt", "--out", out, *PLAIN)
    assert sampled == []
    assert "posterior" not in outcome.out
    assert not (out / "obs" / POSTERIOR_FILE).exists()


def test_not_converged_is_said_and_changes_no_exit_code(run, maps_file, sampled, out):
    sampled.changes = {"status": "not-converged", "advice": "9 steps are few: give more steps"}
    words = ("--posterior", "--posterior-steps", "9")
    outcome = run("fit", maps_file(), "--telescope", "jcmt", "--out", out, *words, *PLAIN)
    assert outcome.code == 0
    assert sampled[0][2] == 9
    assert "posterior: Not converged: 9 steps are few: give more steps." in outcome.out
    assert "obs: posterior not-converged" in outcome.err


def test_json_holds_it(run, maps_file, sampled, out):
    outcome = run("fit", maps_file(), "--telescope", "jcmt", "--out", out, "--posterior", "--json", *PLAIN)
    assert len(sampled) == 1
    assert json.loads(outcome.out)["posterior"]["status"] == "converged"


def test_report_shows_it_again_from_the_file(run, maps_file, sampled, out, monkeypatch):
    monkeypatch.setattr(fit_report, "FIGURES", ())
    run("fit", maps_file(), "--telescope", "jcmt", "--out", out, "--posterior")
    first = (out / "obs" / "report.html").read_text()
    assert "Standard errors and posterior" in first
    for name in ("report.html", "posterior.png"):
        (out / "obs" / name).unlink()
    assert run("report", out / "obs").code == 0
    assert (out / "obs" / "report.html").read_text() == first
    assert (out / "obs" / "posterior.png").read_bytes().startswith(b"\x89PNG")
    assert len(sampled) == 1


def test_report_refuses_the_posterior_of_another_fit(run, refused, maps_file, sampled, out):
    run("fit", maps_file(), "--telescope", "jcmt", "--out", out, "--posterior", *PLAIN)
    path = out / "obs" / POSTERIOR_FILE
    other = replace(read_posterior(path), order=2)
    path.unlink()
    write_posterior(other, path)
    assert f"{path}: this posterior is not that of the result beside it; remove it" in refused("report", out / "obs")
    assert len(sampled) == 1


def test_missing_extra_is_said_before_the_fit(refused, maps_file, sampled, fits, out, monkeypatch):
    find = PathFinder.find_spec
    monkeypatch.delitem(sys.modules, "emcee", raising=False)
    monkeypatch.setattr(PathFinder, "find_spec", lambda name, *others: None if name == "emcee" else find(name, *others))
    error = refused("fit", maps_file(), "--telescope", "jcmt", "--out", out, "--posterior")
    assert error.endswith(
        "--posterior: a posterior needs emcee, which is not installed; pip install 'oofpy[posterior]'"
    )
    assert (fits, sampled) == ([], [])
