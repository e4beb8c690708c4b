"""What an observation is planned for: telescope, wavelength, what the fit will leave free, and the surface."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.errors import ConfigurationError, InputError
from oofpy.fitting.problem import FitProblem, prepare
from oofpy.fitting.settings import FitSettings
from oofpy.observation import BeamMap, Observation
from oofpy.observing import Observing
from oofpy.optics.beam_building import beam_model
from oofpy.optics.zernike import ZernikeTerm, zernike_terms
from oofpy.planning.map_size import beam_rad, pattern_reach_rad
from oofpy.plausibility.focus import defocus_path_waves, focus_on_near_source_m
from oofpy.simulation import Grid
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]

SYMMETRIC_TRIPLE = (-1.0, 0.0, 1.0)
# A plan has no residuals, on which the robust likelihoods of a fit could turn.
PLAN_SETTINGS = FitSettings(likelihood="gaussian")
# In one map: beyond it lies nothing that the model of a fit could hold, and much time and memory.
_MOST_SAMPLES = 2_000_000
# Where the peak in focus is looked for, and how finely, in lambda/D.
_PEAK_HALF_WIDTH_BEAMS, _PEAK_SPACING_BEAMS = 4.0, 0.1


@dataclass(frozen=True, eq=False)
class Situation:
    """What an observation is planned for.

    Parameters
    ----------
    telescope : Telescope
    wavelength_m : float, metres
    orders : tuple of int
        Highest Zernike orders of the fits that are planned for, 2 to 12; kept in rising order.
    pattern : tuple of float
        Defocus of every map in units of dz.
    settings : FitSettings
        Of the fits: which parameters are free, their priors, the background, the likelihood; its order does not count.
    observing : Observing
        How the maps will be taken.
    surface_rad : array, shape (terms,), radians, optional
        Coefficients of the dish, of the terms n = 2, 3 ...; by default an ideal dish.

    Raises
    ------
    ConfigurationError
        If the telescope lacks a number, or an order, the pattern or the wavelength is wrong.
    """

    telescope: Telescope
    wavelength_m: float
    orders: tuple[int, ...] = (5,)
    pattern: tuple[float, ...] = SYMMETRIC_TRIPLE
    settings: FitSettings = PLAN_SETTINGS
    observing: Observing = field(default=Observing())
    surface_rad: FloatArray | None = None

    def __post_init__(self) -> None:
        self.telescope.require_complete()
        if not (math.isfinite(self.wavelength_m) and self.wavelength_m > 0):
            raise ConfigurationError("must be above zero", key="wavelength", value=f"{self.wavelength_m:g} m")
        if not self.orders:
            raise ConfigurationError("no order is given", key="order", remedy="give one, such as 5")
        for order in self.orders:
            FitSettings(order=order)
        object.__setattr__(self, "orders", tuple(sorted(set(self.orders))))
        if len(set(self.pattern)) < 2 or not all(math.isfinite(one) for one in self.pattern):
            raise ConfigurationError(
                "needs two or more maps with different defocus",
                key="pattern",
                value=", ".join(f"{one:g}" for one in self.pattern) or "''",
                remedy="give the defocus of every map in units of dz, such as -1,0,1",
            )

    @property
    def highest_order(self) -> int:
        """Highest of the orders."""
        return max(self.orders)

    @cached_property
    def terms(self) -> tuple[ZernikeTerm, ...]:
        """Terms of the model: of the orders and of the surface."""
        count = 0 if self.surface_rad is None else len(self.surface_rad)
        order = self.highest_order
        while len(zernike_terms(order, 2)) < count:
            order += 1
        return zernike_terms(order, 2)

    @cached_property
    def coefficients_rad(self) -> FloatArray:
        """Coefficients of the dish, of all terms of the model."""
        coefficients = np.zeros(len(self.terms))
        if self.surface_rad is not None:
            coefficients[: len(self.surface_rad)] = self.surface_rad
        return coefficients

    @property
    def beam_rad(self) -> float:
        """lambda/D in radians."""
        return beam_rad(self.telescope, self.wavelength_m)

    @cached_property
    def focus_m(self) -> float:
        """Move of the subreflector at which the maps are in focus: zero, but for a near source."""
        distance = self.observing.source_distance_m
        return 0.0 if distance is None else focus_on_near_source_m(self.telescope, distance)

    def defocus_m(self, dz_m: float) -> tuple[float, ...]:
        """Defocus of every map in metres."""
        return tuple(self.focus_m + factor * dz_m for factor in self.pattern)

    def path_waves(self, dz_m: float) -> float:
        """Path of the map that is farthest out of focus, peak to valley over the dish, in wavelengths."""
        farthest = max(map(abs, self.pattern)) * dz_m
        return defocus_path_waves(self.telescope, farthest, self.wavelength_m)

    def reach_rad(self, dz_m: float) -> float:
        """How far the pattern reaches at a dz; see `pattern_reach_rad`."""
        moves = [factor * dz_m for factor in self.pattern]
        return pattern_reach_rad(self.telescope, self.wavelength_m, moves, self.highest_order, self.observing)

    def problem(self, defocus_m: Sequence[float], maps: Grid) -> FitProblem:
        """The problem that a fit of such maps would have: the same model, with the same parameters free.

        Raises
        ------
        InputError
            If the maps have too few samples, or the model would be too large.
        ConfigurationError
            If a rule of the settings is wrong.
        """
        if maps.points**2 > _MOST_SAMPLES:
            raise InputError(f"a map would have {maps.points} x {maps.points} samples", key="dz, map size, spacing")
        # What was observed does not count, but a fit refuses maps that show nothing.
        u, v = maps.positions(1)[0]
        power = np.exp(-(u**2 + v**2) / (2 * self.beam_rad**2))
        planned = tuple(BeamMap(u, v, power, move) for move in defocus_m)
        observation = Observation("plan", planned, self.wavelength_m, observing=self.observing, frame="model")
        try:
            return prepare((observation,), self.telescope, self.settings, self.terms[-1].n)
        except InputError as error:
            # What a fit says to the owner of maps does not help somebody who has none yet.
            raise InputError(error.problem, key=error.key, value=error.value) from None

    @cached_property
    def peak_in_focus(self) -> float:
        """Largest value of the map in focus, 1 for a point source and an ideal dish."""
        grid = Grid(2 * round(_PEAK_HALF_WIDTH_BEAMS / _PEAK_SPACING_BEAMS) + 1, _PEAK_HALF_WIDTH_BEAMS * self.beam_rad)
        model = beam_model(
            self.telescope,
            [[grid.positions(1)[0]]],
            torch.tensor([[self.focus_m]], dtype=torch.float64),
            torch.tensor([self.wavelength_m], dtype=torch.float64),
            self.terms,
            observing=[self.observing],
        )
        parameters = model.nominal_parameters()[None].clone()
        parameters[:, model.layout.slice_of("modes")] = torch.as_tensor(self.coefficients_rad)
        return float(model(parameters).maps.max())
