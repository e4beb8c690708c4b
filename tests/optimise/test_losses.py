import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from oofpy.errors import UsageError
from oofpy.optimise.losses import LOSSES, loss_named

S = torch.tensor([0.0, 1e-9, 0.3, 0.99, 1.01, 4.0, 1e6], dtype=torch.float64)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_cost_is_that_of_scipy(name):
    for s in S.tolist():
        theirs = least_squares(lambda x, r: x + r, [0.0], loss=name, max_nfev=1, args=(s**0.5,)).cost if s else 0.0
        # SciPy steps once before it stops: compare where it began, by a residual that x does not move.
        fixed = least_squares(lambda x, r: np.array([r]) + 0 * x, [0.0], loss=name, args=(s**0.5,)).cost
        assert float(LOSSES[name].value(torch.tensor(s, dtype=torch.float64))) / 2 == pytest.approx(fixed, rel=1e-9)
        assert theirs <= fixed


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_derivatives_follow_the_value(name):
    s = S[1:].clone().requires_grad_()
    loss = LOSSES[name]
    (first,) = torch.autograd.grad(loss.value(s).sum(), s)
    assert torch.allclose(loss.first(s), first, rtol=1e-7, atol=0)
    again = S[1:].clone().requires_grad_()
    if name != "linear":
        (second,) = torch.autograd.grad(loss.first(again).sum(), again, materialize_grads=True)
        assert torch.allclose(loss.second(again), second, rtol=1e-7, atol=0)
    else:
        assert not loss.second(s).any()


def test_unknown_loss():
    with pytest.raises(UsageError, match="loss = lorentz: is not known; choose one of linear, soft_l1"):
        loss_named("lorentz")
