import json

import pytest
from astropy.table import Table

from oofpy.io.results import write_result

# Maps of few samples of a small dish: what the errors are is tested with the planning.
WORDS = ("plan", "--telescope", "fyst", "--wavelength", "1.1mm", "--spacing", "0.3arcmin")
DZ = ("--dz", "20mm,60mm,150mm")


@pytest.fixture
def planned(run):
    def planned(*words, dz=DZ, order="3"):
        outcome = run(*WORDS, *dz, "--order", order, *words)
        assert outcome.code == 0, outcome
        return outcome

    return planned


def test_a_plan_says_what_to_do(planned):
    outcome = planned("--snr", "2000")
    lines = outcome.out.splitlines()
    assert lines[0] == "fyst, wavelength 1.1 mm: 3 maps at -dz, 0, +dz; an ideal dish"
    assert "peak in focus / 2000" in lines[1]
    [header] = [line.split() for line in lines if line.startswith("   order")]
    assert header[:5] == ["order", "dz", "mm", "path", "+-"]
    rows = [line.split() for line in lines if line.startswith(("   ", "*  ")) and line.split()[-1][0].isdigit()]
    assert {"20", "60", "150"} <= {row[-9] for row in rows}
    [best] = [row for row in rows if row[0] == "*"]
    assert float(best[-3]) == min(float(row[-3]) for row in rows)
    assert any(line.startswith("Z(3,-1) coma y") for line in lines)
    assert any(line.startswith("error of edge_taper_db") and line.endswith("dB") for line in lines)
    assert any(line.startswith(f"best: dz = +-{best[-9]} mm and in focus") for line in lines)


def test_json_and_the_folder_hold_the_same(planned, tmp_path):
    outcome = planned("--time", "20min", "--snr-1s", "3000", "--json", "--out", tmp_path / "plan")
    printed = json.loads(outcome.out)
    assert printed == json.loads((tmp_path / "plan" / "plan.json").read_text())
    assert printed["best"]["seconds"] == 1200
    assert {one.name for one in (tmp_path / "plan").iterdir()} == {
        "plan.json",
        "predictions.ecsv",
        "coefficients.ecsv",
        "plan.png",
    }
    assert len(Table.read(tmp_path / "plan" / "coefficients.ecsv")) == 7


def test_what_exists_is_replaced_only_when_asked(planned, refused, tmp_path):
    out = ("--out", tmp_path / "plan", "--no-figures", "--quiet")
    assert planned("--snr", "2000", *out).out == ""
    before = (tmp_path / "plan" / "plan.json").read_bytes()
    assert "this exists already; give --overwrite" in refused(*WORDS, "--snr", "1000", *out)
    assert (tmp_path / "plan" / "plan.json").read_bytes() == before
    planned("--snr", "1000", *out, "--overwrite")
    assert (tmp_path / "plan" / "plan.json").read_bytes() != before


