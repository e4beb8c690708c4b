import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2 as chi2_distribution

import oofpy
from oofpy.comparison import compare
from oofpy.comparison.statistics import chi2_about_mean, chi2_of
from oofpy.comparison.summary import coefficient_table, summary
from oofpy.comparison.words import findings, key_findings
from oofpy.comparison.writing import COMPARISON_FILE, comparison_name, write_comparison
from oofpy.errors import UsageError
from oofpy.fitting.result import Parameter
from oofpy.io.atomic import refuse_foreign
from oofpy.io.results import read_result, write_result
from oofpy.observing import AppliedCorrection, Observing
from oofpy.telescope import with_overrides
from tests.made_comparisons import COVARIANCE, TERMS, noisy, twin_of, um_per_rad, variant

DATA = Path(__file__).resolve().parent.parent / "data"
RADIUS_M = 32.004
COMA_X = TERMS.index("Z(3,1)")


@pytest.fixture
def first(made_result):
    return variant(made_result, "first")


def codes(comparison):
    return [remark.code for remark in comparison.remarks]


def dish(comparison):
    """x/R, y/R and which pixels lie on the dish."""
    x, y = np.meshgrid(comparison.axis_m / RADIUS_M, comparison.axis_m / RADIUS_M)
    return x, y, np.hypot(x, y) <= 1


def coma_x(x, y):
    return (3 * (x**2 + y**2) - 2) * x


def test_difference_is_the_term_that_was_changed(first, made_result):
    comparison = compare([variant(made_result, "more coma", {(3, 1): 0.2}), first])
    x, y, on_dish = dish(comparison)
    expected = np.where(on_dish, 0.2 * um_per_rad(first) * coma_x(x, y), np.nan)
    for view in comparison.difference.views:
        np.testing.assert_allclose(view.map_um, expected, atol=1e-9)
    np.testing.assert_allclose(comparison.difference.values_um, np.eye(7)[COMA_X] * 0.2 * um_per_rad(first), atol=1e-9)


def test_surfaces_are_those_of_the_results(first, made_result):
    comparison = compare([first, variant(made_result, "other")])
    np.testing.assert_allclose(comparison.surfaces_um[0], made_result.aperture.surface_um, atol=1e-9)
    x, y, on_dish = dish(comparison)
    focus = -1.2 * um_per_rad(first) * (2 * (x**2 + y**2) - 1)
    left = np.where(on_dish, made_result.aperture.surface_um - focus, np.nan)
    np.testing.assert_allclose(comparison.surfaces_without_focus_um[0], left, atol=1e-9)


def test_z_and_errors_by_hand(first, made_result):
    comparison = compare([first, variant(made_result, "other", {(3, 1): -0.2}, 4 * COVARIANCE)])
    errors = math.sqrt(1 + 4) * np.sqrt(np.diag(COVARIANCE)) * um_per_rad(first)
    np.testing.assert_allclose(comparison.difference.errors_um, errors, rtol=1e-12)
    z = np.zeros(7)
    z[COMA_X] = 0.2 / (math.sqrt(5) * 0.04)
    np.testing.assert_allclose(comparison.difference.z, z, atol=1e-9)


def test_map_of_errors_heeds_correlations(made_result):
    names, covariance = ("Z(2,0)", "Z(3,1)"), np.array([[4e-4, -3e-4], [-3e-4, 9e-4]])
    pair = [variant(made_result, name, {}, covariance, names) for name in ("one", "two")]
    with_focus, without_focus = compare(pair).difference.views
    x, y, on_dish = dish(compare(pair))
    focus, coma = 2 * (x**2 + y**2) - 1, coma_x(x, y)
    variance = 2 * (4e-4 * focus**2 - 6e-4 * focus * coma + 9e-4 * coma**2)
    unit = um_per_rad(made_result)
    np.testing.assert_allclose(with_focus.error_um, np.where(on_dish, unit * np.sqrt(variance), np.nan), atol=1e-9)
    alone = unit * np.sqrt(2 * 9e-4) * np.abs(coma)
    np.testing.assert_allclose(without_focus.error_um, np.where(on_dish, alone, np.nan), atol=1e-9)


