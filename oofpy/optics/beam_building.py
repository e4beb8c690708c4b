"""Building the beam model of a batch of observations: how finely to sample, and which propagator to take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from oofpy.errors import InputError
from oofpy.observing import Observing
from oofpy.optics.aperture import ApertureSampling, area_aperture, band_limited_aperture, pixels_needed
from oofpy.optics.beam import BeamModel
from oofpy.optics.defocus import defocus_images, has_lateral_formula, lateral_images, steepest_path
from oofpy.optics.fixed_phase import fixed_phase, fixed_slope_beams
from oofpy.optics.illumination import illuminate
from oofpy.optics.layout import ParameterLayout
from oofpy.optics.parameter_names import SHAPE_PARAMETERS
from oofpy.optics.projection import Projection, Transform
from oofpy.optics.propagation import (
    FullTransform,
    MatrixTransform,
    PaddedTransform,
    all_alike,
    fast_size,
    matrix_is_cheaper,
)
from oofpy.optics.response import BaselineGrid, band_frequencies, mixes_beams, observed_response, reach_rad
from oofpy.optics.sky import FINE_PER_BEAM, NODES_PER_BEAM, Positions, SkySampling, sky_sampling
from oofpy.optics.zernike import ZernikeTerm, zernike_basis
from oofpy.telescope import Geometry, Telescope

# Z(n,0) has a slope of n (n + 2) / 2 rad/R at the rim for each radian, and beyond the rim, where the filter of the mask
# still reaches, a term grows with the n-th power. With this many cycles a diameter a surface of 0.3 rad rms errs by a
# few 1e-4 of each map's peak at every order (tested against finer sampling).
_SURFACE_CYCLES = 0.02
_MOST_PIXELS = 400
_ROUGH_NODES_PER_BEAM = 1.8


def beam_model(
    telescope: Telescope,
    positions: list[list[Positions]],
    defocus_m: torch.Tensor,
    wavelength_m: torch.Tensor,
    terms: tuple[ZernikeTerm, ...],
    *,
    observing: Sequence[Observing] | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float64,
    rough: bool = False,
) -> BeamModel:
    """Build the model of a batch of observations.

    Parameters
    ----------
    telescope : Telescope
        The telescope of all of them.
    positions : list (observations) of list (maps) of (u, v) arrays, radians
        Directions of the samples; of one observation where all share them and the wavelength.
    defocus_m : Tensor, shape (observations, maps), metres
        Nominal defocus.
    wavelength_m : Tensor, shape (observations,), metres
        Wavelengths, at the centre of a band.
    terms : tuple of ZernikeTerm
        Terms of the phase.
    observing : sequence (observations) of Observing, optional
        How they were taken; by default a point source at infinity at one frequency.
    device : device
        Where the tensors live.
    dtype : torch.float64 or torch.float32
        Precision of the transforms.
    rough : bool
        Good to a hundredth of the peak instead of a few 1e-4 of it, at a fraction of the cost: to find the
        neighbourhood of a minimum.

    Returns
    -------
    BeamModel
        With the cheapest propagator.

    Raises
    ------
    InputError
        If the maps or the defocus ask for more than 400 pixels across the dish, which no sensible observation does.
    """
    taken = tuple(observing or (Observing(),) * defocus_m.shape[0])
    beams = (wavelength_m / (2 * telescope.geometry.dish_radius_m)).tolist()
    sky = sky_sampling(positions, beams[: len(positions)], _ROUGH_NODES_PER_BEAM if rough else NODES_PER_BEAM)
    demand = _Demand.of(telescope, sky, defocus_m, beams, taken)
    pixels = demand.pixels(terms)
    aperture = area_aperture(telescope, pixels) if rough else band_limited_aperture(telescope, pixels)
    k = 2 * math.pi / wavelength_m
    ratio, weight = _bands(taken, demand.cycles)
    complex_dtype = torch.complex128 if dtype == torch.float64 else torch.complex64
    if any(mixes_beams(one) for one in taken):
        grid, nodes = _responding(taken, aperture, sky, k, (ratio, weight), complex_dtype)
    else:
        grid, nodes = _plain(aperture, sky, k, complex_dtype)
    x, y = aperture.mesh(device)
    radius = telescope.geometry.dish_radius_m
    basis = zernike_basis(x / radius, y / radius, terms)
    k = k.to(device)
    return BeamModel(
        telescope=telescope,
        x_m=x,
        y_m=y,
        weight=_normalised_weight(telescope, aperture, x, y),
        defocus_images=defocus_images(telescope.geometry, x, y),
        lateral_images=_lateral_images(telescope.geometry, x, y),
        fixed_phase=fixed_phase(taken, telescope.geometry, x, y, k),
        basis=basis,
        layout=ParameterLayout(tuple(term.label for term in terms), defocus_m.shape[1]),
        sky=sky.to(device),
        defocus_m=defocus_m.to(device),
        wavenumber_per_m=k,
        frequency_ratio=ratio.to(device),
        grid=grid.to(device),
        nodes=nodes.to(device),
        single_basis=basis.float(),
    )


def _lateral_images(geometry: Geometry, x_m: torch.Tensor, y_m: torch.Tensor) -> torch.Tensor:
    """Paths of lateral moves; zero where there is no formula, and then none may be fitted."""
    return lateral_images(geometry, x_m, y_m) if has_lateral_formula(geometry) else torch.stack([x_m, y_m]) * 0


def _bands(observing: tuple[Observing, ...], cycles: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Frequencies of every observation over its central one, and their weights, (observations, frequencies)."""
    found = [band_frequencies(one.fractional_bandwidth, cycles) for one in observing]
    most = max(ratio.size for ratio, _ in found)
    # A band with fewer frequencies than another of the batch gets the same number, some without weight.
    padded = [
        (np.pad(ratio, (0, most - ratio.size), constant_values=1.0), np.pad(weight, (0, most - ratio.size)))
        for ratio, weight in found
    ]
    return (
        torch.from_numpy(np.stack([ratio for ratio, _ in padded])),
        torch.from_numpy(np.stack([weight for _, weight in padded])),
    )


