"""Make a correction: from the coefficients of a surface to the moves of points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.correction.points import AppliedMoves, MirrorPoints
from oofpy.correction.prediction import predict
from oofpy.correction.source import CorrectionSource, DishSurface
from oofpy.correction.values import (
    BoolArray,
    Correction,
    CorrectionAt,
    CorrectionSettings,
    PointMoves,
    PointStatus,
)
from oofpy.errors import UsageError
from oofpy.observing import AppliedCorrection
from oofpy.optics.aperture import open_area
from oofpy.optics.fixed_phase import applied_coefficients, applied_phase
from oofpy.optics.half_path import half_path_um, phase_of_half_path_rad
from oofpy.optics.zernike import ZernikeTerm, zernike_basis, zernike_terms
from oofpy.surface import SEPARATED_ORDER
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]

# Points so little beyond the rim still count as on it: drawings and effective radii differ by this much.
_BEYOND_RIM = 1e-3
_REACHES = 0.9
_SHADOW_PIXELS = 513


def correct(
    source: CorrectionSource,
    settings: CorrectionSettings,
    points: MirrorPoints | None = None,
    *,
    applied_moves: AppliedMoves | None = None,
    counted: bool = False,
    wavelengths_m: Sequence[float] = (),
) -> Correction:
    """Make the correction of a surface.

    What is left of the surface when the correction that is on the dish is taken off it is removed term by term: the
    increment. Where that correction holds more than the terms of the surface, the rest stays as it is, since nothing
    was measured of it. A half-path error of eps > 0, metal that lies too low, asks for a raise of eps, divided by what
    a raise does to the path (`Mirror.half_path_per_raise`).

    Parameters
    ----------
    source : CorrectionSource
        The surfaces.
    settings : CorrectionSettings
        How it is wanted.
    points : MirrorPoints, optional
        Where the mirror is moved. None: the correction is one of coefficients.
    applied_moves : AppliedMoves, optional
        Moves to which the increment is added for the total; in place of those that follow from the correction that
        the observation names.
    counted : bool
        Whether the source is of the dish without these moves, as a model is whose observations named them: they are
        then taken off it first.
    wavelengths_m : sequence of float, metres
        For which efficiencies are predicted, beside that of the observation.

    Returns
    -------
    Correction

    Raises
    ------
    UsageError
        If the mirror is not that of the dish, a term that is left out does not exist, or `counted` moves are those of
        too few points or contradict the observation.
    """
    _require_terms(source, settings)
    settings.mirror.require_usable(source.telescope.geometry)
    if counted:
        source = _with_moves_counted(source, settings, points, applied_moves)
    at = tuple(
        _correct_one(surface, settings, points, applied_moves, tuple(wavelengths_m)) for surface in source.surfaces
    )
    return Correction(source, settings, points, applied_moves, at, _notes(source, settings, points, applied_moves, at))


def _require_terms(source: CorrectionSource, settings: CorrectionSettings) -> None:
    known = {term for surface in source.surfaces for term in surface.terms}
    for term in settings.left_out:
        if term.n > 1 and term not in known:
            raise UsageError(
                "is not among the terms of the surface",
                key="--without",
                value=term.label,
                remedy=f"it has {', '.join(one.label for one in sorted(known))}",
            )


def _with_moves_counted(
    source: CorrectionSource, settings: CorrectionSettings, points: MirrorPoints | None, moves: AppliedMoves | None
) -> CorrectionSource:
    """Give surfaces that know of the moves on the mirror as of a correction that was on the dish."""
    if points is None or moves is None:
        raise UsageError("needs points and their applied moves", key="--applied-counted", remedy="give --applied TABLE")
    if not source.of_gravity:
        raise UsageError(
            "a result says itself which correction it was observed with",
            key="--applied-counted",
            remedy="leave it out, or fit with --set observing.applied=FILE",
        )
    surfaces, beyond = [], 0.0
    for surface in source.surfaces:
        applied, left = _as_coefficients(surface, settings, points, moves)
        surfaces.append(replace(surface, applied=applied))
        beyond = max(beyond, left)
    note = (
        f"the applied moves hold up to {beyond:.3g} um rms of half-path error beyond the terms of the model; this "
        "stays as it is, and is neither in the prediction nor in what is written for the next observation"
    )
    return replace(source, surfaces=tuple(surfaces), notes=(*source.notes, note))


def _as_coefficients(
    surface: DishSurface, settings: CorrectionSettings, points: MirrorPoints, moves: AppliedMoves
) -> tuple[AppliedCorrection, float]:
    """Fit terms to the half-path errors that moves take away; and give the rms of what is left, micrometres."""
    x, y, per_move = _in_aperture(surface.telescope, settings, points)
    within = _within(surface.telescope, x, y)
    radius = surface.telescope.geometry.dish_radius_m
    terms = tuple(sorted({*surface.terms, *zernike_terms(1, 0)}))
    modes = zernike_basis(torch.as_tensor(x[within] / radius), torch.as_tensor(y[within] / radius), terms).numpy()
    eps = (moves.at(points, surface.elevation_rad) * per_move)[within]
    found, _, rank, _ = np.linalg.lstsq(modes.T, eps, rcond=1e-6)
    if rank < len(terms):
        raise UsageError(
            f"{int(within.sum())} points cannot tell what their moves are of {len(terms)} terms",
            key="--applied-counted",
            remedy="give more points, spread over the dish",
        )
    phases = phase_of_half_path_rad(found, surface.phase_wavelength_m)
    coefficients = tuple((*term, phase) for term, phase in zip(terms, phases.tolist(), strict=True))
    left = float(np.sqrt(np.mean((eps - found @ modes) ** 2)))
    return AppliedCorrection(coefficients, origin=str(moves.source.path)), left


def _correct_one(
    surface: DishSurface,
    settings: CorrectionSettings,
    points: MirrorPoints | None,
    applied_moves: AppliedMoves | None,
    wavelengths_m: tuple[float, ...],
) -> CorrectionAt:
    wanted = np.array([0.0 if term in settings.left_out else settings.gain for term in surface.terms])
    increments = wanted * (surface.values_um - _applied_terms_um(surface))
    increment = dict(zip(surface.terms, increments.tolist(), strict=True))
    moves = None
    if points is not None:
        moves = _moves(surface, settings, points, applied_moves, increments, wanted)
    if wavelengths_m or surface.wavelength_m is None:
        every = tuple(dict.fromkeys([*([surface.wavelength_m] if surface.wavelength_m else []), *wavelengths_m]))
    else:
        every = (surface.wavelength_m,)
    prediction = predict(surface, increment, moves, settings.left_out, every)
    return CorrectionAt(surface, increment, _total(surface, increment), moves, prediction)


def _applied_terms_um(surface: DishSurface) -> FloatArray:
    """Coefficients of the correction on the dish, shape (terms of the surface,), micrometres of half-path error."""
    applied = surface.applied
    if applied is None:
        return np.zeros(len(surface.terms))
    wavelength_m = surface.phase_wavelength_m
    if applied.surface_m is None:
        given = {ZernikeTerm(n, l): phase for n, l, phase in applied.coefficients}
        return half_path_um(np.array([given.get(term, 0.0) for term in surface.terms]), wavelength_m)
    order = max(SEPARATED_ORDER, *(term.n for term in surface.terms))
    every = zernike_terms(order, 0)
    radius = surface.telescope.geometry.dish_radius_m
    found = applied_coefficients(applied, radius, every, 2 * math.pi / wavelength_m).numpy()
    return half_path_um(np.array([found[every.index(term)] for term in surface.terms]), wavelength_m)


def _total(surface: DishSurface, increment: dict[ZernikeTerm, float]) -> dict[ZernikeTerm, float] | None:
    if surface.applied is None:
        return dict(increment)
    if surface.applied.surface_m is not None:
        return None
    wavelength_m = surface.phase_wavelength_m
    total = {ZernikeTerm(n, l): half_path_um(phase, wavelength_m) for n, l, phase in surface.applied.coefficients}
    for term, value in increment.items():
        total[term] = total.get(term, 0.0) + value
    return dict(sorted(total.items()))


def _in_aperture(
    telescope: Telescope, settings: CorrectionSettings, points: MirrorPoints
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Give x, y of points in the aperture, and the half-path error that one unit of a move takes away."""
    geometry, mirror = telescope.geometry, settings.mirror
    x, y = mirror.in_aperture(points.x_m, points.y_m, geometry)
    return x, y, settings.sign * mirror.half_path_per_raise(x, y, geometry)


