"""Points at which a mirror is moved: actuators or corners of panels, and moves that are already applied there."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import InputError, UsageError, one_line
from oofpy.io.parsing import parsing
from oofpy.io.reader import FileContent
from oofpy.observation import SourceFile

FloatArray = NDArray[np.float64]

MOST_POINTS = 100_000
_METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6}
# `x`, `x_mm`, `x [mm]`, `x (mm)`, `x mm`
_COLUMN = re.compile(r"(?P<name>[a-z]+?)(?:[ _]*[\[(]?\s*(?P<unit>m|cm|mm|um)\s*[\])]?)?")
_HOW = "give a CSV or ECSV table with a line of column names, among them x and y, and optionally name"


@dataclass(frozen=True, eq=False)
class MirrorPoints:
    """Named points on a mirror.

    Parameters
    ----------
    names : tuple of str
        Each once.
    x_m, y_m : array, shape (points,), metres
        In the frame of their table.
    origin : str
        What they were read from.
    source : SourceFile, optional
        The file, where it was one.
    """

    names: tuple[str, ...]
    x_m: FloatArray
    y_m: FloatArray
    origin: str
    source: SourceFile | None = None

    def __len__(self) -> int:
        """Give the number of points."""
        return len(self.names)


@dataclass(frozen=True, eq=False)
class AppliedMoves:
    """Moves that stand on the mirror already.

    Parameters
    ----------
    names : tuple of str
        Of the points.
    elevations_rad : tuple of float, radians
        Empty where they hold at every elevation.
    moves_um : array, shape (elevations or 1, points), micrometres
        In the sign and direction of the moves to be added.
    source : SourceFile
        The file.
    """

    names: tuple[str, ...]
    elevations_rad: tuple[float, ...]
    moves_um: FloatArray
    source: SourceFile

    def at(self, points: MirrorPoints, elevation_rad: float | None) -> FloatArray:
        """Give the moves of points at an elevation.

        Parameters
        ----------
        points : MirrorPoints
            All of which must be known.
        elevation_rad : float, radians, or None

        Returns
        -------
        array, shape (points,), micrometres

        Raises
        ------
        UsageError
            If a point or the elevation is not in the table.
        """
        place = {name: number for number, name in enumerate(self.names)}
        missing = [name for name in points.names if name not in place]
        if missing:
            raise UsageError(
                f"the table has no moves for {len(missing)} of {len(points)} points, such as {one_line(missing[0])}",
                file=self.source.path,
                key="--applied",
                remedy="give a table with the same names",
            )
        return np.asarray(self.moves_um[self._row(elevation_rad), [place[name] for name in points.names]])

    def _row(self, elevation_rad: float | None) -> int:
        if not self.elevations_rad:
            return 0
        if elevation_rad is not None:
            differences = np.abs(np.array(self.elevations_rad) - elevation_rad)
            if differences.min() < 1e-6:
                return int(differences.argmin())
        known = ", ".join(f"{np.degrees(one):.4g}" for one in self.elevations_rad)
        raise UsageError(
            f"the table has moves for the elevations {known} deg only",
            file=self.source.path,
            key="--applied",
            value=None if elevation_rad is None else f"{np.degrees(elevation_rad):.4g} deg",
            remedy="give a table for this elevation",
        )


def read_points(path: str | Path, unit: str | None = None) -> MirrorPoints:
    """Read a table of points.

    Parameters
    ----------
    path : path-like
        ECSV, or text with a line of column names, parted by commas, semicolons, tabs or blanks, with columns x and y,
        and optionally name; points without names are numbered from 1. Their unit is that of the column (ECSV), or
        stands in its head as in `x [mm]` or `x_mm`.
    unit : {"m", "cm", "mm", "um"}, optional
        Of x and y where the table says none.

    Returns
    -------
    MirrorPoints

    Raises
    ------
    InputError
        If it is no such table, a unit is missing, a number is not finite or a name comes twice.
    UsageError
        If the table says another unit.
    """
    content = FileContent.load(path)
    columns = _columns(content)
    x_m, y_m = (_lengths(content, columns, name, unit) for name in ("x", "y"))
    return MirrorPoints(_names(content, columns, x_m.size), x_m, y_m, str(content.path), content.source)


def read_applied_moves(path: str | Path) -> AppliedMoves:
    """Read moves that are applied already, from a table such as `correction.ecsv`.

    Parameters
    ----------
    path : path-like
        A table with name and total_um (micrometres), and elevation_deg where it holds several elevations.

    Returns
    -------
    AppliedMoves

    Raises
    ------
    InputError
        If it is no such table.
    """
    content = FileContent.load(path)
    columns = _columns(content)
    moves = _numbers(content, columns, "total", _HOW_APPLIED, "um")
    names = _names(content, columns, moves.size, required=True, unique=False)
    elevations = np.zeros(moves.size)
    if "elevation_deg" in columns and not bool(np.ma.getmaskarray(columns["elevation_deg"]).all()):
        elevations = _numbers(content, columns, "elevation_deg", _HOW_APPLIED, None)
    one_by_one = tuple(dict.fromkeys(names))
    angles = tuple(dict.fromkeys(elevations.tolist()))
    table = np.full((len(angles), len(one_by_one)), np.nan)
    rows, places = ({value: number for number, value in enumerate(values)} for values in (angles, one_by_one))
    for name, elevation, move in zip(names, elevations.tolist(), moves, strict=True):
        table[rows[elevation], places[name]] = move
    if np.isnan(table).any() or moves.size != table.size:
        raise InputError("every point must stand once for each elevation", file=content.path, remedy=_HOW_APPLIED)
    several = len(angles) > 1 or ("elevation_deg" in columns and angles != (0.0,))
    return AppliedMoves(one_by_one, tuple(np.radians(angles).tolist()) if several else (), table, content.source)


_HOW_APPLIED = "give a table with the columns name and total_um, such as the correction.ecsv of an earlier correction"


def _columns(content: FileContent) -> dict[str, Any]:
    """Give the columns of a table by plain names, with their units."""
    from astropy.table import Table
    from astropy.utils.exceptions import AstropyWarning

    if content.text is None:
        raise InputError("this is no table of text", file=content.path, remedy=_HOW)
    ecsv = content.text.startswith("# %ECSV")
    with parsing(content.path), warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        lines = content.text.splitlines()
        table = Table.read(lines, format="ascii.ecsv") if ecsv else Table.read(lines, **_layout_of(lines))
        found: dict[str, Any] = {}
        for name in table.colnames:
            plain, unit = _plain_name(name)
            column = table[name]
            if column.unit is None and unit is not None:
                column.unit = unit
            found[plain] = column
    return found


def _layout_of(lines: list[str]) -> dict[str, Any]:
    """Say how the columns of a table without a header of its own are parted, by its line of names."""
    head = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    delimiter = next((one for one in (",", ";", "\t") if one in head), None)
    plain: dict[str, Any] = {"guess": False, "comment": "#"}
    if delimiter is None:
        return {**plain, "format": "ascii.basic"}
    return {**plain, "format": "ascii.csv", "delimiter": delimiter}


def _plain_name(name: str) -> tuple[str, str | None]:
    lower = name.strip().lower()
    match = _COLUMN.fullmatch(lower)
    return (match["name"], match["unit"]) if match is not None else (lower, None)


def _lengths(content: FileContent, columns: dict[str, Any], name: str, unit: str | None) -> FloatArray:
    values = _numbers(content, columns, name, _HOW, None)
    said = str(columns[name].unit) if columns[name].unit is not None else None
    if said is not None and unit is not None and said != unit:
        raise UsageError(
            f"the table says {said}", file=content.path, key="--point-unit", value=unit, remedy="leave it out"
        )
    known = said or unit
    if known is None or known not in _METRES:
        raise InputError(
            "has no unit" if known is None else "has a unit that is no length known here",
            file=content.path,
            key=name,
            value=known,
            remedy=f"write it into the head of the column, as in '{name} [mm]', or give --point-unit "
            f"({', '.join(_METRES)})",
        )
    return values * _METRES[known]


def _numbers(content: FileContent, columns: dict[str, Any], name: str, remedy: str, unit: str | None) -> FloatArray:
    if name not in columns:
        raise InputError(f"the table has no column {name}", file=content.path, key=name, remedy=remedy)
    column = columns[name]
    if unit is not None and str(column.unit) != unit:
        said = "no unit" if column.unit is None else f"the unit {column.unit}"
        raise InputError(f"has {said}, not {unit}", file=content.path, key=name, remedy=remedy)
    try:
        values = np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)
    except (TypeError, ValueError) as error:
        raise InputError("must hold numbers", file=content.path, key=name, remedy=remedy) from error
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise InputError("is not a finite number", file=content.path, key=f"{name}, row {bad[0] + 1}", remedy=remedy)
    if not 0 < values.size <= MOST_POINTS:
        raise InputError(f"must have 1 to {MOST_POINTS} rows", file=content.path, key="rows", value=values.size)
    return np.asarray(values, np.float64)


def _names(
    content: FileContent, columns: dict[str, Any], count: int, *, required: bool = False, unique: bool = True
) -> tuple[str, ...]:
    if "name" not in columns:
        if required:
            raise InputError("the table has no column name", file=content.path, key="name", remedy=_HOW_APPLIED)
        return tuple(str(number + 1) for number in range(count))
    names = [one_line(str(name)) for name in columns["name"]]
    twice = _first_twice(names) if unique else None
    if twice is not None:
        raise InputError("comes twice", file=content.path, key="name", value=twice, remedy="give every point a name")
    return tuple(names)


def _first_twice(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
