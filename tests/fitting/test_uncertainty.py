"""Errors against the Cramer-Rao bound and against the scatter of many fits of one surface."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.ndimage
import torch

from oofpy.fitting.fitter import fit_batch
from oofpy.fitting.problem import prepare
from oofpy.fitting.settings import ParameterRule
from oofpy.fitting.uncertainty import cramer_rao
from oofpy.simulation import NoiseModel

SEEDS = 40


@pytest.fixture(scope="module")
def draws(simulator, surface):
    """One surface under many draws of white noise, pointing errors, gains and backgrounds."""
    noise = NoiseModel(200, pointing_error_beams=0.3, gain_error=0.1, background=0.1)
    return [simulator.observe(surface, noise, seed) for seed in range(SEEDS)]


@pytest.fixture(scope="module")
def bound(draws, jcmt, settings):
    """Cramer-Rao errors of the coefficients at the truth, shape (draws, terms), as a function of the noise."""
    problem = prepare(tuple(one.observation for one in draws), jcmt, settings(), 3)
    truths = [one.truth for one in draws]
    layout, parameters = problem.model.layout, problem.start.clone()
    parameters[:, layout.slice_of("modes")] = torch.as_tensor(np.array([t.coefficients_rad for t in truths]))
    parameters[:, layout.slice_of("edge_taper_db")] = truths[0].edge_taper_db
    for side, kind in enumerate(("pointing_u_rad", "pointing_v_rad")):
        pointing = [[m.pointing_rad[side] for m in t.maps] for t in truths]
        parameters[:, layout.slice_of(kind)] = torch.tensor(pointing, dtype=torch.float64)
    gain, noise = (
        torch.tensor([[getattr(m.disturbance, name) for m in t.maps] for t in truths], dtype=torch.float64)
        for name in ("gain", "noise_sigma")
    )
    free = problem.at_order(3).for_solver("cpu")

    def errors(noise_factor=1.0):
        found = cramer_rao(problem.model, parameters, gain, noise * noise_factor, problem.data, free)
        return found.diagonal(dim1=1, dim2=2).sqrt().numpy()[:, : len(truths[0].terms)]

    return errors


@pytest.fixture(scope="module")
def fits(draws, jcmt, settings):
    """Results by likelihood, each fitted once."""
    done = {}

    def get(likelihood):
        if likelihood not in done:
            done[likelihood] = fit_batch([one.observation for one in draws], jcmt, settings(likelihood))
        return done[likelihood]

    return get


def stack(values, results):
    return np.array([values(result) for result in results])


# A Cauchy fit of Gaussian noise has 1.29 times the smallest possible error.
@pytest.mark.parametrize(
    ("likelihood", "factor", "tolerance"), [("gaussian", 1.0, 0.10), ("cauchy", 1.29, 0.10), ("huber", 1.03, 0.10)]
)
def test_errors_are_those_of_theory(fits, bound, phase_errors, likelihood, factor, tolerance):
    ratio = stack(phase_errors, fits(likelihood)) / bound()
    assert ratio.mean(axis=0) == pytest.approx(factor, rel=tolerance)


@pytest.mark.parametrize("likelihood", ["gaussian", "cauchy"])
def test_pulls_have_unit_spread(fits, phases, phase_errors, surface, likelihood):
    results = fits(likelihood)
    pulls = (stack(phases, results) - surface) / stack(phase_errors, results)
    # 280 pulls: the spread is known to 4 to 5 %, that of one term to 11 %.
    assert pulls.std() == pytest.approx(1, abs=0.13)
    assert ((pulls.std(axis=0) > 0.65) & (pulls.std(axis=0) < 1.4)).all()
    assert np.abs(pulls.mean(axis=0)).max() < 4 / np.sqrt(SEEDS)


def test_pulls_of_pointing_and_taper_have_unit_spread(fits, draws):
    pulls = []
    for result, one in zip(fits("gaussian"), draws, strict=True):
        found = {p.name: p for p in result.fit.parameters}
        for number, beam_map in enumerate(one.truth.maps, start=1):
            for side, kind in enumerate(("pointing_u_rad", "pointing_v_rad")):
                parameter = found[f"{kind}[{number}]"]
                pulls.append((parameter.value - beam_map.pointing_rad[side]) / parameter.error)
        pulls.append((found["edge_taper_db"].value - one.truth.edge_taper_db) / found["edge_taper_db"].error)
    assert np.std(pulls) == pytest.approx(1, abs=0.13)


def test_error_of_the_surface_rms_is_its_scatter(fits):
    surfaces = [result.fit.surface for result in fits("gaussian")]
    scatter = np.std([s.rms_um for s in surfaces])
    assert np.mean([s.rms_um_error for s in surfaces]) == pytest.approx(scatter, rel=0.35)
    scatter = np.std([s.best_focus_m for s in surfaces])
    assert np.mean([s.best_focus_m_error for s in surfaces]) == pytest.approx(scatter, rel=0.35)


def test_the_bound_scales_with_the_noise(bound):
    np.testing.assert_allclose(bound(3.0), 3 * bound(), rtol=1e-6)


def test_errors_do_not_depend_on_the_unit_of_the_maps(simulated, jcmt, settings, phase_errors):
    observation = simulated.observation
    scaled = replace(observation, maps=tuple(replace(m, power=m.power * 1e6) for m in observation.maps))
    one, other = (fit_batch([o], jcmt, settings("cauchy"))[0] for o in (observation, scaled))
    np.testing.assert_allclose(phase_errors(other), phase_errors(one), rtol=1e-4)


@pytest.mark.parametrize("likelihood", ["gaussian", "cauchy"])
def test_correlated_noise_widens_the_errors_by_its_area(
    simulator, surface, jcmt, settings, phases, phase_errors, likelihood
):
    clean = simulator.observe(surface, NoiseModel(np.inf), 0).observation
    sigma = min(np.ptp(m.power) for m in clean.maps) / 200
    side = 41

    def noisy(seed, width):
        rng, maps = np.random.default_rng(seed), []
        for beam_map in clean.maps:
            noise = rng.normal(size=(side + 20, side + 20))
            if width:
                noise = scipy.ndimage.gaussian_filter(noise, width) * np.sqrt(4 * np.pi) * width
            maps.append(replace(beam_map, power=beam_map.power + sigma * noise[10:-10, 10:-10].ravel()))
        return replace(clean, maps=tuple(maps))

    white = fit_batch([noisy(seed, 0.0) for seed in range(4)], jcmt, settings(likelihood))
    smooth = fit_batch([noisy(seed, 1.0) for seed in range(16)], jcmt, settings(likelihood))
    growth = (stack(phase_errors, smooth).mean(axis=0) / stack(phase_errors, white).mean(axis=0)) ** 2
    area = np.mean([m.correlation_samples for result in smooth for m in result.fit.maps])
    assert growth.mean() == pytest.approx(area, rel=0.25)
    # The area of the smoothed noise is 4 pi samples; what a robust likelihood sees of it, less.
    assert 0.4 * 4 * np.pi < area < 1.2 * 4 * np.pi
    pulls = (stack(phases, smooth) - surface) / stack(phase_errors, smooth)
    assert 0.7 < pulls.std() < 1.3
    # Smoothed over a third of a beam, it reaches from half a beam to a beam as well.
    assert {flag.code for flag in smooth[0].flags} == {"correlated-residuals", "structured-residuals"}
    assert smooth[0].verdict == "check"
    effective = np.mean([result.fit.effective_samples for result in smooth])
    assert effective == pytest.approx(3 * side**2 / area, rel=0.25)


def test_covariance_belongs_to_its_names(simulated, jcmt, settings, phase_errors):
    fit = fit_batch([simulated.observation], jcmt, settings("cauchy"))[0].fit
    assert fit.covariance.shape == (len(fit.covariance_names),) * 2
    np.testing.assert_allclose(fit.covariance, fit.covariance.T)
    assert np.linalg.eigvalsh(fit.covariance / np.outer(*[np.sqrt(np.diag(fit.covariance))] * 2)).min() > 0
    errors = dict(zip(fit.covariance_names, np.sqrt(np.diag(fit.covariance)), strict=True))
    names = [f"Z({c.n},{c.l})" for c in fit.coefficients]
    np.testing.assert_allclose(phase_errors(fit), [errors[name] for name in names])
    free = {p.name: p.error for p in fit.parameters if p.free}
    assert set(errors) == {*names, *free}
    assert free == pytest.approx({name: errors[name] for name in free})
    assert all(p.error is None for p in fit.parameters if not p.free)


def test_what_the_data_do_not_know_has_a_large_finite_error(simulated, jcmt, settings):
    # An error of dz common to all maps and the focus terms of the surface do nearly the same.
    rules = {"defocus_error_m": ParameterRule(free=True)}
    result = fit_batch([simulated.observation], jcmt, settings("gaussian", order=4, parameters=rules))[0]
    plain = fit_batch([simulated.observation], jcmt, settings("gaussian", order=4))[0]
    assert np.isfinite(result.fit.covariance).all()
    focus, known = (next(c for c in r.fit.coefficients if (c.n, c.l) == (2, 0)) for r in (result, plain))
    assert focus.phase_rad_error > 3 * known.phase_rad_error
    assert any("Z(2,0)" in pair[:2] and "defocus_error_m" in "".join(pair[:2]) for pair in result.degenerate_pairs)
    assert "degenerate-pair" in {flag.code for flag in result.flags}
