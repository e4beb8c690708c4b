from dataclasses import replace

import numpy as np
import pytest
import torch

from oofpy.errors import UsageError
from oofpy.fitting.elimination import eliminate
from oofpy.fitting.fitter import fit_observation
from oofpy.fitting.posterior_sampling import KEPT_SAMPLES, ProfilePosterior, sample_fit
from oofpy.fitting.problem import prepare
from oofpy.fitting.settings import ParameterRule
from oofpy.fitting.solver import LevenbergMarquardt, Tolerances
from oofpy.fitting.status import FitStatus
from oofpy.fitting.tied import mean_influence
from oofpy.fitting.uncertainty import cramer_rao
from oofpy.simulation import Grid, NoiseModel

ORDER = 3


@pytest.fixture(scope="module")
def small(make_simulator, surface, beam_rad):
    """Fewer samples than elsewhere, and noise that correlates no samples."""
    noise = NoiseModel(200, pointing_error_beams=0.3, gain_error=0.1, background=0.1, mean_gain=40.0)
    return make_simulator(Grid(25, 6 * beam_rad)).observe(surface, noise, seed=1)


@pytest.fixture(scope="module")
def target_of(small, jcmt):
    def make(result, device="cpu"):
        settings = replace(result.settings, device=device)
        return ProfilePosterior(prepare((small.observation,), jcmt, settings, ORDER), result)

    return make


@pytest.fixture(scope="module")
def gaussian(small, jcmt, settings):
    return fit_observation(small.observation, jcmt, settings())


@pytest.fixture(scope="module")
def sampled(small, gaussian):
    return sample_fit(small.observation, gaussian, seed=1)


def cramer_rao_errors(target):
    """Bounds of the free parameters for the noise that was fitted, those that move together counted as one."""
    problem = target.problem
    linear = eliminate(problem.model(target.fitted).maps, problem.data, problem.likelihood, None)
    noise = linear.scale * target.correlation_samples.sqrt()
    bound = cramer_rao(problem.model, target.fitted, linear.gain, noise, problem.data, target.free)
    return np.sqrt(np.diag(bound[0].numpy()))


@pytest.fixture(scope="module")
def least_errors(target_of, gaussian):
    return cramer_rao_errors(target_of(gaussian))


def test_good_data_have_the_errors_that_the_fit_says(sampled, gaussian, small, least_errors):
    assert sampled.status == "converged", sampled.advice
    assert sampled.fewest_effective_samples >= 1000
    assert sampled.names == gaussian.fit.covariance_names
    deviations = np.array([one.standard_deviation for one in sampled.parameters])
    np.testing.assert_allclose(deviations / least_errors, 1.0, atol=0.08)
    # The errors weigh every sample by its own residual; of 625 samples few are bright, and chance has its part.
    ratios = np.array([one.ratio for one in sampled.parameters])
    assert ratios.mean() == pytest.approx(1.0, abs=0.07)
    np.testing.assert_allclose(ratios, 1.0, atol=0.25)
    assert np.abs([one.shift for one in sampled.parameters]).max() < 0.2
    truth = dict(zip([term.label for term in small.truth.terms], small.truth.coefficients_rad, strict=True))
    pulls = [(one.mean - truth[one.name]) / one.standard_deviation for one in sampled.parameters if "Z(" in one.name]
    assert len(pulls) == 7
    assert np.abs(pulls).max() < 3.5
    assert sampled.likelihood_share == pytest.approx(1.0)


def test_rms_and_focus_follow_from_the_samples(sampled, gaussian):
    rms, focus = sampled.derived
    surface = gaussian.fit.surface
    assert (rms.name, rms.unit, rms.fitted, rms.error) == ("rms_um", "um", surface.rms_um, surface.rms_um_error)
    assert (focus.name, focus.unit, focus.fitted) == ("best_focus_m", "m", surface.best_focus_m)
    for one in (rms, focus):
        assert one.ratio == pytest.approx(1, abs=0.15)
        assert abs(one.shift) < 0.2


