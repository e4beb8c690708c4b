import math

import numpy as np
import pytest
import torch

from oofpy.observing import AppliedCorrection
from oofpy.optics.defocus import defocus_images
from oofpy.optics.half_path import half_path_um
from oofpy.optics.illumination import SHAPE_PARAMETERS
from oofpy.optics.zernike import ZernikeTerm, zernike_basis, zernike_terms
from oofpy.surface import WeightedDish, aperture_images, applied_image, illumination_amplitude
from oofpy.telescope import Blockage, Geometry, Illumination, Telescope

WAVELENGTH_M = 1.1e-3
RADIUS_M = 7.5
TERMS = zernike_terms(5, 2)
GAUSSIAN = Illumination(
    "gaussian", edge_taper_db=-12.0, edge_taper_min_db=-25.0, edge_taper_max_db=-6.0, edge_taper_free=True
)
NOMINAL = (-12.0, *(0.0,) * (len(SHAPE_PARAMETERS) - 1))


def telescope(illumination=None, disc_radius_m=0.0, kind="cassegrain"):
    effective = None if kind == "prime-focus" else 180.0
    geometry = Geometry(kind, RADIUS_M, 5.4, effective)
    return Telescope("dish", geometry, illumination or Illumination("tophat"), Blockage(disc_radius_m))


def dish(illumination=None, terms=TERMS, shape=NOMINAL, applied=None, **blockage):
    return WeightedDish(telescope(illumination, **blockage), shape, terms, WAVELENGTH_M, applied)


def one(term, value, terms=TERMS):
    return np.array([value if other == term else 0.0 for other in terms])


def pixels(radius=1.0, disc=0.0, count=801):
    """Plain pixels of a disc or an annulus, in units of the dish radius: x, y."""
    axis = (np.arange(count) + 0.5) / count * 2 - 1
    x, y = np.meshgrid(axis, axis)
    on = (np.hypot(x, y) <= radius) & (np.hypot(x, y) >= disc)
    return x[on], y[on]


def images(x, y, terms=TERMS):
    return zernike_basis(torch.as_tensor(x[None]), torch.as_tensor(y[None]), terms).numpy()[:, 0]


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.label)
def test_rms_of_one_term_over_the_full_even_disc(term):
    found = dish().rms_rad(one(term, -0.3))
    assert found == pytest.approx(0.3 / term.norm, rel=2e-3)
    assert dish().uniform_rms_rad(one(term, -0.3)) == pytest.approx(found, rel=1e-12)


def test_terms_of_an_even_disc_add_in_squares():
    values = np.random.default_rng(0).normal(size=len(TERMS)) * 0.1
    norms = np.array([term.norm for term in TERMS])
    assert dish().rms_rad(values) == pytest.approx(np.sqrt(np.sum((values / norms) ** 2)), rel=2e-3)


def test_weights_are_the_illumination_and_the_open_area():
    values = np.random.default_rng(1).normal(size=len(TERMS)) * 0.1
    x, y = pixels(disc=0.2)
    phase = values @ images(x, y)
    weight = 10 ** (-12 * (x**2 + y**2) / 20)
    mean = np.average(phase, weights=weight)
    blocked = dish(GAUSSIAN, disc_radius_m=1.5)
    assert blocked.rms_rad(values) == pytest.approx(
        math.sqrt(np.average((phase - mean) ** 2, weights=weight)), rel=3e-3
    )
    assert blocked.uniform_rms_rad(values) == pytest.approx(phase.std(), rel=3e-3)
    assert blocked.exact_efficiency(values) == pytest.approx(
        abs(np.average(np.exp(1j * phase), weights=weight)) ** 2, rel=1e-3
    )


def test_exact_efficiency_is_ruzes_for_small_errors_only():
    values = np.random.default_rng(2).normal(size=len(TERMS))
    for rms, tolerance in ((0.03, 1e-5), (0.1, 3e-4)):
        scaled = values * rms / dish(GAUSSIAN).rms_rad(values)
        exact = dish(GAUSSIAN).exact_efficiency(scaled)
        assert exact == pytest.approx(math.exp(-(rms**2)), abs=tolerance)
        assert exact < 1 - 0.9 * rms**2
    large = values * 1.5 / dish(GAUSSIAN).rms_rad(values)
    assert abs(dish(GAUSSIAN).exact_efficiency(large) - math.exp(-(1.5**2))) > 0.01
    assert dish(GAUSSIAN).exact_efficiency(0 * values) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("as_image", [False, True])
