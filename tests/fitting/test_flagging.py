"""Every flag of a fit by the number that raises it, from a clean fit with that one number changed."""

from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.flagging import fit_flags
from oofpy.fitting.result import Parameter
from oofpy.fitting.status import FitStatus

NAN = float("nan")


@pytest.fixture
def clean(made_result):
    fit = made_result.orders[1]
    maps = tuple(replace(m, correlation_samples=1.0) for m in fit.maps)
    parameters = tuple(replace(p, at_bound=False) for p in fit.parameters)
    return replace(fit, maps=maps, parameters=parameters, reduced_chi2=1.0, status=FitStatus.CONVERGED)


def flags(fit, excess=NAN, distance=NAN, pairs=()):
    return {flag.code: flag for flag in fit_flags(fit, excess, distance, pairs)}


def with_map(fit, **fields):
    return replace(fit, maps=(fit.maps[0], replace(fit.maps[1], **fields), *fit.maps[2:]))


def test_a_clean_fit_has_none(clean):
    assert flags(clean) == {}


@pytest.mark.parametrize("status", [status for status in FitStatus if status is not FitStatus.CONVERGED])
def test_an_end_short_of_the_minimum_gives_its_advice(clean, status):
    flag = flags(replace(clean, status=status))["not-converged"]
    assert flag.serious
    assert status.advice in flag.message


def test_a_parameter_at_its_bound_is_named(clean):
    at_bound = Parameter("edge_taper_db", -6.0, 0.1, "dB", True, at_bound=True)
    found = flags(replace(clean, parameters=(*clean.parameters, at_bound)))
    assert found["parameter-at-bound"].message.startswith("edge_taper_db = -6 dB lies at its bound")
    assert found["parameter-at-bound"].serious


def test_a_coefficient_at_its_bound_is_named(clean):
    pressed = (replace(clean.coefficients[0], at_bound=True), *clean.coefficients[1:])
    flag = flags(replace(clean, coefficients=pressed))["parameter-at-bound"]
    assert flag.message.startswith(f"{clean.coefficients[0].name} = 0.31 rad lies at its bound")


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"down_weighted_fraction": 0.4}, "many-samples-down-weighted", "map 2: the likelihood disregards 40%"),
        ({"bright_weight": 0.05}, "peak-disregarded", "map 2: "),
        ({"gain": 0.0}, "no-beam", "map 2: the model finds no source"),
    ],
)
def test_what_is_wrong_with_a_map_names_it(clean, fields, code, said):
    found = flags(with_map(clean, **fields))
    assert list(found) == [code]
    assert said in found[code].message
    assert found[code].serious


@pytest.mark.parametrize("least", [1.2, 3.9])
def test_residuals_near_the_noise_are_no_misfit(clean, least):
    assert flags(replace(clean, reduced_chi2=least)) == {}


def test_misfit_is_told_in_noises(clean):
    assert "3.0 times the noise" in flags(replace(clean, reduced_chi2=9.0))["misfit"].message


def test_correlated_residuals_are_a_note(clean):
    flag = flags(with_map(clean, correlation_samples=70.0))["correlated-residuals"]
    assert not flag.serious
    assert "70" in flag.message


def test_degenerate_pairs_are_notes(clean):
    flag = flags(clean, pairs=(("Z(2,0)", "edge_taper_db", -0.97),))["degenerate-pair"]
    assert not flag.serious
    assert "Z(2,0) and edge_taper_db" in flag.message
    assert "-0.970" in flag.message


def test_many_degenerate_pairs_make_one_note(clean):
    pairs = tuple((f"Z({n},{n})", "edge_taper_db", 0.99) for n in range(2, 9))
    found = [f for f in fit_flags(clean, float("nan"), float("nan"), pairs) if f.code == "degenerate-pair"]
    assert len(found) == 1
    assert "Z(5,5)" in found[0].message
    assert "Z(6,6)" not in found[0].message
    assert "and 3 more pairs" in found[0].message


def test_rivals(clean):
    clean = replace(clean, effective_samples=float(sum(m.samples for m in clean.maps)))
    assert flags(clean, excess=1.0, distance=0.01) == {}
    close = flags(clean, excess=3.0, distance=0.4)["competing-minimum"]
    assert close.serious
    assert "0.40 rad" in close.message
    far = flags(clean, excess=500.0, distance=0.4)["start-trapped"]
    assert not far.serious


def test_rivals_are_judged_by_effective_samples(clean):
    samples = sum(m.samples for m in clean.maps)
    fit = replace(clean, effective_samples=samples / 100)
    # A hundred neighbours move together: a difference of 500 is one of 5.
    assert "competing-minimum" in flags(fit, excess=500.0, distance=0.4)


def test_messages_are_one_line(clean):
    bad = with_map(clean, gain=0.0, down_weighted_fraction=0.9, correlation_samples=50.0)
    bad = replace(bad, reduced_chi2=100.0, status=FitStatus.STALLED)
    found = fit_flags(bad, 1.0, 1.0, (("a", "b", 0.99),))
    assert len(found) >= 6
    assert all(flag.message.isprintable() and "  " not in flag.message for flag in found)
    assert np.unique([flag.code for flag in found]).size == len(found)
