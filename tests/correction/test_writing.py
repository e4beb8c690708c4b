import json
import math
from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table

from oofpy.correction.layouts import LAYOUTS
from oofpy.correction.making import correct
from oofpy.correction.mirror import Mirror
from oofpy.correction.registry import FORMATS, read_moves, telescope_format
from oofpy.correction.values import CorrectionSettings
from oofpy.correction.writing import write_correction
from oofpy.errors import UsageError
from oofpy.io.applied import read_applied
from oofpy.observing import AppliedCorrection
from tests.correction.made_surfaces import WAVELENGTH_M, grid_of_points, points_at, rough, source_of, surface_of

PATH = CorrectionSettings(mirror=Mirror(along="path"))
X, Y = np.array([20.0, -15.0, 30.0, 70.0]), np.array([25.0, 20.0, -28.0, 0.0])


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def written(tmp_path, *surfaces, points=None, settings=PATH, **given):
    correction = correct(source_of(*surfaces), settings, points)
    folder = tmp_path / f"correction {len(list(tmp_path.iterdir()))}"
    write_correction(correction, folder, **given)
    return correction, folder


def test_the_table_says_everything_and_is_read_back(tmp_path):
    surfaces = [rough(seed=number, elevation_rad=math.radians(el)) for number, el in ((1, 30), (2, 60))]
    settings = replace(PATH, limits_um=(-100.0, 100.0), threshold_um=10.0, gain=0.9)
    correction, folder = written(tmp_path, *surfaces, points=points_at(X, Y), settings=settings)
    table = Table.read(folder / "correction.ecsv")
    assert len(table) == 8
    assert [table[name].unit for name in ("x", "increment_um", "total_um")] == ["m", "um", "um"]
    second = table[table["elevation_deg"] > 45]
    moves = correction.elevations[1].moves
    np.testing.assert_array_equal(second["increment_um"], moves.increment_um)
    np.testing.assert_array_equal(np.ma.filled(second["error_um"], np.nan), moves.error_um)
    assert list(second["status"]) == list(moves.status)
    assert np.ma.is_masked(second["error_um"][3])
    meta = table.meta
    assert meta["source"] == {"file": "result.fits", "sha256": "ab" * 32}
    assert meta["telescope"] == "effelsberg"
    assert meta["wavelength_m"] == WAVELENGTH_M
    assert meta["settings"]["gain"] == 0.9
    assert "> 0 moves the metal towards the reflecting side" in meta["conventions"]["sign"]
    back = read_moves(folder / "correction.ecsv")
    np.testing.assert_array_equal(back.at(points_at(X, Y), math.radians(60)), moves.total_um)


def test_an_unknown_elevation_is_left_open(tmp_path):
    correction, folder = written(tmp_path, rough(elevation_rad=None), points=points_at(X, Y))
    back = read_moves(folder / "correction.ecsv")
    np.testing.assert_array_equal(back.at(points_at(X, Y), 1.0), correction.elevations[0].moves.total_um)
    assert json.loads((folder / "correction.json").read_text())["elevations"][0]["elevation_deg"] is None


def test_an_old_table_is_added_to(tmp_path):
    _, folder = written(tmp_path, rough(), points=points_at(X, Y))
    old = read_moves(folder / "correction.ecsv")
    (at,) = correct(source_of(rough(seed=2)), PATH, points_at(X, Y), applied_moves=old).elevations
    new = correct(source_of(rough(seed=2)), PATH, points_at(X, Y)).elevations[0].moves
    np.testing.assert_allclose(at.moves.increment_um, new.increment_um)
    np.testing.assert_allclose(at.moves.total_um, new.increment_um + old.moves_um[0])


@pytest.mark.parametrize("wavelength_m", [WAVELENGTH_M, 9e-3])
def test_the_next_observation_knows_what_was_applied(tmp_path, wavelength_m):
    _, folder = written(tmp_path, rough(), points=points_at(X, Y))
    assert names_in(folder) == ["applied.ecsv", "correction.ecsv", "correction.json"]
    applied, _, flags = read_applied(folder / "applied.ecsv", wavelength_m)
    assert flags == ()
    again = rough(wavelength_m=wavelength_m, applied=applied)
    (at,) = correct(source_of(again), PATH, points_at(X, Y)).elevations
    np.testing.assert_allclose(at.moves.increment_um, 0, atol=1e-9)
    first = correct(source_of(rough()), PATH, points_at(X, Y)).elevations[0].moves
    np.testing.assert_allclose(at.moves.total_um, first.total_um, atol=1e-9)


