import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.map_statistics import (
    border_level,
    border_noise,
    brightest_position,
    extent,
    height_and_depth,
    peak_height,
    peak_position,
)
from oofpy.observation import BeamMap

BEAM = 2e-4  # lambda/D, radians


def grid(samples=97, half_width=8.0):
    axis = np.linspace(-half_width, half_width, samples) * BEAM
    u, v = np.meshgrid(axis, axis)
    return u.ravel(), v.ravel()


def daisy(samples=9000, half_width=8.0):
    t = np.linspace(0, 1, samples)
    r = half_width * BEAM * np.sin(2 * np.pi * 23 * t)
    return r * np.cos(2 * np.pi * 1.37 * t * 7), r * np.sin(2 * np.pi * 1.37 * t * 7)


def spot(u, v, centre, width=1.2, height=1000.0):
    r2 = (u - centre[0] * BEAM) ** 2 + (v - centre[1] * BEAM) ** 2
    return height * np.exp(-4 * np.log(2) * r2 / (width * BEAM) ** 2)


def noisy_map(positions, centre=(0.0, 0.0), *, width=1.2, height=1000.0, noise=1.0, level=0.0, glitches=0.0, seed=0):
    rng = np.random.default_rng(seed)
    u, v = positions
    power = level + spot(u, v, centre, width, height) + rng.normal(0, noise, u.size)
    hit = rng.uniform(size=u.size) < glitches
    power[hit] += height * rng.uniform(0.2, 1.0, hit.sum()) * rng.choice([-1, 1], hit.sum())
    return BeamMap(u, v, power, 0.0)


@pytest.mark.parametrize(
    ("positions", "within"),
    [(grid(), 0.25), (grid(40), 0.6), (daisy(), 0.35)],
    ids=["grid", "coarse grid", "daisy"],
)
@pytest.mark.parametrize("glitches", [0.0, 0.03])
@pytest.mark.parametrize("width", [1.2, 5.0])
def test_the_source_is_found_among_glitches(positions, within, glitches, width):
    for seed in range(4):
        centre = np.random.default_rng(seed).uniform(-4, 4, 2)
        beam_map = noisy_map(positions, centre, width=width, glitches=glitches, seed=seed)
        assert np.hypot(*(np.array(peak_position(beam_map)) / BEAM - centre)) < within


def test_one_glitch_brighter_than_the_source_does_not_win():
    u, v = grid()
    power = spot(u, v, (2.0, -1.0))
    power[(np.abs(u + 5 * BEAM) < 0.1 * BEAM) & (np.abs(v) < 0.1 * BEAM)] = 50_000.0
    assert power.max() == 50_000.0
    beam_map = BeamMap(u, v, power, 0.0)
    assert np.array(peak_position(beam_map)) / BEAM == pytest.approx([2.0, -1.0], abs=0.2)
    assert np.array(brightest_position(beam_map)) / BEAM == pytest.approx([2.0, -1.0], abs=0.4)
    assert peak_height(beam_map) < 1000


def test_position_of_a_ring_is_its_middle():
    u, v = grid()
    r = np.hypot(u - BEAM, v) / BEAM
    beam_map = BeamMap(u, v, np.exp(-((r - 3) ** 2)), 0.0)
    assert np.array(peak_position(beam_map)) / BEAM == pytest.approx([1.0, 0.0], abs=0.1)
    assert np.hypot(*(np.array(brightest_position(beam_map)) / BEAM - [1, 0])) == pytest.approx(3, abs=0.4)


@pytest.mark.parametrize("positions", [grid(), daisy()], ids=["grid", "daisy"])
@pytest.mark.parametrize("glitches", [0.0, 0.03])
def test_level_and_noise_of_the_border(positions, glitches):
    beam_map = noisy_map(positions, noise=8.0, level=47.0, glitches=glitches)
    assert border_level(beam_map) == pytest.approx(47.0, abs=1.0)
    assert border_noise(beam_map) == pytest.approx(8.0, rel=0.1)


def test_noise_ignores_a_sloping_background():
    u, v = grid()
    tilted = 100 * u / BEAM - 40 * v / BEAM + np.random.default_rng(1).normal(0, 3.0, u.size)
    assert border_noise(BeamMap(u, v, tilted, 0.0)) == pytest.approx(3.0, rel=0.05)


def test_noise_of_borders_without_scatter():
    u, v = grid()
    assert border_noise(BeamMap(u, v, np.full(u.size, 5.0), 0.0)) == pytest.approx(0.0, abs=1e-12)
    mostly_zero = np.where(np.random.default_rng(2).uniform(size=u.size) < 0.2, 1.0, 0.0)
    assert border_noise(BeamMap(u, v, mostly_zero, 0.0)) > 0.1


def test_masked_samples_count_for_nothing():
    beam_map = noisy_map(grid(), (1.0, 1.0))
    power = np.array(beam_map.power)
    left = beam_map.u_rad < -2 * BEAM
    power[left] = 1e9
    masked = BeamMap(beam_map.u_rad, beam_map.v_rad, power, 0.0, used=~left)
    assert extent(masked)[0] == pytest.approx(3 * BEAM, abs=0.1 * BEAM)
    assert np.array(peak_position(masked)) / BEAM == pytest.approx([1, 1], abs=0.2)
    assert border_noise(masked) == pytest.approx(1.0, rel=0.1)


@settings(max_examples=20, deadline=None)
@given(
    gain=st.floats(1e-6, 1e6),
    offset=st.floats(-1e3, 1e3),
    order=st.randoms(use_true_random=False),
)
def test_unit_background_and_order_of_samples_do_not_matter(gain, offset, order):
    beam_map = noisy_map(grid(31), (-1.0, 2.0))
    places = list(range(beam_map.power.size))
    order.shuffle(places)
    changed = BeamMap(beam_map.u_rad[places], beam_map.v_rad[places], gain * (beam_map.power[places] + offset), 0.0)
    assert np.array(peak_position(changed)) / BEAM == pytest.approx(np.array(peak_position(beam_map)) / BEAM, abs=1e-6)
    assert border_noise(changed) == pytest.approx(gain * border_noise(beam_map), rel=1e-6)
    assert border_level(changed) == pytest.approx(gain * (border_level(beam_map) + offset), rel=1e-9, abs=1e-9 * gain)


@pytest.mark.parametrize("samples", [1, 2, 5])
def test_very_few_samples_raise_nothing(samples):
    beam_map = BeamMap(np.arange(samples) * BEAM, np.zeros(samples), np.ones(samples), 0.0)
    assert np.isfinite([*peak_position(beam_map), border_noise(beam_map), border_level(beam_map)]).all()


def test_depth_is_the_height_of_the_map_upside_down():
    beam_map = noisy_map(grid(), (1.0, -2.0))
    upside_down = BeamMap(beam_map.u_rad, beam_map.v_rad, -beam_map.power, 0.0)
    height, depth = height_and_depth(beam_map)
    assert (height, depth) == (peak_height(beam_map), peak_height(upside_down))
    assert height > 10 * depth > 0
