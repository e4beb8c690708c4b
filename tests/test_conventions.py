from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.conventions import in_file_convention, in_model_convention
from oofpy.errors import InputError
from oofpy.observation import BeamMap, Observation, SkyOrientation
from oofpy.observing import Chop, Observing, Smearing
from oofpy.telescope import load_telescope, with_overrides

SIGN = st.sampled_from([-1, 1])
ANGLE = st.floats(-np.pi, np.pi)


@pytest.fixture(scope="module")
def turned():
    telescope = load_telescope("jcmt")

    def turned(defocus_sign=1, u_sign=1, v_sign=1):
        signs = {"defocus_sign": defocus_sign, "u_sign": u_sign, "v_sign": v_sign}
        return with_overrides(telescope, {f"conventions.{key}": sign for key, sign in signs.items()})

    return turned


@pytest.fixture(scope="module")
def observation():
    maps = tuple(
        BeamMap([1e-3, 2e-3, 3e-3], [4e-3, 0, -6e-3], [7, np.nan, 9], dz, [1, 2, 0], label=str(dz))
        for dz in (-2e-3, 0.0, 1e-3)
    )
    return Observation("made", maps, 1e-3, telescope="JCMT", elevation_rad=0.5)


def test_where_nothing_is_to_do_maps_stay_as_they_are(turned, observation):
    found = in_model_convention(observation, turned())
    assert found.frame == "model"
    assert all(one is other for one, other in zip(found.maps, observation.maps, strict=True))


@settings(max_examples=20)
@given(defocus_sign=SIGN, u_sign=SIGN, v_sign=SIGN)
def test_each_sign_turns_its_own_quantity_and_nothing_else(turned, observation, defocus_sign, u_sign, v_sign):
    telescope = turned(defocus_sign, u_sign, v_sign)
    found = in_model_convention(observation, telescope)
    assert found.defocus_m.tolist() == [defocus_sign * -2e-3, 0.0, defocus_sign * 1e-3]
    for one, other in zip(found.maps, observation.maps, strict=True):
        np.testing.assert_array_equal(one.u_rad, u_sign * other.u_rad)
        np.testing.assert_array_equal(one.v_rad, v_sign * other.v_rad)
        np.testing.assert_array_equal(one.power, other.power)
        np.testing.assert_array_equal(one.used, other.used)
        np.testing.assert_array_equal(one.relative_error, other.relative_error)
        assert one.label == other.label
    assert (found.name, found.wavelength_m, found.elevation_rad) == ("made", 1e-3, 0.5)
    assert in_model_convention(found, telescope) is found
    back = in_file_convention(found, telescope)
    assert back.frame == "file"
    assert in_file_convention(observation, telescope) is observation
    assert back.defocus_m.tolist() == observation.defocus_m.tolist()
    for one, other in zip(back.maps, observation.maps, strict=True):
        np.testing.assert_array_equal(one.u_rad, other.u_rad)
        np.testing.assert_array_equal(one.v_rad, other.v_rad)


def test_focus_stays_a_plain_zero(turned, observation):
    focus = in_model_convention(observation, turned(defocus_sign=-1)).maps[1].defocus_m
    assert str(focus) == "0.0"


def sky(observation, frame, offsets=None, *angles):
    return replace(observation, frame=frame, orientation=SkyOrientation(offsets, angles or None))


def test_offsets_of_the_telescope_are_the_source_turned_by_half_a_turn(turned, observation):
    source = in_model_convention(sky(observation, "sky-azel", "source"), turned())
    axis = in_model_convention(sky(observation, "sky-azel", "telescope"), turned())
    for one, other, raw in zip(source.maps, axis.maps, observation.maps, strict=True):
        np.testing.assert_array_equal(one.u_rad, raw.u_rad)
        np.testing.assert_array_equal(one.v_rad, raw.v_rad)
        np.testing.assert_array_equal(other.u_rad, -raw.u_rad)
        np.testing.assert_array_equal(other.v_rad, -raw.v_rad)


def test_signs_of_the_tables_do_not_touch_directions_on_the_sky(turned, observation):
    image = sky(observation, "sky-azel", "source")
    found = in_model_convention(image, turned(-1, -1, -1))
    np.testing.assert_array_equal(found.maps[0].u_rad, observation.maps[0].u_rad)
    assert found.defocus_m.tolist() == [2e-3, 0.0, -1e-3]
    written = in_file_convention(image, turned(-1, -1, -1))
    np.testing.assert_array_equal(written.maps[0].u_rad, -observation.maps[0].u_rad)
    assert written.defocus_m.tolist() == observation.defocus_m.tolist()
    assert written.frame == "file"


