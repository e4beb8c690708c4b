import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.comparison import compare
from oofpy.observing import AppliedCorrection, Observing
from oofpy.plots.comparison_figures import (
    COMPARISON_FIGURES,
    comparison_coefficients_figure,
    deviations_figure,
    difference_figure,
    numbers_figure,
    scatter_figure,
    surfaces_figure,
)
from oofpy.plots.saving import draw_figures
from tests.few_colours import FewColours
from tests.made_comparisons import COVARIANCE, TERMS, coarse, noisy, twin_of, variant

image_test = pytest.mark.mpl_image_compare(tolerance=0.5, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})


@pytest.fixture(scope="session")
def pair(made_result):
    """Two nights, between which coma and focus have changed."""
    first, second = noisy(made_result, 2, seed=5)
    changed = {(one.n, one.l): one.phase_rad for one in second.fit.coefficients}
    base = {(one.n, one.l): one.phase_rad for one in made_result.fit.coefficients}
    moved = {key: value - base[key] for key, value in changed.items()} | {(3, 1): 0.5, (2, 0): 0.6}
    return compare([first, variant(made_result, "night 2", moved, date="2026-01-02")])


@pytest.fixture(scope="session")
def several(made_result):
    """Five nights, one of them bent and one refocused."""
    results = noisy(made_result, 5, seed=6)
    results[2] = variant(made_result, "bent", {(3, 3): 0.4})
    results[4] = variant(made_result, "refocused", {(2, 0): -0.5})
    return compare(results)


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_images()]


def shown(panel):
    return panel.get_images()[0].get_array().filled(np.nan)


def texts_of(figure):
    return " ".join(text.get_text() for text in figure.texts)


def titles_of(figure):
    return [panel.get_title(loc="left") for panel in panels_of(figure)]


def small(comparison):
    """The same comparison on fewer pixels."""
    return compare([coarse(result) for result in comparison.results], comparison.names)


@image_test
def test_image_of_compared_surfaces(pair):
    return FewColours(surfaces_figure(small(pair)))


@image_test
def test_image_of_difference(pair):
    return FewColours(difference_figure(small(pair)))


@image_test
def test_image_of_compared_coefficients(pair):
    return FewColours(comparison_coefficients_figure(pair))


@image_test
def test_image_of_coefficients_of_several(several):
    return FewColours(comparison_coefficients_figure(several))


@image_test
def test_image_of_scatter(several):
    return FewColours(scatter_figure(small(several)))


@image_test
def test_image_of_deviations(several):
    return FewColours(deviations_figure(small(several)))


@image_test
def test_image_of_compared_numbers(several):
    return FewColours(numbers_figure(several))


def test_surfaces_share_one_scale(pair, made_result):
    panels = panels_of(surfaces_figure(pair))
    assert len(panels) == 4
    assert len({panel.get_images()[0].get_clim() for panel in panels}) == 1
    low, high = panels[0].get_images()[0].get_clim()
    assert low == -high < 0
    open_dish = made_result.aperture.amplitude > 0
    for panel, surface in zip(panels, [*pair.surfaces_um, *pair.surfaces_without_focus_um], strict=True):
        np.testing.assert_array_equal(shown(panel), np.where(open_dish, surface, np.nan))
        assert panel.get_aspect() == 1.0
        assert panel.get_images()[0].origin == "lower"


def test_difference_stands_beside_its_error_and_significance(pair):
    panels = panels_of(difference_figure(pair))
    assert len(panels) == 6
    for row, view in enumerate(pair.difference.views):
        for panel, values in zip(panels[3 * row :], (view.map_um, view.error_um, view.significance), strict=False):
            image = shown(panel)
            known = np.isfinite(image)
            np.testing.assert_array_equal(image[known], values[known])
    titles = titles_of(difference_figure(pair))
    view = pair.difference.views[0]
    assert titles[0].startswith(f"without tilt: rms {view.dish.rms_um:.0f} µm, errors alone")
    assert titles[3].startswith("without tilt and focus: rms ")


def test_contours_are_dashed_where_negative(pair):
    panel = panels_of(difference_figure(pair))[0]
    (contours,) = [artist for artist in panel.collections if hasattr(artist, "levels")]
    dashed = [style[1] is not None for style in contours.get_linestyle()]
    assert dashed == (np.asarray(contours.levels) < 0).tolist()
    assert any(dashed)
    assert not all(dashed)


def test_scatter_and_prediction_share_a_scale(several):
    figure = scatter_figure(several)
    panels = panels_of(figure)
    for row in (panels[:3], panels[3:]):
        scatter, predicted, ratio = (panel.get_images()[0] for panel in row)
        assert scatter.get_clim() == predicted.get_clim()
        assert scatter.get_clim()[0] == 0
        np.testing.assert_allclose(ratio.get_array(), scatter.get_array() / predicted.get_array())
    ratios = [view.dish.ratio for view in several.repeatability.views]
    assert [
        title.startswith(f"ratio {value:.3g} (1 ± ")
        for title, value in zip(titles_of(figure)[2::3], ratios, strict=True)
    ]


