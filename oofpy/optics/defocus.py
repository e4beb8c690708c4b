"""Path added by a move of the subreflector (prime focus: of the feed) along the axis.

Every path here is a polynomial in the move dz with images over the aperture as coefficients,
`delta(x, y; dz) = sum over p of dz^p D_p(x, y)`, p = 1, 2, 3. Plain geometries have D_1 only.
A positive dz is a move away from the primary; a positive delta is a longer path.
"""

from __future__ import annotations

import torch

from oofpy.telescope import Geometry


def defocus_images(geometry: Geometry, x_m: torch.Tensor, y_m: torch.Tensor) -> torch.Tensor:
    """Images D_p of the path polynomial of a telescope.

    Parameters
    ----------
    geometry : Geometry
        Kind, focal lengths, residual path of a shaped dish.
    x_m, y_m : Tensor, shape (y, x), metres
        Aperture coordinates.

    Returns
    -------
    Tensor, shape (powers, y, x), metres^(1 - p)
        D_1, or D_1 to D_3 for a shaped dish with a polynomial residual.
    """
    r = torch.hypot(x_m, y_m)
    per_metre = _axial_factor(r, geometry.primary_focal_length_m)
    if geometry.kind != "prime-focus":
        assert geometry.effective_focal_length_m is not None
        per_metre = per_metre + _axial_factor(r, geometry.effective_focal_length_m)
    if geometry.residual_path is None:
        return per_metre[None]
    # The residual is fitted out to the rim only; beyond it, where the band-limited mask asks for values too,
    # its high powers would run away (SRT: 14 mm at 1.2 R). The kink that this makes costs the SRT's beams at
    # 27 mm 1e-4 to 4e-4 of their own peak at 40 to 64 pixels, about what a smooth continuation costs.
    r = r.clamp(max=geometry.dish_radius_m)
    images = torch.zeros((3, *r.shape), dtype=r.dtype, device=r.device)
    rows = geometry.residual_path.coefficients
    for row_number, row in enumerate(rows):
        power_of_r = r ** (len(rows) - row_number)
        for column, coefficient in enumerate(row):
            images[2 - column] += coefficient * power_of_r
    images[0] += per_metre
    return images


def _axial_factor(r: torch.Tensor, focal_length_m: float) -> torch.Tensor:
    """Cosine of the angle at which the focus sees the aperture point: (1 - a^2) / (1 + a^2), a = r / 2F."""
    a_squared = (r / (2 * focal_length_m)) ** 2
    return (1 - a_squared) / (1 + a_squared)


def defocus_path(images: torch.Tensor, defocus_m: torch.Tensor) -> torch.Tensor:
    """Path for given moves.

    Parameters
    ----------
    images : Tensor, shape (powers, y, x)
        From `defocus_images`.
    defocus_m : Tensor, any shape, metres
        Moves dz.

    Returns
    -------
    Tensor, shape (*defocus_m.shape, y, x), metres
    """
    return _combine([defocus_m ** (p + 1) for p in range(images.shape[0])], images)


def defocus_path_rate(images: torch.Tensor, defocus_m: torch.Tensor) -> torch.Tensor:
    """Derivative of the path by the move, for given moves; shape (*defocus_m.shape, y, x), dimensionless."""
    return _combine([(p + 1) * defocus_m**p for p in range(images.shape[0])], images)


def _combine(factors: list[torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    path: torch.Tensor = torch.tensordot(torch.stack(factors, dim=-1), images, dims=1)
    return path
