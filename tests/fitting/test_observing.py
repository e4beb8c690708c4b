"""Fits of maps that were taken in every way, simulated by direct sums that share nothing with the model's response."""

from dataclasses import replace

import numpy as np
import pytest

from oofpy.errors import ConfigurationError, UsageError
from oofpy.fitting.fitter import fit_observation
from oofpy.fitting.settings import ParameterRule
from oofpy.observation import SkyOrientation
from oofpy.observing import AppliedCorrection, Chop, ExtendedSource, Observing, Smearing
from oofpy.simulation import Grid, NoiseModel, Simulator

WAVELENGTH_M = 1.1e-3
BEAM_RAD = WAVELENGTH_M / 15
FREE = ParameterRule(free=True)
MODES = {
    "chop": (Observing(chop=Chop(4.3 * BEAM_RAD, 0.4)), {"chop_gain_ratio": 0.9}, {"chop_gain_ratio": FREE}),
    "disc": (Observing(source=ExtendedSource("disc", 1.2 * BEAM_RAD)), {}, {}),
    "darkened disc": (Observing(source=ExtendedSource("limb-darkened", 1.2 * BEAM_RAD, 0.5)), {}, {}),
    "Gaussian source": (Observing(source=ExtendedSource("gaussian", 0.7 * BEAM_RAD)), {}, {}),
    "smearing": (Observing(smearing=Smearing(0.7 * BEAM_RAD, 1.0, 0.7 * BEAM_RAD)), {}, {}),
    "band": (Observing(fractional_bandwidth=0.25), {}, {}),
    "near source": (Observing(source_distance_m=20e3), {}, {}),
    "correction": (Observing(applied=AppliedCorrection(((2, 2, 0.8), (3, 1, -0.6)))), {}, {}),
    "lateral moves": (
        Observing(),
        {"lateral_m": ((1.2e-3, -0.6e-3), (0.0, 0.0), (-0.8e-3, 0.9e-3))},
        {f"lateral_{axis}_m[{number}]": FREE for axis in "xy" for number in (1, 3)},
    ),
}


@pytest.fixture(scope="module")
def taken(jcmt, surface):
    made = {}

    def make(name):
        if name not in made:
            observing, simulated, _ = MODES[name]
            sampling = Grid(41, 6 * BEAM_RAD)
            simulator = Simulator(
                jcmt,
                WAVELENGTH_M,
                (-2e-3, 0.0, 2e-3),
                sampling,
                order=3,
                pixels_across=128,
                observing=observing,
                **simulated,
            )
            made[name] = simulator.observe(surface, NoiseModel(1000), 1)
        return made[name]

    return make


@pytest.mark.parametrize("name", MODES)
def test_a_fit_that_knows_how_maps_were_taken_finds_the_surface(name, taken, jcmt, settings, surface, phases, rms_rad):
    rules = MODES[name][2]
    result = fit_observation(taken(name).observation, jcmt, settings(parameters=rules))
    assert rms_rad(phases(result) - surface) < 2e-3
    assert result.fit.reduced_chi2 < 1.5
    assert result.observing == MODES[name][0]
    values = {parameter.name: parameter.value for parameter in result.fit.parameters}
    if name == "chop":
        assert values["chop_gain_ratio"] == pytest.approx(0.9, abs=0.005)
    if name == "lateral moves":
        assert values["lateral_x_m[1]"] == pytest.approx(1.2e-3, abs=0.05e-3)
        assert values["lateral_y_m[3]"] == pytest.approx(0.9e-3, abs=0.05e-3)


@pytest.mark.parametrize("name", MODES)
def test_a_fit_that_does_not_know_it_is_biased(name, taken, jcmt, settings, surface, phases, rms_rad):
    ignorant = replace(taken(name).observation, observing=Observing())
    result = fit_observation(ignorant, jcmt, settings())
    # Opposite moves in opposite maps spoil the fit more than its mean.
    assert rms_rad(phases(result) - surface) > (4e-4 if name == "lateral moves" else 5e-3)
    if name in ("chop", "disc", "darkened disc", "Gaussian source", "smearing", "lateral moves"):
        assert result.status == "flagged"


def test_a_prior_on_dz_absorbs_errors_of_dz(jcmt, settings, surface, phases, rms_rad):
    sampling = Grid(41, 6 * BEAM_RAD)
    errors = (0.05e-3, -0.03e-3, -0.06e-3)
    simulator = Simulator(
        jcmt, WAVELENGTH_M, (-2e-3, 0.0, 2e-3), sampling, order=3, pixels_across=128, defocus_error_m=errors
    )
    observation = simulator.observe(surface, NoiseModel(1000), 1).observation
    known = ParameterRule(free=True, prior_sigma=0.05e-3)
    with_prior = fit_observation(observation, jcmt, settings(parameters={"defocus_error_m": known}))
    without = fit_observation(observation, jcmt, settings())
    values = [p.value for p in with_prior.fit.parameters if p.name.startswith("defocus_error_m")]
    # What all errors have in common looks like a focus of the surface; only their differences are seen.
    assert np.diff(values) == pytest.approx(np.diff(errors), abs=0.01e-3)
    assert rms_rad(phases(with_prior) - surface) < rms_rad(phases(without) - surface)


def test_efficiency_and_focus_are_those_of_the_corrected_dish(jcmt, settings, surface, taken):
    """A dish whose error its correction takes away is perfect, whatever its own surface."""
    terms = taken("disc").truth.terms
    applied = AppliedCorrection(tuple((t.n, t.l, float(c)) for t, c in zip(terms, surface, strict=True)))
    simulator = Simulator(
        jcmt,
        WAVELENGTH_M,
        (-2e-3, 0.0, 2e-3),
        Grid(41, 6 * BEAM_RAD),
        order=3,
        pixels_across=128,
        observing=Observing(applied=applied),
    )
    result = fit_observation(simulator.observe(surface, NoiseModel(1000), 1).observation, jcmt, settings())
    summary = result.fit.surface
    assert summary.rms_as_observed_um < 0.2 < 30 < summary.rms_um
    assert summary.exact_efficiency > 0.9999
    assert abs(summary.best_focus_m) < 5e-6
    difference = result.aperture.surface_um - result.aperture.applied_um
    assert np.nanmax(np.abs(difference)) < 1.0


def test_what_the_observation_does_not_have_cannot_be_set(simulated, jcmt, settings):
    for rule, message in (
        (ParameterRule(free=True), "chop_gain_ratio.free = true: the maps are not chopped"),
        (ParameterRule(start=0.5), "chop_gain_ratio.start: the maps are not chopped, so that this has no effect"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            fit_observation(simulated.observation, jcmt, settings(parameters={"chop_gain_ratio": rule}))


def test_an_image_of_the_sky_must_be_turned_before_it_is_fitted(simulated, jcmt, settings):
    image = replace(simulated.observation, frame="sky-azel", orientation=SkyOrientation("telescope"))
    with pytest.raises(UsageError, match=r"not yet in directions seen from the dish; pass it through oofpy.in_model"):
        fit_observation(image, jcmt, settings())
