"""A correction as tables and plain values: `correction.ecsv`, `correction.json`, what the next observation reads."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np

from oofpy._version import __version__
from oofpy.correction.values import Correction, CorrectionAt, PointMoves, PointStatus
from oofpy.correction.words import conventions_of
from oofpy.errors import one_line
from oofpy.optics.half_path import phase_of_half_path_rad


def correction_table(correction: Correction) -> Any:
    """Tabulate the moves, one row a point and elevation.

    Parameters
    ----------
    correction : Correction
        With points.

    Returns
    -------
    astropy.table.Table
        elevation_deg, name, x, y, aperture_x, aperture_y, increment_um, error_um, total_um, wanted_um, clipped, status,
        blocked; conventions, settings, source and its hash in the metadata. An elevation that is not known and an error
        outside the dish are masked.
    """
    from astropy.table import MaskedColumn, Table, vstack

    points = correction.points
    assert points is not None
    parts = []
    for at in correction.elevations:
        moves = _moves_of(at)
        elevation = at.surface.elevation_rad
        degrees = np.full(len(points), math.nan if elevation is None else math.degrees(elevation))
        part = Table()
        part["elevation_deg"] = MaskedColumn(degrees, mask=np.isnan(degrees), unit="deg")
        part["name"] = np.array(points.names, dtype=str)
        for name, values in (
            ("x", points.x_m),
            ("y", points.y_m),
            ("aperture_x", moves.aperture_x_m),
            ("aperture_y", moves.aperture_y_m),
        ):
            part[name] = MaskedColumn(values, unit="m")
        for name, values in (
            ("increment_um", moves.increment_um),
            ("error_um", moves.error_um),
            ("total_um", moves.total_um),
            ("wanted_um", moves.wanted_um),
        ):
            part[name] = MaskedColumn(values, mask=np.isnan(values), unit="um")
        part["clipped"] = moves.having(PointStatus.CLIPPED)
        part["status"] = [str(one) for one in moves.status]
        part["blocked"] = moves.blocked
        parts.append(part)
    table = vstack(parts, metadata_conflicts="silent")
    table.meta.update(metadata_of(correction))
    return table


def _moves_of(at: CorrectionAt) -> PointMoves:
    assert at.moves is not None
    return at.moves


def metadata_of(correction: Correction) -> dict[str, Any]:
    """Give what a table of a correction must say beside its numbers, as plain values.

    Parameters
    ----------
    correction : Correction

    Returns
    -------
    dict
    """
    settings, source = correction.settings, correction.source
    mirror = settings.mirror
    low, high = settings.limits_um or (None, None)
    plain: dict[str, Any] = {
        "kind": "oofpy correction",
        "oofpy": __version__,
        "telescope": one_line(source.telescope.name),
        "source": {"file": one_line(str(source.file.path)), "sha256": source.file.sha256},
        "observation": one_line(source.surfaces[0].name),
        "settings": {
            "mirror": mirror.which,
            "along": mirror.along,
            "rotation_deg": math.degrees(mirror.turn_rad(source.telescope.geometry)),
            "mirrored": mirror.mirrored,
            "subreflector_radius_m": mirror.subreflector_radius_m,
            "mapping": mirror.mapping,
            "positive": settings.positive,
            "gain": settings.gain,
            "lower_limit_um": low,
            "upper_limit_um": high,
            "threshold_um": settings.threshold_um,
            "left_out": [term.label for term in settings.left_out],
        },
        "conventions": conventions_of(correction),
        "notes": [one_line(note) for note in correction.notes],
    }
    wavelength_m = source.surfaces[0].wavelength_m
    if wavelength_m is not None:
        plain["wavelength_m"] = wavelength_m
    for key, file in (
        ("points", None if correction.points is None else correction.points.source),
        ("applied", None if correction.applied_moves is None else correction.applied_moves.source),
    ):
        if file is not None:
            plain[key] = {"file": one_line(str(file.path)), "sha256": file.sha256}
    if correction.points is not None and correction.points.source is None:
        plain["points"] = correction.points.origin
    return plain


def correction_summary(correction: Correction) -> dict[str, Any]:
    """Summarise a correction in plain values for strict JSON.

    Parameters
    ----------
    correction : Correction

    Returns
    -------
    dict
        What `metadata_of` gives, and `elevations`: for each the coefficients of increment and total, the moves in
        short with the names of the clipped points, rms and efficiencies. What is unknown is None.
    """
    return {**metadata_of(correction), "elevations": [_at(correction, at) for at in correction.elevations]}


def _at(correction: Correction, at: CorrectionAt) -> dict[str, Any]:
    elevation, prediction = at.surface.elevation_rad, at.prediction

    def listed(values: Any) -> Any:
        return None if values is None else [{"n": n, "l": l, "surface_um": one} for (n, l), one in values.items()]

    return {
        "elevation_deg": None if elevation is None else math.degrees(elevation),
        "increment": listed(at.increment),
        "total": listed(at.total),
        "moves": None if at.moves is None else _moves_in_short(correction, at.moves),
        "rms_before_um": None if prediction is None else prediction.rms_before_um,
        "rms_after_um": None if prediction is None else prediction.rms_after_um,
        "efficiencies": [] if prediction is None else [asdict(one) for one in prediction.efficiencies],
    }


def _moves_in_short(correction: Correction, moves: PointMoves) -> dict[str, Any]:
    names = np.array(correction.points.names if correction.points is not None else ())
    within = ~moves.having(PointStatus.OUTSIDE)
    counted = Counter(map(str, moves.status))
    largest = int(np.argmax(np.abs(moves.increment_um)))
    return {
        "points": len(moves.status),
        **{str(one).replace("-", "_"): counted.get(one, 0) for one in PointStatus},
        "rms_um": rms_of_moves_um(moves),
        "largest_um": float(moves.increment_um[largest]),
        "largest_at": str(names[largest]),
        "largest_error_um": float(np.nanmax(moves.error_um)) if within.any() else None,
        "clipped_names": [str(one) for one in names[moves.having(PointStatus.CLIPPED)]],
        "outside_names": [str(one) for one in names[~within]],
        "blocked_names": [str(one) for one in names[moves.blocked]],
    }


def rms_of_moves_um(moves: PointMoves) -> float:
    """Root mean square of the increments of the points on the dish, micrometres; 0 where there are none."""
    within = ~moves.having(PointStatus.OUTSIDE)
    return float(np.sqrt(np.mean(moves.increment_um[within] ** 2))) if within.any() else 0.0


def applied_table(correction: Correction, at: CorrectionAt) -> Any:
    """Tabulate the correction that is then on the dish, as `observing.applied` of the next observation reads it.

    Parameters
    ----------
    correction : Correction
    at : CorrectionAt
        At one elevation; its total must be a list of coefficients.

    Returns
    -------
    astropy.table.Table
        n, l, phase_rad at `wavelength_m` of the metadata, surface_um.
    """
    from astropy.table import Table

    total = at.total or {}
    wavelength_m = at.surface.phase_wavelength_m
    surface_um = np.array(list(total.values()))
    table = Table(
        {
            "n": [term.n for term in total],
            "l": [term.l for term in total],
            "phase_rad": phase_of_half_path_rad(surface_um, wavelength_m),
            "surface_um": surface_um,
        }
    )
    table["phase_rad"].unit, table["surface_um"].unit = "rad", "um"
    table.meta.update({**metadata_of(correction), "kind": "oofpy applied correction", "wavelength_m": wavelength_m})
    if at.surface.elevation_rad is not None:
        table.meta["elevation_deg"] = math.degrees(at.surface.elevation_rad)
    return table
