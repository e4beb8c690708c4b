import json
from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table

from oofpy.errors import UsageError
from oofpy.gravity.files import read_gravity
from oofpy.gravity.results import LeftOut
from oofpy.gravity.two_step import fit_two_step
from oofpy.gravity.writing import residual_table, summary, write_gravity
from tests.made_gravity import made_fit


@pytest.fixture(scope="module")
def fit(make_series):
    return fit_two_step(make_series(1, count=20, far=2))


def test_folder_holds_model_residuals_and_summary(fit, tmp_path):
    folder = tmp_path / "model"
    write_gravity(fit, folder, left_out=[LeftOut("cloudy", "its fit failed")], two_step=fit)
    assert sorted(path.name for path in folder.iterdir()) == [
        "gravity.ecsv",
        "gravity.json",
        "residuals.ecsv",
        "two_step.ecsv",
    ]
    np.testing.assert_array_equal(read_gravity(folder).parameters_um, fit.model.parameters_um)
    plain = json.loads((folder / "gravity.json").read_text())
    assert plain["left_out"] == [{"name": "cloudy", "reason": "its fit failed"}]
    assert plain["outlying"] == ["scan00", "scan01"]
    assert plain["coefficients"][1]["b_um"] == fit.model.parameters_um[1, 1]
    assert plain["two_step"][1] == plain["coefficients"][1]


def test_residuals_stand_observation_by_observation(fit, tmp_path):
    table = residual_table(fit)
    assert len(table) == 20 * 7
    np.testing.assert_allclose(table["value_um"] - table["model_um"], table["residual_um"])
    first = table[table["observation"] == "scan00"]
    assert np.all(first["outlying"])
    assert np.all(first["weight"] < 0.5)
    assert not np.any(table[table["observation"] == "scan05"]["outlying"])
    assert str(table["residual_um"].unit) == "um"
    expected, _ = fit.model.coefficients_um(fit.series.samples[4].elevation_rad)
    np.testing.assert_allclose(table[table["observation"] == "scan04"]["model_um"], expected)
    table.write(tmp_path / "r.ecsv", format="ascii.ecsv")
    assert len(Table.read(tmp_path / "r.ecsv")) == len(table)


def test_unknown_numbers_are_null(fit):
    model = replace(fit.model, leave_one_out_um=np.full(7, np.nan))
    plain = summary(replace(fit, model=model))
    assert plain["coefficients"][0]["leave_one_out_um"] is None
    json.dumps(plain, allow_nan=False)


def test_nothing_is_left_of_a_failure(fit, tmp_path):
    def fail(*_):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_gravity(fit, tmp_path / "model", illustrate=fail)
    assert list(tmp_path.iterdir()) == []


def test_other_folders_are_not_replaced(fit, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match=r"holds no gravity\.ecsv"):
        write_gravity(fit, tmp_path / "mine", overwrite=True)
    write_gravity(fit, tmp_path / "model")
    with pytest.raises(UsageError, match="exists already"):
        write_gravity(fit, tmp_path / "model")
    write_gravity(fit, tmp_path / "model", overwrite=True)


def test_what_is_not_known_is_empty_in_the_file(tmp_path):
    known, unknown = made_fit(conditions=True), made_fit()
    half = [*known.series.samples[:12], *unknown.series.samples[12:]]
    write_gravity(replace(known, series=replace(known.series, samples=tuple(half))), tmp_path / "model")
    text = (tmp_path / "model" / "residuals.ecsv").read_text()
    assert "nan" not in text
    table = Table.read(text, format="ascii.ecsv")
    first = table["observation"] < "scan12"
    for name, unit in (("temperature_k", "K"), ("hour_angle_rad", "rad")):
        np.testing.assert_array_equal(np.ma.getmaskarray(table[name]), ~first)
        assert str(table[name].unit) == unit
