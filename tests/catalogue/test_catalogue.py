"""What is recorded is found again, on SQLite and on PostgreSQL alike."""

import math
import multiprocessing
import os
import signal
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from oofpy.catalogue import Catalogue, Filter, FlagRecord, KnownResult, record_of, schema
from oofpy.catalogue.engine import engine_of, writing
from oofpy.catalogue.selecting import SORTS
from oofpy.errors import UsageError
from tests.made_outcomes import TERMS, coefficients, digest, done, failed, flagged, observation, under


def recorded(catalogue, *outcomes):
    run = catalogue.begin_run("oofpy batch", "0.1.0", "telescope-pc")
    catalogue.record(run, outcomes)
    return run


def names(rows):
    return [row.name for row in rows]


def many(catalogue):
    """Nine observations: six are well, two are flagged, one failed."""
    outcomes = [done(number) for number in range(6)]
    return recorded(
        catalogue, *outcomes, flagged(6, "misfit"), flagged(7, "large-rms", "misfit", level="reject"), failed(8)
    )


def test_what_is_recorded_is_shown_again(catalogue):
    outcome = done(1)
    run = recorded(catalogue, outcome)
    entry = catalogue.show("obs_001")
    assert (entry.observation, entry.result, entry.run) == (outcome.observation, outcome.result, run)
    assert (entry.decisions, entry.other_keys) == ((), ())
    assert abs(entry.recorded_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_result_with_nasty_corners_is_shown_again(catalogue, made_result):
    result = record_of(made_result, key="k" * 64, settings_digest="d", settings={"ü": [1, None, "λ\n"]})
    seen = replace(observation(1), name="Karte µ; DROP TABLE results; --", object_name=made_result.object_name)
    recorded(catalogue, replace(done(1), observation=seen, result=result))
    entry = catalogue.show(seen.name)
    assert (entry.observation, entry.result) == (seen, result)
    assert names(catalogue.select(Filter(name="*'*"))) == []
    assert names(catalogue.select(Filter(object_name="w3(oh) *"))) == [seen.name]


def test_a_row_says_what_the_records_say(catalogue):
    outcome = flagged(7, "misfit", "large-rms", "misfit")
    run = recorded(catalogue, outcome)
    (row,) = catalogue.select()
    for record in (outcome.observation, outcome.result):
        for name in set(type(record).__dataclass_fields__) & set(type(row).__dataclass_fields__) - {"flags"}:
            assert getattr(row, name) == getattr(record, name), name
    assert (row.flags, row.run, row.decision) == (("misfit", "large-rms"), run, None)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(), range(9)),
        (Filter(telescope="srt"), (1, 4, 7)),
        (Filter(telescope="SRT"), ()),
        (Filter(object_name="3c27?"), (1, 3, 5, 7)),
        (Filter(name="OBS_00[1]"), ()),
        (Filter(name="obs%"), ()),
        (Filter(name="*_002"), (2,)),
        (Filter(date_from=datetime(2024, 6, 1, 22, tzinfo=UTC)), (2, 3, 4, 5, 6, 7)),
        (Filter(date_before=datetime(2024, 6, 1, 22, tzinfo=UTC)), (0, 1)),
        (Filter(elevation_from_rad=0.35 + 0.0873 * 2, elevation_to_rad=0.35 + 0.0873 * 4), (2, 3, 4)),
        (Filter(rms_from_um=60, rms_to_um=80), (1, 2, 3)),
        (Filter(rms_from_um=60, telescope="jcmt"), (3, 6)),
        (Filter(flags=("misfit",)), (6, 7)),
        (Filter(flags=("large-rms", "dz-undocumented")), (0, 1, 2, 3, 4, 5, 7)),
        (Filter(statuses=("failed",)), (8,)),
        (Filter(statuses=("flagged", "failed")), (6, 7, 8)),
        (Filter(verdicts=("reject",)), (7,)),
        (Filter(accepted_only=True), range(6)),
        (Filter(run=1), range(9)),
        (Filter(run=2), ()),
    ],
)
def test_filters(catalogue, wanted, expected):
    many(catalogue)
    assert names(catalogue.select(wanted)) == [f"obs_{number:03d}" for number in expected]
    assert catalogue.count(wanted) == len(expected)
    assert sum(catalogue.counts(wanted).values()) == len(expected)


