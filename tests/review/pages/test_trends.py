import pytest

from oofpy.catalogue import Catalogue
from oofpy.review.pages.trends import TrendsPage
from oofpy.review.reviewed import ReviewedArchive
from tests.made_catalogue import made_catalogue
from tests.review.reviewing import LIBRARIES_WARN, Heard, closed

pytestmark = LIBRARIES_WARN


@pytest.fixture
def many(tmp_path):
    folder = made_catalogue(tmp_path / "results", 60)
    archive = ReviewedArchive(Catalogue.open(folder), folder)
    yield Heard(archive)
    closed(archive)


@pytest.fixture
def page(many):
    made = TrendsPage(many)
    many.listen(lambda view: made.show(view) if view.page == "trends" else None)
    return made


def points(page, against="elevation"):
    return page._figures[against]._points


def test_a_tap_opens_the_result(many, page):
    many.go(page="trends")
    points(page).selected.indices = [3]
    assert many.view.page == "observation"
    assert page._shown[3].key.startswith(many.view.keys[0])


def test_a_lasso_chooses_and_the_choice_stays(many, page):
    many.go(page="trends")
    points(page).selected.indices = [2, 5, 9]
    wanted = {page._shown[place].key for place in (2, 5, 9)}
    many.go(against="date")
    assert {row.key for row in many.chosen} == wanted
    assert len(points(page, "date").selected.indices) == 3


def test_filters_and_quantity(many, page):
    many.go(page="trends", filters={"telescope": ("jcmt",)}, quantity="focus")
    assert {row.telescope for row in page._shown} == {"jcmt"}
    assert "gravity model" in page._words.object
    page._quantity.value = "rms"
    assert many.view.quantity == "rms"
    assert "gravity model" not in page._words.object


def test_a_quantity_that_is_none_is_told_and_another_shown(many, page):
    many.go(page="trends", quantity="<b>")
    assert "is not known" in many.told[-1]
    assert page._quantity.value == "rms"
    assert "results" in page._words.object
