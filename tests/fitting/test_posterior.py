from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.posterior import FitPosterior, ParameterPosterior, fitted_values


def parameter(name="Z(2,0)", fitted=0.1, error=0.01, deviation=0.01, median=0.1, effective=500.0):
    return ParameterPosterior(
        name, "rad", fitted, error, median, deviation, median - deviation, median, median + deviation, effective, 1.01
    )


def posterior(parameters, order=3):
    count = len(parameters)
    return FitPosterior(
        name="made",
        order=order,
        parameters=tuple(parameters),
        derived=(),
        samples=np.zeros((5, count)),
        log_posterior=np.zeros(5),
        covariance=np.eye(count),
        combination_ratios=(0.9, 1.2),
        correlation_samples=(1.0, 2.0),
        likelihood_share=0.6,
        walkers=32,
        steps=200,
        acceptance_fraction=0.5,
        status="converged",
        advice="",
        seed=0,
        seconds=1.0,
    )


@pytest.mark.parametrize(("ratio", "differs"), [(0.82, True), (0.84, False), (1.0, False), (1.19, False), (1.21, True)])
def test_parameter_differs_beyond_a_factor(ratio, differs):
    one = parameter(deviation=0.01 * ratio, median=0.105)
    assert one.ratio == pytest.approx(ratio)
    assert one.differs is differs
    assert one.shift == pytest.approx(0.5)


def test_without_an_error_nothing_is_compared_and_it_is_said():
    one = parameter(error=0.0)
    assert np.isnan(one.ratio)
    assert np.isnan(one.shift)
    assert one.differs


def test_names_and_the_fewest_samples():
    made = posterior([parameter(effective=700.0), parameter("Z(2,2)", deviation=0.02)])
    assert made.names == ("Z(2,0)", "Z(2,2)")
    assert made.differing == ("Z(2,2)",)
    assert made.fewest_effective_samples == 500


def test_posterior_belongs_to_the_result_with_its_values(made_result):
    values = fitted_values(made_result)
    assert values["Z(2,0)"] == -1.2 / 3 * 3
    assert values["edge_taper_db"] == -12.1 / 7
    made = posterior([parameter(name, values[name]) for name in made_result.fit.covariance_names])
    assert made.belongs_to(made_result)
    assert not replace(made, order=2).belongs_to(made_result)
    assert not replace(made, parameters=made.parameters[1:]).belongs_to(made_result)
    moved = replace(made.parameters[0], fitted=made.parameters[0].fitted + 1e-12)
    assert not replace(made, parameters=(moved, *made.parameters[1:])).belongs_to(made_result)
