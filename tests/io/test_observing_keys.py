import math

import pytest

from oofpy.errors import ConfigurationError, OofError
from oofpy.io import apply_observing, observing_keys
from oofpy.io.observing_keys import check_observing_texts, observing_of_values, resolve_observing, values_of
from oofpy.observing import AppliedCorrection, Observing

WAVELENGTH_M = 299_792_458.0 / 90e9
EVERYTHING = {
    "chop_throw": "57.8 arcsec",
    "chop_angle": "-30 deg",
    "source_shape": "limb-darkened",
    "source_diameter": "0.05 mrad",
    "limb_darkening": "0.5",
    "bandwidth": "18 GHz",
    "scan_smearing": "3 arcsec",
    "scan_angle": "45 deg",
    "pixel_size": "4 arcsec",
    "pixel_shape": "round",
    "source_distance": "3 km",
    "applied": "Z(2,0)=0.3rad, Z(3,-1) = -12deg",
}


def apply(texts, observing=Observing()):  # noqa: B008 it is frozen
    return apply_observing(observing, texts, WAVELENGTH_M, file="obs.fits")


def test_every_key():
    found = apply(EVERYTHING)
    assert found.chop.throw_rad == pytest.approx(math.radians(57.8 / 3600))
    assert found.chop.angle_rad == pytest.approx(math.radians(-30))
    assert (found.source.shape, found.source.diameter_rad, found.source.limb_darkening) == ("limb-darkened", 5e-5, 0.5)
    assert found.fractional_bandwidth == pytest.approx(0.2)
    assert found.smearing.scan_rad == pytest.approx(math.radians(3 / 3600))
    assert found.smearing.scan_angle_rad == pytest.approx(math.pi / 4)
    assert found.smearing.pixel_rad == pytest.approx(math.radians(4 / 3600))
    assert found.smearing.pixel_shape == "round"
    assert found.source_distance_m == 3000
    assert found.applied.coefficients == ((2, 0, 0.3), (3, -1, pytest.approx(math.radians(-12))))
    assert set(observing_keys()) == set(EVERYTHING)


def test_taken_apart_and_put_together_again():
    whole = apply(EVERYTHING)
    again = observing_of_values(values_of(whole))
    assert again.as_dict() == whole.as_dict()
    assert values_of(Observing()) == {}
    assert observing_of_values({}).is_plain


def test_texts_change_what_is_known_and_leave_the_rest():
    found = apply({"chop_angle": "10 deg", "source_shape": "disc", "limb_darkening": "none"}, apply(EVERYTHING))
    assert found.chop.throw_rad == pytest.approx(math.radians(57.8 / 3600))
    assert found.chop.angle_rad == pytest.approx(math.radians(10))
    assert (found.source.shape, found.source.limb_darkening) == ("disc", 0.0)
    assert found.smearing.pixel_shape == "round"


@pytest.mark.parametrize(
    ("key", "gone"),
    [
        ("chop_throw", {"chop"}),
        ("source_diameter", {"source"}),
        ("bandwidth", {"fractional_bandwidth"}),
        ("source_distance", {"source_distance_m"}),
        ("applied", {"applied"}),
    ],
)
def test_none_takes_a_whole_mode_away(key, gone):
    whole = apply(EVERYTHING)
    found = apply({key: " None "}, whole)
    assert set(whole.as_dict()) - set(found.as_dict()) == gone


def test_none_for_the_parts_of_smearing():
    no_scan = apply({"scan_smearing": "none"}, apply(EVERYTHING)).smearing
    assert (no_scan.scan_rad, no_scan.scan_angle_rad, no_scan.pixel_shape) == (0, 0, "round")
    no_pixel = apply({"pixel_size": "none"}, apply(EVERYTHING)).smearing
    assert (no_pixel.pixel_rad, no_pixel.pixel_shape) == (0, "square")
    assert no_pixel.scan_rad > 0
    assert apply({"pixel_size": "none", "scan_smearing": "none"}, apply(EVERYTHING)).smearing is None
    assert apply({"pixel_size": "none"}).is_plain


def test_diameter_alone_is_a_uniform_disc_and_says_so():
    found = resolve_observing(Observing(), {"source_diameter": "3arcsec"}, WAVELENGTH_M)
    assert found.observing.source.shape == "disc"
    assert [(flag.code, flag.serious) for flag in found.flags] == [("source-disc-assumed", False)]
    shaped = resolve_observing(Observing(), {"source_diameter": "3arcsec", "source_shape": "gaussian"}, WAVELENGTH_M)
    assert shaped.flags == ()


@pytest.mark.parametrize(
    ("texts", "missing", "problem"),
    [
        ({"chop_angle": "0deg"}, "chop_throw", "the chop has an angle but no throw; .*observing.chop_throw=none"),
        ({"chop_throw": "60arcsec"}, "chop_angle", "the chop has a throw but no angle; .*observing.chop_throw=none"),
        ({"chop_throw": "none", "chop_angle": "0deg"}, "chop_throw", "no throw"),
        ({"source_shape": "disc"}, "source_diameter", "a shape but no size"),
        ({"limb_darkening": "0.3"}, "source_diameter", "a limb but no size"),
        (
            {"source_shape": "limb-darkened", "source_diameter": "3arcsec"},
            "limb_darkening",
            "limb-darkened by an unknown amount; give the exponent",
        ),
        ({"scan_angle": "0deg"}, "scan_smearing", "a direction but no length"),
        ({"scan_smearing": "3arcsec"}, "scan_angle", "no direction; .*observing.scan_smearing=none"),
        ({"pixel_shape": "round"}, "pixel_size", "a shape but no size"),
    ],
)
def test_half_a_mode_names_what_is_missing(texts, missing, problem):
    with pytest.raises(ConfigurationError, match=rf"^obs.fits: observing.{missing}: this is missing: .*{problem}"):
        apply(texts)


