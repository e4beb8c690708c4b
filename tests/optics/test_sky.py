import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.optics.aperture import band_limited_aperture
from oofpy.optics.defocus import defocus_images, defocus_path
from oofpy.optics.propagation import MatrixTransform
from oofpy.optics.sky import FINE_PER_BEAM, SparseOperator, product_axes, sky_sampling, thinned
from oofpy.telescope import load_telescope

BEAM = 1e-4  # lambda/D of the tests, radians


def grid(u_axis, v_axis):
    u, v = np.meshgrid(u_axis, v_axis)
    return u.ravel(), v.ravel()


def scattered(count, half_width=8.0, seed=0):
    return tuple(np.random.default_rng(seed).uniform(-half_width, half_width, (2, count)) * BEAM)


def random_tensor(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    columns=st.integers(2, 9),
    rows=st.integers(2, 9),
    kept=st.floats(0.6, 1.0),
    jitter=st.sampled_from([0.0, 1e-7]),
)
def test_shuffled_grids_with_gaps_and_any_spacing_are_recognised(seed, columns, rows, kept, jitter):
    rng = np.random.default_rng(seed)
    u_axis, v_axis = (np.cumsum(rng.uniform(0.5, 1.5, size)) * BEAM for size in (columns, rows))
    u, v = grid(u_axis, v_axis)
    order = rng.permutation(u.size)[: math.ceil(kept * u.size)]
    u, v = u[order], v[order]
    spacing = 0.5 * BEAM
    found = product_axes(u + jitter * spacing * rng.uniform(-1, 1, u.size), v)
    assert found is not None
    own_u, own_v, index = found
    assert np.all(np.diff(own_u) > 0)
    assert np.all(np.diff(own_v) > 0)
    assert np.abs(own_u[index % own_u.size] - u).max() <= 2 * jitter * spacing + 1e-18
    assert np.abs(own_v[index // own_u.size] - v).max() < 1e-18


def test_scattered_samples_are_no_grid():
    assert product_axes(*scattered(500)) is None


def test_a_grid_sampled_twice_somewhere_is_no_product_grid():
    u, v = grid(np.arange(5) * BEAM, np.arange(5) * BEAM)
    assert product_axes(np.append(u, u[7]), np.append(v, v[7])) is None


def test_a_turned_grid_is_no_product_grid():
    u, v = grid(np.arange(20) * BEAM, np.arange(20) * BEAM)
    assert product_axes(0.8 * u - 0.6 * v + 1e-3 * u, 0.6 * u + 0.8 * v + 2e-3 * v) is None


def defocused_field(telescope, pixels, path_waves):
    """Aperture field of Effelsberg with a defocus, and its transform to any directions in lambda/D."""
    sampling = band_limited_aperture(telescope, pixels)
    x, y = sampling.mesh()
    images = defocus_images(telescope.geometry, x, y)
    rim = defocus_images(telescope.geometry, torch.tensor([[0.0, 50.0]]).double(), torch.zeros(1, 2).double())[0, 0]
    path = defocus_path(images, torch.tensor(path_waves / float(rim[0] - rim[1])).double())
    field = torch.tensor(sampling.weight) * torch.exp(2j * math.pi * path - 0.7 * (x**2 + y**2) / 50.0**2)
    return torch.tensor(sampling.axis_m), field


@pytest.mark.parametrize("path_waves", [0.0, 2.5])
def test_interpolation_errs_by_less_than_1e_5_of_each_maps_own_peak(path_waves):
    telescope = load_telescope("effelsberg")
    axis, field = defocused_field(telescope, 64, path_waves)
    k = 2 * math.pi / (BEAM * 2 * telescope.geometry.dish_radius_m)
    u, v = scattered(400)
    sky = sky_sampling([[(u, v)]], [BEAM])
    assert sky.index is None
    transform = MatrixTransform.on_axes(axis, axis, k * sky.u_rad[0, 0], k * sky.v_rad[0, 0])
    interpolated = sky.sample(transform(field).abs().square()[None, None])[0, 0]
    kernels = [torch.exp(-1j * k * torch.from_numpy(values)[:, None] * axis) for values in (v, u)]
    direct = torch.einsum("sy,yx,sx->s", kernels[0], field, kernels[1]).abs().square()
    fine = transform(field).abs().square().max()
    assert (interpolated - direct).abs().max() < 1e-5 * fine


def test_grid_maps_are_read_at_their_own_directions():
    u, v = grid(np.linspace(-3, 3, 7) * BEAM, np.linspace(-2, 2, 5) * BEAM)
    order = np.random.default_rng(1).permutation(u.size)[:30]
    sky = sky_sampling([[(u[order], v[order])]], [BEAM])
    assert sky.interpolation is None
    grids = (sky.v_rad[0, 0][:, None] * 1000 + sky.u_rad[0, 0])[None, None]
    assert torch.allclose(sky.sample(grids)[0, 0], torch.from_numpy(1000 * v[order] + u[order]), rtol=1e-14)


def unequal_grids():
    return [
        grid(np.linspace(-3, 3, 7) * BEAM, np.linspace(-2, 2, 5) * BEAM),
        grid(np.linspace(-4, 4, 4) * BEAM, np.linspace(-1, 1, 9) * BEAM),
        grid(np.linspace(-1, 1, 3) * BEAM, np.linspace(-1, 1, 3) * BEAM),
    ]


def test_maps_of_unequal_grids_keep_their_own_directions():
    maps = unequal_grids()
    sky = sky_sampling([maps], [BEAM])
    grids = sky.v_rad[..., :, None] * 1000 + sky.u_rad[..., None, :]
    values = sky.sample(grids)
    assert values.shape == (1, 3, 36)
    for number, (u, v) in enumerate(maps):
        assert torch.allclose(values[0, number, : u.size], torch.from_numpy(1000 * v + u), rtol=1e-14)


SAMPLINGS = {
    "grids": lambda: sky_sampling([unequal_grids()], [BEAM]),
    "scattered": lambda: sky_sampling([[scattered(60, 3.0, 1), scattered(45, 2.0, 2)]], [BEAM]),
    "two observations": lambda: sky_sampling(
        [[scattered(60, 3.0, 1), scattered(45, 2.0, 2)], [scattered(50, 3.0, 3), scattered(20, 2.0, 4)]],
        [BEAM, 1.3 * BEAM],
    ),
}


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_sampling_and_its_adjoint(sampling):
    sky = SAMPLINGS[sampling]()
    observations, maps = sky.u_rad.shape[:2]
    grids = random_tensor(observations, maps, sky.v_rad.shape[-1], sky.u_rad.shape[-1], seed=1)
    values = random_tensor(observations, maps, sky.samples, seed=2)
    left = (sky.sample(grids) * values).sum()
    right = (grids * sky.sample_adjoint(values)).sum()
    assert float(left) == pytest.approx(float(right), rel=1e-12)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_sampling_is_differentiable(sampling):
    sky = SAMPLINGS[sampling]()
    observations, maps = sky.u_rad.shape[:2]
    grids = random_tensor(observations, maps, sky.v_rad.shape[-1], sky.u_rad.shape[-1], seed=3)
    cotangent = random_tensor(observations, maps, sky.samples, seed=4)
    _, pulled = torch.autograd.functional.vjp(sky.sample, grids, cotangent)
    assert (pulled - sky.sample_adjoint(cotangent)).abs().max() < 1e-12


def small_operator(observations):
    rng = np.random.default_rng(5)
    blocks = [
        [(rng.integers(0, 4, 9), rng.integers(0, 6, 9), rng.normal(size=9)) for _ in range(2)]
        for _ in range(observations)
    ]
    return blocks, SparseOperator.from_blocks(blocks, 4, 6)


@pytest.mark.parametrize(("observations", "batch"), [(1, 1), (1, 3), (3, 3)])
def test_sparse_operator_applies_each_maps_own_block(observations, batch):
    blocks, operator = small_operator(observations)
    values = random_tensor(batch, 2, 6, seed=6)
    result = operator(values)
    assert result.shape == (batch, 2, 4)
    for one in range(batch):
        for number in range(2):
            dense = np.zeros((4, 6))
            np.add.at(dense, blocks[one % observations][number][:2], blocks[one % observations][number][2])
            assert np.abs(result[one, number].numpy() - dense @ values[one, number].numpy()).max() < 1e-14


@pytest.mark.parametrize("observations", [1, 3])
def test_sparse_operator_passes_gradcheck(observations):
    _, operator = small_operator(observations)
    assert torch.autograd.gradcheck(operator, (random_tensor(3, 2, 6).requires_grad_(),))
    assert torch.autograd.gradcheck(operator.adjoint, (random_tensor(3, 2, 4).requires_grad_(),))


def test_padded_samples_pull_nothing_where_their_cotangent_is_zero():
    sky = SAMPLINGS["grids"]()
    values = torch.zeros(1, 3, sky.samples, dtype=torch.float64)
    values[0, 2, :9] = 1.0
    pulled = sky.sample_adjoint(values)
    assert float(pulled.sum()) == 9.0
    assert float(pulled[0, :2].abs().max()) == 0.0


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_lumping_keeps_the_total_weight(sampling):
    sky = SAMPLINGS[sampling]()
    weights = torch.zeros(*sky.u_rad.shape[:2], sky.samples, dtype=torch.float64)
    weights[..., :9] = torch.rand(weights[..., :9].shape, dtype=torch.float64, generator=torch.manual_seed(7))
    lumped = sky.node_weights(weights)
    assert lumped.min() >= 0
    assert (lumped.sum(-1) - weights.sum(-1)).abs().max() < 1e-12


def test_lumping_keeps_the_centre_of_the_weight():
    u, v = scattered(80, 3.0, 8)
    sky = sky_sampling([[(u, v)]], [BEAM])
    weights = torch.rand(1, 1, 80, dtype=torch.float64, generator=torch.manual_seed(8))
    lumped = sky.node_weights(weights).reshape(sky.node_v_rad.shape[-1], sky.node_u_rad.shape[-1])
    for positions, nodes, axis in ((u, sky.node_u_rad, 0), (v, sky.node_v_rad, 1)):
        before = float((weights[0, 0] * torch.from_numpy(positions)).sum())
        assert float((lumped.sum(axis) * nodes[0, 0]).sum()) == pytest.approx(before, rel=1e-12)


def test_nodes_are_coarser_than_the_samples():
    axis = np.linspace(-8, 8, 97) * BEAM
    sky = sky_sampling([[grid(axis, axis)]], [BEAM])
    nodes = sky.node_u_rad.shape[-1] * sky.node_v_rad.shape[-1]
    assert nodes < 0.2 * 97**2
    assert float(sky.node_u_rad.diff().max()) < 0.5 * BEAM


def test_ten_thousand_scattered_samples_need_little_memory():
    positions = [scattered(10_000, 8.0, seed) for seed in range(3)]
    sky = sky_sampling([positions], [BEAM])
    assert sky.u_rad.shape[-1] <= 16 * FINE_PER_BEAM + 16
    held = sum(
        part.values().numel() * 8 + part.col_indices().numel() * 8
        for part in (*sky.interpolation.matrices, *sky.interpolation.transposed)
    )
    assert held < 120e6


def test_maps_that_share_one_coordinate_array_keep_their_own_axes():
    u, v = (axis.ravel() for axis in np.meshgrid(np.arange(5.0), np.arange(5.0)))
    sampling = sky_sampling([[(u, v), (u, v + 3.0)]], [1.0])
    assert torch.equal(sampling.v_rad[0, 0] + 3.0, sampling.v_rad[0, 1])


def test_thinning_keeps_every_so_many_rows_and_columns_and_all_of_a_coarse_grid():
    axis = np.linspace(-4, 4, 33)  # a quarter apart
    u, v = grid(axis, axis)
    order = np.random.default_rng(2).permutation(u.size)
    kept = thinned(u[order], v[order], 0.6)
    assert np.array_equal(np.unique(u[order][kept]), axis[::2])
    assert kept.size == 17 * 17
    assert np.array_equal(kept, np.sort(kept))
    assert thinned(u, v, 0.24).size == u.size


def test_thinning_scattered_samples_leaves_one_in_every_square_that_holds_any():
    u, v = np.random.default_rng(3).uniform(-2, 2, (2, 3000))
    kept = thinned(u, v, 0.5)
    square = {(int(a), int(b)) for a, b in zip((u - u.min()) // 0.5, (v - v.min()) // 0.5, strict=True)}
    assert kept.size == len(square) == np.unique(kept).size
    assert thinned(u, v, 1e-4).size > 0.99 * u.size
