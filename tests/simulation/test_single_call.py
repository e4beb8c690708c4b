import numpy as np
import pytest

import oofpy
from oofpy.errors import OofError
from oofpy.simulation import Daisy, Grid, NoiseModel, random_surface, simulate

SETTINGS = {"wavelength_m": 1.1e-3, "defocus_m": (-3e-3, 0.0, 3e-3), "sampling": Grid(15, 6e-4)}


def test_it_is_exported():
    assert oofpy.simulate is simulate


def test_a_number_is_the_rms_of_a_random_surface_in_micrometres(jcmt):
    made = simulate(jcmt, surface=60.0, seed=3, **SETTINGS)
    assert made.truth.half_path_rms_m == pytest.approx(60e-6, rel=1e-12)
    assert [term.n for term in made.truth.terms] == [2] * 3 + [3] * 4 + [4] * 5 + [5] * 6


def test_an_array_is_the_coefficients():
    surface = random_surface(3, 0.4, 1)
    made = simulate("jcmt", surface=surface, order=3, **SETTINGS)
    np.testing.assert_array_equal(made.truth.coefficients_rad, surface)
    listed = simulate("jcmt", surface=surface.tolist(), order=3, **SETTINGS)
    np.testing.assert_array_equal(listed.observation.maps[2].power, made.observation.maps[2].power)


def test_defaults_are_an_ideal_surface_on_a_grid_of_nine_beams(jcmt):
    made = simulate(jcmt, wavelength_m=1.1e-3, defocus_m=(0.0, 1e-3))
    assert not made.truth.coefficients_rad.any()
    assert [one.samples for one in made.observation.maps] == [97 * 97] * 2
    assert made.observation.maps[0].u_rad.max() == pytest.approx(9 * 1.1e-3 / 15)
    faint = made.truth.maps[1].disturbance
    assert faint.noise_sigma == faint.peak / 200


def test_the_ratio_replaces_that_of_the_noise_model(jcmt):
    made = simulate(jcmt, snr=30, noise=NoiseModel(faintest_peak_over_noise=99, background=0.1), **SETTINGS)
    assert made.truth.noise == NoiseModel(faintest_peak_over_noise=30, background=0.1)


def test_the_seed_decides_every_bit(jcmt):
    noise = NoiseModel(pointing_error_beams=0.1, gain_error=0.1, glitch_fraction=0.05)
    one, same, other = (simulate(jcmt, surface=50.0, noise=noise, seed=seed, **SETTINGS) for seed in (5, 5, 6))
    for first, second, third in zip(one.observation.maps, same.observation.maps, other.observation.maps, strict=True):
        np.testing.assert_array_equal(first.power, second.power)
        assert (first.power != third.power).mean() > 0.99
    np.testing.assert_array_equal(one.truth.coefficients_rad, same.truth.coefficients_rad)


def test_maps_may_have_samplings_of_their_own(jcmt):
    made = simulate(jcmt, **{**SETTINGS, "sampling": Daisy(11, 400, 6e-4, seed=1)})
    first, second, _ = made.observation.maps
    assert first.power.size == 400
    assert (first.u_rad != second.u_rad).all()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"telescope": "arecibo"}, "arecibo"),
        ({"wavelength_m": "1mm"}, "wavelength_m"),
        ({"wavelength_m": 0.0, "sampling": None}, "wavelength_m"),
        ({"surface": -1.0}, "surface"),
        ({"surface": float("inf")}, "surface"),
        ({"surface": [1.0, 2.0]}, "coefficients_rad"),
        ({"surface": "60um"}, "coefficients_rad"),
        ({"snr": -3}, "faintest_peak_over_noise"),
        ({"seed": -3}, "seed"),
        ({"defocus_m": (1e-3, 1e-3)}, "DZ"),
        ({"defocus_m": (1e-3,)}, "maps"),
    ],
)
def test_bad_input_is_one_line_that_names_it(change, key):
    with pytest.raises(OofError) as caught:
        simulate(**{"telescope": "jcmt", **SETTINGS, **change})
    assert key in str(caught.value)
    assert "\n" not in str(caught.value)
