"""Radial and azimuthal cuts of every beam map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.fitting.result import FitResult
from oofpy.plots.beam_power import model_peak, noise_sigma, without_background
from oofpy.plots.cut_profiles import Cut, CutSamples, azimuthal_cut, cut_samples, radial_cut, ring_radius
from oofpy.plots.frame import add_panel, drawing_style, new_figure
from oofpy.plots.map_images import FloatArray
from oofpy.plots.map_rows import ARCSEC_PER_RAD, row_name, write_row_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEFT_IN, _BOTTOM_IN, _GAP_IN, _RIGHT_IN, _TITLE_IN = 0.7, 0.5, 0.75, 0.25, 0.3
_RADIAL_IN, _AZIMUTHAL_IN, _HEIGHT_IN = 4.4, 4.4, 1.7
_ARCSEC_AXIS_IN = 0.42
_LOWEST_DB, _DEEPEST_DB, _TOP_DB = -30.0, -60.0, 3.0
_MODEL_COLOUR, _OBSERVED_COLOUR = "firebrick", "black"


def cut_figure(result: FitResult) -> Figure:
    """Draw radial and azimuthal cuts of every map about its pointing, one row a map.

    Parameters
    ----------
    result : FitResult
        What to draw.

    Returns
    -------
    Figure
        Left: the mean power in rings, in decibels below the peak of the model; points are observed, with their
        standard errors, the line is the model. A triangle is an upper limit, two standard errors above a mean that
        is not above its error. Right: power along the brightest ring, or of a beam in focus along its half-power
        ring, over its mean. Angles run from +u towards +v. Where errors were given, means of observed and of model
        are weighted with the inverse variance of the samples. Of a chopped map the half nearer to the negative
        beam is left out.
    """
    count = len(result.map_arrays)
    row_in = _HEIGHT_IN + _TITLE_IN
    chopped = ("only samples nearer to the positive beam than to the negative one",) if result.observing.chop else ()
    with drawing_style():
        figure = new_figure(
            result,
            _LEFT_IN + _RADIAL_IN + _GAP_IN + _AZIMUTHAL_IN + _RIGHT_IN,
            count * row_in + _BOTTOM_IN + _ARCSEC_AXIS_IN,
            "points: observed, with standard errors; triangles: upper limits; line: model",
            *chopped,
        )
        samples = [_samples(result, number) for number in range(count)]
        farthest = [_farthest(one) for one in samples]
        radial = [radial_cut(one, far) for one, far in zip(samples, farthest, strict=True)]
        floor = _floor_db(radial)
        for number in range(count):
            bottom = _BOTTOM_IN + (count - 1 - number) * row_in
            left = add_panel(figure, _LEFT_IN, bottom, _RADIAL_IN, _HEIGHT_IN)
            right = add_panel(figure, _LEFT_IN + _RADIAL_IN + _GAP_IN, bottom, _AZIMUTHAL_IN, _HEIGHT_IN)
            ring = ring_radius(radial[number])
            _draw_radial(left, radial[number], ring, (max(farthest), floor))
            _draw_azimuthal(right, azimuthal_cut(samples[number], ring), ring)
            _label(result, left, right, first=number == 0, last=number == count - 1)
            write_row_title(
                figure, bottom + _HEIGHT_IN + 0.07 + (number == 0) * _ARCSEC_AXIS_IN, _LEFT_IN, row_name(result, number)
            )
    return figure


def _beam_rad(result: FitResult) -> float:
    """Lambda/D in radians."""
    return result.wavelength_m / (2 * result.telescope.geometry.dish_radius_m)


def _samples(result: FitResult, number: int) -> CutSamples:
    """Samples of a map about its pointing, powers over the peak of the model."""
    arrays, fitted, beam = result.map_arrays[number], result.fit.maps[number], _beam_rad(result)
    used = arrays.weight > 0
    u, v = arrays.u_rad - fitted.pointing_rad[0], arrays.v_rad - fitted.pointing_rad[1]
    if result.observing.chop is not None:
        throw_u, throw_v = result.observing.chop.throw_uv_rad
        used &= u * throw_u + v * throw_v < (throw_u**2 + throw_v**2) / 2
    peak = model_peak(arrays, fitted)
    observed, model = (
        without_background(arrays, fitted, values)[used] / peak for values in (arrays.observed, arrays.model)
    )
    noise = noise_sigma(result, number) / peak * arrays.relative_error[used]
    return cut_samples(u[used] / beam, v[used] / beam, observed, model, noise, fitted.correlation_samples)


def _farthest(samples: CutSamples) -> float:
    """Distance along u or v, lambda/D, to which the map reaches on its longest side: corners hold no whole ring."""
    if samples.radius_beams.size == 0:
        return 1.0
    u = samples.radius_beams * np.cos(samples.angle_rad)
    v = samples.radius_beams * np.sin(samples.angle_rad)
    return float(max(np.abs(u).max(), np.abs(v).max(), 1e-3))


def _floor_db(cuts: list[Cut]) -> float:
    """Give the lowest level shown: all of the models, unless these end far below the errors."""
    lowest = _LOWEST_DB
    for cut in cuts:
        shown = np.maximum(cut.model, cut.error / 2)
        shown = shown[np.isfinite(shown) & (shown > 0)]
        if shown.size:
            lowest = min(lowest, 10 * float(np.log10(shown.min())))
    return max(5 * math.floor(lowest / 5), _DEEPEST_DB)


def _draw_radial(panel: Axes, cut: Cut, ring: float, limits: tuple[float, float]) -> None:
    farthest, floor = limits
    lowest = 10 ** (floor / 10 - 1)
    seen = cut.observed > cut.error

    def db(power: FloatArray) -> FloatArray:
        return np.asarray(10 * np.log10(np.maximum(power, lowest)))

    panel.plot(cut.place, db(cut.model), color=_MODEL_COLOUR, linewidth=1.1)
    level = db(cut.observed[seen])
    down = level - db(cut.observed[seen] - cut.error[seen])
    up = db(cut.observed[seen] + cut.error[seen]) - level
    _draw_points(panel, cut.place[seen], level, np.stack([down, up]))
    limit = db((np.maximum(cut.observed, 0) + 2 * cut.error)[~seen])
    panel.plot(cut.place[~seen], limit, "v", ms=3, mfc="none", mec=_OBSERVED_COLOUR, mew=0.6)
    if np.isfinite(ring):
        panel.axvline(ring, color="0.6", linestyle=":", linewidth=0.9)
    panel.set(xlim=(0, farthest), ylim=(floor, _TOP_DB))
    panel.set_yticks(np.arange(10 * np.ceil(floor / 10), 1, 10))


def _draw_azimuthal(panel: Axes, cut: Cut, ring: float) -> None:
    degrees = np.degrees(cut.place)
    panel.axhline(1.0, color="0.6", linestyle=":", linewidth=0.9)
    panel.plot(*_around(degrees, cut.model), color=_MODEL_COLOUR, linewidth=1.1)
    _draw_points(panel, degrees, cut.observed, cut.error)
    said = f"ring at {ring:.2g} \N{GREEK SMALL LETTER LAMDA}/D" if cut.place.size else "no ring: the model has no beam"
    panel.text(0.99, 0.95, said, transform=panel.transAxes, ha="right", va="top", size=8, color="0.2")
    values = np.concatenate([cut.observed, cut.model])
    values = values[np.isfinite(values)]
    low, high = (min(0.0, values.min()), values.max()) if values.size else (0.0, 1.0)
    panel.set(xlim=(-8, 368), ylim=(low - 0.02 * (high - low), low + 1.2 * max(high - low, 1.0)))
    panel.set_xticks([0, 90, 180, 270, 360])
    panel.locator_params(axis="y", nbins=5)


def _around(degrees: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Close a line around the circle, and break it where sectors are missing."""
    if degrees.size < 2:
        return degrees, values
    degrees, values = np.append(degrees, degrees[0] + 360), np.append(values, values[0])
    steps = np.diff(degrees)
    gaps = np.flatnonzero(steps > 1.5 * steps.min()) + 1
    return np.insert(degrees, gaps, np.nan), np.insert(values, gaps, np.nan)


def _draw_points(panel: Axes, place: FloatArray, value: FloatArray, error: FloatArray) -> None:
    panel.errorbar(place, value, error, fmt="o", ms=2.4, color=_OBSERVED_COLOUR, elinewidth=0.7, zorder=3)


def _label(result: FitResult, left: Axes, right: Axes, *, first: bool, last: bool) -> None:
    beam = "\N{GREEK SMALL LETTER LAMDA}/D"
    left.set_ylabel("mean power [dB]")
    right.set_ylabel("power over mean of ring")
    if first:
        arcsec = _beam_rad(result) * ARCSEC_PER_RAD

        def to_arcsec(beams: Any) -> Any:
            return beams * arcsec

        def to_beams(angle: Any) -> Any:
            return angle / arcsec

        above = left.secondary_xaxis("top", functions=(to_arcsec, to_beams))
        above.set_xlabel("distance from the pointing [arcsec]", labelpad=2)
    if last:
        left.set_xlabel(f"distance from the pointing [{beam}]")
        right.set_xlabel("angle about the pointing, from +u towards +v [\N{DEGREE SIGN}]")
    else:
        left.tick_params(labelbottom=False)
        right.tick_params(labelbottom=False)