def test_what_was_held_back_is_applied_as_an_image(tmp_path):
    surface = surface_of({(2, 2): 100.0, (3, -1): 50.0})
    settings = replace(PATH, limits_um=(-40.0, 40.0))
    correction, folder = written(tmp_path, surface, points=grid_of_points(), settings=settings)
    assert names_in(folder) == ["applied.fits", "correction.ecsv", "correction.json"]
    applied, _, _ = read_applied(folder / "applied.fits", WAVELENGTH_M)
    (at,) = correct(source_of(replace(surface, applied=applied)), PATH, grid_of_points()).elevations
    first = correction.elevations[0]
    np.testing.assert_allclose(at.moves.total_um - at.moves.increment_um, first.moves.total_um, atol=3)
    assert at.prediction.rms_before_um == pytest.approx(first.prediction.rms_after_um, rel=1e-3)


def test_without_focus_focus_is_not_applied(tmp_path):
    surface = surface_of({(2, 0): 100.0, (3, 1): 50.0})
    settings = replace(PATH, left_out=(surface.terms[0],))
    _, folder = written(tmp_path, surface, settings=settings)
    applied, _, _ = read_applied(folder / "applied.ecsv", WAVELENGTH_M)
    phases = {(n, l): phase for n, l, phase in applied.coefficients}
    assert phases[2, 0] == 0
    assert phases[3, 1] == pytest.approx(50.0 * 4 * math.pi / WAVELENGTH_M * 1e-6)


def test_the_summary_is_plain(tmp_path):
    applied = AppliedCorrection(((2, 2, 0.1),))
    settings = replace(PATH, limits_um=(-60.0, 60.0))
    correction, folder = written(tmp_path, rough(applied=applied), points=grid_of_points(across=9), settings=settings)
    (entry,) = json.loads((folder / "correction.json").read_text())["elevations"]
    moves = correction.elevations[0].moves
    assert entry["moves"]["clipped"] == len(entry["moves"]["clipped_names"]) > 0
    assert entry["moves"]["largest_um"] == pytest.approx(moves.increment_um[np.abs(moves.increment_um).argmax()])
    assert entry["efficiencies"][0]["exact_before"] < entry["efficiencies"][0]["exact_after"] < 1
    assert entry["total"][0]["surface_um"] == pytest.approx(correction.source.surfaces[0].values_um[0])


def test_a_form_that_cannot_hold_it_leaves_nothing_behind(tmp_path):
    correction = correct(source_of(rough()), PATH, LAYOUTS["effelsberg"].points)
    with pytest.raises(UsageError, match="a single result knows one"):
        write_correction(correction, tmp_path / "new" / "place", formats=[telescope_format("effelsberg")])
    assert list(tmp_path.iterdir()) == []


def test_only_a_correction_is_replaced(tmp_path):
    correction, folder = written(tmp_path, rough(), points=points_at(X, Y))
    with pytest.raises(UsageError, match="give --overwrite"):
        write_correction(correction, folder)
    (folder / "old.txt").write_text("old")
    write_correction(correction, folder, overwrite=True)
    assert "old.txt" not in names_in(folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "data.txt").write_text("precious")
    with pytest.raises(UsageError, match=r"holds no correction\.json"):
        write_correction(correction, other, overwrite=True)
    assert names_in(other) == ["data.txt"]


def test_a_figure_that_fails_leaves_nothing_behind(tmp_path):
    def illustrate(_, part):
        assert (part / "correction.ecsv").is_file()
        raise RuntimeError("no ink")

    correction = correct(source_of(rough()), PATH, points_at(X, Y))
    with pytest.raises(RuntimeError, match="no ink"):
        write_correction(correction, tmp_path / "place", illustrate=illustrate)
    assert list(tmp_path.iterdir()) == []


def test_forms_are_found_by_name():
    assert [telescope_format(one.name) for one in FORMATS] == list(FORMATS)
    with pytest.raises(UsageError, match="--format = srt: is not known; known are effelsberg, gbt"):
        telescope_format("srt")
