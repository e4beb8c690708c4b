from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.fitter import fit_observation
from oofpy.fitting.problem import prepare
from oofpy.fitting.settings import ParameterRule
from oofpy.fitting.solver import Tolerances
from oofpy.fitting.tied import free_terms, local_likelihoods, starts_at

WIDE = 10.0


@pytest.fixture(scope="module")
def truth(simulated):
    return simulated.truth.coefficients_rad[[term.n >= 2 for term in simulated.truth.terms]]


@pytest.fixture(scope="module")
def problem(simulated, jcmt, settings):
    return prepare((simulated.observation,) * 2, jcmt, settings(), 3)


def test_wide_prior_gives_the_fit_of_its_own(problem, simulated, jcmt, settings, phases, phase_errors, truth):
    single = fit_observation(simulated.observation, jcmt, settings())
    mean, sigma = np.tile(truth, (2, 1)), np.full((2, truth.size), WIDE)
    local = local_likelihoods(problem, starts_at(problem, mean), mean, sigma, Tolerances(1e-5))
    for row in range(2):
        np.testing.assert_allclose(local.most_likely_rad[row], phases(single), atol=0.02 * phase_errors(single).min())
        np.testing.assert_allclose(np.sqrt(np.diag(local.covariance_rad2[row])), phase_errors(single), rtol=0.15)


def test_prior_holds_the_fit_but_is_not_in_the_likelihood(problem, truth):
    """Drawn out a few standard errors beside its maximum, the Gaussian still has it where the maps say."""
    free = local_likelihoods(
        problem, starts_at(problem, np.tile(truth, (2, 1))), np.tile(truth, (2, 1)), np.full((2, 7), WIDE), Tolerances()
    )
    errors = np.sqrt(np.diagonal(free.covariance_rad2, axis1=1, axis2=2))
    mean = free.most_likely_rad + np.array([[3.0], [-3.0]]) * errors
    held = local_likelihoods(problem, starts_at(problem, mean), mean, 0.3 * errors, Tolerances())
    # The prior had its way: each fit ended near its own.
    assert (np.abs(held.expanded_rad - mean) < np.abs(held.expanded_rad - free.most_likely_rad)).sum() > 10
    np.testing.assert_allclose(held.most_likely_rad, free.most_likely_rad, atol=0.1 * errors.max())
    np.testing.assert_allclose(np.sqrt(np.diagonal(held.covariance_rad2, axis1=1, axis2=2)), errors, rtol=0.1)


def test_loose_tolerance_costs_nothing(problem, truth):
    mean, sigma = np.tile(truth, (2, 1)), np.full((2, 7), 0.02)
    loose = local_likelihoods(problem, starts_at(problem, mean), mean, sigma, Tolerances(1.0))
    tight = local_likelihoods(problem, starts_at(problem, mean), mean, sigma, Tolerances(1e-6))
    errors = np.sqrt(np.diagonal(tight.covariance_rad2, axis1=1, axis2=2))
    assert (np.abs(loose.most_likely_rad - tight.most_likely_rad) / errors).max() < 0.05


def test_start_takes_the_coefficients_and_the_better_pointing(problem, truth):
    start = starts_at(problem, np.array([truth, truth * 0.5]))
    np.testing.assert_allclose(start[:, :7].numpy(), [truth, truth * 0.5])
    pointing = problem.model.layout.slice_of("pointing_u_rad")
    found = start[0, pointing]
    assert any(bool((found == one[0, pointing]).all()) for one in (problem.start, problem.other_start))


def test_held_coefficients_are_not_among_the_free_ones(simulated, jcmt, settings):
    rules = {"Z(2,0)": ParameterRule(free=False, start=0.1), "Z(3,1)": ParameterRule(prior_mean=5.0, prior_sigma=1e-6)}
    held = prepare((simulated.observation,), jcmt, replace(settings(), parameters=rules), 3)
    terms = free_terms(held)
    assert (2, 0) not in terms
    assert len(terms) == 6
    mean = np.zeros((1, 6))
    local = local_likelihoods(held, starts_at(held, mean), mean, np.full((1, 6), WIDE), Tolerances())
    assert local.parameters[0, 1] == 0.1
    # The tie takes the place of a prior of the settings.
    assert abs(local.most_likely_rad[0, terms.index((3, 1))]) < 1
