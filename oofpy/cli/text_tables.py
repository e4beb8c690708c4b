"""Aligned columns of plain text, the same on a terminal and in a pipe."""

from __future__ import annotations

import math
from collections.abc import Sequence

from oofpy.errors import one_line
from oofpy.flags import Flag


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> list[str]:
    """Lay out rows below a header, two blanks between columns.

    Parameters
    ----------
    header : sequence of str
        Heads of the columns.
    rows : sequence of sequence of str
        One cell for each column.
    left : sequence of int
        Columns that hold text and are aligned to the left; numbers go to the right.

    Returns
    -------
    list of str
        The lines.
    """
    table = [header, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    return [line(row) for row in table]


def number(value: float | None, form: str = ".4g") -> str:
    """Write a number; a dash where there is none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:{form}}"


def flag_line(flag: Flag) -> str:
    """Write a flag on one line; one that is not serious is a note."""
    return one_line(f"{'flag' if flag.serious else 'note'} {flag.code}: {flag.message}")
