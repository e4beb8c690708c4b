from dataclasses import replace

import numpy as np
import pytest

from oofpy.plots.beam_power import decibels, down_weighted, model_peak, noise_sigma, without_background


def test_background_and_its_slopes_are_taken_off(made_result):
    arrays, fitted = made_result.map_arrays[0], made_result.fit.maps[0]
    plane = 40 + 0.1 * arrays.u_rad - arrays.v_rad / 3
    np.testing.assert_allclose(without_background(arrays, fitted, plane + 7.5), 7.5, rtol=1e-12)


def test_peak_of_the_model_is_over_its_background_and_of_used_samples(made_result):
    arrays, fitted = made_result.map_arrays[1], made_result.fit.maps[1]
    beam = arrays.model - 40 - 0.1 * arrays.u_rad + arrays.v_rad / 3
    used = arrays.weight > 0
    assert model_peak(arrays, fitted) == pytest.approx(beam[used].max(), rel=1e-12)
    brightest = replace(arrays, weight=np.where(beam == beam[used].max(), 0, arrays.weight))
    assert model_peak(brightest, fitted) < model_peak(arrays, fitted)
    assert np.isnan(model_peak(replace(arrays, model=np.full_like(beam, 12.0)), fitted))
    assert np.isnan(model_peak(replace(arrays, model=np.full_like(beam, np.nan)), fitted))


@pytest.mark.parametrize(("likelihood", "scale"), [("gaussian", 1.0), ("cauchy", 0.612), ("student-t", 0.831)])
def test_noise_is_that_of_a_gaussian_whatever_the_likelihood(made_result, likelihood, scale):
    """The maximum-likelihood scale of each for Gaussian noise of one, as the fit finds it on such noise."""
    result = replace(made_result, settings=replace(made_result.settings, likelihood=likelihood))
    assert noise_sigma(result, 0) == pytest.approx(8.1 / scale, rel=1e-3)


@pytest.mark.parametrize("noise", [0.0, np.nan])
def test_without_a_fitted_noise_it_is_the_rms_of_the_residuals(made_result, noise):
    fit = made_result.fit
    orders = tuple(
        replace(one, maps=tuple(replace(fitted, noise=noise) for fitted in one.maps)) for one in made_result.orders
    )
    result = replace(made_result, orders=orders)
    arrays = result.map_arrays[0]
    used = arrays.weight > 0
    wanted = np.sqrt(np.mean(((arrays.observed - arrays.model) / arrays.relative_error)[used] ** 2))
    assert np.ptp(arrays.relative_error[used]) > 0
    assert fit.order == result.fit.order
    assert noise_sigma(result, 0) == pytest.approx(wanted, rel=1e-12)
    exact = tuple(replace(one, observed=one.model) for one in result.map_arrays)
    assert noise_sigma(replace(result, map_arrays=exact), 0) == 1.0


def test_down_weighted_are_used_samples_with_less_than_a_tenth(made_result):
    weight = np.array([0.0, 0.0999, 0.1, 1.0])
    arrays = replace(made_result.map_arrays[0], weight=weight)
    assert down_weighted(arrays).tolist() == [False, True, False, False]


def test_decibels_are_of_the_magnitude_and_end_at_the_floor():
    levels = decibels(np.array([1.0, 0.5, -0.1, 1e-9, 0.0, np.nan]), -40.0)
    np.testing.assert_allclose(levels, [0, -3.0103, -10, -40, -40, np.nan], atol=1e-4)
