import math

import numpy as np
import pytest
import torch

from oofpy.optics.defocus import defocus_images, defocus_path, defocus_path_rate
from oofpy.telescope import load_telescope
from tests.optics.references import axial_path, axisymmetric_dish

SHIPPED_PLAIN = ("alma", "apex", "effelsberg", "iram30m", "jcmt")


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
