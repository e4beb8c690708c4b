import math
from dataclasses import replace

import pytest

from oofpy.fitting.settings import FitSettings
from oofpy.limits import Limits
from oofpy.observing import Observing
from oofpy.report.fit_content import efficiency_table, fit_content


def test_the_numbers_seen_first_are_those_of_the_result(made_result):
    shown = {entry.name: entry for entry in fit_content(made_result).numbers}
    rms = shown["surface rms, half path, without the correction"]
    assert rms.value == "171 \N{PLUS-MINUS SIGN} 22 \N{MICRO SIGN}m"
    assert rms.lines[1] == "unweighted 601, without focus 480.5 \N{MICRO SIGN}m"
    assert rms.lines[2] == "as observed, with the correction on it, 530.2 \N{MICRO SIGN}m"
    lost = shown["efficiency lost at 13.486 mm, as observed"]
    assert (lost.value, lost.lines) == ("19 %", ("efficiency 0.81 by Ruze, 0.83 exact",))
    assert shown["recommended move in focus, as observed"].value == "+2.10 \N{PLUS-MINUS SIGN} 0.40 mm"
    assert shown["signal to noise of the maps"].value == "37.1, infinite, 0.333"
    assert shown["order and likelihood"].value == "3, student-t"
    assert shown["order and likelihood"].lines[0] == "order chosen by BIC and the errors, up to 8"


def test_a_dish_without_a_correction_is_not_parted(made_result):
    content = fit_content(replace(made_result, observing=Observing(), settings=FitSettings(order=3)))
    words = " ".join((*(entry.name for entry in content.numbers), *content.remarks))
    assert "observed" not in words
    assert "correction" not in words
    assert content.numbers[4].lines[0] == "order as given"


def test_the_correction_on_the_dish_is_told(made_result):
    assert any("without it; the rms as observed, the efficiencies" in line for line in fit_content(made_result).remarks)


def test_efficiency_at_other_wavelengths(made_result):
    """Ruze's of the dish as it was observed; at four times the wavelength the phase is a quarter."""
    surface = replace(made_result.fit.surface, rms_as_observed_um=200.0)
    result = replace(made_result, orders=(made_result.orders[0], replace(made_result.fit, surface=surface)))
    table = efficiency_table(result, (1e-3, 4e-3))
    assert [row[0] for row in table.rows] == ["13.486 mm (of the maps)", "1 mm", "4 mm"]
    assert table.rows[0][2:] == ("0.8100", "19 %", "0.8300")
    short, long = (float(row[2]) for row in table.rows[1:])
    assert short == pytest.approx(math.exp(-((4 * math.pi * 0.2) ** 2)), abs=5e-5)
    assert long == pytest.approx(math.exp(-((math.pi * 0.2) ** 2)), abs=5e-5)
    assert table.rows[2][1] == "74.948 GHz"


def test_caution_before_the_corrections(made_result):
    assert fit_content(made_result).remarks[0].startswith("Look at the flags")
    assert "flags" not in fit_content(replace(made_result, flags=())).remarks[0]


def test_other_limits_than_those_of_the_fit_are_told(made_result):
    settings = replace(made_result.settings, limits=Limits(most_reduced_chi2=9, most_surface_rms_m=1e-4))
    content = fit_content(replace(made_result, settings=settings, flags=()), as_fitted=made_result)
    assert content.judged_anew == (
        f"most_reduced_chi2 = 9 (fit: {Limits().most_reduced_chi2:g})",
        "most_surface_rms_m = 0.0001 (fit: none)",
    )
    assert (content.verdict.word, content.stored_verdict) == ("accept", "check (source-off-centre)")
    assert fit_content(made_result, as_fitted=made_result).judged_anew == ()


@pytest.mark.parametrize("corrected", [True, False])
def test_every_rms_says_of_which_dish_it_is(made_result, corrected):
    content = fit_content(made_result if corrected else replace(made_result, observing=Observing()))
    for table in (content.orders, content.left_out):
        assert ("rms is of the dish without the correction" in table.note) == corrected


def test_the_pointing_is_seen_with_its_error(made_result):
    shown = {entry.name: entry.value for entry in fit_content(made_result).numbers}
    right, _ = shown["recommended move of the telescope's axis"].split(", ")
    assert " \N{PLUS-MINUS SIGN} " in right
