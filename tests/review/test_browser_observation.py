"""One observation in the browser: what the mouse reads is what was fitted."""

import re

import numpy as np
import pytest
from matplotlib.image import imread
from playwright.sync_api import expect

from oofpy.catalogue import Catalogue
from oofpy.fitting.dish_images import at_order
from oofpy.io.result_reading import read_result
from oofpy.plots.beam_levels import FLOOR_DB
from oofpy.plots.frame import symmetric_limit
from oofpy.plots.surface_views import blocked_pixels, fixed_scale_um, surface_views, um_per_rad
from tests.review.conftest import WINDOWS
from tests.review.looking import (
    button,
    expect_no_sideways_scroll,
    field,
    figure_at,
    hover,
    opened,
    place_of,
    ranges_of,
    wait_for_figure,
)
from tests.review.made_review import IMAGE

DISH, BARS, MODEL, RESIDUAL = "order 3, ", "order 3: ", "model, ", "residual, "


@pytest.fixture(scope="module")
def result(fitted):
    """What was fitted to `obs0`."""
    with Catalogue.open(fitted.results) as catalogue:
        return read_result(fitted.results / catalogue.show(fitted.keys["obs0"]).result.folder / "result.fits")


def number_in(words, name):
    return float(re.search(rf"{name}:?\s*([-+\u2212]?[\d.]+)", words)[1].replace("\N{MINUS SIGN}", "-"))


def test_the_mouse_reads_the_surface(fitted, visit, kept, result):
    page = opened(visit(fitted.address("obs0")).page)
    wait_for_figure(page, DISH)
    axis, surface, error = result.aperture.axis_m, result.aperture.surface_um, result.aperture.surface_error_um
    for row, column in ((40, 52), (70, 90), (88, 38)):
        words = hover(page, DISH, axis[column], axis[row])
        assert number_in(words, "surface") == pytest.approx(surface[row, column], abs=0.005001)
        assert number_in(words, "standard error") == pytest.approx(error[row, column], abs=0.005001)
    page.screenshot(path=kept / "review-hover.png")


def test_the_mouse_reads_a_coefficient(fitted, visit, result):
    page = opened(visit(fitted.address("obs0")).page)
    wait_for_figure(page, BARS)
    place = int(np.argmax([abs(one.phase_rad) for one in result.fit.coefficients]))
    one = result.fit.coefficients[place]
    words = hover(page, BARS, f"Z({one.n},{one.l})", one.phase_rad / 2)
    assert one.name in words
    assert number_in(words, "phase") == pytest.approx(one.phase_rad, abs=5.001e-6)
    assert number_in(words, r"\+-") == pytest.approx(one.phase_rad_error, abs=5.001e-6)


def test_another_order(fitted, visit, result):
    page = opened(visit(fitted.address("obs0")).page)
    field(page, "order").select_option("order 2")
    wait_for_figure(page, "order 2, ")
    wait_for_figure(page, "order 2: 3 coefficients")
    assert "order=2" in page.url
    axis, surface = result.aperture.axis_m, at_order(result, 2).aperture.surface_um
    assert abs(surface[40, 52] - result.aperture.surface_um[40, 52]) > 1
    words = hover(page, "order 2, ", axis[52], axis[40])
    assert number_in(words, "surface") == pytest.approx(surface[40, 52], abs=0.005001)


@pytest.mark.parametrize(("shown", "place"), [("as fitted", 0), ("tilt and focus removed", 2)])
def test_what_is_removed(fitted, visit, result, shown, place):
    page = opened(visit(fitted.address("obs0")).page)
    view = surface_views(result)[place]
    field(page, "surface").select_option(shown)
    wait_for_figure(page, f"order 3, {view.name}")
    axis = result.aperture.axis_m
    words = hover(page, DISH, axis[52], axis[40])
    assert number_in(words, "surface") == pytest.approx(view.phase_rad[40, 52] * um_per_rad(result), abs=0.005001)


def test_scales(fitted, visit, result):
    """Colours of their own or in common, of the dish; decibels or not, of the maps."""
    page = opened(visit(fitted.address("obs0")).page)
    wait_for_figure(page, DISH)
    common, own = fixed_scale_um(result), symmetric_limit(result.aperture.surface_um[~blocked_pixels(result)], 99)
    assert own < 0.9 * common or own > 1.1 * common
    wait_for_colours(page, DISH, -own, own)
    field(page, "scale").select_option("common colours")
    wait_for_colours(page, DISH, -common, common)
    wait_for_colours(page, MODEL, FLOOR_DB, 0)
    field(page, "maps").select_option("linear")
    wait_for_colours(page, MODEL, 0, 1)
    page.wait_for_url("**scale=linear&limits=common")


