import numpy as np
import pytest
import scipy.special

from oofpy.errors import ConfigurationError
from oofpy.observing import Chop, ExtendedSource, Observing, Smearing
from oofpy.simulation.cubature import (
    Offsets,
    even_rule,
    gaussian_rule,
    observing_offsets,
    smearing_offsets,
    source_offsets,
)

BEAM_RAD = 1.1e-3 / 15
BAND = 2 * np.pi / BEAM_RAD
ANGLES = np.array([0.0, 0.4, np.pi / 4, 1.3, np.pi / 2])


def waves(offsets, largest=BAND):
    """Averages of waves of all lengths down to the shortest of a beam, in several directions."""
    q = np.linspace(0, largest, 25)[1:, None] * np.stack([np.cos(ANGLES), np.sin(ANGLES)])[:, None, :]
    phase = q[0][..., None] * offsets.u_rad + q[1][..., None] * offsets.v_rad
    return q, np.exp(1j * phase) @ offsets.weight


@pytest.mark.parametrize("beams", [0.05, 1, 12, 40])
@pytest.mark.parametrize("limb_darkening", [0.0, 0.3, 4.0])
def test_discs_average_every_wave_of_a_beam(beams, limb_darkening):
    shape = "limb-darkened" if limb_darkening else "disc"
    source = ExtendedSource(shape, beams * BEAM_RAD, limb_darkening)
    q, found = waves(source_offsets(source, BAND))
    x, order = np.hypot(*q) * source.diameter_rad / 2, 1 + limb_darkening / 2
    wanted = scipy.special.gamma(order + 1) * (2 / x) ** order * scipy.special.jv(order, x)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-8)


def test_the_transform_of_a_limb_darkened_disc_is_that_of_its_brightness():
    """The closed form of the test above, against an integral over rings."""
    radius, x = (np.arange(40000) + 0.5) / 40000, 2.7
    brightness = (1 - radius**2) ** 0.25
    wanted = (brightness * scipy.special.j0(x * radius) * radius).sum() / (brightness * radius).sum()
    offsets = source_offsets(ExtendedSource("limb-darkened", 1.0e-4, 0.5), 2 * x / 1e-4)
    assert np.cos(2 * x / 1e-4 * offsets.v_rad) @ offsets.weight == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("beams", [0.05, 0.5, 1, 3, 8])
def test_gaussians_average_every_wave_of_a_beam(beams):
    source = ExtendedSource("gaussian", beams * BEAM_RAD)
    q, found = waves(source_offsets(source, BAND))
    sigma = source.diameter_rad / np.sqrt(8 * np.log(2))
    np.testing.assert_allclose(found, np.exp(-(np.hypot(*q) ** 2) * sigma**2 / 2), rtol=0, atol=1e-8)


@pytest.mark.parametrize("beams", [0.1, 0.8, 5])
def test_detectors_and_scans_average_every_wave_of_a_beam(beams):
    side, scan = beams * BEAM_RAD, 0.7 * beams * BEAM_RAD
    q, found = waves(smearing_offsets(Smearing(scan, 0.6, side), BAND))
    along = q[0] * np.cos(0.6) + q[1] * np.sin(0.6)
    wanted = np.sinc(along * scan / 2 / np.pi) * np.sinc(q[0] * side / 2 / np.pi) * np.sinc(q[1] * side / 2 / np.pi)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-8)
    _, round_one = waves(smearing_offsets(Smearing(pixel_rad=side, pixel_shape="round"), BAND))
    _, disc = waves(source_offsets(ExtendedSource("disc", side), BAND))
    np.testing.assert_array_equal(round_one, disc)


def test_a_scan_is_a_line_of_its_length():
    offsets = smearing_offsets(Smearing(scan_rad=2e-4, scan_angle_rad=2.0), BAND)
    np.testing.assert_allclose(offsets.v_rad, np.tan(2.0) * offsets.u_rad, atol=1e-18)
    along = np.hypot(offsets.u_rad, offsets.v_rad)
    assert along.max() < 1e-4
    assert offsets.weight @ along**2 == pytest.approx((2e-4) ** 2 / 12, rel=1e-12)


def test_a_chop_is_a_negative_beam_at_the_throw():
    offsets = observing_offsets(Observing(chop=Chop(3e-4, 0.5)), 0.9, BAND)
    np.testing.assert_allclose(offsets.u_rad, [0, 3e-4 * np.cos(0.5)])
    np.testing.assert_allclose(offsets.v_rad, [0, 3e-4 * np.sin(0.5)])
    np.testing.assert_allclose(offsets.weight, [1, -0.9])
    assert offsets.reach_rad == pytest.approx(3e-4 * np.cos(0.5))


def test_everything_together_is_the_product_of_the_averages():
    source, smearing = ExtendedSource("disc", 0.6 * BEAM_RAD), Smearing(0.3 * BEAM_RAD, 1.0, 0.2 * BEAM_RAD)
    chop = Chop(1.5 * BEAM_RAD, -0.7)
    q, found = waves(observing_offsets(Observing(source=source, smearing=smearing, chop=chop), 0.8, BAND))
    _, of_source = waves(source_offsets(source, BAND))
    _, of_smearing = waves(smearing_offsets(smearing, BAND))
    u, v = chop.throw_uv_rad
    wanted = of_source * of_smearing * (1 - 0.8 * np.exp(1j * (q[0] * u + q[1] * v)))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


def test_nothing_to_average_is_one_direction():
    offsets = observing_offsets(Observing(smearing=Smearing()), 1.0, BAND)
    assert (offsets.u_rad.tolist(), offsets.v_rad.tolist(), offsets.weight.tolist()) == ([0], [0], [1])


@pytest.mark.parametrize(("rule", "least", "most"), [(even_rule, 2, 22), (gaussian_rule, 19, 63)])
def test_rules_grow_with_what_they_average(rule, least, most):
    counts = [rule(x)[0].size for x in (0.001, 1, 5, 20)]
    assert counts == sorted(set(counts))
    assert counts[0] <= least
    assert counts[-1] <= most


@pytest.mark.parametrize(
    ("observing", "ratio", "key"),
    [
        (Observing(source=ExtendedSource("disc", 70 * BEAM_RAD)), 1.0, "source_diameter"),
        (Observing(source=ExtendedSource("gaussian", 20 * BEAM_RAD)), 1.0, "source_diameter"),
        (Observing(smearing=Smearing(scan_rad=70 * BEAM_RAD)), 1.0, "scan_smearing"),
        (Observing(smearing=Smearing(pixel_rad=70 * BEAM_RAD)), 1.0, "pixel_size"),
        (Observing(smearing=Smearing(pixel_rad=70 * BEAM_RAD, pixel_shape="round")), 1.0, "pixel_size"),
        (Observing(), 0.9, "chop_gain_ratio"),
        (Observing(chop=Chop(1e-4, 0.0)), -0.1, "chop_gain_ratio"),
        (Observing(chop=Chop(1e-4, 0.0)), float("nan"), "chop_gain_ratio"),
        (Observing(source=ExtendedSource("disc", 30 * BEAM_RAD), smearing=Smearing(0, 0, 9 * BEAM_RAD)), 1.0, "averag"),
    ],
)
def test_what_cannot_be_averaged_is_refused(observing, ratio, key):
    with pytest.raises(ConfigurationError, match=key):
        observing_offsets(observing, ratio, BAND)


def test_the_reach_is_the_larger_of_both_axes():
    assert Offsets(np.array([1.0, -3]), np.array([2.0, 0]), np.ones(2)).reach_rad == 3
