"""Comparisons and trends in a browser."""

import re

import pytest
from playwright.sync_api import expect

from oofpy.comparison.comparing import compare
from oofpy.io.result_reading import read_result
from tests.review.conftest import WINDOWS
from tests.review.looking import (
    button,
    expect_no_sideways_scroll,
    field,
    hover,
    opened,
    place_of,
    ranges_of,
    wait_for_figure,
)

DIFFERENCE = "A \N{MINUS SIGN} B"


def two(fitted):
    return f"{fitted.served.url}?page=compare&keys={fitted.keys['obs0'][:12]},{fitted.keys['obs1'][:12]}"


def compared(fitted):
    from oofpy.catalogue import Catalogue

    with Catalogue.open(fitted.results) as catalogue:
        folders = [catalogue.show(fitted.keys[name]).result.folder for name in ("obs0", "obs1")]
    return compare([read_result(fitted.results / folder / "result.fits") for folder in folders])


@pytest.mark.parametrize("window", WINDOWS)
def test_the_difference_is_read_off(fitted, visit, kept, window):
    page = opened(visit(two(fitted), window).page)
    wait_for_figure(page, DIFFERENCE)
    page.screenshot(path=kept / f"review-compare-{window}.png", full_page=True)
    expect_no_sideways_scroll(page)
    comparison = compared(fitted)
    axis, place = comparison.axis_m, comparison.axis_m.size // 3
    tip = hover(page, DIFFERENCE, float(axis[place]), float(axis[place]))
    view = comparison.difference.views[0]
    for values in (comparison.surfaces_um[0], comparison.surfaces_um[1], view.map_um, view.error_um):
        number = f"{values[place, place]:.2f}".replace("-", "\N{MINUS SIGN}")
        assert number in tip.replace("-", "\N{MINUS SIGN}")


def test_one_zoom_for_all_and_one_more_or_less(fitted, visit):
    page = opened(visit(two(fitted)).page)
    wait_for_figure(page, DIFFERENCE)
    before = ranges_of(page, "A obs0")
    x, y = place_of(page, DIFFERENCE, 0.0, 0.0)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 20, steps=4)
    page.mouse.up()
    assert ranges_of(page, "A obs0") == ranges_of(page, "B obs1") != before
    button(page, "obs1 \N{MULTIPLICATION SIGN}").click()
    page.get_by_text("Open two results or more").wait_for()
    field(page, "add").fill("obs1")
    field(page, "add").press("Enter")
    page.wait_for_url(re.compile(r"keys=[0-9a-f]{12}%2C[0-9a-f]{12}"))
    wait_for_figure(page, DIFFERENCE)


@pytest.mark.parametrize("against", ["elevation", "date", "hour", "object"])
def test_a_trend_of_five_thousand(many, visit, kept, against):
    page = opened(visit(f"{many.served.url}?page=trends&quantity=rms&against={against}").page)
    page.get_by_text(re.compile(r"\d{4} results")).wait_for()
    expect(page.locator(".bk-Figure:visible")).to_have_count(1)
    page.screenshot(path=kept / f"review-trend-{against}.png")


def test_a_lasso_chooses(many, visit, kept):
    page = opened(visit(f"{many.served.url}?page=trends&against=date").page)
    page.get_by_text(re.compile(r"\d{4} results")).wait_for()
    frame = page.locator(".bk-Figure").bounding_box()
    left, top = frame["x"] + 90, frame["y"] + 110
    right, bottom = frame["x"] + frame["width"] - 15, frame["y"] + frame["height"] - 70
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=6)
    page.mouse.up()
    page.get_by_text(re.compile(r"\d+ chosen")).wait_for()
    page.screenshot(path=kept / "review-lasso.png")
