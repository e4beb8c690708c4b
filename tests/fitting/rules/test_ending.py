from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.result import Parameter
from oofpy.fitting.rules.ending import (
    degenerate_pair,
    ill_conditioned,
    not_converged,
    other_minimum,
    parameter_at_bound,
)
from oofpy.fitting.status import FitStatus


@pytest.mark.parametrize("status", [status for status in FitStatus if status is not FitStatus.CONVERGED])
def test_an_end_short_of_the_minimum_gives_its_advice(fitted, with_fit, by, status):
    flag = by(not_converged, with_fit(fitted, status=status))["not-converged"]
    assert flag.message == f"order 3: {status.value}: {status.advice}"


def test_parameters_and_coefficients_at_their_bounds_are_named(fitted, with_fit):
    fit = fitted.fit
    taper = Parameter("edge_taper_db", -6.0, 0.1, "dB", True, at_bound=True)
    ratio = Parameter("chop_gain_ratio", 3.0, 0.1, "", True, at_bound=True)
    pressed = replace(fit.coefficients[0], phase_rad=0.31, at_bound=True)
    result = with_fit(fitted, parameters=(*fit.parameters, taper, ratio), coefficients=(pressed, *fit.coefficients[1:]))
    said = [flag.message.partition(";")[0] for flag in parameter_at_bound(result, fitted.settings.limits)]
    assert said == [
        f"{fit.coefficients[0].name} = 0.31 rad lies at its bound",
        "edge_taper_db = -6 dB lies at its bound",
        "chop_gain_ratio = 3 lies at its bound",
    ]


@pytest.mark.parametrize(
    ("log_likelihood", "distance", "code", "said"),
    [
        (float("nan"), float("nan"), None, ""),  # one start
        (1.0, 0.01, None, ""),  # the same surface
        (
            3.04,
            0.4,
            "competing-minimum",
            "0.40 rad away in one term, fits almost as well (log-likelihood lower by 3.0)",
        ),
        (500.0, 0.4, "start-trapped", "(log-likelihood lower by 500) and was dropped"),
        (float("inf"), 0.4, "start-trapped", "lower by inf"),
    ],
)
def test_two_starts_that_end_apart(fitted, with_fit, by, log_likelihood, distance, code, said):
    result = with_fit(fitted, rival_log_likelihood=log_likelihood, rival_distance_rad=distance)
    flags = by(other_minimum, result)
    assert list(flags) == ([code] if code else [])
    assert all(said in flag.message for flag in flags.values())


def test_a_covariance_without_an_inverse_is_ill_conditioned(fitted, with_fit, by):
    singular = np.ones_like(fitted.fit.covariance)
    assert "ill-conditioned" in by(ill_conditioned, with_fit(fitted, covariance=singular))
    assert by(ill_conditioned, with_fit(fitted, covariance_names=(), covariance=np.zeros((0, 0)))) == {}


def test_a_fit_that_cannot_tell_its_parameters_apart(simulated, jcmt, settings, codes):
    """An error of dz of every map and all the even terms: one combination of them does nothing."""
    from oofpy.fitting.fitter import fit_observation
    from oofpy.fitting.settings import ParameterRule

    chosen = settings("gaussian", order=4, parameters={"defocus_error_m": ParameterRule(free=True)})
    result = fit_observation(simulated.observation, jcmt, chosen)
    assert result.fit.condition_number > 1e3
    assert "degenerate-pair" in codes(result)
    assert result.degenerate_pairs[0][2] == pytest.approx(max(abs(p[2]) for p in result.degenerate_pairs), abs=2)


def test_many_degenerate_pairs_make_one_note(fitted, with_fit, by):
    names = tuple("abcd")
    covariance = np.full((4, 4), 0.95) + 0.05 * np.eye(4)
    covariance[0, 1] = covariance[1, 0] = -0.999
    flags = by(degenerate_pair, with_fit(fitted, covariance_names=names, covariance=covariance))
    message = flags["degenerate-pair"].message
    assert message.startswith("hardly told apart (correlation): a and b (-0.999), ")
    assert message.count(" and ") == 5
    assert "and 2 more pairs; fix one of a pair" in message
    assert by(degenerate_pair, fitted) == {}
