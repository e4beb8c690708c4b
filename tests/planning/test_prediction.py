"""Predicted errors against an independent model, simulated fits, and what physics says of them."""

import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.fitter import fit_batch
from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.observation import BeamMap, Observation
from oofpy.observing import Chop, Observing
from oofpy.planning import SampleNoise, SharedTime
from oofpy.planning.prediction import error_factor
from oofpy.planning.situation import PLAN_SETTINGS
from oofpy.simulation import Simulator, random_surface

FITS = 60


@pytest.fixture(scope="module")
def simulated(situation, predicted):
    """A dish of 0.3 rad rms, what is predicted for it, and a simulator of the same maps."""
    planned = situation(surface_rad=random_surface(3, 0.3, seed=1))
    [prediction] = predicted(planned)
    simulator = Simulator(
        planned.telescope, planned.wavelength_m, prediction.defocus_m, prediction.maps, order=3, pixels_across=256
    )
    return planned, prediction, simulator


def test_covariance_is_that_of_the_simulators_own_derivatives(simulated):
    """The simulator shares no propagation with the fit; gain and background are columns here, not eliminated."""
    planned, prediction, simulator = simulated
    truth = {"coefficients_rad": planned.coefficients_rad, "edge_taper_db": -8.4, "pointing_rad": np.zeros((3, 2))}
    steps = {"coefficients_rad": 1e-3, "edge_taper_db": 1e-2, "pointing_rad": 1e-3 * planned.beam_rad}

    def maps(**changed):
        values = truth | changed
        made = simulator.maps(**{key: np.array([value]) for key, value in values.items()})[0].numpy()
        return made.ravel() / planned.peak_in_focus

    columns = {}
    names = {"edge_taper_db": ["edge_taper_db"], "coefficients_rad": [term.label for term in planned.terms]}
    names["pointing_rad"] = [f"pointing_{axis}_rad[{m}]" for m in (1, 2, 3) for axis in "uv"]
    for key, labels in names.items():
        for place, label in enumerate(labels):
            shift = np.zeros(np.size(truth[key]))
            shift[place] = steps[key]
            shift = shift.reshape(np.shape(truth[key]))
            ends = [maps(**{key: truth[key] + sign * shift}) for sign in (1, -1)]
            columns[label] = (ends[0] - ends[1]) / (2 * steps[key])
    clean, each = maps(), prediction.maps.points**2
    own = np.kron(np.eye(3), np.ones(each))
    wanted = np.array([columns[name] for name in prediction.names])
    jacobian = np.vstack([wanted, own * clean, own])
    scale = np.linalg.norm(jacobian, axis=1)
    inverse = np.linalg.inv((jacobian / scale[:, None]) @ (jacobian / scale[:, None]).T)
    expected = prediction.noise**2 * (inverse / np.outer(scale, scale))[: len(wanted), : len(wanted)]
    spread = np.sqrt(expected.diagonal())
    np.testing.assert_allclose(np.sqrt(prediction.covariance.diagonal()), spread, rtol=3e-3)
    np.testing.assert_allclose(
        prediction.covariance / np.outer(spread, spread), expected / np.outer(spread, spread), atol=5e-3
    )


