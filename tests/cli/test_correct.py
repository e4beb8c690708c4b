import json
import math
from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table

from oofpy.correction.formats.gbt import read_gbt_list
from oofpy.correction.registry import read_moves
from oofpy.flag_kinds import Level
from oofpy.flags import Flag
from oofpy.gravity.files import gravity_text, read_gravity
from oofpy.gravity.model import GravityModel
from oofpy.io.results import write_result
from oofpy.observing import AppliedCorrection, Observing
from oofpy.optics.zernike import zernike_terms
from oofpy.telescope import load_telescope
from tests.conftest import phase_at
from tests.made_comparisons import um_per_rad, variant

POINTS = "name,x [m],y [m]\nupper,10,20\nlower,-12,-18\nleft,-25,4\nright,26,3\nfar,40,0\n"


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write results into folders of their own, and work beside them."""
    monkeypatch.chdir(tmp_path)

    def write(result):
        return write_result(result, tmp_path / "results")

    return write


@pytest.fixture
def points(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text(POINTS)
    return path


@pytest.fixture
def gravity(tmp_path, monkeypatch):
    """A folder with a gravity model of Effelsberg."""
    monkeypatch.chdir(tmp_path)
    terms = zernike_terms(4, 2)
    model = GravityModel(
        telescope="effelsberg",
        dish_radius_m=50.0,
        method="two-step",
        terms=terms,
        parameters_um=np.random.default_rng(1).normal(0, 200, (len(terms), 3)),
        covariance_um2=9.0 * np.eye(3 * len(terms)),
        scatter_um=np.zeros(len(terms)),
        leave_one_out_um=np.zeros(len(terms)),
        elevation_range_rad=(math.radians(10), math.radians(90)),
        observations=("a", "b", "c"),
        outlying=(),
    )
    folder = tmp_path / "winter"
    folder.mkdir()
    (folder / "gravity.ecsv").write_text(gravity_text(model))
    return folder


def test_a_gravity_model_gives_efficiencies_at_the_wavelength_of_its_observations(run, gravity):
    words = ("correct", gravity, "--points", "effelsberg", "--elevation", "45deg", "--no-figures", "--json")
    assert json.loads(run(*words).out)["elevations"][0]["efficiencies"] == []
    file = gravity / "gravity.ecsv"
    file.write_text(gravity_text(replace(read_gravity(file), wavelength_m=7e-3)))
    [found] = json.loads(run(*words, "--overwrite").out)["elevations"][0]["efficiencies"]
    assert found["wavelength_m"] == 7e-3
    assert found["exact_after"] > found["exact_before"]
    assert "efficiency" in run(*words[:-1], "--overwrite").out


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_moves_are_printed_and_written(run, written, points, made_result, tmp_path):
    result = variant(made_result, "night")
    words = ("--points", points, "--along", "path", "--limits", "400um", "--wavelengths", "3cm")
    ended = run("correct", written(result), *words)
    assert (ended.code, ended.err) == (0, "")
    folder = tmp_path / "oofpy-corrections" / "night"
    assert names_in(folder) == ["applied.fits", "correction.ecsv", "correction.json", "correction.png"]
    table = Table.read(folder / "correction.ecsv")
    radius = made_result.telescope.geometry.dish_radius_m
    expected = phase_at(table["x"][:4] / radius, table["y"][:4] / radius) * um_per_rad(result)
    np.testing.assert_allclose(table["increment_um"][:4], np.clip(expected, -400, 400), rtol=1e-9)
    held = np.abs(expected) > 400
    assert 0 < held.sum() < 4
    assert list(table["status"]) == [*np.where(held, "clipped", "moved"), "outside"]
    assert f"clipped: {', '.join(table['name'][:4][held])}\n" in ended.out
    assert "note: point far lies outside the dish: not moved" in ended.out
    assert "> 0 moves the metal towards the reflecting side" in ended.out
    (line,) = [line.split() for line in ended.out.splitlines() if line.split()[3:4] == ["30"]]
    assert float(line[5]) > float(line[4])
    assert ended.out.endswith("correction in oofpy-corrections/night\n")


def test_json_and_no_figures(run, written, points, made_result, tmp_path):
    place = written(variant(made_result, "night", elevation_rad=0.8))
    ended = run("correct", place / "result.fits", "--points", points, "--no-figures", "--json", "--out", "here")
    assert ended.code == 0
    plain = json.loads(ended.out)
    assert plain == json.loads((tmp_path / "here" / "correction.json").read_text())
    assert plain["elevations"][0]["elevation_deg"] == pytest.approx(math.degrees(0.8))
    assert plain["points"]["file"].endswith("points.csv")
    assert names_in(tmp_path / "here") == ["applied.ecsv", "correction.ecsv", "correction.json"]


def test_increment_and_total_of_a_corrected_dish(run, written, points, made_result, tmp_path):
    applied = AppliedCorrection(((2, 2, 0.05), (3, 1, 0.4)))
    place = written(variant(made_result, "night", observing=Observing(applied=applied)))
    words = ("--points", points, "--along", "path", "--no-figures", "--quiet")
    ended = run("correct", place, *words)
    assert (ended.code, ended.out) == (0, "")
    table = Table.read("oofpy-corrections/night/correction.ecsv")[:4]
    radius = made_result.telescope.geometry.dish_radius_m
    whole = phase_at(table["x"] / radius, table["y"] / radius) * um_per_rad(made_result)
    np.testing.assert_allclose(table["total_um"], whole, rtol=1e-9)
    assert np.abs(table["total_um"] - table["increment_um"]).min() > 1
    ended = run("correct", place, *words, "--applied", "oofpy-corrections/night/correction.ecsv", "--out", "next")
    assert ended.code == 0
    again = Table.read(tmp_path / "next" / "correction.ecsv")[:4]
    np.testing.assert_allclose(again["total_um"], table["total_um"] + table["increment_um"], rtol=1e-9)


def test_the_table_of_effelsberg(run, gravity, tmp_path):
    ended = run("correct", gravity, "--format", "effelsberg", "--no-figures", "--without-focus", "--wavelengths", "7mm")
    assert ended.code == 0
    folder = tmp_path / "oofpy-corrections" / "winter"
    moves = read_moves(folder / "lookup_effelsberg.data")
    table = Table.read(folder / "correction.ecsv")
    assert len(table) == 11 * 96
    np.testing.assert_array_equal(np.rint(table["total_um"]), moves.moves_um.ravel())
    assert "note: the model rests on observations from 10 to 90 deg: at 7 deg it extrapolates" in ended.out
    assert "with the rest set" in ended.out
    assert "applied-el32.ecsv" in names_in(folder)


def test_elevations_of_a_gravity_model(run, refused, gravity, points, tmp_path):
    assert "--elevation: a gravity model needs elevations" in refused("correct", gravity, "--points", points)
    words = ("--points", points, "--elevation", "30deg,60deg", "--no-figures")
    assert run("correct", gravity / "gravity.ecsv", *words).code == 0
    table = Table.read(tmp_path / "oofpy-corrections" / "winter" / "correction.ecsv")
    np.testing.assert_allclose(table["elevation_deg"], [30] * 5 + [60] * 5)
    old = ("--applied", tmp_path / "oofpy-corrections" / "winter" / "correction.ecsv", "--out", "next")
    assert "does not say whether its observations named these moves" in refused("correct", gravity, *words, *old)
    assert run("correct", gravity, *words, *old, "--applied-not-counted").code == 0
    np.testing.assert_allclose(Table.read("next/correction.ecsv")["total_um"], 2 * table["total_um"])
    assert "5 points cannot tell" in refused("correct", gravity, *words, *old, "--applied-counted", "--overwrite")
    line = refused("correct", gravity, "--format", "effelsberg", "--elevation", "30deg")
    assert "the form has its own elevations" in line
    assert "an elevation comes twice" in refused("correct", gravity, "--points", points, "--elevation", "30deg,30deg")


def test_moves_that_the_observations_named_are_counted_once(run, gravity):
    words = ("correct", gravity, "--points", "effelsberg", "--elevation", "45deg", "--no-figures")
    assert run(*words).code == 0
    table = Table.read("oofpy-corrections/winter/correction.ecsv")
    old = ("--applied", "oofpy-corrections/winter/correction.ecsv", "--applied-counted", "--out", "next")
    assert run(*words, *old).code == 0
    again = Table.read("next/correction.ecsv")
    np.testing.assert_allclose(again["increment_um"], 0, atol=1e-6)
    np.testing.assert_allclose(again["total_um"], table["total_um"], atol=1e-6)


def test_the_list_of_the_gbt_needs_no_points(run, written, made_result, tmp_path):
    result = variant(made_result, "night", telescope=load_telescope("gbt"))
    ended = run("correct", written(result), "--format", "gbt", "--out", "here", "--no-figures")
    assert ended.code == 0
    assert names_in(tmp_path / "here") == ["applied.ecsv", "correction.json", "zernikes_gbt.fits"]
    listed = read_gbt_list(tmp_path / "here" / "zernikes_gbt.fits")
    for one in result.fit.coefficients:
        assert listed[one.n, one.l] == pytest.approx(one.phase_rad * um_per_rad(result))
    assert "whether a positive coefficient raises the metal has no source" in ended.out


@pytest.mark.parametrize("level", list(Level))
def test_the_verdict_counts(run, refused, written, points, made_result, level, tmp_path):
    place = written(variant(made_result, "night", flags=(Flag("source-off-centre", "3 beams off", level),)))
    words = ("correct", place, "--points", points, "--no-figures")
    if level is Level.REJECT:
        assert "the verdict on this result is reject (source-off-centre)" in refused(*words)
        assert not (tmp_path / "oofpy-corrections").exists()
        words = (*words, "--rejected")
    ended = run(*words)
    assert ended.code == (0 if level is Level.NOTE else 4)
    assert ("note: the verdict on the result is" in ended.out) == (level is not Level.NOTE)


def test_the_options_of_the_mirror_reach_the_table(run, written, made_result, tmp_path):
    place = written(variant(made_result, "night"))
    mirror = ("--on", "subreflector", "--subreflector-radius", "3.968m", "--rotation", "90deg", "--mirrored")
    others = ("--mapping", "rays", "--along", "axis", "--positive", "lower", "--gain", "0.5", "--threshold", "2um")
    terms = ("--without", "Z(3,1), Z(2,2)", "--limits", "-1mm,2mm")
    scaled = tmp_path / "small.csv"
    scaled.write_text("x,y\n1,2\n-1,1\n2,-1\n")
    ended = run("correct", place, "--points", scaled, "--point-unit", "m", *mirror, *others, *terms, "--no-figures")
    assert ended.code == 0
    settings = Table.read("oofpy-corrections/night/correction.ecsv").meta["settings"]
    assert settings == {
        "mirror": "subreflector",
        "along": "axis",
        "rotation_deg": 90.0,
        "mirrored": True,
        "subreflector_radius_m": 3.968,
        "mapping": "rays",
        "positive": "lower",
        "gain": 0.5,
        "lower_limit_um": -1000.0,
        "upper_limit_um": 2000.0,
        "threshold_um": 2.0,
        "left_out": ["Z(3,1)", "Z(2,2)"],
    }
    assert "note: the mirrors are shaped" in ended.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--points: no points are given"),
        (("--points", "nowhere.csv"), "nowhere.csv: there is no such file"),
        (("--points", "effelsberg"), "these actuators belong to a dish with a radius of 50 m, srt has 32.004 m"),
        (("--along", "up"), "--along = up: is not known; choose normal or axis or path"),
        (("--limits", "-5mm"), "--limits = -5mm: must be one positive length, or two"),
        (("--without", "focus"), "--without = focus: is no list of terms"),
        (("--without", "Z(2,1)"), "there is no Zernike term with n = 2 and l = 1"),
        (("--without", "Z(4,0)"), "--without = Z(4,0): is not among the terms of the surface"),
        (("--gain", "3"), "--gain = 3.0: must be above 0"),
        (("--elevation", "45deg"), "--elevation = 45deg: a result has its own"),
        (("--telescope", "srt"), "--telescope = srt: a result has its own"),
        (("--applied-counted",), "--applied-counted: speaks of moves that are not given"),
        (("--format", "vla"), "--format = vla: is not known; known are effelsberg, gbt"),
        (("--rotation", "90"), "--rotation = 90: has no unit"),
        (("--point-unit", "inch"), "--point-unit = inch: is not known"),
        (("--on", "subreflector"), "--subreflector-radius: must be a positive length"),
    ],
)
def test_faults_are_one_line(refused, written, points, made_result, tmp_path, words, said):
    place = written(variant(made_result, "night"))
    given = () if not words or words[0] in ("--points",) else ("--points", points)
    assert said in refused("correct", place, *given, *words)
    assert not (tmp_path / "oofpy-corrections").exists()


def test_a_source_that_is_none(refused, tmp_path, points):
    (tmp_path / "empty").mkdir()
    assert "holds neither result.fits nor gravity.ecsv" in refused("correct", tmp_path / "empty", "--points", points)
    assert "there is no such file" in refused("correct", tmp_path / "nowhere", "--points", points)
    assert "points.csv" in refused("correct", points, "--points", points)


def test_an_older_correction_is_kept_unless_told_otherwise(run, refused, written, points, made_result):
    words = ("correct", written(variant(made_result, "night")), "--points", points, "--no-figures")
    assert run(*words).code == 0
    assert "give --overwrite" in refused(*words)
    assert run(*words, "--overwrite").code == 0
