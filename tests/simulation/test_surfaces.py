import numpy as np
import pytest

from oofpy.errors import ConfigurationError
from oofpy.optics.zernike import zernike_basis, zernike_terms
from oofpy.simulation import random_surface


def test_rms_over_the_full_disc_is_the_one_asked_for():
    import torch

    axis = (torch.arange(400, dtype=torch.float64) + 0.5) / 200 - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    within = torch.hypot(x, y) < 1
    for seed, order in ((1, 2), (2, 5), (3, 8)):
        surface = torch.as_tensor(random_surface(order, 0.7, seed))
        phase = torch.tensordot(surface, zernike_basis(x, y, zernike_terms(order, 2)), dims=1)[within]
        assert float(phase.square().mean().sqrt()) == pytest.approx(0.7, rel=5e-3)


def test_orthonormal_amplitudes_are_alike_for_all_terms():
    norms = np.array([term.norm for term in zernike_terms(5, 2)])
    amplitudes = np.stack([random_surface(5, 1.0, seed) for seed in range(2000)]) / norms
    spread = amplitudes.std(0) * np.sqrt(norms.size)
    np.testing.assert_allclose(spread, 1, atol=0.08)
    np.testing.assert_allclose(amplitudes.mean(0), 0, atol=0.02)


def test_the_seed_decides():
    np.testing.assert_array_equal(random_surface(5, 0.5, 7), random_surface(5, 0.5, 7))
    assert np.abs(random_surface(5, 0.5, 7) - random_surface(5, 0.5, 8)).max() > 0.05
    assert not random_surface(5, 0.0, 7).any()


@pytest.mark.parametrize(
    ("arguments", "key"),
    [((1, 0.5, 0), "order"), ((13, 0.5, 0), "order"), ((5, -0.5, 0), "rms_rad"), ((5, 0.5, -1), "seed")],
)
def test_senseless_surfaces_are_refused(arguments, key):
    with pytest.raises(ConfigurationError, match=key):
        random_surface(*arguments)