def test_simulated_fits_scatter_as_predicted(simulated):
    """Over 60 fits the sum of squares in the metric of the prediction is known to 3 % of the errors."""
    planned, prediction, simulator = simulated
    clean = simulator.maps(planned.coefficients_rad[None])[0].numpy() / planned.peak_in_focus
    rng = np.random.default_rng(5)
    drawn = [
        Observation(
            "simulated",
            tuple(
                BeamMap(u, v, power + prediction.noise * rng.normal(size=power.size), dz)
                for (u, v), power, dz in zip(simulator.positions, clean, prediction.defocus_m, strict=True)
            ),
            planned.wavelength_m,
            frame="model",
        )
        for _ in range(FITS)
    ]
    results = fit_batch(drawn, planned.telescope, replace(PLAN_SETTINGS, order=3, ladder=False))
    found = np.array([[one.phase_rad for one in result.fit.coefficients] for result in results])
    deviation = found - planned.coefficients_rad
    whitened = np.linalg.solve(np.linalg.cholesky(prediction.mode_covariance_rad2), deviation.T)
    assert math.sqrt(np.mean(whitened**2)) == pytest.approx(1, abs=0.1)
    scatter = deviation.std(axis=0) / prediction.coefficient_errors_rad
    assert scatter == pytest.approx(np.ones(scatter.size), abs=4 / math.sqrt(2 * FITS))
    focus = np.std([result.fit.surface.best_focus_m for result in results]) / prediction.focus_error_m
    rms = np.std([result.fit.surface.rms_um for result in results]) / prediction.rms_error_um
    assert (focus, rms) == pytest.approx((1, 1), abs=4 / math.sqrt(2 * FITS))
    own = np.median([result.fit.coefficients[0].phase_rad_error for result in results])
    assert own == pytest.approx(prediction.coefficient_errors_rad[0], rel=0.1)


def test_errors_are_proportional_to_the_noise(situation, predicted):
    planned = situation((3, 4))
    loud, quiet = (predicted(planned, budget=SampleNoise(snr)) for snr in (100, 5000))
    for one, other in zip(loud, quiet, strict=True):
        np.testing.assert_allclose(one.coefficient_errors_rad, 50 * other.coefficient_errors_rad, rtol=1e-9)
        assert one.surface_error_um == pytest.approx(50 * other.surface_error_um)
        assert one.focus_error_m == pytest.approx(50 * other.focus_error_m)


def test_a_fixed_time_does_not_ask_for_a_sampling_but_for_small_maps(situation, predicted):
    planned = situation()
    size = 8 * planned.beam_rad
    budget = SharedTime(600, 100)
    [coarse], [fine] = (
        predicted(planned, budget=budget, half_width_rad=size, spacing_beams=spacing) for spacing in (0.4, 0.2)
    )
    assert fine.noise == pytest.approx(2 * coarse.noise, rel=0.03)
    assert fine.surface_error_um == pytest.approx(coarse.surface_error_um, rel=0.02)
    # Empty sky tells nothing: four times the area has half the time on the source.
    [wide] = predicted(planned, budget=budget, half_width_rad=2 * size)
    assert wide.surface_error_um == pytest.approx(2 * coarse.surface_error_um, rel=0.04)
    assert (wide.seconds, coarse.seconds) == (600, 600)


STUDY_DZ_M = (3e-3, 10e-3, 30e-3, 100e-3, 300e-3)


def test_errors_of_the_design_study(situation, predicted):
    """They fall and then rise with dz, and rise with the order (dz 3 to 300 mm, orders 4 to 8, at 1.1 mm)."""
    planned = situation((4, 6, 8))
    errors = np.array([[one.surface_error_um for one in predicted(planned, dz)] for dz in STUDY_DZ_M])
    assert (np.diff(errors, axis=1) > 0).all()
    for of_order in errors.T:
        least = int(of_order.argmin())
        assert 0 < least < len(STUDY_DZ_M) - 1
        assert (np.diff(of_order[: least + 1]) < 0).all()
        assert (np.diff(of_order[least:]) > 0).all()


def test_a_finer_model_predicts_the_same(situation, predicted, monkeypatch):
    """At the widest defocus of the study, where an aperture sampled too coarsely would fold."""
    planned = situation((4,))
    [usual] = predicted(planned, 0.2, spacing_beams=0.5)
    monkeypatch.setattr("oofpy.optics.beam_building.pixels_needed", lambda cycles: 2 * math.ceil(1.6 * cycles / 0.7))
    [finer] = predicted(planned, 0.2, spacing_beams=0.5)
    np.testing.assert_allclose(finer.coefficient_errors_rad, usual.coefficient_errors_rad, rtol=2e-3)


