import math

import numpy as np
import pytest

from oofpy.errors import ConfigurationError
from oofpy.simulation import NoiseModel
from oofpy.simulation.noise import disturb

RNG = np.random.default_rng(8)
POSITIONS = [tuple(RNG.uniform(-1e-3, 1e-3, (2, size))) for size in (4000, 5000, 4500)]
BEAMS = [peak * np.exp(-(u**2 + v**2) / 2e-7) for peak, (u, v) in zip((0.03, 0.9, 0.05), POSITIONS, strict=True)]
FAINTEST = BEAMS[0].max()
QUIET = {"faintest_peak_over_noise": math.inf}


def disturbed(seed=5, **sizes):
    noise = NoiseModel(**sizes)
    return disturb(noise, BEAMS, POSITIONS, noise.streams(seed))


def test_without_effects_the_beams_are_untouched():
    data, _ = disturbed(**QUIET)
    for one, beam in zip(data, BEAMS, strict=True):
        np.testing.assert_array_equal(one, beam)


def test_noise_is_the_faintest_peak_over_the_ratio_in_every_map():
    data, done = disturbed(faintest_peak_over_noise=50)
    for one, beam, truth in zip(data, BEAMS, done, strict=True):
        assert truth.noise_sigma == FAINTEST / 50
        assert np.std(one - beam) == pytest.approx(FAINTEST / 50, rel=0.05)
        assert abs(np.mean(one - beam)) < 4 * FAINTEST / 50 / np.sqrt(one.size)
    noise = [one[:4000] - beam[:4000] for one, beam in zip(data, BEAMS, strict=True)]
    assert np.abs(np.corrcoef(noise) - np.eye(3)).max() < 0.06


def test_the_faintest_peak_counts_the_gain():
    _, done = disturbed(faintest_peak_over_noise=50, mean_gain=40.0, gain_error=0.1)
    peaks = [truth.gain * beam.max() for truth, beam in zip(done, BEAMS, strict=True)]
    assert [truth.peak for truth in done] == pytest.approx(peaks)
    assert {truth.noise_sigma for truth in done} == {min(peaks) / 50}


def test_the_truth_gives_back_the_data():
    sizes = {
        "mean_gain": 7.0,
        "gain_error": 0.05,
        "gain_drift": 0.04,
        "background": 0.3,
        "background_slope": 0.2,
        "glitch_fraction": 0.02,
    }
    data, done = disturbed(**QUIET, **sizes)
    for one, beam, (u, v), truth in zip(data, BEAMS, POSITIONS, done, strict=True):
        time = np.linspace(-0.5, 0.5, 2 * one.size + 1)[1::2]
        wanted = truth.gain * (1 + truth.gain_drift * time) * beam + truth.background
        wanted += truth.background_slope[0] * u + truth.background_slope[1] * v
        wanted[truth.glitched] += truth.glitch
        np.testing.assert_allclose(one, wanted, rtol=0, atol=1e-14)
        assert min(abs(truth.gain - 7), abs(truth.gain_drift), abs(truth.background)) > 1e-4
        assert min(map(abs, truth.background_slope)) > 0


def test_sizes_are_standard_deviations():
    sizes = {"gain_error": 0.05, "gain_drift": 0.04, "background": 0.3, "background_slope": 0.2}
    done = [truth for seed in range(300) for truth in disturbed(seed, **QUIET, **sizes)[1]]
    assert np.std([truth.gain for truth in done]) == pytest.approx(0.05, rel=0.1)
    assert np.std([truth.gain_drift for truth in done]) == pytest.approx(0.04, rel=0.1)
    faintest = min(truth.peak for truth in done)
    assert np.std([truth.background for truth in done]) == pytest.approx(0.3 * FAINTEST, rel=0.1)
    rises = np.array([truth.background_slope for truth in done]) * 1e-3
    assert rises.std(0) == pytest.approx([0.2 * FAINTEST] * 2, rel=0.12)
    assert faintest > 0.8 * FAINTEST


@pytest.mark.parametrize("fraction", [0.0, 0.0301, 0.5])
def test_glitches_are_counted_exactly_and_leave_the_rest_alone(fraction):
    clean, _ = disturbed(gain_error=0.1, background=0.1)
    data, done = disturbed(gain_error=0.1, background=0.1, glitch_fraction=fraction)
    for one, other, truth in zip(data, clean, done, strict=True):
        changed = np.flatnonzero(one != other)
        np.testing.assert_array_equal(changed, truth.glitched)
        assert changed.size == round(fraction * one.size)
        np.testing.assert_allclose((one - other)[changed], truth.glitch, rtol=0, atol=1e-15)


def test_glitches_have_the_sizes_asked_for():
    _, done = disturbed(glitch_fraction=0.2, glitch_lowest=0.3, glitch_highest=0.8)
    for truth in done:
        size = np.abs(truth.glitch) / truth.peak
        assert 0.3 <= size.min() < 0.31
        assert 0.79 < size.max() <= 0.8
        assert np.mean(truth.glitch > 0) == pytest.approx(0.5, abs=0.06)


def test_correlated_noise_keeps_its_size():
    data, done = disturbed(faintest_peak_over_noise=10, noise_correlation=0.7)
    for one, beam, truth in zip(data, BEAMS, done, strict=True):
        noise = (one - beam) / truth.noise_sigma
        assert np.std(noise) == pytest.approx(1, rel=0.1)
        assert np.mean(noise[1:] * noise[:-1]) == pytest.approx(0.7, abs=0.1)
        assert np.mean(noise[3:] * noise[:-3]) == pytest.approx(0.343, abs=0.12)


def test_pointing_errors_are_in_beams():
    noise = NoiseModel(pointing_error_beams=0.2)
    pointing = noise.draw_pointing(2000, 1e-4, noise.streams(3))
    assert pointing.std(0) == pytest.approx([2e-5, 2e-5], rel=0.06)
    assert pointing.mean(0) == pytest.approx([0, 0], abs=2e-6)


def test_the_seed_decides_every_bit():
    sizes = {"gain_error": 0.1, "background": 0.1, "glitch_fraction": 0.1, "noise_correlation": 0.3}
    data, again, other = (disturbed(seed, **sizes)[0] for seed in (1, 1, 2))
    for one, same, different in zip(data, again, other, strict=True):
        np.testing.assert_array_equal(one, same)
        assert (one != different).mean() > 0.99


@pytest.mark.parametrize(
    ("sizes", "key"),
    [
        ({"faintest_peak_over_noise": 0}, "faintest_peak_over_noise"),
        ({"faintest_peak_over_noise": math.nan}, "faintest_peak_over_noise"),
        ({"faintest_peak_over_noise": "200"}, "faintest_peak_over_noise"),
        ({"noise_correlation": 1.0}, "noise_correlation"),
        ({"mean_gain": 0.0}, "mean_gain"),
        ({"gain_error": -0.1}, "gain_error"),
        ({"gain_drift": 2.0}, "gain_drift"),
        ({"background": math.inf}, "background"),
        ({"pointing_error_beams": -1}, "pointing_error_beams"),
        ({"glitch_fraction": 3}, "glitch_fraction"),
        ({"glitch_lowest": 2.0}, "glitch_lowest"),
    ],
)
def test_senseless_sizes_are_refused(sizes, key):
    with pytest.raises(ConfigurationError) as caught:
        NoiseModel(**sizes)
    assert key in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 1.5, "x", None])
def test_senseless_seeds_are_refused(seed):
    with pytest.raises(ConfigurationError, match="seed"):
        NoiseModel().streams(seed)
