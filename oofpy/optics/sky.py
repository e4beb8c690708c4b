"""Where on the sky a model is evaluated, and how its values get to the observed samples.

Maps sampled on a product grid (in any order, with gaps, with any spacing) are evaluated at their own
directions. Scattered samples are reached from a grid eight times finer than lambda/D by a Kaiser-windowed
sinc of ten taps along each axis. A third, coarse grid of "nodes" carries the curvature of the fit: since the
beam is band-limited, sums of products of its derivatives over many samples equal weighted sums over nodes
spaced a little below lambda/2D.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

_TAPS = 10
FINE_PER_BEAM = 8  # grid points per lambda/D for scattered samples
_KAISER_BETA = 11.0
NODES_PER_BEAM = 2.5  # nodes per lambda/D
_AXIS_TOLERANCE = 1e-5  # of the median spacing: positions closer than this are one row or column


class _SparseProduct(torch.autograd.Function):
    """Product of a sparse matrix with vectors, differentiable by the vectors."""

    @staticmethod
    def forward(ctx, vectors, matrix, transposed):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN205
        ctx.save_for_backward(matrix, transposed)
        return matrix @ vectors

    @staticmethod
    def backward(ctx, cotangent):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN205
        matrix, transposed = ctx.saved_tensors
        return _product(cotangent, transposed, matrix), None, None


def _product(vectors: torch.Tensor, matrix: torch.Tensor, transposed: torch.Tensor) -> torch.Tensor:
    product: torch.Tensor = _SparseProduct.apply(vectors, matrix, transposed)  # type: ignore[no-untyped-call]
    return product


@dataclass(frozen=True)
class SparseOperator:
    """Sparse linear map that acts on every map of every observation.

    Parameters
    ----------
    matrices, transposed : tuple of sparse CSR Tensor, shape (maps * rows, maps * columns)
        One for each observation, block diagonal over its maps; and their transposes. With one observation,
        vectors of any batch size share it.
    maps, rows, columns : int
        Number and size of the blocks.
    """

    matrices: tuple[torch.Tensor, ...]
    transposed: tuple[torch.Tensor, ...]
    maps: int
    rows: int
    columns: int

    @classmethod
    def from_blocks(cls, blocks: list[list[Triples]], rows: int, columns: int) -> SparseOperator:
        """Build from the (row, column, value) triples of every map of every observation."""
        matrices = []
        for observation in blocks:
            row = np.concatenate([block[0] + number * rows for number, block in enumerate(observation)])
            column = np.concatenate([block[1] + number * columns for number, block in enumerate(observation)])
            value = np.concatenate([block[2] for block in observation])
            shape = (len(observation) * rows, len(observation) * columns)
            matrices.append(scipy.sparse.coo_matrix((value, (row, column)), shape=shape))
        forward = tuple(_csr(matrix) for matrix in matrices)
        return cls(forward, tuple(_csr(matrix.T) for matrix in matrices), len(blocks[0]), rows, columns)

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Take values of shape (batch, maps, columns) to (batch, maps, rows)."""
        return self._apply(values, self.matrices, self.transposed, self.rows)

    def adjoint(self, values: torch.Tensor) -> torch.Tensor:
        """Take values of shape (batch, maps, rows) to (batch, maps, columns)."""
        return self._apply(values, self.transposed, self.matrices, self.columns)

    def _apply(
        self,
        values: torch.Tensor,
        matrices: tuple[torch.Tensor, ...],
        transposed: tuple[torch.Tensor, ...],
        length: int,
    ) -> torch.Tensor:
        flat = values.flatten(1)
        if len(matrices) == 1:
            product = _product(flat.T, matrices[0], transposed[0]).T
        else:
            columns = zip(flat, matrices, transposed, strict=True)
            product = torch.stack([_product(v[:, None], m, t)[:, 0] for v, m, t in columns])
        return product.reshape(values.shape[0], self.maps, length)

    def take(self, keep: list[int]) -> SparseOperator:
        """Pick observations."""
        if len(self.matrices) == 1:
            return self
        matrices = tuple(self.matrices[number] for number in keep)
        return replace(self, matrices=matrices, transposed=tuple(self.transposed[number] for number in keep))

    def to(self, device: torch.device | str) -> SparseOperator:
        """Move to a device."""
        matrices = tuple(matrix.to(device) for matrix in self.matrices)
        transposed = tuple(matrix.to(device) for matrix in self.transposed)
        return replace(self, matrices=matrices, transposed=transposed)


