"""The same data in every format, against the fit of the same data in an OOF table."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.directions import CONVENTIONS, Directions, FloatArray, Pixels
from benchmarks.layouts import LAYOUTS, Layout, Taken, TakenMap, Written
from oofpy.conventions import in_file_convention, in_model_convention
from oofpy.fitting.fitter import fit_observation
from oofpy.fitting.result import FitResult
from oofpy.fitting.settings import FitSettings
from oofpy.io import read_observation, write_oof_fits
from oofpy.observation import BeamMap, Observation
from oofpy.simulation import GivenPositions, Simulator, random_surface
from oofpy.telescope import Telescope, load_telescope

WAVELENGTH_M = 0.85e-3
# In the signs of the model; the files have the opposite ones, so that there the last map comes first.
DEFOCUS_M = (1.6e-3, 0.0, -2e-3)
GAINS = (90.0, 100.0, 110.0)
# Above the noise, so that every power is one of a field.
BACKGROUND = 2.0
LEAST_ERROR, MOST_ERROR = 0.02, 0.2
POINTING_BEAMS = ((0.2, -0.1), (-0.15, 0.05), (0.1, 0.25))
SURFACE_RMS_RAD = 0.5
MOST_LEFT_OUT = 4
SEED = 20


class Study:
    """One surface, noise and telescope, observed where each layout has its samples.

    Parameters
    ----------
    pixels : Pixels
        Of every map.
    order : int
        Of the surface and of the fit.
    folder : Path
        Where files go.
    pixels_across : int, optional
        Of the simulator.
    """

    def __init__(self, pixels: Pixels, order: int, folder: Path, pixels_across: int | None = None) -> None:
        self.pixels = pixels
        self.order = order
        self.folder = folder
        self.pixels_across = pixels_across
        self._taken: dict[Any, Taken] = {}
        self._references: dict[Any, FitResult] = {}

    @cached_property
    def telescope(self) -> Telescope:
        """A telescope whose data have signs other than those of the model."""
        return replace(load_telescope("jcmt"), conventions=CONVENTIONS)

    @cached_property
    def surface_rad(self) -> FloatArray:
        """Coefficients of the surface, even and odd ones."""
        return random_surface(self.order, SURFACE_RMS_RAD, SEED)

    def taken(self, layout: Layout) -> Taken:
        """The observation with the samples of a layout."""
        if layout.directions not in self._taken:
            self._taken[layout.directions] = self._observe(layout.directions(self.pixels))
        return self._taken[layout.directions]

    def _observe(self, directions: Directions) -> Taken:
        sampling = GivenPositions(tuple((u.ravel(), v.ravel()) for u, v in directions))
        simulator = Simulator(
            self.telescope, WAVELENGTH_M, DEFOCUS_M, sampling, order=self.order, pixels_across=self.pixels_across
        )
        pointing = np.array(POINTING_BEAMS)[None] * simulator.beam_rad
        beams = simulator.maps(self.surface_rad[None], pointing_rad=pointing)[0].numpy()
        rng = np.random.default_rng(SEED)
        maps = []
        for (u, v), beam, gain, dz in zip(directions, beams, GAINS, DEFOCUS_M, strict=True):
            error = LEAST_ERROR * (MOST_ERROR / LEAST_ERROR) ** rng.uniform(size=u.shape)
            noise = error * np.clip(rng.normal(size=u.shape), -5, 5)
            power = gain * beam.reshape(u.shape) + BACKGROUND + noise
            power[self._left_out(rng)] = np.nan
            signs = CONVENTIONS
            maps.append(TakenMap(signs.u_sign * u, signs.v_sign * v, power, error, signs.defocus_sign * dz + 0.0))
        return Taken(self.pixels, tuple(maps), WAVELENGTH_M)

    def _left_out(self, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Pixels not observed: some at both ends of every row."""
        column = np.arange(self.pixels.columns)
        first, last = rng.integers(0, MOST_LEFT_OUT + 1, (2, self.pixels.rows, 1))
        return (column < first) | (column >= self.pixels.columns - last)

    def reference(self, layout: Layout) -> FitResult:
        """Fit of the same data in an OOF table, with errors only if the layout carries them."""
        key = layout.directions, layout.errors
        if key not in self._references:
            self._references[key] = self.fit(self.through_table(self.truth(layout), "reference"))
        return self._references[key]

    def truth(self, layout: Layout) -> Observation:
        """What a layout must give, in the convention of the model."""
        signs, taken = CONVENTIONS, self.taken(layout)
        maps = tuple(
            BeamMap(
                signs.u_sign * one.u_rad,
                signs.v_sign * one.v_rad,
                one.power,
                signs.defocus_sign * one.defocus_m + 0.0,
                one.error.ravel() if layout.errors else None,
            )
            for one in taken.maps
        )
        return Observation("truth", maps, taken.wavelength_m, frame="model")

    def through_table(self, observation: Observation, name: str) -> Observation:
        """Write an observation as an OOF table and read it again."""
        path = self.folder / f"{name}.fits"
        write_oof_fits(in_file_convention(observation, self.telescope), path, overwrite=True)
        return in_model_convention(read_observation(path), self.telescope)

    def written(self, layout: Layout) -> Written:
        """The files of a layout, in a folder of their own."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return layout.write(self.taken(layout), folder)

    def read(self, written: Written, **said: Any) -> Observation:
        """Read files with what must be said beside them; `said` replaces some of it."""
        observation = read_observation(*written.files, **{**written.said, **said})
        return in_model_convention(observation, self.telescope)

    def fit(self, observation: Observation) -> FitResult:
        """Fit one order from zero, well beyond the usual tolerance."""
        settings = FitSettings(order=self.order, likelihood="gaussian", ladder=False, device="cpu", tolerance=1e-10)
        return fit_observation(observation, self.telescope, settings)

    def row(self, layout: Layout) -> dict[str, Any]:
        """Differences between the fits of a layout and of the OOF table, before and after a conversion."""
        observation = self.read(self.written(layout))
        wanted, found = self.reference(layout), self.fit(observation)
        again = self.fit(self.through_table(observation, "converted"))
        beam_rad = WAVELENGTH_M / (2 * self.telescope.geometry.dish_radius_m)
        return {
            "format": layout.name,
            "samples": sum(one.samples for one in observation.maps),
            "largest_coefficient_rad": float(np.abs(coefficients_rad(wanted)).max()),
            "from_truth_rad": float(np.abs(coefficients_rad(found) - self.surface_rad).max()),
            "directions_rad": directions_apart_rad(observation, self.truth(layout)),
            "largest_difference_rad": float(np.abs(coefficients_rad(found) - coefficients_rad(wanted)).max()),
            "pointing_difference_beams": float(np.abs(pointing_rad(found) - pointing_rad(wanted)).max() / beam_rad),
            "after_convert_rad": float(np.abs(coefficients_rad(again) - coefficients_rad(wanted)).max()),
        }


def coefficients_rad(result: FitResult) -> FloatArray:
    """Fitted coefficients."""
    return np.array([coefficient.phase_rad for coefficient in result.fit.coefficients])


def pointing_rad(result: FitResult) -> FloatArray:
    """Fitted pointing of the maps in the order of their dz, shape (maps, 2)."""
    return np.array([one.pointing_rad for one in sorted(result.fit.maps, key=lambda one: one.dz_m)])


def directions_apart_rad(found: Observation, wanted: Observation) -> float:
    """Largest distance along u or v between the same samples, which are known by their power."""
    largest = 0.0
    for one, other in zip(_by_defocus(found.maps), _by_defocus(wanted.maps), strict=True):
        for name in ("u_rad", "v_rad"):
            mine, theirs = (
                getattr(beam_map, name)[beam_map.used][np.argsort(beam_map.power[beam_map.used])]
                for beam_map in (one, other)
            )
            largest = max(largest, float(np.abs(mine - theirs).max()))
    return largest


def _by_defocus(maps: Sequence[BeamMap]) -> list[BeamMap]:
    return sorted(maps, key=lambda one: one.defocus_m)


def formats() -> list[dict[str, Any]]:
    """Every layout, with the surface and the fit at order 4."""
    with tempfile.TemporaryDirectory() as folder:
        study = Study(Pixels(57, 61, 0.0009), 4, Path(folder))
        return [study.row(layout) for layout in LAYOUTS]
