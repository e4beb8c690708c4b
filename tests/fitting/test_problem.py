from dataclasses import replace

import numpy as np
import pytest
import torch

from oofpy.fitting.problem import prepare
from oofpy.fitting.settings import ParameterRule
from oofpy.observing import AppliedCorrection, Observing
from oofpy.optics.zernike import ZernikeTerm, zernike_basis
from oofpy.simulation import GivenPositions, Grid, NoiseModel


def problem_of(observations, telescope, settings, order=3):
    return prepare(tuple(observations), telescope, settings, order)


def test_samples_and_weights_stand_where_the_maps_have_them(simulated, jcmt, settings):
    maps = list(simulated.observation.maps)
    used = np.ones(maps[1].power.size, bool)
    used[::3] = False
    maps[1] = replace(maps[1], used=used)
    error = np.where(np.arange(maps[2].power.size) < 500, 2.0, 1.0)
    maps[2] = replace(maps[2], relative_error=error)
    data = problem_of([replace(simulated.observation, maps=tuple(maps))], jcmt, settings()).data
    assert data.samples.tolist() == [[1681, used.sum(), 1681]]
    np.testing.assert_array_equal(data.values[0, 0].numpy(), maps[0].power)
    np.testing.assert_array_equal(data.values[0, 1, : used.sum()].numpy(), maps[1].power[used])
    assert float(data.weight[0, 1, used.sum() :].abs().max()) == 0
    # A sample of the median error has weight one.
    assert data.weight[0, 2].numpy() == pytest.approx(np.where(error == 2, 0.25, 1.0))
    assert data.background.shape[2] == 1


def test_slopes_are_per_half_width_on_samples_and_nodes(simulated, jcmt, settings, beam_rad):
    data = problem_of([simulated.observation], jcmt, settings(background_slopes=True)).data
    beam_map = simulated.observation.maps[0]
    half = 6 * beam_rad
    np.testing.assert_allclose(data.background[0, 0, 1].numpy(), beam_map.u_rad / half, atol=1e-12)
    np.testing.assert_allclose(data.background[0, 0, 2].numpy(), beam_map.v_rad / half, atol=1e-12)
    assert 0.9 < float(data.node_background[0, 0, 1].abs().max()) < 1.3
    assert data.node_background.shape[2] == 3


def test_maps_of_unequal_size_are_padded_with_no_weight(make_simulator, surface, jcmt, settings, beam_rad):
    positions = tuple(Grid(points, 6 * beam_rad).positions(1)[0] for points in (31, 41, 25))
    observation = make_simulator(GivenPositions(positions)).observe(surface, NoiseModel(200), 0).observation
    data = problem_of([observation], jcmt, settings()).data
    assert data.values.shape == (1, 3, 41 * 41)
    assert (data.weight > 0).sum(-1).tolist() == [[31 * 31, 41 * 41, 25 * 25]]
    assert float(data.values[0, 0, 31 * 31 :].abs().max()) == 0


@pytest.mark.parametrize("as_image", [False, True])
def test_a_corrected_dish_starts_where_its_correction_makes_it_ideal(simulated, jcmt, settings, as_image):
    listed = ((2, 2, 2.0), (3, -1, -1.5), (4, 0, 0.7))
    applied = AppliedCorrection(listed)
    if as_image:
        axis = np.linspace(-7.5, 7.5, 65)
        y, x = np.meshgrid(axis, axis, indexing="ij")
        terms = tuple(ZernikeTerm(n, l) for n, l, _ in listed)
        basis = zernike_basis(torch.as_tensor(x / 7.5), torch.as_tensor(y / 7.5), terms).numpy()
        phase = np.tensordot([value for *_, value in listed], basis, axes=1)
        applied = AppliedCorrection(axis_m=axis, surface_m=phase * 1.1e-3 / (4 * np.pi))
    corrected = replace(simulated.observation, observing=Observing(applied=applied))
    rules = {"Z(2,-2)": ParameterRule(start=0.3), "Z(3,-1)": ParameterRule(free=False)}
    problem = problem_of([simulated.observation, corrected], jcmt, settings(parameters=rules))
    modes = problem.model.layout.slice_of("modes")
    starts = [dict(zip(problem.model.layout.mode_names, row.tolist(), strict=True)) for row in problem.start[:, modes]]
    assert starts[0] == dict.fromkeys(starts[0], 0.0) | {"Z(2,-2)": 0.3}
    assert starts[1]["Z(2,2)"] == pytest.approx(2.0, abs=0.02)
    assert starts[1]["Z(2,0)"] == pytest.approx(0.0, abs=0.05)
    assert (starts[1]["Z(2,-2)"], starts[1]["Z(3,-1)"]) == (0.3, 0.0)


