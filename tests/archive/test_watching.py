import os
import time
from contextlib import nullcontext
from dataclasses import replace
from threading import Event, Thread

import pytest
from astropy.io import fits

from oofpy.archive.tasks import RunEndsError
from oofpy.archive.watching import Watch, WatchRules, watch
from oofpy.errors import InputError, UsageError

RULES = WatchRules(settle_s=2.0, wait_s=600.0, maps_per_observation=3)


class Clock:
    seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watched(tmp_path, recipe, clock):
    made = []

    def make(rules=RULES, **options):
        made.append(Watch(tmp_path, recipe, rules, clock=clock, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def look(clock):
    """Names of the files of what is given, so many seconds later."""

    def look(watched, later_s=0.0, **options):
        clock.seconds += later_s
        return [[file.name for file in request.files] for request in watched.look(**options)]

    return look


@pytest.fixture
def single(observation_file):
    """A file with one map, which cannot be fitted without others."""

    def write(name, dz, minute=0):
        path = observation_file(name, (dz, dz + 1e-3), date=f"2024-03-01T10:{minute:02d}:00", object_name="Mars")
        with fits.open(path, mode="update") as hdus:
            del hdus[2]
        return path

    return write


def test_a_file_with_several_maps_is_given_once_when_it_has_settled(watched, look, observation_file):
    made = watched()
    assert look(made) == []
    observation_file("obs.fits")
    assert look(made) == []
    assert not made.settled
    assert look(made, 1.9) == []
    assert look(made, 0.2) == [["obs.fits"]]
    assert look(made, 1000) == []
    assert made.settled
    observation_file("obs.fits", (-2e-3, 2e-3))
    assert look(made, 1) == []
    assert look(made, 3) == [["obs.fits"]]


def test_a_file_that_grows_is_left_alone(watched, look, observation_file):
    whole = observation_file("obs.fits").read_bytes()
    path = observation_file("obs.fits")
    made = watched()
    path.write_bytes(b"")
    assert look(made) == []
    for part in range(1, 10):
        path.write_bytes(whole[: part * len(whole) // 10])
        assert look(made, 1.5) == []
    # A pause in the middle of a copy: complete it is not.
    assert look(made, 5) == []
    path.write_bytes(whole)
    assert look(made, 1) == []
    assert look(made, 3) == [["obs.fits"]]


def test_what_cannot_be_read_is_given_up_when_it_no_longer_grows(watched, look, observation_file):
    path = observation_file("obs.fits")
    path.write_bytes(path.read_bytes()[:6000])
    made = watched()
    look(made)
    assert [look(made, seconds) for seconds in (3, 3, 3)] == [[], [], []]
    assert look(made, 3) == [["obs.fits"]]
    assert look(made, 100) == []


def test_what_was_there_before_need_not_settle(watched, look, observation_file):
    path = observation_file("obs.fits")
    long_ago = time.time() - 100
    os.utime(path, (long_ago, long_ago))
    assert look(watched()) == [["obs.fits"]]


def test_single_maps_make_an_observation_when_they_are_enough(watched, look, single):
    made = watched()
    single("a.fits", -3e-3)
    single("b.fits", 0.0, 5)
    look(made)
    assert look(made, 3) == []
    assert [path.name for path in made.waiting] == ["a.fits", "b.fits"]
    single("c.fits", 3e-3, 10)
    assert look(made, 1) == []
    assert look(made, 3) == [["a.fits", "b.fits", "c.fits"]]
    assert made.waiting == []
    # One more of the same observation, and then the first of the next.
    single("d.fits", 5e-3, 15)
    single("e.fits", -3e-3, 20)
    look(made)
    assert look(made, 3) == []
    assert look(made, 600) == [["a.fits", "b.fits", "c.fits", "d.fits"]]
    assert [path.name for path in made.waiting] == ["e.fits"]
    assert look(made, 1e6) == []


def test_an_observation_that_grows_is_given_once_more_and_not_with_every_map(watched, look, single):
    made = watched()
    given = []
    for number in range(6):
        single(f"{number}.fits", (number - 2) * 2e-3, number)
        look(made)
        given += look(made, 300)
    assert given == [["0.fits", "1.fits", "2.fits"]]
    assert look(made, 299) == []
    assert look(made, 2) == [[f"{number}.fits" for number in range(6)]]
    assert look(made, 1e4) == []


def test_what_was_given_long_ago_is_forgotten_and_not_given_again(watched, look, single):
    made = watched()
    for minute, (name, dz) in enumerate((("a.fits", -3e-3), ("b.fits", 0.0), ("c.fits", 3e-3))):
        single(name, dz, minute)
    look(made)
    assert look(made, 3) == [["a.fits", "b.fits", "c.fits"]]
    # Growing keeps the whole: the fourth comes shortly before the first three would be forgotten.
    look(made, 3500)
    single("d.fits", 5e-3, 40)
    look(made)
    assert look(made, 590) == []
    assert look(made, 11) == [["a.fits", "b.fits", "c.fits", "d.fits"]]
    assert look(made, 3601) == []
    assert (made._given, made._fragments) == ({}, {})
    assert made.waiting == []
    assert look(made, 1) == []
    assert made.settled


def test_no_further_file_is_read_once_it_is_to_stop(watched, observation_file, monkeypatch):
    for name in ("a.fits", "b.fits", "c.fits"):
        observation_file(name)
    landed = []
    made = watched(stopped=lambda: bool(landed))
    monkeypatch.setattr(made, "_landed", lambda path, _now: landed.append(path.name) or [])
    assert made.look() == []
    assert landed == ["a.fits"]


def test_two_maps_are_given_when_none_comes_for_long(watched, look, single):
    made = watched()
    single("a.fits", -3e-3)
    look(made)
    look(made, 500)
    single("b.fits", 0.0, 5)
    look(made)
    assert look(made, 500) == []
    assert look(made, 101) == [["a.fits", "b.fits"]]
    assert look(made, 601) == []
    single("c.fits", 3e-3, 10)
    look(made)
    assert look(made, 3) == [["a.fits", "b.fits", "c.fits"]]


def test_two_maps_are_given_when_told_to_wait_no_longer(watched, look, single):
    made = watched()
    single("a.fits", -3e-3)
    single("b.fits", 0.0, 5)
    look(made)
    assert look(made, 3) == []
    assert look(made, flush=True) == [["a.fits", "b.fits"]]


def test_a_map_that_goes_or_changes_is_no_longer_part_of_it(watched, look, single):
    made = watched()
    for name, dz in (("a.fits", -3e-3), ("b.fits", 0.0), ("c.fits", 3e-3)):
        single(name, dz)
    look(made)
    assert look(made, 3) == [["a.fits", "b.fits", "c.fits"]]
    single("b.fits", 1e-3)
    look(made)
    assert look(made, 3) == [["a.fits", "b.fits", "c.fits"]]
    single("a.fits", -3e-3).unlink()
    assert look(made, 3) == []


def test_files_that_belong_to_one_are_waited_for(watched, look, text_file):
    made = watched(replace(RULES, wait_s=60.0))
    listed = "".join(f'[[maps]]\nfile = "{name}.txt"\ndz = "{dz}mm"\n' for name, dz in (("a", -3), ("b", 3)))
    text_file("obs.toml", f'frequency = "272GHz"\n{listed}')
    text_file("a.txt")
    look(made)
    assert look(made, 30) == []
    text_file("b.txt", "0 0 2\n1e-4 0 1\n0 1e-4 5\n")
    assert look(made, 1) == []
    assert look(made, 3) == [["obs.toml"]]


def test_folder_that_is_away_for_a_while(watched, look, observation_file, tmp_path):
    (tmp_path / "in").mkdir()
    made = watched()
    made._folder = tmp_path / "in"
    observation_file("in/obs.fits")
    look(made)
    assert look(made, 3) == [["obs.fits"]]
    (tmp_path / "in").rename(tmp_path / "away")
    assert look(made, 3) == []


class Recorder:
    """Stands for the fits; may fail."""

    def __init__(self, *failures, error=None):
        self.names, self._failures = [], list(failures)
        self._error = error or UsageError("another process is at work in this folder")

    def __call__(self, requests):
        if self._failures and self._failures.pop(0):
            raise self._error
        self.names += [request.files[0].name for request in requests]


def paused(clock, steps):
    """Pause without waiting; give in after so many times."""
    left = iter(range(steps))

    def pause(seconds):
        clock.seconds += seconds
        return next(left, None) is None

    return pause


def test_all_that_comes_is_fitted_until_told_to_stop(watched, clock, observation_file):
    made, fitted = watched(), Recorder()
    observation_file("a.fits")
    watch(made, fitted, paused(clock, 5), clock=clock)
    assert fitted.names == ["a.fits"]


def test_it_ends_when_nothing_comes_and_fits_what_waited(watched, clock, single):
    made, fitted = watched(), Recorder()
    single("a.fits", -3e-3)
    single("b.fits", 3e-3, 5)
    single("other/c.fits", 0.0, 5)
    watch(made, fitted, paused(clock, 1000), until_idle_s=20.0, clock=clock)
    assert fitted.names == ["a.fits"]
    assert [path.name for path in made.waiting] == ["c.fits"]
    assert clock.seconds < 1060


ENDS = RunEndsError("no result can be kept here")


@pytest.mark.parametrize(("error", "ends"), [(None, False), (InputError("server is away"), False), (ENDS, True)])
def test_faults_that_pass_are_tried_again(watched, clock, observation_file, tmp_path, error, ends):
    observation_file("a.fits")
    os.utime(tmp_path / "a.fits", (1e9, 1e9))
    made, fitted = watched(), Recorder(False, True, True, error=error)
    pauses = paused(clock, 12)

    def pause(seconds):
        if fitted.names == ["a.fits"] and not (tmp_path / "b.fits").exists():
            observation_file("b.fits", (-2e-3, 2e-3))
        return pauses(seconds)

    with pytest.raises(RunEndsError) if ends else nullcontext():
        watch(made, fitted, pause, clock=clock)
    assert fitted.names == (["a.fits"] if ends else ["a.fits", "b.fits"])


def test_what_fails_from_the_beginning_ends_it(watched, clock, observation_file, tmp_path):
    observation_file("a.fits")
    os.utime(tmp_path / "a.fits", (1e9, 1e9))
    with pytest.raises(UsageError, match="at work"):
        watch(watched(), Recorder(True), paused(clock, 5), clock=clock)


def test_files_written_slowly_by_another(tmp_path, recipe, observation_file):
    """With real clocks: two observations in pieces, while the folder is watched."""
    whole = {name: observation_file(name).read_bytes() for name in ("x.fits", "y.fits")}
    sizes = {}
    for name in whole:
        (tmp_path / name).unlink()
    written = Event()

    def write():
        for name, content in whole.items():
            with (tmp_path / name).open("wb") as file:
                for start in range(0, len(content), len(content) // 6):
                    file.write(content[start : start + len(content) // 6])
                    file.flush()
                    time.sleep(0.03)
        written.set()

    def fit(requests):
        sizes.update({request.files[0].name: request.files[0].stat().st_size for request in requests})

    made = Watch(tmp_path, recipe, WatchRules(settle_s=0.15))
    writer = Thread(target=write)
    writer.start()
    deadline = time.monotonic() + 30

    def pause(seconds):
        time.sleep(seconds)
        return time.monotonic() > deadline or (written.is_set() and len(sizes) == 2)

    watch(made, fit, pause, interval_s=0.02)
    writer.join()
    made.close()
    assert sizes == {name: len(content) for name, content in whole.items()}
