from dataclasses import replace

import numpy as np
import pytest

from oofpy.plots.correlation import correlation_figure, has_correlation

image_test = pytest.mark.mpl_image_compare(tolerance=1, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})


def with_covariance(result, covariance, names=None):
    names = tuple(f"p{number}" for number in range(len(covariance))) if names is None else names
    return replace(result, orders=(replace(result.fit, covariance=covariance, covariance_names=names),))


def words(figure):
    return [text.get_text() for text in figure.texts]


@image_test
def test_image_of_correlation(made_result):
    return correlation_figure(made_result)


def test_matrix_is_the_correlation_with_its_names(made_result):
    panel = correlation_figure(made_result).axes[0]
    [image] = panel.get_images()
    np.testing.assert_allclose(image.get_array(), made_result.fit.correlation)
    assert image.get_clim() == (-1, 1)
    names = list(made_result.fit.covariance_names)
    assert [label.get_text() for label in panel.get_xticklabels()] == names
    assert [label.get_text() for label in panel.get_yticklabels()] == names
    assert panel.yaxis_inverted()


def test_degenerate_pair_is_ringed_and_named(made_result):
    figure = correlation_figure(made_result)
    names = made_result.fit.covariance_names
    focus, taper = names.index("Z(2,0)"), names.index("edge_taper_db")
    for rings in figure.axes[0].collections:
        assert {tuple(place) for place in np.asarray(rings.get_offsets()).astype(int)} == {
            (focus, taper),
            (taper, focus),
        }
    [(_, _, correlation)] = made_result.degenerate_pairs
    assert f"Z(2,0), edge_taper_db  {correlation:+.3f}" in words(figure)
    assert correlation < -0.9


def test_condition_number_stands_in_the_heading(made_result):
    assert f"condition number {made_result.fit.condition_number:.3g} (limit 1e+04)" in " ".join(
        words(correlation_figure(made_result))
    )


def test_without_a_degenerate_pair_the_strongest_are_named(made_result):
    covariance = np.diag([1.0, 4.0, 9.0])
    covariance[0, 2] = covariance[2, 0] = -1.5
    figure = correlation_figure(with_covariance(made_result, covariance))
    assert not figure.axes[0].collections
    assert words(figure)[-4:] == ["none; the strongest:", "p0, p2  -0.500", *words(figure)[-2:]]


def test_long_list_of_pairs_says_how_many_more(made_result):
    covariance = np.full((12, 12), 0.99) + 0.01 * np.eye(12)
    figure = correlation_figure(with_covariance(made_result, covariance))
    assert words(figure)[-1] == f"and {66 - 22} more"
    figure.canvas.draw()
    lowest = min(text.get_window_extent().y0 for text in figure.texts)
    assert lowest > 0


@pytest.mark.parametrize("count", [2, 30, 100])
def test_names_do_not_overlap_and_stay_within_the_figure(made_result, count):
    names = (*(f"Z({number},-{number})" for number in range(count - 1)), "pointing_u_rad[3]")
    figure = correlation_figure(with_covariance(made_result, np.eye(count), names))
    figure.canvas.draw()
    panel = figure.axes[0]
    levels = sorted((label.get_window_extent() for label in panel.get_yticklabels()), key=lambda box: box.y0)
    heights = [(box.y0 + box.y1) / 2 for box in levels]
    size = panel.get_yticklabels()[0].get_size() * figure.dpi / 72
    assert size > 4 * figure.dpi / 72
    assert np.diff(heights).min(initial=np.inf) > size
    width, height = figure.canvas.get_width_height()
    boxes = [panel.get_tightbbox(), *(text.get_window_extent() for text in figure.texts)]
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height


def test_unknown_covariance_is_drawn_and_said(made_result):
    covariance = np.array([[1.0, np.nan], [np.nan, 1.0]])
    figure = correlation_figure(with_covariance(made_result, covariance))
    figure.canvas.draw()
    assert "condition number unknown" in " ".join(words(figure))


def test_one_parameter_has_no_correlation(made_result):
    assert has_correlation(made_result)
    assert not has_correlation(with_covariance(made_result, np.eye(1)))
    assert not has_correlation(with_covariance(made_result, np.zeros((0, 0)), ()))
