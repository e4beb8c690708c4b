"""Any of SciPy's minimisers on a torch function, with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import Bounds, OptimizeResult, minimize

from oofpy.errors import UsageError
from oofpy.optimise.function import TorchFunction, checked_dtype, place_of, to_device
from oofpy.optimise.named import ParameterLayout, Start, flat_bounds, layout_of

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Method:
    """What one of SciPy's minimisers takes.

    Parameters
    ----------
    name : str
        As `scipy.optimize.minimize` knows it.
    gradient : bool
    second : {"", "matrix", "product"}
        Second derivatives: none, the whole matrix, or its product with a vector.
    bounds : bool
    constraints : bool
    whole_callback : bool
        Whether SciPy tells the callback more than x.
    """

    name: str
    gradient: bool = True
    second: str = ""
    bounds: bool = False
    constraints: bool = False
    whole_callback: bool = True


METHODS = {
    method.name: method
    for method in (
        Method("nelder-mead", gradient=False, bounds=True),
        Method("powell", gradient=False, bounds=True),
        Method("cobyla", gradient=False, bounds=True, constraints=True, whole_callback=False),
        Method("cobyqa", gradient=False, bounds=True, constraints=True),
        Method("cg"),
        Method("bfgs"),
        Method("l-bfgs-b", bounds=True),
        Method("tnc", bounds=True, whole_callback=False),
        Method("slsqp", bounds=True, constraints=True, whole_callback=False),
        Method("newton-cg", second="product"),
        Method("trust-ncg", second="product"),
        Method("trust-krylov", second="product"),
        Method("trust-constr", second="product", bounds=True, constraints=True),
        Method("dogleg", second="matrix"),
        Method("trust-exact", second="matrix"),
    )
}


def minimise(
    f: Callable[..., torch.Tensor],
    x0: Start,
    *,
    method: str = "bfgs",
    data: Any = None,
    device: str | torch.device = "auto",
    dtype: torch.dtype = torch.float64,
    bounds: Any = None,
    constraints: Any = (),
    callback: Callable[[OptimizeResult], object] | None = None,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResult:
    """Minimise a torch function with one of SciPy's methods, its derivatives exact.

    Parameters
    ----------
    f : callable
        `f(x)`, or `f(x, data)` if data are given: an ordinary function that returns one number as a tensor. `x` is a
        tensor of the shape of `x0`, or a dict of tensors.
    x0 : array-like, Tensor, or mapping of str to these
        Where to start.
    method : str
        Any method of `scipy.optimize.minimize`, by its name. Gradients come from reverse-mode differentiation, at the
        cost of a few evaluations whatever the number of parameters; the Newton methods get second derivatives.
    data : array, Tensor, or dict, list or tuple of them, optional
        Moved to the device once.
    device : str or device
        `cpu`, `cuda`, or `auto`: a GPU where there is one and the data are given, so that they can be moved there.
        The method itself, and the x that it steps, are on the CPU in double precision.
    dtype : dtype
        Precision of the function, torch.float64 or torch.float32.
    bounds : (lower, upper) or mapping of str to (lower, upper), optional
        None for no bound.
    constraints : optional
        As `scipy.optimize.minimize` takes them, of the flat vector.
    callback : callable, optional
        Called after each step with a result that has `x`, `fun` and `parameters`; raising StopIteration ends there
        (not for `tnc`).
    tol : float, optional
        Tolerance of the method, as in SciPy.
    options : mapping, optional
        Of the method, as in SciPy.

    Returns
    -------
    scipy.optimize.OptimizeResult
        SciPy's, with `x` the flat vector, and beside it `parameters`, of the structure of `x0`, and `labels`, a name
        for every element of `x`. `success` is False, with SciPy's `message`, where it did not converge.

    Raises
    ------
    UsageError
        If method, start, bounds or device are wrong; if the function returns no tensor or more than one number, leaves
        the graph, or returns NaN.

    Examples
    --------
    >>> import torch, oofpy
    >>> def rosenbrock(x):
    ...     return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    >>> oofpy.minimise(rosenbrock, [-1.2, 1.0]).x.round(4)
    array([1., 1.])
    """
    chosen = _chosen(method, bounds is not None, bool(constraints))
    layout, start = layout_of(x0)
    place = place_of(data, device)
    function = TorchFunction("f", f, layout, to_device(data, place, checked_dtype(dtype)), place, dtype)
    arguments: dict[str, Any] = {"method": chosen.name, "tol": tol, "options": dict(options or {})}
    if bounds is not None:
        lower, upper = flat_bounds(bounds, layout)
        start = np.clip(start, lower, upper)
        arguments["bounds"] = Bounds(lower, upper)
    if constraints:
        arguments["constraints"] = constraints
    if chosen.second == "matrix":
        arguments["hess"] = function.hessian
    elif chosen.second == "product":
        arguments["hessp"] = function.hessian_product
    if callback is not None:
        arguments["callback"] = _callback(callback, function, chosen)
    evaluate = function.value_and_gradient if chosen.gradient else function.value
    return named_result(minimize(evaluate, start, jac=chosen.gradient or None, **arguments), layout)


def named_result(found: OptimizeResult, layout: ParameterLayout) -> OptimizeResult:
    """Give a result its parameters and labels."""
    found.parameters, found.labels = layout.values(found.x), layout.labels
    return found


def _callback(
    callback: Callable[[OptimizeResult], object], function: TorchFunction, method: Method
) -> Callable[..., object]:
    """A callback of SciPy's, in the signature from which it tells what to pass."""

    def with_result(intermediate_result: OptimizeResult) -> object:
        return callback(named_result(intermediate_result, function.layout))

    def with_place(xk: FloatArray) -> object:
        told = OptimizeResult(x=np.array(xk), fun=function.value(xk))
        return callback(named_result(told, function.layout))

    return with_result if method.whole_callback else with_place


def _chosen(name: str, bounded: bool, constrained: bool) -> Method:
    chosen = METHODS.get(str(name).lower())
    if chosen is None:
        raise UsageError("is not known", key="method", value=name, remedy=f"choose one of {', '.join(METHODS)}")
    for given, able, what in ((bounded, "bounds", "bounds"), (constrained, "constraints", "constraints")):
        if given and not getattr(chosen, able):
            fit = ", ".join(other.name for other in METHODS.values() if getattr(other, able))
            raise UsageError(f"takes no {what}", key="method", value=name, remedy=f"choose one of {fit}")
    return chosen