def test_counts_by_status(catalogue):
    assert catalogue.counts() == {"ok": 0, "flagged": 0, "failed": 0}
    many(catalogue)
    assert catalogue.counts() == {"ok": 6, "flagged": 2, "failed": 1}


@pytest.mark.parametrize("column", SORTS)
def test_rows_are_sorted_with_the_unknown_last(catalogue, column):
    many(catalogue)
    key = {"date": "date_utc", "object": "object_name", "elevation": "elevation_rad", "rms": "rms_um"}
    key |= {"focus": "best_focus_m", "chi2": "reduced_chi2", "snr": "signal_to_noise", "recorded": "recorded_at"}
    for sign in ("", "-"):
        values = [getattr(row, key.get(column, column)) for row in catalogue.select(order_by=sign + column)]
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=bool(sign))
        assert values == known + [None] * (len(values) - len(known))


def test_pages_follow_each_other(catalogue):
    many(catalogue)
    pages = [catalogue.select(order_by="-rms", limit=4, offset=offset) for offset in (0, 4, 8)]
    assert [row for page in pages for row in page] == catalogue.select(order_by="-rms")
    assert [len(page) for page in pages] == [4, 4, 1]


def test_what_cannot_be_sorted_by_is_refused(catalogue):
    with pytest.raises(UsageError, match=r"order_by = colour: .*choose of name, date"):
        catalogue.select(order_by="colour")


def test_text_is_sorted_alike_whatever_the_language_of_the_server(catalogue):
    recorded(catalogue, *(under(done(number), name=name) for number, name in enumerate(("a", "B", "_", "é", "Z", "z"))))
    assert names(catalogue.select()) == ["B", "Z", "_", "a", "z", "é"]


def test_a_result_of_the_same_key_is_replaced(catalogue):
    recorded(catalogue, flagged(1, "misfit"), done(2))
    again = done(1, coefficients=coefficients(1, orders=(3,)))
    second = recorded(catalogue, again)
    entry = catalogue.show("obs_001")
    assert (entry.result, entry.run, catalogue.count(Filter(all_results=True))) == (again.result, second, 2)
    assert catalogue.count(Filter(flags=("misfit",))) == 0


def test_of_several_results_the_one_recorded_last_is_the_newest(catalogue):
    recorded(catalogue, done(1), done(1, "strict"))
    assert [row.key for row in catalogue.select()] == [digest("key 1 strict")]
    recorded(catalogue, done(1))
    assert [row.key for row in catalogue.select()] == [digest("key 1 usual")]
    assert len(catalogue.select(Filter(all_results=True))) == 2
    assert catalogue.count() == 1
    assert catalogue.show("obs_001").other_keys == (digest("key 1 strict"),)
    assert catalogue.show(digest("key 1 strict")[:9]).result.settings == {"name": "strict", "order": 3}


def test_a_later_failure_takes_nothing_away_that_is_known_of_an_observation(catalogue):
    recorded(catalogue, failed(1))
    assert catalogue.show("obs_001").observation.telescope is None
    recorded(catalogue, done(1, "strict"))
    recorded(catalogue, failed(1))
    entry = catalogue.show("obs_001")
    assert (entry.observation, entry.result) == (observation(1), done(1, "strict").result)
    assert catalogue.show(failed(1).result.key).observation == observation(1)


def with_key(outcome, words):
    return replace(outcome, result=replace(outcome.result, key=digest(words)))


def newest_key(catalogue):
    (row,) = catalogue.select()
    return row.key


