"""Compare results of one dish: the difference of two, the repeatability of several."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from oofpy.comparison.dish import ComparedDish, SurfaceTerms
from oofpy.comparison.remarks import remarks_on
from oofpy.comparison.statistics import chi2_about_mean, chi2_of, rms_over_dish, scatter_over_dish
from oofpy.comparison.values import (
    NO_TEST,
    BoolArray,
    Comparison,
    Difference,
    DifferenceView,
    FloatArray,
    Repeatability,
    ScatterView,
    ViewName,
)
from oofpy.errors import UsageError, one_line
from oofpy.fitting.result import FitResult

_SAME_RADIUS = 1e-6


def compare(results: Sequence[FitResult], names: Sequence[str] | None = None) -> Comparison:
    """Compare results of one dish, at any wavelengths and orders.

    Parameters
    ----------
    results : sequence of FitResult
        Two or more, each at its chosen order. Of two the difference is taken, first minus second; three and more are
        held against their mean. They count as independent of each other; a remark says where they are not.
    names : sequence of str, optional
        What to call them, in the same order; the names of the observations if left out. Names that come again get
        a number: `night`, `night#2`.

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        With fewer than two results, with another number of names, or if the telescopes differ in name or dish radius.
    """
    if len(results) < 2:
        raise UsageError("two or more results are needed for a comparison", key="results", value=len(results))
    if names is not None and len(names) != len(results):
        raise UsageError(f"{len(names)} names are given for {len(results)} results", key="names")
    told_apart = _told_apart([result.name for result in results] if names is None else names)
    _require_one_dish(results, told_apart)
    terms = SurfaceTerms.of(results)
    dish = ComparedDish(results[0], terms.terms)
    without_focus = terms.kept(~terms.focus)
    pair = len(results) == 2
    return Comparison(
        names=told_apart,
        results=tuple(results),
        terms=terms.terms,
        values_um=np.where(terms.present, terms.values_um, np.nan),
        errors_um=np.where(terms.present, terms.errors_um, np.nan),
        tested=terms.tested,
        axis_m=dish.axis_m,
        surfaces_um=dish.surface(terms.values_um),
        surfaces_without_focus_um=dish.surface(without_focus.values_um),
        difference=_difference(terms, dish) if pair else None,
        repeatability=None if pair else _repeatability(terms, dish),
        remarks=remarks_on(results, terms, dish),
    )


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Number the names that come again."""
    found: list[str] = []
    for name in map(one_line, names):
        number, unused = 1, name
        while unused in found:
            number += 1
            unused = f"{name}#{number}"
        found.append(unused)
    return tuple(found)


def _require_one_dish(results: Sequence[FitResult], names: Sequence[str]) -> None:
    first = results[0].telescope
    for other, name in zip(results[1:], names[1:], strict=True):
        telescope = other.telescope
        radii = first.geometry.dish_radius_m, telescope.geometry.dish_radius_m
        if telescope.name == first.name and math.isclose(*radii, rel_tol=_SAME_RADIUS):
            continue
        raise UsageError(
            f"the results are of different dishes: {names[0]} is of {first.name} with a radius of {radii[0]:.6g} m, "
            f"{name} of {telescope.name} with {radii[1]:.6g} m",
            key="telescope",
            remedy="compare results of one telescope",
        )


def _views(terms: SurfaceTerms) -> dict[ViewName, SurfaceTerms]:
    return {"with focus": terms, "without focus": terms.kept(~terms.focus)}


def _difference(terms: SurfaceTerms, dish: ComparedDish) -> Difference:
    values = terms.values_um[0] - terms.values_um[1]
    errors = np.sqrt((terms.errors_um**2).sum(axis=0))
    common = terms.kept(terms.common)
    return Difference(
        values_um=values,
        errors_um=errors,
        z=np.where(terms.tested, _over(values, errors), np.nan),
        views=tuple(_difference_view(name, view, dish) for name, view in _views(terms).items()),
        common=rms_over_dish(common.values_um[0] - common.values_um[1], common.covariances_um2.sum(axis=0), dish.gram),
    )


