import numpy as np
import pytest
import torch

import oofpy
from oofpy.errors import UsageError
from oofpy.optimise.minimising import METHODS


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def gauss(p, pixels):
    """Elliptical Gaussian of centre, amplitude, width, correlation and difference of the widths."""
    x, y = pixels["x"] - p["x0"], pixels["y"] - p["y0"]
    wide, high = p["sigma"] * (1 + p["diff"]), p["sigma"] * (1 - p["diff"])
    square = ((x / wide) ** 2 - 2 * p["rho"] * x * y / (wide * high) + (y / high) ** 2) / (1 - p["rho"] ** 2)
    return p["amp"] * torch.exp(-square / 2)


TRUTH = {"x0": 0.3, "y0": -0.2, "amp": 2.0, "sigma": 0.5, "rho": 0.3, "diff": 0.1}
START = {"x0": 0.0, "y0": 0.0, "amp": 1.5, "sigma": 0.7, "rho": 0.0, "diff": 0.0}


def image(noise, seed=1):
    axis = np.linspace(-2, 2, 41)
    x, y = np.meshgrid(axis, axis)
    clean = gauss(TRUTH, {"x": torch.as_tensor(x), "y": torch.as_tensor(y)}).numpy()
    return {"x": x, "y": y, "seen": clean + noise * np.random.default_rng(seed).normal(size=x.shape)}


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"cobyla", "tnc", "dogleg"}))
def test_rosenbrock_by_every_method(method):
    found = oofpy.minimise(rosenbrock, [-1.2, 1.0, 0.5], method=method)
    assert found.success
    assert np.abs(found.x - 1).max() < 1e-3
    assert found.fun == pytest.approx(float(rosenbrock(torch.as_tensor(found.x))), rel=1e-12)


# What these need: many evaluations, a longer limit, a start where the second derivatives are positive.
@pytest.mark.parametrize(
    ("method", "start", "options"),
    [
        ("cobyla", [0.9, 0.9], {"maxiter": 5000, "tol": 1e-8}),
        ("tnc", [-1.2, 1.0], {"maxfun": 2000}),
        ("dogleg", [1.1, 1.1], {}),
    ],
)
def test_rosenbrock_by_methods_with_wishes(method, start, options):
    found = oofpy.minimise(rosenbrock, start, method=method, options=options)
    assert np.abs(found.x - 1).max() < 0.05


def test_exact_gradients_save_evaluations():
    x0 = np.full(6, 0.5)
    exact = oofpy.minimise(rosenbrock, x0, method="bfgs")
    blind = oofpy.minimise(rosenbrock, x0, method="powell")
    assert exact.nfev < blind.nfev / 3
    assert exact.fun < 1e-10


def test_gaussian_image_with_names():
    noise = 0.05
    data = image(noise)

    def cost(p, d):
        return ((gauss(p, d) - d["seen"]) ** 2).sum() / (2 * noise**2)

    found = oofpy.minimise(cost, START, method="BFGS", data=data)
    assert sorted(found.parameters) == sorted(TRUTH)
    assert found.labels == tuple(START)
    errors = np.sqrt(np.diag(found.hess_inv))
    off = np.array([found.parameters[name] - TRUTH[name] for name in START])
    assert np.abs(off / errors).max() < 4
    assert np.abs(off).max() < 0.02


def test_logistic_regression():
    rng = np.random.default_rng(3)
    design = np.hstack([rng.normal(size=(4000, 3)), np.ones((4000, 1))])
    truth = np.array([1.0, -2.0, 0.5, 0.3])
    label = (rng.random(4000) < 1 / (1 + np.exp(-design @ truth))).astype(float)

    def cost(p, d):
        logits = d["design"] @ torch.cat([p["weights"], p["offset"].reshape(1)])
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, d["label"], reduction="sum")

    start = {"weights": np.zeros(3), "offset": 0.0}
    data = {"design": design, "label": label}
    found = oofpy.minimise(cost, start, method="trust-exact", data=data)
    # Where the score vanishes: the sums of the predictors over what was seen and over what is predicted are equal.
    predicted = 1 / (1 + np.exp(-design @ found.x))
    assert np.abs(design.T @ (predicted - label)).max() < 1e-3
    assert np.abs(found.x - truth).max() < 0.2
    assert isinstance(found.parameters["offset"], float)
    single = oofpy.minimise(cost, start, method="l-bfgs-b", data=data, dtype=torch.float32)
    assert np.abs(single.x - found.x).max() < 1e-2


def test_bounds_hold():
    found = oofpy.minimise(rosenbrock, [3.0, 3.0], method="l-bfgs-b", bounds=(None, [0.5, 10.0]))
    assert found.x == pytest.approx([0.5, 0.25], abs=1e-6)
    named = oofpy.minimise(
        lambda p: (p["a"] - 2) ** 2 + (p["b"] - 3) ** 2, {"a": 0.0, "b": 0.0}, method="slsqp", bounds={"a": (0, 1)}
    )
    assert named.parameters["a"] == pytest.approx(1)
    assert named.parameters["b"] == pytest.approx(3)


def test_constraint_of_scipy():
    found = oofpy.minimise(
        lambda x: (x**2).sum(),
        [3.0, 1.0],
        method="slsqp",
        constraints={"type": "eq", "fun": lambda x: x[0] + x[1] - 1},
    )
    assert found.x == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("method", ["bfgs", "slsqp", "trust-constr", "nelder-mead"])
def test_callback_sees_the_way_down_and_may_stop_it(method):
    seen = []

    def callback(so_far):
        seen.append((so_far.parameters["x"], so_far.fun))
        if method == "bfgs" and len(seen) == 3:
            raise StopIteration

    def cost(p):
        return (p["x"] - 2) ** 4 + p["y"] ** 2

    oofpy.minimise(cost, {"x": 0.0, "y": 1.0}, method=method, callback=callback)
    assert len(seen) == 3 if method == "bfgs" else len(seen) > 3
    assert seen[-1][1] < seen[0][1]
    assert all(isinstance(x, float) for x, _ in seen)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"method": "newton"}, "method = newton: is not known; choose one of nelder-mead"),
        ({"bounds": (0, 1)}, "method = bfgs: takes no bounds; choose one of nelder-mead"),
        ({"constraints": {"type": "eq", "fun": sum}}, "method = bfgs: takes no constraints"),
        ({"dtype": torch.float16}, "dtype = torch.float16"),
        ({"device": "gpu"}, "device = gpu: is not known"),
    ],
)
def test_refused_arguments(arguments, words):
    with pytest.raises(UsageError, match=words):
        oofpy.minimise(rosenbrock, [0.0, 0.0], **arguments)


def test_nan_is_an_error_not_a_result():
    with pytest.raises(UsageError, match="not a number"):
        oofpy.minimise(lambda x: (x - torch.log(x)).sum() + 10 * x.sum(), [0.05, 3.0])


def test_limit_is_told_not_raised():
    found = oofpy.minimise(rosenbrock, [-1.2, 1.0], options={"maxiter": 2})
    assert not found.success
    assert "iterations" in found.message
