from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from oofpy.fitting.result import Coefficient
from oofpy.fitting.status import FitStatus
from oofpy.flag_kinds import Level
from oofpy.flags import Flag


def test_the_fit_is_that_of_the_chosen_order(made_result):
    assert made_result.fit is made_result.orders[1]
    assert replace(made_result, chosen_order=2).fit is made_result.orders[0]


def test_only_serious_flags_count(made_result):
    assert made_result.status == "flagged"
    notes = tuple(flag for flag in made_result.flags if not flag.serious)
    assert notes
    assert replace(made_result, flags=notes).status == "ok"
    assert replace(made_result, flags=()).status == "ok"


def test_codes_of_serious_flags_stand_once_in_order(made_result):
    flags = (Flag("misfit", "m"), Flag("file-odd", "n"), Flag("no-beam", "b"), Flag("misfit", "again"))
    assert replace(made_result, flags=flags).serious_codes == ("misfit", "no-beam")
    assert replace(made_result, flags=flags[1:2]).serious_codes == ()


@pytest.mark.parametrize(("n", "l", "mean_square"), [(2, 0, 1 / 3), (2, -2, 1 / 6), (3, 1, 1 / 8)])
def test_rms_of_a_term_over_the_disc(n, l, mean_square):
    """A quarter of the path per radian, over the wavelength's turn; its sign has no part in it."""
    term = Coefficient(n, l, "", -0.3, 0.01)
    assert term.surface_rms_um(2e-3) == pytest.approx(0.3 * np.sqrt(mean_square) * 2000 / (4 * np.pi))


def test_a_fit_without_a_finite_cost_failed(made_result):
    broken = replace(made_result.orders[1], status=FitStatus.NOT_FINITE)
    failed = replace(made_result, orders=(made_result.orders[0], broken), flags=(Flag("file-odd", "a note"),))
    assert failed.status == "failed"


@pytest.mark.parametrize("status", [FitStatus.EVALUATION_LIMIT, FitStatus.STALLED])
def test_an_early_end_is_no_failure_by_itself(made_result, status):
    early = replace(made_result.orders[1], status=status)
    assert replace(made_result, orders=(made_result.orders[0], early), flags=()).status == "ok"


@pytest.mark.parametrize(
    ("flags", "verdict", "status"),
    [
        ((), "accept", "ok"),
        ((Flag("file-odd", "a note"),), "accept", "ok"),
        ((Flag("file-odd", "a note"), Flag("misfit", "look")), "check", "flagged"),
        ((Flag("clipped-peak", "flat"), Flag("misfit", "look")), "reject", "flagged"),
        ((Flag("misfit", "look", Level.NOTE),), "accept", "ok"),
    ],
)
def test_the_weightiest_flag_makes_the_verdict(made_result, flags, verdict, status):
    result = replace(made_result, flags=flags)
    assert (result.verdict, result.status) == (verdict, status)


def test_a_map_without_a_source_is_a_failure(made_result):
    maps = (*made_result.fit.maps[:2], replace(made_result.fit.maps[2], gain=0.0))
    empty = replace(made_result.fit, maps=maps)
    assert replace(made_result, orders=(empty,), flags=()).status == "failed"


def of_covariance(fit, covariance):
    names = tuple("abcdefgh")[: len(covariance)]
    return replace(fit, covariance_names=names, covariance=np.asarray(covariance, float))


def test_correlations_have_no_units(made_result):
    fit = of_covariance(made_result.fit, [[4.0, -1.9, 0.0], [-1.9, 1.0, 0.985e-3], [0.0, 0.985e-3, 1e-6]])
    np.testing.assert_allclose(fit.correlation, [[1, -0.95, 0], [-0.95, 1, 0.985], [0, 0.985, 1]])


def test_pairs_are_named_worst_first(made_result):
    fit = of_covariance(made_result.fit, [[4.0, -1.9, 0.0], [-1.9, 1.0, 0.985], [0.0, 0.985, 1.0]])
    pairs = fit.degenerate_pairs(0.9)
    assert [pair[:2] for pair in pairs] == [("b", "c"), ("a", "b")]
    assert [pair[2] for pair in pairs] == pytest.approx([0.985, -0.95])
    assert [pair[:2] for pair in fit.degenerate_pairs(0.96)] == [("b", "c")]
    assert fit.degenerate_pairs(0.99) == ()
    assert of_covariance(made_result.fit, np.diag([1.0, 0.0])).degenerate_pairs(0.9) == ()


def test_the_pairs_of_a_result_are_those_at_its_limit(made_result):
    covariance = np.array([[1.0, 0.5], [0.5, 1.0]])
    result = replace(made_result, orders=(of_covariance(made_result.fit, covariance),))
    assert result.degenerate_pairs == ()
    limits = replace(result.settings.limits, least_correlation=0.4)
    looser = replace(result, settings=replace(result.settings, limits=limits))
    assert looser.degenerate_pairs == (("a", "b", pytest.approx(0.5)),)


@pytest.mark.parametrize(
    ("covariance", "number"),
    [
        (np.diag([1e-12, 1.0, 1e9]), 1.0),
        ([[1.0, 0.8], [0.8, 1.0]], 9.0),
        ([[1.0, -1e3 * 0.8], [-1e3 * 0.8, 1e6]], 9.0),
        ([[1.0, 1.0], [1.0, 1.0]], np.inf),
        (np.zeros((0, 0)), 1.0),
    ],
)
def test_condition_numbers(made_result, covariance, number):
    found = of_covariance(made_result.fit, covariance).condition_number
    assert min(found, 1e12) == pytest.approx(min(number, 1e12))


def test_residual_is_data_minus_model(made_result):
    arrays = made_result.map_arrays[0]
    np.testing.assert_array_equal(arrays.residual, arrays.observed - arrays.model)


def test_results_do_not_change(made_result):
    with pytest.raises(FrozenInstanceError):
        made_result.chosen_order = 2