def test_settings_are_those_of_a_fit(planned, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('order = 4\nlikelihood = "cauchy"\n[parameters.edge_taper_db]\nfree = false\n')
    words = ("--snr", "2000", "--settings", file, "--set", "telescope.illumination.edge_taper=-12dB", "--json")
    found = json.loads(planned(*words, "--set", "observing.source_diameter=20arcsec", dz=("--dz", "60mm")).out)
    assert found["likelihood"] == "cauchy"
    assert "edge_taper_db" not in {one["name"] for one in found["best"]["parameters"]}
    assert found["best"]["order"] == 3  # the option stands above the file


def test_the_order_of_a_settings_file(run, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("order = 2\n")
    outcome = run(*WORDS, "--dz", "60mm", "--snr", "2000", "--settings", file, "--json")
    assert json.loads(outcome.out)["best"]["order"] == 2
    file.write_text('order = "auto"\n')
    outcome = run(*WORDS, "--dz", "60mm", "--snr", "2000", "--settings", file)
    assert outcome.code == 2
    assert "nothing is observed that could choose the order; give --order" in outcome.err


def test_lists_of_orders_and_sizes(planned):
    words = ("--snr", "2000", "--half-width", "5arcmin,8arcmin", "--pattern=-1,1", "--json")
    found = json.loads(planned(*words, dz=("--dz", "60mm"), order="3,2").out)
    assert [curve["order"] for curve in found["curves"]] == [2, 3, 2, 3]
    assert found["best"]["defocus_m"] == [-0.06, 0.06]
    said = planned("--snr", "2000", "--half-width", "5arcmin,8arcmin", dz=("--dz", "60mm"), order="3,2").out
    assert "best dz of every order and size of the maps" in said


def test_a_range_of_dz(planned):
    found = json.loads(planned("--snr", "2000", "--json", dz=("--dz", "20mm:80mm:3")).out)
    dz = [one["dz_m"] for one in found["curves"][0]["predictions"]]
    assert {0.02, 0.04, 0.08} <= set(dz)


def test_the_surface_of_the_dish(planned, run, named, tmp_path):
    flat, rough = (
        json.loads(planned("--snr", "2000", "--json", *words, dz=("--dz", "60mm")).out)
        for words in ((), ("--surface", "30um", "--seed", "4"))
    )
    assert flat["surface_rad"] is None
    assert len(rough["surface_rad"]) == 7
    assert "a dish of 30 um rms" in rough["assumptions"][0]
    assert rough["best"]["surface_error_um"] != pytest.approx(flat["best"]["surface_error_um"], rel=0.01)
    result = named(name="earlier")
    write_result(result, tmp_path)
    telescope = ("plan", "--telescope", result.telescope.name, "--wavelength", f"{2e3 * result.wavelength_m}mm")
    words = ("--snr", "2000", "--dz", "3mm", "--result", tmp_path / "earlier", "--json", "--order", "2")
    found = json.loads(run(*telescope, *words).out)
    # At twice the wavelength the same surface is half the phase.
    expected = [one.phase_rad / 2 for one in result.fit.coefficients]
    assert found["surface_rad"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "the noise is not given; give --snr, such as 200, or both --time and --snr-1s"),
        (["--time", "20min"], "one of two options is missing"),
        (["--snr", "200", "--time", "20min"], "--snr and --time are both given"),
        (["--snr", "0"], "--snr = 0.0: is out of range"),
        (["--time", "20", "--snr-1s", "5"], "--time = 20: is not a time with a unit; write e.g. 20min"),
        (["--time", "20mm", "--snr-1s", "5"], "--time = 20mm: is not a time with a unit"),
        (["--time", "", "--snr-1s", "5"], "--time = '': is not a time"),
        (["--time", "-5min", "--snr-1s", "5"], "--time = -300.0: is out of range"),
        (["--time", "5min", "--snr-1s", "0"], "--snr-1s = 0.0: is out of range"),
        (["--snr", "200", "--dz", "3"], "--dz = 3: has no unit"),
        (["--snr", "200", "--dz", "0"], "--dz = 0.0 m: is out of range"),
        (["--snr", "200", "--dz", "3mm:1mm"], "--dz = 3mm:1mm: must rise and begin above zero"),
        (["--snr", "200", "--dz", "1mm:3mm:1"], "--dz = 1mm:3mm:1: is not FROM:TO or FROM:TO:N"),
        (["--snr", "200", "--dz", "1mm:3mm:4:5"], "is not FROM:TO"),
        (["--snr", "200", "--pattern", "1"], "--pattern = 1: needs two or more maps"),
        (["--snr", "200", "--pattern", "a,b"], "--pattern = a: is not a finite number"),
        (["--snr", "200", "--order", "5;6"], "--order = 5;6: is not a list of orders"),
        (["--snr", "200", "--order", "1"], "--order = 1: must be a whole number from 2 to 12"),
        (["--snr", "200", "--half-width", "3"], "--half-width = 3: has no unit"),
        (["--snr", "200", "--half-width", "0"], "--half-width = 0.0 rad: is out of range"),
        (["--snr", "200", "--merit", "speed"], "--merit = speed: is not known; choose surface"),
        (["--snr", "200", "--likelihood", "best"], "likelihood = best: is not known"),
        (["--snr", "200", "--surface", "30um", "--result", "x"], "--surface and --result are both given"),
        (["--snr", "200", "--surface", "30"], "--surface = 30: has no unit"),
        (["--snr", "200", "--set", "telescope.geometry.dish_radius=none"], "geometry.dish_radius"),
        (["--snr", "200", "--out", ""], "--out = '': is empty"),
        (["--snr", "200", "--frequency", "270GHz"], "--wavelength and --frequency are both given"),
        (["--snr", "200", "--dz", "5m"], "dz = 5 m: a map would have"),
    ],
)
def test_bad_options_are_one_line(refused, tmp_path, words, said):
    assert said in refused(*WORDS, "--order", "3", "--out", tmp_path / "new", *words)
    assert not (tmp_path / "new").exists()


def test_no_wavelength(refused):
    assert "no wavelength is given" in refused("plan", "--telescope", "jcmt", "--snr", "200")


def test_a_result_of_another_telescope(refused, named, tmp_path):
    write_result(named(name="other"), tmp_path)
    said = refused(*WORDS, "--snr", "200", "--result", tmp_path / "other")
    assert "this is the surface of" in said
    assert "give a result of fyst" in said
