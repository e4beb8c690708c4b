import json

import numpy as np
import pytest

from oofpy.io import read_observation

ARCSEC_RAD = np.pi / 648000
SMALL = ("--wavelength", "1.1mm", "--points", "15", "--seed", "7")


@pytest.fixture(autouse=True)
def _coarse_aperture(monkeypatch):
    """Simulate fast: the accuracy of the maps is tested with the simulator."""
    monkeypatch.setattr("oofpy.simulation.directions.DEFAULT_PIXELS_ACROSS", 64)
    monkeypatch.setattr("oofpy.simulation.directions._PIXELS_PER_CYCLE", 4)


@pytest.fixture
def simulate(run, tmp_path):
    def simulate(*words, dz="-3mm,0mm,3mm", telescope="jcmt", name="made"):
        where = ("--out", tmp_path / "new", "--name", name)
        outcome = run("simulate", "--telescope", telescope, f"--dz={dz}", *SMALL, *where, *words)
        assert (outcome.code, outcome.err) == (0, "")
        paths = [tmp_path / "new" / f"{name}{ending}" for ending in (".fits", ".oof.fits", ".truth.json")]
        assert outcome.out.splitlines()[-3:] == [str(path) for path in paths]
        return *(read_observation(path) for path in paths[:2]), json.loads(paths[2].read_text())

    return simulate


def test_both_formats_hold_the_same_observation(simulate):
    pyoof, oof, truth = simulate("--surface", "30um")
    assert pyoof.defocus_m.tolist() == oof.defocus_m.tolist() == [-3e-3, 0.0, 3e-3]
    assert (pyoof.name, oof.name) == ("made", "made.oof")
    for one, other in zip(pyoof.maps, oof.maps, strict=True):
        np.testing.assert_array_equal(one.power, other.power)
        np.testing.assert_array_equal(one.u_rad, other.u_rad)
        assert one.samples == 225
    assert truth["surface"]["half_path_rms_um"] == pytest.approx(30, rel=1e-12)
    assert truth["seed"] == 7
    assert [one["defocus_m"] for one in truth["maps"]] == [-3e-3, 0.0, 3e-3]


def test_coefficients_and_noise(simulate):
    words = ("--coefficient", "Z(3,1)=0.5rad", "--coefficient", "Z(2, -2)=-100mrad", "--order", "3")
    _, _, truth = simulate(*words, "--noise", "glitch_fraction=0.04", "--snr", "50")
    found = {(one["n"], one["l"]): one["phase_rad"] for one in truth["coefficients"] if one["phase_rad"]}
    assert found == {(3, 1): 0.5, (2, -2): -0.1}
    assert [len(one["glitched_samples"]) for one in truth["maps"]] == [9, 9, 9]
    assert truth["noise_model"]["faintest_peak_over_noise"] == 50


def test_scans_and_width(simulate):
    grid, _, _ = simulate("--half-width", "1arcmin")
    assert np.abs(grid.maps[0].u_rad).max() == pytest.approx(60 * np.pi / 648000)
    raster, _, _ = simulate("--sampling", "raster", name="raster")
    assert len(np.unique(raster.maps[0].v_rad)) == 225
    daisy, _, _ = simulate("--sampling", "daisy", name="daisy")
    assert np.hypot(daisy.maps[0].u_rad, daisy.maps[0].v_rad).max() <= 9.001 * 1.1e-3 / 15


def test_files_have_the_signs_of_the_telescopes_data(simulate):
    words = ("--coefficient", "Z(3,1)=0.5rad", "--snr", "1e9")
    same, _, _ = simulate(*words)
    signs = ("--set", "telescope.conventions.defocus_sign=-1", "--set", "telescope.conventions.u_sign=-1")
    turned, _, truth = simulate(*words, *signs, name="turned")
    assert turned.defocus_m.tolist() == [3e-3, 0.0, -3e-3]
    assert truth["maps"][0]["defocus_m"] == -3e-3
    np.testing.assert_array_equal(turned.maps[0].u_rad, -same.maps[0].u_rad)
    np.testing.assert_array_equal(turned.maps[0].power, same.maps[0].power)


def test_how_the_maps_are_taken(simulate, run, tmp_path):
    """What is said stands in the truth in the signs of the model, and in the files in those of the data."""
    words = ("--snr", "1e9", "--set", "telescope.conventions.u_sign=-1")
    plain, _, _ = simulate(*words)
    chop = ("--set", "observing.chop_throw=30arcsec", "--set", "observing.chop_angle=0deg")
    chopped, oof, truth = simulate(*words, *chop, name="chopped")
    assert truth["observing"]["chop"] == {"throw_rad": 30 * ARCSEC_RAD, "angle_rad": 0.0}
    for file in (chopped, oof):
        assert file.observing.chop.throw_rad == 30 * ARCSEC_RAD
        assert file.observing.chop.angle_rad == pytest.approx(np.pi)
    focus = chopped.maps[1]
    assert focus.power.min() < -0.3 * focus.power.max()
    assert focus.u_rad[np.argmin(focus.power)] == pytest.approx(-30 * ARCSEC_RAD, abs=1e-4)
    assert plain.observing.is_plain
    said = run("simulate", "--telescope", "jcmt", "--dz=-1mm,1mm", *SMALL, *chop, "--out", tmp_path / "more")
    assert "how it was taken: chopped by 30 arcsec towards 0 deg" in said.out


