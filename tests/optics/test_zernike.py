import math

import numpy as np
import pytest
import torch
from scipy.special import roots_legendre

from oofpy.optics.zernike import (
    HIGHEST_ORDER,
    ZernikeTerm,
    radial_coefficients,
    zernike_basis,
    zernike_terms,
)

ALL_TERMS = zernike_terms(HIGHEST_ORDER)


def disc_quadrature(order):
    """Points and weights that integrate products of two terms up to `order` over the unit disc exactly."""
    node, weight = roots_legendre(order + 1)
    r = np.sqrt((node + 1) / 2)  # uniform area in r squared
    angles = np.arange(2 * order + 2) * 2 * math.pi / (2 * order + 2)
    x, y = np.outer(r, np.cos(angles)), np.outer(r, np.sin(angles))
    mean_weight = np.outer(weight / 2, np.full(angles.size, 1 / angles.size))
    return torch.from_numpy(x.ravel()), torch.from_numpy(y.ravel()), torch.from_numpy(mean_weight.ravel())


def random_points(seed, count=200, radius=1.0):
    rng = np.random.default_rng(seed)
    r, angle = radius * np.sqrt(rng.uniform(0, 1, count)), rng.uniform(-math.pi, math.pi, count)
    return torch.from_numpy(r * np.cos(angle)), torch.from_numpy(r * np.sin(angle))


def test_terms_stand_at_their_osa_index():
    assert [term.osa_index for term in ALL_TERMS] == list(range(len(ALL_TERMS)))
    assert ALL_TERMS[:6] == ((0, 0), (1, -1), (1, 1), (2, -2), (2, 0), (2, 2))
    assert len(ALL_TERMS) == (HIGHEST_ORDER + 1) * (HIGHEST_ORDER + 2) // 2


def test_orders_from_two_leave_out_piston_and_tilts():
    terms = zernike_terms(5, lowest_order=2)
    assert len(terms) == 18
    assert (terms[0], terms[-1]) == ((2, -2), (5, 5))


@pytest.mark.parametrize(("order", "lowest"), [(13, 0), (-1, 0), (5, 13), (5, -1)])
def test_orders_outside_the_range_are_refused(order, lowest):
    with pytest.raises(ValueError, match="from 0 to 12"):
        zernike_terms(order, lowest)


def test_labels_and_names():
    assert ZernikeTerm(3, -1).label == "Z(3,-1)"
    assert ZernikeTerm(2, 0).common_name == "focus"
    assert ZernikeTerm(5, 3).common_name == ""
    assert len({term.label for term in ALL_TERMS}) == len(ALL_TERMS)


def test_terms_are_orthogonal_over_the_disc_with_their_norms():
    x, y, weight = disc_quadrature(HIGHEST_ORDER)
    values = zernike_basis(x, y, ALL_TERMS)
    norms = torch.tensor([term.norm for term in ALL_TERMS], dtype=torch.float64)
    gram = torch.einsum("ip,jp,p->ij", values, values, weight) * norms[:, None] * norms
    assert (gram - torch.eye(len(ALL_TERMS), dtype=torch.float64)).abs().max() < 1e-12


def test_rms_over_the_disc_is_the_coefficient_over_the_norm():
    x, y, weight = disc_quadrature(6)
    for term in ((2, 0), (3, -1), (6, 6)):
        value = 0.7 * zernike_basis(x, y, (ZernikeTerm(*term),))[0]
        assert float((weight * value**2).sum().sqrt()) == pytest.approx(0.7 / ZernikeTerm(*term).norm, rel=1e-12)


def test_values_at_the_rim_are_the_angular_part():
    angle = torch.linspace(-3, 3, 41, dtype=torch.float64)
    values = zernike_basis(torch.cos(angle), torch.sin(angle), ALL_TERMS)
    for term, value in zip(ALL_TERMS, values, strict=True):
        angular = torch.sin(-term.l * angle) if term.l < 0 else torch.cos(term.l * angle)
        assert (value - angular).abs().max() < 1e-10, term


def test_low_orders_are_the_textbook_polynomials():
    x, y = random_points(1)
    r2 = x**2 + y**2
    by_hand = {
        (1, -1): y,
        (1, 1): x,
        (2, -2): 2 * x * y,
        (2, 0): 2 * r2 - 1,
        (2, 2): x**2 - y**2,
        (3, -3): 3 * x**2 * y - y**3,
        (3, -1): (3 * r2 - 2) * y,
        (3, 1): (3 * r2 - 2) * x,
        (3, 3): x**3 - 3 * x * y**2,
        (4, 0): 6 * r2**2 - 6 * r2 + 1,
    }
    for term, expected in by_hand.items():
        assert (zernike_basis(x, y, (ZernikeTerm(*term),))[0] - expected).abs().max() < 1e-13, term


def test_agreement_with_a_second_library():
    second = pytest.importorskip("zernike", reason="the second library comes with the test extra")
    other = second.RZern(HIGHEST_ORDER, normalise=1)
    x, y = random_points(2)
    radius, angle = torch.hypot(x, y).numpy(), torch.atan2(y, x).numpy()
    values = zernike_basis(x, y, ALL_TERMS)
    for place, (n, m) in enumerate(zip(other.ntab, other.mtab, strict=True)):
        term = ZernikeTerm(int(n), int(m))
        theirs = other.Zk(place, radius, angle)
        assert np.abs(values[term.osa_index].numpy() * term.norm - theirs).max() < 1e-10, term


@pytest.mark.parametrize("term", ALL_TERMS[::7])
def test_parity_follows_the_order(term):
    x, y = random_points(3)
    there, opposite = zernike_basis(x, y, (term,)), zernike_basis(-x, -y, (term,))
    assert torch.equal(opposite, there if term.n % 2 == 0 else -there)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 2), (3, 1), (5, 3), (12, 4), (12, 12)])
def test_a_rotated_pair_mixes_as_cosine_and_sine(n, m):
    x, y = random_points(4)
    turn = 0.37
    c, s = math.cos(turn), math.sin(turn)
    pair = (ZernikeTerm(n, m), ZernikeTerm(n, -m))
    cosine, sine = zernike_basis(x, y, pair)
    turned_cosine, turned_sine = zernike_basis(c * x - s * y, s * x + c * y, pair)
    assert (turned_cosine - (math.cos(m * turn) * cosine - math.sin(m * turn) * sine)).abs().max() < 1e-11
    assert (turned_sine - (math.sin(m * turn) * cosine + math.cos(m * turn) * sine)).abs().max() < 1e-11


def test_values_and_slopes_are_finite_at_the_centre():
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    y = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    values = zernike_basis(x, y, ALL_TERMS)
    values.sum().backward()
    assert torch.isfinite(values).all()
    assert torch.isfinite(x.grad).all()
    assert float(values[ZernikeTerm(4, 0).osa_index].detach()) == 1.0


def test_radial_coefficients_sum_to_one():
    for term in ALL_TERMS:
        assert sum(radial_coefficients(term.n, abs(term.l))) == 1


def test_no_terms_give_an_empty_basis():
    x, y = random_points(5)
    assert zernike_basis(x, y, ()).shape == (0, 200)
