"""Surfaces beside each other and what sets them apart, to be read with the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oofpy.comparison.values import Comparison, DifferenceView, ScatterView
from oofpy.plots.frame import MICROMETRE, symmetric_limit
from oofpy.plots.surface_views import blocked_pixels
from oofpy.review.figures.dish_image import DishImage, DishPixels, DishValues

FloatArray = NDArray[np.float64]

_SIDE = 300
_PERCENT = 99.5
# Where the scale of a difference over its error ends at least and at most.
_SIGNIFICANCES = (5.0, 20.0)
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, eq=False)
class _Panel:
    """One image over the dish; `name` and `form` are how the mouse reads it, in every panel."""

    title: str
    values: FloatArray
    ends: tuple[float, float]
    bar: str
    name: str
    form: str = f"{{0.00}} {MICROMETRE}"


class ComparedDishes:
    """Images of a comparison, all with one zoom, each of which the mouse reads in all of them.

    First every surface. Then, of two results, the difference, its standard error and the one over the other; of
    several their scatter, what the errors predict, and the ratio of both.
    """

    def __init__(self) -> None:
        self._dish = DishValues()
        self._images: list[DishImage] = []
        self._shown = 0

    @property
    def figures(self) -> list[Any]:
        """Figures of the comparison that is shown, in this order."""
        return [image.figure for image in self._images[: self._shown]]

    def show(self, comparison: Comparison, *, with_focus: bool = True) -> None:
        """Show a comparison.

        Parameters
        ----------
        comparison : Comparison
        with_focus : bool
            Whether Z(2,0) is in the surfaces: focus changes without the surface having changed.
        """
        panels = list(_panels(comparison, with_focus))
        while len(self._images) < len(panels):
            name = _field(len(self._images))
            self._images.append(DishImage(self._dish, name, side=_SIDE))
        self._shown = len(panels)
        values = {_field(number): panel.values for number, panel in enumerate(panels)}
        # What is about to leave the page has values as well, or the browser complains.
        left_over = {_field(number): panels[0].values for number in range(len(panels), len(self._images))}
        self._dish.show(DishPixels.of(comparison.results[0]), values | left_over)
        tooltips = [(panel.name, f"@{_field(number)}{panel.form}") for number, panel in enumerate(panels)]
        for panel, image in zip(panels, self._images, strict=False):
            image.explain(panel.title, ends=panel.ends, bar=panel.bar, tooltips=tooltips)


def _field(number: int) -> str:
    return f"panel{number}"


def _panels(comparison: Comparison, with_focus: bool) -> Iterator[_Panel]:
    view = comparison.views[0 if with_focus else 1]
    blocked = blocked_pixels(comparison.results[0])
    yield from _surfaces(comparison, blocked, with_focus)
    yield from _difference(view, blocked) if isinstance(view, DifferenceView) else _scatter(view, blocked)


def _surfaces(comparison: Comparison, blocked: NDArray[np.bool_], with_focus: bool) -> Iterator[_Panel]:
    """All of them on one scale."""
    surfaces = comparison.surfaces_um if with_focus else comparison.surfaces_without_focus_um
    surfaces = np.where(blocked, np.nan, surfaces)
    limit = symmetric_limit(surfaces, _PERCENT)
    for label, name, result, surface in zip(
        comparison.labels, comparison.names, comparison.results, surfaces, strict=True
    ):
        summary = result.fit.surface
        rms_um = summary.rms_um if with_focus else summary.rms_without_focus_um
        yield _Panel(
            f"{label} {name}: rms {rms_um:.1f} {MICROMETRE}",
            surface,
            (-limit, limit),
            f"surface error [{MICROMETRE}], positive: metal below the ideal",
            label,
        )


def _difference(view: DifferenceView, blocked: NDArray[np.bool_]) -> Iterator[_Panel]:
    difference, error, size = (
        np.where(blocked, np.nan, one) for one in (view.map_um, view.error_um, view.significance)
    )
    limit, least_error = symmetric_limit(difference, _PERCENT), symmetric_limit(error, _PERCENT)
    name = f"A {_MINUS} B"
    words = f"{name}: rms {view.dish.rms_um:.3g} {MICROMETRE}, errors alone {view.dish.expected_um:.3g} {MICROMETRE}"
    yield _Panel(words, difference, (-limit, limit), f"{name} [{MICROMETRE}]", name)
    yield _Panel(f"standard error of {name}", error, (0.0, least_error), f"[{MICROMETRE}]", "standard error")
    largest = float(np.clip(symmetric_limit(size, _PERCENT), *_SIGNIFICANCES))
    yield _Panel(f"size of {name} over its error", size, (0.0, largest), "standard errors", "over its error", "{0.0}")


def _scatter(view: ScatterView, blocked: NDArray[np.bool_]) -> Iterator[_Panel]:
    scatter, predicted = (np.where(blocked, np.nan, one) for one in (view.scatter_um, view.predicted_um))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(predicted > 0, scatter / predicted, np.nan)
    ends = (0.0, symmetric_limit(np.stack([scatter, predicted]), _PERCENT))
    words = f"scatter: rms {view.dish.rms_um:.3g} {MICROMETRE}"
    yield _Panel(words, scatter, ends, f"[{MICROMETRE}]", "scatter")
    words = f"predicted by the errors: rms {view.dish.expected_um:.3g} {MICROMETRE}"
    yield _Panel(words, predicted, ends, f"[{MICROMETRE}]", "predicted")
    most = max(2.0, symmetric_limit(ratio, _PERCENT))
    yield _Panel("scatter over prediction", ratio, (0.0, most), "ratio", "ratio", "{0.00}")
