import math

import numpy as np
import pytest

from oofpy.observing import Chop, ExtendedSource, Observing
from oofpy.planning.map_size import covering_half_width_rad, map_grid, pattern_reach_rad
from oofpy.simulation import Grid, Simulator


def test_the_pattern_reaches_as_far_as_the_steepest_ray(fyst):
    """A paraboloid of long focus: the path is nearly dz (1 - 2 a^2), steepest at the rim."""
    wavelength, radius, focal = 1.1e-3, 2.8, 14.4
    beam = wavelength / (2 * radius)
    diffraction = 5 / math.pi * beam
    moved = [pattern_reach_rad(fyst, wavelength, (-dz, 0, dz), 3, Observing()) - diffraction for dz in (0.05, 0.2)]
    a = radius / (2 * focal)
    slope = 4 * a / (1 + a**2) ** 2 / (2 * focal)
    assert np.array(moved) / slope == pytest.approx([0.05, 0.2], rel=0.01)
    higher = pattern_reach_rad(fyst, wavelength, (0.05,), 8, Observing())
    assert higher - moved[0] == pytest.approx(10 / math.pi * beam)


def test_a_wide_source_widens_it_and_a_chop_does_not(fyst):
    plain = pattern_reach_rad(fyst, 1.1e-3, (0.05,), 5, Observing())
    disc = Observing(source=ExtendedSource("disc", 4e-4))
    assert pattern_reach_rad(fyst, 1.1e-3, (0.05,), 5, disc) == pytest.approx(plain + 2e-4)
    assert pattern_reach_rad(fyst, 1.1e-3, (0.05,), 5, Observing(chop=Chop(1e-3, 0.0))) == plain


@pytest.mark.parametrize("dz_m", [10e-3, 60e-3, 200e-3])
def test_the_default_size_holds_the_pattern(situation, dz_m):
    """Of the power in a map twice as wide, little lies outside; of a map of the rays alone, much does."""
    planned = situation((5,))
    half_width = covering_half_width_rad(planned.reach_rad(dz_m), planned.beam_rad)
    wide = Grid(round(4 * half_width / (0.5 * planned.beam_rad)) + 1, 2 * half_width)
    simulator = Simulator(planned.telescope, planned.wavelength_m, (-dz_m, dz_m), wide, pixels_across=256)
    power = simulator.maps(np.zeros((1, len(simulator.terms))))[0, 1].numpy()
    far = np.maximum(*(np.abs(axis) for axis in simulator.positions[1]))
    rays = planned.reach_rad(dz_m) - planned.reach_rad(0.0)
    outside = [power[far > size].sum() / power.sum() for size in (half_width, rays)]
    assert outside[0] < 0.015
    assert outside[1] > 2 * outside[0]


def test_a_map_keeps_its_size_and_nearly_its_spacing():
    grid = map_grid(1e-3, 3e-5)
    assert grid.half_width_rad == 1e-3
    assert grid.points == 68
    assert 0.97 * 3e-5 < grid.spacing_rad <= 3e-5
    assert map_grid(1e-3, 1e-2).points == 3