def test_start_is_an_ideal_surface_pointed_by_the_maps(simulator, surface, jcmt, settings, beam_rad):
    noise = NoiseModel(200, pointing_error_beams=1.0)
    one = simulator.observe(surface, noise, seed=3)
    problem = problem_of([one.observation], jcmt, settings())
    layout, start = problem.model.layout, problem.start[0]
    assert start[layout.slice_of("modes")].tolist() == [0.0] * 7
    assert start[layout.slice_of("edge_taper_db")].tolist() == [-12.0]
    truth = np.array([m.pointing_rad for m in one.truth.maps])
    pointing = np.stack([start[layout.slice_of(kind)].numpy() for kind in ("pointing_u_rad", "pointing_v_rad")], axis=1)
    assert np.abs(truth).max() > beam_rad
    assert np.abs(pointing - truth).max() < 0.7 * beam_rad


def test_a_fixed_pointing_is_not_moved(simulator, surface, jcmt, settings):
    one = simulator.observe(surface, NoiseModel(200, pointing_error_beams=1.0), seed=3)
    rules = {"pointing_u_rad": ParameterRule(free=False), "pointing_v_rad[1]": ParameterRule(start=1e-5)}
    problem = problem_of([one.observation], jcmt, settings(parameters=rules))
    start, layout = problem.start[0], problem.model.layout
    assert start[layout.slice_of("pointing_u_rad")].tolist() == [0.0] * 3
    assert start[layout.slice_of("pointing_v_rad")][0] == 1e-5
    assert start[layout.slice_of("pointing_v_rad")][1] != 0


def test_observations_that_share_positions_share_their_grids(simulator, surface, jcmt, settings):
    batch = [simulator.observe(surface, NoiseModel(200), seed).observation for seed in range(3)]
    problem = problem_of(batch, jcmt, settings())
    assert (len(problem.lags), len(problem.borders)) == (1, 1)
    assert problem.lags[0][0] is problem.lags[0][1]
    assert problem.model.defocus_m.shape == (3, 3)
    part = problem.take([2, 0])
    assert [o is batch[k] for o, k in zip(part.observations, (2, 0), strict=True)] == [True, True]
    torch.testing.assert_close(part.data.values, problem.data.values[[2, 0]])
    torch.testing.assert_close(part.start, problem.start[[2, 0]])


def test_observations_with_their_own_positions_or_wavelength_keep_them(simulator, surface, jcmt, settings):
    one = simulator.observe(surface, NoiseModel(200), 0).observation
    longer = replace(one, wavelength_m=one.wavelength_m * 1.01)
    problem = problem_of([one, longer], jcmt, settings())
    assert len(problem.lags) == 2
    k = problem.model.wavenumber_per_m
    assert float(k[0] / k[1]) == pytest.approx(1.01)
    # Of other positions, every observation keeps its own part when some are picked.
    part = problem.take([1])
    torch.testing.assert_close(part.model(problem.start[1:]).maps, problem.model(problem.start).maps[1:])


def test_orders_and_parameters_of_a_fit(simulated, jcmt, settings):
    problem = problem_of([simulated.observation], jcmt, settings(), order=4)
    assert problem.orders.tolist() == [2] * 3 + [3] * 4 + [4] * 5
    assert sum(name.startswith("Z") for name in problem.at_order(3).free_names) == 7
    assert problem.likelihood.name == "gaussian"


@pytest.mark.parametrize("slopes", [False, True])
def test_the_rough_level_is_some_of_the_samples_and_nearly_the_same_model(simulated, jcmt, settings, slopes):
    problem = problem_of([simulated.observation], jcmt, settings(background_slopes=slopes))
    rough = problem.rough
    kept = rough.data.values.shape[2]
    assert kept < problem.data.values.shape[2] / 2
    assert rough.data.samples.tolist() == [[kept] * 3]
    parameters = problem.start.clone()
    parameters[:, :3] = 0.5
    maps, fewer = problem.model(parameters).maps, rough.model(parameters).maps
    for m in range(3):
        # Every sample of the rough level is one of all of them, with its background and its value of the model.
        place = torch.isin(problem.data.values[0, m], rough.data.values[0, m])
        assert int(place.sum()) == kept
        assert torch.equal(problem.data.values[0, m, place], rough.data.values[0, m])
        assert torch.equal(problem.data.background[0, m][:, place], rough.data.background[0, m])
        assert float((maps[0, m, place] - fewer[0, m]).abs().max() / maps[0, m].max()) < 0.01
