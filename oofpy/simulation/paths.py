"""Paths over the aperture that do not depend on the surface: moves, shaped mirrors, near field, applied correction."""

from __future__ import annotations

import math

import numpy as np
import scipy.interpolate
import torch

from oofpy.errors import ConfigurationError
from oofpy.observing import AppliedCorrection, Observing
from oofpy.optics.defocus import defocus_images, defocus_path, lateral_images, static_path_image, steepest_path
from oofpy.optics.zernike import ZernikeTerm, zernike_basis
from oofpy.simulation.moves import Moves
from oofpy.telescope import Geometry

# Pixels across the dish on which the slope of a path is measured.
_SLOPE_PIXELS = 257
_CENTRED = ("prime-focus", "cassegrain", "gregorian")


def path_images(
    geometry: Geometry,
    moves: Moves,
    observing: Observing,
    wavelength_m: float,
    mesh_m: tuple[torch.Tensor, torch.Tensor],
) -> torch.Tensor:
    """Path of every map beside that of the surface.

    Parameters
    ----------
    geometry : Geometry
        Of the telescope.
    moves : Moves
        Of the subreflector.
    observing : Observing
        Distance of the source and correction on the dish.
    wavelength_m : float, metres
        At the centre of the band, where the phases of the correction count.
    mesh_m : (Tensor, Tensor), shape (y, x), metres
        Coordinates x, y of the aperture.

    Returns
    -------
    Tensor, shape (maps, y, x), metres
        Positive for a longer path; times the wave number it is a phase.

    Raises
    ------
    ConfigurationError
        For a source within the dish, and for a move across the axis of mirrors that have no formula for it.
    """
    x, y = mesh_m
    moved = torch.tensor(moves.true_defocus_m, dtype=torch.float64, device=x.device)
    path = defocus_path(defocus_images(geometry, x, y), moved)
    for more in _slow_paths(geometry, moves, observing, x, y):
        path = path + more
    if observing.applied is not None:
        path = path - applied_path(observing.applied, geometry.dish_radius_m, wavelength_m, x, y)
    return path


def _slow_paths(
    geometry: Geometry, moves: Moves, observing: Observing, x: torch.Tensor, y: torch.Tensor
) -> list[torch.Tensor]:
    """Paths that vary slowly over the dish, beside that of the defocus; of shape (maps or 1, y, x)."""
    paths = []
    if any(value != 0 for pair in moves.lateral_m for value in pair):
        lateral = torch.tensor(moves.lateral_m, dtype=torch.float64, device=x.device)
        paths.append(torch.tensordot(lateral, lateral_images(geometry, x, y), dims=1))
    static = static_path_image(geometry, x, y)
    if static is not None:
        paths.append(static[None])
    if observing.source_distance_m is not None:
        paths.append(near_field_path(geometry, observing.source_distance_m, x, y)[None])
    return paths


def near_field_path(geometry: Geometry, distance_m: float, x_m: torch.Tensor, y_m: torch.Tensor) -> torch.Tensor:
    """Path that a source on the axis at a finite distance adds.

    Parameters
    ----------
    geometry : Geometry
        Of the telescope.
    distance_m : float, metres
        From the vertex of the primary; for an offset dish and for tabulated mirrors from the plane of the aperture.
    x_m, y_m : Tensor, shape (y, x), metres
        Aperture coordinates.

    Returns
    -------
    Tensor, shape (y, x), metres
        `sqrt(r^2 + (d - z)^2) - (d - z)` with the depth `z = r^2 / 4 F_p` of the paraboloid.

    Raises
    ------
    ConfigurationError
        If the source is not in front of the dish.
    """
    r_squared = x_m.square() + y_m.square()
    per_square = 0.0
    if geometry.kind in _CENTRED:
        assert geometry.primary_focal_length_m is not None
        per_square = 1 / (4 * geometry.primary_focal_length_m)
    nearest = max(geometry.dish_radius_m, 2 * geometry.dish_radius_m**2 * per_square)
    if distance_m < nearest:
        raise ConfigurationError(
            "is too close to the dish to be simulated",
            key="observing.source_distance",
            value=f"{distance_m:g} m",
            remedy=f"it must be at least {nearest:g} m",
        )
    ahead = distance_m - r_squared * per_square
    # The difference of two long paths, without taking it.
    return r_squared / (torch.sqrt(r_squared + ahead.square()) + ahead)


def applied_path(
    applied: AppliedCorrection, dish_radius_m: float, wavelength_m: float, x_m: torch.Tensor, y_m: torch.Tensor
) -> torch.Tensor:
    """Path that a correction on the dish takes away.

    Parameters
    ----------
    applied : AppliedCorrection
        Coefficients, and an image between whose pixels bicubic splines run; beyond them its border counts.
    dish_radius_m : float, metres
        Radius of the dish.
    wavelength_m : float, metres
        At which the coefficients are phases.
    x_m, y_m : Tensor, shape (y, x), metres
        Aperture coordinates.

    Returns
    -------
    Tensor, shape (y, x), metres
        Twice the half-path error.
    """
    path = torch.zeros_like(x_m)
    if applied.coefficients:
        terms = tuple(ZernikeTerm(n, l) for n, l, _ in applied.coefficients)
        phases = torch.tensor([phase for *_, phase in applied.coefficients], dtype=torch.float64, device=x_m.device)
        basis = zernike_basis(x_m / dish_radius_m, y_m / dish_radius_m, terms)
        path = torch.tensordot(phases, basis, dims=1) * (wavelength_m / (2 * math.pi))
    if applied.axis_m is not None and applied.surface_m is not None:
        degree = min(3, applied.axis_m.size - 1)
        spline = scipy.interpolate.RectBivariateSpline(
            applied.axis_m, applied.axis_m, np.nan_to_num(applied.surface_m), kx=degree, ky=degree
        )
        half_path = spline.ev(y_m.cpu().numpy(), x_m.cpu().numpy())
        path = path + 2 * torch.as_tensor(half_path, dtype=torch.float64, device=x_m.device)
    return path


def steepest_slope(geometry: Geometry, moves: Moves, observing: Observing) -> float:
    """Bound on the slope of the paths of all maps, surface and correction left out; metres per metre of aperture."""
    slope = steepest_path(geometry, torch.tensor(moves.true_defocus_m, dtype=torch.float64))
    radius = geometry.dish_radius_m
    axis = torch.linspace(-radius, radius, _SLOPE_PIXELS, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    within = torch.hypot(x, y)[1:-1, 1:-1] < radius
    for path in _slow_paths(geometry, moves, observing, x, y):
        rise_y = path[..., 2:, 1:-1] - path[..., :-2, 1:-1]
        rise_x = path[..., 1:-1, 2:] - path[..., 1:-1, :-2]
        slope += float(((torch.hypot(rise_x, rise_y) / (axis[2] - axis[0])) * within).max())
    return slope
