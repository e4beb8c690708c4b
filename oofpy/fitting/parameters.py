"""Which parameters a fit has: free or fixed, start, bounds and priors, all by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.errors import ConfigurationError
from oofpy.fitting.settings import ParameterRule
from oofpy.fitting.solver import FreeParameters
from oofpy.optics.layout import ParameterLayout
from oofpy.optics.parameter_names import MAP_PARAMETERS, RESPONSE_PARAMETERS, SHAPE_PARAMETERS
from oofpy.optics.zernike import HIGHEST_ORDER, zernike_terms
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]

# Bounds of the gain of the negative beam of a chop over that of the positive one, where no rule gives others.
GAIN_RATIOS = (0.0, 3.0)
_FITTED_TERMS = frozenset(term.label for term in zernike_terms(HIGHEST_ORDER, 2))


def parameter_unit(name: str) -> str:
    """Unit of a parameter by its name: `dB`, `rad`, `m`, or empty."""
    kind = name.split("[")[0]
    if kind.startswith("Z("):
        return "rad"
    return {"_db": "dB", "_rad": "rad", "_m": "m"}.get(kind[kind.rfind("_") :], "")


@dataclass(frozen=True)
class ParameterSet:
    """Start, bounds and priors of every parameter of a layout, as arrays over its names.

    Parameters
    ----------
    layout : ParameterLayout
    free : array of bool
    start, lower, upper, prior_mean, prior_sigma : array
        In the unit of each name.
    illumination_kind : str
        Kind of the illumination, of which some have no taper.
    """

    layout: ParameterLayout
    free: NDArray[np.bool_]
    start: FloatArray
    lower: FloatArray
    upper: FloatArray
    prior_mean: FloatArray
    prior_sigma: FloatArray
    illumination_kind: str = "gaussian"

    @classmethod
    def of_telescope(
        cls,
        layout: ParameterLayout,
        telescope: Telescope,
        rules: Mapping[str, ParameterRule],
        largest_defocus_error_m: float = np.inf,
    ) -> ParameterSet:
        """Defaults of the telescope with the user's rules applied.

        Free by default are the coefficients, the pointing of each map, and the taper where the telescope says so.

        Parameters
        ----------
        layout : ParameterLayout
        telescope : Telescope
        rules : mapping of str to ParameterRule
        largest_defocus_error_m : float, metres
            Bound of the errors of dz where no rule gives one.

        Returns
        -------
        ParameterSet

        Raises
        ------
        ConfigurationError
            For a rule whose name is unknown, or a start outside its bounds.
        """
        count = len(layout.names)
        values = cls(
            layout,
            np.zeros(count, bool),
            np.zeros(count),
            np.full(count, -np.inf),
            np.full(count, np.inf),
            np.zeros(count),
            np.full(count, np.inf),
            telescope.illumination.kind,
        )
        values.free[layout.slice_of("modes")] = True
        values.free[layout.slice_of("pointing_u_rad")] = True
        values.free[layout.slice_of("pointing_v_rad")] = True
        ratio = layout.slice_of("chop_gain_ratio")
        values.start[ratio], values.lower[ratio], values.upper[ratio] = 1.0, *GAIN_RATIOS
        error = layout.slice_of("defocus_error_m")
        values.lower[error], values.upper[error] = -largest_defocus_error_m, largest_defocus_error_m
        taper, illumination = layout.slice_of("edge_taper_db"), telescope.illumination
        values.free[taper] = illumination.edge_taper_free
        values.start[taper] = illumination.edge_taper_db
        if illumination.edge_taper_free:
            values.lower[taper], values.upper[taper] = illumination.edge_taper_min_db, illumination.edge_taper_max_db
        for name, rule in rules.items():
            for place in values._places(name):
                values._apply(place, name, rule)
        return values

    def _places(self, name: str) -> list[int]:
        """Places of a rule's parameter."""
        names = self.layout.names
        if name in names:
            return [names.index(name)]
        if name in MAP_PARAMETERS:
            return list(range(len(names)))[self.layout.slice_of(name)]
        if name in _FITTED_TERMS:
            raise ConfigurationError(
                "the term is above the highest order of the fit", key=f"parameters.{name}", remedy="raise the order"
            )
        kind, _, number = name.removesuffix("]").partition("[")
        if kind in MAP_PARAMETERS and number.isdecimal():
            maps = sum(one.startswith(f"{kind}[") for one in names)
            raise ConfigurationError(
                f"there is no map {number}",
                key=f"parameters.{name}",
                remedy=f"the maps are numbered from 1 to {maps}; {kind} alone is of all maps",
            )
        known = ", ".join(
            [
                "Z(n,l) with n from 2 to 12 and n - |l| even",
                *SHAPE_PARAMETERS,
                *RESPONSE_PARAMETERS,
                *(f"{kind} or {kind}[map]" for kind in MAP_PARAMETERS),
            ]
        )
        raise ConfigurationError("is not a parameter", key=f"parameters.{name}", remedy=f"the parameters are {known}")

    def _apply(self, place: int, name: str, rule: ParameterRule) -> None:
        for field, target in (("free", self.free), ("start", self.start), ("lower", self.lower), ("upper", self.upper)):
            value = getattr(rule, field)
            if value is not None:
                target[place] = value
        if name == "edge_taper_db" and self.free[place] and self.illumination_kind in ("tophat", "alma"):
            raise ConfigurationError(
                f"a {self.illumination_kind} illumination has no taper to fit",
                key=f"parameters.{name}.free",
                value="true",
            )
        if rule.prior_sigma is not None and not self.free[place]:
            raise ConfigurationError(
                "the parameter is fixed, so a prior has no effect",
                key=f"parameters.{name}.prior_sigma",
                value=rule.prior_sigma,
                remedy="set free = true as well",
            )
        if rule.prior_sigma is not None:
            self.prior_sigma[place] = rule.prior_sigma
            self.prior_mean[place] = self.start[place] if rule.prior_mean is None else rule.prior_mean
        elif rule.prior_mean is not None:
            raise ConfigurationError(
                "a prior has a mean but no width",
                key=f"parameters.{name}.prior_mean",
                value=rule.prior_mean,
                remedy="set prior_sigma as well",
            )
        if self.free[place] and not self.lower[place] <= self.start[place] <= self.upper[place]:
            raise ConfigurationError(
                f"the start is outside the bounds {self.lower[place]:g} to {self.upper[place]:g}",
                key=f"parameters.{name}.start",
                value=f"{self.start[place]:g}",
                remedy="set start, lower and upper together",
            )

    def with_modes_up_to(self, order: int, orders: NDArray[np.int64]) -> ParameterSet:
        """The same with the coefficients above an order held at zero.

        Parameters
        ----------
        order : int
        orders : array of int, shape (modes,)
            Radial order of each coefficient.

        Returns
        -------
        ParameterSet
        """
        free, start = self.free.copy(), self.start.copy()
        above = np.flatnonzero(orders > order)
        free[above], start[above] = False, 0.0
        return replace(self, free=free, start=start)

    @property
    def free_names(self) -> tuple[str, ...]:
        """Names of the free parameters, in the order of the solver."""
        return tuple(name for name, free in zip(self.layout.names, self.free, strict=True) if free)

    def for_solver(self, device: torch.device | str) -> FreeParameters:
        """The same as the solver takes it."""
        index = np.flatnonzero(self.free)
        inverse = np.full(self.free.size, index.size)
        inverse[index] = np.arange(index.size)
        place = inverse[self.layout.column_parameters().numpy()]
        columns = np.flatnonzero((place < index.size).any(axis=0))

        def chosen(array: FloatArray) -> torch.Tensor:
            return torch.as_tensor(array[index], device=device)

        return FreeParameters(
            index=torch.as_tensor(index, device=device),
            lower=chosen(self.lower),
            upper=chosen(self.upper),
            prior_mean=chosen(self.prior_mean),
            prior_sigma=chosen(self.prior_sigma),
            columns=torch.as_tensor(columns),  # only ever listed
            place=torch.as_tensor(place[:, columns], device=device),
        )
