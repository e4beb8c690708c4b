"""Checks of arrays that callers hand to the simulator."""

from __future__ import annotations

import torch
from numpy.typing import ArrayLike

from oofpy.errors import UsageError

Values = torch.Tensor | ArrayLike


def checked_tensor(
    key: str, values: Values, shape: tuple[int, ...], device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Turn numbers into a tensor.

    Parameters
    ----------
    key : str
        Name of the argument.
    values : Tensor or array
        The numbers.
    shape : tuple of int
        What the shape must be; -1 stands for any size.
    device : device
        Where the tensor shall live.

    Returns
    -------
    Tensor
        In double precision.

    Raises
    ------
    UsageError
        If the shape does not fit, or a value is not a finite number.
    """
    try:
        tensor = torch.as_tensor(values, dtype=torch.float64, device=device)
    except (TypeError, ValueError) as error:
        raise UsageError(f"these are not numbers in a regular array: {error}", key=key) from None
    fits = tensor.ndim == len(shape) and all(
        wanted in (-1, found) for found, wanted in zip(tensor.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if size == -1 else str(size) for size in shape)
        raise UsageError(
            "the shape does not fit",
            key=key,
            value=tuple(tensor.shape),
            remedy=f"give an array of shape ({wanted})",
        )
    if not bool(torch.isfinite(tensor).all()):
        raise UsageError("a value is not finite", key=key, remedy="give finite numbers only")
    return tensor
