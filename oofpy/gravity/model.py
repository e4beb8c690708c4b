"""How a dish bends with elevation: `A sin(el) + B cos(el) + C` for every coefficient of its surface.

A structure that yields elastically follows the two components of gravity along and across its axis, sin(el) and
cos(el); C is what does not depend on gravity (von Hoerner & Wong 1975, IEEE Trans. Antennas Propag. 23, 689).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oofpy.errors import UsageError
from oofpy.optics.zernike import ZernikeTerm

FloatArray = NDArray[np.float64]
Method = Literal["two-step", "joint"]

METHODS: tuple[Method, ...] = ("two-step", "joint")
PARTS = ("A", "B", "C")


def gravity_terms(elevation_rad: ArrayLike) -> FloatArray:
    """Give what A, B and C are multiplied with.

    Parameters
    ----------
    elevation_rad : array, radians
        Of any shape.

    Returns
    -------
    array, shape (..., 3)
        sin(el), cos(el), 1.
    """
    elevation = np.asarray(elevation_rad, np.float64)
    return np.stack([np.sin(elevation), np.cos(elevation), np.ones_like(elevation)], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class GravityModel:
    """Surface of a dish against elevation.

    Coefficients are half-path errors in micrometres, wavelength times phase over 4 pi, positive for metal below the
    ideal surface, of the dish WITHOUT any correction that was on it while it was observed.

    Parameters
    ----------
    telescope : str
        Its name.
    dish_radius_m : float, metres
        Where the polynomials are 1.
    method : {"two-step", "joint"}
        From the coefficients of fits made one by one, or fitted to the maps of all observations together.
    terms : tuple of ZernikeTerm
        Of the surface, in OSA/ANSI order.
    parameters_um : array, shape (terms, 3), micrometres
        A, B and C of every term.
    covariance_um2 : array, shape (3 terms, 3 terms), micrometres squared
        Of A, B, C of the first term, then of the second ...
    scatter_um : array, shape (terms,), micrometres
        Standard deviation by which single observations differ from the model beyond their errors.
    leave_one_out_um : array, shape (terms,), micrometres
        Root mean square of an observation minus the model fitted without it, weighted by errors and scatter, outlying
        ones left out; NaN where it is not known.
    elevation_range_rad : (float, float), radians
        Lowest and highest elevation of the observations: beyond it the model extrapolates.
    observations : tuple of str
        Names of those that took part.
    outlying : tuple of str
        Names of those among them that lie far off.
    converged : bool
        Whether the fit came to its end.
    wavelength_m : float or None, metres
        That all observations have in common; None where they differ. The model itself does not depend on it.
    """

    telescope: str
    dish_radius_m: float
    method: Method
    terms: tuple[ZernikeTerm, ...]
    parameters_um: FloatArray
    covariance_um2: FloatArray
    scatter_um: FloatArray
    leave_one_out_um: FloatArray
    elevation_range_rad: tuple[float, float]
    observations: tuple[str, ...]
    outlying: tuple[str, ...]
    converged: bool = True
    wavelength_m: float | None = None

    def __post_init__(self) -> None:
        count = len(self.terms)
        shapes = {
            "parameters_um": (count, 3),
            "covariance_um2": (3 * count, 3 * count),
            "scatter_um": (count,),
            "leave_one_out_um": (count,),
        }
        for name, shape in shapes.items():
            array = np.array(getattr(self, name), np.float64)
            if array.shape != shape:
                raise UsageError(f"must have the shape {shape}", key=name, value=array.shape)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def errors_um(self) -> FloatArray:
        """Standard errors of A, B and C, shape (terms, 3), micrometres."""
        return np.sqrt(np.clip(np.diag(self.covariance_um2), 0, None)).reshape(-1, 3)

    @property
    def order(self) -> int:
        """Highest radial order."""
        return max(term.n for term in self.terms)

    def covariance_of(self, place: int) -> FloatArray:
        """Covariance of A, B and C of one term, shape (3, 3), micrometres squared."""
        own = slice(3 * place, 3 * place + 3)
        return np.asarray(self.covariance_um2[own, own])

    def coefficients_um(self, elevation_rad: float) -> tuple[FloatArray, FloatArray]:
        """Coefficients of the surface at an elevation.

        Parameters
        ----------
        elevation_rad : float, radians
            Outside `elevation_range_rad` the model extrapolates.

        Returns
        -------
        values : array, shape (terms,), micrometres
            Half-path errors of the dish without a correction.
        covariance : array, shape (terms, terms), micrometres squared
            Of the model; a single observation scatters about it by `scatter_um` besides.

        Raises
        ------
        UsageError
            If the elevation is not a number from 0 to pi / 2.
        """
        if not 0 <= elevation_rad <= np.pi / 2:
            raise UsageError(
                "must be from 0 to 90 deg", key="elevation", value=f"{math.degrees(elevation_rad):.6g} deg"
            )
        shape = gravity_terms(elevation_rad)
        count = len(self.terms)
        blocks = self.covariance_um2.reshape(count, 3, count, 3)
        return self.parameters_um @ shape, np.einsum("p,ipjq,q->ij", shape, blocks, shape)
