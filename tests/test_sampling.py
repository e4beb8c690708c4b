import numpy as np
import pytest
import torch

from oofpy.errors import UsageError
from oofpy.sampling import PosteriorSamples, sample_posterior

SIZE = 10


@pytest.fixture(scope="module")
def gaussian():
    """Mean, covariance and log density of a correlated Gaussian whose parameters differ by orders of magnitude."""
    rng = np.random.default_rng(1)
    root = rng.normal(size=(SIZE, SIZE)) / np.sqrt(SIZE) + 0.3 * np.eye(SIZE)
    units = 10.0 ** rng.uniform(-6, 3, SIZE)
    covariance = root @ root.T * np.outer(units, units)
    mean = 3 * units * rng.normal(size=SIZE)
    inverse = torch.as_tensor(np.linalg.inv(covariance / np.outer(units, units)))

    def log_density(x):
        away = (x - torch.as_tensor(mean)) / torch.as_tensor(units)
        return -away @ inverse @ away / 2

    return mean, covariance, log_density


@pytest.fixture(scope="module")
def sampled(gaussian):
    mean, _, log_density = gaussian
    return sample_posterior(log_density, mean, seed=3)


def banana(x):
    return -(x[0] ** 2 / 2 + (x[1] - x[0] ** 2) ** 2 / (2 * 0.5**2))


def test_mean_and_covariance_of_a_gaussian_within_monte_carlo_errors(gaussian, sampled):
    mean, covariance, _ = gaussian
    sigma = np.sqrt(np.diag(covariance))
    assert sampled.status == "converged"
    assert sampled.effective_samples.min() > 1000
    root = np.sqrt(sampled.effective_samples)
    np.testing.assert_array_less(np.abs(sampled.mean - mean) / sigma, 4 / root)
    np.testing.assert_array_less(np.abs(sampled.standard_deviation / sigma - 1), 4 / root)
    scaled = (sampled.covariance - covariance) / np.outer(sigma, sigma)
    assert np.abs(scaled).max() < 5 / root.min()
    assert sampled.split_r_hat.max() < 1.03
    assert 0.2 < sampled.acceptance_fraction < 0.9


def test_chains_hold_the_density_at_every_place(gaussian, sampled):
    _, _, log_density = gaussian
    assert sampled.chain.shape == (sampled.steps, sampled.walkers, SIZE)
    for step, walker in ((0, 0), (sampled.steps - 1, sampled.walkers - 1)):
        there = log_density(torch.as_tensor(sampled.chain[step, walker]))
        assert sampled.log_posterior[step, walker] == pytest.approx(float(there), rel=1e-9)
    # Twice the fall of the density from its maximum is chi2 with as many degrees of freedom as there are parameters.
    assert -2 * sampled.log_posterior.mean() == pytest.approx(SIZE, rel=0.1)


def test_start_beside_the_maximum_with_a_poor_covariance(gaussian):
    mean, covariance, log_density = gaussian
    sigma = np.sqrt(np.diag(covariance))
    found = sample_posterior(log_density, mean + 3 * sigma, covariance=np.diag(9 * sigma**2), seed=1)
    assert found.status == "converged"
    np.testing.assert_array_less(np.abs(found.mean - mean) / sigma, 4 / np.sqrt(found.effective_samples))


def test_curved_valley():
    found = sample_posterior(banana, [0.0, 0.0], effective_samples=1500, steps=8000, seed=2)
    assert found.converged, found.advice
    # x ~ N(0, 1) and y = x^2 + 0.5 N(0, 1).
    np.testing.assert_allclose(found.mean, [0, 1], atol=0.12)
    np.testing.assert_allclose(found.standard_deviation, [1, 1.5], rtol=0.15)
    np.testing.assert_allclose(found.quantiles([0.5])[0, 0], 0, atol=0.12)


