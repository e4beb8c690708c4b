"""Path added by a move of the subreflector (prime focus: of the feed), along the axis and across it.

Every axial path here is a polynomial in the move dz with images over the aperture as coefficients,
`delta(x, y; dz) = sum over p of dz^p D_p(x, y)`, p = 1, 2, 3. Plain geometries have D_1 only.
A positive dz is a move away from the primary; a positive delta is a longer path.

All formulas follow from one: moving a mirror by the vector d changes the path of a ray by `d . (k_in - k_out)`, with
the unit vectors along the ray before and after the mirror; moving the end of the ray, a feed, by `d . k_in`. With z
along the axis towards the sky, the ray from the primary at (x, y) to its focus is
`k_in = (-sin t1 x/r, -sin t1 y/r, cos t1)`, tan(t1/2) = r/2F_p. A Cassegrain subreflector stands before the focus, on
the same side of the axis as the primary's point, and sends the ray on along
`k_out = (-sin t2 x/r, -sin t2 y/r, -cos t2)`, tan(t2/2) = r/2F_eff; a Gregorian one stands behind it on the other side:
`k_out = (+sin t2 x/r, +sin t2 y/r, -cos t2)`.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from oofpy.errors import ConfigurationError
from oofpy.optics.zernike import ZernikeTerm, zernike_basis
from oofpy.telescope import Geometry, PathMap, ResidualPath

# Rings and spokes on which slopes and ranges of a path are taken.
_RINGS, _SPOKES = 64, 64


def defocus_images(geometry: Geometry, x_m: torch.Tensor, y_m: torch.Tensor) -> torch.Tensor:
    """Images D_p of the path polynomial of a telescope.

    Parameters
    ----------
    geometry : Geometry
        Kind, focal lengths, residual path.
    x_m, y_m : Tensor, shape (y, x), metres
        Aperture coordinates.

    Returns
    -------
    Tensor, shape (powers, y, x), metres^(1 - p)
        D_1, and as many more as the residual path has powers.

    Raises
    ------
    ConfigurationError
        For a tabulated geometry without a table.
    """
    per_metre = None if geometry.kind == "tabulated" else _formula(geometry, x_m, y_m)
    residual = geometry.residual_path
    if residual is None or residual.powers == 0:
        if per_metre is None:
            raise ConfigurationError(
                "is unknown, and a tabulated geometry has no other path",
                key="geometry.residual_path",
                remedy="give the path per metre of dz as a polynomial, Zernike terms or a map",
            )
        return per_metre[None]
    images = _residual_images(residual, x_m, y_m, geometry.dish_radius_m)
    if per_metre is not None:
        images[0] += per_metre
    return images


def _formula(geometry: Geometry, x_m: torch.Tensor, y_m: torch.Tensor) -> torch.Tensor:
    """Path per metre of an axial move of plain mirrors."""
    assert geometry.primary_focal_length_m is not None
    if geometry.kind == "offset-gregorian":
        return _offset_formula(geometry, x_m, y_m, geometry.primary_tilt_rad, geometry.secondary_tilt_rad)
    r = torch.hypot(x_m, y_m)
    per_metre = _axial_factor(r, geometry.primary_focal_length_m)
    if geometry.kind != "prime-focus":
        assert geometry.effective_focal_length_m is not None
        per_metre = per_metre + _axial_factor(r, geometry.effective_focal_length_m)
    return per_metre


def _offset_formula(
    geometry: Geometry, x_m: torch.Tensor, y_m: torch.Tensor, primary_angle: float, secondary_angle: float
) -> torch.Tensor:
    """Path per metre of a move in the plane of symmetry of an offset Gregorian.

    The move lies at an angle to the axis of the paraboloid, towards -y, where that axis passes, and at another to the
    axis of the feed: `cos(angle) cos t + sin(angle) sin t y/r` for each, y/r from the axis concerned.
    """
    assert geometry.primary_focal_length_m is not None
    assert geometry.effective_focal_length_m is not None
    from_axis = y_m + geometry.axis_offset_m
    r1, r2 = torch.hypot(x_m, from_axis), torch.hypot(x_m, y_m)
    primary, effective = geometry.primary_focal_length_m, geometry.effective_focal_length_m
    return (
        math.cos(primary_angle) * _axial_factor(r1, primary)
        + math.sin(primary_angle) * from_axis * _lateral_factor(r1, primary)
        + math.cos(secondary_angle) * _axial_factor(r2, effective)
        + math.sin(secondary_angle) * y_m * _lateral_factor(r2, effective)
    )


def _axial_factor(r: torch.Tensor, focal_length_m: float) -> torch.Tensor:
    """Cosine of the angle at which the focus sees the aperture point: (1 - a^2) / (1 + a^2), a = r / 2F."""
    a_squared = (r / (2 * focal_length_m)) ** 2
    return (1 - a_squared) / (1 + a_squared)


def _lateral_factor(r: torch.Tensor, focal_length_m: float) -> torch.Tensor:
    """Sine of that angle over r: 1 / (F (1 + r^2 / 4F^2)), finite at r = 0."""
    return 1 / (focal_length_m * (1 + (r / (2 * focal_length_m)) ** 2))


def has_lateral_formula(geometry: Geometry) -> bool:
    """Whether `lateral_images` knows what a move across the axis does."""
    return geometry.kind != "tabulated"


def lateral_images(geometry: Geometry, x_m: torch.Tensor, y_m: torch.Tensor) -> torch.Tensor:
    """Path per metre of a move of the subreflector (prime focus: of the feed) across the axis.

    With `s(F) = sin t = (r/F) / (1 + r^2/4F^2)`, the general `d . (k_in - k_out)` gives for a move along x
    `-(x/r) s(F_p)` at a prime focus, to which a Cassegrain subreflector adds `+(x/r) s(F_eff)` and a Gregorian one
    `-(x/r) s(F_eff)`; along y alike. An offset Gregorian moves along x and along the line in its plane of symmetry
    that is perpendicular to dz, upwards for upright angles: with dz along (0, -sin phi0, cos phi0) this is
    (0, cos phi0, sin phi0), and the path `-cos phi0 sin t1 (y + offset)/r1 + sin phi0 cos t1` and the same with xi, t2,
    y/r2. What a shaped dish adds to it is not known and left out.

    Parameters
    ----------
    geometry : Geometry
        Kind and focal lengths.
    x_m, y_m : Tensor, shape (y, x), metres
        Aperture coordinates.

    Returns
    -------
    Tensor, shape (2, y, x), dimensionless
        Along +x and along +y; positive for a longer path.

    Raises
    ------
    ConfigurationError
        For a tabulated geometry.
    """
    if not has_lateral_formula(geometry):
        raise ConfigurationError(
            "has no formula for a move of the subreflector across the axis",
            key="geometry.kind",
            value=geometry.kind,
            remedy="leave the lateral moves out of the fit",
        )
    assert geometry.primary_focal_length_m is not None
    if geometry.kind == "offset-gregorian":
        return _offset_lateral(geometry, x_m, y_m)
    r = torch.hypot(x_m, y_m)
    slope = -_lateral_factor(r, geometry.primary_focal_length_m)
    if geometry.kind != "prime-focus":
        assert geometry.effective_focal_length_m is not None
        sign = 1 if geometry.kind == "cassegrain" else -1
        slope = slope + sign * _lateral_factor(r, geometry.effective_focal_length_m)
    return torch.stack([slope * x_m, slope * y_m])


def _offset_lateral(geometry: Geometry, x_m: torch.Tensor, y_m: torch.Tensor) -> torch.Tensor:
    assert geometry.primary_focal_length_m is not None
    assert geometry.effective_focal_length_m is not None
    r1 = torch.hypot(x_m, y_m + geometry.axis_offset_m)
    along_x = -x_m * (
        _lateral_factor(r1, geometry.primary_focal_length_m)
        + _lateral_factor(torch.hypot(x_m, y_m), geometry.effective_focal_length_m)
    )
    # A quarter turn of the move from dz: cos(angle - 90 deg) = sin(angle), sin(angle - 90 deg) = -cos(angle).
    quarter = math.pi / 2
    along_y = _offset_formula(
        geometry, x_m, y_m, geometry.primary_tilt_rad - quarter, geometry.secondary_tilt_rad - quarter
    )
    return torch.stack([along_x, along_y])


def _residual_images(
    residual: ResidualPath, x_m: torch.Tensor, y_m: torch.Tensor, dish_radius_m: float
) -> torch.Tensor:
    # A table holds to the rim only; beyond it, where the band-limited mask asks for values too, high powers would run
    # away (SRT: 14 mm at 1.2 R). The kink that this makes costs the SRT's beams at 27 mm 1e-4 to 4e-4 of their own
    # peak at 40 to 64 pixels, about what a smooth continuation costs.
    r = torch.hypot(x_m, y_m)
    images = torch.zeros((residual.powers, *r.shape), dtype=r.dtype, device=r.device)
    clamped = r.clamp(max=dish_radius_m)
    rows = residual.coefficients
    for row_number, row in enumerate(rows):
        power_of_r = clamped ** (len(rows) - row_number)
        for column, coefficient in enumerate(row):
            images[2 - column] += coefficient * power_of_r
    x, y = within_rim(x_m, y_m, dish_radius_m)
    if residual.zernike:
        terms = tuple(ZernikeTerm(term.n, term.l) for term in residual.zernike)
        basis = zernike_basis(x / dish_radius_m, y / dish_radius_m, terms)
        for term, image in zip(residual.zernike, basis, strict=True):
            images[term.power - 1] += term.value * image
    if residual.map is not None:
        found = interpolated(residual.map, x, y)
        images[: len(found)] += found
    return images


def within_rim(x_m: torch.Tensor, y_m: torch.Tensor, dish_radius_m: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Move points beyond the rim to the rim."""
    shrink = (dish_radius_m / torch.hypot(x_m, y_m).clamp(min=dish_radius_m)).clamp(max=1.0)
    return x_m * shrink, y_m * shrink