def test_a_failure_hides_no_result_that_did_not_fail(catalogue):
    first, second = with_key(failed(1), "mistaken"), with_key(failed(1), "mistaken again")
    recorded(catalogue, first)
    recorded(catalogue, second)
    assert newest_key(catalogue) == digest("mistaken again")  # all failed: the last counts
    recorded(catalogue, done(1))
    recorded(catalogue, first, second)
    assert newest_key(catalogue) == digest("key 1 usual")
    recorded(catalogue, flagged(1, "misfit"), with_key(failed(1), "a third"))
    assert newest_key(catalogue) == digest("key 1 usual")
    assert [row.status for row in catalogue.select()] == ["flagged"]
    assert catalogue.counts() == {"ok": 0, "flagged": 1, "failed": 0}
    assert len(catalogue.select(Filter(all_results=True))) == 4
    assert len(catalogue.coefficients()) == 1


def test_where_the_newest_is_fitted_again_and_fails_the_one_before_it_counts(catalogue):
    recorded(catalogue, done(1, "strict"))
    recorded(catalogue, done(1))
    recorded(catalogue, with_key(failed(1), "key 1 usual"))
    assert newest_key(catalogue) == digest("key 1 strict")
    recorded(catalogue, with_key(failed(1), "key 1 strict"))
    assert newest_key(catalogue) == digest("key 1 strict")
    assert catalogue.counts()["failed"] == 1


def test_an_observation_that_was_moved_has_its_new_place(catalogue):
    recorded(catalogue, done(1))
    recorded(catalogue, under(done(1), name="moved", files=("/new/moved.fits",)))
    (row,) = catalogue.select()
    assert (row.name, row.files) == ("moved", ("/new/moved.fits",))


def taken_over(catalogue, *outcomes, **fields):
    known = [KnownResult(one.result.key, one.observation.name, one.observation.files) for one in outcomes]
    catalogue.take_over(catalogue.begin_run("again", "0", "host"), [replace(one, **fields) for one in known])


def test_a_result_that_a_run_finds_done_is_the_newest_again(catalogue):
    recorded(catalogue, done(1), done(2))
    recorded(catalogue, done(1, "strict"), done(2, "strict"))
    taken_over(catalogue, done(1))
    assert {row.name: row.key for row in catalogue.select()} == {
        "obs_001": digest("key 1 usual"),
        "obs_002": digest("key 2 strict"),
    }
    assert catalogue.show("obs_001").observation == observation(1)
    taken_over(catalogue, done(1, "strict"), done(1), done(2))  # of several the last
    assert {row.key for row in catalogue.select()} == {digest("key 1 usual"), digest("key 2 usual")}
    recorded(catalogue, failed(1, settings="wrong"))
    taken_over(catalogue, failed(1, settings="wrong"))
    assert catalogue.show("obs_001").result.key == digest("key 1 usual")


def test_of_failures_only_the_one_found_again_is_the_newest(catalogue):
    recorded(catalogue, failed(1))
    recorded(catalogue, failed(1, "something else", settings="strict"))
    assert catalogue.show("obs_001").result.reason == "something else"
    taken_over(catalogue, failed(1))
    assert catalogue.show("obs_001").result.reason == "the file is damaged"


def test_a_result_found_done_elsewhere_has_its_new_place(catalogue):
    recorded(catalogue, done(1))
    taken_over(catalogue, done(1), name="bad\udcff", files=("/new/moved\udcff.fits",))
    (row,) = catalogue.select()
    assert (row.name, row.files, row.key) == ("bad\\udcff", ("/new/moved\\udcff.fits",), digest("key 1 usual"))
    assert row.telescope == "srt"


def test_what_is_not_known_cannot_be_taken_over(catalogue):
    recorded(catalogue, done(1))
    taken_over(catalogue)
    taken_over(catalogue, done(2))
    assert names(catalogue.select()) == ["obs_001"]


