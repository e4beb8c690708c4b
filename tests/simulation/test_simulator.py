from dataclasses import replace

import numpy as np
import pytest
import scipy.special
import torch

from oofpy.errors import ConfigurationError, InputError, UsageError
from oofpy.optics.beam_building import beam_model
from oofpy.optics.layout import ParameterLayout
from oofpy.optics.zernike import zernike_terms
from oofpy.simulation import GivenPositions, Grid, NoiseModel, Raster, Simulator, random_surface
from oofpy.telescope import load_telescope, with_overrides

K = 2 * np.pi / 1.1e-3


def cassegrain_path(r, dz, primary=5.4, effective=180.0):
    """The path of an axial move, written out."""
    a, b = r / (2 * primary), r / (2 * effective)
    return dz * ((1 - a**2) / (1 + a**2) + (1 - b**2) / (1 + b**2))


def model_of_the_fit(simulator):
    return beam_model(
        simulator.telescope,
        [list(simulator.positions)],
        torch.tensor([simulator.defocus_m], dtype=torch.float64),
        torch.tensor([simulator.wavelength_m], dtype=torch.float64),
        simulator.terms,
    )


def parameters_of(model, **values):
    vector = model.nominal_parameters()
    for kind, value in values.items():
        vector[model.layout.slice_of(kind)] = torch.as_tensor(value, dtype=torch.float64)
    return vector[None]


def difference(one, other):
    """Largest difference of each map, in units of that map's own peak."""
    one, other = (values.reshape(-1, values.shape[-1]) for values in (one, other))
    return np.asarray((one - other).abs().amax(-1) / other.amax(-1))


def test_an_even_dish_gives_the_airy_pattern(tophat_dish, beam_rad):
    simulator = Simulator(tophat_dish, 1.1e-3, [0.0], Grid(37, 9 * beam_rad))
    u, v = simulator.positions[0]
    argument = np.pi * np.hypot(u, v) / beam_rad
    airy = np.ones_like(argument)
    airy[argument > 0] = (2 * scipy.special.j1(argument[argument > 0]) / argument[argument > 0]) ** 2
    found = simulator.maps(np.zeros((1, len(simulator.terms))))[0, 0].numpy()
    np.testing.assert_allclose(found, airy, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "wavelength_m", "defocus_m"),
    [("effelsberg", 9.368e-3, 0.022), ("jcmt", 1.1e-3, 0.003), ("srt", 1.349e-2, 0.027)],
)
def test_maps_equal_those_of_the_fit(name, wavelength_m, defocus_m):
    """Two apertures, two propagators: they share the illumination and the defocus only."""
    telescope = load_telescope(name)
    half_width = 8 * wavelength_m / (2 * telescope.geometry.dish_radius_m)
    simulator = Simulator(telescope, wavelength_m, [-defocus_m, 0.0, defocus_m], Grid(33, half_width))
    surface = random_surface(5, 0.6, seed=3)
    pointing = np.array([[0.1, -0.2], [0.0, 0.3], [-0.4, 0.1]]) * simulator.beam_rad
    model = model_of_the_fit(simulator)
    settings = {"pointing_u_rad": pointing[:, 0], "pointing_v_rad": pointing[:, 1]}
    wanted = model(parameters_of(model, modes=surface, **settings)).maps
    found = simulator.maps(surface[None], pointing_rad=pointing[None])
    assert difference(found, wanted).max() < 2e-4
    for wrong in (-surface, surface * np.array([(-1) ** term.n for term in simulator.terms])):
        other = model(parameters_of(model, modes=wrong, **settings)).maps
        assert difference(found, other).max() > 0.05


def test_the_wrong_sign_of_the_defocus_gives_other_maps(coarse, make_simulator, surface):
    flipped = make_simulator(defocus_m=(3e-3, 0.0, -3e-3))
    found = difference(coarse.maps(surface[None]), flipped.maps(surface[None]))
    assert found[1] == 0
    assert min(found[0], found[2]) > 0.1


def test_a_positive_move_is_a_longer_path_at_the_centre(coarse):
    """A surface that takes back the path of the third map leaves there the beam of a perfect dish."""
    x, y = coarse.mesh_m
    path = cassegrain_path(torch.hypot(x, y), 3e-3)
    maps = coarse.maps_of_phase(-K * path[None])[0]
    perfect = coarse.maps(np.zeros((1, len(coarse.terms))))[0, 1]
    torch.testing.assert_close(maps[2], perfect, rtol=0, atol=1e-12)
    assert maps[0].max() < 0.1


