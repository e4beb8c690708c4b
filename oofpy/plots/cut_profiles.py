"""Radial and azimuthal cuts through a beam map: means over rings, and over sectors of one ring."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from oofpy.map_statistics import robust_sigma

FloatArray = NDArray[np.float64]

_RING_BEAMS, _MOST_RINGS = 0.25, 48
_BAND_BEAMS = 0.5
# A ring whose model is brightest closer to the pointing than this is the core of a beam in focus.
_CORE_BEAMS = 0.6
_MOST_SECTORS, _LEAST_SECTORS, _SAMPLES_PER_SECTOR = 36, 8, 6
# A sample this many robust standard deviations off the others of its bin is a glitch.
_CLIP = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class CutSamples:
    """Samples of a map about its pointing.

    Parameters
    ----------
    radius_beams : array, shape (samples,), lambda/D
        Distance from the pointing.
    angle_rad : array, shape (samples,), radians
        Direction from the pointing, from +u towards +v, which is counter-clockwise where u is to the right and v up.
    observed, model : array, shape (samples,)
        Power without background, in any unit.
    noise : array, shape (samples,)
        Standard deviation of the noise of each sample in that unit, positive.
    correlation_samples : float
        Number of neighbouring samples whose residuals move together.
    """

    radius_beams: FloatArray
    angle_rad: FloatArray
    observed: FloatArray
    model: FloatArray
    noise: FloatArray
    correlation_samples: float = 1.0

    def chosen(self, which: NDArray[np.bool_]) -> CutSamples:
        """Take some of the samples."""
        return replace(
            self,
            radius_beams=self.radius_beams[which],
            angle_rad=self.angle_rad[which],
            observed=self.observed[which],
            model=self.model[which],
            noise=self.noise[which],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Means over bins, with the inverse variance of the samples as weights.

    Parameters
    ----------
    place : array, shape (bins,)
        Mean distance in lambda/D, or angle in radians, of the samples of each bin; bins without samples are left out.
    observed, error, model : array, shape (bins,)
        Mean observed power, its standard error, and the mean of the model over the same samples.
    """

    place: FloatArray
    observed: FloatArray
    error: FloatArray
    model: FloatArray


def cut_samples(
    u_beams: FloatArray,
    v_beams: FloatArray,
    observed: FloatArray,
    model: FloatArray,
    noise: FloatArray,
    correlation_samples: float = 1.0,
) -> CutSamples:
    """Put samples in polar coordinates.

    Parameters
    ----------
    u_beams, v_beams : array, shape (samples,), lambda/D
        Directions relative to the pointing.
    observed, model : array, shape (samples,)
        Power without background; samples where one of them is not known are left out.
    noise : array, shape (samples,)
    correlation_samples : float
        See `CutSamples`.

    Returns
    -------
    CutSamples
    """
    known = np.isfinite(u_beams + v_beams + observed + model + noise)
    u, v = u_beams[known], v_beams[known]
    return CutSamples(
        np.hypot(u, v), np.arctan2(v, u), observed[known], model[known], noise[known], correlation_samples
    )


def radial_cut(samples: CutSamples, farthest_beams: float) -> Cut:
    """Mean power in rings about the pointing.

    Parameters
    ----------
    samples : CutSamples
    farthest_beams : float, lambda/D
        Where the last ring ends.

    Returns
    -------
    Cut
        Rings a quarter of lambda/D wide, or wider where samples or map are.
    """
    width = max(_RING_BEAMS, _pitch(samples), farthest_beams / _MOST_RINGS)
    count = max(1, int(np.floor(farthest_beams / width)))
    samples = samples.chosen(samples.radius_beams < count * width)
    ring = (samples.radius_beams / width).astype(np.intp)
    kept = _without_glitches(samples, ring)
    samples = samples.chosen(kept)
    return _binned(samples, ring[kept], samples.radius_beams)


def ring_radius(radial: Cut) -> float:
    """Radius of the ring along which a map is looked at.

    Parameters
    ----------
    radial : Cut
        From `radial_cut`.

    Returns
    -------
    float, lambda/D
        Where the mean of the model is largest; where that is the core of the beam, the radius at which it has fallen
        to half. NaN where there is no beam.
    """
    if radial.place.size == 0 or not radial.model.max() > 0:
        return float("nan")
    brightest = int(np.argmax(radial.model))
    if radial.place[brightest] > _CORE_BEAMS:
        return float(radial.place[brightest])
    half = radial.model[brightest] / 2
    below = np.flatnonzero(radial.model[brightest:] < half)
    if below.size == 0:
        return float(radial.place[-1])
    last = brightest + int(below[0])
    inner, outer = radial.model[last - 1], radial.model[last]
    part = (inner - half) / (inner - outer)
    return float(radial.place[last - 1] + part * (radial.place[last] - radial.place[last - 1]))


