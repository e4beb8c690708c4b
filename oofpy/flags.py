"""Flags: what looks wrong with an observation or a fit, short of refusing it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flag:
    """One doubt about an observation or a result.

    Parameters
    ----------
    code : str
        Short stable name in kebab-case, for programs.
    message : str
        One line with the numbers concerned and what to do, for people.
    serious : bool
        True: the result is reported as flagged. False: a note that is printed and stored only.
    """

    code: str
    message: str
    serious: bool = True
