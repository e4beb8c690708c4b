from dataclasses import replace

import numpy as np
import pytest

from oofpy.observing import AppliedCorrection, Observing
from oofpy.plots import phase_figure, surface_figure


def shown(axes, number=0):
    return axes.get_images()[number].get_array().filled(np.nan)


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_images()]


def bars_of(figure):
    return [axes.get_ylabel() for axes in figure.axes if not axes.get_images()]


def test_phase_is_shown_over_the_dish_only(made_result):
    (panel,) = panels_of(phase_figure(made_result))
    image = shown(panel)
    np.testing.assert_array_equal(image, made_result.aperture.phase_rad)
    axis = made_result.aperture.axis_m
    x, y = np.meshgrid(axis, axis)
    assert np.isnan(image[np.hypot(x, y) > 32.004]).all()
    assert np.isfinite(image[np.hypot(x, y) < 31]).all()


def test_scales_are_symmetric_and_labels_carry_units(made_result):
    figure = phase_figure(made_result)
    (panel,) = panels_of(figure)
    low, high = panel.get_images()[0].get_clim()
    assert low == -high < 0
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("x [m]", "y [m]")
    assert bars_of(figure) == ["phase [rad]"]
    assert panel.get_aspect() == 1.0
    half = 32.004
    np.testing.assert_allclose(panel.get_images()[0].get_extent(), [-half, half, -half, half], rtol=1e-9)
    assert panel.get_images()[0].origin == "lower"


def test_contours_are_dashed_where_negative(made_result):
    (panel,) = panels_of(phase_figure(made_result))
    (contours,) = [artist for artist in panel.collections if hasattr(artist, "levels")]
    dashed = [style[1] is not None for style in contours.get_linestyle()]
    assert dashed == (np.asarray(contours.levels) < 0).tolist()
    assert any(dashed)
    assert not all(dashed)


def test_blockage_is_shaded(made_result):
    (panel,) = panels_of(phase_figure(made_result))
    shaded = np.isfinite(shown(panel, 1))
    aperture = made_result.aperture
    np.testing.assert_array_equal(shaded, np.isfinite(aperture.phase_rad) & (aperture.amplitude == 0))
    assert shaded.sum() > 10


def test_surface_stands_beside_its_error(made_result):
    figure = surface_figure(made_result)
    surface, error = panels_of(figure)
    np.testing.assert_array_equal(shown(surface), made_result.aperture.surface_um)
    np.testing.assert_array_equal(shown(error), made_result.aperture.surface_error_um)
    low, high = surface.get_images()[0].get_clim()
    assert low == -high < 0
    assert error.get_images()[0].get_clim()[0] == 0
    assert bars_of(figure) == ["surface error [µm]", "standard error [µm]"]
    assert [panel.get_aspect() for panel in (surface, error)] == [1.0, 1.0]
    assert [panel.get_xlabel() for panel in (surface, error)] == ["x [m]", "x [m]"]


@pytest.mark.parametrize("value", [0.0, 0.3, np.nan])
def test_flat_or_unknown_surface_is_drawn(made_result, value):
    aperture = made_result.aperture
    flat = np.where(np.isfinite(aperture.phase_rad), value, np.nan)
    images = {
        "phase_rad": flat,
        "surface_um": flat,
        "surface_error_um": flat,
        "amplitude": np.zeros_like(flat),
    }
    result = replace(made_result, aperture=replace(aperture, **images))
    phase_figure(result).canvas.draw()
    surface_figure(result).canvas.draw()


def test_efficiency_and_focus_are_those_as_observed(made_result):
    """Where a correction was on the dish, they are not of the surface that is drawn."""
    corrected = replace(made_result, observing=Observing(applied=AppliedCorrection(((2, 0, 0.1),))))
    plain = replace(made_result, observing=Observing())
    for result, observed in ((plain, ""), (corrected, " as observed")):
        texts = " ".join(text.get_text() for text in surface_figure(result).texts)
        assert f"efficiency{observed} 0." in texts
        assert f"focus error{observed} dz" in texts