def test_significance_is_the_size_over_the_error(first, made_result):
    view = compare([first, variant(made_result, "other", {(3, 1): 0.2})]).difference.views[0]
    np.testing.assert_allclose(view.significance, np.abs(view.map_um) / view.error_um)
    assert np.nanmin(view.significance) >= 0


def with_taper(result, taper_db):
    """A telescope without legs and ellipticity, so that the illumination can be written out."""
    parameters = (Parameter("edge_taper_db", taper_db, 0.1, "dB", True),)
    telescope = with_overrides(result.telescope, {"blockage.legs.used": False})
    orders = tuple(replace(one, parameters=parameters) for one in result.orders)
    return replace(result, orders=orders, telescope=telescope)


@pytest.mark.parametrize("taper_db", [-3.0, -20.0])
def test_rms_is_weighted_by_the_illumination_of_the_first(first, made_result, taper_db):
    other = variant(made_result, "other", {(2, 0): 0.3, (3, 3): 0.2})
    comparison = compare([with_taper(first, taper_db), with_taper(other, -11.0)])
    x, y, on_dish = dish(comparison)
    blocked = np.hypot(x, y) < first.telescope.blockage.disc_radius_m / RADIUS_M
    weight = np.where(on_dish & ~blocked, 10 ** (taper_db / 20 * (x**2 + y**2)), 0.0)
    for view in comparison.difference.views:
        difference = np.nan_to_num(view.map_um)
        mean = np.average(difference, weights=weight)
        rms = math.sqrt(np.average((difference - mean) ** 2, weights=weight))
        assert view.dish.rms_um == pytest.approx(rms, rel=0.02)
    assert comparison.difference.views[0].dish.rms_um > comparison.difference.views[1].dish.rms_um


def test_illumination_that_a_result_does_not_know_is_that_of_the_telescope(first, made_result):
    def rms(parameters):
        fit = replace(first.fit, parameters=parameters)
        result = replace(first, orders=(fit,), chosen_order=fit.order)
        return compare([result, variant(made_result, "other", {(3, 3): 0.2})]).difference.views[0].dish.rms_um

    nominal = rms((Parameter("edge_taper_db", first.telescope.illumination.edge_taper_db, None, "dB", False),))
    assert rms(()) == rms((Parameter("edge_taper_db", math.nan, None, "dB", True),)) == nominal
    assert rms((Parameter("edge_taper_db", -1.0, None, "dB", True),)) > 1.05 * nominal


def test_rms_over_the_dish_is_that_of_the_fit():
    observation, telescope = oofpy.read_observation(DATA / "jcmt_270GHz.fits"), oofpy.load_telescope("jcmt")
    settings = oofpy.FitSettings(order=3, ladder=False, device="cpu", max_evaluations=5)
    result = oofpy.fit(oofpy.in_model_convention(observation, telescope), telescope, settings)
    flat = tuple(replace(one, phase_rad=0.0) for one in result.fit.coefficients)
    with_focus, without_focus = compare(
        [result, replace(result, orders=(replace(result.fit, coefficients=flat),))]
    ).difference.views
    assert with_focus.dish.rms_um == pytest.approx(result.fit.surface.rms_um, rel=1e-12)
    assert without_focus.dish.rms_um == pytest.approx(result.fit.surface.rms_without_focus_um, rel=1e-12)
    assert with_focus.dish.rms_um > 20


def test_expected_rms_and_its_spread_are_those_of_differences_that_errors_make(made_result):
    results = noisy(made_result, 600)
    rms = [compare([results[i], results[i + 1]]).difference.views[0].dish.rms_um for i in range(0, 600, 2)]
    expected = compare(results[:2]).difference.views[0].dish
    assert math.sqrt(np.mean(np.square(rms))) == pytest.approx(expected.expected_um, rel=0.06)
    assert np.std(rms) == pytest.approx(expected.expected_spread_um, rel=0.25)