def static_path_image(geometry: Geometry, x_m: torch.Tensor, y_m: torch.Tensor) -> torch.Tensor | None:
    """Path that shaped mirrors add at every dz; None where there is none.

    Parameters
    ----------
    geometry : Geometry
        Its `static_path` and dish radius.
    x_m, y_m : Tensor, shape (y, x), metres
        Aperture coordinates; beyond the rim the path keeps its value at the rim.

    Returns
    -------
    Tensor, shape (y, x), metres, or None
        Positive for a longer path; it belongs into the phase as k times this.
    """
    if geometry.static_path is None:
        return None
    return interpolated(geometry.static_path, *within_rim(x_m, y_m, geometry.dish_radius_m))[0]


def interpolated(path_map: PathMap, x_m: torch.Tensor, y_m: torch.Tensor) -> torch.Tensor:
    """Values of a map between its pixels, by bicubic splines.

    Parameters
    ----------
    path_map : PathMap
        NaN in it counts as the nearest number.
    x_m, y_m : Tensor, any one shape, metres
        Where; outside the map the value at its border.

    Returns
    -------
    Tensor, shape (planes, *x_m.shape)
    """
    x, y = (axis.detach().cpu().numpy().ravel() for axis in (x_m, y_m))
    values = np.stack([spline.ev(y, x) for spline in _splines(path_map)])
    return torch.as_tensor(values, dtype=x_m.dtype, device=x_m.device).reshape(-1, *x_m.shape)


