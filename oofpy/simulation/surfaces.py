"""Random surfaces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oofpy.optics.zernike import zernike_terms
from oofpy.simulation.ranges import require_between, require_count

LOWEST_SURFACE_ORDER = 2
HIGHEST_SURFACE_ORDER = 12


def random_surface(order: int, rms_rad: float, seed: int) -> NDArray[np.float64]:
    """Draw the Zernike coefficients of a surface.

    Independent normal amplitudes of the orthonormal terms, scaled so that the rms over the full disc, not
    weighted by the illumination, is exactly the one asked for.

    Parameters
    ----------
    order : int
        Highest radial order, 2 to 12; the terms are those of n = 2 to `order`, focus included.
    rms_rad : float, radians
        Rms of the phase over the full disc.
    seed : int
        Of the random numbers.

    Returns
    -------
    array, shape (terms,), radians
        Coefficients of the terms as the model has them (1 at the rim), in OSA/ANSI order.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """
    require_count("order", order, LOWEST_SURFACE_ORDER)
    require_between("order", order, LOWEST_SURFACE_ORDER, HIGHEST_SURFACE_ORDER)
    require_between("rms_rad", rms_rad, 0, 1e3)
    require_count("seed", seed, 0)
    norms = np.array([term.norm for term in zernike_terms(order, LOWEST_SURFACE_ORDER)])
    amplitudes = np.random.default_rng(seed).normal(size=norms.size)
    return np.asarray(norms * amplitudes * (rms_rad / np.sqrt(np.sum(amplitudes**2))), float)
