"""How maps are taken: every mode against the beam of a point source, or a closed form."""

import json

import numpy as np
import pytest
import scipy.special
import torch

from oofpy.errors import ConfigurationError
from oofpy.observing import AppliedCorrection, Chop, ExtendedSource, Observing, Smearing
from oofpy.optics.beam_building import beam_model
from oofpy.simulation import GivenPositions, Grid, NoiseModel, Simulator, random_surface, simulate
from oofpy.telescope import Geometry, Illumination, Telescope

WAVELENGTH_M = 1.1e-3
BEAM_RAD = WAVELENGTH_M / 15
K = 2 * np.pi / WAVELENGTH_M
POINTING = np.array([[0.1, -0.2], [0.05, 0.3], [-0.4, 0.1]]) * BEAM_RAD


def observed(make_simulator, surface, *, sampling=None, pointing=POINTING, **settings):
    simulator = make_simulator(sampling, **settings)
    return simulator.maps(surface[None], pointing_rad=pointing[None])[0].numpy()


def far_apart(one, other, part=0.01):
    """Whether every map differs by some part of its own peak."""
    return (np.abs(one - other).max(-1) > part * np.abs(other).max(-1)).all()


@pytest.mark.parametrize("ratio", [1.0, 0.85])
def test_a_chopped_map_is_the_difference_of_two_beams(make_simulator, surface, ratio):
    """P(u) - g P(u - throw), with a throw of (5, -3) samples of a larger map."""
    step = 0.5 * BEAM_RAD
    wide = observed(make_simulator, surface, sampling=Grid(37, 18 * step)).reshape(3, 37, 37)
    chop = Chop(float(np.hypot(5, -3)) * step, float(np.arctan2(-3, 5)))
    found = observed(make_simulator, surface, observing=Observing(chop=chop), chop_gain_ratio=ratio)
    positive, negative, opposite = (
        wide[:, 6 + up : 31 + up, 6 + right : 31 + right].reshape(3, -1) for up, right in ((0, 0), (3, -5), (-3, 5))
    )
    np.testing.assert_allclose(found, positive - ratio * negative, rtol=0, atol=1e-11)
    assert far_apart(found, positive - ratio * opposite)


def test_a_chop_by_any_throw_is_the_difference_of_two_pointings(make_simulator, surface):
    chop = Chop(2.34 * BEAM_RAD, 2.1)
    u, v = chop.throw_uv_rad
    found = observed(make_simulator, surface, observing=Observing(chop=chop), chop_gain_ratio=0.9)
    plain = observed(make_simulator, surface)
    negative = observed(make_simulator, surface, pointing=POINTING + np.array([u, v]))
    np.testing.assert_allclose(found, plain - 0.9 * negative, rtol=0, atol=1e-11)
    opposite = observed(make_simulator, surface, pointing=POINTING - np.array([u, v]))
    assert far_apart(found, plain - 0.9 * opposite)


@pytest.mark.parametrize("beams", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("shape", ["disc", "limb-darkened", "gaussian"])
def test_a_source_on_an_even_dish_is_known_in_closed_form(tophat_dish, shape, beams):
    """The transfer function of a circular aperture times the transform of the source, back to the sky."""
    source = ExtendedSource(shape, beams * BEAM_RAD, 0.6 if shape == "limb-darkened" else 0.0)
    simulator = Simulator(tophat_dish, WAVELENGTH_M, [0.0], Grid(15, 7 * BEAM_RAD), observing=Observing(source=source))
    found = simulator.maps(np.zeros((1, len(simulator.terms))))[0, 0].numpy()
    # Gauss-Legendre in the square root's own variable: baseline = sin(t) diameters.
    node, weight = np.polynomial.legendre.leggauss(200)
    t = (node + 1) * np.pi / 4
    baseline, weight = np.sin(t), weight * np.cos(t) * np.sin(t)
    aperture = np.arccos(baseline) - baseline * np.sqrt(1 - baseline**2)
    x = np.pi * beams * baseline
    order = 1 + source.limb_darkening / 2
    of_source = scipy.special.gamma(order + 1) * (2 / x) ** order * scipy.special.jv(order, x)
    if shape == "gaussian":
        of_source = np.exp(-(x**2) / (4 * np.log(2)))
    u, v = simulator.positions[0]
    wave = scipy.special.j0(2 * np.pi * np.outer(np.hypot(u, v) / BEAM_RAD, baseline))
    wanted = wave @ (weight * aperture * of_source) / (weight * aperture).sum()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)
    assert wanted.max() < 0.99


