"""Write files and folders that come into being complete or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from oofpy.errors import UsageError


def refuse_existing(path: str | Path, overwrite: bool) -> None:
    """Refuse to write where something is already.

    Parameters
    ----------
    path : path-like
        The file or folder to be written.
    overwrite : bool
        Whether it may be replaced.

    Raises
    ------
    UsageError
        If it exists and `overwrite` is not set.
    """
    if not overwrite and os.path.lexists(path):
        raise UsageError(
            "this exists already",
            file=path,
            remedy="give --overwrite (overwrite=True) to replace it, or choose another place",
        )


def refuse_foreign(folder: str | Path, mark: str, overwrite: bool) -> None:
    """Refuse to write a folder where something is already, and to replace one that this package did not write.

    Parameters
    ----------
    folder : path-like
        The folder to be written.
    mark : str
        Name of the file by which one of its kind is known.
    overwrite : bool
        Whether one of its kind may be replaced.

    Raises
    ------
    UsageError
        If it exists and `overwrite` is not set, or it holds other things.
    """
    refuse_existing(folder, overwrite)
    target = Path(folder)
    if target.is_dir() and any(target.iterdir()) and not (target / mark).is_file():
        raise UsageError(
            f"this folder holds no {mark}, so it is not replaced", file=target, remedy="choose another place"
        )


@contextmanager
def atomic_file(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Let the caller write a file that appears under its name only when it is complete.

    Parameters
    ----------
    path : path-like
        The file to make. Missing folders above it are made.
    overwrite : bool
        Whether an existing file may be replaced.

    Yields
    ------
    Path
        A name in the same folder, not yet in use, to write to.

    Raises
    ------
    UsageError
        If the file exists and `overwrite` is not set, a folder has its name, or it cannot be written.
    """
    target = Path(os.path.realpath(path))
    refuse_existing(target, overwrite)
    with _failures_of(target), _part_beside(target) as part:
        if target.is_dir():
            raise UsageError("this is a folder, not a file", file=path, remedy="choose another name")
        yield part
        _sync(part)
        refuse_existing(target, overwrite)
        part.replace(target)
        _sync(target.parent)


@contextmanager
def atomic_directory(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """Let the caller fill a folder that appears under its name only when it is complete.

    An old folder is renamed aside, the new one put in its place, and only then the old one deleted: at
    every moment a complete one exists.

    Parameters
    ----------
    path : path-like
        The folder to make. Missing folders above it are made.
    overwrite : bool
        Whether an existing folder may be replaced, with everything in it.

    Yields
    ------
    Path
        An empty folder beside it, to be filled.

    Raises
    ------
    UsageError
        If the folder exists and `overwrite` is not set, a file has its name, or it cannot be written.
    """
    target = Path(os.path.realpath(path))
    refuse_existing(target, overwrite)
    with _failures_of(target), _part_beside(target) as part:
        if target.exists() and not target.is_dir():
            raise UsageError("this is a file, not a folder", file=path, remedy="choose another name")
        part.mkdir()
        yield part
        _sync_tree(part)
        refuse_existing(target, overwrite)
        _swap_in(part, target)


def _swap_in(part: Path, target: Path) -> None:
    old = None
    if target.exists():
        old = _sibling(target, "old")
        target.rename(old)
    try:
        part.rename(target)
    except BaseException:
        if old is not None:
            old.rename(target)
        raise
    _sync(target.parent)
    if old is not None:
        # The new result stands: an old one that cannot be deleted is litter, not a failure.
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _part_beside(target: Path) -> Iterator[Path]:
    """Give an unused name beside the target; on any failure remove what was made."""
    made: list[Path] = []
    part = _sibling(target, "part")
    try:
        for folder in reversed([target.parent, *target.parent.parents]):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                made.append(folder)
        yield part
    except BaseException:
        _remove(part)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()
        raise


@contextmanager
def _failures_of(target: Path) -> Iterator[None]:
    """Tell of a full disk or a forbidden folder as an error of usage."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"this cannot be written: {error.strerror or error}",
            file=target,
            remedy="choose a place with room that you may write to",
        ) from error


def _sibling(target: Path, ending: str) -> Path:
    # Short, whatever the length of the name, and hidden from patterns such as *.fits.
    return target.parent / f".{target.name[:100]}.{secrets.token_hex(6)}.{ending}"


def _remove(part: Path) -> None:
    if part.is_dir() and not part.is_symlink():
        shutil.rmtree(part, ignore_errors=True)
    else:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _sync_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync(Path(parent, name))
        _sync(Path(parent))


def _sync(path: Path) -> None:
    """Bring a file, or the entries of a folder, to the disk."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
