"""The maps on the page are those of the result, sample by sample, with one zoom for all."""

from dataclasses import replace

import numpy as np
import pytest

from oofpy.plots.beam_levels import FLOOR_DB
from oofpy.plots.beam_power import noise_sigma
from oofpy.review.figures.maps import MapFigures

ARCSEC = np.degrees(1) * 3600
GRID = (0, 1)  # of made_result; its third map is of scattered samples


@pytest.fixture
def maps(made_result):
    maps = MapFigures()
    maps.show(made_result)
    return maps


def data(maps, number):
    return {name: values[0] for name, values in maps._rows[number]._source.data.items()}


def samples(image, shown, arrays):
    """Bring an image into the order of the samples, each found by its direction."""
    u, v = shown["u"] / ARCSEC, shown["v"] / ARCSEC
    place = {(round(a, 9), round(v[at], 9)): at for at, a in np.ndenumerate(u)}
    found = [place[round(a, 9), round(b, 9)] for a, b in zip(arrays.u_rad, arrays.v_rad, strict=True)]
    assert len(set(found)) == len(found)
    return np.array([image[one] for one in found])


@pytest.mark.parametrize("number", GRID)
def test_every_sample_is_a_pixel_at_its_direction(maps, made_result, number):
    shown, arrays = data(maps, number), made_result.map_arrays[number]
    for name, values in (
        ("observed_value", arrays.observed),
        ("model_value", arrays.model),
        ("residual_value", arrays.observed - arrays.model),
        ("weight", arrays.weight),
    ):
        np.testing.assert_array_equal(samples(shown[name], shown, arrays), values)
    # Where Bokeh draws a pixel its direction lies.
    rows, columns = shown["u"].shape
    across = shown["left"] + (np.arange(columns) + 0.5) * shown["width"] / columns
    up = shown["bottom"] + (np.arange(rows) + 0.5) * shown["height"] / rows
    np.testing.assert_allclose(shown["u"], np.broadcast_to(across, shown["u"].shape), atol=1e-6)
    np.testing.assert_allclose(shown["v"], np.broadcast_to(up[:, np.newaxis], shown["v"].shape), atol=1e-6)


@pytest.mark.parametrize("number", range(3))
def test_the_residual_is_in_units_of_the_noise_of_each_sample(maps, made_result, number):
    shown, arrays = data(maps, number), made_result.map_arrays[number]
    used = shown["weight"] > 0
    assert np.isnan(shown["residual"][~used]).all()
    sigma = noise_sigma(made_result, number)
    if number == 0:  # whose errors are not all the same
        expected = (arrays.observed - arrays.model) / (sigma * arrays.relative_error)
        np.testing.assert_array_equal(
            samples(shown["sigmas"], shown, arrays), np.where(arrays.weight > 0, expected, np.nan)
        )
    else:
        np.testing.assert_allclose(shown["residual"][used], shown["residual_value"][used] / sigma)
    np.testing.assert_array_equal(shown["residual"], shown["sigmas"])


def test_a_scattered_map_has_no_values_but_those_of_its_samples(maps, made_result):
    shown, arrays = data(maps, 2), made_result.map_arrays[2]
    known = np.isfinite(shown["model_value"])
    assert known.sum() > 0.8 * known.size
    assert set(shown["model_value"][known]) <= set(arrays.model)


def beam(result, number, values):
    """Power without the background, which has slopes."""
    arrays, fitted = result.map_arrays[number], result.fit.maps[number]
    slope_u, slope_v = fitted.background_slope_per_rad
    return values - fitted.background - slope_u * arrays.u_rad - slope_v * arrays.v_rad


