"""Beam maps in decibels below the peak, with contours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.fitting.result import FitResult
from oofpy.plots.beam_power import decibels, model_peak, noise_sigma, without_background
from oofpy.plots.frame import BLANK, VIEW_LINE, add_panel, drawing_style, new_figure
from oofpy.plots.map_images import FloatArray, scattered_triangles
from oofpy.plots.map_rows import MapRows, map_rows, row_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLOOR_DB = -35.0
LEVELS_DB = (-30.0, -20.0, -10.0, -3.0)
# A level is drawn for the observed map where it stands this many standard deviations of the noise above zero.
_CLEAR_SIGMAS = 3.0
_PANEL_IN, _LEFT_IN, _GAP_IN, _RIGHT_IN = 2.9, 0.66, 0.12, 0.25
_KEY_IN = 0.62
# Colour and kind of the line of each level over the colours of `viridis`, seen in grey as well.
_LINES: tuple[tuple[str, Any], ...] = (
    ("white", (0, (1.0, 1.2))),
    ("white", "solid"),
    ("black", (0, (4.0, 1.5))),
    ("black", "solid"),
)
_BANDS = ("1.0", "0.9", "0.78", "0.64", "0.48")
_OBSERVED_COLOUR, _MODEL_COLOUR = "black", "firebrick"


def beam_level_figure(result: FitResult) -> Figure:
    """Draw every map and its model in decibels below the model's peak, one row a map.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        Observed and model with contours at -3, -10, -20 and -30 dB, and the contours of both over each other. Of
        the observed map only levels above three times its noise have one. The fitted background is taken off;
        where the power is negative, as in the second beam of a chopped map, the level is that of its magnitude.
    """
    rows = map_rows(result, _PANEL_IN)
    lefts = tuple(_LEFT_IN + number * (_PANEL_IN + _GAP_IN) for number in range(3))
    width_in = lefts[2] + _PANEL_IN + _RIGHT_IN
    with drawing_style():
        figure = new_figure(result, width_in, rows.height_in + _KEY_IN, VIEW_LINE, _legend(result))
        _add_keys(figure, rows.height_in + 0.42, lefts)
        for number in range(len(rows.pixels)):
            _draw_map(figure, rows, number, lefts, result)
    return figure


def levels_db(result: FitResult, number: int) -> tuple[FloatArray, FloatArray, float]:
    """Levels of a map's samples below the peak of its model, the background taken off.

    Parameters
    ----------
    result : FitResult
    number : int
        Of the map, counted from 0.

    Returns
    -------
    observed, model : array, shape (samples,), dB
        Of the magnitude of the power; at least a little below `FLOOR_DB`. NaN for observed samples left out,
        and everywhere where the model has no peak.
    noise : float, dB
        Fitted standard deviation of the noise of a sample with the map's median error.
    """
    arrays, fitted = result.map_arrays[number], result.fit.maps[number]
    peak, floor = model_peak(arrays, fitted), FLOOR_DB - 5
    observed, model = (
        decibels(without_background(arrays, fitted, values) / peak, floor) for values in (arrays.observed, arrays.model)
    )
    return (
        np.where(arrays.weight > 0, observed, np.nan),
        model,
        10 * float(np.log10(noise_sigma(result, number) / peak)),
    )


def _legend(result: FitResult) -> str:
    line = "+ pointing: peak of the unaberrated beam"
    if result.observing.chop is None:
        return line
    return f"{line}   \N{MULTIPLICATION SIGN} of the negative beam   levels of the magnitude, hatched where negative"


def _draw_map(figure: Figure, rows: MapRows, number: int, lefts: tuple[float, ...], result: FitResult) -> None:
    observed, model, noise_db = levels_db(result, number)
    said = f"noise {noise_db:.1f} dB" if np.isfinite(noise_db) else "no peak in the model"
    panels = rows.add_row(figure, number, lefts, f"{row_name(result, number)}   {said}")
    clear = tuple(level for level in LEVELS_DB if level >= noise_db + 10 * np.log10(_CLEAR_SIGMAS))
    draw_contours = _ContourDrawer(rows, number, result)
    for panel, values, levels in ((panels[0], observed, clear), (panels[1], model, LEVELS_DB)):
        rows.draw(panel, number, values, "viridis", (FLOOR_DB, 0.0))
        lines = [_LINES[LEVELS_DB.index(level)] for level in levels]
        draw_contours(panel, values, levels, [line[0] for line in lines], [line[1] for line in lines], 0.8)
    panels[2].set_facecolor("white")
    draw_contours.fill(panels[2], model)
    if result.observing.chop is not None:
        beam = without_background(result.map_arrays[number], result.fit.maps[number], result.map_arrays[number].model)
        draw_contours.hatch_negative(panels[2], np.where(beam < 0, model, FLOOR_DB))
    draw_contours(panels[2], model, LEVELS_DB, [_MODEL_COLOUR] * 4, [(0, (3.0, 1.5))] * 4, 0.7)
    draw_contours(panels[2], observed, clear, [_OBSERVED_COLOUR] * 4, ["solid"] * 4, 0.8)
    for panel, title in zip(panels, ("observed", "model", "observed over model"), strict=True):
        panel.set_title(title, loc="left", y=1.0, pad=3)
    _mark_beams(panels[:2], rows, number, result)


def _mark_beams(panels: list[Axes], rows: MapRows, number: int, result: FitResult) -> None:
    u_rad, v_rad = result.fit.maps[number].pointing_rad
    chop = result.observing.chop
    for panel in panels:
        rows.mark(panel, u_rad, v_rad)
        if chop is not None:
            throw_u, throw_v = chop.throw_uv_rad
            rows.mark(panel, u_rad + throw_u, v_rad + throw_v, "x")


class _ContourDrawer:
    """Contours of one map: over its grid, or over triangles between samples that are no grid."""

    def __init__(self, rows: MapRows, number: int, result: FitResult) -> None:
        from matplotlib.tri import Triangulation

        arrays, self.pixels = result.map_arrays[number], rows.pixels[number]
        self.axes: tuple[FloatArray, ...] = ()
        if self.pixels.on_grid:
            left, right, bottom, top = rows.extent(number)
            height, width = self.pixels.sample.shape
            self.axes = (
                left + (np.arange(width) + 0.5) * (right - left) / width,
                bottom + (np.arange(height) + 0.5) * (top - bottom) / height,
            )
            return
        self.used = np.flatnonzero((arrays.weight > 0) & np.isfinite(arrays.model) & np.isfinite(arrays.observed))
        u, v = rows.per_rad * arrays.u_rad[self.used], rows.per_rad * arrays.v_rad[self.used]
        corners = scattered_triangles(u, v)
        self.triangles = Triangulation(u, v, corners) if corners.size else None

    def __call__(
        self,
        panel: Axes,
        values: FloatArray,
        levels: tuple[float, ...],
        colours: list[str],
        styles: list[Any],
        width: float,
    ) -> None:
        levels, places = self._crossed(values, levels)
        if not levels:
            return
        options: Any = {
            "levels": levels,
            "colors": [colours[place] for place in places],
            "linestyles": [styles[place] for place in places],
            "linewidths": width,
        }
        if self.axes:
            panel.contour(*self.axes, self.pixels.image(values), **options)
        elif self.triangles is not None:
            panel.tricontour(self.triangles, values[self.used], **options)

    def fill(self, panel: Axes, values: FloatArray) -> None:
        """Fill the bands between the levels with greys."""
        self._fill(panel, values, levels=(*LEVELS_DB, 1.0), colors=_BANDS[1:])

    def hatch_negative(self, panel: Axes, values: FloatArray) -> None:
        """Hatch what is above the lowest level."""
        from matplotlib import rc_context

        with rc_context({"hatch.linewidth": 0.4}):
            self._fill(panel, values, levels=(LEVELS_DB[0], 1.0), colors="none", hatches=["////"])

    def _fill(self, panel: Axes, values: FloatArray, **options: Any) -> None:
        if not self._crossed(values, LEVELS_DB)[0]:
            return
        if self.axes:
            panel.contourf(*self.axes, self.pixels.image(values), **options)
        elif self.triangles is not None:
            panel.tricontourf(self.triangles, values[self.used], **options)

    def _crossed(self, values: FloatArray, levels: tuple[float, ...]) -> tuple[tuple[float, ...], list[int]]:
        """Give the levels that lie between the values, and their places among all."""
        finite = values[np.isfinite(values)]
        if finite.size == 0 or (self.axes and min(self.pixels.sample.shape) < 2):
            return (), []
        places = [place for place, level in enumerate(levels) if finite.min() < level < finite.max()]
        return tuple(levels[place] for place in places), places


def _add_keys(figure: Figure, bottom: float, lefts: tuple[float, ...]) -> None:
    """Add the colours and the lines of all levels, once over all rows."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = add_panel(figure, lefts[0], bottom, lefts[1] + _PANEL_IN - lefts[0], 0.14)
    scale = ScalarMappable(Normalize(FLOOR_DB, 0.0), "viridis")
    colours = figure.colorbar(scale, cax=bar, orientation="horizontal", extend="min")
    colours.set_ticks([FLOOR_DB, *LEVELS_DB, 0.0])
    for level, (colour, style) in zip(LEVELS_DB, _LINES, strict=True):
        bar.axvline(level, color=colour, linestyle=style, linewidth=1.4)
    bar.set_xlabel("power below the peak of the model [dB]", labelpad=1)
    _add_band_key(figure, bottom, lefts[2])


def _add_band_key(figure: Figure, bottom: float, left: float) -> None:
    bands = add_panel(figure, left, bottom, _PANEL_IN, 0.14)
    edges = range(1, len(_BANDS))
    for start, colour in enumerate(_BANDS):
        bands.axvspan(start, start + 1, color=colour, linewidth=0)
    for edge in edges:
        bands.axvline(edge, color=_MODEL_COLOUR, linestyle=(0, (3.0, 1.5)), linewidth=1.0)
    bands.set(xlim=(0, len(_BANDS)), yticks=[], xticks=list(edges), facecolor=BLANK)
    bands.set_xticklabels([f"{level:.0f}".replace("-", "\N{MINUS SIGN}") for level in LEVELS_DB])
    bands.set_xlabel("model: bands, broken lines; observed: black", labelpad=1)
