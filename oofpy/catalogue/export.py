"""A catalogue as one table: a row an observation, the coefficients of one order as columns."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TextIO, get_type_hints

import numpy as np

from oofpy._version import __version__
from oofpy.catalogue.records import Filter, ObservationRow, OrderRecord
from oofpy.errors import UsageError, one_line

if TYPE_CHECKING:
    from oofpy.catalogue.catalogue import Catalogue

Kind = Literal["text", "number", "count", "time", "texts", "numbers"]
Format = Literal["ecsv", "csv", "parquet", "json"]

# A column that says of which order coefficients, rms, focus error and chi2 are: the chosen one, or the one asked for.
_ORDER_COLUMN = "coefficients_order"

_KINDS: dict[Any, Kind] = {
    str: "text",
    float: "number",
    int: "count",
    datetime: "time",
    tuple[str, ...]: "texts",
    tuple[float, ...]: "numbers",
}
# What a row says of the fit at the chosen order; of another order the ladder holds some of them.
_OF_THE_ORDER = (
    *("rms_um", "rms_um_error", "rms_without_focus_um", "ruze_efficiency", "exact_efficiency"),
    *("best_focus_m", "best_focus_m_error", "pointing_u_rad", "pointing_v_rad", "reduced_chi2"),
)
_UNITS = {"_m": "m", "_rad": "rad", "_um": "um", "seconds": "s"}


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column of the table.

    Parameters
    ----------
    name : str
    kind : {"text", "number", "count", "time", "texts", "numbers"}
        What its values are; the last two are lists of them.
    values : list or array
        One a row. None, and in an array NaN, where there is none.
    """

    name: str
    kind: Kind
    values: Any

    @property
    def unit(self) -> str | None:
        """Unit by the ending of the name."""
        name = self.name.removesuffix("_error")
        return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), None)

    @property
    def plain(self) -> Iterator[Any]:
        """Values with None for what is missing, as JSON takes them."""
        if isinstance(self.values, np.ndarray):
            return (None if math.isnan(value) else value for value in self.values.tolist())
        if self.kind == "time":
            return (_time_text(value) for value in self.values)
        return iter(self.values)


def export_columns(catalogue: Catalogue, wanted: Filter, order: int | None = None) -> list[ExportColumn]:
    """Make a table of a catalogue.

    Parameters
    ----------
    catalogue : Catalogue
    wanted : Filter
    order : int, optional
        Order of the ladder that coefficients, rms, focus error and chi2 are of; the chosen one of each result if left
        out.

    Returns
    -------
    list of ExportColumn
        The fields of `ObservationRow`, failed ones included, sorted by name; then `coefficients_order`, the order that
        all of a row is of; then for every coefficient `Z(n,l)_rad` and `Z(n,l)_rad_error` in radians, missing where a
        result has none. `order` is always the chosen one, and status, verdict and flags are of the fit at it. Of
        another order than the chosen one those fields that the catalogue holds of the chosen one only are missing.

    Raises
    ------
    UsageError
        If no result that is wanted was fitted at the order.
    """
    rows = catalogue.select(wanted)
    if order is not None:
        rows = _at_order(rows, catalogue.each_rung(wanted), order)
    hints = get_type_hints(ObservationRow)
    columns = [
        ExportColumn(entry.name, _kind(hints[entry.name]), [getattr(row, entry.name) for row in rows])
        for entry in fields(ObservationRow)
    ]
    place = {row.key: number for number, row in enumerate(rows)}
    of_order: list[int | None] = [None] * len(rows)
    values: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
    for key, one in catalogue.each_coefficient(wanted, order):
        number = place.get(key)
        if number is None:  # recorded since the rows were read
            continue
        if (one.n, one.l) not in values:
            values[one.n, one.l] = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        value, error = values[one.n, one.l]
        value[number] = math.nan if one.phase_rad is None else one.phase_rad
        error[number] = math.nan if one.phase_rad_error is None else one.phase_rad_error
        of_order[number] = one.order
    columns.append(ExportColumn(_ORDER_COLUMN, "count", of_order))
    for (n, l), (value, error) in sorted(values.items()):
        columns.append(ExportColumn(f"Z({n},{l})_rad", "number", value))
        columns.append(ExportColumn(f"Z({n},{l})_rad_error", "number", error))
    return columns


