import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from oofpy.errors import ConfigurationError
from oofpy.optics.defocus import (
    defocus_images,
    defocus_path,
    defocus_path_rate,
    has_lateral_formula,
    lateral_images,
    static_path_image,
    steepest_path,
)
from oofpy.telescope import Geometry, PathMap, PathTerm, ResidualPath, load_telescope
from tests.optics.references import axial_path, axisymmetric_dish

SHIPPED_PLAIN = ("aca7m", "alma", "apex", "effelsberg", "fyst", "iram30m", "jcmt", "smt")
GBT = load_telescope("gbt").geometry
SPEED_OF_LIGHT = 299792458.0


def dish_points(radius, seed=0, count=300):
    rng = np.random.default_rng(seed)
    r, angle = radius * np.sqrt(rng.uniform(0, 1, count)), rng.uniform(-math.pi, math.pi, count)
    return torch.from_numpy(r * np.cos(angle))[None], torch.from_numpy(r * np.sin(angle))[None]


def path(geometry, x, y, dz):
    moves = torch.as_tensor(dz, dtype=torch.float64)
    return defocus_path(defocus_images(geometry, x, y), moves)


@pytest.mark.parametrize("kind", ["cassegrain", "gregorian", "prime-focus"])
def test_path_by_hand_at_a_point(kind):
    # F = 2.5 m, r = 5 m: a = 1, a ray that arrives at a right angle: the move along the axis changes nothing.
    # F_eff = 10 m, r = 5 m: b = 1/4, (1 - 1/16) / (1 + 1/16) = 15/17.
    geometry = axisymmetric_dish(kind=kind, radius=6.0, primary=2.5, effective=10.0).geometry
    x, y = torch.tensor([[3.0]], dtype=torch.float64), torch.tensor([[4.0]], dtype=torch.float64)
    expected = 0.0 if kind == "prime-focus" else 0.02 * 15 / 17
    assert path(geometry, x, y, 0.02).item() == pytest.approx(expected, abs=1e-16)


@pytest.mark.parametrize(("kind", "on_axis"), [("cassegrain", 2), ("gregorian", 2), ("prime-focus", 1)])
def test_path_on_axis_grows_by_the_move_once_for_each_way(kind, on_axis):
    geometry = axisymmetric_dish(kind=kind).geometry
    centre = torch.zeros((1, 1), dtype=torch.float64)
    assert path(geometry, centre, centre, 3e-3).item() == pytest.approx(on_axis * 3e-3, rel=1e-14)


@pytest.mark.parametrize("name", SHIPPED_PLAIN)
def test_path_is_the_cosine_of_the_angle_at_each_focus(name):
    geometry = load_telescope(name).geometry
    x, y = dish_points(geometry.dish_radius_m)
    expected = axial_path(geometry, torch.hypot(x, y).numpy(), 2e-3)
    assert np.abs(path(geometry, x, y, 2e-3).numpy() - expected).max() < 1e-16


@pytest.mark.parametrize("name", SHIPPED_PLAIN)
def test_plain_paths_are_odd_in_the_move(name):
    geometry = load_telescope(name).geometry
    x, y = dish_points(geometry.dish_radius_m, seed=1)
    assert torch.equal(path(geometry, -x, -y, -2e-3), -path(geometry, x, y, 2e-3))


def test_shaped_dish_adds_an_even_part_of_the_stated_size():
    srt = load_telescope("srt")
    r = torch.linspace(0, srt.geometry.dish_radius_m, 2001, dtype=torch.float64)[None]
    away, towards = (path(srt.geometry, r, torch.zeros_like(r), dz) for dz in (27e-3, -27e-3))
    even = (away + towards) / 2
    odd = (away - towards) / 2 - torch.from_numpy(axial_path(srt.geometry, r.numpy(), 27e-3))
    assert float(even.abs().max()) == pytest.approx(0.59e-3, abs=0.01e-3)
    assert float(odd.abs().max()) == pytest.approx(0.15e-3, abs=0.01e-3)


