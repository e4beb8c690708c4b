import numpy as np
import torch

from oofpy.simulation.cubature import Offsets
from oofpy.simulation.direct_sum import DirectSum

K = 2 * np.pi / 1.1e-3


def test_it_is_the_sum_over_pixels_and_offsets_written_out():
    rng = np.random.default_rng(3)
    axis = np.linspace(-7.0, 7.5, 9)
    u, v = rng.uniform(-3e-4, 3e-4, 4), rng.uniform(-3e-4, 3e-4, 3)
    # Two offsets share one along u, exactly and to rounding; one weighs negative.
    offsets = Offsets(
        np.array([1e-5, -2e-5, 1e-5, 1e-5 * (1 + 1e-15)]), np.array([0, 3e-5, -1e-5, 2e-5]), np.array([0.5, 1, -0.7, 2])
    )
    fields = rng.normal(size=(2, 9, 9)) + 1j * rng.normal(size=(2, 9, 9))
    tensors = (torch.from_numpy(values) for values in (axis, u, v))
    found = DirectSum(*tensors, offsets)(torch.from_numpy(fields), K).numpy()
    x, y = np.meshgrid(axis, axis)
    for row, at_v in enumerate(v):
        for column, at_u in enumerate(u):
            wanted = np.zeros(2)
            for du, dv, weight in zip(offsets.u_rad, offsets.v_rad, offsets.weight, strict=True):
                wave = np.exp(-1j * K * (x * (at_u - du) + y * (at_v - dv)))
                wanted += weight * np.abs((fields * wave).sum((1, 2))) ** 2
            np.testing.assert_allclose(found[:, row, column], wanted, rtol=0, atol=1e-11 * wanted.max())
