from dataclasses import FrozenInstanceError

import pytest

from oofpy.errors import ConfigurationError
from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.limits import Limits


def test_defaults():
    settings = FitSettings()
    assert (settings.order, settings.likelihood, settings.device, settings.precision) == (5, "cauchy", "auto", "double")
    assert settings.ladder
    assert not settings.background_slopes
    assert not settings.leave_one_out
    assert settings.limits == Limits()
    assert dict(settings.parameters) == {}


def test_settings_do_not_change():
    with pytest.raises(FrozenInstanceError):
        FitSettings().order = 3


@pytest.mark.parametrize("order", [2, 12, "auto"])
def test_orders_that_can_be_fitted(order):
    assert FitSettings(order=order).order == order


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("order", 1, "order = 1: must be a whole number from 2 to 12 or auto"),
        ("order", 13, "order = 13: must be a whole number from 2 to 12 or auto"),
        ("order", 5.0, "order = 5.0: must be a whole number"),
        ("order", True, "order = True: must be a whole number"),
        ("order", "five", "order = five: must be a whole number"),
        ("highest_auto_order", 1, "highest_auto_order = 1: must be a whole number from 2 to 12"),
        ("highest_auto_order", "auto", "highest_auto_order = auto: must be a whole number"),
        (
            "likelihood",
            "lorentz",
            "likelihood = lorentz: is not known; choose one of gaussian, cauchy, student-t, huber",
        ),
        ("device", "tpu", "device = tpu: is not known; choose one of auto, cpu, cuda"),
        ("precision", "half", "precision = half: is not known; choose one of double, single"),
        ("max_evaluations", 0, "max_evaluations = 0: must be a positive whole number"),
        ("max_evaluations", 2.5, "max_evaluations = 2.5: must be a positive whole number"),
        ("ladder_evaluations", -1, "ladder_evaluations = -1: must be a positive whole number"),
        ("tolerance", 0.0, "tolerance = 0.0: must be a positive number"),
        ("tolerance", float("nan"), "tolerance = nan: must be a positive number"),
        ("ladder_tolerance", float("inf"), "ladder_tolerance = inf: must be a positive number"),
    ],
)
def test_faults_name_the_setting_and_its_value(key, value, said):
    with pytest.raises(ConfigurationError) as caught:
        FitSettings(**{key: value})
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("width", [0.0, -1.0, float("nan")])
def test_a_prior_has_a_positive_width(width):
    with pytest.raises(ConfigurationError, match=r"prior_sigma = .*: the width of a prior must be positive"):
        ParameterRule(prior_sigma=width)


@pytest.mark.parametrize("upper", [1.0, 0.5])
def test_bounds_are_apart(upper):
    with pytest.raises(ConfigurationError, match="the lower bound is not below the upper one"):
        ParameterRule(lower=1.0, upper=upper)
