from pathlib import Path

import pytest

from oofpy.errors import UsageError
from oofpy.fitting.settings import FitSettings
from oofpy.recipe import Recipe, RecipeTexts
from oofpy.recipe.reading import Reading


@pytest.fixture
def texts(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('order = 3\ntolerance = 1e-4\n[telescope.blockage]\ndisc_radius = "1 m"\n')
    return RecipeTexts.of_options(
        settings={"order": "4", "likelihood": None},
        assignments=["observing.chop_throw=1arcmin", "observing.chop_angle=0deg", "limits.fewest_good_maps=3"],
        settings_file=file,
        telescope="jcmt",
        dz="-3mm,0mm,3mm",
        frequency="300GHz",
    )


def test_texts_become_a_recipe(texts):
    recipe = texts.recipe(FitSettings(leave_one_out=True))
    assert (recipe.settings.order, recipe.settings.tolerance, recipe.settings.leave_one_out) == (4, 1e-4, True)
    assert recipe.settings.limits.fewest_good_maps == 3
    assert recipe.reading == Reading(
        defocus_m=(-3e-3, 0.0, 3e-3),
        wavelength_m=299792458 / 300e9,
        observing={"chop_throw": "1arcmin", "chop_angle": "0deg"},
    )
    assert (recipe.telescope, recipe.overrides) == ("jcmt", {"blockage.disc_radius": "1 m"})
    assert RecipeTexts().recipe() == Recipe(FitSettings())


def test_what_is_laid_over_stands_above(texts):
    above = {
        "telescope": "apex",
        "order": "5",
        "in_focus": "2",
        "mask": "m.csv",
        "telescope.blockage.disc_radius": "2 m",
    }
    recipe = texts.overlaid(above).recipe()
    assert (recipe.telescope, recipe.settings.order, recipe.settings.tolerance) == ("apex", 5, 1e-4)
    assert recipe.overrides == {"blockage.disc_radius": "2 m"}
    assert (recipe.reading.in_focus, recipe.reading.mask) == (2, Path("m.csv"))
    assert recipe.reading.defocus_m == (-3e-3, 0.0, 3e-3)
    assert texts.overlaid({}) == texts


def test_one_thing_said_in_two_ways(texts):
    assert texts.overlaid({"wavelength": "2mm"}).recipe().reading.wavelength_m == 2e-3
    both = texts.overlaid({"wavelength": "2mm", "frequency": "150GHz"})
    with pytest.raises(UsageError, match="--wavelength and --frequency are both given"):
        both.recipe()


def test_none_takes_the_whole_mode_away(texts):
    recipe = texts.overlaid({"observing.chop_throw": "none"}).recipe()
    assert recipe.reading.observing == {"chop_throw": "none"}
    halves = texts.overlaid({"observing.chop_angle": "90deg"}).recipe()
    assert halves.reading.observing == {"chop_throw": "1arcmin", "chop_angle": "90deg"}


def test_what_cannot_be_laid_over(texts):
    with pytest.raises(UsageError, match="--in-focus = two: is no number of a map"):
        texts.overlaid({"in_focus": "two"})
    with pytest.raises(UsageError, match="order: is set twice, by --order and --set"):
        RecipeTexts.of_options(settings={"order": "4"}, assignments=["order=5"], settings_file=None)
