import os
from collections import Counter
from dataclasses import replace

import pytest

from oofpy.archive.finding import companions_of, find_requests
from oofpy.archive.inputs import inputs_of
from oofpy.archive.requests import Request
from oofpy.errors import UsageError
from oofpy.io.results import write_result
from oofpy.recipe.reading import Reading


@pytest.fixture
def found(tmp_path, recipe):
    """Names of the files found, relative to the folder of the test."""

    def find(*places, **options):
        requests = list(find_requests(places or [tmp_path], options.pop("recipe", recipe), **options))
        assert all(len(request.files) == 1 and not request.complete for request in requests)
        return [str(request.files[0].relative_to(tmp_path)) for request in requests]

    return find


@pytest.fixture
def archive(text_file):
    for name in ("b/two.fits", "b/one.FITS", "a.txt", "b/c/grid.grd", "z.fit", "b/.hidden.fits", ".cache/x.fits"):
        text_file(name)
    for name in ("b/new.fits.part", "b/~lock.fits", "b/copy.fits~", "b/notes.md", "b/packed.fits.gz", "b/README"):
        text_file(name)
    return ["a.txt", "z.fit", "b/one.FITS", "b/two.fits", "b/c/grid.grd"]


def test_folder_with_all_below_it(found, archive):
    passed_over = Counter()
    assert found(passed_over=passed_over) == archive
    assert passed_over == {".part": 1, ".md": 1, ".fits.gz": 1, "no suffix": 1}


def test_patterns_and_files(found, archive, tmp_path):
    assert found(tmp_path / "**" / "*.[fF]*") == ["b/one.FITS", "b/two.fits", "z.fit"]
    assert found(tmp_path / "?") == archive[2:]
    assert found(tmp_path / "z.fit", tmp_path) == ["z.fit", *(name for name in archive if name != "z.fit")]
    assert found(str(tmp_path / "b" / "*.md")) == ["b/notes.md"]
    for named in ("b/notes.md", "b/.hidden.fits", "b/new.fits.part"):
        assert found(tmp_path / named, tmp_path / named) == [named]


def test_name_that_looks_like_a_pattern(found, text_file, tmp_path):
    text_file("map[1].fits")
    text_file("map1.fits")
    assert found(tmp_path / "map[1].fits") == ["map[1].fits"]


def test_place_that_is_not_there_is_refused_before_anything_is_found(text_file, tmp_path, recipe):
    text_file("a.fits")
    with pytest.raises(UsageError, match=r"absent: there is no such file or folder; check the path"):
        find_requests([tmp_path, tmp_path / "absent"], recipe)
    with pytest.raises(UsageError, match=r"x\*\.fits: no file has a name of this form"):
        find_requests([tmp_path, tmp_path / "x*.fits"], recipe)
    with pytest.raises(UsageError, match="has an empty name"):
        find_requests([""], recipe)


@pytest.mark.usefixtures("archive")
def test_links_that_loop_and_links_to_the_same(found, tmp_path):
    (tmp_path / "b" / "c" / "up").symlink_to(tmp_path)
    (tmp_path / "b" / "again.fits").symlink_to(tmp_path / "b" / "two.fits")
    (tmp_path / "zz").symlink_to(tmp_path / "b")
    (tmp_path / "gone.fits").symlink_to(tmp_path / "nothing.fits")
    names = found()
    # The link is the first of its names; what it leads to is not found again.
    assert names == ["a.txt", "gone.fits", "z.fit", "b/again.fits", "b/one.FITS", "b/c/grid.grd"]


def test_results_are_no_observations(found, archive, tmp_path, made_result):
    write_result(made_result, tmp_path / "b" / "made", log="a log")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x.fits").write_text("0 0 1\n")
    assert found(leave_out=tmp_path / "out") == archive
    assert found(tmp_path / "**" / "*.fits", leave_out=tmp_path / "out") == ["b/two.fits"]
    assert found(tmp_path / "**" / "*.txt", leave_out=tmp_path / "absent") == ["a.txt"]
    # A file of this name that is no result is one like others.
    (tmp_path / "b" / "result.fits").write_bytes(b"SIMPLE  = T")
    assert "b/result.fits" in found(leave_out=tmp_path / "out")


def test_companions_belong_to_their_maps(found, text_file):
    for name in ("m.fits", "mrgw.fits", "m-offset.fits", "alonergw.fits", "rgw.fits", "x-offset.fits"):
        text_file(name)
    assert found() == ["alonergw.fits", "m.fits", "rgw.fits", "x-offset.fits"]


