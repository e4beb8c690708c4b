import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from oofpy.observing import Observing
from oofpy.optics.zernike import zernike_terms
from oofpy.plots.surface_views import (
    amplitude_db,
    blocked_pixels,
    fixed_scale_um,
    on_dish,
    rms_over_dish,
    significance,
    surface_as_observed_um,
    surface_views,
    um_per_rad,
)
from oofpy.surface import WeightedDish, aperture_images
from oofpy.telescope import load_telescope

R_M = 32.004
U_RAD, V_RAD = 1e-4, -5e-5


def with_images(result, **images):
    return replace(result, aperture=replace(result.aperture, **images))


def with_maps(result, *maps):
    fit = replace(result.fit, maps=tuple(replace(result.fit.maps[0], dz_m=dz, pointing_rad=at) for dz, at in maps))
    return replace(result, orders=(fit,))


def mesh(result):
    return np.meshgrid(result.aperture.axis_m, result.aperture.axis_m)


def open_part(result, values):
    return np.where(blocked_pixels(result), np.nan, values)


def test_views_are_named_and_their_blocked_pixels_masked(made_result):
    views = surface_views(made_result)
    assert [view.name for view in views] == ["as fitted", "without tilt", "without tilt and focus"]
    x, y = mesh(made_result)
    r = np.hypot(x, y)
    for view in views:
        assert np.isnan(view.phase_rad[(r > R_M) | (r < 3.9)]).all()
        assert np.isfinite(view.phase_rad[(r < 31.9) & (r > 4.6)]).all()


def test_phase_without_tilt_is_that_of_the_fit(made_result):
    view = surface_views(made_result)[1]
    np.testing.assert_array_equal(view.phase_rad, open_part(made_result, made_result.aperture.phase_rad))


def test_beam_of_the_phase_as_fitted_peaks_where_the_map_in_focus_does(made_result):
    """E(u, v) is the sum of A exp(i phi) exp(-i k (x u + y v))."""
    flat = np.where(np.isfinite(made_result.aperture.phase_rad), 0.0, np.nan)
    result = with_images(made_result, phase_rad=flat)
    phase = surface_views(result)[0].phase_rad
    x, y = mesh(result)
    k = 2 * math.pi / result.wavelength_m
    seen = np.isfinite(phase)

    def power(u, v):
        field = result.aperture.amplitude[seen] * np.exp(1j * phase[seen])
        return abs(np.sum(field * np.exp(-1j * k * (x * u + y * v)[seen]))) ** 2

    offsets = np.arange(-2, 3) * 5e-5
    powers = {(u, v): power(u, v) for u in offsets for v in offsets}
    u, v = max(powers, key=powers.get)
    assert (u, v) == pytest.approx((U_RAD, V_RAD))
    assert powers[u, v] == pytest.approx(np.sum(result.aperture.amplitude) ** 2, rel=1e-9)


@pytest.mark.parametrize(
    ("maps", "expected"),
    [
        ([(-0.02, (3e-5, 0.0)), (0.001, (1e-5, 2e-5)), (0.02, (0.0, 9e-5))], (1e-5, 2e-5)),
        ([(-0.02, (3e-5, 0.0)), (0.02, (1e-5, 8e-5))], (2e-5, 4e-5)),
        ([(0.0, (1e-5, 0.0)), (0.01, (9e-5, 9e-5)), (0.0, (3e-5, 2e-5))], (2e-5, 1e-5)),
    ],
)
def test_pointing_is_that_of_the_maps_nearest_to_focus(made_result, maps, expected):
    assert with_maps(made_result, *maps).fit.pointing_in_focus_rad == pytest.approx(expected)


def test_focus_taken_out_is_the_fitted_one(made_result):
    """Z(2,0) is 2 r^2 - 1 and its coefficient in the fit -1.2 rad."""
    _, without_tilt, without_focus = surface_views(made_result)
    x, y = mesh(made_result)
    focus = -1.2 * (2 * (x**2 + y**2) / R_M**2 - 1)
    difference = without_tilt.phase_rad - without_focus.phase_rad
    known = np.isfinite(difference)
    np.testing.assert_allclose(difference[known], focus[known], atol=1e-12)


