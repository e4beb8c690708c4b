import json
import math
import sys
from types import SimpleNamespace

import pytest

from oofpy.errors import InputError
from oofpy.flag_kinds import Level
from oofpy.flags import Flag


@pytest.fixture
def checks(monkeypatch):
    """Replace what judges the maps against the telescope; gives what it was called with."""
    calls = SimpleNamespace(seen=[], flags=(), error=None)

    def check_observation(observation, telescope):
        calls.seen.append((observation, telescope))
        if calls.error:
            raise calls.error
        return calls.flags

    module = SimpleNamespace(check_observation=check_observation)
    monkeypatch.setitem(sys.modules, "oofpy.plausibility", module)
    return calls


def test_what_was_read(run, maps_file, checks):
    outcome = run("inspect", maps_file(), "--telescope", "jcmt")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[1] == "map 1 (MINUS OOF): dz = -3 mm, 441 samples"
    assert lines[4].startswith("map ")
    assert lines[8] == "telescope: jcmt"
    assert len(checks.seen) == 1


@pytest.mark.usefixtures("checks")
def test_json_has_the_numbers_in_si(run, maps_file):
    outcome = run("inspect", maps_file(), "--telescope", "jcmt", "--json")
    seen = json.loads(outcome.out)
    assert seen["observation"]["telescope"] == "jcmt"
    assert seen["observation"]["elevation_deg"] is None
    assert [one["dz_m"] for one in seen["maps"]] == [-3e-3, 0.0, 3e-3]
    focus, last = seen["maps"][1:]
    assert focus["samples"] == 441
    assert focus["background"] == pytest.approx(50, abs=0.2)
    assert focus["peak"] == pytest.approx(100, rel=0.3)
    assert focus["noise"] == pytest.approx(0.1, rel=0.5)
    assert focus["signal_to_noise"] == pytest.approx(focus["peak"] / focus["noise"])
    assert focus["half_width_rad"] == pytest.approx([4e-4, 4e-4])
    assert focus["half_width_beams"] == pytest.approx(4e-4 * 15 / 1.1e-3, rel=1e-6)
    assert focus["spacing_rad"] == pytest.approx(4e-5, rel=0.1)
    assert last["peak_position_rad"] == pytest.approx([1e-4, 0], abs=3e-5)


def test_without_a_telescope_the_maps_are_shown_only(run, maps_file, checks):
    outcome = run("inspect", maps_file())
    assert outcome.code == 0
    assert "nothing is known of the telescope" in outcome.out or "give --telescope" in outcome.out
    assert checks.seen == []
    assert json.loads(run("inspect", maps_file(), "--json").out)["maps"][0]["half_width_beams"] is None


def test_how_it_was_taken_is_shown(run, maps_file, checks):
    words = ("--telescope", "jcmt", "--set", "observing.source_diameter=3.5arcsec")
    words += ("--set", "observing.source_shape=disc", "--set", "telescope.conventions.defocus_sign=-1")
    outcome = run("inspect", maps_file(), *words)
    assert outcome.out.splitlines()[4] == "how it was taken: uniform disc of 3.5 arcsec"
    assert "dz of the data times -1, by the conventions of jcmt" in outcome.out
    assert checks.seen[0][0].observing.source.shape == "disc"
    seen = json.loads(run("inspect", maps_file(), *words, "--json").out)
    assert seen["observation"]["observing"]["source"]["diameter_rad"] == pytest.approx(3.5 * math.pi / 648000)


def test_flags_and_exit_code(run, maps_file, checks):
    checks.flags = (Flag("exact-zeros", "fine", Level.NOTE),)
    outcome = run("inspect", maps_file(), "--telescope", "jcmt", "--dz", "-2mm,0mm,2mm")
    assert outcome.code == 0
    assert "note defocus-replaced: " in outcome.out
    assert "note exact-zeros: fine" in outcome.out
    checks.flags = (Flag("map-size", "too small"),)
    outcome = run("inspect", maps_file(), "--telescope", "jcmt")
    assert outcome.code == 4
    assert outcome.out.splitlines()[-1] == "check map-size: too small"


def test_refused_maps_are_shown_before_the_error(run, maps_file, checks):
    checks.error = InputError("beyond all", file="obs.fits")
    outcome = run("inspect", maps_file(), "--telescope", "jcmt")
    assert outcome.code == 2
    assert "map 1 (MINUS OOF)" in outcome.out
    assert outcome.err == "oofpy: error: obs.fits: beyond all\n"
    assert run("inspect", maps_file(), "--telescope", "jcmt", "--json").out == ""


def test_telescope_with_unknown_numbers(run, maps_file, checks, tmp_path):
    from oofpy.telescope import telescope_folder

    path = tmp_path / "mine.toml"
    path.write_text((telescope_folder() / "srt.toml").read_text().replace('"21.0236 m"', '"unknown"'), encoding="utf-8")
    outcome = run("inspect", maps_file(), "--telescope", path)
    assert outcome.code == 0
    assert "the maps are not judged, as geometry.primary_focal_length of srt is unknown" in outcome.out
    assert checks.seen == []


def test_judged_in_the_signs_of_the_model(run, maps_file, checks, tmp_path):
    from oofpy.telescope import telescope_folder

    path = tmp_path / "mine.toml"
    text = (telescope_folder() / "jcmt.toml").read_text()
    path.write_text(text.replace("defocus_sign = { value = 1", "defocus_sign = { value = -1"))
    outcome = run("inspect", maps_file(dz=(-1e-3, 0, 3e-3)), "--telescope", path)
    assert "map 1 (MINUS OOF): dz = -1 mm" in outcome.out
    assert "dz of the data times -1, by the conventions of jcmt" in outcome.out
    assert checks.seen[0][0].defocus_m.tolist() == [1e-3, 0.0, -3e-3]


@pytest.mark.usefixtures("checks")
def test_several_observations(run, maps_file, tmp_path):
    files = [maps_file("a.fits"), tmp_path / "absent.fits", maps_file("b.fits")]
    outcome = run("inspect", *files, "--telescope", "jcmt", "--json")
    assert outcome.code == 2
    assert [one["observation"]["name"] for one in json.loads(outcome.out)] == ["a", "b"]
    assert "absent.fits: there is no such file" in outcome.err


def test_bad_input(refused, tmp_path):
    path = tmp_path / "noise.fits"
    path.write_bytes(bytes(range(256)) * 20)
    assert str(path) in refused("inspect", path)
