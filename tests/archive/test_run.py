"""Runs over a small archive: what is fitted, skipped, failed, and what is left after it was killed."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from oofpy.archive.backlog import RunSettings
from oofpy.archive.executors import InThisProcess, Processes
from oofpy.archive.finding import find_requests
from oofpy.archive.place import held
from oofpy.archive.run import run_archive
from oofpy.catalogue import Catalogue
from oofpy.errors import UsageError
from oofpy.io.results import read_result
from scripts.benchmarks.broken_files import BROKEN
from tests.archive.made_archive import OPTIONS, RECIPE, catalogued, write_archive, write_single_maps

SMALL_TASKS = RunSettings(task_size=3, side_by_side=3)


class Silent:
    def say(self, line):
        pass

    def progress(self, tally):
        pass


def run(places, out, executor=None, settings=SMALL_TASKS, recipe=RECIPE, **more):
    places = places if isinstance(places, list) else [places]
    return run_archive(
        lambda: find_requests(places, recipe, out),
        out,
        executor or InThisProcess(),
        listener=Silent(),
        settings=settings,
        **more,
    )


def same(rows, others, tolerance_rad=1e-6):
    """Whether two catalogues are alike row by row: phases to the accuracy of the fit, errors to a thousandth.

    Another batch rounds differently, so a fit may end up to 1e-6 rad away, and its errors are those of that point.
    """
    assert rows.keys() == others.keys()
    for key, row in rows.items():
        other = others[key]
        assert row["coefficients"].keys() == other["coefficients"].keys()
        for name, phase in row["coefficients"].items():
            assert phase == pytest.approx(other["coefficients"][name], abs=tolerance_rad)
        for name, value in row.items():
            if isinstance(value, float):
                rel = 1e-3 if name.endswith("_error") else 1e-4
                assert value == pytest.approx(other[name], rel=rel), name
            elif name != "coefficients":
                assert value == other[name], name


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    write_archive(folder, 8)
    return folder


@pytest.fixture(scope="module")
def undisturbed(archive, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    tally = run(archive, out)
    assert (tally.fitted, tally.failed, tally.state) == (8, 0, "completed")
    return out


def test_results_lie_in_folders_that_the_catalogue_names(archive, undisturbed):
    for row in catalogued(undisturbed).values():
        result = read_result(undisturbed / row["folder"])
        assert result.name == row["name"]
        assert row["folder"] == f"{row['name']}-{row['key'][:12]}"
        assert row["files"] == [str(archive / f"{row['name']}.fits")]
        found = {(result.fit.order, one.n, one.l): one.phase_rad for one in result.fit.coefficients}
        assert found == row["coefficients"]


def test_a_second_run_fits_nothing(archive, undisturbed):
    before = catalogued(undisturbed)
    again = run(archive, undisturbed)
    assert (again.fitted, again.skipped.total(), again.found) == (0, 8, 8)
    assert catalogued(undisturbed) == before


def test_other_settings_are_another_result_of_the_same_observation(archive, tmp_path):
    first = sorted(archive.glob("*.fits"))[:2]
    run(first, tmp_path)
    other = replace(RECIPE, settings=replace(RECIPE.settings, likelihood="gaussian"))
    assert run(first, tmp_path, recipe=other).fitted == 2
    rows = catalogued(tmp_path).values()
    assert len(rows) == 4
    assert len({row["content_hash"] for row in rows}) == 2
    assert len({row["folder"] for row in rows}) == 4


def test_force_fits_everything_again(archive, tmp_path):
    first = sorted(archive.glob("*.fits"))[:2]
    run(first, tmp_path)
    (tmp_path / next(iter(catalogued(tmp_path).values()))["folder"] / "log.txt").unlink()
    assert run(first, tmp_path, settings=replace(SMALL_TASKS, force=True)).fitted == 2
    assert len(list(tmp_path.glob("*/log.txt"))) == 2


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damaged")
    good = write_archive(folder / "good", 3)
    for name, broken in BROKEN.items():
        place = folder / name.replace(" ", "-")
        place.mkdir()
        broken.make(good[0], place / "bad.fits")
    out = tmp_path_factory.mktemp("damaged-results")
    return folder, out, run(folder, out)


def test_broken_files_stop_nothing(damaged):
    _, _, tally = damaged
    assert (tally.ok + tally.flagged, tally.failed, tally.state) == (3, len(BROKEN), "completed")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_fails_for_its_own_reason(damaged, kind):
    folder, out, _ = damaged
    file = folder / kind.replace(" ", "-") / "bad.fits"
    row = next(row for row in catalogued(out).values() if row["files"][0] == str(file))
    assert row["status"] == "failed"
    assert BROKEN[kind].reason in row["reason"]
    assert str(file) in row["reason"]
    assert row["fault"] in ("InputError", "UsageError", "ConfigurationError")
    assert row["folder"] is None


def test_what_failed_is_tried_again_only_on_request(damaged):
    folder, out, _ = damaged
    again = run(folder, out)
    assert (again.fitted, again.skipped["failed"]) == (0, len(BROKEN))
    retried = run(folder, out, settings=replace(SMALL_TASKS, retry_failed=True))
    assert (retried.fitted, retried.failed, retried.skipped.total()) == (len(BROKEN), len(BROKEN), 3)
    assert len(catalogued(out)) == 3 + len(BROKEN)


def test_a_mended_file_is_a_new_observation(damaged, tmp_path):
    folder, _, _ = damaged
    file = tmp_path / "archive" / "file.fits"
    file.parent.mkdir()
    out = tmp_path / "out"
    file.write_bytes(b"")
    assert run(file.parent, out).failed == 1
    file.write_bytes((folder / "good" / "obs001.fits").read_bytes())
    mended = run(file.parent, out)
    assert (mended.ok + mended.flagged, mended.failed) == (1, 0)


def test_a_fault_of_the_program_costs_one_observation(archive, tmp_path, monkeypatch):
    fit_batch = tasks_fit_batch()

    def faulty(observations, *args, **more):
        if any(one.name == "obs001" for one in observations):
            raise ZeroDivisionError("no such luck")
        return fit_batch(observations, *args, **more)

    monkeypatch.setattr("oofpy.fitting.fitter.fit_batch", faulty)
    tally = run(sorted(archive.glob("*.fits"))[:4], tmp_path)
    assert (tally.fitted, tally.failed) == (4, 1)
    (row,) = (row for row in catalogued(tmp_path).values() if row["status"] == "failed")
    assert (row["name"], row["fault"]) == ("obs001", "internal")
    assert "ZeroDivisionError: no such luck" in row["reason"]
    log = (tmp_path / "log.txt").read_text()
    assert "in faulty" in log
    assert row["reason"] in log


def tasks_fit_batch():
    from oofpy.fitting.fitter import fit_batch

    return fit_batch


def test_no_memory_for_a_batch_is_enough_for_its_members(archive, tmp_path, monkeypatch):
    fit_batch = tasks_fit_batch()

    def small(observations, *args, **more):
        if len(observations) > 1:
            raise MemoryError
        return fit_batch(observations, *args, **more)

    monkeypatch.setattr("oofpy.fitting.fitter.fit_batch", small)
    tally = run(sorted(archive.glob("*.fits"))[:3], tmp_path)
    assert (tally.fitted, tally.failed) == (3, 0)


def test_a_full_disk_ends_the_run_and_blames_no_observation(archive, tmp_path, monkeypatch):
    def full(*_, **__):
        raise UsageError("this cannot be written: No space left on device", file=tmp_path)

    monkeypatch.setattr("oofpy.io.results.write_result", full)
    with pytest.raises(UsageError, match="No space left"):
        run(archive, tmp_path)
    assert catalogued(tmp_path) == {}
    monkeypatch.undo()
    assert run(sorted(archive.glob("*.fits"))[:1], tmp_path).fitted == 1


def test_single_maps_are_fitted_together(tmp_path):
    folder = tmp_path / "archive"
    whole = write_archive(folder / "whole", 2)
    first, second = (write_single_maps(folder / f"scans{number}", number) for number in (0, 1))
    alone = folder / "alone" / "map.fits"
    alone.parent.mkdir()
    alone.write_bytes(second[1].read_bytes())
    tally = run(folder, tmp_path / "out")
    assert (tally.ok + tally.flagged, tally.failed, tally.single_maps) == (4, 1, 7)
    rows = {tuple(row["files"]): row for row in catalogued(tmp_path / "out").values()}
    lone = rows.pop((str(alone),))
    assert "no map with another dz" in lone["reason"]
    for number, files in enumerate((first, second)):
        together, once = rows[tuple(map(str, files))], rows[(str(whole[number]),)]
        for name, phase in once["coefficients"].items():
            assert together["coefficients"][name] == pytest.approx(phase, abs=1e-6)
    again = run(folder, tmp_path / "out")
    assert (again.fitted, again.skipped.total()) == (0, 5)


def test_a_single_map_is_fitted_when_the_others_have_come(tmp_path):
    folder = tmp_path / "archive"
    minus, focus, plus = write_single_maps(folder, 0)
    kept = plus.read_bytes(), focus.read_bytes()
    plus.unlink()
    focus.unlink()
    assert run(folder, tmp_path / "out").failed == 1
    plus.write_bytes(kept[0])
    focus.write_bytes(kept[1])
    tally = run(folder, tmp_path / "out")
    assert (tally.ok + tally.flagged, tally.failed) == (1, 0)
    assert {tuple(row["files"]) for row in catalogued(tmp_path / "out").values() if row["status"] != "failed"} == {
        (str(minus), str(focus), str(plus))
    }


def test_copies_of_a_file_are_fitted_once(archive, tmp_path):
    folder = tmp_path / "archive"
    for name in ("a", "b", "c"):
        (folder / name).mkdir(parents=True)
        (folder / name / "copy.fits").write_bytes((archive / "obs000.fits").read_bytes())
    tally = run(folder, tmp_path / "out")
    assert (tally.fitted, tally.skipped["copy"]) == (1, 2)
    assert next(iter(catalogued(tmp_path / "out").values()))["files"] == [str(folder / "a" / "copy.fits")]


def test_of_files_that_cannot_be_used_every_one_is_told(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.fits").write_bytes(b"")
    assert run(folder, tmp_path / "out").failed == 3
    assert {row["name"]: row["files"] for row in catalogued(tmp_path / "out").values()} == {
        name: [str(folder / f"{name}.fits")] for name in ("a", "b", "c")
    }
    again = run(folder, tmp_path / "out")
    assert (again.fitted, again.skipped) == (0, {"failed": 3})
    retried = run(folder, tmp_path / "out", settings=replace(SMALL_TASKS, retry_failed=True))
    assert (retried.failed, len(catalogued(tmp_path / "out"))) == (3, 3)


def test_a_map_in_two_folders_belongs_to_both_observations(tmp_path):
    folder = tmp_path / "archive"
    first = write_single_maps(folder / "one", 0)
    second = write_single_maps(folder / "two", 1)
    second[1].write_bytes(first[1].read_bytes())  # one map in focus for both
    tally = run(folder, tmp_path / "out")
    assert (tally.ok + tally.flagged, tally.failed) == (2, 0)


def test_an_observation_is_what_its_listed_files_hold(tmp_path):
    folder = tmp_path / "archive"
    files = write_single_maps(folder / "maps", 0)
    listed = "".join(f'[[maps]]\nfile = "maps/{file.name}"\n' for file in files)
    (folder / "observation.toml").write_text(listed)
    assert run(folder, tmp_path / "out").fitted == 1
    other = write_single_maps(tmp_path / "other", 1)
    files[0].write_bytes(other[0].read_bytes())
    assert run(folder, tmp_path / "out").fitted == 1


class Killing(Processes):
    """Kills the process that has a certain observation, so often."""

    def __init__(self, count, name, times):
        super().__init__(count)
        self.name, self.times = name, times
        self.sizes = []

    def submit(self, task):
        super().submit(task)
        if any(item.name == self.name for item in task.items) and self.times:
            self.times -= 1
            self.sizes.append(len(task.items))
            worker = next(worker for worker in self._workers if worker.task is task)
            while not worker.ready:
                time.sleep(0.01)
                if worker.pipe.poll():
                    assert worker.pipe.recv() == "ready"
                    worker.ready = True
            worker.process.kill()


def test_a_killed_worker_costs_only_time(archive, undisturbed, tmp_path):
    executor = Killing(1, "obs004", 1)
    assert run(archive, tmp_path, executor).fitted == 8
    assert executor.times == 0
    same(catalogued(tmp_path), catalogued(undisturbed))


def test_an_observation_that_kills_its_workers_fails_alone(archive, tmp_path):
    executor = Killing(1, "obs001", 100)
    tally = run(sorted(archive.glob("*.fits"))[:4], tmp_path, executor)
    assert (tally.fitted, tally.failed) == (4, 1)
    assert executor.sizes == [3, 3, 1, 1]
    (row,) = (row for row in catalogued(tmp_path).values() if row["status"] == "failed")
    assert (row["name"], row["fault"]) == ("obs001", "internal")
    assert "SIGKILL" in row["reason"]


class Slow(InThisProcess):
    """Ends a task only when it has as many as it can make use of, or is waited for."""

    capacity = 3

    def __init__(self):
        super().__init__()
        self.most = self.ends = 0

    def submit(self, task):
        super().submit(task)
        self.most = max(self.most, len(self._tasks))

    def ended(self, timeout_s):
        if len(self._tasks) < self.capacity and timeout_s == 0:
            return []
        self.ends += 1
        return super().ended(timeout_s)


def test_no_more_is_looked_for_than_is_needed(archive, tmp_path):
    executor = Slow()
    ahead = []

    def find():
        for number, request in enumerate(find_requests([archive], RECIPE), 1):
            if threading.current_thread() is threading.main_thread():  # another counts them
                ahead.append(number - executor.ends)
            yield request

    settings = RunSettings(task_size=1, side_by_side=1)
    tally = run_archive(find, tmp_path, executor, listener=Silent(), settings=settings)
    assert (tally.fitted, len(ahead)) == (8, 8)
    assert executor.most == 3
    assert max(ahead) <= 3 + 2  # with workers, and at hand for them


def test_a_stopped_run_keeps_what_is_done(archive, undisturbed, tmp_path):
    with_results = []

    class Watching(Silent):
        def progress(self, tally):
            with_results.append(tally.fitted)

    tally = run_archive(
        lambda: find_requests([archive], RECIPE),
        tmp_path,
        InThisProcess(),
        listener=Watching(),
        settings=SMALL_TASKS,
        stopped=lambda: bool(with_results and with_results[-1] >= 3),
    )
    assert (tally.state, tally.fitted) == ("interrupted", 3)
    with Catalogue.open(tmp_path) as catalogue:
        assert sum(catalogue.counts().values()) == 3
    assert run(archive, tmp_path).fitted == 5
    same(catalogued(tmp_path), catalogued(undisturbed))


def test_a_second_run_in_the_same_folder_is_refused(archive, tmp_path):
    with held(tmp_path), pytest.raises(UsageError, match=f"process {os.getpid()}.* is at work"):
        run(archive, tmp_path)


COMMAND = [sys.executable, "-m", "oofpy", "batch"]


def batch(archive, out):
    arguments = [str(archive), "--out", str(out), "--workers", "2", "--batch", "3", "--quiet", *OPTIONS]
    return subprocess.Popen([*COMMAND, *arguments], start_new_session=True, stderr=subprocess.PIPE)


def test_a_killed_run_goes_on_where_it_was(archive, undisturbed, tmp_path):
    rng = np.random.default_rng(5)
    for _ in range(3):
        process = batch(archive, tmp_path)
        deadline = time.monotonic() + 60
        while not (tmp_path / "log.txt").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(rng.uniform(0.5, 4))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    process = batch(archive, tmp_path)
    process.communicate()
    assert process.returncode == 0
    same(catalogued(tmp_path), catalogued(undisturbed))
    folders = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert folders == {row["folder"] for row in catalogued(tmp_path).values()}
    for folder in folders:
        read_result(tmp_path / folder)


def test_workers_end_with_a_killed_parent(archive, tmp_path):
    process = batch(archive, tmp_path)
    while not (tmp_path / "log.txt").exists():
        time.sleep(0.05)
    children = []
    while len(children) < 2:
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=False
        )
        children = [int(pid) for pid in listed.stdout.split()]
        time.sleep(0.05)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 30
    while any(map(running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(running, children))


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_passwords_are_not_kept():
    from oofpy.archive.run import without_passwords

    told = without_passwords("oofpy batch a --catalogue postgresql://me:s3cret@host:5432/oof --out b")
    assert told == "oofpy batch a --catalogue postgresql://me:***@host:5432/oof --out b"
    plain = "oofpy batch a --catalogue postgresql://me@host/oof"
    assert without_passwords(plain) == plain


def test_a_result_whose_folder_is_gone_is_made_again(archive, undisturbed, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(undisturbed, out)
    rows = catalogued(out)
    gone = next(iter(rows.values()))
    shutil.rmtree(out / gone["folder"])
    tally = run(archive, out)
    assert (tally.fitted, tally.missing, tally.skipped.total()) == (1, 1, 7)
    assert (out / gone["folder"] / "result.fits").is_file()