def test_what_a_fit_frees_costs(situation, predicted):
    free = {"defocus_error_m": ParameterRule(free=True, prior_sigma=0.3e-3)}
    [known] = predicted(situation())
    [unknown] = predicted(situation(settings=replace(PLAN_SETTINGS, parameters=free)))
    assert unknown.focus_error_m > 4 * known.focus_error_m
    # The focus lies in the middle of two maps whose dz err by 0.3 mm each.
    assert unknown.focus_error_m == pytest.approx(0.3e-3 / math.sqrt(2), rel=0.1)
    assert unknown.surface_error_without_focus_um < 1.05 * unknown.surface_error_um
    held = {"edge_taper_db": ParameterRule(free=False), "Z(3,1)": ParameterRule(free=False)}
    [fixed] = predicted(situation(settings=replace(PLAN_SETTINGS, parameters=held)))
    assert fixed.coefficient_errors_rad[[term.label for term in fixed.terms].index("Z(3,1)")] == 0
    assert fixed.surface_error_um < known.surface_error_um
    assert "edge_taper_db" in known.other_errors
    assert "edge_taper_db" not in fixed.other_errors


def test_a_chop_has_its_gain_ratio(situation, predicted):
    """With the throw along u the negative beam lies in the map, too, and takes no other parameter's place."""
    beam = situation().beam_rad
    free = {"chop_gain_ratio": ParameterRule(free=True)}
    chopped = Observing(chop=Chop(10 * beam, 0.0))
    planned = situation(observing=chopped, settings=replace(PLAN_SETTINGS, parameters=free))
    [one] = predicted(planned, half_width_rad=20 * beam)
    [plain] = predicted(situation(), half_width_rad=20 * beam)
    assert 0 < one.other_errors["chop_gain_ratio"] < 0.05
    # Every part of the pattern is seen twice.
    assert one.surface_error_um == pytest.approx(plain.surface_error_um / math.sqrt(2), rel=0.1)


def test_a_robust_likelihood_costs_what_a_fit_with_it_does(situation, predicted):
    assert error_factor("gaussian") == pytest.approx(1)
    assert error_factor("cauchy") == pytest.approx(1.292, abs=1e-3)
    assert 1 < error_factor("huber") < error_factor("student-t") < error_factor("cauchy")
    [gaussian] = predicted(situation())
    [cauchy] = predicted(situation(settings=FitSettings(likelihood="cauchy")))
    ratio = cauchy.coefficient_errors_rad / gaussian.coefficient_errors_rad
    np.testing.assert_allclose(ratio, error_factor("cauchy"))


def test_units_of_the_errors(situation, predicted):
    [one] = predicted(situation())
    place = [term.label for term in one.terms].index("Z(2,2)")
    # Half a path over the wavelength is 2 pi of phase; the rms of a term over the disc is c / N, N = sqrt(6) here.
    expected = one.coefficient_errors_rad[place] * 1.1e-3 / (4 * math.pi) / math.sqrt(6) * 1e6
    assert one.coefficient_errors_um[place] == pytest.approx(expected)
    total = math.sqrt(float(np.sum(one.coefficient_errors_um**2)))
    assert one.surface_error_um == pytest.approx(total, rel=0.5)
    assert one.rms_error_um == one.surface_error_um  # of an ideal dish


def test_a_dish_with_errors_is_measured_otherwise_than_an_ideal_one(situation, predicted):
    [ideal] = predicted(situation())
    [real] = predicted(situation(surface_rad=random_surface(3, 0.5, seed=2)))
    assert abs(real.surface_error_um / ideal.surface_error_um - 1) > 0.03
    assert real.rms_error_um < real.surface_error_um
    assert max(real.peaks) > max(ideal.peaks) * 0.5


def test_remarks(situation, predicted):
    planned = situation()
    assert predicted(planned)[0].remarks == ()
    [small] = predicted(planned, half_width_rad=2 * planned.beam_rad)
    assert small.remarks == ("small-map",)
    assert predicted(planned, spacing_beams=0.7)[0].remarks == ("undersampled",)
    assert predicted(planned, 3e-3)[0].remarks == ("defocus-range",)
    [faint] = predicted(planned, budget=SampleNoise(20))
    assert faint.remarks[0] == "low-signal"
    [lost] = predicted(planned, budget=SampleNoise(2))
    assert lost.remarks == ("low-signal", "not-linear")
