"""What the sky makes of a beam, against sums and integrals that know nothing of baselines."""

import math

import numpy as np
import pytest
import torch
from scipy.special import j0, j1, roots_legendre

from oofpy.observing import Chop, ExtendedSource, Observing, Smearing
from oofpy.optics.beam_building import beam_model
from oofpy.optics.response import band_frequencies, mixes_beams, reach_rad, smearing_transfer, source_visibility
from oofpy.optics.zernike import zernike_terms
from tests.optics.references import PEDESTAL, axisymmetric_dish, four_legs

WAVELENGTH = 0.0093
BEAM = WAVELENGTH / 100
DISH = axisymmetric_dish(illumination=PEDESTAL, disc=3.25, legs=four_legs())
TERMS = zernike_terms(4, 2)
DEFOCUS = (0.0, 0.02)


@pytest.fixture(autouse=True)
def _same_pixels(monkeypatch):
    """The same aperture for every model: what is compared is the response, not the pixels."""
    monkeypatch.setattr("oofpy.optics.beam_building.pixels_needed", lambda _: 96)


def positions(half_width=5.0, samples=21, shift=(0.0, 0.0)):
    axis = np.linspace(-half_width, half_width, samples) * BEAM
    u, v = np.meshgrid(axis, axis)
    return u.ravel() + shift[0], v.ravel() + shift[1]


def model_at(where, observing=None, dish=DISH, wavelength=WAVELENGTH, defocus=DEFOCUS):
    return beam_model(
        dish,
        [[where] * len(defocus)],
        torch.tensor([defocus], dtype=torch.float64),
        torch.tensor([wavelength], dtype=torch.float64),
        TERMS,
        observing=None if observing is None else [observing],
    )


def aberrated(model, chop_gain_ratio=1.0, scale=1.0):
    """A surface of 0.2 rad a term; `scale` takes its phase to another wavelength."""
    values = model.nominal_parameters()
    modes = torch.randn(len(TERMS), dtype=torch.float64, generator=torch.Generator().manual_seed(5)) * 0.2
    values[model.layout.slice_of("modes")] = modes * scale
    values[model.layout.slice_of("chop_gain_ratio")] = chop_gain_ratio
    return values[None]


def maps_of(where, observing=None, chop_gain_ratio=1.0, **rest):
    model = model_at(where, observing, **rest)
    return model(aberrated(model, chop_gain_ratio)).maps[0].numpy()


def summed(offsets, weights):
    """Weighted sum of plain maps at positions shifted by minus each offset: a convolution, written out."""
    return sum(weight * maps_of(positions(shift=(-du, -dv))) for (du, dv), weight in zip(offsets, weights, strict=True))


def disc_rule(radius, radii=6, angles=16):
    """Offsets and weights that average over a disc."""
    node, weight = roots_legendre(radii)
    r = radius * np.sqrt((node + 1) / 2)
    angle = 2 * math.pi * np.arange(angles) / angles
    offsets = [(one * math.cos(a), one * math.sin(a)) for one in r for a in angle]
    return r, offsets, np.repeat(weight / 2, angles) / angles


@pytest.mark.parametrize("gain_ratio", [1.0, 0.8])
def test_a_chop_is_the_difference_of_two_maps(gain_ratio):
    throw, angle = 3.7 * BEAM, math.radians(25)
    found = maps_of(positions(), Observing(chop=Chop(throw, angle)), gain_ratio)
    shift = (-throw * math.cos(angle), -throw * math.sin(angle))
    expected = maps_of(positions()) - gain_ratio * maps_of(positions(shift=shift))
    assert np.abs(found - expected).max() < 1e-6
    # The negative beam lies where the throw says, and not opposite.
    u, v = positions()
    lowest = np.argmin(found[0])
    assert u[lowest] * shift[0] + v[lowest] * shift[1] < 0


def test_a_disc_source_averages_the_beam_over_the_disc():
    diameter = 1.7 * BEAM
    found = maps_of(positions(), Observing(source=ExtendedSource("disc", diameter)))
    _, offsets, weights = disc_rule(diameter / 2)
    assert np.abs(found - summed(offsets, weights)).max() < 1e-6


def test_limb_darkening_weighs_the_disc_by_the_power_of_mu():
    diameter, exponent = 1.7 * BEAM, 2.0
    source = ExtendedSource("limb-darkened", diameter, exponent)
    r, offsets, weights = disc_rule(diameter / 2, radii=8)
    mu = np.repeat(np.sqrt(1 - (2 * r / diameter) ** 2), 16)
    weights = weights * mu**exponent
    found = maps_of(positions(), Observing(source=source))
    assert np.abs(found - summed(offsets, weights / weights.sum())).max() < 1e-6


def test_the_disc_source_of_a_uniform_dish_has_the_analytic_beam():
    """Integral over the baselines of the dish's own transfer function times 2 J1(x) / x times J0."""
    dish = axisymmetric_dish()
    diameter, k = 2.5 * BEAM, 2 * math.pi / WAVELENGTH
    found = maps_at_rest(dish, Observing(source=ExtendedSource("disc", diameter)))
    node, weight = roots_legendre(2000)
    rho = (node + 1) / 2  # baseline over the diameter of the dish
    dish_transfer = 2 / math.pi * (np.arccos(rho) - rho * np.sqrt(1 - rho**2))
    x = k * 100 * rho * diameter / 2
    u, v = positions()
    kernel = j0(k * 100 * rho * np.hypot(u, v)[:, None])
    shape = weight * rho * dish_transfer
    expected = (kernel * shape * 2 * j1(x) / x).sum(-1) / shape.sum()
    assert np.abs(found - expected).max() < 3e-5
    assert found.max() < 0.5  # far from the point source's peak of 1


