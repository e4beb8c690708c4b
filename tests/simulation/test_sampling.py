import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import ConfigurationError
from oofpy.observation import BeamMap, Observation
from oofpy.simulation import Daisy, GivenPositions, Grid, Raster

HALF_WIDTH = 6.6e-4
counts = st.integers(2, 30)
parts = st.floats(0, 1)
seeds = st.integers(0, 1000)
samplings = st.one_of(
    st.builds(Grid, counts, st.just(HALF_WIDTH)),
    st.builds(Raster, counts, counts, st.just(HALF_WIDTH), parts, parts, seeds),
    st.builds(Daisy, counts, counts, st.just(HALF_WIDTH), seeds),
)


@given(samplings)
@settings(max_examples=60, deadline=None)
def test_samples_lie_within_the_map_and_are_repeatable(sampling):
    positions, again = sampling.positions(3), sampling.positions(3)
    assert len(positions) == 3
    for (u, v), (same_u, same_v) in zip(positions, again, strict=True):
        assert u.shape == v.shape
        assert max(np.abs(u).max(), np.abs(v).max()) <= HALF_WIDTH * (1 + 1e-12)
        np.testing.assert_array_equal(u, same_u)
        np.testing.assert_array_equal(v, same_v)


def test_a_grid_is_regular_and_reaches_its_edge():
    u, v = (values.reshape(5, 5) for values in Grid(5, 2e-4).positions(1)[0])
    np.testing.assert_allclose(u, np.broadcast_to([-2e-4, -1e-4, 0, 1e-4, 2e-4], (5, 5)), atol=1e-18)
    np.testing.assert_array_equal(v, u.T)


def test_an_even_raster_is_a_grid_of_cells_scanned_to_and_fro():
    u, v = (values.reshape(3, 4) for values in Raster(3, 4, 1.2e-4, jitter=0, wobble=0).positions(1)[0])
    np.testing.assert_allclose(u[0], [-0.9e-4, -0.3e-4, 0.3e-4, 0.9e-4])
    np.testing.assert_allclose(u[1], u[0, ::-1])
    np.testing.assert_allclose(v, [[-0.8e-4] * 4, [0] * 4, [0.8e-4] * 4], atol=1e-18)


def test_a_raster_is_uneven_and_its_rows_keep_their_order():
    first, second = Raster(20, 30, HALF_WIDTH, jitter=0.6, wobble=0.5, seed=3).positions(2)
    u, v = (values.reshape(20, 30) for values in first)
    assert (np.diff(u[0]) > 0).all()
    assert (np.diff(u[1]) < 0).all()
    assert np.ptp(np.diff(u[0])) > 0.3 * HALF_WIDTH / 15
    assert (v[1:].min(1) > v[:-1].max(1)).all()
    assert np.ptp(np.diff(v.mean(1))) > 0.3 * HALF_WIDTH / 10
    assert np.ptp(v[0]) > 0.05 * HALF_WIDTH / 10
    assert np.abs(first[0] - second[0]).max() > 0.1 * HALF_WIDTH / 15
    other = Raster(20, 30, HALF_WIDTH, jitter=0.6, wobble=0.5, seed=4).positions(1)[0]
    assert np.abs(first[0] - other[0]).max() > 0.1 * HALF_WIDTH / 15


@pytest.mark.parametrize("petals", [5, 11])
def test_a_daisy_has_its_petals_evenly_spaced(petals):
    u, v = Daisy(petals, petals * 1001, HALF_WIDTH, seed=2).positions(1)[0]
    tips = np.hypot(u, v).reshape(petals, -1).argmax(1) + np.arange(petals) * 1001
    assert np.hypot(u, v)[tips] == pytest.approx(HALF_WIDTH)
    angles = np.sort(np.arctan2(v[tips], u[tips]))
    gaps = np.diff(np.append(angles, angles[0] + 2 * np.pi))
    np.testing.assert_allclose(gaps, 2 * np.pi / petals, rtol=1e-6)
    steps = np.hypot(np.diff(u), np.diff(v))
    assert steps.max() < 1.01 * np.pi * HALF_WIDTH / 1000


def test_a_daisy_is_turned_from_map_to_map():
    first, second = Daisy(7, 70, HALF_WIDTH).positions(2)
    np.testing.assert_allclose(np.hypot(*first), np.hypot(*second))
    assert np.abs(first[0] - second[0]).max() > 0.05 * HALF_WIDTH


def test_positions_of_an_observation_are_those_of_its_used_samples():
    u, v = np.random.default_rng(1).uniform(-1e-4, 1e-4, (2, 6))
    power = np.array([1, 2, np.nan, 4, 5, 6.0])
    observation = Observation("x", (BeamMap(u, v, power, 0.0), BeamMap(u, v, u, 1e-3)), 1e-3)
    first, second = GivenPositions.of(observation).positions(2)
    np.testing.assert_array_equal(first, (np.delete(u, 2), np.delete(v, 2)))
    np.testing.assert_array_equal(second, (u, v))
    assert GivenPositions.of(observation).half_width_rad == np.abs([u, v]).max()


@pytest.mark.parametrize(
    ("make", "key"),
    [
        (lambda: Grid(1, 1e-4), "points"),
        (lambda: Grid(9.0, 1e-4), "points"),
        (lambda: Grid(9, 0.0), "half_width_rad"),
        (lambda: Grid(9, float("nan")), "half_width_rad"),
        (lambda: Grid(9, 30.0), "half_width_rad"),
        (lambda: Raster(9, 1, 1e-4), "samples_per_row"),
        (lambda: Raster(9, 9, 1e-4, jitter=1.5), "jitter"),
        (lambda: Raster(9, 9, 1e-4, wobble=-0.1), "wobble"),
        (lambda: Raster(9, 9, 1e-4, seed=-1), "seed"),
        (lambda: Daisy(0, 9, 1e-4), "petals"),
        (lambda: Daisy(3, 9, "1 mrad"), "half_width_rad"),
        (lambda: GivenPositions((([0, 1e-4], [0.0]),)), "map 1"),
        (lambda: GivenPositions((([1e-4], [0.0]), ([np.nan], [0.0]))), "map 2"),
        (lambda: GivenPositions((([0.0], [0.0]),)), "largest direction"),
    ],
)
def test_senseless_samplings_are_refused(make, key):
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert key in str(caught.value)
    assert "\n" not in str(caught.value)
