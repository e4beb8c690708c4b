"""What the figures of a gravity model share: heading, a grid of panels, one a coefficient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from oofpy.gravity.gravity_fit import BoolArray, FloatArray, GravityFit
from oofpy.gravity.model import gravity_terms
from oofpy.plots.frame import MICROMETRE, add_panel, framed, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODEL_COLOUR, POINT_COLOUR, FAR_COLOUR = "#1f5a94", "0.25", "firebrick"
_COLUMNS, _MOST_PANELS = 4, 28
_WIDTH_IN, _PANEL_IN, _ROW_IN = 10.3, 1.5, 2.17
_LEFT_IN, _GAP_IN, _TOP_IN = 0.62, 0.62, 0.36
_LONGEST_LINE = 140
_MOST_NAMED = 4


def shown_terms(fit: GravityFit) -> list[int]:
    """Places of the coefficients that have a panel: all, or of many those that change most with elevation."""
    places = list(range(len(fit.model.terms)))
    if len(places) <= _MOST_PANELS:
        return places
    low, high = fit.model.elevation_range_rad
    curves = gravity_terms(np.linspace(low, high, 50)) @ fit.model.parameters_um.T
    norms = np.array([term.norm for term in fit.model.terms])
    most = np.argsort(-np.ptp(curves, axis=0) / norms)[:_MOST_PANELS]
    return sorted(int(place) for place in most)


def gravity_panels(fit: GravityFit, *lines: str) -> tuple[Figure, list[Axes]]:
    """Make a figure with a panel for every coefficient of `shown_terms`.

    Parameters
    ----------
    fit : GravityFit
    *lines : str
        Of the heading, below that which names the telescope.

    Returns
    -------
    figure : Figure
    panels : list of Axes
    """
    places = shown_terms(fit)
    rows = math.ceil(len(places) / _COLUMNS)
    body = rows * _ROW_IN + 0.1
    low, high = np.degrees(fit.model.elevation_range_rad)
    method = "fitted to the maps of all together" if fit.model.method == "joint" else "in two steps"
    title = (
        f"{shorten(fit.model.telescope, 30)}: {len(fit.series.samples)} observations at {low:.1f} to {high:.1f}"
        f"\N{DEGREE SIGN}, {method}"
    )
    heading = [title, *lines]
    if len(places) < len(fit.model.terms):
        heading[-1] += f"; the {len(places)} of {len(fit.model.terms)} terms that change most"
    figure = framed([shorten(line, _LONGEST_LINE) for line in heading], _warning(fit), _WIDTH_IN, body)
    width = (_WIDTH_IN - _LEFT_IN - 0.12 - (_COLUMNS - 1) * _GAP_IN) / _COLUMNS
    panels = []
    for number, place in enumerate(places):
        row, column = divmod(number, _COLUMNS)
        bottom = body - row * _ROW_IN - _TOP_IN - _PANEL_IN
        panel = add_panel(figure, _LEFT_IN + column * (width + _GAP_IN), bottom, width, _PANEL_IN)
        term = fit.model.terms[place]
        panel.set_title(f"{term.label} {term.common_name}".strip(), loc="left", pad=3, size=8.5)
        panel.grid(color="0.92", linewidth=0.5)
        panel.set_axisbelow(True)
        panel.tick_params(length=2.5)
        if column == 0:
            panel.set_ylabel(f"half path [{MICROMETRE}]")
        panels.append(panel)
    return figure, panels


def _warning(fit: GravityFit) -> str:
    """Name what is not to be trusted."""
    if not fit.model.converged:
        return shorten(f"not converged: {fit.advice}", _LONGEST_LINE)
    far = fit.model.outlying
    if not far:
        return ""
    named = ", ".join(shorten(name, 30) for name in far[:_MOST_NAMED])
    more = f" and {len(far) - _MOST_NAMED} more" if len(far) > _MOST_NAMED else ""
    return shorten(f"far off (red): {named}{more}", _LONGEST_LINE)


def draw_points(
    panel: Axes, across: FloatArray, values: FloatArray, errors: FloatArray, outlying: BoolArray, curve: FloatArray
) -> None:
    """Draw the values of observations with their errors, those far off in red.

    The scale holds what is sound and well known; a triangle at its end stands for what lies beyond.

    Parameters
    ----------
    panel : Axes
    across : array, shape (observations,)
        Where each stands.
    values, errors : array, shape (observations,), micrometres
    outlying : array of bool, shape (observations,)
        Which lie far off.
    curve : array, micrometres
        Of the model, which must be seen as a whole.
    """
    known = np.isfinite(values) & np.isfinite(across)
    far = outlying & known
    low, high = _ends(values[known & ~far], errors[known & ~far], curve)
    panel.set_ylim(low, high)
    for which, colour, order in ((known & ~far, POINT_COLOUR, 3), (far, FAR_COLOUR, 4)):
        seen = which & (values >= low) & (values <= high)
        panel.errorbar(
            across[seen],
            values[seen],
            yerr=errors[seen],
            fmt="o",
            markersize=2.6,
            markeredgewidth=0,
            linewidth=0,
            elinewidth=0.6,
            color=colour,
            zorder=order,
        )
        for beyond, mark, level in ((which & (values > high), "^", 0.97), (which & (values < low), "v", 0.03)):
            panel.plot(
                across[beyond],
                np.full(int(beyond.sum()), level),
                mark,
                markersize=4,
                color=colour,
                markeredgewidth=0,
                transform=panel.get_xaxis_transform(),
                zorder=order,
            )


def _ends(values: FloatArray, errors: FloatArray, curve: FloatArray) -> tuple[float, float]:
    """Ends of a scale that holds the model and the values whose errors are not far larger than most."""
    well = errors <= 4 * np.median(errors) if errors.size else np.zeros(0, bool)
    all_seen = np.concatenate([curve, (values - errors)[well], (values + errors)[well]])
    low, high = float(all_seen.min()), float(all_seen.max())
    margin = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    return low - margin, high + margin
