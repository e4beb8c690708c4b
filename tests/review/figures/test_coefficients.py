"""Bars and errors are the coefficients of the result."""

from dataclasses import replace

import pytest

from oofpy.optics.half_path import half_path_um
from oofpy.review.figures.coefficients import CoefficientsFigure


@pytest.fixture
def figure(made_result):
    figure = CoefficientsFigure()
    figure.show(made_result)
    return figure


def source(figure):
    return figure._source.data


def test_values_and_errors_are_those_of_the_result(figure, made_result):
    coefficients = made_result.fit.coefficients
    assert source(figure)["phase_rad"] == [one.phase_rad for one in coefficients]
    assert source(figure)["error_rad"] == [one.phase_rad_error for one in coefficients]
    assert source(figure)["upper"] == [one.phase_rad + one.phase_rad_error for one in coefficients]
    assert source(figure)["lower"] == [one.phase_rad - one.phase_rad_error for one in coefficients]
    assert source(figure)["name"] == figure.figure.x_range.factors
    assert figure.figure.x_range.factors[:3] == ["Z(2,-2)", "Z(2,0)", "Z(2,2)"]
    assert source(figure)["words"][1] == "Z(2,0) focus"


def test_the_surface_rms_of_a_term_is_that_of_its_polynomial(figure, made_result):
    """The mean square of Z(n,l) over the disc is 1/(n+1), halved for l other than 0 (Born & Wolf)."""
    for n, l, phase, rms in [(2, 0, -1.2, 1 / 3), (2, -2, 0.31, 1 / 6), (3, 1, 0.4, 1 / 8)]:
        place = source(figure)["name"].index(f"Z({n},{l})")
        expected = abs(half_path_um(phase, made_result.wavelength_m)) * rms**0.5
        assert source(figure)["rms_um"][place] == pytest.approx(expected)


def test_what_is_held_is_empty_and_says_so(made_result):
    figure = CoefficientsFigure()
    coefficients = list(made_result.fit.coefficients)
    coefficients[0] = replace(coefficients[0], free=False, phase_rad_error=0.0)
    coefficients[1] = replace(coefficients[1], at_bound=True)
    fit = replace(made_result.fit, coefficients=tuple(coefficients))
    figure.show(replace(made_result, orders=(*made_result.orders[:-1], fit)))
    assert source(figure)["state"][:3] == ["held fixed", "at its bound", "fitted"]
    fill = source(figure)["fill"]
    assert fill[0] != fill[1] == fill[2]
    assert source(figure)["upper"][0] == source(figure)["lower"][0] == coefficients[0].phase_rad


def test_another_order_has_its_own_bars(figure, made_result):
    assert figure.figure.title.text == "order 3: 7 coefficients"
    figure.show(replace(made_result, chosen_order=2))
    assert figure.figure.title.text == "order 2: 3 coefficients"
    assert figure.figure.x_range.factors == ["Z(2,-2)", "Z(2,0)", "Z(2,2)"]
    assert {len(values) for values in source(figure).values()} == {3}
