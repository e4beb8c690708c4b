"""How maps were taken: what stands between the beam of the telescope and the samples of a map.

Everything here is a fact of one observation. What acts on the aperture (a correction on the dish, a source at a finite
distance) changes the phase of the model; what acts on the sky (chopping, the size of the source, smearing, bandwidth)
mixes the beams of neighbouring directions and frequencies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import ConfigurationError

FloatArray = NDArray[np.float64]
SourceShape = Literal["disc", "limb-darkened", "gaussian"]
PixelShape = Literal["square", "round"]

# Directions are direction cosines, and the model takes them as small.
LARGEST_ANGLE_RAD = 0.1
WIDEST_BAND = 0.5
HIGHEST_APPLIED_ORDER = 12


def _require_angle(key: str, value: float, *, positive: bool = False) -> None:
    if not math.isfinite(value) or abs(value) > LARGEST_ANGLE_RAD or value < 0 or (positive and value == 0):
        raise ConfigurationError(
            f"must be an angle {'above' if positive else 'from'} zero and below {LARGEST_ANGLE_RAD:g} rad",
            key=f"observing.{key}",
            value=f"{value:g} rad",
        )


def coefficient_fault(n: int, l: int, phase_rad: float) -> tuple[str, str] | None:
    """Say what is wrong with one coefficient of a correction.

    Parameters
    ----------
    n, l : int
        Order and angular order of the Zernike term; l < 0 for the sine.
    phase_rad : float, radians
        The coefficient.

    Returns
    -------
    tuple of (problem, remedy) or None
        None where nothing is wrong.
    """
    if not 0 <= n <= HIGHEST_APPLIED_ORDER:
        problem = f"n = {n} is {'below 0' if n < 0 else f'above {HIGHEST_APPLIED_ORDER}'}"
        return problem, (
            f"terms from n = 0 to {HIGHEST_APPLIED_ORDER} are supported; give a correction with higher ones as an image"
        )
    if abs(l) > n or (n - l) % 2:
        possible = ", ".join(str(one) for one in range(-n, n + 1, 2))
        return f"there is no Zernike term with n = {n} and l = {l}", f"for n = {n}, l is one of {possible}"
    if not math.isfinite(phase_rad):
        return "is not a finite number", "correct the coefficient"
    return None


def given_twice(n: int, l: int) -> tuple[str, str]:
    """Give problem and remedy of a coefficient that is given a second time."""
    return f"Z({n},{l}) is given twice", "give every term once"


@dataclass(frozen=True, slots=True)
class Chop:
    """Beam switching: every sample is `P(u) - g P(u - throw)`.

    The gain ratio g of the two beams is the parameter `chop_gain_ratio` of the fit.

    Parameters
    ----------
    throw_rad : float, radians
        Distance of the negative beam.
    angle_rad : float, radians
        Direction of the negative beam from the positive one, from +u towards +v of the observation.
    """

    throw_rad: float
    angle_rad: float

    def __post_init__(self) -> None:
        _require_angle("chop_throw", self.throw_rad, positive=True)
        if not math.isfinite(self.angle_rad):
            raise ConfigurationError("must be finite", key="observing.chop_angle", value=self.angle_rad)

    @property
    def throw_uv_rad(self) -> tuple[float, float]:
        """Components of the throw along u and v, radians."""
        return self.throw_rad * math.cos(self.angle_rad), self.throw_rad * math.sin(self.angle_rad)


@dataclass(frozen=True, slots=True)
class ExtendedSource:
    """Brightness of a source that is not a point; its flux is one.

    Parameters
    ----------
    shape : {"disc", "limb-darkened", "gaussian"}
        Uniform disc; disc with a brightness of `mu ** limb_darkening`, mu the cosine of the angle between the surface
        and the line of sight; or a circular Gaussian.
    diameter_rad : float, radians
        Diameter of the disc, full width at half maximum of the Gaussian.
    limb_darkening : float
        Exponent of mu; zero makes the disc uniform.
    """

    shape: SourceShape
    diameter_rad: float
    limb_darkening: float = 0.0

    def __post_init__(self) -> None:
        if self.shape not in ("disc", "limb-darkened", "gaussian"):
            raise ConfigurationError(
                "is not known",
                key="observing.source_shape",
                value=self.shape,
                remedy="choose one of disc, limb-darkened, gaussian",
            )
        _require_angle("source_diameter", self.diameter_rad, positive=True)
        if not 0 <= self.limb_darkening <= 10:
            raise ConfigurationError(
                "must be an exponent from 0 to 10", key="observing.limb_darkening", value=self.limb_darkening
            )
        if self.limb_darkening and self.shape != "limb-darkened":
            raise ConfigurationError(
                f"means nothing for a source of shape {self.shape}",
                key="observing.limb_darkening",
                value=self.limb_darkening,
                remedy="set observing.source_shape=limb-darkened",
            )


@dataclass(frozen=True, slots=True)
class Smearing:
    """Averaging over directions while a sample is taken.

    Parameters
    ----------
    scan_rad : float, radians
        Way of the telescope during one sample; 0 for none.
    scan_angle_rad : float, radians
        Direction of the scan, from +u towards +v of the observation.
    pixel_rad : float, radians
        Side of a square detector, or diameter of a round one, with uniform response; 0 for none.
    pixel_shape : {"square", "round"}
        Shape of the detector; the sides of a square lie along u and v.
    """

    scan_rad: float = 0.0
    scan_angle_rad: float = 0.0
    pixel_rad: float = 0.0
    pixel_shape: PixelShape = "square"

    def __post_init__(self) -> None:
        _require_angle("scan_smearing", self.scan_rad)
        _require_angle("pixel_size", self.pixel_rad)
        if not math.isfinite(self.scan_angle_rad):
            raise ConfigurationError("must be finite", key="observing.scan_angle", value=self.scan_angle_rad)
        if self.pixel_shape not in ("square", "round"):
            raise ConfigurationError(
                "is not known", key="observing.pixel_shape", value=self.pixel_shape, remedy="choose square or round"
            )


@dataclass(frozen=True, slots=True, eq=False)
class AppliedCorrection:
    """Correction of the surface that was on the dish while it was observed.

    It is given as the error that it takes away, as corrections are sent to a telescope: one of +eps raises metal that
    lies eps too low. The model sees the dish's own phase minus this, so that the fitted surface is that of the dish
    without any correction.

    Parameters
    ----------
    coefficients : tuple of (n, l, phase)
        Zernike coefficients in radians at the wavelength of the observation.
    axis_m : array, shape (pixels,), metres, optional
        Pixel centres of `surface_m` along x and y.
    surface_m : array, shape (y, x), metres, optional
        Half-path surface error that the correction takes away. NaN off the dish is filled with the nearest value.
    origin : str
        What it was read from.
    """

    coefficients: tuple[tuple[int, int, float], ...] = ()
    axis_m: FloatArray | None = None
    surface_m: FloatArray | None = None
    origin: str = ""

    def __post_init__(self) -> None:
        seen = set()
        for n, l, phase in self.coefficients:
            fault = coefficient_fault(n, l, phase) or (given_twice(n, l) if (n, l) in seen else None)
            if fault is not None:
                value = f"Z({n},{l}) = {phase:g} rad"
                raise ConfigurationError(fault[0], key="observing.applied", value=value, remedy=fault[1])
            seen.add((n, l))
        if (self.axis_m is None) != (self.surface_m is None):
            raise ConfigurationError("an image needs its axis", key="observing.applied", value=self.origin)
        if self.axis_m is None or self.surface_m is None:
            return
        axis, surface = np.array(self.axis_m, float), np.array(self.surface_m, float)
        steps = np.diff(axis)
        even = axis.size >= 8 and bool((np.abs(steps - steps.mean()) < 1e-3 * steps.mean()).all())
        if axis.ndim != 1 or surface.shape != (axis.size, axis.size) or not even:
            raise ConfigurationError(
                "must be a square image of 8 or more pixels over one evenly rising axis",
                key="observing.applied",
                value=f"image {surface.shape}, axis {axis.shape}",
            )
        if not np.isfinite(surface).any():
            raise ConfigurationError("the image holds no number", key="observing.applied", value=self.origin)
        axis.setflags(write=False)
        surface.setflags(write=False)
        object.__setattr__(self, "axis_m", axis)
        object.__setattr__(self, "surface_m", surface)

    def takes_the_same(self, other: AppliedCorrection) -> bool:
        """Whether another correction has the same values, wherever it was read from."""
        images = ((self.axis_m, other.axis_m), (self.surface_m, other.surface_m))
        return self.coefficients == other.coefficients and all(
            mine is theirs if mine is None or theirs is None else np.array_equal(mine, theirs, equal_nan=True)
            for mine, theirs in images
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AppliedCorrection) and self.origin == other.origin and self.takes_the_same(other)

    def __hash__(self) -> int:
        return hash((self.coefficients, self.origin))


@dataclass(frozen=True, slots=True)
class Observing:
    """How the maps of one observation were taken; the default is a point source at infinity at one frequency.

    Parameters
    ----------
    applied : AppliedCorrection, optional
        Correction that was on the dish.
    chop : Chop, optional
        Beam switching.
    source : ExtendedSource, optional
        None for a point.
    smearing : Smearing, optional
        Detector pixel and motion during a sample.
    fractional_bandwidth : float
        Width of a flat band over its centre frequency; 0 for one frequency.
    source_distance_m : float, metres, optional
        Distance of the source from the vertex of the primary (for an offset dish from the plane of its aperture); None
        for infinity. The defocus then still counts from the focus for infinity.
    """

    applied: AppliedCorrection | None = None
    chop: Chop | None = None
    source: ExtendedSource | None = None
    smearing: Smearing | None = None
    fractional_bandwidth: float = 0.0
    source_distance_m: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.fractional_bandwidth <= WIDEST_BAND:
            raise ConfigurationError(
                f"must be from 0 to {WIDEST_BAND:g} of the centre frequency",
                key="observing.bandwidth",
                value=f"{self.fractional_bandwidth:g}",
            )
        distance = self.source_distance_m
        if distance is not None and not (math.isfinite(distance) and distance > 0):
            raise ConfigurationError(
                "must be a positive length", key="observing.source_distance", value=f"{distance:g} m"
            )

    @property
    def is_plain(self) -> bool:
        """Whether nothing is special: a point source at infinity at one frequency, no chop, no correction."""
        return all(getattr(self, field.name) in (None, 0.0) for field in fields(self))

    def as_dict(self) -> dict[str, Any]:
        """Give what is special as nested names and plain numbers, without the image of a correction."""

        def plain(value: Any) -> Any:
            if isinstance(value, AppliedCorrection):
                return {
                    "origin": value.origin,
                    "coefficients": [{"n": n, "l": l, "phase_rad": phase} for n, l, phase in value.coefficients],
                    "image_pixels": 0 if value.axis_m is None else int(value.axis_m.size),
                }
            if isinstance(value, Chop | ExtendedSource | Smearing):
                return {field.name: getattr(value, field.name) for field in fields(value)}
            return value

        return {
            field.name: plain(getattr(self, field.name))
            for field in fields(self)
            if getattr(self, field.name) not in (None, 0.0)
        }