def test_rms_efficiency_and_focus_are_those_of_the_dish_with_its_correction(as_image):
    values = one(TERMS[1], 0.6) + one(TERMS[3], -0.4)  # focus and a trefoil
    residual = one(TERMS[1], 0.1)
    listed = tuple(
        (term.n, term.l, float(value)) for term, value in zip(TERMS, values - residual, strict=True) if value
    )
    applied = AppliedCorrection(listed)
    if as_image:
        axis = np.linspace(-RADIUS_M, RADIUS_M, 65)
        y, x = np.meshgrid(axis, axis, indexing="ij")
        phase = (values - residual) @ images((x / RADIUS_M).ravel(), (y / RADIUS_M).ravel())
        surface = phase.reshape(x.shape) * WAVELENGTH_M / (4 * math.pi)
        applied = AppliedCorrection(axis_m=axis, surface_m=np.where(np.hypot(x, y) <= RADIUS_M, surface, np.nan))
    corrected, plain = dish(GAUSSIAN, applied=applied), dish(GAUSSIAN)
    spread = np.eye(len(TERMS)) * 1e-4
    assert corrected.rms_rad(values) == plain.rms_rad(values)
    assert corrected.rms_as_observed_rad(values) == pytest.approx(plain.rms_rad(residual), rel=1e-6)
    assert corrected.exact_efficiency(values) == pytest.approx(plain.exact_efficiency(residual), rel=1e-6)
    assert corrected.best_focus_m(values, spread) == pytest.approx(plain.best_focus_m(residual, spread), rel=1e-6)
    assert plain.rms_as_observed_rad(values) == pytest.approx(plain.rms_rad(values), rel=1e-9)


def test_half_path_is_half_of_the_wavefront():
    assert half_path_um(2 * math.pi, 1e-3) == pytest.approx(500.0)
    np.testing.assert_allclose(half_path_um(np.array([-1.0, 0.5]), 4 * math.pi * 1e-6), [-1.0, 0.5])


@pytest.mark.parametrize("kind", ["cassegrain", "prime-focus"])
@pytest.mark.parametrize("move_m", [0.2e-3, -0.35e-3])
def test_best_focus_of_a_defocus_is_the_move_that_made_it(kind, move_m):
    the_dish = telescope(GAUSSIAN, kind=kind)
    x, y = pixels(count=301)
    path = defocus_images(the_dish.geometry, torch.as_tensor(x[None] * RADIUS_M), torch.as_tensor(y[None] * RADIUS_M))[
        0, 0
    ].numpy()
    phase = 2 * math.pi / WAVELENGTH_M * move_m * path
    terms = zernike_terms(8, 0)
    values = np.linalg.lstsq(images(x, y, terms).T, phase, rcond=None)[0]
    kept = [number for number, term in enumerate(terms) if term.n >= 2]
    weighted = WeightedDish(the_dish, NOMINAL, tuple(terms[number] for number in kept), WAVELENGTH_M)
    found, error = weighted.best_focus_m(values[kept], np.zeros((len(kept), len(kept))))
    assert found == pytest.approx(move_m, rel=2e-3)
    assert error == 0


def test_best_focus_minimises_the_weighted_rms():
    values = np.random.default_rng(3).normal(size=len(TERMS)) * 0.2
    weighted = dish(GAUSSIAN, disc_radius_m=1.0)
    x, y = pixels(disc=1 / 7.5, count=301)
    geometry = weighted.telescope.geometry
    path = defocus_images(geometry, torch.as_tensor(x[None] * RADIUS_M), torch.as_tensor(y[None] * RADIUS_M))
    phase, path = values @ images(x, y), path[0, 0].numpy() * 2 * math.pi / WAVELENGTH_M
    weight = 10 ** (-12 * (x**2 + y**2) / 20)
    found, _ = weighted.best_focus_m(values, np.eye(len(TERMS)))

    def rms(move):
        left = phase - path * move
        return np.average((left - np.average(left, weights=weight)) ** 2, weights=weight)

    assert rms(found) < min(rms(found + 3e-6), rms(found - 3e-6), rms(0.0))


@pytest.mark.parametrize("move_m", [2e-3, -1e-3])
def test_best_focus_of_an_offset_dish_is_free_of_its_tilt(move_m):
    """The path of an offset dish contains a tilt, which the fitted terms do not."""
    wavelength, radius = 9e-3, 50.0
    geometry = Geometry(
        "offset-gregorian",
        radius,
        60.0,
        190.0,
        axis_offset_m=54.0,
        primary_tilt_rad=math.radians(36.7),
        secondary_tilt_rad=math.radians(24.37),
    )
    offset = Telescope("offset", geometry, GAUSSIAN)
    x, y = pixels(count=301)
    path = defocus_images(geometry, torch.as_tensor(x[None] * radius), torch.as_tensor(y[None] * radius))[0, 0].numpy()
    phase = 2 * math.pi / wavelength * move_m * path
    terms = zernike_terms(8, 0)
    values = np.linalg.lstsq(images(x, y, terms).T, phase, rcond=None)[0]
    tilt = values[terms.index(ZernikeTerm(1, -1))]
    assert abs(tilt) > 0.1 * np.abs(values[3:]).max()
    weighted = WeightedDish(offset, NOMINAL, terms[3:], wavelength)
    found, _ = weighted.best_focus_m(values[3:], np.zeros((len(terms) - 3,) * 2))
    assert found == pytest.approx(move_m, rel=2e-3)


def covariance(scale=0.01, seed=4):
    root = np.random.default_rng(seed).normal(size=(len(TERMS), len(TERMS))) * scale
    return root @ root.T / len(TERMS)