def _within(telescope: Telescope, x_m: FloatArray, y_m: FloatArray) -> BoolArray:
    return np.asarray(np.hypot(x_m, y_m) <= telescope.geometry.dish_radius_m * (1 + _BEYOND_RIM))


def _moves(
    surface: DishSurface,
    settings: CorrectionSettings,
    points: MirrorPoints,
    applied_moves: AppliedMoves | None,
    increments_um: FloatArray,
    shares: FloatArray,
) -> PointMoves:
    telescope = surface.telescope
    radius = telescope.geometry.dish_radius_m
    x, y, per_move = _in_aperture(telescope, settings, points)
    modes = zernike_basis(torch.as_tensor(x / radius), torch.as_tensor(y / radius), surface.terms).numpy()
    within = _within(telescope, x, y)
    shared = shares[:, None] * modes
    variance = ((surface.covariance_um2 @ shared) * shared).sum(axis=0)
    error = np.where(within, np.sqrt(np.clip(variance, 0, None)) / np.abs(per_move), np.nan)
    wanted = np.where(within, increments_um @ modes / per_move, 0.0)
    if applied_moves is not None:
        before = applied_moves.at(points, surface.elevation_rad)
    else:
        before = np.where(within, _applied_at_um(surface, x, y) / per_move, 0.0)
    still = within & (np.abs(wanted) < settings.threshold_um)
    total = before + np.where(still, 0.0, wanted)
    low, high = settings.limits_um or (-math.inf, math.inf)
    clipped = within & ((total < low) | (total > high))
    total = np.where(clipped, np.clip(total, low, high), total)
    return PointMoves(
        aperture_x_m=x,
        aperture_y_m=y,
        half_path_per_move=per_move,
        increment_um=total - before,
        error_um=error,
        total_um=total,
        wanted_um=wanted,
        status=tuple(map(_status, within.tolist(), clipped.tolist(), still.tolist())),
        blocked=within & _in_shadow(telescope, x, y),
    )


