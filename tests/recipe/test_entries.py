from dataclasses import replace
from pathlib import Path

import pytest

from oofpy.errors import ConfigurationError, UsageError
from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.limits import Limits
from oofpy.recipe.entries import Entries, entries_of, read_settings_file, settings_of

# As `oofpy fit` starts: it writes a report, which compares the maps.
COMMAND = FitSettings(leave_one_out=True)
DEFAULTS = Path(__file__).parents[2] / "configs" / "fits" / "default.toml"


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "settings.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_shipped_file_holds_every_setting_with_its_default():
    assert settings_of(DEFAULTS, {}, []) == settings_of(None, {}, [], COMMAND)
    wanted = {name for name in FitSettings.__dataclass_fields__ if name not in ("parameters", "limits")}
    wanted |= {f"limits.{name}" for name in Limits.__dataclass_fields__}
    assert set(read_settings_file(DEFAULTS)) == wanted


def test_limits_of_the_rules_can_be_set(file):
    path = file('[limits]\nmost_surface_rms_m = "200 um"\nfewest_good_maps = 3\n')
    limits = settings_of(path, {}, ["limits.fewest_good_maps=4", "limits.most_phase_step_rad=0.5rad"])[0].limits
    assert limits == Limits(most_surface_rms_m=200e-6, fewest_good_maps=4, most_phase_step_rad=0.5)


def test_examples_in_the_shipped_file_work(file):
    lines = DEFAULTS.read_text().splitlines()
    keys = ("# [", "# start", "# lower", "# upper", "# free", "# prior_sigma", "# used", "# source_")
    settings, entries = settings_of(
        file("\n".join(line.removeprefix("# ") if line.startswith(keys) else line for line in lines)), {}, []
    )
    assert settings.parameters == {
        "edge_taper_db": ParameterRule(start=-12.0, lower=-20.0, upper=-8.0),
        "defocus_error_m": ParameterRule(free=True, prior_sigma=0.2e-3),
        "Z(2,0)": ParameterRule(free=False),
    }
    assert entries.telescope == {"blockage.legs.used": "true"}
    assert entries.observing == {"source_shape": "disc", "source_diameter": "3.5 arcsec"}


def test_nothing_given_is_the_default():
    given = {"order": None, "likelihood": None}
    assert settings_of(None, given, []) == (FitSettings(), Entries())
    assert settings_of(None, given, [], COMMAND) == (COMMAND, Entries())


def test_command_line_stands_above_the_file(file):
    path = file(
        'order = 3\nprecision = "single"\n[telescope.blockage]\ndisc_radius = "1 m"\n'
        '[observing]\nchop_throw = "30 arcsec"\nlimb_darkening = 0.3\n'
    )
    words = ["telescope.blockage.disc_radius = 2 m", "tolerance=1e-4", "observing.chop_throw=57.8arcsec"]
    settings, entries = settings_of(path, {"order": "auto"}, words, COMMAND)
    assert settings == replace(COMMAND, order="auto", precision="single", tolerance=1e-4)
    assert entries == Entries(
        telescope={"blockage.disc_radius": "2 m"},
        observing={"chop_throw": "57.8arcsec", "limb_darkening": "0.3"},
    )
    assert entries_of(path, words[::2]) == entries


def test_a_command_that_does_not_fit_takes_no_setting_of_a_fit():
    assert entries_of(None, []) == Entries()
    with pytest.raises(UsageError, match="--set order: is no entry of the telescope and nothing about the observing"):
        entries_of(None, ["observing.chop_throw=1arcmin", "order=3"])


def test_a_correction_lies_beside_the_settings(file, tmp_path):
    path = file('[observing]\napplied = "applied.fits"\n')
    assert entries_of(path, []).observing == {"applied": str(tmp_path / "applied.fits")}
    assert entries_of(path, ["observing.applied=mine.fits"]).observing == {"applied": "mine.fits"}
    for text in ("none", "Z(2,0)=0.3rad"):
        assert entries_of(file(f'[observing]\napplied = "{text}"\n'), []).observing == {"applied": text}


def test_lists_become_text(file):
    path = file('[telescope.blockage.legs]\nposition_angles = ["0 deg", "90 deg"]\n')
    assert settings_of(path, {}, [])[1].telescope == {"blockage.legs.position_angles": "0 deg, 90 deg"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("order = ", "is not valid TOML"),
        (b"\xff\xfe", "is not text in UTF-8"),
        ("order = 2020-01-01", "order = 2020-01-01: is not a value that a setting can have"),
        ("orders = 3", "orders: is not a setting; did you mean order?"),
        ("order = 13", "order = 13: must be a whole number from 2 to 12"),
        ('[observing]\nchop = "1 arcmin"', "observing.chop: is no key of the observing"),
        ("[observing]\nchop_throw = 57.8", "observing.chop_throw = 57.8: has no unit"),
        ("[parameters.edge_taper_db]\nstart = -12", "parameters.edge_taper_db.start = -12: has no unit"),
    ],
)
def test_fault_of_a_file_names_it(file, content, said):
    path = file(content)
    with pytest.raises(ConfigurationError) as caught:
        settings_of(path, {}, [])
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "words", [["order=3", "order=4"], ["telescope.x=1", "telescope.x=1"], ["observing.x=1", "observing.x=2"]]
)
def test_nothing_is_set_twice(words):
    with pytest.raises(UsageError, match="is set twice, by --set; set it once"):
        settings_of(None, {}, words)


def test_a_wrong_entry_of_the_observing_is_refused():
    for take in (lambda words: entries_of(None, words), lambda words: settings_of(None, {}, words)):
        with pytest.raises(ConfigurationError, match=r"^observing\.source: is no key of the observing"):
            take(["observing.source=disc"])


@pytest.mark.parametrize("word", ["order", "=3", "", " = 3"])
def test_assignment_needs_a_key_and_an_equals_sign(word):
    with pytest.raises(UsageError, match="is not KEY=VALUE"):
        settings_of(None, {}, [word])
