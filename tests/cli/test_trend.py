import json

import pytest
from astropy.table import Table

from tests.made_catalogue import made_catalogue


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return made_catalogue(tmp_path_factory.mktemp("cli") / "results")


def test_table_correlation_and_files(run, results, tmp_path):
    outcome = run("trend", results, "Z(2,2)", "rms", "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0] == "Z(2,2) [rad] against elevation: 84 results, 6 without a value or left out"
    assert lines[1].split() == ["elevation", "results", "median", "scatter"]
    assert len([line for line in lines if " to " in line and " deg " in line]) == 12
    assert lines[8].startswith("Spearman's rank correlation +0.9")
    assert lines[-1] == f"figure and table in {tmp_path / 'out'}"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["trend.ecsv", "trend.png"]
    table = Table.read(tmp_path / "out" / "trend.ecsv")
    assert len(table) == 84
    assert table["Z(2,2)_rad"].unit == "rad"
    assert table["elevation"].unit == "deg"
    assert {"rms_um_error", "flagged", "rejected", "key"} <= set(table.colnames)
    assert table["flagged"].sum() == 9


def test_filters_and_rejected(run, results, tmp_path):
    words = ("--against", "object", "--json")
    found = json.loads(run("trend", results, "rms", *words, "--object", "mars", "--out", tmp_path / "a").out)[0]
    assert [one["name"] for one in found["bins"]] == ["Mars"]
    assert found["spearman"] is None
    every = json.loads(run("trend", results, "rms", *words, "--with-rejected", "--out", tmp_path / "b").out)[0]
    assert every["results"] == 90
    assert every["missing"] == 0


def test_hours(run, results, tmp_path):
    words = ("trend", results, "rms", "--against", "hour", "--bins", "2")
    outcome = run(*words, "--out", tmp_path / "a")
    assert outcome.out.startswith("surface rms [um] against hour (UTC): 84 results")
    assert "0.0 to 12.0 h" in outcome.out
    local = run(*words, "--longitude", "-155.5deg", "--out", tmp_path / "b")
    assert "against hour (local mean time)" in local.out
    hours = [Table.read(tmp_path / name / "trend.ecsv") for name in "ab"]
    [first], [same] = ([row["hour"] for row in table if row["name"] == "obs000"] for table in hours)
    assert first == pytest.approx(3.5)
    assert same == pytest.approx((3.5 - 155.5 / 15) % 24)


def test_existing_folder_is_refused_before_any_work(refused, run, results, tmp_path):
    words = ("trend", results, "rms", "--against", "date", "--out", tmp_path / "out")
    assert run(*words, "--quiet").out == ""
    assert "this exists already; give --overwrite" in refused(*words)
    assert run(*words, "--overwrite").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("seeing",), "QUANTITY = seeing: is not known; choose of Z(n,l), rms"),
        (("Z(2,1)",), "QUANTITY = Z(2,1): is no coefficient"),
        (("rms", "--against", "wind"), "--against = wind: is not known; choose of elevation, date, hour, object"),
        (("rms", "--longitude", "10deg"), "--longitude = 10deg: means nothing here; it goes with --against hour"),
        (("rms", "--against", "hour", "--longitude", "10"), "--longitude = 10: has no unit"),
        (("rms", "--against", "hour", "--longitude", "400deg"), "is beyond 360 deg"),
        (("pointing-u",), "no result that matches has a value and an elevation"),
        (("rms", "--telescope", "srt"), "no result that matches has a value and an elevation"),
    ],
)
def test_what_is_wrong_is_one_line_and_writes_nothing(refused, results, tmp_path, words, said):
    assert said in refused("trend", results, *words, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_catalogue(refused, tmp_path):
    assert str(tmp_path) in refused("trend", tmp_path, "rms", "--out", tmp_path / "out")