def test_residual_is_the_double_sum_of_its_table():
    geometry = load_telescope("srt").geometry
    table = geometry.residual_path.coefficients
    dz = -0.021
    for r in (4.0, 17.3, 31.0):
        expected = float(axial_path(geometry, r, dz))
        for k, row in enumerate(table):
            expected += sum(value * dz ** (3 - i) for i, value in enumerate(row)) * r ** (8 - k)
        x, y = torch.tensor([[0.6 * r]], dtype=torch.float64), torch.tensor([[-0.8 * r]], dtype=torch.float64)
        assert path(geometry, x, y, dz).item() == pytest.approx(expected, abs=1e-14)


def test_residual_keeps_its_rim_value_beyond_the_rim():
    geometry = load_telescope("srt").geometry
    radius = geometry.dish_radius_m
    r = torch.tensor([[radius, 1.2 * radius]], dtype=torch.float64)
    total = path(geometry, r, torch.zeros_like(r), 27e-3).numpy()
    residual = total - axial_path(geometry, r.numpy(), 27e-3)
    assert residual[0, 1] == pytest.approx(residual[0, 0], abs=1e-15)


@pytest.mark.parametrize("name", ["effelsberg", "srt"])
def test_rate_is_the_derivative_by_the_move(name):
    geometry = load_telescope(name).geometry
    x, y = dish_points(geometry.dish_radius_m, seed=2)
    images = defocus_images(geometry, x, y)
    moves = torch.tensor([[-0.027, 0.0, 0.011]], dtype=torch.float64)
    step = 1e-5
    difference = (defocus_path(images, moves + step) - defocus_path(images, moves - step)) / (2 * step)
    rate = defocus_path_rate(images, moves)
    assert rate.shape == (1, 3, *x.shape)
    assert (rate - difference).abs().max() < 1e-8


def test_no_move_adds_no_path():
    geometry = load_telescope("srt").geometry
    x, y = dish_points(geometry.dish_radius_m, seed=3)
    assert float(path(geometry, x, y, 0.0).abs().max()) == 0.0


# -- offset Gregorian ------------------------------------------------------------------------------------------------


def fitted_plane(geometry, image):
    """Piston, slope along x and slope along y of an image on plain pixels of the dish, and what is left of it."""
    axis = torch.linspace(-1, 1, 201, dtype=torch.float64) * geometry.dish_radius_m
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    on = torch.hypot(x, y) <= geometry.dish_radius_m
    values = image(geometry, x[on][None], y[on][None]).flatten().numpy()
    plane = np.stack([np.ones(values.size), x[on].numpy(), y[on].numpy()], axis=1)
    fitted = np.linalg.lstsq(plane, values, rcond=None)[0]
    return fitted, values - plane @ fitted


def test_gbt_path_by_the_angles_at_its_foci():
    x, y = dish_points(50.0, seed=4)
    phi, xi = math.radians(36.7), math.radians(24.37)
    r1, r2 = torch.hypot(x, y + 54).numpy(), torch.hypot(x, y).numpy()
    t1, t2 = 2 * np.arctan(r1 / 120), 2 * np.arctan(r2 / 380)
    expected = np.cos(phi) * np.cos(t1) + np.sin(phi) * np.sin(t1) * (y.numpy() + 54) / r1
    expected += np.cos(xi) * np.cos(t2) + np.sin(xi) * np.sin(t2) * y.numpy() / r2
    np.testing.assert_allclose(path(GBT, x, y, -0.03).numpy(), -0.03 * expected, atol=1e-15)


def test_gbt_path_is_even_in_x_and_not_in_y():
    x, y = dish_points(50.0, seed=5)
    there = path(GBT, x, y, 0.01)
    assert (there - path(GBT, -x, y, 0.01)).abs().max() < 1e-17
    assert (there - path(GBT, x, -y, 0.01)).abs().max() > 5e-4


def test_gbt_path_grows_with_the_move():
    x, y = dish_points(50.0, seed=6)
    assert path(GBT, x, y, 0.01).min() > 0.01


