import numpy as np
import pytest
import torch

from oofpy.errors import ConfigurationError
from oofpy.observing import AppliedCorrection, Observing
from oofpy.optics.fixed_phase import near_field_path
from oofpy.simulation.moves import Moves
from oofpy.simulation.paths import path_images, steepest_slope
from oofpy.telescope import Geometry

CASSEGRAIN = Geometry("cassegrain", 7.5, 5.4, 180.0)
PRIME_FOCUS = Geometry("prime-focus", 7.5, 5.4)
GREGORIAN = Geometry("gregorian", 7.5, 5.4, 180.0)
WAVELENGTH_M = 1.1e-3
AXIS = torch.linspace(-7.5, 7.5, 61, dtype=torch.float64)
Y, X = torch.meshgrid(AXIS, AXIS, indexing="ij")


def sine(r, focal_length_m):
    return (r / focal_length_m) / (1 + (r / focal_length_m) ** 2 / 4)


@pytest.mark.parametrize(("geometry", "sign"), [(PRIME_FOCUS, 0), (CASSEGRAIN, 1), (GREGORIAN, -1)])
def test_moves_across_the_axis_have_the_path_of_their_formula(geometry, sign):
    moves = Moves.checked([1e-3, 2e-3], lateral_m=[(0.0, 0.0), (2e-3, -1e-3)])
    still = path_images(geometry, Moves.checked([1e-3, 2e-3]), Observing(), WAVELENGTH_M, (X, Y))
    added = (path_images(geometry, moves, Observing(), WAVELENGTH_M, (X, Y)) - still).numpy()
    r = torch.hypot(X, Y).numpy()
    r[r == 0] = 1
    factor = (-sine(r, 5.4) + sign * sine(r, 180.0)) / r
    np.testing.assert_array_equal(added[0], 0)
    np.testing.assert_allclose(added[1], (2e-3 * X.numpy() - 1e-3 * Y.numpy()) * factor, rtol=0, atol=1e-16)


def test_a_near_source_adds_its_longer_way_to_every_map():
    moves, far = Moves.checked([0.0, 1e-3]), Observing()
    near = Observing(source_distance_m=3e3)
    added = path_images(CASSEGRAIN, moves, near, WAVELENGTH_M, (X, Y))
    added -= path_images(CASSEGRAIN, moves, far, WAVELENGTH_M, (X, Y))
    way = near_field_path(CASSEGRAIN, X, Y, 3e3)
    torch.testing.assert_close(added, way.expand(2, -1, -1), rtol=0, atol=1e-15)
    assert float(way.max()) > 0.01


@pytest.mark.parametrize("distance_m", [0.1, 3.0])
def test_a_source_within_the_dish_is_refused(distance_m):
    with pytest.raises(ConfigurationError, match="source_distance"):
        path_images(CASSEGRAIN, Moves.checked([0.0]), Observing(source_distance_m=distance_m), WAVELENGTH_M, (X, Y))


def test_a_correction_takes_its_path_away():
    """0.7 rad of vertical coma, once as a coefficient and once as an image."""
    rho_x, rho_y = X / 7.5, Y / 7.5
    coma = (3 * (rho_x**2 + rho_y**2) - 2) * rho_y
    wanted = -0.7 * WAVELENGTH_M / (2 * np.pi) * coma
    coefficient = AppliedCorrection(((3, -1, 0.7),))
    axis = np.linspace(-7.5, 7.5, 40)
    image = (3 * (axis[:, None] ** 2 + axis**2) / 7.5**2 - 2) * axis[:, None] / 7.5
    surface = AppliedCorrection((), axis, 0.7 * WAVELENGTH_M / (4 * np.pi) * image)
    for applied in (coefficient, surface):
        found = path_images(CASSEGRAIN, Moves.checked([0.0]), Observing(applied=applied), WAVELENGTH_M, (X, Y))
        torch.testing.assert_close(found[0], wanted, rtol=0, atol=1e-12)


def test_slopes_are_bounded():
    """A prime focus: no move is steeper than the sum of its parts, nor much flatter than the steepest part."""
    moves = Moves.checked([2e-3, -1e-3], lateral_m=[(0.0, 0.0), (3e-3, 4e-3)])
    observing = Observing(source_distance_m=2000.0)
    fine = torch.linspace(-7.5, 7.5, 401, dtype=torch.float64)
    y, x = torch.meshgrid(fine, fine, indexing="ij")
    path = path_images(PRIME_FOCUS, moves, observing, WAVELENGTH_M, (x, y)).numpy()
    rise_y, rise_x = np.gradient(path, float(fine[1] - fine[0]), axis=(1, 2))
    found = np.hypot(rise_x, rise_y)[:, (torch.hypot(x, y) < 7.4).numpy()].max()
    bound = steepest_slope(PRIME_FOCUS, moves, observing)
    assert found < bound < 2 * found
    # The near field: r/d at the rim. The sideways move is steepest at the centre: 5 mm / F.
    still = Moves.checked([0.0])
    assert steepest_slope(PRIME_FOCUS, still, observing) == pytest.approx(7.5 / 2000, rel=0.02)
    sideways = Moves.checked([0.0], lateral_m=[(3e-3, 4e-3)])
    assert steepest_slope(PRIME_FOCUS, sideways, Observing()) == pytest.approx(5e-3 / 5.4, rel=1e-3)
