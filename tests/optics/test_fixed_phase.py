import math

import numpy as np
import pytest
import torch

from oofpy.observing import AppliedCorrection, Observing
from oofpy.optics.beam_building import beam_model
from oofpy.optics.fixed_phase import applied_phase, fixed_phase, near_field_path
from oofpy.optics.zernike import zernike_terms
from tests.optics.references import PEDESTAL, axisymmetric_dish

WAVELENGTH = 0.0093
K = 2 * math.pi / WAVELENGTH
DISH = axisymmetric_dish(illumination=PEDESTAL, disc=3.25)
AXIS = torch.linspace(-50, 50, 41, dtype=torch.float64)
Y, X = torch.meshgrid(AXIS, AXIS, indexing="ij")


@pytest.mark.parametrize("distance", [500.0, 5e3, 1e6])
def test_near_field_is_the_longer_way_of_the_rays(distance):
    """Source to paraboloid to focus, by distances between points, beyond the way through the vertex."""
    focal = DISH.geometry.primary_focal_length_m
    r2 = X**2 + Y**2
    z = r2 / (4 * focal)
    way = torch.sqrt(r2 + (distance - z) ** 2) + torch.sqrt(r2 + (focal - z) ** 2)
    found = near_field_path(DISH.geometry, X, Y, distance)
    assert (found - (way - (distance + focal))).abs().max() < 1e-9 * distance
    assert found.min() >= 0


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


def test_what_is_not_a_number_in_an_image_is_no_correction():
    axis = np.linspace(-50, 50, 11)
    image = np.full((11, 11), np.nan)
    assert applied_phase(AppliedCorrection(axis_m=axis, surface_m=image), 50.0, X, Y, K).abs().max() == 0


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
