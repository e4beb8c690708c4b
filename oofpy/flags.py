"""Flags: what looks wrong with an observation or a fit, short of refusing it."""

from __future__ import annotations

from dataclasses import dataclass

from oofpy.errors import one_line


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

    def __post_init__(self) -> None:
        # What a damaged file holds may be part of it.
        object.__setattr__(self, "message", one_line(self.message))
