"""How the residuals are distributed, against what the likelihood takes for granted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from oofpy.fitting.result import FitResult, MapArrays
from oofpy.plots.frame import add_panel, drawing_style, new_figure
from oofpy.plots.map_images import FloatArray
from oofpy.plots.map_marks import map_mark, map_title
from oofpy.plots.residual_statistics import (
    binned_residuals,
    gaussian_sigma,
    likelihood_density,
    normal_band,
    normal_quantiles,
    standardised_residuals,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT_IN, _PANEL_IN, _GAP_IN, _RIGHT_IN = 0.8, 4.2, 0.85, 0.25
_HEIGHT_IN, _BOTTOM_IN, _TOP_IN, _LINE_IN = 3.9, 0.55, 0.3, 0.17
# In Gaussian-equivalent sigma.
_HISTOGRAM_SIGMA, _BIN_SIGMA, _MOST_QUANTILE_SIGMA = 6.0, 0.25, 8.0
_TITLES = {"gaussian": "Gaussian", "cauchy": "Cauchy", "student-t": "Student-t", "huber": "Huber"}


def residual_figure(result: FitResult) -> Figure:
    """Draw the distribution of the residuals of every map.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        To the left the density of the residuals over the fitted scale, and over the relative error of the sample
        where errors were given, with that of the fitted likelihood and of Gaussian noise that would have this
        scale; what lies beyond is in the outermost bins and is counted below. To the right the ordered residuals
        over their Gaussian-equivalent sigma against the quantiles of a normal distribution, with a band that holds
        95 % of Gaussian noise.
    """
    name, fitted = result.settings.likelihood, result.fit.maps
    residuals = [
        standardised_residuals(arrays, one.noise) for arrays, one in zip(result.map_arrays, fitted, strict=True)
    ]
    finite = [z[np.isfinite(z)] for z in residuals]
    sigma = gaussian_sigma(name)
    lines = ["residuals: observed minus model, over the fitted scale of their map"]
    if name != "gaussian":
        lines[0] += f"; for Gaussian noise that is its sigma over {sigma:.3g}"
    if any(_errors_given(arrays) for arrays in result.map_arrays):
        lines.append("each over its given error: the scale is that of a sample of the map's median error")
    below_in = _BOTTOM_IN + _LINE_IN * (len(finite) + 1)
    with drawing_style():
        width = _LEFT_IN + 2 * _PANEL_IN + _GAP_IN + _RIGHT_IN
        figure = new_figure(result, width, _TOP_IN + _HEIGHT_IN + below_in, *lines)
        left = add_panel(figure, _LEFT_IN, below_in, _PANEL_IN, _HEIGHT_IN)
        right = add_panel(figure, _LEFT_IN + _PANEL_IN + _GAP_IN, below_in, _PANEL_IN, _HEIGHT_IN)
        counts = _draw_histograms(left, finite, name)
        _draw_quantiles(right, [z / sigma for z in finite], result)
        _write_counts(figure, result, [z.size for z in finite], counts)
    return figure


def _errors_given(arrays: MapArrays) -> bool:
    """Tell whether the file's errors gave the samples of a map different weights."""
    error = arrays.relative_error
    return bool(np.any(error[np.isfinite(error)] != 1))


def _draw_histograms(panel: Axes, residuals: Sequence[FloatArray], name: str) -> list[tuple[int, int]]:
    """Draw densities and give for each map how many residuals lie beyond the axis, below and above."""
    sigma = gaussian_sigma(name)
    limit = _HISTOGRAM_SIGMA * sigma
    edges = np.linspace(-limit, limit, round(2 * _HISTOGRAM_SIGMA / _BIN_SIGMA) + 1)
    beyond = []
    for number, z in enumerate(residuals, start=1):
        binned, mark = binned_residuals(z, edges), map_mark(number)
        panel.stairs(
            binned.density, edges, color=mark.colour, linestyle=mark.line, linewidth=1.0, label=f"map {number}"
        )
        beyond.append((binned.below, binned.above))
    z = np.linspace(-limit, limit, 241)
    normal = likelihood_density("gaussian", z / sigma) / sigma
    if name != "gaussian":
        panel.plot(z, normal, color="0.45", linewidth=1.2, linestyle=(0, (2, 1.5)), label="Gaussian of this core")
    density = likelihood_density(name, z)
    panel.plot(z, density, color="black", linewidth=1.6, label=f"likelihood: {_TITLES[name]}")
    most = max([1, *(values.size for values in residuals)])
    panel.set_yscale("log")
    # Room for the legend, which has a line more for every second map.
    room = 3.0 * 1.35 ** math.ceil((len(residuals) + 2) / 2)
    panel.set_ylim(0.4 / (most * (edges[1] - edges[0])), room * max(float(density.max()), float(normal.max())))
    panel.set_xlim(-limit, limit)
    panel.minorticks_off()
    panel.set_xlabel("residual / fitted scale")
    panel.set_ylabel("density")
    panel.legend(loc="upper left", ncol=2, fontsize=7.5, frameon=False, handlelength=2.2, columnspacing=1.2)
    panel.set_title("Histogram", loc="left")
    return beyond


