"""One browser tab: its keys, its message, its address, and what it does when others have done something."""

import html

import pytest

from oofpy.catalogue import Catalogue
from oofpy.review.application import Application
from oofpy.review.browser import KEYS
from oofpy.review.reviewed import ReviewedArchive
from oofpy.review.view import View
from tests.made_outcomes import digest, done, failed
from tests.review.reviewing import LIBRARIES_WARN, recorded

pytestmark = LIBRARIES_WARN


def key_of(number):
    return digest(f"key {number} usual")


@pytest.fixture
def application(tmp_path):
    with Catalogue.open(tmp_path, create=True) as catalogue:
        recorded(catalogue, *(done(number) for number in range(3)), failed(3))
        made = Application(ReviewedArchive(catalogue, tmp_path))
        made._decisions.reviewer.value = "Anna"
        made.session.open(View(sort="name"))
        yield made


def shown(application):
    [layout] = (one for one in application._body if one.visible)
    return next(name for name, page in application._pages.items() if page.layout is layout)


def message(application):
    return application._words.object if application._message.visible else ""


def seen_by(application):
    views = []
    application.session.listen(views.append)
    return views


def test_keys_lead_through_the_observations(application):
    for number in (0, 1, 2, 3, 3):
        application.press("next")
        assert application.session.view.keys == (key_of(number)[:12],)
        assert shown(application) == "observation"
    application.press("previous")
    assert application.session.view.keys == (key_of(2)[:12],)
    application.press("table")
    assert shown(application) == "table"


def test_figures_of_an_observation_are_made_while_the_table_is_read(application):
    application.prepare()
    assert shown(application) == "table"
    assert application._pages["observation"].layout in list(application._body)
    application.press("next")
    assert shown(application) == "observation"
    application.prepare()
    assert shown(application) == "observation"
    assert len(application._body) == 2


def test_every_key_does_something(application):
    application.press("next")
    done_by = {}
    for action, _ in KEYS.values():
        before = (application.session.view, application.session.archive.state(), application._help.visible)
        application.press(action)
        done_by[action] = before != (
            application.session.view,
            application.session.archive.state(),
            application._help.visible,
        )
    assert done_by == {
        "next": True,
        "previous": True,
        "accept": True,
        "reject": True,
        "look": True,
        "undo": True,
        "table": True,
        "help": True,
        "close": True,
    }
    assert [one.decision for one in application.session.archive.decisions(key_of(0))] == [
        *("accept", "reject", "look", "undo")
    ]


def test_help_names_every_key_and_closes(application):
    application.press("help")
    assert application._help.visible
    assert all(f"<kbd>{html.escape(key)}</kbd>" in application._help.object for key in KEYS)
    application.press("close")
    assert not application._help.visible


def test_a_message_is_text_and_vanishes_with_the_next_view(application):
    application.session.say("a <b>message")
    assert "a &lt;b&gt;message" in message(application)
    application.session.go(page="trends")
    assert message(application) == ""
    application.session.say("another")
    application.press("close")
    assert message(application) == ""


def test_what_was_said_stays_while_others_decide(application):
    application.session.say("no decision to undo")
    application.session.archive.catalogue.decide(key_of(1), "Bo", "reject")
    application.poll()
    assert list(application._table._table.value["decision"])[1] == "reject"
    assert "no decision to undo" in message(application)


def test_the_own_decision_is_no_news(application):
    application.session.go(page="observation", keys=(key_of(1)[:12],))
    application.press("accept")
    views = seen_by(application)
    application.poll()
    assert views == []


def test_an_entry_is_read_once_a_view(application, monkeypatch):
    read = []
    show = application.session.archive.catalogue.show
    monkeypatch.setattr(application.session.archive.catalogue, "show", lambda key: read.append(key) or show(key))
    application.session.go(page="observation", keys=(key_of(1)[:12],))
    application.session.go(removed="focus")
    assert len(read) == 1
    application.press("accept")
    assert len(read) == 2


def test_a_poll_without_news_does_nothing(application):
    views = seen_by(application)
    rows = application.session.rows()
    application.session.say("stays")
    for _ in range(3):
        application.poll()
    assert views == []
    assert application.session.rows() is rows
    assert "stays" in message(application)


def test_a_poll_shows_what_others_did_once(application):
    views = seen_by(application)
    catalogue = application.session.archive.catalogue
    catalogue.decide(key_of(1), "Bo", "reject")
    application.poll()
    application.poll()
    assert views == [application.session.view]
    assert list(application._table._table.value["decision"]) == ["", "reject", "", ""]
    recorded(catalogue, done(4))
    application.poll()
    assert len(application._table._table.value) == 5
    assert len(views) == 2


def test_what_is_ticked_stays_ticked_while_others_decide(application):
    application._table._table.selection = [0, 2]
    application.session.archive.catalogue.decide(key_of(1), "Bo", "reject")
    application.poll()
    assert application._table._table.selection == [0, 2]
    assert "2 chosen" in application._decisions._subject.object


@pytest.mark.parametrize(
    ("query", "page", "words"),
    [
        ("page=nowhere&order=x&%zz", "table", ""),
        ("page=observation&keys=abcdef123456", "observation", "abcdef123456"),
        ("page=observation", "observation", "No observation"),
        ("page=observation&keys=ab", "observation", "ab"),
        ("from=yesterday", "table", "yesterday"),
        ("sort=%3Cscript%3E", "table", "&lt;script&gt;"),
        ("flag=%3Cscript%3E", "table", "&lt;script&gt;"),
        ("page=compare&keys=zzzzzz,yyyyyy", "compare", "zzzzzz"),
        ("page=trends&quantity=%3Cscript%3E", "trends", ""),
        ("rms-above=1e9999um", "table", "1e9999um"),
        ("to=9999-12-31", "table", ""),
    ],
)
def test_an_address_that_cannot_be_understood_is_told(application, query, page, words):
    application._open_address(query)
    assert shown(application) == page
    told = message(application)
    layouts = [getattr(application._pages[page], "_heading", None)]
    told += "".join(pane.object for pane in layouts if pane is not None)
    assert words in told
    assert "<script" not in told
    application.press("table")
    application.session.open(View(sort="name"))
    assert len(application._table._table.value) == 4
    assert message(application) == ""


def test_the_same_address_is_not_opened_again(application):
    views = seen_by(application)
    application._open_address("sort=name")
    assert views == []
    application._open_address("sort=-name")
    assert views == [View(sort="-name")]


def test_pages_are_made_once(application):
    layouts = {name: page.layout for name, page in application._pages.items()}
    for _ in range(2):
        for name in layouts:
            application._links[name].clicks += 1
            assert application.session.view.page == name
            assert [one is layouts[name] for one in application._body if one.visible] == [True]
            assert application._links[name].button_type == "primary"
            assert [one.button_type for one in application._links.values()].count("primary") == 1


def test_a_fault_is_told_without_its_details(application):
    application.say_fault()
    assert "log of the server" in message(application)
