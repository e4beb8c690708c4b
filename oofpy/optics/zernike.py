"""Zernike circle polynomials: the one definition of indices, values and norms.

Born & Wolf's polynomials, not normalised: the radial part is 1 at the rim. `l < 0` is a sine term, `l >= 0` a
cosine term. Terms are ordered by n, then l = -n, -n + 2 ... n, which is the order of the OSA/ANSI index
(n (n + 2) + l) / 2.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch

HIGHEST_ORDER = 12

_COMMON_NAMES = {
    (0, 0): "piston",
    (1, -1): "tilt y",
    (1, 1): "tilt x",
    (2, -2): "astigmatism 45 deg",
    (2, 0): "focus",
    (2, 2): "astigmatism 0 deg",
    (3, -3): "trefoil y",
    (3, -1): "coma y",
    (3, 1): "coma x",
    (3, 3): "trefoil x",
    (4, 0): "spherical",
}


class ZernikeTerm(NamedTuple):
    """Radial order and azimuthal number of one term."""

    n: int
    l: int

    @property
    def osa_index(self) -> int:
        """OSA/ANSI index."""
        return (self.n * (self.n + 2) + self.l) // 2

    @property
    def label(self) -> str:
        """Short name, as in parameter tables."""
        return f"Z({self.n},{self.l})"

    @property
    def common_name(self) -> str:
        """Name of the aberration, empty where the term has none in common use."""
        return _COMMON_NAMES.get((self.n, self.l), "")

    @property
    def norm(self) -> float:
        """Factor N that makes the term orthonormal: the rms of c Z over the full disc is abs(c) / N."""
        return math.sqrt((1 if self.l == 0 else 2) * (self.n + 1))


def zernike_terms(order: int, lowest_order: int = 0) -> tuple[ZernikeTerm, ...]:
    """List the terms of the orders `lowest_order` to `order`.

    Parameters
    ----------
    order : int
        Highest radial order, 0 to 12.
    lowest_order : int
        Lowest radial order.

    Returns
    -------
    tuple of ZernikeTerm
        In OSA/ANSI order.

    Raises
    ------
    ValueError
        If an order is outside 0 to 12.
    """
    if not 0 <= lowest_order <= HIGHEST_ORDER or not 0 <= order <= HIGHEST_ORDER:
        raise ValueError(f"Zernike orders run from 0 to {HIGHEST_ORDER}, got {lowest_order} to {order}")
    return tuple(ZernikeTerm(n, l) for n in range(lowest_order, order + 1) for l in range(-n, n + 1, 2))


def radial_coefficients(n: int, m: int) -> tuple[int, ...]:
    """Coefficients of the radial polynomial as powers of r squared, lowest first, r^m taken out.

    Parameters
    ----------
    n, m : int
        Radial order and absolute azimuthal number, n - m even and not negative.

    Returns
    -------
    tuple of int
        a_0, a_1 ... of R(r) = r^m (a_0 + a_1 r^2 + ...); Born & Wolf, 9.2.1, eq. (5).
    """
    half = (n - m) // 2
    return tuple(
        (-1) ** s
        * math.factorial(n - s)
        // (math.factorial(s) * math.factorial((n + m) // 2 - s) * math.factorial(half - s))
        for s in range(half, -1, -1)
    )


def zernike_basis(x: torch.Tensor, y: torch.Tensor, terms: tuple[ZernikeTerm, ...]) -> torch.Tensor:
    """Evaluate terms at points.

    The angular part comes from powers of x + i y, so that the values are smooth at the centre and beyond the
    rim.

    Parameters
    ----------
    x, y : Tensor, any one shape
        Coordinates in units of the dish radius.
    terms : tuple of ZernikeTerm
        Which terms.

    Returns
    -------
    Tensor, shape (terms, *x.shape)
        Values; 1 at the rim where the angular part is 1.
    """
    import torch  # not above: names and norms serve those who evaluate nothing

    r_squared = x * x + y * y
    highest = max((abs(term.l) for term in terms), default=0)
    cosines, sines = [torch.ones_like(x)], [torch.zeros_like(x)]
    for _ in range(highest):
        cosine, sine = cosines[-1], sines[-1]
        cosines.append(cosine * x - sine * y)
        sines.append(cosine * y + sine * x)
    values = []
    for term in terms:
        m = abs(term.l)
        radial = torch.zeros_like(x)
        for coefficient in reversed(radial_coefficients(term.n, m)):
            radial = radial * r_squared + coefficient
        values.append(radial * (sines[m] if term.l < 0 else cosines[m]))
    return torch.stack(values) if values else x.new_zeros((0, *x.shape))
