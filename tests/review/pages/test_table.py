"""The table shows what the view says, and its widgets ask for another view."""

import io

import pytest

from oofpy.catalogue import Catalogue, Filter
from oofpy.catalogue.export import export_columns, write_export
from oofpy.review.choices import FILTERS
from oofpy.review.pages.table import TablePage
from oofpy.review.reviewed import ReviewedArchive
from oofpy.review.view import View
from tests.made_outcomes import digest, done, failed, flagged
from tests.review.reviewing import LIBRARIES_WARN, Heard, names, recorded

pytestmark = LIBRARIES_WARN


def key_of(number):
    return digest(f"key {number} usual")


@pytest.fixture
def session(tmp_path):
    """Nine observations: six are well, of which two are decided on, two are flagged, one failed."""
    with Catalogue.open(tmp_path, create=True) as catalogue:
        outcomes = [done(number) for number in range(6)]
        marked = [flagged(6, "misfit"), flagged(7, "large-rms", "misfit", level="reject")]
        recorded(catalogue, *outcomes, *marked, failed(8))
        catalogue.decide(key_of(0), "Anna", "accept")
        catalogue.decide(key_of(1), "Anna", "look")
        yield Heard(ReviewedArchive(catalogue, tmp_path))


@pytest.fixture
def page(session):
    page = TablePage(session)
    session.listen(page.show)
    session.open(View(sort="name"))
    return page


def shown(page):
    return [int(name[-3:]) for name in page._table.value["name"]]


