"""What a comparison comes to, in sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass

from oofpy.comparison.values import Chi2, Comparison, DishRms

# What a probability is shown as below this is the end of the numbers, not of the matter.
_SMALLEST_PROBABILITY = 1e-99


@dataclass(frozen=True, slots=True)
class Finding:
    """How far results differ, seen in one way.

    Parameters
    ----------
    subject : str
        `A - B`, or the scatter of how many.
    part : str
        Of which part of the surface.
    dish : DishRms
    chi2 : Chi2 or None
        None where the part is not tested by itself.
    verdict : str
        What the chi2 says, in a few words; empty without one.
    """

    subject: str
    part: str
    dish: DishRms
    chi2: Chi2 | None = None
    verdict: str = ""


def key_findings(comparison: Comparison) -> tuple[Finding, ...]:
    """Collect how far the results differ, and whether their errors explain it.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    tuple of Finding
        Of the surface with focus, without, and of the terms that both of two have, where these are not all.
    """
    difference = comparison.difference
    subject = "A - B" if difference is not None else f"scatter of {len(comparison.names)} results"
    found = [
        Finding(subject, view.name, view.dish, view.chi2, _verdict_on(comparison, view.chi2))
        for view in comparison.views
    ]
    if difference is not None and _only_one_has_some(comparison):
        found.append(Finding(subject, "of the terms that both have", difference.common))
    return tuple(found)


def findings(comparison: Comparison) -> tuple[str, ...]:
    """Write `key_findings` as sentences.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    tuple of str
        A line each. Lengths in um.
    """
    return tuple(map(_sentence, key_findings(comparison)))


def _sentence(found: Finding) -> str:
    test = "" if found.chi2 is None else f"; {_chi2(found.chi2)}: {found.verdict}"
    return f"{found.subject} {found.part}: {_rms(found.dish)}{test}"


def _verdict_on(comparison: Comparison, chi2: Chi2) -> str:
    """Say in a few words whether the errors explain a chi2."""
    if math.isnan(chi2.probability):
        return "no test, as no term was fitted in all"
    if any(remark.code == "same-data" for remark in comparison.remarks):
        return "no test, as they share data"
    return "more than the errors explain" if chi2.significant else "the errors explain it"


def _only_one_has_some(comparison: Comparison) -> bool:
    return any(remark.code == "terms-differ" for remark in comparison.remarks)


def _rms(dish: DishRms) -> str:
    if not dish.expected_um > 0:
        return f"{_short(dish.rms_um)} um rms, no errors known"
    digits = max(0, 1 - math.floor(math.log10(dish.expected_um)))
    return (
        f"{dish.rms_um:.{digits}f} um rms, {dish.expected_um:.{digits}f} um by the errors alone, "
        f"ratio {_short(dish.ratio)} (1 +- {dish.ratio_spread:.2g} by chance)"
    )


def _chi2(chi2: Chi2) -> str:
    freedom = f"{chi2.degrees_of_freedom} degrees of freedom"
    return f"chi2 {_short(chi2.value)} for {freedom}, probability {probability_in_words(chi2.probability)}"


def probability_in_words(probability: float) -> str:
    """Write a probability with two digits; a dash where there is none."""
    if math.isnan(probability):
        return "-"
    return f"{probability:.2g}" if probability >= _SMALLEST_PROBABILITY else f"below {_SMALLEST_PROBABILITY:.0e}"


def _short(value: float) -> str:
    """Write three digits, without an exponent where the number is large."""
    if not math.isfinite(value):
        return "unknown"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def conventions(comparison: Comparison) -> dict[str, str]:
    """State the signs and weights behind the numbers, one sentence by subject."""
    words = {
        "surface": (
            "half-path error of orders 2 and up, wavelength times phase over 4 pi; > 0: metal below the ideal "
            "surface, towards the back; of the dish without any correction that was on it"
        ),
        "coefficients": (
            "wavelength times coefficient over 4 pi, so that results at several wavelengths can be compared; circle "
            "polynomials of Born & Wolf, not normalised (radial part 1 at the rim), l < 0 sine, l >= 0 cosine"
        ),
        "errors": (
            "standard errors from the covariance of each fit, results taken as independent; errors of a telescope "
            "file or of dz are not in them"
        ),
        "rms": "over the unblocked dish about the mean, weighted by the illumination of A",
        "focus": "with focus: all terms; without focus: Z(2,0) left out, as it changes between observations",
    }
    if comparison.difference is not None:
        words["difference"] = "A - B; > 0: the metal lies lower in A"
        words["z"] = "difference over its error"
    else:
        words["mean"] = "of each coefficient, weighted by the inverse variances"
        words["pull"] = "a result minus the mean over the error of this difference"
        words["scatter"] = "standard deviation of the results (n - 1); predicted: root of the mean variance"
    return words
