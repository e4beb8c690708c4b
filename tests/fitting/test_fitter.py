"""Whole fits of simulated observations: known surfaces come back, in radians and with the right sign."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from oofpy.errors import ConfigurationError, InputError, UsageError
from oofpy.fitting.fitter import fit_batch, fit_observation
from oofpy.fitting.order_choice import choose_order
from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.fitting.status import FitStatus
from oofpy.observation import BeamMap, Observation
from oofpy.optics.defocus import defocus_images
from oofpy.simulation import GivenPositions, Grid, NoiseModel, Raster, random_surface
from oofpy.telescope import load_telescope

REAL = pytest.mark.parametrize("likelihood", ["gaussian", "cauchy"])
DISTURBED = NoiseModel(200, pointing_error_beams=0.4, gain_error=0.1, background=0.2, mean_gain=3.0)


def codes(result):
    return {flag.code for flag in result.flags}


@REAL
def test_surface_pointing_gain_and_background_come_back(
    simulator, surface, jcmt, settings, phases, rms_rad, likelihood
):
    one = simulator.observe(surface, DISTURBED, seed=4)
    result = fit_observation(one.observation, jcmt, settings(likelihood))
    assert rms_rad(phases(result) - surface) < 0.002 < 0.5 == pytest.approx(rms_rad(surface))
    assert (result.status, result.fit.status, codes(result)) == ("ok", FitStatus.CONVERGED, set())
    for fitted, truth in zip(result.fit.maps, one.truth.maps, strict=True):
        np.testing.assert_allclose(fitted.pointing_rad, truth.pointing_rad, atol=0.003 * simulator.beam_rad)
        done = truth.disturbance
        assert fitted.gain == pytest.approx(done.gain, rel=0.01)
        assert fitted.background == pytest.approx(done.background, abs=0.01 * done.peak)
        assert fitted.dz_m == truth.defocus_m
        assert (fitted.samples, fitted.masked) == (41 * 41, 0)
        scale = {"gaussian": 1.0, "cauchy": 0.612}[likelihood]
        assert fitted.noise == pytest.approx(done.noise_sigma * scale, rel=0.06)
        assert fitted.border_noise == pytest.approx(done.noise_sigma, rel=0.15)
        spread = np.ptp(one.observation.maps[0].power)
        assert fitted.residual_rms_over_peak > 0
        if truth is one.truth.maps[0]:
            assert fitted.residual_rms_over_peak == pytest.approx(done.noise_sigma / spread, rel=0.05)
    assert result.fit.reduced_chi2 == pytest.approx(1, abs=0.15)
    taper = next(p for p in result.fit.parameters if p.name == "edge_taper_db")
    assert abs(taper.value - one.truth.edge_taper_db) < 5 * taper.error < 0.5
    # Half-path rms of the truth, from its coefficients alone and weighted by the illumination: of the same size.
    assert result.fit.surface.rms_um == pytest.approx(0.5 * 1100 / (4 * math.pi), rel=0.25)


@REAL
def test_slopes_of_the_background_when_asked(simulator, surface, jcmt, settings, phases, rms_rad, likelihood):
    one = simulator.observe(surface, replace(DISTURBED, background_slope=0.3), seed=5)
    flat = fit_observation(one.observation, jcmt, settings(likelihood))
    tilted = fit_observation(one.observation, jcmt, settings(likelihood, background_slopes=True))
    assert rms_rad(phases(tilted) - surface) < 0.002 < rms_rad(phases(flat) - surface)
    half_width = 6 * simulator.beam_rad
    for fitted, truth, other in zip(tilted.fit.maps, one.truth.maps, flat.fit.maps, strict=True):
        done = truth.disturbance
        np.testing.assert_allclose(
            fitted.background_slope_per_rad, done.background_slope, atol=0.005 * done.peak / half_width
        )
        assert other.background_slope_per_rad == (0.0, 0.0)
    rises = [abs(s) * half_width / m.disturbance.peak for m in one.truth.maps for s in m.disturbance.background_slope]
    assert max(rises) > 0.05


@REAL
def test_glitches(simulator, surface, jcmt, settings, phases, rms_rad, likelihood):
    one = simulator.observe(surface, replace(DISTURBED, glitch_fraction=0.03), seed=6)
    result = fit_observation(one.observation, jcmt, settings(likelihood))
    error = rms_rad(phases(result) - surface)
    assert error < 0.003 if likelihood == "cauchy" else error > 0.02
    if likelihood == "cauchy":
        for arrays, truth in zip(result.map_arrays, one.truth.maps, strict=True):
            assert arrays.weight[truth.disturbance.glitched].max() < 0.05
            assert np.median(arrays.weight) > 0.4  # of Gaussian noise under this likelihood: 0.45


def test_scattered_samples(make_simulator, surface, jcmt, beam_rad, settings, phases, rms_rad):
    simulator = make_simulator(Raster(40, 44, 6 * beam_rad, seed=2))
    one = simulator.observe(surface, DISTURBED, seed=7)
    result = fit_observation(one.observation, jcmt, settings("cauchy"))
    assert rms_rad(phases(result) - surface) < 0.003
    assert result.status == "ok"
    assert [arrays.model.size for arrays in result.map_arrays] == [40 * 44] * 3


def test_maps_of_unequal_size_in_a_batch(make_simulator, jcmt, beam_rad, settings, phases, rms_rad):
    grids = [Grid(points, 6 * beam_rad).positions(1)[0] for points in (41, 33, 37, 29)]
    batch, surfaces = [], []
    for number, choice in enumerate([(0, 1, 2), (1, 0, 3)]):
        simulator = make_simulator(GivenPositions(tuple(grids[k] for k in choice)))
        surfaces.append(random_surface(3, 0.4, seed=number))
        batch.append(simulator.observe(surfaces[-1], DISTURBED, seed=number).observation)
    for likelihood in ("gaussian", "cauchy"):
        together = fit_batch(batch, jcmt, settings(likelihood))
        for result, observation, truth in zip(together, batch, surfaces, strict=True):
            assert rms_rad(phases(result) - truth) < 0.003
            assert [m.samples for m in result.fit.maps] == [m.samples for m in observation.maps]
            alone = fit_observation(observation, jcmt, settings(likelihood))
            assert_same(result, alone, phases)


def assert_same(one, other, phases):
    """The same to a hundredth of the errors, far below anything that matters."""
    errors = np.array([c.phase_rad_error for c in one.fit.coefficients])
    assert (np.abs(phases(one) - phases(other)) < 0.01 * errors).all()
    assert one.fit.cost == pytest.approx(other.fit.cost, abs=1e-3)
    np.testing.assert_allclose(errors, [c.phase_rad_error for c in other.fit.coefficients], rtol=0.01)
    assert (one.status, one.chosen_order) == (other.status, other.chosen_order)


@REAL
def test_a_batch_is_its_members(simulator, jcmt, settings, phases, likelihood):
    batch = [
        simulator.observe(random_surface(3, rms, seed), DISTURBED, seed).observation
        for seed, rms in enumerate((0.2, 0.5, 0.9))
    ]
    ladder = settings(likelihood, ladder=True)
    together = fit_batch(batch, jcmt, ladder)
    for result, observation in zip(together, batch, strict=True):
        alone = fit_observation(observation, jcmt, ladder)
        assert_same(result, alone, phases)
        # What stands beside an observation in a batch decides nothing about it.
        assert np.abs(phases(result) - phases(alone)).max() < 1e-6
        assert result.name == observation.name
    assert phases(together[0]) != pytest.approx(phases(together[1]), abs=0.01)


@pytest.mark.parametrize("defocus_m", [(0.0, 2e-3), (-2e-3, -1e-3, 0.0, 1e-3, 2.2e-3), (-2e-3, 1.5e-3)])
def test_two_maps_and_five(make_simulator, surface, jcmt, settings, phases, rms_rad, defocus_m):
    simulator = make_simulator(defocus_m=defocus_m)
    one = simulator.observe(surface, DISTURBED, seed=8)
    result = fit_observation(one.observation, jcmt, settings("cauchy"))
    assert rms_rad(phases(result) - surface) < 0.005
    assert [m.dz_m for m in result.fit.maps] == list(defocus_m)
    assert result.fit.status is FitStatus.CONVERGED


@REAL
def test_the_ladder_is_kept_whole(simulated, jcmt, settings, phases, rms_rad, surface, likelihood):
    lines = []
    result = fit_observation(
        simulated.observation, jcmt, settings(likelihood, order=4, ladder=True), report=lines.append
    )
    assert [fit.order for fit in result.orders] == [2, 3, 4]
    assert (result.chosen_order, result.fit) == (4, result.orders[-1])
    assert [len(fit.coefficients) for fit in result.orders] == [3, 7, 12]
    assert [line.split(":")[0] for line in lines] == ["order 2 of 4", "order 3 of 4", "order 4 of 4"]
    assert result.orders[0].cost > result.orders[1].cost >= result.orders[2].cost - 1e-6
    assert result.orders[0].start == "zero"
    assert {fit.start for fit in result.orders} <= {"zero", "order below"}
    assert rms_rad(phases(result) - np.append(surface, np.zeros(5))) < 0.004
    assert sum(fit.seconds for fit in result.orders) > 0


def test_one_start_on_request(simulated, jcmt, settings, phases):
    both, one = (
        fit_observation(simulated.observation, jcmt, settings("cauchy", ladder=True, both_starts=flag))
        for flag in (True, False)
    )
    assert [fit.start for fit in one.orders] == ["zero", "order below"]
    assert one.fit.evaluations < both.fit.evaluations
    errors = np.array([c.phase_rad_error for c in both.fit.coefficients])
    assert (np.abs(phases(one) - phases(both)) < 0.02 * errors).all()


@REAL
def test_the_order_of_the_truth_is_chosen(simulated, jcmt, settings, phases, rms_rad, surface, likelihood):
    result = fit_observation(simulated.observation, jcmt, settings(likelihood, order="auto", highest_auto_order=6))
    assert result.chosen_order == 3
    assert result.orders[-1].order <= 5  # it stopped by itself
    assert result.fit.order == 3
    assert rms_rad(phases(result) - surface) < 0.002
    assert choose_order(result.orders) == 3


def test_a_fixed_taper_stays_and_a_prior_pulls(simulated, jcmt, settings):
    def taper(**rule):
        rules = {"edge_taper_db": ParameterRule(**rule)} if rule else {}
        fit = fit_observation(simulated.observation, jcmt, settings(parameters=rules)).fit
        return next(p for p in fit.parameters if p.name == "edge_taper_db")

    free = taper()
    fixed = taper(free=False, start=-11.0)
    assert (fixed.value, fixed.error, fixed.free) == (-11.0, None, False)
    offset = 4 * free.error
    wide = taper(prior_mean=free.value + offset, prior_sigma=100 * free.error)
    equal = taper(prior_mean=free.value + offset, prior_sigma=free.error)
    narrow = taper(prior_mean=free.value + offset, prior_sigma=free.error / 100)
    assert wide.value == pytest.approx(free.value, abs=0.01 * free.error)
    assert equal.value - free.value == pytest.approx(offset / 2, rel=0.15)
    assert narrow.value - free.value == pytest.approx(offset, rel=0.02)
    assert narrow.error < equal.error < free.error
    assert equal.error == pytest.approx(free.error / math.sqrt(2), rel=0.1)


def test_rules_apply_to_one_map_or_to_all(simulated, jcmt, settings):
    rules = {"pointing_u_rad": ParameterRule(free=False), "pointing_v_rad[2]": ParameterRule(free=False, start=1e-6)}
    fit = fit_observation(simulated.observation, jcmt, settings(parameters=rules)).fit
    assert [m.pointing_rad[0] for m in fit.maps] == [0.0, 0.0, 0.0]
    assert fit.maps[1].pointing_rad[1] == 1e-6
    assert fit.maps[0].pointing_rad[1] != 0


def test_errors_of_the_defocus_are_found(make_simulator, surface, jcmt, settings):
    true_m = (-2e-3, 0.0, 2.05e-3)
    one = make_simulator(defocus_m=true_m).observe(surface, DISTURBED, seed=9)
    maps = tuple(replace(m, defocus_m=dz) for m, dz in zip(one.observation.maps, (-2e-3, 0.0, 2e-3), strict=True))
    # The nominal dz of the third map is 50 um short; only an error relative to the others can be seen.
    rules = {"defocus_error_m[3]": ParameterRule(free=True)}
    chosen = settings("gaussian", parameters=rules)
    result = fit_observation(replace(one.observation, maps=maps), jcmt, chosen)
    error = next(p for p in result.fit.parameters if p.name == "defocus_error_m[3]")
    assert error.value == pytest.approx(50e-6, abs=5 * error.error)
    assert 5 * error.error < 25e-6
    assert error.unit == "m"


def test_twin(simulated, jcmt, settings, phases):
    observation = simulated.observation
    turned = replace(observation, maps=tuple(replace(m, defocus_m=-m.defocus_m) for m in observation.maps))
    for likelihood in ("gaussian", "cauchy"):
        one, other = (fit_observation(o, jcmt, settings(likelihood)) for o in (observation, turned))
        parity = np.array([-1.0 if c.n % 2 == 0 else 1.0 for c in one.fit.coefficients])
        errors = np.array([c.phase_rad_error for c in one.fit.coefficients])
        assert (np.abs(phases(other) - parity * phases(one)) < 0.02 * errors).all()
        assert other.fit.cost == pytest.approx(one.fit.cost, abs=1e-3)
        assert np.abs(phases(one)[:3]).max() > 0.1  # there are even terms to turn


def test_a_bump_is_found_where_it_is_with_its_sign(make_simulator, jcmt, settings):
    simulator = make_simulator(order=2)
    x, y = simulator.mesh_m
    # Metal 30 um too low around (+3, -2) m: a longer path.
    phase = 4 * math.pi * 30e-6 / simulator.wavelength_m * torch.exp(-((x - 3) ** 2 + (y + 2) ** 2) / 2 / 1.8**2)
    maps = simulator.maps_of_phase(phase[None])[0].numpy()
    observed = tuple(
        BeamMap(u, v, power + 1e-4 * np.random.default_rng(3).normal(size=power.size), dz)
        for (u, v), power, dz in zip(simulator.positions, maps, simulator.defocus_m, strict=True)
    )
    result = fit_observation(Observation("bump", observed, simulator.wavelength_m), jcmt, settings("gaussian", order=7))
    images = result.aperture
    row, column = np.unravel_index(
        np.nanargmax(np.where(images.amplitude > 0.4, images.surface_um, np.nan)), images.surface_um.shape
    )
    assert math.hypot(images.axis_m[column] - 3, images.axis_m[row] + 2) < 1.0
    inside = np.nan_to_num(images.surface_um)[np.abs(images.axis_m + 2).argmin(), np.abs(images.axis_m - 3).argmin()]
    opposite = np.nan_to_num(images.surface_um)[np.abs(images.axis_m - 2).argmin(), np.abs(images.axis_m + 3).argmin()]
    assert inside - opposite == pytest.approx(30, rel=0.3)


def test_a_subreflector_out_of_focus_is_found_with_its_sign(make_simulator, jcmt, settings):
    simulator = make_simulator(order=2)
    x, y = simulator.mesh_m
    offset_m = 0.1e-3
    phase = 2 * math.pi / simulator.wavelength_m * offset_m * defocus_images(jcmt.geometry, x, y)[0]
    maps = simulator.maps_of_phase(phase[None])[0].numpy()
    observed = tuple(
        BeamMap(u, v, power + 1e-4 * np.random.default_rng(4).normal(size=power.size), dz)
        for (u, v), power, dz in zip(simulator.positions, maps, simulator.defocus_m, strict=True)
    )
    result = fit_observation(
        Observation("focus", observed, simulator.wavelength_m), jcmt, settings("gaussian", order=4)
    )
    surface = result.fit.surface
    assert surface.best_focus_m == pytest.approx(offset_m, abs=5e-6)
    assert surface.best_focus_m_error < 3e-6
    focus = next(c for c in result.fit.coefficients if (c.n, c.l) == (2, 0))
    # The path of a positive move is longest in the middle, that of Z(2,0) at the rim.
    assert focus.phase_rad < -0.05


@REAL
def test_masked_samples_do_not_count(simulated, jcmt, settings, phases, rms_rad, surface, likelihood):
    rng, maps = np.random.default_rng(5), []
    for beam_map in simulated.observation.maps:
        power, used = beam_map.power.copy(), rng.random(beam_map.power.size) > 0.15
        power[~used] = rng.choice([np.nan, 1e3, -50.0], np.count_nonzero(~used))
        maps.append(replace(beam_map, power=power, used=used))
    result = fit_observation(replace(simulated.observation, maps=tuple(maps)), jcmt, settings(likelihood))
    assert rms_rad(phases(result) - surface) < 0.003
    for fitted, arrays, beam_map in zip(result.fit.maps, result.map_arrays, maps, strict=True):
        assert (fitted.samples, fitted.masked) == (beam_map.samples, beam_map.masked)
        assert (arrays.weight[~beam_map.used] == 0).all()
        assert np.isnan(arrays.model[~beam_map.used]).all()
        assert np.isfinite(arrays.residual[beam_map.used]).all()


def test_errors_of_the_samples_weigh_them(simulated, jcmt, settings, phases, rms_rad, surface):
    rng, maps = np.random.default_rng(6), []
    for beam_map in simulated.observation.maps:
        bad = rng.random(beam_map.power.size) < 0.3
        scatter = 0.1 * np.ptp(beam_map.power) * rng.normal(size=bad.size)
        error = np.where(bad, 0.1 * np.ptp(beam_map.power), 1 / 200 * np.ptp(simulated.observation.maps[0].power))
        maps.append(replace(beam_map, power=beam_map.power + bad * scatter, relative_error=error))
    weighted = replace(simulated.observation, maps=tuple(maps))
    plain = replace(weighted, maps=tuple(replace(m, relative_error=None) for m in maps))
    found = {
        name: rms_rad(phases(fit_observation(o, jcmt, settings("gaussian"))) - surface)
        for name, o in (("weighted", weighted), ("plain", plain))
    }
    assert found["weighted"] < 0.003
    assert found["plain"] > 3 * found["weighted"]


@REAL
def test_single_precision_is_close_to_double(simulated, jcmt, settings, phases, phase_errors, likelihood):
    double, single = (
        fit_observation(simulated.observation, jcmt, settings(likelihood, precision=precision))
        for precision in ("double", "single")
    )
    assert (single.dtype, double.dtype) == ("float32", "float64")
    assert single.status == "ok"
    assert (np.abs(phases(single) - phases(double)) < 0.1 * phase_errors(double)).all()
    np.testing.assert_allclose(phase_errors(single), phase_errors(double), rtol=0.02)


@pytest.mark.parametrize("likelihood", ["gaussian", "cauchy", "student-t", "huber"])
def test_data_without_noise(simulator, surface, jcmt, settings, phases, rms_rad, likelihood):
    clean = simulator.observe(surface, NoiseModel(math.inf, pointing_error_beams=0.3), seed=0).observation
    result = fit_observation(clean, jcmt, settings(likelihood, order=4, ladder=True))
    assert rms_rad(phases(result) - np.append(surface, np.zeros(5))) < 3e-4
    fit = result.fit
    numbers = [fit.cost, fit.bic, fit.reduced_chi2, fit.effective_samples, *fit.covariance.ravel()]
    numbers += [value for m in fit.maps for value in (m.gain, m.noise, m.border_noise, m.correlation_samples)]
    assert np.isfinite(numbers).all()
    assert all(m.noise > 0 for m in fit.maps)


def test_the_limit_of_evaluations_is_said_and_not_raised(simulated, jcmt, settings):
    result = fit_observation(simulated.observation, jcmt, settings("gaussian", max_evaluations=2))
    assert result.fit.status is FitStatus.EVALUATION_LIMIT
    assert result.status == "flagged"
    message = next(flag.message for flag in result.flags if flag.code == "not-converged")
    assert "max_evaluations" in message


def test_a_parameter_at_its_bound_is_flagged(simulated, jcmt, settings):
    rules = {"edge_taper_db": ParameterRule(start=-10.0, lower=-11.0)}
    result = fit_observation(simulated.observation, jcmt, settings(parameters=rules))
    taper = next(p for p in result.fit.parameters if p.name == "edge_taper_db")
    assert (taper.value, taper.at_bound) == (-11.0, True)
    message = next(flag.message for flag in result.flags if flag.code == "parameter-at-bound")
    assert message.startswith("edge_taper_db = -11 dB lies at its bound")
    assert result.status == "flagged"
    assert "parameter-at-bound" not in codes(fit_observation(simulated.observation, jcmt, settings()))


def test_a_coefficient_at_its_bound_is_flagged(simulated, jcmt, settings):
    chosen = settings(parameters={"Z(2,0)": ParameterRule(lower=-0.55)})  # the truth is -0.56
    result = fit_observation(simulated.observation, jcmt, chosen)
    focus = next(c for c in result.fit.coefficients if (c.n, c.l) == (2, 0))
    assert (focus.phase_rad, focus.free, focus.at_bound) == (-0.55, True, True)
    assert [c.at_bound for c in result.fit.coefficients].count(True) == 1
    assert "parameter-at-bound" in codes(result)


def test_nothing_to_fit_is_refused(simulated, jcmt, settings):
    held = ("edge_taper_db", "pointing_u_rad", "pointing_v_rad", "Z(2,-2)", "Z(2,0)", "Z(2,2)")
    rules = {name: ParameterRule(free=False) for name in held}
    with pytest.raises(ConfigurationError, match="every parameter is fixed"):
        fit_observation(simulated.observation, jcmt, settings(order=2, parameters=rules))


def test_no_observations_give_no_results(jcmt, settings):
    assert fit_batch([], jcmt, settings()) == []


def test_a_map_that_does_not_belong_is_flagged(simulated, jcmt, settings):
    maps = list(simulated.observation.maps)
    maps[2] = replace(maps[2], power=maps[1].power)
    result = fit_observation(replace(simulated.observation, maps=tuple(maps)), jcmt, settings("gaussian"))
    assert result.status == "flagged"
    assert codes(result) & {"misfit", "not-converged", "parameter-at-bound"}


def smallest(observation, samples):
    """The same with this many samples a map, all around the centre."""
    maps = []
    for m in observation.maps:
        nearest = np.argsort(np.hypot(m.u_rad, m.v_rad))[:samples]
        maps.append(replace(m, used=np.isin(np.arange(m.power.size), nearest)))
    return replace(observation, maps=tuple(maps))


@pytest.mark.parametrize(("samples", "order"), [(10, 3), (25, 8)])
def test_too_few_samples_are_refused(simulated, jcmt, settings, samples, order):
    with pytest.raises(InputError, match="too few samples") as caught:
        fit_observation(smallest(simulated.observation, samples), jcmt, settings(order=order))
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda power: np.full_like(power, 3.0), r"map 2 = 3: all samples are the same.*--maps"),
        (lambda power: np.zeros_like(power), r"map 2 = 0: all samples are the same"),
        (
            lambda power: np.where(np.arange(power.size) == 77, 1e200, power),
            r"map 2 = 1e\+200: a value out of all range",
        ),
        (lambda power: power * 1e-200, r"a value out of all range.*check the unit"),
    ],
)
def test_maps_that_cannot_be_computed_with_are_refused(simulated, jcmt, settings, change, said):
    maps = list(simulated.observation.maps)
    maps[1] = replace(maps[1], power=change(maps[1].power))
    with pytest.raises(InputError, match=said):
        fit_observation(replace(simulated.observation, maps=tuple(maps)), jcmt, settings("cauchy"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_where_there_is_none(simulated, jcmt, settings):
    with pytest.raises(UsageError, match=r"device = cuda: this machine has no CUDA device.*--device cpu"):
        fit_observation(simulated.observation, jcmt, settings(device="cuda"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_finds_what_the_cpu_finds(simulated, jcmt, settings, phases):
    one, other = (fit_observation(simulated.observation, jcmt, settings(device=device)) for device in ("cpu", "cuda"))
    assert other.device == "cuda"
    assert_same(one, other, phases)


def test_observations_with_other_numbers_of_maps_are_not_fitted_together(simulated, jcmt, settings):
    fewer = replace(simulated.observation, maps=simulated.observation.maps[:2])
    with pytest.raises(UsageError, match="the same number of maps"):
        fit_batch([simulated.observation, fewer], jcmt, settings())


def test_a_telescope_with_unknown_numbers_is_refused(simulated, settings):
    telescope = replace(load_telescope("jcmt"), missing=("geometry.dish_radius",))
    with pytest.raises(ConfigurationError, match="dish_radius"):
        fit_observation(simulated.observation, telescope, settings())


SRT = Path(__file__).parents[2].parent / "shared" / "data" / "srt_2019-04-26"


@pytest.mark.skipif(not SRT.is_dir(), reason="the Sardinia observation is not beside the repository")
def test_sardinia():
    from oofpy.conventions import in_model_convention
    from oofpy.io.observations import read_observation

    telescope = load_telescope("srt")
    observation = in_model_convention(read_observation(SRT / "srt_2019-04-26.fits"), telescope)
    result = fit_observation(observation, telescope, FitSettings(order=5, likelihood="gaussian", device="cpu"))
    half_squares = 0.0
    for arrays in result.map_arrays:
        used = np.isfinite(arrays.observed) & np.isfinite(arrays.model)
        # Peak-normalised as pyoof-srt does it: over the largest value above the smallest.
        half_squares += float(np.sum((arrays.residual[used] / np.ptp(arrays.observed[used])) ** 2)) / 2
    assert half_squares < 6.4
    waves = {(c.n, c.l): c.phase_rad / (2 * math.pi) for c in result.fit.coefficients}
    for term, value in (((2, 0), -0.19), ((3, -3), -0.17), ((3, -1), -0.27)):
        assert waves[term] == pytest.approx(value, abs=0.05)
