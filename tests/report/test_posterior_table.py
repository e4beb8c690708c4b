from dataclasses import replace

import pytest

from oofpy.report.posterior_table import posterior_table, posterior_words
from tests.made_posterior import NARROWER, WIDER, made_posterior


@pytest.fixture(scope="module")
def posterior(made_result):
    return made_posterior(made_result)


def cells(table, name):
    place = [column.name for column in table.columns].index(name)
    return {row[0]: row[place] for row in table.rows}


def test_errors_stand_beside_the_posterior(posterior, made_result):
    table = posterior_table(posterior)
    focus = next(one for one in posterior.parameters if one.name == WIDER)
    error = float(cells(table, "error")[WIDER])
    assert error == pytest.approx(focus.error, rel=0.05)
    assert float(cells(table, "deviation")[WIDER]) == pytest.approx(focus.standard_deviation, rel=0.05)
    assert float(cells(table, "over error")[WIDER]) == pytest.approx(focus.ratio, abs=0.005)
    assert float(cells(table, "fitted")[WIDER]) == pytest.approx(-1.2, abs=error)
    lower, median, upper = (float(cells(table, name)[WIDER]) for name in ("16 %", "median", "84 %"))
    assert (lower, median, upper) == pytest.approx((focus.lower, focus.median, focus.upper), abs=0.02 * error + 1e-4)
    assert [row[0] for row in table.rows][-1] == "focus error"
    assert cells(table, "unit")["focus error"] == "mm"
    assert float(cells(table, "fitted")["focus error"]) == pytest.approx(1e3 * made_result.fit.surface.best_focus_m)


def test_pointing_is_in_arcseconds(posterior):
    table = posterior_table(posterior)
    assert cells(table, "unit")["pointing_u[2]"] == "arcsec"
    assert float(cells(table, "fitted")["pointing_u[2]"]) == pytest.approx(20.626, abs=0.7)


def test_what_differs_is_marked_and_named(posterior):
    table = posterior_table(posterior)
    marked = [name for name, remark in cells(table, "remark").items() if remark == "differs"]
    assert {WIDER, NARROWER} <= set(marked)
    assert "Z(2,2)" not in marked
    assert f"{WIDER}, {NARROWER} differ from the error by more than a factor of 1.2" in table.note


def test_walk_and_shares_are_said(posterior):
    words = posterior_words(posterior)
    assert words.startswith("64 walkers, 400 steps each after the warm-up, 1234 effective samples or more")
    assert "the deviation is 0.61 to 1.83 of the error" in words
    assert "was multiplied by 0.61, for samples whose residuals move together (70.5, 1, 3.33 in the maps)" in words


def test_agreement_and_missing_convergence_are_said(posterior):
    agreeing = tuple(replace(one, standard_deviation=one.error) for one in posterior.parameters)
    words = posterior_words(
        replace(posterior, parameters=agreeing, status="not-converged", advice="40 steps are few: give more steps")
    )
    assert words.startswith("Not converged: 40 steps are few: give more steps. ")
    assert "Every deviation is within a factor of 1.2 of the error." in words


def test_without_a_posterior_there_are_no_rows():
    assert posterior_table(None).rows == ()
