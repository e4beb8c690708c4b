"""Images over the dish: phase, surface error, and how well it is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.fitting.result import FitResult
from oofpy.plots.frame import (
    DIVERGING,
    VIEW_LINE,
    add_colour_bar,
    add_panel,
    colour_map,
    drawing_style,
    new_figure,
    symmetric_limit,
    with_error,
)
from oofpy.plots.surface_views import (
    FIXED_SCALE_RAD,
    FloatArray,
    amplitude_db,
    blocked_pixels,
    fixed_scale_um,
    on_dish,
    rms_over_dish,
    significance,
    surface_as_observed_um,
    surface_views,
    um_per_rad,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT_IN, _SIDE_IN, _BAR_IN = 0.88, 2.6, 0.92
_BOTTOM_IN, _GAP_IN, _TITLE_IN = 0.5, 0.14, 0.42
_COLUMNS, _MOST_LEVELS = 3, 14
_MICROMETRES = "\N{MICRO SIGN}m"
_TILT_AND_RMS = "as fitted: with the tilt of the pointing in focus; rms weighted by the illumination"
_ERROR_LINE = (
    "half-path surface error, > 0: metal below the ideal surface; its standard error is one standard deviation"
)
_LINE_COLOUR = "0.05"
_BLOCKED = "0.6"
_CERTAIN = (3.0, 10.0)
_MOST_SIGNIFICANT, _BEYOND, _FAINTEST_DB = 100.0, 1e6, -40.0


@dataclass(frozen=True)
class _Signed:
    """An image whose sign matters, and its numbers, in one unit."""

    name: str
    values: FloatArray
    rms: float
    peak_to_valley: float


@dataclass(frozen=True)
class _Dish:
    """What all panels of a figure share."""

    axis_m: FloatArray
    radius_m: float
    on_dish: Any
    blocked: Any
    ticks_m: FloatArray


def phase_figure(result: FitResult) -> Figure:
    """Draw the phase over the dish as fitted, without tilt, and without tilt and focus.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        Phase in radians, above with each view on its own scale, below with all on one that is the same in every
        figure. Scales are symmetric about zero, contours are dashed where it is negative and heavy where it is zero.
        What is blocked is grey; off the dish it is blank.
    """
    line = f"phase, > 0: longer path{_without_correction(result)}; {_TILT_AND_RMS}"
    scale = f"all at \N{PLUS-MINUS SIGN}{FIXED_SCALE_RAD:g} rad"
    levels = np.linspace(-2.0, 2.0, 9)
    return _views_figure(result, _views(result, 1.0), "rad", "phase", scale, (FIXED_SCALE_RAD, levels), [line])


def surface_figure(result: FitResult) -> Figure:
    """Draw the surface error over the dish as fitted, without tilt, and without tilt and focus.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        Half-path errors in micrometres, drawn as in `phase_figure`; the scale of the lower row is `fixed_scale_um`.
    """
    limit = fixed_scale_um(result)
    scale = f"all at \N{PLUS-MINUS SIGN}{limit:g} {_MICROMETRES}"
    fixed = (limit, _round_numbers(-limit, limit, 10))
    views = _views(result, um_per_rad(result))
    return _views_figure(result, views, _MICROMETRES, "surface error", scale, fixed, _surface_lines(result))


def surface_error_figure(result: FitResult) -> Figure:
    """Draw how well the surface is known over the dish, and what a correction did to it.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        Standard error of the surface error, the size of the surface error over it, with contours at 3 and 10, and the
        amplitude of the field below its centre. Where a correction was on the dish, a second row: the surface without
        it, what it took away, and the surface as observed.
    """
    corrected = result.observing.applied is not None
    with drawing_style():
        figure = _new_figure(result, 2 if corrected else 1, _TITLE_IN, [_ERROR_LINE])
        dish = _dish(result)
        panels = _add_row(figure, dish, _TITLE_IN if corrected else 0.0, 1 if corrected else 0, lowest=not corrected)
        _draw_error(figure, panels[0], dish, result)
        _draw_significance(figure, panels[1], dish, result)
        _draw_amplitude(figure, panels[2], dish, result)
        if corrected:
            _draw_correction(figure, _add_row(figure, dish, 0.0, 0, lowest=True), dish, result)
    return figure


def _views(result: FitResult, unit_per_rad: float) -> list[_Signed]:
    return [
        _Signed(
            view.name,
            unit_per_rad * view.phase_rad,
            unit_per_rad * view.rms_rad,
            unit_per_rad * view.peak_to_valley_rad,
        )
        for view in surface_views(result)
    ]


def _views_figure(
    result: FitResult,
    views: Sequence[_Signed],
    unit: str,
    quantity: str,
    scale: str,
    fixed: tuple[float, FloatArray],
    lines: Sequence[str],
) -> Figure:
    """Draw views, above on their own scales and below on one with given contours."""
    with drawing_style():
        figure = _new_figure(result, 2, _GAP_IN, lines)
        dish = _dish(result)
        upper = _add_row(figure, dish, _GAP_IN, 1, lowest=False)
        lower = _add_row(figure, dish, 0.0, 0, lowest=True)
        for panel, view in zip(upper, views, strict=True):
            limit, levels = _own_scale(view.values)
            image, contours = _draw_signed(panel, dish, view.values, limit, levels)
            _add_bar(figure, panel, image, unit, view.values, _labelled(levels), contours)
            _write_title(panel, view, unit)
        for panel, view in zip(lower, views, strict=True):
            image, contours = _draw_signed(panel, dish, view.values, *fixed)
        shown = np.stack([view.values for view in views])
        _add_bar(figure, lower[-1], image, f"{quantity} [{unit}]", shown, _labelled(fixed[1]), contours)
        _name_row(figure, upper[0], "each at its own scale")
        _name_row(figure, lower[0], scale)
    return figure


def _new_figure(result: FitResult, rows: int, gap: float, lines: Sequence[str]) -> Figure:
    width = _LEFT_IN + _COLUMNS * (_SIDE_IN + _BAR_IN)
    height = _BOTTOM_IN + rows * _SIDE_IN + (rows - 1) * gap + _TITLE_IN
    return new_figure(result, width, height, VIEW_LINE, *lines)


def _dish(result: FitResult) -> _Dish:
    radius = result.telescope.geometry.dish_radius_m
    ticks = _round_numbers(-radius, radius, 5)
    return _Dish(result.aperture.axis_m, radius, on_dish(result), blocked_pixels(result), ticks)


def _round_numbers(low: float, high: float, most: int) -> FloatArray:
    from matplotlib.ticker import MaxNLocator

    numbers: FloatArray = np.asarray(MaxNLocator(nbins=most, steps=[1, 2, 5, 10]).tick_values(low, high))
    step = numbers[1] - numbers[0]
    # A zero that is off by rounding would be taken for a positive or negative level; adding 0 takes the sign off -0.
    numbers = np.asarray(np.rint(numbers / step) * step + 0.0)
    return numbers[(numbers >= low) & (numbers <= high)]


def _add_row(figure: Figure, dish: _Dish, gap: float, number: int, *, lowest: bool) -> list[Axes]:
    """Add the panels of one row, counted from below; their left ones carry y, those of the lowest row x."""
    bottom = _BOTTOM_IN + number * (_SIDE_IN + gap)
    panels = []
    for column in range(_COLUMNS):
        panel = add_panel(figure, _LEFT_IN + column * (_SIDE_IN + _BAR_IN), bottom, _SIDE_IN, _SIDE_IN)
        panel.set_xticks(dish.ticks_m)
        panel.set_yticks(dish.ticks_m)
        panel.tick_params(labelbottom=lowest, labelleft=column == 0)
        if lowest:
            panel.set_xlabel("x [m]")
        if column == 0:
            panel.set_ylabel("y [m]")
        panels.append(panel)
    return panels


def _name_row(figure: Figure, panel: Axes, name: str) -> None:
    box = panel.get_position()
    across = 0.2 / figure.get_size_inches()[0]
    figure.text(across, (box.y0 + box.y1) / 2, name, rotation=90, ha="center", va="center", weight="bold")


def _write_title(panel: Axes, view: _Signed, unit: str) -> None:
    rms, extent = _three_digits(view.rms), _three_digits(view.peak_to_valley)
    panel.set_title(f"{view.name}\nrms {rms}, peak to valley {extent} {unit}", loc="left")


def _three_digits(value: float) -> str:
    if not math.isfinite(value):
        return "unknown"
    rounded = float(f"{value:.3g}")
    decimals = 0 if rounded == 0 else max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:.{decimals}f}"


def _surface_lines(result: FitResult) -> list[str]:
    surface = result.fit.surface
    focus = with_error(surface.best_focus_m * 1e3, surface.best_focus_m_error * 1e3)
    # The rms is of the dish without the correction, efficiency and focus are of the dish with it.
    observed = "" if result.observing.applied is None else " as observed"
    return [
        f"half-path error, > 0: metal below the ideal surface{_without_correction(result)}; " + _TILT_AND_RMS,
        f"without focus {surface.rms_without_focus_um:.0f} {_MICROMETRES}, "
        f"unweighted {surface.rms_unweighted_um:.0f} {_MICROMETRES}; "
        f"efficiency{observed} {surface.exact_efficiency:.3f} (Ruze {surface.ruze_efficiency:.3f}); "
        f"focus error{observed} dz {focus} mm",
    ]


def _without_correction(result: FitResult) -> str:
    return "" if result.observing.applied is None else ", of the dish without the correction that was on it"


def _own_scale(values: FloatArray) -> tuple[float, FloatArray]:
    """Find the limit of a symmetric scale and round levels within it."""
    limit = symmetric_limit(values, 99.0)
    return limit, _round_numbers(-limit, limit, _MOST_LEVELS)


def _labelled(levels: FloatArray) -> FloatArray:
    """Choose the levels that are written: every second one, zero among them."""
    return levels[np.flatnonzero(levels == 0)[0] % 2 :: 2]


def _draw_signed(panel: Axes, dish: _Dish, values: FloatArray, limit: float, levels: FloatArray) -> tuple[Any, Any]:
    """Draw an image whose sign matters, with contours; without these, None, where no level is crossed."""
    from matplotlib.colors import Normalize

    image = _draw(panel, dish, values, DIVERGING, Normalize(-limit, limit))
    return image, _draw_lines(panel, dish, values, levels, _LINE_COLOUR, 0.6)


def _draw_lines(panel: Axes, dish: _Dish, values: FloatArray, levels: FloatArray, colour: str, width: float) -> Any:
    """Draw contours, dashed where negative, heavy at zero; None where no level is crossed."""
    finite = values[np.isfinite(values)]
    crossed = [level for level in levels if finite.size and finite.min() < level < finite.max()]
    if not crossed:
        return None
    widths = [width if level else 2 * width for level in crossed]
    styles = ["dashed" if level < 0 else "solid" for level in crossed]
    axis = dish.axis_m
    return panel.contour(axis, axis, values, levels=crossed, colors=colour, linewidths=widths, linestyles=styles)


def _draw(panel: Axes, dish: _Dish, values: FloatArray, name: str, norm: Any) -> Any:
    """Draw an image, grey where the dish is blocked, blank off it."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Circle

    half = float(dish.axis_m[1] - dish.axis_m[0]) / 2 if dish.axis_m.size > 1 else 0.5
    low, high = float(dish.axis_m[0]) - half, float(dish.axis_m[-1]) + half
    placed: Any = {"origin": "lower", "extent": (low, high, low, high), "interpolation": "nearest", "aspect": "equal"}
    rim = panel.add_patch(Circle((0, 0), dish.radius_m, fill=False, edgecolor="0.3", linewidth=0.7))
    image = panel.imshow(
        _to_the_rim(values, dish), cmap=colour_map(name).with_extremes(bad="white"), norm=norm, **placed
    )
    shade = panel.imshow(np.where(dish.blocked, 1.0, np.nan), cmap=ListedColormap([_BLOCKED]), **placed)
    for drawn in (image, shade):
        drawn.set_clip_path(rim)
    return image


