"""Small observations in files, and recipes for them."""

import numpy as np
import pytest

from oofpy.fitting.settings import FitSettings
from oofpy.io import write_pyoof_fits
from oofpy.observation import BeamMap, Observation
from oofpy.recipe import Recipe
from oofpy.recipe.reading import Reading


def beam_map(dz, points=21):
    axis = np.linspace(-4e-4, 4e-4, points)
    u, v = (values.ravel() for values in np.meshgrid(axis, axis))
    width = 8e-5 * (1 + abs(dz) / 3e-3)
    power = 50 + 100 * (8e-5 / width) ** 2 * np.exp(-((u - 0.01 * dz) ** 2 + v**2) / 2 / width**2)
    return BeamMap(u, v, power + np.random.default_rng(points).normal(0, 0.1, u.size), dz)


@pytest.fixture
def observation_file(tmp_path):
    """Write an observation of a 15 m dish at 1.1 mm, with a map for each dz."""

    def write(name="obs.fits", dz=(-3e-3, 0.0, 3e-3), **said):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_pyoof_fits(Observation("made", tuple(beam_map(one) for one in dz), 1.1e-3, **said), path, overwrite=True)
        return path

    return write


@pytest.fixture
def text_file(tmp_path):
    def write(name, text="0 0 1\n1e-4 0 2\n0 1e-4 3\n"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def recipe():
    return Recipe(FitSettings(), Reading(), "jcmt")
