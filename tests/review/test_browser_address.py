"""Keys, links, and the buttons of the browser for back and forward."""

import re
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import expect

from oofpy.catalogue import Catalogue
from tests.review.looking import button, expect_count, field, names, opened, wait_for_figure


def heading(page):
    return page.get_by_role("heading", level=1)


def query_of(page):
    return dict(parse_qsl(urlsplit(page.url).query))


def test_keys(fitted, visit, kept):
    page = opened(visit(fitted.address(name="obs*", sort="name")).page)
    page.keyboard.press("j")
    expect(heading(page)).to_contain_text("obs0")
    expect(page).to_have_title("obs0 \N{EN DASH} oofpy review results")
    page.keyboard.press("j")
    expect(heading(page)).to_contain_text("obs1")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(heading(page)).to_contain_text("obs0")
    page.keyboard.press("t")
    expect_count(page, "2 of 10 observations")
    page.keyboard.press("?")
    keys = page.get_by_role("heading", name="Keys")
    expect(keys).to_be_visible()
    page.screenshot(path=kept / "review-help.png")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    button(page, "?").click()
    expect(keys).to_be_visible()
    page.keyboard.press("?")
    expect(keys).to_be_hidden()


def test_keys_rest_while_something_is_written(fitted, visit):
    page = opened(visit(fitted.address("obs0")).page)
    field(page, "comment").focus()
    page.keyboard.type("just arklut?")
    page.keyboard.press("Escape")
    expect(field(page, "comment")).not_to_be_focused()
    page.keyboard.press("?")
    page.get_by_role("heading", name="Keys").wait_for()
    expect(field(page, "comment")).to_have_value("just arklut?")
    expect(heading(page)).to_contain_text("obs0")
    expect(page.get_by_role("alert")).to_be_hidden()
    assert fitted.decisions("obs0") == []


def test_keys_of_the_browser_itself_are_left_alone(fitted, visit):
    page = opened(visit(fitted.served.url).page)
    page.keyboard.press("Control+j")
    page.keyboard.press("Alt+t")
    page.keyboard.press("?")
    page.get_by_role("heading", name="Keys").wait_for()
    assert page.url == fitted.served.url


def test_a_link_shows_the_same(fitted, visit):
    """What was set by hand is in the address, and comes back from it."""
    seen = visit(fitted.served.url)
    page = opened(seen.page)
    field(page, "observation").fill("obs*")
    field(page, "observation").press("Enter")
    expect_count(page, "2 of 10 observations")
    page.locator(".tabulator-header [tabulator-field='rms']").click()
    page.wait_for_url("**sort=rms*")
    with Catalogue.open(fitted.results) as catalogue:
        shown = [row.name for row in catalogue.select(order_by="rms") if row.name.startswith("obs")]
    expect(page.locator(".tabulator-row [tabulator-field='name']")).to_have_text(shown)
    page.locator(".tabulator-row [tabulator-field='name']").first.click()
    wait_for_figure(page, "order 3")
    for name, words in (("order", "order 2"), ("surface", "tilt and focus removed"), ("maps", "linear")):
        field(page, name).select_option(words)
        opened(page)
    page.wait_for_url("**scale=linear*")
    assert query_of(page) == {
        "page": "observation",
        "name": "obs*",
        "sort": "rms",
        "keys": fitted.keys[shown[0]][:12],
        "order": "2",
        "removed": "focus",
        "scale": "linear",
    }
    other = opened(visit(page.url).page)
    expect(heading(other)).to_contain_text(shown[0])
    wait_for_figure(other, "order 2")
    for name, words in (("order", "order 2"), ("surface", "tilt and focus removed"), ("maps", "linear")):
        expect(field(other, name).locator("option:checked")).to_have_text(words)
    other.keyboard.press("t")
    expect_count(other, "2 of 10 observations")
    expect(field(other, "observation")).to_have_value("obs*")
    assert names(other) == shown


def test_back_and_forward(fitted, visit):
    page = opened(visit(fitted.address(sort="name", name="obs*")).page)
    page.locator(".tabulator-row [tabulator-field='name']").first.click()
    expect(heading(page)).to_contain_text("obs0")
    button(page, "next \N{RIGHTWARDS ARROW}").click()
    expect(heading(page)).to_contain_text("obs1")
    page.wait_for_url(f"**keys={fitted.keys['obs1'][:12]}")
    page.go_back()
    expect(heading(page)).to_contain_text("obs0")
    page.go_back()
    expect_count(page, "2 of 10 observations")
    page.go_forward()
    expect(heading(page)).to_contain_text("obs0")
    assert query_of(page)["keys"] == fitted.keys["obs0"][:12]


def test_an_address_that_makes_no_sense(fitted, visit):
    page = opened(visit(f"{fitted.served.url}?page=moon&order=-1&keys=../..&sort=%00&removed=x&elevation-above=").page)
    button(page, "Observations").click()
    page.keyboard.press("j")
    expect(page).to_have_title(re.compile("oofpy review results"))
    assert "moon" not in page.url
