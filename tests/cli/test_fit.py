import json
import os

import numpy as np
import pytest

import oofpy
from oofpy.fitting.settings import ParameterRule
from oofpy.fitting.status import FitStatus
from oofpy.flags import Flag
from oofpy.io.results import read_result
from oofpy.recipe.reading import Reading

PLAIN = ("--no-figures", "--no-report")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "results"


def test_results_table_and_exit_code(run, maps_file, fits, out):
    outcome = run("fit", maps_file(), "--telescope", "jcmt", "--out", out, *PLAIN)
    assert outcome.code == 4  # the made result has a serious flag
    lines = outcome.out.splitlines()
    assert lines[0].startswith("obs: srt, wavelength ")
    assert lines[-1] == f"results in {out / 'obs'}"
    result = read_result(out / "obs")
    assert result.name == "obs"
    assert sorted(path.name for path in (out / "obs").iterdir()) == [
        "coefficients.ecsv",
        "log.txt",
        "result.fits",
        "summary.json",
    ]
    [(observation, telescope, settings)] = fits
    assert (observation.name, telescope.name, settings) == ("obs", "jcmt", oofpy.FitSettings(leave_one_out=True))


@pytest.mark.usefixtures("fits")
def test_what_was_read_is_always_said(run, maps_file, out):
    path = maps_file()
    outcome = run("fit", path, "--telescope", "jcmt", "--out", out, *PLAIN)
    said = outcome.err.splitlines()
    assert said[0] == f"obs: read from {path}: 272.539 GHz, wavelength 1.1 mm, Mars"
    assert said[1:4] == [
        "map 1 (MINUS OOF): dz = -3 mm, 441 samples",
        "map 2 (ZERO OOF): dz = 0 m, 441 samples",
        "map 3 (PLUS OOF): dz = 3 mm, 441 samples",
    ]
    assert "obs: order 2 of 5: rms 31.2 um" in said
    log = (out / "obs" / "log.txt").read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in log[: len(said)]] == said
    assert any("check source-off-centre: " in line for line in log[len(said) :])


@pytest.mark.parametrize(
    ("flags", "code"), [((), 0), ((Flag("file-odd", "a note"),), 0), ((Flag("misfit", "odd"),), 4)]
)
def test_exit_code_by_flags(run, maps_file, fits, out, flags, code):
    found = fits.result
    fits.result = lambda observation: found(observation, flags=flags)
    assert run("fit", maps_file(), "--telescope", "jcmt", "--out", out, *PLAIN).code == code


def test_how_it_was_taken_is_said_and_reaches_the_fit(run, maps_file, fits, out):
    words = ("--set", "observing.chop_throw=30arcsec", "--set", "observing.chop_angle=0deg")
    signs = ("--set", "telescope.conventions.u_sign=-1")
    outcome = run("fit", maps_file(), "--telescope", "jcmt", "--out", out, *PLAIN, *words, *signs)
    assert outcome.err.splitlines()[4:6] == [
        "u of the data times -1, by the conventions of jcmt",
        "how it was taken: chopped by 30 arcsec towards 0 deg",
    ]
    [(observation, _, _)] = fits
    assert observation.frame == "model"
    assert observation.observing.chop.angle_rad == pytest.approx(np.pi)


def test_settings_may_say_how_it_was_taken(run, maps_file, fits, out, tmp_path):
    (tmp_path / "mine.toml").write_text('order = 3\n[observing]\nsource_diameter = "3.5 arcsec"\n')
    words = ("--settings", tmp_path / "mine.toml", "--out", out, *PLAIN, "--telescope", "jcmt", "--overwrite")
    run("fit", maps_file(), *words)
    run("fit", maps_file(), *words, "--set", "observing.source_diameter=none")
    assert [one.observing.source is None for one, _, _ in fits] == [False, True]
    assert "source-disc-assumed" in [flag.code for flag in fits[0][0].flags]


