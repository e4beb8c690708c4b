import torch

from oofpy.fitting.curvature import projected_curvature, scatter_curvature


def test_projection_leaves_what_gain_and_background_cannot_follow():
    generator = torch.Generator().manual_seed(1)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    jacobian, linear = draw(1, 1, 3, 40), draw(1, 1, 2, 40)
    weights = draw(1, 1, 40).abs() + 0.1
    gain = torch.tensor([[2.5]], dtype=torch.float64)
    found = projected_curvature(jacobian, gain, linear, weights)[0, 0]
    root = weights[0, 0].sqrt()
    columns, followed = 2.5 * jacobian[0, 0] * root, linear[0, 0] * root
    rest = columns - columns @ torch.linalg.pinv(followed) @ followed
    assert torch.allclose(found, rest @ rest.T, rtol=1e-7, atol=1e-7)


def test_single_precision_columns_bear_weights_of_any_size():
    generator = torch.Generator().manual_seed(2)
    jacobian, linear = torch.rand(1, 1, 2, 30, generator=generator), torch.rand(1, 1, 1, 30, generator=generator)
    gain, weights = torch.ones(1, 1, dtype=torch.float64), torch.ones(1, 1, 30, dtype=torch.float64)
    unit = projected_curvature(jacobian, gain, linear, weights)
    assert torch.allclose(projected_curvature(jacobian, gain, linear, 1e80 * weights), 1e80 * unit, rtol=1e-6)


def test_maps_add_up_where_they_share_a_parameter():
    per_map = torch.ones(1, 2, 2, 2, dtype=torch.float64)
    # Column 0 is shared, column 1 each map's own; of the second map it is fixed.
    place = torch.tensor([[0, 1], [0, 2]])
    total = scatter_curvature(per_map, place, 2)[0]
    assert total.tolist() == [[2.0, 1.0], [1.0, 1.0]]
