from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from oofpy.observing import Chop, Observing
from oofpy.plots.beam_levels import beam_level_figure, levels_db

ARCSEC = 648000 / np.pi


def rows_of(figure):
    """Panels with a name, in rows of observed, model and both over each other."""
    panels = [axes for axes in figure.axes if axes.get_title("left")]
    return [panels[start : start + 3] for start in range(0, len(panels), 3)]


def contours_of(panel):
    """Contour sets that are lines."""
    return [one for one in panel.collections if hasattr(one, "levels") and not one.filled]


def fills_of(panel):
    return [one for one in panel.collections if hasattr(one, "levels") and one.filled]


def unchopped(result, noise=8.1):
    orders = tuple(
        replace(one, maps=tuple(replace(fitted, noise=noise) for fitted in one.maps)) for one in result.orders
    )
    return replace(result, observing=Observing(), orders=orders)


@pytest.fixture(scope="module")
def rows(made_result):
    return rows_of(beam_level_figure(unchopped(made_result)))


def beam(result, number, values):
    """Values over the background, and the peak of the model, found independently."""
    arrays = result.map_arrays[number]
    plane = 40 + 0.1 * arrays.u_rad - arrays.v_rad / 3
    return values - plane, (arrays.model - plane)[arrays.weight > 0].max()


def test_levels_are_below_the_peak_of_the_model_without_background(made_result):
    arrays = made_result.map_arrays[0]
    observed, model, noise = levels_db(made_result, 0)
    power, peak = beam(made_result, 0, arrays.model)
    bright = power > 0.01 * peak
    np.testing.assert_allclose(model[bright], 10 * np.log10(power[bright] / peak), atol=1e-9)
    assert model[arrays.weight > 0].max() == pytest.approx(0, abs=1e-12)
    assert noise == pytest.approx(10 * np.log10(8.1 / 0.831 / peak), abs=0.01)
    np.testing.assert_array_equal(np.isnan(observed), arrays.weight == 0)
    assert np.nanmin(observed) >= -40


def test_all_maps_share_one_scale_that_is_named_once(rows):
    for panel in (panel for row in rows for panel in row[:2]):
        assert panel.get_images()[0].get_clim() == (-35, 0)
        assert panel.get_images()[0].get_cmap().name == "viridis"
    labels = [axes.get_xlabel() for axes in rows[0][0].figure.axes]
    assert labels.count("power below the peak of the model [dB]") == 1


@pytest.mark.parametrize("number", [0, 2])
def test_contours_lie_at_their_levels(made_result, rows, number):
    """On a grid and between scattered samples: the samples nearest to a contour lie about its level."""
    (lines,) = contours_of(rows[number][1])
    assert lines.levels.tolist() == [-30, -20, -10, -3]
    arrays = made_result.map_arrays[number]
    power, peak = beam(made_result, number, arrays.model)
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        assert len(path.vertices) > 8
        nearest = [np.hypot(arrays.u_rad - u, arrays.v_rad - v).argmin() for u, v in path.vertices / ARCSEC]
        tolerance = 1 if level > -15 else 3
        assert np.median(10 * np.log10(np.abs(power[nearest]) / peak)) == pytest.approx(level, abs=tolerance)


def test_observed_levels_end_above_the_noise(made_result):
    (peak,) = {round(beam(made_result, 1, made_result.map_arrays[1].model)[1])}
    for noise_db, wanted in ((-40, [-30, -20, -10, -3]), (-26, [-20, -10, -3]), (-24, [-10, -3]), (-12, [-3])):
        result = unchopped(made_result, noise=0.831 * peak * 10 ** (noise_db / 10))
        observed, model, both = rows_of(beam_level_figure(result))[1]
        (lines,) = contours_of(observed)
        assert lines.levels.tolist() == wanted
        (lines,) = contours_of(model)
        assert lines.levels.tolist() == [-30, -20, -10, -3]
        drawn = [one.levels.tolist() for one in contours_of(both)]
        assert drawn == [[-30, -20, -10, -3], wanted]


def test_noise_above_every_level_leaves_no_observed_contour(made_result):
    observed, model, both = rows_of(beam_level_figure(unchopped(made_result, noise=1e6)))[0]
    assert not contours_of(observed)
    assert contours_of(model)
    assert len(contours_of(both)) == 1


def test_kinds_of_lines_tell_levels_and_observed_from_model(rows):
    (model,) = contours_of(rows[0][1])
    kinds = {
        (tuple(colour), str(style)) for colour, style in zip(model.get_edgecolor(), model.get_linestyle(), strict=True)
    }
    assert len(kinds) == 4
    model, observed = contours_of(rows[0][2])
    assert all(style[1] is not None for style in model.get_linestyle())
    assert all(style[1] is None for style in observed.get_linestyle())