@pytest.mark.usefixtures("fits")
def test_json_is_all_of_standard_output(run, maps_file, out):
    words = ("--telescope", "jcmt", "--out", out, *PLAIN, "--json")
    outcome = run("fit", maps_file(), *words)
    summary = json.loads(outcome.out)
    assert summary["observation"]["name"] == "obs"
    assert summary == json.loads((out / "obs" / "summary.json").read_text())
    quiet = run("fit", maps_file("b.fits"), *words, "--quiet")
    assert quiet.err == ""
    assert json.loads(quiet.out)["observation"]["name"] == "b"


@pytest.mark.usefixtures("fits")
def test_quiet_prints_nothing(run, maps_file, out):
    outcome = run("fit", maps_file(), "--telescope", "jcmt", "--out", out, *PLAIN, "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (4, "", "")
    assert "map 1 (MINUS OOF): dz = -3 mm" in (out / "obs" / "log.txt").read_text()


@pytest.mark.usefixtures("fits")
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), {"page": True, "figures": True, "pdf": False}),
        (("--no-report",), {"page": False, "figures": True, "pdf": False}),
        (("--no-figures",), {"page": True, "figures": False, "pdf": False}),
        (("--no-report", "--no-figures", "--pdf"), {"page": False, "figures": False, "pdf": True}),
        (PLAIN, None),
    ],
)
def test_report_and_figures_are_written_unless_refused(run, maps_file, out, monkeypatch, words, wanted):
    written = []

    def write_report(result, folder, **options):
        assert folder.is_dir()
        written.append((result.name, options))

    monkeypatch.setattr("oofpy.report.write_report", write_report)
    run("fit", maps_file(), "--telescope", "jcmt", "--out", out, "--wavelengths", "0.87mm,3 mm", *words)
    if wanted is None:
        assert written == []
        return
    [(name, options)] = written
    assert name == "obs"
    assert options.pop("other_wavelengths_m") == pytest.approx((0.87e-3, 3e-3))
    assert options.pop("posterior") is None
    assert options == wanted


def test_existing_result_is_refused_before_the_fit(refused, run, maps_file, fits, out):
    words = ("fit", maps_file(), "--telescope", "jcmt", "--out", out, *PLAIN)
    run(*words)
    before = (out / "obs" / "log.txt").read_bytes()
    assert refused(*words).startswith(f"oofpy: error: {out / 'obs'}: this exists already; give --overwrite")
    assert len(fits) == 1
    assert (out / "obs" / "log.txt").read_bytes() == before
    assert run(*words, "--overwrite").code == 4
    assert len(fits) == 2


def test_place_that_cannot_hold_results_is_refused_before_the_fit(refused, maps_file, fits, monkeypatch, tmp_path):
    (tmp_path / "taken").write_text("")
    words = ("fit", maps_file(), "--telescope", "jcmt", "--out")
    assert "taken: --out: this is a file, not a folder" in refused(*words, tmp_path / "taken" / "deeper")
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK)  # noqa: ARG005 - root may write
    assert f"{tmp_path}: --out: you may not write here" in refused(*words, tmp_path / "new")
    assert fits == []


def test_failed_fit_writes_nothing(run, maps_file, fits, out, made_result):
    from dataclasses import replace

    failed = replace(made_result.fit, status=FitStatus.NOT_FINITE)
    found = fits.result
    fits.result = lambda observation: found(observation, orders=(failed,))
    outcome = run("fit", maps_file(), "--telescope", "jcmt", "--out", out, *PLAIN, "--quiet")
    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err == f"oofpy: error: obs: the fit failed: {FitStatus.NOT_FINITE.advice}\n"
    assert not out.exists()
    shown = run("fit", maps_file(), "--telescope", "jcmt", "--out", out, *PLAIN, "--json")
    assert shown.code == 3
    assert json.loads(shown.out)["status"] == "failed"


