from pathlib import Path

import numpy as np
import pytest
import torch

from oofpy.errors import ConfigurationError, UsageError
from oofpy.fitting.crosscheck import _LOSSES, scipy_fit
from oofpy.fitting.fitter import fit_observation
from oofpy.fitting.likelihood import LIKELIHOODS
from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.simulation import Grid, NoiseModel
from oofpy.telescope import load_telescope

SMALL_FRACTION = 0.02  # of a standard error


@pytest.fixture(scope="module")
def simulated(make_simulator, surface, beam_rad):
    """Fewer samples than elsewhere: scipy decomposes the whole Jacobian at every step."""
    noise = NoiseModel(200, pointing_error_beams=0.3, gain_error=0.1, background=0.1, mean_gain=40.0)
    return make_simulator(Grid(25, 6 * beam_rad)).observe(surface, noise, seed=1)


def values_and_errors(result):
    """Everything that was fitted, by name."""
    fit = result.fit
    found = {f"Z({c.n},{c.l})": (c.phase_rad, c.phase_rad_error) for c in fit.coefficients}
    found = {name: pair for name, pair in found.items() if name in fit.covariance_names}
    return found | {p.name: (p.value, p.error) for p in fit.parameters if p.free}


def worst(check, result):
    """Largest difference between the two fits, in standard errors."""
    found = dict(check.coefficients_rad) | dict(check.parameters)
    return max(abs(found[name] - value) / error for name, (value, error) in values_and_errors(result).items())


@pytest.mark.parametrize("method", ["least_squares", "l-bfgs-b"])
@pytest.mark.parametrize("likelihood", ["gaussian", "cauchy"])
def test_scipy_finds_the_same_from_an_ideal_surface(simulated, jcmt, settings, method, likelihood):
    result = fit_observation(simulated.observation, jcmt, settings(likelihood))
    check = scipy_fit(simulated.observation, jcmt, settings(likelihood), method=method)
    assert check.success, check.message
    assert worst(check, result) < SMALL_FRACTION
    assert check.cost == pytest.approx(result.fit.cost, abs=1e-3)
    assert check.evaluations > 10  # it did not start at the answer
    truth = np.array(list(check.coefficients_rad.values())) - simulated.truth.coefficients_rad
    assert np.abs(truth).max() < 0.01 < np.abs(simulated.truth.coefficients_rad).max()


@pytest.mark.parametrize("likelihood", ["student-t", "huber"])
def test_other_likelihoods_rest_where_the_solver_ended(simulated, jcmt, settings, likelihood):
    result = fit_observation(simulated.observation, jcmt, settings(likelihood))
    check = scipy_fit(simulated.observation, jcmt, start=result)
    assert check.success, check.message
    assert worst(check, result) < SMALL_FRACTION


@pytest.mark.parametrize("method", ["least_squares", "l-bfgs-b"])
def test_priors_bounds_slopes_and_fixed_parameters(simulated, jcmt, settings, method):
    truth = dict(zip(("Z(2,-2)", "Z(2,0)", "Z(2,2)"), simulated.truth.coefficients_rad, strict=False))
    rules = {
        # A prior narrower than the data's own error, a bound short of the truth, a term held where it is.
        "Z(2,0)": ParameterRule(prior_mean=truth["Z(2,0)"] + 2e-3, prior_sigma=1e-4),
        "edge_taper_db": ParameterRule(start=-11.5, lower=-11.95),
        "Z(2,2)": ParameterRule(free=False, start=truth["Z(2,2)"]),
    }
    chosen = settings("cauchy", background_slopes=True, parameters=rules)
    result = fit_observation(simulated.observation, jcmt, chosen)
    # Towards a bound, steps within the interior are many: that method starts from the answer and must stay there.
    start = result if method == "least_squares" else None
    check = scipy_fit(simulated.observation, jcmt, chosen, method=method, start=start)
    assert check.coefficients_rad["Z(2,2)"] == truth["Z(2,2)"]
    assert check.parameters["illumination_x_m"] == 0
    assert check.parameters["edge_taper_db"] == pytest.approx(-11.95, abs=1e-6)
    assert 0.5e-3 < check.coefficients_rad["Z(2,0)"] - truth["Z(2,0)"] < 2e-3
    assert worst(check, result) < 2 * SMALL_FRACTION
    assert check.cost == pytest.approx(result.fit.cost, abs=1e-2)


