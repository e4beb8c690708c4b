import io
import math
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from oofpy.observing import AppliedCorrection, Observing
from oofpy.plots.aperture import phase_figure, surface_error_figure, surface_figure
from oofpy.plots.surface_views import fixed_scale_um, surface_views, um_per_rad

R_M = 32.004
MICROMETRES = "µm"
image_test = pytest.mark.mpl_image_compare(tolerance=0.5, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})


class FewColours:
    """A figure that is saved in 256 colours: a third of the bytes."""

    def __init__(self, figure):
        self.figure = figure

    def savefig(self, file, *, dpi, metadata):
        whole = io.BytesIO()
        self.figure.savefig(whole, format="png", dpi=dpi, metadata=metadata)
        with Image.open(whole) as image:
            image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)


def shown(axes, number=0):
    return axes.get_images()[number].get_array().filled(np.nan)


def panels_of(figure):
    return [axes for axes in figure.axes if axes.get_images()]


def rows_of(figure):
    panels = panels_of(figure)
    return panels[:3], panels[3:]


def bars_of(figure):
    return [axes.get_ylabel() for axes in figure.axes if not axes.get_images()]


def contours_of(panel):
    return [artist for artist in panel.collections if hasattr(artist, "levels")]


def words_of(figure):
    return " ".join(text.get_text() for text in figure.texts)


def coarse(result):
    """Give a result with every fourth pixel, of which a small file can hold a picture."""
    aperture = result.aperture
    images = ("phase_rad", "surface_um", "surface_error_um", "amplitude", "applied_um")
    fewer = {name: getattr(aperture, name)[::4, ::4] for name in images}
    return replace(result, aperture=replace(aperture, axis_m=aperture.axis_m[::4], **fewer))


def over_dish(result, radius=0.98):
    axis = result.aperture.axis_m
    x, y = np.meshgrid(axis, axis)
    return np.hypot(x, y) < radius * R_M


def uncorrected(result):
    return replace(result, observing=Observing())


def values_of_views(result, unit_per_rad):
    return [unit_per_rad * view.phase_rad for view in surface_views(result)]


@pytest.mark.parametrize("draw", [phase_figure, surface_figure])
def test_both_rows_show_the_views_over_the_dish(made_result, draw):
    unit = 1.0 if draw is phase_figure else um_per_rad(made_result)
    dish = over_dish(made_result)
    upper, lower = rows_of(draw(made_result))
    for number, values in enumerate(values_of_views(made_result, unit)):
        for panel in (upper[number], lower[number]):
            np.testing.assert_array_equal(shown(panel)[dish], values[dish])
            assert np.isnan(shown(panel)[~over_dish(made_result, 1.06)]).all()


def test_image_fills_the_rim_with_values_of_its_neighbours(made_result):
    """A pixel whose centre lies off the dish may reach onto it."""
    panel = panels_of(phase_figure(made_result))[1]
    image, phase = shown(panel), made_result.aperture.phase_rad
    axis = made_result.aperture.axis_m
    x, y = np.meshgrid(axis, axis)
    pixel = axis[1] - axis[0]
    nearest_corner = np.hypot(np.maximum(abs(x) - pixel / 2, 0), np.maximum(abs(y) - pixel / 2, 0))
    reaching = np.isnan(phase) & (nearest_corner < R_M)
    assert reaching.sum() > 50
    assert np.isfinite(image[reaching]).all()
    assert np.nanmin(phase) <= image[reaching].min() < image[reaching].max() <= np.nanmax(phase)
    assert panel.get_images()[0].get_clip_path() is not None


@pytest.mark.parametrize(("draw", "unit", "limit"), [(phase_figure, "rad", 2.5), (surface_figure, MICROMETRES, 2000.0)])
def test_scales_are_symmetric_and_those_below_fixed(made_result, draw, unit, limit):
    figure = draw(made_result)
    upper, lower = rows_of(figure)
    own = [panel.get_images()[0].get_clim() for panel in upper]
    assert all(low == -high < 0 for low, high in own)
    assert len({high for _, high in own}) == 3
    assert [panel.get_images()[0].get_clim() for panel in lower] == [(-limit, limit)] * 3
    quantity = "phase" if unit == "rad" else "surface error"
    assert bars_of(figure) == [unit, unit, unit, f"{quantity} [{unit}]"]
    assert f"all at ±{limit:g} {unit}" in words_of(figure)
    assert "each at its own scale" in words_of(figure)


def test_scale_below_does_not_follow_the_surface(made_result):
    aperture = made_result.aperture
    small = replace(made_result, aperture=replace(aperture, phase_rad=aperture.phase_rad / 10))
    for draw in (phase_figure, surface_figure):
        clims = [[panel.get_images()[0].get_clim() for panel in panels_of(draw(one))] for one in (made_result, small)]
        assert clims[0][3:] == clims[1][3:]
        assert clims[0][1] != clims[1][1]


