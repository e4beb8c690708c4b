"""The maps of an observation, observed, model and residual side by side, linked in zoom."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from bokeh.models import ColorBar, ColumnDataSource, HoverTool, LinearColorMapper, Range1d
from bokeh.plotting import figure
from numpy.typing import NDArray

from oofpy.fitting.result import FitResult
from oofpy.plots.beam_levels import FLOOR_DB, levels_db
from oofpy.plots.beam_power import model_peak, noise_sigma, without_background
from oofpy.plots.map_images import map_pixels
from oofpy.plots.map_rows import row_name
from oofpy.review.choices import Scale
from oofpy.review.figures.colours import BLANK, POSITIVE, SIGNED
from oofpy.review.figures.square import square

FloatArray = NDArray[np.float64]

_ARCSEC = 180 / math.pi * 3600
_MOST_SIGMA = 5.0
# Three fit beside each other on a usual screen.
_SIDE = 300
# Maps of most observations: before, in and behind the focus.
_USUAL = 3
_NAMES = ("observed", "model", "residual")
# What is drawn; what the mouse reads besides is in the tips.
_COLUMNS = (*_NAMES, "left", "bottom", "width", "height")
_TIPS = [
    ("u, v", "@u{0.00}, @v{0.00} arcsec"),
    ("observed", "@observed_value{0.0000e+0}"),
    ("model", "@model_value{0.0000e+0}"),
    ("residual", "@residual_value{0.0000e+0}, @sigmas{0.00} sigma"),
    ("weight", "@weight{0.000}"),
]


class MapFigures:
    """One row of three figures for every map; all have one zoom.

    The rows are made once and filled again for every result: `figures` gives those that the last one needs, and before
    there is one as many as most need.
    """

    def __init__(self) -> None:
        self._u, self._v = Range1d(-1, 1), Range1d(-1, 1)
        self._rows = [_Row(self._u, self._v) for _ in range(_USUAL)]
        self._shown = _USUAL

    @property
    def figures(self) -> list[list[Any]]:
        """Figures of each map of the result that is shown: observed, model, residual."""
        return [row.figures for row in self._rows[: self._shown]]

    def show(self, result: FitResult, scale: Scale = "db") -> None:
        """Show the maps of a result, as they were fitted at the order that it was chosen for.

        Parameters
        ----------
        result : FitResult
        scale : {"linear", "db"}
            Power over the peak of the model, or its level in dB.
        """
        self._shown = len(result.map_arrays)
        while len(self._rows) < self._shown:
            self._rows.append(_Row(self._u, self._v))
        edges = [self._rows[number].show(result, number, scale) for number in range(self._shown)]
        left, right, bottom, top = np.array(edges).T
        for span, low, high in ((self._u, left.min(), right.max()), (self._v, bottom.min(), top.max())):
            if (low, high) != (span.reset_start, span.reset_end):  # of maps that reach as far the zoom stays
                span.update(start=low, end=high, reset_start=low, reset_end=high)


class _Row:
    """Observed, model and residual of one map."""

    def __init__(self, u: Range1d, v: Range1d) -> None:
        self._source = ColumnDataSource({name: [] for name in _COLUMNS})
        self._power = LinearColorMapper(palette=POSITIVE, low=0, high=1, nan_color=BLANK)
        self._sigma = LinearColorMapper(palette=SIGNED, low=-_MOST_SIGMA, high=_MOST_SIGMA, nan_color=BLANK)
        self._bars: list[ColorBar] = []
        self.figures = [self._figure(name, u, v) for name in _NAMES]

    def _figure(self, name: str, u: Range1d, v: Range1d) -> Any:
        made: Any = figure(
            **square(_SIDE),
            x_range=u,
            y_range=v,
            tools="pan,box_zoom,wheel_zoom,reset,save",
            active_scroll=None,
            x_axis_label="u [arcsec]",
            y_axis_label="v [arcsec]",
        )
        colours = self._sigma if name == "residual" else self._power
        image = made.image(
            image=name, x="left", y="bottom", dw="width", dh="height", source=self._source, color_mapper=colours
        )
        made.add_tools(HoverTool(renderers=[image], tooltips=_TIPS))
        if name != "observed":
            bar = ColorBar(color_mapper=colours, width=8, title_text_font_style="normal")
            made.add_layout(bar, "right")
            self._bars.append(bar)
        made.title.text_font_style = "normal"
        made.title.text_font_size = "12px"
        made.grid.visible = False
        made.toolbar.logo = None
        return made

    def show(self, result: FitResult, number: int, scale: Scale) -> tuple[float, float, float, float]:
        """Show a map; gives the edges of its image in arcsec."""
        arrays, fitted = result.map_arrays[number], result.fit.maps[number]
        pixels = map_pixels(arrays.u_rad, arrays.v_rad)
        left, right, bottom, top = (edge * _ARCSEC for edge in pixels.extent_rad)
        used = arrays.weight > 0
        sigmas = np.where(used, arrays.residual / (noise_sigma(result, number) * arrays.relative_error), np.nan)
        observed, model = _shown_power(result, number, scale)
        self._source.data = {
            "observed": [pixels.image(observed)],
            "model": [pixels.image(model)],
            "residual": [pixels.image(sigmas)],
            "observed_value": [pixels.image(arrays.observed)],
            "model_value": [pixels.image(arrays.model)],
            "residual_value": [pixels.image(arrays.residual)],
            "sigmas": [pixels.image(sigmas)],
            "weight": [pixels.image(arrays.weight)],
            "u": [pixels.image(arrays.u_rad * _ARCSEC)],
            "v": [pixels.image(arrays.v_rad * _ARCSEC)],
            "left": [left],
            "bottom": [bottom],
            "width": [right - left],
            "height": [top - bottom],
        }
        low, high = (FLOOR_DB, 0.0) if scale == "db" else _ends(model)
        self._power.update(low=low, high=high)
        self._bars[0].title = "dB" if scale == "db" else "of the peak"
        self._bars[1].title = "sigma"
        name = row_name(result, number)
        left_out = int((~used).sum())
        titles = (
            f"{name}" + (f", {left_out} samples left out" if left_out else ""),
            f"model, signal over noise {arrays.signal_to_noise:.0f}",
            f"residual, rms {100 * fitted.residual_rms_over_peak:.2f} % of the range",
        )
        for one, title in zip(self.figures, titles, strict=True):
            one.title.text = title
        return left, right, bottom, top


def _shown_power(result: FitResult, number: int, scale: Scale) -> tuple[FloatArray, FloatArray]:
    """Observed and model power of the samples, over the peak of the model or as a level."""
    if scale == "db":
        observed, model, _ = levels_db(result, number)
        return observed, model
    arrays, fitted = result.map_arrays[number], result.fit.maps[number]
    peak = model_peak(arrays, fitted)
    observed, model = (without_background(arrays, fitted, one) / peak for one in (arrays.observed, arrays.model))
    return np.where(arrays.weight > 0, observed, np.nan), model


def _ends(model: FloatArray) -> tuple[float, float]:
    known = model[np.isfinite(model)]
    return (min(0.0, float(known.min())), float(known.max())) if known.size else (0.0, 1.0)