def _status(within: bool, clipped: bool, still: bool) -> PointStatus:
    if not within:
        return PointStatus.OUTSIDE
    if clipped:
        return PointStatus.CLIPPED
    return PointStatus.BELOW_THRESHOLD if still else PointStatus.MOVED


def _applied_at_um(surface: DishSurface, x_m: FloatArray, y_m: FloatArray) -> FloatArray:
    """Half-path error that the correction on the dish takes away at points, all of it, tilt and piston included."""
    if surface.applied is None:
        return np.zeros(x_m.shape)
    wavelength_m = surface.phase_wavelength_m
    radius = surface.telescope.geometry.dish_radius_m
    x, y = torch.as_tensor(x_m), torch.as_tensor(y_m)
    phase = applied_phase(surface.applied, radius, x, y, 2 * math.pi / wavelength_m)
    return half_path_um(np.asarray(phase.numpy(), np.float64), wavelength_m)


def _in_shadow(telescope: Telescope, x_m: FloatArray, y_m: FloatArray) -> BoolArray:
    """Which points stand where nothing of the dish is open; those on the rim are looked at from a little within."""
    radius = telescope.geometry.dish_radius_m
    size = 2 * radius / (_SHADOW_PIXELS - 1)
    inwards = np.minimum(1.0, (radius - 2 * size) / np.maximum(np.hypot(x_m, y_m), size))
    column, row = (np.rint((values * inwards + radius) / size).astype(int) for values in (x_m, y_m))
    return np.asarray(_dark_pixels(telescope)[row, column])


@lru_cache(maxsize=4)
def _dark_pixels(telescope: Telescope) -> BoolArray:
    axis = np.linspace(-telescope.geometry.dish_radius_m, telescope.geometry.dish_radius_m, _SHADOW_PIXELS)
    return np.asarray(open_area(telescope, axis, axis) < 0.5)


def _notes(
    source: CorrectionSource,
    settings: CorrectionSettings,
    points: MirrorPoints | None,
    applied_moves: AppliedMoves | None,
    at: tuple[CorrectionAt, ...],
) -> tuple[str, ...]:
    notes = list(source.notes)
    first = at[0]
    if applied_moves is not None and not source.of_gravity and first.surface.applied is not None:
        notes.append("the total adds to the moves of the table, not to those of the correction the result names")
    if points is None or first.moves is None:
        return tuple(notes)
    moves, geometry = first.moves, source.telescope.geometry
    outside = moves.having(PointStatus.OUTSIDE)
    if outside.any():
        notes.append(f"{_named(points, outside)} outside the dish: not moved")
    if moves.blocked.any():
        notes.append(
            f"{_named(points, moves.blocked)} in the shadow of subreflector or legs, where the maps see nothing"
        )
    if first.prediction is None:
        notes.append("the points do not span the dish: what they bring is not predicted")
    else:
        reach = float(np.hypot(moves.aperture_x_m, moves.aperture_y_m)[~outside].max())
        if reach < _REACHES * geometry.dish_radius_m:
            notes.append(f"the points reach to {reach:.4g} m only; beyond, the correction is taken to go on smoothly")
    if geometry.shaped and settings.mirror.along != "path":
        notes.append("the mirrors are shaped: normals and rays are those of the plain mirrors they stand for")
    return tuple(notes)


def _named(points: MirrorPoints, which: BoolArray, most: int = 8) -> str:
    """Count points and name the first of them."""
    names = [name for name, wanted in zip(points.names, which, strict=True) if wanted]
    listed = ", ".join(names[:most]) + (" ..." if len(names) > most else "")
    return f"{len(names)} of {len(points)} points ({listed}) lie" if len(names) > 1 else f"point {listed} lies"
