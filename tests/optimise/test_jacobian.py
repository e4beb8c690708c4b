import pytest
import torch

from oofpy.optimise import jacobian as module
from oofpy.optimise.jacobian import jacobian


def many(x):
    t = torch.linspace(0, 1, 40, dtype=x.dtype)
    return torch.fft.fft(x[0] * torch.exp(-((t - x[1]) ** 2) / x[2])).abs()


def few(x):
    return torch.stack([(x**2).sum(), x.prod()])


def by_differences(function, x, step=1e-5):
    columns = []
    for number in range(x.numel()):
        shift = torch.zeros_like(x)
        shift[number] = step
        columns.append((function(x + shift) - function(x - shift)) / (2 * step))
    return torch.stack(columns, dim=1)


@pytest.mark.parametrize(("function", "size"), [(many, 40), (few, 2)], ids=["forward", "reverse"])
def test_against_finite_differences(function, size):
    x = torch.tensor([1.3, 0.4, 0.1, 0.0][: 3 if size > 3 else 4], dtype=torch.float64) + 0.05
    found = jacobian(function, x, size)
    assert found.shape == (size, x.numel())
    assert torch.allclose(found, by_differences(function, x), rtol=1e-6, atol=1e-7)


def test_in_chunks_as_at_once(monkeypatch):
    x = torch.tensor([1.3, 0.4, 0.1], dtype=torch.float64)
    whole = jacobian(many, x, 40)
    monkeypatch.setattr(module, "_CHUNK_BYTES", 40 * 8)
    assert torch.equal(jacobian(many, x, 40), whole)


class OnlyReverse(torch.autograd.Function):
    """A cube without a forward derivative."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def setup_context(ctx, inputs, _):
        ctx.save_for_backward(inputs[0])

    @staticmethod
    def backward(ctx, cotangent):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * cotangent


def test_function_without_a_forward_derivative():
    x = torch.tensor([1.3, 0.4], dtype=torch.float64)

    def function(x):
        return OnlyReverse.apply(torch.cat([x, x[:1] * x[1:]]))

    expected = torch.tensor([[3 * 1.3**2, 0], [0, 3 * 0.4**2], [3 * 0.52**2 * 0.4, 3 * 0.52**2 * 1.3]], dtype=x.dtype)
    assert torch.allclose(jacobian(function, x, 3), expected, rtol=1e-13)
