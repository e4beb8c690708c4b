from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.result import MapArrays
from oofpy.plots.residual_statistics import gaussian_sigma
from oofpy.plots.residuals import residual_figure

image_test = pytest.mark.mpl_image_compare(tolerance=1, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})


def with_residuals(result, likelihood, *residuals, scale=1.0, relative_error=None):
    """A result whose maps have these residuals, none down-weighted; without given errors unless stated."""
    maps, arrays = [], []
    for number, residual in enumerate(residuals):
        zero, one = np.zeros(residual.size), np.ones(residual.size)
        arrays.append(
            MapArrays(
                label="",
                u_rad=zero,
                v_rad=zero,
                observed=residual,
                model=zero,
                relative_error=one if relative_error is None else relative_error,
                weight=one,
                signal_to_noise=10.0,
            )
        )
        fitted = result.fit.maps[number % 3]
        maps.append(replace(fitted, noise=scale, samples=residual.size, correlation_samples=1.0))
    fit = replace(result.fit, maps=tuple(maps))
    settings = replace(result.settings, likelihood=likelihood)
    return replace(result, orders=(fit,), map_arrays=tuple(arrays), settings=settings)


def normal(seed, size=2000):
    return np.random.default_rng(seed).normal(0, 1, size)


def words(figure):
    return [text.get_text() for text in figure.texts]


def points_of(panel):
    return [line for line in panel.get_lines() if line.get_marker() not in ("None", "")]


@image_test
def test_image_of_residuals(made_result):
    far = np.concatenate([normal(1), [-30.0, 9.0, 40.0]])
    return residual_figure(with_residuals(made_result, "huber", far, normal(2) / 2, normal(3) + 1))


def test_histograms_are_densities_of_residuals_over_the_scale(made_result):
    result = with_residuals(made_result, "gaussian", 3 * normal(1), 3 * normal(2) + 3, scale=3.0)
    panel = residual_figure(result).axes[0]
    first, second = (patch.get_data() for patch in panel.patches)
    for values, edges, _ in (first, second):
        assert np.sum(values * np.diff(edges)) == pytest.approx(1)
    for (values, edges, _), mean in ((first, 0), (second, 1)):
        middle = (edges[:-1] + edges[1:]) / 2
        assert np.sum(values * middle * np.diff(edges)) == pytest.approx(mean, abs=0.1)


@pytest.mark.parametrize("likelihood", ["cauchy", "gaussian", "student-t", "huber"])
def test_density_of_the_likelihood_and_a_gaussian_of_its_core_are_drawn(made_result, likelihood):
    panel = residual_figure(with_residuals(made_result, likelihood, normal(1))).axes[0]
    *others, density = panel.get_lines()
    at_zero = {"cauchy": 1 / np.pi, "gaussian": 0.39894, "student-t": 0.375, "huber": 0.37584}[likelihood]
    assert np.max(density.get_ydata()) == pytest.approx(at_zero, rel=1e-3)
    assert len(others) == (likelihood != "gaussian")
    for line in others:
        x, y = line.get_data()
        sigma = gaussian_sigma(likelihood)
        np.testing.assert_allclose(y, np.exp(-((x / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi)))


def test_outliers_are_counted(made_result):
    far = np.concatenate([np.clip(normal(1), -3, 3), [-30.0, -6.5, 9.0]])
    texts = words(residual_figure(with_residuals(made_result, "gaussian", far, np.clip(normal(2), -3, 3))))
    assert any(
        "2003 samples, scale 1 map units, in the outermost bins for lying beyond 6: 2 below, 1 above" in t
        for t in texts
    )
    assert any("2000 samples, scale 1 map units, none beyond 6" in text for text in texts)


@pytest.mark.parametrize("likelihood", ["gaussian", "huber"])
def test_gaussian_noise_lies_on_the_line_whatever_the_likelihood(made_result, likelihood):
    """Its fitted scale is smaller than its sigma, for which the figure makes up."""
    noise = gaussian_sigma(likelihood) * normal(4)
    panel = residual_figure(with_residuals(made_result, likelihood, np.clip(noise, -1.3, 1.3))).axes[1]
    [points] = points_of(panel)
    x, y = points.get_data()
    inner = np.abs(x) < 0.9
    np.testing.assert_allclose(y[inner], x[inner], atol=0.1)


def test_far_outliers_stand_at_the_edge(made_result):
    far = np.concatenate([normal(1), [-300.0, 400.0]])
    panel = residual_figure(with_residuals(made_result, "gaussian", far)).axes[1]
    low, high = panel.get_ylim()
    [points] = points_of(panel)
    y = points.get_ydata()
    assert low < y[0] < 0.95 * low
    assert 0.95 * high < y[-1] < high
    assert panel.get_title(loc="left") == "Normal quantiles (points at the edge lie beyond)"


def test_band_counts_independent_samples(made_result):
    result = with_residuals(made_result, "gaussian", normal(1))
    correlated = tuple(replace(one, correlation_samples=40.0) for one in result.fit.maps)
    wide = replace(result, orders=(replace(result.fit, maps=correlated),))
    for shown, count in ((result, 2000), (wide, 50)):
        entries = [text.get_text() for text in residual_figure(shown).axes[1].get_legend().get_texts()]
        assert entries[0] == f"95 % of Gaussian noise, {count} independent samples"


def test_given_errors_are_divided_out_and_spoken_of(made_result):
    relative_error = np.random.default_rng(8).uniform(0.1, 4, 2000)
    plain = residual_figure(with_residuals(made_result, "gaussian", normal(1)))
    weighed = residual_figure(
        with_residuals(made_result, "gaussian", normal(1) * relative_error, relative_error=relative_error)
    )
    for panel, same in zip(plain.axes, weighed.axes, strict=True):
        for line, other in zip(panel.get_lines(), same.get_lines(), strict=True):
            np.testing.assert_allclose(line.get_xydata(), other.get_xydata(), rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(
        plain.axes[0].patches[0].get_data().values, weighed.axes[0].patches[0].get_data().values
    )
    assert "each over its given error" in " ".join(words(weighed))
    assert "error" not in " ".join(words(plain))


def test_errors_of_one_map_among_several_are_spoken_of(made_result):
    """The first of its three maps has them."""
    assert "each over its given error" in " ".join(words(residual_figure(made_result)))


def test_seven_maps_are_told_apart_and_stay_within_the_figure(made_result):
    figure = residual_figure(with_residuals(made_result, "cauchy", *(normal(seed) for seed in range(7))))
    figure.canvas.draw()
    histogram, quantiles = figure.axes
    assert len({str(patch.get_edgecolor()) for patch in histogram.patches}) == 7
    assert len({line.get_marker() for line in points_of(quantiles)}) == 7
    width, height = figure.canvas.get_width_height()
    for text in figure.texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    assert min(axes.get_tightbbox().y0 for axes in figure.axes) > max(
        text.get_window_extent().y1 for text in figure.texts[-7:]
    )


@pytest.mark.parametrize("values", [np.zeros(0), np.zeros(5), np.full(9, np.nan)])
def test_maps_without_residuals_are_drawn(made_result, values):
    for scale in (1.0, 0.0):
        residual_figure(with_residuals(made_result, "gaussian", values, normal(1), scale=scale)).canvas.draw()
