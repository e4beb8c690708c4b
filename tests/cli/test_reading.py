import math
from dataclasses import replace

import pytest

from oofpy.cli.reading import description_of, groups_of
from oofpy.errors import OofError, UsageError
from oofpy.observation import SkyOrientation
from oofpy.recipe.reading import Reading, as_taken, reading_of
from oofpy.recipe.telescopes import shipped_name, telescope_flags, telescope_of
from oofpy.telescope import load_telescope, with_overrides


def test_texts_become_si():
    assert reading_of(None, None, None, None, None, None) == Reading()
    reading = reading_of("-3mm, 0, 3mm", "1.1mm", None, "1, 3", "1deg", None)
    assert reading.defocus_m == (-3e-3, 0.0, 3e-3)
    assert reading.wavelength_m == 1.1e-3
    assert reading.maps == (1, 3)
    assert reading.radius_rad == pytest.approx(0.0174532925)
    assert reading_of(None, None, "299.792458GHz", None, None, None).wavelength_m == pytest.approx(1e-3)


def test_what_is_said_about_the_observing():
    plain = reading_of("-3mm, 0, 3mm", None, None, None, None, None)
    assert as_taken(plain, None, None, None, None, None, {}) == plain
    said = as_taken(plain, "radec", "source", "30deg,45deg", 2, "2mm", {"chop_throw": "1arcmin"})
    assert said.defocus_m == plain.defocus_m
    assert said.orientation.axes == "radec"
    assert said.orientation.offsets == "source"
    assert said.part == "2mm"
    assert said.orientation.parallactic_angle_rad == pytest.approx((math.pi / 6, math.pi / 4))
    assert (said.in_focus, said.observing) == (2, {"chop_throw": "1arcmin"})
    only = as_taken(plain, None, None, "0", None, None, {})
    assert only.orientation == SkyOrientation(None, (0.0,))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("sky", None, None), "--offsets = sky: is not known; choose telescope"),
        (("", None, None), "--offsets = '': is not known"),
        ((None, "35", None), "--parallactic-angle = 35: has no unit"),
        ((None, "35deg,", None), "--parallactic-angle = 35deg,: has an empty item"),
        ((None, None, 0), "--in-focus = 0: is no number of a map; maps count from 1"),
    ],
)
def test_what_cannot_be_said_about_the_observing(given, said):
    with pytest.raises(OofError) as caught:
        as_taken(Reading(), None, *given, None, {})
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("text", ["", "1,", "one", "-1", "1.5", "\u0661", "999999"])
def test_map_numbers(text):
    with pytest.raises(UsageError, match="is not a list of map numbers"):
        reading_of(None, None, None, text, None, None)


def test_files_with_several_maps_stand_alone(maps_file, tmp_path):
    a, b = maps_file("a.fits"), maps_file("b.fits")
    assert groups_of([a]) == [(a,)]
    assert groups_of([a, b]) == [(a,), (b,)]
    assert groups_of([a, tmp_path / "absent.fits"]) == [(a,), (tmp_path / "absent.fits",)]
    with pytest.raises(UsageError, match="same name"):
        groups_of([a, a])


def test_files_with_one_map_stand_together(tmp_path):
    files = []
    for name in "cab":
        files.append(tmp_path / f"{name}.txt")
        files[-1].write_text("0 0 1\n1e-4 0 2\n0 1e-4 3\n")
    assert groups_of(files) == [tuple(files)]
    assert groups_of([*files, tmp_path / "absent.txt"]) == [(*files, tmp_path / "absent.txt")]


def test_telescope_names_in_any_spelling():
    assert [shipped_name(text) for text in ("SRT", "IRAM-30m", "Iram 30M")] == ["srt", "iram30m", "iram30m"]
    assert [shipped_name(text) for text in ("gbt-mustang", "GBT MUSTANG", "GBT")] == ["gbt-mustang"] * 2 + ["gbt"]
    assert [shipped_name(text) for text in (None, "", "GTB", "../srt.toml", "srt.toml")] == [None] * 5


def test_option_stands_above_the_file(maps_file):
    observation = replace(Reading().observation([maps_file()]), telescope="SRT")
    assert telescope_of(None, observation).name == "srt"
    assert telescope_of("apex", observation).name == "apex"
    assert telescope_of(None, observation, {"illumination.edge_taper": "-9 dB"}).illumination.edge_taper_db == -9


@pytest.mark.parametrize(
    ("telescope", "frame", "named", "checks"),
    [
        ("smt", "file", "defocus_sign, u_sign, v_sign of smt", ("pointing offset", "known move")),
        ("smt", "sky-azel", "defocus_sign of smt", ("known move",)),
        ("srt", "file", "u_sign, v_sign of srt", ("pointing offset",)),
        ("srt", "sky-radec", None, ()),
    ],
)
def test_signs_without_a_source_are_a_note(maps_file, telescope, frame, named, checks):
    observation = replace(Reading().observation([maps_file()]), frame=frame)
    flags = telescope_flags(observation, load_telescope(telescope))
    assert [(flag.code, flag.serious) for flag in flags] == ([("sign-unsourced", False)] if named else [])
    for flag in flags:
        assert f"no source is known for {named}: " in flag.message
        assert "no trace in the residuals" in flag.message
        assert [check for check in ("pointing offset", "known move") if check in flag.message] == list(checks)


def test_signs_that_the_user_sets_need_no_note(maps_file):
    observation = Reading().observation([maps_file()])
    signs = {f"conventions.{name}": "1" for name in ("u_sign", "v_sign")}
    assert telescope_flags(observation, with_overrides(load_telescope("srt"), signs)) == ()


def test_another_telescope_is_flagged_beside_its_signs(maps_file):
    observation = replace(Reading().observation([maps_file()]), telescope="JCMT")
    flags = telescope_flags(observation, load_telescope("srt"))
    assert [(flag.code, flag.serious) for flag in flags] == [("telescope-replaced", True), ("sign-unsourced", False)]


def test_description_is_safe_to_show(maps_file):
    observation = Reading().observation([maps_file()])
    maps = (replace(observation.maps[0], label="a\x1b[31m\nb"), *observation.maps[1:])
    lines = description_of(replace(observation, maps=maps, object_name="\x07", elevation_rad=0.5, date="now"))
    assert all(line.isprintable() for line in lines)
    assert "elevation 28.6 deg, ?, now" in lines[0]
    assert lines[1].startswith("map 1 (a?[31m b): dz = -3 mm")
