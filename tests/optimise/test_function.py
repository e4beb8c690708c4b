from typing import NamedTuple

import numpy as np
import pytest
import torch

from oofpy.errors import UsageError
from oofpy.optimise.function import TorchFunction, checked_dtype, place_of, to_device
from oofpy.optimise.named import layout_of

CPU = torch.device("cpu")


class Sample(NamedTuple):
    u: object
    v: object


def function_of(f, start, data=None):
    layout, flat = layout_of(start)
    return TorchFunction("f", f, layout, data, CPU, torch.float64), flat


def test_data_of_every_structure_arrive_as_tensors():
    big_endian = np.arange(3, dtype=">f4")
    big_endian.setflags(write=False)
    moved = to_device(
        {"a": big_endian, "b": [np.array([1, 2]), "text"], "c": Sample(np.ones(2), np.array([1j]))}, CPU, torch.float64
    )
    assert moved["a"].dtype == torch.float64
    assert moved["a"].tolist() == [0, 1, 2]
    assert moved["b"][0].dtype == torch.int64
    assert moved["b"][1] == "text"
    assert isinstance(moved["c"], Sample)
    assert moved["c"].v.dtype == torch.complex128
    single = to_device(Sample(np.ones(2), np.array([1j])), CPU, torch.float32)
    assert (single.u.dtype, single.v.dtype) == (torch.float32, torch.complex64)


def test_function_without_data_stays_on_the_cpu():
    assert place_of(None, "auto") == CPU
    assert place_of({"maps": [torch.ones(2)]}, "cpu") == CPU
    assert place_of(torch.ones(2), "auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_derivatives_against_formulas():
    matrix = torch.tensor([[3.0, 1.0], [1.0, 2.0]], dtype=torch.float64)
    function, _ = function_of(lambda x, m: x @ m @ x / 2 + (x[0] * x[1]) ** 2, [0.0, 0.0], matrix)
    place = np.array([0.7, -1.2])
    x, y = place
    value, gradient = function.value_and_gradient(place)
    assert value == pytest.approx(place @ matrix.numpy() @ place / 2 + (x * y) ** 2, rel=1e-14)
    assert function.value(place) == value
    assert gradient == pytest.approx(matrix.numpy() @ place + [2 * x * y * y, 2 * x * x * y], rel=1e-14)
    hessian = matrix.numpy() + np.array([[2 * y * y, 4 * x * y], [4 * x * y, 2 * x * x]])
    assert function.hessian(place) == pytest.approx(hessian, rel=1e-14)
    direction = np.array([0.3, 2.0])
    assert function.hessian_product(place, direction) == pytest.approx(hessian @ direction, rel=1e-14)


def test_named_parameter_that_does_not_enter_has_no_gradient():
    function, _ = function_of(lambda p: p["a"] ** 2, {"a": 2.0, "unused": 1.0})
    assert function.value_and_gradient(np.array([2.0, 1.0]))[1].tolist() == [4.0, 0.0]


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda _: 3.0, "returns float, not a tensor; compute with torch"),
        (lambda x: x.detach().sum(), "does not depend on its parameters through torch; leave out detach"),
        (lambda x: torch.tensor(x.tolist()).sum(), "does not depend"),
        (lambda x: torch.as_tensor(np.sin(x)).sum(), "use torch functions, np"),
        (lambda x: x, r"a tensor of shape \(2,\), not one number; sum it up, or give the residuals to least_squares"),
        (lambda x: x.sum() * 1j, "numbers of type complex128; return real"),
        (lambda x: x.sum().to(torch.int64), "numbers of type int64"),
        (lambda x: torch.log(-x).sum(), r"the value is not a number at x\[0\] = 1, x\[1\] = 4; keep x"),
        (lambda x: (x - x.detach()).abs().sqrt().sum(), r"the derivative by x\[0\] is not a number at"),
        (lambda x, d: x.sum() + d, "takes the parameters, and the data if data= is given"),
        (lambda x: (x @ torch.ones(3, 3, dtype=x.dtype)).sum(), "fails: "),
    ],
)
def test_refused_function(f, words):
    function, flat = function_of(f, [1.0, 4.0])
    with pytest.raises(UsageError, match=words) as caught:
        function.value_and_gradient(flat)
    assert "\n" not in str(caught.value)


def test_infinite_value_is_a_wall():
    function, _ = function_of(lambda x: x.square().sum() + torch.where(x[0] > 1, torch.inf, 0.0), [0.0])
    assert function.value_and_gradient(np.array([2.0]))[0] == np.inf


def test_precision_without_derivatives():
    with pytest.raises(UsageError, match=r"dtype = torch.int64: is not supported; use torch.float64"):
        checked_dtype(torch.int64)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_data_on_the_gpu_and_x_on_the_cpu():
    rng = np.random.default_rng(5)
    data = {"design": rng.normal(size=(50, 3)), "seen": rng.normal(size=50)}

    def f(x, d):
        return torch.cosh(d["design"] @ x - d["seen"]).sum()

    found = []
    for device in ("cpu", "cuda"):
        layout, flat = layout_of([0.1, -0.2, 0.3])
        place = place_of(data, device)
        function = TorchFunction("f", f, layout, to_device(data, place, torch.float64), place, torch.float64)
        found.append(np.hstack([*function.value_and_gradient(flat), function.hessian(flat).ravel()]))
    assert np.abs(found[1] / found[0] - 1).max() < 1e-11