def test_wavelengths_are_brought_to_micrometres(first, made_result):
    shorter = made_result.wavelength_m / 2
    doubled = {(one.n, one.l): one.phase_rad for one in made_result.fit.coefficients}
    other = variant(made_result, "shorter", doubled, 4 * COVARIANCE, wavelength_m=shorter)
    comparison = compare([first, other])
    np.testing.assert_allclose(comparison.difference.values_um, 0, atol=1e-9)
    np.testing.assert_allclose(comparison.errors_um[0], comparison.errors_um[1], rtol=1e-12)


def test_chi2_of_a_pair_is_that_of_the_covariances(first, made_result):
    changes = {(2, 2): 0.05, (3, -1): -0.08}
    view = compare([first, variant(made_result, "other", changes, 2 * COVARIANCE)]).difference.views[0]
    change = np.zeros(7)
    change[2], change[4] = 0.05, -0.08
    value = change @ np.linalg.solve(3 * COVARIANCE, change)
    assert view.chi2.value == pytest.approx(value, rel=1e-9)
    assert view.chi2.degrees_of_freedom == 7
    assert view.chi2.probability == pytest.approx(chi2_distribution.sf(value, 7), rel=1e-9)


def test_directions_without_variance_do_not_count():
    covariance = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 1.0]])
    chi2 = chi2_of(np.array([1.0, 2.0, 3.0]), covariance)
    assert chi2.degrees_of_freedom == 2
    assert chi2.value == pytest.approx(1 + 9)


def test_chi2_about_the_mean_of_two_is_that_of_their_difference():
    values = np.array([[0.1, -0.2, 0.3], [0.05, 0.1, -0.2]])
    covariances = np.stack([COVARIANCE[:3, :3], 3 * COVARIANCE[2:5, 2:5]])
    difference = chi2_of(values[0] - values[1], covariances.sum(axis=0))
    about_mean = chi2_about_mean(values, covariances)
    assert about_mean.value == pytest.approx(difference.value, rel=1e-9)
    assert about_mean.degrees_of_freedom == difference.degrees_of_freedom == 3


def test_scatter_of_noisy_copies_is_what_their_errors_predict(made_result):
    repeated = compare(noisy(made_result, 30)).repeatability
    for view in repeated.views:
        assert abs(view.dish.ratio - 1) < 3 * view.dish.ratio_spread
        assert view.dish.ratio_spread < 0.1
        assert 0.005 < view.chi2.probability < 0.995
        assert not view.chi2.significant
    assert repeated.views[0].chi2.degrees_of_freedom == 29 * 7
    assert repeated.views[1].chi2.degrees_of_freedom == 29 * 6
    assert np.std(repeated.pulls) == pytest.approx(1, abs=0.15)
    np.testing.assert_allclose(repeated.scatter_um / repeated.predicted_um, 1, atol=0.45)


def test_ratio_and_chi2_are_calibrated(made_result):
    """Over many sets of four the ratio varies as much as is said of it, and a chi2 is as large as its freedom."""
    results = noisy(made_result, 480, seed=3)
    views = [compare(results[i : i + 4]).repeatability.views[0] for i in range(0, 480, 4)]
    ratios = [view.dish.ratio for view in views]
    assert np.std(ratios) == pytest.approx(views[0].dish.ratio_spread, rel=0.25)
    assert np.mean(np.square(ratios)) == pytest.approx(1, abs=0.1)
    assert np.mean([view.chi2.value for view in views]) == pytest.approx(3 * 7, rel=0.06)
    assert np.mean([view.chi2.probability for view in views]) == pytest.approx(0.5, abs=0.1)


