import math

import pytest

from oofpy.errors import OofError, UsageError
from oofpy.observation import SkyOrientation
from oofpy.recipe.reading import Reading, as_taken, reading_of


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