@pytest.mark.parametrize(("dz", "arcsec"), [(10e-3, 0.77), (38e-3, 2.94)])
def test_gbt_path_contains_a_tilt(dz, arcsec):
    (_, along_x, along_y), _ = fitted_plane(GBT, lambda geometry, x, y: path(geometry, x, y, dz))
    assert abs(along_x) < 1e-12
    assert along_y * 180 / math.pi * 3600 == pytest.approx(arcsec, abs=0.02)


def test_upright_offset_dish_without_offset_is_a_gregorian():
    upright = replace(GBT, axis_offset_m=0.0, primary_tilt_rad=0.0, secondary_tilt_rad=0.0)
    plain = replace(upright, kind="gregorian")
    x, y = dish_points(50.0, seed=7)
    assert (defocus_images(upright, x, y) - defocus_images(plain, x, y)).abs().max() < 1e-15
    assert (lateral_images(upright, x, y) - lateral_images(plain, x, y)).abs().max() < 1e-15


# -- lateral moves ---------------------------------------------------------------------------------------------------


def conic(kind, focal_length, behind, magnification):
    """Distance of a subreflector from the prime focus in the direction w, by the equation of the conic.

    Its foci are the prime focus and the point that lies `behind` the vertex of the primary.
    """
    c = (focal_length + behind) / 2
    if kind == "cassegrain":  # the difference of the distances is 2a
        a = c * (magnification - 1) / (magnification + 1)
        return lambda w: (c**2 - a**2) / (a - c * w[2])
    a = c * (magnification + 1) / (magnification - 1)  # their sum is 2a
    return lambda w: (a**2 - c**2) / (a + c * w[2])


def exact_path(kind, point, move, focal_length=5.4, behind=2.0, magnification=8.0):
    """Length of the ray from a point of the primary over the moved subreflector to the feed, by Fermat's principle."""
    primary = torch.tensor([*point, (point[0] ** 2 + point[1] ** 2) / (4 * focal_length)], dtype=torch.float64)
    focus = torch.tensor([0, 0, focal_length], dtype=torch.float64)
    if kind == "prime-focus":
        return float((focus + move - primary).norm())
    feed = torch.tensor([0, 0, -behind], dtype=torch.float64)
    distance = conic(kind, focal_length, behind, magnification)
    ahead = (focus - primary) / (focus - primary).norm()
    middle = ahead if kind == "gregorian" else -ahead
    right = torch.linalg.cross(middle, torch.tensor([0.3, -0.2, 0.1], dtype=torch.float64))
    up = torch.linalg.cross(middle, right)

    def length(place):
        w = middle + place[0] * right + place[1] * up
        w = w / w.norm()
        mirror = focus + distance(w) * w + move
        return (mirror - primary).norm() + (feed - mirror).norm()

    place = torch.zeros(2, dtype=torch.float64)
    for _ in range(6):  # to where the length is stationary
        slope = torch.autograd.functional.jacobian(length, place)
        place = place - torch.linalg.solve(torch.autograd.functional.hessian(length, place), slope)
    assert torch.autograd.functional.jacobian(length, place).abs().max() < 1e-12
    return float(length(place))


@pytest.mark.parametrize("kind", ["prime-focus", "cassegrain", "gregorian"])
@pytest.mark.parametrize("point", [(3.0, 4.0), (-6.5, 1.5), (0.5, -7.0)])
def test_moves_change_the_length_of_exact_rays(kind, point):
    geometry = axisymmetric_dish(kind=kind, radius=7.5, primary=5.4, effective=8.0 * 5.4).geometry
    x, y = (torch.tensor([[value]], dtype=torch.float64) for value in point)
    step = 1e-5
    found = []
    for axis in range(3):
        move = torch.zeros(3, dtype=torch.float64)
        move[axis] = step
        found.append((exact_path(kind, point, move) - exact_path(kind, point, -move)) / (2 * step))
    assert found[:2] == pytest.approx(lateral_images(geometry, x, y).flatten().tolist(), abs=1e-8)
    assert found[2] == pytest.approx(defocus_images(geometry, x, y).item(), abs=1e-8)


