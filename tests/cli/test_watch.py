import json
import os
import signal
from threading import Timer

import pytest

from oofpy.archive import watching
from oofpy.catalogue import Catalogue, Filter
from oofpy.errors import InputError
from tests.archive.made_archive import OPTIONS, write_single_maps

FAST = ("--telescope", "jcmt", "--order", "2", "--device", "cpu", "--settle", "0.02", "--until-idle", "0.1")


@pytest.fixture
def folder(maps_file, tmp_path):
    folder = tmp_path / "in"
    maps_file("good.fits", folder=folder)
    bad = maps_file("bad.fits", folder=folder)
    bad.write_bytes(bad.read_bytes()[:6000])
    return folder


def test_a_line_for_each_observation_and_none_twice(run, folder, tmp_path):
    out = tmp_path / "out"
    outcome = run("watch", folder, "--out", out, *FAST)
    assert outcome.code == 0, outcome.err
    good, bad = sorted(outcome.out.splitlines(), reverse=True)
    assert good.startswith("good: ")
    assert " um +- " in good
    assert " 3 maps" in good
    assert bad.startswith("bad: failed: ")
    assert "the file is truncated" in bad
    assert outcome.err.splitlines() == [f"watching {folder}, results in {out}"]
    assert [path.name[:5] for path in out.glob("*/result.fits")] == ["resul"]
    again = run("watch", folder, "--out", out, *FAST)
    assert (again.code, again.out) == (0, "")
    assert "2 observations have a result already" in again.err


def test_json_is_one_object_a_line(run, folder, tmp_path):
    (folder / "lone.txt").write_text("0 0 1\n1e-4 0 2\n0 1e-4 3\n")
    outcome = run("watch", folder, "--out", tmp_path / "out", *FAST, "--json")
    records = {record["name"]: record for record in map(json.loads, outcome.out.splitlines())}
    assert sorted(records) == ["bad", "good"]
    assert records["good"]["rms_um"] > 0
    assert records["good"]["maps"] == 3
    assert records["good"]["files"] == [str(folder / "good.fits")]
    assert (tmp_path / "out" / records["good"]["folder"] / "summary.json").exists()
    assert records["bad"]["status"] == "failed"
    assert f"{folder / 'lone.txt'}: holds one map, and waits for others" in outcome.err
    quiet = run("watch", folder, "--out", tmp_path / "other", *FAST, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_catalogue_that_is_away_for_a_while_is_told_and_tried_again(run, folder, tmp_path, monkeypatch):
    bad = folder / "bad.fits"
    content = bad.read_bytes()
    bad.unlink()
    opened = []

    def open_(place, *, create=False):
        opened.append(create)
        if len(opened) == 1:
            bad.write_bytes(content)
        if len(opened) == 3:  # of the second run
            raise InputError("the database does not do what is asked", file="server")
        return opens(place, create=create)

    opens = Catalogue.open
    monkeypatch.setattr(Catalogue, "open", open_)
    outcome = run("watch", folder, "--out", tmp_path / "out", *FAST[:-1], "1")
    assert outcome.code == 0, outcome.err
    assert [line.split(":")[0] for line in outcome.out.splitlines()] == ["good", "bad"]
    assert "server: the database does not do what is asked; tried again while watching" in outcome.err
    assert opened == [True, False, True, True, False]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_with_code_0(run, tmp_path, number):
    (tmp_path / "in").mkdir()
    before = signal.getsignal(number)
    Timer(0.2, os.kill, (os.getpid(), number)).start()
    assert run("watch", tmp_path / "in", "--out", tmp_path / "out").code == 0
    assert signal.getsignal(number) == before


def test_what_is_wrong_is_told_at_once(refused, tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "watch", None)  # nothing is watched
    assert "absent: DIR: there is no such folder" in refused("watch", tmp_path / "absent")
    (tmp_path / "map.fits").write_bytes(b"")
    told = refused("watch", tmp_path / "map.fits")
    assert "map.fits: DIR: this is a file, and only folders can be watched; name the folder that it lies in" in told
    (tmp_path / "in").mkdir()
    assert "order = 1: must be" in refused("watch", tmp_path / "in", "--order", "1")
    (tmp_path / "file").write_text("")
    assert "this is a file, not a folder" in refused("watch", tmp_path / "in", "--out", tmp_path / "file")


def test_an_observation_that_grows_beyond_what_was_enough_counts_once(run, tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    *_, last = files = write_single_maps(folder, 0)
    last.rename(tmp_path / "last.fits")
    words = ("watch", folder, "--out", out, "--maps-per-observation", "2", *OPTIONS, *FAST[-4:])
    assert run(*words).code == 0
    with Catalogue.open(out) as catalogue:
        assert [row.maps for row in catalogue.select()] == [2]
    (tmp_path / "last.fits").rename(last)
    for _ in range(2):
        assert run(*words).code == 0
        with Catalogue.open(out) as catalogue:
            (row,) = catalogue.select()
            assert row.files == tuple(map(str, files))
            assert sorted(held.maps for held in catalogue.select(Filter(all_results=True))) == [2, 3]
            assert len(catalogue.show(row.key).other_keys) == 1