def _to_the_rim(values: FloatArray, dish: _Dish) -> FloatArray:
    """Give pixels that only reach onto the dish the mean of their neighbours, so that the image fills the rim."""
    around = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    padded = np.pad(values, 1, constant_values=np.nan)
    known = np.isfinite(padded)
    total, count = (
        sum(np.roll(one, shift, (0, 1))[1:-1, 1:-1] for shift in around)
        for one in (np.where(known, padded, 0.0), 1 * known)
    )
    return np.where(dish.on_dish | (count == 0), values, total / np.maximum(count, 1))


def _add_bar(
    figure: Figure, panel: Axes, image: Any, label: str, values: FloatArray, ticks: Any, contours: Any = None
) -> None:
    bar = add_colour_bar(figure, panel, image, label, values)
    bar.set_ticks(ticks, labels=[f"{tick:.6g}".replace("-", "\N{MINUS SIGN}") for tick in ticks])
    bar.ax.minorticks_off()
    bar.ax.yaxis.labelpad = 2.0
    if contours is not None:
        bar.add_lines(contours)


def _draw_error(figure: Figure, panel: Axes, dish: _Dish, result: FitResult) -> None:
    from matplotlib.colors import Normalize

    error = np.where(dish.blocked, np.nan, result.aperture.surface_error_um)
    limit = symmetric_limit(error, 99.0)
    image = _draw(panel, dish, error, "viridis", Normalize(0.0, limit))
    _add_bar(figure, panel, image, f"standard error [{_MICROMETRES}]", error, _round_numbers(0.0, limit, 6))
    middle = _three_digits(float(np.nanmedian(error)) if np.isfinite(error).any() else math.nan)
    panel.set_title(f"standard error of the surface\nmedian {middle} {_MICROMETRES}", loc="left")