def test_lateral_paths_of_the_gbt_are_moves_of_unit_vectors():
    """By d . (k_in - k_out), with dz, x and their perpendicular as one turned set of axes."""
    x, y = dish_points(50.0, seed=8)
    x1, y1 = x.numpy().ravel(), y.numpy().ravel()
    phi, xi = math.radians(36.7), math.radians(24.37)

    def ray(right, up, focal):
        r = np.hypot(right, up)
        t = 2 * np.arctan(r / (2 * focal))
        return np.stack([-np.sin(t) * right / r, -np.sin(t) * up / r, np.cos(t)])

    def moves(angle):
        return np.array([[1, 0, 0], [0, math.cos(angle), math.sin(angle)], [0, -math.sin(angle), math.cos(angle)]])

    expected = moves(phi) @ ray(x1, y1 + 54, 60.0) + moves(xi) @ ray(x1, y1, 190.0)
    np.testing.assert_allclose(lateral_images(GBT, x, y)[:, 0].numpy(), expected[:2], atol=1e-14)
    np.testing.assert_allclose(defocus_images(GBT, x, y)[0, 0].numpy(), expected[2], atol=1e-14)


@pytest.mark.parametrize(("kind", "per_focal_length"), [("prime-focus", 0), ("cassegrain", 1), ("gregorian", -1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_lateral_move_throws_the_beam_to_the_other_side(kind, per_focal_length, axis):
    """A path of slope s along x puts the peak of exp(i k (path - x u)) at u = s."""
    geometry = axisymmetric_dish(kind=kind, radius=1.0, primary=30.0, effective=300.0).geometry  # a flat dish
    fitted, _ = fitted_plane(geometry, lambda g, x, y: 1e-3 * lateral_images(g, x, y)[axis])
    assert fitted[1 + axis] == pytest.approx(1e-3 * (-1 / 30 + per_focal_length / 300), rel=1e-3)
    assert abs(fitted[2 - axis]) < 1e-12


def test_lateral_paths_are_finite_on_the_axis():
    zero = torch.zeros((1, 1), dtype=torch.float64)
    assert lateral_images(load_telescope("jcmt").geometry, zero, zero).abs().max() == 0
    assert torch.isfinite(lateral_images(GBT, zero, zero - 54.0)).all()


def test_tabulated_mirrors_have_no_lateral_formula():
    tabulated = Geometry("tabulated", 3.0, None, residual_path=ResidualPath(zernike=(PathTerm(2, 0, 1, -0.1),)))
    assert not has_lateral_formula(tabulated)
    assert has_lateral_formula(GBT)
    x, y = dish_points(3.0)
    with pytest.raises(ConfigurationError, match="no formula") as caught:
        lateral_images(tabulated, x, y)
    assert caught.value.remedy


# -- tables ----------------------------------------------------------------------------------------------------------


def polynomial_path():
    """The path -0.02 r^2 dz + 0.001 r^4 dz^2 on a dish of 3 m, written in three ways."""
    rows = tuple({2: (0.0, 0.0, -0.02), 4: (0.0, 0.001, 0.0)}.get(power, (0.0, 0.0, 0.0)) for power in range(4, 0, -1))
    # r^2 = R^2 (Z20 + 1)/2 and r^4 = R^4 (Z40 + 3 Z20 + 2)/6.
    square, fourth = -0.02 * 9 / 2, 0.001 * 81 / 6
    terms = ((0, 0, 1, square), (2, 0, 1, square), (0, 0, 2, 2 * fourth), (2, 0, 2, 3 * fourth), (4, 0, 2, fourth))
    axis = np.linspace(-3.3, 3.3, 67)
    r2 = axis**2 + axis[:, None] ** 2
    return {
        "polynomial": ResidualPath(coefficients=rows),
        "zernike": ResidualPath(zernike=tuple(PathTerm(*term) for term in terms)),
        "map": ResidualPath(map=PathMap(axis, axis, np.stack([-0.02 * r2, 0.001 * r2**2]))),
    }


@pytest.mark.parametrize("form", ["polynomial", "zernike", "map"])
def test_the_forms_of_a_table_agree(form):
    geometry = Geometry("tabulated", 3.0, None, residual_path=polynomial_path()[form])
    x, y = dish_points(3.0, seed=9)
    r = torch.hypot(x, y)
    for dz in (0.11, -0.07):
        expected = dz * (-0.02 * r**2) + dz**2 * 0.001 * r**4
        # Splines of third order follow r^4 to their step to the fourth power.
        assert (path(geometry, x, y, dz) - expected).abs().max() < (1e-9 if form == "map" else 1e-15)
    beyond = path(geometry, 1.2 * 3 * x / r, 1.2 * 3 * y / r, 0.1)
    at_rim = path(geometry, 3 * x / r, 3 * y / r, 0.1)
    assert (beyond - at_rim).abs().max() < 1e-14


def test_tables_add_to_the_formula_and_to_each_other():
    forms = polynomial_path()
    plain = axisymmetric_dish(kind="cassegrain", radius=3.0, primary=2.5, effective=60.0).geometry
    both = replace(plain, residual_path=ResidualPath(forms["polynomial"].coefficients, forms["zernike"].zernike))
    x, y = dish_points(3.0, seed=10)
    alone = path(replace(plain, residual_path=forms["map"]), x, y, 0.05) - path(plain, x, y, 0.05)
    assert alone.abs().max() > 1e-4
    assert (path(both, x, y, 0.05) - path(plain, x, y, 0.05) - 2 * alone).abs().max() < 1e-9


def test_map_has_x_to_the_right_and_y_up():
    axis = np.linspace(-3, 3, 31)
    tilted = PathMap(axis, axis, (axis + 10 * axis[:, None])[None])
    x, y = dish_points(3.0, seed=11)
    geometry = Geometry("tabulated", 3.0, None, residual_path=ResidualPath(map=tilted), static_path=tilted)
    assert (defocus_images(geometry, x, y)[0] - (x + 10 * y)).abs().max() < 1e-12
    assert (static_path_image(geometry, x, y) - (x + 10 * y)).abs().max() < 1e-12
    assert static_path_image(GBT, x, y) is None


def test_holes_of_a_map_take_the_nearest_number():
    axis = np.linspace(-3, 3, 61)
    values = np.tile(axis, (61, 1))
    r = np.hypot(axis, axis[:, None])
    values[(r > 3.01) | (r < 0.25)] = np.nan
    geometry = Geometry("tabulated", 3.0, None, residual_path=ResidualPath(map=PathMap(axis, axis, values[None])))
    x, y = dish_points(3.0, seed=12)
    images = defocus_images(geometry, x, y)[0]
    assert torch.isfinite(images).all()
    solid = torch.hypot(x, y) > 0.7
    assert (images - x)[solid].abs().max() < 0.03
    assert (images - x).abs().max() < 0.35


def test_tabulated_geometry_without_a_table_is_refused():
    x, y = dish_points(3.0)
    for residual in (None, ResidualPath()):
        with pytest.raises(ConfigurationError, match="no other path"):
            defocus_images(Geometry("tabulated", 3.0, None, residual_path=residual), x, y)


# -- slopes ----------------------------------------------------------------------------------------------------------


def test_steepest_slope_of_a_paraboloid_is_at_its_rim():
    geometry = load_telescope("effelsberg").geometry
    r = torch.linspace(0, 50, 20001, dtype=torch.float64)
    radial = torch.from_numpy(axial_path(geometry, r.numpy(), 22e-3))
    expected = float((radial.diff() / r.diff()).abs().max())
    moves = torch.tensor([[0.0, 5e-3], [-22e-3, 3e-3]], dtype=torch.float64)
    assert steepest_path(geometry, moves) == pytest.approx(expected, rel=2e-3)


def test_steepest_slope_counts_the_tilt_and_every_direction():
    axis = np.linspace(-3, 3, 31)
    tilted = PathMap(axis, axis, (0.3 * axis - 0.4 * axis[:, None])[None])
    geometry = Geometry("tabulated", 3.0, None, residual_path=ResidualPath(map=tilted))
    assert steepest_path(geometry, torch.tensor(-0.02, dtype=torch.float64)) == pytest.approx(0.01, rel=1e-9)
