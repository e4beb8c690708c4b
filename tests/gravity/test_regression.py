import numpy as np
import pytest
from scipy.optimize import approx_fprime

from oofpy.gravity.model import gravity_terms
from oofpy.gravity.regression import Measured, robust_weight


@pytest.fixture
def measured():
    rng = np.random.default_rng(3)
    design = gravity_terms(np.radians(np.linspace(20, 85, 12)))
    roots = rng.normal(size=(12, 2, 2))
    covariances = roots @ roots.swapaxes(1, 2) + np.eye(2)
    values = design @ rng.normal(0, 30, (3, 2)) + rng.normal(0, 3, (12, 2))
    return Measured(design, values, covariances, rng.uniform(0.3, 1, 12))


def test_parameters_are_those_of_stacked_least_squares(measured):
    found = measured.regression(np.array([1.0, 4.0]))
    rows, targets = [], []
    for x, y, covariance, weight in zip(
        measured.design, measured.values, measured.covariances, measured.weights, strict=True
    ):
        root = np.linalg.cholesky(np.linalg.inv(covariance + np.diag([1.0, 4.0]))).T * np.sqrt(weight)
        rows.append(root @ np.kron(np.eye(2), x))
        targets.append(root @ y)
    rows, targets = np.concatenate(rows), np.concatenate(targets)
    expected = np.linalg.lstsq(rows, targets, rcond=None)[0]
    np.testing.assert_allclose(found.parameters.ravel(), expected, rtol=1e-9)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(rows.T @ rows), rtol=1e-8)


def test_gradient_of_the_restricted_likelihood_is_exact(measured):
    at = np.array([2.0, 0.7])
    cost, gradient = measured._cost_and_gradient(at)
    assert cost == measured.regression(at).cost
    numeric = approx_fprime(at, lambda variance: measured.regression(variance).cost, 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4)


def test_scatter_is_found_and_is_zero_where_there_is_none():
    rng = np.random.default_rng(4)
    design = gravity_terms(np.radians(np.linspace(20, 85, 400)))
    covariances = np.tile(np.diag([4.0, 4.0]), (400, 1, 1))
    values = rng.normal(size=(400, 2)) * [np.sqrt(4.0 + 9.0), 0.8 * 2]
    variance = Measured(design, values, covariances, np.ones(400)).scatter_variance(np.zeros(2))
    assert variance[0] == pytest.approx(9.0, rel=0.25)
    assert variance[1] == 0.0


def test_weights_fall_from_one_to_zero():
    np.testing.assert_array_equal(
        robust_weight(np.array([-6.0, -4.0, 0.0, 3.0, 4.5, 100.0, np.nan])), [0, 0.5, 1, 1, 0.25, 0, 0]
    )