def test_a_longer_path_to_the_right_moves_the_beam_to_the_right(coarse):
    """The path of a tilt of the phase by k x u0 is that of a pointing (u0, 0)."""
    x, _ = coarse.mesh_m
    step = coarse.positions[0][0][1] - coarse.positions[0][0][0]
    tilted = coarse.maps_of_phase((K * x * 3 * step)[None])
    pointed = coarse.maps(np.zeros((1, len(coarse.terms))), pointing_rad=[[[3 * step, 0]] * 3])
    torch.testing.assert_close(tilted, pointed, rtol=0, atol=1e-12)
    u, v = coarse.positions[1]
    brightest = int(tilted[0, 1].argmax())
    assert (u[brightest], v[brightest]) == pytest.approx((3 * step, 0), abs=1e-12)


def test_pointing_is_where_the_unaberrated_beam_peaks(coarse, surface):
    step = coarse.positions[0][0][1] - coarse.positions[0][0][0]
    moved = coarse.maps(surface[None], pointing_rad=[[[0, 0], [2 * step, -3 * step], [0, 0]]]).reshape(3, 25, 25)
    still = coarse.maps(surface[None]).reshape(3, 25, 25)
    torch.testing.assert_close(moved[1, :-3, 2:], still[1, 3:, :-2], rtol=0, atol=1e-12)
    torch.testing.assert_close(moved[::2], still[::2], rtol=0, atol=0)
    perfect = coarse.maps(np.zeros((1, len(coarse.terms))), pointing_rad=[[[0, 0], [2 * step, -3 * step], [0, 0]]])
    assert int(perfect[0, 1].argmax()) == (12 - 3) * 25 + 12 + 2
    assert float(perfect[0, 1].max()) == pytest.approx(1, abs=1e-12)


def test_a_bump_of_longer_path_is_a_positive_phase(make_simulator):
    """A smooth bump, on one side of the dish, against the fit's model with the bump as its only mode."""
    simulator = make_simulator(pixels_across=256)

    def bump(x, y):
        return torch.exp(-((x - 3.0) ** 2 + (y + 1.5) ** 2) / (2 * 1.5**2))

    model = model_of_the_fit(simulator)
    model = replace(
        model,
        basis=bump(model.x_m, model.y_m)[None],
        layout=ParameterLayout(("bump",), len(simulator.defocus_m)),
    )
    found = simulator.maps_of_phase(0.8 * bump(*simulator.mesh_m)[None])
    assert difference(found, model(parameters_of(model, modes=[0.8])).maps).max() < 2e-4
    assert difference(found, model(parameters_of(model, modes=[-0.8])).maps).max() > 0.1


def test_the_twin_gives_the_same_maps(coarse, make_simulator, surface):
    """phi(x, y) at dz and -phi(-x, -y) at -dz: even orders change sign, odd ones do not."""
    twin = surface * np.array([-((-1.0) ** term.n) for term in coarse.terms])
    flipped = make_simulator(defocus_m=[-value for value in coarse.defocus_m])
    torch.testing.assert_close(flipped.maps(twin[None]), coarse.maps(surface[None]), rtol=0, atol=1e-13)
    assert difference(flipped.maps(surface[None]), coarse.maps(surface[None])).max() > 0.1


def test_pixels_are_fine_enough():
    """A large dish with legs, defocused by two wavelengths: 512 and 768 pixels agree for the faintest map."""
    telescope = load_telescope("effelsberg")
    wavelength_m = 9.368e-3
    surface = random_surface(5, 0.34, seed=1)[None]
    coarse, fine = (
        Simulator(
            telescope, wavelength_m, [-0.022, 0.022], Grid(25, 9 * wavelength_m / 100), pixels_across=pixels
        ).maps(surface)
        for pixels in (None, 768)
    )
    assert fine.amax(-1).max() < 0.05
    assert difference(coarse, fine).max() < 3e-5


