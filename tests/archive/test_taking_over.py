"""What a run finds done counts as if it had fitted it: the same settings, the same places, the same observations."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from dataclasses import replace

import numpy as np
import pytest

from oofpy.archive.executors import InThisProcess
from oofpy.archive.manifest import requests_of
from oofpy.archive.run import run_archive
from oofpy.catalogue import Catalogue, Filter
from oofpy.recipe import RecipeTexts
from tests.archive.made_archive import OPTIONS, RECIPE, write_archive, write_single_maps
from tests.archive.test_run import COMMAND, SMALL_TASKS, Silent, run

OTHER = replace(RECIPE, settings=replace(RECIPE.settings, order=2))


def current(out):
    """What the catalogue in a folder gives, by the name of the observation: order, places and status."""
    with Catalogue.open(out) as catalogue:
        rows = catalogue.select()
    found = {row.name: (row.order, row.files, row.status) for row in rows}
    assert len(found) == len(rows)
    return found


def orders(out):
    return [order for order, _, _ in current(out).values()]


@pytest.fixture
def archive(tmp_path):
    write_archive(tmp_path / "archive", 4)
    return tmp_path / "archive"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_earlier_settings_are_gone_back_to(archive, out):
    run(archive, out)
    run(archive, out, recipe=OTHER)
    assert orders(out) == [2] * 4
    again = run(archive, out)
    assert (again.fitted, again.skipped.total()) == (0, 4)
    assert orders(out) == [3] * 4
    with Catalogue.open(out) as catalogue:
        assert {one.order for values in catalogue.coefficients().values() for one in values} == {3}
        assert catalogue.count(Filter(all_results=True)) == 8
    run([archive / "obs001.fits"], out, recipe=OTHER)
    assert orders(out) == [3, 2, 3, 3]


def test_a_run_that_is_killed_while_it_goes_back_goes_on(archive, out):
    run(archive, out)
    run(archive, out, recipe=OTHER)
    rng = np.random.default_rng(3)
    command = [*COMMAND, str(archive), "--out", str(out), "--workers", "0", "--batch", "1", "--quiet", *OPTIONS]
    began = len((out / "log.txt").read_text().splitlines())
    for _ in range(3):
        process = subprocess.Popen(command, start_new_session=True)
        deadline = time.monotonic() + 60
        while len((out / "log.txt").read_text().splitlines()) <= began and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.05))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        began = len((out / "log.txt").read_text().splitlines())
        assert set(orders(out)) <= {2, 3}
    run(archive, out)
    assert orders(out) == [3] * 4


def test_a_run_that_is_stopped_keeps_what_it_found_done(archive, out):
    run(archive, out)
    run(archive, out, recipe=OTHER)
    looks = []
    run(archive, out, settings=replace(SMALL_TASKS, task_size=1), stopped=lambda: looks.append(1) or len(looks) > 4)
    assert 3 in orders(out)


def test_what_failed_hides_no_result_when_it_is_found_again(archive, out):
    wrong = replace(RECIPE, reading=replace(RECIPE.reading, maps=(1, 9)))
    assert run(archive, out, recipe=wrong).failed == 4
    run(archive, out)
    assert run(archive, out, recipe=wrong).skipped["failed"] == 4
    assert {status for _, _, status in current(out).values()} <= {"ok", "flagged"}


def test_an_archive_that_was_moved_is_found_in_its_new_place(archive, out, tmp_path):
    scans = write_single_maps(archive / "scans", 5)
    write_single_maps(archive / "lone", 6)[0].unlink()
    run(archive, out)
    before = current(out)
    moved = tmp_path / "disk2" / "moved"
    moved.parent.mkdir()
    shutil.move(archive, moved)
    again = run(moved, out)
    assert again.fitted == 0
    after = current(out)
    assert after.keys() == before.keys()
    assert after["scan5-0"][1] == tuple(str(moved / "scans" / scan.name) for scan in scans)
    for name, (_, files, _) in before.items():
        assert after[name][1] == tuple(file.replace(str(archive), str(moved)) for file in files)
        assert all(os.path.isfile(file) for file in after[name][1])  # noqa: PTH113


def test_copies_do_not_take_the_place_of_the_first(archive, out):
    (archive / "copies").mkdir()
    shutil.copy(archive / "obs001.fits", archive / "copies" / "copy.fits")
    for _ in range(2):
        run(archive, out)
        assert current(out)["obs001"][1] == (str(archive / "obs001.fits"),)


def test_an_observation_that_grew_between_two_runs_counts_once(out, tmp_path):
    files = write_single_maps(tmp_path / "archive", 0)
    last = files[2].read_bytes()
    files[2].unlink()
    run(tmp_path / "archive", out)
    assert [files for _, files, _ in current(out).values()] == [tuple(map(str, files[:2]))]
    files[2].write_bytes(last)
    for fitted in (1, 0):
        assert run(tmp_path / "archive", out).fitted == fitted
        assert [files for _, files, _ in current(out).values()] == [tuple(map(str, files))]
    with Catalogue.open(out) as catalogue:
        assert catalogue.count(Filter(all_results=True)) == 2
    # Maps that are taken away again: what is left is what the archive holds.
    files[2].unlink()
    assert run(tmp_path / "archive", out).fitted == 0
    assert [files for _, files, _ in current(out).values()] == [tuple(map(str, files[:2]))]


def test_single_maps_are_read_once(out, tmp_path, monkeypatch):
    from oofpy.archive import reading

    files = write_single_maps(tmp_path / "archive", 0) + write_single_maps(tmp_path / "archive" / "more", 1)
    reads = []
    original = reading._fragment
    monkeypatch.setattr(reading, "_fragment", lambda item: reads.append(item.name) or original(item))
    first = run(tmp_path / "archive", out)
    assert (first.fitted, first.single_maps, len(reads)) == (2, 6, 6)
    with (out / ".single-maps.jsonl").open("a") as lines:
        lines.write('["0.1.0", "abc')  # a run was killed
    before = current(out)
    again = run(tmp_path / "archive", out)
    assert (again.fitted, again.skipped.total(), again.single_maps, len(reads)) == (0, 2, 6, 6)
    assert current(out) == before
    files[0].write_bytes(write_single_maps(tmp_path / "other", 2)[0].read_bytes())
    changed = run(tmp_path / "archive", out)
    assert (changed.fitted, changed.single_maps, len(reads)) == (1, 6, 7)
    assert run(tmp_path / "archive", out, recipe=OTHER).fitted == 2
    assert len(reads) == 13
    assert run(tmp_path / "archive", out, settings=replace(SMALL_TASKS, force=True)).fitted == 2
    assert len(reads) == 19


def test_a_lone_map_is_no_failure_when_its_partners_have_come(out, tmp_path):
    first, *others = write_single_maps(tmp_path / "archive", 0)
    kept = [file.read_bytes() for file in others]
    for file in others:
        file.unlink()
    run(tmp_path / "archive", out)
    assert [status for _, _, status in current(out).values()] == ["failed"]
    for file, content in zip(others, kept, strict=True):
        file.write_bytes(content)
    run(tmp_path / "archive", out)
    (found,) = current(out).values()
    assert found[1] == tuple(map(str, (first, *others)))
    assert found[2] != "failed"


def test_a_manifest_parts_what_was_put_together_and_names_it(out, tmp_path):
    folder = tmp_path / "archive"
    files = write_single_maps(folder, 0)
    run(folder, out)
    manifest = tmp_path / "list.csv"
    manifest.write_text(f"files,name\narchive/{files[0].name};archive/{files[1].name},two maps\n")
    texts = RecipeTexts(settings={"order": "3", "device": "cpu", "ladder": "false"})
    for _ in range(2):
        run_archive(lambda: requests_of([manifest], texts), out, InThisProcess(), listener=Silent())
        assert {name: files for name, (_, files, _) in current(out).items()} == {
            "two maps": (str(files[0]), str(files[1]))
        }
    run(folder, out)
    assert list(current(out)) == ["scan0-0"]


def test_a_run_that_is_killed_while_an_observation_grows_ends_as_one_that_is_not(out, tmp_path):
    folder = tmp_path / "archive"
    lasts = []
    for number in range(3):
        last = write_single_maps(folder / f"scans{number}", number)[2]
        lasts.append((last, last.read_bytes()))
        last.unlink()
    run(folder, out)
    for last, content in lasts:
        last.write_bytes(content)
    shutil.copytree(out, tmp_path / "undisturbed")
    run(folder, tmp_path / "undisturbed")
    command = [*COMMAND, str(folder), "--out", str(out), "--workers", "1", "--batch", "1", "--quiet", *OPTIONS]
    rng = np.random.default_rng(8)
    for _ in range(2):
        process = subprocess.Popen(command, start_new_session=True)
        time.sleep(rng.uniform(2, 6))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    run(folder, out)
    assert current(out) == current(tmp_path / "undisturbed")
    assert superseded(out) == superseded(tmp_path / "undisturbed")
    assert len(superseded(out)) == 3


def superseded(out):
    """Content of what has given way, and of what has taken its place."""
    connection = sqlite3.connect(out / "catalogue.sqlite")
    pairs = connection.execute(
        "SELECT earlier.content_hash, later.content_hash FROM observations AS earlier "
        "JOIN observations AS later ON later.id = earlier.superseded_by"
    ).fetchall()
    connection.close()
    return set(pairs)
