"""What the sky makes of a beam: chopping, the size of the source, smearing and bandwidth as one transfer function.

The beam map of a point source is the Fourier transform of the autocorrelation of the aperture field,
`P(u) = sum over baselines b of C(b) exp(-i k b u)`. Everything that adds up beams of neighbouring directions is a
convolution, and multiplies C by a function of the baseline:

- a source of brightness B by its visibility: `2 J1(x)/x` for a uniform disc of diameter d, x = k |b| d / 2;
  `Gamma(n + 1) J_n(x) (2/x)^n`, n = 1 + a/2, for a disc darkened as mu^a (Hestroffer 1997, A&A 327, 199);
  `exp(-(k |b| s)^2 / 2)` for a Gaussian of standard deviation s;
- a scan of length L along e by `sinc(k b.e L / 2)`, a detector by the transform of its area;
- a chop `P(u) - g P(u - t)` by `1 - g exp(i k b t)`.

The sum over pixels has exactly the baselines between pixels, so nothing is interpolated or cut off. Over a band the
maps of several frequencies are averaged; every phase that is a path grows with the frequency. The effective area, and
so the power of a source of flat spectrum, does not depend on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.special
import torch
from numpy.typing import NDArray

from oofpy.observing import ExtendedSource, Observing, Smearing
from oofpy.optics.propagation import all_alike, fourier_kernel

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Axes = tuple[torch.Tensor, torch.Tensor]

# Where a Gaussian source ends, in units of its full width at half maximum (4.7 standard deviations).
_GAUSSIAN_REACH = 2.0


def source_visibility(source: ExtendedSource, q: FloatArray) -> FloatArray:
    """Transform of a source of unit flux.

    Parameters
    ----------
    source : ExtendedSource
    q : array, 1/rad
        Length of the baseline times the wave number.

    Returns
    -------
    array
        Real, 1 at q = 0.
    """
    if source.shape == "gaussian":
        sigma = source.diameter_rad / math.sqrt(8 * math.log(2))
        return np.asarray(np.exp(-((q * sigma) ** 2) / 2), np.float64)
    return _disc_visibility(q * source.diameter_rad / 2, source.limb_darkening)


def _disc_visibility(x: FloatArray, limb_darkening: float) -> FloatArray:
    order = 1 + limb_darkening / 2
    x = np.maximum(x, 1e-6)
    return np.asarray(scipy.special.gamma(order + 1) * scipy.special.jv(order, x) * (2 / x) ** order, np.float64)


def smearing_transfer(smearing: Smearing, q_u: FloatArray, q_v: FloatArray) -> FloatArray:
    """Transform of the motion during a sample and of the detector; `q_u`, `q_v` (1/rad) are k b."""
    along = q_u * math.cos(smearing.scan_angle_rad) + q_v * math.sin(smearing.scan_angle_rad)
    scan = np.sinc(along * smearing.scan_rad / (2 * math.pi))
    side = smearing.pixel_rad
    if smearing.pixel_shape == "round":
        return np.asarray(scan * _disc_visibility(np.hypot(q_u, q_v) * side / 2, 0.0), np.float64)
    return np.asarray(scan * np.sinc(q_u * side / (2 * math.pi)) * np.sinc(q_v * side / (2 * math.pi)), np.float64)


def reach_rad(observing: Observing) -> float:
    """How far beyond a sample the beam contributes to it, in radians."""
    reach = 0.0
    if observing.chop is not None:
        reach += observing.chop.throw_rad
    if observing.source is not None:
        share = _GAUSSIAN_REACH if observing.source.shape == "gaussian" else 0.5
        reach += share * observing.source.diameter_rad
    if observing.smearing is not None:
        reach += (observing.smearing.scan_rad + math.sqrt(2) * observing.smearing.pixel_rad) / 2
    return reach


def mixes_beams(observing: Observing) -> bool:
    """Whether a sample is more than the beam in its own direction at one frequency."""
    return observing.fractional_bandwidth > 0 or reach_rad(observing) > 0


def band_frequencies(fractional_bandwidth: float, cycles: float) -> tuple[FloatArray, FloatArray]:
    """Frequencies over the central one, and their weights.

    Parameters
    ----------
    fractional_bandwidth : float
        Width of the flat band over its centre.
    cycles : float
        Cycles of phase across the dish at the edge of the map, defocus included.

    Returns
    -------
    ratio, weight : array, shape (frequencies,)
        Nodes and weights of a Gauss-Legendre rule that errs by less than 1e-6 of the peak.
    """
    if fractional_bandwidth == 0:
        return np.ones(1), np.ones(1)
    # The phase between two points of the dish changes by this much from the centre of the band to its edge.
    phase = math.pi * fractional_bandwidth * cycles
    nodes, weights = np.polynomial.legendre.leggauss(4 + math.ceil(0.75 * phase))
    return np.asarray(1 + fractional_bandwidth / 2 * nodes), np.asarray(weights / 2)


@dataclass(frozen=True)
class Response:
    """From beam power on the grid of the full transform to beam maps as they were observed.

    Parameters
    ----------
    transfer : complex Tensor, shape (observations, 1, frequencies, y, x)
        Factor of each baseline, times the weight of the frequency and the multiplicity of the baseline, of which only
        half are kept as the power is real.
    chopped : complex Tensor, same shape, optional
        The same for the negative beam of a chop.
    kernel_v, kernel_u : complex Tensor, shapes (..., frequencies, v, y) and (..., frequencies, x, u)
        Kernels from baselines to directions; leading dimensions broadcast with (observations, maps).
    """

    transfer: torch.Tensor
    chopped: torch.Tensor | None
    kernel_v: torch.Tensor
    kernel_u: torch.Tensor

    def at(self, chop_gain_ratio: torch.Tensor) -> Response:
        """Put both beams of a chop together, with their gain ratio g, shape (batch,)."""
        if self.chopped is None:
            return self
        ratio = chop_gain_ratio.to(self.transfer.dtype)[:, None, None, None, None]
        return replace(self, transfer=self.transfer - ratio * self.chopped, chopped=None)

    def chop_derivative(self, power: torch.Tensor) -> torch.Tensor | None:
        """Derivative of the maps by the gain ratio of the chop; None without a chop."""
        return None if self.chopped is None else replace(self, transfer=-self.chopped, chopped=None)(power)

    def __call__(self, power: torch.Tensor) -> torch.Tensor:
        """Observe beams; with a chop, the positive ones only: see `at`.

        Parameters
        ----------
        power : Tensor, shape (batch, maps * frequencies, y, x)
            Power on the grid of `FullTransform`.

        Returns
        -------
        Tensor, shape (batch, maps, v, u)
        """
        transfer = self.transfer
        frequencies, size = transfer.shape[2], power.shape[-1]
        baselines = torch.fft.rfft2(power)[..., : transfer.shape[-1]]
        baselines = baselines.reshape(power.shape[0], -1, frequencies, size, transfer.shape[-1])
        maps: torch.Tensor = (self.kernel_v @ ((baselines * transfer) @ self.kernel_u)).real.sum(2)
        return maps

    def adjoint(self, values: torch.Tensor) -> torch.Tensor:
        """Adjoint: values (batch, maps, v, u) to (batch, maps * frequencies, y, x) on the grid of the power."""
        values = values.to(self.transfer.dtype)[:, :, None]
        baselines = self.transfer.conj() * (self.kernel_v.mH @ (values @ self.kernel_u.mH))
        size = baselines.shape[-2]
        spectrum = baselines.new_zeros((*baselines.shape[:-1], size))
        spectrum[..., : baselines.shape[-1]] = baselines
        power: torch.Tensor = torch.fft.ifft2(spectrum, norm="forward").real.flatten(1, 2)
        return power

    def in_precision(self, dtype: torch.dtype) -> Response:
        """The same in single (complex64) or double (complex128) precision."""
        return self._each(lambda tensor: tensor.to(dtype))

    def to(self, device: torch.device | str) -> Response:
        """Move to a device."""
        return self._each(lambda tensor: tensor.to(device))

    def take(self, keep: list[int]) -> Response:
        """Pick observations; what all observations share stays as it is."""
        return self._each(lambda tensor: tensor if tensor.shape[0] == 1 else tensor[keep])

    def _each(self, function: Callable[[torch.Tensor], torch.Tensor]) -> Response:
        return Response(
            function(self.transfer),
            None if self.chopped is None else function(self.chopped),
            function(self.kernel_v),
            function(self.kernel_u),
        )


def observed_response(
    observing: Sequence[Observing],
    grid: BaselineGrid,
    wavenumber_per_m: torch.Tensor,
    frequency_ratio: torch.Tensor,
    frequency_weight: torch.Tensor,
    axes_rad: Axes,
) -> Response:
    """Build the response of a batch of observations.

    Parameters
    ----------
    observing : sequence (observations) of Observing
    grid : BaselineGrid
    wavenumber_per_m : Tensor, shape (observations,), 1/m
        At the centre of the band.
    frequency_ratio, frequency_weight : Tensor, shape (observations, frequencies)
        Frequencies over the central one, and their weights.
    axes_rad : (Tensor, Tensor), shapes (observations or 1, maps, u), (observations or 1, maps, v), radians
        Directions of the maps.

    Returns
    -------
    Response
    """
    k = wavenumber_per_m[:, None] * frequency_ratio
    beams = [
        _transfer(one, grid, wavenumbers, weights)
        for one, wavenumbers, weights in zip(observing, k.numpy(), frequency_weight.numpy(), strict=True)
    ]
    transfer = torch.from_numpy(np.stack([positive for positive, _ in beams]))[:, None]
    chopped = None
    if any(one.chop is not None for one in observing):
        chopped = torch.from_numpy(np.stack([negative for _, negative in beams]))[:, None]
    q_u, q_v = (axes[:, :, None] * k[:, None, :, None] for axes in axes_rad)
    q_u, q_v = (q[:1, :1] if all_alike(q) else q for q in (q_u, q_v))
    x, y = (torch.from_numpy(axis) for axis in grid.axes_m)
    kernel_u = fourier_kernel(x, -q_u).transpose(-1, -2).contiguous()
    return Response(transfer, chopped, fourier_kernel(y, -q_v), kernel_u)


@dataclass(frozen=True)
class BaselineGrid:
    """Baselines between the pixels of an aperture, in the order of a real transform of two dimensions.

    Parameters
    ----------
    pixels : int
        Pixels along each axis of the aperture.
    padded_size : int
        Length of the transform, at least twice the pixels.
    pitch_m : float, metres
        Distance between pixels.
    """

    pixels: int
    padded_size: int
    pitch_m: float

    @property
    def axes_m(self) -> tuple[FloatArray, FloatArray]:
        """Baselines along x, of which the negative half is left out, and along y, in metres."""
        along_y = np.fft.fftfreq(self.padded_size, 1 / self.padded_size)
        along_x = np.arange(self.pixels, dtype=np.float64)
        return np.asarray(along_x * self.pitch_m), np.asarray(along_y * self.pitch_m)


def _transfer(
    observing: Observing, grid: BaselineGrid, wavenumbers_per_m: FloatArray, weights: FloatArray
) -> tuple[ComplexArray, ComplexArray]:
    """Transfer of the positive and of the negative beam, each of shape (frequencies, y, x)."""
    x, y = grid.axes_m
    q_u = wavenumbers_per_m[:, None, None] * x
    q_v = wavenumbers_per_m[:, None, None] * y[:, None]
    # The power is real, so that one half of the baselines stands for both.
    multiplicity = np.where(np.arange(x.size) == 0, 1.0, 2.0) / grid.padded_size**2
    factor = weights[:, None, None] * multiplicity * np.ones_like(q_u * q_v)
    if observing.source is not None:
        factor = factor * source_visibility(observing.source, np.hypot(q_u, q_v))
    if observing.smearing is not None:
        factor = factor * smearing_transfer(observing.smearing, q_u, q_v)
    if observing.chop is None:
        return factor.astype(complex), np.zeros_like(factor, dtype=complex)
    throw_u, throw_v = observing.chop.throw_uv_rad
    return factor.astype(complex), factor * np.exp(-1j * (q_u * throw_u + q_v * throw_v))