def covered(centres, step, radius):
    """Covered part of square cells of the sky by a disc; shape (v, u)."""
    parts = (np.arange(40) + 0.5) / 40 - 0.5
    chord = np.sqrt(np.clip(radius**2 - (centres[:, None] + parts * step) ** 2, 0, None))[..., None]
    inside = np.minimum(chord, centres + step / 2) - np.maximum(-chord, centres - step / 2)
    return np.clip(inside, 0, None).mean(1) / step


def dense_sums(simulator, surface, samples, offsets, weight=None):
    """Weighted means of the beam of a point source around some samples; shape (maps, samples).

    Offsets are either pairs (points, 2), or positions of a square grid along u and v, shape (points,).
    """
    x, _ = simulator.mesh_m
    axis = x[0].numpy()
    phase = torch.tensordot(torch.as_tensor(surface), simulator._basis, dims=1)
    fields = simulator.aperture_fields(phase, torch.as_tensor(POINTING)).numpy()
    means = np.empty((3, len(samples)))
    for column, sample in enumerate(samples):
        directions = np.array([axis_of[sample] for axis_of in simulator.positions[0]]) - offsets.reshape(
            len(offsets), -1
        )
        of_u, of_v = (np.exp(-1j * K * np.outer(directions[:, side], axis)) for side in (0, -1))
        for number, field in enumerate(fields):
            far = of_v @ field @ of_u.T if offsets.ndim == 1 else ((of_v @ field) * of_u).sum(1)
            means[number, column] = np.average(np.abs(far) ** 2, weights=weight)
    return means


SAMPLES = (312, 200, 55)
AREA = (np.arange(602) - 300.5) / 600


@pytest.mark.parametrize(
    ("observing", "offsets", "weight"),
    [
        (Observing(source=ExtendedSource("disc", 1.3 * BEAM_RAD)), 1.3 * BEAM_RAD * AREA, covered(AREA, 1 / 600, 0.5)),
        (Observing(smearing=Smearing(pixel_rad=0.6 * BEAM_RAD)), 0.6 * BEAM_RAD * AREA[1:-1], None),
        (
            Observing(smearing=Smearing(0.9 * BEAM_RAD, 0.7)),
            0.9 * BEAM_RAD * np.outer(AREA[1:-1], [np.cos(0.7), np.sin(0.7)]),
            None,
        ),
    ],
    ids=["disc", "square detector", "scan"],
)
def test_averages_are_dense_sums_over_area_and_line(make_simulator, surface, observing, offsets, weight):
    simulator = make_simulator(observing=observing)
    found = simulator.maps(surface[None], pointing_rad=POINTING[None])[0].numpy()
    wanted = dense_sums(simulator, surface, SAMPLES, offsets, weight)
    own_peak = found.max(-1)[:, None]
    np.testing.assert_allclose(found[:, SAMPLES] / own_peak, wanted / own_peak, rtol=0, atol=1e-6)
    assert far_apart(found, observed(make_simulator, surface))
    if offsets.ndim == 2:
        across = dense_sums(simulator, surface, SAMPLES, offsets * [1, -1])
        assert np.abs(found[:, SAMPLES] - across).max() > 0.003


def test_a_band_is_the_mean_of_its_frequencies(make_simulator, surface, jcmt):
    """Simulations at one frequency each, in which every path keeps its length; rough dish, defocus and edge."""
    width, sampling = 0.3, Grid(9, 6 * BEAM_RAD)
    node, weight = np.polynomial.legendre.leggauss(18)
    wanted = 0.0
    for one, share in zip(node, weight / 2, strict=True):
        ratio = 1 + width / 2 * one
        simulator = Simulator(jcmt, WAVELENGTH_M / ratio, (-3e-3, 0.0, 3e-3), sampling, pixels_across=256)
        maps = simulator.maps(ratio * surface[None], pointing_rad=POINTING[None])[0].numpy()
        wanted = wanted + share * maps
    observing = Observing(fractional_bandwidth=width)
    found = observed(make_simulator, surface, sampling=sampling, observing=observing, pixels_across=256)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-5 * wanted.max(-1).min())
    assert far_apart(found, observed(make_simulator, surface, sampling=sampling, pixels_across=256))