@pytest.mark.parametrize("number", GRID)
def test_linear_power_is_over_the_peak_of_the_model(made_result, number):
    maps = MapFigures()
    maps.show(made_result, "linear")
    shown, arrays = data(maps, number), made_result.map_arrays[number]
    used = arrays.weight > 0
    model = beam(made_result, number, arrays.model)
    peak = model[used].max()
    np.testing.assert_allclose(samples(shown["model"], shown, arrays), model / peak)
    observed = np.where(used, beam(made_result, number, arrays.observed) / peak, np.nan)
    np.testing.assert_allclose(samples(shown["observed"], shown, arrays), observed)
    colours = maps._rows[number]._power
    assert (colours.low, colours.high) == (min(0, np.nanmin(shown["model"])), np.nanmax(shown["model"]))
    assert maps._rows[number]._bars[0].title == "of the peak"


@pytest.mark.parametrize("number", GRID)
def test_levels_are_below_the_peak_of_the_model(maps, made_result, number):
    shown, arrays = data(maps, number), made_result.map_arrays[number]
    used = arrays.weight > 0
    model = beam(made_result, number, arrays.model)
    level = 10 * np.log10(np.maximum(np.abs(model / model[used].max()), 1e-30))
    found = samples(shown["model"], shown, arrays)
    np.testing.assert_allclose(found[level > FLOOR_DB], level[level > FLOOR_DB])
    assert (found[level <= FLOOR_DB] <= FLOOR_DB).all()
    assert np.isnan(samples(shown["observed"], shown, arrays)[~used]).all()
    colours = maps._rows[number]._power
    assert (colours.low, colours.high, maps._rows[number]._bars[0].title) == (FLOOR_DB, 0, "dB")


def test_all_figures_have_one_zoom_that_reaches_over_all_maps(maps, made_result):
    figures = [one for row in maps.figures for one in row]
    assert len(figures) == 9
    across, up = figures[0].x_range, figures[0].y_range
    assert all(one.x_range is across and one.y_range is up for one in figures)
    for number, arrays in enumerate(made_result.map_arrays):
        shown = data(maps, number)
        assert across.start <= shown["left"]
        assert across.end >= shown["left"] + shown["width"] - 1e-9
        assert across.start <= arrays.u_rad.min() * ARCSEC < arrays.u_rad.max() * ARCSEC <= across.end
        assert up.start <= arrays.v_rad.min() * ARCSEC < arrays.v_rad.max() * ARCSEC <= up.end


def test_the_zoom_stays_where_only_the_scale_changes(maps, made_result):
    across = maps.figures[0][0].x_range
    whole = across.start, across.end
    across.update(start=-10, end=20)
    maps.show(made_result, "linear")
    assert (across.start, across.end) == (-10, 20)
    assert (across.reset_start, across.reset_end) == whole
    larger = tuple(replace(one, u_rad=2 * one.u_rad) for one in made_result.map_arrays)
    maps.show(replace(made_result, map_arrays=larger), "linear")
    assert (across.start, across.end) == pytest.approx((2 * whole[0], 2 * whole[1]))


def test_figures_are_made_once_and_filled_again(maps, made_result):
    figures = [one for row in maps.figures for one in row]
    fit = replace(made_result.fit, maps=made_result.fit.maps[:2])
    fewer = replace(made_result, map_arrays=made_result.map_arrays[:2], orders=(*made_result.orders[:-1], fit))
    maps.show(fewer)
    assert [one for row in maps.figures for one in row] == figures[:6]
    maps.show(made_result)
    assert [one for row in maps.figures for one in row] == figures


def test_titles_say_which_map_it_is(maps, made_result):
    observed, model, residual = (one.title.text for one in maps.figures[0])
    assert observed.startswith("map 1   MINUS OOF   dz -27 mm")
    assert "9 samples left out" in observed
    assert "37" in model
    rms = 100 * made_result.fit.maps[0].residual_rms_over_peak
    assert f"{rms:.2f} %" in residual


def test_a_model_without_a_peak_is_no_fault(made_result):
    dark = tuple(replace(one, model=np.full_like(one.model, -1e6)) for one in made_result.map_arrays)
    maps = MapFigures()
    for scale in ("db", "linear"):
        maps.show(replace(made_result, map_arrays=dark), scale)
        assert not np.isfinite(data(maps, 0)["model"]).any()
        np.testing.assert_array_equal(np.unique(data(maps, 0)["model_value"]), [-1e6])