def azimuthal_cut(samples: CutSamples, radius_beams: float) -> Cut:
    """Power along a ring, relative to its mean.

    Parameters
    ----------
    samples : CutSamples
    radius_beams : float, lambda/D
        Of the middle of the ring, which is half a lambda/D wide, or wider where samples are farther apart.

    Returns
    -------
    Cut
        Angles from 0 to 2 pi. The sectors are centred on multiples of their width, the first on +u. The model's
        mean dependence on the radius within the ring is divided out, so that a symmetric beam is 1 everywhere.
    """
    half = max(_BAND_BEAMS / 2, 0.75 * _pitch(samples))
    samples = samples.chosen(np.abs(samples.radius_beams - radius_beams) <= half)
    trend = _trend((samples.radius_beams - radius_beams) / half, samples.model)
    if trend is None:
        empty = np.empty(0)
        return Cut(empty, empty, empty, empty)
    count = int(np.clip(trend.size // _SAMPLES_PER_SECTOR, _LEAST_SECTORS, _MOST_SECTORS))
    sector = np.mod(np.rint(samples.angle_rad * count / (2 * np.pi)).astype(np.intp), count)
    kept = _without_glitches(samples, sector)
    samples, sector = samples.chosen(kept), sector[kept]
    cut = _binned(samples, sector, 2 * np.pi * sector / count)
    level = _means(sector, trend[kept], samples.noise**-2)
    return Cut(cut.place, cut.observed / level, cut.error / level, cut.model / level)


def _trend(across: FloatArray, model: FloatArray) -> FloatArray | None:
    """Give the mean of the model at each sample's radius in a ring; None where it is not positive."""
    if across.size < 2:
        return None
    shapes = np.stack([np.ones_like(across), across, across**2], axis=1)
    trend = shapes @ np.linalg.lstsq(shapes, model, rcond=None)[0]
    if not trend.mean() > 0:
        return None
    return np.asarray(np.maximum(trend, 0.05 * trend.mean()))


def _pitch(samples: CutSamples) -> float:
    """Mean distance of neighbouring samples, lambda/D."""
    if samples.radius_beams.size == 0:
        return 0.0
    u = samples.radius_beams * np.cos(samples.angle_rad)
    v = samples.radius_beams * np.sin(samples.angle_rad)
    return float(np.sqrt(np.ptp(u) * np.ptp(v) / u.size))


def _means(number: NDArray[np.intp], values: FloatArray, weight: FloatArray) -> FloatArray:
    """Average over samples of the same number, lowest number first; numbers that do not occur are left out."""
    occurring = np.bincount(number) > 0
    return np.asarray(
        np.bincount(number, weight * values)[occurring] / np.bincount(number, weight)[occurring], np.float64
    )


def _binned(samples: CutSamples, number: NDArray[np.intp], place: FloatArray) -> Cut:
    """Average over samples of the same number."""
    weight = samples.noise**-2
    place, observed, model = (_means(number, values, weight) for values in (place, samples.observed, samples.model))
    square = _means(number, (samples.observed - samples.model) ** 2, weight)
    size = np.bincount(number)
    size, summed_weight = size[size > 0], np.bincount(number, weight)[size > 0]
    variance_of_one = size / summed_weight
    independent = np.maximum(size / max(samples.correlation_samples, 1.0), 1.0)
    # The scatter of a few samples is uncertain: it is not taken to be below the noise.
    variance = np.maximum(square - (observed - model) ** 2, variance_of_one)
    return Cut(place, observed, np.sqrt(variance / independent), model)


def _without_glitches(samples: CutSamples, number: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell which samples have a residual, in units of their noise, like that of most others of the same number.

    A misfit that is common to these widens their scatter, and so stays in the mean.
    """
    residual = (samples.observed - samples.model) / samples.noise
    kept = np.ones(number.size, bool)
    order = np.argsort(number, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
        if members.size:
            away = np.abs(residual[members] - np.median(residual[members]))
            kept[members] = away <= _CLIP * max(robust_sigma(residual[members]), 1.0)
    return kept