def test_scatter_map_is_the_standard_deviation_of_the_surfaces(made_result):
    comparison = compare(noisy(made_result, 5))
    view = comparison.repeatability.views[0]
    np.testing.assert_allclose(view.scatter_um, comparison.surfaces_um.std(axis=0, ddof=1), atol=1e-9)
    mean = np.mean([compare(noisy(made_result, 2)).difference.views[0].error_um], axis=0) / math.sqrt(2)
    np.testing.assert_allclose(view.predicted_um, mean, atol=1e-9)


def test_mean_is_weighted_by_inverse_variances_and_pulls_know_their_part_in_it(made_result):
    exact = variant(made_result, "exact", {}, COVARIANCE / 4)
    others = [variant(made_result, name, {(3, 1): 0.12}) for name in ("rough", "rough as well")]
    repeated = compare([exact, *others]).repeatability
    unit = um_per_rad(made_result)
    value, sigma = dict_of(exact)[3, 1], 0.04
    assert repeated.mean_um[COMA_X] == pytest.approx(unit * (value + 0.12 * 2 / 6), rel=1e-9)
    assert repeated.mean_errors_um[COMA_X] == pytest.approx(unit * sigma / math.sqrt(6), rel=1e-9)
    pulls = [-0.04 / (sigma * math.sqrt(1 / 4 - 1 / 6)), *[0.08 / (sigma * math.sqrt(1 - 1 / 6))] * 2]
    np.testing.assert_allclose(repeated.pulls[:, COMA_X], pulls, rtol=1e-9)
    chi2 = (4 * 0.04**2 + 2 * 0.08**2) / sigma**2
    assert repeated.chi2[COMA_X].value == pytest.approx(chi2, rel=1e-9)
    assert repeated.chi2[COMA_X].degrees_of_freedom == 2


def dict_of(result):
    return {(one.n, one.l): one.phase_rad for one in result.fit.coefficients}


def test_one_that_differs_is_significant_and_named_by_its_deviation(made_result):
    results = noisy(made_result, 6)
    results[3] = variant(made_result, "bent", {(3, 1): 0.4})
    repeated = compare(results).repeatability
    assert repeated.views[1].chi2.significant
    assert repeated.views[1].dish.ratio > 1.5
    ratios = [dish.ratio for dish in repeated.views[1].deviations]
    assert np.argmax(ratios) == 3
    assert ratios[3] > 3
    assert repeated.pulls[3, COMA_X] > 5


def test_focus_alone_is_told_from_the_surface(made_result):
    results = noisy(made_result, 4)
    results[1] = variant(made_result, "refocused", {(2, 0): 0.5})
    with_focus, without_focus = compare(results).repeatability.views
    assert with_focus.chi2.significant
    assert not without_focus.chi2.significant
    lines = findings(compare(results))
    assert "more than the errors explain" in lines[0]
    assert "the errors explain it" in lines[1]


def test_twin_is_found(first):
    comparison = compare([first, twin_of(first, "twin")])
    assert codes(comparison) == ["opposite-signs"]
    assert "the even orders of B have the opposite sign of those of A" in comparison.remarks[0].message
    assert comparison.difference.views[1].chi2.significant


def test_twin_among_several_is_named(first, made_result):
    results = [*noisy(made_result, 5), twin_of(first, "twin")]
    (remark,) = compare(results).remarks
    assert "the even orders of F have" in remark.message
    first_is_wrong = compare([results[-1], *results[:5]]).remarks[0].message
    assert "the even orders of A have" in first_is_wrong


@pytest.mark.parametrize("changes", [{(2, 0): 2.4}, {(3, 1): 1.0}, {(2, 2): 0.3, (2, -2): -0.2}])
def test_other_differences_are_no_twins(first, made_result, changes):
    assert "opposite-signs" not in codes(compare([first, variant(made_result, "other", changes)]))


def test_shared_data_are_told_and_not_tested(first, made_result):
    again = variant(made_result, "again", {(3, 1): 0.5}, sources=first.sources)
    comparison = compare([first, again])
    assert codes(comparison) == ["same-data"]
    assert "too small" in comparison.remarks[0].message
    assert all(line.endswith("no test, as they share data") for line in findings(comparison))
    assert codes(compare([first, replace(first, sources=())])) == ["same-data"]
    assert codes(compare([first, variant(made_result, "other")])) == []


