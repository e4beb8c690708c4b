import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.rules.surface import focus, rim, size, steepness
from oofpy.fitting.status import FitStatus

RADIUS_M, WAVELENGTH_UM = 7.5, 1100
UM_PER_RAD = WAVELENGTH_UM / (4 * math.pi)


def test_the_phase_of_the_rms_is_counted(fitted, with_surface, by):
    flag = by(size, with_surface(fitted, rms_as_observed_um=1.5 * UM_PER_RAD))["large-rms"]
    assert flag.message.startswith("the surface rms is 131.3 um, 1.50 rad of phase; ")


def test_a_surface_that_leaves_no_beam_says_only_that(fitted, with_surface, by):
    flags = by(size, with_surface(fitted, rms_as_observed_um=4000.0, ruze_efficiency=1e-300))
    assert list(flags) == ["surface-implausible"]
    assert "4e+03 um" in flags["surface-implausible"].message


def test_the_step_of_a_slope_is_over_what_the_order_resolves(fitted, with_phase, by):
    def slope(rad_per_m):
        return with_phase(fitted, lambda x, y: rad_per_m * (0.6 * x - 0.8 * y))

    # 15 m over order 3 and one: 3.75 m.
    assert by(steepness, slope(0.83)) == {}
    flag = by(steepness, slope(0.85))["steep-phase"]
    assert flag.message.startswith("the phase changes by 3.2 rad rms over 3.75 m, the finest that order 3 resolves; ")
    # A higher order may hold a steeper phase.
    assert by(steepness, replace(slope(0.85), orders=(replace(fitted.fit, order=4),), chosen_order=4)) == {}


def test_the_phase_is_that_of_the_dish_as_it_was_observed(fitted, with_phase, by):
    axis = fitted.aperture.axis_m
    steep_um = 2.0 * (axis + 0 * axis[:, None]) * UM_PER_RAD
    corrected = with_phase(fitted, lambda x, y: 2.0 * x + 0 * y, applied_um=steep_um)
    assert by(steepness, corrected) == {}
    assert "steep-phase" in by(steepness, with_phase(fitted, lambda x, y: 0 * x * y, applied_um=steep_um))


def test_what_is_blocked_does_not_count(fitted, with_phase, by):
    def hidden(x, y):
        return np.where(fitted.aperture.amplitude > 0, 0.1, 50.0) + 0 * x * y

    assert by(steepness, with_phase(fitted, hidden)) == {}
    assert by(rim, with_phase(fitted, hidden)) == {}


@pytest.mark.parametrize(("at_rim", "flagged"), [(0.29, False), (-0.29, False), (0.31, True), (-0.31, True)])
def test_the_rim_against_the_inside(fitted, with_phase, by, at_rim, flagged):
    result = with_phase(fitted, lambda x, y: np.where(np.hypot(x, y) > 0.85 * RADIUS_M, at_rim, 0.1))
    flags = by(rim, result)
    assert list(flags) == (["rim-dominated"] if flagged else [])
    if flagged:
        assert "0.31 rad rms near the rim and 0.10 rad inside" in flags["rim-dominated"].message


def test_a_rim_that_is_not_known_is_not_judged(fitted, with_phase, by):
    def rough(x, y):
        return np.where(np.hypot(x, y) > 0.85 * RADIUS_M, 0.5, 0.1)

    for error_rad, flagged in ((0.16, True), (0.17, False)):
        error = np.full_like(fitted.aperture.phase_rad, error_rad * UM_PER_RAD)
        assert bool(by(rim, with_phase(fitted, rough, surface_error_um=error))) is flagged


def test_nothing_to_see_is_nothing_to_flag(fitted, with_phase, by):
    flat = with_phase(fitted, lambda x, y: 0 * x * y, surface_error_um=0 * fitted.aperture.surface_error_um)
    dark = replace(flat, aperture=replace(flat.aperture, amplitude=0 * flat.aperture.amplitude))
    unknown = with_phase(fitted, lambda x, y: np.nan * x * y)
    for result in (flat, dark, unknown):
        assert by(steepness, result) == by(rim, result) == {}


def with_focus(result, order, dz_m, **fields):
    fits = (
        replace(fit, surface=replace(fit.surface, best_focus_m=dz_m), **fields) if fit.order == order else fit
        for fit in result.orders
    )
    return replace(result, orders=tuple(fits))


def test_focus_against_the_largest_dz(fitted, by):
    alone = replace(fitted, orders=(fitted.fit,))
    for dz_m in (0.9e-3, -0.9e-3):
        assert by(focus, with_focus(alone, 3, dz_m)) == {}
    flag = by(focus, with_focus(alone, 3, -1.1e-3))["large-focus"]
    assert flag.message.startswith("the focus is off by dz = -1.1 mm, the largest dz is 2 mm; correct the focus")


def test_focus_against_that_of_the_orders_beside(fitted, by):
    at = fitted.fit.surface.best_focus_m
    assert [fit.order for fit in fitted.orders] == [2, 3]
    assert by(focus, with_focus(fitted, 2, at + 0.49e-3)) == {}
    message = by(focus, with_focus(fitted, 2, at - 0.51e-3))["focus-jumps"].message
    assert f"dz = {at * 1e3:+.3g} mm at order 3 and {at * 1e3 - 0.51:+.3g} mm at order 2; " in message
    # An order that the ladder left early speaks as well; one without a finite cost does not, nor one farther away.
    assert "focus-jumps" in by(focus, with_focus(fitted, 2, at - 1e-3, status=FitStatus.EVALUATION_LIMIT))
    assert by(focus, with_focus(fitted, 2, at - 1e-3, status=FitStatus.NOT_FINITE)) == {}
    far = replace(fitted, orders=(fitted.orders[0], replace(fitted.fit, order=4)), chosen_order=4)
    assert by(focus, with_focus(far, 2, at - 1e-3)) == {}


def test_maps_that_are_all_in_focus_have_no_scale(fitted, with_fit, by):
    maps = tuple(replace(one, dz_m=0.0) for one in fitted.fit.maps)
    assert by(focus, with_fit(fitted, maps=maps)) == {}