def test_a_narrow_band_differs_by_the_square_of_its_width(make_simulator, surface):
    plain = observed(make_simulator, surface)
    maps = [
        observed(make_simulator, surface, observing=Observing(fractional_bandwidth=width))
        for width in (1e-9, 0.01, 0.02)
    ]
    np.testing.assert_allclose(maps[0], plain, rtol=0, atol=1e-12)
    first, second = (np.abs(one - plain).max() for one in maps[1:])
    assert second / first == pytest.approx(4, rel=0.1)
    assert 1e-6 < first < 1e-3


def test_more_frequencies_change_nothing(make_simulator, surface, monkeypatch):
    """The rule has converged: twice the phase it was asked for gives the same map."""
    settings = {"sampling": Grid(9, 9 * BEAM_RAD), "observing": Observing(fractional_bandwidth=0.3)}
    found = observed(make_simulator, surface, **settings)
    largest = Simulator._largest_phase
    monkeypatch.setattr(Simulator, "_largest_phase", lambda *arguments: 2 * largest(*arguments))
    np.testing.assert_allclose(observed(make_simulator, surface, **settings), found, rtol=0, atol=1e-9)


def test_a_near_source_is_brought_back_to_focus_by_moving_away(make_simulator, surface):
    """An image of a source at d forms F^2 / d behind the focus, away from the primary; a shallow dish."""
    shallow = Telescope("shallow", Geometry("prime-focus", 7.5, 60.0), Illumination("tophat"))
    dz = 60.0**2 / 2e4
    near = Observing(source_distance_m=2e4)
    simulator = make_simulator(telescope=shallow, defocus_m=(0.0, -dz, dz), observing=near)
    peaks = simulator.maps(np.zeros((1, len(surface))))[0].amax(-1)
    assert peaks[:2].max() < 0.2
    assert peaks[2] > 0.98
    far = make_simulator(observing=Observing(source_distance_m=1e12)).maps(surface[None])
    torch.testing.assert_close(far, make_simulator().maps(surface[None]), rtol=0, atol=1e-5)


def test_a_near_source_adds_its_path(make_simulator, surface):
    near = make_simulator(observing=Observing(source_distance_m=2e4))
    x, y = near.mesh_m
    r = torch.hypot(x, y)
    ahead = 2e4 - r**2 / (4 * 5.4)
    phase = K * (torch.hypot(r, ahead) - ahead)
    wanted = make_simulator().maps_of_phase(phase[None] + torch.tensordot(torch.tensor(surface), near._basis, 1)[None])
    torch.testing.assert_close(near.maps(surface[None]), wanted, rtol=0, atol=1e-9)


def test_a_correction_equal_to_the_surface_leaves_the_perfect_beam(make_simulator, surface):
    plain = make_simulator()
    perfect = plain.maps(np.zeros((1, len(surface))))
    coefficients = tuple((term.n, term.l, float(phase)) for term, phase in zip(plain.terms, surface, strict=True))
    corrected = make_simulator(observing=Observing(applied=AppliedCorrection(coefficients)))
    torch.testing.assert_close(corrected.maps(surface[None]), perfect, rtol=0, atol=1e-12)
    image = torch.tensordot(torch.tensor(surface), plain._basis, dims=1).numpy() / (2 * K)
    axis = plain.mesh_m[0][0].numpy()
    by_image = make_simulator(observing=Observing(applied=AppliedCorrection((), axis, image)))
    torch.testing.assert_close(by_image.maps(surface[None]), perfect, rtol=0, atol=1e-9)
    wrong = make_simulator(observing=Observing(applied=AppliedCorrection((), axis, -image)))
    assert far_apart(wrong.maps(surface[None])[0].numpy(), perfect[0].numpy())


def test_a_correction_over_a_band_keeps_its_length(make_simulator, surface):
    coefficients = tuple((term.n, term.l, float(c)) for term, c in zip(make_simulator().terms, surface, strict=True))
    band = Observing(fractional_bandwidth=0.2)
    corrected = Observing(applied=AppliedCorrection(coefficients), fractional_bandwidth=0.2)
    found = make_simulator(observing=corrected).maps(surface[None])
    wanted = make_simulator(observing=band).maps(np.zeros((1, len(surface))))
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-9)


