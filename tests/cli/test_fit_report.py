import math
from dataclasses import replace

import numpy as np

from oofpy.cli.fit_report import report_of
from oofpy.observing import AppliedCorrection, Chop, Observing


def line_of(lines, start):
    return next(line for line in lines if line.startswith(start))


def test_coefficients_with_their_error_and_rms(made_result):
    lines = report_of(made_result)
    header = line_of(lines, "coefficient").split()
    assert header == ["coefficient", "rad", "error", "um", "rms"]
    focus = line_of(lines, "Z(2,0) focus").split()
    wanted_um = 1.2 / math.sqrt(3) * made_result.wavelength_m / (4 * math.pi) * 1e6
    assert focus[2:4] == ["-1.20000", "0.00500"]
    assert float(focus[4]) == round(wanted_um, 2)
    assert sum(line.startswith("Z(") for line in lines) == len(made_result.fit.coefficients)


def test_maps_in_millimetres_and_arcseconds(made_result):
    lines = report_of(made_result)
    second = line_of(lines, "2 Karte µ").split()[3:]
    assert second[0] == "+0"
    assert float(second[3]) == round(1e-4 * 648000 / math.pi, 2)
    assert float(second[4]) == round(-5e-5 * 648000 / math.pi, 2)
    assert second[1] == f"{np.nanmax(made_result.map_arrays[1].observed):.4g}"
    assert line_of(lines, "1 MINUS OOF").split()[3] == "-27"


def test_parameters_that_were_fitted(made_result):
    lines = report_of(made_result)
    assert line_of(lines, "edge_taper_db") == "edge_taper_db = -1.729 +- 0.31 dB (at its bound)"
    assert line_of(lines, "ellipticity_p") == "ellipticity_p = 0.1 +- -"
    assert not any(line.startswith(("illumination_x_m", "pointing")) for line in lines)


def test_gain_ratio_of_a_chop_is_shown_with_a_chop_only(made_result):
    last = made_result.fit
    ratio = replace(last.parameters[0], name="chop_gain_ratio", value=1.0, unit="", free=False, at_bound=False)
    orders = (*made_result.orders[:-1], replace(last, parameters=(*last.parameters, ratio)))
    plain = replace(made_result, orders=orders, observing=Observing())
    assert not any(line.startswith("chop_gain_ratio") for line in report_of(plain))
    chopped = replace(plain, observing=Observing(chop=Chop(1e-4, 0.0)))
    assert line_of(report_of(chopped), "chop_gain_ratio") == "chop_gain_ratio = 1 (fixed)"


def test_surface_as_observed_is_shown_with_a_correction_only(made_result):
    shown = "  as observed, with the correction that was on it, "
    plain = replace(made_result, observing=Observing())
    assert not any(line.startswith(shown) for line in report_of(plain))
    corrected = replace(plain, observing=Observing(applied=AppliedCorrection(((2, 0, 0.1),))))
    rms_um = corrected.fit.surface.rms_as_observed_um
    assert line_of(report_of(corrected), shown) == f"{shown}{rms_um:.2f} um"


def test_efficiency_and_focus_are_called_as_observed_with_a_correction_only(made_result):
    plain = report_of(replace(made_result, observing=Observing()))
    corrected = report_of(replace(made_result, observing=Observing(applied=AppliedCorrection(((2, 0, 0.1),)))))
    for start in ("  efficiency", "focus error"):
        assert "as observed" not in line_of(plain, start)
        assert line_of(corrected, start) == line_of(plain, start).replace(start, f"{start} as observed")


def test_surface_conventions_and_flags(made_result):
    lines = report_of(made_result)
    assert line_of(lines, "surface rms").startswith("surface rms without the correction 170.77 +- 21.70 um")
    plain = report_of(replace(made_result, observing=Observing()))
    assert line_of(plain, "surface rms").startswith("surface rms 170.77 +- 21.70 um")
    expected = "focus error as observed dz = -2.1000 +- 0.4000 mm (a move by minus this corrects it)"
    assert line_of(lines, "focus error") == expected
    conventions = [line for line in lines if line.startswith("convention (")]
    assert "dz > 0" in conventions[0]
    assert "metal below the ideal surface" in conventions[1]
    assert line_of(lines, "check source-off-centre: map 2")
    assert line_of(lines, "note file-odd: a note")


def test_order_that_was_chosen(made_result):
    lines = report_of(made_result)
    assert "order 3 (chosen by auto), student-t: converged after 33 evaluations in 0.37 s on cpu" in lines[1]
    asked = replace(made_result, settings=replace(made_result.settings, order=3))
    assert "order 3, student-t" in report_of(asked)[1]


def test_text_from_files_cannot_move_the_cursor(made_result):
    arrays = (replace(made_result.map_arrays[0], label="\x1b[2Jx\n"), *made_result.map_arrays[1:])
    lines = report_of(replace(made_result, map_arrays=arrays))
    assert line_of(lines, "1 ?[2Jx ")
    assert all(line.isprintable() for line in lines)