def test_toml_and_what_it_lists(found, text_file):
    text_file("a/minus.txt")
    text_file("b/plus.txt")
    text_file("b/other.txt")
    text_file("c/obs.toml", '[[maps]]\nfile = "../a/minus.txt"\n[[maps]]\nfile = "../b/plus.txt"\n')
    text_file("c/dish.toml", 'name = "mydish"\n[geometry]\nkind = "prime-focus"\n')
    text_file("c/broken.toml", 'telescope = "jcmt\n[[maps]]\nfile = "../b/other.txt"\n')
    assert found() == ["b/other.txt", "c/broken.toml", "c/obs.toml"]


def test_files_that_readers_find_by_themselves(text_file):
    plain, weights, offset = text_file("m.fits"), text_file("mrgw.fits"), text_file("m-offset.fits")
    assert companions_of(plain) == (weights, offset)
    assert companions_of(weights) == ()
    toml = text_file("o.toml", '[[maps]]\nfile = "m.fits"\n[[maps]]\nfile = "gone.fits"\n')
    assert companions_of(toml) == (plain, weights, offset)


def test_correction_that_a_toml_names_decides_the_result_and_is_no_observation(found, text_file, recipe):
    plain, surface = text_file("m.fits"), text_file("surface.fits", "one")
    toml = text_file("o.toml", '[[maps]]\nfile = "m.fits"\n[observing]\napplied = "surface.fits"\n')
    assert companions_of(toml) == (plain, surface)
    assert found() == ["o.toml"]
    before, _ = inputs_of(Request((toml,), recipe))
    surface.write_text("two")
    after, _ = inputs_of(Request((toml,), recipe))
    assert [old.sha256 == new.sha256 for old, new in zip(before, after, strict=True)] == [True, True, False]


@pytest.mark.parametrize("applied", ['"Z(2,0)=0.3rad"', '"none"', '"gone.fits"', '""', "3", "[]"])
def test_correction_of_a_toml_that_is_no_file(text_file, applied):
    plain = text_file("m.fits")
    text_file("none")
    toml = text_file("o.toml", f'[[maps]]\nfile = "m.fits"\n[observing]\napplied = {applied}\n')
    assert companions_of(toml) == (plain,)


def test_of_text_only_what_begins_as_a_map(found, text_file):
    text_file("log.txt", "12:00 began\n12:10 ended\n")
    text_file("list.csv", "files,telescope\na.fits,jcmt\n")
    text_file("empty.txt", "")
    text_file("map.csv", "u,v,power\n0,0,1\n")
    text_file("late.dat", "# at last\n0 0 1\n1 2\n")  # a damaged map is one all the same
    text_file("long.txt", "0.001 0.001 1.0\n" * 20000)
    passed_over = Counter()
    assert found(passed_over=passed_over) == ["late.dat", "long.txt", "map.csv"]
    assert passed_over == {".csv": 1, ".txt": 2}


def test_files_that_the_recipe_names_are_no_maps(found, text_file, recipe, tmp_path):
    text_file("map.txt")
    mask, applied = text_file("mask.txt"), text_file("surface.fits")
    reading = Reading(mask=mask, observing={"applied": str(applied)})
    assert found(recipe=replace(recipe, reading=reading)) == ["map.txt"]
    assert found() == ["map.txt", "mask.txt", "surface.fits"]
    assert found(tmp_path / "mask.txt", recipe=replace(recipe, reading=reading)) == ["mask.txt"]


def test_pipe_and_closed_folder_stop_nothing(found, text_file, tmp_path, monkeypatch):
    text_file("a.fits")
    text_file("b/c.fits")
    os.mkfifo(tmp_path / "pipe.txt")
    opened = os.scandir

    def scandir(folder):
        if str(folder).endswith("b"):
            raise PermissionError(13, "Permission denied", str(folder))
        return opened(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    passed_over = Counter()
    assert found(passed_over=passed_over) == ["a.fits"]
    assert passed_over == {".txt": 1, f"{tmp_path / 'b'}: may not be read": 1}


def test_requests_come_one_by_one(text_file, tmp_path, recipe):
    for name in "abc":
        text_file(f"{name}/x.fits")
    requests = find_requests([tmp_path], recipe)
    assert next(requests).files == (tmp_path / "a" / "x.fits",)
    (tmp_path / "b" / "x.fits").unlink()
    assert [request.files[0].parent.name for request in requests] == ["c"]
