"""What the instrument and the atmosphere do to a beam map.

`data = gain (1 + gain_drift t) P + background + slope_u u + slope_v v + noise + glitches`, where P is the
beam as it is observed (chopped, smeared), with the pointing error of the map, and t runs from -1/2 to 1/2 over
the samples in the order of time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from oofpy.simulation.ranges import require_between, require_count
from oofpy.simulation.sampling import Positions

FloatArray = NDArray[np.float64]

_EFFECTS = ("pointing", "gain", "background", "noise", "glitches")


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Sizes of the effects; all but the noise are absent by default.

    The faintest peak is the largest sample, with gain and without background, of the map where that is least.
    Every effect has its own random numbers: glitches, say, are added without changing the noise.

    Parameters
    ----------
    faintest_peak_over_noise : float
        The noise has the same standard deviation in all maps: the faintest peak over this. Infinity: none.
    noise_correlation : float
        Correlation of the noise of successive samples, 0 to below 1; it falls off exponentially.
    mean_gain : float
        Unit of the maps: power of the unaberrated beam's peak.
    gain_error : float
        Standard deviation of a map's gain, relative to the mean gain; at most 0.2.
    gain_drift : float
        Standard deviation of the relative change of the gain from the first to the last sample; at most 0.5.
    background : float
        Standard deviation of a map's constant background, in units of the faintest peak.
    background_slope : float
        The same of the rise of the background from the centre to the edge of the map, along u and along v.
    pointing_error_beams : float, lambda/D
        Standard deviation of a map's pointing error along u and along v.
    glitch_fraction : float
        Part of the samples of each map that are glitches, rounded to a whole number of samples.
    glitch_lowest, glitch_highest : float
        Size of a glitch, evenly distributed between these parts of the map's own peak, with either sign.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """

    faintest_peak_over_noise: float = 200.0
    noise_correlation: float = 0.0
    mean_gain: float = 1.0
    gain_error: float = 0.0
    gain_drift: float = 0.0
    background: float = 0.0
    background_slope: float = 0.0
    pointing_error_beams: float = 0.0
    glitch_fraction: float = 0.0
    glitch_lowest: float = 0.2
    glitch_highest: float = 1.0

    def __post_init__(self) -> None:
        require_between("faintest_peak_over_noise", self.faintest_peak_over_noise, 0, math.inf, open_below=True)
        require_between("noise_correlation", self.noise_correlation, 0, 0.999)
        require_between("mean_gain", self.mean_gain, 0, 1e100, open_below=True)
        require_between("gain_error", self.gain_error, 0, 0.2)
        require_between("gain_drift", self.gain_drift, 0, 0.5)
        for key in ("background", "background_slope", "glitch_highest"):
            require_between(key, getattr(self, key), 0, 1e6)
        require_between("pointing_error_beams", self.pointing_error_beams, 0, 10)
        require_between("glitch_fraction", self.glitch_fraction, 0, 0.9)
        require_between("glitch_lowest", self.glitch_lowest, 0, self.glitch_highest)

    def streams(self, seed: int) -> dict[str, np.random.Generator]:
        """Give every effect its own random numbers.

        Parameters
        ----------
        seed : int
            Zero or more.

        Returns
        -------
        dict of str to Generator
            By effect: pointing, gain, background, noise, glitches.

        Raises
        ------
        ConfigurationError
            If the seed is negative or not a whole number.
        """
        require_count("seed", seed, 0)
        children = np.random.SeedSequence(seed).spawn(len(_EFFECTS))
        return {name: np.random.default_rng(child) for name, child in zip(_EFFECTS, children, strict=True)}

    def draw_pointing(self, maps: int, beam_rad: float, streams: dict[str, np.random.Generator]) -> FloatArray:
        """Draw the pointing errors of the maps.

        Parameters
        ----------
        maps : int
            How many.
        beam_rad : float, radians
            lambda/D.
        streams : dict of str to Generator
            From `streams`.

        Returns
        -------
        array, shape (maps, 2), radians
            Direction (u, v) in which the unaberrated beam of each map peaks.
        """
        return streams["pointing"].normal(size=(maps, 2)) * (self.pointing_error_beams * beam_rad) + 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Disturbance:
    """What was done to one map; the symbols are those at the head of this module.

    Parameters
    ----------
    gain, gain_drift : float
        Gain at mid-time, and its relative change from the first to the last sample.
    background : float
        Constant, in the unit of the map.
    background_slope : tuple of 2 float, 1/rad
        Along u and along v.
    noise_sigma : float
        Standard deviation of the noise.
    peak : float
        Largest sample of gain times beam, without its sign.
    glitched : array of int
        Samples with a glitch, in rising order.
    glitch : array, shape of `glitched`
        What was added there.
    """

    gain: float
    gain_drift: float
    background: float
    background_slope: tuple[float, float]
    noise_sigma: float
    peak: float
    glitched: NDArray[np.int64]
    glitch: FloatArray


