"""Directions and weights whose sum stands for what a sample averages: the source, the detector, the scan, the chop.

The beam of a point source holds no detail finer than lambda/D: along every line it is a sum of waves of at most
`2 pi D/lambda` radians per radian. Every rule here takes as many nodes as it needs to average all of these waves
to 1e-10, which is checked against their known averages.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.special
from numpy.typing import NDArray

from oofpy.errors import ConfigurationError
from oofpy.observing import ExtendedSource, Observing, Smearing
from oofpy.simulation.ranges import require_between

FloatArray = NDArray[np.float64]
Rule = tuple[FloatArray, FloatArray]

_TOLERANCE = 1e-10
# Largest wave number times half extent of an even source (64 lambda/D wide) and times the standard deviation of a
# Gaussian one (19 lambda/D wide at half its maximum).
_LARGEST_EVEN, _LARGEST_GAUSSIAN = 200.0, 50.0
_GAUSSIAN_END = 7.0
_LARGEST_GAIN_RATIO = 10
_MOST_NODES = 100_000
_NEGLIGIBLE = 1e-13


@dataclass(frozen=True, eq=False)
class Offsets:
    """Directions from which the beam contributes to a sample.

    Parameters
    ----------
    u_rad, v_rad : array, shape (nodes,), radians
        A sample in the direction (u, v) is the sum over the nodes of `weight P(u - u_rad, v - v_rad)`.
    weight : array, shape (nodes,)
        Weights; negative for the negative beam of a chop.
    """

    u_rad: FloatArray
    v_rad: FloatArray
    weight: FloatArray

    @property
    def reach_rad(self) -> float:
        """Largest offset along u or v in radians."""
        return float(np.abs([self.u_rad, self.v_rad]).max())

    def convolved(self, other: Offsets) -> Offsets:
        """Average by both, one after the other.

        Raises
        ------
        ConfigurationError
            If that takes too many directions.
        """
        nodes = self.weight.size * other.weight.size
        if nodes > _MOST_NODES:
            raise ConfigurationError(
                f"averaging over source, detector, scan and chop together takes more than {_MOST_NODES} directions",
                key="observing",
                value=nodes,
                remedy="make one of them smaller, or check their units (radians)",
            )
        return Offsets(
            np.add.outer(self.u_rad, other.u_rad).ravel(),
            np.add.outer(self.v_rad, other.v_rad).ravel(),
            np.multiply.outer(self.weight, other.weight).ravel(),
        )


def observing_offsets(observing: Observing, chop_gain_ratio: float, band_per_rad: float) -> Offsets:
    """Directions that contribute to a sample.

    Parameters
    ----------
    observing : Observing
        Source, smearing and chop.
    chop_gain_ratio : float
        Gain of the negative beam over that of the positive one.
    band_per_rad : float, 1/rad
        Largest wave number of the beam on the sky, 2 pi D/lambda.

    Returns
    -------
    Offsets
        The single direction zero where nothing is averaged.

    Raises
    ------
    ConfigurationError
        If source, detector or scan are too large, or the gain ratio is out of range or has no chop.
    """
    require_between("chop_gain_ratio", chop_gain_ratio, 0, _LARGEST_GAIN_RATIO)
    if chop_gain_ratio != 1 and observing.chop is None:
        raise ConfigurationError(
            "means nothing without a chop", key="chop_gain_ratio", value=chop_gain_ratio, remedy="leave it out"
        )
    found = Offsets(np.zeros(1), np.zeros(1), np.ones(1))
    if observing.source is not None:
        found = found.convolved(source_offsets(observing.source, band_per_rad))
    if observing.smearing is not None:
        found = found.convolved(smearing_offsets(observing.smearing, band_per_rad))
    if observing.chop is not None:
        u, v = observing.chop.throw_uv_rad
        found = found.convolved(Offsets(np.array([0.0, u]), np.array([0.0, v]), np.array([1.0, -chop_gain_ratio])))
    return found


def source_offsets(source: ExtendedSource, band_per_rad: float) -> Offsets:
    """Directions and weights of a source of unit flux; `band_per_rad` is 2 pi D/lambda."""
    if source.shape != "gaussian":
        return _disc(source.diameter_rad / 2, source.limb_darkening, band_per_rad)
    sigma = source.diameter_rad / math.sqrt(8 * math.log(2))
    _require_size("observing.source_diameter", source.diameter_rad, band_per_rad * sigma, _LARGEST_GAUSSIAN)
    node, weight = gaussian_rule(band_per_rad * sigma)
    product = _product((node * sigma, weight), (node * sigma, weight))
    # Far corners of the square of nodes count for nothing.
    kept = product.weight > _NEGLIGIBLE
    return Offsets(product.u_rad[kept], product.v_rad[kept], product.weight[kept])


def smearing_offsets(smearing: Smearing, band_per_rad: float) -> Offsets:
    """Directions and weights of a detector and of a scan; `band_per_rad` is 2 pi D/lambda."""
    found = Offsets(np.zeros(1), np.zeros(1), np.ones(1))
    half = smearing.pixel_rad / 2
    if half > 0 and smearing.pixel_shape == "round":
        found = _disc(half, 0.0, band_per_rad)
    elif half > 0:
        _require_size("observing.pixel_size", smearing.pixel_rad, band_per_rad * half, _LARGEST_EVEN)
        node, weight = even_rule(band_per_rad * half)
        found = _product((node * half, weight), (node * half, weight))
    half = smearing.scan_rad / 2
    if half > 0:
        _require_size("observing.scan_smearing", smearing.scan_rad, band_per_rad * half, _LARGEST_EVEN)
        node, weight = even_rule(band_per_rad * half)
        cos, sin = math.cos(smearing.scan_angle_rad), math.sin(smearing.scan_angle_rad)
        found = found.convolved(Offsets(node * half * cos, node * half * sin, weight))
    return found


def even_rule(largest: float, exponent: float = 0.0) -> Rule:
    """Average over -1 to 1 with the weight `(1 - t^2)^exponent`.

    Parameters
    ----------
    largest : float
        Waves `cos(x t)` up to this x are averaged to 1e-10.
    exponent : float
        Zero for an even average.

    Returns
    -------
    node, weight : array, shape (nodes,)
        Of a Gauss rule; the weights sum to one.
    """
    # Poisson's integral of the Bessel functions gives the average of a wave.
    order, x = exponent + 0.5, np.linspace(0, largest, 65)[1:]
    wanted = scipy.special.gamma(order + 1) * (2 / x) ** order * scipy.special.jv(order, x)
    count = 1 + int(largest / 2)
    while True:
        node, weight = scipy.special.roots_jacobi(count, exponent, exponent)
        weight = weight / weight.sum()
        if np.abs(np.cos(np.outer(x, node)) @ weight - wanted).max() < _TOLERANCE:
            return node, weight
        count += 1


def gaussian_rule(largest: float) -> Rule:
    """Average with a normal distribution of unit standard deviation.

    Parameters
    ----------
    largest : float
        Waves `cos(x t)` up to this x are averaged to 1e-10.

    Returns
    -------
    node, weight : array, shape (nodes,)
        Evenly spaced nodes; the weights sum to one.
    """
    # With the spacing h a wave x is taken for one of x - 2 pi / h, whose average is exp(-7^2 / 2) or less.
    spacing = 2 * math.pi / (largest + _GAUSSIAN_END)
    steps = math.ceil(_GAUSSIAN_END / spacing)
    node = np.asarray(np.arange(-steps, steps + 1) * spacing, np.float64)
    weight = np.exp(-(node**2) / 2)
    return node, weight / float(weight.sum())


def _disc(radius_rad: float, limb_darkening: float, band_per_rad: float) -> Offsets:
    """Chords of a disc: with the brightness mu^a both averages, along and over the chords, are Gauss rules."""
    _require_size("observing.source_diameter or pixel_size", 2 * radius_rad, band_per_rad * radius_rad, _LARGEST_EVEN)
    # mu^a = (1 - u^2 - v^2)^(a/2) = (1 - u^2)^(a/2) (1 - t^2)^(a/2) with v = sqrt(1 - u^2) t.
    along, along_weight = even_rule(band_per_rad * radius_rad, limb_darkening / 2)
    over, over_weight = even_rule(band_per_rad * radius_rad, (limb_darkening + 1) / 2)
    product = _product((over, over_weight), (along, along_weight))
    chord = np.sqrt(1 - product.u_rad**2)
    return Offsets(product.u_rad * radius_rad, product.v_rad * chord * radius_rad, product.weight)


def _product(along_u: Rule, along_v: Rule) -> Offsets:
    u, v = np.meshgrid(along_u[0], along_v[0], indexing="ij")
    return Offsets(u.ravel(), v.ravel(), np.multiply.outer(along_u[1], along_v[1]).ravel())


def _require_size(key: str, angle_rad: float, size: float, largest: float) -> None:
    if size > largest:
        raise ConfigurationError(
            f"is {size / largest:.3g} times the widest that can be simulated at this wavelength",
            key=key,
            value=f"{angle_rad:g} rad",
            remedy="make it smaller, or check its unit (radians)",
        )
