"""The surface over the dish, to be read with the mouse."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColorBar, ColumnDataSource, HoverTool, LinearColorMapper
from bokeh.plotting import figure
from numpy.typing import NDArray

from oofpy.fitting.result import FitResult
from oofpy.plots.frame import BLUE_WHITE_RED, MICROMETRE, symmetric_limit
from oofpy.plots.surface_views import SurfaceView, blocked_pixels, fixed_scale_um, surface_views, um_per_rad
from oofpy.review.choices import Limits, Removed
from oofpy.review.figures.colours import BLANK, BLOCKED, palette_of

FloatArray = NDArray[np.float64]

# Of the three views of `surface_views`.
_VIEW_OF: dict[Removed, int] = {"nothing": 0, "tilt": 1, "focus": 2}
_PALETTE = palette_of(BLUE_WHITE_RED)
_TOOLS = "pan,box_zoom,wheel_zoom,reset,save"


class DishFigure:
    """The half-path surface error over the dish, seen from behind.

    What the mouse reads are the numbers of the result, pixel by pixel: place, surface error and its standard error.
    """

    def __init__(self) -> None:
        self._source = ColumnDataSource(_nothing())
        self._colours = LinearColorMapper(palette=_PALETTE, low=-1, high=1, nan_color=BLANK)
        self._blocked = LinearColorMapper(palette=["rgba(0,0,0,0)", BLOCKED], low=0, high=1, nan_color="rgba(0,0,0,0)")
        self.figure: Any = figure(
            width=460,
            height=430,
            match_aspect=True,
            tools=_TOOLS,
            active_scroll=None,
            x_axis_label="x [m], to the right seen from behind",
            y_axis_label="y [m], up",
            toolbar_location="above",
            output_backend="canvas",
        )
        place = {"x": "low", "y": "low", "dw": "size", "dh": "size", "source": self._source}
        image = self.figure.image(image="surface", color_mapper=self._colours, **place)
        self.figure.image(image="blocked", color_mapper=self._blocked, **place)
        self.figure.circle(
            x=0, y=0, radius="radius", source=self._source, fill_color=None, line_color="#1b2430", line_width=1
        )
        hover = HoverTool(
            renderers=[image],
            tooltips=[
                ("x, y", "@x{0.00}, @y{0.00} m"),
                ("surface", f"@surface{{0.00}} {MICROMETRE}"),
                ("standard error", f"@error{{0.00}} {MICROMETRE}"),
                ("over its error", "@significance{0.0}"),
            ],
        )
        self.figure.add_tools(hover)
        bar = ColorBar(
            color_mapper=self._colours,
            title=f"surface error [{MICROMETRE}], positive: metal below the ideal",
            title_text_font_style="normal",
            width=10,
        )
        self.figure.add_layout(bar, "right")
        self.figure.title.text_font_style = "normal"
        self.figure.title.text_font_size = "12px"
        self.figure.grid.visible = False

    def show(self, result: FitResult, *, removed: Removed = "tilt", limits: Limits = "own") -> None:
        """Show a result.

        Parameters
        ----------
        result : FitResult
            Whose chosen order is shown; see `oofpy.fitting.dish_images.at_order` for another.
        removed : {"nothing", "tilt", "focus"}
            What is taken from the surface.
        limits : {"own", "common"}
            Whether the colours end where this surface does, or where they do for every dish with such a receiver.
        """
        view = surface_views(result)[_VIEW_OF[removed]]
        surface_um = _surface_um(result, view, removed)
        error_um = result.aperture.surface_error_um
        limit = symmetric_limit(surface_um, 99.0) if limits == "own" else fixed_scale_um(result)
        self._colours.update(low=-limit, high=limit)
        axis = result.aperture.axis_m
        half = float(axis[1] - axis[0]) / 2
        x, y = np.meshgrid(axis, axis)
        with np.errstate(divide="ignore", invalid="ignore"):
            significance = surface_um / error_um
        self._source.data = {
            "surface": [surface_um],
            "error": [error_um],
            "significance": [significance],
            "x": [x],
            "y": [y],
            "blocked": [blocked_pixels(result).astype(np.uint8)],
            "low": [float(axis[0]) - half],
            "size": [float(axis[-1] - axis[0]) + 2 * half],
            "radius": [result.telescope.geometry.dish_radius_m],
        }
        rms, valley = (number * um_per_rad(result) for number in (view.rms_rad, view.peak_to_valley_rad))
        self.figure.title.text = (
            f"order {result.chosen_order}, {view.name}: rms {rms:.1f} {MICROMETRE}, "
            f"peak to valley {valley:.0f} {MICROMETRE}"
        )


def _surface_um(result: FitResult, view: SurfaceView, removed: Removed) -> FloatArray:
    """The numbers of the result itself where they are what is shown, and not what rounding makes of the phase."""
    if removed == "tilt":
        return np.where(blocked_pixels(result), np.nan, result.aperture.surface_um)
    return view.phase_rad * um_per_rad(result)


def _nothing() -> dict[str, list[Any]]:
    names = ("surface", "error", "significance", "x", "y", "blocked", "low", "size", "radius")
    return {name: [] for name in names}
