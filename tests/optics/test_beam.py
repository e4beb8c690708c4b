import math
from functools import lru_cache

import numpy as np
import pytest
import torch

from oofpy.observing import AppliedCorrection, Chop, ExtendedSource, Observing, Smearing
from oofpy.optics.beam_building import beam_model
from oofpy.optics.illumination import SHAPE_PARAMETERS
from oofpy.optics.layout import MAP_PARAMETERS, RESPONSE_PARAMETERS, ParameterLayout
from oofpy.optics.propagation import MatrixTransform, PaddedTransform
from oofpy.optics.zernike import zernike_terms
from oofpy.telescope import Illumination, load_telescope
from tests.optics.references import (
    GAUSSIAN,
    PEDESTAL,
    airy,
    annulus,
    axisymmetric_dish,
    four_legs,
    hankel_beam,
)

WAVELENGTH = 0.0093
ALMA = Illumination(kind="alma", width=0.8)
EFFELSBERG = axisymmetric_dish(illumination=PEDESTAL, disc=3.25, legs=four_legs())


def grid(half_width=8.0, samples=33, telescope=EFFELSBERG, wavelength=WAVELENGTH, offset=0.0):
    beam = wavelength / (2 * telescope.geometry.dish_radius_m)
    axis = np.linspace(-half_width, half_width, samples) * beam
    u, v = np.meshgrid(axis + offset * beam, axis)
    return u.ravel(), v.ravel()


def scattered(count, half_width=8.0, seed=0, telescope=EFFELSBERG, wavelength=WAVELENGTH):
    beam = wavelength / (2 * telescope.geometry.dish_radius_m)
    return tuple(np.random.default_rng(seed).uniform(-half_width, half_width, (2, count)) * beam)


def model_of(telescope, maps, defocus, order=5, wavelength=WAVELENGTH, **settings):
    return beam_model(
        telescope,
        [maps],
        torch.tensor([defocus], dtype=torch.float64),
        torch.tensor([wavelength], dtype=torch.float64),
        zernike_terms(order, 2),
        **settings,
    )


def with_values(model, **values):
    """The nominal parameters, some of them changed by name."""
    parameters = model.nominal_parameters()
    for name, value in values.items():
        parameters[model.layout.slice_of(name)] = torch.as_tensor(value, dtype=torch.float64)
    return parameters[None]


def random_parameters(model, seed=0, batch=1, modes_rad=0.15):
    """Everything off its nominal value: surface, illumination, pointing and errors of the defocus."""
    generator = torch.Generator().manual_seed(seed)
    beam = WAVELENGTH / (2 * model.telescope.geometry.dish_radius_m)
    scales = {
        "modes": modes_rad,
        "edge_taper_db": 1.0,
        "illumination_x_m": 1.0,
        "illumination_y_m": 1.0,
        "ellipticity_p": 0.05,
        "ellipticity_q": 0.05,
        "pointing_u_rad": beam,
        "pointing_v_rad": beam,
        "defocus_error_m": 1e-3,
        "chop_gain_ratio": 0.1,
        "lateral_x_m": 2e-3,
        "lateral_y_m": 2e-3,
    }
    parameters = model.nominal_parameters().repeat(batch, 1)
    for name, scale in scales.items():
        part = model.layout.slice_of(name)
        noise = torch.randn(batch, part.stop - part.start, dtype=torch.float64, generator=generator)
        parameters[:, part] += scale * noise
    return parameters


def scale_of_parameters(model):
    """One step of interest of each parameter, to compare derivatives in like units."""
    beam = WAVELENGTH / (2 * model.telescope.geometry.dish_radius_m)
    scales = torch.ones(len(model.layout.names), dtype=torch.float64)
    scales[model.layout.slice_of("pointing_u_rad")] = beam
    scales[model.layout.slice_of("pointing_v_rad")] = beam
    for kind in ("defocus_error_m", "lateral_x_m", "lateral_y_m"):
        scales[model.layout.slice_of(kind)] = 1e-3
    return scales


def full_jacobian(model, state):
    """The jacobian's columns at the places of their parameters: (batch, maps, samples, parameters)."""
    places = model.layout.column_parameters()
    columns = model.jacobian(state, torch.arange(places.shape[1]))
    batch, maps, _, samples = columns.shape
    full = torch.zeros(batch, maps, samples, len(model.layout.names), dtype=torch.float64)
    for number in range(maps):
        full[:, number, :, places[number]] = columns[:, number].transpose(1, 2)
    return full