def test_two_bands_of_one_file_are_independent(first, made_result):
    band = variant(made_result, "band", sources=first.sources, wavelength_m=0.6 * first.wavelength_m)
    assert "same-data" not in codes(compare([first, band]))


def test_other_dishes_are_refused(first, made_result):
    telescope = made_result.telescope
    renamed = variant(made_result, "elsewhere", telescope=replace(telescope, name="jcmt"))
    with pytest.raises(UsageError, match=r"first is of srt .* elsewhere of jcmt"):
        compare([first, renamed])
    geometry = replace(telescope.geometry, dish_radius_m=30.0)
    smaller = variant(made_result, "smaller", telescope=replace(telescope, geometry=geometry))
    with pytest.raises(UsageError, match=r"32\.004 m, smaller of srt with 30 m"):
        compare([first, smaller])


def test_what_cannot_be_compared_is_refused(first):
    with pytest.raises(UsageError, match="two or more"):
        compare([first])
    with pytest.raises(UsageError, match="1 names are given for 2 results"):
        compare([first, first], ["one"])


def test_names_are_told_apart(first):
    assert compare([first] * 3).names == ("first", "first#2", "first#3")
    assert compare([first] * 3, ["a", "a#2", "a"]).names == ("a", "a#2", "a#3")
    assert compare([first] * 3, ["a", "a", "a#2"]).names == ("a", "a#2", "a#2#2")
    assert compare([first] * 28).labels[24:] == ("Y", "Z", "A2", "B2")


def test_terms_that_one_result_lacks_count_in_the_map_only(first, made_result):
    names, covariance = (*TERMS, "Z(4,0)"), np.diag([*np.diag(COVARIANCE), 1e-4])
    higher = variant(made_result, "higher", {(4, 0): 0.3}, covariance, names)
    comparison = compare([higher, first])
    assert codes(comparison) == ["terms-differ"]
    assert "Z(4,0) (only A)" in comparison.remarks[0].message
    x, y, on_dish = dish(comparison)
    square = x**2 + y**2
    expected = 0.3 * um_per_rad(first) * (6 * square**2 - 6 * square + 1)
    np.testing.assert_allclose(comparison.difference.views[0].map_um, np.where(on_dish, expected, np.nan), atol=1e-9)
    assert comparison.difference.common.rms_um == pytest.approx(0, abs=1e-9)
    assert comparison.difference.views[0].chi2.degrees_of_freedom == 7
    assert math.isnan(comparison.difference.z[-1])
    assert math.isnan(comparison.values_um[1, -1])
    assert len(findings(comparison)) == 3
    several = compare([higher, first, variant(made_result, "third")]).repeatability
    assert math.isnan(several.mean_um[-1])
    assert several.views[0].dish.rms_um == pytest.approx(0, abs=1e-9)
    assert math.isnan(several.chi2[-1].value)


def test_rms_of_the_common_terms_is_told_everywhere(first, made_result):
    names, covariance = (*TERMS, "Z(4,0)"), np.diag([*np.diag(COVARIANCE), 1e-4])
    higher = variant(made_result, "higher", {(4, 0): 0.3, (3, 1): 0.1}, covariance, names)
    comparison = compare([higher, first])
    dish = comparison.difference.common
    alone = compare([variant(made_result, "coma", {(3, 1): 0.1}), first]).difference.views[0].dish
    assert dish.rms_um == pytest.approx(alone.rms_um, rel=1e-9)
    plain = summary(comparison)["difference"]
    assert plain["common"]["rms_um"] == dish.rms_um
    assert plain["common"]["ratio"] == dish.ratio
    assert plain["common"]["rms_um"] < 0.9 * plain["views"][0]["rms_um"]
    last = key_findings(comparison)[-1]
    assert (last.dish, last.chi2) == (dish, None)
    assert findings(comparison)[-1].startswith(f"A - B of the terms that both have: {dish.rms_um:.0f}")


