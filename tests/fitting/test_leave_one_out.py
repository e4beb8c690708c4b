"""Fits without each of the maps, against fits of observations that never had them."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from oofpy.fitting.fitter import fit_batch, fit_observation
from oofpy.fitting.leave_one_out import fits_without_a_map
from oofpy.fitting.problem import prepare
from oofpy.fitting.settings import ParameterRule
from oofpy.fitting.status import FitStatus
from oofpy.io.results import read_result, write_result


def without(observation, number):
    """The observation without a map, counted from 1."""
    return replace(observation, maps=observation.maps[: number - 1] + observation.maps[number:])


@pytest.mark.parametrize("likelihood", ["gaussian", "cauchy"])
def test_they_are_those_of_an_observation_without_the_map(simulated, jcmt, settings, phases, phase_errors, likelihood):
    chosen = settings(likelihood)
    result = fit_observation(simulated.observation, jcmt, replace(chosen, leave_one_out=True))
    assert [fit.left_out for fit in result.left_out_fits] == [1, 2, 3]
    for fit in result.left_out_fits:
        alone = fit_observation(without(simulated.observation, fit.left_out), jcmt, chosen).fit
        assert (fit.order, fit.status, fit.start) == (3, FitStatus.CONVERGED, "all maps")
        # Within a tenth of the errors, far inside what the tolerance of the ladder allows.
        assert (np.abs(phases(fit) - phases(alone)) < 0.1 * phase_errors(alone)).all()
        np.testing.assert_allclose(phase_errors(fit), phase_errors(alone), rtol=0.02)
        assert np.abs(phases(fit) - phases(alone)).max() < 1e-3
        assert fit.covariance_names == alone.covariance_names
        assert [p.name for p in fit.parameters] == [p.name for p in alone.parameters]
        assert [m.dz_m for m in fit.maps] == [m.dz_m for m in alone.maps]
        assert fit.cost == pytest.approx(alone.cost, abs=0.05)
        assert fit.surface.rms_um == pytest.approx(alone.surface.rms_um, rel=1e-3)
        assert fit.evaluations < alone.evaluations
        assert fit.seconds > 0


def test_they_leave_the_fit_of_all_maps_as_it_is(simulated, jcmt, settings, phases):
    plain, asked = (
        fit_observation(simulated.observation, jcmt, settings("cauchy", leave_one_out=asked)) for asked in (False, True)
    )
    assert plain.left_out_fits == ()
    np.testing.assert_array_equal(phases(asked), phases(plain))
    assert asked.fit.left_out == 0


def test_they_are_of_the_order_that_was_chosen(simulated, jcmt, settings):
    chosen = settings("cauchy", order="auto", highest_auto_order=5, leave_one_out=True)
    result = fit_observation(simulated.observation, jcmt, chosen)
    assert result.chosen_order < result.orders[-1].order
    assert {fit.order for fit in result.left_out_fits} == {result.chosen_order}


def test_those_of_a_batch_are_its_own(simulated, simulator, surface, jcmt, settings, phases, phase_errors):
    from oofpy.simulation import NoiseModel

    other = simulator.observe(-surface, NoiseModel(150, pointing_error_beams=0.2), seed=9)
    chosen = settings("gaussian", leave_one_out=True)
    batch = [simulated.observation, other.observation]
    for result, observation in zip(fit_batch(batch, jcmt, chosen), batch, strict=True):
        alone = fit_observation(observation, jcmt, chosen)
        for one, wanted in zip(result.left_out_fits, alone.left_out_fits, strict=True):
            assert one.left_out == wanted.left_out
            assert (np.abs(phases(one) - phases(wanted)) < 0.1 * phase_errors(wanted)).all()


def values(fit):
    return {p.name: (p.value, p.free) for p in fit.parameters}


def test_rules_of_single_maps_go_with_them(simulated, jcmt, settings):
    truth = [one.pointing_rad for one in simulated.truth.maps]
    rules = {
        "pointing_u_rad[3]": ParameterRule(free=False, start=truth[2][0]),
        "pointing_v_rad[1]": ParameterRule(free=False, start=truth[0][1]),
        "defocus_error_m": ParameterRule(free=True, prior_sigma=1e-5),
        "Z(2,2)": ParameterRule(free=False, start=0.05),
    }
    result = fit_observation(simulated.observation, jcmt, settings(parameters=rules, leave_one_out=True))
    first, second, third = (values(fit) for fit in result.left_out_fits)
    held = (truth[2][0], False)
    assert (first["pointing_u_rad[2]"], second["pointing_u_rad[2]"]) == (held, held)
    assert third["pointing_u_rad[2]"][1]
    assert first["pointing_v_rad[1]"][1]
    assert second["pointing_v_rad[1]"] == third["pointing_v_rad[1]"] == (truth[0][1], False)
    for fit in result.left_out_fits:
        assert {name for name in values(fit) if "[3]" in name} == set()
        assert values(fit)["defocus_error_m[2]"][1]
        held = next(c for c in fit.coefficients if (c.n, c.l) == (2, 2))
        assert (held.phase_rad, held.free) == (0.05, False)


def test_two_maps_or_one_dz_are_no_observation(simulated, jcmt, settings):
    maps = simulated.observation.maps
    chosen = settings("gaussian", leave_one_out=True)
    two = replace(simulated.observation, maps=maps[1:])
    assert fit_observation(two, jcmt, chosen).left_out_fits == ()
    again = replace(simulated.observation, maps=(*maps[:2], replace(maps[1], label="again")))
    assert [fit.left_out for fit in fit_observation(again, jcmt, chosen).left_out_fits] == [2, 3]


def test_maps_without_which_too_few_samples_are_left_stay(simulated, jcmt, settings):
    def small(beam_map):
        return replace(beam_map, used=np.hypot(beam_map.u_rad, beam_map.v_rad) < 5.9e-5)

    first, *others = simulated.observation.maps
    observation = replace(simulated.observation, maps=(first, *(small(one) for one in others)))
    left = sum(one.samples for one in observation.maps[1:])
    chosen = settings("gaussian", order=8, max_evaluations=1)
    problem = prepare((observation,), jcmt, chosen, 8)
    assert 20 < left < problem.parameters.free.sum() + 2 * 2
    found = fits_without_a_map(problem, 0, 8, problem.start[0])
    assert [fit.left_out for fit in found] == [2, 3]


def test_they_come_back_from_a_file_to_the_last_bit(fitted, tmp_path):
    again = read_result(write_result(fitted, tmp_path))
    assert len(again.left_out_fits) == 3
    for found, wanted in zip(again.left_out_fits, fitted.left_out_fits, strict=True):
        assert found.covariance.tobytes() == wanted.covariance.tobytes()
        plain = [asdict(replace(fit, covariance=np.zeros(0))) for fit in (found, wanted)]
        assert repr(plain[0]) == repr(plain[1])
    assert (again.verdict, again.flags) == (fitted.verdict, fitted.flags)
    assert [one.signal_to_noise for one in again.map_arrays] == [one.signal_to_noise for one in fitted.map_arrays]
