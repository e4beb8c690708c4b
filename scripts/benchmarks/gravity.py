"""Gravity models from simulated observations: A, B and C against the truth, in two steps and jointly with the maps."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from benchmarks.scenario import DEFOCUS_M, WAVELENGTH_M
from oofpy.fitting.fitter import fit_batch
from oofpy.fitting.settings import FitSettings
from oofpy.gravity.gravity_fit import GravityFit
from oofpy.gravity.joint import MapBatch, fit_joint
from oofpy.gravity.model import gravity_terms
from oofpy.gravity.series import CoefficientSeries, ElevationSample
from oofpy.gravity.two_step import fit_two_step
from oofpy.observation import Observation
from oofpy.optics.half_path import half_path_um, phase_of_half_path_rad
from oofpy.simulation import Grid, NoiseModel, Simulator
from oofpy.telescope import Telescope, load_telescope

OBSERVATIONS = 60
LOWEST_DEG, HIGHEST_DEG = 20.0, 85.0
ORDER = 4
POINTS, HALF_WIDTH_BEAMS = 33, 4.5
# Rms of A, of B and of C over the full disc, and of the scatter of single observations about them.
SURFACE_RMS_RAD, SCATTER_RMS_RAD = 0.35, 0.02
WEAK_SNR = (3.0, 4.0, 6.0, 10.0)
_BATCH = 10

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A kind of archive.

    Parameters
    ----------
    name : str
    snr : callable
        Faintest peak over noise of an observation by its number.
    scatter_rms_rad : float
        Rms over the full disc by which single observations differ from the model.
    """

    name: str
    snr: Callable[[int], float]
    scatter_rms_rad: float


CASES = (
    Case("SNR 100", lambda _: 100.0, 0.0),
    Case("SNR 100, surfaces scatter", lambda _: 100.0, SCATTER_RMS_RAD),
    Case(
        "a third at SNR 3 to 10, the others at 100",
        lambda number: WEAK_SNR[number // 3 % 4] if number % 3 == 1 else 100.0,
        0.0,
    ),
    Case("all at SNR 3 to 10", lambda number: WEAK_SNR[number % 4], 0.0),
)


@dataclass(frozen=True)
class Archive:
    """Telescope, simulator and true model of all cases."""

    telescope: Telescope
    simulator: Simulator
    truth_um: FloatArray

    @classmethod
    def build(cls) -> Archive:
        """Prepare the simulator and draw A, B and C."""
        telescope = load_telescope("effelsberg")
        beam_rad = WAVELENGTH_M / (2 * telescope.geometry.dish_radius_m)
        grid = Grid(POINTS, HALF_WIDTH_BEAMS * beam_rad)
        simulator = Simulator(telescope, WAVELENGTH_M, DEFOCUS_M, grid, order=ORDER)
        norms = np.array([term.norm for term in simulator.terms])
        drawn = np.random.default_rng(2024).normal(size=(len(norms), 3))
        share = SURFACE_RMS_RAD / np.sqrt(((drawn / norms[:, None]) ** 2).sum(axis=0))
        return cls(telescope, simulator, drawn * share * half_path_um(1.0, WAVELENGTH_M))

    @property
    def norms(self) -> FloatArray:
        """Factors N of the terms: rms over the full disc of one term is |c| / N."""
        return np.array([term.norm for term in self.simulator.terms])

    def observe(self, case: Case, seed: int) -> list[Observation]:
        """Simulate the observations of one archive."""
        streams = np.random.default_rng([seed, 7])
        scatter_um = half_path_um(case.scatter_rms_rad, WAVELENGTH_M) * self.norms / math.sqrt(len(self.norms))
        observations = []
        for number, elevation in enumerate(np.radians(np.linspace(LOWEST_DEG, HIGHEST_DEG, OBSERVATIONS))):
            surface_um = self.truth_um @ gravity_terms(elevation) + scatter_um * streams.normal(size=len(scatter_um))
            noise = NoiseModel(
                faintest_peak_over_noise=case.snr(number), pointing_error_beams=0.2, gain_error=0.05, background=0.1
            )
            surface = phase_of_half_path_rad(surface_um, WAVELENGTH_M)
            made = self.simulator.observe(surface, noise, 1000 * seed + number, name=f"{number:02d}")
            observations.append(replace(made.observation, elevation_rad=float(elevation)))
        return observations

    def rms_error_um(self, fit: GravityFit) -> float:
        """Rms error of the model over the disc and over the elevations observed, micrometres half path."""
        elevation = np.radians(np.linspace(LOWEST_DEG, HIGHEST_DEG, OBSERVATIONS))
        error = gravity_terms(elevation) @ (fit.model.parameters_um - self.truth_um).T / self.norms
        return float(np.sqrt((error**2).sum(axis=1).mean()))

    def chi2(self, fit: GravityFit) -> float:
        """Chi-squared of all A, B, C against the truth."""
        difference = (fit.model.parameters_um - self.truth_um).ravel()
        return float(difference @ np.linalg.solve(fit.model.covariance_um2, difference))


def gravity(seeds: int, likelihood: str = "cauchy") -> list[dict[str, Any]]:
    """Both fits of every case: chi-squared against the truth, and the error of one over that of the other."""
    archive = Archive.build()
    settings = FitSettings(order=ORDER, likelihood=likelihood, ladder=False)
    table = []
    for case in CASES:
        runs = [_run(archive, case, seed, settings) for seed in range(seeds)]
        columns = {key: np.array([run[key] for run in runs], np.float64) for key in runs[0]}
        freedom = archive.truth_um.size
        low, high = chi2.ppf([0.005, 0.995], freedom)
        row: dict[str, Any] = {"case": case.name, "likelihood": likelihood, "seeds": seeds}
        for method in ("two_step", "joint"):
            values = columns[f"{method}_chi2"]
            row[f"{method}_chi2_per_freedom"] = float(values.mean() / freedom)
            row[f"{method}_within_99"] = float(np.mean((values > low) & (values < high)))
            row[f"{method}_rms_um"] = float(np.sqrt(np.mean(columns[f"{method}_rms_um"] ** 2)))
            row[f"{method}_far_off"] = float(columns[f"{method}_far_off"].mean())
        row["joint_over_two_step"] = row["joint_rms_um"] / row["two_step_rms_um"]
        for key in ("passes", "converged", "single_fits_s", "joint_s"):
            row[key] = float(columns[key].mean())
        table.append(row)
    return table


def _run(archive: Archive, case: Case, seed: int, settings: FitSettings) -> dict[str, float]:
    observations = archive.observe(case, seed)
    groups = [observations[first : first + _BATCH] for first in range(0, len(observations), _BATCH)]
    began = time.process_time()
    results = [result for group in groups for result in fit_batch(group, archive.telescope, settings)]
    middle = time.process_time()
    two_step = fit_two_step(CoefficientSeries.of([ElevationSample.from_result(result) for result in results]))
    batches = [
        MapBatch(tuple(one.name for one in group), tuple(group), archive.telescope, settings) for group in groups
    ]
    joint = fit_joint(batches, two_step)
    return {
        "two_step_chi2": archive.chi2(two_step),
        "joint_chi2": archive.chi2(joint),
        "two_step_rms_um": archive.rms_error_um(two_step),
        "joint_rms_um": archive.rms_error_um(joint),
        "two_step_far_off": len(two_step.model.outlying),
        "joint_far_off": len(joint.model.outlying),
        "passes": joint.passes,
        "converged": joint.model.converged,
        "single_fits_s": middle - began,
        "joint_s": time.process_time() - middle,
    }