FILTERED = {
    "telescope": ("srt", [1, 4, 7]),
    "object": ("3c2*", [1, 3, 5, 7]),
    "name": ("*_00?", [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    "from": ("2024-06-04", [5, 6, 7]),
    "to": ("2024-05-31", [0, 1]),
    "elevation-above": ("50deg", [6, 7]),
    "elevation-below": ("0.36rad", [0]),
    "rms-above": ("110um", [6, 7]),
    "rms-below": ("0.06mm", [0, 1]),
    "flag": ("misfit", [6, 7]),
    "status": ("failed", [8]),
    "verdict": ("reject", [7]),
    "decision": ("look", [1]),
}


def test_every_filter_is_tried():
    assert set(FILTERED) == set(FILTERS)


def set_filter(page, name, text):
    if name in page._texts:
        page._texts[name].value = f" {text} "
    elif name == "flag":
        page._flag.value = text
    else:
        page._words[name].value = [text]


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_of_the_widgets_is_one_of_the_view_and_of_the_rows(page, session, name):
    text, expected = FILTERED[name]
    set_filter(page, name, text)
    assert session.view.filters == {name: (text,)}
    assert shown(page) == expected
    assert f"<b>{len(expected)}</b> of 9" in page._count.object
    assert page._filters.title != "Filters"
    assert session.told == []
    session.go(filters={})
    assert len(shown(page)) == 9
    assert page._filters.title == "Filters"


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_of_the_view_is_one_of_the_widgets(page, session, name):
    text, expected = FILTERED[name]
    session.open(View(sort="name", filters={name: (text,)}))
    assert shown(page) == expected
    looks = len(session.seen)
    page._filtered()
    assert session.view.filters == {name: (text,)}
    assert len(session.seen) == looks + 1


def test_several_filters_hold_together(page, session):
    set_filter(page, "verdict", "accept")
    set_filter(page, "telescope", "jcmt")
    page._words["decision"].value = ["accept", "none"]
    assert shown(page) == [0, 3]
    assert View.of_query(session.view.query) == session.view


def test_several_flags_of_an_address_are_kept_while_others_are_filtered(page, session):
    session.open(View.of_query("sort=name&flag=large-rms&flag=misfit"))
    assert shown(page) == [6, 7]
    set_filter(page, "telescope", "srt")
    assert session.view.filters == {"telescope": ("srt",), "flag": ("large-rms", "misfit")}
    assert shown(page) == [7]


def test_of_a_filter_that_is_given_twice_the_one_that_counts_is_shown(page, session):
    session.open(View.of_query("sort=name&telescope=jcmt&telescope=srt"))
    assert shown(page) == [1, 4, 7]
    assert page._texts["telescope"].value == "srt"


@pytest.mark.parametrize(
    ("name", "text"), [("from", "yesterday"), ("rms-above", "50"), ("elevation-below", "3 um"), ("name", "a\0b")]
)
def test_with_a_filter_that_is_none_nothing_is_shown_and_it_is_told(page, session, name, text):
    set_filter(page, "telescope", "srt")
    session.told.clear()
    set_filter(page, name, text)
    [line] = session.told
    assert name in line
    assert len(line.splitlines()) == 1
    assert shown(page) == []
    assert session.chosen == ()
    assert "not understood" in page._count.object
    assert all(button.disabled for button in page._downloads)
    set_filter(page, name, "")
    assert shown(page) == [1, 4, 7]
    assert not any(button.disabled for button in page._downloads)


def test_a_word_that_is_none_is_told(page, session):
    session.open(View.of_query("flag=no-such"))
    session.open(View.of_query("status=well"))
    session.open(View.of_query("sort=beauty"))
    assert [one in line for one, line in zip(("no-such", "well", "beauty"), session.told, strict=True)] == [True] * 3
    assert shown(page) == []


@pytest.mark.parametrize(
    ("field", "sort"),
    [("rms", "rms"), ("date", "date"), ("elevation", "elevation"), ("verdict", "verdict")],
)
def test_the_head_of_the_table_sorts(page, session, field, sort):
    page._table.sorters = [{"field": field, "dir": "desc"}]
    assert session.view.sort == f"-{sort}"
    expected = [int(row.name[-3:]) for row in session.archive.rows(Filter(), f"-{sort}")]
    assert shown(page) == expected
    page._table.sorters = [{"field": field, "dir": "asc"}]
    assert session.view.sort == sort
    assert shown(page)[0] != expected[0]
    assert shown(page)[-1] == 8  # of which nothing is known


def test_the_view_says_in_the_head_how_it_is_sorted(page, session):
    session.go(sort="-rms")
    assert page._table.sorters == [{"field": "rms", "dir": "desc"}]
    assert shown(page) == [7, 6, 5, 4, 3, 2, 1, 0, 8]
    session.go(sort="recorded")  # by what no column shows
    assert page._table.sorters == []


def test_ticks_follow_their_rows(page, session):
    page._table.selection = [2, 5]
    assert names(session.chosen) == ["obs_002", "obs_005"]
    session.go(sort="-name")
    assert page._table.selection == [3, 6]
    assert names(session.chosen) == ["obs_005", "obs_002"]
    recorded(session.archive.catalogue, done(9))
    session.refresh()
    assert shown(page)[0] == 9
    assert page._table.selection == [4, 7]
    session.go(filters={"name": ("*2",)})
    assert (page._table.selection, names(session.chosen)) == ([0], ["obs_002"])


def test_two_or_more_are_compared(page, session):
    assert page._compare.disabled
    page._table.selection = [1]
    assert page._compare.disabled
    page._table.selection = [1, 4]
    assert not page._compare.disabled
    page._compare.clicks += 1
    assert session.view == View(page="compare", keys=(key_of(1)[:12], key_of(4)[:12]), sort="name")


class Click:
    def __init__(self, column, row):
        self.column, self.row = column, row


def test_a_click_opens_an_observation(page, session):
    session.go(sort="-rms")
    page._clicked(Click("name", 1))
    assert session.view == View(page="observation", keys=(key_of(6)[:12],), sort="-rms")
    page._clicked(Click("_selected", 0))
    assert session.view.keys == (key_of(6)[:12],)


@pytest.mark.parametrize("form", ["csv", "ecsv"])
def test_what_is_downloaded_is_the_export_of_what_is_shown(page, session, form):
    set_filter(page, "telescope", "srt")
    expected = io.BytesIO()
    write_export(export_columns(session.archive.catalogue, Filter(telescope="srt")), form, expected)
    found = page._exporting(form)().read()
    assert found == expected.getvalue()
    assert b"obs_004" in found
    assert b"obs_000" not in found


def test_a_download_with_a_filter_that_is_none_is_told(page, session):
    session.go(filters={"from": ("yesterday",)})
    session.told.clear()
    assert page._exporting("csv")().read() == b""
    assert len(session.told) == 1


def test_an_empty_catalogue_says_how_to_fill_it(tmp_path):
    folder = tmp_path / "<b>res"
    folder.mkdir()
    with Catalogue.open(folder, create=True) as catalogue:
        page = TablePage(Heard(ReviewedArchive(catalogue, folder)))
        page.show(View())
        assert "oofpy batch" in page._count.object
        assert "&lt;b&gt;res" in page._count.object
        assert len(page._table.value) == 0


@pytest.mark.usefixtures("page")
def test_a_view_is_shown_without_asking_for_another(session):
    looks = len(session.seen)
    filters = {name: (text,) for name, (text, _) in FILTERED.items()}
    session.open(View(filters=filters, sort="-rms"))
    assert len(session.seen) == looks + 1


def test_filters_are_folded(page):
    page.fold(True)
    assert page._filters.collapsed
