"""Frozen records as rows of FITS tables, one column a field, and back, without a loss."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import NDArray

_FORMATS: dict[Any, str] = {
    float: "D",
    float | None: "D",
    int: "K",
    bool: "L",
    tuple[float, float]: "2D",
}
_UNITS = {"rad": "rad", "m": "m", "um": "um", "seconds": "s"}


def record_columns(kind: type, records: Sequence[Any], names: Sequence[str] | None = None) -> list[Any]:
    """Make the columns of a table of records.

    Parameters
    ----------
    kind : type
        Dataclass of the records; its annotations decide the formats.
    records : sequence of `kind`
        One a row.
    names : sequence of str, optional
        Fields to take; all by default.

    Returns
    -------
    list of astropy.io.fits.Column
        Named as the fields in upper case. An optional number has a column HAS_... beside it, since a
        fixed parameter without an error is not one whose error is NaN.
    """
    columns = []
    for name, hint in _hints(kind, names).items():
        values = [getattr(record, name) for record in records]
        if hint == float | None:
            columns.append(value_column(f"HAS_{name.upper()}", bool, [value is not None for value in values]))
            values = [np.nan if value is None else value for value in values]
        columns.append(_column(name, hint, values))
    return columns


def value_column(name: str, hint: Any, values: Sequence[Any] | NDArray[Any], unit: str | None = None) -> Any:
    """Make one column of numbers or truth values.

    Parameters
    ----------
    name : str
        Of the column.
    hint : type
        float, int, bool or a pair of floats.
    values : sequence or array
        One a row.
    unit : str, optional
        For TUNIT.

    Returns
    -------
    astropy.io.fits.Column
    """
    from astropy.io import fits

    form = _FORMATS[hint]
    array: NDArray[Any] = np.array(values, dtype={"K": np.int64, "L": np.bool_}.get(form, np.float64))
    return fits.Column(name, form, unit=unit, array=array.reshape(-1, 2) if form == "2D" else array)


def text_column(name: str, values: Sequence[str]) -> Any:
    """Make one column of ASCII text, as wide as its longest entry."""
    from astropy.io import fits

    width = max([1, *(len(value) for value in values)])
    return fits.Column(name, f"{width}A", array=np.array([value.encode("ascii") for value in values], f"S{width}"))


def records_from(hdu: Any, kind: type, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Take records out of a table made of `record_columns`.

    Parameters
    ----------
    hdu : BinTableHDU
        The table.
    kind : type
        Dataclass of the records.
    names : sequence of str, optional
        Fields to take; all by default.

    Returns
    -------
    list of dict
        Arguments of `kind`, one a row.

    Raises
    ------
    LookupError, ValueError
        If a column is missing or holds something else.
    """
    columns = {}
    for name, hint in _hints(kind, names).items():
        values = column_values(hdu, name.upper(), hint)
        if hint == float | None:
            known = column_values(hdu, f"HAS_{name.upper()}", bool)
            values = [value if has else None for value, has in zip(values, known, strict=True)]
        columns[name] = values
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def column_values(hdu: Any, name: str, hint: Any) -> list[Any]:
    """Take one column out of a table as plain values of a type."""
    values = np.asarray(hdu.data.field(name))
    if hint in _FORMATS:
        if hdu.columns[name].format != _FORMATS[hint]:
            raise ValueError(f"the column {name} has the format {hdu.columns[name].format}")
        listed: list[Any] = values.tolist()
        return [tuple(pair) for pair in listed] if _FORMATS[hint] == "2D" else listed
    texts = [str(value) for value in values]
    return [hint(text) for text in texts] if issubclass(hint, Enum) else texts


def _hints(kind: type, names: Sequence[str] | None) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in (hints if names is None else names)}


def _column(name: str, hint: Any, values: Sequence[Any]) -> Any:
    if hint in _FORMATS:
        return value_column(name.upper(), hint, values, _unit(name))
    texts = [value.value if isinstance(value, Enum) else value for value in values]
    return text_column(name.upper(), texts)


def _unit(name: str) -> str | None:
    """Read the unit off a name, which by the rule of the package carries it."""
    parts = name.removesuffix("_error").split("_")
    return None if "per" in parts else _UNITS.get(parts[-1])
