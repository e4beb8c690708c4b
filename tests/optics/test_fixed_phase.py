import math

import numpy as np
import pytest
import torch

from oofpy.errors import ConfigurationError
from oofpy.observing import AppliedCorrection, Observing
from oofpy.optics.beam_building import beam_model
from oofpy.optics.fixed_phase import applied_phase, fixed_phase, fixed_slope_beams, near_field_path
from oofpy.optics.zernike import zernike_terms
from oofpy.telescope import load_telescope
from tests.optics.references import PEDESTAL, axisymmetric_dish

WAVELENGTH = 0.0093
K = 2 * math.pi / WAVELENGTH
DISH = axisymmetric_dish(illumination=PEDESTAL, disc=3.25)
AXIS = torch.linspace(-50, 50, 41, dtype=torch.float64)
Y, X = torch.meshgrid(AXIS, AXIS, indexing="ij")


GBT = load_telescope("gbt").geometry


@pytest.mark.parametrize(("geometry", "offset"), [(DISH.geometry, 0.0), (GBT, 54.0)])
@pytest.mark.parametrize("distance", [500.0, 5e3, 1e6])
def test_near_field_is_the_longer_way_of_the_rays(geometry, offset, distance):
    """Source to paraboloid to focus, by distances between points, beyond the way of a plane wave along the axis.

    The source stands ahead of the centre of the aperture, `offset` from the axis of the paraboloid; from far away all
    rays have the way `distance + focal`.
    """
    focal = np.longdouble(geometry.primary_focal_length_m)
    x, y = (values.numpy().astype(np.longdouble) for values in (X, Y))
    height = (x**2 + (y + offset) ** 2) / (4 * focal)
    to_dish = np.sqrt(x**2 + y**2 + (distance - height) ** 2)
    to_focus = np.sqrt(x**2 + (y + offset) ** 2 + (focal - height) ** 2)
    found = near_field_path(geometry, X, Y, distance)
    np.testing.assert_allclose(found, (to_dish + to_focus - (distance + focal)).astype(float), rtol=1e-9, atol=1e-11)
    assert found.min() >= 0
    assert found.max() > 1e-4


def test_near_field_is_the_fresnel_term_far_away():
    found = near_field_path(DISH.geometry, X, Y, 1e7)
    assert found.numpy() == pytest.approx(((X**2 + Y**2) / 2e7).numpy(), rel=1e-5)


def test_an_applied_correction_is_taken_off_with_its_sign():
    applied = AppliedCorrection(((2, 0, 0.5),))
    phase = fixed_phase([Observing(applied=applied)], DISH.geometry, X, Y, torch.tensor([K], dtype=torch.float64))
    rho2 = (X**2 + Y**2) / 50**2
    assert (phase[0, 0] + 0.5 * (2 * rho2 - 1)).abs().max() < 1e-12


def test_an_image_and_coefficients_of_one_correction_agree():
    """Half-path error eps has the phase 4 pi eps / lambda."""
    axis = np.linspace(-51, 51, 103)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    phase = 0.4 * (3 * (x / 50) ** 2 * (y / 50) - (y / 50) ** 3)  # Z(3,-3)
    image = AppliedCorrection(axis_m=axis, surface_m=phase * WAVELENGTH / (4 * math.pi))
    listed = AppliedCorrection(((3, -3, 0.4),))
    found, expected = (applied_phase(one, 50.0, X, Y, K) for one in (image, listed))
    assert (found - expected).abs().max() < 1e-9


def test_an_image_goes_on_smoothly_where_it_has_no_number():
    """Images of results hold no numbers off the dish, where the band-limited mask asks for a few pixels more."""
    axis = np.linspace(-60, 60, 121)
    y, x = np.meshgrid(axis, axis, indexing="ij")
    r = np.hypot(x, y)
    whole = 1e-4 * (2 * (r / 50) ** 2 - 1)
    cut = np.where(r <= 50, whole, np.nan)
    found, expected = (
        applied_phase(AppliedCorrection(axis_m=axis, surface_m=one), 50.0, X, Y, K) for one in (cut, whole)
    )
    near = torch.hypot(X, Y) <= 60
    assert (found - expected).abs()[near].max() < 1e-9
    bump = whole + 1e-5 * np.exp(-((x - 20) ** 2 + y**2) / (2 * 4.0**2))
    found = applied_phase(AppliedCorrection(axis_m=axis, surface_m=np.where(r <= 50, bump, np.nan)), 50.0, X, Y, K)
    wanted = expected + 2 * K * 1e-5 * torch.exp(-((X - 20) ** 2 + Y**2) / (2 * 4.0**2))
    assert (found - wanted).abs()[torch.hypot(X, Y) <= 48].max() < 0.01 * 2 * K * 1e-5
    assert (found - wanted).abs()[near].max() < 0.5 * 2 * K * 1e-5


def test_an_image_of_a_small_part_of_the_dish_is_refused():
    axis = np.linspace(-5, 5, 33)
    with pytest.raises(
        ConfigurationError, match=r"observing.applied: the image holds numbers to 7.071 m .* 50 m; check"
    ):
        applied_phase(AppliedCorrection(axis_m=axis, surface_m=np.ones((33, 33)) * 1e-4), 50.0, X, Y, K)


def test_slopes_count_everything_that_is_known():
    beam = WAVELENGTH / 100
    near = Observing(source_distance_m=5e5)
    assert fixed_slope_beams(Observing(), DISH.geometry, beam) == 0
    assert fixed_slope_beams(near, DISH.geometry, beam) == pytest.approx(50 / 5e5 / beam, rel=0.15)
    # 2 rad of Z(2,0) are steepest at the rim: 8 rad a radius, or 16 / 2 pi cycles a diameter.
    steep = Observing(applied=AppliedCorrection(((2, 0, 2.0),)))
    assert fixed_slope_beams(steep, DISH.geometry, beam) == pytest.approx(16 / (2 * math.pi), rel=0.15)


def test_a_dish_corrected_by_its_own_error_has_the_ideal_beam():
    beam = WAVELENGTH / 100
    axis = np.linspace(-4, 4, 17) * beam
    u, v = (values.ravel() for values in np.meshgrid(axis, axis))
    terms = zernike_terms(3, 2)
    modes = torch.tensor([0.3, -0.2, 0.1, 0.25, -0.15, 0.2, 0.1], dtype=torch.float64)
    applied = AppliedCorrection(tuple((t.n, t.l, float(c)) for t, c in zip(terms, modes, strict=True)))

    def maps(surface, observing):
        model = beam_model(
            DISH,
            [[(u, v)] * 2],
            torch.tensor([[0.0, 0.02]], dtype=torch.float64),
            torch.tensor([WAVELENGTH], dtype=torch.float64),
            terms,
            observing=[observing],
        )
        values = model.nominal_parameters()
        values[model.layout.slice_of("modes")] = surface
        return model(values[None]).maps

    ideal = maps(0 * modes, Observing())
    assert (maps(modes, Observing(applied=applied)) - ideal).abs().max() < 1e-12
    assert (maps(modes, Observing()) - ideal).abs().max() > 0.03
