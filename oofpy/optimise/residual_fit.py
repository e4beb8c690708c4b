"""Robust least squares of a torch function that returns residuals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.optimize
import torch
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult

from oofpy.errors import UsageError
from oofpy.optimise.fisher import CONVERGED, LIMIT, STUCK, Objective, Tolerances, Walk, descend, held
from oofpy.optimise.function import TorchFunction, checked_dtype, place_of, to_device
from oofpy.optimise.jacobian import jacobian
from oofpy.optimise.losses import Loss, loss_named
from oofpy.optimise.minimising import named_result
from oofpy.optimise.named import Start, flat_bounds, layout_of

FloatArray = NDArray[np.float64]
Bounds = tuple[FloatArray, FloatArray]

METHODS = ("fisher", "trf", "dogbox", "lm")
# The minimum over a part of the residuals differs from that over all by some noise; nearer than a tenth of it there is
# nothing to gain. In units of the decrease, which over the noise is half a unit a parameter.
_COARSE_SHARE = 0.01
# A forward derivative of the residuals costs about a third of a gradient of their cost.
_SMALLEST_SLOPE = 0.1
_PASSES_A_PARAMETER = 1 / 3
_MESSAGES = {
    **{name: f"converged, {text}" for name, text in CONVERGED.items()},
    LIMIT: "not converged: the limit of evaluations is reached; raise max_nfev=, or start nearer",
    STUCK: "not converged: no step lowers the cost; the residuals may not be smooth, or f_scale= far too small",
    "callback": "ended by the callback",
}
_STATUS = {"gtol": 1, "ftol": 2, "xtol": 3, LIMIT: 0, STUCK: -1, "callback": -2}


def least_squares(
    residuals: Callable[..., torch.Tensor],
    x0: Start,
    *,
    loss: str = "linear",
    f_scale: float = 1.0,
    method: str = "fisher",
    data: Any = None,
    coarse_data: Any = None,
    coarse_dtype: torch.dtype | None = None,
    device: str | torch.device = "auto",
    dtype: torch.dtype = torch.float64,
    bounds: Any = None,
    callback: Callable[[OptimizeResult], object] | None = None,
    ftol: float = 1e-10,
    xtol: float = 1e-10,
    gtol: float = 0.0,
    max_nfev: int | None = None,
) -> OptimizeResult:
    """Fit residuals by (robust) least squares, their derivatives exact.

    The cost is `sum f_scale^2 rho((r / f_scale)^2) / 2`, rho as in `scipy.optimize.least_squares`.

    Parameters
    ----------
    residuals : callable
        `residuals(x)`, or `residuals(x, data)` if data are given: returns a tensor of any shape. `x` is a tensor of the
        shape of `x0`, or a dict of tensors.
    x0 : array-like, Tensor, or mapping of str to these
        Where to start.
    loss : {"linear", "soft_l1", "huber", "cauchy", "arctan"}
    f_scale : float
        Residual, in its own unit, beyond which the loss begins to forgive.
    method : {"fisher", "trf", "dogbox", "lm"}
        `fisher` steps by exact gradients, shaped by a Fisher matrix that is computed seldom (see
        `oofpy.optimise.fisher`): best where residuals are many. The others are SciPy's, with an exact Jacobian at every
        step, forward or in reverse, whichever takes fewer passes; `lm` takes neither bounds nor a loss.
    data : array, Tensor, or dict, list or tuple of them, optional
        Moved to the device once.
    coarse_data : optional
        The same as `data` with fewer of its samples, evenly chosen; for `fisher`. The fit begins on these alone, and
        ends on all of them with the Fisher matrix of the few.
    coarse_dtype : dtype, optional
        Precision of what is done with the coarse data; `dtype` if None. Single precision does for a beginning.
    device : str or device
        As in `minimise`.
    dtype : dtype
        torch.float64 or torch.float32.
    bounds : (lower, upper) or mapping of str to (lower, upper), optional
        None for no bound.
    callback : callable, optional
        For `fisher`: called after each step on all the data with a result that has `x`, `cost` and `parameters`;
        raising StopIteration ends there.
    ftol, xtol, gtol : float
        End where a step would lower the cost by less than this share, is shorter than this share of the parameters, or
        where the gradient is below `gtol`. In single precision no share is below 1e-6.
    max_nfev : int, optional
        Limit of evaluations on all the data; 100 for each parameter if None.

    Returns
    -------
    scipy.optimize.OptimizeResult
        `x`, `parameters`, `labels` as from `minimise`; `cost`, `grad`, `optimality` (largest element of the gradient
        that no bound holds), `nfev`, `njev` (Fisher matrices or Jacobians), `success`, `status` and `message`;
        `curvature`, about the second derivatives of the cost, (parameters, parameters).

    Raises
    ------
    UsageError
        If an argument is wrong; if the function returns no tensor, leaves the graph, or returns NaN.

    Examples
    --------
    >>> import torch, oofpy
    >>> x = torch.linspace(0, 1, 50, dtype=torch.float64)
    >>> y = 2 * x + 1
    >>> fitted = oofpy.least_squares(lambda p: p["slope"] * x + p["offset"] - y, {"slope": 0.0, "offset": 0.0})
    >>> round(fitted.parameters["slope"], 6)
    2.0
    """
    if method not in METHODS:
        raise UsageError("is not known", key="method", value=method, remedy=f"choose one of {', '.join(METHODS)}")
    if not (np.isfinite(f_scale) and f_scale > 0):
        raise UsageError("must be a positive number", key="f_scale", value=f_scale)
    chosen = loss_named(loss)
    layout, start = layout_of(x0)
    ends = flat_bounds(bounds, layout)
    start = np.clip(start, *ends)
    place = place_of(data, device)
    data = to_device(data, place, checked_dtype(dtype))
    function = TorchFunction("residuals", residuals, layout, data, place, dtype)
    every = Residuals(function, chosen, f_scale)
    smallest = 0.0 if dtype == torch.float64 else 1e-6
    tolerances = Tolerances(
        max(ftol, smallest), max(xtol, smallest), gtol, max_nfev if max_nfev is not None else 100 * layout.size
    )
    if method != "fisher":
        _require_scipy(method, chosen, bounds, coarse_data, callback)
        return named_result(_by_scipy(every, start, ends, method, tolerances), layout)
    coarse = None
    if coarse_data is not None:
        precision = dtype if coarse_dtype is None else checked_dtype(coarse_dtype)
        fewer = replace(function, data=to_device(coarse_data, place, precision), dtype=precision)
        coarse = Residuals(fewer, chosen, f_scale)
    return named_result(_by_fisher(every, coarse, start, ends, tolerances, callback), layout)


@dataclass(frozen=True)
class Residuals:
    """Residuals of some data, with their loss.

    Parameters
    ----------
    function : TorchFunction
    loss : Loss
    f_scale : float
    """

    function: TorchFunction
    loss: Loss
    f_scale: float

    def flat(self, place: torch.Tensor) -> torch.Tensor:
        """Residuals in units of the scale, shape (residuals,)."""
        return self.function(place).reshape(-1) / self.f_scale

    def cost(self, place: torch.Tensor) -> torch.Tensor:
        """Cost in units of the scale squared, a tensor of one number."""
        return self.loss.value(self.flat(place).square()).sum() / 2

    def value_and_gradient(self, place: FloatArray) -> tuple[float, FloatArray]:
        """Cost and its exact gradient at a flat vector."""
        return self.function.value_and_gradient(place, self.cost)

    def count(self, place: FloatArray) -> int:
        """How many residuals there are, at a start where they must depend on the parameters and have a finite cost."""
        flat = self.flat(self.function.at(place).requires_grad_())
        self.function.require_graph(flat)
        cost = float(self.loss.value(flat.detach().square()).sum())
        self.function.require_numbers(np.array([cost]), place, "value")
        if not np.isfinite(cost):
            raise UsageError("the cost is infinite there", key="x0", remedy="start where the residuals are finite")
        return flat.numel()

    def fisher(self, place: FloatArray) -> FloatArray:
        """Curvature of the cost for residuals that are noise; shape (parameters, parameters).

        Without the second derivatives of the residuals, and with the mean curvature of the loss over all of them: that
        of every single one, which may be negative, would make a matrix from few residuals a matter of chance.
        """
        flat = self.function.at(place)
        with torch.no_grad():
            s = self.flat(flat).square()
        derivatives = jacobian(self.flat, flat, s.numel())
        weight = self.loss.first(s)
        slope = float((weight + 2 * s * self.loss.second(s)).mean())
        # Far from the minimum most residuals may lie where the loss bends the other way: there the weights lead.
        bend = max(slope, _SMALLEST_SLOPE * float(weight.mean()))
        return np.asarray(bend * (derivatives.T @ derivatives).to("cpu", torch.float64).numpy())


def _by_fisher(
    every: Residuals,
    coarse: Residuals | None,
    start: FloatArray,
    bounds: Bounds,
    tolerances: Tolerances,
    callback: Callable[[OptimizeResult], object] | None,
) -> OptimizeResult:
    """Minimum by gradients and Fisher matrices: first over the coarse data if there are any, then over all."""
    passes = max(1.0, _PASSES_A_PARAMETER * start.size)
    size = every.count(start)
    curvature, matrices = every.fisher, 0
    known = None
    if coarse is not None:
        few = coarse.count(start)
        share = size / few
        rough = replace(tolerances, ftol=max(tolerances.ftol, _COARSE_SHARE * start.size / few))
        begun = descend(Objective(coarse.value_and_gradient, coarse.fisher, passes), start, bounds, rough)
        start, matrices = begun.place, begun.curvatures

        def curvature(place: FloatArray) -> FloatArray:
            return share * coarse.fisher(place)

        known = share * begun.curvature
        # On all the data a step costs more, a Fisher matrix of the few as much as before.
        passes /= share
    told = None if callback is None else _told(callback, every)
    walk = descend(
        Objective(every.value_and_gradient, curvature, passes),
        start,
        bounds,
        tolerances,
        curvature=known,
        after_step=told,
    )
    unit = every.f_scale**2
    return OptimizeResult(
        x=walk.place,
        cost=unit * walk.cost,
        grad=unit * walk.gradient,
        optimality=unit * float(np.abs(np.where(held(walk, bounds), 0.0, walk.gradient)).max()),
        curvature=unit * walk.curvature,
        nfev=walk.evaluations,
        njev=walk.curvatures + matrices,
        status=_STATUS[walk.ended],
        success=walk.ended in CONVERGED,
        message=_MESSAGES[walk.ended],
    )


def _told(callback: Callable[[OptimizeResult], object], every: Residuals) -> Callable[[Walk], bool]:
    def after_step(walk: Walk) -> bool:
        told = OptimizeResult(x=walk.place, cost=every.f_scale**2 * walk.cost)
        try:
            callback(named_result(told, every.function.layout))
        except StopIteration:
            return True
        return False

    return after_step


def _by_scipy(
    every: Residuals, start: FloatArray, bounds: Bounds, method: str, tolerances: Tolerances
) -> OptimizeResult:
    """Minimum by one of SciPy's solvers with the exact Jacobian."""
    size = every.count(start)

    def residuals(place: FloatArray) -> FloatArray:
        with torch.no_grad():
            found = every.flat(every.function.at(place)).to("cpu", torch.float64).numpy()
        every.function.require_numbers(found, place, "value")
        return np.asarray(found * every.f_scale)

    def derivatives(place: FloatArray) -> FloatArray:
        found = jacobian(every.flat, every.function.at(place), size).to("cpu", torch.float64).numpy()
        return np.asarray(found * every.f_scale)

    if method == "lm" and size < start.size:
        raise UsageError("needs as many residuals as parameters", key="method", value=method, remedy="use trf")
    found = scipy.optimize.least_squares(
        residuals,
        start,
        jac=derivatives,
        bounds=bounds,
        method=method,
        loss=every.loss.name,
        f_scale=every.f_scale,
        ftol=tolerances.ftol,
        xtol=tolerances.xtol,
        gtol=max(tolerances.gtol, 1e-15),  # SciPy refuses less
        max_nfev=tolerances.evaluations,
    )
    found.curvature = every.fisher(found.x) * every.f_scale**2
    return found


def _require_scipy(method: str, loss: Loss, bounds: Any, coarse_data: Any, callback: Any) -> None:
    """Refuse what SciPy's solvers do not take."""
    of_fisher = {"coarse_data": coarse_data, "callback": callback}
    of_bounded = {"bounds": bounds, "loss": None if loss.name == "linear" else loss.name} if method == "lm" else {}
    for key, value in (*of_fisher.items(), *of_bounded.items()):
        if value is not None:
            able = "fisher" if key in of_fisher else "fisher, trf or dogbox"
            raise UsageError(f"method {method} takes none", key=key, remedy=f"use method {able}")
