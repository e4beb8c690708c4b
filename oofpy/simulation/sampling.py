"""Where the simulated telescope takes its samples: grids, on-the-fly rasters, daisies, given positions.

The order of the samples is the order in time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import ConfigurationError
from oofpy.observation import Observation
from oofpy.simulation.ranges import require_between, require_count

FloatArray = NDArray[np.float64]
Positions = tuple[FloatArray, FloatArray]


class Sampling(Protocol):
    """What gives every map the directions of its samples."""

    @property
    def half_width_rad(self) -> float:
        """Largest distance of a sample from the centre along u or v, in radians."""
        ...

    def positions(self, maps: int) -> tuple[Positions, ...]:
        """Directions (u, v) of the samples of every map, in radians."""
        ...


@dataclass(frozen=True, slots=True)
class Grid:
    """A square grid, the same for every map, row by row.

    Parameters
    ----------
    points : int
        Points along u and along v.
    half_width_rad : float, radians
        Distance of the outermost points from the centre along u and v.
    """

    points: int
    half_width_rad: float

    def __post_init__(self) -> None:
        require_count("points", self.points, 2)
        require_between("half_width_rad", self.half_width_rad, 0, 0.5, open_below=True)

    @property
    def spacing_rad(self) -> float:
        """Distance between neighbouring points in radians."""
        return 2 * self.half_width_rad / (self.points - 1)

    def positions(self, maps: int) -> tuple[Positions, ...]:
        """Directions (u, v) of the samples of every map, in radians."""
        axis = (np.arange(self.points) - (self.points - 1) / 2) * self.spacing_rad
        v, u = np.meshgrid(axis, axis, indexing="ij")
        return ((u.ravel(), v.ravel()),) * maps


@dataclass(frozen=True, slots=True)
class Raster:
    """On-the-fly rows along u, scanned to and fro, with uneven spacing; other positions in every map.

    Parameters
    ----------
    rows, samples_per_row : int
        Rows of the map, and samples in each.
    half_width_rad : float, radians
        No sample is farther than this from the centre along u or v.
    jitter : float
        How far a sample, and a row, may lie from even spacing: anywhere within this part of its cell, 0 to 1.
    wobble : float
        How far a sample may lie off its row: the same, in parts of what is left of the row's cell.
    seed : int
        Of the random positions.
    """

    rows: int
    samples_per_row: int
    half_width_rad: float
    jitter: float = 0.5
    wobble: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        require_count("rows", self.rows, 2)
        require_count("samples_per_row", self.samples_per_row, 2)
        require_between("half_width_rad", self.half_width_rad, 0, 0.5, open_below=True)
        require_between("jitter", self.jitter, 0, 1)
        require_between("wobble", self.wobble, 0, 1)
        require_count("seed", self.seed, 0)

    def positions(self, maps: int) -> tuple[Positions, ...]:
        """Directions (u, v) of the samples of every map, in radians."""
        return tuple(self._one_map(np.random.default_rng([self.seed, number])) for number in range(maps))

    def _one_map(self, rng: np.random.Generator) -> Positions:
        shape = (self.rows, self.samples_per_row)
        # Shifts within a sample's own cell keep every sample inside the map and the rows in order.
        along = np.arange(self.samples_per_row) + 0.5 + self.jitter * rng.uniform(-0.5, 0.5, shape)
        along[1::2] = along[1::2, ::-1]
        row = np.arange(self.rows)[:, None] + 0.5 + self.jitter * rng.uniform(-0.5, 0.5, (self.rows, 1))
        across = row + (1 - self.jitter) * self.wobble * rng.uniform(-0.5, 0.5, shape)
        u = (2 * along / self.samples_per_row - 1) * self.half_width_rad
        v = (2 * across / self.rows - 1) * self.half_width_rad
        return u.ravel(), v.ravel()


@dataclass(frozen=True, slots=True)
class Daisy:
    """A rosette of petals through the centre, turned by a random angle in every map.

    Parameters
    ----------
    petals : int
        Number of petals; an odd number spaces them evenly.
    samples : int
        Samples of a map, equally spaced in time.
    half_width_rad : float, radians
        Length of a petal.
    seed : int
        Of the random angles.
    """

    petals: int
    samples: int
    half_width_rad: float
    seed: int = 0

    def __post_init__(self) -> None:
        require_count("petals", self.petals, 1)
        require_count("samples", self.samples, 2)
        require_between("half_width_rad", self.half_width_rad, 0, 0.5, open_below=True)
        require_count("seed", self.seed, 0)

    def positions(self, maps: int) -> tuple[Positions, ...]:
        """Directions (u, v) of the samples of every map, in radians."""
        time = (np.arange(self.samples) + 0.5) / self.samples
        radius = self.half_width_rad * np.sin(math.pi * self.petals * time)
        found = []
        for number in range(maps):
            angle = math.pi * time + np.random.default_rng([self.seed, number]).uniform(0, 2 * math.pi)
            found.append((radius * np.cos(angle), radius * np.sin(angle)))
        return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class GivenPositions:
    """The samples of an observation that exists, or any others.

    Parameters
    ----------
    directions : tuple of (u, v) arrays, radians
        One pair for every map; maps may differ in length.
    """

    directions: tuple[Positions, ...]

    def __post_init__(self) -> None:
        pairs = tuple((np.array(u, float).ravel(), np.array(v, float).ravel()) for u, v in self.directions)
        for number, (u, v) in enumerate(pairs, start=1):
            if u.size != v.size or u.size == 0 or not np.isfinite([u, v]).all():
                raise ConfigurationError(
                    "u and v must be finite, of one length and not empty",
                    key=f"directions of map {number}",
                    value=f"{u.size} u, {v.size} v",
                )
        object.__setattr__(self, "directions", pairs)
        require_between("largest direction in rad", self.half_width_rad, 0, 0.5, open_below=True)

    @classmethod
    def of(cls, observation: Observation) -> GivenPositions:
        """Take the used samples of an observation."""
        return cls(tuple((one.u_rad[one.used], one.v_rad[one.used]) for one in observation.maps))

    @property
    def half_width_rad(self) -> float:
        """Largest distance of a sample from the centre along u or v, in radians."""
        return max(float(np.abs(axis).max()) for pair in self.directions for axis in pair)

    def positions(self, maps: int) -> tuple[Positions, ...]:
        """Directions (u, v) of the samples of every map, in radians."""
        if maps != len(self.directions):
            raise ConfigurationError(
                "there must be positions for every map",
                key="directions",
                value=len(self.directions),
                remedy=f"give {maps}, one for every defocus",
            )
        return self.directions
