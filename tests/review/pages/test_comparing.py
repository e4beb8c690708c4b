import pytest

from tests.review.reviewing import LIBRARIES_WARN

pytestmark = LIBRARIES_WARN


@pytest.fixture
def page(session):
    from oofpy.review.pages.comparing import ComparingPage

    made = ComparingPage(session)
    session.listen(lambda view: made.show(view) if view.page == "compare" else None)
    return made


def keys_of(session):
    return tuple(row.key[:12] for row in session.rows())


def test_two_are_compared(session, page):
    session.go(page="compare", keys=keys_of(session))
    assert len(page._dishes.figures) == 5
    assert "comparison of 2 results" in page._heading.object
    assert page._figures.visible
    assert "Z(3,1)" in page._tables.object


def test_one_is_not_enough_and_a_name_adds_another(session, page):
    session.go(page="compare", keys=keys_of(session)[:1])
    assert not page._figures.visible
    assert "two results or more" in page._heading.object
    page._add.value = "obs0" if session.rows()[0].name == "obs1" else "obs1"
    assert len(session.view.keys) == 2
    assert page._figures.visible


def test_an_order_that_both_have(session, page):
    session.go(page="compare", keys=keys_of(session))
    page._order.value = 2
    assert session.view.order == 2
    assert "Z(3,1)" not in page._tables.object


def test_what_cannot_be_opened_is_told(session, page):
    keys = keys_of(session)
    session.go(page="compare", keys=(*keys, "000000000000"))
    assert page._figures.visible
    assert "000000000000" in page._heading.object
    page._add.value = "<script>"
    assert session.told
    assert "<script>" not in page._heading.object
