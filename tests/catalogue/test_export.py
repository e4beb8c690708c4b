"""The four formats of the table say the same."""

import csv
import io
import json
import math
import sys

import numpy as np
import pytest
from astropy.table import Table

from oofpy.catalogue import Catalogue, Filter, ObservationRow
from oofpy.catalogue.catalogue import EVERYTHING
from oofpy.catalogue.export import export_columns, write_export
from oofpy.errors import UsageError
from tests.made_outcomes import TERMS, coefficients, done, failed, flagged, under

NASTY = 'Karte µ, "a"\nb\t=1+1'


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    with Catalogue.open(tmp_path_factory.mktemp("results"), create=True) as opened:
        outcomes = [done(0), flagged(1, "misfit", "large-rms"), failed(2, "cannot be read: a, b"), done(3, order=2)]
        opened.record(opened.begin_run("batch", "0", "host"), [*outcomes, under(done(4), name=NASTY)])
        yield opened


def exported(catalogue, form, wanted=EVERYTHING, order=None):
    stream = io.BytesIO()
    write_export(export_columns(catalogue, wanted, order), form, stream)
    return stream.getvalue()


def refuse(constant):
    raise ValueError(constant)


def objects(catalogue, **options):
    """By the number of the observation; of the one with a nasty name, 4."""
    listed = json.loads(exported(catalogue, "json", **options), parse_constant=refuse)
    return {int(entry["files"][0][-8:-5]): entry for entry in listed}


def test_json_holds_a_row_for_every_observation(catalogue):
    found = objects(catalogue)
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert [found[number]["status"] for number in range(5)] == ["ok", "flagged", "failed", "ok", "ok"]
    assert found[2]["reason"] == "cannot be read: a, b"
    assert found[2]["rms_um"] is found[2]["Z(2,0)_rad"] is found[2]["date_utc"] is None
    assert found[1]["flags"] == ["misfit", "large-rms"]
    assert (found[4]["name"], found[4]["dz_m"], found[4]["maps"]) == (NASTY, [-3e-3, 0.0, 3e-3], 3)
    assert found[1]["date_utc"] == "2024-05-31T22:00:00Z"
    names = set(ObservationRow.__dataclass_fields__) | {"coefficients_order"}
    names |= {f"Z({n},{l})_rad{end}" for n, l in TERMS for end in ("", "_error")}
    assert all(set(entry) == names for entry in found.values())


@pytest.mark.parametrize(("order", "of_orders"), [(None, (3, 3, None, 2, 3)), (2, (2, 2, None, 2, 2))])
def test_coefficients_are_those_of_the_order(catalogue, order, of_orders):
    found = objects(catalogue, order=order)
    for number, of_order in enumerate(of_orders):
        assert found[number]["coefficients_order"] == of_order
        held = {f"{one.name}_rad": one for one in coefficients(number, orders=(of_order,) if of_order else ())}
        for name in (name for name in found[number] if name.startswith("Z(") and name.endswith("_rad")):
            expected = (held[name].phase_rad, held[name].phase_rad_error) if name in held else (None, None)
            assert (found[number][name], found[number][f"{name}_error"]) == expected


def plain(value):
    """What a table holds as what JSON holds."""
    if value is np.ma.masked or value == "":
        return None
    value = value.item() if isinstance(value, np.generic) else value
    return json.loads(value) if isinstance(value, str) and value[:1] == "[" else value


def on_one_line(entry):
    return {
        name: None if value == "" else " ".join(value.split()) if isinstance(value, str) else value
        for name, value in entry.items()
    }


def test_ecsv_says_what_json_says(catalogue):
    text = exported(catalogue, "ecsv").decode()
    table = Table.read(text, format="ascii.ecsv")
    rows = [{name: plain(row[name]) for name in table.colnames} for row in table]
    assert rows == [on_one_line(entry) for entry in json.loads(exported(catalogue, "json"))]
    units = {name: str(table[name].unit) for name in ("rms_um", "best_focus_m_error", "Z(2,0)_rad", "seconds")}
    assert units == {"rms_um": "um", "best_focus_m_error": "m", "Z(2,0)_rad": "rad", "seconds": "s"}
    assert table["rms_um"].dtype == np.float64
    assert table["maps"].dtype == np.int64


