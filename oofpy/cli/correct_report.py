"""A correction in short, as text for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from oofpy.cli.text_tables import aligned, number
from oofpy.errors import one_line

if TYPE_CHECKING:
    from oofpy.correction.values import Correction, CorrectionAt, PointMoves

_MOST_NAMES = 12


def report_of(correction: Correction) -> list[str]:
    """Write what moves, how far, what is held back and what it brings."""
    from oofpy.correction.words import conventions_of

    words = conventions_of(correction)
    lines = [one_line(f"{correction.source.surfaces[0].name}: {correction.source.telescope.name}")]
    if correction.points is not None:
        lines += [f"moves {words['moves']}", words["sign"], words["terms"], "", *_moves(correction)]
    else:
        lines += [words["terms"], "", *_coefficients(correction)]
    return [*lines, "", *_efficiencies(correction), *(one_line(f"note: {note}") for note in correction.notes)]


def _elevation(at: CorrectionAt) -> str:
    elevation = at.surface.elevation_rad
    return number(None if elevation is None else math.degrees(elevation), ".4g")


def _moves(correction: Correction) -> list[str]:
    from oofpy.correction.tables import rms_of_moves_um
    from oofpy.correction.values import PointStatus

    assert correction.points is not None
    rows, clipped = [], []
    for at in correction.elevations:
        moves = at.moves
        assert moves is not None
        largest = int(np.argmax(np.abs(moves.increment_um)))
        rows.append(
            [
                _elevation(at),
                *(str(int(moves.having(one).sum())) for one in PointStatus),
                number(rms_of_moves_um(moves), ".2f"),
                number(float(moves.increment_um[largest]), "+.1f"),
                one_line(correction.points.names[largest]),
                number(float(moves.error_um[largest]), ".2f"),
                number(float(moves.total_um[np.argmax(np.abs(moves.total_um))]), "+.1f"),
            ]
        )
        clipped += _clipped(correction, at, moves)
    header = [
        *("el deg", "moved", "clipped", "below", "outside"),
        *("rms um", "largest um", "at", "error", "largest total um"),
    ]
    return [*aligned(header, rows, left=(7,)), *clipped]


def _clipped(correction: Correction, at: CorrectionAt, moves: PointMoves) -> list[str]:
    from oofpy.correction.values import PointStatus

    assert correction.points is not None
    which = moves.having(PointStatus.CLIPPED)
    names = [name for name, held in zip(correction.points.names, which, strict=True) if held]
    if not names:
        return []
    listed = ", ".join(names[:_MOST_NAMES]) + (" ..." if len(names) > _MOST_NAMES else "")
    elevation = "" if len(correction.elevations) == 1 else f" at {_elevation(at)} deg"
    return [one_line(f"clipped{elevation}: {listed}")]


def _coefficients(correction: Correction) -> list[str]:
    lines = []
    for at in correction.elevations:
        total = at.total or {}
        rows = [
            [term.label, number(at.increment.get(term, 0.0), "+.2f"), number(total.get(term), "+.2f")]
            for term in sorted({*at.increment, *total})
        ]
        if len(correction.elevations) > 1:
            lines.append(f"at {_elevation(at)} deg")
        lines += aligned(["half-path error taken away", "increment um", "total um"], rows)
    return lines


def _efficiencies(correction: Correction) -> list[str]:
    """Write the surface before and after; the efficiency is that of the surface alone."""
    left_out = bool(correction.settings.left_out)
    rows = []
    for at in correction.elevations:
        prediction = at.prediction
        if prediction is None:
            continue
        surface = [_elevation(at), number(prediction.rms_before_um, ".2f"), number(prediction.rms_after_um, ".2f")]
        for one in prediction.efficiencies or (None,):
            cells = [] if one is None else [one.exact_before, one.exact_after, one.ruze_before, one.ruze_after]
            if one is not None and left_out:
                cells.append(one.exact_without_left_out)
            written = [number(value, ".4f") for value in cells] or ["-"] * (5 if left_out else 4)
            rows.append([*surface, "-" if one is None else f"{one.wavelength_m * 1e3:.6g}", *written])
    if not rows:
        return []
    header = ["el deg", "rms um", "after", "mm", "efficiency", "after", "by Ruze", "after"]
    return aligned([*header, *(["with the rest set"] if left_out else [])], rows, left=())
