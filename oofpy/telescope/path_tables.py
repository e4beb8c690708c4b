"""Paths over the dish that no formula gives: polynomials, Zernike terms and measured maps, frozen and hashable."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import ConfigurationError

FloatArray = NDArray[np.float64]

MOST_POWERS = 3
HIGHEST_ORDER = 12  # of the Zernike terms that `oofpy.optics.zernike` knows
FEWEST_PIXELS = 8  # along an axis of a map


class PathTerm(NamedTuple):
    """One Zernike term of a defocus path: ``value dz^power Z_nl(x/R, y/R)``, value in metres^(1 - power)."""

    n: int
    l: int
    power: int
    value: float


@dataclass(frozen=True, slots=True)
class PathMap:
    """Images over the dish, one for each power of dz or a single one; equal where the numbers are equal.

    Parameters
    ----------
    x_m, y_m : array, shape (columns,) and (rows,), metres
        Pixel centres, rising and evenly spaced; x to the right and y up, seen from behind the dish.
    planes : array, shape (powers, rows, columns)
        Plane p - 1 holds the path per metre^p of dz, in metres^(1 - p); a static path is one plane in metres. A
        positive path is a longer one. NaN is allowed, off the dish and in holes of it.
    origin : str
        What it was read from.
    sha256 : str
        Hash of that file's bytes, hexadecimal.

    Raises
    ------
    ConfigurationError
        If the axes and the planes do not fit, or an axis is not rising and even.
    """

    x_m: FloatArray = field(compare=False, repr=False)
    y_m: FloatArray = field(compare=False, repr=False)
    planes: FloatArray = field(compare=False, repr=False)
    origin: str = field(default="", compare=False)
    sha256: str = field(default="", compare=False)
    content: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        arrays = [np.array(getattr(self, name), float, order="C") for name in ("x_m", "y_m", "planes")]
        x, y, planes = arrays
        if planes.ndim != 3 or planes.shape[1:] != (y.size, x.size) or not 1 <= planes.shape[0] <= MOST_POWERS:
            raise ConfigurationError(
                f"is not one to {MOST_POWERS} images over two axes",
                key="path map",
                value=f"images {planes.shape}, axes {y.shape} and {x.shape}",
            )
        for name, axis in (("x", x), ("y", y)):
            steps = np.diff(axis)
            even = axis.size >= FEWEST_PIXELS and bool((np.abs(steps - steps.mean()) < 1e-3 * steps.mean()).all())
            if not even or not np.isfinite(axis).all():
                raise ConfigurationError(
                    f"must be {FEWEST_PIXELS} or more evenly rising positions", key=f"path map, axis {name}"
                )
        digest = hashlib.sha256(repr(planes.shape).encode())
        for name, array in zip(("x_m", "y_m", "planes"), arrays, strict=True):
            digest.update((array + 0.0).tobytes())  # -0.0 counts as 0.0
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "content", digest.hexdigest())


@dataclass(frozen=True, slots=True)
class ResidualPath:
    """Defocus path beyond the formula of a geometry: the sum of a polynomial, Zernike terms and a map.

    With K rows the polynomial is ``sum_k c_k(dz) r^(K-k)`` for k = 0 .. K-1, where
    ``c_k = sum_i coefficients[k][i] dz^(3-i)`` for i = 0 .. 2, and r and dz are in metres.

    Parameters
    ----------
    coefficients : tuple of tuple of 3 float, shape (K, 3)
        Row k holds the factors of dz^3, dz^2 and dz; the path comes out in metres, and a
        positive path is a longer one.
    zernike : tuple of PathTerm
        Zernike terms for each power of dz.
    map : PathMap, optional
        Images for each power of dz.
    """

    coefficients: tuple[tuple[float, ...], ...] = ()
    zernike: tuple[PathTerm, ...] = ()
    map: PathMap | None = None

    @property
    def powers(self) -> int:
        """Highest power of dz."""
        highest = max((term.power for term in self.zernike), default=0)
        from_map = 0 if self.map is None else self.map.planes.shape[0]
        return max(MOST_POWERS if self.coefficients else 0, highest, from_map)
