"""How the search for the minimum ended, and how well it is determined."""

from __future__ import annotations

import math
from collections.abc import Iterator

from oofpy.fitting.result import FitResult
from oofpy.fitting.status import FitStatus
from oofpy.flags import Flag, raised
from oofpy.limits import Limits

_MOST_NAMED_PAIRS = 4


def not_converged(result: FitResult, _: Limits) -> Iterator[Flag]:
    """Flag a fit that did not reach a minimum."""
    status = result.fit.status
    if status is not FitStatus.CONVERGED:
        yield Flag("not-converged", f"order {result.fit.order}: {status.value}: {status.advice}")


def parameter_at_bound(result: FitResult, _: Limits) -> Iterator[Flag]:
    """Flag every parameter that the fit pressed against a bound."""
    fit = result.fit
    found = [f"{c.name} = {c.phase_rad:g} rad" for c in fit.coefficients if c.at_bound]
    found += [f"{p.name} = {p.value:g} {p.unit}".strip() for p in fit.parameters if p.at_bound]
    for described in found:
        yield raised("parameter-at-bound", f"{described} lies at its bound")


def other_minimum(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Judge two starts that ended apart: a flag where the data hardly prefer one."""
    fit = result.fit
    if math.isnan(fit.rival_log_likelihood) or fit.rival_distance_rad < limits.rival_distance_rad:
        return
    if fit.rival_log_likelihood < limits.rival_log_likelihood:
        yield raised(
            "competing-minimum",
            f"another surface, {fit.rival_distance_rad:.2f} rad away in one term, fits almost as well (log-likelihood "
            f"lower by {fit.rival_log_likelihood:.1f})",
        )
    else:
        yield Flag(
            "start-trapped",
            f"the other start than '{fit.start}' ended in a worse minimum (log-likelihood lower by "
            f"{fit.rival_log_likelihood:.0f}) and was dropped",
        )


def ill_conditioned(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Flag a covariance that leaves combinations of parameters all but free."""
    number = result.fit.condition_number
    if number > limits.most_condition_number:
        yield raised("ill-conditioned", f"the correlations have a condition number of {number:.2g}")


def degenerate_pair(result: FitResult, limits: Limits) -> Iterator[Flag]:
    """Note all pairs that are hardly told apart, the worst of them by name."""
    pairs = result.fit.degenerate_pairs(limits.least_correlation)
    if pairs:
        named = ", ".join(
            f"{first} and {second} ({correlation:+.3f})" for first, second, correlation in pairs[:_MOST_NAMED_PAIRS]
        )
        others = f" and {len(pairs) - _MOST_NAMED_PAIRS} more pairs" if len(pairs) > _MOST_NAMED_PAIRS else ""
        yield raised("degenerate-pair", f"hardly told apart (correlation): {named}{others}")


RULES = (not_converged, parameter_at_bound, other_minimum, ill_conditioned, degenerate_pair)
