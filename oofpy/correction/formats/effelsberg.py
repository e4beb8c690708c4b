"""The look-up table of the active surface at Effelsberg: 96 actuators at 11 elevations.

Layout, from pyoof @ 94d1e32 (pyoof/actuator/actuator.py, pyoof/data/lookup_effelsberg.data): a line for each actuator,
`NR 1 ffff -38  -31 ...`, with its number, whole micrometres at 7, 10, 20, 30, 32, 40, 50, 60, 70, 80 and 90 deg of
elevation with two blanks between them, and `**ENDE**` in the last line. A positive number shortens the path. What
`ffff` stands for has no source; it is the same in every line. That the angles are elevations is what pyoof takes since
it has tests for it; an earlier version took them as zenith distances.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from oofpy.correction.layouts import LAYOUTS
from oofpy.correction.points import AppliedMoves
from oofpy.correction.telescope_format import TelescopeFormat
from oofpy.correction.values import Correction
from oofpy.errors import InputError, UsageError
from oofpy.io.reader import FileContent

ELEVATIONS_DEG = (7, 10, 20, 30, 32, 40, 50, 60, 70, 80, 90)
FILE_NAME = "lookup_effelsberg.data"
_END = "**ENDE**"
_LINE = re.compile(r"NR\s+(?P<number>[0-9]+)\s+ffff\s+(?P<moves>.*)")
_LAYOUT = LAYOUTS["effelsberg"]
_HOW = "give a table of 96 lines 'NR 1 ffff ...' with 11 whole numbers each, and **ENDE** in the last line"


def check(correction: Correction) -> None:
    """Refuse a correction that this table cannot hold.

    Raises
    ------
    UsageError
        If it is not of the 96 actuators and their elevations, or its signs are others.
    """
    if not correction.source.of_gravity:
        raise UsageError(
            "the table holds the moves at 11 elevations, and a single result knows one: the same at all of them would "
            "be wrong",
            key="--format",
            value="effelsberg",
            remedy="give a gravity model ('oofpy gravity'), or leave the format out for the moves at one elevation",
        )
    if correction.points is None or correction.points.names != _LAYOUT.points.names:
        raise UsageError(
            "the table is of the 96 actuators", key="--points", remedy="leave it out, or give --points effelsberg"
        )
    mirror = correction.settings.mirror
    if mirror.which != "subreflector" or mirror.subreflector_radius_m != _LAYOUT.mirror.subreflector_radius_m:
        raise UsageError(
            "the actuators move the subreflector, with a radius of 3.25 m",
            key="--on, --subreflector-radius",
            value=f"{mirror.which}, {mirror.subreflector_radius_m or 0:g} m",
            remedy="leave both out",
        )
    if correction.settings.positive != "raise":
        raise UsageError(
            "a positive number in the table raises the metal", key="--positive", value="lower", remedy="leave it out"
        )
    wanted = [math.radians(one) for one in ELEVATIONS_DEG]
    given = [at.surface.elevation_rad for at in correction.elevations]
    if len(given) != len(wanted) or not all(
        one is not None and math.isclose(one, other) for one, other in zip(given, wanted, strict=True)
    ):
        raise UsageError(
            "the table has its own elevations", key="--elevation", remedy="leave it out with --format effelsberg"
        )


def write(correction: Correction, folder: Path) -> list[Path]:
    """Write the totals into a folder, rounded to whole micrometres."""
    totals = np.array([at.moves.total_um for at in correction.elevations if at.moves is not None])
    lines = []
    for number, column in enumerate(np.rint(totals).astype(int).T.tolist(), start=1):
        lines.append(f"NR {number} ffff {'  '.join(map(str, column))}\n")
    path = folder / FILE_NAME
    path.write_text("".join([*lines, f"{_END}\n"]), encoding="ascii", newline="\n")
    return [path]


def recognises(content: FileContent) -> bool:
    """Whether a file begins as such a table does."""
    return content.text is not None and _LINE.match(content.text.lstrip()) is not None


def read(content: FileContent) -> AppliedMoves:
    """Read such a table.

    Raises
    ------
    InputError
        If a line is missing, comes twice, or is no such line.
    """
    text = content.text or ""
    body, end, _ = text.partition(_END)
    if not end:
        raise InputError(f"there is no {_END} in it, so it is cut off", file=content.path, remedy=_HOW)
    moves = np.full((len(ELEVATIONS_DEG), len(_LAYOUT.points)), np.nan)
    for place, line in enumerate(filter(str.strip, body.splitlines()), start=1):
        number, values = _line(content, place, line.strip())
        moves[:, number - 1] = values
        if place != number:
            raise InputError("the actuators must stand in order, each once", file=content.path, key=f"line {place}")
    if np.isnan(moves).any():
        raise InputError("actuators are missing", file=content.path, remedy=_HOW)
    return AppliedMoves(_LAYOUT.points.names, tuple(math.radians(one) for one in ELEVATIONS_DEG), moves, content.source)


def _line(content: FileContent, place: int, line: str) -> tuple[int, list[int]]:
    match = _LINE.fullmatch(line)
    words = match["moves"].split() if match is not None else []
    whole = all(re.fullmatch(r"[+-]?[0-9]{1,7}", word) for word in words)
    if match is None or len(words) != len(ELEVATIONS_DEG) or not whole or not 1 <= int(match["number"]) <= 96:
        raise InputError(
            "is no line of the table", file=content.path, key=f"line {place}", value=line[:60], remedy=_HOW
        )
    return int(match["number"]), [int(word) for word in words]


FORMAT = TelescopeFormat(
    name="effelsberg",
    holds="look-up table of 96 actuators of the subreflector at 11 elevations, the totals in whole micrometres",
    check=check,
    write=write,
    recognises=recognises,
    read=read,
    layout="effelsberg",
    elevations_rad=tuple(math.radians(one) for one in ELEVATIONS_DEG),
    notes=(
        "effelsberg: what 'ffff' in the table means has no source; that its angles are elevations is pyoof's reading",
        "effelsberg: the table of pyoof takes normal incidence; --along path does the same",
    ),
)
