import numpy as np
import pytest

from oofpy.comparison.comparing import compare
from oofpy.plots.surface_views import blocked_pixels
from oofpy.review.figures.compared import ComparedDishes
from oofpy.review.figures.compared_terms import ComparedTerms
from tests.made_comparisons import noisy, variant


@pytest.fixture
def two(made_result):
    return compare([made_result, variant(made_result, "later", {(2, 2): 0.2})])


def shown(dishes, number):
    [image] = dishes._dish.source.data[f"panel{number}"]
    return image


@pytest.mark.parametrize("with_focus", [True, False])
def test_the_difference_is_that_of_the_comparison(two, with_focus):
    dishes = ComparedDishes()
    dishes.show(two, with_focus=with_focus)
    view, blocked = two.difference.views[0 if with_focus else 1], blocked_pixels(two.results[0])
    assert len(dishes.figures) == 5
    for number, expected in ((2, view.map_um), (3, view.error_um), (4, view.significance)):
        np.testing.assert_array_equal(shown(dishes, number), np.where(blocked, np.nan, expected))
    difference = shown(dishes, 0) - shown(dishes, 1)
    np.testing.assert_allclose(difference, shown(dishes, 2), atol=1e-9)
    assert np.nanmax(np.abs(difference)) > 1


def test_all_have_one_zoom_and_read_all(two):
    dishes = ComparedDishes()
    dishes.show(two)
    ranges = {(figure.x_range.id, figure.y_range.id) for figure in dishes.figures}
    assert len(ranges) == 1
    assert dishes._images[0]._hover.tooltips == dishes._images[4]._hover.tooltips
    assert len(dishes._images[0]._hover.tooltips) == 6


def test_fewer_after_more(two, made_result):
    dishes = ComparedDishes()
    dishes.show(compare(noisy(made_result, 4)))
    assert len(dishes.figures) == 7
    dishes.show(two)
    assert len(dishes.figures) == 5
    assert {f"panel{number}" for number in range(7)} <= set(dishes._dish.source.data)


def test_coefficients_and_what_sets_them_apart(two):
    terms = ComparedTerms()
    terms.show(two)
    values, pulls = terms._values.data, terms._pulls.data
    known = np.isfinite(two.values_um)
    np.testing.assert_array_equal(values["value_um"], two.values_um[known])
    np.testing.assert_array_equal(values["error_um"], two.errors_um[known])
    np.testing.assert_array_equal(pulls["pull"], two.difference.z[np.isfinite(two.difference.z)])
    assert values["label"] == ["A"] * int(known[0].sum()) + ["B"] * int(known[1].sum())


def test_several_are_held_against_their_mean(made_result):
    comparison, terms = compare(noisy(made_result, 4)), ComparedTerms()
    terms.show(comparison)
    pulls = comparison.repeatability.pulls
    np.testing.assert_array_equal(terms._pulls.data["pull"], pulls[np.isfinite(pulls)])
