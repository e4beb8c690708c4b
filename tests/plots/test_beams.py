from dataclasses import replace

import numpy as np
import pytest

from oofpy.plots import beam_figure

ARCSEC = 648000 / np.pi


def panels_of(figure):
    """Panels with an image, in rows of observed, model, residual; colour bars hold no image."""
    panels = [axes for axes in figure.axes if axes.get_images()]
    return [panels[start : start + 3] for start in range(0, len(panels), 3)]


def shown(panel):
    return panel.get_images()[0].get_array().filled(np.nan)


@pytest.fixture(scope="module")
def rows(made_result):
    return panels_of(beam_figure(made_result))


def on_grid(arrays, values):
    """Values of a map on its grid, found independently of the drawing."""
    order = np.lexsort((arrays.u_rad, arrays.v_rad))
    return values[order].reshape(25, 25)


@pytest.mark.parametrize("number", [0, 1])
def test_panels_hold_observed_model_and_their_difference(made_result, rows, number):
    arrays = made_result.map_arrays[number]
    used = arrays.weight > 0
    blanked = np.where(used, arrays.observed, np.nan)
    peak = np.ptp(arrays.model[used])
    np.testing.assert_array_equal(shown(rows[number][0]), on_grid(arrays, blanked))
    np.testing.assert_array_equal(shown(rows[number][1]), on_grid(arrays, arrays.model))
    wanted = 100 * (blanked - arrays.model) / peak
    np.testing.assert_allclose(shown(rows[number][2]), on_grid(arrays, wanted), rtol=1e-12)
    assert np.isnan(shown(rows[number][2])).sum() == 9


def test_scattered_map_shows_its_samples_only(made_result, rows):
    arrays = made_result.map_arrays[2]
    image = shown(rows[2][0])
    assert np.isin(image[np.isfinite(image)], arrays.observed[arrays.weight > 0]).all()


def test_observed_and_model_share_a_scale_and_residuals_are_symmetric(made_result, rows):
    for (observed, model, residual), arrays in zip(rows, made_result.map_arrays, strict=True):
        limits = model.get_images()[0].get_clim()
        assert observed.get_images()[0].get_clim() == limits
        used = arrays.model[arrays.weight > 0]
        assert limits == (used.min(), used.max())
        low, high = residual.get_images()[0].get_clim()
        assert low == -high < 0


def test_axes_are_equal_and_labelled_with_units(rows):
    assert rows[0][0].get_ylabel() == "v [arcsec]"
    assert rows[-1][2].get_xlabel() == "u [arcsec]"
    for panel in (panel for row in rows for panel in row):
        assert panel.get_aspect() == 1.0
        # Half a pixel beyond the outermost samples.
        np.testing.assert_allclose(panel.get_xlim(), np.array([-1, 1]) * 6e-4 * (1 + 1 / 24) * ARCSEC)
    assert rows[0][0].get_title("left") == "observed, dz -27 mm"
    labels = [axes.get_ylabel() for axes in rows[0][0].figure.axes if not axes.get_images()]
    assert labels == ["power [map unit]", "residual [% of peak]"] * 3


def test_up_is_up(rows):
    panel = rows[0][0]
    left, right, bottom, top = panel.get_images()[0].get_extent()
    assert left < right
    assert bottom < top
    assert panel.get_images()[0].origin == "lower"


def test_large_maps_are_in_milliradians(made_result):
    wide = tuple(
        replace(arrays, u_rad=100 * arrays.u_rad, v_rad=100 * arrays.v_rad) for arrays in made_result.map_arrays
    )
    rows = panels_of(beam_figure(replace(made_result, map_arrays=wide)))
    assert rows[0][0].get_ylabel() == "v [mrad]"
    assert rows[0][0].get_xlim()[1] == pytest.approx(60 * (1 + 1 / 24))


def test_map_without_a_usable_sample_is_drawn_blank(made_result):
    empty = tuple(
        replace(arrays, weight=np.zeros_like(arrays.weight), observed=np.full_like(arrays.observed, np.nan))
        for arrays in made_result.map_arrays
    )
    figure = beam_figure(replace(made_result, map_arrays=empty))
    figure.canvas.draw()
    assert np.isnan(shown(panels_of(figure)[0][2])).all()