def _difference_view(name: ViewName, terms: SurfaceTerms, dish: ComparedDish) -> DifferenceView:
    values, covariance = terms.values_um[0] - terms.values_um[1], terms.covariances_um2.sum(axis=0)
    difference, error = dish.surface(values), dish.standard_error(covariance)
    tested = np.flatnonzero(terms.tested)
    return DifferenceView(
        name=name,
        map_um=difference,
        error_um=error,
        significance=np.abs(_over(difference, error)),
        dish=rms_over_dish(values, covariance, dish.gram),
        chi2=chi2_of(values[tested], covariance[np.ix_(tested, tested)]),
    )


def _repeatability(terms: SurfaceTerms, dish: ComparedDish) -> Repeatability:
    tested, common = terms.tested, terms.kept(terms.common)
    share = _shares(terms.errors_um, tested)
    mean = (share * common.values_um).sum(axis=0)
    mean_errors = np.sqrt((share**2 * common.errors_um**2).sum(axis=0))
    covariances = _covariances_from_mean(common.covariances_um2, share)
    errors = np.sqrt(np.clip(np.diagonal(covariances, axis1=1, axis2=2), 0, None))
    return Repeatability(
        mean_um=np.where(terms.common, mean, np.nan),
        mean_errors_um=np.where(tested, mean_errors, np.nan),
        pulls=np.where(tested, _over(common.values_um - mean, errors), np.nan),
        scatter_um=np.where(terms.common, common.values_um.std(axis=0, ddof=1), np.nan),
        predicted_um=np.where(tested, np.sqrt((common.errors_um**2).mean(axis=0)), np.nan),
        chi2=tuple(
            chi2_about_mean(common.values_um[:, [place]], common.covariances_um2[:, [place]][:, :, [place]])
            if is_tested
            else NO_TEST
            for place, is_tested in enumerate(tested)
        ),
        views=tuple(_scatter_view(name, view, share, dish) for name, view in _views(common).items()),
    )


def _shares(errors: FloatArray, tested: BoolArray) -> FloatArray:
    """Weights of the results in the mean of each term: inverse variances, equal where a term was held."""
    weights = np.ones_like(errors)
    weights[:, tested] = (errors[:, tested].min(axis=0) / errors[:, tested]) ** 2
    return np.asarray(weights / weights.sum(axis=0))


def _covariances_from_mean(covariances: FloatArray, share: FloatArray) -> FloatArray:
    """Covariance of each result minus the mean, of which it is a part itself; shape (results, terms, terms)."""
    of_mean = np.einsum("ki,kij,kj->ij", share, covariances, share)
    mixed = covariances * share[:, None, :]
    return np.asarray(covariances - mixed - mixed.swapaxes(1, 2) + of_mean)


def _scatter_view(name: ViewName, terms: SurfaceTerms, share: FloatArray, dish: ComparedDish) -> ScatterView:
    tested = np.flatnonzero(terms.tested)
    covariances = terms.covariances_um2
    from_mean = terms.values_um - (share * terms.values_um).sum(axis=0)
    covariances_from_mean = _covariances_from_mean(covariances, share)
    return ScatterView(
        name=name,
        scatter_um=dish.surface(terms.values_um).std(axis=0, ddof=1),
        predicted_um=dish.standard_error(covariances.mean(axis=0)),
        dish=scatter_over_dish(terms.values_um, covariances, dish.gram),
        deviations_um=dish.surface(from_mean),
        deviations=tuple(
            rms_over_dish(values, covariance, dish.gram)
            for values, covariance in zip(from_mean, covariances_from_mean, strict=True)
        ),
        chi2=chi2_about_mean(terms.values_um[:, tested], covariances[:, tested][:, :, tested]),
    )


def _over(values: FloatArray, errors: FloatArray) -> FloatArray:
    """Divide by errors; NaN where there is none."""
    with np.errstate(invalid="ignore"):
        known = errors > 0
    quotient: FloatArray = np.divide(values, errors, out=np.full(np.shape(values), np.nan), where=known)
    return quotient
