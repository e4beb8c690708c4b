"""Beam maps: observed, model and residual of every map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.fitting.result import FitResult, MapArrays
from oofpy.plots.beam_power import down_weighted, noise_sigma
from oofpy.plots.frame import (
    BLANK,
    DIVERGING,
    VIEW_LINE,
    add_colour_bar,
    colour_map,
    drawing_style,
    new_figure,
    symmetric_limit,
)
from oofpy.plots.map_images import FloatArray, pixel_borders
from oofpy.plots.map_rows import MapRows, map_rows, row_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_IN, _LEFT_IN, _GAP_IN, _BAR_IN = 2.65, 0.66, 0.1, 0.92
# Scale of the residuals: that of noise alone for every map, wider only where more than noise is left.
# A few per cent of glitches shall not stretch it.
_LEAST_SIGMAS, _RESIDUAL_PERCENTILE = 4.0, 97.0
_OBSERVED_PERCENTILE, _MOST_WIDENED = 99.8, 1.25
_OUTLINE_PT = 0.55


def beam_figure(result: FitResult) -> Figure:
    """Draw observed, model and residual of every map, one row a map.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        Observed and model share a linear colour scale. Residuals, observed minus model, are in standard
        deviations of each sample's own noise, which is the fitted noise times the relative error of the sample, on a
        scale symmetric about zero; lines surround the samples to which the likelihood gave less than a tenth of
        the full weight. Samples left out are blank; a cross marks where the unaberrated beam peaks.
    """
    rows = map_rows(result, _PANEL_IN)
    second = _LEFT_IN + _PANEL_IN + _GAP_IN
    lefts = (_LEFT_IN, second, second + _PANEL_IN + _BAR_IN)
    with drawing_style():
        figure = new_figure(result, lefts[2] + _PANEL_IN + _BAR_IN, rows.height_in, VIEW_LINE, _legend(result))
        for number, arrays in enumerate(result.map_arrays):
            panels = rows.add_row(figure, number, lefts, _row_title(result, number))
            _draw_powers(figure, panels[:2], rows, number, arrays)
            _draw_residual(figure, panels[2], rows, number, result)
            for panel in panels[:2]:
                rows.mark(panel, *result.fit.maps[number].pointing_rad)
    return figure


def _legend(result: FitResult) -> str:
    line = "+ pointing: peak of the unaberrated beam"
    if any(down_weighted(arrays).any() for arrays in result.map_arrays):
        name = result.settings.likelihood.capitalize()
        line += f"   \N{WHITE SQUARE} less than a tenth of the full weight in the {name} fit, broken where negative"
    return line


def _row_title(result: FitResult, number: int) -> str:
    fitted, ratio = result.fit.maps[number], result.map_arrays[number].signal_to_noise
    return "   ".join(
        (
            row_name(result, number),
            f"gain {fitted.gain:.5g}",
            _signal_to_noise(ratio),
            f"rms residual {100 * fitted.residual_rms_over_peak:.2g} % of peak",
        )
    )


def _signal_to_noise(ratio: float) -> str:
    if not math.isfinite(ratio):
        return "no noise" if ratio > 0 else "signal-to-noise unknown"
    return f"signal-to-noise {ratio:.0f}" if ratio >= 100 else f"signal-to-noise {ratio:.2g}"


def _draw_powers(figure: Figure, panels: list[Axes], rows: MapRows, number: int, arrays: MapArrays) -> None:
    used = arrays.weight > 0
    observed = np.where(used, arrays.observed, np.nan)
    ends = _range(arrays.model[used], observed)
    rows.draw(panels[0], number, observed, "viridis", ends)
    image = rows.draw(panels[1], number, arrays.model, "viridis", ends)
    add_colour_bar(figure, panels[1], image, "power [map unit]", observed)
    panels[0].set_title("observed", loc="left", y=1.0, pad=3)
    panels[1].set_title("model", loc="left", y=1.0, pad=3)


def _draw_residual(figure: Figure, panel: Axes, rows: MapRows, number: int, result: FitResult) -> None:
    arrays = result.map_arrays[number]
    used, marked = arrays.weight > 0, down_weighted(arrays)
    noise = noise_sigma(result, number) * arrays.relative_error
    sigmas = np.where(used, arrays.residual / noise, np.nan)
    limit = max(symmetric_limit(sigmas, _RESIDUAL_PERCENTILE), _LEAST_SIGMAS)
    image = rows.draw(panel, number, sigmas, _residual_colours(), (-limit, limit))
    add_colour_bar(figure, panel, image, "residual [\N{GREEK SMALL LETTER SIGMA} of the noise]", sigmas)
    count, samples = int(marked.sum()), int(used.sum())
    said = f"{count} of {samples} down-weighted" if count else "none down-weighted"
    panel.set_title(f"observed - model, {said}", loc="left", y=1.0, pad=3)
    if count:
        _outline(panel, rows, number, marked, sigmas > 0)


def _residual_colours() -> Any:
    """Colours whose ends are light enough for black marks to be seen on them."""
    from matplotlib.colors import ListedColormap

    middle = colour_map(DIVERGING)(np.linspace(0.1, 0.9, 256))
    return ListedColormap(middle).with_extremes(bad=BLANK)


def _outline(panel: Axes, rows: MapRows, number: int, marked: Any, positive: Any) -> None:
    """Draw a line about marked samples, solid where they are positive and broken where they are negative.

    A line about neighbours that are marked alike leaves their colours free, and its kind tells the sign in grey.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    pixels = rows.pixels[number]
    kinds = pixels.image(np.where(marked, np.where(positive, 1.0, -1.0), 0.0))
    segments = np.concatenate([pixel_borders(kinds == 1), _middles(pixel_borders(kinds == -1))])
    left, right, bottom, top = rows.extent(number)
    steps = np.array([(right - left) / kinds.shape[1], (top - bottom) / kinds.shape[0]])
    corners = np.array([left, bottom]) + segments.reshape(-1, 2) * steps
    codes = np.tile([Path.MOVETO, Path.LINETO], len(segments))
    # Not as a patch of the panel, which would go through all of it to find its limits.
    panel.add_artist(PathPatch(Path(corners, codes), fill=False, edgecolor="black", linewidth=_OUTLINE_PT))


def _middles(segments: FloatArray) -> FloatArray:
    """Shorten each segment to its middle half."""
    centre = segments.mean(axis=1, keepdims=True)
    return np.asarray(centre + (segments - centre) / 2)


def _range(model: FloatArray, observed: FloatArray) -> tuple[float, float]:
    """Give the range of the model, widened for an observed peak above it but not for glitches."""
    model, observed = model[np.isfinite(model)], observed[np.isfinite(observed)]
    if model.size == 0 or np.ptp(model) == 0:
        return 0.0, 1.0
    low, high = float(model.min()), float(model.max())
    highest = float(np.percentile(observed, _OBSERVED_PERCENTILE)) if observed.size else high
    return low, min(max(high, highest), low + _MOST_WIDENED * (high - low))
