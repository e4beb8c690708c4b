import math

import numpy as np
import pytest
import torch

from oofpy.optics.aperture import area_aperture, band_limited_aperture, open_area, pixels_needed
from oofpy.optics.propagation import MatrixTransform
from oofpy.telescope import load_telescope
from tests.optics.references import axisymmetric_dish, effelsberg_open_area, four_legs


def centres(radius, count):
    pitch = 2 * radius / count
    return (np.arange(count) - (count - 1) / 2) * pitch


def total_area(telescope, pixels):
    axis = centres(telescope.geometry.dish_radius_m, pixels)
    return open_area(telescope, axis, axis).sum() * (axis[1] - axis[0]) ** 2


def binned(telescope, pixels, subpixels):
    axis = centres(telescope.geometry.dish_radius_m, pixels * subpixels)
    fine = open_area(telescope, axis, axis)
    return fine.reshape(pixels, subpixels, pixels, subpixels).mean((1, 3))


@pytest.mark.parametrize("hole", [0.0, 3.25, 20.0])
@pytest.mark.parametrize("pixels", [64, 101, 256])
def test_area_of_disc_and_annulus(hole, pixels):
    expected = math.pi * (50.0**2 - hole**2)
    assert total_area(axisymmetric_dish(disc=hole), pixels) == pytest.approx(expected, rel=5e-5)


@pytest.mark.parametrize("angle_deg", [0.0, 45.0, 17.0])
@pytest.mark.parametrize("half_width", [1.0, 0.25])
def test_straight_legs_cover_rectangles(angle_deg, half_width):
    legs = four_legs(half_width, outer_radius=30.0, shade_angle_deg=None, first_angle_deg=angle_deg)
    with_legs = total_area(axisymmetric_dish(disc=5.0, legs=legs), 400)
    # A rectangle from where the leg's edges leave the disc, less what the disc still covers of it.
    start = math.sqrt(5.0**2 - half_width**2)
    segment = 25 * math.asin(half_width / 5) - half_width * start
    covered = 4 * (2 * half_width * (30.0 - start) - segment)
    without = math.pi * (50.0**2 - 5.0**2)
    assert without - with_legs == pytest.approx(covered, rel=2e-3)


def test_effelsberg_pixels_hold_the_true_open_area():
    reference = effelsberg_open_area(64)
    mask = binned(load_telescope("effelsberg"), 64, 16)
    assert np.abs(mask - reference).max() < 1e-3
    assert mask.sum() == pytest.approx(reference.sum(), rel=1e-5)


def test_the_end_of_a_leg_leaves_no_gap():
    # One pixel row along the leg: where the bar ends and the wedge begins, both cover a part of one pixel.
    telescope = load_telescope("effelsberg")
    x = np.arange(21.0, 26.0, 0.5)
    row = open_area(telescope, x, np.array([-0.5, 0.0, 0.5]))[1]
    assert np.abs(row).max() < 1e-12


def test_fractions_lie_between_nothing_and_everything():
    for name in ("effelsberg", "srt"):
        area = area_aperture(load_telescope(name), 90).weight
        assert 0 <= area.min() <= area.max() <= 1
        assert 0.8 < area.mean() / (math.pi / 4) < 1


@pytest.mark.parametrize("pixels", [40, 64, 96])
def test_band_limited_weights_sum_to_the_open_area(pixels):
    sampling = band_limited_aperture(load_telescope("effelsberg"), pixels)
    expected = effelsberg_open_area(100).sum()  # pixels of 1 m^2
    assert sampling.weight.sum() * sampling.pitch_m**2 == pytest.approx(expected, rel=2e-5)


def plane_wave_integrals(sampling, telescope, cycles):
    """Integrals of plane waves over the aperture, `cycles` per dish diameter along each axis."""
    axis = torch.tensor(sampling.axis_m)
    q = 2 * math.pi * cycles / (2 * telescope.geometry.dish_radius_m)
    transform = MatrixTransform.on_axes(axis, axis, q, q)
    return transform(torch.tensor(sampling.weight).to(torch.complex128)) * sampling.pitch_m**2


@pytest.mark.parametrize("pixels", [40, 64])
def test_plane_waves_within_the_band_are_integrated_as_on_a_fine_grid(pixels):
    telescope = load_telescope("effelsberg")
    cycles = torch.linspace(-0.3 * pixels, 0.3 * pixels, 61, dtype=torch.float64)
    coarse = plane_wave_integrals(band_limited_aperture(telescope, pixels), telescope, cycles)
    fine = plane_wave_integrals(area_aperture(telescope, 1024), telescope, cycles)
    area = float(fine.abs().max())
    assert (coarse - fine).abs().max() < 5e-5 * area
    # A mask of pixels in or out, or by area alone, on the same coarse grid is far from it.
    plain = plane_wave_integrals(area_aperture(telescope, pixels), telescope, cycles)
    assert (plain - fine).abs().max() > 1e-3 * area


def test_weights_reach_a_few_pixels_beyond_the_rim_and_vanish_there():
    sampling = band_limited_aperture(axisymmetric_dish(), 64)
    assert sampling.pixels_across == 64
    assert sampling.axis_m.size == sampling.weight.shape[0] > 64
    assert sampling.pitch_m == pytest.approx(100 / 64)
    assert np.abs(sampling.weight[0]).max() < 1e-3
    assert np.abs(sampling.weight - sampling.weight[::-1]).max() < 1e-12


def test_mesh_has_y_down_the_rows():
    x, y = area_aperture(axisymmetric_dish(), 8).mesh()
    assert x[0, 1] > x[0, 0]
    assert y[1, 0] > y[0, 0]
    assert torch.equal(x, y.T)


def test_pixels_grow_with_the_band():
    assert pixels_needed(1.0) == 32
    assert all(pixels_needed(band) % 2 == 0 for band in (15.3, 20.0, 41.7))
    assert 0.3 * pixels_needed(60.0) < 60.0 < 0.5 * pixels_needed(60.0)
