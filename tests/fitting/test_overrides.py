import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oofpy.errors import ConfigurationError, OofError
from oofpy.fitting.overrides import (
    DISH_PARAMETERS,
    MAP_PARAMETERS,
    RESPONSE_PARAMETERS,
    RULE_KEYS,
    apply_settings,
    setting_keys,
)
from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.limits import Limits

ARCSEC_RAD = math.pi / 648000


def applied(**texts):
    return apply_settings(FitSettings(), texts)


def rule(parameter, **rules):
    texts = {f"parameters.{parameter}.{key}": text for key, text in rules.items()}
    return apply_settings(FitSettings(), texts).parameters


def test_parameters_are_those_of_the_model():
    from oofpy.optics import illumination, layout

    assert tuple(illumination.SHAPE_PARAMETERS) == DISH_PARAMETERS
    assert layout.RESPONSE_PARAMETERS == RESPONSE_PARAMETERS
    assert layout.MAP_PARAMETERS == MAP_PARAMETERS


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("order", "7", 7),
        ("order", "auto", "auto"),
        ("likelihood", " student-t ", "student-t"),
        ("device", "cpu", "cpu"),
        ("precision", "single", "single"),
        ("background_slopes", "true", True),
        ("background_slopes", "False", False),
        ("highest_auto_order", "6", 6),
        ("max_evaluations", "250", 250),
        ("tolerance", "1e-7", 1e-7),
        ("ladder", "false", False),
        ("ladder_tolerance", "1e-2", 1e-2),
    ],
)
def test_plain_settings(key, text, value):
    found = applied(**{key: text})
    assert found == FitSettings(**{key: value})
    assert type(getattr(found, key)) is type(value)


def test_every_setting_can_be_given_as_its_default():
    plain = [key for key in setting_keys() if "." not in key]
    assert {*plain, "parameters", "limits"} == set(FitSettings.__dataclass_fields__)
    assert applied(**{key: str(getattr(FitSettings(), key)) for key in plain}) == FitSettings()


def text_of(name, value):
    """A limit as a user writes it, in the unit of its name."""
    unit = next((unit for unit in ("rad", "m") if name.endswith(f"_{unit}")), "")
    return f"{value!r} {unit}".strip()


def test_every_limit_can_be_set_by_its_name():
    names = [key.removeprefix("limits.") for key in setting_keys() if key.startswith("limits.")]
    assert set(names) == set(Limits.__dataclass_fields__)
    for name in names:
        own = {"most_surface_rms_m": 0.00025, "least_correlation": 0.5}
        value = own.get(name) or type(getattr(Limits(), name))(3)
        found = apply_settings(FitSettings(order=4), {f"limits.{name}": text_of(name, value)})
        assert found == FitSettings(order=4, limits=replace(Limits(), **{name: value}))
        assert type(getattr(found.limits, name)) is type(value)


def test_limits_carry_units_and_add_to_those_there_are():
    strict = apply_settings(FitSettings(), {"limits.most_surface_rms_m": "250um", "limits.most_rim_ratio": "2"})
    assert strict.limits == Limits(most_surface_rms_m=0.00025, most_rim_ratio=2.0)
    assert apply_settings(strict, {"limits.most_surface_rms_m": "none"}).limits == Limits(most_rim_ratio=2.0)
    assert applied(**{"limits.most_phase_rms_rad": "90deg"}).limits.most_phase_rms_rad == pytest.approx(math.pi / 2)
    moved = {"limits.least_half_width_beams": "50", "limits.most_half_width_beams": "60"}
    assert applied(**moved).limits == Limits(least_half_width_beams=50.0, most_half_width_beams=60.0)


def test_rules_carry_units_by_the_name_of_the_parameter():
    assert rule("edge_taper_db", start="-12dB", lower="-20 dB", upper="-8dB") == {
        "edge_taper_db": ParameterRule(start=-12.0, lower=-20.0, upper=-8.0)
    }
    assert rule("defocus_error_m", free="true", prior_sigma="0.5mm") == {
        "defocus_error_m": ParameterRule(free=True, prior_sigma=0.5e-3)
    }
    assert rule("Z(2,0)", prior_mean="-100mrad", prior_sigma="1rad") == {
        "Z(2,0)": ParameterRule(prior_mean=-0.1, prior_sigma=1.0)
    }
    assert rule("ellipticity_p", start="0.1") == {"ellipticity_p": ParameterRule(start=0.1)}
    pointing = rule("pointing_u_rad[2]", free="false", start="2arcsec")["pointing_u_rad[2]"]
    assert pointing == ParameterRule(free=False, start=pytest.approx(2 * ARCSEC_RAD))


def test_rules_add_to_those_there_are():
    start = FitSettings(
        parameters={
            "Z(2,0)": ParameterRule(free=False),
            "edge_taper_db": ParameterRule(start=-10.0, lower=-20.0),
        }
    )
    found = apply_settings(start, {"parameters.edge_taper_db.start": "-9dB", "parameters.edge_taper_db.lower": "none"})
    assert found.parameters == {
        "Z(2,0)": ParameterRule(free=False),
        "edge_taper_db": ParameterRule(start=-9.0),
    }
    assert start.parameters["edge_taper_db"] == ParameterRule(start=-10.0, lower=-20.0)
    assert apply_settings(start, {}) == start