def test_a_feed_moved_to_the_right_moves_the_beam_to_the_left(surface):
    """Prime focus: by less than the move over the focal length, as the rim of the dish sees it less."""
    dish = Telescope("tophat", Geometry("prime-focus", 7.5, 5.4), Illumination("tophat"))
    moves = [(1e-3, 0.0), (0.0, 1e-3), (0.0, 0.0)]
    simulator = Simulator(dish, WAVELENGTH_M, [0.0] * 3, Grid(61, 6 * BEAM_RAD), lateral_m=moves, pixels_across=128)
    maps = simulator.maps(np.zeros((1, len(surface))))[0]
    u, v = simulator.positions[0]
    peaks = [(u[int(one.argmax())], v[int(one.argmax())]) for one in maps]
    tilt = 1e-3 / 5.4
    assert -tilt < peaks[0][0] < -0.6 * tilt
    assert peaks[0][1] == pytest.approx(0, abs=1e-9)
    assert -tilt < peaks[1][1] < -0.6 * tilt
    assert peaks[2] == pytest.approx((0, 0), abs=1e-9)


def test_an_error_of_the_defocus_is_not_recorded(make_simulator, surface):
    noise = NoiseModel(faintest_peak_over_noise=float("inf"))
    made = make_simulator(defocus_error_m=(2e-4, 0.0, -1e-4)).observe(surface, noise, 1)
    assert made.observation.defocus_m.tolist() == [-3e-3, 0.0, 3e-3]
    true = make_simulator(defocus_m=(-2.8e-3, 0.0, 2.9e-3)).observe(surface, noise, 1)
    for one, other in zip(made.observation.maps, true.observation.maps, strict=True):
        np.testing.assert_allclose(one.power, other.power, rtol=0, atol=1e-12)


def test_scattered_samples_equal_the_grid(make_simulator, surface):
    """A chopped disc over a wide band, on samples reached by interpolation."""
    observing = Observing(
        chop=Chop(3 * BEAM_RAD, 0.5),
        source=ExtendedSource("disc", 0.4 * BEAM_RAD),
        fractional_bandwidth=0.3,
    )
    grid = Grid(12, 3 * BEAM_RAD)
    settings = {"observing": observing, "chop_gain_ratio": 0.9, "pixels_across": 256}
    regular = observed(make_simulator, surface, sampling=grid, **settings)
    scattered = observed(make_simulator, surface, sampling=GivenPositions(grid.positions(3)), **settings)
    own_peak = regular.max(-1)[:, None]
    np.testing.assert_allclose(scattered / own_peak, regular / own_peak, rtol=0, atol=1e-4)


CORRECTION = AppliedCorrection(((3, -1, 0.3),))


@pytest.mark.parametrize(
    "observing",
    [
        Observing(chop=Chop(4.3 * BEAM_RAD, 0.6)),
        Observing(source=ExtendedSource("limb-darkened", 1.5 * BEAM_RAD, 0.6)),
        Observing(source=ExtendedSource("gaussian", BEAM_RAD)),
        Observing(smearing=Smearing(0.7 * BEAM_RAD, 0.5, 0.4 * BEAM_RAD)),
        Observing(smearing=Smearing(pixel_rad=0.6 * BEAM_RAD, pixel_shape="round")),
        Observing(fractional_bandwidth=0.2),
        Observing(source_distance_m=3e4, applied=CORRECTION),
        Observing(CORRECTION, Chop(4.3 * BEAM_RAD, 0.6), ExtendedSource("disc", BEAM_RAD), None, 0.1, 5e4),
    ],
    ids=["chop", "limb-darkened", "gaussian", "scan", "round", "band", "near and corrected", "all"],
)
def test_observed_maps_equal_those_of_the_fit(jcmt, surface, observing):
    """Sums over directions and frequencies against a transfer function; with all moves of the subreflector."""
    lateral, error = [(3e-4, 0.0), (0.0, -2e-4), (1e-4, 1e-4)], [1e-4, 0.0, -1e-4]
    ratio = 1.0 if observing.chop is None else 0.9
    simulator = Simulator(
        jcmt,
        WAVELENGTH_M,
        (-3e-3, 0.0, 3e-3),
        Grid(17, 6 * BEAM_RAD),
        observing=observing,
        lateral_m=lateral,
        defocus_error_m=error,
        chop_gain_ratio=ratio,
    )
    found = simulator.maps(surface[None], pointing_rad=POINTING[None])[0]
    moves, lengths = (torch.tensor([values], dtype=torch.float64) for values in (simulator.defocus_m, WAVELENGTH_M))
    model = beam_model(jcmt, [list(simulator.positions)], moves, lengths, simulator.terms, observing=[observing])
    parameters = model.nominal_parameters()
    values = {
        "modes": surface,
        "pointing_u_rad": POINTING[:, 0],
        "pointing_v_rad": POINTING[:, 1],
        "lateral_x_m": np.array(lateral)[:, 0],
        "lateral_y_m": np.array(lateral)[:, 1],
        "defocus_error_m": error,
        "chop_gain_ratio": [ratio],
    }
    for kind, value in values.items():
        parameters[model.layout.slice_of(kind)] = torch.as_tensor(value, dtype=torch.float64)
    wanted = model(parameters[None]).maps[0]
    assert float(((found - wanted).abs().amax(-1) / found.abs().amax(-1)).max()) < 2e-4


