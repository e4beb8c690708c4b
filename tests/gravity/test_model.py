import numpy as np
import pytest

from oofpy.errors import UsageError
from oofpy.gravity.model import GravityModel, gravity_terms
from oofpy.optics.zernike import ZernikeTerm

TERMS = (ZernikeTerm(2, 0), ZernikeTerm(3, -1))


def model(**changes):
    rng = np.random.default_rng(1)
    root = rng.normal(size=(6, 6))
    given = {
        "telescope": "dish",
        "dish_radius_m": 15.0,
        "method": "two-step",
        "terms": TERMS,
        "parameters_um": [[10.0, 20.0, 30.0], [-1.0, 2.0, -3.0]],
        "covariance_um2": root @ root.T,
        "scatter_um": [0.0, 1.5],
        "leave_one_out_um": [2.0, np.nan],
        "elevation_range_rad": (0.3, 1.4),
        "observations": ("a", "b"),
        "outlying": (),
    }
    return GravityModel(**(given | changes))


def test_coefficients_are_sine_cosine_and_constant():
    values, _ = model().coefficients_um(np.radians(30))
    np.testing.assert_allclose(values, [10 / 2 + 20 * np.sqrt(3) / 2 + 30, -1 / 2 + 2 * np.sqrt(3) / 2 - 3])
    np.testing.assert_allclose(model().coefficients_um(np.pi / 2)[0], [40.0, -4.0])
    np.testing.assert_allclose(model().coefficients_um(0.0)[0], [50.0, -1.0])


def test_covariance_of_the_coefficients_is_that_of_drawn_models():
    made = model()
    draws = np.random.default_rng(2).multivariate_normal(np.zeros(6), made.covariance_um2, 40000)
    at = gravity_terms(0.8)
    coefficients = draws.reshape(-1, 2, 3) @ at
    _, covariance = made.coefficients_um(0.8)
    np.testing.assert_allclose(covariance, np.cov(coefficients.T), rtol=0.03, atol=0.05)


def test_errors_and_covariances_of_one_term_are_taken_from_the_whole():
    made = model()
    np.testing.assert_allclose(made.errors_um**2, np.diag(made.covariance_um2).reshape(2, 3))
    np.testing.assert_array_equal(made.covariance_of(1), made.covariance_um2[3:, 3:])
    assert made.order == 3


@pytest.mark.parametrize("elevation", [-0.1, 1.6, np.nan])
def test_elevation_below_the_horizon_or_beyond_the_zenith_is_refused(elevation):
    with pytest.raises(UsageError, match="0 to 90 deg"):
        model().coefficients_um(elevation)


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match="covariance_um2"):
        model(covariance_um2=np.eye(5))


def test_arrays_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        model().parameters_um[0, 0] = 1.0
