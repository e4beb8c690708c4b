"""Names and places of the parameters of a beam model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch

from oofpy.optics.parameter_names import MAP_PARAMETERS, RESPONSE_PARAMETERS, SHAPE_PARAMETERS


@dataclass(frozen=True)
class ParameterLayout:
    """Places of the named parameters in a vector.

    First the coefficients of the phase basis, then the shape of the illumination and the response of the sky, then, for
    each kind of parameter a map has of its own, the values of all maps.

    Parameters
    ----------
    mode_names : tuple of str
        Names of the coefficients, for example `Z(2,0)`.
    maps : int
        Number of maps.
    """

    mode_names: tuple[str, ...]
    maps: int

    @cached_property
    def shared_names(self) -> tuple[str, ...]:
        """Parameters that all maps share."""
        return (*self.mode_names, *SHAPE_PARAMETERS, *RESPONSE_PARAMETERS)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters; those of a map end in its number, counted from 1."""
        own = (f"{kind}[{number + 1}]" for kind in MAP_PARAMETERS for number in range(self.maps))
        return (*self.shared_names, *own)

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        """Derivative columns of each map: the shared parameters and one of each kind of its own."""
        return (*self.shared_names, *MAP_PARAMETERS)

    def slice_of(self, kind: str) -> slice:
        """Places of the coefficients (`"modes"`), of another shared parameter, or of a kind of map parameter."""
        if kind == "modes":
            return slice(0, len(self.mode_names))
        if kind in MAP_PARAMETERS:
            start = len(self.shared_names) + MAP_PARAMETERS.index(kind) * self.maps
            return slice(start, start + self.maps)
        start = self.shared_names.index(kind)
        return slice(start, start + 1)

    def column_parameters(self) -> torch.Tensor:
        """Parameter that each derivative column of each map belongs to, shape (maps, columns)."""
        shared = torch.arange(len(self.shared_names)).expand(self.maps, -1)
        own = len(self.shared_names) + torch.arange(len(MAP_PARAMETERS)) * self.maps
        return torch.cat([shared, own + torch.arange(self.maps)[:, None]], dim=1)