Triples = tuple[IndexArray, IndexArray, FloatArray]


def _csr(matrix: scipy.sparse.coo_matrix) -> torch.Tensor:
    compressed = matrix.tocsr()
    with warnings.catch_warnings():
        # torch announces once a process that CSR tensors are in beta.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support")
        return torch.sparse_csr_tensor(
            torch.from_numpy(compressed.indptr.astype(np.int64)),
            torch.from_numpy(compressed.indices.astype(np.int64)),
            torch.from_numpy(compressed.data),
            size=compressed.shape,
            check_invariants=False,  # SciPy has built it; saying nothing would bring a warning
        )


def product_axes(u: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray, IndexArray] | None:
    """Recognise samples on a product grid, in any order and with gaps.

    Parameters
    ----------
    u, v : array, shape (samples,)
        Directions.

    Returns
    -------
    (u_axis, v_axis, index) or None
        Axes in rising order and the place of every sample in the flattened (v, u) grid; None if fewer than
        half of the grid's points are sampled, or a point twice.
    """
    axes = [_distinct(u), _distinct(v)]
    if axes[0][0].size * axes[1][0].size > 2 * u.size:
        return None
    index = axes[1][1] * axes[0][0].size + axes[0][1]
    if np.unique(index).size != index.size:
        return None
    return axes[0][0], axes[1][0], index


