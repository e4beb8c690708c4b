from dataclasses import replace

import pytest

from oofpy.recipe.reading import Reading
from oofpy.recipe.telescopes import shipped_name, telescope_flags, telescope_of
from oofpy.telescope import load_telescope, with_overrides


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
