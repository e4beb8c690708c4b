"""One small observation for all tests of the fit: a 15 m dish at 1.1 mm, three maps of 41 x 41 samples, order 3."""

import numpy as np
import pytest

from oofpy.fitting.fitter import fit_observation
from oofpy.fitting.settings import FitSettings
from oofpy.optics.zernike import zernike_terms
from oofpy.simulation import Grid, NoiseModel, Simulator, random_surface
from oofpy.telescope import load_telescope

WAVELENGTH_M = 1.1e-3
BEAM_RAD = WAVELENGTH_M / 15
ORDER = 3


@pytest.fixture(scope="session")
def jcmt():
    return load_telescope("jcmt")


@pytest.fixture(scope="session")
def beam_rad():
    """lambda/D."""
    return BEAM_RAD


@pytest.fixture(scope="session")
def make_simulator(jcmt):
    """Simulators with exact areas of the pixels, by another propagator than the fit's."""

    def make(sampling=None, *, defocus_m=(-2e-3, 0.0, 2e-3), order=ORDER, telescope=jcmt):
        sampling = Grid(41, 6 * BEAM_RAD) if sampling is None else sampling
        return Simulator(telescope, WAVELENGTH_M, defocus_m, sampling, order=order, pixels_across=128)

    return make


@pytest.fixture(scope="session")
def simulator(make_simulator):
    return make_simulator()


@pytest.fixture(scope="session")
def surface():
    """A surface of order 3 and 0.5 rad rms without any symmetry."""
    return random_surface(ORDER, 0.5, seed=3)


@pytest.fixture(scope="session")
def simulated(simulator, surface):
    """Everything that real maps have: pointing errors, unequal gains, backgrounds, noise."""
    noise = NoiseModel(200, pointing_error_beams=0.3, gain_error=0.1, background=0.1, mean_gain=40.0)
    return simulator.observe(surface, noise, seed=1)


@pytest.fixture(scope="session")
def settings():
    """Settings of a fit of the true order alone."""

    def make(likelihood="gaussian", **others):
        return FitSettings(**{"order": ORDER, "likelihood": likelihood, "ladder": False, "device": "cpu"} | others)

    return make


@pytest.fixture(scope="session")
def phases():
    """Coefficients of a fit, radians."""

    def get(result):
        fit = getattr(result, "fit", result)
        return np.array([c.phase_rad for c in fit.coefficients])

    return get


@pytest.fixture(scope="session")
def phase_errors():
    """Standard errors of the coefficients of a fit, radians."""

    def get(result):
        fit = getattr(result, "fit", result)
        return np.array([c.phase_rad_error for c in fit.coefficients])

    return get


@pytest.fixture(scope="session")
def rms_rad():
    """Rms over the full disc of a difference of coefficients."""

    def get(difference):
        terms = zernike_terms(8, 2)[: len(difference)]
        norms = np.array([term.norm for term in terms])
        return float(np.sqrt(np.sum((np.asarray(difference) / norms) ** 2)))

    return get


@pytest.fixture(scope="session")
def fitted(simulated, jcmt, settings):
    """A sound fit with its ladder and the fits without each map."""
    return fit_observation(simulated.observation, jcmt, settings("cauchy", ladder=True, leave_one_out=True))


@pytest.fixture(scope="session")
def codes():
    """Codes of the flags of a result."""
    return lambda result: [flag.code for flag in result.flags]
