"""From fields over the aperture to the power at the samples of every map, by zero-padded FFT.

The pitch of the aperture pixels is free. For a regular grid of samples it is chosen such that directions of
the FFT fall on the samples; scattered samples are interpolated from a grid of at least eight directions per
lambda/D, in power, which is band-limited to one cycle per lambda/D.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.errors import ConfigurationError
from oofpy.optics.propagation import PaddedTransform, fast_size
from oofpy.simulation.covered_area import MARGIN_PIXELS, aperture_axis
from oofpy.simulation.ranges import require_between, require_count
from oofpy.simulation.sampling import FloatArray, Grid, Positions, Sampling

# On eight points per lambda/D these err by 1e-7 of a wave at the edge of the band, and by less within it.
_TAPS = 14
_FINE_PER_BEAM = 8
_KAISER_BETA = 16.0

DEFAULT_PIXELS_ACROSS = 512
_PIXELS_PER_CYCLE = 16
_LEAST_PIXELS_PER_CYCLE = 4
_MOST_PIXELS_ACROSS = 4096


@dataclass(frozen=True)
class Dish:
    """What the choice of the pixels depends on.

    Parameters
    ----------
    radius_m : float, metres
        Radius of the dish.
    wavelength_m : float, metres
        Wavelength.
    pixels_across : int
        Least number of pixels across the dish.
    highest_frequency : float
        Upper edge of the band over the frequency of the wavelength.
    """

    radius_m: float
    wavelength_m: float
    pixels_across: int
    highest_frequency: float = 1.0

    @property
    def beam_rad(self) -> float:
        """lambda/D in radians."""
        return self.wavelength_m / (2 * self.radius_m)


class Picker(Protocol):
    """What takes the power on the directions of the FFT, shape (maps, v, u), to samples (maps, samples)."""

    def __call__(self, power: torch.Tensor) -> torch.Tensor:
        """Take the power of the maps to their samples."""
        ...


@dataclass(frozen=True)
class EveryNth:
    """Samples that are directions of the FFT, every `stride`-th of them."""

    stride: int

    def __call__(self, power: torch.Tensor) -> torch.Tensor:
        """Take the power of the maps to their samples."""
        return power[..., :: self.stride, :: self.stride].flatten(-2)


@dataclass(frozen=True)
class Interpolation:
    """Scattered samples, by a Kaiser-windowed sinc along each axis.

    Parameters
    ----------
    place : Tensor of int, shape (maps, samples, taps, taps)
        Places in the flattened (v, u) grid.
    along_v, along_u : Tensor, shape (maps, samples, taps)
        Kernel.
    """

    place: torch.Tensor
    along_v: torch.Tensor
    along_u: torch.Tensor

    def __call__(self, power: torch.Tensor) -> torch.Tensor:
        """Take the power of the maps to their samples."""
        values = []
        for one, place, along_v, along_u in zip(power, self.place, self.along_v, self.along_u, strict=True):
            patch = one.flatten()[place]
            values.append(((patch @ along_u[..., None])[..., 0] * along_v).sum(-1))
        return torch.stack(values)

    def to(self, device: torch.device | str) -> Interpolation:
        """Move to a device."""
        return replace(
            self,
            place=self.place.to(device),
            along_v=self.along_v.to(device),
            along_u=self.along_u.to(device),
        )


@dataclass(frozen=True)
class DirectionPlan:
    """How the samples are reached.

    Parameters
    ----------
    axis_m : array, shape (pixels,), metres
        Pixel centres of the aperture along x and along y.
    transform : PaddedTransform
        From the aperture to the directions that are needed.
    step_rad : float, radians
        Distance between neighbouring directions of the transform.
    origin_rad : float, radians
        What is added to u and to v of every direction of the transform.
    pick : EveryNth or Interpolation
        From these directions to the samples.
    """

    axis_m: FloatArray
    transform: PaddedTransform
    step_rad: float
    origin_rad: float
    pick: Picker

    def axes_rad(self) -> tuple[FloatArray, FloatArray]:
        """Directions u and v of the transform before the origin is added, in radians."""
        kept = self.transform
        places = (np.arange(kept.count_u) + kept.first_u, np.arange(kept.count_v) + kept.first_v)
        u, v = (np.asarray(place * self.step_rad, np.float64) for place in places)
        return u, v


def pixels_for(cycles: float, wanted: int | None) -> int:
    """Choose the pixels across the dish, or check the wish for them.

    Parameters
    ----------
    cycles : float
        Cycles of phase across the dish, of the farthest direction and of the paths at the rim together.
    wanted : int, optional
        None: 512, or more where these cycles need it.

    Raises
    ------
    ConfigurationError
        If they are too many to be simulated, or too few for these cycles.
    """
    if wanted is None:
        wanted = max(DEFAULT_PIXELS_ACROSS, 2 * math.ceil(_PIXELS_PER_CYCLE / 2 * cycles))
        if wanted > _MOST_PIXELS_ACROSS:
            raise ConfigurationError(
                "are more than can be simulated",
                key="cycles of phase across the dish, from half_width_rad, defocus_m and observing",
                value=f"{cycles:.0f}",
                remedy="take smaller maps or moves, or check their units (radians and metres)",
            )
    require_count("pixels_across", wanted, math.ceil(_LEAST_PIXELS_PER_CYCLE * cycles))
    require_between("pixels_across", wanted, 32, _MOST_PIXELS_ACROSS)
    return wanted


def plan_directions(dish: Dish, sampling: Sampling, maps: int, device: torch.device | str) -> DirectionPlan:
    """Choose the pixels, the length of the FFT and the way to the samples.

    Parameters
    ----------
    dish : Dish
        Its radius in metres, the wavelength and the least number of pixels.
    sampling : Sampling
        Samples of the maps.
    maps : int
        How many maps.
    device : device
        Where the tensors live.

    Returns
    -------
    DirectionPlan
    """
    if isinstance(sampling, Grid):
        return _on_grid(dish, sampling)
    return _scattered(dish, sampling.positions(maps), device)


def _on_grid(dish: Dish, grid: Grid) -> DirectionPlan:
    # The FFT must be longer than the aperture: on a coarse grid only every stride-th direction is a sample.
    longest = 1 + 2 * (MARGIN_PIXELS + 1) / dish.pixels_across
    spacing_in_beams = grid.spacing_rad / dish.beam_rad
    stride = max(1, math.ceil(spacing_in_beams * longest))
    size = fast_size(math.ceil(stride * dish.pixels_across / spacing_in_beams))
    pitch = dish.wavelength_m * stride / (size * grid.spacing_rad)
    axis = aperture_axis(dish.radius_m, pitch)
    first, count = -(grid.points // 2) * stride, (grid.points - 1) * stride + 1
    # With an even number of points none is at zero: the directions are shifted by half a spacing.
    origin = 0.0 if grid.points % 2 else grid.spacing_rad / 2
    transform = PaddedTransform(axis.size, size, first, count, first, count)
    return DirectionPlan(axis, transform, grid.spacing_rad / stride, origin, EveryNth(stride))


def _scattered(dish: Dish, positions: tuple[Positions, ...], device: torch.device | str) -> DirectionPlan:
    pitch = 2 * dish.radius_m / dish.pixels_across
    size = fast_size(math.ceil(_FINE_PER_BEAM * dish.pixels_across * dish.highest_frequency))
    step = dish.wavelength_m / (size * pitch)
    axis = aperture_axis(dish.radius_m, pitch)
    firsts, counts = [], []
    for side in (0, 1):
        lowest = min(pair[side].min() for pair in positions)
        highest = max(pair[side].max() for pair in positions)
        firsts.append(math.floor(lowest / step) - _TAPS // 2)
        counts.append(math.ceil(highest / step) + _TAPS // 2 + 1 - firsts[-1])
    samples = max(u.size for u, _ in positions)
    taps = [
        [_taps(np.pad(pair[side], (0, samples - pair[side].size), "edge") / step - firsts[side]) for pair in positions]
        for side in (0, 1)
    ]
    u_place, v_place = (torch.from_numpy(np.stack([place for place, _ in side])) for side in taps)
    along_u, along_v = (torch.from_numpy(np.stack([value for _, value in side])) for side in taps)
    place = v_place[..., :, None] * counts[0] + u_place[..., None, :]
    transform = PaddedTransform(axis.size, size, firsts[0], counts[0], firsts[1], counts[1])
    return DirectionPlan(axis, transform, step, 0.0, Interpolation(place, along_v, along_u).to(device))


def _taps(position: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """Grid points and weights at fractional grid positions; shapes (samples, taps)."""
    place = np.floor(position).astype(np.int64)[:, None] + np.arange(_TAPS) - (_TAPS // 2 - 1)
    offset = position[:, None] - place
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (2 * offset / _TAPS) ** 2, 0, None)))
    weight = np.sinc(offset) * window
    return place, weight / weight.sum(axis=1, keepdims=True)
