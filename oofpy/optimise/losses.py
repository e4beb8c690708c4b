"""Losses of a residual, as `scipy.optimize.least_squares` defines them.

The cost is `sum f_scale^2 rho((r / f_scale)^2) / 2`. `linear` is Gaussian noise; `cauchy` its namesake; the others lie
between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from oofpy.errors import UsageError

Elementwise = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Loss:
    """One loss as a function of s, the square of the residual over its scale.

    Parameters
    ----------
    name : str
    value : callable
        rho(s), elementwise.
    first, second : callable
        Its derivatives by s.
    """

    name: str
    value: Elementwise
    first: Elementwise
    second: Elementwise


def _huber(s: torch.Tensor) -> torch.Tensor:
    return torch.where(s <= 1, s, 2 * s.clamp(min=1).sqrt() - 1)


LOSSES = {
    loss.name: loss
    for loss in (
        Loss("linear", lambda s: s, torch.ones_like, torch.zeros_like),
        Loss(
            "soft_l1",
            lambda s: 2 * s / (1 + (1 + s).sqrt()),
            lambda s: (1 + s).rsqrt(),
            lambda s: -((1 + s) ** -1.5) / 2,
        ),
        Loss(
            "huber",
            _huber,
            lambda s: s.clamp(min=1).rsqrt(),
            lambda s: torch.where(s <= 1, 0.0, -(s.clamp(min=1) ** -1.5) / 2),
        ),
        Loss("cauchy", torch.log1p, lambda s: 1 / (1 + s), lambda s: -((1 + s) ** -2)),
        Loss("arctan", torch.atan, lambda s: 1 / (1 + s * s), lambda s: -2 * s / (1 + s * s) ** 2),
    )
}


def loss_named(name: str) -> Loss:
    """One of the losses; a UsageError names them where there is no such."""
    if name not in LOSSES:
        raise UsageError("is not known", key="loss", value=name, remedy=f"choose one of {', '.join(LOSSES)}")
    return LOSSES[name]
