"""Named parameters as one flat vector, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.errors import UsageError

FloatArray = NDArray[np.float64]
Start = Any  # an array, a tensor, a list of numbers, or a mapping of names to these


@dataclass(frozen=True)
class ParameterLayout:
    """Where each named parameter stands in the flat vector.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        In the order of the vector.
    named : bool
        Whether the function takes a dict; one without names takes a tensor of the only shape.
    """

    shapes: Mapping[str, tuple[int, ...]]
    named: bool

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of every element: `amplitude`, or `c[0]`, `c[1]`; of a start without names `x[0]`, `x[1]`."""
        return tuple(
            name + (f"[{', '.join(map(str, place))}]" if shape else "")
            for name, shape in self.shapes.items()
            for place in np.ndindex(*shape)
        )

    def tensors(self, flat: torch.Tensor) -> Any:
        """What the function takes: a tensor, or a dict of tensors; views of the flat vector."""
        parts = torch.split(flat, [math.prod(shape) for shape in self.shapes.values()])
        made = {name: part.reshape(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}
        return made if self.named else next(iter(made.values()))

    def values(self, flat: FloatArray) -> Any:
        """Parameters for people: arrays of the shapes of the start, numbers where it had numbers."""
        tensors = self.tensors(torch.as_tensor(np.array(flat, np.float64)))
        if not self.named:
            return tensors.numpy()
        return {name: tensor.numpy() if tensor.ndim else tensor.item() for name, tensor in tensors.items()}


def layout_of(x0: Start) -> tuple[ParameterLayout, FloatArray]:
    """Layout and flat vector of a start.

    Parameters
    ----------
    x0 : array-like, Tensor, or mapping of str to these

    Returns
    -------
    layout : ParameterLayout
    flat : array

    Raises
    ------
    UsageError
        If it is empty, not of real numbers, or not finite.
    """
    arrays = _arrays(x0, "x0")
    layout = ParameterLayout({name: array.shape for name, array in arrays.items()}, isinstance(x0, Mapping))
    if layout.size == 0:
        raise UsageError("holds no parameter", key="x0")
    flat = np.concatenate([array.ravel() for array in arrays.values()])
    if not np.isfinite(flat).all():
        label = layout.labels[int(np.flatnonzero(~np.isfinite(flat))[0])]
        raise UsageError(f"{label} is not finite", key="x0", remedy="start from finite numbers")
    return layout, flat


def _arrays(given: Start, key: str) -> dict[str, FloatArray]:
    named = given if isinstance(given, Mapping) else {"x": given}
    arrays = {}
    for name, value in named.items():
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu().numpy()
        try:
            array = np.asarray(value)
            if array.dtype.kind not in "iuf":
                raise TypeError
        except (TypeError, ValueError):
            place = f"{key}[{name!r}]" if isinstance(given, Mapping) else key
            raise UsageError("is not an array of real numbers", key=place) from None
        arrays[str(name)] = array.astype(np.float64)
    return arrays


def flat_bounds(bounds: Any, layout: ParameterLayout) -> tuple[FloatArray, FloatArray]:
    """Lower and upper bounds as flat vectors, infinite where there are none.

    Parameters
    ----------
    bounds : None, (lower, upper), or mapping of str to (lower, upper)
        Numbers or arrays of the shape of the parameter; a mapping may leave names out, and None is no bound.
    layout : ParameterLayout

    Returns
    -------
    lower, upper : array

    Raises
    ------
    UsageError
        If a name is unknown, a shape wrong, or a lower bound not below the upper one.
    """
    pairs = dict(bounds) if isinstance(bounds, Mapping) else dict.fromkeys(layout.shapes, bounds)
    if unknown := sorted(set(pairs) - set(layout.shapes)):
        raise UsageError(f"no parameter {unknown[0]}", key="bounds", remedy=f"known: {', '.join(layout.shapes)}")
    sides: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    for name, shape in layout.shapes.items():
        pair = (None, None) if pairs.get(name) is None else pairs[name]
        try:
            ends = zip(pair, (-math.inf, math.inf), strict=True)
            low, high = (np.asarray(default if end is None else end, np.float64) for end, default in ends)
            for side, end in zip(sides, (low, high), strict=True):
                side.append(np.broadcast_to(end, shape).ravel())
        except (TypeError, ValueError):
            raise UsageError(
                f"{name}: not a pair of lower and upper bound",
                key="bounds",
                remedy="give (lower, upper), numbers or arrays of the parameter's shape",
            ) from None
    lower, upper = (np.concatenate(side) for side in sides)
    if not (lower < upper).all():
        label = layout.labels[int(np.flatnonzero(~(lower < upper))[0])]
        raise UsageError(f"{label}: the lower bound is not below the upper one", key="bounds")
    return lower, upper