def test_maps_zoom_together(fitted, visit, kept):
    page = opened(visit(fitted.address("obs0")).page)
    wait_for_figure(page, MODEL)
    whole = ranges_of(page, RESIDUAL)
    figure_at(page, 3).locator(".bk-tool-icon-box-zoom").click()
    left, top = place_of(page, MODEL, -20, 20)
    right, bottom = place_of(page, MODEL, 20, -20)
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move((left + right) / 2, (top + bottom) / 2)
    page.mouse.move(right, bottom)
    page.mouse.up()
    opened(page)
    zoomed = ranges_of(page, MODEL)
    assert zoomed == pytest.approx([-20, 20, -20, 20], abs=1)
    assert ranges_of(page, "map 1") == ranges_of(page, RESIDUAL) == zoomed
    page.screenshot(path=kept / "review-zoom.png")
    figure_at(page, 4).locator(".bk-tool-icon-reset").click()
    opened(page)
    assert ranges_of(page, MODEL) == pytest.approx(whole)


def test_figures_are_saved(fitted, visit, kept):
    page = opened(visit(fitted.address("obs0")).page)
    wait_for_figure(page, RESIDUAL)
    for place, name in ((0, "dish"), (1, "coefficients"), (3, "map1-model")):
        with page.expect_download() as download:
            figure_at(page, place).locator(".bk-tool-icon-save").click()
        assert download.value.suggested_filename == f"obs0-{name}.png"
        saved = kept / f"review-saved-{name}.png"
        download.value.save_as(saved)
        pixels = imread(saved)
        assert min(pixels.shape[:2]) > 200
        assert np.ptp(pixels) > 0.5


@pytest.mark.parametrize("window", WINDOWS)
def test_all_of_it(fitted, visit, kept, window):
    page = opened(visit(fitted.address("obs1"), window).page)
    wait_for_figure(page, RESIDUAL)
    for heading in ("Orders", "Maps", "Coefficients at order 3", "Other parameters"):
        page.get_by_role("heading", name=heading, exact=True).wait_for()
    page.screenshot(path=kept / f"review-observation-{window}.png", full_page=True)
    expect_no_sideways_scroll(page)
    widths = page.locator(".bk-Figure").evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    assert len(widths) == 2 + 3 * 3
    assert max(widths) <= WINDOWS[window]["width"]


@pytest.mark.parametrize("window", WINDOWS)
def test_what_could_not_be_fitted(fitted, visit, kept, window):
    page = opened(visit(fitted.address("broken"), window).page)
    page.get_by_text("broken has no result").wait_for()
    expect(page.locator(".bk-Figure:visible")).to_have_count(0)
    page.screenshot(path=kept / f"review-failed-{window}.png")
    button(page, "accept").wait_for()


def test_no_such_observation(fitted, visit):
    page = opened(visit(fitted.address(page="observation", keys="ffffffff")).page)
    expect(page.get_by_role("alert")).to_contain_text("ffffffff")


def test_names_that_mean_harm(fitted, visit, kept):
    page = opened(visit(fitted.address(IMAGE)).page)
    expect(page.get_by_role("heading", level=1)).to_contain_text(IMAGE)
    expect(page).to_have_title(re.compile(re.escape(IMAGE)))
    wait_for_figure(page, RESIDUAL)
    assert page.locator("img[src=x]").count() == 0
    page.screenshot(path=kept / "review-names.png")


def wait_for_colours(page, title, low, high):
    """Wait until the scale of colours of a figure begins and ends where it should, to a twentieth."""
    page.wait_for_function(
        """([title, low, high]) => {
            const one = Bokeh.index.query(v => v.model.type === 'Figure' && v.model.title.text.startsWith(title));
            const colours = [...one][0].model.right[0].color_mapper;
            const near = (a, b) => Math.abs(a - b) < 0.05 * (high - low);
            return near(colours.low, low) && near(colours.high, high);
        }""",
        arg=[title, low, high],
    )
