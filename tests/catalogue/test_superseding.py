"""Observations that hold all files of others take their place, whatever is recorded first, on both databases."""

from dataclasses import replace
from itertools import permutations

import pytest
import sqlalchemy as sa

from oofpy.catalogue import Filter, KnownResult, schema
from oofpy.errors import UsageError
from tests.made_outcomes import digest, done, failed, under


def of_files(outcome, letters, folder="/archive"):
    """The same outcome of an observation with these files."""
    return under(
        outcome,
        content_hash=digest(f"content {letters}"),
        name=f"scan_{letters}",
        files=tuple(f"{folder}/{letter}.fits" for letter in letters),
        file_hashes=tuple(sorted(digest(f"file {letter}") for letter in letters)),
    )


PAIR, THREE, FOUR, OTHER = (
    of_files(done(number), letters) for number, letters in enumerate(("ab", "abc", "abcd", "ae"), 1)
)
LONE = under(of_files(failed(5, "no map with another dz"), "a"), content_hash=digest("a by its name"))


def run_of(catalogue, *outcomes):
    run = catalogue.begin_run("oofpy batch", "0.1.0", "telescope-pc")
    catalogue.record(run, outcomes)
    return run


def found_done(catalogue, *outcomes):
    """A run that finds all of it done."""
    known = [KnownResult(one.result.key, one.observation.name, one.observation.files) for one in outcomes]
    catalogue.take_over(catalogue.begin_run("oofpy batch", "0.1.0", "telescope-pc"), known)


def listed(catalogue, **wanted):
    return [row.name.removeprefix("scan_") for row in catalogue.select(Filter(**wanted))]


def test_an_observation_that_has_grown_counts_once(catalogue):
    run_of(catalogue, THREE, OTHER)
    run_of(catalogue, FOUR)
    assert listed(catalogue) == ["abcd", "ae"]
    assert listed(catalogue, all_results=True) == ["abc", "abcd", "ae"]
    assert (catalogue.count(), catalogue.counts()["ok"], catalogue.count(Filter(telescope="srt"))) == (2, 2, 1)
    assert set(catalogue.coefficients()) == {FOUR.result.key, OTHER.result.key}
    with pytest.raises(UsageError, match="neither the name"):
        catalogue.show("scan_abc")


def test_what_is_superseded_is_shown_with_the_decisions_on_it(catalogue):
    run_of(catalogue, THREE)
    catalogue.decide(THREE.result.key, "Anna", "accept", "calm night")
    run_of(catalogue, FOUR)
    assert listed(catalogue, decisions=("accept",)) == []
    earlier, later = catalogue.show(THREE.result.key), catalogue.show("scan_abcd")
    assert (earlier.observation, earlier.superseded_by) == (THREE.observation, FOUR.result.key)
    assert [one.who for one in earlier.decisions] == ["Anna"]
    assert (earlier.other_keys, later.other_keys) == ((FOUR.result.key,), (THREE.result.key,))
    assert (later.decisions, later.superseded_by) == ((), None)


@pytest.mark.parametrize("together", [False, True])
def test_in_one_run_the_order_of_recording_does_not_matter(catalogue, together):
    for order in permutations((PAIR, THREE, FOUR, OTHER)):
        run = catalogue.begin_run("oofpy batch", "0.1.0", "telescope-pc")
        for outcomes in (order,) if together else ((one,) for one in order):
            catalogue.record(run, outcomes)
        assert listed(catalogue) == ["abcd", "ae"]


def test_a_later_run_that_parts_an_observation_has_its_way(catalogue):
    run_of(catalogue, FOUR)
    rest = of_files(done(6), "cd")
    run_of(catalogue, PAIR, rest)
    assert listed(catalogue) == ["ab", "cd"]
    found_done(catalogue, FOUR)
    assert listed(catalogue) == ["abcd"]
    found_done(catalogue, rest, PAIR)
    assert listed(catalogue) == ["ab", "cd"]
    found_done(catalogue, rest, FOUR, PAIR)
    assert listed(catalogue) == ["abcd"]


def test_a_lone_map_fails_no_longer_when_its_partners_have_come(catalogue):
    copy = under(of_files(failed(7), "a", "/elsewhere"), content_hash=digest("another a by its name"))
    run_of(catalogue, LONE, copy)
    run_of(catalogue, of_files(failed(8), "ab"))
    assert [row.files for row in catalogue.select()] == [
        ("/elsewhere/a.fits",),
        ("/archive/a.fits", "/archive/b.fits"),
    ]
    run_of(catalogue, PAIR)
    assert catalogue.counts() == {"ok": 1, "flagged": 0, "failed": 1}


def test_what_failed_takes_the_place_of_no_result(catalogue):
    run_of(catalogue, THREE)
    run_of(catalogue, of_files(failed(3), "abcd"))
    assert catalogue.counts() == {"ok": 1, "flagged": 0, "failed": 1}
    run_of(catalogue, FOUR)
    assert listed(catalogue) == ["abcd"]
    run_of(catalogue, LONE)  # the other maps are away for a while
    assert listed(catalogue) == ["a", "abcd"]
    found_done(catalogue, FOUR)
    assert listed(catalogue) == ["abcd"]
    failing = of_files(failed(3), "abcd")
    run_of(catalogue, replace(failing, result=replace(failing.result, key=FOUR.result.key)))
    assert listed(catalogue, statuses=("ok",)) == ["abc"]


def test_an_observation_moved_before_it_grew_counts_once(catalogue):
    run_of(catalogue, of_files(done(2), "abc", "/old"))
    run_of(catalogue, of_files(done(3), "abcd", "/new"))
    assert [row.files[0] for row in catalogue.select()] == ["/new/a.fits"]


def test_files_that_all_observations_share_supersede_none(catalogue):
    run_of(catalogue, *(of_files(done(number), f"z{number}") for number in range(9)))
    assert catalogue.count() == 9
    assert len(listed(catalogue)) == 9


def test_nothing_is_noted_where_nothing_changes(catalogue):
    run_of(catalogue, THREE, FOUR)
    before = catalogue.show("scan_abcd")
    found_done(catalogue, FOUR, THREE)
    assert catalogue.show("scan_abcd") == before
    with catalogue._engine.connect() as connection:
        by = dict(connection.execute(sa.select(schema.observations.c.name, schema.observations.c.superseded_by)).all())
    assert by["scan_abcd"] is None
    assert by["scan_abc"] is not None
