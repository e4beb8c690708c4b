"""The table of observations in the browser, with five thousand of them."""

import csv
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from oofpy.catalogue import Catalogue
from tests.review.conftest import WINDOWS
from tests.review.looking import button, expect_count, expect_no_sideways_scroll, field, names, opened
from tests.review.made_review import NAMES


def column(page, name):
    return page.locator(f".tabulator-row [tabulator-field='{name}']").all_inner_texts()


def wait_for_first(page, name):
    """Wait until an observation stands in the first row."""
    expect(page.locator(".tabulator-row [tabulator-field='name']").first).to_have_text(name)


def group(page, name):
    """The buttons of one kind of word."""
    return page.locator(".choices").nth(["verdict", "decision", "status"].index(name))


def head(page, name):
    return page.locator(f".tabulator-header [tabulator-field='{name}']")


@pytest.mark.parametrize("window", WINDOWS)
def test_five_thousand_observations(many, visit, kept, window):
    page = opened(visit(many.served.url, window).page)
    expect_count(page, "5000 of 5000 observations")
    assert len(names(page)) == 40
    expect_no_sideways_scroll(page)
    page.screenshot(path=kept / f"review-table-{window}.png")


def test_a_phone_shows_what_a_decision_needs(many, visit):
    page = opened(visit(many.served.url, "phone").page)
    shown = page.locator(".tabulator-header .tabulator-col[tabulator-field]:visible .tabulator-col-title")
    expect(shown).to_have_text(["observation", "el [deg]", "rms [um]", "verdict", "decision"])
    cell = page.locator(".tabulator-row [tabulator-field='decision']").first
    expect(cell).to_be_visible()
    last = cell.bounding_box()
    assert last["x"] + last["width"] <= WINDOWS["phone"]["width"]
    expect(field(page, "object")).to_be_hidden()
    page.get_by_text("Filters").click()
    field(page, "object").fill("Mars")
    field(page, "object").press("Enter")
    expect_count(page, "1666 of 5000 observations")
    page.get_by_text("Filters: object").wait_for()
    expect_no_sideways_scroll(page)


def test_filters_that_are_written(many, visit):
    page = opened(visit(many.served.url).page)
    with Catalogue.open(many.results) as catalogue:
        rows = [row for row in catalogue.select() if row.status != "failed"]
    for name, words, query, passes in (
        ("observation", "obs0123*", "name=obs0123%2A", lambda row: row.name.startswith("obs0123")),
        ("object", "uranus*", "object=uranus%2A", lambda row: row.object_name.startswith("Uranus")),
        ("telescope", "srt", "telescope=srt", lambda row: row.telescope == "srt"),
        ("date to", "2022-01-31", "to=2022-01-31", lambda row: row.date < "2022-02"),
        ("date from", "2140-01-01", "from=2140-01-01", lambda row: row.date > "2140"),
        ("elevation from", "84deg", "elevation-above=84deg", lambda row: row.elevation_rad >= np.radians(84)),
        ("rms to", "0.06mm", "rms-below=0.06mm", lambda row: row.rms_um <= 60),
    ):
        count = sum(map(passes, rows))
        assert count < 2000
        field(page, name).fill(words)
        field(page, name).press("Enter")
        expect_count(page, f"{count} of 5000 observations")
        assert page.url == f"{many.served.url}?{query}"
        button(page, "no filters").click()
        expect_count(page, "5000 of 5000 observations")
        expect(field(page, name)).to_have_value("")


def test_filters_that_are_pressed(many, fitted, visit):
    page = opened(visit(many.served.url).page)
    group(page, "verdict").get_by_role("button", name="reject").click()
    expect_count(page, "333 of 5000 observations")
    group(page, "verdict").get_by_role("button", name="check").click()
    expect_count(page, "833 of 5000 observations")
    assert set(column(page, "verdict")) == {"reject", "check"}
    group(page, "status").get_by_role("button", name="failed").click()
    expect_count(page, "0 of 5000 observations")
    page.get_by_text("no observation", exact=True).wait_for()
    page = opened(visit(fitted.served.url).page)
    field(page, "flag").select_option("sign-unsourced")
    expect_count(page, "3 of 10 observations")


