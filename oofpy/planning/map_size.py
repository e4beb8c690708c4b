"""How large a map must be: the beam out of focus is a picture of the dish, and grows with the defocus.

Rays from the part of the dish where the path of the defocus has the slope s arrive s away from the axis, so that the
geometric pattern reaches as far as the steepest slope. What a term of order n adds to a beam is
J_(n+1)(pi rho) / rho, rho in lambda/D (Born & Wolf 9.2), and is largest near rho = (n + 2) / pi: so much lies about
every point of the pattern.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from oofpy.observing import Observing
from oofpy.optics.defocus import steepest_path
from oofpy.optics.response import reach_rad
from oofpy.simulation import Grid
from oofpy.telescope import Telescope

DEFAULT_SPACING_BEAMS = 0.25
# Power has no detail finer than this: wider samples lose what lies between them.
WIDEST_SPACING_BEAMS = 0.5
# Empty sky about the pattern, by which a fit tells the background from the source.
_BORDER_BEAMS = 2.0


def pattern_reach_rad(
    telescope: Telescope, wavelength_m: float, defocus_m: Sequence[float], order: int, observing: Observing
) -> float:
    """How far the pattern reaches that tells the coefficients up to an order.

    Parameters
    ----------
    telescope : Telescope
    wavelength_m : float, metres
    defocus_m : sequence of float, metres
        Of the maps; the widest pattern counts.
    order : int
        Highest order of a fit.
    observing : Observing
        The size of the source and smearing widen the pattern; of a chop one of the two beams is enough.

    Returns
    -------
    float, radians
    """
    slope = steepest_path(telescope.geometry, torch.tensor([*defocus_m], dtype=torch.float64))
    widened = reach_rad(replace(observing, chop=None))
    return slope + widened + (order + 2) / math.pi * beam_rad(telescope, wavelength_m)


def beam_rad(telescope: Telescope, wavelength_m: float) -> float:
    """lambda/D in radians."""
    return wavelength_m / (2 * telescope.geometry.dish_radius_m)


def covering_half_width_rad(reach_rad: float, beam_rad: float) -> float:
    """Half-width of a map that holds a pattern and empty sky about it, radians."""
    return reach_rad + _BORDER_BEAMS * beam_rad


def map_grid(half_width_rad: float, spacing_rad: float) -> Grid:
    """Lay out a map.

    Parameters
    ----------
    half_width_rad : float, radians
        Distance of the outermost samples from the middle, which is kept: rounded to whole samples it would let the
        area, and with it the time for each, jump as dz changes.
    spacing_rad : float, radians
        Largest distance of neighbouring samples; they lie a little closer where it does not divide the map.

    Returns
    -------
    Grid

    Raises
    ------
    ConfigurationError
        If the map is larger than half a radian.
    """
    return Grid(max(math.ceil(2 * half_width_rad / spacing_rad - 1e-9), 2) + 1, half_width_rad)
