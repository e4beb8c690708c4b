import json
import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.status import FitStatus
from oofpy.io.result_summary import coefficient_table, summary

KEYS = {
    "observation": {"name", "telescope", "wavelength_m", "dz_m", "elevation_deg", "object", "date"},
    "fit": {
        "order",
        "likelihood",
        "converged",
        "evaluations",
        "seconds",
        "reduced_chi2",
        "device",
        "dtype",
    },
    "surface": {"rms_um", "rms_um_error", "rms_unweighted_um", "rms_without_focus_um", "ruze_efficiency"},
}
ROW_KEYS = {
    "flags": {"code", "message"},
    "coefficients": {"n", "l", "name", "phase_rad", "phase_rad_error"},
    "parameters": {"name", "value", "error", "unit", "free"},
    "maps": {"dz_m", "gain", "background", "pointing_rad", "noise", "samples", "residual_rms_over_peak"},
}


def with_fit(result, **changes):
    """The result with other values at the chosen order."""
    return replace(
        result,
        orders=tuple(replace(fit, **changes) if fit.order == result.chosen_order else fit for fit in result.orders),
    )


def test_keys_and_values_are_those_of_the_result(made_result):
    found = summary(made_result)
    fit = made_result.fit
    for name, keys in KEYS.items():
        assert keys <= set(found[name])
    for name, keys in ROW_KEYS.items():
        assert found[name]
        assert all(keys <= set(row) for row in found[name])
    assert (found["status"], found["verdict"]) == ("flagged", "check")
    assert [(row["code"], row["level"]) for row in found["flags"]] == [
        ("source-off-centre", "check"),
        ("file-odd", "note"),
    ]
    assert [row["left_out"] for row in found["left_out_fits"]] == [1, 3]
    assert found["observation"]["dz_m"] == [-0.027, 0.0, 0.027]
    assert found["observation"]["elevation_deg"] is None
    assert found["fit"]["order"] == 3
    assert found["fit"]["seconds"] == fit.seconds
    assert found["fit"]["converged"] is True
    assert found["coefficients"][1]["phase_rad"] == fit.coefficients[1].phase_rad
    assert found["maps"][2]["pointing_rad"] == [2e-4, -5e-5]
    assert found["maps"][1]["label"] == "Karte µ"
    assert [row["order"] for row in found["orders"]] == [2, 3]
    pairs = {frozenset((pair["first"], pair["second"])): pair["correlation"] for pair in found["degenerate_pairs"]}
    assert pairs[frozenset(("Z(2,0)", "edge_taper_db"))] < -0.9
    assert found["inputs"] == [{"file": "data/beobachtung ü.fits", "sha256": "ab" * 32}]
    assert found["telescope"]["overrides"]["illumination.edge_taper"] == "-11 dB"
    assert "longer path" in found["conventions"]["phase"]


def test_it_is_strict_json_and_what_is_not_finite_is_null(made_result):
    broken = replace(made_result.fit.surface, rms_um=np.nan, rms_um_error=np.inf)
    result = with_fit(made_result, surface=broken, seconds=np.float64(0.1), evaluations=np.int64(7))
    found = json.loads(json.dumps(summary(result), allow_nan=False))
    assert found["surface"]["rms_um"] is None
    assert found["surface"]["rms_um_error"] is None
    assert found["surface"]["rms_unweighted_um"] == 601.0
    assert found["orders"][0]["reduced_chi2"] is None
    assert found["parameters"][3]["error"] is None
    assert found["settings"]["parameters"]["Z(2,0)"]["lower"] is None
    assert found["fit"]["evaluations"] == 7


@pytest.mark.parametrize("status", [FitStatus.STALLED, FitStatus.EVALUATION_LIMIT, FitStatus.NOT_FINITE])
def test_only_a_converged_fit_is_called_so(made_result, status):
    found = summary(with_fit(made_result, status=status))
    assert found["fit"]["converged"] is False
    assert found["fit"]["advice"] == status.advice
    assert found["status"] == ("failed" if status is FitStatus.NOT_FINITE else "flagged")


def test_elevation_is_in_degrees(named):
    assert summary(named(elevation_rad=math.pi / 3))["observation"]["elevation_deg"] == pytest.approx(60)


def test_coefficients_in_waves_and_as_surface(made_result):
    table = coefficient_table(made_result)
    focus = table[(table["n"] == 2) & (table["l"] == 0)][0]
    assert focus["osa_index"] == 4
    assert focus["phase_rad"] == -1.2 / 3 * 3
    assert focus["waves"] == pytest.approx(-1.2 / (2 * np.pi))
    # The rms of 2 r^2 - 1 over the disc is 1/sqrt(3).
    half_path_um = 1.2 / np.sqrt(3) * made_result.wavelength_m / (4 * np.pi) * 1e6
    assert focus["surface_rms_um"] == pytest.approx(half_path_um, rel=1e-12)
    assert table["phase_rad"].unit == "rad"
    assert table["surface_rms_um"].unit == "um"
    assert table.meta["order"] == 3
