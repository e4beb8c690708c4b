import numpy as np
import pytest
import scipy.ndimage

from oofpy.fitting.residual_correlation import LagGrid

SIDE, MARGIN = 61, 20
AXIS = np.linspace(-1e-3, 1e-3, SIDE)


def grid():
    v, u = np.meshgrid(AXIS, AXIS, indexing="ij")
    return u.ravel(), v.ravel()


def areas(smooth, seeds=8, positions=None, order=None):
    """Correlation areas of smoothed noise, one for each seed."""
    lags = LagGrid.of(*(grid() if positions is None else positions))
    found = []
    for seed in range(seeds):
        noise = np.random.default_rng(seed).normal(size=(SIDE + 2 * MARGIN,) * 2)
        values = smooth(noise)[MARGIN:-MARGIN, MARGIN:-MARGIN].ravel()
        found.append(lags.correlation_area(values if order is None else values[order]))
    return np.array(found)


def test_white_noise_has_an_area_of_one():
    found = areas(lambda noise: noise)
    assert found.min() >= 1
    assert found.max() < 1.1


@pytest.mark.parametrize("width", [2, 3])
def test_moving_average(width):
    # The autocorrelation of a box is a triangle on each axis, of sum `width`.
    found = areas(lambda noise: scipy.ndimage.uniform_filter(noise, width))
    assert found.mean() == pytest.approx(width**2, rel=0.15)


@pytest.mark.parametrize("sigma", [0.8, 1.0])
def test_gaussian_smoothing(sigma):
    # The autocorrelation is exp(-r^2 / 4 sigma^2), of sum 4 pi sigma^2.
    found = areas(lambda noise: scipy.ndimage.gaussian_filter(noise, sigma))
    assert found.mean() == pytest.approx(4 * np.pi * sigma**2, rel=0.15)


def test_neither_offset_nor_unit_nor_order_matter():
    def smooth(noise):
        return scipy.ndimage.gaussian_filter(noise, 1.0)

    plain = areas(smooth, seeds=2)
    np.testing.assert_allclose(areas(lambda noise: 1e6 + 1e3 * smooth(noise), seeds=2), plain, rtol=1e-6)
    order = np.random.default_rng(1).permutation(SIDE * SIDE)
    u, v = grid()
    np.testing.assert_allclose(areas(smooth, 2, (u[order], v[order]), order), plain, rtol=1e-9)


def test_missing_samples_leave_the_area():
    kept = np.flatnonzero(np.random.default_rng(2).random(SIDE * SIDE) < 0.7)
    u, v = grid()
    found = areas(lambda noise: scipy.ndimage.uniform_filter(noise, 3), 8, (u[kept], v[kept]), kept)
    # Nine neighbours, of which seven tenths are there: counted as nine, never as fewer than there are.
    assert 0.7 * 9 < found.mean() < 9 * 1.15


def test_scattered_samples():
    rng = np.random.default_rng(3)
    u, v = rng.uniform(-1, 1, (2, SIDE * SIDE))
    lags = LagGrid.of(u, v)
    assert lags.correlation_area(rng.normal(size=u.size)) < 1.1
    pixels, sigma = 400, 10.0
    found = []
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(size=(pixels + 80,) * 2)
        field = scipy.ndimage.gaussian_filter(noise, sigma)[40:-40, 40:-40]
        places = [np.clip(((axis + 1) / 2 * pixels).astype(int), 0, pixels - 1) for axis in (v, u)]
        found.append(lags.correlation_area(field[tuple(places)]))
    samples_per_pixel = (SIDE / pixels) ** 2
    assert np.mean(found) == pytest.approx(4 * np.pi * sigma**2 * samples_per_pixel, rel=0.25)


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_residuals_that_are_all_alike_have_an_area_of_one(value):
    assert LagGrid.of(*grid()).correlation_area(np.full(SIDE * SIDE, value)) == 1


def test_pairs_count_the_samples_at_each_lag():
    lags = LagGrid.of(*grid())
    assert lags.pairs[0, 0] == pytest.approx(SIDE * SIDE)
    assert lags.pairs[0, 3] == pytest.approx(SIDE * (SIDE - 3))
    assert lags.pairs[2, 0] == pytest.approx(SIDE * (SIDE - 2))
    assert lags.ring.reshape(lags.padded)[3, 4] == 5


def test_samples_on_one_line():
    u = np.linspace(0, 1e-3, 30)
    assert LagGrid.of(u, np.zeros(30)).correlation_area(np.random.default_rng(4).normal(size=30)) >= 1
