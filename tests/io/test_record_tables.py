import io
from dataclasses import dataclass

import numpy as np
import pytest
from astropy.io import fits

from oofpy.fitting.status import FitStatus
from oofpy.io.record_tables import column_values, record_columns, records_from


@dataclass(frozen=True)
class Measured:
    name: str
    width_m: float
    width_m_error: float | None
    slope_per_rad: tuple[float, float]
    count: int
    good: bool
    status: FitStatus


RECORDS = [
    Measured("a", 0.1, None, (1 / 3, -0.0), 2**53 + 1, True, FitStatus.STALLED),
    Measured("", np.nan, np.nan, (np.inf, 5e-324), -1, False, FitStatus.CONVERGED),
]


def written(records, names=None):
    buffer = io.BytesIO()
    fits.BinTableHDU.from_columns(record_columns(Measured, records, names)).writeto(buffer)
    return fits.open(io.BytesIO(buffer.getvalue()))[1]


def test_records_come_back_to_the_last_bit_and_none_is_not_nan():
    found = [Measured(**record) for record in records_from(written(RECORDS), Measured)]
    assert repr(found) == repr(RECORDS)


def test_columns_are_named_after_fields_and_carry_the_units_of_their_names():
    columns = written(RECORDS).columns
    assert columns.names == [
        "NAME",
        "WIDTH_M",
        "HAS_WIDTH_M_ERROR",
        "WIDTH_M_ERROR",
        "SLOPE_PER_RAD",
        "COUNT",
        "GOOD",
        "STATUS",
    ]
    assert dict(zip(columns.names, columns.units, strict=True))["WIDTH_M_ERROR"] == "m"
    assert columns["SLOPE_PER_RAD"].unit is None


def test_no_records_make_an_empty_table():
    assert records_from(written([]), Measured) == []


def test_chosen_fields_only():
    assert records_from(written(RECORDS, ("count",)), Measured, ("count",)) == [
        {"count": 2**53 + 1},
        {"count": -1},
    ]


def test_missing_column_and_other_format_are_errors():
    table = written(RECORDS, ("count", "width_m"))
    with pytest.raises(KeyError):
        records_from(table, Measured)
    with pytest.raises(ValueError, match="COUNT has the format K"):
        column_values(table, "COUNT", float)
