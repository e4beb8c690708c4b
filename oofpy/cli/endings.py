"""How a command ends: exit codes, and errors as one line on standard error."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import ParamSpec

from oofpy.errors import OofError


class Ending(IntEnum):
    """Exit codes."""

    DONE = 0
    BAD_INPUT = 2
    FIT_FAILED = 3
    FLAGGED = 4
    INTERNAL_ERROR = 70  # EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it
    PIPE_CLOSED = 141  # 128 + SIGPIPE


Arguments = ParamSpec("Arguments")


class FitFailedError(Exception):
    """A fit ended without a result; its text is the line to print."""


_FROM_BEST_TO_WORST = (
    Ending.DONE,
    Ending.FLAGGED,
    Ending.FIT_FAILED,
    Ending.BAD_INPUT,
    Ending.INTERNAL_ERROR,
)


def worst(endings: Iterable[Ending]) -> Ending:
    """Give the ending of a command that did several things."""
    return max(endings, key=_FROM_BEST_TO_WORST.index, default=Ending.DONE)


def complain(line: str) -> None:
    """Print one line of error."""
    # The texts serve the commands and Python alike.
    print(f"oofpy: error: {line.replace(' (overwrite=True)', '')}", file=sys.stderr)


def guarded(action: Callable[[], Ending]) -> Ending:
    """Run an action and turn what it raises into one line and an exit code.

    An interruption and a closed pipe concern the whole command and pass through, see `uninterrupted`.
    With OOFPY_DEBUG set, a fault of the program itself passes through too, as a traceback.
    """
    try:
        return action()
    except OofError as error:
        complain(str(error))
        return Ending.BAD_INPUT
    except FitFailedError as error:
        complain(str(error))
        return Ending.FIT_FAILED
    except BrokenPipeError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            complain("the output cannot be written: no space is left there; make room, or write elsewhere")
            return Ending.BAD_INPUT
        if os.environ.get("OOFPY_DEBUG"):
            raise
        what = OofError(f"{type(error).__name__}: {error}")  # for its one printable line
        complain(f"internal error: {what}; set OOFPY_DEBUG=1 to see where, and report it")
        return Ending.INTERNAL_ERROR


def uninterrupted(command: Callable[Arguments, int]) -> Callable[Arguments, int]:
    """Let a command end with its exit code where the user or the reader of its output ends it.

    Versions of typer differ in what they make of either, so neither reaches it.
    """

    @functools.wraps(command)
    def run(*args: Arguments.args, **options: Arguments.kwargs) -> int:
        try:
            return command(*args, **options)
        except KeyboardInterrupt:
            complain("interrupted")
            return Ending.INTERRUPTED
        except BrokenPipeError:
            return reader_gone()

    return run


def reader_gone() -> Ending:
    """Discard what is still buffered, so that it raises nothing when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Ending.PIPE_CLOSED