def test_held_terms_are_not_tested(first, made_result):
    held = variant(made_result, "held", {(2, -2): 0.3}, COVARIANCE[1:, 1:], TERMS[1:])
    comparison = compare([first, held])
    assert codes(comparison) == ["terms-held"]
    assert math.isnan(comparison.difference.z[0])
    assert comparison.errors_um[1, 0] == 0
    assert comparison.difference.views[0].chi2.value == pytest.approx(0, abs=1e-9)
    assert comparison.difference.views[0].chi2.degrees_of_freedom == 6
    several = compare([first, held, variant(made_result, "third")]).repeatability
    assert np.isnan(several.pulls[:, 0]).all()
    assert several.views[0].chi2.degrees_of_freedom == 2 * 6
    assert math.isnan(several.chi2[0].value)
    assert several.chi2[0].degrees_of_freedom == 0
    assert math.isnan(several.chi2[0].probability)
    assert [chi2.degrees_of_freedom for chi2 in several.chi2[1:]] == [2] * 6
    row = summary(compare([first, held, variant(made_result, "third")]))["coefficients"][0]
    assert (row["chi2"], row["probability"]) == (None, None)


@pytest.mark.parametrize("count", [2, 3])
def test_results_without_any_error_are_compared(made_result, count):
    results = [variant(made_result, f"held {number}", {}, np.zeros((0, 0)), ()) for number in range(count)]
    comparison = compare(results)
    view = comparison.views[0]
    assert math.isnan(view.chi2.probability)
    assert math.isnan(view.dish.ratio)
    assert findings(comparison)[0].endswith("no test, as no term was fitted in all")
    json.dumps(summary(comparison), allow_nan=False)


def test_elevations_far_apart_are_told(made_result):
    def at(degrees):
        return variant(made_result, f"at {degrees}", elevation_rad=math.radians(degrees))

    assert codes(compare([at(40), at(49.9)])) == []
    (remark,) = compare([at(50), at(20), at(65)]).remarks
    assert remark.code == "elevations"
    assert "20 deg (B) to 65 deg (C)" in remark.message


def test_corrections_on_the_dish_are_told(first, made_result):
    def corrected(name, value):
        applied = AppliedCorrection(((2, 2, value),))
        return variant(made_result, name, observing=Observing(applied=applied))

    (remark,) = compare([first, corrected("corrected", 0.1)]).remarks
    assert remark.message.startswith("B was observed with a correction on the dish, not the same for all")
    same = compare([corrected("one", 0.1), corrected("two", 0.1)]).remarks[0].message
    assert same.startswith("all were observed with the same correction")
    other = compare([corrected("one", 0.1), corrected("two", 0.2)]).remarks[0].message
    assert other.startswith("A and B were observed with a correction on the dish, not the same")


def test_doubtful_results_and_other_descriptions_are_told(first, made_result):
    doubtful = variant(made_result, "doubtful", flags=made_result.flags)
    blockage = replace(made_result.telescope.blockage, disc_radius_m=1.0)
    described = variant(made_result, "described", telescope=replace(made_result.telescope, blockage=blockage))
    remarks = compare([first, doubtful, described]).remarks
    assert [remark.code for remark in remarks] == ["verdict", "telescope-differs"]
    assert "B is to be looked at" in remarks[0].message
    assert remarks[0].message.endswith(f": {doubtful.verdict}, {', '.join(doubtful.serious_codes)}")
    assert "source-off-centre" in doubtful.serious_codes
    assert remarks[1].message.startswith("C and A were fitted with different descriptions")


def test_made_result_against_itself(made_result):
    comparison = compare([made_result, made_result])
    np.testing.assert_array_equal(comparison.difference.values_um, 0)
    assert comparison.names == ("srt_2019-04-26", "srt_2019-04-26#2")
    assert {"same-data", "verdict", "corrections"} <= {*codes(comparison)}


