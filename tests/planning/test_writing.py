import json

import numpy as np
import pytest
from astropy.table import Table

from oofpy.errors import UsageError
from oofpy.planning import SampleNoise, SharedTime, plan_observation
from oofpy.planning.writing import summary, write_plan


@pytest.fixture(scope="module")
def plan(situation):
    planned = situation((2, 3))
    spacing = (0.5 * planned.beam_rad,)
    return plan_observation(planned, SharedTime(600, 100), dz_m=(20e-3, 50e-3, 120e-3), spacings_rad=spacing)


def test_everything_is_in_the_folder(plan, tmp_path):
    write_plan(plan, tmp_path / "plan", illustrate=lambda made, part: (part / "seen").write_text(made.merit))
    found = json.loads((tmp_path / "plan" / "plan.json").read_text())
    assert found == summary(plan)
    assert (tmp_path / "plan" / "seen").read_text() == "surface"
    table = Table.read(tmp_path / "plan" / "predictions.ecsv")
    assert len(table) == sum(len(curve.predictions) for curve in plan.curves)
    best = table[table["best"]]
    assert best["order"].tolist() == [2, 3]
    assert best["dz_m"].tolist() == [curve.best.dz_m for curve in plan.curves]
    assert str(table["focus_error_m"].unit) == "m"
    assert str(table["half_width_rad"].unit) == "rad"
    coefficients = Table.read(tmp_path / "plan" / "coefficients.ecsv")
    assert len(coefficients) == 3 + 7
    highest = coefficients[coefficients["order"] == 3]
    np.testing.assert_array_equal(highest["phase_rad_error"], plan.best.best.coefficient_errors_rad)
    assert str(highest["surface_um_error"].unit) == "um"
    assert any("10 min in all maps together" in line for line in coefficients.meta["assumptions"])


def test_summary_in_plain_values(plan):
    found = summary(plan)
    best = found["best"]
    assert best["surface_error_um"] == plan.best.best.surface_error_um
    assert best["seconds"] == 600
    assert best["samples"] == 3 * best["points"] ** 2
    assert best["defocus_m"] == [-best["dz_m"], 0.0, best["dz_m"]]
    assert best["coefficients"][0]["name"] == "Z(2,-2) astigmatism 45 deg"
    assert {one["name"] for one in best["parameters"]} >= {"edge_taper_db", "pointing_u_rad[3]"}
    assert [curve["order"] for curve in found["curves"]] == [2, 3]
    assert found["surface_rad"] is None


def test_an_unknown_time_is_none(situation, tmp_path):
    planned = situation((2,))
    plan = plan_observation(planned, SampleNoise(100), dz_m=(50e-3,), spacings_rad=(0.5 * planned.beam_rad,))
    assert summary(plan)["best"]["seconds"] is None
    write_plan(plan, tmp_path / "plan")
    assert Table.read(tmp_path / "plan" / "predictions.ecsv")["seconds"].mask.all()


def test_what_is_there_is_kept(plan, tmp_path):
    folder = tmp_path / "plan"
    folder.mkdir()
    (folder / "mine").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(UsageError):
            write_plan(plan, folder, overwrite=overwrite)
    assert [one.name for one in folder.iterdir()] == ["mine"]

    def fails(*_):
        raise UsageError("no figure")

    with pytest.raises(UsageError, match="no figure"):
        write_plan(plan, tmp_path / "new", illustrate=fails)
    assert not (tmp_path / "new").exists()
    write_plan(plan, tmp_path / "new")
    write_plan(plan, tmp_path / "new", overwrite=True)