@pytest.mark.parametrize("points", [9, 10])
@pytest.mark.parametrize("half_width_beams", [0.7, 6, 13.5])
def test_grids_equal_the_plain_sum(make_simulator, fourier_sum, surface, beam_rad, points, half_width_beams):
    """Grids finer and coarser than lambda/D, with and without a sample at the centre."""
    simulator = make_simulator(Grid(points, half_width_beams * beam_rad), defocus_m=(-1e-3, 2e-3))
    pointing = torch.tensor([[0.3, 0.1], [-0.2, 0.0]], dtype=torch.float64) * beam_rad
    maps = simulator.maps(surface[None], pointing_rad=pointing[None])[0].numpy()
    x, y = simulator.mesh_m
    origin = simulator._plan.origin_rad  # the shift of the directions is part of the fields
    phase = torch.tensordot(torch.as_tensor(surface), simulator._basis, dims=1) + K * origin * (x + y)
    fields = simulator.aperture_fields(phase, pointing)
    chosen = np.r_[0, 3, points * points // 2, points * points - 1]
    for number, (u, v) in enumerate(simulator.positions):
        wanted = fourier_sum(simulator, fields[number], u[chosen], v[chosen])
        np.testing.assert_allclose(maps[number][chosen], wanted, rtol=0, atol=1e-13)


def test_scattered_samples_equal_the_plain_sum(make_simulator, fourier_sum, surface, beam_rad):
    simulator = make_simulator(Raster(30, 30, 9 * beam_rad, seed=5), defocus_m=(-3e-3, 2e-3))
    pointing = torch.tensor([[0.3, 0.1], [-0.2, 0.0]], dtype=torch.float64) * beam_rad
    maps = simulator.maps(surface[None], pointing_rad=pointing[None])[0].numpy()
    phase = torch.tensordot(torch.as_tensor(surface), simulator._basis, dims=1)
    fields = simulator.aperture_fields(phase, pointing)
    for number, (u, v) in enumerate(simulator.positions):
        wanted = fourier_sum(simulator, fields[number], u[::23], v[::23])
        np.testing.assert_allclose(maps[number][::23], wanted, rtol=0, atol=1e-7 * maps[number].max())


def test_scattered_samples_on_grid_points_equal_the_grid(make_simulator, surface, beam_rad):
    grid = Grid(25, 6 * beam_rad)
    regular = make_simulator(grid, pixels_across=None)
    scattered = make_simulator(GivenPositions(grid.positions(3)), pixels_across=None)
    assert difference(scattered.maps(surface[None]), regular.maps(surface[None])).max() < 2e-5


def test_a_batch_equals_one_by_one(coarse):
    surfaces = np.stack([random_surface(5, 0.5, seed) for seed in range(3)])
    pointing = np.random.default_rng(1).normal(size=(3, 3, 2)) * 1e-5
    tapers = [-12.0, -9.0, -15.0]
    together = coarse.maps(surfaces, pointing_rad=pointing, edge_taper_db=tapers)
    for number in range(3):
        pick = slice(number, number + 1)
        alone = coarse.maps(surfaces[pick], pointing_rad=pointing[pick], edge_taper_db=tapers[pick])
        torch.testing.assert_close(together[pick], alone, rtol=0, atol=0)


def test_the_taper_is_that_of_a_telescope_with_it(jcmt, coarse, make_simulator, surface):
    other = make_simulator(telescope=with_overrides(jcmt, {"illumination.edge_taper": "-8 dB"}))
    found = coarse.maps(surface[None], edge_taper_db=[-8.0])
    torch.testing.assert_close(found, other.maps(surface[None]), rtol=0, atol=1e-14)
    assert difference(found, coarse.maps(surface[None])).max() > 0.05


@pytest.mark.parametrize("name", ["effelsberg", "srt", "jcmt", "alma", "apex", "lmt", "iram30m"])
def test_every_complete_telescope_can_be_simulated(name):
    telescope = load_telescope(name)
    if telescope.missing:
        with pytest.raises(ConfigurationError, match="is unknown"):
            Simulator(telescope, 3e-3, [0.0], Grid(5, 1e-4), pixels_across=64)
        return
    wavelength_m = telescope.geometry.dish_radius_m / 5000
    simulator = Simulator(telescope, wavelength_m, [0.0], Grid(5, 2e-4), order=12, pixels_across=64)
    perfect, bent = simulator.maps(np.stack([np.zeros(len(simulator.terms)), random_surface(12, 0.3, 1)]))
    assert float(perfect.max()) == pytest.approx(1, abs=1e-12)
    assert 0.5 < float(bent.max()) < 0.99


def test_terms_are_those_of_the_orders_asked_for(make_simulator):
    assert make_simulator(order=7).terms == zernike_terms(7, 2)


def test_wide_maps_get_more_pixels(jcmt, beam_rad):
    assert Simulator(jcmt, 1.1e-3, [0.0], Grid(5, 9 * beam_rad)).pixels_across == 512
    assert Simulator(jcmt, 1.1e-3, [0.0], Grid(5, 40 * beam_rad)).pixels_across == 640


def test_maps_of_unequal_length_are_filled_up(make_simulator, surface):
    u, v = np.random.default_rng(2).uniform(-2e-4, 2e-4, (2, 12))
    simulator = make_simulator(GivenPositions(((u, v), (u[:7], v[:7]), (u, v))))
    maps = simulator.maps(surface[None])[0]
    assert simulator.samples == (12, 7, 12)
    assert set(maps[1, 6:].tolist()) == {float(maps[1, 6])}
    observed = simulator.observe(surface, NoiseModel(), 1).observation
    assert [one.power.size for one in observed.maps] == [12, 7, 12]


def test_an_observation_is_what_a_reader_would_give(coarse, surface):
    made = coarse.observe(surface, NoiseModel(), 4, name="night")
    observation = made.observation
    assert (observation.name, observation.telescope) == ("night", "jcmt")
    assert observation.wavelength_m == 1.1e-3
    assert observation.defocus_m.tolist() == [-3e-3, 0.0, 3e-3]
    for one, (u, v) in zip(observation.maps, coarse.positions, strict=True):
        np.testing.assert_array_equal(one.u_rad, u)
        np.testing.assert_array_equal(one.v_rad, v)


def test_observation_uses_the_pointing_and_taper_of_the_truth(coarse, surface):
    noise = NoiseModel(faintest_peak_over_noise=float("inf"), pointing_error_beams=0.3)
    made = coarse.observe(surface, noise, 4, edge_taper_db=-9.0)
    pointing = [one.pointing_rad for one in made.truth.maps]
    wanted = coarse.maps(surface[None], pointing_rad=[pointing], edge_taper_db=[made.truth.edge_taper_db])[0]
    found = np.stack([one.power for one in made.observation.maps])
    np.testing.assert_array_equal(found, wanted.numpy())
    assert made.truth.edge_taper_db == -9.0
    assert np.abs(pointing).min() > 0


@pytest.mark.parametrize(
    ("change", "error", "key"),
    [
        ({"wavelength_m": float("nan")}, ConfigurationError, "wavelength_m"),
        ({"wavelength_m": -1.0}, ConfigurationError, "wavelength_m"),
        ({"defocus_m": [0.0, float("inf")]}, ConfigurationError, "defocus_m"),
        ({"defocus_m": [0.0, "3mm"]}, ConfigurationError, "defocus_m"),
        ({"defocus_m": []}, ConfigurationError, "number of maps"),
        ({"order": 1}, ConfigurationError, "order"),
        ({"order": 13}, ConfigurationError, "order"),
        ({"order": 2.5}, ConfigurationError, "order"),
        ({"pixels_across": 20}, ConfigurationError, "pixels_across"),
        ({"sampling": Grid(5, 0.4)}, ConfigurationError, "half_width_rad"),
        ({"sampling": GivenPositions((([1e-4], [0.0]),))}, ConfigurationError, "directions"),
    ],
)
def test_senseless_settings_are_refused(jcmt, beam_rad, change, error, key):
    settings = {"wavelength_m": 1.1e-3, "defocus_m": [0.0, 1e-3], "sampling": Grid(5, 9 * beam_rad), **change}
    with pytest.raises(error) as caught:
        Simulator(jcmt, **settings)
    assert key in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({"coefficients_rad": np.zeros((1, 3))}, "coefficients_rad"),
        ({"coefficients_rad": np.full((1, 18), np.nan)}, "coefficients_rad"),
        ({"coefficients_rad": [["a"] * 18]}, "coefficients_rad"),
        ({"coefficients_rad": np.zeros(18)}, "coefficients_rad"),
        ({"pointing_rad": np.zeros((1, 2, 2))}, "pointing_rad"),
        ({"edge_taper_db": [3.0]}, "edge_taper_db"),
        ({"edge_taper_db": [-12.0, -12.0]}, "edge_taper_db"),
    ],
)
def test_values_that_do_not_fit_are_refused(coarse, arguments, key):
    with pytest.raises((UsageError, ConfigurationError)) as caught:
        coarse.maps(**{"coefficients_rad": np.zeros((1, 18)), **arguments})
    assert key in str(caught.value)


def test_a_taper_is_refused_where_there_is_none(tophat_dish, make_simulator):
    simulator = make_simulator(telescope=tophat_dish)
    with pytest.raises(UsageError, match="has no free taper"):
        simulator.maps(np.zeros((1, 18)), edge_taper_db=[-10.0])


def test_an_observation_needs_two_maps(make_simulator, surface):
    with pytest.raises(InputError, match="two or more maps"):
        make_simulator(defocus_m=[1e-3]).observe(surface, NoiseModel(), 0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_gives_the_same_maps(make_simulator, surface, beam_rad):
    for sampling in (Grid(24, 6 * beam_rad), Raster(20, 20, 6 * beam_rad)):
        on_cpu, on_gpu = (make_simulator(sampling, device=device).maps(surface[None]) for device in ("cpu", "cuda"))
        torch.testing.assert_close(on_gpu.cpu(), on_cpu, rtol=0, atol=1e-12)
