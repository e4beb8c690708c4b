"""Decisions in the browser: each test has an observation of its own, since none is ever taken out of the catalogue."""

import pytest
from playwright.sync_api import expect

from tests.review.looking import button, field, opened


def sign(page, name, why=""):
    """Write who decides, and why."""
    field(page, "reviewer").fill(name)
    field(page, "comment").fill(why)
    field(page, "comment").press("Tab")


def standing(page):
    return page.locator(".standing")


def key_of(page, key):
    """Press a key where no field is being written in."""
    page.evaluate("document.activeElement && document.activeElement.blur()")
    page.keyboard.press(key)


def test_decided_by_a_button_and_found_again(many, visit, kept):
    seen = visit(many.address("obs1001"))
    page = opened(seen.page)
    expect(standing(page)).to_have_text("open")
    sign(page, "Anna", "looks <b>good</b>")
    button(page, "accept").click()
    expect(standing(page)).to_have_text("accepted")
    expect(field(page, "comment")).to_have_value("")
    assert many.decisions("obs1001") == [("Anna", "accept", "looks <b>good</b>")]
    page.reload()
    opened(page)
    expect(standing(page)).to_have_text("accepted")
    expect(page.get_by_role("row", name="Anna")).to_contain_text("looks <b>good</b>")
    page.screenshot(path=kept / "review-decided.png")


def test_decided_by_keys_and_taken_back(many, visit):
    page = opened(visit(many.address("obs1002")).page)
    sign(page, "Anna")
    for key, words in (("a", "accepted"), ("r", "rejected"), ("l", "needs a look"), ("u", "rejected")):
        key_of(page, key)
        expect(standing(page)).to_have_text(words)
    assert [what for _, what, _ in many.decisions("obs1002")] == ["accept", "reject", "look", "undo"]


def test_no_decision_without_a_name(many, visit):
    page = opened(visit(many.address("obs1003")).page)
    key_of(page, "a")
    expect(page.get_by_role("alert")).to_contain_text("write your name")
    key_of(page, "Escape")
    expect(page.get_by_role("alert")).to_be_hidden()
    assert many.decisions("obs1003") == []


def test_two_reviewers_see_each_other(many, visit):
    """The other's decision appears by itself, and does not disturb who is writing."""
    first, second = (opened(visit(many.address("obs1004")).page) for _ in range(2))
    field(second, "comment").focus()
    second.keyboard.type("half a sent")
    sign(first, "Anna")
    button(first, "reject").click()
    expect(standing(second)).to_have_text("rejected", timeout=15_000)
    second.keyboard.type("ence")
    expect(field(second, "comment")).to_have_value("half a sentence")
    expect(field(second, "comment")).to_be_focused()
    sign(second, "Bob", "half a sentence")
    button(second, "accept").click()
    expect(standing(first)).to_have_text("accepted", timeout=15_000)
    assert many.decisions("obs1004") == [("Anna", "reject", ""), ("Bob", "accept", "half a sentence")]


def test_what_somebody_else_decided_meanwhile_is_shown_first(many, visit):
    page = opened(visit(many.address("obs1005")).page)
    sign(page, "Anna", "fine")
    many.decide("obs1005", "Bob", "reject", "panel loose")
    button(page, "accept").click()
    expect(standing(page)).to_have_text("rejected")
    page.get_by_text("panel loose").wait_for()
    if [one for one in many.decisions("obs1005") if one[0] == "Anna"]:
        pytest.fail("the decision was appended though another one stood than the one that was shown")
    expect(page.get_by_role("alert")).to_contain_text("somebody else decided")
    expect(field(page, "comment")).to_have_value("fine")
    button(page, "accept").click()
    expect(standing(page)).to_have_text("accepted")


def test_the_name_is_remembered(many, visit):
    seen = visit(many.address("obs1006"))
    sign(opened(seen.page), "Čenda Ågren")
    button(seen.page, "needs a look").click()
    expect(standing(seen.page)).to_have_text("needs a look")
    seen.page.close()
    page = opened(seen.tab(many.address("obs1007")))
    expect(field(page, "reviewer")).to_have_value("Čenda Ågren")
    key_of(page, "a")
    expect(standing(page)).to_have_text("accepted")
    assert many.decisions("obs1007") == [("Čenda Ågren", "accept", "")]
    other = opened(visit(many.address("obs1007")).page)
    expect(field(other, "reviewer")).to_have_value("")
