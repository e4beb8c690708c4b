"""Flags: what looks wrong with an observation or a fit, short of refusing it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from oofpy.errors import one_line
from oofpy.flag_kinds import FLAG_KINDS, Level

_OF_ITS_KIND: Any = None


@dataclass(frozen=True, slots=True)
class Flag:
    """One doubt about an observation or a result.

    Parameters
    ----------
    code : str
        Of its kind in `FLAG_KINDS`; short and stable, for programs.
    message : str
        One line with the numbers concerned and what to do, for people.
    level : Level, optional
        How much it weighs; that of its kind if left out.

    Raises
    ------
    KeyError
        If the code is of no kind and no level is given.
    """

    code: str
    message: str
    level: Level = _OF_ITS_KIND

    def __post_init__(self) -> None:
        # What a damaged file holds may be part of it.
        object.__setattr__(self, "message", one_line(self.message))
        if self.level is _OF_ITS_KIND:
            object.__setattr__(self, "level", FLAG_KINDS[self.code].level)

    @property
    def serious(self) -> bool:
        """Whether somebody should look at it before the result is used."""
        return self.level is not Level.NOTE


def raised(code: str, facts: str, level: Level = _OF_ITS_KIND) -> Flag:
    """Raise a flag whose message says the facts, and then the advice of its kind.

    Parameters
    ----------
    code : str
        Of its kind in `FLAG_KINDS`.
    facts : str
        What was found, with the numbers concerned.
    level : Level, optional
        How much it weighs; that of its kind if left out.

    Returns
    -------
    Flag
    """
    return Flag(code, f"{facts}; {FLAG_KINDS[code].advice}", level)


def verdict(flags: Iterable[Flag]) -> Level:
    """Level of the weightiest flag; `Level.NOTE`, which accepts, where there is none."""
    return max((flag.level for flag in flags), key=list(Level).index, default=Level.NOTE)
