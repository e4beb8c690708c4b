"""Settings of a fit: named, validated, with the defaults in one place."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from oofpy.errors import ConfigurationError
from oofpy.limits import Limits

LIKELIHOOD_NAMES = ("gaussian", "cauchy", "student-t", "huber")
DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("double", "single")
HIGHEST_FIT_ORDER = 12
LOWEST_FIT_ORDER = 2


@dataclass(frozen=True, slots=True)
class ParameterRule:
    """How one parameter, or one kind of parameter of every map, is treated; None keeps the default.

    Parameters
    ----------
    free : bool, optional
        Fitted, or held at its start.
    start : float, optional
        Where it starts, in the unit of its name.
    lower, upper : float, optional
        Bounds.
    prior_mean, prior_sigma : float, optional
        Gaussian prior; the mean is the start where only sigma is given.
    """

    free: bool | None = None
    start: float | None = None
    lower: float | None = None
    upper: float | None = None
    prior_mean: float | None = None
    prior_sigma: float | None = None

    def __post_init__(self) -> None:
        if self.prior_sigma is not None and not self.prior_sigma > 0:
            raise ConfigurationError("the width of a prior must be positive", key="prior_sigma", value=self.prior_sigma)
        if self.lower is not None and self.upper is not None and not self.lower < self.upper:
            raise ConfigurationError(
                "the lower bound is not below the upper one", key="lower, upper", value=(self.lower, self.upper)
            )


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Everything that decides how an observation is fitted.

    Parameters
    ----------
    order : int or "auto"
        Highest Zernike order, 2 to 12; "auto" lets BIC and the errors choose, up to `highest_auto_order`.
    likelihood : {"cauchy", "gaussian", "student-t", "huber"}
        Distribution of the residuals.
    device : {"auto", "cpu", "cuda"}
        Where the tensors live; "auto" takes CUDA where there is one.
    precision : {"double", "single"}
        Of the transforms; everything else is in double precision.
    background_slopes : bool
        Fit a plane under each map instead of a constant.
    highest_auto_order : int
        Last order that "auto" tries.
    max_evaluations : int
        Limit of model evaluations of each fit; the approach with fewer samples, which comes before it, has the same.
    tolerance : float
        Predicted decrease of the log-likelihood at which a fit has converged; not below 0.01 in single precision.
    ladder : bool
        Fit the orders from 2 up, each from the one below; False fits the requested order alone, from zero.
    both_starts : bool
        Start the requested order (for "auto" every order) from zero as well as from the order below, and keep the
        better: the second start tells whether the first was trapped.
    ladder_tolerance : float
        The same as `tolerance` for the orders below the requested one.
    ladder_evaluations : int
        Limit of model evaluations of each fit below the requested order: a surface too smooth for the data makes a
        robust likelihood creep, and the next order frees it.
    leave_one_out : bool
        Fit the chosen order again without each of the maps, where that leaves two or more.
    limits : Limits
        By which the maps and the fit are judged.
    parameters : mapping of str to ParameterRule
        Rules by parameter: a name such as `Z(2,0)`, `edge_taper_db`, `illumination_x_m`, `illumination_y_m`,
        `ellipticity_p`, `ellipticity_q`; or, for all maps or one (`[2]`), `pointing_u_rad`, `pointing_v_rad`,
        `defocus_error_m`.

    Raises
    ------
    ConfigurationError
        Naming the setting, its value and what it may be.
    """

    order: int | str = 5
    likelihood: str = "cauchy"
    device: str = "auto"
    precision: str = "double"
    background_slopes: bool = False
    highest_auto_order: int = 8
    max_evaluations: int = 100
    tolerance: float = 1e-5
    ladder: bool = True
    both_starts: bool = True
    ladder_tolerance: float = 0.05
    ladder_evaluations: int = 3
    leave_one_out: bool = False
    limits: Limits = field(default_factory=Limits)
    parameters: Mapping[str, ParameterRule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _one_of("likelihood", self.likelihood, LIKELIHOOD_NAMES)
        _one_of("device", self.device, DEVICES)
        _one_of("precision", self.precision, PRECISIONS)
        if self.order != "auto":
            _order("order", self.order)
        _order("highest_auto_order", self.highest_auto_order)
        for key in ("max_evaluations", "ladder_evaluations"):
            count = getattr(self, key)
            if not isinstance(count, int) or count < 1:
                raise ConfigurationError("must be a positive whole number", key=key, value=count)
        for key in ("tolerance", "ladder_tolerance"):
            value = getattr(self, key)
            if not (math.isfinite(value) and value > 0):
                raise ConfigurationError("must be a positive number", key=key, value=value)


def _one_of(key: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigurationError("is not known", key=key, value=value, remedy=f"choose one of {', '.join(choices)}")


def _order(key: str, value: object) -> None:
    valid = isinstance(value, int) and not isinstance(value, bool)
    if not (valid and LOWEST_FIT_ORDER <= int(str(value)) <= HIGHEST_FIT_ORDER):
        raise ConfigurationError(
            f"must be a whole number from {LOWEST_FIT_ORDER} to {HIGHEST_FIT_ORDER}"
            + (" or auto" if key == "order" else ""),
            key=key,
            value=value,
        )


# Of one observation at which somebody looks: fits without each map are for its report, and take little time beside it.
# An archive has the plain defaults.
FOR_A_REPORT = FitSettings(leave_one_out=True)