def test_numbers_of_views_are_those_of_the_fit_and_tilt_adds_to_them(made_result):
    aperture = made_result.aperture
    phase, weight = aperture.phase_rad, aperture.amplitude
    x, y = mesh(made_result)
    tilted = phase + 2 * math.pi / made_result.wavelength_m * (x * U_RAD + y * V_RAD)
    seen = weight > 0

    def weighted_rms(values):
        mean = np.sum(weight[seen] * values[seen]) / np.sum(weight[seen])
        return math.sqrt(np.sum(weight[seen] * (values[seen] - mean) ** 2) / np.sum(weight[seen]))

    scale = made_result.wavelength_m * 1e6 / (4 * math.pi)
    surface = replace(made_result.fit.surface, rms_um=weighted_rms(phase) * scale, rms_without_focus_um=321.0)
    result = replace(made_result, orders=(replace(made_result.fit, surface=surface),))
    views = surface_views(result)
    assert [view.rms_rad for view in views] == pytest.approx(
        [weighted_rms(tilted), weighted_rms(phase), 321.0 / scale], rel=1e-12
    )
    assert views[0].peak_to_valley_rad == pytest.approx(np.ptp(tilted[seen]), rel=1e-12)
    assert views[1].peak_to_valley_rad == pytest.approx(np.ptp(phase[seen]), rel=1e-12)
    assert views[0].rms_rad > 1.1 * views[1].rms_rad


def test_rms_over_the_pixels_is_that_of_the_weighted_dish(made_result):
    telescope, terms = load_telescope("srt"), zernike_terms(4, 2)
    coefficients = np.random.default_rng(3).normal(0, 0.3, len(terms))
    shape = (-12.0, 0.0, 0.0, 0.0, 0.0)
    axis, phase, _, amplitude = aperture_images(
        telescope, shape, terms, coefficients, np.zeros((len(terms), len(terms)))
    )
    result = with_images(made_result, axis_m=axis, phase_rad=phase, amplitude=amplitude)
    expected = WeightedDish(telescope, shape, terms, result.wavelength_m).rms_rad(coefficients)
    assert rms_over_dish(result, phase) == pytest.approx(expected, rel=0.01)


def test_surface_error_is_half_the_path(made_result):
    assert 2 * math.pi * um_per_rad(made_result) == pytest.approx(made_result.wavelength_m * 1e6 / 2)


@pytest.mark.parametrize(
    ("wavelength_m", "limit_um"),
    [(0.85e-3, 200), (1.1e-3, 200), (3.3e-3, 500), (7e-3, 1000), (0.0135, 2000), (0.021, 5000), (0.045, 10000)],
)
def test_fixed_scale_is_round_and_near_two_and_a_half_radians(named, wavelength_m, limit_um):
    result = named(wavelength_m=wavelength_m)
    limit = fixed_scale_um(result)
    assert limit == limit_um
    assert 1 / 1.6 < limit / (2.5 * um_per_rad(result)) < 1.6


def test_dish_as_observed_is_less_the_correction(made_result):
    x, y = mesh(made_result)
    expected = made_result.aperture.surface_um - 30 * (x**2 + y**2) / R_M**2
    np.testing.assert_allclose(surface_as_observed_um(made_result), expected, rtol=1e-12)
    uncorrected = with_images(made_result, applied_um=0 * made_result.aperture.applied_um)
    np.testing.assert_array_equal(surface_as_observed_um(uncorrected), made_result.aperture.surface_um)


def test_significance_keeps_the_sign(made_result):
    ratio = significance(made_result)
    aperture = made_result.aperture
    np.testing.assert_allclose(ratio * aperture.surface_error_um, aperture.surface_um, rtol=1e-12)
    assert np.isinf(significance(with_images(made_result, surface_error_um=0 * aperture.surface_um))).sum() > 1000


def test_amplitude_is_in_decibels_of_the_field(made_result):
    """The made dish is illuminated by 10^(-12 r^2 / 20)."""
    level = amplitude_db(made_result)
    x, y = mesh(made_result)
    r = np.hypot(x, y) / R_M
    seen = np.isfinite(level)
    np.testing.assert_allclose(level[seen], -12 * r[seen] ** 2, atol=1e-9)
    np.testing.assert_array_equal(seen, (r < 1) & (r > 3.953 / R_M))


def test_nothing_is_known_of_a_dark_dish(made_result):
    dark = with_images(made_result, amplitude=np.zeros_like(made_result.aperture.amplitude))
    np.testing.assert_array_equal(blocked_pixels(dark), on_dish(dark))
    assert math.isnan(rms_over_dish(dark, dark.aperture.phase_rad))
    assert all(math.isnan(view.peak_to_valley_rad) for view in surface_views(dark))
    assert math.isnan(surface_views(dark)[0].rms_rad)


def test_unknown_phase_is_on_the_dish_all_the_same(made_result):
    unknown = with_images(made_result, phase_rad=np.full_like(made_result.aperture.phase_rad, np.nan))
    np.testing.assert_array_equal(on_dish(unknown), on_dish(made_result))
    np.testing.assert_array_equal(blocked_pixels(unknown), blocked_pixels(made_result))


def test_views_need_neither_figures_nor_the_fit():
    code = "import sys, oofpy.plots.surface_views; print({'torch', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_views_are_of_the_dish_without_the_correction(made_result):
    plain = replace(made_result, observing=Observing())
    for one, other in zip(surface_views(made_result), surface_views(plain), strict=True):
        np.testing.assert_array_equal(one.phase_rad, other.phase_rad)