def test_lateral_moves(simulate):
    _, _, truth = simulate("--lateral=-0.5mm:0mm", dz="-3mm,3mm")
    assert [one["lateral_m"] for one in truth["maps"]] == [[-0.5e-3, 0.0]] * 2
    _, _, truth = simulate("--lateral", "0:0,1mm:2mm", dz="-3mm,3mm", name="two")
    assert [one.get("lateral_m") for one in truth["maps"]] == [None, [1e-3, 2e-3]]


def test_existing_files_are_refused_and_replaced_when_asked(simulate, refused, tmp_path):
    simulate()
    path = tmp_path / "new" / "made.truth.json"
    before = path.read_bytes()
    words = (
        "simulate",
        "--telescope",
        "jcmt",
        "--dz",
        "-1mm,1mm",
        *SMALL,
        "--out",
        path.parent,
        "--name",
        "made",
    )
    assert "made.fits: this exists already; give --overwrite" in refused(*words)
    assert path.read_bytes() == before
    assert len(simulate("--overwrite", dz="-1mm,1mm")[0].maps) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no wavelength is given; give --wavelength or --frequency"),
        (["--frequency", "270GHz", "--wavelength", "1.1mm"], "--wavelength and --frequency are both given"),
        (["--frequency", "270GHz", "--sampling", "spiral"], "--sampling = spiral: is not known; choose grid"),
        (
            ["--frequency", "270GHz", "--noise", "glitches=1"],
            "--noise glitches: is not known; known: noise_corr",
        ),
        (["--frequency", "270GHz", "--noise", "gain_drift"], "--noise = gain_drift: has no '='"),
        (["--frequency", "270GHz", "--noise", "gain_drift=9"], "gain_drift = 9.0: is out of range"),
        (["--frequency", "270GHz", "--coefficient", "Z(6,0)=1rad"], "--coefficient Z(6,0): is not a term"),
        (
            ["--frequency", "270GHz", "--coefficient", "Z(2,0)=1"],
            "--coefficient Z(2,0) = 1: has no unit; write e.g. '1 rad'",
        ),
        (["--frequency", "270GHz", "--surface", "30"], "--surface = 30: has no unit"),
        (["--frequency", "270GHz", "--order", "13"], "order = 13: is out of range"),
        (["--frequency", "270GHz", "--order", "99", "--coefficient", "Z(2,0)=1rad"], "order = 99"),
        (["--frequency", "270GHz", "--seed", "-1"], "seed = -1: is not a whole number of at least 0"),
        (["--frequency", "270GHz", "--points", "1"], "points = 1: is not a whole number of at least 2"),
        (["--frequency", "270GHz", "--set", "order=3"], "--set order: is no entry of the telescope"),
        (["--frequency", "270GHz", "--lateral", "1mm"], "--lateral = 1mm: is not DX:DY for every map or one for all"),
        (["--frequency", "270GHz", "--lateral", "0:0,0:0,0:0"], "0:0: 3 moves DX:DY are given for 2 maps; give 2"),
        (
            ["--frequency", "270GHz", "--lateral", "1km:0"],
            "--lateral = 1000.0 m: is out of range; it must be at least -10 m",
        ),
        (["--frequency", "270GHz", "--half-width", "40deg"], "--half-width = 0.6981317007977318 rad: is out of range"),
        (["--frequency", "270GHz", "--snr", "-1"], "--snr = -1.0: is out of range"),
        (["--frequency", "270GHz", "--lateral", "1:0"], "--lateral = 1: has no unit"),
        (["--frequency", "270GHz", "--set", "observing.chop=1deg"], "observing.chop: is no key of the observing"),
        (["--frequency", "270GHz", "--set", "observing.chop_throw=1deg"], "observing.chop_angle: this is missing"),
        (["--frequency", "270GHz", "--out", ""], "--out = '': is empty; give a name"),
        (["--frequency", "270GHz", "--name", "a/b"], "--name = a/b: cannot name a file"),
    ],
)
def test_bad_options_are_one_line(refused, tmp_path, words, said):
    out = tmp_path / "new"
    assert said in refused("simulate", "--telescope", "jcmt", "--dz", "-3mm,3mm", "--out", out, *words)
    assert not out.exists()