@pytest.mark.usefixtures("fits")
def test_several_observations_go_on_after_a_bad_one(run, maps_file, out, tmp_path):
    bad = tmp_path / "bad.fits"
    bad.write_bytes(maps_file("whole.fits").read_bytes()[:6000])
    files = [maps_file("a.fits"), bad, maps_file("c.fits")]
    outcome = run("fit", *files, "--telescope", "jcmt", "--out", out, *PLAIN, "--quiet", "--json")
    assert outcome.code == 2
    assert [one["observation"]["name"] for one in json.loads(outcome.out)] == ["a", "c"]
    assert len(outcome.err.splitlines()) == 1
    assert "bad.fits" in outcome.err
    assert sorted(path.name for path in out.iterdir()) == ["a", "c"]


def test_observations_of_one_name_are_refused(refused, maps_file, fits, out, tmp_path):
    files = [maps_file("a.fits"), maps_file("a.fits", folder=tmp_path / "other")]
    line = refused("fit", *files, "--telescope", "jcmt", "--out", out)
    assert "its result would have the same name as that of" in line
    assert fits == []


@pytest.mark.parametrize("form", [("--dz", "-1mm,0.5mm,2mm"), ("--dz=-1mm,0.5mm,2mm",)])
def test_options_reach_the_reader(run, maps_file, fits, out, form):
    words = ("--telescope", "jcmt", "--out", out, *PLAIN, "--quiet", "--maps", "1,3")
    run("fit", maps_file(), *form, "--frequency", "300GHz", "--radius", "50arcsec", *words)
    [(observation, _, _)] = fits
    assert observation.defocus_m.tolist() == [-1e-3, 2e-3]
    assert observation.wavelength_m == pytest.approx(0.999308e-3, rel=1e-6)
    assert all(0 < one.samples < 441 for one in observation.maps)


@pytest.mark.usefixtures("fits")
def test_mask_reaches_the_reader(run, maps_file, out, tmp_path):
    mask = tmp_path / "mask.txt"
    mask.write_text("map,sample\n" + "".join(f"1,{sample}\n" for sample in range(100)))
    outcome = run("fit", maps_file(), "--mask", mask, "--telescope", "jcmt", "--out", out, *PLAIN)
    assert outcome.code == 4, outcome.err
    assert "map 1 (MINUS OOF): dz = -3 mm, 341 samples, 100 masked" in outcome.err


def test_settings_reach_the_fit(run, maps_file, fits, out, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('order = 3\nlikelihood = "huber"\n[telescope.illumination]\nedge_taper = "-9 dB"\n')
    words = ("--order", "auto", "--set", "parameters.Z(2,0).free=false", "--settings", file)
    words += ("--set", "telescope.blockage.disc_radius=0.5m", "--device", "cpu")
    outcome = run("fit", maps_file(), *words, "--telescope", "jcmt", "--out", out, *PLAIN, "--quiet")
    assert outcome.err == ""
    [(_, telescope, settings)] = fits
    assert (settings.order, settings.likelihood, settings.device) == ("auto", "huber", "cpu")
    assert settings.parameters == {"Z(2,0)": ParameterRule(free=False)}
    assert telescope.illumination.edge_taper_db == -9
    assert telescope.blockage.disc_radius_m == 0.5


def test_data_are_turned_to_the_signs_of_the_model(run, maps_file, fits, out):
    signs = ("--set", "telescope.conventions.defocus_sign=-1", "--set", "telescope.conventions.u_sign=-1")
    outcome = run("fit", maps_file(), *signs, "--telescope", "jcmt", "--out", out, *PLAIN)
    assert "dz, u of the data times -1, by the conventions of jcmt" in outcome.err
    assert "map 1 (MINUS OOF): dz = -3 mm" in outcome.err  # as it was read
    [(observation, _, _)] = fits
    assert observation.defocus_m.tolist() == [3e-3, 0.0, -3e-3]
    last = observation.maps[2]
    assert last.u_rad[np.argmax(last.power)] < -5e-5  # the file has the peak at u > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--order", "1"], "order = 1: must be a whole number from 2 to 12 or auto"),
        (["--order", "x"], "order = x: is not a whole number; write e.g. 5 or auto"),
        (["--likelihood", "laplace"], "likelihood = laplace: is not known; choose one of gaussian"),
        (["--device", "gpu"], "device = gpu: is not known; choose one of auto, cpu, cuda"),
        (["--telescope", "jmct"], "telescope = 'jmct': is not a known telescope; known telescopes: aca7m, alma"),
        (["--dz", "-3,0,3"], "--dz = -3: has no unit"),
        (["--wavelength", "1.1mm", "--frequency", "26GHz"], "--wavelength and --frequency are both given"),
        (["--frequency", "-26GHz"], "--frequency = -26GHz: the frequency must be above zero"),
        (["--maps", "1;3"], "--maps = 1;3: is not a list of map numbers; write e.g. 1,3"),
        (["--radius", "2"], "--radius = 2: has no unit"),
        (["--offsets", "telescope"], "--offsets: this means nothing for directions in radians; leave it out"),
        (["--offsets", "sky"], "--offsets = sky: is not known; choose telescope"),
        (["--in-focus", "2"], "--in-focus = 2: the maps give their defocus themselves"),
        (["--set", "observing.chop_throw=1deg"], "observing.chop_angle: this is missing: the chop has a throw"),
        (["--set", "order"], "--set = order: is not KEY=VALUE"),
        (["--set", "telescope.dish=3m"], "telescope.dish: is not a setting of a telescope"),
        (["--order", "4", "--set", "order=5"], "order: is set twice, by --order and --set"),
        (["--settings", "absent.toml"], "absent.toml: the settings file cannot be read"),
    ],
)
def test_bad_options_are_one_line(run, maps_file, fits, out, words, said):
    outcome = run("fit", maps_file(), "--telescope", "jcmt", "--out", out, "--quiet", *words)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("oofpy: error: ")
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert fits == []
    assert not out.exists()


