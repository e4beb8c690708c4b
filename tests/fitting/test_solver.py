"""The solver on a toy with known answers: maps that are linear in the parameters, and a little more."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares, minimize

from oofpy.fitting.elimination import MapData
from oofpy.fitting.likelihood import LIKELIHOODS
from oofpy.fitting.solver import FreeParameters, LevenbergMarquardt, Tolerances, scatter_curvature
from oofpy.fitting.status import FitStatus

MAPS, SAMPLES, PARAMETERS = 2, 60, 4
GAINS, BACKGROUNDS, NOISE = (3.0, 0.5), (1.0, -2.0), 0.02
TRUTH = torch.tensor([[0.4, -0.3, 0.6, 0.2]], dtype=torch.float64)
CLOSE = Tolerances(decrease=1e-12)


@dataclass(frozen=True)
class ToyState:
    maps: torch.Tensor
    slopes: torch.Tensor  # (batch, maps, parameters, samples)


@dataclass(frozen=True)
class Toy:
    """`base + A p + curved (A p)^2`; its nodes are its samples."""

    base: torch.Tensor  # (maps, samples)
    rows: torch.Tensor  # (maps, parameters, samples)
    curved: float = 0.1

    def __call__(self, parameters):
        moved = torch.einsum("bp,mps->bms", parameters, self.rows)
        slopes = self.rows * (1 + 2 * self.curved * moved[:, :, None])
        return ToyState(self.base + moved + self.curved * moved**2, slopes)

    def gradient(self, state, cotangent):
        return torch.einsum("bms,bmps->bp", cotangent, state.slopes)

    def node_jacobian(self, state, columns):
        return state.maps, state.slopes[:, :, columns]

    def node_weights(self, weights):
        return weights

    def take(self, _keep):
        return self


def toy(seed=0, curved=0.1):
    rng = np.random.default_rng(seed)
    base = 2 + torch.as_tensor(np.cumsum(rng.normal(size=(MAPS, SAMPLES)), axis=1)) / 4
    return Toy(base, torch.as_tensor(rng.normal(size=(MAPS, PARAMETERS, SAMPLES))), curved)


def observed(model, truth=TRUTH, seed=1, noise=NOISE):
    maps = model(truth).maps
    values = torch.tensor(GAINS)[:, None] * maps + torch.tensor(BACKGROUNDS)[:, None]
    return values + noise * torch.as_tensor(np.random.default_rng(seed).normal(size=maps.shape))


def map_data(values):
    ones = torch.ones(len(values), MAPS, 1, SAMPLES, dtype=torch.float64)
    floor = torch.full((len(values), MAPS), 1e-9, dtype=torch.float64)
    return MapData(values, torch.ones_like(values), ones, ones, floor, torch.full_like(floor, SAMPLES))


def all_free(index=tuple(range(PARAMETERS)), lower=None, upper=None, mean=None, sigma=None):
    count = len(index)

    def tensor(values, default):
        return (
            torch.full((count,), default, dtype=torch.float64)
            if values is None
            else torch.tensor(values, dtype=torch.float64)
        )

    return FreeParameters(
        torch.tensor(index),
        tensor(lower, -np.inf),
        tensor(upper, np.inf),
        tensor(mean, 0.0),
        tensor(sigma, np.inf),
        columns=torch.tensor(index),
        place=torch.arange(count).expand(MAPS, -1),
    )


def solve(model, values, free=None, likelihood="gaussian", start=None, tolerances=CLOSE):
    start = torch.zeros(len(values), PARAMETERS, dtype=torch.float64) if start is None else start
    solver = LevenbergMarquardt(
        model, map_data(values), LIKELIHOODS[likelihood], all_free() if free is None else free, tolerances
    )
    return solver.solve(start)


def by_scipy(model, values, likelihood):
    """All of parameters, gains, backgrounds and scales by a general minimiser of the likelihood."""

    def split(x):
        return x[:PARAMETERS], x[PARAMETERS:].reshape(3, MAPS)

    def residual(x):
        p, (gain, background, log_scale) = split(x)
        maps = model(torch.as_tensor(p)[None]).maps[0].numpy()
        return (values[0].numpy() - gain[:, None] * maps - background[:, None]) / np.exp(log_scale)[:, None]

    def cost(x):
        rho = LIKELIHOODS[likelihood].cost(torch.as_tensor(residual(x)))
        return float(rho.sum()) + SAMPLES * float(split(x)[1][2].sum())

    start = np.concatenate([TRUTH[0].numpy(), GAINS, BACKGROUNDS, np.log([NOISE, NOISE])])
    found = minimize(cost, start, method="BFGS", options={"gtol": 1e-4})
    return found.x[:PARAMETERS], found.fun


def test_gaussian_equals_scipy_least_squares_when_the_maps_weigh_alike():
    model = toy()
    values = observed(model)
    values = torch.cat([values[:, :1], values[:, :1]], dim=1)
    model = Toy(model.base[:1].expand(2, -1), model.rows[:1].expand(2, -1, -1))

    def residual(x):
        maps = model(torch.as_tensor(x[:PARAMETERS])[None]).maps[0, 0].numpy()
        return values[0, 0].numpy() - x[PARAMETERS] * maps - x[PARAMETERS + 1]

    found = least_squares(residual, [*TRUTH[0].tolist(), GAINS[0], BACKGROUNDS[0]], xtol=1e-14, ftol=1e-14)
    solution = solve(model, values)
    assert solution.status == (FitStatus.CONVERGED,)
    np.testing.assert_allclose(solution.parameters[0].numpy(), found.x[:PARAMETERS], atol=1e-6)
    np.testing.assert_allclose(solution.linear.coefficients[0, 0].numpy(), found.x[PARAMETERS:], atol=1e-5)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_likelihood_ends_at_the_minimum_of_the_joint_cost(likelihood):
    model = toy()
    values = observed(model)
    solution = solve(model, values, likelihood=likelihood, tolerances=Tolerances(1e-8))
    best, cost = by_scipy(model, values, likelihood)
    assert solution.status == (FitStatus.CONVERGED,)
    assert float(solution.cost) < cost + 1e-4
    np.testing.assert_allclose(solution.parameters[0].numpy(), best, atol=2e-4)
    np.testing.assert_allclose(solution.parameters[0].numpy(), TRUTH[0].numpy(), atol=0.03)


def test_what_is_not_free_stays():
    model = toy()
    start = torch.tensor([[0.0, -0.25, 0.0, 0.1]], dtype=torch.float64)
    solution = solve(model, observed(model), all_free(index=(0, 2)), start=start)
    assert solution.parameters[0, [1, 3]].tolist() == [-0.25, 0.1]
    np.testing.assert_allclose(solution.parameters[0, [0, 2]].numpy(), TRUTH[0, [0, 2]].numpy(), atol=0.2)
    assert float(solution.parameters[0, 0]) != 0


@pytest.mark.parametrize("start", [0.0, 0.1])
def test_bounds_hold_and_the_others_adapt(start):
    model = toy()
    values = observed(model)
    free = all_free(lower=[-1, -1, -1, -1], upper=[0.1, 1, 1, 1])
    solution = solve(model, values, free, start=torch.full((1, PARAMETERS), start, dtype=torch.float64))
    assert solution.status == (FitStatus.CONVERGED,)
    assert float(solution.parameters[0, 0]) == 0.1
    at_bound = torch.tensor([[0.1, 0, 0, 0]], dtype=torch.float64)
    others = solve(model, values, all_free(index=(1, 2, 3)), start=at_bound)
    torch.testing.assert_close(solution.parameters, others.parameters, rtol=0, atol=1e-5)
    assert float(solution.cost) == pytest.approx(float(others.cost), abs=1e-6)


def test_a_prior_pulls_as_far_as_its_width_says():
    model = toy(curved=0.0)
    values = observed(model)
    plain = solve(model, values)
    solver = LevenbergMarquardt(model, map_data(values), LIKELIHOODS["gaussian"], all_free(), CLOSE)
    position = solver.evaluate(plain.parameters, None)
    # Quadratic in the parameters but for the logarithm of the scale, which is nearly constant.
    columns = torch.cat([position.state.maps[:, :, None], torch.ones(1, MAPS, 1, SAMPLES)], dim=2)
    slopes = position.state.slopes * position.linear.gain[..., None, None]
    projected = slopes - slopes @ torch.linalg.pinv(columns) @ columns
    scaled = projected / position.linear.scale[..., None, None]
    information = (scaled @ scaled.mT).sum(1)[0]
    sigma = float(information.inverse()[0, 0].sqrt())
    mean = float(plain.parameters[0, 0]) + sigma
    pulled = solve(model, values, all_free(mean=[mean, 0, 0, 0], sigma=[sigma, np.inf, np.inf, np.inf]))
    # As wide as the data's own error: half-way; the other parameters follow by their correlation.
    assert float(pulled.parameters[0, 0] - plain.parameters[0, 0]) == pytest.approx(sigma / 2, rel=0.03)
    follow = information.inverse()[:, 0] / information.inverse()[0, 0] * sigma / 2
    moved = pulled.parameters[0] - plain.parameters[0]
    torch.testing.assert_close(moved, follow, rtol=0, atol=0.03 * sigma)
    assert float(pulled.cost - plain.cost) == pytest.approx(0.25, rel=0.05)
    narrow = solve(model, values, all_free(mean=[0.7, 0, 0, 0], sigma=[1e-8, np.inf, np.inf, np.inf]))
    assert float(narrow.parameters[0, 0]) == pytest.approx(0.7, abs=1e-6)


@pytest.mark.parametrize("own_sigma", [True, False])
def test_each_fit_of_a_batch_may_have_a_prior_of_its_own(own_sigma):
    model = toy()
    values = torch.cat([observed(model, TRUTH * factor, seed) for seed, factor in enumerate((1.0, 0.0, -1.0))])
    # Fits from far and from close by end at different times, so that the rows of the priors must follow them.
    start = torch.cat([TRUTH, torch.zeros_like(TRUTH), TRUTH])
    means = torch.tensor([[0.5, 0, 0, 0], [-0.1, 0, 0, 0], [0.2, 0, 0, 0]], dtype=torch.float64)
    none = [np.inf, np.inf, np.inf]
    sigmas = torch.tensor([[s, *none] for s in ([2e-3, 4e-3, 1e-3] if own_sigma else [2e-3] * 3)], dtype=torch.float64)
    each = replace(all_free(), prior_mean=means, prior_sigma=sigmas if own_sigma else sigmas[0])
    together = solve(model, values, each, start=start, tolerances=Tolerances(1e-10))
    for number in range(3):
        own = all_free(mean=means[number].tolist(), sigma=sigmas[number].tolist())
        row = slice(number, number + 1)
        alone = solve(model, values[row], own, start=start[row], tolerances=Tolerances(1e-10))
        torch.testing.assert_close(together.parameters[row], alone.parameters, rtol=0, atol=1e-5)
        torch.testing.assert_close(together.cost[row], alone.cost, rtol=0, atol=1e-5)
        # The prior is most of this element; the rest may come from nodes of a position close by.
        torch.testing.assert_close(together.curvature[row, 0, 0], alone.curvature[:, 0, 0], rtol=0.02, atol=0)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_a_parameter_without_influence_stays_and_stops_nothing(likelihood):
    model = toy()
    rows = model.rows.clone()
    rows[:, 1] = 0.0
    dead = Toy(model.base, rows)
    values = observed(dead)
    start = torch.tensor([[0.0, 0.37, 0.0, 0.0]], dtype=torch.float64)
    solution = solve(dead, values, likelihood=likelihood, start=start, tolerances=Tolerances(1e-8))
    assert solution.status == (FitStatus.CONVERGED,)
    assert float(solution.parameters[0, 1]) == 0.37
    alive = [0, 2, 3]
    np.testing.assert_allclose(solution.parameters[0, alive].numpy(), TRUTH[0, alive].numpy(), atol=0.03)


def test_two_parameters_that_do_the_same_share_it():
    model = toy()
    rows = model.rows.clone()
    rows[:, 1] = rows[:, 0]
    twins = Toy(model.base, rows)
    solution = solve(twins, observed(twins), tolerances=Tolerances(1e-8))
    assert solution.status == (FitStatus.CONVERGED,)
    assert bool(torch.isfinite(solution.parameters).all())
    assert float(solution.parameters[0, :2].sum()) == pytest.approx(float(TRUTH[0, :2].sum()), abs=0.02)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_a_start_that_is_not_finite_ends_alone(likelihood):
    model = toy()
    values = observed(model).expand(3, -1, -1)
    start = torch.zeros(3, PARAMETERS, dtype=torch.float64)
    start[1, 2] = torch.nan
    together = solve(model, values, likelihood=likelihood, start=start, tolerances=Tolerances(1e-8))
    assert together.status == (FitStatus.CONVERGED, FitStatus.NOT_FINITE, FitStatus.CONVERGED)
    assert bool(torch.isfinite(together.cost[[0, 2]]).all())
    alone = solve(model, values[:1], likelihood=likelihood, start=start[:1], tolerances=Tolerances(1e-8))
    torch.testing.assert_close(together.parameters[[0, 2]], alone.parameters.expand(2, -1), rtol=0, atol=2e-5)


def test_steps_into_the_not_finite_are_taken_back():
    class Cliff(Toy):
        def __call__(self, parameters):
            state = Toy.__call__(self, parameters)
            beyond = (parameters[:, 0] > 0.45)[:, None, None]
            return ToyState(torch.where(beyond, torch.nan, state.maps), state.slopes)

    model = toy()
    values = observed(model)
    start = torch.tensor([[0.44, 1.0, -1.0, 1.0]], dtype=torch.float64)
    solution = solve(Cliff(model.base, model.rows), values, start=start)
    # It ends at the edge, where no step helps: with a status, finite, and better than it began.
    assert solution.status == (FitStatus.STALLED,)
    assert 0.44 < float(solution.parameters[0, 0]) <= 0.45
    assert float(solution.cost) < float(solve(model, values, start=start, tolerances=Tolerances(1e-9, 1)).cost)
    assert bool(torch.isfinite(solution.linear.residual).all())


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_a_batch_is_its_members(likelihood):
    model = toy()
    truths = [TRUTH, -TRUTH, TRUTH.flip(1)]
    values = torch.cat([observed(model, truth, seed) for seed, truth in enumerate(truths)])
    together = solve(model, values, likelihood=likelihood, tolerances=Tolerances(1e-9))
    for number in range(3):
        alone = solve(model, values[number : number + 1], likelihood=likelihood, tolerances=Tolerances(1e-9))
        # Errors are about 0.005; the tolerance is 3e-5 of them.
        torch.testing.assert_close(together.parameters[number], alone.parameters[0], rtol=0, atol=1e-5)
        torch.testing.assert_close(together.cost[number], alone.cost[0], rtol=0, atol=1e-5)
        assert together.status[number] is alone.status[0] is FitStatus.CONVERGED


def test_many_starts_of_one_observation():
    model = toy()
    starts = torch.as_tensor(np.random.default_rng(6).normal(size=(4, PARAMETERS)) * 0.3)
    solution = solve(model, observed(model), start=starts)
    assert set(solution.status) == {FitStatus.CONVERGED}
    torch.testing.assert_close(solution.parameters, solution.parameters[:1].expand(4, -1), rtol=0, atol=1e-5)


def test_the_limit_of_evaluations_is_a_status():
    model = toy()
    values = observed(model)
    limited = solve(model, values, tolerances=Tolerances(1e-12, max_evaluations=2))
    assert limited.status == (FitStatus.EVALUATION_LIMIT,)
    assert limited.evaluations.tolist() == [2]
    start = LevenbergMarquardt(model, map_data(values), LIKELIHOODS["gaussian"], all_free(), CLOSE).evaluate(
        torch.zeros(1, PARAMETERS, dtype=torch.float64), None
    )
    assert float(limited.cost) < float(start.cost)
    assert solve(model, values).evaluations.item() > 2


def test_data_without_noise_end_at_the_truth():
    model = toy()
    solution = solve(model, observed(model, noise=0.0))
    assert solution.status[0] in (FitStatus.CONVERGED, FitStatus.STALLED)
    torch.testing.assert_close(solution.parameters, TRUTH, rtol=0, atol=1e-6)
    assert bool(torch.isfinite(solution.cost).all())


def test_gradient_is_that_of_the_profile_cost():
    model = toy()
    data = map_data(observed(model))
    solver = LevenbergMarquardt(
        model, data, LIKELIHOODS["gaussian"], all_free(mean=[1, 0, 0, 0], sigma=[0.1, 1e9, 1e9, 1e9]), CLOSE
    )
    here = TRUTH + 0.05
    gradient = solver.gradient(solver.evaluate(here, None))[0]
    for number in range(PARAMETERS):
        step = torch.zeros_like(here)
        step[0, number] = 1e-6
        costs = [float(solver.evaluate(here + sign * step, None).cost) for sign in (-1, 1)]
        assert float(gradient[number]) == pytest.approx((costs[1] - costs[0]) / 2e-6, rel=1e-5)


def test_curvatures_of_maps_add_up_in_their_places():
    per_map = torch.arange(18, dtype=torch.float64).reshape(1, 2, 3, 3)
    # Column 0 is shared, column 1 each map's own, column 2 fixed.
    total = scatter_curvature(per_map, torch.tensor([[0, 1, 3], [0, 2, 3]]), 3)[0]
    assert total.tolist() == [[0 + 9, 1, 10], [3, 4, 0], [12, 0, 13]]
