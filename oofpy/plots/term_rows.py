"""Axes along which Zernike terms stand side by side, in as many rows as they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oofpy.fitting.result import Coefficient
from oofpy.plots.frame import add_panel, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LETTER_IN, _LONGEST_NAME = 0.06, 22
_LONE_ROW_IN, _ROW_IN, _GAP_IN = 2.9, 1.55, 0.16


@dataclass(frozen=True)
class TermRow:
    """Terms of one row.

    Parameters
    ----------
    coefficients : tuple of Coefficient
        Whole radial orders, lowest first.
    height_in, label_in : float, inches
        Height of the axes, and of the names below.
    """

    coefficients: tuple[Coefficient, ...]
    height_in: float
    label_in: float


def term_rows(coefficients: Sequence[Coefficient], most: int) -> list[TermRow]:
    """Share the terms out over rows that do not break a radial order.

    Parameters
    ----------
    coefficients : sequence of Coefficient
        In ascending order of n.
    most : int
        Terms in a row, unless a single radial order has more.

    Returns
    -------
    list of TermRow
    """
    shared: list[list[Coefficient]] = [[]]
    for n in dict.fromkeys(one.n for one in coefficients):
        group = [one for one in coefficients if one.n == n]
        if shared[-1] and len(shared[-1]) + len(group) > most:
            shared.append([])
        shared[-1] += group
    height = _LONE_ROW_IN if len(shared) == 1 else _ROW_IN
    return [TermRow(tuple(row), height, _label_height_in(row)) for row in shared]


def rows_height_in(rows: Sequence[TermRow]) -> float:
    """Height of all rows with their names, inches."""
    return sum(row.height_in + row.label_in + _GAP_IN for row in rows)


def add_term_panels(figure: Figure, rows: Sequence[TermRow], left: float, top: float, width: float) -> list[Axes]:
    """Add the axes of every row, one below the other, a slot of equal width for each term.

    Parameters
    ----------
    figure : Figure
        To which they are added.
    rows : sequence of TermRow
    left, top, width : float, inches
        Left edge and width of the axes, and upper edge of the first.

    Returns
    -------
    list of Axes
        The terms of a row stand at 0, 1, 2 ...
    """
    slots = max(len(row.coefficients) for row in rows)
    panels = []
    for row in rows:
        top -= row.height_in + _GAP_IN
        panel = add_panel(figure, left, top, width, row.height_in)
        top -= row.label_in
        panel.set_xlim(-0.6, slots - 0.4)
        panel.set_xticks(range(len(row.coefficients)), [_tick_label(one) for one in row.coefficients], rotation=90)
        panel.tick_params(axis="x", length=0, pad=3)
        for label, one in zip(panel.get_xticklabels(), row.coefficients, strict=True):
            label.set_multialignment("right")
            label.set_color("firebrick" if one.at_bound else "0.15" if one.free else "0.45")
        panel.axhline(0, color="0.3", linewidth=0.6, zorder=1)
        panel.grid(axis="y", color="0.9", linewidth=0.5)
        panel.set_axisbelow(True)
        _part_radial_orders(panel, row.coefficients)
        panels.append(panel)
    return panels


def _part_radial_orders(panel: Axes, coefficients: Sequence[Coefficient]) -> None:
    starts = [i for i, one in enumerate(coefficients) if i == 0 or one.n != coefficients[i - 1].n]
    for start in starts:
        if start:
            panel.axvline(start - 0.5, color="0.75", linewidth=0.6, zorder=1)
        panel.annotate(
            f"n = {coefficients[start].n}",
            (start - 0.42, 1.0),
            xycoords=panel.get_xaxis_transform(),
            xytext=(0, -3),
            textcoords="offset points",
            va="top",
            size=7.5,
            color="0.35",
        )


def _tick_label(one: Coefficient) -> str:
    """Write Z(n,l), what became of it, and below it the name of the aberration."""
    label, _, aberration = one.name.partition(" ")
    state = " at bound" if one.at_bound else "" if one.free else " fixed"
    lines = [shorten(label, _LONGEST_NAME) + state, shorten(aberration, _LONGEST_NAME)]
    return "\n".join(line for line in lines if line)


def _label_height_in(row: Sequence[Coefficient]) -> float:
    longest = max(len(line) for one in row for line in _tick_label(one).split("\n"))
    return 0.1 + _LETTER_IN * longest
