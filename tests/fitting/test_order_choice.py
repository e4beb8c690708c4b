"""Orders made from a fit by hand, of which only cost, error and number of parameters matter."""

import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.order_choice import bic_above_least, choose_order, settled, with_common_count
from oofpy.fitting.status import FitStatus

OPEN, CONVERGED = FitStatus.EVALUATION_LIMIT, FitStatus.CONVERGED


@pytest.fixture
def ladder(made_result):
    """Orders from 2 with these costs and effective samples; three free parameters more each."""

    def build(costs, effective, open_orders=()):
        return [
            replace(
                made_result.fit,
                order=order,
                cost=cost,
                bic=math.nan,
                effective_samples=samples,
                covariance_names=tuple("abcdefghijklmnopqrstuvwxyz"[: 3 * order]),
                status=OPEN if order in open_orders else CONVERGED,
            )
            for order, (cost, samples) in enumerate(zip(costs, effective, strict=True), start=2)
        ]

    return build


def samples_of(fit):
    return sum(fitted.samples for fitted in fit.maps)


def cost_for(fit, effective, gain):
    """Drop of the cost by which the BIC falls by this, beyond what three parameters more take."""
    return (gain + 3 * math.log(effective)) * samples_of(fit) / (2 * effective)


def with_gains(ladder, gains, effective, **more):
    """Orders each of which has a BIC lower by these than the order below, in this number of effective samples."""
    [first] = ladder([0.0], [effective])
    costs = np.concatenate([[0.0], -np.cumsum([cost_for(first, effective, gain) for gain in gains])])
    return ladder(costs, [effective] * len(costs), **more)


def test_bic_counts_every_order_in_the_effective_samples_of_the_highest(ladder):
    orders = ladder([900.0, 700.0, 400.0], [20.0, 50.0, 80.0])
    samples = samples_of(orders[0])
    wanted = [2 * cost * 80 / samples + 3 * order * math.log(80) for order, cost in ((2, 900), (3, 700), (4, 400))]
    assert [fit.bic for fit in with_common_count(orders)] == pytest.approx(wanted, rel=1e-12)


def test_highest_is_that_which_converged_or_of_all_where_none_did(ladder):
    counts = {}
    for opened in ((), (4,), (3, 4), (2, 3, 4)):
        first = with_common_count(ladder([0.0, 0.0, 0.0], [20.0, 50.0, 80.0], opened))[0]
        counts[opened] = math.exp(first.bic / 6)
    assert counts == pytest.approx({(): 80, (4,): 50, (3, 4): 20, (2, 3, 4): 80})


def test_lowest_order_that_is_not_beaten_decisively_is_chosen(ladder):
    assert choose_order(with_gains(ladder, [30.0, 9.9], 100.0)) == 3
    assert choose_order(with_gains(ladder, [30.0, 10.1], 100.0)) == 4
    assert choose_order(with_gains(ladder, [6.0, 6.0], 100.0)) == 3
    assert choose_order(with_gains(ladder, [-1.0, -2.0], 100.0)) == 2
    assert choose_order(with_gains(ladder, [], 100.0)) == 2


def test_an_order_that_did_not_converge_is_not_chosen(ladder):
    assert choose_order(with_gains(ladder, [30.0, 30.0], 100.0, open_orders=(4,))) == 3
    assert choose_order(with_gains(ladder, [30.0, 30.0], 100.0, open_orders=(2, 3, 4))) == 4


def test_choice_is_the_same_with_the_count_in_common(ladder):
    orders = ladder([900.0, 700.0, 400.0, 10.0, 9.0], [20.0, 40.0, 60.0, 80.0, 100.0], open_orders=(2, 3))
    assert choose_order(with_common_count(orders)) == choose_order(orders)


def test_bic_is_given_above_the_least_that_converged(made_result):
    orders = [
        replace(made_result.fit, bic=bic, status=status)
        for bic, status in ((70.0, OPEN), (20.0, CONVERGED), (35.5, CONVERGED), (12.0, OPEN))
    ]
    assert bic_above_least(orders) == (50.0, 0.0, 15.5, -8.0)
    assert bic_above_least([orders[0], orders[3]]) == (58.0, 0.0)


def test_ladder_ends_where_neither_surface_nor_fit_changes(ladder):
    """The second order differs from the first by one coefficient, in units of its error."""

    def changed(gain, errors):
        before, after = with_gains(ladder, [gain], 100.0)
        first = replace(before.coefficients[0], phase_rad_error=0.02)
        before = replace(before, coefficients=(first,))
        return [before, replace(after, coefficients=(replace(first, phase_rad=first.phase_rad + errors * 0.02),))]

    assert settled(changed(9.0, 0.9))
    assert not settled(changed(11.0, 0.9))
    assert not settled(changed(9.0, 1.1))
    assert not settled(changed(9.0, 0.9)[:1])