@settings(max_examples=20)
@given(hour=st.floats(-1.5, 1.5), declination=st.floats(-0.5, 1.2), east=st.floats(-1, 1), north=st.floats(-1, 1))
def test_parallactic_angle_against_horizontal_coordinates(turned, observation, hour, declination, east, north):
    """A source at a small offset on the sky, brought to azimuth and elevation by the rotation of the sphere."""
    latitude, small = 0.35, 1e-6

    def horizontal(hour, declination):
        x = -np.cos(declination) * np.sin(hour)  # east
        y = np.sin(declination) * np.cos(latitude) - np.cos(declination) * np.cos(hour) * np.sin(latitude)  # north
        z = np.sin(declination) * np.sin(latitude) + np.cos(declination) * np.cos(hour) * np.cos(latitude)
        return np.arctan2(x, y), np.arcsin(z)

    azimuth, elevation = horizontal(hour, declination)
    if not 0.1 < elevation < 1.4:
        return
    there = horizontal(hour - small * east / np.cos(declination), declination + small * north)
    turn = (there[0] - azimuth + np.pi) % (2 * np.pi) - np.pi
    wanted = turn * np.cos(elevation), there[1] - elevation
    angle = np.arctan2(
        np.sin(hour), np.tan(latitude) * np.cos(declination) - np.sin(declination) * np.cos(hour)
    )  # the textbook's parallactic angle, from north through east
    maps = tuple(BeamMap([-small * east, 0], [small * north, 0], [1, 2], dz) for dz in (0, 1e-3))
    image = sky(replace(observation, maps=maps), "sky-radec", "source", float(angle))
    found = in_model_convention(image, turned()).maps[0]
    assert (found.u_rad[0], found.v_rad[0]) == pytest.approx(wanted, abs=1e-10)


def test_one_angle_for_each_map(turned, observation):
    image = sky(observation, "sky-radec", "source", 0.0, np.pi / 2, np.pi)
    found = in_model_convention(image, turned()).maps
    np.testing.assert_allclose(found[0].u_rad, observation.maps[0].u_rad)
    # With the zenith towards the east, up is east, which is to the left of north in the image.
    np.testing.assert_allclose(found[1].v_rad, -observation.maps[1].u_rad, atol=1e-18)
    np.testing.assert_allclose(found[1].u_rad, observation.maps[1].v_rad, atol=1e-18)
    np.testing.assert_allclose(found[2].u_rad, -observation.maps[2].u_rad, atol=1e-18)


@pytest.mark.parametrize(
    ("frame", "orientation", "problem"),
    [
        ("sky-azel", (None,), r"made: offsets: it is not known what the offsets .*--offsets telescope .*image_offsets"),
        ("sky-radec", ("source",), r"made: parallactic angle: .*--parallactic-angle, one for all maps or one for each"),
        (
            "sky-radec",
            ("source", 0.1, 0.2),
            r"parallactic angle = 5.7\S* deg, 11.4\S* deg: there are 2 values for 3 maps",
        ),
    ],
)
def test_orientation_that_is_not_known_is_refused(turned, observation, frame, orientation, problem):
    for convert in (in_model_convention, in_file_convention):
        with pytest.raises(InputError, match=problem):
            convert(sky(observation, frame, *orientation), turned())


def test_telescope_says_what_its_images_are(observation):
    telescope = with_overrides(load_telescope("jcmt"), {"conventions.image_offsets": "telescope"})
    found = in_model_convention(sky(observation, "sky-azel"), telescope)
    np.testing.assert_array_equal(found.maps[0].u_rad, -observation.maps[0].u_rad)
    given = in_model_convention(sky(observation, "sky-azel", "source"), telescope)
    np.testing.assert_array_equal(given.maps[0].u_rad, observation.maps[0].u_rad)


@settings(max_examples=20)
@given(u_sign=SIGN, v_sign=SIGN, angle=ANGLE, zenith=ANGLE, image=st.booleans())
def test_chop_and_scan_turn_with_u_and_v(turned, observation, u_sign, v_sign, angle, zenith, image):
    throw = 1e-3
    tip = [throw * np.cos(angle), 0.0], [throw * np.sin(angle), 0.0]
    maps = tuple(BeamMap(*tip, [1, 2], dz) for dz in (0, 1e-3))
    made = replace(observation, maps=maps, observing=Observing(chop=Chop(throw, angle), smearing=Smearing(2e-4, angle)))
    made = sky(made, "sky-radec", "telescope", zenith) if image else made
    found = in_model_convention(made, turned(1, u_sign, v_sign))
    there = found.maps[0].u_rad[0], found.maps[0].v_rad[0]
    assert found.observing.chop.throw_uv_rad == pytest.approx(there, abs=1e-12)
    assert found.observing.chop.throw_rad == throw
    scan = found.observing.smearing
    assert (np.cos(scan.scan_angle_rad), np.sin(scan.scan_angle_rad)) == pytest.approx(
        np.array(there) / throw, abs=1e-9
    )


def test_one_chop_for_maps_of_different_angles_is_refused(turned, observation):
    image = sky(observation, "sky-radec", "source", 0.1, 0.2, 0.3)
    chopped = replace(image, observing=Observing(chop=Chop(1e-3, 0.0)))
    with pytest.raises(InputError, match=r"the maps have different parallactic angles, .*; use images in azimuth"):
        in_model_convention(chopped, turned())
    sized = replace(image, observing=Observing(smearing=Smearing(pixel_rad=1e-5), fractional_bandwidth=0.1))
    assert in_model_convention(sized, turned()).observing is sized.observing
