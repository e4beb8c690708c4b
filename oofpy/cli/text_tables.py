"""Aligned columns of plain text, the same on a terminal and in a pipe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import TYPE_CHECKING

from oofpy.errors import one_line
from oofpy.flags import Flag

if TYPE_CHECKING:
    from oofpy.fitting.result import FitResult


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


def wrapped(cells: Sequence[str], widths: Sequence[int]) -> list[list[str]]:
    """Break the cells of a row into as many rows as their texts need.

    Parameters
    ----------
    cells : sequence of str
        Of one row.
    widths : sequence of int
        How long a line of each may be.

    Returns
    -------
    list of list of str
    """
    lines = [wrap(cell, width, break_on_hyphens=False) for cell, width in zip(cells, widths, strict=True)]
    return [list(row) for row in zip_longest(*lines, fillvalue="")]


def number(value: float | None, form: str = ".4g") -> str:
    """Write a number; a dash where there is none."""
    return "-" if value is None or not math.isfinite(value) else f"{value:{form}}"


def counted(count: int, one: str, many: str | None = None) -> str:
    """Write a number with what it counts, one or many of it; `many` is `one` with an s if left out."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def flag_line(flag: Flag) -> str:
    """Write a flag on one line, how much it weighs first."""
    return one_line(f"{flag.level.value} {flag.code}: {flag.message}")


def verdict_words(result: FitResult) -> str:
    """Write the verdict of a result, and the codes of the flags that made it."""
    codes = ", ".join(result.serious_codes)
    return f"verdict {result.verdict}" + (f" ({codes})" if codes else "")