def disturb(
    noise: NoiseModel,
    beams: list[FloatArray],
    positions: list[Positions],
    streams: dict[str, np.random.Generator],
) -> tuple[list[FloatArray], list[Disturbance]]:
    """Add gain errors, backgrounds, noise and glitches to noise-free beams.

    Parameters
    ----------
    noise : NoiseModel
        Sizes of the effects.
    beams : list of array, shape (samples,)
        Beam of every map, 1 at the peak of the unaberrated beam, in the order of time.
    positions : list of (u, v) arrays, radians
        Directions of the samples.
    streams : dict of str to Generator
        From `NoiseModel.streams`.

    Returns
    -------
    data : list of array
        What would be recorded.
    disturbances : list of Disturbance
        What was done to every map.
    """
    gains = noise.mean_gain * (1 + noise.gain_error * streams["gain"].normal(size=len(beams)))
    # Adding zero turns the -0.0 of an absent effect into 0.0.
    drifts = noise.gain_drift * streams["gain"].normal(size=len(beams)) + 0.0
    peaks = [gain * np.abs(beam).max() for gain, beam in zip(gains, beams, strict=True)]
    faintest = min(peaks)
    constants = noise.background * faintest * streams["background"].normal(size=len(beams)) + 0.0
    rises = noise.background_slope * faintest * streams["background"].normal(size=(len(beams), 2)) + 0.0
    half_width = max(float(np.abs(axis).max()) for pair in positions for axis in pair)
    data, disturbances = [], []
    for number, (beam, (u, v)) in enumerate(zip(beams, positions, strict=True)):
        slope = rises[number] / half_width
        glitched, glitch = _glitches(noise, beam.size, peaks[number], streams["glitches"])
        one = Disturbance(
            gain=float(gains[number]),
            gain_drift=float(drifts[number]),
            background=float(constants[number]),
            background_slope=(float(slope[0]), float(slope[1])),
            noise_sigma=float(faintest / noise.faintest_peak_over_noise),
            peak=float(peaks[number]),
            glitched=glitched,
            glitch=glitch,
        )
        time = (np.arange(beam.size) + 0.5) / beam.size - 0.5
        signal = one.gain * (1 + one.gain_drift * time) * beam
        signal += one.background + slope[0] * u + slope[1] * v
        signal += one.noise_sigma * _correlated(beam.size, noise.noise_correlation, streams["noise"])
        signal[glitched] += glitch
        data.append(signal)
        disturbances.append(one)
    return data, disturbances


def _correlated(samples: int, correlation: float, rng: np.random.Generator) -> FloatArray:
    """Stationary noise of unit variance; samples n apart have the correlation `correlation ** n`."""
    white = rng.normal(size=samples)
    if correlation == 0:
        return white
    white[1:] *= math.sqrt(1 - correlation**2)
    return np.asarray(scipy.signal.lfilter([1.0], [1.0, -correlation], white), float)


def _glitches(
    noise: NoiseModel, samples: int, peak: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], FloatArray]:
    count = round(noise.glitch_fraction * samples)
    where = np.sort(rng.choice(samples, count, replace=False))
    size = rng.uniform(noise.glitch_lowest, noise.glitch_highest, count) * peak
    return where.astype(np.int64), size * rng.choice([-1.0, 1.0], count)