def test_bounds_are_kept_and_never_evaluated_beyond():
    seen = []

    def exponential(x):
        seen.append(x["rate"].detach().clone())
        return -x["rate"] - x["width"] ** 2 / 2

    found = sample_posterior(
        exponential,
        {"rate": 0.5, "width": 0.0},
        bounds={"rate": (0.0, None), "width": (-1.0, 1.0)},
        vectorised=True,
        seed=4,
    )
    assert float(torch.cat([x.reshape(-1) for x in seen]).min()) >= 0
    assert found.of("rate").min() >= 0
    assert np.abs(found.of("width")).max() <= 1
    assert found.mean[0] == pytest.approx(1.0, abs=0.1)  # of an exponential of unit rate
    # Of a Gaussian cut at one standard deviation.
    assert found.standard_deviation[1] == pytest.approx(0.5396, rel=0.06)


def test_names_shapes_and_data_of_a_dict():
    data = {"x": np.linspace(-1, 1, 40), "y": 2 + 3 * np.linspace(-1, 1, 40)}

    def line(parameters, data):
        left = data["y"] - parameters["level"] - parameters["slope"][0, 0] * data["x"]
        return -(left**2).sum() / (2 * 0.1**2)

    found = sample_posterior(line, {"level": 2.0, "slope": [[3.0]]}, data=data, seed=0)
    assert found.names == ("level", "slope[0, 0]")
    assert found.of("slope").shape == (found.steps * found.walkers, 1, 1)
    np.testing.assert_array_equal(found.of("slope").ravel(), found.of("slope[0, 0]"))
    np.testing.assert_allclose(found.mean, [2, 3], atol=0.005)
    expected = 0.1 / np.sqrt([40, (data["x"] ** 2).sum()])
    np.testing.assert_allclose(found.standard_deviation, expected, rtol=0.1)
    with pytest.raises(UsageError, match="tilt: is no parameter; the names are level, "):
        found.of("tilt")


def test_same_seed_same_samples(gaussian, sampled):
    mean, _, log_density = gaussian
    again = sample_posterior(log_density, mean, seed=3)
    np.testing.assert_array_equal(again.chain, sampled.chain)
    other = sample_posterior(log_density, mean, seed=4, steps=10)
    assert not np.array_equal(other.chain[0], sampled.chain[0])


def test_walkers_are_evaluated_together():
    sizes = []

    def log_density(x):
        sizes.append(len(x))
        return -x.square().sum(-1) / 2

    found = sample_posterior(log_density, np.zeros(3), vectorised=True, walkers=40, seed=0, covariance=np.eye(3))
    # The check at the start; a whole ensemble; its halves or quarters, moved by the others.
    assert set(sizes) == {1, 40, 20, 10}
    assert len(sizes) < 2 * (found.steps + 2000)
    sizes.clear()
    sample_posterior(log_density, np.zeros(3), vectorised=True, walkers=40, chunk=16, steps=5, warm_up=0)
    assert max(sizes) == 16


def test_one_function_call_for_all_walkers_by_vmap():
    calls = []

    def log_density(x):
        calls.append(x.shape)
        return -x.square().sum() / 2

    found = sample_posterior(log_density, np.zeros(2), covariance=np.eye(2), walkers=64, steps=50, warm_up=50)
    assert set(calls) == {(2,)}
    assert len(calls) < 2 * (found.steps + 100)


def test_too_few_steps_are_said_with_advice():
    found = sample_posterior(banana, [0.0, 0.0], steps=20, warm_up=0, seed=0)
    assert found.status == "not-converged"
    assert "give more steps" in found.advice
    assert "effective samples of the 1000 wanted" in found.advice


def test_walkers_that_disagree_are_noticed():
    rng = np.random.default_rng(0)
    chain = rng.normal(size=(400, 20, 2))
    chain[:, :10, 1] += 5
    found = PosteriorSamples(("a", "b"), chain, np.zeros((400, 20)), 0.5, np.array([1.0, 1.0]), 100.0)
    assert found.split_r_hat[0] == pytest.approx(1.0, abs=0.01)
    assert found.split_r_hat[1] > 2
    [doubt] = found.doubts
    assert doubt.startswith("the walkers disagree on b (split R-hat ")


def test_chain_that_stands_still_has_not_converged():
    chain = np.zeros((100, 8, 1))
    found = PosteriorSamples(("a",), chain, np.zeros((100, 8)), 0.0, np.array([np.nan]), 100.0)
    assert found.status == "not-converged"
    assert "a (nan steps each)" in found.advice


