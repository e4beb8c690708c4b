"""From aperture fields to observed beam power on a grid of the sky, with derivatives and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from oofpy.optics.propagation import FullTransform, MatrixTransform, PaddedTransform
from oofpy.optics.response import Response

Transform = MatrixTransform | PaddedTransform | FullTransform


@dataclass(frozen=True)
class Projection:
    """Propagation, detection and response, `maps = R |T F|^2`.

    Aperture fields have the dimensions (batch, maps * frequencies, y, x), maps (batch, maps, v, u).

    Parameters
    ----------
    transform : MatrixTransform, PaddedTransform or FullTransform
        T, from the aperture to the far field: on the grid of the maps itself, or, with a response, on the full grid.
    response : Response, optional
        R; None where a sample is the beam in its own direction.
    """

    transform: Transform
    response: Response | None = None

    def far_field(self, field: torch.Tensor) -> torch.Tensor:
        """Propagate aperture fields."""
        return self.transform(field)

    def observe(self, far_field: torch.Tensor, chop_gain_ratio: torch.Tensor) -> torch.Tensor:
        """Make maps of far fields, with the gain ratio of the chop, shape (batch,)."""
        power = _power(far_field)
        return power if self.response is None else self.response.at(chop_gain_ratio)(power)

    def derivatives(
        self, fields: torch.Tensor, chop_gain_ratio: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Maps and their derivatives.

        Parameters
        ----------
        fields : complex Tensor, shape (batch, maps * frequencies, 1 + columns, y, x)
            Aperture field, then its derivatives.
        chop_gain_ratio : Tensor, shape (batch,)

        Returns
        -------
        maps : Tensor, shape (batch, maps, v, u)
        derivatives : Tensor, shape (batch, maps, columns, v, u)
        chop_derivative : Tensor, shape (batch, maps, v, u), or None
            Derivative by the gain ratio of the chop; None without one.
        """
        if self.response is None:
            far = self.transform(fields)
            return _power(far[:, :, 0]), (far[:, :, 1:] * far[:, :, :1].conj()).real * 2, None
        far = self.transform(fields[:, :, 0])
        conjugate = 2 * far.conj()
        power = _power(far)
        observed = self.response.at(chop_gain_ratio)
        # One after the other: the full grids of all columns would leave the caches, and perhaps the memory.
        columns = [
            observed((self.transform(fields[:, :, column]) * conjugate).real) for column in range(1, fields.shape[2])
        ]
        maps = observed(power)
        stack = torch.stack(columns, dim=2) if columns else maps.new_empty((*maps.shape[:2], 0, *maps.shape[2:]))
        return maps, stack, self.response.chop_derivative(power)

    def chop_derivative(self, far_field: torch.Tensor) -> torch.Tensor | None:
        """Derivative of the maps by the gain ratio of the chop, (batch, maps, v, u); None without a chop."""
        return None if self.response is None else self.response.chop_derivative(_power(far_field))

    def pull_back(
        self, cotangent: torch.Tensor, far_field: torch.Tensor, chop_gain_ratio: torch.Tensor
    ) -> torch.Tensor:
        """Take the derivative of a function by the maps (batch, maps, v, u) back to the aperture.

        Returns
        -------
        complex Tensor, shape (batch, maps * frequencies, y, x)
            G, such that the function changes by `2 Re sum(conj(G) dF)`.
        """
        if self.response is not None:
            cotangent = self.response.at(chop_gain_ratio).adjoint(cotangent)
        return self.transform.adjoint(cotangent * far_field)

    def in_precision(self, dtype: torch.dtype) -> Projection:
        """The same in single (complex64) or double (complex128) precision."""
        response = None if self.response is None else self.response.in_precision(dtype)
        return Projection(self.transform.in_precision(dtype), response)

    def take(self, keep: list[int]) -> Projection:
        """Pick observations; what all observations share stays as it is."""
        return Projection(self.transform.take(keep), None if self.response is None else self.response.take(keep))

    def to(self, device: torch.device | str) -> Projection:
        """Move to a device."""
        return Projection(self.transform.to(device), None if self.response is None else self.response.to(device))


def _power(far_field: torch.Tensor) -> torch.Tensor:
    return far_field.real.square() + far_field.imag.square()
