"""What looks wrong with a fit: one rule a flag."""

from __future__ import annotations

import math

from oofpy.fitting.result import OrderFit
from oofpy.fitting.status import FitStatus
from oofpy.flags import Flag
from oofpy.observation import Observation

_CLOSE_RIVAL = 10.0  # effective log-likelihood
_FAR_RIVAL_RAD = 0.05
_MOST_DOWN_WEIGHTED = 0.25
_LARGEST_REDUCED_CHI2 = 4.0
_CORRELATED = 4.0
_LEAST_EFFICIENCY = 1e-8  # Ruze's, at a phase of about 4.3 rad rms
_MOST_NAMED_PAIRS = 4
_LEAST_BRIGHT_WEIGHT = 0.25  # half of what noise alone leaves under the Cauchy likelihood


def fit_flags(
    fit: OrderFit, rival_excess: float, rival_distance: float, pairs: tuple[tuple[str, str, float], ...]
) -> tuple[Flag, ...]:
    """Judge the fit of the chosen order.

    Parameters
    ----------
    fit : OrderFit
    rival_excess : float
        Cost of the other start above this one; NaN where there was one start.
    rival_distance : float
        Largest difference of a coefficient between the two, radians.
    pairs : tuple of (str, str, float)
        Degenerate pairs.

    Returns
    -------
    tuple of Flag
    """
    flags = []
    if fit.status is not FitStatus.CONVERGED:
        flags.append(Flag("not-converged", f"order {fit.order}: {fit.status.value}: {fit.status.advice}"))
    flags += [
        Flag(
            "parameter-at-bound",
            f"{described} lies at its bound; fix it at a known value, or look for a wrong telescope, defocus or "
            "background",
        )
        for described in _at_bounds(fit)
    ]
    if fit.surface.ruze_efficiency < _LEAST_EFFICIENCY:
        flags.append(
            Flag(
                "surface-implausible",
                f"a surface rms of {fit.surface.rms_as_observed_um:.3g} um leaves no beam at this wavelength: the fit "
                "is wrong; check telescope, defocus, wavelength and coordinates",
            )
        )
    flags += _rival(fit, rival_excess, rival_distance)
    flags += _residuals(fit)
    if pairs:
        flags.append(_degenerate(pairs))
    return tuple(flags)


def _degenerate(pairs: tuple[tuple[str, str, float], ...]) -> Flag:
    """One note about all pairs, the worst of them by name."""
    named = ", ".join(
        f"{first} and {second} ({correlation:+.3f})" for first, second, correlation in pairs[:_MOST_NAMED_PAIRS]
    )
    others = f" and {len(pairs) - _MOST_NAMED_PAIRS} more pairs" if len(pairs) > _MOST_NAMED_PAIRS else ""
    message = f"hardly told apart (correlation): {named}{others}; fix one of a pair or give it a prior"
    return Flag("degenerate-pair", message, serious=False)


def _at_bounds(fit: OrderFit) -> list[str]:
    """Name, value and unit of what the fit pressed against a bound."""
    found = [f"{c.name} = {c.phase_rad:g} rad" for c in fit.coefficients if c.at_bound]
    return found + [f"{p.name} = {p.value:g} {p.unit}".strip() for p in fit.parameters if p.at_bound]


def _rival(fit: OrderFit, excess: float, distance: float) -> list[Flag]:
    """Two starts that ended apart: serious where the data hardly prefer one."""
    if math.isnan(excess) or distance < _FAR_RIVAL_RAD:
        return []
    samples = sum(fitted.samples for fitted in fit.maps)
    effective = excess * fit.effective_samples / samples
    if effective < _CLOSE_RIVAL:
        return [
            Flag(
                "competing-minimum",
                f"another surface, {distance:.2f} rad away in one term, fits almost as well (log-likelihood lower by "
                f"{effective:.1f}); compare both, or lower the order",
            )
        ]
    return [
        Flag(
            "start-trapped",
            f"the other start than '{fit.start}' ended in a worse minimum (log-likelihood lower by {effective:.0f}) "
            "and was dropped",
            serious=False,
        )
    ]


def _residuals(fit: OrderFit) -> list[Flag]:
    flags = []
    for number, fitted in enumerate(fit.maps, start=1):
        if fitted.down_weighted_fraction > _MOST_DOWN_WEIGHTED:
            flags.append(
                Flag(
                    "many-samples-down-weighted",
                    f"map {number}: the likelihood disregards {fitted.down_weighted_fraction:.0%} of the samples; "
                    "look at the residuals, mask what is not the source, or raise the order",
                )
            )
        if fitted.bright_weight < _LEAST_BRIGHT_WEIGHT:
            flags.append(
                Flag(
                    "peak-disregarded",
                    f"map {number}: the likelihood gives the brightest part of the beam a weight of "
                    f"{fitted.bright_weight:.2f} only, as if it were a glitch: the model does not follow it; raise "
                    f"the order, or compare with "
                    "--likelihood gaussian",
                )
            )
        if fitted.gain <= 0:
            flags.append(
                Flag("no-beam", f"map {number}: the model finds no source in it; check the map and its defocus")
            )
    if fit.reduced_chi2 > _LARGEST_REDUCED_CHI2:
        flags.append(
            Flag(
                "misfit",
                f"the residuals are {math.sqrt(fit.reduced_chi2):.1f} times the noise at the border of the maps: the "
                "model does not describe the data to their noise; errors allow for it",
            )
        )
    correlated = max(fitted.correlation_samples for fitted in fit.maps)
    if correlated > _CORRELATED:
        flags.append(
            Flag(
                "correlated-residuals",
                f"residuals of up to {correlated:.0f} neighbouring samples move together; errors are scaled for it",
                serious=False,
            )
        )
    return flags


def pointing_flags(fit: OrderFit, observation: Observation) -> tuple[Flag, ...]:
    """Flag maps whose fitted pointing lies outside their samples.

    Parameters
    ----------
    fit : OrderFit
    observation : Observation

    Returns
    -------
    tuple of Flag
    """
    flags = []
    for number, (fitted, beam_map) in enumerate(zip(fit.maps, observation.maps, strict=True), start=1):
        u, v = beam_map.u_rad[beam_map.used], beam_map.v_rad[beam_map.used]
        inside = u.min() <= fitted.pointing_rad[0] <= u.max() and v.min() <= fitted.pointing_rad[1] <= v.max()
        if not inside:
            flags.append(
                Flag(
                    "source-outside",
                    f"map {number}: the fit puts the source outside of the samples; check the coordinates' offsets, "
                    f"the mask "
                    "and the radius, or leave the map out with --maps",
                )
            )
    return tuple(flags)