def test_blanks_in_a_coefficient_do_not_matter():
    assert list(rule("Z( 3, -1 )", free="false")) == ["Z(3,-1)"]


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("ordr", "5", "ordr: is not a setting; did you mean order?"),
        ("verbosity", "2", "verbosity: is not a setting; known: order, likelihood, "),
        ("order", "5.0", "order = 5.0: is not a whole number; write e.g. 5 or auto"),
        ("order", "99999999999", "order = 99999999999: is not a whole number"),
        ("order", "13", "order = 13: must be a whole number from 2 to 12 or auto"),
        ("highest_auto_order", "auto", "highest_auto_order = auto: is not a whole number"),
        ("background_slopes", "yes", "background_slopes = yes: is neither true nor false"),
        ("tolerance", "1e-5 m", "tolerance = 1e-5 m: has the unit 'm' but takes none"),
        ("tolerance", "nan", "tolerance = nan: is not a finite number"),
        ("tolerance", "", "tolerance = '': is not a finite number"),
        ("parameters", "x", "parameters: is not a setting"),
        ("limits", "x", "limits: is not a setting"),
        ("limits.most_rim", "x", "limits.most_rim: is not a limit; did you mean limits.most_rim_ratio"),
        ("limits.x", "1", "limits.x: is not a limit; known: limits.least_signal_to_noise, "),
        ("limits.most_surface_rms_m", "200", "limits.most_surface_rms_m = 200: has no unit"),
        ("limits.most_surface_rms_m", "1rad", "limits.most_surface_rms_m = 1rad: "),
        ("limits.most_surface_rms_m", "-1um", "a limit must be zero or a positive number"),
        ("limits.most_phase_rms_rad", "none", "limits.most_phase_rms_rad = none: "),
        ("limits.most_rim_ratio", "3rad", "limits.most_rim_ratio = 3rad: has the unit 'rad' but takes none"),
        ("limits.most_rim_ratio", "nan", "limits.most_rim_ratio = nan: is not a finite number"),
        ("limits.most_rim_ratio", "", "limits.most_rim_ratio = '': is not a finite number"),
        ("limits.fewest_good_maps", "2.5", "limits.fewest_good_maps = 2.5: is not a whole number"),
        ("limits.fewest_good_maps", "-2", "limits.fewest_good_maps = -2: a limit must be zero or a positive number"),
        (
            "limits.most_half_width_beams",
            "2",
            "limits.least_half_width_beams, limits.most_half_width_beams = 2, 2: the least is not below the most",
        ),
        (
            "parameters.edge_taper_db",
            "-12dB",
            "does not end in a rule; write parameters.edge_taper_db. and one of free, start, ",
        ),
        (
            "parameters.edge_taper_db.strat",
            "-12dB",
            "write parameters.edge_taper_db. and one of free, start, ",
        ),
        ("parameters.edge_taper_db.start", "-12", "parameters.edge_taper_db.start = -12: has no unit"),
        ("parameters.edge_taper_db.start", "1mm", "which is a unit of length"),
        ("parameters.edge_taper_db.free", "1", "is neither true nor false"),
        (
            "parameters.edge_taper.start",
            "-12dB",
            "'edge_taper' is not a parameter; did you mean edge_taper_db",
        ),
        ("parameters.gain.start", "1", "'gain' is not a parameter; known: Z(2,0), edge_taper_db"),
        ("parameters.edge_taper_db[1].start", "-12dB", "is not a parameter"),
        ("parameters.pointing_u_rad[0].free", "false", "is not a parameter"),
        ("parameters.Z(1,1).free", "false", "Z(1,1) is not a coefficient that can be fitted"),
        ("parameters.Z(3,0).free", "false", "Z(3,0) is not a coefficient that can be fitted"),
        ("parameters.Z(13,1).free", "false", "n runs from 2 to 12"),
        (
            "parameters.Z(2,0).prior_sigma",
            "-1rad",
            "parameters.Z(2,0).prior_sigma = -1.0: the width of a prior must be positive",
        ),
    ],
)
def test_faults_name_key_value_and_remedy(key, text, said):
    with pytest.raises(ConfigurationError) as caught:
        apply_settings(FitSettings(), {key: text})
    assert said in str(caught.value)
    assert key.split(".")[0] in str(caught.value)


def test_bounds_that_cross_name_the_parameter():
    with pytest.raises(ConfigurationError, match=r"parameters\.edge_taper_db\.lower, upper = "):
        rule("edge_taper_db", lower="-8dB", upper="-20dB")


KEYS = st.sampled_from([*setting_keys(), *(f"parameters.Z(2,0).{key}" for key in RULE_KEYS)]) | st.text()
TEXTS = st.text() | st.sampled_from(["none", "5", "-1mm", "true", "1e999"])


@given(st.dictionaries(KEYS, TEXTS, max_size=3))
def test_any_text_gives_settings_or_one_line(texts):
    refused = ""
    try:
        assert isinstance(apply_settings(FitSettings(), texts), FitSettings)
    except OofError as error:
        refused = str(error)
    assert refused.isprintable()
