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
        found.append(lags.correlation(values if order is None else values[order]).area)
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
    assert lags.correlation(rng.normal(size=u.size)).area < 1.1
    pixels, sigma = 400, 10.0
    found = []
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(size=(pixels + 80,) * 2)
        field = scipy.ndimage.gaussian_filter(noise, sigma)[40:-40, 40:-40]
        places = [np.clip(((axis + 1) / 2 * pixels).astype(int), 0, pixels - 1) for axis in (v, u)]
        found.append(lags.correlation(field[tuple(places)]).area)
    samples_per_pixel = (SIDE / pixels) ** 2
    assert np.mean(found) == pytest.approx(4 * np.pi * sigma**2 * samples_per_pixel, rel=0.25)


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_residuals_that_are_all_alike_have_an_area_of_one(value):
    assert LagGrid.of(*grid()).correlation(np.full(SIDE * SIDE, value)).area == 1


def lengths_of(lags):
    """Lengths of the lags of one cell along u and along v."""
    length = lags.length_rad.reshape(lags.padded)
    return length[0, 1], length[1, 0]


def test_lags_have_their_length_on_the_sky():
    u, v = grid()
    assert lengths_of(LagGrid.of(u, v)) == pytest.approx((2e-3 / 60, 2e-3 / 60), rel=1e-12)
    order = np.random.default_rng(5).permutation(u.size)[: int(0.8 * u.size)]
    assert lengths_of(LagGrid.of(u[order], v[order])) == pytest.approx((2e-3 / 60, 2e-3 / 60), rel=1e-12)
    assert lengths_of(LagGrid.of(0.25 * u, v)) == pytest.approx((0.5e-3 / 60, 2e-3 / 60), rel=1e-12)
    u, v = np.random.default_rng(6).uniform(-1e-3, 1e-3, (2, 3600))
    # Scattered samples are sorted into squares, each of the area of one sample.
    assert lengths_of(LagGrid.of(u, 2 * v)) == pytest.approx((np.sqrt(2) * 2e-3 / 60,) * 2, rel=0.02)


@pytest.mark.parametrize("stretch", [1.0, 0.25])
def test_structure_counts_by_its_size_on_the_sky_whatever_the_steps(stretch):
    """A map sampled four times as finely along u holds the same structure."""
    u, v = grid()
    u = stretch * u
    noise = np.random.default_rng(8).normal(size=(SIDE + 2 * MARGIN,) * 2)
    smooth = scipy.ndimage.gaussian_filter(noise, (1.5, 1.5 / stretch))[MARGIN:-MARGIN, MARGIN:-MARGIN].ravel()
    step = 2e-3 / 60
    found = LagGrid.of(u, v).correlation(smooth).mean_between(1.5 * step, 3 * step)
    assert 0.3 < found < 0.6


def test_too_few_pairs_tell_nothing():
    axis = np.linspace(-1e-3, 1e-3, 5)
    u, v = (values.ravel() for values in np.meshgrid(axis, axis))
    few = LagGrid.of(u, v).correlation(np.random.default_rng(9).normal(size=u.size))
    assert np.isnan(few.mean_between(5e-4, 1e-3))
    u, v = grid()
    assert np.isnan(LagGrid.of(u, v).correlation(u).mean_between(0.1 * PITCH, 0.9 * PITCH))
    line = LagGrid.of(np.linspace(0, 1e-3, 30), np.zeros(30))
    assert np.isnan(line.correlation(np.arange(30.0)).mean_between(1e-5, 1e-3))


PITCH = 2e-3 / 60


def means(smooth, nearest, farthest, seeds=8):
    """Mean correlation of smoothed noise between two distances in samples, one for each seed."""
    lags = LagGrid.of(*grid())
    found = []
    for seed in range(seeds):
        noise = np.random.default_rng(seed).normal(size=(SIDE + 2 * MARGIN,) * 2)
        values = smooth(noise)[MARGIN:-MARGIN, MARGIN:-MARGIN].ravel()
        found.append(lags.correlation(values).mean_between(nearest * PITCH, farthest * PITCH))
    return np.array(found)


def test_white_noise_has_no_correlation_at_any_distance():
    for nearest, farthest in ((1, 2), (4, 8), (8, 16)):
        assert np.abs(means(lambda noise: noise, nearest, farthest)).max() < 0.03


def test_noise_that_only_neighbours_share_has_none_beyond_them():
    def smooth(noise):
        return scipy.ndimage.uniform_filter(noise, 3)

    assert means(smooth, 0.9, 1.1).min() > 0.4
    assert np.abs(means(smooth, 5, 10)).max() < 0.1
    assert abs(means(smooth, 5, 10).mean()) < 0.03


def test_structure_of_the_size_of_a_beam_has_its_own_correlation():
    # exp(-r^2 / 4 sigma^2), averaged over the lags from 4 to 8 samples.
    sigma = 4.0
    y, x = np.mgrid[-9:10, -9:10]
    r = np.rint(np.hypot(x, y))
    expected = np.exp(-(np.hypot(x, y) ** 2) / (4 * sigma**2))[(r >= 4) & (r <= 8)].mean()
    found = means(lambda noise: scipy.ndimage.gaussian_filter(noise, sigma), 4, 8, seeds=16)
    assert 0.4 < expected < 0.6
    assert found.mean() == pytest.approx(expected, abs=0.1)


def test_opposite_residuals_are_anticorrelated():
    u, v = grid()
    fields = [np.sign(np.sin(np.pi * (np.rint(axis / PITCH) + 0.5) / 4)) for axis in (u, v)]
    assert LagGrid.of(u, v).correlation(fields[0] * fields[1]).mean_between(3.9 * PITCH, 4.1 * PITCH) < -0.9


def test_residuals_that_are_all_alike_do_not_correlate():
    assert LagGrid.of(*grid()).correlation(np.zeros(SIDE * SIDE)).mean_between(PITCH, 5 * PITCH) == 0


def test_pairs_count_the_samples_at_each_lag():
    lags = LagGrid.of(*grid())
    assert lags.pairs[0, 0] == pytest.approx(SIDE * SIDE)
    assert lags.pairs[0, 3] == pytest.approx(SIDE * (SIDE - 3))
    assert lags.pairs[2, 0] == pytest.approx(SIDE * (SIDE - 2))
    assert lags.ring.reshape(lags.padded)[3, 4] == 5


def test_samples_on_one_line():
    u = np.linspace(0, 1e-3, 30)
    assert LagGrid.of(u, np.zeros(30)).correlation(np.random.default_rng(4).normal(size=30)).area >= 1