def _plain(
    aperture: ApertureSampling, sky: SkySampling, wavenumber_per_m: torch.Tensor, dtype: torch.dtype
) -> tuple[Projection, Projection]:
    """Straight to the directions of the maps, and to the nodes."""
    axis = torch.as_tensor(aperture.axis_m.copy())
    transform: Transform = _matrix_transform(axis, sky.u_rad, sky.v_rad, wavenumber_per_m, dtype)
    window = sky.fine_window
    if window is not None:
        padded = FINE_PER_BEAM * aperture.pixels_across
        if not matrix_is_cheaper(axis.numel(), padded, window.count_u, window.count_v):
            transform = PaddedTransform(axis.numel(), padded, *window, dtype)
    # The curvature needs no more than single precision: the step it gives is corrected by the next one.
    nodes = _matrix_transform(axis, sky.node_u_rad, sky.node_v_rad, wavenumber_per_m, torch.complex64)
    return Projection(transform), Projection(nodes)


def _responding(
    observing: tuple[Observing, ...],
    aperture: ApertureSampling,
    sky: SkySampling,
    wavenumber_per_m: torch.Tensor,
    bands: tuple[torch.Tensor, torch.Tensor],
    dtype: torch.dtype,
) -> tuple[Projection, Projection]:
    """By way of the power in all directions and its baselines, to the maps and to the nodes."""
    pixels = aperture.axis_m.size
    grid = BaselineGrid(pixels, fast_size(2 * pixels), aperture.pitch_m)
    made = []
    for axes, precision in (((sky.u_rad, sky.v_rad), dtype), ((sky.node_u_rad, sky.node_v_rad), torch.complex64)):
        response = observed_response(observing, grid, wavenumber_per_m, *bands, axes).in_precision(precision)
        made.append(Projection(FullTransform(pixels, grid.padded_size, precision), response))
    return made[0], made[1]


