"""Tables of a report as plain text, before any markup."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Its head, with the unit.
    numeric : bool
        Whether it holds numbers, which are aligned to the right.
    explanation : str
        What it holds, where the head does not say it; shown below the table.
    """

    name: str
    numeric: bool = False
    explanation: str = ""


@dataclass(frozen=True)
class Table:
    """One table; the first cell of each row names it.

    Parameters
    ----------
    title : str
        Shown above it.
    columns : tuple of Column
    rows : tuple of tuple of str
        One cell for each column.
    note : str
        Shown below it.

    Raises
    ------
    ValueError
        If a row has another number of cells than there are columns.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: {len(row)} cells for {len(self.columns)} columns")