def _draw_significance(figure: Figure, panel: Axes, dish: _Dish, result: FitResult) -> None:
    from matplotlib.colors import LogNorm

    signed = np.clip(np.where(dish.blocked, np.nan, significance(result)), -_BEYOND, _BEYOND)
    ratio = np.maximum(np.abs(signed), 1 / _BEYOND)
    image = _draw(panel, dish, ratio, "viridis", LogNorm(1.0, _MOST_SIGNIFICANT))
    # Between two pixels of different sign the ratio itself passes zero, its size need not: lines would break there.
    for level, colour in zip(_CERTAIN, ("white", _LINE_COLOUR), strict=True):
        _draw_lines(panel, dish, signed, np.array([-level, level]), colour, 0.8)
    known = ratio[np.isfinite(ratio)]
    _add_bar(figure, panel, image, "size over standard error", ratio, (1, *_CERTAIN, 30, _MOST_SIGNIFICANT))
    certain = 100 * float(np.mean(known > _CERTAIN[0])) if known.size else math.nan
    panel.set_title(
        "surface error over standard error\n"
        f"above {_CERTAIN[0]:g} on {_three_digits(certain)} % of the dish, lines at {_CERTAIN[0]:g}, {_CERTAIN[1]:g}",
        loc="left",
    )


