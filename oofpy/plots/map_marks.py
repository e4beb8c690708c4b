"""Colour, marker and line by which maps are told apart, in colour and in grey, and what they are called."""

from __future__ import annotations

from typing import NamedTuple

from oofpy.fitting.result import MapFit

# After Okabe & Ito, told apart by the colour-blind.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#111111", "#B58900", "#56B4E9")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LINES: tuple[str | tuple[int, tuple[float, ...]], ...] = ("-", (0, (5, 1.2)), (0, (1.5, 0.8)), "-.")


class MapMark(NamedTuple):
    """How a map is drawn."""

    colour: str
    marker: str
    line: str | tuple[int, tuple[float, ...]]


def map_mark(number: int) -> MapMark:
    """Give the mark of a map; the first has the number 1, and the eighth looks like it but for its line."""
    place = number - 1
    return MapMark(_COLOURS[place % len(_COLOURS)], _MARKERS[place % len(_MARKERS)], _LINES[place % len(_LINES)])


def map_title(number: int, fitted: MapFit) -> str:
    """Name a map by its number, counted from 1, and its dz."""
    dz_mm = round(1e3 * fitted.dz_m, 6)
    return f"map {number}, dz {dz_mm:+.4g} mm" if dz_mm else f"map {number}, dz 0"
