import os
import stat

import pytest

from oofpy.errors import UsageError
from oofpy.io import atomic_directory, atomic_file, refuse_existing


def fill(writer, target, action, overwrite=False):
    with writer(target, overwrite=overwrite) as part:
        action(part)


def break_off(error):
    """Write half of something, then fail."""

    def action(part):
        (part / "a" if part.is_dir() else part).write_text("half")
        raise error

    return action


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_file_appears_only_when_complete(tmp_path):
    target = tmp_path / "deep" / "result.txt"
    with atomic_file(target) as part:
        part.write_text("all of it")
        assert not target.exists()
        assert part.parent == target.parent
    assert target.read_text() == "all of it"
    assert names(tmp_path) == ["deep", "deep/result.txt"]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask


def test_failure_leaves_nothing_not_even_new_folders(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fill(atomic_file, tmp_path / "new" / "deep" / "result.txt", break_off(KeyboardInterrupt()))
    assert names(tmp_path) == []


def test_failure_keeps_the_old_file(tmp_path):
    target = tmp_path / "result.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="boom"):
        fill(atomic_file, target, break_off(RuntimeError("boom")), overwrite=True)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["result.txt"]


@pytest.mark.parametrize("writer", [atomic_file, atomic_directory])
def test_existing_target_is_refused_before_anything_is_done(tmp_path, writer):
    target = tmp_path / "result"
    target.write_text("mine")
    with (
        pytest.raises(UsageError, match=r"result: this exists already; give --overwrite"),
        writer(target),
    ):
        pytest.fail("the body must not run")
    assert target.read_text() == "mine"


@pytest.mark.parametrize("writer", [atomic_file, atomic_directory])
def test_target_that_appears_meanwhile_is_kept(tmp_path, writer):
    target = tmp_path / "result"

    def interfere(part):
        if not part.is_dir():
            part.write_text("mine")
        target.write_text("theirs")

    with pytest.raises(UsageError, match="exists already"):
        fill(writer, target, interfere)
    assert names(tmp_path) == ["result"]
    assert target.read_text() == "theirs"


def test_file_and_folder_do_not_replace_each_other(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(UsageError, match="this is a folder"),
        atomic_file(tmp_path / "folder", overwrite=True),
    ):
        pass
    with (
        pytest.raises(UsageError, match="this is a file"),
        atomic_directory(tmp_path / "file", overwrite=True),
    ):
        pass
    assert names(tmp_path) == ["file", "folder"]


def test_folder_is_replaced_whole(tmp_path):
    target = tmp_path / "result"
    with atomic_directory(target) as part:
        (part / "a").write_text("1")
        (part / "sub").mkdir()
        (part / "sub" / "b").write_text("2")
        assert not target.exists()
    assert names(target) == ["a", "sub", "sub/b"]
    with atomic_directory(target, overwrite=True) as part:
        (part / "c").write_text("3")
        assert names(target) == ["a", "sub", "sub/b"]
    assert names(tmp_path) == ["result", "result/c"]


def test_failure_keeps_the_old_folder(tmp_path):
    target = tmp_path / "result"
    target.mkdir()
    (target / "a").write_text("old")
    with pytest.raises(RuntimeError, match="boom"):
        fill(atomic_directory, target, break_off(RuntimeError("boom")), overwrite=True)
    assert (target / "a").read_text() == "old"
    assert names(tmp_path) == ["result", "result/a"]


def test_failing_last_rename_brings_the_old_folder_back(tmp_path, monkeypatch):
    target = tmp_path / "result"
    target.mkdir()
    (target / "a").write_text("old")
    rename = type(target).rename

    def failing(self, other):
        if self.name.endswith(".part"):
            raise OSError(28, "No space left on device")
        return rename(self, other)

    monkeypatch.setattr(type(target), "rename", failing)
    with (
        pytest.raises(UsageError, match="cannot be written: No space left"),
        atomic_directory(target, overwrite=True) as part,
    ):
        (part / "a").write_text("new")
    assert (target / "a").read_text() == "old"
    assert names(tmp_path) == ["result", "result/a"]


def test_place_that_cannot_be_written_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(UsageError, match="cannot be written"),
        atomic_file(tmp_path / "file" / "result") as part,
    ):
        part.write_text("x")
    with pytest.raises(UsageError, match="cannot be written"), atomic_file(tmp_path / ("n" * 300)) as part:
        part.write_text("x")
    assert names(tmp_path) == ["file"]


def test_link_is_followed(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with atomic_file(tmp_path / "link", overwrite=True) as part:
        part.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_refuse_existing(tmp_path):
    refuse_existing(tmp_path / "none", overwrite=False)
    refuse_existing(tmp_path, overwrite=True)
    with pytest.raises(UsageError, match="exists already"):
        refuse_existing(tmp_path, overwrite=False)
