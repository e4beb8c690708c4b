"""The page of one observation: what is switched changes what it should, and nothing else."""

import html
from dataclasses import replace

import numpy as np
import pytest

from oofpy.catalogue import Catalogue
from oofpy.catalogue.from_results import record_of
from oofpy.catalogue.records import Outcome
from oofpy.fitting.dish_images import at_order
from oofpy.flags import Flag
from oofpy.io.results import read_result, write_result
from oofpy.plots.surface_views import blocked_pixels, fixed_scale_um, surface_views, um_per_rad
from oofpy.review.pages.observation import ObservationPage
from oofpy.review.reviewed import ReviewedArchive
from oofpy.review.view import View
from tests.made_outcomes import digest, failed, observation
from tests.review.reviewing import LIBRARIES_WARN, Heard, recorded

pytestmark = LIBRARIES_WARN
EVIL = "<script>alert('x')</script>"


@pytest.fixture
def page(session):
    page = ObservationPage(session)
    session.listen(page.show)
    return page


def look(session, name="obs0", **fields):
    entry = session.archive.entry(name)
    session.open(View(page="observation", keys=(entry.result.key[:12],), **fields))
    return session.archive.result(session.archive.entry(name))


def surface(page):
    return page._dish._dish.source.data["surface"][0]


def unblocked(result):
    """The surface of the result itself, to the last bit, where the maps say something of it."""
    return np.where(blocked_pixels(result), np.nan, result.aperture.surface_um)


def coefficients(page):
    return {name: list(values) for name, values in page._coefficients._source.data.items()}


def maps(page):
    return [np.array(row._source.data["model"][0]) for row in page._maps._rows]


def words(page):
    panes = (page._heading, page._facts, page._tables, page._maps_title)
    return "\n".join(pane.object for pane in panes)


def test_a_result_is_shown_with_its_numbers(page, session, fitted):
    result = look(session)
    entry = session.archive.entry("obs0")
    assert result.status == read_result(fitted / entry.result.folder).status
    said = words(page)
    assert "<h1>obs0" in said
    assert f"{result.fit.surface.rms_um:.4g}" in said
    for flag in result.flags:
        assert flag.code in said
    assert f"order {result.chosen_order}" in page._maps_title.object
    assert page._figures.visible
    assert len(page._rows) == len(result.map_arrays)
    assert session.told == []


def test_another_order_is_that_of_dish_and_coefficients_and_not_of_the_maps(page, session):
    result = look(session)
    before, chosen, drawn = surface(page), coefficients(page), maps(page)
    said = page._tables.object
    page._order.value = 2
    assert session.view.order == 2
    of_order = at_order(result, 2)
    assert coefficients(page)["phase_rad"] == [one.phase_rad for one in of_order.fit.coefficients]
    assert len(coefficients(page)["name"]) < len(chosen["name"])
    np.testing.assert_array_equal(surface(page), unblocked(of_order))
    assert not np.array_equal(surface(page), before, equal_nan=True)
    for old, new in zip(drawn, maps(page), strict=True):
        np.testing.assert_array_equal(old, new)
    assert page._tables.object == said
    assert "of order 2" in page._maps_title.object
    page._order.value = 0
    assert session.view.order is None
    np.testing.assert_array_equal(surface(page), before)
    assert coefficients(page) == chosen
    assert "of order 2" not in page._maps_title.object


def test_an_order_that_was_not_fitted_is_left_out(page, session):
    result = look(session, order=9)
    assert page._order.value == 0
    np.testing.assert_array_equal(surface(page), unblocked(result))


def test_tilt_and_focus_are_removed_or_not(page, session):
    result = look(session)
    views = surface_views(result)
    np.testing.assert_array_equal(surface(page), unblocked(result))
    for removed, view in (("focus", views[2]), ("nothing", views[0])):
        page._removed.value = removed
        assert session.view.removed == removed
        np.testing.assert_allclose(surface(page), view.phase_rad * um_per_rad(result))
    page._removed.value = "tilt"
    np.testing.assert_array_equal(surface(page), unblocked(result))
    assert session.view.removed == "tilt"


def test_colours_are_own_or_common(page, session):
    result = look(session)
    colours = page._dish._image._colours
    own = colours.high
    assert colours.low == -own
    assert own == pytest.approx(np.nanpercentile(np.abs(result.aperture.surface_um), 99), rel=0.2)
    page._limits.value = "common"
    assert (session.view.limits, colours.high, colours.low) == (
        "common",
        fixed_scale_um(result),
        -fixed_scale_um(result),
    )
    page._limits.value = "own"
    assert colours.high == own