def test_errors_are_the_scatter_of_draws():
    weighted = dish(GAUSSIAN, disc_radius_m=0.5)
    rng = np.random.default_rng(5)
    values, spread = rng.normal(size=len(TERMS)) * 0.3, covariance()
    draws = rng.multivariate_normal(values, spread, size=4000)
    rms = [weighted.rms_rad(draw) for draw in draws]
    assert weighted.rms_error_rad(values, spread) == pytest.approx(np.std(rms), rel=0.05)
    nothing = np.zeros_like(spread)
    per_term = [weighted.best_focus_m(unit, nothing)[0] for unit in np.eye(len(TERMS))]
    focus = draws @ per_term
    _, error = weighted.best_focus_m(values, spread)
    assert error == pytest.approx(np.std(focus), rel=0.05)
    focus_of_values, _ = weighted.best_focus_m(values, spread)
    assert focus_of_values == pytest.approx(float(values @ per_term), rel=1e-9)


def test_error_of_a_flat_surface_is_the_rms_of_its_errors():
    weighted = dish(GAUSSIAN)
    flat, spread = np.zeros(len(TERMS)), covariance(seed=6)
    draws = np.random.default_rng(7).multivariate_normal(flat, spread, size=4000)
    expected = np.sqrt(np.mean([weighted.rms_rad(draw) ** 2 for draw in draws]))
    assert weighted.rms_of_errors_rad(spread) == pytest.approx(expected, rel=0.05)
    assert weighted.rms_error_rad(flat, spread) == weighted.rms_of_errors_rad(spread)


def test_without_terms_there_is_no_error():
    empty = dish(GAUSSIAN, terms=())
    assert empty.rms_rad(np.zeros(0)) == 0
    assert empty.exact_efficiency(np.zeros(0)) == pytest.approx(1)


def test_taper_of_the_shape_not_of_the_telescope_counts():
    x, y = torch.tensor([[RADIUS_M, 0.0]]), torch.zeros(1, 2)
    steep = (-20.0, *NOMINAL[1:])
    found = illumination_amplitude(telescope(GAUSSIAN), steep, x.double(), y.double())
    np.testing.assert_allclose(found, [[0.1, 1.0]], rtol=1e-6)


VALUES = np.random.default_rng(8).normal(size=len(TERMS)) * 0.3
SPREAD = covariance(seed=9)


@pytest.fixture(scope="module")
def found():
    return aperture_images(telescope(GAUSSIAN, disc_radius_m=1.0), NOMINAL, TERMS, VALUES, SPREAD)


def test_axis_runs_from_rim_to_rim(found):
    assert found[0][[0, -1]].tolist() == [-RADIUS_M, RADIUS_M]
    assert {image.shape for image in found[1:]} == {(found[0].size, found[0].size)}


def test_nothing_is_said_off_the_dish(found):
    axis, phase, error, amplitude = found
    off = np.hypot(*np.meshgrid(axis, axis)) > RADIUS_M
    assert off.any()
    assert np.array_equal(np.isnan(phase), off)
    assert np.array_equal(np.isnan(error), off)
    assert (amplitude[off] == 0).all()
    assert np.isfinite(amplitude).all()


def test_phase_and_its_error_at_a_point(found):
    axis, phase, error, _ = found
    row, column = 90, 40  # y up, x to the left of the centre
    at = images(np.array([axis[column]]) / RADIUS_M, np.array([axis[row]]) / RADIUS_M)[:, 0]
    assert phase[row, column] == pytest.approx(float(VALUES @ at), abs=1e-12)
    assert error[row, column] == pytest.approx(math.sqrt(at @ SPREAD @ at), abs=1e-12)


def test_amplitude_is_tapered_and_blocked(found):
    axis, _, _, amplitude = found
    middle = axis.size // 2
    assert amplitude[middle, middle] == 0
    column = int(np.argmin(np.abs(axis - 6.0)))
    expected = 10 ** (-12 * (axis[column] / RADIUS_M) ** 2 / 20)
    assert amplitude[middle, column] == pytest.approx(expected, rel=1e-6)


def test_sign_of_a_known_tilted_term():
    coma = ZernikeTerm(3, 1)
    axis, phase, _, _ = aperture_images(telescope(), NOMINAL, (coma,), np.array([0.2]), np.zeros((1, 1)))
    middle = axis.size // 2
    # 3 r^3 - 2 r is 1 at the rim on the side of +x.
    assert phase[middle, -1] == pytest.approx(0.2)
    assert phase[middle, 0] == pytest.approx(-0.2)


def test_piston_and_tilt_of_a_correction_are_no_error_of_the_surface():
    dish = telescope()
    plain = applied_image(dish, AppliedCorrection(((2, 2, 0.4),)), 1e-3)
    tilted = applied_image(dish, AppliedCorrection(((0, 0, 3.0), (1, 1, 12.0), (1, -1, -5.0), (2, 2, 0.4))), 1e-3)
    np.testing.assert_allclose(tilted, plain, atol=1e-6)
    # Z(2,2) is 1 at the rim on the x axis: lambda phi / 4 pi.
    assert plain[64, -1] == pytest.approx(0.4 * 1e3 / (4 * np.pi), rel=1e-9)
