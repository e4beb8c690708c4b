from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import oofpy
from oofpy.cli import main
from oofpy.errors import InputError, UsageError
from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.limits import Limits
from oofpy.observation import SkyOrientation
from oofpy.recipe import Recipe
from oofpy.recipe.reading import Reading
from oofpy.telescope.loading import telescope_file

PLAIN = Recipe(FitSettings(), Reading(), "jcmt")

OTHERS = {
    "order": replace(PLAIN, settings=FitSettings(order=4)),
    "likelihood": replace(PLAIN, settings=FitSettings(likelihood="gaussian")),
    "precision": replace(PLAIN, settings=FitSettings(precision="single")),
    "slopes": replace(PLAIN, settings=FitSettings(background_slopes=True)),
    "tolerance": replace(PLAIN, settings=FitSettings(tolerance=1.0001e-5)),
    "limit": replace(PLAIN, settings=FitSettings(limits=Limits(fewest_good_maps=3))),
    "rule": replace(PLAIN, settings=FitSettings(parameters={"Z(2,0)": ParameterRule(free=False)})),
    "dz": replace(PLAIN, reading=Reading(defocus_m=(-3e-3, 0.0, 3e-3))),
    "wavelength": replace(PLAIN, reading=Reading(wavelength_m=1.1e-3)),
    "maps": replace(PLAIN, reading=Reading(maps=(1, 3))),
    "radius": replace(PLAIN, reading=Reading(radius_rad=1e-3)),
    "offsets": replace(PLAIN, reading=Reading(orientation=SkyOrientation("source"))),
    "angle": replace(PLAIN, reading=Reading(orientation=SkyOrientation(None, (0.1,)))),
    "in focus": replace(PLAIN, reading=Reading(in_focus=2)),
    "part": replace(PLAIN, reading=Reading(part="2mm")),
    "chop": replace(PLAIN, reading=Reading(observing={"chop_throw": "1arcmin", "chop_angle": "0deg"})),
    "correction": replace(PLAIN, reading=Reading(observing={"applied": "Z(2,0)=0.3rad"})),
    "telescope": replace(PLAIN, telescope="apex"),
    "telescope of the data": replace(PLAIN, telescope=None),
    "entry of the telescope": replace(PLAIN, overrides={"illumination.edge_taper": "-12dB"}),
}


def test_equal_settings_have_one_digest():
    again = Recipe(FitSettings(), Reading(), "jcmt")
    assert again.digest() == PLAIN.digest()
    assert len(PLAIN.digest()) == 64
    one, other = {"chop_throw": "1arcmin", "chop_angle": "0"}, {"chop_angle": "0", "chop_throw": "1arcmin"}
    texts = [replace(PLAIN, reading=Reading(observing=said)).digest() for said in (one, other)]
    assert texts[0] == texts[1]


def test_each_setting_changes_the_digest():
    digests = {"nothing": PLAIN.digest()} | {what: other.digest() for what, other in OTHERS.items()}
    assert len(set(digests.values())) == len(digests)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_the_device_is_no_part_of_it(device):
    assert replace(PLAIN, settings=FitSettings(device=device)).digest() == PLAIN.digest()


def mask_of(file):
    return replace(PLAIN, reading=Reading(mask=file))


def correction_of(file):
    return replace(PLAIN, reading=Reading(observing={"applied": str(file)}))


def telescope_of(file):
    return replace(PLAIN, telescope=str(file))


@pytest.mark.parametrize("recipe_of", [mask_of, correction_of, telescope_of])
def test_content_of_a_file_is_part_of_it(recipe_of, tmp_path):
    file = tmp_path / "given.toml"
    file.write_text(telescope_file("jcmt").read_text() + "\n# a line of our own\n")
    before = recipe_of(file).digest()
    assert before != PLAIN.digest()
    assert recipe_of(file).digest() == before
    file.write_text(file.read_text() + "\n# one more line\n")
    assert recipe_of(file).digest() != before


def test_observation_is_what_the_command_fits(maps_file, tmp_path, monkeypatch, made_result):
    file, fitted = maps_file(), []

    def fit(observation, telescope, settings, **_):
        fitted.append((observation, telescope, settings))
        return replace(made_result, name=observation.name)

    monkeypatch.setitem(vars(oofpy), "fit", fit)
    words = ["--telescope=srt", "--radius=75arcsec", "--maps=1,3", "--set=observing.source_diameter=4arcsec"]
    words += ["--set=telescope.conventions.u_sign=-1", "--set=order=4", "--no-figures", "--no-report", "--quiet"]
    main(["fit", str(file), "--out", str(tmp_path / "out"), *words])
    reading = Reading(radius_rad=np.radians(75 / 3600), maps=(1, 3), observing={"source_diameter": "4arcsec"})
    settings = FitSettings(order=4, leave_one_out=True)
    recipe = Recipe(settings, reading, "srt", {"conventions.u_sign": "-1"})
    observation, telescope = recipe.prepared([file])
    [(other, other_telescope, other_settings)] = fitted
    assert (telescope, settings) == (other_telescope, other_settings)
    assert observation.frame == other.frame == "model"
    assert observation.flags == other.flags
    assert "sign-unsourced" in [flag.code for flag in observation.flags]
    assert observation.observing == other.observing
    assert [one.label for one in observation.maps] == ["MINUS OOF", "PLUS OOF"]
    for mine, theirs in zip(observation.maps, other.maps, strict=True):
        assert mine.defocus_m == theirs.defocus_m
        for name in ("u_rad", "v_rad", "power"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


def test_signs_of_the_telescope_are_applied(maps_file):
    file = maps_file()
    plain, _ = PLAIN.prepared([file])
    turned, _ = replace(PLAIN, overrides={"conventions.defocus_sign": "-1"}).prepared([file])
    assert plain.defocus_m.tolist() == [-3e-3, 0.0, 3e-3]
    assert turned.defocus_m.tolist() == [3e-3, 0.0, -3e-3]


def test_what_cannot_be_prepared_is_refused(maps_file):
    with pytest.raises(InputError, match=r"absent\.fits: there is no such file"):
        PLAIN.prepared([Path("absent.fits")])
    with pytest.raises(UsageError, match="the file names no telescope; give it with --telescope"):
        replace(PLAIN, telescope=None).prepared([maps_file()])


def test_the_place_of_a_file_is_no_part_of_it(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "given").write_text("the same\n")
    assert mask_of(tmp_path / "one" / "given").digest() == mask_of(tmp_path / "other" / "given").digest()
    (tmp_path / "other" / "given").write_text("another\n")
    assert mask_of(tmp_path / "one" / "given").digest() != mask_of(tmp_path / "other" / "given").digest()
