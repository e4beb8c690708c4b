import math
from dataclasses import replace

import pytest

from oofpy.report import fit_tables


def column(table, name):
    place = [entry.name for entry in table.columns].index(name)
    return [row[place] for row in table.rows]


def test_coefficients_are_those_of_the_result(made_result):
    table = fit_tables.coefficient_table(made_result)
    fitted = made_result.fit.coefficients
    assert column(table, "name") == [one.name for one in fitted]
    assert [float(cell) for cell in column(table, "rad")] == pytest.approx([one.phase_rad for one in fitted], abs=5e-5)
    assert [float(cell) for cell in column(table, "waves")] == pytest.approx(
        [one.phase_rad / 2 / math.pi for one in fitted], abs=5e-6
    )
    # Half a wavelength of path a wave of surface; the rms of a term over the disc from its norm, written out.
    norms = [math.sqrt(2 * (one.n + 1) / (2 if one.l == 0 else 1)) for one in fitted]
    wanted = [
        abs(one.phase_rad) / norm * made_result.wavelength_m / (4 * math.pi) * 1e6
        for one, norm in zip(fitted, norms, strict=True)
    ]
    assert [float(cell) for cell in column(table, "\N{MICRO SIGN}m rms")] == pytest.approx(wanted, abs=0.06)
    assert column(table, "significance")[:2] == ["62", "240"]
    assert "without the correction" in table.note


def test_a_fixed_coefficient_has_no_error(made_result):
    first, *others = made_result.fit.coefficients
    held = replace(made_result.fit, coefficients=(replace(first, free=False), *others))
    result = replace(made_result, orders=(made_result.orders[0], held))
    table = fit_tables.coefficient_table(result)
    assert (column(table, "error")[0], column(table, "significance")[0]) == ("fixed", "-")


def test_parameters_without_those_of_the_maps(made_result):
    table = fit_tables.parameter_table(made_result)
    assert table.rows == (
        ("edge_taper_db", "-1.73", "0.31", "dB", "at its bound"),
        ("ellipticity_p", "0.1", "-", "", "fitted"),
    )
    assert table.note == "Fixed at zero: illumination_x_m."


def test_maps_with_pointing_and_signal(made_result):
    table = fit_tables.map_table(made_result)
    assert column(table, "map") == ["1 MINUS OOF", "2 Karte µ", "3"]
    assert column(table, "dz mm") == ["-27", "0", "+27"]
    assert column(table, "signal to noise") == ["37.1", "infinite", "0.333"]
    # 1e-4 rad and its error of 3e-7 rad in seconds of arc.
    assert column(table, "u arcsec") == ["0", "+20.626 \N{PLUS-MINUS SIGN} 0.062", "+41.25"]
    assert column(table, "v arcsec") == ["-10.31"] * 3
    assert column(table, "left out") == ["9"] * 3


def test_residuals_of_the_maps(made_result):
    table = fit_tables.residual_table(made_result)
    assert column(table, "down-weighted") == ["1.2 %"] * 3
    assert column(table, "correlation") == ["0.31"] * 3
    shown = [float(cell.removesuffix(" %")) for cell in column(table, "residual")]
    assert shown == pytest.approx([100 * one.residual_rms_over_peak for one in made_result.fit.maps], rel=5e-3)


def test_orders_with_how_they_ended(made_result):
    table = fit_tables.order_table(made_result)
    assert column(table, "order") == ["2", "3 (chosen)"]
    assert column(table, "rms \N{MICRO SIGN}m") == ["256 \N{PLUS-MINUS SIGN} 22", "171 \N{PLUS-MINUS SIGN} 22"]
    assert column(table, "reduced chi2") == ["infinite", "3.3"]
    assert column(table, "BIC") == ["4382.7", "2921.8"]


def test_fits_without_a_map_beside_the_full_one(made_result):
    without = made_result.left_out_fits[0]
    first, *others = without.coefficients
    moved = replace(without, coefficients=(replace(first, phase_rad=first.phase_rad + 0.1), *others))
    result = replace(made_result, left_out_fits=(moved, made_result.left_out_fits[1]))
    table = fit_tables.left_out_table(result)
    assert column(table, "fit") == ["all maps", "without map 1 MINUS OOF", "without map 3"]
    errors = [one.phase_rad_error**2 / (2 * (one.n + 1) / (2 if one.l == 0 else 1)) for one in without.coefficients]
    wanted = 0.1 / math.sqrt(6) / math.sqrt(sum(errors))
    assert column(table, "change")[0] == "-"
    assert float(column(table, "change")[1]) == pytest.approx(wanted, rel=5e-3)
    assert column(table, "change")[2] == "0"


def test_no_such_fits(made_result):
    assert fit_tables.left_out_table(replace(made_result, left_out_fits=())).rows == ()


def test_pairs_hardly_told_apart(made_result):
    table = fit_tables.degenerate_table(made_result)
    assert [row[:2] for row in table.rows] == [("Z(2,0)", "edge_taper_db")]
    assert float(table.rows[0][2]) < -0.9
