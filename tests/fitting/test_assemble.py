"""What a result holds, against the observation it was fitted to and the model it came from."""

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.ndimage
import torch

from oofpy.fitting.assemble import library_versions
from oofpy.fitting.fitter import fit_batch, fit_observation
from oofpy.fitting.problem import prepare
from oofpy.fitting.settings import ParameterRule


@pytest.fixture(scope="module")
def masked(simulated):
    """The observation with some samples masked, in an order of its own."""
    rng, maps = np.random.default_rng(0), []
    for number, beam_map in enumerate(simulated.observation.maps):
        order = rng.permutation(beam_map.power.size)
        power = beam_map.power[order]
        power[: 10 * number] = np.nan
        maps.append(
            replace(
                beam_map, u_rad=beam_map.u_rad[order], v_rad=beam_map.v_rad[order], power=power, label=f"map{number}"
            )
        )
    return replace(simulated.observation, maps=tuple(maps), elevation_rad=0.7, object_name="3C84", date="2020-01-01")


@pytest.fixture(scope="module")
def result(masked, jcmt, settings):
    return fit_observation(masked, jcmt, settings("cauchy"))


def test_it_says_what_was_observed(result, masked, jcmt):
    for name in ("name", "wavelength_m", "elevation_rad", "object_name", "date", "sources"):
        assert getattr(result, name) == getattr(masked, name)
    assert result.telescope is jcmt
    assert (result.device, result.dtype) == ("cpu", "float64")
    assert result.settings.likelihood == "cauchy"


def test_maps_are_those_of_the_observation(result, masked):
    for arrays, beam_map in zip(result.map_arrays, masked.maps, strict=True):
        assert arrays.label == beam_map.label
        np.testing.assert_array_equal(arrays.u_rad, beam_map.u_rad)
        np.testing.assert_array_equal(arrays.v_rad, beam_map.v_rad)
        np.testing.assert_array_equal(arrays.observed, beam_map.power)
        assert np.array_equal(np.isnan(arrays.model), ~beam_map.used)
        assert np.array_equal(arrays.weight == 0, ~beam_map.used)
        assert arrays.weight.max() <= 1


def test_the_model_is_gain_times_beam_plus_background(result, masked, jcmt, settings):
    problem = prepare((masked,), jcmt, settings("cauchy"), 3)
    fit = result.fit
    known = {f"Z({c.n},{c.l})": c.phase_rad for c in fit.coefficients} | {p.name: p.value for p in fit.parameters}
    values = torch.tensor([[known[name] for name in problem.model.layout.names]], dtype=torch.float64)
    beams = problem.model(values).maps[0].numpy()
    peak = float(problem.model.unaberrated_peak(values))
    for number, (arrays, fitted) in enumerate(zip(result.map_arrays, fit.maps, strict=True)):
        used = ~np.isnan(arrays.model)
        expected = fitted.gain / peak * beams[number, : used.sum()] + fitted.background
        np.testing.assert_allclose(arrays.model[used], expected, rtol=0, atol=1e-9 * fitted.gain)
        # The weight of the Cauchy likelihood, from the residual and the fitted scale.
        z = arrays.residual[used] / fitted.noise
        np.testing.assert_allclose(arrays.weight[used], 1 / (1 + z**2), rtol=1e-6)
        assert fitted.down_weighted_fraction == pytest.approx(np.mean(z**2 > 9), abs=1e-9)
        rms = np.sqrt(np.mean(arrays.residual[used] ** 2)) / np.ptp(arrays.observed[used])
        assert fitted.residual_rms_over_peak == pytest.approx(rms)


