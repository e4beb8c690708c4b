import numpy as np
import pytest
import scipy.optimize
import torch

import oofpy
from oofpy.errors import UsageError
from oofpy.optimise.losses import LOSSES

METHODS = ("fisher", "trf", "dogbox", "lm")


def rosenbrock(x):
    return torch.cat([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def line(p, d):
    return p["slope"] * d["x"] + p["offset"] - d["y"]


LINE = {"slope": 0.0, "offset": 0.0}


def spoiled_line(seed=2, size=400):
    """A line with noise of 0.1; a fifth of the samples lies far above it."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, size)
    y = 2 * x + 1 + 0.1 * rng.normal(size=size)
    y[: size // 5] += rng.uniform(5, 50, size // 5)
    order = rng.permutation(size)
    return {"x": x[order], "y": y[order]}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [2, 8])
def test_rosenbrock(method, size):
    found = oofpy.least_squares(rosenbrock, np.tile([-1.2, 1.0], size // 2), method=method)
    assert found.success
    assert np.abs(found.x - 1).max() < 1e-6
    assert found.cost < 1e-12


@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize("method", ["fisher", "trf"])
def test_minimum_and_cost_are_those_of_scipy(loss, method):
    data = spoiled_line()
    near = {"slope": 1.5, "offset": 1.2}  # the arc tangent has other minima
    found = oofpy.least_squares(line, near, data=data, loss=loss, f_scale=0.1, method=method)
    expected = scipy.optimize.least_squares(
        lambda p: p[0] * data["x"] + p[1] - data["y"], [1.5, 1.2], loss=loss, f_scale=0.1, xtol=1e-12, ftol=1e-12
    )
    assert found.success
    assert found.cost == pytest.approx(expected.cost, rel=1e-9)
    assert found.x == pytest.approx(expected.x, abs=2e-5)


def test_robust_line_ignores_what_a_plain_one_follows():
    data = spoiled_line()
    robust = oofpy.least_squares(line, LINE, data=data, loss="cauchy", f_scale=0.1).parameters
    plain = oofpy.least_squares(line, LINE, data=data).parameters
    assert abs(robust["offset"] - 1) < 0.05 < 3 < abs(plain["offset"] - 1)
    assert abs(robust["slope"] - 2) < 0.1


def test_coarse_data_lead_to_the_minimum_of_all():
    data = spoiled_line(size=4000)
    few = {name: value[::8] for name, value in data.items()}
    whole = oofpy.least_squares(line, LINE, data=data, loss="cauchy", f_scale=0.1)
    only_few = oofpy.least_squares(line, LINE, data=few, loss="cauchy", f_scale=0.1)
    for precision in (torch.float64, torch.float32):
        found = oofpy.least_squares(
            line, LINE, data=data, coarse_data=few, coarse_dtype=precision, loss="cauchy", f_scale=0.1
        )
        assert found.cost == pytest.approx(whole.cost, rel=1e-9)
        assert found.x == pytest.approx(whole.x, abs=1e-5)
        # The few alone have a minimum of their own.
        assert np.abs(found.x - only_few.x).max() > 1e-3
        assert found.nfev < whole.nfev


def test_gradient_and_curvature_belong_to_the_end():
    data = spoiled_line()
    found = oofpy.least_squares(line, LINE, data=data)
    design = np.stack([data["x"], np.ones_like(data["x"])], axis=1)
    assert found.curvature == pytest.approx(design.T @ design, rel=1e-6)
    residuals = design @ found.x - data["y"]
    assert found.grad == pytest.approx(design.T @ residuals, abs=1e-6)
    assert found.optimality == np.abs(found.grad).max()
    assert found.cost == pytest.approx(residuals @ residuals / 2)


@pytest.mark.parametrize("method", ["fisher", "trf", "dogbox"])
def test_bounds_hold(method):
    found = oofpy.least_squares(
        line, LINE, data=spoiled_line(), loss="cauchy", bounds={"slope": (-1, 1)}, method=method
    )
    assert found.parameters["slope"] == pytest.approx(1, abs=1e-6)
    assert found.success


def test_parameters_that_the_data_do_not_know_get_no_nan():
    x = torch.linspace(0, 1, 30, dtype=torch.float64)
    found = oofpy.least_squares(lambda p: (p["a"] + p["b"]) * x - 3 * x + 0 * p["c"], {"a": 0.0, "b": 0.0, "c": 5.0})
    assert found.parameters["a"] + found.parameters["b"] == pytest.approx(3)
    assert found.parameters["c"] == 5.0


def test_fewer_residuals_than_parameters():
    found = oofpy.least_squares(lambda x: (x.sum() - 6).reshape(1), np.zeros(3))
    assert found.x.sum() == pytest.approx(6)
    with pytest.raises(UsageError, match="as many residuals as parameters; use trf"):
        oofpy.least_squares(lambda x: (x.sum() - 6).reshape(1), np.zeros(3), method="lm")


def test_callback_follows_and_ends():
    costs = []

    def callback(so_far):
        costs.append(so_far.cost)
        if len(costs) == 3:
            raise StopIteration

    found = oofpy.least_squares(rosenbrock, [-1.2, 1.0], callback=callback)
    assert costs == sorted(costs, reverse=True)
    assert not found.success
    assert found.message == "ended by the callback"
    assert found.cost == costs[-1]


def test_limit_is_a_status_with_advice():
    found = oofpy.least_squares(rosenbrock, [-1.2, 1.0], max_nfev=3)
    assert (found.success, found.status, found.nfev) == (False, 0, 3)
    assert "raise max_nfev=" in found.message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "gauss"}, "method = gauss: is not known; choose one of fisher, trf, dogbox, lm"),
        ({"loss": "lorentz"}, "loss = lorentz"),
        ({"f_scale": 0.0}, "f_scale = 0.0: must be a positive number"),
        ({"method": "lm", "loss": "cauchy"}, "loss: method lm takes none; use method fisher, trf or dogbox"),
        ({"method": "lm", "bounds": (0, 1)}, "bounds: method lm takes none"),
        ({"method": "trf", "coarse_data": np.ones(3)}, "coarse_data.*method trf takes none; use method fisher"),
        ({"method": "trf", "callback": print}, "callback.*method trf takes none"),
    ],
)
def test_refused_arguments(arguments, words):
    with pytest.raises(UsageError, match=words):
        oofpy.least_squares(rosenbrock, [0.5, 0.5], **arguments)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("residuals", "words"),
    [
        (lambda x: torch.log(x - 10), "residuals: the value is not a number"),
        (lambda x: x.detach(), "residuals: does not depend on its parameters"),
        (lambda x: x / 0, "infinite"),
    ],
)
def test_refused_residuals(method, residuals, words):
    with pytest.raises(UsageError, match=words):
        oofpy.least_squares(residuals, [1.0, 2.0], method=method)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_same_minimum_on_the_gpu():
    data = spoiled_line(size=4000)
    few = {name: value[::8] for name, value in data.items()}
    found = [
        oofpy.least_squares(line, LINE, data=data, coarse_data=few, loss="cauchy", f_scale=0.1, device=device)
        for device in ("cpu", "cuda")
    ]
    assert found[1].cost == pytest.approx(found[0].cost, rel=1e-10)
    assert found[1].x == pytest.approx(found[0].x, abs=1e-5)
