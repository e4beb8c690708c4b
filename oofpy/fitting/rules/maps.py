"""What the fit says of single maps: where the source is, how bright, and whether they agree."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from oofpy.fitting.result import FitResult, MapArrays, OrderFit
from oofpy.fitting.rules.raising import map_name
from oofpy.fitting.status import FitStatus
from oofpy.flags import Flag, raised
from oofpy.limits import Limits
from oofpy.optics.zernike import ZernikeTerm


def no_beam(result: FitResult, _: Limits) -> Iterator[Flag]:
    """Flag every map in which the model finds no source."""
    for number, (arrays, fitted) in enumerate(zip(result.map_arrays, result.fit.maps, strict=True), start=1):
        if fitted.gain <= 0:
            yield raised("no-beam", f"{map_name(number, arrays.label)}: the model finds no source in it")


def source_place(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag maps whose source lies outside of the samples, or far from their middle."""
    for number, (arrays, fitted) in enumerate(zip(result.map_arrays, result.fit.maps, strict=True), start=1):
        away = _half_widths_off_centre(arrays, fitted.pointing_rad)
        name = map_name(number, arrays.label)
        if away > 1:
            yield raised("source-outside", f"{name}: the fit puts the source outside of the samples")
        elif away > limits.most_off_centre:
            yield raised("source-off-centre", f"{name}: the source lies {away:.0%} of the half-width off the middle")


def _half_widths_off_centre(arrays: MapArrays, pointing_rad: tuple[float, float]) -> float:
    """Distance of a direction from the middle of the used samples along u or v, in half-widths, the larger one."""
    used = arrays.weight > 0
    away = 0.0
    for axis, place in zip((arrays.u_rad[used], arrays.v_rad[used]), pointing_rad, strict=True):
        half_width = float(np.ptp(axis)) / 2
        away = max(away, abs(place - float(axis.min() + axis.max()) / 2) / max(half_width, np.finfo(float).tiny))
    return away


def gain_ratio(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag maps whose gain differs from that of the others: one source has one gain."""
    gains = np.array([fitted.gain for fitted in result.fit.maps])
    if (gains <= 0).any():
        return
    off = gains / np.median(gains) - 1
    worst = int(np.argmax(np.abs(off)))
    if abs(off[worst]) > limits.most_gain_difference:
        listed = ", ".join(f"{gain:.4g}" for gain in gains)
        name = map_name(worst + 1, result.map_arrays[worst].label)
        yield raised("gain-ratio", f"the gain of {name} is off the median of all by {off[worst]:+.0%} ({listed})")


def map_disagrees(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag maps without which the surface is another one."""
    for fit in result.left_out_fits:
        change = left_out_change(result.fit, fit)
        if fit.status is FitStatus.CONVERGED and change > limits.most_left_out_change:
            name = map_name(fit.left_out, result.map_arrays[fit.left_out - 1].label)
            yield raised("map-disagrees", f"without {name} the surface differs by {change:.1f} standard errors")


def left_out_change(full: OrderFit, without: OrderFit) -> float:
    """Rms over the disc of the change of the phase when a map is left out, over the rms of the errors without it.

    The fits share the other maps: for independent noise the change is smaller than the error without the map.
    """
    change = error = 0.0
    for one, other in zip(full.coefficients, without.coefficients, strict=True):
        norm = ZernikeTerm(one.n, one.l).norm
        change += ((one.phase_rad - other.phase_rad) / norm) ** 2
        error += (other.phase_rad_error / norm) ** 2
    if error == 0:
        return 0.0 if change == 0 else math.inf
    return math.sqrt(change / error)


RULES = (no_beam, source_place, gain_ratio, map_disagrees)
