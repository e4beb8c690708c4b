"""Rows of a catalogue as the columns of the table that reviewers see."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from oofpy.catalogue.records import ObservationRow
from oofpy.review.session import KEY_LETTERS


@dataclass(frozen=True)
class TableColumn:
    """One column.

    Parameters
    ----------
    name : str
        Short, of the data.
    title : str
        Its heading, with the unit.
    sort : str
        By what the catalogue sorts it; empty where it does not.
    value : callable
        Takes a row, gives a text, a number or None.
    width : int, pixels
    form : str
        How its numbers are written, as Bokeh's formatters have it.
    """

    name: str
    title: str
    sort: str
    value: Callable[[ObservationRow], Any]
    width: int
    form: str = ""


COLUMNS = (
    TableColumn("name", "observation", "name", lambda row: row.name, 150),
    TableColumn("date", "date", "date", lambda row: (row.date or "")[:16].replace("T", " "), 125),
    TableColumn("telescope", "telescope", "telescope", lambda row: row.telescope or "", 95),
    TableColumn("object", "object", "object", lambda row: row.object_name or "", 95),
    TableColumn("elevation", "el [deg]", "elevation", lambda row: _degrees(row.elevation_rad), 84, "0.0"),
    TableColumn("rms", "rms [um]", "rms", lambda row: _rounded(row.rms_um, 1), 96, "0.0"),
    TableColumn("rms_error", "error", "", lambda row: _rounded(row.rms_um_error, 2), 58, "0.00"),
    TableColumn("focus", "focus error [mm]", "focus", lambda row: _rounded(row.best_focus_m, 4, 1e3), 152, "0.0000"),
    TableColumn("chi2", "chi2", "chi2", lambda row: _rounded(row.reduced_chi2, 2), 55, "0.00"),
    TableColumn("snr", "SNR", "snr", lambda row: _rounded(row.signal_to_noise, 0), 55, "0"),
    TableColumn("verdict", "verdict", "verdict", lambda row: row.verdict or row.status, 75),
    TableColumn("decision", "decision", "", lambda row: row.decision or "", 88),
    TableColumn("remark", "flags or reason", "", lambda row: row.reason or ", ".join(row.flags), 200),
)


def table_of(rows: Sequence[ObservationRow]) -> pd.DataFrame:
    """Give the table of some rows.

    Parameters
    ----------
    rows : sequence of ObservationRow

    Returns
    -------
    DataFrame
        A column for each of `COLUMNS`, and `key`, the beginning of the key of the result.
    """
    # Of one kind whatever the rows are: the browser makes its table anew where a column becomes another one.
    columns = {
        one.name: pd.Series([one.value(row) for row in rows], dtype=float if one.form else object) for one in COLUMNS
    }
    return pd.DataFrame(columns | {"key": pd.Series([row.key[:KEY_LETTERS] for row in rows], dtype=object)}, copy=False)


def _rounded(value: float | None, digits: int, scale: float = 1.0) -> float | None:
    return None if value is None or not math.isfinite(value) else round(scale * value, digits)


def _degrees(angle_rad: float | None) -> float | None:
    return None if angle_rad is None else _rounded(math.degrees(angle_rad), 1)