def test_wide_chops_get_more_pixels(jcmt):
    observing = Observing(chop=Chop(40 * BEAM_RAD, 0.0))
    plain, chopped = (
        Simulator(jcmt, WAVELENGTH_M, [0.0], Grid(5, 9 * BEAM_RAD), observing=one) for one in (Observing(), observing)
    )
    assert plain.pixels_across == 512
    assert chopped.pixels_across == 16 * 49
    with pytest.raises(ConfigurationError, match="cycles of phase"):
        Simulator(jcmt, WAVELENGTH_M, [0.0], Grid(5, 9 * BEAM_RAD), observing=Observing(chop=Chop(0.05, 0.0)))
    with pytest.raises(ConfigurationError, match="pixels_across"):
        Simulator(
            jcmt,
            WAVELENGTH_M,
            [0.0],
            Grid(5, 9 * BEAM_RAD),
            observing=Observing(source_distance_m=100.0),
            pixels_across=64,
        )


def test_an_observation_and_its_truth_say_how_the_maps_were_taken(make_simulator, surface):
    observing = Observing(chop=Chop(2e-4, 0.5), fractional_bandwidth=0.01)
    settings = {"lateral_m": [(0, 0), (1e-4, 0), (0, 0)], "defocus_error_m": [1e-5, 0, 0], "chop_gain_ratio": 0.9}
    made = make_simulator(observing=observing, **settings).observe(surface, NoiseModel(), 2)
    assert made.observation.observing is observing
    assert made.observation.frame == "model"
    found = json.loads(json.dumps(made.truth.to_dict(), allow_nan=False))
    assert found["observing"] == {
        "chop": {"throw_rad": 2e-4, "angle_rad": 0.5},
        "fractional_bandwidth": 0.01,
    }
    assert found["chop_gain_ratio"] == 0.9
    assert [one.get("lateral_m") for one in found["maps"]] == [None, [1e-4, 0.0], None]
    assert [one.get("defocus_error_m") for one in found["maps"]] == [1e-5, None, None]


def test_a_plain_observation_has_a_plain_truth(coarse, surface):
    found = coarse.observe(surface, NoiseModel(), 2)
    assert found.observation.frame == "model"
    assert not {"observing", "chop_gain_ratio"} & {*found.truth.to_dict()}


def test_the_faintest_peak_is_that_of_the_maps_as_observed(make_simulator, surface):
    observing = Observing(source=ExtendedSource("disc", 2 * BEAM_RAD), chop=Chop(BEAM_RAD, 0.0))
    simulator = make_simulator(observing=observing)
    made = simulator.observe(surface, NoiseModel(faintest_peak_over_noise=50), 2)
    faintest = float(simulator.maps(surface[None])[0].abs().amax(-1).min())
    assert [one.disturbance.noise_sigma for one in made.truth.maps] == pytest.approx([faintest / 50] * 3, rel=1e-12)


def test_one_call_takes_all_of_it(jcmt):
    settings = {
        "wavelength_m": WAVELENGTH_M,
        "defocus_m": (-3e-3, 0.0, 3e-3),
        "sampling": Grid(15, 4 * BEAM_RAD),
        "surface": random_surface(3, 0.4, 1),
        "order": 3,
    }
    special = {
        "observing": Observing(chop=Chop(2 * BEAM_RAD, 0.3)),
        "lateral_m": [(0, 0), (3e-4, 0), (0, 0)],
        "defocus_error_m": [1e-4, 0, 0],
        "chop_gain_ratio": 0.95,
    }
    made = simulate(jcmt, **settings, **special)
    simulator = Simulator(jcmt, WAVELENGTH_M, settings["defocus_m"], settings["sampling"], order=3, **special)
    again = simulator.observe(settings["surface"], NoiseModel(), 0)
    for one, other in zip(made.observation.maps, again.observation.maps, strict=True):
        np.testing.assert_array_equal(one.power, other.power)
