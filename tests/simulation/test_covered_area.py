import numpy as np
import pytest

from oofpy.simulation.covered_area import aperture_axis, covered_weight
from oofpy.telescope import Blockage, Geometry, Illumination, Legs, Telescope


def dish(blockage):
    return Telescope("dish", Geometry("prime-focus", 7.5, 5.4), Illumination("tophat"), blockage)


@pytest.mark.parametrize("pitch_m", [0.1, 0.0873])
def test_moments_are_those_of_the_open_aperture(pitch_m):
    """Area and second moments of a disc with a hole and two bars that lie across the pixels."""
    legs = Legs((0.7, 0.7 + np.pi), 0.4, 5.0)
    axis = aperture_axis(7.5, pitch_m)
    weight = covered_weight(dish(Blockage(0.9, legs)), axis)
    along = np.cos(0.7) * axis[None, :] + np.sin(0.7) * axis[:, None]
    fine = (np.arange(3000) + 0.5) / 3000 * 10 - 5
    x, y = np.meshgrid(fine, np.linspace(-0.4, 0.4, 401))
    bars = np.where(np.hypot(x, y) > 0.9, 1.0, 0.0) * (10 / 3000) * (0.8 / 400)
    bars[[0, -1]] /= 2
    ring = np.pi * (7.5**2 - 0.9**2), np.pi * (7.5**4 - 0.9**4) / 4
    assert weight.sum() * pitch_m**2 == pytest.approx(ring[0] - bars.sum(), rel=2e-4)
    moment = (weight * along**2).sum() * pitch_m**2
    assert moment == pytest.approx(ring[1] - (bars * x**2).sum(), rel=2e-4)


@pytest.mark.parametrize(("pitch_m", "bound"), [(0.25, 1e-4), (0.1, 1e-5)])
def test_edges_count_by_the_covered_part(pitch_m, bound):
    """A plain disc; pixels of uncorrected area miss the second moment by 3e-4 and 6e-5."""
    axis = aperture_axis(7.5, pitch_m)
    moment = (covered_weight(dish(Blockage()), axis) * axis**2).sum() * pitch_m**2
    assert moment == pytest.approx(np.pi * 7.5**4 / 4, rel=bound)


def test_the_axis_reaches_beyond_the_rim():
    axis = aperture_axis(7.5, 0.11)
    assert axis[-1] > 7.5 + 0.11
    np.testing.assert_allclose(axis, -axis[::-1])
    weight = covered_weight(dish(Blockage()), axis)
    assert not weight[0].any()
    assert not weight[:, -1].any()