def test_many_results_are_taken_over_with_few_statements(catalogue):
    outcomes = [done(number, orders=(), coefficients=(), flags=()) for number in range(1000)]
    recorded(catalogue, *outcomes)
    statements = []
    sa.event.listen(catalogue._engine, "before_cursor_execute", lambda *said: statements.append(said[2]))
    taken_over(catalogue, *outcomes)
    assert len(statements) < 12
    statements.clear()
    taken_over(catalogue, *outcomes, files=("/new/place.fits",))
    assert len(statements) < 12
    assert {row.files for row in catalogue.select()} == {("/new/place.fits",)}


def test_all_or_nothing_is_recorded(catalogue):
    run = recorded(catalogue, done(1))
    broken = done(3, flags=(FlagRecord("misfit", None, "a flag without a level"),))
    with pytest.raises(sa.exc.IntegrityError):
        catalogue.record(run, [done(2), broken])
    assert names(catalogue.select()) == ["obs_001"]


def test_nothing_to_record_is_no_fault(catalogue):
    recorded(catalogue)
    assert catalogue.select() == []
    assert catalogue.coefficients() == {}


def test_statuses_of_more_keys_than_one_statement_takes(catalogue):
    many(catalogue)
    keys = (digest(f"key {number} usual") for number in range(100_000))
    found = catalogue.statuses(keys)
    assert found == {digest(f"key {number} usual"): "ok" for number in range(6)} | {
        digest("key 6 usual"): "flagged",
        digest("key 7 usual"): "flagged",
        digest("key 8 usual"): "failed",
    }


def test_coefficients_of_the_chosen_and_of_another_order(catalogue):
    many(catalogue)
    chosen = catalogue.coefficients(Filter(name="obs_002"))
    assert chosen == {digest("key 2 usual"): coefficients(2, orders=(3,))}
    assert len(catalogue.coefficients()) == 8
    lower = catalogue.coefficients(Filter(telescope="srt"), order=2)
    assert lower == {digest(f"key {number} usual"): coefficients(number, orders=(2,)) for number in (1, 4, 7)}
    assert catalogue.coefficients(order=7) == {}
    assert [(one.n, one.l) for one in chosen[digest("key 2 usual")]] == list(TERMS)


@pytest.mark.parametrize("word", ["obs", "nothing", digest("key 1 usual")[:5], "%", "", "\\"])
def test_what_is_not_there_is_not_shown(catalogue, word):
    recorded(catalogue, done(1))
    with pytest.raises(UsageError, match="neither the name"):
        catalogue.show(word)


def test_a_name_of_several_is_refused_with_their_keys(catalogue):
    recorded(catalogue, *(under(done(number), name="map") for number in range(5)))
    with pytest.raises(UsageError, match=r"NAME = map: is more than one result; .*[0-9a-f]{12}, .*, \.\.\."):
        catalogue.show("map")


def test_runs_say_when_they_began_and_how_they_ended(catalogue):
    first, second = (catalogue.begin_run("oofpy batch A", "0.1.0", "host") for _ in range(2))
    catalogue.end_run(second, "completed")
    with catalogue._engine.connect() as connection:
        held = {row.id: row for row in connection.execute(sa.select(schema.runs))}
    assert (held[first].state, held[first].ended_at) == ("running", None)
    assert (held[second].state, held[second].command) == ("completed", "oofpy batch A")
    assert held[second].began_at <= held[second].ended_at