@lru_cache(maxsize=4)
def _splines(path_map: PathMap) -> tuple[Any, ...]:
    from scipy.interpolate import RectBivariateSpline
    from scipy.ndimage import distance_transform_edt

    splines = []
    for plane in path_map.planes:
        missing = ~np.isfinite(plane)
        nearest = distance_transform_edt(missing, return_distances=False, return_indices=True)
        splines.append(RectBivariateSpline(path_map.y_m, path_map.x_m, plane[tuple(nearest)]))
    return tuple(splines)


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


def steepest_path(geometry: Geometry, defocus_m: torch.Tensor) -> float:
    """Largest slope of the defocus path over the dish, its tilt included.

    Parameters
    ----------
    geometry : Geometry
        Whose path.
    defocus_m : Tensor, any shape, metres
        Moves dz; the steepest of all counts.

    Returns
    -------
    float
        Length of the gradient, metres of path per metre of aperture.
    """
    radius = geometry.dish_radius_m
    step = 1e-3 * radius
    x, y = _rings(radius - step)
    images = [
        defocus_images(geometry, x + right * step, y + up * step) for right, up in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    moves = defocus_m.detach().to("cpu", torch.float64).reshape(-1)
    along_x = defocus_path((images[0] - images[1]) / (2 * step), moves)
    along_y = defocus_path((images[2] - images[3]) / (2 * step), moves)
    return float(torch.hypot(along_x, along_y).max())


def _rings(outer_m: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Points on rings from the centre to a radius."""
    r = torch.linspace(0, outer_m, _RINGS, dtype=torch.float64)[:, None]
    angle = torch.arange(_SPOKES, dtype=torch.float64) * (2 * math.pi / _SPOKES)
    return r * angle.cos(), r * angle.sin()
