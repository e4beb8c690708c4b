import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.io.observing_words import conversions, how_taken
from oofpy.observation import SkyOrientation
from oofpy.observing import AppliedCorrection, Chop, ExtendedSource, Observing, Smearing
from oofpy.telescope import load_telescope, with_overrides

ARCSEC_RAD = math.pi / 648000


@pytest.mark.parametrize(
    ("observing", "said"),
    [
        (Observing(), ""),
        (Observing(smearing=Smearing()), ""),
        (Observing(chop=Chop(57.8 * ARCSEC_RAD, math.pi / 2)), "chopped by 57.8 arcsec towards 90 deg"),
        (Observing(source=ExtendedSource("disc", 3.5 * ARCSEC_RAD)), "uniform disc of 3.5 arcsec"),
        (
            Observing(source=ExtendedSource("limb-darkened", 90 * ARCSEC_RAD, 0.3)),
            "disc of 1.5 arcmin, darker to its limb as mu^0.3",
        ),
        (
            Observing(source=ExtendedSource("gaussian", 2 * ARCSEC_RAD)),
            "Gaussian source of 2 arcsec full width at half maximum",
        ),
        (
            Observing(smearing=Smearing(3 * ARCSEC_RAD, -math.pi / 6, 5 * ARCSEC_RAD, "round")),
            "smeared by 3 arcsec along -30 deg; round detector of 5 arcsec",
        ),
        (
            Observing(fractional_bandwidth=0.125, source_distance_m=1500.0),
            "band of 12.5 % of its centre frequency; source at 1500 m",
        ),
        (
            Observing(
                applied=AppliedCorrection(((2, 0, 0.1), (2, 2, 0.2)), np.arange(8.0), np.zeros((8, 8)), "a\nb.fits")
            ),
            "with a correction on the dish from a b.fits (2 coefficients and an image of 8 x 8 pixels)",
        ),
    ],
)
def test_how_it_was_taken(observing, said):
    assert how_taken(observing) == (f"how it was taken: {said}" if said else "")


def test_signs_that_differ_are_told(observation):
    telescope = load_telescope("jcmt")
    assert conversions(observation, telescope) == ""
    turned = with_overrides(telescope, {"conventions.v_sign": "-1", "conventions.defocus_sign": "-1"})
    assert conversions(observation, turned) == "dz, v of the data times -1, by the conventions of jcmt"
    assert conversions(replace(observation, frame="model"), turned) == ""


def test_images_of_the_sky_are_told(observation):
    """The signs of u and v belong to the tables of a telescope, those of dz to all of its files."""
    telescope = with_overrides(load_telescope("jcmt"), {"conventions.u_sign": "-1", "conventions.defocus_sign": "-1"})
    dz = "dz of the data times -1, by the conventions of jcmt"
    azel = replace(observation, frame="sky-azel", orientation=SkyOrientation("telescope"))
    half_turn = "offsets are telescope minus source, turned by half a turn (as given)"
    assert conversions(azel, telescope) == f"{half_turn}; {dz}"
    radec = replace(observation, frame="sky-radec", orientation=SkyOrientation("source", (0.5, 0.25)))
    assert conversions(radec, telescope) == (
        "offsets are source minus telescope (as given); turned from north to the zenith by the parallactic angle "
        f"28.6479 deg, 14.3239 deg; {dz}"
    )
    assert conversions(replace(azel, orientation=SkyOrientation()), telescope) == dz


def test_orientation_by_the_telescope(observation):
    telescope = load_telescope("jcmt")
    known = replace(telescope, conventions=replace(telescope.conventions, image_offsets="source"))
    azel = replace(observation, frame="sky-azel")
    assert conversions(azel, known) == "offsets are source minus telescope (by the conventions of jcmt)"
