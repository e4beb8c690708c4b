"""A result at another order of its ladder, against a fit that ended at that order."""

from dataclasses import replace

import numpy as np
import pytest

from oofpy.errors import UsageError
from oofpy.fitting.dish_images import at_order
from oofpy.fitting.fitter import fit_observation
from oofpy.optics.half_path import half_path_um


@pytest.fixture(scope="module")
def result(simulated, jcmt, settings):
    return fit_observation(simulated.observation, jcmt, settings("gaussian", ladder=True))


def test_the_chosen_order_is_the_result_itself(result):
    assert at_order(result, None) is result
    assert at_order(result, result.chosen_order) is result


def test_another_order_has_its_own_surface_and_error(result):
    lower = at_order(result, 2)
    assert (lower.fit.order, lower.map_arrays) == (2, result.map_arrays)
    terms = {(one.n, one.l): one for one in lower.fit.coefficients}
    radius = result.telescope.geometry.dish_radius_m
    x, y = np.meshgrid(lower.aperture.axis_m / radius, lower.aperture.axis_m / radius)
    square = x**2 + y**2
    # Z(2,0), Z(2,2) and Z(2,-2), written out.
    phase = (
        terms[2, 0].phase_rad * (2 * square - 1)
        + terms[2, 2].phase_rad * (x**2 - y**2)
        + terms[2, -2].phase_rad * 2 * x * y
    )
    inside = np.isfinite(lower.aperture.phase_rad)
    np.testing.assert_allclose(lower.aperture.phase_rad[inside], phase[inside], atol=1e-12)
    np.testing.assert_allclose(
        lower.aperture.surface_um[inside], half_path_um(phase, result.wavelength_m)[inside], atol=1e-9
    )
    assert np.abs(lower.aperture.surface_um - result.aperture.surface_um)[inside].max() > 1
    centre = lower.aperture.axis_m.size // 2
    # At the centre only Z(2,0) is left, whose error is that of the phase.
    assert lower.aperture.surface_error_um[centre, centre] == pytest.approx(
        half_path_um(terms[2, 0].phase_rad_error, result.wavelength_m), rel=1e-6
    )


def test_the_images_of_the_chosen_order_are_made_the_same_way(result):
    again = at_order(replace(result, chosen_order=2), result.chosen_order)
    for name in ("phase_rad", "surface_um", "surface_error_um", "amplitude"):
        np.testing.assert_array_equal(getattr(again.aperture, name), getattr(result.aperture, name))


def test_an_order_that_was_not_fitted_is_refused(result):
    with pytest.raises(UsageError, match="was not fitted at this order; of 2, 3"):
        at_order(result, 7)
