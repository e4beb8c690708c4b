"""Where tensors live."""

from __future__ import annotations

import torch

from oofpy.errors import UsageError


def choose_device(name: str) -> torch.device:
    """Resolve the name of a device.

    Parameters
    ----------
    name : str
        `cpu`, `cuda`, one of several such as `cuda:1`, or `auto`, which takes CUDA where there is one.

    Returns
    -------
    device

    Raises
    ------
    UsageError
        If CUDA is asked for and absent, or the name means nothing.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError("is not known", key="device", value=name, remedy="choose cpu, cuda or auto") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "this machine has no CUDA device that torch can use",
            key="device",
            value=name,
            remedy="use --device cpu or auto",
        )
    return device
