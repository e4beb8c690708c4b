from dataclasses import replace

import numpy as np
import pytest

from oofpy.plots.map_rows import map_rows, row_name

ARCSEC = 648000 / np.pi


def resized(result, *factors):
    arrays = tuple(
        replace(one, u_rad=factor * one.u_rad, v_rad=factor * one.v_rad)
        for one, factor in zip(result.map_arrays, factors, strict=True)
    )
    return replace(result, map_arrays=arrays)


def test_limits_hold_every_map(made_result):
    rows = map_rows(resized(made_result, 0.5, 2.0, 1.0), 2.0)
    np.testing.assert_allclose(rows.limits, 12e-4 * (1 + 1 / 24) * np.array([-1, 1, -1, 1]) * ARCSEC)
    assert rows.unit == "arcsec"
    assert rows.panel_in == pytest.approx((2.0, 2.0))


def test_large_maps_are_in_milliradians(made_result):
    rows = map_rows(resized(made_result, 1.0, 100.0, 1.0), 2.0)
    assert (rows.unit, rows.per_rad) == ("mrad", 1e3)
    assert rows.limits[1] == pytest.approx(60 * (1 + 1 / 24))


def test_panels_are_as_high_as_the_maps_but_no_stripes(made_result):
    flat = tuple(replace(one, v_rad=0.6 * one.v_rad) for one in made_result.map_arrays)
    assert map_rows(replace(made_result, map_arrays=flat), 2.0).panel_in == pytest.approx((2.0, 1.2))
    line = tuple(replace(one, v_rad=0.01 * one.v_rad) for one in made_result.map_arrays)
    assert map_rows(replace(made_result, map_arrays=line), 2.0).panel_in == pytest.approx((2.0, 0.8))


def test_height_grows_with_the_number_of_maps(made_result):
    two = replace(made_result, map_arrays=made_result.map_arrays[:2])
    grown = map_rows(made_result, 2.0).height_in - map_rows(two, 2.0).height_in
    assert grown == pytest.approx(map_rows(two, 2.0).row_in)


def test_maps_are_named_by_number_label_and_dz(made_result):
    assert row_name(made_result, 0) == "map 1   MINUS OOF   dz -27 mm"
    assert row_name(made_result, 1) == "map 2   Karte µ   dz 0 mm"
    assert row_name(made_result, 2) == "map 3   dz +27 mm"
    long = replace(made_result.map_arrays[2], label="x" * 30 + "\nend")
    name = row_name(replace(made_result, map_arrays=(*made_result.map_arrays[:2], long)), 2)
    assert "\n" not in name
    assert len(name) < 50