def test_z_of_focus_does_not_press_the_others_flat(pair):
    far = replace(pair.difference, z=np.where([term.l == 0 for term in pair.terms], -90.0, pair.difference.z))
    below = comparison_coefficients_figure(replace(pair, difference=far)).axes[1]
    assert below.get_ylim()[1] < 30
    assert "-90" in [text.get_text() for text in below.texts]
    heights = [bar.get_height() for bar in below.patches if bar.get_width() < 1]
    np.testing.assert_allclose(np.delete(heights, 1), np.delete(pair.difference.z, 1))
    assert -below.get_ylim()[1] < heights[1] < -0.9 * below.get_ylim()[1]


def test_only_terms_that_all_fitted_have_a_z(made_result):
    held = variant(made_result, "held", {(2, -2): 0.3}, COVARIANCE[1:, 1:], TERMS[1:])
    above, below = comparison_coefficients_figure(compare([variant(made_result, "free"), held])).axes
    assert len(above.get_xticks()) == 7
    assert len(below.get_xticks()) == 6


def test_farthest_of_many_are_drawn(made_result):
    results = noisy(made_result, 12, seed=4)
    results[9] = variant(made_result, "bent", {(3, 1): 0.5})
    comparison = compare(results)
    figure = deviations_figure(comparison)
    assert len(panels_of(figure)) == 8
    assert "drawn are the 8 of 12 that are farthest from their mean" in texts_of(figure)
    assert any(title.startswith("J bent, rms") for title in titles_of(figure))
    assert len(panels_of(surfaces_figure(comparison))) == 16


def test_heading_names_the_results_and_warns(made_result):
    first = variant(made_result, "first", elevation_rad=math.radians(40.2), object_name="$W3$")
    texts = texts_of(difference_figure(compare([first, twin_of(first, "other")])))
    assert "A first, $W3$, 2019-04-26, elevation 40°, λ 13.486 mm, order 3" in texts
    assert "the even orders of B have the opposite sign" in texts


def test_numbers_are_those_of_the_results(several):
    rms, focus, efficiency = numbers_figure(several).axes
    surface = several.results[0].fit.surface
    values = [
        [line.get_ydata() for line in panel.lines if line.get_marker() == "o"] for panel in (rms, focus, efficiency)
    ]
    np.testing.assert_allclose(values[0], [[surface.rms_without_focus_um] * 5, [surface.rms_um] * 5])
    np.testing.assert_allclose(values[1], [[surface.best_focus_m * 1e3] * 5])
    np.testing.assert_allclose(values[2], [[surface.ruze_efficiency] * 5, [surface.exact_efficiency] * 5])
    assert [label.get_text() for label in rms.get_xticklabels()][:3] == ["A\n41°", "B\n47°", "C"]


def test_what_is_as_observed_is_said(made_result):
    applied = Observing(applied=AppliedCorrection(((2, 0, 0.1),)))
    corrected = compare([variant(made_result, "one", observing=applied), variant(made_result, "two")])
    assert "focus and efficiency are those of the dish as observed" in texts_of(numbers_figure(corrected))
    assert "as observed" not in texts_of(
        numbers_figure(compare([variant(made_result, "one"), variant(made_result, "2")]))
    )


def test_each_kind_is_drawn_where_it_has_something_to_show(pair, several):
    names = [[kind.name for kind in COMPARISON_FIGURES if kind.present(one)] for one in (pair, several)]
    assert names[0] == ["surfaces", "difference", "coefficients", "numbers"]
    assert names[1] == ["surfaces", "scatter", "deviations", "coefficients", "numbers"]


def odd(result, kind):
    """Fields of results that are hard to draw."""
    if kind == "flat":
        return {"changes_rad": {(one.n, one.l): -one.phase_rad for one in result.fit.coefficients}}
    if kind == "unknown":
        return {"changes_rad": {(2, 0): math.nan}, "covariance": np.full_like(COVARIANCE, np.nan)}
    if kind == "without errors":
        return {"covariance": np.zeros((0, 0)), "names": ()}
    return {"aperture": replace(result.aperture, amplitude=np.zeros_like(result.aperture.amplitude))}


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("flat", 2),
        ("flat", 30),
        ("unknown", 2),
        ("unknown", 3),
        ("without errors", 2),
        ("without errors", 3),
        ("dark", 2),
    ],
)
def test_odd_results_are_drawn(made_result, kind, count):
    results = [variant(coarse(made_result), f"{number}", **odd(coarse(made_result), kind)) for number in range(count)]
    drawn = draw_figures(COMPARISON_FIGURES, compare(results))
    assert len(drawn) == (4 if count == 2 else 5)


def test_high_orders_and_long_names_are_drawn(made_result):
    terms = [(n, l) for n in range(2, 9) for l in range(-n, n + 1, 2)]
    names = tuple(f"Z({n},{l})" for n, l in terms)
    covariance = np.eye(len(terms)) * 1e-3
    high = variant(
        made_result, "x" * 300, dict.fromkeys(terms, 0.1), covariance, names, object_name="Königstuhl ☉ " * 20
    )
    comparison = compare([high, variant(made_result, "low")])
    assert len(draw_figures(COMPARISON_FIGURES, comparison)) == 4
