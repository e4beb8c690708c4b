"""What the fit leaves over, and what the likelihood makes of it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from oofpy.fitting.result import FitResult
from oofpy.fitting.rules.raising import map_name
from oofpy.flags import Flag, raised
from oofpy.limits import Limits


def misfit(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag residuals far above the noise."""
    chi2 = result.fit.reduced_chi2
    if chi2 > limits.most_reduced_chi2:
        yield raised("misfit", f"the residuals are {math.sqrt(chi2):.1f} times the noise at the border of the maps")


def structure(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag residuals that look like a beam, and note those of which neighbours move together."""
    correlations = [fitted.beam_scale_correlation for fitted in result.fit.maps]
    worst = max(range(len(correlations)), key=correlations.__getitem__)
    if correlations[worst] > limits.most_beam_scale_correlation:
        name = map_name(worst + 1, result.map_arrays[worst].label)
        yield raised(
            "structured-residuals",
            f"{name}: residuals half a beam to a beam apart have a correlation of {correlations[worst]:.2f}",
        )
    area = max(fitted.correlation_samples for fitted in result.fit.maps)
    if area > limits.most_correlated_samples:
        message = f"residuals of up to {area:.0f} neighbouring samples move together; errors are scaled for it"
        yield Flag("correlated-residuals", message)


def weights(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag maps of which the likelihood disregards much, or the brightest part."""
    for number, (arrays, fitted) in enumerate(zip(result.map_arrays, result.fit.maps, strict=True), start=1):
        name = map_name(number, arrays.label)
        if fitted.down_weighted_fraction > limits.most_down_weighted:
            yield raised(
                "many-samples-down-weighted",
                f"{name}: the likelihood disregards {fitted.down_weighted_fraction:.0%} of the samples",
            )
        if fitted.bright_weight < limits.least_bright_weight:
            yield raised(
                "peak-disregarded",
                f"{name}: the likelihood gives the brightest part of the beam a weight of "
                f"{fitted.bright_weight:.2f} only",
            )


RULES = (misfit, structure, weights)