def test_part_of_the_samples_is_kept_and_stands_for_all(sampled):
    assert sampled.samples.shape == (KEPT_SAMPLES, len(sampled.names))
    assert sampled.log_posterior.shape == (KEPT_SAMPLES,)
    deviations = np.array([one.standard_deviation for one in sampled.parameters])
    np.testing.assert_allclose(sampled.samples.std(axis=0), deviations, rtol=0.1)
    np.testing.assert_allclose(np.sqrt(np.diag(sampled.covariance)), deviations, rtol=1e-3)
    least, most = sampled.combination_ratios
    assert 0.4 < least < min(one.ratio for one in sampled.parameters)
    assert max(one.ratio for one in sampled.parameters) < most < 2


def test_value_at_the_fit_is_zero_and_its_maximum(target_of, gaussian):
    target = target_of(gaussian)
    place = torch.as_tensor(target.begin)[None]
    assert float(target(place)) == pytest.approx(0, abs=1e-6)
    step = torch.as_tensor(np.sqrt(np.diag(gaussian.fit.covariance)))
    beside = torch.cat([place + torch.diag(step), place - torch.diag(step)])
    values = target(beside)
    assert (values < 0).all()
    # The same down both sides, as near a maximum.
    np.testing.assert_allclose(values[: step.numel()], values[step.numel() :], rtol=0.15)


@pytest.mark.parametrize("likelihood", ["gaussian", "cauchy", "student-t", "huber"])
def test_log_posterior_is_the_cost_of_the_fit_by_its_shares(small, jcmt, settings, likelihood):
    """Cost of the solver, times one number for neighbours that move together and for the noise."""
    result = fit_observation(small.observation, jcmt, settings(likelihood))
    problem = prepare((small.observation,), jcmt, result.settings, ORDER)
    target = ProfilePosterior(problem, result)
    solver = LevenbergMarquardt(problem.model, problem.data, problem.likelihood, target.free, Tolerances())
    errors = np.sqrt(np.diag(result.fit.covariance))
    rng = np.random.default_rng(5)
    places = torch.as_tensor(target.begin + errors * rng.normal(0, 1, (6, errors.size)))
    full = target.fitted.repeat(6, 1)
    full[:, target.free.index] = places
    squares, slopes = (
        values[0].numpy() for values in mean_influence(problem, solver.evaluate(target.fitted, None).linear)
    )
    shares = slopes / squares / target.correlation_samples.numpy()
    assert shares.min() - 1e-6 <= target.share <= shares.max() + 1e-6
    np.testing.assert_allclose(
        target.correlation_samples.numpy(), [m.correlation_samples for m in result.fit.maps], rtol=1e-6
    )
    costs = np.stack([solver.evaluate(one[None], None).linear.map_cost[0].numpy() for one in full])
    at_fit = solver.evaluate(target.fitted, None).linear.map_cost[0].numpy()
    np.testing.assert_allclose(target(places).numpy(), -target.share * (costs - at_fit).sum(axis=1), atol=0.02)
    # The same alone as beside others.
    assert float(target(places[2:3])) == pytest.approx(float(target(places)[2]), abs=0.02)


def test_cauchy_likelihood_of_gaussian_noise_is_widened_to_the_scatter(small, jcmt, settings, target_of, least_errors):
    """Taken at its word, it would be narrower than the Cramer-Rao bound of the noise, which no estimate can be."""
    result = fit_observation(small.observation, jcmt, settings("cauchy"))
    target = target_of(result)
    assert 0.5 < target.share < 0.75
    posterior = sample_fit(small.observation, result, steps=60, seed=2)
    against = np.array([one.standard_deviation for one in posterior.parameters]) / least_errors
    # A Cauchy likelihood loses a factor of 1.29 on Gaussian noise.
    assert 1.1 < np.median(against) < 1.6


def test_neighbours_that_move_together_count_as_one(small, jcmt, settings):
    """Noise that is the same in blocks of two by two samples: four of them count as one."""
    rng = np.random.default_rng(0)
    maps = []
    for one in small.observation.maps:
        blocks = np.kron(rng.normal(0, 1, (13, 13)), np.ones((2, 2)))[:25, :25].ravel()
        maps.append(replace(one, power=one.power + 0.01 * np.ptp(one.power) * blocks))
    observation = replace(small.observation, maps=tuple(maps))
    result = fit_observation(observation, jcmt, settings())
    posterior = sample_fit(observation, result, seed=1)
    assert min(posterior.correlation_samples) > 2.5
    assert posterior.correlation_samples == tuple(fitted.correlation_samples for fitted in result.fit.maps)
    target = ProfilePosterior(prepare((observation,), jcmt, result.settings, ORDER), result)
    deviations = np.array([one.standard_deviation for one in posterior.parameters])
    np.testing.assert_allclose(deviations / cramer_rao_errors(target), 1.0, atol=0.12)
    assert np.mean([one.ratio for one in posterior.parameters]) == pytest.approx(1, abs=0.35)


