"""Likelihoods of the residuals: cost, weight and slope as functions of the standardised residual z = r / scale.

Each is minus the logarithm of a density up to a constant, `sum rho(z) + N log(scale)`; the scale is fitted. `psi =
rho'`, the weight is `psi / z`, and `psi'` measures how much of the weight is curvature: Gauss-Newton with the weights
alone takes steps that are too short by the ratio of the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

STUDENT_DEGREES_OF_FREEDOM = 4.0
HUBER_THRESHOLD = 1.345


@dataclass(frozen=True)
class Likelihood:
    """One likelihood.

    Parameters
    ----------
    name : str
        As in settings.
    cost : callable
        rho(z), elementwise.
    weight : callable
        psi(z) / z, elementwise.
    slope_of_weight : callable
        psi'(z), elementwise, as a function of the weight at the same z, from which it follows for each of them.
    gaussian_scale : float
        Fitted scale for Gaussian noise of unit standard deviation, so that noise can be quoted alike.
    integral : float
        Of exp(-rho(z)) over all z, so that exp(-rho(z)) over it is the density.
    quadratic : bool
        Whether the weights do not depend on the residuals.
    """

    name: str
    cost: Callable[[torch.Tensor], torch.Tensor]
    weight: Callable[[torch.Tensor], torch.Tensor]
    slope_of_weight: Callable[[torch.Tensor], torch.Tensor]
    gaussian_scale: float
    integral: float
    quadratic: bool = False

    def slope(self, z: torch.Tensor) -> torch.Tensor:
        """psi'(z), elementwise."""
        return self.slope_of_weight(self.weight(z))


def _student_slope(weight: torch.Tensor) -> torch.Tensor:
    nu = STUDENT_DEGREES_OF_FREEDOM
    return weight * (2 * nu / (nu + 1) * weight - 1)


def _student_integral() -> float:
    nu = STUDENT_DEGREES_OF_FREEDOM
    return math.sqrt(nu * math.pi) * math.gamma(nu / 2) / math.gamma((nu + 1) / 2)


def _huber_cost(z: torch.Tensor) -> torch.Tensor:
    distance = z.abs()
    return torch.where(distance <= HUBER_THRESHOLD, z * z / 2, HUBER_THRESHOLD * (distance - HUBER_THRESHOLD / 2))


def _huber_integral() -> float:
    core = math.sqrt(2 * math.pi) * math.erf(HUBER_THRESHOLD / math.sqrt(2))
    return core + 2 / HUBER_THRESHOLD * math.exp(-(HUBER_THRESHOLD**2) / 2)


LIKELIHOODS = {
    likelihood.name: likelihood
    for likelihood in (
        Likelihood(
            "gaussian",
            lambda z: z * z / 2,
            torch.ones_like,
            torch.ones_like,
            1.0,
            math.sqrt(2 * math.pi),
            quadratic=True,
        ),
        Likelihood(
            "cauchy", lambda z: torch.log1p(z * z), lambda z: 2 / (1 + z * z), lambda w: w * (w - 1), 0.6120, math.pi
        ),
        Likelihood(
            "student-t",
            lambda z: (STUDENT_DEGREES_OF_FREEDOM + 1) / 2 * torch.log1p(z * z / STUDENT_DEGREES_OF_FREEDOM),
            lambda z: (STUDENT_DEGREES_OF_FREEDOM + 1) / (STUDENT_DEGREES_OF_FREEDOM + z * z),
            _student_slope,
            0.8310,
            _student_integral(),
        ),
        Likelihood(
            "huber",
            _huber_cost,
            lambda z: HUBER_THRESHOLD / z.abs().clamp(min=HUBER_THRESHOLD),
            lambda weight: (weight >= 1).to(weight.dtype),
            0.8710,
            _huber_integral(),
        ),
    )
}