def test_sorted_by_a_click_on_the_head(many, visit):
    page = opened(visit(many.served.url).page)
    head(page, "elevation").click()
    page.wait_for_url("**sort=elevation")
    expect(head(page, "elevation")).to_have_attribute("aria-sort", "ascending")
    lowest = page.locator(".tabulator-row [tabulator-field='elevation']").first
    expect(lowest).to_have_text(re.compile(r"^20\.0"))
    rising = [float(text) for text in column(page, "elevation")]
    assert rising == sorted(rising)
    head(page, "elevation").click()
    page.wait_for_url("**sort=-elevation")
    expect(head(page, "elevation")).to_have_attribute("aria-sort", "descending")
    expect(lowest).to_have_text(re.compile(r"^8[45]\."))
    falling = [float(text) for text in column(page, "elevation")]
    assert falling == sorted(falling, reverse=True)


def test_paged_through_and_opened_by_a_click(many, visit):
    """Where many are equal they are opened as they stand, and followed by those that stand below."""
    page = opened(visit(many.address(sort="verdict", verdict="check")).page)
    first = names(page)
    page.locator(".tabulator-page", has_text="Next").click()
    expect(page.locator(".tabulator-page.active")).to_have_text("2")
    expect(page.locator(".tabulator-row [tabulator-field='name']").first).not_to_have_text(first[0])
    second = names(page)
    assert len(second) == 40
    assert not set(first) & set(second)
    page.locator(".tabulator-row [tabulator-field='name']").nth(5).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{second[5]} {many.keys[second[5]]}")
    page.get_by_text("has no result").wait_for()
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_contain_text(second[6])
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_contain_text(second[4])


def test_what_is_ticked_is_decided_on_together(many, visit, kept):
    page = opened(visit(many.address(name="obs00*", sort="name")).page)
    expect_count(page, "10 of 5000 observations")
    ticks = page.locator(".tabulator-row input[type=checkbox]")
    ticks.nth(2).check()
    page.get_by_text("1 chosen").wait_for()
    ticks.nth(4).check()
    page.get_by_text("2 chosen").wait_for()
    expect(button(page, "compare 2")).to_be_enabled()
    field(page, "reviewer").fill("Anna")
    field(page, "comment").fill("clouds")
    field(page, "comment").press("Enter")
    button(page.locator(".decisions"), "reject").click()
    expect(page.locator(".tabulator-row [tabulator-field='decision']").nth(4)).to_have_text("reject")
    page.screenshot(path=kept / "review-ticked.png")
    for name in ("obs002", "obs004"):
        assert many.decisions(name) == [("Anna", "reject", "clouds")]
    assert many.decisions("obs003") == []


def test_the_table_is_downloaded(many, visit, kept):
    page = opened(visit(many.address(verdict="reject")).page)
    with page.expect_download() as download:
        page.get_by_text("download CSV").click()
    saved = kept / "review-observations.csv"
    download.value.save_as(saved)
    assert download.value.suggested_filename == "observations.csv"
    with saved.open(newline="") as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    assert len(rows) == 333
    assert {row["verdict"] for row in rows} == {"reject"}


@pytest.mark.parametrize("window", WINDOWS)
def test_a_filter_that_is_none(many, visit, kept, window):
    page = opened(visit(many.address(**{"rms-above": "fish"}), window).page)
    told = page.get_by_role("alert")
    expect(told).to_contain_text("fish")
    page.screenshot(path=kept / f"review-message-{window}.png")
    expect_no_sideways_scroll(page)
    button(page, "\N{MULTIPLICATION SIGN}").click()
    expect(told).to_be_hidden()


def test_names_that_mean_harm(fitted, visit, kept):
    page = opened(visit(fitted.served.url).page)
    shown = "\n".join(names(page))
    for name in NAMES:
        assert f"name {name}" in shown
    assert page.locator("img[src=x]").count() == 0
    assert any(name in text for name in NAMES for text in column(page, "remark"))
    page.screenshot(path=kept / "review-names-table.png")
    row = page.locator(".tabulator-row", has_text=f"name {NAMES[1]}")
    row.locator("[tabulator-field='name']").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(NAMES[1])
    page.get_by_text(f"reason {NAMES[1]}").wait_for()


def test_the_page_stays_where_it_is_when_nothing_is_found(many, visit):
    page = opened(visit(many.address(name="none*")).page)
    expect_count(page, "0 of 5000 observations")
    page.keyboard.press("j")
    page.keyboard.press("?")
    page.get_by_role("heading", name="Keys").wait_for()
    assert page.url == many.address(name="none*").replace("*", "%2A")
