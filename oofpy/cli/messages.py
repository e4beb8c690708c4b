"""What a command says while it works: a progress line on a terminal, plain lines elsewhere, and a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any


class Messages:
    """Lines on standard error, kept for the log.

    Parameters
    ----------
    quiet : bool
        Keep them for the log only.
    """

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._status: Any = None
        self._lines: list[str] = []

    @property
    def log(self) -> str:
        """Everything said so far, each line with its time in UTC."""
        return "".join(f"{line}\n" for line in self._lines)

    def record(self, line: str) -> None:
        """Keep a line for the log without showing it."""
        self._lines.append(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}")

    def say(self, line: str) -> None:
        """Show and keep a line."""
        self.record(line)
        if self._quiet:
            return
        if self._status is not None:
            self._status.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def progress(self, line: str) -> None:
        """Show how far the work is: on a terminal in place of the last such line."""
        if self._status is None:
            self.say(line)
            return
        from rich.markup import escape

        self.record(line)
        self._status.update(escape(line))

    @contextmanager
    def working(self, line: str) -> Iterator[None]:
        """Show a line that moves while the work in this context goes on; only on a terminal."""
        if self._quiet or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console
        from rich.markup import escape

        with Console(stderr=True).status(escape(line)) as self._status:
            try:
                yield
            finally:
                self._status = None