def test_text_of_a_message():
    with pytest.raises(ConfigurationError) as caught:
        apply({"chop_throw": "60arcsec"})
    assert str(caught.value) == (
        "obs.fits: observing.chop_angle: this is missing: the chop has a throw but no angle; give it (from +u towards "
        "+v to the negative beam), or observing.chop_throw=none where there is none"
    )


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (
            {"chop_trow": "3arcsec"},
            "observing.chop_trow: is no key of the observing; did you mean observing.chop_throw",
        ),
        ({"qqq": "3"}, "observing.qqq: is no key of the observing; known: chop_throw, "),
        ({"chop_throw": "57.8"}, "observing.chop_throw = 57.8: has no unit"),
        ({"chop_throw": "3 mm"}, "observing.chop_throw = 3 mm: has the unit 'mm', which is a unit of length"),
        ({"source_shape": "ring"}, "observing.source_shape = ring: is not known; choose one of disc, limb-darkened"),
        ({"chop_throw": "-3 deg", "chop_angle": "0"}, "observing.chop_throw = -3 deg: must be an angle above zero"),
        (
            {"chop_throw": "10deg", "chop_angle": "0"},
            "observing.chop_throw = 10deg: must .* 0.1 rad; give an angle up to 5.72958 deg, e.g. 20arcsec, or "
            "observing.chop_throw=none$",
        ),
        (
            {"limb_darkening": "11", "source_diameter": "3arcsec", "source_shape": "limb-darkened"},
            "observing.limb_darkening = 11: must be an exponent from 0 to 10; give a number from 0 to 10, or",
        ),
        ({"limb_darkening": "0.3", "source_diameter": "3arcsec"}, "means nothing for a source of shape disc"),
        (
            {"bandwidth": "200GHz"},
            "observing.bandwidth = 200GHz: must be from 0 to 0.5 of the .*; give a width up to 45 GHz, or "
            "observing.bandwidth=none$",
        ),
        (
            {"source_distance": "-3 m"},
            "observing.source_distance = -3 m: must be a positive length; give a length above zero, e.g. 3km, or",
        ),
        (
            {"applied": "Z(2,0)"},
            r"observing.applied = Z\(2,0\): is no list of coefficients; write e.g. 'Z\(2,0\)=0.3rad",
        ),
        ({"applied": "Z(2,0)=0.3"}, r"observing.applied Z\(2,0\) = 0.3: has no unit"),
        (
            {"applied": "Z(2,0)=1deg, Z(2,1)=0.3rad"},
            r"observing.applied = Z\(2,1\)=0.3rad: there is no Zernike term with n = 2 and l = 1; for n = 2, l is "
            "one of -2, 0, 2$",
        ),
        (
            {"applied": "Z(2,0)=0.5rad,Z(2,0)=1rad"},
            r"observing.applied = Z\(2,0\)=1rad: Z\(2,0\) is given twice; give every term once",
        ),
        (
            {"applied": "Z(13,1)=12deg"},
            r"observing.applied = Z\(13,1\)=12deg: n = 13 is above 12; terms from n = 0 to 12 are supported; give a ",
        ),
        ({"applied": " "}, "observing.applied = '': is empty; write e.g. .*, the name of a file, or none"),
        ({"applied": "Z(2,0)=0.3rad Z(4,0)=1rad"}, "observing.applied"),
        ({"applied": "no-such-file.fits"}, "no-such-file.fits: there is no such file"),
    ],
)
def test_wrong_texts(texts, problem):
    with pytest.raises(OofError, match=problem) as caught:
        apply(texts)
    assert "\n" not in str(caught.value)


def test_texts_can_be_checked_before_any_file_is_read():
    check_observing_texts(EVERYTHING | {"chop_throw": "none", "applied": "some file.fits"})
    with pytest.raises(ConfigurationError, match=r"^observing.pixel_shape = hexagon: is not known"):
        check_observing_texts({"pixel_shape": "hexagon"})


@pytest.mark.parametrize("key", ["pixel_size", "scan_smearing"])
@pytest.mark.parametrize("text", ["0", "0arcsec", "-0 deg"])
def test_smearing_of_nothing_is_refused(key, text):
    with pytest.raises(ConfigurationError) as caught:
        check_observing_texts({key: text})
    assert str(caught.value) == (
        f"observing.{key} = {text}: must be an angle above zero; write observing.{key}=none where there is none"
    )


@pytest.mark.parametrize(
    ("coefficients", "problem"),
    [
        (((13, 1, 0.1),), "n = 13 is above 12"),
        (((-1, 1, 0.1),), "n = -1 is below 0"),
        (((2, 4, 0.1),), "there is no Zernike term with n = 2 and l = 4"),
        (((2, 0, 0.1), (2, 0, 0.2)), r"Z\(2,0\) is given twice"),
        (((2, 0, math.nan),), "is not a finite number"),
    ],
)
def test_coefficients_of_a_correction_made_in_a_program(coefficients, problem):
    with pytest.raises(ConfigurationError, match=f"observing.applied = Z.*: {problem}"):
        AppliedCorrection(coefficients)
