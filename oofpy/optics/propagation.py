"""From the aperture field to the far field on a sky grid: matrix Fourier transform and zero-padded FFT.

Both compute `E(u, v) = sum over pixels of F(x, y) exp(-i k (x u + y v))` on a product grid of directions, and
agree to rounding. The matrix transform takes any axes; the FFT needs a uniform spacing of
`wavelength / (padded_size * pitch)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

import scipy.fft
import torch


def fourier_kernel(position_m: torch.Tensor, direction_per_m: torch.Tensor) -> torch.Tensor:
    """Kernel `exp(-i x q)` of the transform along one axis.

    Parameters
    ----------
    position_m : Tensor, shape (pixels,), metres
        Positions in the aperture.
    direction_per_m : Tensor, shape (..., directions), 1/m
        Directions times the wave number, q = k u.

    Returns
    -------
    complex Tensor, shape (..., directions, pixels)
    """
    angle = -direction_per_m[..., :, None] * position_m
    return torch.polar(torch.ones_like(angle), angle)


def all_alike(axes: torch.Tensor) -> bool:
    """Whether all observations and maps, the first two dimensions, have the same directions."""
    return torch.allclose(axes, axes[:1, :1].expand_as(axes), rtol=0, atol=1e-12 * float(axes.abs().max()))


@dataclass(frozen=True)
class MatrixTransform:
    """Matrix Fourier transform: two matrix products, exact on any product grid.

    Parameters
    ----------
    kernel_v : complex Tensor, shape (..., v, y)
    kernel_u : complex Tensor, shape (..., x, u)
        Kernels of both axes; leading dimensions broadcast with those of the field.
    """

    kernel_v: torch.Tensor
    kernel_u: torch.Tensor

    @classmethod
    def on_axes(
        cls,
        x_m: torch.Tensor,
        y_m: torch.Tensor,
        u_per_m: torch.Tensor,
        v_per_m: torch.Tensor,
        dtype: torch.dtype = torch.complex128,
    ) -> MatrixTransform:
        """Build the kernels for aperture axes in metres and sky axes in k u, k v (1/m)."""
        kernel_u = fourier_kernel(x_m, u_per_m).transpose(-1, -2)
        return cls(fourier_kernel(y_m, v_per_m).to(dtype), kernel_u.contiguous().to(dtype))

    def __call__(self, field: torch.Tensor) -> torch.Tensor:
        """Propagate fields of shape (..., y, x) to (..., v, u)."""
        field = field.to(self.kernel_u.dtype)
        kernel_v, kernel_u = self.kernel_v, self.kernel_u
        if kernel_u.ndim == 4 and field.ndim == 5:
            # Kernels of single maps act alike on all derivatives, which are the dimension after the maps.
            kernel_v, kernel_u = kernel_v[:, :, None], kernel_u[:, :, None]
        return kernel_v @ (field @ kernel_u)

    def adjoint(self, far_field: torch.Tensor) -> torch.Tensor:
        """Adjoint of the transform: fields of shape (..., v, u) to (..., y, x)."""
        far_field = far_field.to(self.kernel_u.dtype)
        return self.kernel_v.mH @ (far_field @ self.kernel_u.mH)

    def in_precision(self, dtype: torch.dtype) -> MatrixTransform:
        """The same in single (complex64) or double (complex128) precision."""
        return MatrixTransform(self.kernel_v.to(dtype), self.kernel_u.to(dtype))

    def take(self, keep: list[int]) -> MatrixTransform:
        """Pick observations; kernels that all observations share stay as they are."""
        if self.kernel_u.ndim == 2 or self.kernel_u.shape[0] == 1:
            return self
        return MatrixTransform(self.kernel_v[keep], self.kernel_u[keep])

    def to(self, device: torch.device | str) -> MatrixTransform:
        """Move to a device."""
        return MatrixTransform(self.kernel_v.to(device), self.kernel_u.to(device))


class _WithoutKernels:
    """A transform that all observations share and that holds no tensors, with the interface of MatrixTransform."""

    def take(self, keep: list[int]) -> Self:  # noqa: ARG002 - see above
        """Return itself: all observations share it."""
        return self

    def to(self, device: torch.device | str) -> Self:  # noqa: ARG002 - see above
        """Return itself: it holds no tensors."""
        return self


@dataclass(frozen=True)
class PaddedTransform(_WithoutKernels):
    """Zero-padded FFT, pruned: the second axis is transformed only for the directions that are wanted.

    Direction j of an axis is `(j + first) * 2 pi / (padded_size * pitch_m)` in k u. Pixel i lies at
    `(i - (pixels - 1) / 2) * pitch_m`.

    Parameters
    ----------
    pixels : int
        Pixels along each axis of the aperture field.
    padded_size : int
        Length of the transform.
    first_u, count_u, first_v, count_v : int
        Which directions are kept along each axis.
    dtype : torch.complex128 or torch.complex64
        Precision of the transform.
    """

    pixels: int
    padded_size: int
    first_u: int
    count_u: int
    first_v: int
    count_v: int
    dtype: torch.dtype = torch.complex128

    def in_precision(self, dtype: torch.dtype) -> PaddedTransform:
        """The same in single (complex64) or double (complex128) precision."""
        return replace(self, dtype=dtype)

    def axis_per_m(self, pitch_m: float, *, along_u: bool) -> torch.Tensor:
        """Directions of one axis as k u, shape (count,), 1/m."""
        first, count = (self.first_u, self.count_u) if along_u else (self.first_v, self.count_v)
        spacing = 2 * math.pi / (self.padded_size * pitch_m)
        return (torch.arange(count, dtype=torch.float64) + first) * spacing

    def _directions(self, first: int, count: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """Places of the directions of an axis in the spectrum, and their phases."""
        direction = torch.arange(count, device=device) + first
        # The FFT counts pixels from the first one; this phase moves the origin to the centre of the dish.
        shift = 2 * math.pi / self.padded_size * (self.pixels - 1) / 2 * direction.to(torch.float64)
        phase = torch.polar(torch.ones_like(shift), shift).to(self.dtype)
        return direction % self.padded_size, phase

    def _along_last_axis(self, field: torch.Tensor, first: int, count: int) -> torch.Tensor:
        place, phase = self._directions(first, count, field.device)
        spectrum: torch.Tensor = torch.fft.fft(field, n=self.padded_size, dim=-1)
        return spectrum[..., place] * phase

    def _back_along_last_axis(self, far_field: torch.Tensor, first: int, count: int) -> torch.Tensor:
        place, phase = self._directions(first, count, far_field.device)
        spectrum = far_field.new_zeros((*far_field.shape[:-1], self.padded_size))
        # Adding serves windows wider than the transform, which hold a direction more than once.
        spectrum.index_add_(-1, place, far_field * phase.conj())
        field: torch.Tensor = torch.fft.ifft(spectrum, dim=-1, norm="forward")
        return field[..., : self.pixels]

    def __call__(self, field: torch.Tensor) -> torch.Tensor:
        """Propagate fields of shape (..., y, x) to (..., v, u)."""
        along_u = self._along_last_axis(field.to(self.dtype), self.first_u, self.count_u)
        along_v = self._along_last_axis(along_u.transpose(-1, -2), self.first_v, self.count_v)
        return along_v.transpose(-1, -2)

    def adjoint(self, far_field: torch.Tensor) -> torch.Tensor:
        """Adjoint of the transform: fields of shape (..., v, u) to (..., y, x)."""
        far_field = far_field.to(self.dtype)
        along_y = self._back_along_last_axis(far_field.transpose(-1, -2), self.first_v, self.count_v)
        return self._back_along_last_axis(along_y.transpose(-1, -2), self.first_u, self.count_u)


@dataclass(frozen=True)
class FullTransform(_WithoutKernels):
    """Zero-padded FFT to all directions, without the phase of the origin: for the power of the far field alone.

    Parameters
    ----------
    pixels : int
        Pixels along each axis of the aperture field.
    padded_size : int
        Length of the transform.
    dtype : torch.complex128 or torch.complex64
        Precision.
    """

    pixels: int
    padded_size: int
    dtype: torch.dtype = torch.complex128

    def in_precision(self, dtype: torch.dtype) -> FullTransform:
        """The same in single (complex64) or double (complex128) precision."""
        return replace(self, dtype=dtype)

    def __call__(self, field: torch.Tensor) -> torch.Tensor:
        """Propagate fields of shape (..., y, x) to (..., padded_size, padded_size)."""
        # Along x only the rows that are not empty.
        along_u: torch.Tensor = torch.fft.fft(field.to(self.dtype), n=self.padded_size, dim=-1)
        far: torch.Tensor = torch.fft.fft(along_u, n=self.padded_size, dim=-2)
        return far

    def adjoint(self, far_field: torch.Tensor) -> torch.Tensor:
        """Adjoint of the transform: fields of shape (..., padded_size, padded_size) to (..., y, x)."""
        along_y = torch.fft.ifft(far_field.to(self.dtype), dim=-2, norm="forward")[..., : self.pixels, :]
        field: torch.Tensor = torch.fft.ifft(along_y, dim=-1, norm="forward")
        return field[..., : self.pixels]


def fast_size(at_least: int) -> int:
    """Smallest size of at least `at_least` that an FFT handles well."""
    return int(scipy.fft.next_fast_len(at_least))


# Operations a second of the matrix products over those of the pruned FFT. Measured on one core of a Xeon with
# AVX-512 (torch 2.13, 48 to 256 pixels, 2 to 8 times padded): median 12 to 15 in double, 9 to 10 in single
# precision.
_FFT_RATE_PENALTY = 12.0


def matrix_is_cheaper(pixels: int, padded_size: int, count_u: int, count_v: int) -> bool:
    """Whether the matrix transform costs less than the pruned FFT, by their operation counts.

    Parameters
    ----------
    pixels : int
        Pixels along each axis of the aperture.
    padded_size : int
        Length of the FFT that gives the same grid.
    count_u, count_v : int
        Directions along each axis.

    Returns
    -------
    bool
        True if the matrix transform is the cheaper one.
    """
    matrix = 8.0 * count_u * pixels * (pixels + count_v)
    fft = 5.0 * padded_size * math.log2(padded_size) * (pixels + count_u)
    return matrix < _FFT_RATE_PENALTY * fft
