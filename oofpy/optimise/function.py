"""A user's torch function with its data, as values and exact derivatives for a minimiser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.device import choose_device
from oofpy.errors import UsageError
from oofpy.optimise.named import ParameterLayout

FloatArray = NDArray[np.float64]

_COMPLEX = {torch.float64: torch.complex128, torch.float32: torch.complex64}


def to_device(data: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """Move data to a device: arrays and tensors, also within dicts, lists and tuples.

    Parameters
    ----------
    data : Any
        What is neither array nor container stays as it is.
    device : device
    dtype : dtype
        Of real floating-point numbers, float64 or float32; complex ones get the matching precision, others keep theirs.

    Returns
    -------
    Any
        Of the same structure.
    """
    if isinstance(data, Mapping):
        return {key: to_device(value, device, dtype) for key, value in data.items()}
    if isinstance(data, list | tuple):
        moved = [to_device(value, device, dtype) for value in data]
        return type(data)(*moved) if hasattr(data, "_fields") else type(data)(moved)
    if isinstance(data, np.ndarray):
        # FITS arrays are big-endian and often read-only: torch takes neither.
        data = torch.from_numpy(np.array(data, data.dtype.newbyteorder("=")))
    if isinstance(data, torch.Tensor):
        wanted = dtype if data.is_floating_point() else _COMPLEX[dtype] if data.is_complex() else data.dtype
        return data.to(device, wanted)
    return data


def place_of(data: Any, device: str | torch.device) -> torch.device:
    """Resolve the device of a function.

    Parameters
    ----------
    data : Any
        What the function takes beside its parameters, None if nothing.
    device : str or device
        `auto`: where the data live if that is a GPU; else CUDA where there is one. A function without data may hold
        tensors of its own, which nobody can move: its parameters stay on the CPU.

    Returns
    -------
    device
    """
    if isinstance(device, torch.device) or device != "auto":
        return choose_device(str(device))
    if data is None:
        return torch.device("cpu")
    return next((tensor.device for tensor in _tensors(data) if tensor.is_cuda), choose_device("auto"))


def _tensors(data: Any) -> list[torch.Tensor]:
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, list | tuple):
        return [tensor for value in data for tensor in _tensors(value)]
    return [data] if isinstance(data, torch.Tensor) else []


@dataclass(frozen=True)
class TorchFunction:
    """A function of parameters, and of data if there are any.

    Parameters
    ----------
    name : str
        As the user's argument is called, for messages.
    function : callable
        Takes the parameters, a tensor or a dict of tensors, and the data if there are any.
    layout : ParameterLayout
    data : Any
        On the device; None for a function of the parameters alone.
    device : device
    dtype : dtype
    """

    name: str
    function: Callable[..., Any]
    layout: ParameterLayout
    data: Any
    device: torch.device
    dtype: torch.dtype

    def at(self, flat: FloatArray) -> torch.Tensor:
        """The parameters as a flat tensor on the device."""
        return torch.as_tensor(np.array(flat, np.float64)).to(self.device, self.dtype)

    def __call__(self, flat: torch.Tensor) -> torch.Tensor:
        """Evaluate at a flat tensor.

        Raises
        ------
        UsageError
            If what comes back is not a real tensor, or the function fails in a way that has a remedy.
        """
        parameters = self.layout.tensors(flat)
        try:
            value = self.function(parameters) if self.data is None else self.function(parameters, self.data)
        except (RuntimeError, TypeError) as error:
            raise self._explained(error) from error
        if not isinstance(value, torch.Tensor):
            raise UsageError(
                f"returns {type(value).__name__}, not a tensor",
                key=self.name,
                remedy="compute with torch functions all the way: gradients follow tensors only",
            )
        if not value.is_floating_point():
            raise UsageError(
                f"returns numbers of type {str(value.dtype).removeprefix('torch.')}",
                key=self.name,
                remedy="return real floating-point numbers, such as abs() of complex ones",
            )
        return value

    def scalar(self, flat: torch.Tensor) -> torch.Tensor:
        """Evaluate a function that must return one number."""
        value = self(flat)
        if value.numel() != 1:
            raise UsageError(
                f"returns a tensor of shape {tuple(value.shape)}, not one number",
                key=self.name,
                remedy="sum it up, or give the residuals to least_squares",
            )
        return value.reshape(())

    def value_and_gradient(
        self, place: FloatArray, scalar: Callable[[torch.Tensor], torch.Tensor] | None = None
    ) -> tuple[float, FloatArray]:
        """Value and exact gradient, by reverse-mode differentiation, at a flat vector.

        Parameters
        ----------
        place : array, shape (size,)
        scalar : callable, optional
            Evaluates one number from the flat tensor; the function itself if None.

        Returns
        -------
        value : float
        gradient : array, shape (size,)

        Raises
        ------
        UsageError
            If the value does not depend on the parameters, or value or gradient is not a number.
        """
        flat = self.at(place).requires_grad_()
        value = (scalar or self.scalar)(flat)
        self.require_graph(value)
        (gradient,) = torch.autograd.grad(value, flat, materialize_grads=True)
        # One transfer for both.
        together = torch.cat([value.detach().reshape(1), gradient]).to("cpu", torch.float64).numpy()
        self.require_numbers(together[:1], place, "value")
        if np.isfinite(together[0]):
            self.require_numbers(together[1:], place, "gradient")
        return float(together[0]), together[1:]

    def value(self, place: FloatArray) -> float:
        """Value at a flat vector, for methods without gradients."""
        with torch.no_grad():
            value = float(self.scalar(self.at(place)))
        self.require_numbers(np.array([value]), place, "value")
        return value

    def hessian(self, place: FloatArray) -> FloatArray:
        """Second derivatives at a flat vector, one reverse pass a row; shape (size, size)."""
        found = torch.autograd.functional.hessian(self.scalar, self.at(place))  # type: ignore[no-untyped-call]
        return np.asarray(found.to("cpu", torch.float64).numpy())

    def hessian_product(self, place: FloatArray, direction: FloatArray) -> FloatArray:
        """Second derivatives times a vector, by differentiating the gradient along it; shape (size,)."""
        both = torch.autograd.functional.vhp(self.scalar, self.at(place), self.at(direction))  # type: ignore[no-untyped-call]
        product = both[1]
        return np.asarray(product.to("cpu", torch.float64).numpy())

    def require_graph(self, value: torch.Tensor) -> None:
        """Refuse a value that does not follow from the parameters."""
        if not value.requires_grad:
            raise UsageError(
                "does not depend on its parameters through torch",
                key=self.name,
                remedy="leave out detach(), item(), numpy(), torch.tensor(...) and no_grad between x and the result",
            )

    def require_numbers(self, found: FloatArray, place: FloatArray, what: str) -> None:
        """Refuse NaN in a value or a gradient; an infinite value is a wall that a minimiser turns back from."""
        bad = np.isnan(found) if what == "value" else ~np.isfinite(found)
        if not bad.any():
            return
        where = ", ".join(f"{label} = {x:.6g}" for label, x in list(zip(self.layout.labels, place, strict=True))[:4])
        of = f"derivative by {self.layout.labels[int(np.flatnonzero(bad)[0])]}" if what == "gradient" else what
        raise UsageError(
            f"the {of} is not a number at {where}" + (", ..." if self.layout.size > 4 else ""),
            key=self.name,
            remedy="keep x where the function is defined with bounds=, and roots and logarithms off zero",
        )

    def _explained(self, error: Exception) -> UsageError:
        """What to do about an error of torch that users meet when they come from NumPy."""
        text = " ".join(str(error).split())
        remedies = {
            "numpy() on": "use torch functions, np.* cannot follow gradients",
            "resolve_conj": "use torch functions, np.* cannot follow gradients",
            "same device": f"x is on {self.device.type}: pass tensors as data=, they are moved there, or set device=",
            "positional argument": "a function takes the parameters, and the data if data= is given",
        }
        known = (advice for sign, advice in remedies.items() if sign in text)
        return UsageError(f"fails: {text[:200]}", key=self.name, remedy=next(known, None))


def checked_dtype(dtype: torch.dtype) -> torch.dtype:
    """Pass a precision on that the derivatives can have; a UsageError for any other."""
    if dtype not in _COMPLEX:
        raise UsageError("is not supported", key="dtype", value=dtype, remedy="use torch.float64 or torch.float32")
    return dtype