def test_summary_is_strict_json_and_holds_the_numbers(first, made_result):
    comparison = compare([first, variant(made_result, "other", {(3, 1): -0.2})])
    plain = json.loads(json.dumps(summary(comparison), allow_nan=False))
    assert [entry["label"] for entry in plain["results"]] == ["A", "B"]
    assert plain["coefficients"][COMA_X]["z"] == pytest.approx(0.2 / 0.04 / math.sqrt(2))
    assert plain["coefficients"][COMA_X]["difference_um"] == pytest.approx(0.2 * um_per_rad(first))
    views = plain["difference"]["views"]
    assert [view["view"] for view in views] == ["with focus", "without focus"]
    assert views[0]["chi2"]["degrees_of_freedom"] == 7
    assert plain["difference"]["common"]["rms_um"] == views[0]["rms_um"]
    assert plain["repeatability"] is None
    several = summary(compare(noisy(made_result, 3)))
    assert len(several["repeatability"]["views"][1]["deviations"]) == 3
    assert several["results"][0]["inputs"][0]["file"] == "night 1.fits"


def test_table_has_radians_at_each_wavelength_and_units(first, made_result):
    other = variant(made_result, "other", wavelength_m=made_result.wavelength_m / 2)
    table = coefficient_table(compare([first, other, variant(made_result, "third")]))
    np.testing.assert_allclose(table["phase_rad_A"], table["phase_rad_B"], rtol=1e-12)
    np.testing.assert_allclose(table["surface_um_A"], 2 * table["surface_um_B"], rtol=1e-12)
    assert (str(table["mean_um"].unit), str(table["phase_rad_error_B"].unit), table["pull_C"].unit) == (
        "um",
        "rad",
        None,
    )
    assert table.meta["results"] == {"A": "first", "B": "other", "C": "third"}


def test_folder_is_written_whole_and_read_back(tmp_path, first, made_result):
    from astropy.table import Table

    comparison = compare([first, variant(made_result, "other")])
    write_comparison(comparison, tmp_path / "c")
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["coefficients.ecsv", "comparison.json"]
    assert json.loads((tmp_path / "c" / "comparison.json").read_text())["results"][0]["name"] == "first"
    assert len(Table.read(tmp_path / "c" / "coefficients.ecsv")) == 7
    with pytest.raises(UsageError, match="exists already"):
        write_comparison(comparison, tmp_path / "c")
    write_comparison(comparison, tmp_path / "c", overwrite=True)

    def fails(_, folder):
        (folder / "part.png").write_bytes(b"")
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        write_comparison(comparison, tmp_path / "d", illustrate=fails)
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_folder_of_something_else_is_not_replaced(tmp_path):
    (tmp_path / "result.fits").write_bytes(b"")
    with pytest.raises(UsageError, match=r"holds no comparison\.json"):
        refuse_foreign(tmp_path, COMPARISON_FILE, overwrite=True)


def test_names_of_folders():
    assert comparison_name(["night 1", "night/2"]) == "night_1-and-night_2"
    assert comparison_name(["night", "night#2"]) == "night-and-night_2"
    assert comparison_name(["a", "b", "c"]) == "a-and-2-more"
    assert comparison_name(["..", "$(x)" + "y" * 300]) == "unnamed-and-x_" + "y" * 58


def test_results_read_back_compare_alike(tmp_path, first, made_result):
    other = variant(made_result, "other", {(3, 1): 0.1})
    places = [write_result(result, tmp_path) for result in (first, other)]
    read = compare([read_result(place) for place in places])
    np.testing.assert_array_equal(read.difference.values_um, compare([first, other]).difference.values_um)


def test_importing_it_loads_neither_torch_nor_matplotlib():
    code = "import sys, oofpy.comparison; print(*{'torch', 'matplotlib', 'scipy'} & {*sys.modules})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []
