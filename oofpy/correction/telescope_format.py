"""What a form in which a telescope takes corrections consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from oofpy.correction.points import AppliedMoves
from oofpy.correction.values import Correction
from oofpy.io.reader import FileContent


@dataclass(frozen=True)
class TelescopeFormat:
    """A form in which a telescope takes corrections.

    Parameters
    ----------
    name : str
        What it is called by.
    holds : str
        What is in it, in words.
    check : callable
        Refuses a correction that it cannot hold, with a UsageError.
    write : callable
        Writes a correction into a folder and gives the files.
    recognises : callable, optional
        Whether a file is of this form and holds moves.
    read : callable, optional
        Reads the moves of such a file.
    layout : str
        Name of the points that it is of; empty for any.
    elevations_rad : tuple of float, radians
        Those that it is of; empty for any.
    coefficients : bool
        Whether it holds coefficients and needs no points.
    notes : tuple of str
        What has to be known to use it, such as what has no source.
    """

    name: str
    holds: str
    check: Callable[[Correction], None]
    write: Callable[[Correction, Path], list[Path]]
    recognises: Callable[[FileContent], bool] = lambda _: False
    read: Callable[[FileContent], AppliedMoves] | None = None
    layout: str = ""
    elevations_rad: tuple[float, ...] = ()
    coefficients: bool = False
    notes: tuple[str, ...] = ()