def test_impossible_places_and_nan_are_counted_not_followed():
    def log_density(x):
        return torch.where(x[0] < 0, -torch.inf, torch.where(x[0] > 3, torch.nan, -x[0]))

    found = sample_posterior(log_density, [1.0], covariance=[[1.0]], seed=0)
    assert 0 < found.samples.min() < found.samples.max() < 3
    assert found.undefined > 0
    assert np.isfinite(found.log_posterior).all()


def test_thinned_places_are_spread_over_the_walk(sampled):
    places = sampled.thinned(50)
    assert places.size == 50
    assert (places[0], places[-1]) == (0, sampled.steps * sampled.walkers - 1)
    assert sampled.thinned(10**9).size == sampled.steps * sampled.walkers


def test_progress_and_moves_of_emcee(gaussian):
    import emcee

    mean, _, log_density = gaussian
    lines = []
    sample_posterior(
        log_density, mean, moves=emcee.moves.StretchMove(), steps=50, warm_up=50, seed=0, progress=lines.append
    )
    assert [line.split(":")[0] for line in lines[:1]] == ["warm-up"]
    assert lines[-1].startswith("50 steps of 32 walkers, ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"log_posterior": lambda x: -(x**2)}, r"log_posterior: returns a tensor of shape \(2,\), not one number"),
        ({"log_posterior": lambda _: 1.0}, "log_posterior: returns float, not a tensor"),
        ({"log_posterior": lambda x: x.sum() * torch.nan}, "log_posterior: is nan at the start; start where"),
        ({"log_posterior": lambda x: x.sum() - torch.inf}, "log_posterior: is -inf at the start; start where"),
        ({"log_posterior": lambda x: -x.sum() if x[0] > 5 else x.sum()}, "asks for the value of a tensor; use torch"),
        ({"log_posterior": lambda x: torch.where((x == 0).all(), 0.0, -torch.inf)}, "zero all around the start"),
        ({"start": [0.0, np.nan]}, "is not finite"),
        ({"start": ["a", "b"]}, "is not an array of real numbers"),
        ({"bounds": (1.0, 2.0)}, r"start, x\[0\] = 0: is outside its bounds 1 to 2"),
        ({"bounds": (2.0, 1.0)}, "the lower bound is not below the upper one"),
        ({"walkers": 5}, "walkers = 5: too few for the parameters; 6 at least"),
        ({"covariance": np.eye(3)}, r"covariance = \(3, 3\): must have the shape \(2, 2\)"),
        ({"covariance": -np.eye(2)}, "covariance: is not that of a distribution"),
        ({"device": "abacus"}, "device = abacus: is not known"),
        ({"dtype": torch.float16}, "is not supported"),
        ({"log_posterior": lambda x: -x.square().sum(), "vectorised": True}, r"returns a tensor of shape \(\) for one"),
    ],
)
def test_what_cannot_be_sampled_is_refused_in_one_line(arguments, message):
    call = {"log_posterior": lambda x: -x.square().sum(), "start": [0.0, 0.0]} | arguments
    with pytest.raises(UsageError, match=message) as caught:
        sample_posterior(call.pop("log_posterior"), call.pop("start"), **call)
    assert len(str(caught.value).splitlines()) == 1


def test_missing_extra_is_named(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "emcee", None)
    with pytest.raises(UsageError, match=r"pip install 'oofpy\[posterior\]'"):
        sample_posterior(banana, [0.0, 0.0])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_walks_like_the_cpu(gaussian):
    mean, covariance, _ = gaussian
    inverse = np.linalg.inv(covariance)

    def log_density(x, data):
        away = x - data["mean"]
        return -away @ data["inverse"] @ away / 2

    data = {"mean": mean, "inverse": inverse}
    walks = [sample_posterior(log_density, mean, data=data, device=device, seed=3) for device in ("cpu", "cuda")]
    np.testing.assert_allclose(walks[1].log_posterior[0], walks[0].log_posterior[0], rtol=1e-6)
    error = np.sqrt(np.diag(covariance)) / np.sqrt(walks[1].effective_samples)
    np.testing.assert_array_less(np.abs(walks[1].mean - mean), 5 * error)