def _draw_amplitude(figure: Figure, panel: Axes, dish: _Dish, result: FitResult) -> None:
    from matplotlib.colors import Normalize

    level = amplitude_db(result)
    known = level[np.isfinite(level)]
    floor = max(math.floor(np.percentile(known, 2.0)), _FAINTEST_DB) if known.size else _FAINTEST_DB
    image = _draw(panel, dish, level, "viridis", Normalize(min(floor, -1.0), 0.0))
    _add_bar(figure, panel, image, "amplitude [dB]", level, _round_numbers(floor, 0.0, 6))
    panel.set_title("amplitude below the centre\nillumination and blockage", loc="left")


def _draw_correction(figure: Figure, panels: Sequence[Axes], dish: _Dish, result: FitResult) -> None:
    """Draw the surface without the correction, what that took away, and what was observed, on one scale."""
    surface, aperture = result.fit.surface, result.aperture
    taken = np.where(dish.blocked, np.nan, aperture.applied_um)
    images = (
        ("surface without the correction", aperture.surface_um, surface.rms_um),
        ("what the correction on the dish took away", taken, rms_over_dish(result, taken)),
        ("as observed: the first less the second", surface_as_observed_um(result), surface.rms_as_observed_um),
    )
    opened = np.where(dish.blocked, np.nan, np.stack([values for _, values, _ in images]))
    limit, levels = _own_scale(opened)
    for panel, (name, _, rms), values in zip(panels, images, opened, strict=True):
        image, contours = _draw_signed(panel, dish, values, limit, levels)
        known = values[np.isfinite(values)]
        extent = float(np.ptp(known)) if known.size else math.nan
        _write_title(panel, _Signed(name, values, rms, extent), _MICROMETRES)
    _add_bar(figure, panels[-1], image, f"surface error [{_MICROMETRES}]", opened, _labelled(levels), contours)
