from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from oofpy.fitting.likelihood import HUBER_THRESHOLD, LIKELIHOODS, STUDENT_DEGREES_OF_FREEDOM
from oofpy.fitting.settings import LIKELIHOOD_NAMES

every = pytest.mark.parametrize("likelihood", LIKELIHOODS.values(), ids=LIKELIHOODS)

# No point within a step of Huber's threshold, where its slope jumps.
Z = torch.linspace(-6.03, 6.0, 400, dtype=torch.float64)
STEP = 1e-5


def test_every_likelihood_of_the_settings_is_there():
    assert set(LIKELIHOODS) == set(LIKELIHOOD_NAMES)


@every
def test_weight_times_z_is_the_derivative_of_the_cost(likelihood):
    psi = (likelihood.cost(Z + STEP) - likelihood.cost(Z - STEP)) / (2 * STEP)
    torch.testing.assert_close(likelihood.weight(Z) * Z, psi, rtol=1e-7, atol=1e-9)


@every
def test_slope_is_the_derivative_of_psi(likelihood):
    assert float((Z.abs() - HUBER_THRESHOLD).abs().min()) > STEP
    psi = [likelihood.weight(z) * z for z in (Z - STEP, Z + STEP)]
    torch.testing.assert_close(likelihood.slope(Z), (psi[1] - psi[0]) / (2 * STEP), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("gaussian", lambda z: z**2 / 2),
        ("cauchy", lambda z: np.log(1 + z**2)),
        ("student-t", lambda z: 2.5 * np.log(1 + z**2 / 4)),
        ("huber", lambda z: np.where(np.abs(z) < 1.345, z**2 / 2, 1.345 * np.abs(z) - 1.345**2 / 2)),
    ],
)
def test_costs_are_those_of_the_literature(name, cost):
    assert STUDENT_DEGREES_OF_FREEDOM == 4
    np.testing.assert_allclose(LIKELIHOODS[name].cost(Z).numpy(), cost(Z.numpy()), rtol=1e-12, atol=1e-14)


@every
def test_gaussian_scale_solves_its_equation(likelihood):
    def psi_z(z):
        return float(likelihood.weight(torch.tensor(z, dtype=torch.float64))) * z * z

    def expected(scale):
        def density(x):
            return psi_z(x / scale) * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)

        kink = HUBER_THRESHOLD * scale
        return 2 * (quad(density, 0, kink)[0] + quad(density, kink, 9)[0])

    assert expected(likelihood.gaussian_scale) == pytest.approx(1, abs=1e-3)
    assert expected(likelihood.gaussian_scale * 1.01) < 1 < expected(likelihood.gaussian_scale / 1.01)


@every
def test_scale_of_gaussian_noise_is_found_by_maximum_likelihood(likelihood):
    noise = torch.as_tensor(np.random.default_rng(5).normal(size=50_000) * 3.7)

    def cost(log_scale):
        return float(likelihood.cost(noise / np.exp(log_scale)).mean()) + log_scale

    found = np.exp(minimize_scalar(cost, bounds=(-3, 4), method="bounded").x)
    assert found == pytest.approx(3.7 * likelihood.gaussian_scale, rel=0.015)


@every
def test_integral_is_that_of_the_density(likelihood):
    def density(z):
        return float(torch.exp(-likelihood.cost(torch.tensor(z, dtype=torch.float64))))

    ends = (0, HUBER_THRESHOLD, np.inf)
    half = sum(quad(density, *between, epsabs=1e-12)[0] for between in pairwise(ends))
    assert likelihood.integral == pytest.approx(2 * half, rel=1e-9)


@every
def test_only_gaussian_says_that_it_is_quadratic(likelihood):
    constant = bool((likelihood.weight(Z) == likelihood.weight(Z[:1])).all())
    assert likelihood.quadratic == constant == (likelihood.name == "gaussian")