def _at_order(
    rows: list[ObservationRow], ladders: Iterable[tuple[str, OrderRecord]], order: int
) -> list[ObservationRow]:
    """Give what the fits at an order found, in place of what those at the chosen orders did."""
    rungs: dict[str, OrderRecord] = {}
    fitted = {row.order for row in rows if row.order is not None}
    for key, rung in ladders:
        fitted.add(rung.order)
        if rung.order == order:
            rungs[key] = rung
    if fitted and order not in fitted:
        raise UsageError(
            "no result that matches was fitted at this order",
            key="--order",
            value=order,
            remedy=f"choose of {', '.join(map(str, sorted(fitted)))}",
        )
    return [row if row.order == order else _of_rung(row, rungs.get(row.key)) for row in rows]


def _of_rung(row: ObservationRow, rung: OrderRecord | None) -> ObservationRow:
    changes: Any = {name: getattr(rung, name, None) for name in _OF_THE_ORDER}
    return replace(row, **changes)


def write_export(columns: list[ExportColumn], form: Format, stream: BinaryIO) -> None:
    """Write a table.

    Parameters
    ----------
    columns : list of ExportColumn
    form : {"ecsv", "csv", "parquet", "json"}
        JSON is one strict list of objects. In ECSV and CSV text is on one line, lists are written as JSON.
    stream : binary file
        Where it goes.

    Raises
    ------
    UsageError
        If the library for Parquet is not installed.
    """
    writers: Mapping[str, Callable[[list[ExportColumn], BinaryIO], None]] = {
        "ecsv": _write_ecsv,
        "csv": _write_csv,
        "parquet": _write_parquet,
        "json": _write_json,
    }
    writers[form](columns, stream)


def _kind(hint: Any) -> Kind:
    options = [option for option in getattr(hint, "__args__", ()) if option is not type(None)]
    plain = hint if hint in _KINDS else options[0]
    return _KINDS.get(plain, "text")  # what is left are words out of a few


def _time_text(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def _write_json(columns: list[ExportColumn], stream: BinaryIO) -> None:
    names = [column.name for column in columns]
    before = "[\n"
    for values in zip(*(column.plain for column in columns), strict=True):
        line = json.dumps(dict(zip(names, values, strict=True)), allow_nan=False)
        stream.write(f"{before}{line}".encode())
        before = ",\n"
    stream.write(b"[]\n" if before == "[\n" else b"\n]\n")


def _write_parquet(columns: list[ExportColumn], stream: BinaryIO) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise UsageError(
            "needs the library pyarrow", key="--format", value="parquet", remedy="pip install 'oofpy[parquet]'"
        ) from error
    types = {
        "text": pa.string(),
        "number": pa.float64(),
        "count": pa.int64(),
        "time": pa.timestamp("us", tz="UTC"),
        "texts": pa.list_(pa.string()),
        "numbers": pa.list_(pa.float64()),
    }
    entries = [
        pa.field(column.name, types[column.kind], metadata={"unit": column.unit} if column.unit else None)
        for column in columns
    ]
    arrays = [pa.array(column.values, types[column.kind], from_pandas=True) for column in columns]
    described = pa.schema(entries, metadata={"oofpy_version": __version__})
    pq.write_table(pa.Table.from_arrays(arrays, schema=described), stream)


def _write_ecsv(columns: list[ExportColumn], stream: BinaryIO) -> None:
    with _text_of(stream) as text:
        # Only the head by astropy, as it takes a minute for the rows of a large catalogue, and writes the same.
        _empty_table(columns).write(text, format="ascii.ecsv", delimiter=",")
        _write_rows(columns, text)


def _write_csv(columns: list[ExportColumn], stream: BinaryIO) -> None:
    with _text_of(stream) as text:
        csv.writer(text, lineterminator="\n").writerow([column.name for column in columns])
        _write_rows(columns, text)


def _write_rows(columns: list[ExportColumn], text: TextIO) -> None:
    csv.writer(text, lineterminator="\n").writerows(zip(*map(_cells, columns), strict=True))


@contextmanager
def _text_of(stream: BinaryIO) -> Iterator[TextIO]:
    text = io.TextIOWrapper(stream, "utf-8", newline="")
    try:
        yield text
        text.flush()
    finally:
        text.detach()  # the stream stays open: it is another's


def _empty_table(columns: list[ExportColumn]) -> Any:
    from astropy.table import Column, Table

    types: dict[Kind, Any] = {"number": np.float64, "count": np.int64}
    table = Table([Column(name=one.name, unit=one.unit, dtype=types.get(one.kind, np.str_)) for one in columns])
    table.meta["oofpy_version"] = __version__
    return table


def _cells(column: ExportColumn) -> Iterator[Any]:
    if column.kind in ("number", "count"):
        return column.plain
    written: Callable[[Any], str] = json.dumps if column.kind in ("texts", "numbers") else one_line
    return (None if value is None else written(value) for value in column.plain)