def test_maps_are_in_db_or_linear(page, session):
    look(session)
    levels = maps(page)
    assert all(np.nanmax(level) == pytest.approx(0, abs=1e-9) for level in levels)
    page._scale.value = "linear"
    assert session.view.scale == "linear"
    for level, power in zip(levels, maps(page), strict=True):
        assert np.nanmax(power) == pytest.approx(1)
        strong = power > 0.01
        np.testing.assert_allclose(10 * np.log10(power[strong]), level[strong], atol=1e-9)


def test_the_widgets_say_what_the_view_says_and_ask_for_nothing(page, session):
    looks = len(session.seen)
    look(session, order=2, removed="focus", scale="linear", limits="common")
    found = page._order.value, page._removed.value, page._scale.value, page._limits.value
    assert found == (2, "focus", "linear", "common")
    assert len(session.seen) == looks + 1
    assert page._order.options == {"chosen order": 0, "order 2": 2, "order 3": 3}


def test_the_next_observation_is_shown_in_the_same_way(page, session):
    look(session, order=2, scale="linear", sort="name")
    session.step(1)
    assert "<h1>obs1" in page._heading.object
    assert (session.view.order, session.view.scale) == (2, "linear")
    other = at_order(session.archive.result(session.archive.entry("obs1")), 2)
    assert coefficients(page)["phase_rad"] == [one.phase_rad for one in other.fit.coefficients]


def test_nothing_open_is_said(page, session):
    look(session)
    session.open(View(page="observation"))
    assert "No observation is open" in page._heading.object
    assert not page._figures.visible


def test_a_missing_file_is_told_in_place_of_the_figures(page, session, fitted):
    look(session, "obs1")
    entry = session.archive.entry("obs0")
    file = fitted / entry.result.folder / "result.fits"
    content = file.read_bytes()
    file.unlink()
    session.open(View(page="observation", keys=(entry.result.key[:12],)))
    assert "<h1>obs0" in page._heading.object
    assert "result.fits" in page._heading.object
    assert "obs1" not in words(page).replace(str(fitted), "")
    assert not page._figures.visible
    file.write_bytes(content)  # and when it is back
    session.refresh()
    assert page._figures.visible
    assert "rms" in page._facts.object


def test_what_failed_says_why(page, session):
    recorded(session.archive.catalogue, failed(1, f"reason {EVIL}"))
    session.open(View(page="observation", keys=(digest("key 1 usual")[:12],)))
    assert html.escape(f"reason {EVIL}") in page._heading.object
    assert EVIL not in words(page)
    assert not page._figures.visible


def test_what_is_the_key_of_nothing_is_told_and_nothing_else_is_shown(page, session):
    look(session)
    session.open(View(page="observation", keys=("abcdef123456",)))
    assert "abcdef123456" in " ".join([page._heading.object, *session.told])
    assert "obs0" not in page._heading.object
    assert not page._figures.visible


def test_a_result_that_was_fitted_again_is_shown_anew(page, session, fitted):
    result = look(session)
    entry = session.archive.entry("obs0")
    again = replace(result, flags=(Flag("file-odd", "fitted again"),))
    write_result(again, fitted, name=entry.result.folder, overwrite=True)
    recorded(session.archive.catalogue, Outcome(entry.observation, entry.result))
    session.refresh()
    assert "fitted again" in words(page)


@pytest.fixture
def harmful(made_result, tmp_path):
    """A result in which all text means harm."""
    result = replace(
        made_result,
        object_name=f"object {EVIL}",
        name=f"name {EVIL[:20]}",
        date=f"date {EVIL}",
        flags=(Flag("file-odd", f"message {EVIL}"), *made_result.flags),
        map_arrays=tuple(replace(one, label=f"label {EVIL}") for one in made_result.map_arrays),
    )
    write_result(result, tmp_path, name="harmful")
    record = record_of(result, key=digest("h"), settings_digest=digest("s"), settings={}, folder="harmful")
    with Catalogue.open(tmp_path, create=True) as catalogue:
        recorded(catalogue, Outcome(replace(observation(1), name=f"row {EVIL}"), record))
        yield Heard(ReviewedArchive(catalogue, tmp_path))


def test_text_of_data_is_text(harmful):
    page = ObservationPage(harmful)
    harmful.listen(page.show)
    harmful.open(View(page="observation", keys=(digest("h")[:12],)))
    said = words(page)
    assert "<script" not in said
    for part in (f"row {EVIL}", f"message {EVIL}", f"name {EVIL[:20]}"):
        assert html.escape(part) in said
    assert page._figures.visible
    assert harmful.told == []


def test_an_order_whose_images_cannot_be_made_is_told(harmful):
    """As of a correction that does not fit the dish, which the file holds all the same."""
    page = ObservationPage(harmful)
    harmful.listen(page.show)
    harmful.open(View(page="observation", keys=(digest("h")[:12],), order=2))
    assert "observing.applied" in page._heading.object
    assert "<script" not in page._heading.object
    assert not page._figures.visible
    harmful.go(order=None)
    assert page._figures.visible
