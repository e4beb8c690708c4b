import numpy as np
import pytest

from oofpy.plots.map_images import map_pixels, pixel_borders, scattered_triangles


def grid(columns=7, rows=5, pitch=2e-5):
    u, v = np.meshgrid(pitch * (np.arange(columns) - 2), pitch * (np.arange(rows) - 1))
    return u.ravel(), v.ravel()


@pytest.mark.parametrize("rounding", [0.0, 1e-6])
def test_regular_grid_in_any_order_becomes_one_pixel_a_sample(rounding):
    rng = np.random.default_rng(1)
    u, v = grid()
    order = rng.permutation(u.size)
    values = 100 * u / 2e-5 + v / 2e-5
    jitter = rounding * rng.uniform(-1, 1, (2, u.size))
    pixels = map_pixels(u[order] + jitter[0], v[order] + jitter[1])
    np.testing.assert_array_equal(pixels.image(values[order]), values.reshape(5, 7))
    np.testing.assert_allclose(pixels.extent_rad, 2e-5 * np.array([-2.5, 4.5, -1.5, 3.5]), atol=2 * rounding + 1e-15)


def test_gaps_of_a_grid_are_blank():
    u, v = grid()
    kept = np.arange(u.size) != 9
    image = map_pixels(u[kept], v[kept]).image(np.ones(kept.sum()))
    assert image.shape == (5, 7)
    assert np.argwhere(np.isnan(image)).tolist() == [[1, 2]]


def test_samples_without_a_place_are_left_out():
    u, v = grid()
    u[0] = np.nan
    image = map_pixels(u, v).image(np.arange(35.0))
    assert np.isnan(image[0, 0])
    assert image[4, 6] == 34


def test_scattered_samples_fill_the_pixels_nearest_to_them_with_their_own_values():
    rng = np.random.default_rng(2)
    u, v = rng.uniform(-1e-3, 1e-3, (2, 400))
    pixels = map_pixels(u, v)
    values = rng.normal(size=400)
    image = pixels.image(values)
    assert np.isin(image[np.isfinite(image)], values).all()
    left, right, bottom, top = pixels.extent_rad
    rows, columns = image.shape
    column = ((u - left) / (right - left) * columns).astype(int).clip(0, columns - 1)
    row = ((v - bottom) / (top - bottom) * rows).astype(int).clip(0, rows - 1)
    # Only where two samples share a pixel can it show the other one.
    assert np.mean(image[row, column] == values) > 0.95


def test_holes_between_scattered_samples_stay_blank():
    rng = np.random.default_rng(3)
    u, v = rng.uniform(-1e-3, 1e-3, (2, 3000))
    far = np.hypot(u, v) > 5e-4
    image = map_pixels(u[far], v[far]).image(np.ones(far.sum()))
    assert np.isnan(image[image.shape[0] // 2, image.shape[1] // 2])
    assert np.isfinite(image[5, 5])


@pytest.mark.parametrize(("u", "v"), [([], []), ([np.nan], [0.0]), ([1e-4], [2e-4]), ([0.0, 1e-4], [0.0, 0.0])])
def test_few_samples_are_no_error(u, v):
    image = map_pixels(np.array(u), np.array(v)).image(np.ones(len(u)))
    assert np.count_nonzero(np.isfinite(image)) == 0 or len(u) > 0


def test_coordinates_rounded_to_a_part_of_the_pitch_are_a_grid():
    """Every step is 32 or 33, none is the pitch."""
    axis = np.rint(np.linspace(-1620, 1620, 100)) * 1e-6
    u, v = (values.ravel() for values in np.meshgrid(axis, axis))
    pixels = map_pixels(u, v)
    assert pixels.on_grid
    np.testing.assert_array_equal(pixels.sample.ravel(), np.arange(u.size))
    np.testing.assert_allclose(pixels.extent_rad[1], 1620e-6 * (1 + 1 / 99), rtol=1e-9)


def test_scattered_samples_are_no_grid():
    u, v = np.random.default_rng(4).uniform(-1e-3, 1e-3, (2, 300))
    assert not map_pixels(u, v).on_grid


def test_borders_surround_pixels_and_not_what_they_share():
    inside = np.zeros((4, 5), bool)
    inside[1:3, 2] = True
    inside[3, 4] = True
    sides = {tuple(map(tuple, side)) for side in pixel_borders(inside).tolist()}
    assert sides == {
        ((2, 1), (2, 2)),
        ((3, 1), (3, 2)),
        ((2, 2), (2, 3)),
        ((3, 2), (3, 3)),
        ((2, 1), (3, 1)),
        ((2, 3), (3, 3)),
        # In the corner of the image: its edges are borders as well.
        ((4, 3), (4, 4)),
        ((5, 3), (5, 4)),
        ((4, 3), (5, 3)),
        ((4, 4), (5, 4)),
    }


def test_triangles_fill_a_scattered_map_but_not_its_holes():
    u, v = np.random.default_rng(6).uniform(-1e-3, 1e-3, (2, 3000))
    far = np.hypot(u, v) > 6e-4
    u, v = u[far], v[far]
    corners = scattered_triangles(u, v)
    centres = np.hypot(u[corners].mean(axis=1), v[corners].mean(axis=1))
    assert centres.min() > 5e-4
    across, up = (values[corners] - values[corners[:, :1]] for values in (u, v))
    area = np.abs(across[:, 1] * up[:, 2] - across[:, 2] * up[:, 1]).sum() / 2
    assert area == pytest.approx(4e-6 - np.pi * 0.36e-6, rel=0.05)


@pytest.mark.parametrize("count", [0, 2, 5])
def test_samples_on_a_line_make_no_triangle(count):
    assert scattered_triangles(np.arange(count) * 1e-4, np.arange(count) * 2e-4).shape == (0, 3)


@pytest.mark.parametrize(("u", "v"), [([0.0, 1e-4, 5e-4, 9e-4], [2e-4] * 4), ([3e-4] * 2, [3e-4] * 2)])
def test_image_of_samples_on_a_line_has_a_width(u, v):
    left, right, bottom, top = map_pixels(np.array(u), np.array(v)).extent_rad
    assert right > left
    assert top > bottom
    assert (bottom + top) / 2 == pytest.approx(v[0])


def test_irregular_positions_are_no_grid():
    """The median of their steps, 1 and 9, is near none of them."""
    u, v = np.array([0.0, 1.0, 10.0]), np.array([0.0, 1.0, 10.0])
    assert not map_pixels(u, v).on_grid