# --- exact references -------------------------------------------------------------------------------------


def test_uniform_disc_gives_the_airy_pattern():
    dish = axisymmetric_dish()
    u, v = grid()
    model = model_of(dish, [(u, v), (u, v)], [0.0, 5e-3])
    maps = model(model.nominal_parameters()[None]).maps[0]
    q = 2 * math.pi / WAVELENGTH * 50.0 * np.hypot(u, v)
    assert np.abs(maps[0].numpy() - airy(q)).max() < 1e-4


def test_uniform_annulus():
    u, v = grid()
    model = model_of(axisymmetric_dish(disc=15.0), [(u, v), (u, v)], [0.0, 5e-3])
    maps = model(model.nominal_parameters()[None]).maps[0]
    q = 2 * math.pi / WAVELENGTH * 50.0 * np.hypot(u, v)
    assert np.abs(maps[0].numpy() - annulus(q, 0.3)).max() < 1e-4


SMALL_DISH = {"kind": "cassegrain", "radius": 7.5, "primary": 5.4, "effective": 180.0}
CASES = {
    "Effelsberg, pedestal": (axisymmetric_dish(illumination=PEDESTAL, disc=3.25), WAVELENGTH, 0.022),
    "Effelsberg, gaussian": (axisymmetric_dish(illumination=GAUSSIAN, disc=3.25), WAVELENGTH, 0.028),
    "Effelsberg, unblocked": (axisymmetric_dish(illumination=PEDESTAL), WAVELENGTH, 0.010),
    "JCMT, gaussian": (
        axisymmetric_dish(**SMALL_DISH, illumination=GAUSSIAN, disc=0.375),
        0.85e-3,
        1.5e-3,
    ),
    "JCMT, ALMA feed": (axisymmetric_dish(**SMALL_DISH, illumination=ALMA, disc=0.375), 0.85e-3, 1.0e-3),
    "prime focus, top hat": (
        axisymmetric_dish(kind="prime-focus", radius=12.0, primary=9.0, disc=1.0),
        0.003,
        7e-3,
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("sampling", ["grid", "scattered"])
def test_defocused_beams_equal_the_hankel_quadrature(case, sampling):
    dish, wavelength, dz = CASES[case]
    if sampling == "grid":
        u, v = grid(telescope=dish, wavelength=wavelength)
    else:
        u, v = scattered(700, telescope=dish, wavelength=wavelength)
    defocus = [-dz, 0.0, dz]
    model = model_of(dish, [(u, v)] * 3, defocus, wavelength=wavelength)
    maps = model(model.nominal_parameters()[None]).maps[0].numpy()
    angle = np.hypot(u, v)
    for number, move in enumerate(defocus):
        expected = hankel_beam(dish, wavelength, angle, move)
        # The peak of the map may lie between samples; the error counts against what the map shows.
        peak = hankel_beam(dish, wavelength, np.linspace(0, angle.max(), 400), move).max()
        error = np.abs(maps[number] - expected).max()
        assert error < 1e-4, (case, move)
        assert error < 1e-3 * peak, (case, move)


def test_taper_and_surface_equal_the_hankel_quadrature():
    dish, wavelength, dz = CASES["Effelsberg, pedestal"]
    u, v = grid(telescope=dish)
    model = model_of(dish, [(u, v)] * 2, [0.0, dz], order=4)
    names = model.layout.mode_names
    modes = torch.zeros(len(names), dtype=torch.float64)
    modes[names.index("Z(2,0)")], modes[names.index("Z(4,0)")] = -0.8, 0.5
    maps = model(with_values(model, modes=modes, edge_taper_db=-9.0)).maps[0].numpy()

    def phase(rho):
        return -0.8 * (2 * rho**2 - 1) + 0.5 * (6 * rho**4 - 6 * rho**2 + 1)

    for number, move in enumerate([0.0, dz]):
        expected = hankel_beam(dish, wavelength, np.hypot(u, v), move, phase, taper_db=-9.0)
        assert np.abs(maps[number] - expected).max() < min(1e-4, 1e-3 * expected.max())


# --- derivatives ------------------------------------------------------------------------------------------


BEAM = WAVELENGTH / 100
TAKEN = {
    "plain": Observing(),
    "mixed": Observing(
        applied=AppliedCorrection(((2, 2, 0.3), (3, -1, -0.2))),
        chop=Chop(2.3 * BEAM, 0.7),
        source=ExtendedSource("limb-darkened", 1.5 * BEAM, 0.4),
        smearing=Smearing(0.4 * BEAM, 1.2, 0.3 * BEAM),
        fractional_bandwidth=0.2,
        source_distance_m=5e5,
    ),
}


@lru_cache
def small_model(sampling, kind="pedestal", taken="plain"):
    illumination = {"pedestal": PEDESTAL, "gaussian": GAUSSIAN, "alma": ALMA}[kind]
    dish = axisymmetric_dish(illumination=illumination, disc=3.25, legs=four_legs())
    if sampling == "grid":
        maps = [grid(3.0, 7), grid(3.0, 7, offset=0.3)]
    else:
        maps = [scattered(30, 3.0, 1), scattered(20, 3.0, 2)]
    return model_of(dish, maps, [-0.010, 0.012], order=3, observing=[TAKEN[taken]])


@pytest.mark.parametrize(
    ("sampling", "kind"),
    [("grid", "pedestal"), ("grid", "gaussian"), ("grid", "alma"), ("scattered", "pedestal")],
)
@pytest.mark.parametrize("taken", TAKEN)
def test_jacobian_equals_automatic_differentiation(sampling, kind, taken):
    model = small_model(sampling, kind, taken)
    parameters = random_parameters(model, seed=1)
    scales = scale_of_parameters(model)
    automatic = torch.autograd.functional.jacobian(lambda p: model(p[None]).maps[0], parameters[0]) * scales
    own = full_jacobian(model, model(parameters))[0] * scales
    responds = own.abs().amax((0, 1)) > 1e-6
    if kind == "alma":  # its taper is what its width makes it
        responds[model.layout.slice_of("edge_taper_db")] = True
    if taken == "plain":  # there is no chop whose gain ratio could matter
        assert not responds[model.layout.slice_of("chop_gain_ratio")].any()
        responds[model.layout.slice_of("chop_gain_ratio")] = True
    assert responds.all()
    assert (own - automatic).abs().max() < 1e-12


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("sampling", ["grid", "scattered"])
def test_maps_pass_gradcheck_for_every_named_parameter(sampling, taken):
    model = small_model(sampling, taken=taken)
    scales = scale_of_parameters(model)
    start = random_parameters(model, seed=2)[0] / scales
    assert torch.autograd.gradcheck(
        lambda scaled: model((scaled * scales)[None]).maps, (start.requires_grad_(),), eps=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("sampling", ["grid", "scattered"])
def test_gradient_equals_the_pull_back_of_automatic_differentiation(sampling, taken):
    model = small_model(sampling, taken=taken)
    parameters = random_parameters(model, seed=3, batch=2)
    state = model(parameters)
    cotangent = torch.randn(state.maps.shape, dtype=torch.float64, generator=torch.manual_seed(3))
    _, automatic = torch.autograd.functional.vjp(lambda p: model(p).maps, parameters, cotangent)
    scales = scale_of_parameters(model)
    assert (scales * (model.gradient(state, cotangent) - automatic)).abs().max() < 1e-11


def test_chosen_columns_are_those_of_the_whole_jacobian():
    model = small_model("grid")
    state = model(random_parameters(model, seed=4))
    every = model.jacobian(state, torch.arange(model.layout.column_parameters().shape[1]))
    chosen = torch.tensor([1, 4, 8, 12, 14])
    assert torch.equal(model.jacobian(state, chosen), every[:, :, chosen])


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize("sampling", ["grid", "scattered"])
def test_node_jacobian_is_the_jacobian_at_the_nodes(sampling, taken):
    model = small_model(sampling, taken=taken)
    parameters = random_parameters(model, seed=5)
    columns = torch.arange(model.layout.column_parameters().shape[1])
    maps, jacobian = model.node_jacobian(model(parameters), columns)
    axes = zip(model.sky.node_u_rad[0], model.sky.node_v_rad[0], strict=True)
    positions = []
    for node_u, node_v in axes:
        v, u = torch.meshgrid(node_v, node_u, indexing="ij")
        positions.append((u.flatten().numpy(), v.flatten().numpy()))
    at_nodes = beam_model(
        model.telescope,
        [positions],
        model.defocus_m,
        torch.tensor([WAVELENGTH], dtype=torch.float64),
        zernike_terms(3, 2),
        observing=[TAKEN[taken]],
    )
    state = at_nodes(parameters)
    exact = at_nodes.jacobian(state, columns)
    size = exact.abs().amax((0, 1, 3), keepdim=True) + 1e-12
    # The nodes are evaluated in single precision.
    assert (maps - state.maps).abs().max() < 1e-5
    assert ((jacobian - exact) / size).abs().max() < 1e-4


@pytest.mark.parametrize("taken", TAKEN)
def test_sums_over_many_samples_equal_sums_over_the_nodes(taken):
    model = model_of(EFFELSBERG, [grid(8.0, 97)] * 2, [-0.015, 0.015], order=3, observing=[TAKEN[taken]])
    parameters = random_parameters(model, seed=6, modes_rad=0.1)
    state = model(parameters)
    u, v = (torch.from_numpy(values) for values in grid(8.0, 97))
    beam = WAVELENGTH / 100
    weights = (1 + 0.5 * torch.sin(u / (3 * beam)) * torch.cos(v / (4 * beam))).expand(1, 2, -1).contiguous()
    columns = torch.arange(model.layout.column_parameters().shape[1])
    samples = model.jacobian(state, columns)
    exact = torch.einsum("bmis,bms,bmjs->mij", samples, weights, samples)
    nodes = model.node_jacobian(state, columns)[1].double()
    approximate = torch.einsum("bmin,bmn,bmjn->mij", nodes, model.node_weights(weights), nodes)
    size = exact.diagonal(dim1=1, dim2=2).sqrt().clamp(min=1e-12)
    assert ((approximate - exact) / (size[:, :, None] * size[:, None])).abs().max() < 0.03


# --- symmetries and signs ---------------------------------------------------------------------------------


def twin(model, modes):
    """Coefficients of -phi(-x, -y): even orders change sign."""
    orders = torch.tensor([int(name[2 : name.index(",")]) for name in model.layout.mode_names])
    return torch.where(orders % 2 == 0, -modes, modes)


def test_twin_gives_the_same_maps():
    dz = [-0.02, 0.003, 0.02]
    maps = [grid(6.0, 25)] * 3
    one, other = (model_of(EFFELSBERG, maps, [sign * move for move in dz]) for sign in (1, -1))
    modes = torch.randn(18, dtype=torch.float64, generator=torch.manual_seed(7)) * 0.4
    first = one(with_values(one, modes=modes)).maps
    second = other(with_values(other, modes=twin(other, modes))).maps
    assert (first - second).abs().max() < 1e-12
    wrong = other(with_values(other, modes=modes)).maps
    assert (first - wrong).abs().max() > 1e-2


def test_a_surface_turned_by_a_quarter_turns_the_map():
    model = model_of(EFFELSBERG, [grid(6.0, 25)] * 2, [-0.02, 0.01])
    names = model.layout.mode_names
    modes = torch.randn(18, dtype=torch.float64, generator=torch.manual_seed(8)) * 0.4
    turned = torch.zeros_like(modes)
    # phi turned counter-clockwise by 90 deg: angle -> angle - 90 deg in each pair of cosine and sine.
    for place, name in enumerate(names):
        n, l = (int(part) for part in name[2:-1].split(","))
        m = abs(l)
        cosine, sine = math.cos(m * math.pi / 2), math.sin(m * math.pi / 2)
        if l >= 0:
            turned[place] += modes[place] * cosine
            if m:
                turned[names.index(f"Z({n},{-m})")] += modes[place] * sine
        else:
            turned[place] += modes[place] * cosine
            turned[names.index(f"Z({n},{m})")] -= modes[place] * sine
    before, after = (model(with_values(model, modes=value)).maps[0].reshape(2, 25, 25) for value in (modes, turned))
    # Rows run with v, columns with u: a counter-clockwise turn takes (u, v) to (-v, u).
    assert (after - before.transpose(1, 2).flip(2)).abs().max() < 1e-12


def test_pointing_moves_the_peak_to_its_place():
    beam = WAVELENGTH / 100
    u, v = grid(4.0, 41)
    model = model_of(EFFELSBERG, [(u, v)] * 2, [0.0, 0.01])
    parameters = with_values(model, pointing_u_rad=[1.4 * beam, 0.0], pointing_v_rad=[-0.6 * beam, 0.0])
    maps = model(parameters).maps[0, 0]
    brightest = int(maps.argmax())
    assert u[brightest] == pytest.approx(1.4 * beam, abs=1e-3 * beam)
    assert v[brightest] == pytest.approx(-0.6 * beam, abs=1e-3 * beam)
    assert float(maps.max()) == pytest.approx(1.0, abs=1e-4)


def test_a_longer_path_on_one_side_moves_the_beam_towards_the_sign_of_the_tilt():
    # A wavefront phase of + k x u0 is what a pointing of u0 adds; here it is put in as Z(1,1).
    beam = WAVELENGTH / 100
    u, v = grid(4.0, 41)
    model = beam_model(
        EFFELSBERG,
        [[(u, v)] * 2],
        torch.tensor([[0.0, 0.01]], dtype=torch.float64),
        torch.tensor([WAVELENGTH], dtype=torch.float64),
        zernike_terms(2, 1),
    )
    modes = torch.zeros(5, dtype=torch.float64)
    modes[model.layout.mode_names.index("Z(1,1)")] = 2 * math.pi / WAVELENGTH * 50.0 * beam
    maps = model(with_values(model, modes=modes)).maps[0, 0]
    assert u[int(maps.argmax())] == pytest.approx(beam, abs=1e-3 * beam)


def test_an_error_of_the_defocus_adds_to_the_defocus():
    maps = [grid(6.0, 25)] * 2
    nominal = model_of(EFFELSBERG, maps, [-0.02, 0.02])
    shifted = model_of(EFFELSBERG, maps, [-0.019, 0.018])
    one = nominal(with_values(nominal, defocus_error_m=[1e-3, -2e-3])).maps
    other = shifted(shifted.nominal_parameters()[None]).maps
    assert (one - other).abs().max() < 1e-5


def test_the_peak_of_the_nominal_beam_is_one():
    for name in ("effelsberg", "srt", "jcmt"):
        dish = load_telescope(name)
        radius = dish.geometry.dish_radius_m
        u, v = grid(4.0, 9, telescope=dish, wavelength=radius * 2e-4)
        model = model_of(dish, [(u, v)] * 2, [0.0, radius * 1e-4], wavelength=radius * 2e-4)
        state = model(model.nominal_parameters()[None])
        assert float(state.maps[0, 0].max()) == pytest.approx(1.0, abs=1e-12)
        assert float(model.unaberrated_peak(model.nominal_parameters()[None])) == pytest.approx(1.0, abs=1e-12)


# --- batches, precision, layout ---------------------------------------------------------------------------


@pytest.mark.parametrize("sampling", ["grid", "scattered"])
def test_a_batch_of_parameters_equals_single_calls(sampling):
    model = small_model(sampling)
    parameters = random_parameters(model, seed=9, batch=3)
    together = model(parameters).maps
    for number in range(3):
        alone = model(parameters[number : number + 1]).maps[0]
        assert (together[number] - alone).abs().max() < 1e-14


def test_a_batch_of_observations_equals_single_models():
    terms = zernike_terms(4, 2)
    wavelengths = torch.tensor([WAVELENGTH, 1.3 * WAVELENGTH], dtype=torch.float64)
    defocus = torch.tensor([[-0.01, 0.01], [0.0, 0.02]], dtype=torch.float64)
    positions = [
        [grid(5.0, 15), grid(4.0, 12)],
        [grid(5.0, 13), grid(5.0, 13, offset=1.0)],
    ]
    together = beam_model(EFFELSBERG, positions, defocus, wavelengths, terms)
    parameters = random_parameters(together, seed=10, batch=2)
    maps = together(parameters).maps
    for number in range(2):
        one = slice(number, number + 1)
        alone = beam_model(EFFELSBERG, positions[one], defocus[one], wavelengths[one], terms)
        single = alone(parameters[one]).maps
        for place, (u, _) in enumerate(positions[number]):
            # The two differ in the number of pixels, so to the accuracy of the mask.
            difference = maps[number, place, : u.size] - single[0, place, : u.size]
            assert difference.abs().max() < 5e-5
        picked = together.take([number])
        assert (picked(parameters[one]).maps[0] - maps[number]).abs().max() < 1e-14


def test_the_fft_gives_the_maps_and_derivatives_of_the_matrix_transform(monkeypatch):
    maps = [scattered(200, 5.0, 1), scattered(150, 5.0, 2)]
    matrix = model_of(EFFELSBERG, maps, [-0.01, 0.02], order=3)
    monkeypatch.setattr("oofpy.optics.beam_building.matrix_is_cheaper", lambda *_: False)
    fft = model_of(EFFELSBERG, maps, [-0.01, 0.02], order=3)
    assert (type(matrix.grid.transform), type(fft.grid.transform)) == (MatrixTransform, PaddedTransform)
    parameters = random_parameters(matrix, seed=12)
    one, other = matrix(parameters), fft(parameters)
    assert (one.maps - other.maps).abs().max() < 1e-10
    columns = torch.arange(8)
    difference = matrix.jacobian(one, columns) - fft.jacobian(other, columns)
    assert difference.abs().max() < 1e-10
    cotangent = torch.ones_like(one.maps)
    gradients = matrix.gradient(one, cotangent), fft.gradient(other, cotangent)
    assert ((gradients[0] - gradients[1]) * scale_of_parameters(matrix)).abs().max() < 1e-10


@pytest.mark.parametrize("positions", [grid(8.0, 33), scattered(400, 8.0, 3)], ids=["grid", "scattered"])
def test_single_precision_stays_near_double(positions):
    maps = [positions] * 3
    dz = [-0.02, 0.0, 0.02]
    double = model_of(EFFELSBERG, maps, dz)
    single = model_of(EFFELSBERG, maps, dz, dtype=torch.float32)
    parameters = random_parameters(double, seed=11)
    assert (double(parameters).maps - single(parameters).maps).abs().max() < 1e-4


@pytest.mark.parametrize("order", [5, 8, 12])
def test_high_orders_stay_accurate(order, monkeypatch):
    """Against three times the pixels, for surfaces of 0.3 rad rms spread over all terms."""
    maps, dz = [grid(8.0, 33)] * 2, [-0.022, 0.022]
    model = model_of(EFFELSBERG, maps, dz, order=order)
    pixels = model.x_m.shape[0]
    monkeypatch.setattr("oofpy.optics.beam_building.pixels_needed", lambda _: min(3 * pixels, 400))
    fine = model_of(EFFELSBERG, maps, dz, order=order)
    generator = torch.Generator().manual_seed(order)
    terms = zernike_terms(order, 2)
    norms = torch.tensor([term.norm for term in terms], dtype=torch.float64)
    modes = torch.randn(len(terms), generator=generator, dtype=torch.float64) * norms * 0.3 / math.sqrt(len(terms))
    parameters = with_values(model, modes=modes)
    beam, reference = model(parameters).maps, fine(parameters).maps
    assert ((beam - reference).abs().amax(-1) / reference.amax(-1)).max() < 1e-3


def test_parameters_stand_where_the_layout_says():
    layout = ParameterLayout(("Z(2,0)", "Z(2,2)"), maps=2)
    assert layout.names == (
        "Z(2,0)",
        "Z(2,2)",
        *SHAPE_PARAMETERS,
        *RESPONSE_PARAMETERS,
        *(f"{kind}[{number}]" for kind in MAP_PARAMETERS for number in (1, 2)),
    )
    assert layout.names[layout.slice_of("modes")] == ("Z(2,0)", "Z(2,2)")
    assert layout.names[layout.slice_of("ellipticity_q")] == ("ellipticity_q",)
    assert layout.names[layout.slice_of("pointing_v_rad")] == ("pointing_v_rad[1]", "pointing_v_rad[2]")
    own = [[layout.names[place] for place in row] for row in layout.column_parameters().tolist()]
    assert own[1] == [*layout.shared_names, *(f"{kind}[2]" for kind in MAP_PARAMETERS)]
