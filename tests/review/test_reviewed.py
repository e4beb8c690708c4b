"""Only results below the folder of the results are read, whatever the catalogue says, and each of them once."""

import os
import shutil
from dataclasses import replace

import pytest

from oofpy.catalogue import Catalogue, Filter
from oofpy.errors import InputError, OofError, UsageError
from oofpy.io.results import write_result
from oofpy.review import reviewed
from oofpy.review.view import View
from tests.made_outcomes import digest, done, failed
from tests.review.reviewing import archive_of, closed, opened, recorded


@pytest.fixture(scope="module")
def written(tmp_path_factory, made_result):
    """Folder of a result, and a catalogue without any."""
    folder = tmp_path_factory.mktemp("written")
    closed(opened(folder / "catalogue"))
    return folder / "catalogue" / "catalogue.sqlite", write_result(made_result, folder)


@pytest.fixture
def made(tmp_path, written):
    """A folder of results with one of them, and beside that folder another one."""
    catalogue, result = written
    for place in (tmp_path / "results" / "obs_001", tmp_path / "elsewhere" / "secret"):
        shutil.copytree(result, place)
    shutil.copy(catalogue, tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def archive(made):
    archive = archive_of(Catalogue.open(made), made)
    yield archive
    closed(archive)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """An archive of rows that nothing is written to."""
    archive = opened(tmp_path_factory.mktemp("shared"), *(done(number) for number in range(6)))
    yield archive
    closed(archive)


def in_folder(archive, folder):
    """The entry of a result of which the catalogue says that it lies there."""
    recorded(archive.catalogue, done(1, folder=folder))
    return archive.entry(digest("key 1 usual"))


def refusal(archive, entry):
    with pytest.raises(InputError) as caught:
        archive.result(entry)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_result_is_read_as_it_was_written(archive, made_result):
    result = archive.result(in_folder(archive, "obs_001"))
    assert result.name == made_result.name
    assert [one.phase_rad for one in result.fit.coefficients] == [one.phase_rad for one in made_result.fit.coefficients]


@pytest.mark.parametrize("folder", ["../elsewhere/secret", "obs_001/../../elsewhere/secret", "{absolute}", "..", "/"])
def test_nothing_outside_the_folder_is_read(archive, tmp_path, folder):
    entry = in_folder(archive, folder.format(absolute=tmp_path / "elsewhere" / "secret"))
    assert "outside" in refusal(archive, entry)


def test_no_link_leads_outside(archive, made, tmp_path):
    (made / "linked").symlink_to(tmp_path / "elsewhere" / "secret")
    assert "outside" in refusal(archive, in_folder(archive, "linked"))
    (made / "file").mkdir()
    (made / "file" / "result.fits").symlink_to(tmp_path / "elsewhere" / "secret" / "result.fits")
    assert "outside" in refusal(archive, in_folder(archive, "file"))


def test_a_folder_in_place_of_the_file_leads_nowhere(archive, made, tmp_path):
    nested = made / "nested" / "result.fits"
    nested.mkdir(parents=True)
    (nested / "result.fits").symlink_to(tmp_path / "elsewhere" / "secret" / "result.fits")
    assert "no file" in refusal(archive, in_folder(archive, "nested"))


def test_a_pipe_is_not_waited_for(archive, made):
    (made / "pipe").mkdir()
    os.mkfifo(made / "pipe" / "result.fits")
    assert "no file" in refusal(archive, in_folder(archive, "pipe"))


def test_a_link_within_the_folder_is_followed(archive, made, made_result):
    (made / "alias").symlink_to(made / "obs_001")
    assert archive.result(in_folder(archive, "alias")).name == made_result.name


@pytest.mark.parametrize("folder", ["circle", "x" * 5000, "a/" * 3000], ids=["circle", "long", "deep"])
def test_a_place_that_cannot_be_is_told(archive, made, folder):
    (made / "circle").symlink_to(made / "circle")
    assert refusal(archive, in_folder(archive, folder))


def test_a_folder_of_results_behind_a_link_is_one(made, tmp_path, made_result):
    (tmp_path / "shown").symlink_to(made)
    archive = archive_of(Catalogue.open(made, create=True), tmp_path / "shown")
    assert archive.result(in_folder(archive, "obs_001")).name == made_result.name
    closed(archive)


def test_a_missing_file_is_told(archive):
    words = refusal(archive, in_folder(archive, "gone"))
    assert "gone" in words
    assert "result.fits" in words


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_told(archive, made, damage):
    file = made / "obs_001" / "result.fits"
    content = file.read_bytes()
    middle = len(content) // 2
    damaged = {
        "cut": content[:middle],
        "flipped": content[:middle]
        + bytes(255 - one for one in content[middle : middle + 64])
        + content[middle + 64 :],
        "empty": b"",
        "other": b"SIMPLE  = no FITS file",
    }
    file.write_bytes(damaged[damage])
    assert "result.fits" in refusal(archive, in_folder(archive, "obs_001"))


def test_what_failed_has_no_result_and_says_why(archive):
    recorded(archive.catalogue, failed(2, "the file is truncated"))
    words = refusal(archive, archive.entry("obs_002"))
    assert words == "obs_002 has no result: the file is truncated"


def test_a_result_is_read_once(archive, made):
    entry = in_folder(archive, "obs_001")
    first = archive.result(entry)
    shutil.rmtree(made / "obs_001")
    assert archive.result(entry) is first


def test_a_result_that_was_fitted_again_is_read_anew(archive, made, made_result):
    archive.result(in_folder(archive, "obs_001"))
    again = replace(made_result, object_name="fitted again")
    write_result(again, made, name="obs_001", overwrite=True)
    assert archive.result(in_folder(archive, "obs_001")).object_name == "fitted again"


def test_the_one_not_looked_at_for_longest_is_forgotten(archive, made, monkeypatch):
    monkeypatch.setattr(reviewed, "_KEPT_RESULTS", 2)
    for number in (2, 3):
        shutil.copytree(made / "obs_001", made / f"obs_00{number}")
    recorded(archive.catalogue, *(done(number) for number in (1, 2, 3)))
    entries = [archive.entry(f"obs_00{number}") for number in (1, 2, 3)]
    first, second = archive.result(entries[0]), archive.result(entries[1])
    assert archive.result(entries[0]) is first
    archive.result(entries[2])
    assert archive.result(entries[0]) is first
    assert archive.result(entries[1]) is not second


def test_filters_are_those_of_the_command(shared):
    wanted = shared.wanted(View(filters={"telescope": ("srt",), "rms-above": ("70um",)}))
    assert wanted == Filter(telescope="srt", rms_from_um=pytest.approx(70))
    assert [row.name for row in shared.rows(wanted, "name")] == ["obs_004"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("from", "yesterday"),
        ("to", "2024-13-01"),
        ("elevation-above", "30"),
        ("rms-above", "70deg"),
        ("flag", "no-such"),
        ("status", "well"),
        ("name", "a\0b"),
        ("object", "\ud800"),
    ],
)
def test_a_filter_that_is_none_is_refused(shared, name, text):
    with pytest.raises(OofError) as caught:
        shared.wanted(View(filters={name: (text,)}))
    assert name in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("key", ["", "zzz", "no such key at all", "a\0b", "\ud800", "%", "x" * 10_000], ids=ascii)
def test_what_is_the_key_of_nothing_is_refused(shared, key):
    with pytest.raises(UsageError):
        shared.entry(key)


def test_decisions_are_appended_to_the_catalogue(archive):
    recorded(archive.catalogue, done(1), done(2))
    keys = [digest(f"key {number} usual") for number in (1, 2)]
    before = archive.state()
    made = archive.decide(keys, "Anna", "reject", "rain")
    assert [one.standing for one in made] == ["reject", "reject"]
    assert [(one.who, one.why) for one in archive.decisions(keys[0])] == [("Anna", "rain")]
    assert archive.state() != before


def test_the_folder_has_a_name(archive):
    assert archive.name == "results"