def test_a_start_far_from_the_answer_leads_back(simulated, jcmt, settings):
    rules = {"Z(2,0)": ParameterRule(start=0.3), "edge_taper_db": ParameterRule(start=-9.0)}
    plain = fit_observation(simulated.observation, jcmt, settings())
    check = scipy_fit(simulated.observation, jcmt, settings(parameters=rules))
    assert worst(check, plain) < SMALL_FRACTION


def test_order_auto_is_that_of_the_start(simulated, jcmt, settings):
    result = fit_observation(simulated.observation, jcmt, settings(order="auto", highest_auto_order=4))
    check = scipy_fit(simulated.observation, jcmt, start=result)
    assert len(check.coefficients_rad) == len(result.fit.coefficients)
    assert worst(check, result) < SMALL_FRACTION


def test_a_start_of_another_order_is_filled_with_zeros(simulated, jcmt, settings):
    low = fit_observation(simulated.observation, jcmt, settings(order=2))
    check = scipy_fit(simulated.observation, jcmt, settings(order=3), start=low)
    full = fit_observation(simulated.observation, jcmt, settings(order=3))
    assert worst(check, full) < SMALL_FRACTION


def test_what_cannot_be_done_is_said(simulated, jcmt):
    with pytest.raises(UsageError, match=r"method = simplex: is not known; choose one of least_squares, l-bfgs-b"):
        scipy_fit(simulated.observation, jcmt, method="simplex")
    with pytest.raises(UsageError, match="order = auto: the order must be known"):
        scipy_fit(simulated.observation, jcmt, FitSettings(order="auto"))
    with pytest.raises(ConfigurationError, match="is not a parameter"):
        scipy_fit(simulated.observation, jcmt, FitSettings(parameters={"tapper": ParameterRule(free=False)}))


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_losses_are_the_likelihoods_in_the_form_of_scipy(name):
    z = np.array([0.0, 0.3, 1.1, 1.5, 4.0, 30.0])
    value, first, second = _LOSSES[name](z**2)
    np.testing.assert_allclose(value, 2 * LIKELIHOODS[name].cost(torch.as_tensor(z)).numpy(), rtol=1e-12)
    step = 1e-6
    above, below = (_LOSSES[name](z**2 + sign * step) for sign in (1, -1))
    np.testing.assert_allclose(first, (above[0] - below[0]) / (2 * step), rtol=1e-6)
    np.testing.assert_allclose(second, (above[1] - below[1]) / (2 * step), rtol=1e-6, atol=1e-9)


SRT = Path(__file__).parents[2].parent / "shared" / "data" / "srt_2019-04-26"


@pytest.mark.skipif(not SRT.is_dir(), reason="the Sardinia observation is not beside the repository")
@pytest.mark.parametrize("likelihood", ["gaussian", "cauchy"])
def test_scipy_does_not_leave_what_was_found_in_real_data(likelihood):
    from oofpy.conventions import in_model_convention
    from oofpy.io.observations import read_observation

    telescope = load_telescope("srt")
    observation = in_model_convention(read_observation(SRT / "srt_2019-04-26.fits"), telescope)
    result = fit_observation(observation, telescope, FitSettings(order=5, likelihood=likelihood, device="cpu"))
    for method in ("least_squares", "l-bfgs-b"):
        check = scipy_fit(observation, telescope, method=method, start=result)
        assert check.success, check.message
        assert worst(check, result) < SMALL_FRACTION
