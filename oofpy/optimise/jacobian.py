"""Derivatives of many residuals by few parameters, or of few by many."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch.func import jvp, vjp, vmap

Function = Callable[[torch.Tensor], torch.Tensor]

# Bytes of tangents that are pushed through a function at a time. What the function holds on the way is several times
# that; the caches of a CPU are smaller, and a GPU is busy with less.
_CHUNK_BYTES = 2**28


def jacobian(function: Function, place: torch.Tensor, size: int) -> torch.Tensor:
    """Exact derivatives of a function, forward or in reverse, whichever takes fewer passes.

    Parameters
    ----------
    function : callable
        Takes a vector and returns a vector.
    place : Tensor, shape (parameters,)
    size : int
        Length of what the function returns.

    Returns
    -------
    Tensor, shape (size, parameters)
    """
    if size < place.numel():
        return _by_rows(function, place, size)
    try:
        return _by_columns(function, place, size)
    except NotImplementedError:
        # Some functions of torch have no forward derivative; the reverse of the reverse is one, at twice the cost.
        return _by_double_reverse(function, place)


def _by_columns(function: Function, place: torch.Tensor, size: int) -> torch.Tensor:
    def column(direction: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = jvp(function, (place,), (direction,))[1]
        return found

    directions = torch.eye(place.numel(), dtype=place.dtype, device=place.device)
    at_a_time = max(1, _CHUNK_BYTES // (size * place.element_size()))
    with warnings.catch_warnings():
        # torch 2.13 prepares its forward derivatives, once, by a way that it warns of itself.
        warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
        columns: torch.Tensor = vmap(column, chunk_size=at_a_time)(directions)
    return columns.T


def _by_rows(function: Function, place: torch.Tensor, size: int) -> torch.Tensor:
    pull = vjp(function, place)[1]
    rows: torch.Tensor = vmap(pull)(torch.eye(size, dtype=place.dtype, device=place.device))[0]
    return rows


def _by_double_reverse(function: Function, place: torch.Tensor) -> torch.Tensor:
    place = place.detach().requires_grad_()
    cotangent = torch.zeros_like(function(place)).requires_grad_()
    (pulled,) = torch.autograd.grad(function(place), place, cotangent, create_graph=True)
    columns = [
        torch.autograd.grad(element, cotangent, retain_graph=True, materialize_grads=True)[0] for element in pulled
    ]
    return torch.stack(columns, dim=1).detach()
