import numpy as np
import pytest

from oofpy.plots.map_images import map_pixels


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
