"""Several who decide on one catalogue at once: each decision is kept once, in order, and the last one stands."""

import multiprocessing
import sys
import threading
from collections import Counter

from oofpy.catalogue import Catalogue
from oofpy.review.application import Application
from oofpy.review.reviewed import ReviewedArchive
from oofpy.review.view import View
from tests.catalogue.conftest import place, postgresql, postgresql_server
from tests.made_outcomes import digest, done
from tests.review.reviewing import LIBRARIES_WARN, recorded

__all__ = ["place", "postgresql", "postgresql_server"]  # fixtures: of a file, and of a server started for the tests

pytestmark = LIBRARIES_WARN
KEYS = [digest(f"key {number} usual") for number in range(2)]
# Of all reviewers together: in one process, and in processes of their own, which each take seconds to begin.
IN_TABS, IN_SERVERS = 200, 60
CYCLE = ("accept", "reject", "look", "undo")


def review(place, folder, who, count):
    """Decide so many times on both observations in turn; where somebody else was quicker, look and decide again."""
    with Catalogue.open(place) as catalogue:
        application = Application(ReviewedArchive(catalogue, folder))
        bar, session = application._decisions, application.session
        bar.reviewer.value = who
        asked_again = 0
        for number in range(count):
            session.open(View(page="observation", keys=(KEYS[number % 2][:12],)))
            bar.comment.value = f"{who} {number}"
            while bar.comment.value:  # emptied by a decision only
                words = CYCLE[number // 2 % 4]
                standing = bar._standing[KEYS[number % 2]]
                application.press("accept" if words == "undo" and standing is None else words)
                asked_again += bool(bar.comment.value)
                assert asked_again < 100 * count, application._words.object
        return asked_again


def check(place, expected):
    """All that was decided is there, each once, those of everybody in order, and what stands follows from it."""
    with Catalogue.open(place) as catalogue:
        held = {key: catalogue.decisions(key) for key in KEYS}
        rows = {row.key: row for row in catalogue.select()}
    entries = [one for of_key in held.values() for one in of_key]
    assert Counter(one.why for one in entries) == Counter(expected)
    for key, of_key in held.items():
        numbers = [(one.who, int(one.why.split()[-1])) for one in of_key]
        for who in {name for name, _ in numbers}:
            of_who = [number for name, number in numbers if name == who]
            assert of_who == sorted(of_who)
        stack = []
        for one in of_key:
            stack = stack[:-1] if one.decision == "undo" else [*stack, one.decision]
            assert one.standing == (stack[-1] if stack else None)
        assert rows[key].decision == of_key[-1].standing
        assert rows[key].decided_by == of_key[-1].who


def begin(place):
    with Catalogue.open(place, create=True) as catalogue:
        recorded(catalogue, *(done(number) for number in range(2)))


def expected_of(names, count):
    return [f"{who} {number}" for who in names for number in range(count)]


def test_no_decision_is_lost_among_tabs(place, tmp_path):
    names = [f"reviewer {number}" for number in range(8)]
    each, faults = IN_TABS // len(names), []
    begin(place)

    def watched(who):
        try:
            review(place, tmp_path, who, each)
        except BaseException as fault:  # a thread's own would be lost
            faults.append(fault)

    threads = [threading.Thread(target=watched, args=(who,)) for who in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert faults == []
    check(place, expected_of(names, each))


def _process(place, folder, who, count, together):
    together.wait(60)
    review(place, folder, who, count)
    sys.exit(0)


def test_no_decision_is_lost_among_servers(tmp_path):
    names = ["Anna", "Bo"]
    each = IN_SERVERS // len(names)
    begin(tmp_path)
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(len(names))
    processes = [context.Process(target=_process, args=(tmp_path, tmp_path, who, each, together)) for who in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    check(tmp_path, expected_of(names, each))
