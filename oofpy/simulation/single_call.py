"""One simulated observation in one call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from numpy.typing import ArrayLike

from oofpy.observing import Observing
from oofpy.simulation.noise import NoiseModel
from oofpy.simulation.ranges import require_between
from oofpy.simulation.sampling import Grid, Sampling
from oofpy.simulation.simulator import Simulator
from oofpy.simulation.surfaces import random_surface
from oofpy.simulation.truth import SimulatedObservation
from oofpy.telescope import Telescope, load_telescope

DEFAULT_POINTS = 97
DEFAULT_HALF_WIDTH_BEAMS = 9.0
_PLAIN = Observing()


def simulate(
    telescope: Telescope | str | Path,
    *,
    wavelength_m: float,
    defocus_m: Sequence[float],
    surface: float | ArrayLike = 0.0,
    order: int = 5,
    sampling: Sampling | None = None,
    snr: float | None = None,
    noise: NoiseModel | None = None,
    seed: int = 0,
    observing: Observing = _PLAIN,
    lateral_m: Sequence[Sequence[float]] | None = None,
    defocus_error_m: Sequence[float] | None = None,
    chop_gain_ratio: float = 1.0,
) -> SimulatedObservation:
    """Simulate one observation.

    Parameters
    ----------
    telescope : Telescope, str or path-like
        A telescope, or the name or file of one.
    wavelength_m : float, metres
        Wavelength.
    defocus_m : sequence of float, metres
        Move of the subreflector (prime focus: of the feed) in each map, positive away from the primary.
    surface : float, micrometres, or array, shape (terms,), radians
        A number: a random surface of this half-path rms over the full disc, of the terms n = 2 to `order`.
        An array: the Zernike coefficients of these terms, positive for a longer path.
    order : int
        Highest radial order of the surface.
    sampling : Sampling, optional
        Where the samples lie; by default a grid of 97 x 97 samples to 9 lambda/D on all sides.
    snr : float, optional
        The faintest map's peak over the noise; replaces that of `noise`.
    noise : NoiseModel, optional
        Sizes of all random effects; by default noise alone, at 200.
    seed : int
        Of the random effects and of the random surface.
    observing : Observing
        How the maps are taken; by default a point source at infinity at one frequency.
    lateral_m : sequence of (dx, dy), metres, optional
        Move of the subreflector (prime focus: of the feed) across the axis in each map; by default none.
    defocus_error_m : sequence of float, metres, optional
        True move along the axis minus `defocus_m`, which is what is recorded; by default zero.
    chop_gain_ratio : float
        Gain of the negative beam of a chop over that of the positive one.

    Returns
    -------
    SimulatedObservation
        The observation and what it was made of.

    Raises
    ------
    ConfigurationError, UsageError, InputError
        If a value is out of range or does not fit; one line that names it.

    Examples
    --------
    >>> made = simulate("jcmt", wavelength_m=1.1e-3, defocus_m=(-3e-3, 0, 3e-3), surface=60.0)
    >>> made.observation.maps[0].samples
    9409
    """
    telescope = telescope if isinstance(telescope, Telescope) else load_telescope(telescope)
    telescope.require_complete()
    require_between("wavelength_m", wavelength_m, 0, math.inf, open_below=True)
    if sampling is None:
        beam_rad = wavelength_m / (2 * telescope.geometry.dish_radius_m)
        sampling = Grid(DEFAULT_POINTS, DEFAULT_HALF_WIDTH_BEAMS * beam_rad)
    noise = NoiseModel() if noise is None else noise
    if snr is not None:
        noise = replace(noise, faintest_peak_over_noise=snr)
    simulator = Simulator(
        telescope,
        wavelength_m,
        defocus_m,
        sampling,
        order=order,
        observing=observing,
        lateral_m=lateral_m,
        defocus_error_m=defocus_error_m,
        chop_gain_ratio=chop_gain_ratio,
    )
    if isinstance(surface, int | float):
        require_between("surface", surface, 0, 1e5)
        surface = random_surface(order, surface * 1e-6 * 4 * math.pi / wavelength_m, seed)
    return simulator.observe(surface, noise, seed)
