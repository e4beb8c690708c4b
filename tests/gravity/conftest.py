"""Observations at many elevations with a known model: coefficients made without a map, and a small archive of maps."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from oofpy.fitting.fitter import fit_batch
from oofpy.fitting.settings import FitSettings
from oofpy.gravity.joint import MapBatch
from oofpy.gravity.model import gravity_terms
from oofpy.gravity.series import CoefficientSeries, ElevationSample
from oofpy.observing import AppliedCorrection, Observing
from oofpy.optics.half_path import phase_of_half_path_rad
from oofpy.optics.zernike import zernike_terms
from oofpy.simulation import Grid, NoiseModel, Simulator
from oofpy.telescope import load_telescope

TERMS = zernike_terms(3, 2)


@pytest.fixture(scope="session")
def truth_um():
    """A, B and C of every term of order 3."""
    return np.random.default_rng(5).normal(0, 80, (len(TERMS), 3))


@pytest.fixture(scope="session")
def make_samples(truth_um):
    """Observations at 20 to 85 deg with correlated errors of a few micrometres, unequal from one to the next."""

    def make(seed=1, count=60, scatter_um=0.0):
        rng = np.random.default_rng(seed)
        samples = []
        for number, elevation in enumerate(np.radians(np.linspace(20, 85, count))):
            root = rng.normal(size=(len(TERMS), len(TERMS)))
            covariance = (root @ root.T / len(TERMS) + np.eye(len(TERMS))) * rng.uniform(0.5, 4)
            values = truth_um @ gravity_terms(elevation) + scatter_um * rng.normal(size=len(TERMS))
            values += rng.multivariate_normal(np.zeros(len(TERMS)), covariance)
            samples.append(
                ElevationSample(f"scan{number:02d}", "dish", 15.0, float(elevation), 1.1e-3, TERMS, values, covariance)
            )
        return samples

    return make


@pytest.fixture(scope="session")
def make_series(make_samples):
    """The same side by side; the first `far` of them displaced by 50 um and more in every coefficient."""

    def make(seed=1, count=60, scatter_um=0.0, far=0):
        rng = np.random.default_rng(seed + 1000)
        samples = make_samples(seed, count, scatter_um)
        for number in range(far):
            shift = rng.uniform(50, 300, len(TERMS)) * rng.choice([-1, 1], len(TERMS))
            samples[number] = replace(samples[number], values_um=samples[number].values_um + shift)
        return CoefficientSeries.of(samples)

    return make


WAVELENGTH_M = 1.1e-3
BEAM_RAD = WAVELENGTH_M / 15
# Half-path micrometres of the archive below: large enough to be seen, small enough for every fit to find them.
MODEL_UM = np.array(
    [[20, -15, 10], [-30, 12, 5], [8, 25, -12], [10, -5, 4], [-12, 8, 6], [15, -9, -3], [5, 11, -8]], float
)
CORRECTION_RAD = ((2, 2, 0.4), (3, -1, -0.25), (2, 0, 0.15))


@dataclass(frozen=True)
class Archive:
    """Ten simulated observations of one dish, its model, and their fits; every second one with a correction on it."""

    telescope: object
    settings: object
    observations: tuple
    results: tuple

    def batches(self):
        """Maps in two batches."""
        for part in (slice(0, 4), slice(4, None)):
            chosen = self.observations[part]
            yield MapBatch(tuple(one.name for one in chosen), chosen, self.telescope, self.settings)


@pytest.fixture(scope="session")
def archive():
    telescope = load_telescope("jcmt")
    observations = []
    simulators = [
        Simulator(
            telescope,
            WAVELENGTH_M,
            (-2e-3, 0.0, 2e-3),
            Grid(25, 4 * BEAM_RAD),
            order=3,
            pixels_across=96,
            observing=observing,
        )
        for observing in (Observing(), Observing(applied=AppliedCorrection(CORRECTION_RAD)))
    ]
    for number, elevation in enumerate(np.radians(np.linspace(22, 84, 10))):
        # A third of them are weak.
        noise = NoiseModel(8.0 if number % 3 == 1 else 80.0, pointing_error_beams=0.2, background=0.1)
        surface = phase_of_half_path_rad(MODEL_UM @ gravity_terms(elevation), WAVELENGTH_M)
        made = simulators[number % 2].observe(surface, noise, number, name=f"night{number}")
        observations.append(replace(made.observation, elevation_rad=float(elevation)))
    settings = FitSettings(order=3, likelihood="gaussian", ladder=False, device="cpu")
    results = fit_batch(observations, telescope, settings)
    return Archive(telescope, settings, tuple(observations), tuple(results))
