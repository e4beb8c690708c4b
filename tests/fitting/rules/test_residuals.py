import pytest

from oofpy.fitting.rules.residuals import misfit, structure, weights
from oofpy.limits import Limits


@pytest.mark.parametrize("chi2", [0.5, 1.2, 0.99 * Limits().most_reduced_chi2, float("nan")])
def test_residuals_near_the_noise_are_no_misfit(fitted, with_fit, by, chi2):
    assert by(misfit, with_fit(fitted, reduced_chi2=chi2)) == {}


def test_misfit_is_told_in_noises(fitted, with_fit, by):
    assert by(misfit, with_fit(fitted, reduced_chi2=9.0))["misfit"].message.startswith("the residuals are 3.0 times")
    assert "inf times" in by(misfit, with_fit(fitted, reduced_chi2=float("inf")))["misfit"].message


def test_the_map_with_the_most_structure_is_named(fitted, with_map, by):
    result = with_map(with_map(fitted, 3, beam_scale_correlation=0.34), 1, beam_scale_correlation=0.2)
    message = by(structure, result)["structured-residuals"].message
    assert message.startswith("map 3: residuals half a beam to a beam apart have a correlation of 0.34; raise")
    # Residuals that are opposite half a beam apart are not those of a beam.
    assert by(structure, with_map(fitted, beam_scale_correlation=-0.5)) == {}


def test_correlated_residuals_are_a_note(fitted, with_map, by):
    flag = by(structure, with_map(fitted, correlation_samples=70.2))["correlated-residuals"]
    assert not flag.serious
    assert "up to 70 neighbouring samples" in flag.message


def test_every_map_that_the_likelihood_disregards_is_named(fitted, with_map):
    result = with_map(with_map(fitted, 1, down_weighted_fraction=0.4), 3, bright_weight=0.05)
    said = [flag.message.partition(";")[0] for flag in weights(result, fitted.settings.limits)]
    assert said == [
        "map 1: the likelihood disregards 40% of the samples",
        "map 3: the likelihood gives the brightest part of the beam a weight of 0.05 only",
    ]
