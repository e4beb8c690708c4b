"""Corrections: where a mirror is moved and how far, and the surface before and after."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.correction.tables import rms_of_moves_um
from oofpy.correction.values import Correction, CorrectionAt, FloatArray, PointMoves, PointStatus, Prediction
from oofpy.correction.words import conventions_of
from oofpy.correction.writing import elevation_suffix
from oofpy.plots.frame import (
    DIVERGING,
    MICROMETRE,
    VIEW_LINE,
    add_colour_bar,
    add_panel,
    colour_map,
    drawing_style,
    framed,
    length_words,
    shorten,
    symmetric_limit,
)
from oofpy.plots.saving import FigureKind, draw_figures, write_drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT_IN, _BOTTOM_IN, _SIDE_IN, _TITLE_IN = 0.62, 0.45, 2.75, 0.3
_BAR_IN, _GAP_IN, _LEGEND_IN = 0.85, 0.16, 0.28
_LETTER_IN = 0.068
_Y_LABEL_IN = 0.3
_BLOCKED = "0.6"
# Of the dish radius: a little beyond the rim, so that marks on it are whole.
_MARGIN = 1.06


def correction_figure(correction: Correction, at: CorrectionAt) -> Figure:
    """Draw a correction at one elevation.

    Parameters
    ----------
    correction : Correction
        To which it belongs.
    at : CorrectionAt
        What to draw.

    Returns
    -------
    Figure
        The increments of the points, where they stand in the aperture, in colours symmetric about zero, those that
        limits or threshold held back marked; and the surface before and after on one scale. What is blocked is grey.
        The panels for which there is nothing are left out.
    """
    panels = (1 if at.moves is not None else 0) + (2 if at.prediction is not None else 0)
    bars = (1 if at.moves is not None else 0) + (1 if at.prediction is not None else 0)
    width = max(_LEFT_IN + panels * (_SIDE_IN + _GAP_IN) + bars * _BAR_IN + _Y_LABEL_IN, 7.0)
    legend = _LEGEND_IN if at.moves is not None else 0.0
    title, *others = _heading(correction, at)
    lines = [title, *(shorten(line, int((width - 0.3) / _LETTER_IN)) for line in others)]
    with drawing_style():
        figure = framed(lines, "", width, _SIDE_IN + _TITLE_IN + _BOTTOM_IN + legend)
        left, bottom = _LEFT_IN, _BOTTOM_IN + legend
        if at.moves is not None:
            panel = add_panel(figure, left, bottom, _SIDE_IN, _SIDE_IN)
            _draw_moves(figure, panel, at, at.moves)
            _finish(panel, correction, leftmost=True)
            left += _SIDE_IN + _BAR_IN + _GAP_IN + _Y_LABEL_IN
        if at.prediction is not None:
            _draw_surfaces(figure, correction, at.prediction, left, bottom)
    return figure


def write_correction_figures(correction: Correction, folder: Path, *, pdf: bool = False) -> None:
    """Write a figure for every elevation.

    Parameters
    ----------
    correction : Correction
        What to draw.
    folder : Path
        An existing folder, for `correction.png`, or `correction-el45.png` of several elevations.
    pdf : bool
        Whether to write each as PDF as well.
    """
    kinds = [
        FigureKind(
            name=f"correction{elevation_suffix(correction, at)}",
            draw=partial(_draw, at=at),
            title="Correction",
            caption="Increments of the points, and the surface before and after.",
            present=partial(_drawable, at=at),
        )
        for at in correction.elevations
    ]
    write_drawn(draw_figures(kinds, correction, pdf=pdf), folder)


def _draw(correction: Correction, at: CorrectionAt) -> Figure:
    return correction_figure(correction, at)


def _drawable(_: Correction, at: CorrectionAt) -> bool:
    return at.moves is not None or at.prediction is not None


def _heading(correction: Correction, at: CorrectionAt) -> list[str]:
    surface = at.surface
    title = [shorten(correction.source.telescope.name, 30), shorten(surface.name, 40)]
    if surface.elevation_rad is not None:
        title.append(f"elevation {math.degrees(surface.elevation_rad):.4g}\N{DEGREE SIGN}")
    lines = ["   ".join(title)]
    words = conventions_of(correction)
    if at.moves is not None:
        outside = int(at.moves.having(PointStatus.OUTSIDE).sum())
        lie = "lies" if outside == 1 else "lie"
        beyond = f"; {outside} of {len(at.moves.status)} points {lie} outside the dish" if outside else ""
        lines.append(
            f"moves {words['moves'].replace('micrometres', MICROMETRE)}; {words['sign'].split(';')[0]}{beyond}"
        )
    if at.prediction is not None and at.prediction.efficiencies:
        one = at.prediction.efficiencies[0]
        efficiency = f"{one.exact_before:.4f} before, {one.exact_after:.4f} after"
        lines.append(f"efficiency at {length_words(one.wavelength_m)}: {efficiency}; {words['terms']}")
    else:
        lines.append(words["terms"])
    return [*lines, VIEW_LINE]


def _draw_moves(figure: Figure, panel: Axes, at: CorrectionAt, moves: PointMoves) -> None:
    if at.prediction is not None:
        _show(panel, at.prediction, np.where(at.prediction.open_dish, np.nan, 1.0), "Greys", (0.0, 2.0), "none")
    limit = symmetric_limit(moves.increment_um, 100)
    size = float(np.clip(14000 / len(moves.status), 4, 40))
    edge = size / 40
    drawn = None
    for status, mark, label, style in (
        (PointStatus.MOVED, "o", "moved", {"linewidths": 0.5 * edge, "edgecolors": "0.3"}),
        (PointStatus.CLIPPED, "s", "clipped", {"linewidths": 0.2 + edge, "edgecolors": "black"}),
        (PointStatus.BELOW_THRESHOLD, ".", "below threshold", {"linewidths": 0.0}),
    ):
        which = moves.having(status)
        if which.any():
            drawn = panel.scatter(
                moves.aperture_x_m[which],
                moves.aperture_y_m[which],
                c=moves.increment_um[which],
                s=size,
                marker=mark,
                cmap=colour_map(DIVERGING) if status is not PointStatus.BELOW_THRESHOLD else "gray",
                vmin=-limit,
                vmax=limit,
                label=f"{label} ({which.sum()})",
                zorder=3,
                **style,
            )
    if drawn is not None:
        _moves_bar(figure, panel, limit)
        panel.legend(
            loc="upper left",
            bbox_to_anchor=(-0.04, -0.16),
            markerscale=max(1.0, math.sqrt(24 / size)),
            ncols=3,
            frameon=False,
            fontsize=8,
            handletextpad=0.1,
            columnspacing=1.0,
            borderpad=0.0,
        )
    largest = float(np.abs(moves.increment_um).max())
    panel.set_title(
        f"increment, rms {rms_of_moves_um(moves):.4g}, largest {largest:.4g} {MICROMETRE}", loc="left", size=8.5
    )


def _moves_bar(figure: Figure, panel: Axes, limit: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(-limit, limit), colour_map(DIVERGING))
    add_colour_bar(figure, panel, scale, f"increment [{MICROMETRE}]", np.zeros(1))


def _draw_surfaces(
    figure: Figure, correction: Correction, prediction: Prediction, left_in: float, bottom_in: float
) -> None:
    both = [np.where(prediction.open_dish, one, np.nan) for one in (prediction.before_um, prediction.after_um)]
    limit = symmetric_limit(np.stack(both), 99.5)
    titles = (
        f"before, rms {prediction.rms_before_um:.4g} {MICROMETRE}",
        f"after, rms {prediction.rms_after_um:.4g} {MICROMETRE}",
    )
    for number, (values, title) in enumerate(zip(both, titles, strict=True)):
        panel = add_panel(figure, left_in + number * (_SIDE_IN + _GAP_IN), bottom_in, _SIDE_IN, _SIDE_IN)
        image = _show(panel, prediction, values, DIVERGING, (-limit, limit), _BLOCKED)
        _add_contours(panel, prediction.axis_m, values, limit)
        panel.set_title(title, loc="left", size=8.5)
        _finish(panel, correction, leftmost=number == 0)
        if number:
            add_colour_bar(figure, panel, image, f"half-path error [{MICROMETRE}]", np.stack(both))


def _show(
    panel: Axes, prediction: Prediction, values: FloatArray, colours: str, ends: tuple[float, float], missing: str
) -> Any:
    """Draw an image over the dish, cut at the rim."""
    from matplotlib.patches import Circle

    axis = prediction.axis_m
    half = float(axis[1] - axis[0]) / 2
    low, high = float(axis[0]) - half, float(axis[-1]) + half
    image = panel.imshow(
        values,
        origin="lower",
        extent=(low, high, low, high),
        cmap=colour_map(colours).with_extremes(bad=missing),
        vmin=ends[0],
        vmax=ends[1],
        interpolation="nearest",
        aspect="equal",
    )
    rim = Circle((0, 0), float(axis[-1]), transform=panel.transData)
    image.set_clip_path(rim)
    return image


def _add_contours(panel: Axes, axis_m: FloatArray, values: FloatArray, limit: float) -> None:
    """Draw contours, dashed where negative, at the levels that the values cross."""
    from matplotlib.ticker import MaxNLocator

    known = values[np.isfinite(values)]
    levels = [one for one in MaxNLocator(10, steps=[1, 2, 5, 10]).tick_values(-limit, limit) if abs(one) <= limit]
    crossed = [one for one in levels if known.size and known.min() < one < known.max()]
    if crossed:
        panel.contour(axis_m, axis_m, values, levels=crossed, colors="0.15", linewidths=0.6)


def _finish(panel: Axes, correction: Correction, *, leftmost: bool) -> None:
    """Draw the rim and label x and y of the dish in metres."""
    from matplotlib.patches import Circle

    radius = correction.source.telescope.geometry.dish_radius_m
    panel.add_patch(Circle((0, 0), radius, fill=False, edgecolor="0.3", linewidth=0.7))
    panel.set_xlim(-_MARGIN * radius, _MARGIN * radius)
    panel.set_ylim(-_MARGIN * radius, _MARGIN * radius)
    panel.set_aspect("equal")
    panel.locator_params(nbins=5)
    panel.set_xlabel("aperture x [m]", labelpad=1)
    panel.tick_params(labelleft=leftmost)
    if leftmost:
        panel.set_ylabel("aperture y [m]", labelpad=1)