def _draw_quantiles(panel: Axes, residuals: Sequence[FloatArray], result: FitResult) -> None:
    """Draw ordered residuals, in Gaussian-equivalent sigma, against normal quantiles."""
    effective = [
        z.size / max(fitted.correlation_samples, 1.0) for z, fitted in zip(residuals, result.fit.maps, strict=True)
    ]
    numbered = [(number, normal_quantiles(z)) for number, z in enumerate(residuals, start=1) if z.size]
    quantiles = [one for _, one in numbered]
    across = max([2.5, *(float(one.theoretical[-1]) for one in quantiles)]) * 1.05
    up = min(max([across, *(1.05 * float(np.abs(one.ordered).max()) for one in quantiles)]), _MOST_QUANTILE_SIGMA)
    grid = np.linspace(-across, across, 121)
    fewest = max(min(effective), 1.0)
    low, high = normal_band(grid, fewest)
    panel.fill_between(
        grid,
        np.clip(low, -2 * up, 2 * up),
        np.clip(high, -2 * up, 2 * up),
        color="0.87",
        linewidth=0,
        label=f"95 % of Gaussian noise, {fewest:.0f} independent samples",
    )
    panel.plot([-across, across], [-across, across], color="black", linewidth=0.9, label="1 : 1")
    for number, one in numbered:
        mark = map_mark(number)
        # What lies beyond the axis stands at its edge, so that it is seen to be there.
        ordered = np.clip(one.ordered, -0.985 * up, 0.985 * up)
        panel.plot(one.theoretical, ordered, mark.marker, color=mark.colour, markersize=2.6, markeredgewidth=0)
    panel.set_xlim(-across, across)
    panel.set_ylim(-up, up)
    panel.grid(color="0.92", linewidth=0.5)
    panel.set_axisbelow(True)
    panel.set_xlabel("quantile of a normal distribution [sigma]")
    panel.set_ylabel("residual / Gaussian-equivalent sigma")
    beyond = any(np.abs(one.ordered).max() > up for one in quantiles)
    panel.set_title("Normal quantiles" + (" (points at the edge lie beyond)" if beyond else ""), loc="left")
    panel.legend(loc="upper left", fontsize=7.5, frameon=False)


def _write_counts(figure: Figure, result: FitResult, samples: Sequence[int], beyond: Sequence[tuple[int, int]]) -> None:
    """Say for every map how many residuals are in the outermost bins because they lie beyond."""
    across, up = (float(side) for side in figure.get_size_inches())
    limit = _HISTOGRAM_SIGMA * gaussian_sigma(result.settings.likelihood)
    top = 0.1 + _LINE_IN * len(samples)
    for number, (count, (below, above)) in enumerate(zip(samples, beyond, strict=True), start=1):
        fitted = result.fit.maps[number - 1]
        text = f"{map_title(number, fitted)}: {count} samples, scale {fitted.noise:.3g} map units, "
        if below or above:
            text += f"in the outermost bins for lying beyond {limit:.3g}: {below} below, {above} above"
        else:
            text += f"none beyond {limit:.3g}"
        level = (top - _LINE_IN * (number - 1)) / up
        figure.text(_LEFT_IN / across, level, text, va="top", size=7.5, color=map_mark(number).colour)