def _normalised_weight(
    telescope: Telescope, aperture: ApertureSampling, x_m: torch.Tensor, y_m: torch.Tensor
) -> torch.Tensor:
    weight = torch.as_tensor(aperture.weight.copy(), device=x_m.device)
    nominal = {name: x_m.new_zeros(1) for name in SHAPE_PARAMETERS}
    nominal["edge_taper_db"] = x_m.new_tensor([telescope.illumination.edge_taper_db])
    radius = telescope.geometry.dish_radius_m
    amplitude = illuminate(telescope.illumination, x_m, y_m, radius, nominal).amplitude[0]
    return weight / (weight * amplitude).sum()


@dataclass(frozen=True)
class _Demand:
    """What asks for pixels across the dish, in cycles of phase a diameter.

    Parameters
    ----------
    map_edge : float
        Largest direction that contributes to a sample.
    defocus : float
        Steepest path of the defocus.
    known : float
        Steepest phase that is known beforehand.
    order : int
        Highest order of a correction on the dish.
    highest_frequency : float
        Over the central one.
    """

    map_edge: float
    defocus: float
    known: float
    order: int
    highest_frequency: float

    @classmethod
    def of(
        cls,
        telescope: Telescope,
        sky: SkySampling,
        defocus_m: torch.Tensor,
        beams_rad: list[float],
        observing: tuple[Observing, ...],
    ) -> _Demand:
        scale = torch.tensor(beams_rad, dtype=torch.float64)[:, None, None]
        edge = max(float((axes.abs() / scale).max()) for axes in (sky.u_rad, sky.v_rad))
        reach = max(reach_rad(one) / beam for one, beam in zip(observing, beams_rad, strict=True))
        return cls(
            map_edge=edge + reach,
            defocus=steepest_path(telescope.geometry, defocus_m) / min(beams_rad),
            known=max(
                fixed_slope_beams(one, telescope.geometry, beam) for one, beam in zip(observing, beams_rad, strict=True)
            ),
            order=max((n for one in observing if one.applied for n, _, _ in one.applied.coefficients), default=0),
            highest_frequency=1 + max(one.fractional_bandwidth for one in observing) / 2,
        )

    @property
    def cycles(self) -> float:
        """Cycles a diameter of everything but the surface, at the highest frequency."""
        return (self.map_edge + self.defocus + self.known) * self.highest_frequency

    def pixels(self, terms: tuple[ZernikeTerm, ...]) -> int:
        order = max([self.order, *(term.n for term in terms)])
        pixels = pixels_needed(self.cycles + _SURFACE_CYCLES * order**2 * (order + 2))
        if pixels > _MOST_PIXELS:
            raise InputError(
                f"the model would need {pixels} pixels across the dish, more than {_MOST_PIXELS}: the maps and what "
                f"adds to them reach {self.map_edge:.0f} lambda/D, the defocus adds {self.defocus:.0f} cycles a "
                f"diameter, and a source nearby {self.known:.0f}",
                key="u, v, dz",
                remedy="check the units of u, v, dz, of the chop and of the source's size and distance, or leave out "
                "the outer samples with --radius",
            )
        return pixels


def _matrix_transform(
    axis_m: torch.Tensor,
    u_rad: torch.Tensor,
    v_rad: torch.Tensor,
    wavenumber_per_m: torch.Tensor,
    dtype: torch.dtype,
) -> MatrixTransform:
    """Kernels for all maps, or one pair of kernels where all maps share their axes (one large matrix product)."""
    q_u, q_v = (axes * wavenumber_per_m[:, None, None] for axes in (u_rad, v_rad))
    if all_alike(q_u) and all_alike(q_v):
        q_u, q_v = q_u[0, 0], q_v[0, 0]
    return MatrixTransform.on_axes(axis_m, axis_m, q_u, q_v, dtype)