def thinned(u: FloatArray, v: FloatArray, spacing: float) -> IndexArray:
    """Pick samples that lie about a spacing apart, of a product grid every so many rows and columns.

    Parameters
    ----------
    u, v : array, shape (samples,)
        Directions.
    spacing : float
        Largest distance between neighbours that are kept, in the unit of the directions. Samples that lie farther
        apart are all kept.

    Returns
    -------
    array of int
        Places of the samples that are kept, in rising order.
    """
    axes = product_axes(u, v)
    if axes is None:
        cell = np.stack([np.floor((side - side.min()) / spacing) for side in (u, v)])
        return np.sort(np.unique(cell, axis=1, return_index=True)[1])
    kept = np.ones(u.size, bool)
    for axis, place in ((axes[0], axes[2] % axes[0].size), (axes[1], axes[2] // axes[0].size)):
        step = max(1, int(spacing * (axis.size - 1) / max(float(np.ptp(axis)), np.finfo(float).tiny)))
        kept &= place % step == (axis.size - 1) // 2 % step
    return np.flatnonzero(kept)


def _distinct(values: FloatArray) -> tuple[FloatArray, IndexArray]:
    """Distinct positions along an axis, those closer than a small part of the spacing taken as one."""
    order = np.argsort(values, kind="stable")
    gaps = np.diff(values[order])
    # Rounding makes many tiny gaps within a row; the spacing is that of the others.
    spacing = np.median(gaps[gaps > 1e-3 * gaps.max()]) if np.any(gaps > 0) else 1.0
    group = np.concatenate([[0], np.cumsum(gaps > _AXIS_TOLERANCE * spacing)])
    index = np.empty(values.size, np.int64)
    index[order] = group
    centres = np.bincount(index, values) / np.bincount(index)
    return centres, index


class FineWindow(NamedTuple):
    """Part of the fine grid evaluated; direction j of an axis is `(first + j) / FINE_PER_BEAM` lambda/D."""

    first_u: int
    count_u: int
    first_v: int
    count_v: int


@dataclass(frozen=True)
class SkySampling:
    """Directions at which the maps of a batch of observations are evaluated, sampled and summed.

    Parameters
    ----------
    u_rad, v_rad : Tensor, shape (observations, maps, directions), radians
        Axes of the product grid on which the far field of each map is evaluated.
    samples : int
        Samples of a map; shorter maps are padded.
    index : Tensor, shape (observations, maps, samples), optional
        Place of each sample in the flattened (v, u) grid.
    interpolation : SparseOperator, optional
        From grid to samples, where the samples are scattered. Exactly one of the two is given.
    fine_window : FineWindow, optional
        Which part of the fine grid the evaluation grid is, where the samples are scattered.
    node_u_rad, node_v_rad : Tensor, shape (observations, maps, nodes), radians
        Axes of the nodes.
    lumping : SparseOperator
        From samples to nodes: shares the weight of a sample among the four nodes around it.
    """

    u_rad: torch.Tensor
    v_rad: torch.Tensor
    samples: int
    index: torch.Tensor | None
    interpolation: SparseOperator | None
    fine_window: FineWindow | None
    node_u_rad: torch.Tensor
    node_v_rad: torch.Tensor
    lumping: SparseOperator

    def sample(self, grids: torch.Tensor) -> torch.Tensor:
        """Take values on the grids (batch, maps, v, u) to the samples (batch, maps, samples)."""
        flat = grids.flatten(-2)
        if self.interpolation is not None:
            return self.interpolation(flat)
        assert self.index is not None
        return flat.gather(-1, self.index.expand(flat.shape[0], -1, -1))

    def sample_adjoint(self, values: torch.Tensor) -> torch.Tensor:
        """Adjoint of `sample`: take values (batch, maps, samples) to the grids (batch, maps, v, u)."""
        shape = (*values.shape[:2], self.v_rad.shape[-1], self.u_rad.shape[-1])
        if self.interpolation is not None:
            return self.interpolation.adjoint(values).reshape(shape)
        assert self.index is not None
        flat = values.new_zeros((*values.shape[:2], shape[2] * shape[3]))
        return flat.scatter_add_(-1, self.index.expand(values.shape[0], -1, -1), values).reshape(shape)

    def node_weights(self, weights: torch.Tensor) -> torch.Tensor:
        """Sum weights of the samples (batch, maps, samples) on the nodes; shape (batch, maps, v * u)."""
        return self.lumping(weights)

    def take(self, keep: list[int]) -> SkySampling:
        """Pick observations; a sampling that all observations share stays as it is."""
        if self.u_rad.shape[0] == 1:
            return self
        return replace(
            self,
            u_rad=self.u_rad[keep],
            v_rad=self.v_rad[keep],
            index=None if self.index is None else self.index[keep],
            interpolation=None if self.interpolation is None else self.interpolation.take(keep),
            node_u_rad=self.node_u_rad[keep],
            node_v_rad=self.node_v_rad[keep],
            lumping=self.lumping.take(keep),
        )

    def to(self, device: torch.device | str) -> SkySampling:
        """Move to a device."""
        return replace(
            self,
            u_rad=self.u_rad.to(device),
            v_rad=self.v_rad.to(device),
            index=None if self.index is None else self.index.to(device),
            interpolation=None if self.interpolation is None else self.interpolation.to(device),
            node_u_rad=self.node_u_rad.to(device),
            node_v_rad=self.node_v_rad.to(device),
            lumping=self.lumping.to(device),
        )


Positions = tuple[FloatArray, FloatArray]


def sky_sampling(
    maps: list[list[Positions]], beam_rad: list[float], nodes_per_beam: float = NODES_PER_BEAM
) -> SkySampling:
    """Choose how to evaluate the maps of a batch of observations.

    Parameters
    ----------
    maps : list (observations) of list (maps) of (u, v) arrays, radians
        Directions of the samples. Every observation has the same number of maps.
    beam_rad : list (observations) of float, radians
        lambda/D of each observation, the unit of all spacings.
    nodes_per_beam : float
        Nodes per lambda/D along each axis.

    Returns
    -------
    SkySampling
        On the samples' own product grids if all maps have one, otherwise on one fine grid with interpolation.
    """
    flat = [positions for observation in maps for positions in observation]
    beams = [beam for beam, observation in zip(beam_rad, maps, strict=True) for _ in observation]
    samples = max(u.size for u, _ in flat)
    # Maps often share their arrays, and the sorting is worth saving.
    distinct = {(id(u), id(v)): (u, v) for u, v in flat}
    recognised = {key: product_axes(u, v) for key, (u, v) in distinct.items()}
    products = [recognised[id(u), id(v)] for u, v in flat]
    shape = (len(maps), len(maps[0]))
    node_u, node_v, lumping = _nodes(flat, shape, samples, min(beam_rad) / nodes_per_beam)
    if any(product is None for product in products):
        u_axes, v_axes, window, interpolation = _fine_grid(flat, shape, samples, beams)
        return SkySampling(u_axes, v_axes, samples, None, interpolation, window, node_u, node_v, lumping)
    found = [product for product in products if product is not None]
    u_axes = _stack([product[0] for product in found], shape)
    v_axes = _stack([product[1] for product in found], shape)
    # Places in the flattened grid follow the padded width of the axes.
    width = u_axes.shape[-1]
    places = [product[2] // product[0].size * width + product[2] % product[0].size for product in found]
    index = _stack(places, shape, samples)
    return SkySampling(u_axes, v_axes, samples, index, None, None, node_u, node_v, lumping)


def _stack(arrays: list[NDArray[Any]], shape: tuple[int, int], length: int | None = None) -> torch.Tensor:
    """Stack arrays of unequal length, the last value repeated, as (observations, maps, length)."""
    length = max(array.size for array in arrays) if length is None else length
    padded = np.stack([np.pad(array, (0, length - array.size), mode="edge") for array in arrays])
    return torch.from_numpy(padded.reshape(*shape, length))


def _fine_grid(
    flat: list[Positions], shape: tuple[int, int], samples: int, beams: list[float]
) -> tuple[torch.Tensor, torch.Tensor, FineWindow, SparseOperator]:
    """One uniform fine grid around the scattered samples of all maps, and the interpolation from it."""
    steps = [beam / FINE_PER_BEAM for beam in beams]
    margin = _TAPS // 2
    firsts, counts = [], []
    for side in (0, 1):
        low = min(math.floor(p[side].min() / step) for p, step in zip(flat, steps, strict=True)) - margin
        high = max(math.ceil(p[side].max() / step) for p, step in zip(flat, steps, strict=True)) + margin
        firsts.append(low)
        counts.append(high - low + 1)
    window = FineWindow(firsts[0], counts[0], firsts[1], counts[1])
    blocks = []
    for (u, v), step in zip(flat, steps, strict=True):
        u_place, u_value = _kernel_taps(u / step - firsts[0])
        v_place, v_value = _kernel_taps(v / step - firsts[1])
        place = v_place[:, :, None] * counts[0] + u_place[:, None, :]
        value = v_value[:, :, None] * u_value[:, None, :]
        blocks.append((np.repeat(np.arange(u.size), _TAPS**2), place.ravel(), value.ravel()))
    operator = SparseOperator.from_blocks(_nested(blocks, shape), samples, counts[0] * counts[1])
    u_axes = _stack([(firsts[0] + np.arange(counts[0])) * step for step in steps], shape)
    v_axes = _stack([(firsts[1] + np.arange(counts[1])) * step for step in steps], shape)
    return u_axes, v_axes, window, operator


def _kernel_taps(position: FloatArray) -> tuple[IndexArray, FloatArray]:
    """Grid points and weights of the interpolation at fractional grid positions; shapes (samples, taps)."""
    first = np.floor(position).astype(np.int64) - _TAPS // 2 + 1
    place = first[:, None] + np.arange(_TAPS)
    offset = position[:, None] - place
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (offset / (_TAPS / 2)) ** 2, 0, None)))
    value = np.sinc(offset) * window
    return place, value / value.sum(axis=1, keepdims=True)


