"""Run the command line in this process, on small files and with a fit that costs nothing."""

from dataclasses import dataclass

import numpy as np
import pytest

import oofpy
from oofpy.cli import main
from oofpy.io import write_pyoof_fits
from oofpy.observation import BeamMap, Observation


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys):
    def run(*words):
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def refused(run):
    """Run what must be refused: exit code 2, one line on standard error, nothing on standard output."""

    def refused(*words):
        outcome = run(*words)
        assert outcome.code == 2, outcome
        assert outcome.out == ""
        assert outcome.err.startswith("oofpy: error: ")
        assert len(outcome.err.splitlines()) == 1
        return outcome.err.strip()

    return refused


def beam_map(dz, offset_rad, points=21):
    axis = np.linspace(-4e-4, 4e-4, points)
    u, v = (values.ravel() for values in np.meshgrid(axis, axis))
    width = 8e-5 * (1 + abs(dz) / 3e-3)
    power = 50 + 100 * (8e-5 / width) ** 2 * np.exp(-((u - offset_rad) ** 2 + v**2) / 2 / width**2)
    return BeamMap(u, v, power + np.random.default_rng(points).normal(0, 0.1, u.size), dz)


@pytest.fixture
def maps_file(tmp_path):
    """Write three maps of a 15 m dish at 1.1 mm; the peak of the last one is at u = 0.1 mrad."""

    def write(name="obs.fits", dz=(-3e-3, 0.0, 3e-3), folder=tmp_path):
        maps = [beam_map(value, offset) for value, offset in zip(dz, (0, 0, 1e-4), strict=False)]
        folder.mkdir(parents=True, exist_ok=True)
        made = Observation("made", tuple(maps), 1.1e-3, object_name="Mars")
        write_pyoof_fits(made, folder / name, overwrite=True)
        return folder / name

    return write


@pytest.fixture
def fits(monkeypatch, named):
    """Replace the fit; gives what it was called with. `fits.result` may change what it returns."""

    class Calls(list):
        result = staticmethod(lambda observation, **changes: named(name=observation.name, **changes))

    calls = Calls()

    def fake(observation, telescope, settings, *, report):
        report("order 2 of 5: rms 31.2 um")
        calls.append((observation, telescope, settings))
        return calls.result(observation)

    monkeypatch.setitem(vars(oofpy), "fit", fake)
    return calls
