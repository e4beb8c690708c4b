"""Phase over the aperture that is known beforehand: corrections on the dish, a near source, a measured static path."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import scipy.interpolate
import torch
from numpy.typing import NDArray

from oofpy.observing import AppliedCorrection, Observing
from oofpy.optics.defocus import static_path_image
from oofpy.optics.zernike import ZernikeTerm, zernike_basis
from oofpy.telescope import Geometry

FloatArray = NDArray[np.float64]


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

    `sqrt(r^2 + (d - z)^2) - (d - z)`, with z = r^2 / 4 F_p the depth of the paraboloid where the ray meets it: to first
    order the Fresnel term r^2 / 2d.

    Parameters
    ----------
    geometry : Geometry
        An on-axis paraboloid; for others the depth is left out.
    x_m, y_m : Tensor, shape (y, x), metres
        Aperture coordinates.
    distance_m : float, metres
        Distance d of the source from the vertex, or without a paraboloid from the plane of the aperture.

    Returns
    -------
    Tensor, shape (y, x), metres
        Positive: what comes to the rim has the longer way.
    """
    r_squared = x_m.square() + y_m.square()
    depth = torch.zeros_like(r_squared)
    if geometry.kind in ("prime-focus", "cassegrain", "gregorian"):
        assert geometry.primary_focal_length_m is not None
        depth = r_squared / (4 * geometry.primary_focal_length_m)
    away = distance_m - depth
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
    if applied.axis_m is not None and applied.surface_m is not None:
        surface = _interpolated(applied.axis_m, applied.surface_m, x_m[0].cpu().numpy(), y_m[:, 0].cpu().numpy())
        phase = phase + 2 * wavenumber_per_m * torch.as_tensor(surface, device=x_m.device)
    return phase


def _interpolated(axis_m: FloatArray, image: FloatArray, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
    """Bicubic values of an image on other axes; beyond its edge those of the edge, and zero where it is NaN."""
    order = min(3, axis_m.size - 1)
    spline = scipy.interpolate.RectBivariateSpline(axis_m, axis_m, np.nan_to_num(image), kx=order, ky=order)
    inside = [np.clip(axis, axis_m[0], axis_m[-1]) for axis in (y_m, x_m)]
    return np.asarray(spline(*inside), np.float64)


def fixed_slope_beams(observing: Observing, geometry: Geometry, beam_rad: float) -> float:
    """Steepest known phase over the dish, in cycles a dish diameter; corrections are taken as smooth."""
    if observing.source_distance_m is None:
        return 0.0
    rim = geometry.dish_radius_m
    return rim / math.hypot(rim, observing.source_distance_m) / beam_rad
