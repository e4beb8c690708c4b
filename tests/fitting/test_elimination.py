"""Gain, background and scale of maps whose truth is known, against plain minimisation of the joint cost."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from oofpy.fitting.elimination import MapData, eliminate, rescaled
from oofpy.fitting.likelihood import LIKELIHOODS

every = pytest.mark.parametrize("likelihood", LIKELIHOODS.values(), ids=LIKELIHOODS)
robust = pytest.mark.parametrize("likelihood", [LIKELIHOODS[n] for n in ("cauchy", "student-t", "huber")])

GAINS, BACKGROUNDS, NOISE = (2.0, 7.0), (0.5, -3.0), (0.01, 0.2)
SIDE = 25


def beams():
    """Two model maps, shape (1, 2, samples), one narrow and one wide."""
    axis = torch.linspace(-1, 1, SIDE, dtype=torch.float64)
    squared = (axis**2 + axis[:, None] ** 2).flatten()
    return torch.stack([torch.exp(-squared / 0.1), torch.exp(-squared / 0.4)])[None]


def map_data(values, weight=None, slopes=False, smallest=1e-9):
    weight = torch.ones_like(values) if weight is None else weight
    axis = torch.linspace(-1, 1, SIDE, dtype=torch.float64)
    v, u = torch.meshgrid(axis, axis, indexing="ij")
    shapes = [torch.ones(SIDE * SIDE, dtype=torch.float64), u.flatten(), v.flatten()][: 3 if slopes else 1]
    background = torch.stack(shapes).expand(*values.shape[:2], -1, -1).clone()
    floor = torch.full(values.shape[:2], smallest, dtype=torch.float64)
    return MapData(values, weight, background, background, floor, (weight > 0).sum(-1).double())


def linear(model, coefficients):
    gains, backgrounds = (torch.tensor(c, dtype=torch.float64)[:, None] for c in coefficients)
    return gains * model + backgrounds


def noisy(model, seed=0):
    rng = np.random.default_rng(seed)
    noise = torch.as_tensor(rng.normal(size=model.shape)) * torch.tensor(NOISE)[:, None]
    return linear(model, (GAINS, BACKGROUNDS)) + noise


@every
def test_exact_for_data_without_noise(likelihood):
    model = beams()
    fit = eliminate(model, map_data(linear(model, (GAINS, BACKGROUNDS))), likelihood, None)
    torch.testing.assert_close(
        fit.coefficients[0], torch.tensor([GAINS, BACKGROUNDS], dtype=torch.float64).T, rtol=1e-9, atol=1e-9
    )
    assert float(fit.residual.abs().max()) < 1e-8
    assert bool(torch.isfinite(fit.map_cost).all())


@every
def test_minimum_of_the_joint_cost(likelihood):
    model = beams()
    values = noisy(model)
    values[0, :, ::13] += 1.5
    fit = eliminate(model, map_data(values), likelihood, None)
    for m in range(2):
        beam, data = model[0, m].numpy(), values[0, m].numpy()

        def cost(x, beam=beam, data=data):
            z = torch.as_tensor((data - x[0] * beam - x[1]) / math.exp(x[2]))
            return float(likelihood.cost(z).sum()) + data.size * x[2]

        best = minimize(
            cost,
            [GAINS[m], BACKGROUNDS[m], -2.0],
            method="Nelder-Mead",
            options={"maxiter": 4000, "xatol": 1e-9, "fatol": 1e-11},
        )
        assert best.success
        # The cost is a log-likelihood: 1e-5 above its minimum is a few thousandths of a standard error.
        assert cost([*fit.coefficients[0, m].tolist(), float(fit.scale[0, m].log())]) < best.fun + 1e-5
        assert float(fit.map_cost[0, m]) == pytest.approx(best.fun, abs=1e-5)
        found = [*fit.coefficients[0, m].tolist(), float(fit.scale[0, m])]
        np.testing.assert_allclose(found, [*best.x[:2], math.exp(best.x[2])], rtol=2e-3)


@pytest.mark.parametrize("likelihood", [LIKELIHOODS["cauchy"], LIKELIHOODS["student-t"]])
def test_outliers_do_not_move_the_gain(likelihood):
    model = beams()
    values = noisy(model, seed=1)
    spoiled = np.random.default_rng(2).choice(SIDE * SIDE, SIDE * SIDE // 10, replace=False)
    values[0, :, spoiled] += torch.tensor(GAINS)[:, None]
    fits = {name: eliminate(model, map_data(values), LIKELIHOODS[name], None) for name in ("gaussian", likelihood.name)}
    error = {name: (fit.gain[0] - torch.tensor(GAINS)).abs() for name, fit in fits.items()}
    # Error of the gain of a clean fit, up to the efficiency of the estimator.
    spread = torch.tensor(NOISE) / (model[0] - model[0].mean(-1, keepdim=True)).norm(dim=-1)
    assert bool((error[likelihood.name] < 4 * spread).all())
    assert bool((error["gaussian"] > 4 * spread).all())
    scale = fits[likelihood.name].scale[0] / torch.tensor(NOISE) / likelihood.gaussian_scale
    assert bool(((scale > 0.95) & (scale < 1.6)).all())


@every
def test_scale_of_gaussian_noise(likelihood):
    model = beams()
    fit = eliminate(model, map_data(noisy(model, seed=3)), likelihood, None)
    expected = torch.tensor(NOISE, dtype=torch.float64) * likelihood.gaussian_scale
    torch.testing.assert_close(fit.scale[0], expected, rtol=0.1, atol=0)


@every
def test_a_negative_gain_is_zero_and_the_background_the_best_beside_it(likelihood):
    model = beams()
    values = linear(model, ((-1.0, 3.0), BACKGROUNDS)) + noisy(model) - linear(model, (GAINS, BACKGROUNDS))
    fit = eliminate(model, map_data(values), likelihood, None)
    assert fit.gain[0].tolist() == [0.0, pytest.approx(3.0, rel=0.05)]
    alone = eliminate(torch.zeros_like(model), map_data(values), likelihood, None)
    torch.testing.assert_close(fit.map_cost[0, 0], alone.map_cost[0, 0], rtol=0, atol=1e-4)
    torch.testing.assert_close(fit.coefficients[0, 0, 1], alone.coefficients[0, 0, 1], rtol=1e-3, atol=0)


@every
def test_samples_of_no_weight_have_no_influence(likelihood):
    model, rng = beams(), np.random.default_rng(4)
    masked = torch.as_tensor(rng.random((1, 2, SIDE * SIDE)) < 0.3)
    values = noisy(model, seed=5)
    weight = torch.where(masked, 0.0, torch.as_tensor(rng.uniform(0.5, 2, masked.shape)))
    one = eliminate(model, map_data(torch.where(masked, 0.0, values), weight), likelihood, None)
    other = eliminate(model, map_data(torch.where(masked, 55.0, values), weight), likelihood, None)
    for name in ("coefficients", "scale", "map_cost", "slope_ratio"):
        torch.testing.assert_close(getattr(one, name), getattr(other, name), rtol=1e-12, atol=1e-12)
    assert float(other.influence[masked].abs().max()) == 0
    # The same as if they had never been there.
    for m in range(2):
        keep = ~masked[0, m]
        part = MapData(
            values[:, m : m + 1, keep],
            weight[:, m : m + 1, keep],
            torch.ones(1, 1, 1, int(keep.sum()), dtype=torch.float64),
            torch.ones(1, 1, 1, int(keep.sum()), dtype=torch.float64),
            torch.full((1, 1), 1e-9, dtype=torch.float64),
            keep.sum().double().reshape(1, 1),
        )
        alone = eliminate(model[:, m : m + 1, keep], part, likelihood, None)
        torch.testing.assert_close(alone.coefficients[0, 0], one.coefficients[0, m], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(alone.scale[0, 0], one.scale[0, m], rtol=1e-3, atol=0)


@every
def test_unit_of_the_data_adds_a_constant_to_the_cost(likelihood):
    model = beams()
    values = noisy(model, seed=6)
    one = eliminate(model, map_data(values), likelihood, None)
    other = eliminate(model, map_data(values * 1000, smallest=1e-6), likelihood, None)
    shift = torch.full_like(one.map_cost, SIDE * SIDE * math.log(1000))
    torch.testing.assert_close(other.map_cost - one.map_cost, shift, rtol=1e-9, atol=1e-4)
    torch.testing.assert_close(other.coefficients, one.coefficients * 1000, rtol=1e-6, atol=1e-6)


@every
def test_slopes_of_the_background(likelihood):
    model = beams()
    data = map_data(noisy(model, seed=7), slopes=True)
    slopes = torch.tensor([[0.3, -0.2], [2.0, 5.0]], dtype=torch.float64)
    tilted = data.values + (slopes[:, :, None] * data.background[0, :, 1:]).sum(1)
    fit = eliminate(model, map_data(tilted, slopes=True), likelihood, None)
    spread = torch.tensor(NOISE)[:, None] / SIDE / math.sqrt(1 / 3)
    assert bool(((fit.coefficients[0, :, 2:] - slopes).abs() < 5 * spread).all())
    flat = eliminate(model, map_data(tilted), likelihood, None)
    assert bool((flat.scale > 2 * fit.scale).all())


@every
def test_a_start_close_by_leads_to_the_same_minimum(likelihood):
    model = beams()
    data = map_data(noisy(model, seed=8))
    afresh = eliminate(model, data, likelihood, None)
    near = eliminate(model * 1.02 + 0.01 * model.sqrt(), data, likelihood, None)
    again = eliminate(model, data, likelihood, near)
    torch.testing.assert_close(again.map_cost, afresh.map_cost, rtol=0, atol=1e-3)
    torch.testing.assert_close(again.coefficients, afresh.coefficients, rtol=1e-3, atol=1e-3)


@robust
def test_influence_is_the_derivative_of_the_cost(likelihood):
    model = beams()
    data = map_data(noisy(model, seed=9), torch.linspace(0.5, 2, SIDE * SIDE, dtype=torch.float64).expand(1, 2, -1))
    fit = eliminate(model, data, likelihood, None)
    place, step = (0, 1, 77), 1e-4
    costs = []
    for sign in (-1, 1):
        moved = fit.residual.clone()
        moved[place] += sign * step
        z = moved * data.weight.sqrt() / fit.scale[..., None]
        costs.append(float(likelihood.cost(z[0, 1]).sum()))
    slope = (costs[1] - costs[0]) / (2 * step)
    assert float(fit.influence[place] * fit.residual[place]) == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_rescaled_changes_the_scale_alone():
    model = beams()
    fit = eliminate(model, map_data(noisy(model)), LIKELIHOODS["huber"], None)
    other = rescaled(fit, 0.5)
    torch.testing.assert_close(other.scale, fit.scale / 2)
    assert other.coefficients is fit.coefficients


def test_a_batch_is_its_parts():
    model = beams()
    values = torch.cat([noisy(model, seed=10), noisy(model, seed=11) * 2])
    together = eliminate(model.expand(2, -1, -1), map_data(values), LIKELIHOODS["huber"], None)
    for number in range(2):
        alone = eliminate(model, map_data(values[number : number + 1]), LIKELIHOODS["huber"], None)
        torch.testing.assert_close(alone.coefficients[0], together.coefficients[number], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(alone.map_cost[0], together.map_cost[number], rtol=0, atol=1e-4)