def test_decisions_are_appended_and_taken_back(catalogue):
    many(catalogue)
    key = digest("key 7 usual")
    standing = [
        catalogue.decide(key, who, decision, why).standing
        for who, decision, why in (
            ("Anna", "reject", "ice on the dish"),
            ("Bo", "accept", "the ice was on another day"),
            ("Bo", "undo", ""),
            ("Anna", "undo", ""),
            ("Cem", "look", "µ?"),
        )
    ]
    assert standing == ["reject", "accept", "reject", None, "look"]
    held = catalogue.decisions(key)
    assert [(one.who, one.decision) for one in held] == [
        ("Anna", "reject"),
        ("Bo", "accept"),
        ("Bo", "undo"),
        ("Anna", "undo"),
        ("Cem", "look"),
    ]
    assert held[0].why == "ice on the dish"
    assert held == catalogue.show(key).decisions
    (row,) = catalogue.select(Filter(name="obs_007"))
    assert (row.decision, row.decided_by, row.decided_at) == ("look", "Cem", held[-1].at)


def test_filters_by_the_decision_that_stands(catalogue):
    many(catalogue)
    catalogue.decide(digest("key 1 usual"), "Anna", "reject")
    catalogue.decide(digest("key 7 usual"), "Anna", "accept")
    catalogue.decide(digest("key 2 usual"), "Anna", "look")
    catalogue.decide(digest("key 3 usual"), "Anna", "reject")
    catalogue.decide(digest("key 3 usual"), "Anna", "undo")

    def found(**wanted):
        return [int(row.name[-1]) for row in catalogue.select(Filter(**wanted))]

    assert found(decisions=("accept",)) == [7]
    assert found(decisions=("reject", "look")) == [1, 2]
    assert found(decisions=("none", "look")) == [0, 2, 3, 4, 5, 6, 8]
    assert found(accepted_only=True) == [0, 3, 4, 5, 7]


def test_several_are_decided_on_together_or_none(catalogue):
    recorded(catalogue, done(1), done(2))
    keys = [digest(f"key {number} usual") for number in (2, 1)]
    entries = catalogue.decide_all(keys, "Anna", "accept", "a good night")
    assert [entry.standing for entry in entries] == ["accept", "accept"]
    with pytest.raises(UsageError, match="no result"):
        catalogue.decide_all([keys[0], "0" * 64], "Anna", "reject")
    assert [len(catalogue.decisions(key)) for key in keys] == [1, 1]


def test_decisions_outlive_a_new_result_of_the_same_key(catalogue):
    recorded(catalogue, done(1))
    catalogue.decide(digest("key 1 usual"), "Anna", "reject", "why not")
    recorded(catalogue, done(1, rms_um=77.0))
    (row,) = catalogue.select()
    assert (row.rms_um, row.decision) == (77.0, "reject")


@pytest.mark.parametrize(
    ("key", "who", "decision", "words"),
    [
        ("nothing", "Anna", "accept", "key of no result"),
        (digest("key 1 usual"), " ", "accept", "name the reviewer"),
        (digest("key 1 usual"), "Anna", "perhaps", "choose of accept, reject, look, undo"),
        (digest("key 1 usual"), "Anna", "undo", "no decision to undo"),
    ],
)
def test_what_is_no_decision_is_refused(catalogue, key, who, decision, words):
    recorded(catalogue, done(1))
    with pytest.raises(UsageError, match=words):
        catalogue.decide(key, who, decision)
    assert catalogue.decisions(key) == ()


def test_the_database_itself_refuses_to_change_decisions(catalogue):
    recorded(catalogue, done(1))
    catalogue.decide(digest("key 1 usual"), "Anna", "reject")
    statements = ["UPDATE decisions SET who = 'Bo'", "DELETE FROM decisions"]
    replacing = (
        "INSERT OR REPLACE INTO decisions SELECT id, result_id, 'accept', 'Bo', why, at, 'accept' FROM decisions"
    )
    on_server = catalogue._engine.dialect.name == "postgresql"
    statements.append("TRUNCATE decisions" if on_server else replacing)
    for statement in statements:
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), writing(catalogue._engine).begin() as connection:
            connection.exec_driver_sql(statement)
    assert [(one.who, one.decision) for one in catalogue.decisions(digest("key 1 usual"))] == [("Anna", "reject")]


