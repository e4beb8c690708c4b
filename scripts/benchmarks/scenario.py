"""The observation that the benchmarks share: Effelsberg at 32 GHz, three 97 x 97 maps, defocus -22, 0 and +22 mm."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.fitting.fitter import fit_batch
from oofpy.fitting.problem import prepare
from oofpy.fitting.result import FitResult
from oofpy.fitting.settings import FitSettings
from oofpy.fitting.uncertainty import cramer_rao
from oofpy.simulation import Grid, NoiseModel, SimulatedObservation, Simulator, random_surface
from oofpy.simulation.noise import disturb
from oofpy.telescope import Telescope, load_telescope

ORDER = 5
WAVELENGTH_M = 299_792_458 / 32e9
DEFOCUS_M = (-0.022, 0.0, 0.022)
POINTS = 97
HALF_WIDTH_BEAMS = 9.0


@dataclass(frozen=True)
class Scenario:
    """Telescope and simulator of the benchmarks."""

    telescope: Telescope
    simulator: Simulator

    @classmethod
    def build(cls, points: int = POINTS, **taken: Any) -> Scenario:
        """Prepare the simulator; `taken` says how the maps are taken, as keyword arguments of `Simulator`."""
        telescope = load_telescope("effelsberg")
        beam_rad = WAVELENGTH_M / (2 * telescope.geometry.dish_radius_m)
        grid = Grid(points, HALF_WIDTH_BEAMS * beam_rad)
        return cls(telescope, Simulator(telescope, WAVELENGTH_M, DEFOCUS_M, grid, order=ORDER, **taken))

    @property
    def norms(self) -> NDArray[np.float64]:
        """Factors N of the fitted terms, orders 2 and up: rms over the full disc of one term is |c| / N."""
        return np.array([term.norm for term in self.simulator.terms if term.n >= 2])

    def observe(self, rms_rad: float, seed: int, noise: NoiseModel) -> SimulatedObservation:
        """One simulated observation of a random surface."""
        surface = random_surface(ORDER, rms_rad, seed)
        return self.simulator.observe(surface, noise, seed, name=f"seed{seed}")

    def redrawn(self, rms_rad: float, seed: int, draws: range) -> Iterator[SimulatedObservation]:
        """One random surface, simulated once, under many draws of noise."""
        clean = self.observe(rms_rad, seed, NoiseModel(faintest_peak_over_noise=math.inf))
        noise = NoiseModel(faintest_peak_over_noise=200)
        beams = [one.power for one in clean.observation.maps]
        for draw in draws:
            data, disturbances = disturb(
                noise, beams, list(self.simulator.positions), noise.streams(1000 * seed + draw)
            )
            maps = tuple(replace(one, power=power) for one, power in zip(clean.observation.maps, data, strict=True))
            truths = tuple(
                replace(one, disturbance=disturbance)
                for one, disturbance in zip(clean.truth.maps, disturbances, strict=True)
            )
            yield SimulatedObservation(replace(clean.observation, maps=maps), replace(clean.truth, maps=truths))

    def batches(
        self, rms_rad: float, seeds: range, noise: NoiseModel, size: int = 50
    ) -> Iterator[list[SimulatedObservation]]:
        """Simulated observations in batches."""
        for start in range(0, len(seeds), size):
            yield [self.observe(rms_rad, seed, noise) for seed in seeds[start : start + size]]

    def truths(self, batch: list[SimulatedObservation]) -> NDArray[np.float64]:
        """True coefficients of orders 2 and up, shape (batch, terms), radians."""
        keep = [term.n >= 2 for term in batch[0].truth.terms]
        return np.array([simulated.truth.coefficients_rad[keep] for simulated in batch])

    def fit(self, batch: list[SimulatedObservation], settings: FitSettings) -> list[FitResult]:
        """Fit a batch."""
        return fit_batch([simulated.observation for simulated in batch], self.telescope, settings)

    def rms_error(self, difference: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rms over the full disc of a difference of coefficients, radians; shape (batch,)."""
        return np.sqrt(((difference / self.norms) ** 2).sum(axis=-1))

    def cramer_rao_rms(
        self, batch: list[SimulatedObservation], settings: FitSettings | None = None
    ) -> NDArray[np.float64]:
        """Smallest possible rms error of the phase of each observation, priors included, radians; shape (batch,)."""
        settings = settings or FitSettings(order=ORDER, likelihood="gaussian")
        problem = prepare(tuple(s.observation for s in batch), self.telescope, settings, ORDER)
        free = problem.at_order(ORDER).for_solver("cpu")
        parameters = problem.start.clone()
        layout = problem.model.layout
        parameters[:, layout.slice_of("modes")] = torch.as_tensor(self.truths(batch))
        for side, kind in enumerate(("pointing_u_rad", "pointing_v_rad")):
            pointing = [[m.pointing_rad[side] for m in s.truth.maps] for s in batch]
            parameters[:, layout.slice_of(kind)] = torch.tensor(pointing, dtype=torch.float64)
        for side, kind in enumerate(("lateral_x_m", "lateral_y_m")):
            moves = [[m.lateral_m[side] for m in s.truth.maps] for s in batch]
            parameters[:, layout.slice_of(kind)] = torch.tensor(moves, dtype=torch.float64)
        errors = [[m.defocus_error_m for m in s.truth.maps] for s in batch]
        parameters[:, layout.slice_of("defocus_error_m")] = torch.tensor(errors, dtype=torch.float64)
        ratio = torch.tensor([[s.truth.chop_gain_ratio] for s in batch], dtype=torch.float64)
        parameters[:, layout.slice_of("chop_gain_ratio")] = ratio
        gain = torch.tensor([[m.disturbance.gain for m in s.truth.maps] for s in batch], dtype=torch.float64)
        noise = torch.tensor([[m.disturbance.noise_sigma for m in s.truth.maps] for s in batch], dtype=torch.float64)
        covariance = cramer_rao(problem.model, parameters, gain, noise, problem.data, free)
        variance = covariance.diagonal(dim1=-2, dim2=-1)[:, : len(self.norms)].numpy()
        return np.sqrt((variance / self.norms**2).sum(axis=-1))


def phases(results: list[FitResult]) -> NDArray[np.float64]:
    """Fitted coefficients, shape (batch, terms), radians."""
    return np.array([[c.phase_rad for c in result.fit.coefficients] for result in results])


def phase_errors(results: list[FitResult]) -> NDArray[np.float64]:
    """Their standard errors, shape (batch, terms), radians."""
    return np.array([[c.phase_rad_error for c in result.fit.coefficients] for result in results])


def one_order(likelihood: str) -> FitSettings:
    """Default settings but for the likelihood, at the requested order alone, from the default start."""
    return replace(FitSettings(order=ORDER, likelihood=likelihood), ladder=False)
