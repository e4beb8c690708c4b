"""A row says what the catalogue says, in the units of its heading."""

import math

import pytest

from oofpy.catalogue import Catalogue
from oofpy.catalogue.selecting import SORTS
from oofpy.review.rows import COLUMNS, table_of
from tests.made_outcomes import digest, done, failed, flagged
from tests.review.reviewing import recorded


@pytest.fixture
def rows(tmp_path):
    with Catalogue.open(tmp_path, create=True) as catalogue:
        recorded(catalogue, done(1, rms_um=60.0499), flagged(2, "misfit", "large-rms"), failed(3))
        yield catalogue.select()


@pytest.fixture
def table(rows):
    return table_of(rows).set_index("name")


def test_numbers_are_in_the_units_of_their_headings(rows, table):
    found = table.loc["obs_001"]
    assert found["elevation"] == pytest.approx(math.degrees(rows[0].elevation_rad), abs=0.05)
    assert (found["rms"], found["rms_error"]) == (60.0, 0.3)
    assert found["focus"] == -0.17  # of -1.7e-4 m
    assert (found["chi2"], found["snr"]) == (1.04, 200)
    titles = {one.name: one.title for one in COLUMNS}
    assert (titles["elevation"], titles["rms"], titles["focus"]) == ("el [deg]", "rms [um]", "focus error [mm]")


def test_words_are_those_of_the_catalogue(table):
    found = table.loc["obs_002"]
    assert (found["telescope"], found["object"], found["date"]) == ("gbt", "3C84", "2024-06-01 22:00")
    assert (found["verdict"], found["remark"], found["decision"]) == ("check", "misfit, large-rms", "")
    assert found["key"] == digest("key 2 usual")[:12]


def test_what_failed_says_why_and_has_no_numbers(table):
    found = table.loc["obs_003"]
    assert (found["verdict"], found["remark"]) == ("failed", "the file is damaged")
    assert (found["date"], found["telescope"], found["object"]) == ("", "", "")
    assert all(math.isnan(found[name]) for name in ("elevation", "rms", "rms_error", "focus", "chi2", "snr"))


def test_a_decision_is_shown(tmp_path):
    with Catalogue.open(tmp_path, create=True) as catalogue:
        recorded(catalogue, done(1))
        catalogue.decide(digest("key 1 usual"), "Anna", "look")
        assert list(table_of(catalogue.select())["decision"]) == ["look"]


def test_no_rows_are_a_table_with_all_columns():
    assert list(table_of([]).columns) == [*(one.name for one in COLUMNS), "key"]
    assert len(table_of([])) == 0


def test_the_catalogue_sorts_by_what_a_column_says():
    assert {one.sort for one in COLUMNS if one.sort} <= set(SORTS)
    assert len({one.name for one in COLUMNS}) == len(COLUMNS)
