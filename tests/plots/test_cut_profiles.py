"""Cuts of beams made for the purpose, whose profiles are known."""

import numpy as np
import pytest

from oofpy.plots.cut_profiles import azimuthal_cut, cut_samples, radial_cut, ring_radius


def grid(half_beams=5.0, pitch=0.2):
    axis = np.arange(-half_beams, half_beams + pitch / 2, pitch)
    u, v = (values.ravel() for values in np.meshgrid(axis, axis))
    return u, v, np.hypot(u, v), np.arctan2(v, u)


def samples(beam, u, v, noise=1e-3, seed=None, **more):
    noise = np.broadcast_to(noise, beam.shape)
    drawn = 0 if seed is None else np.random.default_rng(seed).normal(0, noise)
    return cut_samples(u, v, beam + drawn, beam, noise, **more)


def gaussian(r, width=1.3):
    return np.exp(-(r**2) / (2 * width**2))


def ring(r, radius=3.0, width=0.6):
    return np.exp(-((r - radius) ** 2) / (2 * width**2))


def test_symmetric_beam_has_its_own_profile():
    u, v, r, _ = grid()
    cut = radial_cut(samples(gaussian(r), u, v), 5.0)
    assert cut.place.size == 20
    # Within a ring the profile is curved, which the mean sees.
    np.testing.assert_allclose(cut.observed, gaussian(cut.place), rtol=0.04, atol=1e-4)
    np.testing.assert_array_equal(cut.observed, cut.model)


@pytest.mark.parametrize("beam", [gaussian, ring])
@pytest.mark.parametrize("pitch", [0.1, 0.37])
def test_symmetric_beam_is_flat_along_a_ring(beam, pitch):
    u, v, r, _ = grid(pitch=pitch)
    made = samples(beam(r), u, v)
    cut = azimuthal_cut(made, ring_radius(radial_cut(made, 5.0)))
    assert cut.place.size >= 8
    np.testing.assert_allclose(cut.model, 1, atol=0.03)


def test_two_lobes_stand_at_their_angle():
    """Lobes 30 degrees from +u towards +v, and on the opposite side."""
    u, v, r, angle = grid(pitch=0.1)
    turned = np.radians(30)
    made = samples(ring(r) * (1 + 0.4 * np.cos(2 * (angle - turned))), u, v)
    cut = azimuthal_cut(made, 3.0)
    np.testing.assert_allclose(cut.observed, 1 + 0.4 * np.cos(2 * (cut.place - turned)), atol=0.02)
    assert abs(np.degrees(cut.place[np.argmax(cut.observed)]) % 180 - 30) <= 10
    assert cut.place[0] == 0


def test_one_lobe_towards_v_stands_at_ninety_degrees():
    u, v, r, angle = grid(pitch=0.1)
    cut = azimuthal_cut(samples(ring(r) * (1 + 0.5 * np.sin(angle)), u, v), 3.0)
    assert np.degrees(cut.place[np.argmax(cut.observed)]) == pytest.approx(90, abs=10)
    assert np.degrees(cut.place[np.argmin(cut.observed)]) == pytest.approx(270, abs=10)


def test_brightest_ring_is_found_or_the_half_power_radius():
    u, v, r, _ = grid(pitch=0.1)
    assert ring_radius(radial_cut(samples(ring(r), u, v), 5.0)) == pytest.approx(3.0, abs=0.13)
    half = 1.3 * np.sqrt(2 * np.log(2))
    assert ring_radius(radial_cut(samples(gaussian(r), u, v), 5.0)) == pytest.approx(half, rel=0.02)
    assert np.isnan(ring_radius(radial_cut(samples(np.zeros_like(r), u, v), 5.0)))


def test_errors_cover_the_scatter_of_the_means():
    u, v, r, _ = grid(pitch=0.1)
    pulls = []
    for seed in range(40):
        cut = radial_cut(samples(gaussian(r), u, v, noise=0.01, seed=seed), 5.0)
        pulls.append((cut.observed - cut.model) / cut.error)
    assert np.std(pulls) == pytest.approx(1, abs=0.12)
    cut = radial_cut(samples(gaussian(r), u, v, noise=0.01, seed=0), 5.0)
    inside = (r >= 4.0) & (r < 4.25)
    place = np.argmin(np.abs(cut.place - 4.125))
    assert cut.error[place] == pytest.approx(0.01 / np.sqrt(inside.sum()), rel=0.15)