def test_bounds_and_priors_are_those_of_the_fit(small, jcmt, settings, gaussian):
    focus = gaussian.fit.coefficients[1]
    taper = next(one for one in gaussian.fit.parameters if one.name == "edge_taper_db")
    rules = {
        "edge_taper_db": ParameterRule(upper=taper.value + 0.3 * taper.error),
        "Z(2,0)": ParameterRule(prior_mean=focus.phase_rad, prior_sigma=0.3 * focus.phase_rad_error),
        "Z(2,2)": ParameterRule(free=False, start=gaussian.fit.coefficients[2].phase_rad),
    }
    result = fit_observation(small.observation, jcmt, settings(parameters=rules))
    posterior = sample_fit(small.observation, result, seed=1)
    assert "Z(2,2)" not in posterior.names
    known = dict(zip(posterior.names, posterior.parameters, strict=True))
    cut = posterior.samples[:, posterior.names.index("edge_taper_db")]
    assert cut.max() <= taper.value + 0.3 * taper.error
    # A Gaussian cut a little above its middle keeps two thirds of its width, of which the errors know nothing.
    assert known["edge_taper_db"].ratio == pytest.approx(0.7, abs=0.12)
    assert known["edge_taper_db"].differs
    assert known["Z(2,0)"].standard_deviation < 0.35 * focus.phase_rad_error
    assert known["Z(2,0)"].ratio == pytest.approx(1, abs=0.15)


def test_profile_has_the_width_of_the_marginal(sampled, target_of, gaussian):
    """Integrated over gain and background of a Gaussian likelihood, each map's posterior gains a determinant."""
    target = target_of(gaussian)
    problem, kept = target.problem, sampled.samples[::4]
    full = target.fitted.repeat(len(kept), 1)
    full[:, target.free.index] = torch.as_tensor(kept)
    weights = np.zeros(len(kept))
    for row, one in enumerate(full):
        maps = problem.model(one[None]).maps
        scale = eliminate(maps, problem.data, problem.likelihood, None).scale[0]
        columns = torch.cat([maps[0][:, None], problem.data.background[0]], dim=1)
        normal = (columns * problem.data.weight[0][:, None]) @ columns.mT / scale[:, None, None] ** 2
        weights[row] = float(-torch.logdet(normal).sum() / 2)
    weights = np.exp(weights - weights.max())
    weights /= weights.sum()
    mean = weights @ kept
    errors = np.array([one.error for one in sampled.parameters])
    assert (np.abs(mean - kept.mean(axis=0)) / errors).max() < 0.02
    deviation = np.sqrt(weights @ (kept - mean) ** 2)
    np.testing.assert_allclose(deviation, kept.std(axis=0), rtol=0.02)


def test_same_seed_same_samples_and_too_few_are_said(small, gaussian):
    first, second, other = (sample_fit(small.observation, gaussian, steps=10, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.samples, second.samples)
    assert not np.array_equal(first.samples, other.samples)
    assert first.status == "not-converged"
    assert "give more steps" in first.advice
    assert any(f"autocorrelation times of {name} (" in first.advice for name in first.names)


def test_failed_fit_has_no_posterior(small, gaussian):
    failed = replace(gaussian, orders=(replace(gaussian.fit, status=FitStatus.NOT_FINITE),))
    with pytest.raises(UsageError, match="the fit failed: there is no posterior about it"):
        sample_fit(small.observation, failed)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("likelihood", ["gaussian", "cauchy"])
def test_cuda_gives_the_same_log_posterior(small, jcmt, settings, target_of, likelihood):
    result = fit_observation(small.observation, jcmt, settings(likelihood))
    targets = [target_of(result, device) for device in ("cpu", "cuda")]
    errors = np.sqrt(np.diag(result.fit.covariance))
    places = torch.as_tensor(targets[0].begin + errors * np.random.default_rng(0).normal(0, 1, (64, errors.size)))
    found = [target(places.to(target.fitted.device)).cpu().numpy() for target in targets]
    np.testing.assert_allclose(found[1], found[0], atol=1e-3)