def test_two_reviewers_at_once_lose_nothing(place):
    with Catalogue.open(place, create=True) as catalogue:
        recorded(catalogue, done(1))
    key, each = digest("key 1 usual"), 25
    faults = []

    def review(who):
        try:
            with Catalogue.open(place) as own:
                for number in range(each):
                    own.decide(key, who, ("accept", "reject", "look", "undo")[number % 4], str(number))
        except Exception as fault:  # a thread's own would be lost
            faults.append(fault)

    reviewers = [threading.Thread(target=review, args=(who,)) for who in ("Anna", "Bo")]
    for reviewer in reviewers:
        reviewer.start()
    for reviewer in reviewers:
        reviewer.join(60)
    assert faults == []
    with Catalogue.open(place) as catalogue:
        held = catalogue.decisions(key)
    for who in ("Anna", "Bo"):
        assert [one.why for one in held if one.who == who] == [str(number) for number in range(each)]
    stack = []
    for one in held:
        stack = stack[:-1] if one.decision == "undo" else [*stack, one.decision]
        assert one.standing == (stack[-1] if stack else None)


def _record_for_ever(place, ready):
    with Catalogue.open(place) as catalogue:
        run = catalogue.begin_run("killed", "0", "host")
        for start in range(0, 10**6, 20):
            catalogue.record(run, [done(number) for number in range(start, start + 20)])
            ready.set()


def test_a_process_that_is_killed_leaves_whole_batches(place):
    with Catalogue.open(place, create=True) as catalogue:
        recorded(catalogue, failed(0))
    context = multiprocessing.get_context("spawn")
    held = 0
    for _ in range(2):
        ready = context.Event()
        process = context.Process(target=_record_for_ever, args=(place, ready))
        process.start()
        assert ready.wait(60)
        os.kill(process.pid, signal.SIGKILL)
        process.join(60)
        with Catalogue.open(place) as catalogue:
            rows = catalogue.select(Filter(all_results=True))
            assert len(rows) % 20 == 0
            assert len(rows) >= 20
            assert len(catalogue.coefficients()) == len(rows)
            recorded(catalogue, done(5, rms_um=1.0))  # and takes more
            held = max(held, len(rows))
    if "://" not in place:
        with sqlite3.connect(f"{place}/catalogue.sqlite") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


def test_readers_see_one_state_while_another_writes(place):
    with Catalogue.open(place, create=True) as writer, Catalogue.open(place) as reader:
        recorded(writer, *(done(number) for number in range(5)))
        coefficients_read = reader.each_coefficient()
        first, _ = next(coefficients_read)
        # In a file, the writer waits for the reader.
        other = threading.Thread(target=recorded, args=(writer, *(done(number) for number in range(5, 9))))
        other.start()
        other.join(0.3)
        rest = {key for key, _ in coefficients_read}
        other.join(60)
        assert {first, *rest} == {digest(f"key {number} usual") for number in range(5)}
        assert reader.count() == 9


def test_numbers_keep_every_bit(catalogue):
    value = math.nextafter(1 / 3, 1)
    recorded(catalogue, done(1, rms_um=value, best_focus_m=-5e-324))
    (row,) = catalogue.select(Filter(rms_from_um=value, rms_to_um=value))
    assert (row.rms_um, row.best_focus_m) == (value, -5e-324)


def test_a_url_and_a_folder_lead_to_engines_without_going_there(tmp_path):
    engine, shown = engine_of("postgres://observer:secret@host.invalid/archive", create=False)
    assert engine.url.drivername == "postgresql+psycopg"
    assert shown == "postgres://observer:***@host.invalid/archive"
    with pytest.raises(UsageError, match="there is no catalogue here"):
        engine_of(tmp_path, create=False)


def test_a_fault_of_the_program_is_not_told_as_one_of_the_user(catalogue):
    with pytest.raises(sa.exc.IntegrityError):
        catalogue.record(4711, [done(1)])