def test_telescope_of_the_file(run, maps_file, fits, out, monkeypatch):
    line = run("fit", maps_file(), "--out", out, "--quiet").err
    assert "obs.fits: the file names no telescope; give it with --telescope: aca7m, alma, " in line
    original = Reading.observation

    def named(telescope):
        from dataclasses import replace

        reading = lambda self, files: replace(original(self, files), telescope=telescope)  # noqa: E731
        monkeypatch.setattr(Reading, "observation", reading)

    named("IRAM-30m")
    run("fit", maps_file(), "--out", out, *PLAIN, "--quiet")
    assert fits[0][1].name == "iram30m"
    named("../srt.toml")
    assert "TELESC = ../srt.toml: the telescope is not known" in run("fit", maps_file(), "--out", out / "2").err


def test_simulated_surface_is_found_again(run, out, tmp_path):
    """From end to end with nothing replaced: coma, the sign of which the fit must get right."""
    made = ("--coefficient", "Z(3,1)=0.6rad", "--coefficient", "Z(2,2)=-0.4rad", "--order", "3")
    where = ("--points", "41", "--half-width", "90arcsec", "--out", tmp_path, "--name", "made")
    assert run("simulate", "--telescope", "jcmt", "--dz=-2mm,0mm,2mm", "--wavelength=1.1mm", *made, *where).code == 0
    words = ("--order", "3", "--likelihood", "gaussian", "--device", "cpu", "--quiet", "--json")
    outcome = run("fit", tmp_path / "made.fits", "--telescope", "jcmt", "--out", out, *words)
    assert outcome.err == ""
    summary = json.loads(outcome.out)
    assert outcome.code == {"ok": 0, "flagged": 4}[summary["status"]]
    found = {(one["n"], one["l"]): one["phase_rad"] for one in summary["coefficients"]}
    for term, value in found.items():
        assert value == pytest.approx({(3, 1): 0.6, (2, 2): -0.4}.get(term, 0.0), abs=0.02)
    assert len(list((out / "made").glob("*.png"))) >= 2
    assert (out / "made" / "report.html").stat().st_size > 0
    assert read_result(out / "made").fit.coefficients[0].n == 2
