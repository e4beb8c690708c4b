"""Three maps of a 15 m dish at 1.1 mm, written to a file."""

import numpy as np
import pytest

from oofpy.io import write_pyoof_fits
from oofpy.observation import BeamMap, Observation


def beam_map(dz, points=21):
    axis = np.linspace(-4e-4, 4e-4, points)
    u, v = (values.ravel() for values in np.meshgrid(axis, axis))
    width = 8e-5 * (1 + abs(dz) / 3e-3)
    power = 50 + 100 * (8e-5 / width) ** 2 * np.exp(-((u - 1e-5 * (1 + dz / 3e-3)) ** 2 + v**2) / 2 / width**2)
    return BeamMap(u, v, power + np.random.default_rng(points).normal(0, 0.1, u.size), dz)


@pytest.fixture
def maps_file(tmp_path):
    def write(name="obs.fits", dz=(-3e-3, 0.0, 3e-3)):
        write_pyoof_fits(Observation("made", tuple(beam_map(one) for one in dz), 1.1e-3), tmp_path / name)
        return tmp_path / name

    return write