def uneven_noise(size):
    """Errors that differ by a factor of ten."""
    return 0.003 * 10 ** np.random.default_rng(6).uniform(0, 1, size)


def test_means_are_weighted_with_the_inverse_variance():
    u, v, r, _ = grid(pitch=0.1)
    noise = uneven_noise(r.size)
    pulls = []
    for seed in range(40):
        cut = radial_cut(samples(gaussian(r), u, v, noise=noise, seed=seed), 5.0)
        pulls.append((cut.observed - cut.model) / cut.error)
    assert np.std(pulls) == pytest.approx(1, abs=0.12)
    inside = (r >= 4.0) & (r < 4.25)
    place = np.argmin(np.abs(cut.place - 4.125))
    assert cut.error[place] == pytest.approx(1 / np.sqrt(np.sum(noise[inside] ** -2)), rel=0.15)
    assert cut.model[place] == pytest.approx(np.average(gaussian(r[inside]), weights=noise[inside] ** -2), rel=1e-9)


def test_uneven_errors_leave_a_symmetric_beam_symmetric():
    u, v, r, _ = grid(pitch=0.1)
    cut = azimuthal_cut(samples(ring(r), u, v, noise=uneven_noise(r.size)), 3.0)
    np.testing.assert_allclose(cut.model, 1, atol=0.03)


def test_a_sample_off_by_its_own_large_error_is_no_glitch():
    u, v, r, _ = grid(pitch=0.1)
    off = int(np.argmin(np.hypot(u - 3.1, v)))
    even = np.full(r.size, 0.01)
    uneven = np.where(np.arange(r.size) == off, 0.5, even)
    beam = gaussian(r)
    observed = beam + np.random.default_rng(7).normal(0, 0.01, r.size) + np.where(uneven > 0.1, 1.0, 0)
    inside = (r >= 3.0) & (r < 3.25)
    for noise, weight in ((uneven, uneven**-2.0), (even, uneven < 0.1)):
        cut = radial_cut(cut_samples(u, v, observed, beam, noise), 5.0)
        place = np.argmin(np.abs(cut.place - 3.125))
        wanted = np.average((observed - beam)[inside], weights=weight[inside])
        assert (cut.observed - cut.model)[place] == pytest.approx(wanted, abs=1e-9)


def test_residuals_that_move_together_widen_the_errors():
    u, v, r, _ = grid(pitch=0.1)
    alone = radial_cut(samples(gaussian(r), u, v, seed=1), 5.0)
    together = radial_cut(samples(gaussian(r), u, v, seed=1, correlation_samples=9.0), 5.0)
    np.testing.assert_allclose(together.error[8:] / alone.error[8:], 3, rtol=1e-9)
    # A single sample is at least that.
    assert (together.error[:1] / alone.error[:1] <= 3).all()
    assert (together.error <= np.maximum(0.002, together.error[8:].max())).all()


def test_glitches_are_left_out_but_a_common_misfit_stays():
    u, v, r, _ = grid(pitch=0.1)
    beam = gaussian(r)
    noise, sigma = np.random.default_rng(2).normal(0, 0.01, r.size), np.full(r.size, 0.01)
    spikes = np.where(np.random.default_rng(3).random(r.size) < 0.03, 0.8, 0.0)
    cut = radial_cut(cut_samples(u, v, beam + noise + spikes, beam, sigma), 5.0)
    assert np.abs(cut.observed - cut.model)[4:].max() < 0.005
    misfit = 0.1 * (np.abs(r - 2) < 0.3) * (v > 0)
    cut = radial_cut(cut_samples(u, v, beam + noise + misfit, beam, sigma), 5.0)
    place = np.argmin(np.abs(cut.place - 2))
    assert (cut.observed - cut.model)[place] == pytest.approx(0.05, abs=0.006)


def test_unknown_samples_are_left_out():
    u, v, r, _ = grid()
    observed = gaussian(r)
    observed[::7] = np.nan
    cut = radial_cut(cut_samples(u, v, observed, gaussian(r), np.full(r.size, 1e-3)), 5.0)
    assert np.isfinite(cut.observed).all()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_samples_are_no_error(count):
    ones = np.ones(count)
    made = cut_samples(np.linspace(0, 1, count), np.zeros(count), ones, ones, 0.1 * ones)
    cut = radial_cut(made, 1.5)
    assert cut.place.size <= count
    assert azimuthal_cut(made, 0.5).place.size <= count
    assert azimuthal_cut(made, ring_radius(cut)).place.size <= count