def test_cost_and_bic_follow_from_residuals(result):
    fit, cost = result.fit, 0.0
    for arrays, fitted in zip(result.map_arrays, fit.maps, strict=True):
        residual = arrays.residual[np.isfinite(arrays.residual)]
        cost += np.sum(np.log1p((residual / fitted.noise) ** 2)) + residual.size * math.log(fitted.noise)
        cost -= residual.size * math.log(np.ptp(arrays.observed[np.isfinite(arrays.observed)]))
    assert fit.cost == pytest.approx(cost, abs=1e-4)
    samples = sum(m.samples for m in fit.maps)
    assert fit.effective_samples == pytest.approx(sum(m.samples / m.correlation_samples for m in fit.maps))
    expected = 2 * cost * fit.effective_samples / samples + len(fit.covariance_names) * math.log(fit.effective_samples)
    assert fit.bic == pytest.approx(expected, abs=1e-2)


def test_cost_does_not_depend_on_the_unit(masked, jcmt, settings, result):
    scaled = replace(masked, maps=tuple(replace(m, power=m.power * 50.0 + 3.0) for m in masked.maps))
    other = fit_observation(scaled, jcmt, settings("cauchy")).fit
    assert other.cost == pytest.approx(result.fit.cost, abs=1e-3)
    for one, fifty in zip(result.fit.maps, other.maps, strict=True):
        assert fifty.gain == pytest.approx(50 * one.gain, rel=1e-5)
        assert fifty.noise == pytest.approx(50 * one.noise, rel=1e-3)
        assert fifty.background == pytest.approx(50 * one.background + 3, abs=0.01 * 50 * one.noise)
        assert fifty.border_noise == pytest.approx(50 * one.border_noise, rel=1e-3)


def test_residuals_of_a_sound_fit_have_no_structure_of_the_size_of_a_beam(result):
    assert max(abs(m.beam_scale_correlation) for m in result.fit.maps) < 0.05


@pytest.mark.parametrize("likelihood", ["gaussian", "cauchy"])
def test_what_neighbours_share_is_no_structure_and_what_a_beam_fills_is(
    simulated, jcmt, settings, likelihood, beam_rad
):
    """Samples are 0.3 lambda/D apart: two share their noise, or a fit of too low an order leaves beams over."""
    rng, maps = np.random.default_rng(3), []
    for beam_map in simulated.observation.maps:
        noise = scipy.ndimage.uniform_filter(rng.normal(size=(43, 43)), 2)[1:-1, 1:-1].ravel()
        maps.append(replace(beam_map, power=beam_map.power + 0.05 * np.ptp(beam_map.power) * noise))
    assert np.diff(np.unique(maps[0].u_rad))[0] == pytest.approx(0.3 * beam_rad)
    shared = fit_observation(replace(simulated.observation, maps=tuple(maps)), jcmt, settings(likelihood)).fit
    assert min(m.correlation_samples for m in shared.maps) > 1.5
    assert max(abs(m.beam_scale_correlation) for m in shared.maps) < 0.08
    low = fit_observation(simulated.observation, jcmt, settings(likelihood, order=2))
    assert max(m.beam_scale_correlation for m in low.fit.maps) > 0.3
    assert "structured-residuals" in {flag.code for flag in low.flags}


def test_signal_of_every_map_is_that_of_the_checks(result, masked):
    from oofpy.plausibility import signal_to_noise

    signals = [arrays.signal_to_noise for arrays in result.map_arrays]
    assert signals == [signal_to_noise(beam_map) for beam_map in masked.maps]
    assert signals[1] > signals[0] > 100


def test_parameters_are_all_but_the_coefficients(result):
    names = [p.name for p in result.fit.parameters]
    assert "edge_taper_db" in names
    assert [n for n in names if n.startswith("pointing_u_rad")] == [f"pointing_u_rad[{k}]" for k in (1, 2, 3)]
    assert not any(n.startswith("Z(") for n in names)
    for number, fitted in enumerate(result.fit.maps, start=1):
        values = {p.name: p.value for p in result.fit.parameters}
        assert fitted.pointing_rad == (values[f"pointing_u_rad[{number}]"], values[f"pointing_v_rad[{number}]"])


