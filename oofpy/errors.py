"""Errors that tell a user where the fault is and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def one_line(text: str) -> str:
    """Put text on one line and replace the control characters in it, which a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))


class OofError(Exception):
    """Base of every error that bad input or bad usage can raise.

    Its text is one line: file, key and value where they are known, the problem, and the remedy.

    Parameters
    ----------
    problem : str
        What is wrong.
    file : path-like, optional
        The file in which it was found.
    key : str, optional
        The header key, column, setting or option concerned.
    value : object, optional
        The offending value.
    remedy : str, optional
        What the user can do.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        key: str | None = None,
        value: Any = None,
        remedy: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = None if file is None else Path(file)
        self._place = None if file is None else str(file)  # a Path would take one slash of a URL away
        self.key = key
        self.value = value
        self.remedy = remedy
        super().__init__(self._one_line())

    def _one_line(self) -> str:
        where = [] if self._place is None else [self._place]
        if self.key is not None:
            where.append(self.key if self.value is None else f"{self.key} = {self.value}")
        text = ": ".join([*where, self.problem])
        if self.remedy:
            text += f"; {self.remedy}"
        return one_line(text)


class InputError(OofError):
    """A data file, or the observation in it, cannot be used."""


class ConfigurationError(OofError):
    """A telescope file, a settings file or a setting is wrong."""


class UsageError(OofError):
    """The command line or a call contradicts itself or the data."""
