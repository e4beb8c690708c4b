import math

import numpy as np
import pytest
from scipy import integrate, stats

from oofpy.fitting.result import MapArrays
from oofpy.plots.residual_statistics import (
    binned_residuals,
    gaussian_sigma,
    likelihood_density,
    normal_band,
    normal_quantiles,
    standardised_residuals,
)

LIKELIHOODS = ["cauchy", "gaussian", "student-t", "huber"]


def fitted_map(scale, relative_error):
    """A map as a fit leaves it, the first two samples left out, and its standardised residuals."""
    z = np.random.default_rng(3).standard_t(3, relative_error.size)
    model = np.linspace(0, 5, z.size)
    observed, weight = model + scale * relative_error * z, np.full(z.size, 0.5)
    observed[0], weight[:2] = np.nan, 0.0
    direction = np.zeros(z.size)
    arrays = MapArrays(
        label="",
        u_rad=direction,
        v_rad=direction,
        observed=observed,
        model=model,
        relative_error=np.where(weight > 0, relative_error, np.nan),
        weight=weight,
        signal_to_noise=10.0,
    )
    return arrays, z[2:]


def test_residuals_of_used_samples_are_over_the_scale():
    arrays, z = fitted_map(0.3, np.ones(500))
    np.testing.assert_allclose(standardised_residuals(arrays, 0.3), z, rtol=1e-9, atol=1e-9)


def test_residuals_are_over_the_given_error_of_their_sample():
    arrays, z = fitted_map(0.3, np.random.default_rng(4).uniform(0.2, 5, 500))
    np.testing.assert_allclose(standardised_residuals(arrays, 0.3), z, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scale", [0.0, np.nan])
def test_without_a_scale_nothing_is_known(scale):
    arrays, z = fitted_map(0.3, np.ones(20))
    found = standardised_residuals(arrays, scale)
    assert found.shape == z.shape
    assert np.isnan(found).all()


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_density_integrates_to_one(likelihood):
    def density(z):
        return float(likelihood_density(likelihood, np.array([z]))[0])

    parts = [integrate.quad(density, *ends)[0] for ends in ((-np.inf, -1.345), (-1.345, 1.345), (1.345, np.inf))]
    assert sum(parts) == pytest.approx(1, abs=1e-6)


def test_densities_are_those_of_the_textbook():
    z = np.linspace(-8, 8, 41)
    np.testing.assert_allclose(likelihood_density("gaussian", z), stats.norm.pdf(z))
    np.testing.assert_allclose(likelihood_density("cauchy", z), stats.cauchy.pdf(z))
    np.testing.assert_allclose(likelihood_density("student-t", z), stats.t.pdf(z, 4))
    huber = likelihood_density("huber", z)
    np.testing.assert_allclose(np.diff(np.log(huber[:5])), 1.345 * 0.4)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_scale_of_gaussian_noise_is_the_likeliest(likelihood):
    """Over Gaussian noise of the stated sigma, no other scale makes the likelihood larger."""
    z = stats.norm.ppf((np.arange(20000) + 0.5) / 20000) * gaussian_sigma(likelihood)

    def log_likelihood(scale):
        return float(np.mean(np.log(likelihood_density(likelihood, z / scale)))) - math.log(scale)

    assert log_likelihood(1.0) > max(log_likelihood(0.99), log_likelihood(1.01))


def test_counts_add_up_and_what_lies_beyond_is_in_the_outermost_bins():
    z = np.concatenate([np.random.default_rng(1).normal(0, 1, 1000), [-80.0, -7.0, 6.5, 90.0, 1e9]])
    edges = np.linspace(-6, 6, 49)
    found = binned_residuals(z, edges)
    assert found.counts.sum() == z.size
    assert (found.below, found.above) == (2, 3)
    assert (found.counts[0], found.counts[-1]) == (2, 3)
    assert np.sum(found.density * np.diff(edges)) == pytest.approx(1)
    assert found.counts[24] == np.sum((z >= 0) & (z < 0.25))


def test_no_residuals_give_empty_bins():
    found = binned_residuals(np.zeros(0), np.linspace(-6, 6, 9))
    assert found.counts.sum() == found.density.sum() == found.below == found.above == 0


@pytest.mark.parametrize("size", [3, 50, 300, 20000])
def test_quantiles_keep_the_tails(size):
    z = np.random.default_rng(size).normal(0, 1, size)
    found = normal_quantiles(z)
    ends = min(60, size)
    np.testing.assert_array_equal(found.ordered[:ends], np.sort(z)[:ends])
    np.testing.assert_array_equal(found.ordered[-ends:], np.sort(z)[-ends:])
    assert found.theoretical[0] == pytest.approx(stats.norm.ppf(0.5 / size))
    assert np.all(np.diff(found.theoretical) > 0)
    assert found.theoretical.size <= 510


def within_band(z):
    found = normal_quantiles(z)
    low, high = normal_band(found.theoretical, z.size)
    return np.mean((found.ordered > low) & (found.ordered < high))


def test_normal_sample_lies_on_the_line_within_the_band():
    z = np.random.default_rng(12).normal(0, 1, 5000)
    found = normal_quantiles(z)
    inner = np.abs(found.theoretical) < 2
    np.testing.assert_allclose(found.ordered[inner], found.theoretical[inner], atol=0.1)
    assert within_band(z) > 0.9


def test_other_samples_leave_the_band():
    rng = np.random.default_rng(12)
    assert within_band(rng.standard_cauchy(5000) * gaussian_sigma("cauchy")) < 0.5
    assert within_band(rng.normal(0, 1.2, 5000)) < 0.5
    assert within_band(rng.normal(0.2, 1, 5000)) < 0.5


def test_band_holds_95_per_cent_of_order_statistics():
    size, repeats = 200, 4000
    samples = np.sort(np.random.default_rng(5).normal(0, 1, (repeats, size)), axis=1)
    places = np.array([0, 5, 100, 199])
    low, high = normal_band(stats.norm.ppf((places + 0.5) / size), size)
    inside = np.mean((samples[:, places] > low) & (samples[:, places] < high), axis=0)
    np.testing.assert_allclose(inside, 0.95, atol=0.015)


def test_band_of_fewer_independent_samples_is_wider():
    at = np.array([-2.0, 0.0, 2.0])
    few, many = (np.subtract(*normal_band(at, count)[::-1]) for count in (50, 5000))
    assert np.all(few > 5 * many)
