import math

import pytest
import torch

from oofpy.optics.propagation import MatrixTransform, PaddedTransform, fast_size, matrix_is_cheaper

PITCH = 1.7
# pixels, padded size, window along u (first, count), window along v
GRIDS = [
    (16, 64, (-20, 41), (-20, 41)),
    (17, 64, (-31, 20), (5, 9)),
    (16, 45, (3, 11), (-22, 45)),
    (31, 81, (0, 1), (-40, 80)),
    (12, 16, (-12, 24), (-3, 7)),  # wider than the transform: directions come round again
]


def random_field(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.complex128, generator=torch.Generator().manual_seed(seed))


def both_transforms(pixels, padded, window_u, window_v, dtype=torch.complex128):
    fft = PaddedTransform(pixels, padded, *window_u, *window_v, dtype)
    axis = (torch.arange(pixels, dtype=torch.float64) - (pixels - 1) / 2) * PITCH
    u, v = (fft.axis_per_m(PITCH, along_u=along_u) for along_u in (True, False))
    return fft, MatrixTransform.on_axes(axis, axis, u, v, dtype)


def inner(one, other):
    return torch.vdot(one.reshape(-1), other.reshape(-1))


@pytest.mark.parametrize("grid", GRIDS)
def test_fft_equals_matrix_transform(grid):
    fft, matrix = both_transforms(*grid)
    field = random_field(2, 3, grid[0], grid[0])
    far = matrix(field)
    assert far.shape == (2, 3, grid[3][1], grid[2][1])
    assert (fft(field) - far).abs().max() < 1e-10 * far.abs().max()


def test_transform_is_the_sum_over_pixels():
    _, matrix = both_transforms(*GRIDS[1])
    fft, _ = both_transforms(*GRIDS[1])
    field = random_field(17, 17, seed=1)
    axis = (torch.arange(17, dtype=torch.float64) - 8) * PITCH
    u, v = fft.axis_per_m(PITCH, along_u=True)[4], fft.axis_per_m(PITCH, along_u=False)[7]
    kernel = torch.exp(-1j * (axis[:, None] * v + axis * u))
    assert abs(matrix(field)[7, 4] - (field * kernel).sum()) < 1e-11


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("which", [0, 1])
def test_adjoint_moves_the_transform_to_the_other_side(grid, which):
    transform = both_transforms(*grid)[which]
    field = random_field(2, grid[0], grid[0], seed=2)
    far = random_field(2, grid[3][1], grid[2][1], seed=3)
    left, right = inner(transform(field), far), inner(field, transform.adjoint(far))
    assert abs(left - right) < 1e-12 * field.norm() * far.norm() * grid[0]


@pytest.mark.parametrize("grid", GRIDS)
def test_adjoints_of_fft_and_matrix_are_equal(grid):
    fft, matrix = both_transforms(*grid)
    far = random_field(3, grid[3][1], grid[2][1], seed=4)
    back = matrix.adjoint(far)
    assert (fft.adjoint(far) - back).abs().max() < 1e-10 * back.abs().max()


def test_both_are_differentiable():
    for transform in both_transforms(6, 12, (-4, 5), (0, 6)):
        field = random_field(6, 6, seed=5).requires_grad_()
        assert torch.autograd.gradcheck(transform, (field,))


def test_single_precision_stays_near_double():
    exact = both_transforms(*GRIDS[0])[1](random_field(16, 16, seed=6))
    for transform in both_transforms(*GRIDS[0], dtype=torch.complex64):
        far = transform(random_field(16, 16, seed=6))
        assert far.dtype == torch.complex64
        assert (far - exact).abs().max() < 2e-6 * exact.abs().max()


def test_kernels_of_several_maps_broadcast_over_the_field():
    axis = (torch.arange(8, dtype=torch.float64) - 3.5) * PITCH
    u = torch.linspace(-1, 1, 5, dtype=torch.float64) * torch.tensor([[1.0], [0.5]], dtype=torch.float64)
    together = MatrixTransform.on_axes(axis, axis, u, u)
    field = random_field(2, 8, 8, seed=7)
    for number in range(2):
        alone = MatrixTransform.on_axes(axis, axis, u[number], u[number])(field[number])
        assert (together(field)[number] - alone).abs().max() < 1e-12


def test_fast_sizes_are_large_enough_and_of_small_primes():
    for at_least in (1, 97, 389, 1021):
        size = fast_size(at_least)
        assert at_least <= size <= 1.1 * at_least + 1
        for prime in (2, 3, 5, 7, 11):
            while size % prime == 0:
                size //= prime
        assert size == 1


def test_matrix_transform_is_chosen_for_few_directions_only():
    assert matrix_is_cheaper(64, 512, 100, 100)
    assert not matrix_is_cheaper(512, 1024, 1000, 1000)


def test_directions_follow_the_padded_size():
    transform = PaddedTransform(8, 32, -2, 5, 0, 3)
    step = 2 * math.pi / (32 * PITCH)
    u = transform.axis_per_m(PITCH, along_u=True)
    assert torch.allclose(u, step * torch.arange(-2, 3, dtype=torch.float64))