def maps_at_rest(dish, observing):
    model = model_at(positions(), observing, dish)
    return model(model.nominal_parameters()[None]).maps[0, 0].numpy()


def test_a_gaussian_source_widens_the_beam_by_its_variance():
    fwhm = 0.6 * BEAM
    found = maps_of(positions(), Observing(source=ExtendedSource("gaussian", fwhm)))
    node, weight = np.polynomial.hermite_e.hermegauss(12)
    sigma = fwhm / math.sqrt(8 * math.log(2))
    offsets = [(sigma * a, sigma * b) for a in node for b in node]
    weights = np.outer(weight, weight).ravel() / weight.sum() ** 2
    assert np.abs(found - summed(offsets, weights)).max() < 1e-6


@pytest.mark.parametrize(
    ("smearing", "rule"),
    [
        (Smearing(scan_rad=1.3 * BEAM, scan_angle_rad=0.6), "scan"),
        (Smearing(pixel_rad=0.9 * BEAM), "square"),
        (Smearing(pixel_rad=0.9 * BEAM, pixel_shape="round"), "round"),
    ],
)
def test_smearing_averages_over_the_scan_and_over_the_detector(smearing, rule):
    node, weight = roots_legendre(8)
    if rule == "scan":
        half = smearing.scan_rad / 2
        offsets = [(half * a * math.cos(0.6), half * a * math.sin(0.6)) for a in node]
        weights = weight / 2
    elif rule == "square":
        half = smearing.pixel_rad / 2
        offsets = [(half * a, half * b) for a in node for b in node]
        weights = np.outer(weight, weight).ravel() / 4
    else:
        _, offsets, weights = disc_rule(smearing.pixel_rad / 2)
    found = maps_of(positions(), Observing(smearing=smearing))
    assert np.abs(found - summed(offsets, weights)).max() < 1e-6


def test_a_band_averages_frequencies_at_which_paths_have_other_phases():
    width = 0.15
    found = maps_of(positions(), Observing(fractional_bandwidth=width))
    node, weight = roots_legendre(12)
    expected = 0.0
    for ratio, share in zip(1 + width / 2 * node, weight / 2, strict=True):
        model = model_at(positions(), wavelength=WAVELENGTH / ratio)
        expected = expected + share * model(aberrated(model, scale=ratio)).maps[0].numpy()
    assert np.abs(found - expected).max() < 1e-6
    assert np.abs(found - maps_of(positions())).max() > 1e-3


def test_few_frequencies_are_enough():
    for width, cycles in ((0.02, 10.0), (0.1, 12.0), (0.3, 15.0)):
        ratio, weight = band_frequencies(width, cycles)
        fine_ratio, fine_weight = band_frequencies(width, 10 * cycles)
        phase = 2 * math.pi * cycles
        coarse, fine = (
            (w * np.exp(1j * phase * (r - 1))).sum() for r, w in ((ratio, weight), (fine_ratio, fine_weight))
        )
        assert abs(coarse - fine) < 1e-6
        assert weight.sum() == pytest.approx(1.0)
    assert band_frequencies(0.0, 10.0)[0].size == 1


def test_everything_together_is_one_after_the_other():
    """Convolutions commute: a chopped disc is the difference of two discs."""
    source, chop = ExtendedSource("disc", 1.2 * BEAM), Chop(2.0 * BEAM, math.radians(90))
    found = maps_of(positions(), Observing(source=source, chop=chop), 0.9)
    on = maps_of(positions(), Observing(source=source))
    off = maps_of(positions(shift=(0.0, -2.0 * BEAM)), Observing(source=source))
    assert np.abs(found - (on - 0.9 * off)).max() < 1e-6


def test_visibilities_of_sources_are_one_at_zero_and_small_sources_are_points():
    q = np.array([0.0, 1.0, 10.0])
    for source in (
        ExtendedSource("disc", 1e-6),
        ExtendedSource("limb-darkened", 1e-6, 0.5),
        ExtendedSource("gaussian", 1e-6),
    ):
        assert source_visibility(source, q) == pytest.approx(1.0, abs=1e-9)
    assert smearing_transfer(Smearing(1e-6, 0.3, 1e-6), q, q) == pytest.approx(1.0, abs=1e-9)


def test_a_uniform_disc_vanishes_at_the_first_zero_of_j1():
    first_zero = 3.8317059702
    assert source_visibility(ExtendedSource("disc", 2.0 * 1e-3), np.array([first_zero / 1e-3])) == pytest.approx(
        0.0, abs=1e-9
    )


def test_reach_adds_up_and_plain_observations_mix_nothing():
    assert not mixes_beams(Observing())
    assert not mixes_beams(Observing(source_distance_m=1e4))
    assert mixes_beams(Observing(fractional_bandwidth=0.01))
    both = Observing(chop=Chop(1e-4, 0.0), source=ExtendedSource("disc", 2e-5), smearing=Smearing(scan_rad=1e-5))
    assert reach_rad(both) == pytest.approx(1e-4 + 1e-5 + 0.5e-5)
