"""The surface over the dish, to be read with the mouse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oofpy.fitting.result import FitResult
from oofpy.plots.frame import MICROMETRE, symmetric_limit
from oofpy.plots.surface_views import SurfaceView, blocked_pixels, fixed_scale_um, surface_views, um_per_rad
from oofpy.review.choices import Limits, Removed
from oofpy.review.figures.dish_image import DishImage, DishPixels, DishValues

FloatArray = NDArray[np.float64]

# Of the three views of `surface_views`.
_VIEW_OF: dict[Removed, int] = {"nothing": 0, "tilt": 1, "focus": 2}

_TOOLTIPS = (
    ("surface", f"@surface{{0.00}} {MICROMETRE}"),
    ("standard error", f"@error{{0.00}} {MICROMETRE}"),
    ("over its error", "@significance{0.0}"),
)


class DishFigure:
    """The half-path surface error over the dish, seen from behind.

    What the mouse reads are the numbers of the result, pixel by pixel: place, surface error and its standard error.
    """

    def __init__(self) -> None:
        self._dish = DishValues("surface")
        self._image = DishImage(self._dish, "surface")

    @property
    def figure(self) -> Any:
        """The figure of Bokeh."""
        return self._image.figure

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
        with np.errstate(divide="ignore", invalid="ignore"):
            significance = surface_um / error_um
        limit = symmetric_limit(surface_um, 99.0) if limits == "own" else fixed_scale_um(result)
        rms, valley = (number * um_per_rad(result) for number in (view.rms_rad, view.peak_to_valley_rad))
        self._dish.show(DishPixels.of(result), {"surface": surface_um, "error": error_um, "significance": significance})
        self._image.explain(
            f"order {result.chosen_order}, {view.name}:\nrms {rms:.1f} {MICROMETRE}, "
            f"peak to valley {valley:.0f} {MICROMETRE}",
            ends=(-limit, limit),
            bar=f"surface [{MICROMETRE}], positive: metal below the ideal",
            tooltips=_TOOLTIPS,
        )


def _surface_um(result: FitResult, view: SurfaceView, removed: Removed) -> FloatArray:
    """The numbers of the result itself where they are what is shown, and not what rounding makes of the phase."""
    if removed == "tilt":
        return np.where(blocked_pixels(result), np.nan, result.aperture.surface_um)
    return view.phase_rad * um_per_rad(result)
