"""What to know before the numbers of a comparison are used."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from oofpy.comparison.dish import ComparedDish, SurfaceTerms
from oofpy.comparison.statistics import rms_over_dish
from oofpy.comparison.values import BoolArray, Remark, letters
from oofpy.errors import one_line
from oofpy.fitting.result import FitResult

# Along and across the axis of the dish the pull of gravity then changes by up to 2 sin(5 deg), a sixth of it.
_MOST_ELEVATION_DEG = 10.0
_SAME_WAVELENGTH = 1e-3
# A twin counts as the nearer one if it leaves less than half of the difference, and that is twice what errors make.
_TWIN_LEAVES, _TWIN_FROM = 0.5, 2.0
_MOST_LISTED = 4


def remarks_on(results: Sequence[FitResult], terms: SurfaceTerms, dish: ComparedDish) -> tuple[Remark, ...]:
    """Find out what stands in the way of a comparison, or explains a difference.

    Parameters
    ----------
    results : sequence of FitResult
    terms : SurfaceTerms
        Their coefficients.
    dish : ComparedDish

    Returns
    -------
    tuple of Remark
    """
    labels = letters(len(results))
    found = [
        *_opposite_signs(labels, terms, dish),
        *_same_data(labels, results),
        *_verdicts(labels, results),
        *_telescopes(labels, results),
        *_corrections(labels, results),
        *_elevations(labels, results),
        *_terms(labels, terms),
    ]
    return tuple(Remark(code, one_line(message)) for code, message in found)


Found = Iterable[tuple[str, str]]


def _opposite_signs(labels: Sequence[str], terms: SurfaceTerms, dish: ComparedDish) -> Found:
    """Find results whose twin is nearer to the first result than they are themselves.

    Focus stays out: it changes between observations, and its sign with it.
    """
    compared = terms.kept(terms.common & ~terms.focus)
    turned = np.array([-1.0 if term.n % 2 == 0 else 1.0 for term in terms.terms])
    values, covariances = compared.values_um, compared.covariances_um2

    def is_opposite(number: int) -> bool:
        covariance = covariances[0] + covariances[number]
        as_it_is = rms_over_dish(values[0] - values[number], covariance, dish.gram)
        as_twin = rms_over_dish(values[0] - turned * values[number], covariance, dish.gram)
        far = as_it_is.rms_um > _TWIN_FROM * as_it_is.expected_um
        return far and as_twin.rms_um < _TWIN_LEAVES * as_it_is.rms_um

    opposite = [labels[number] for number in range(1, len(labels)) if is_opposite(number)]
    if opposite:
        rest = [label for label in labels if label not in opposite]
        fewer, others = sorted((opposite, rest), key=len)
        of_others = f"those of {_listed(others)}" if len(others) <= _MOST_LISTED else "all others"
        yield (
            "opposite-signs",
            f"the even orders of {_listed(fewer)} have the opposite sign of {of_others}, the odd ones agree: that is "
            "what a wrong sign of dz does, in one or the other; check the sign of dz in the data",
        )


def _same_data(labels: Sequence[str], results: Sequence[FitResult]) -> Found:
    pairs = [
        f"{labels[first]} and {labels[second]}"
        for first, second in combinations(range(len(results)), 2)
        if _share_data(results[first], results[second])
    ]
    if pairs:
        yield (
            "same-data",
            f"{_few(pairs)} share data, so they are not independent: noise that both have cancels, the "
            "errors of the difference are too large, z-scores and chi2 too small; what differs is due to how they were "
            "fitted",
        )


def _share_data(first: FitResult, second: FitResult) -> bool:
    """Whether two results hold a map in common, or come from one file at one wavelength."""
    hashes = {source.sha256 for source in first.sources} & {source.sha256 for source in second.sources}
    # One file may hold several bands, each with noise of its own.
    if hashes and math.isclose(first.wavelength_m, second.wavelength_m, rel_tol=_SAME_WAVELENGTH):
        return True
    return any(
        mine.observed.size > 0 and np.array_equal(mine.observed, theirs.observed, equal_nan=True)
        for mine in first.map_arrays
        for theirs in second.map_arrays
    )


def _verdicts(labels: Sequence[str], results: Sequence[FitResult]) -> Found:
    for label, result in zip(labels, results, strict=True):
        if result.status != "ok":
            word = "failed" if result.status == "failed" else result.verdict
            codes = ", ".join(result.serious_codes) or "no flags"
            yield "verdict", f"{label} is to be looked at before it is used: {word}, {codes}"


def _telescopes(labels: Sequence[str], results: Sequence[FitResult]) -> Found:
    first = results[0].telescope
    other = [
        label
        for label, result in zip(labels, results, strict=True)
        if (result.telescope.geometry, result.telescope.blockage, result.telescope.illumination.kind)
        != (first.geometry, first.blockage, first.illumination.kind)
    ]
    if other:
        yield (
            "telescope-differs",
            f"{_listed(other)} and {labels[0]} were fitted with different descriptions of the telescope: part of a "
            "difference may come from that",
        )


def _corrections(labels: Sequence[str], results: Sequence[FitResult]) -> Found:
    applied = [result.observing.applied for result in results]
    corrected = [label for label, one in zip(labels, applied, strict=True) if one is not None]
    if not corrected:
        return
    first = applied[0]
    same = all(one is not None and first is not None and one.takes_the_same(first) for one in applied)
    if same and len({result.wavelength_m for result in results}) == 1:
        yield (
            "corrections",
            "all were observed with the same correction on the dish; compared are the surfaces without it",
        )
        return
    yield (
        "corrections",
        f"{_listed(corrected)} {'was' if len(corrected) == 1 else 'were'} observed with a correction on the dish, not "
        "the same for all; compared are the surfaces that the dish has without any",
    )


def _elevations(labels: Sequence[str], results: Sequence[FitResult]) -> Found:
    known = [
        (math.degrees(result.elevation_rad), label)
        for label, result in zip(labels, results, strict=True)
        if result.elevation_rad is not None
    ]
    if len(known) < 2:
        return
    (low, lowest), (high, highest) = min(known), max(known)
    if high - low > _MOST_ELEVATION_DEG:
        yield (
            "elevations",
            f"the elevations go from {low:.0f} deg ({lowest}) to {high:.0f} deg ({highest}): the dish deforms with "
            "elevation, and a difference may be that of gravity",
        )


def _terms(labels: Sequence[str], terms: SurfaceTerms) -> Found:
    partial = ~terms.common
    if partial.any():
        having = [label for label, has in zip(labels, terms.present[:, partial], strict=True) if has.any()]
        how = (
            "in the difference they count as zero in the other result"
            if len(labels) == 2
            else "they are left out of the mean and the scatter"
        )
        yield "terms-differ", f"not all have the terms {_names(terms, partial)} (only {_listed(having)}): {how}"
    held = terms.common & ~terms.tested
    if held.any():
        yield "terms-held", f"{_names(terms, held)} was not fitted in all results: no test is made of it"


def _names(terms: SurfaceTerms, which: BoolArray) -> str:
    return _few([term.label for term, wanted in zip(terms.terms, which, strict=True) if wanted])


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _few(words: Sequence[str], most: int = 12) -> str:
    """List words, and say how many more there are."""
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")