@pytest.mark.parametrize("draw", [phase_figure, surface_figure])
def test_titles_name_view_rms_and_extent(made_result, draw):
    unit, scale = ("rad", 1.0) if draw is phase_figure else (MICROMETRES, um_per_rad(made_result))
    upper, lower = rows_of(draw(made_result))
    for panel, view in zip(upper, surface_views(made_result), strict=True):
        name, numbers = panel.get_title(loc="left").split("\n")
        assert name == view.name
        assert numbers.startswith("rms ")
        assert numbers.endswith(unit)
        rms, extent = (float(part.split()[-1]) for part in numbers.removesuffix(unit).split(","))
        assert rms == pytest.approx(scale * view.rms_rad, rel=5e-3)
        assert extent == pytest.approx(scale * view.peak_to_valley_rad, rel=5e-3)
    assert [panel.get_title(loc="left") for panel in lower] == [""] * 3


def test_numbers_have_three_digits_however_large(made_result):
    surface = replace(made_result.fit.surface, rms_um=1234.6, rms_without_focus_um=0.0)
    result = replace(made_result, orders=(replace(made_result.fit, surface=surface),))
    titles = [panel.get_title(loc="left") for panel in panels_of(surface_figure(result))]
    assert "rms 1230, " in titles[1]
    assert "rms 0, " in titles[2]
    surface = replace(surface, rms_um=9.996, rms_without_focus_um=math.nan)
    result = replace(made_result, orders=(replace(made_result.fit, surface=surface),))
    titles = [panel.get_title(loc="left") for panel in panels_of(surface_figure(result))]
    assert "rms 10.0, " in titles[1]
    assert "rms unknown, " in titles[2]


@pytest.mark.parametrize("draw", [phase_figure, surface_figure, surface_error_figure])
def test_axes_carry_units_once_a_row_and_column(made_result, draw):
    panels = panels_of(draw(made_result))
    assert len(panels) == 6
    assert [panel.get_xlabel() for panel in panels] == [""] * 3 + ["x [m]"] * 3
    assert [panel.get_ylabel() for panel in panels] == ["y [m]", "", ""] * 2
    for panel in panels:
        assert panel.get_aspect() == 1.0
        np.testing.assert_allclose(panel.get_images()[0].get_extent(), [-R_M, R_M, -R_M, R_M], rtol=1e-9)
        assert panel.get_images()[0].origin == "lower"
        np.testing.assert_array_equal(panel.get_xticks(), [-20, 0, 20])


@pytest.mark.parametrize("draw", [phase_figure, surface_figure])
def test_contours_tell_the_sign_without_colour(made_result, draw):
    for panel in panels_of(draw(made_result)):
        (contours,) = contours_of(panel)
        levels = np.asarray(contours.levels)
        assert (levels < 0).any()
        assert (levels == 0).any()
        assert (levels > 0).any()
        np.testing.assert_array_equal([style[1] is not None for style in contours.get_linestyle()], levels < 0)
        np.testing.assert_array_equal(contours.get_linewidth() > 1, levels == 0)


@pytest.mark.parametrize("size", [1e-6, 0.0123, 0.07, 0.13, 0.3, 0.77, 25.0, 3e4])
def test_zero_is_a_level_and_labels_are_short_at_any_scale(made_result, size):
    aperture = made_result.aperture
    phase = aperture.phase_rad * size / np.nanmax(np.abs(aperture.phase_rad))
    figure = phase_figure(replace(made_result, aperture=replace(aperture, phase_rad=phase)))
    (contours,) = contours_of(panels_of(figure)[1])
    assert 0 in contours.levels
    assert contours.get_linewidth()[list(contours.levels).index(0)] > 1
    for bar in (axes for axes in figure.axes if not axes.get_images()):
        labels = [label.get_text() for label in bar.get_yticklabels()]
        assert "0" in labels
        assert max(len(label) for label in labels) <= 6


def test_contours_of_the_fixed_scale_are_round(made_result):
    for draw, step in ((phase_figure, 0.5), (surface_figure, 500.0)):
        for panel in rows_of(draw(made_result))[1]:
            (contours,) = contours_of(panel)
            np.testing.assert_allclose(np.remainder(contours.levels, step), 0, atol=1e-12)
            assert np.diff(contours.levels).max() == pytest.approx(step)


def test_blockage_is_shaded_and_the_rim_drawn(made_result):
    aperture = made_result.aperture
    blocked = np.isfinite(aperture.phase_rad) & (aperture.amplitude == 0)
    for draw in (phase_figure, surface_figure, surface_error_figure):
        for panel in panels_of(draw(made_result)):
            shaded = np.isfinite(shown(panel, 1))
            np.testing.assert_array_equal(shaded, blocked)
            (rim,) = panel.patches
            assert rim.get_radius() == R_M
            grey = panel.get_images()[1].get_cmap()(0)[:3]
            assert grey == pytest.approx(to_rgb("0.6"))
    assert blocked.sum() > 10


