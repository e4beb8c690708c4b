"""Phase over the aperture that is known beforehand: corrections on the dish, a near source, a measured static path."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from oofpy.errors import ConfigurationError
from oofpy.observing import AppliedCorrection, Observing
from oofpy.optics.defocus import interpolated, static_path_image, within_rim
from oofpy.optics.zernike import ZernikeTerm, zernike_basis, zernike_terms
from oofpy.telescope import Geometry
from oofpy.telescope.path_tables import PathMap

_SLOPE_POINTS = 17
_PROJECTION_POINTS = 65
_CONTINUED_ORDER = 5
_LEAST_COVERED = 0.9


def fixed_phase(
    observing: Sequence[Observing],
    geometry: Geometry,
    x_m: torch.Tensor,
    y_m: torch.Tensor,
    wavenumber_per_m: torch.Tensor,
) -> torch.Tensor:
    """Phase of everything that is known and not fitted.

    Parameters
    ----------
    observing : sequence (observations) of Observing
        How each was taken.
    geometry : Geometry
    x_m, y_m : Tensor, shape (y, x), metres
        Aperture coordinates.
    wavenumber_per_m : Tensor, shape (observations,), 1/m
        2 pi / lambda at the centre of the band.

    Returns
    -------
    Tensor, shape (observations, 1, y, x), radians
        Positive for a longer path.
    """
    static = static_path_image(geometry, x_m, y_m)
    phases = []
    for one, k in zip(observing, wavenumber_per_m.tolist(), strict=True):
        phase = torch.zeros_like(x_m) if static is None else k * static
        if one.source_distance_m is not None:
            phase = phase + k * near_field_path(geometry, x_m, y_m, one.source_distance_m)
        if one.applied is not None:
            phase = phase - applied_phase(one.applied, geometry.dish_radius_m, x_m, y_m, k)
        phases.append(phase)
    return torch.stack(phases)[:, None]


def near_field_path(geometry: Geometry, x_m: torch.Tensor, y_m: torch.Tensor, distance_m: float) -> torch.Tensor:
    """Path from a source at a finite distance beyond that from one at infinity.

    `sqrt(r^2 + (d - z)^2) - (d - z)`, with `z = (x^2 + (y + y0)^2) / 4 F_p` the height above the vertex at which the
    ray meets the paraboloid, y0 being the offset of its axis: to first order the Fresnel term r^2 / 2d.

    Parameters
    ----------
    geometry : Geometry
        For tabulated mirrors, whose primary is not known, the height is left out.
    x_m, y_m : Tensor, shape (y, x), metres
        Aperture coordinates.
    distance_m : float, metres
        Distance d of the source, ahead of the centre of the aperture, from the plane through the vertex of the
        primary.

    Returns
    -------
    Tensor, shape (y, x), metres
        Positive: what comes to the rim has the longer way.
    """
    r_squared = x_m.square() + y_m.square()
    height = torch.zeros_like(r_squared)
    if geometry.primary_focal_length_m is not None:
        offset = geometry.axis_offset_m or 0.0
        height = (x_m.square() + (y_m + offset).square()) / (4 * geometry.primary_focal_length_m)
    away = distance_m - height
    # The difference of two long paths, without cancellation.
    return r_squared / (torch.sqrt(r_squared + away.square()) + away)


def applied_phase(
    applied: AppliedCorrection, dish_radius_m: float, x_m: torch.Tensor, y_m: torch.Tensor, wavenumber_per_m: float
) -> torch.Tensor:
    """Phase that a correction on the dish takes away, shape (y, x), radians."""
    phase = torch.zeros_like(x_m)
    if applied.coefficients:
        terms = tuple(ZernikeTerm(n, l) for n, l, _ in applied.coefficients)
        values = x_m.new_tensor([value for _, _, value in applied.coefficients])
        phase = phase + torch.tensordot(values, zernike_basis(x_m / dish_radius_m, y_m / dish_radius_m, terms), dims=1)
    if applied.surface_m is not None:
        phase = phase + 2 * wavenumber_per_m * _continued(applied, dish_radius_m, x_m, y_m)
    return phase


def applied_coefficients(
    applied: AppliedCorrection, dish_radius_m: float, terms: tuple[ZernikeTerm, ...], wavenumber_per_m: float
) -> torch.Tensor:
    """Coefficients of the terms that together come closest to a correction over the full dish, shape (terms,), radians.

    Piston and tilt, where they are not among the terms, are fitted beside them.
    """
    axis = torch.linspace(-dish_radius_m, dish_radius_m, _PROJECTION_POINTS, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    within = torch.hypot(x, y) <= dish_radius_m
    phase = applied_phase(applied, dish_radius_m, x, y, wavenumber_per_m)[within]
    every = (*terms, *(term for term in zernike_terms(1, 0) if term not in terms))
    basis = zernike_basis(x[within] / dish_radius_m, y[within] / dish_radius_m, every)
    found: torch.Tensor = torch.linalg.lstsq(basis.T, phase[:, None]).solution[: len(terms), 0]
    return found


def _continued(applied: AppliedCorrection, dish_radius_m: float, x_m: torch.Tensor, y_m: torch.Tensor) -> torch.Tensor:
    """Values of an image over the dish at any points, also beyond the rim, where the band-limited mask asks for them.

    The low orders of the image are continued as polynomials; of what is left, splines run between the pixels, and the
    nearest number stands in for what is missing.
    """
    terms, coefficients, left = _parted(applied, dish_radius_m)
    smooth = zernike_basis(x_m / dish_radius_m, y_m / dish_radius_m, terms)
    rest = interpolated(left, *within_rim(x_m, y_m, dish_radius_m))[0]
    continued: torch.Tensor = torch.tensordot(coefficients.to(x_m), smooth, dims=1) + rest
    return continued


# The model, the starts, the summary of every order and the images ask for the same image on their own pixels.
@lru_cache(maxsize=4)
def _parted(applied: AppliedCorrection, dish_radius_m: float) -> tuple[tuple[ZernikeTerm, ...], torch.Tensor, PathMap]:
    """Part the image of a correction into low orders and the rest; what stands beyond the rim does not count."""
    axis_m, image = applied.axis_m, applied.surface_m
    assert axis_m is not None
    assert image is not None
    radius = np.hypot(axis_m, axis_m[:, None])
    rows, columns = np.nonzero(np.isfinite(image) & (radius <= dish_radius_m))
    covered = float(radius[rows, columns].max(initial=0.0))
    if covered < _LEAST_COVERED * dish_radius_m:
        raise ConfigurationError(
            f"the image holds numbers to {covered:.4g} m from the centre of a dish of radius {dish_radius_m:.4g} m",
            key="observing.applied",
            remedy="check its axes (CDELT, CUNIT), or give an image of the whole dish",
        )
    order = max(n for n in range(_CONTINUED_ORDER + 1) if n == 0 or 4 * len(zernike_terms(n, 0)) <= rows.size)
    terms = zernike_terms(order, 0)
    at_pixels = zernike_basis(
        torch.as_tensor(axis_m[columns] / dish_radius_m), torch.as_tensor(axis_m[rows] / dish_radius_m), terms
    )
    known = torch.as_tensor(image[rows, columns])
    coefficients = torch.linalg.lstsq(at_pixels.T, known[:, None]).solution[:, 0]
    left = np.full(image.shape, np.nan)
    left[rows, columns] = (known - coefficients @ at_pixels).numpy()
    return terms, coefficients, PathMap(axis_m, axis_m, left[None])


def fixed_slope_beams(observing: Observing, geometry: Geometry, beam_rad: float) -> float:
    """Steepest known phase over the dish, in cycles a dish diameter.

    Taken between points a sixteenth of the diameter apart, since what is finer, such as the panels in the image of a
    correction, is small and scatters its share of the beam out of the maps.
    """
    radius = geometry.dish_radius_m
    axis = torch.linspace(-radius, radius, _SLOPE_POINTS, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    wavenumber = torch.tensor([math.pi / (radius * beam_rad)], dtype=torch.float64)
    phase = fixed_phase([observing], geometry, x, y, wavenumber)[0, 0]
    within = torch.hypot(x, y) <= radius
    steps = [phase.diff(dim=0)[within[1:] & within[:-1]], phase.diff(dim=1)[within[:, 1:] & within[:, :-1]]]
    return max(float(step.abs().max()) for step in steps) / (2 * math.pi) * (_SLOPE_POINTS - 1)
