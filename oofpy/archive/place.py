"""The folder of the results: one run at a time, nothing half-written left in it, and a log."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from oofpy.errors import UsageError, one_line

LOCK_FILE = ".run.lock"
LOG_FILE = "log.txt"
# What `oofpy.io.atomic` calls a folder or file that is being written, and an old one that is being replaced.
_UNFINISHED = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{12}\.(?P<kind>part|old)")


class RunLog:
    """Lines appended to a file, each with its time in UTC."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        """Append a line."""
        self._stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {one_line(line)}\n")
        self._stream.flush()

    def write_trace(self, trace: str) -> None:
        """Append several lines, indented."""
        self._stream.write("".join(f"    {line}\n" for line in trace.splitlines()))
        self._stream.flush()


@contextmanager
def held(out: Path) -> Iterator[RunLog]:
    """Make the folder of the results where it is missing, keep other runs out of it, and clear what a killed run left.

    Parameters
    ----------
    out : Path

    Yields
    ------
    RunLog
        Of this and all other runs into this folder.

    Raises
    ------
    UsageError
        If it cannot be made or written, or another run is at work in it.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(out / LOCK_FILE, timeout=0)
    holder = out / f"{LOCK_FILE}.holder"
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        with suppress(OSError):
            raise _in_use(out, holder.read_text(encoding="utf-8").strip()) from None
        raise _in_use(out, "another process") from None
    except OSError as error:
        raise UsageError(
            f"this folder cannot be made or written: {error.strerror or error}",
            file=out,
            key="--out",
            remedy="choose another",
        ) from error
    try:
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")
        clear_unfinished(out)
        with (out / LOG_FILE).open("a", encoding="utf-8", errors="backslashreplace") as stream:
            yield RunLog(stream)
    finally:
        with suppress(OSError):
            holder.unlink()
        lock.release()


def _in_use(out: Path, holder: str) -> UsageError:
    return UsageError(
        f"{holder} is at work in this folder", file=out, key="--out", remedy="wait until it has ended, or stop it"
    )


def clear_unfinished(out: Path) -> int:
    """Delete what a killed run was writing; what it was replacing takes its name back.

    Parameters
    ----------
    out : Path

    Returns
    -------
    int
        How many such files and folders there were.
    """
    found = 0
    with os.scandir(out) as entries:
        unfinished = [(Path(entry.path), match) for entry in entries if (match := _UNFINISHED.fullmatch(entry.name))]
    for path, match in unfinished:
        found += 1
        target = out / match["name"]
        if match["kind"] == "old" and not target.exists():
            path.rename(target)
        elif path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return found
