"""Curvature of the cost: products of derivatives summed over samples or nodes, map by map, then over the maps."""

from __future__ import annotations

import torch


def scatter_curvature(per_map: torch.Tensor, place: torch.Tensor, free: int) -> torch.Tensor:
    """Add the matrices of the maps, shape (batch, maps, columns, columns), into one over the free parameters."""
    batch = per_map.shape[0]
    total = per_map.new_zeros(batch, (free + 1) ** 2)
    target = (place[:, :, None] * (free + 1) + place[:, None, :]).reshape(-1)
    total.index_add_(1, target, per_map.reshape(batch, -1))
    return total.reshape(batch, free + 1, free + 1)[:, :free, :free]


def projected_curvature(
    jacobian: torch.Tensor, gain: torch.Tensor, linear_columns: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Curvature of every map by its derivative columns, the eliminated parameters projected out.

    Parameters
    ----------
    jacobian : Tensor, shape (batch, maps, columns, points)
        Derivatives of the model maps.
    gain : Tensor, shape (batch, maps)
    linear_columns : Tensor, shape (batch, maps, linear, points)
        Model map and background shapes.
    weights : Tensor, shape (batch, maps, points)

    Returns
    -------
    Tensor, shape (batch, maps, columns, columns), double precision
    """
    stack = torch.cat([jacobian, linear_columns.to(jacobian.dtype)], dim=2)
    # In single precision the weights alone may be out of range; their scale is put back in double precision.
    largest = weights.abs().amax((-1, -2), keepdim=True).clamp(min=1e-300)
    gram = ((stack * (weights / largest).to(stack.dtype)[:, :, None]) @ stack.transpose(-1, -2)).double()
    gram = gram * largest[..., None]
    count = jacobian.shape[2]
    own, mixed, inner = gram[..., :count, :count], gram[..., :count, count:], gram[..., count:, count:]
    root = inner.diagonal(dim1=-2, dim2=-1).abs().clamp(min=1e-300).rsqrt()
    scaled = inner * root[..., None] * root[..., None, :]
    scaled = scaled + 1e-9 * torch.eye(scaled.shape[-1], dtype=scaled.dtype, device=scaled.device)
    mixed = mixed * root[..., None, :]
    explained, _ = torch.linalg.solve_ex(scaled, mixed.transpose(-1, -2))
    projected: torch.Tensor = (own - mixed @ explained) * gain[..., None, None].square()
    return projected
