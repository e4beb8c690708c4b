"""Rows of panels, one a map: the same limits, units and titles for every map of a result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oofpy.fitting.result import FitResult
from oofpy.plots.frame import BLANK, add_panel, colour_map, shorten
from oofpy.plots.map_images import FloatArray, MapPixels, map_pixels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ARCSEC_PER_RAD = 648000 / math.pi
_MOST_ARCSEC = 3600.0
_TITLE_IN, _PANEL_TITLE_IN, _BOTTOM_IN = 0.36, 0.18, 0.5
_FLATTEST, _TALLEST = 0.4, 2.5
_TICKS = 6


@dataclass(frozen=True, slots=True, eq=False)
class MapRows:
    """What the panels of all maps share.

    Parameters
    ----------
    pixels : tuple of MapPixels
        Of every map.
    per_rad : float
        Size of a radian in the unit of the axes.
    unit : str
        That unit.
    limits : tuple of 4 float
        Left, right, bottom and top of every panel in that unit: they hold every map.
    panel_in : (float, float), inches
        Width and height of a panel.
    """

    pixels: tuple[MapPixels, ...]
    per_rad: float
    unit: str
    limits: tuple[float, float, float, float]
    panel_in: tuple[float, float]

    @property
    def row_in(self) -> float:
        """Height of a row with its titles, inches."""
        return self.panel_in[1] + _TITLE_IN + _PANEL_TITLE_IN

    @property
    def height_in(self) -> float:
        """Height of all rows with the labels below them, inches."""
        return len(self.pixels) * self.row_in + _BOTTOM_IN

    def extent(self, number: int) -> tuple[float, float, float, float]:
        """Edges of the image of a map in the unit of the axes, as matplotlib takes them."""
        left, right, bottom, top = self.pixels[number].extent_rad
        return self.per_rad * left, self.per_rad * right, self.per_rad * bottom, self.per_rad * top

    def add_row(self, figure: Figure, number: int, lefts: Sequence[float], title: str) -> list[Axes]:
        """Add the panels of a map and the title over them.

        Parameters
        ----------
        figure : Figure
            In which the rows fill the lowest `height_in`.
        number : int
            Of the map, counted from 0.
        lefts : sequence of float, inches
            Left edges of the panels.
        title : str
            Of the row.

        Returns
        -------
        list of Axes
            With limits and labels; with ticks at the left and below the last row only.
        """
        width, height = self.panel_in
        last = number == len(self.pixels) - 1
        bottom = _BOTTOM_IN + (len(self.pixels) - 1 - number) * self.row_in
        panels = [add_panel(figure, left, bottom, width, height) for left in lefts]
        for panel in panels:
            panel.set(xlim=self.limits[:2], ylim=self.limits[2:], facecolor=BLANK)
            panel.set_aspect("equal")
            panel.locator_params(nbins=_TICKS)
            # All panels have the same limits; ticks are among the costliest things to draw.
            if panel is not panels[0]:
                panel.set_yticks([])
            if last:
                panel.set_xlabel(f"u [{self.unit}]")
            else:
                panel.set_xticks([])
        panels[0].set_ylabel(f"v [{self.unit}]")
        write_row_title(figure, bottom + height + _PANEL_TITLE_IN + 0.06, lefts[0], title)
        return panels

    def draw(self, panel: Axes, number: int, values: FloatArray, colours: Any, ends: tuple[float, float]) -> Any:
        """Draw values of the samples of a map.

        Parameters
        ----------
        panel : Axes
        number : int
            Of the map, counted from 0.
        values : array, shape (samples,)
            Blank where NaN.
        colours : str or Colormap
        ends : (float, float)
            Values of the first and of the last colour.

        Returns
        -------
        AxesImage
        """
        return panel.imshow(
            self.pixels[number].image(values),
            origin="lower",
            extent=self.extent(number),
            cmap=colour_map(colours) if isinstance(colours, str) else colours,
            vmin=ends[0],
            vmax=ends[1],
            interpolation="nearest",
            aspect="equal",
        )

    def mark(self, panel: Axes, u_rad: float, v_rad: float, marker: str = "+") -> None:
        """Mark a direction so that it is seen on bright and on dark colours."""
        place = self.per_rad * u_rad, self.per_rad * v_rad
        panel.plot(*place, marker, color="black", ms=8, mew=2.0)
        panel.plot(*place, marker, color="white", ms=7, mew=0.9)


def map_rows(result: FitResult, panel_width_in: float) -> MapRows:
    """Find what the panels of all maps share.

    Parameters
    ----------
    result : FitResult
    panel_width_in : float, inches

    Returns
    -------
    MapRows
        In arcseconds, or in milliradians where a map reaches farther than a degree.
    """
    pixels = tuple(map_pixels(arrays.u_rad, arrays.v_rad) for arrays in result.map_arrays)
    left, right, bottom, top = zip(*(entry.extent_rad for entry in pixels), strict=True)
    edges = min(left), max(right), min(bottom), max(top)
    wide = max(abs(edge) for edge in edges) * ARCSEC_PER_RAD > _MOST_ARCSEC
    per_rad, unit = (1e3, "mrad") if wide else (ARCSEC_PER_RAD, "arcsec")
    shape = (edges[3] - edges[2]) / (edges[1] - edges[0])
    height = panel_width_in * min(max(shape, _FLATTEST), _TALLEST)
    limits = per_rad * edges[0], per_rad * edges[1], per_rad * edges[2], per_rad * edges[3]
    return MapRows(pixels, per_rad, unit, limits, (panel_width_in, height))


def row_name(result: FitResult, number: int) -> str:
    """Name a map: its number, its name in the file and its dz.

    Parameters
    ----------
    result : FitResult
    number : int
        Of the map, counted from 0.

    Returns
    -------
    str
    """
    label = shorten(result.map_arrays[number].label, 24)
    dz_m = result.fit.maps[number].dz_m
    defocus = f"dz {1e3 * dz_m:+.4g} mm" if dz_m else "dz 0 mm"
    return "   ".join(part for part in (f"map {number + 1}", label, defocus) if part)


def write_row_title(figure: Figure, bottom_in: float, left_in: float, title: str) -> None:
    """Write the title of a row at a place in inches."""
    across, up = figure.get_size_inches()
    figure.text(left_in / across, bottom_in / up, title, weight="bold", va="baseline")
