import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oofpy.conventions import in_model_convention
from oofpy.observation import BeamMap, Observation
from oofpy.telescope import load_telescope, with_overrides

SIGN = st.sampled_from([-1, 1])


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


def test_nothing_to_do_gives_the_same_object(turned, observation):
    assert in_model_convention(observation, turned()) is observation


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
    back = in_model_convention(found, telescope)
    assert back.defocus_m.tolist() == observation.defocus_m.tolist()


def test_focus_stays_a_plain_zero(turned, observation):
    focus = in_model_convention(observation, turned(defocus_sign=-1)).maps[1].defocus_m
    assert str(focus) == "0.0"
