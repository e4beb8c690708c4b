"""One image over the dish, to be read with the mouse: what the figures of surfaces and of differences are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bokeh.models import BoxZoomTool, ColorBar, ColumnDataSource, HoverTool, LinearColorMapper, Range1d
from bokeh.plotting import figure
from numpy.typing import NDArray

from oofpy.fitting.result import FitResult
from oofpy.plots.surface_views import blocked_pixels
from oofpy.review.figures.colours import BLANK, BLOCKED, INK, POSITIVE, SIGNED
from oofpy.review.figures.square import square

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# Where the images lie, beside their values.
_PLACE = ("x", "y", "blocked", "low", "size", "radius")
# What is shown beyond the rim, as a share of the radius.
_MARGIN = 1.04
_CLEAR = "rgba(0,0,0,0)"


@dataclass(frozen=True, eq=False)
class DishPixels:
    """Where the pixels of an image lie on a dish.

    Parameters
    ----------
    axis_m : array, shape (pixels,), metres
        Their centres along x and y.
    radius_m : float, metres
        Of the dish.
    blocked : array of bool, shape (y, x)
        Pixels of which the maps say nothing.
    """

    axis_m: FloatArray
    radius_m: float
    blocked: BoolArray

    @classmethod
    def of(cls, result: FitResult) -> DishPixels:
        """Those of the images of a result."""
        return cls(result.aperture.axis_m, result.telescope.geometry.dish_radius_m, blocked_pixels(result))


class DishValues:
    """What images over one dish show: their pixels, and the zoom that they share.

    Parameters
    ----------
    *names : str
        Values that are asked for before there are any.
    """

    def __init__(self, *names: str) -> None:
        self.source = ColumnDataSource({name: [] for name in (*_PLACE, *names)})
        self.x_range, self.y_range = Range1d(-1, 1), Range1d(-1, 1)

    def show(self, pixels: DishPixels, values: Mapping[str, FloatArray]) -> None:
        """Take other values.

        Parameters
        ----------
        pixels : DishPixels
        values : mapping of str to array, shape (y, x)
            By name, for the images and for what the mouse reads; NaN off the dish.
        """
        axis = pixels.axis_m
        half = float(axis[1] - axis[0]) / 2
        edge = _MARGIN * pixels.radius_m
        for span in (self.x_range, self.y_range):
            if edge != span.reset_end:  # another dish; of the same one the zoom stays
                span.update(start=-edge, end=edge, reset_start=-edge, reset_end=edge)
        x, y = np.meshgrid(axis, axis)
        self.source.data = {name: [image] for name, image in values.items()} | {
            "x": [x],
            "y": [y],
            "blocked": [pixels.blocked.astype(np.uint8)],
            "low": [float(axis[0]) - half],
            "size": [float(axis[-1] - axis[0]) + 2 * half],
            "radius": [pixels.radius_m],
        }


class DishImage:
    """A figure of the dish, seen from behind, with an image that the mouse reads pixel by pixel.

    Parameters
    ----------
    dish : DishValues
        Values of this image, and of others beside it.
    value : str
        Name of the one that is coloured.
    side : int, pixels
        Of the square in which the dish lies, where there is room enough.
    """

    def __init__(self, dish: DishValues, value: str, *, side: int = 350) -> None:
        self._colours = LinearColorMapper(palette=SIGNED, low=-1, high=1, nan_color=BLANK)
        grey = LinearColorMapper(palette=[_CLEAR, BLOCKED], low=0, high=1, nan_color=_CLEAR)
        self.figure: Any = figure(
            **square(side),
            x_range=dish.x_range,
            y_range=dish.y_range,
            # Only a zoom that keeps a circle round.
            tools=["pan", BoxZoomTool(match_aspect=True), "wheel_zoom", "reset", "save"],
            active_scroll=None,
            x_axis_label="x [m], to the right seen from behind",
            y_axis_label="y [m], up",
            output_backend="canvas",
        )
        place = {"x": "low", "y": "low", "dw": "size", "dh": "size", "source": dish.source}
        image = self.figure.image(image=value, color_mapper=self._colours, **place)
        self.figure.image(image="blocked", color_mapper=grey, **place)
        self.figure.circle(x=0, y=0, radius="radius", source=dish.source, fill_color=None, line_color=INK)
        self._hover, self._bar = HoverTool(renderers=[image]), ColorBar(color_mapper=self._colours, width=10)
        self._bar.title_text_font_style, self._bar.title_text_font_size = "normal", "11px"
        self.figure.add_tools(self._hover)
        self.figure.add_layout(self._bar, "right")
        self.figure.title.text_font_style = "normal"
        self.figure.title.text_font_size = "12px"
        self.figure.grid.visible = False
        self.figure.toolbar.logo = None

    def explain(self, title: str, *, ends: tuple[float, float], bar: str, tooltips: Sequence[tuple[str, str]]) -> None:
        """Say what is shown.

        Parameters
        ----------
        title : str
        ends : (float, float)
            Of the scale; what has a sign has other colours than what begins with zero.
        bar : str
            Title of the scale of colours.
        tooltips : sequence of (str, str)
            What the mouse reads, beside the place, by the names of the values.
        """
        self._colours.update(low=ends[0], high=ends[1], palette=SIGNED if ends[0] < 0 else POSITIVE)
        self._bar.title = bar
        self._hover.tooltips = [("x, y", "@x{0.00}, @y{0.00} m"), *tooltips]
        self.figure.title.text = title
