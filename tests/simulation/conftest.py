"""Dishes and simulators small enough for tests."""

import numpy as np
import pytest

from oofpy.simulation import Grid, Simulator, random_surface
from oofpy.telescope import Geometry, Illumination, Telescope, load_telescope

WAVELENGTH_M = 1.1e-3
DEFOCUS_M = (-3e-3, 0.0, 3e-3)


@pytest.fixture(scope="session")
def tophat_dish():
    """A bare dish with even illumination, whose beam is the Airy pattern."""
    return Telescope("tophat", Geometry("prime-focus", 7.5, 5.4), Illumination("tophat"))


@pytest.fixture(scope="session")
def jcmt():
    return load_telescope("jcmt")


@pytest.fixture(scope="session")
def beam_rad():
    """lambda/D of a 15 m dish at 1.1 mm."""
    return WAVELENGTH_M / 15


@pytest.fixture(scope="session")
def make_simulator(jcmt, beam_rad):
    """Simulators of the 15 m dish, coarse unless a test says otherwise."""

    def make(sampling=None, *, telescope=jcmt, defocus_m=DEFOCUS_M, pixels_across=128, **settings):
        sampling = Grid(25, 6 * beam_rad) if sampling is None else sampling
        return Simulator(telescope, WAVELENGTH_M, defocus_m, sampling, pixels_across=pixels_across, **settings)

    return make


@pytest.fixture(scope="session")
def coarse(make_simulator):
    return make_simulator()


@pytest.fixture(scope="session")
def surface():
    """A surface without any symmetry."""
    return random_surface(5, 0.6, seed=11)


@pytest.fixture(scope="session")
def fourier_sum():
    """Power at given directions by the plain sum over the pixels."""

    def power(simulator, field, u, v):
        x, y = (values.numpy() for values in simulator.mesh_m)
        k = 2 * np.pi / simulator.wavelength_m
        found = [np.sum(field.numpy() * np.exp(-1j * k * (x * a + y * b))) for a, b in zip(u, v, strict=True)]
        return np.abs(found) ** 2

    return power
