"""What is known of observations beside their maps, from a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oofpy.errors import InputError
from oofpy.gravity.results import Conditions

_NAME = "observation"
_ZERO_CELSIUS_K = 273.15
# Column, which quantity it is, and how it becomes that.
_COLUMNS: dict[str, tuple[str, Callable[[float], float]]] = {
    "temperature_k": ("temperature_k", lambda value: value),
    "temperature_c": ("temperature_k", lambda value: value + _ZERO_CELSIUS_K),
    "hour_angle_rad": ("hour_angle_rad", lambda value: value),
    "hour_angle_deg": ("hour_angle_rad", math.radians),
    "hour_angle_h": ("hour_angle_rad", lambda value: value * math.pi / 12),
}


def read_conditions(path: str | Path) -> dict[str, Conditions]:
    """Read temperatures and hour angles of observations.

    Parameters
    ----------
    path : path-like
        CSV or ECSV, a row an observation: its name in `observation`, and one or more of `temperature_k`,
        `temperature_c`, `hour_angle_rad`, `hour_angle_deg`, `hour_angle_h`; empty where not known.

    Returns
    -------
    dict of str to Conditions
        By the name of the observation.

    Raises
    ------
    InputError
        If the file cannot be read, or a column is missing or holds something else than numbers.
    """
    from astropy.table import Table

    file = Path(path)
    if not file.is_file():
        raise InputError("there is no such file", file=file, key="--conditions")
    ecsv = file.read_bytes()[:8].startswith(b"# %ECSV")
    try:
        table = Table.read(file, format="ascii.ecsv" if ecsv else "ascii.csv")
    # A damaged file makes the parsers raise whatever they stumble over.
    except Exception as fault:
        raise InputError(f"cannot be read as a table: {fault}"[:200], file=file, remedy="give CSV or ECSV") from fault
    known = [name for name in table.colnames if name in _COLUMNS]
    if _NAME not in table.colnames or not known:
        raise InputError(
            "holds no conditions",
            file=file,
            key="columns",
            value=", ".join(table.colnames[:8]),
            remedy=f"name a column {_NAME}, and one or more of {', '.join(_COLUMNS)}",
        )
    return {str(row[_NAME]): _conditions(row, known, file) for row in table}


def _conditions(row: Any, columns: list[str], file: Path) -> Conditions:
    found: dict[str, float] = {}
    for name in columns:
        cell = row[name]
        if str(cell).strip() in ("", "--", "nan"):
            continue
        quantity, convert = _COLUMNS[name]
        try:
            value = convert(float(cell))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(
                "is not a number",
                file=file,
                key=f"{name} of {row[_NAME]}",
                value=cell,
                remedy="leave unknown ones empty",
            )
        found[quantity] = value
    return Conditions(**found)
