import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.correction.making import correct
from oofpy.correction.mirror import Mirror
from oofpy.correction.prediction import image_of_points, spans
from oofpy.correction.values import CorrectionSettings
from oofpy.observing import AppliedCorrection
from oofpy.optics.zernike import ZernikeTerm
from oofpy.surface import WeightedDish
from tests.correction.made_surfaces import WAVELENGTH_M, grid_of_points, points_at, rough, source_of, surface_of

UM_PER_RAD = WAVELENGTH_M / (4 * math.pi) * 1e6


def predicted(surface, points=None, wavelengths_m=(), **settings):
    points = grid_of_points() if points is None else points
    correction = correct(source_of(surface), CorrectionSettings(**settings), points, wavelengths_m=wavelengths_m)
    return correction.elevations[0].prediction


def test_a_dish_that_is_corrected_at_many_points_is_nearly_perfect():
    prediction = predicted(rough(), wavelengths_m=(3e-3,))
    for one in prediction.efficiencies:
        assert one.exact_after > 1 - 5e-5
        assert one.ruze_after > 1 - 5e-5
        assert one.exact_before < 0.97
    assert prediction.rms_after_um < 0.01 * prediction.rms_before_um


def test_coefficients_take_all_of_it_away():
    at = correct(source_of(rough()), CorrectionSettings()).elevations[0]
    assert at.prediction.efficiencies[0].exact_after == pytest.approx(1, abs=1e-12)
    assert at.prediction.rms_after_um == pytest.approx(0, abs=1e-9)
    assert np.nanmax(np.abs(at.prediction.after_um)) < 1e-9


def test_the_dish_before_is_that_of_the_fit():
    surface = rough()
    phases = surface.values_um / UM_PER_RAD
    dish = WeightedDish(surface.telescope, surface.shape, surface.terms, WAVELENGTH_M)
    prediction = predicted(surface, wavelengths_m=(3.5e-3,))
    first, second = prediction.efficiencies
    assert (first.wavelength_m, second.wavelength_m) == (WAVELENGTH_M, 3.5e-3)
    assert first.exact_before == pytest.approx(dish.exact_efficiency(phases), abs=1e-9)
    assert prediction.rms_before_um == pytest.approx(dish.rms_rad(phases) * UM_PER_RAD, rel=1e-9)
    half = WeightedDish(surface.telescope, surface.shape, surface.terms, 3.5e-3)
    assert second.exact_before == pytest.approx(half.exact_efficiency(2 * phases), abs=1e-9)
    assert second.ruze_before == pytest.approx(first.ruze_before**4)


def test_the_dish_before_has_the_correction_that_was_on_it():
    applied = AppliedCorrection(((2, 2, 0.3), (1, 1, 2.0)))
    surface = surface_of({(2, 2): 0.3 * UM_PER_RAD, (3, 1): 60.0}, applied=applied)
    prediction = predicted(surface)
    plain = predicted(surface_of({(3, 1): 60.0}))
    assert prediction.rms_before_um == pytest.approx(plain.rms_before_um, rel=1e-5)
    assert prediction.efficiencies[0].exact_before == pytest.approx(plain.efficiencies[0].exact_before, abs=1e-7)
    assert prediction.efficiencies[0].exact_after > 0.99999


def test_half_the_gain_halves_the_surface():
    whole, half = predicted(rough()), predicted(rough(), gain=0.5)
    assert half.rms_after_um == pytest.approx(whole.rms_before_um / 2, rel=0.01)
    np.testing.assert_allclose(half.after_um, half.before_um / 2, atol=6, rtol=0)


@pytest.mark.parametrize("along", ["normal", "axis", "path"])
def test_the_direction_of_the_moves_changes_nothing_of_what_they_bring(along):
    prediction = predicted(rough(), mirror=Mirror("subreflector", along, subreflector_radius_m=50.0))
    assert prediction.rms_after_um == pytest.approx(predicted(rough()).rms_after_um, rel=0.05)


def test_a_wrong_sign_would_show():
    surface = rough()
    right = predicted(surface)
    wrong = predicted(replace(surface, values_um=-surface.values_um))
    assert wrong.rms_before_um == pytest.approx(right.rms_before_um)
    np.testing.assert_allclose(wrong.before_um, -right.before_um)
    assert wrong.rms_after_um == pytest.approx(right.rms_after_um, rel=1e-6)


def test_what_limits_hold_back_is_left():
    surface = surface_of({(2, 2): 100.0})
    prediction = predicted(surface, limits_um=(-1e-9, 1e-9), mirror=Mirror(along="path"))
    assert prediction.rms_after_um == pytest.approx(prediction.rms_before_um, rel=1e-6)
    some = predicted(surface, limits_um=(-50.0, 50.0), mirror=Mirror(along="path"))
    assert 0.01 < some.rms_after_um / some.rms_before_um < 0.5


def test_focus_left_out_is_left_and_said():
    surface = surface_of({(2, 0): 200.0, (3, 1): 60.0})
    prediction = predicted(surface, left_out=(ZernikeTerm(2, 0),))
    focus = predicted(surface_of({(2, 0): 200.0}))
    assert prediction.rms_after_um == pytest.approx(focus.rms_before_um, rel=1e-3)
    one = prediction.efficiencies[0]
    assert one.exact_after == pytest.approx(focus.efficiencies[0].exact_before, abs=1e-4)
    assert one.exact_without_left_out > 0.9999


def test_few_points_leave_more_than_many():
    few = predicted(rough(), points_at(*np.array([(25 * np.cos(a), 25 * np.sin(a)) for a in np.arange(6.0)]).T))
    assert few.rms_after_um > 10 * predicted(rough()).rms_after_um


def test_points_at_one_place_are_one_point():
    telescope = rough().telescope
    x, y = np.array([0.0, 40.0, 40.0, 0.0, -30.0]), np.array([0.0, 0.0, 0.0, 40.0, -30.0])
    axis, image = image_of_points(telescope, x, y, np.array([1.0, 3.0, 5.0, 2.0, 1.0]))
    other = image_of_points(telescope, *np.delete([x, y], 2, axis=1), np.array([1.0, 4.0, 2.0, 1.0]))[1]
    np.testing.assert_allclose(image, other)
    assert image[64, 64] == pytest.approx(1.0)
    assert axis[64] == 0
    assert np.isnan(image[0, 0])


def test_a_plane_through_three_points():
    telescope = rough().telescope
    axis, image = image_of_points(telescope, np.array([0.0, 10, 0]), np.array([0.0, 0, 10]), np.array([1.0, 2.0, 4.0]))
    x, y = np.meshgrid(axis, axis)
    on_dish = np.isfinite(image)
    np.testing.assert_allclose(image[on_dish], (1 + x / 10 + 3 * y / 10)[on_dish], atol=1e-8)


def test_points_on_a_line_span_no_dish():
    telescope = rough().telescope
    line = np.linspace(-50, 50, 9)
    assert not spans(line, 2 * line, telescope)
    assert not spans(line[:2], line[:2], telescope)
    assert spans(np.array([0.0, 40, 0]), np.array([0.0, 0, 40]), telescope)
