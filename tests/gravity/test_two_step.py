from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2

from oofpy.gravity.series import CoefficientSeries
from oofpy.gravity.two_step import fit_two_step


def chi2_of(fit, truth):
    difference = (fit.model.parameters_um - truth).ravel()
    return difference @ np.linalg.solve(fit.model.covariance_um2, difference)


@pytest.mark.parametrize("scatter_um", [0.0, 3.0])
def test_errors_hold_against_the_truth(make_series, truth_um, scatter_um):
    found = [chi2_of(fit_two_step(make_series(seed, scatter_um=scatter_um)), truth_um) for seed in range(5)]
    low, high = chi2.ppf([0.005, 0.995], truth_um.size * 5)
    assert low < sum(found) < high


def test_scatter_is_found(make_series):
    fits = [fit_two_step(make_series(seed, scatter_um=3.0)) for seed in range(2)]
    assert np.mean([fit.model.scatter_um for fit in fits]) == pytest.approx(3.0, rel=0.1)
    assert np.mean([fit_two_step(make_series(seed)).model.scatter_um for seed in range(2)]) < 0.5
    # An observation that the model was not fitted to lies off by the scatter and its own error.
    assert all(np.mean(fit.model.leave_one_out_um) > 3.0 for fit in fits)


@pytest.mark.parametrize("far", [1, 15])
def test_observations_far_off_are_named_and_have_no_influence(make_series, far):
    series = make_series(2, scatter_um=2.0, far=far)
    fit = fit_two_step(series)
    assert fit.model.outlying == tuple(f"scan{number:02d}" for number in range(far))
    assert fit.outlying[:far].all()
    assert not fit.outlying[far:].any()
    without = fit_two_step(CoefficientSeries.of(series.samples[far:]))
    moved = np.abs(fit.model.parameters_um - without.model.parameters_um) / without.model.errors_um
    assert moved.max() < 0.1
    assert (fit.probability[:far] < 1e-9).all()
    assert np.median(fit.probability[far:]) > 0.1


def test_one_coefficient_far_off_costs_only_itself(make_series):
    series = make_series(3)
    samples = list(series.samples)
    samples[20] = replace(samples[20], values_um=samples[20].values_um + np.array([0, 90.0, 0, 0, 0, 0, 0]))
    fit = fit_two_step(CoefficientSeries.of(samples))
    assert list(zip(*np.nonzero(fit.outlying), strict=True)) == [(20, 1)]
    assert fit.weights[20, 0] == 1.0


def test_leave_one_out_is_that_of_fits_without_each(make_series):
    series = make_series(4, count=8)
    fit = fit_two_step(series)
    place = int(np.argmin(fit.model.scatter_um))
    left = []
    for number, sample in enumerate(series.samples):
        rest = fit_two_step(CoefficientSeries.of([one for one in series.samples if one is not sample]))
        values, _ = rest.model.coefficients_um(sample.elevation_rad)
        left.append(series.values_um[number, place] - values[place])
    weights = 1 / (series.covariances_um2[:, place, place] + fit.model.scatter_um[place] ** 2)
    expected = np.sqrt(np.average(np.square(left), weights=weights))
    assert fit.model.leave_one_out_um[place] == pytest.approx(expected, rel=0.1)


def test_four_observations_give_a_finite_model(make_series):
    model = fit_two_step(make_series(5, count=4)).model
    assert np.isfinite(model.parameters_um).all()
    assert (model.errors_um > 0).all()
    assert model.outlying == ()


def test_gaps_are_left_out_of_their_coefficient(make_samples):
    samples = make_samples(6, count=20)
    short = samples[3]
    samples[3] = replace(
        short, terms=short.terms[:3], values_um=short.values_um[:3], covariance_um2=short.covariance_um2[:3, :3]
    )
    fit = fit_two_step(CoefficientSeries.of(samples))
    rest = fit_two_step(CoefficientSeries.of([*samples[:3], *samples[4:]]))
    np.testing.assert_allclose(fit.model.parameters_um[3:], rest.model.parameters_um[3:])
    assert np.isnan(fit.residuals_um[3, 3:]).all()
    assert np.isfinite(fit.model.covariance_um2).all()
