"""Illumination of the aperture by the receiver, and its derivatives.

All profiles are functions of `s`, the squared distance from the illumination's centre in units of the dish
radius, made elliptical as `r^2 + p dx dy + q (dx^2 - dy^2)` (Nikolic 2018, arXiv:1805.07439).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from oofpy.optics.parameter_names import SHAPE_PARAMETERS
from oofpy.telescope import Illumination

_NEPER_PER_DB = math.log(10) / 20


class IlluminationField(NamedTuple):
    """Field amplitude over the aperture and its derivatives.

    Parameters
    ----------
    amplitude : Tensor, shape (batch, y, x)
        1 at the centre of the illumination.
    derivatives : dict of str to Tensor, shape (batch, y, x)
        Derivative by each shape parameter, by its name.
    """

    amplitude: torch.Tensor
    derivatives: dict[str, torch.Tensor]


def illuminate(
    illumination: Illumination,
    x_m: torch.Tensor,
    y_m: torch.Tensor,
    radius_m: float,
    shape: dict[str, torch.Tensor],
) -> IlluminationField:
    """Evaluate the illumination of a telescope.

    Parameters
    ----------
    illumination : Illumination
        Which profile, and its fixed numbers.
    x_m, y_m : Tensor, shape (y, x), metres
        Pixel coordinates.
    radius_m : float, metres
        Dish radius, where the taper is quoted.
    shape : dict of str to Tensor, shape (batch,)
        The parameters of `SHAPE_PARAMETERS`: taper in dB (negative), offsets in metres, ellipticities.

    Returns
    -------
    IlluminationField
        Amplitude and its derivative by each of `SHAPE_PARAMETERS`.
    """
    taper, x0, y0, p, q = (shape[name][:, None, None] for name in SHAPE_PARAMETERS)
    dx, dy = (x_m - x0) / radius_m, (y_m - y0) / radius_m
    s = dx * dx + dy * dy + p * dx * dy + q * (dx * dx - dy * dy)
    amplitude, by_s, by_taper = _PROFILES[illumination.kind](illumination, s, taper)
    return IlluminationField(
        amplitude,
        {
            "edge_taper_db": by_taper,
            "illumination_x_m": -by_s * (2 * dx + p * dy + 2 * q * dx) / radius_m,
            "illumination_y_m": -by_s * (2 * dy + p * dx - 2 * q * dy) / radius_m,
            "ellipticity_p": by_s * dx * dy,
            "ellipticity_q": by_s * (dx * dx - dy * dy),
        },
    )


Profile = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def _gaussian(_: Illumination, s: torch.Tensor, taper_db: torch.Tensor) -> Profile:
    rate = _NEPER_PER_DB * taper_db
    amplitude = torch.exp(rate * s)
    return amplitude, rate * amplitude, _NEPER_PER_DB * s * amplitude


def _pedestal(illumination: Illumination, s: torch.Tensor, taper_db: torch.Tensor) -> Profile:
    exponent = illumination.pedestal_exponent
    assert exponent is not None
    edge = torch.exp(_NEPER_PER_DB * taper_db)
    # Beyond the rim the band-limited mask still asks for values; the even continuation is smooth for q = 2.
    depth = (1 - s).abs()
    dome = depth**exponent
    by_s = -(1 - edge) * exponent * torch.sign(1 - s) * depth ** (exponent - 1)
    return edge + (1 - edge) * dome, by_s, _NEPER_PER_DB * edge * (1 - dome)


def _tophat(_: Illumination, s: torch.Tensor, taper_db: torch.Tensor) -> Profile:
    zero = torch.zeros_like(s * taper_db)
    return zero + 1, zero, zero


def _alma(illumination: Illumination, s: torch.Tensor, taper_db: torch.Tensor) -> Profile:
    width = illumination.width
    assert width is not None
    g = torch.exp(-s / width**2)
    amplitude = torch.sqrt(g * (2 - g))
    by_s = -(1 - g) * g / width**2 / amplitude
    return amplitude, by_s, torch.zeros_like(s * taper_db)


_PROFILES = {"gaussian": _gaussian, "pedestal": _pedestal, "tophat": _tophat, "alma": _alma}