def test_surface_in_micrometres_is_the_phase(result):
    images = result.aperture
    np.testing.assert_allclose(images.surface_um, images.phase_rad * 1100 / (4 * math.pi), rtol=1e-12)
    surface = result.fit.surface
    # From the image itself: weighted mean over the open dish.
    on = images.amplitude > 0
    weight = images.amplitude[on]
    mean = np.average(images.surface_um[on], weights=weight)
    rms = math.sqrt(np.average((images.surface_um[on] - mean) ** 2, weights=weight))
    assert surface.rms_um == pytest.approx(rms, rel=0.01)
    assert surface.ruze_efficiency == pytest.approx(math.exp(-((4 * math.pi * surface.rms_um / 1100) ** 2)))
    exact = abs(np.average(np.exp(1j * images.phase_rad[on]), weights=weight)) ** 2
    assert surface.exact_efficiency == pytest.approx(exact, abs=0.005)
    assert 0 < surface.rms_um_error < 0.01 * surface.rms_um
    assert 0.3 < np.nanmedian(images.surface_error_um) / surface.rms_um_error < 5


def test_without_focus(result):
    surface = result.fit.surface
    focus = next(c.phase_rad for c in result.fit.coefficients if (c.n, c.l) == (2, 0))
    assert abs(focus) > 0.3
    assert surface.rms_without_focus_um < 0.95 * surface.rms_um


def test_a_fixed_coefficient_has_no_error_and_no_covariance(masked, jcmt, settings):
    chosen = settings(parameters={"Z(2,0)": ParameterRule(free=False, start=-0.5)})
    fit = fit_observation(masked, jcmt, chosen).fit
    focus = next(c for c in fit.coefficients if (c.n, c.l) == (2, 0))
    assert (focus.phase_rad, focus.phase_rad_error) == (-0.5, 0.0)
    assert "Z(2,0)" not in fit.covariance_names
    assert fit.covariance.shape == (len(fit.covariance_names),) * 2


def test_names_of_the_terms(result):
    names = [c.name for c in result.fit.coefficients]
    assert names[0].startswith("Z(2,-2)")
    assert len(set(names)) == len(names)
    assert [(c.n, c.l) for c in result.fit.coefficients] == [(2, -2), (2, 0), (2, 2), (3, -3), (3, -1), (3, 1), (3, 3)]


def test_a_batch_keeps_its_members_apart(masked, simulated, jcmt, settings):
    results = fit_batch([masked, simulated.observation], jcmt, settings())
    assert results[0].map_arrays[1].label == "map1"
    assert [m.masked for m in results[0].fit.maps] == [0, 10, 20]
    assert [m.masked for m in results[1].fit.maps] == [0, 0, 0]


def test_versions_name_what_decides_the_numbers(result):
    assert set(result.versions) == {"oofpy", "torch", "numpy", "scipy", "astropy"}
    assert result.versions == library_versions()
    assert "unknown" not in result.versions.values()


def test_errors_that_were_given_leave_the_noise_comparable(masked, jcmt, settings, result):
    """Five times the noise on the outer part of every map, said by its errors, is no other noise of the map."""
    random = np.random.default_rng(12)
    maps = []
    for one, fitted in zip(masked.maps, result.fit.maps, strict=True):
        outer = np.hypot(one.u_rad, one.v_rad) > np.quantile(np.hypot(one.u_rad, one.v_rad), 0.7)
        error = np.where(outer, 5.0, 1.0)
        added = random.normal(0, fitted.border_noise * np.sqrt(error**2 - 1))
        maps.append(replace(one, power=one.power + added, relative_error=error))
    noisy = fit_observation(replace(masked, maps=tuple(maps)), jcmt, settings())
    assert noisy.fit.reduced_chi2 == pytest.approx(1, abs=0.15)
    for arrays, one, before in zip(noisy.map_arrays, noisy.fit.maps, result.fit.maps, strict=True):
        assert one.border_noise == pytest.approx(before.border_noise, rel=0.15)
        used = arrays.weight > 0
        assert set(np.round(arrays.relative_error[used], 9)) == {1.0, 5.0}
        assert np.isnan(arrays.relative_error[~used]).all()
    assert all((arrays.relative_error[arrays.weight > 0] == 1).all() for arrays in result.map_arrays)