def test_lines_in_the_key_are_those_of_the_contours(rows):
    """The key is a colour bar with a line a level."""
    key = next(axes for axes in rows[0][0].figure.axes if axes.get_xlabel().startswith("power below"))
    (contours,) = contours_of(rows[0][1])
    # Those of the colour bar itself are not upright.
    lines = [line for line in key.lines if len(set(line.get_xdata())) == 1]
    assert [line.get_xdata()[0] for line in lines] == contours.levels.tolist()
    for line, colour in zip(lines, contours.get_edgecolor(), strict=True):
        assert to_rgba(line.get_color()) == tuple(colour)


def test_bands_get_darker_with_the_level(rows):
    for row in rows:
        (bands,) = fills_of(row[2])
        brightness = bands.get_facecolor()[:, 0]
        assert brightness.size == 4
        assert (np.diff(brightness) < -0.08).all()


def test_scattered_maps_have_contours_too(rows):
    observed, _, both = rows[2]
    assert [one.levels.tolist() for one in contours_of(observed)] == [[-10, -3]]
    assert len(fills_of(both)) == 1
    assert len(contours_of(both)) == 2


def test_negative_beam_is_hatched_and_marked(made_result):
    chop = Chop(3e-4, np.pi / 2)
    arrays = []
    for one, fitted in zip(made_result.map_arrays, made_result.fit.maps, strict=True):
        u, v = one.u_rad - fitted.pointing_rad[0], one.v_rad - fitted.pointing_rad[1]
        power = np.exp(-(u**2 + v**2) / 1e-8) - np.exp(-(u**2 + (v - 3e-4) ** 2) / 1e-8)
        arrays.append(replace(one, model=40 + 1000 * power, observed=40 + 1000 * power))
    result = replace(made_result, map_arrays=tuple(arrays), observing=Observing(chop=chop))
    figure = beam_level_figure(result)
    for row, fitted in zip(rows_of(figure), result.fit.maps, strict=True):
        _, hatched = fills_of(row[2])
        assert hatched.hatches == ["////"]
        places = np.concatenate([path.vertices for path in hatched.get_paths()]) / ARCSEC
        # Halfway between the beams, but for the pitch of the samples.
        assert (places[:, 1] - fitted.pointing_rad[1]).min() > 0.7e-4
        crosses = [line for line in row[1].lines if line.get_marker() == "x"]
        wanted = np.add(fitted.pointing_rad, (0, 3e-4))
        np.testing.assert_allclose(crosses[0].get_xydata()[0] / ARCSEC, wanted, rtol=1e-9, atol=1e-15)
    assert "negative beam" in " ".join(text.get_text() for text in figure.texts)


def test_without_a_chop_nothing_is_hatched(rows):
    assert all(len(fills_of(row[2])) == 1 for row in rows)
    assert "negative beam" not in " ".join(text.get_text() for text in rows[0][0].figure.texts)


def test_axes_are_equal_and_labelled_with_units(rows):
    assert rows[1][0].get_ylabel() == "v [arcsec]"
    assert rows[-1][2].get_xlabel() == "u [arcsec]"
    for panel in (panel for row in rows for panel in row):
        assert panel.get_aspect() == 1.0
        np.testing.assert_allclose(panel.get_xlim(), np.array([-1, 1]) * 6e-4 * (1 + 1 / 24) * ARCSEC)


@pytest.mark.parametrize("value", [np.nan, 12.0])
def test_maps_without_a_beam_are_drawn(made_result, value):
    arrays = tuple(replace(one, model=np.full_like(one.model, value)) for one in made_result.map_arrays)
    figure = beam_level_figure(replace(made_result, map_arrays=arrays))
    figure.canvas.draw()
    assert any("no peak in the model" in text.get_text() for text in figure.texts)
    assert not any(contours_of(panel) for row in rows_of(figure) for panel in row)


@pytest.mark.mpl_image_compare(tolerance=2, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})
def test_image_of_beam_levels(made_result):
    """A chopped map with smooth residuals."""
    arrays = made_result.map_arrays[0]
    negative = 500 * np.exp(-((arrays.u_rad + 3.5e-4) ** 2 + (arrays.v_rad - 1e-4) ** 2) / 2e-8)
    model = arrays.model - negative
    observed = np.where(arrays.weight > 0, model + 15 * np.cos(8e3 * arrays.v_rad), np.nan)
    changed = replace(arrays, model=model, observed=observed)
    return beam_level_figure(replace(made_result, map_arrays=(changed,)))
