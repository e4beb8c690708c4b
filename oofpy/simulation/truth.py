"""What a simulated observation was made of."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oofpy.observation import Observation
from oofpy.observing import Observing
from oofpy.optics.zernike import ZernikeTerm
from oofpy.simulation.noise import Disturbance, NoiseModel


@dataclass(frozen=True, slots=True, eq=False)
class MapTruth:
    """What one map was made of.

    Parameters
    ----------
    defocus_m : float, metres
        As recorded; positive away from the primary.
    pointing_rad : tuple of 2 float, radians
        Direction (u, v) in which the unaberrated beam peaks.
    disturbance : Disturbance
        Gain, background, noise and glitches.
    lateral_m : tuple of 2 float, metres
        Move (dx, dy) of the subreflector across the axis.
    defocus_error_m : float, metres
        True defocus minus the recorded one.
    """

    defocus_m: float
    pointing_rad: tuple[float, float]
    disturbance: Disturbance
    lateral_m: tuple[float, float] = (0.0, 0.0)
    defocus_error_m: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Give everything as numbers and lists that JSON can hold; moves that are zero are left out."""
        done = self.disturbance
        moves: dict[str, Any] = {}
        if self.defocus_error_m != 0:
            moves["defocus_error_m"] = self.defocus_error_m
        if any(self.lateral_m):
            moves["lateral_m"] = list(self.lateral_m)
        return {
            "defocus_m": self.defocus_m,
            **moves,
            "pointing_rad": list(self.pointing_rad),
            "gain": done.gain,
            "gain_drift": done.gain_drift,
            "background": done.background,
            "background_slope_per_rad": list(done.background_slope),
            "noise_sigma": done.noise_sigma,
            "peak": done.peak,
            "glitched_samples": done.glitched.tolist(),
            "glitch": done.glitch.tolist(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What an observation was made of.

    Parameters
    ----------
    telescope : str
        Name of the telescope.
    wavelength_m : float, metres
        Wavelength.
    terms : tuple of ZernikeTerm
        Terms of the surface.
    coefficients_rad : array, shape (terms,), radians
        Their coefficients; a positive phase is a longer path.
    edge_taper_db : float, decibels
        Taper of the illumination.
    pixels_across : int
        Pixels across the dish of the simulation.
    noise : NoiseModel
        Sizes of the random effects.
    seed : int
        Of the random effects.
    maps : tuple of MapTruth
        In the order of the observation.
    observing : Observing
        How the maps were taken.
    chop_gain_ratio : float
        Gain of the negative beam of a chop over that of the positive one.
    """

    telescope: str
    wavelength_m: float
    terms: tuple[ZernikeTerm, ...]
    coefficients_rad: NDArray[np.float64]
    edge_taper_db: float
    pixels_across: int
    noise: NoiseModel
    seed: int
    maps: tuple[MapTruth, ...]
    observing: Observing = field(default=Observing())
    chop_gain_ratio: float = 1.0

    @property
    def phase_rms_rad(self) -> float:
        """Rms of the phase over the full disc, not weighted by the illumination, focus included."""
        norms = np.array([term.norm for term in self.terms])
        return float(np.sqrt(np.sum((self.coefficients_rad / norms) ** 2)))

    @property
    def half_path_rms_m(self) -> float:
        """The same as half-path surface error in metres."""
        return self.phase_rms_rad * self.wavelength_m / (4 * math.pi)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as names, numbers and lists that JSON can hold.

        No noise at all is null; how the maps were taken is left out where nothing is special.
        """
        noise: dict[str, float | None] = {name: float(size) for name, size in asdict(self.noise).items()}
        if math.isinf(self.noise.faintest_peak_over_noise):
            noise["faintest_peak_over_noise"] = None
        observing: dict[str, Any] = {}
        if not self.observing.is_plain:
            observing["observing"] = self.observing.as_dict()
        if self.observing.chop is not None:
            observing["chop_gain_ratio"] = self.chop_gain_ratio
        return {
            "telescope": self.telescope,
            "wavelength_m": self.wavelength_m,
            "surface": {
                "phase_rms_rad": self.phase_rms_rad,
                "half_path_rms_um": self.half_path_rms_m * 1e6,
                "over": "full disc, not weighted, terms n >= 2, focus included",
            },
            "coefficients": [
                {"n": term.n, "l": term.l, "name": term.common_name, "phase_rad": float(value)}
                for term, value in zip(self.terms, self.coefficients_rad, strict=True)
            ],
            "edge_taper_db": self.edge_taper_db,
            **observing,
            "maps": [one.to_dict() for one in self.maps],
            "noise_model": noise,
            "seed": self.seed,
            "pixels_across": self.pixels_across,
        }


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedObservation:
    """An observation and what it was made of.

    Parameters
    ----------
    observation : Observation
        As a reader would give it.
    truth : Truth
        What a fit should find.
    """

    observation: Observation
    truth: Truth