def test_csv_says_what_json_says(catalogue):
    rows = list(csv.DictReader(io.StringIO(exported(catalogue, "csv").decode(), newline="")))
    for row, entry in zip(rows, json.loads(exported(catalogue, "json")), strict=True):
        for name, value in on_one_line(entry).items():
            cell = row[name]
            if isinstance(value, str):
                assert cell == value
            else:
                assert (json.loads(cell) if cell else None) == value, name


def test_csv_is_one_line_a_row(catalogue):
    assert len(exported(catalogue, "csv").decode().splitlines()) == 6


def test_parquet_says_what_json_says(catalogue):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(exported(catalogue, "parquet")))
    assert table.schema.field("dz_m").type == pa.list_(pa.float64())
    assert table.schema.field("date_utc").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("rms_um").metadata[b"unit"] == b"um"
    rows = table.to_pylist()
    for row, entry in zip(rows, json.loads(exported(catalogue, "json")), strict=True):
        for name in ("date_utc", "recorded_at", "decided_at"):
            moment = row.pop(name)
            assert (None if moment is None else moment.isoformat().replace("+00:00", "Z")) == entry.pop(name)
        assert row == entry


@pytest.mark.parametrize("form", ["ecsv", "csv", "parquet", "json"])
def test_a_catalogue_where_nothing_matches_has_a_head_and_no_rows(catalogue, form):
    content = exported(catalogue, form, Filter(name="nothing"))
    if form == "json":
        assert json.loads(content) == []
    elif form == "parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(io.BytesIO(content))
        assert (table.num_rows, table.column_names[:2]) == (0, ["content_hash", "name"])
    elif form == "csv":
        assert content.startswith(b"content_hash,name,files,")
        assert content.count(b"\n") == 1
    else:
        assert Table.read(content.decode(), format="ascii.ecsv").colnames[:2] == ["content_hash", "name"]


def test_a_column_of_which_nothing_is_known_keeps_its_type(catalogue):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(exported(catalogue, "parquet", Filter(statuses=("failed",)))))
    assert table.schema.field("rms_um").type == pa.float64()
    assert table["rms_um"].to_pylist() == [None]


def test_numbers_keep_every_bit(tmp_path):
    value = math.nextafter(0.1, 1)
    with Catalogue.open(tmp_path, create=True) as opened:
        opened.record(opened.begin_run("batch", "0", "host"), [done(0, rms_um=value)])
        assert objects(opened)[0]["rms_um"] == value
        assert Table.read(exported(opened, "ecsv").decode(), format="ascii.ecsv")["rms_um"][0] == value


def test_parquet_without_its_library_says_what_to_install(catalogue, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"needs the library pyarrow; pip install 'oofpy\[parquet\]'"):
        exported(catalogue, "parquet")


def test_what_a_row_says_of_the_fit_is_of_the_order(catalogue):
    chosen, lower = objects(catalogue), objects(catalogue, order=2)
    per_order = ("rms_um", "rms_um_error", "best_focus_m", "reduced_chi2")
    assert [lower[0][name] for name in per_order] == [52.0, 0.3, -1e-4, 1.1]
    chosen_only = ("rms_without_focus_um", "ruze_efficiency", "exact_efficiency", "best_focus_m_error")
    for name in (*chosen_only, "pointing_u_rad", "pointing_v_rad"):
        assert chosen[0][name] is not None
        assert lower[0][name] is None
    assert (lower[0]["order"], lower[0]["signal_to_noise"]) == (3, 200.0)
    assert all(chosen[3][name] == value for name, value in lower[3].items())  # 2 is its chosen order


def test_results_without_the_order_are_empty_and_an_order_of_none_is_refused(tmp_path):
    with Catalogue.open(tmp_path, create=True) as opened:
        low = done(1, order=2, orders=done(1).result.orders[:1], coefficients=coefficients(1, orders=(2,)))
        opened.record(opened.begin_run("batch", "0", "host"), [done(0), low])
        found = objects(opened, order=3)
        assert found[0]["rms_um"] == 50.0
        assert found[1]["rms_um"] is found[1]["reduced_chi2"] is found[1]["Z(2,0)_rad"] is None
        with pytest.raises(UsageError, match=r"--order = 5: .*choose of 2, 3$"):
            export_columns(opened, EVERYTHING, 5)
        with pytest.raises(UsageError, match=r"--order = 3: .*choose of 2$"):
            export_columns(opened, Filter(name="obs_001"), 3)
