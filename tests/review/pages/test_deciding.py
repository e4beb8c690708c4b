"""Decisions are made by somebody, on what is seen, on all or on none, and are only ever added."""

import html

import pytest

from oofpy.catalogue import Catalogue
from oofpy.review.application import Application
from oofpy.review.reviewed import ReviewedArchive
from oofpy.review.view import View
from tests.made_outcomes import digest, done
from tests.review.reviewing import LIBRARIES_WARN, recorded

pytestmark = LIBRARIES_WARN


def key_of(number):
    return digest(f"key {number} usual")


@pytest.fixture
def application(tmp_path):
    with Catalogue.open(tmp_path, create=True) as catalogue:
        recorded(catalogue, *(done(number) for number in range(4)))
        made = Application(ReviewedArchive(catalogue, tmp_path))
        made._decisions.reviewer.value = " Anna "
        look(made, 1)
        yield made


@pytest.fixture
def bar(application):
    return application._decisions


def look(application, number):
    application.session.open(View(page="observation", keys=(key_of(number)[:12],)))


def choose(application, *numbers):
    application.session.open(View(sort="name"))
    application._table._table.selection = list(numbers)


def decided(application, number=1):
    held = application.session.archive.catalogue.decisions(key_of(number))
    return [(one.who, one.decision, one.why, one.standing) for one in held]


def message(application):
    return application._words.object if application._message.visible else ""


@pytest.mark.parametrize("decision", ["accept", "reject", "look"])
def test_a_decision_is_appended_and_shown(application, bar, decision):
    bar.comment.value = " <b>wind "
    bar.decide(decision)
    assert decided(application) == [("Anna", decision, "<b>wind", decision)]
    assert {"accept": "accepted", "reject": "rejected", "look": "needs a look"}[decision] in bar._subject.object
    assert html.escape("<b>wind") in bar._entries.object
    assert "<b>wind" not in bar._entries.object
    assert "UTC" in bar._entries.object
    assert bar.comment.value == ""
    assert message(application) == ""


@pytest.mark.parametrize(("key", "decision"), [("accept", "accept"), ("reject", "reject"), ("look", "look")])
def test_keys_decide(application, key, decision):
    application.press(key)
    assert decided(application) == [("Anna", decision, "", decision)]


def test_nobody_decides_nothing(application, bar):
    bar.reviewer.value = "   "
    bar.comment.value = "why"
    application.press("accept")
    assert decided(application) == []
    assert "name" in message(application)
    assert bar.comment.value == "why"


def test_an_undo_is_another_entry(application, bar):
    for key in ("accept", "reject", "undo"):
        application.press(key)
    assert [one[1] for one in decided(application)] == ["accept", "reject", "undo"]
    assert "accepted" in bar._subject.object
    application.press("undo")
    assert "open" in bar._subject.object
    application.press("undo")
    assert "no decision to undo" in message(application)
    assert len(decided(application)) == 4


def test_who_did_not_see_what_somebody_else_decided_sees_it_first(application, bar):
    application.session.archive.catalogue.decide(key_of(1), "Bo", "reject", "rain")
    bar.comment.value = "fine"
    application.press("accept")
    assert decided(application) == [("Bo", "reject", "rain", "reject")]
    assert "somebody else" in message(application)
    assert "rejected" in bar._subject.object
    assert "rain" in bar._entries.object
    assert bar.comment.value == "fine"
    application.press("accept")
    assert decided(application)[1:] == [("Anna", "accept", "fine", "accept")]


def test_what_is_being_written_stays_while_others_decide(application, bar):
    bar.comment.value = "I think"
    application.session.archive.catalogue.decide(key_of(1), "Bo", "look")
    application.poll()
    assert "needs a look" in bar._subject.object
    assert bar.comment.value == "I think"


def test_all_that_are_chosen_are_decided_on(application, bar):
    choose(application, 0, 2, 3)
    assert "3 chosen" in bar._subject.object
    bar.comment.value = "all"
    application.press("accept")
    assert [decided(application, number) for number in (0, 2, 3)] == [[("Anna", "accept", "all", "accept")]] * 3
    assert decided(application, 1) == []
    application.press("undo")  # they are still chosen
    assert [decided(application, number)[-1][3] for number in (0, 2, 3)] == [None] * 3


def test_where_one_of_the_chosen_was_decided_on_meanwhile_none_is(application):
    choose(application, 0, 2)
    application.session.archive.catalogue.decide(key_of(2), "Bo", "look")
    application.press("accept")
    assert [decided(application, 0), len(decided(application, 2))] == [[], 1]
    application.press("accept")
    assert [decided(application, number)[-1][:2] for number in (0, 2)] == [("Anna", "accept")] * 2


def test_the_chosen_ones_are_decided_on_again_and_again_away_from_the_table(application):
    choose(application, 0, 2)
    application.session.go(page="trends")
    for key in ("accept", "look", "undo"):
        application.press(key)
        assert "somebody else" not in message(application)
    assert [one[1] for one in decided(application, 2)] == ["accept", "look", "undo"]


def test_of_several_those_are_taken_back_on_which_a_decision_stands(application, bar):
    choose(application, 0, 2)
    catalogue = application.session.archive.catalogue
    catalogue.decide(key_of(2), "Bo", "accept")
    application.poll()
    bar.decide("undo")
    assert [one.standing for one in catalogue.decisions(key_of(2))] == ["accept", None]
    assert catalogue.decisions(key_of(0)) == ()
    assert message(application) == ""
    bar.decide("undo")
    assert "undo" in message(application)


def test_a_decision_takes_back_what_was_said_before_it(application, bar):
    bar.decide("undo")
    assert "no decision to undo" in message(application)
    bar.decide("accept")
    assert message(application) == ""


def test_the_newest_decision_is_seen_and_those_before_it_are_folded(bar):
    for decision in ("accept", "reject", "look"):
        bar.decide(decision)
    newest, folded = bar._entries.object.split("<details>")
    assert "needs a look" in newest
    assert "2 before it" in folded
    assert folded.index("reject") < folded.index("accept")


def test_where_nothing_is_open_or_chosen_it_is_said(application, bar):
    application.session.open(View())
    assert not bar.layout.visible
    application.press("accept")
    assert "no observation" in message(application)
    choose(application, 0)
    application.session.go(page="compare", keys=(key_of(0)[:12], key_of(1)[:12]))
    application.press("accept")
    assert "no observation" in message(application)
    assert [decided(application, number) for number in range(4)] == [[]] * 4


def test_another_observation_has_its_own_decisions(application, bar):
    application.press("reject")
    look(application, 2)
    assert "open" in bar._subject.object
    assert bar._entries.object == ""
    look(application, 1)
    assert "rejected" in bar._subject.object