def _nodes(
    flat: list[Positions], shape: tuple[int, int], samples: int, spacing_rad: float
) -> tuple[torch.Tensor, torch.Tensor, SparseOperator]:
    """Coarse nodes over the extent of each map, and the bilinear lumping of samples on them."""
    # Where the samples lie farther apart than the nodes would, more nodes than samples say nothing more.
    most = 2 * math.isqrt(samples) + 2
    extents = [max(np.ptp(positions[side]) for positions in flat) for side in (0, 1)]
    counts = [min(max(2, math.ceil(extent / spacing_rad) + 1), most) for extent in extents]
    axes: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    blocks = []
    for positions in flat:
        shares = []
        for side, values in enumerate(positions):
            axis = np.linspace(values.min(), values.max(), counts[side])
            step = max(axis[1] - axis[0], np.finfo(float).tiny)
            low = np.clip(((values - axis[0]) / step).astype(np.int64), 0, counts[side] - 2)
            upper = np.clip((values - axis[0]) / step - low, 0.0, 1.0)
            axes[side].append(axis)
            shares.append((np.stack([low, low + 1], 1), np.stack([1 - upper, upper], 1)))
        (u_place, u_share), (v_place, v_share) = shares
        place = v_place[:, :, None] * counts[0] + u_place[:, None, :]
        share = v_share[:, :, None] * u_share[:, None, :]
        column = np.repeat(np.arange(positions[0].size), 4)
        blocks.append((place.ravel(), column, share.ravel()))
    operator = SparseOperator.from_blocks(_nested(blocks, shape), counts[0] * counts[1], samples)
    return _stack(axes[0], shape), _stack(axes[1], shape), operator


def _nested(blocks: list[Triples], shape: tuple[int, int]) -> list[list[Triples]]:
    maps = shape[1]
    return [blocks[start : start + maps] for start in range(0, shape[0] * maps, maps)]
