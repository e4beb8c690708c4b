"""What a session looks at, steps through and tells."""

import pytest

from oofpy.errors import InputError, UsageError
from oofpy.review.view import View
from tests.made_outcomes import digest, done, failed
from tests.review.reviewing import Heard, closed, names, opened, recorded


def key_of(number):
    return digest(f"key {number} usual")


@pytest.fixture
def session(tmp_path):
    """Six observations, of which the even ones are of 3C84; their rms grows with their numbers."""
    archive = opened(tmp_path, *(done(number) for number in range(6)))
    yield Heard(archive)
    closed(archive)


def opened_name(session):
    [key] = session.view.keys
    return session.archive.entry(key).observation.name


def test_steps_follow_the_order_of_the_table(session):
    session.go(sort="-rms")
    found = []
    for _ in range(8):
        session.step(1)
        found.append(opened_name(session))
    assert found == ["obs_005", "obs_004", "obs_003", "obs_002", "obs_001", "obs_000", "obs_000", "obs_000"]
    assert session.view == View(page="observation", keys=(key_of(0)[:12],), sort="-rms")
    session.step(-2)
    assert opened_name(session) == "obs_002"
    session.step(-100)
    assert opened_name(session) == "obs_005"


def test_steps_stay_within_the_filter(session):
    session.go(filters={"object": ("3C84",)}, sort="name")
    session.step(-1)
    assert opened_name(session) == "obs_004"
    session.step(-1)
    assert opened_name(session) == "obs_002"
    session.step(1)
    session.step(1)
    assert opened_name(session) == "obs_004"
    assert session.view.filters == {"object": ("3C84",)}


def test_a_step_needs_the_beginning_of_a_key_only(session):
    session.open(View(page="observation", keys=(key_of(2)[:7],), sort="name"))
    session.step(1)
    assert opened_name(session) == "obs_003"


def test_a_step_from_what_is_filtered_out_begins_at_an_end(session):
    session.open(View(keys=(key_of(1)[:12],), filters={"object": ("3C84",)}, sort="name"))
    session.step(1)
    assert opened_name(session) == "obs_000"
    session.go(keys=(key_of(1)[:12],))
    session.step(-1)
    assert opened_name(session) == "obs_004"


def test_steps_through_the_undecided_ones_go_on_where_a_decision_was_made(session):
    session.open(View(keys=(key_of(2)[:12],), filters={"decision": ("none",)}, sort="name"))
    session.rows()
    for _ in range(2):  # the second time as somebody else changes something
        session.archive.decide([key_of(2)], "Anna", "accept")
        session.refresh()
    session.step(1)
    assert opened_name(session) == "obs_003"
    session.archive.decide([key_of(3)], "Anna", "accept")
    session.refresh()
    session.step(-1)
    assert opened_name(session) == "obs_001"


def test_a_step_among_nothing_leads_nowhere(session):
    session.go(filters={"name": ("nothing",)})
    before = session.view
    session.step(1)
    assert (session.view, session.told) == (before, [])


@pytest.mark.parametrize("fields", [{"filters": {"from": ("yesterday",)}}, {"sort": "beauty"}])
def test_a_step_that_cannot_be_found_is_told(session, fields):
    session.go(page="observation", **fields)
    session.step(1)
    assert len(session.told) == 1
    assert "yesterday" in session.told[0] or "beauty" in session.told[0]
    assert session.view == View(page="observation", **fields)


def test_every_listener_is_told_of_a_view_even_if_one_complains(session):
    session.seen.clear()

    def complaining(view):
        raise UsageError(f"is no {view.page}", key="page", remedy="look elsewhere")

    session.listen(complaining)
    after = []
    session.listen(after.append)
    session.go(page="trends")
    assert session.seen == after == [View(page="trends")]
    assert session.told == ["page: is no trends; look elsewhere"]


def test_a_fault_of_the_program_is_not_told_as_one_of_the_user(session):
    session.listen([].index)
    with pytest.raises(ValueError, match="not in list"):
        session.go(page="trends")
    assert session.told == []


def test_rows_are_read_again_for_another_view_or_a_refresh_only(session):
    first = session.rows()
    session.go(page="trends", order=3)
    assert session.rows() is first
    recorded(session.archive.catalogue, done(6), failed(7))
    assert names(session.rows()) == names(first)
    session.refresh()
    assert set(names(session.rows())) == {*names(first), "obs_006", "obs_007"}
    session.go(filters={"status": ("failed",)})
    assert names(session.rows()) == ["obs_007"]
    assert session.seen.count(View(page="trends", order=3)) == 2


def test_a_catalogue_that_is_gone_is_told_by_a_refresh(session, monkeypatch):
    def gone(*_):
        raise InputError("the server is down")

    for name in ("state", "rows"):
        monkeypatch.setattr(session.archive, name, gone)
    said = []
    monkeypatch.setattr(session, "say", said.append)
    session.listen(lambda _: session.rows())
    session.refresh()
    assert said == ["the server is down"]


def test_the_newest_comes_first(session):
    assert names(session.rows()) == [f"obs_00{number}" for number in (5, 4, 3, 2, 1, 0)]


def test_who_listens_hears_of_what_is_chosen(session):
    heard = []
    session.on_choice(lambda: heard.append(names(session.chosen)))
    session.choose(session.rows()[:2])
    session.choose([])
    assert heard == [["obs_005", "obs_004"], []]
    assert session.chosen == ()


def test_what_is_chosen_is_as_the_catalogue_has_it_after_a_refresh(session):
    session.choose(session.rows()[:2])
    session.archive.decide([key_of(5)], "Bo", "reject")
    session.refresh()
    assert [(row.name, row.decision) for row in session.chosen] == [("obs_005", "reject"), ("obs_004", None)]
    session.go(filters={"decision": ("none",)})
    session.refresh()
    assert names(session.chosen) == ["obs_004"]
