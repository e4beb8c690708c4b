"""The numbers by which a page sees that something is new change with all that it shows, and with nothing else."""

import pytest

from oofpy.catalogue import Catalogue, KnownResult
from oofpy.errors import UsageError
from tests.made_outcomes import digest, done, failed

KEY = digest("key 1 usual")


@pytest.fixture
def held(catalogue):
    catalogue.record(catalogue.begin_run("oofpy batch", "0.1.0", "here"), [done(1), done(2), failed(3)])
    return catalogue


def _new_result(catalogue):
    catalogue.record(1, [done(4)])


def _same_key_again(catalogue):
    catalogue.record(1, [done(1, rms_um=1.0)])


def _other_settings(catalogue):
    catalogue.record(1, [done(1, "other")])


def _failure(catalogue):
    catalogue.record(1, [failed(5)])


def _take_over(catalogue):
    run = catalogue.begin_run("oofpy batch", "0.1.0", "here")
    catalogue.take_over(run, [KnownResult(KEY, "moved", ("/elsewhere/obs_001.fits",))])


def _decision(catalogue):
    catalogue.decide(KEY, "Anna", "accept")


def _undo(catalogue):
    catalogue.decide(KEY, "Anna", "accept")
    before = catalogue.state()
    catalogue.decide(KEY, "Anna", "undo")
    assert catalogue.state() != before


CHANGES = [
    _new_result,
    _same_key_again,
    _other_settings,
    _failure,
    _take_over,
    _decision,
    _undo,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_it_changes_with_what_is_recorded_or_decided(held, change):
    before = held.state()
    change(held)
    assert held.state() != before


def test_it_changes_with_a_result_that_is_the_newest_again(held):
    before = held.state()
    held.record(1, [done(1, "other")])
    between = held.state()
    held.take_over(1, [KnownResult(KEY, "obs_001", ("/archive/obs_001.fits",))])
    assert held.state() != between
    assert held.state() == before  # the table is what it was


def test_it_changes_with_nothing_else(held, place):
    before = held.state()
    assert held.state() == before
    held.select()
    held.show("obs_001")
    held.end_run(held.begin_run("oofpy batch", "0.1.0", "here"), "completed")
    held.record(1, [])
    held.take_over(1, [KnownResult(digest("unknown"), "unknown", ("unknown",))])
    with pytest.raises(UsageError):
        held.decide(KEY, "Anna", "undo")
    with pytest.raises(UsageError):
        held.decide_all([KEY, "unknown"], "Anna", "accept")
    assert held.state() == before
    with Catalogue.open(place) as other:
        assert other.state() == before


def test_that_of_an_empty_catalogue_is_a_state(catalogue):
    before = catalogue.state()
    assert all(isinstance(number, int) for number in before)
    catalogue.record(catalogue.begin_run("oofpy batch", "0.1.0", "here"), [failed(1)])
    assert catalogue.state() != before
