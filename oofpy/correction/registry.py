"""The forms in which telescopes take corrections, and the one way into them."""

from __future__ import annotations

from pathlib import Path

from oofpy.correction.formats import effelsberg, gbt
from oofpy.correction.points import AppliedMoves, read_applied_moves
from oofpy.correction.telescope_format import TelescopeFormat
from oofpy.errors import UsageError
from oofpy.io.reader import FileContent

# A further form is one more file with a TelescopeFormat, and one more name here.
FORMATS: tuple[TelescopeFormat, ...] = (effelsberg.FORMAT, gbt.FORMAT)


def telescope_format(name: str) -> TelescopeFormat:
    """Find a form by its name.

    Raises
    ------
    UsageError
        If there is none.
    """
    for one in FORMATS:
        if one.name == name:
            return one
    known = ", ".join(one.name for one in FORMATS)
    raise UsageError("is not known", key="--format", value=name, remedy=f"known are {known}")


def read_moves(path: str | Path) -> AppliedMoves:
    """Read moves that stand on a mirror: a table of oofpy, or one of a telescope.

    Parameters
    ----------
    path : path-like
        The file; its content says what it is.

    Returns
    -------
    AppliedMoves

    Raises
    ------
    InputError
        If it is damaged or of no known form.
    """
    content = FileContent.load(path)
    for one in FORMATS:
        if one.read is not None and one.recognises(content):
            return one.read(content)
    return read_applied_moves(path)
