"""Sums over the pixels of the aperture for directions that lie on no grid of an FFT, at any frequency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from oofpy.simulation.cubature import Offsets

# Offsets along u that differ by less than this part of their reach are one.
_SAME = 1e-13


@dataclass(frozen=True, eq=False)
class DirectSum:
    """Power of aperture fields, averaged over offsets of the direction.

    Parameters
    ----------
    axis_m : Tensor, shape (pixels,), metres
        Pixel centres of the aperture along x and along y.
    u_rad, v_rad : Tensor, shape (directions,), radians
        Axes of the grid of directions.
    offsets : Offsets
        What contributes to a direction.
    """

    axis_m: torch.Tensor
    u_rad: torch.Tensor
    v_rad: torch.Tensor
    offsets: Offsets

    def __call__(self, fields: torch.Tensor, wavenumber_per_m: float) -> torch.Tensor:
        """Sum `weight |E|^2` over the offsets.

        Parameters
        ----------
        fields : complex Tensor, shape (maps, y, x)
            Fields over the aperture.
        wavenumber_per_m : float, 1/m
            2 pi over the wavelength.

        Returns
        -------
        Tensor, shape (maps, v, u)
        """
        power = torch.zeros((len(fields), len(self.v_rad), len(self.u_rad)), dtype=torch.float64, device=fields.device)
        # Directions with the same offset along u share the sum along x, which is the longer one.
        resolution = max(self.offsets.reach_rad * _SAME, 1e-300)
        group = np.round(self.offsets.u_rad / resolution)
        for same in np.unique(group):
            members = np.flatnonzero(group == same)
            kernel_u = self._kernel(self.u_rad - self.offsets.u_rad[members[0]], wavenumber_per_m)
            rows = fields @ kernel_u.T
            for member in members:
                far = self._kernel(self.v_rad - self.offsets.v_rad[member], wavenumber_per_m) @ rows
                power += self.offsets.weight[member] * (far.real.square() + far.imag.square())
        return power

    def _kernel(self, direction_rad: torch.Tensor, wavenumber_per_m: float) -> torch.Tensor:
        """Return `exp(-i k x u)`, shape (directions, pixels)."""
        angle = torch.outer(direction_rad, self.axis_m) * -wavenumber_per_m
        return torch.polar(torch.ones_like(angle), angle)
