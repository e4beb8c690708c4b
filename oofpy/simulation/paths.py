"""Paths over the aperture that do not depend on the surface: moves, shaped mirrors, near field, applied correction."""

from __future__ import annotations

import math

import torch

from oofpy.errors import ConfigurationError
from oofpy.observing import Observing
from oofpy.optics.defocus import defocus_images, defocus_path, lateral_images, static_path_image, steepest_path
from oofpy.optics.fixed_phase import applied_phase, near_field_path
from oofpy.simulation.moves import Moves
from oofpy.telescope import Geometry

# Pixels across the dish on which the slope of a path is measured.
_SLOPE_PIXELS = 257


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
        wavenumber = 2 * math.pi / wavelength_m
        path = path - applied_phase(observing.applied, geometry.dish_radius_m, x, y, wavenumber) / wavenumber
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
        _require_ahead(geometry, observing.source_distance_m)
        paths.append(near_field_path(geometry, x, y, observing.source_distance_m)[None])
    return paths


def _require_ahead(geometry: Geometry, distance_m: float) -> None:
    """Refuse a source within the dish."""
    nearest = geometry.dish_radius_m
    if geometry.primary_focal_length_m is not None:
        highest = geometry.dish_radius_m + (geometry.axis_offset_m or 0.0)
        nearest = max(nearest, highest**2 / (2 * geometry.primary_focal_length_m))
    if distance_m < nearest:
        raise ConfigurationError(
            "is too close to the dish to be simulated",
            key="observing.source_distance",
            value=f"{distance_m:g} m",
            remedy=f"it must be at least {nearest:g} m",
        )


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
