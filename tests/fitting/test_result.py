from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from oofpy.fitting.status import FitStatus
from oofpy.flags import Flag


def test_the_fit_is_that_of_the_chosen_order(made_result):
    assert made_result.fit is made_result.orders[1]
    assert replace(made_result, chosen_order=2).fit is made_result.orders[0]


def test_only_serious_flags_count(made_result):
    assert made_result.status == "flagged"
    notes = tuple(flag for flag in made_result.flags if not flag.serious)
    assert notes
    assert replace(made_result, flags=notes).status == "ok"
    assert replace(made_result, flags=()).status == "ok"


def test_a_fit_without_a_finite_cost_failed(made_result):
    broken = replace(made_result.orders[1], status=FitStatus.NOT_FINITE)
    failed = replace(made_result, orders=(made_result.orders[0], broken), flags=(Flag("note", "a note", False),))
    assert failed.status == "failed"


@pytest.mark.parametrize("status", [FitStatus.EVALUATION_LIMIT, FitStatus.STALLED])
def test_an_early_end_is_no_failure_by_itself(made_result, status):
    early = replace(made_result.orders[1], status=status)
    assert replace(made_result, orders=(made_result.orders[0], early), flags=()).status == "ok"


def test_residual_is_data_minus_model(made_result):
    arrays = made_result.map_arrays[0]
    np.testing.assert_array_equal(arrays.residual, arrays.observed - arrays.model)


def test_results_do_not_change(made_result):
    with pytest.raises(FrozenInstanceError):
        made_result.chosen_order = 2