def test_error_stands_beside_significance_and_amplitude(made_result):
    result = uncorrected(made_result)
    aperture, seen = result.aperture, result.aperture.amplitude > 0
    figure = surface_error_figure(result)
    error, ratio, level = panels_of(figure)
    np.testing.assert_array_equal(shown(error)[seen], aperture.surface_error_um[seen])
    assert error.get_images()[0].get_clim()[0] == 0
    expected = np.abs(aperture.surface_um[seen]) / aperture.surface_error_um[seen]
    np.testing.assert_allclose(shown(ratio)[seen], expected, rtol=1e-12)
    assert ratio.get_images()[0].get_clim() == (1, 100)
    np.testing.assert_allclose(shown(level)[seen], 20 * np.log10(aperture.amplitude[seen]), atol=1e-12)
    assert level.get_images()[0].get_clim() == (-12, 0)
    assert bars_of(figure) == [f"standard error [{MICROMETRES}]", "size over standard error", "amplitude [dB]"]
    share = 100 * np.mean(expected > 3)
    assert f"above 3 on {share:.1f} % of the dish" in ratio.get_title(loc="left")
    assert f"median {np.median(aperture.surface_error_um[seen]):.1f} {MICROMETRES}" in error.get_title(loc="left")


def test_significance_is_lined_at_three_and_ten_of_either_sign(made_result):
    panel = panels_of(surface_error_figure(made_result))[1]
    assert [sorted(contours.levels) for contours in contours_of(panel)] == [[-3, 3], [-10, 10]]


def test_correction_gets_a_row_of_its_own_on_one_scale(made_result):
    figure = surface_error_figure(made_result)
    aperture, seen = made_result.aperture, made_result.aperture.amplitude > 0
    surface, taken, observed = panels_of(figure)[3:]
    np.testing.assert_array_equal(shown(surface)[seen], aperture.surface_um[seen])
    np.testing.assert_array_equal(shown(taken)[seen], aperture.applied_um[seen])
    np.testing.assert_allclose(shown(observed)[seen], (aperture.surface_um - aperture.applied_um)[seen], rtol=1e-12)
    assert len({panel.get_images()[0].get_clim() for panel in (surface, taken, observed)}) == 1
    assert bars_of(figure)[-1] == f"surface error [{MICROMETRES}]"
    # The rms of the fit, with the correction and without it.
    assert "rms 171, " in surface.get_title(loc="left")
    assert "rms 530, " in observed.get_title(loc="left")
    assert len(panels_of(surface_error_figure(uncorrected(made_result)))) == 3


@pytest.mark.parametrize(("value", "amplitude"), [(0.0, 1.0), (0.3, 0.0), (np.nan, 1.0)])
def test_flat_or_unknown_surface_is_drawn(made_result, value, amplitude):
    aperture = made_result.aperture
    flat = np.where(np.isfinite(aperture.phase_rad), value, np.nan)
    images = {
        "phase_rad": flat,
        "surface_um": flat,
        "surface_error_um": flat,
        "amplitude": np.where(np.isfinite(aperture.phase_rad), amplitude, 0.0),
    }
    result = replace(made_result, aperture=replace(aperture, **images))
    for draw in (phase_figure, surface_figure, surface_error_figure):
        figure = draw(result)
        figure.canvas.draw()
        assert len(panels_of(figure)) == 6


def test_unknown_pointing_leaves_the_other_views(made_result):
    maps = tuple(replace(fitted, pointing_rad=(np.nan, np.nan)) for fitted in made_result.fit.maps)
    result = replace(made_result, orders=(replace(made_result.fit, maps=maps),))
    figure = phase_figure(result)
    figure.canvas.draw()
    panels = panels_of(figure)
    assert "unknown" in panels[0].get_title(loc="left")
    assert np.isnan(shown(panels[0])).all()
    assert np.isfinite(shown(panels[1])).any()


def test_efficiency_and_focus_are_those_as_observed(made_result):
    """Where a correction was on the dish, they are not of the surface that is drawn."""
    corrected = replace(made_result, observing=Observing(applied=AppliedCorrection(((2, 0, 0.1),))))
    for result, observed in ((uncorrected(made_result), ""), (corrected, " as observed")):
        texts = words_of(surface_figure(result))
        assert f"efficiency{observed} 0." in texts
        assert f"focus error{observed} dz" in texts
        for draw in (phase_figure, surface_figure):
            said = "of the dish without the correction that was on it" in words_of(draw(result))
            assert said == bool(observed)


def test_numbers_of_the_surface_stand_over_it(made_result):
    texts = words_of(surface_figure(made_result))
    for part in (
        "metal below the ideal surface",
        "without focus 480 µm",
        "unweighted 601 µm",
        "efficiency as observed 0.830 (Ruze 0.810)",
        "dz -2.10 ± 0.40 mm",
        "as fitted: with the tilt of the pointing in focus",
    ):
        assert part in texts
    assert fixed_scale_um(made_result) == 2000


@image_test
def test_image_of_phase(made_result):
    return FewColours(phase_figure(coarse(made_result)))


@image_test
def test_image_of_surface(made_result):
    return FewColours(surface_figure(coarse(made_result)))


@image_test
def test_image_of_surface_error(made_result):
    return FewColours(surface_error_figure(coarse(made_result)))
