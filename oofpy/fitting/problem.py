"""A batch of observations as tensors: model, data, and where a fit starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy.device import choose_device
from oofpy.errors import ConfigurationError, InputError, UsageError
from oofpy.fitting.elimination import LinearFit, MapData, rescaled
from oofpy.fitting.likelihood import LIKELIHOODS, Likelihood
from oofpy.fitting.parameters import ParameterSet
from oofpy.fitting.residual_correlation import Autocorrelation, LagGrid
from oofpy.fitting.result import FitResult
from oofpy.fitting.settings import FitSettings
from oofpy.fitting.solver import FreeParameters, LevenbergMarquardt, Solution, Tolerances
from oofpy.map_statistics import border_places, peak_position
from oofpy.observation import BeamMap, Observation
from oofpy.optics.beam import BeamModel
from oofpy.optics.beam_building import beam_model
from oofpy.optics.defocus import has_lateral_formula
from oofpy.optics.fixed_phase import applied_coefficients
from oofpy.optics.sky import IndexArray, Positions, thinned
from oofpy.optics.zernike import ZernikeTerm, zernike_terms
from oofpy.telescope import Telescope

T = TypeVar("T")
FloatArray = NDArray[np.float64]

# A redescending likelihood takes a poor model's misfit for glitches and creeps; Huber's, which never lets go of a
# sample, brings the fit near first. Wide enough a stop, since only the neighbourhood matters.
APPROACH = "huber"
_APPROACH_DECREASE = 10.0
REDESCENDING = ("cauchy", "student-t")
# Floor of the scale over the range of a map: below it lies the error of the model, not noise.
_SMALLEST_SCALE = 1e-7


# Neighbouring samples of the rough level, in lambda/D; the power varies over half of that and more.
_ROUGH_SPACING_BEAMS = 0.6


@dataclass(frozen=True)
class RoughLevel:
    """The same problem with fewer samples and a model good to a hundredth: a fit begins there and ends on all samples.

    Parameters
    ----------
    model : BeamModel
    data : MapData
    """

    model: BeamModel
    data: MapData

    def take(self, keep: list[int]) -> RoughLevel:
        """Pick observations."""
        return RoughLevel(self.model.take(keep), self.data.take(keep))


@dataclass(frozen=True)
class FitProblem:
    """Everything that the fits of a batch of observations share.

    Parameters
    ----------
    observations : tuple of Observation
    telescope : Telescope
    settings : FitSettings
    terms : tuple of ZernikeTerm
        Of the highest order.
    model : BeamModel
    data : MapData
    rough : RoughLevel
        Where a fit begins.
    parameters : ParameterSet
    start, other_start : Tensor, shape (observations, parameters)
        Ideal surface, or one that the correction on the dish makes ideal; the maps pointed at the centroid of their
        source or at the origin: first what fits better.
    lags : tuple (observations) of tuple (maps) of LagGrid
        Which samples are neighbours.
    borders : tuple (observations) of tuple (maps) of array of int
        Which samples form the border of each map.
    """

    observations: tuple[Observation, ...]
    telescope: Telescope
    settings: FitSettings
    terms: tuple[ZernikeTerm, ...]
    model: BeamModel
    data: MapData
    rough: RoughLevel
    parameters: ParameterSet
    start: torch.Tensor
    other_start: torch.Tensor
    lags: tuple[tuple[LagGrid, ...], ...]
    borders: tuple[tuple[NDArray[np.int64], ...], ...]

    @property
    def likelihood(self) -> Likelihood:
        """Likelihood of the settings."""
        return LIKELIHOODS[self.settings.likelihood]

    @property
    def orders(self) -> NDArray[np.int64]:
        """Radial order of every coefficient."""
        return np.array([term.n for term in self.terms], np.int64)

    def at_order(self, order: int) -> ParameterSet:
        """Parameters of a fit of the given order."""
        return self.parameters.with_modes_up_to(order, self.orders)

    def take(self, keep: list[int]) -> FitProblem:
        """Pick observations."""
        return replace(
            self,
            observations=tuple(self.observations[number] for number in keep),
            model=self.model.take(keep),
            data=self.data.take(keep),
            rough=self.rough.take(keep),
            start=self.start[keep],
            other_start=self.other_start[keep],
            lags=self.lags if len(self.lags) == 1 else tuple(self.lags[number] for number in keep),
            borders=self.borders if len(self.borders) == 1 else tuple(self.borders[number] for number in keep),
        )

    def correlations(self, linear: LinearFit) -> list[list[Autocorrelation]]:
        """How the residuals of every map correlate, as the likelihood sees them: psi(z), bounded for robust ones."""
        z = linear.standardised(self.data)
        psi = (self.likelihood.weight(z) * z).cpu().numpy()
        return [
            [
                self.lags[number % len(self.lags)][m].correlation(psi[number, m, : beam_map.samples])
                for m, beam_map in enumerate(observation.maps)
            ]
            for number, observation in enumerate(self.observations)
        ]

    def solve(
        self,
        start: torch.Tensor,
        free: FreeParameters,
        tolerances: Tolerances,
        *,
        linear: LinearFit | None = None,
        rival: Solution | None = None,
    ) -> Solution:
        """Fit from a start with the likelihood of the settings: first on the rough level, then on all samples.

        Parameters
        ----------
        start : Tensor, shape (batch, parameters)
        free : FreeParameters
        tolerances : Tolerances
        linear : LinearFit, optional
            Of a fit that ended at the start.
        rival : Solution, optional
            What this returned for the same fit from another start: what is about to arrive where that arrived, on
            either level, ends there.

        Returns
        -------
        Solution
            Its evaluations include those of the approach.
        """
        approach = LIKELIHOODS[APPROACH] if self.settings.likelihood in REDESCENDING else self.likelihood
        wider = self.likelihood.gaussian_scale / approach.gaussian_scale
        coarse = Tolerances(_APPROACH_DECREASE, tolerances.max_evaluations)
        near = LevenbergMarquardt(self.rough.model, self.rough.data, approach, free, coarse).solve(
            start,
            None if linear is None else rescaled(linear, 1 / wider),
            None if rival is None else rival.approach,
        )
        solver = LevenbergMarquardt(self.model, self.data, self.likelihood, free, tolerances)
        going = (~near.joined).nonzero().flatten().tolist()
        if rival is None:
            solution = solver.solve(near.parameters, rescaled(near.linear, wider))
        else:
            solution = replace(rival, evaluations=torch.zeros_like(near.evaluations), approach=None)
            if going:
                left = near.take(going)
                ended = solver.take(going).solve(left.parameters, rescaled(left.linear, wider), rival.take(going))
                solution = solution.exchanged(going, ended)
        return replace(solution, evaluations=near.evaluations + solution.evaluations, approach=near)


def prepare(
    observations: tuple[Observation, ...], telescope: Telescope, settings: FitSettings, highest_order: int
) -> FitProblem:
    """Build the problem of a batch of observations.

    Parameters
    ----------
    observations : tuple of Observation
        With the same number of maps each.
    telescope : Telescope
    settings : FitSettings
    highest_order : int
        Of the ladder.

    Returns
    -------
    FitProblem

    Raises
    ------
    UsageError
        If the observations differ in their number of maps, are images of the sky whose directions are not known, or
        CUDA is asked for and absent.
    ConfigurationError
        If a rule is wrong, or frees what the observations or the telescope do not have.
    InputError
        If an observation has fewer samples than parameters, or a map whose values are all alike or out of range.
    """
    if len({len(observation.maps) for observation in observations}) != 1:
        raise UsageError("observations fitted together need the same number of maps")
    for observation in observations:
        _require_directions(observation)
        _require_range(observation)
    device = choose_device(settings.device)
    positions = _shared([[_used(m)[:2] for m in observation.maps] for observation in observations])
    wavelengths = [observation.wavelength_m for observation in observations]
    if len(set(wavelengths)) == 1 and all(_same_positions(positions[0], other) for other in positions[1:]):
        positions = positions[:1]
    terms = zernike_terms(highest_order, 2)
    build = partial(
        beam_model,
        telescope,
        defocus_m=torch.as_tensor(np.array([observation.defocus_m for observation in observations])),
        wavelength_m=torch.tensor(wavelengths, dtype=torch.float64),
        terms=terms,
        observing=[observation.observing for observation in observations],
        device=device,
    )
    model = build(positions, dtype=torch.float64 if settings.precision == "double" else torch.float32)
    spacing = _ROUGH_SPACING_BEAMS * min(wavelengths) / (2 * telescope.geometry.dish_radius_m)
    kept = _of_every_map(positions, lambda u, v: thinned(u, v, spacing))
    picked = [[(u[k], v[k]) for (u, v), k in zip(*maps, strict=True)] for maps in zip(positions, kept, strict=True)]
    rough_model = build(_shared(picked), dtype=torch.float32, rough=True)
    # Beyond a quarter of the range of dz one map would turn into another.
    largest = max(float(np.ptp(observation.defocus_m)) for observation in observations) / 4
    parameters = ParameterSet.of_telescope(model.layout, telescope, settings.parameters, largest)
    _require_meaning(parameters, observations, telescope)
    if not parameters.free.any():
        raise ConfigurationError("every parameter is fixed", key="parameters", remedy="leave at least one free")
    data = _map_data(observations, model, settings.background_slopes, device)
    rough = RoughLevel(rough_model, _map_data(observations, rough_model, settings.background_slopes, device, kept))
    for observation in observations:
        _require_samples(observation, int(parameters.free.sum()), data.background.shape[2])
    lags = tuple(map(tuple, _of_every_map(positions, LagGrid.of)))
    borders = tuple(map(tuple, _of_every_map(positions, border_places)))
    unpointed = torch.as_tensor(_corrected_starts(observations, telescope, terms, parameters), device=device)
    problem = FitProblem(
        observations, telescope, settings, terms, model, data, rough, parameters, unpointed, unpointed, lags, borders
    )
    first, second = _pointed_starts(problem)
    return replace(problem, start=first, other_start=second)


def _corrected_starts(
    observations: tuple[Observation, ...],
    telescope: Telescope,
    terms: tuple[ZernikeTerm, ...],
    parameters: ParameterSet,
) -> FloatArray:
    """Start of every observation: a dish that its correction, if there was one, made ideal; (observations, parameters).

    Coefficients that the user fixes or starts elsewhere are not moved.
    """
    starts = np.tile(parameters.start, (len(observations), 1))
    modes = parameters.layout.slice_of("modes")
    movable = parameters.free[modes] & (parameters.start[modes] == 0)
    for start, observation in zip(starts, observations, strict=True):
        applied = observation.observing.applied
        if applied is not None:
            wavenumber = 2 * math.pi / observation.wavelength_m
            found = applied_coefficients(applied, telescope.geometry.dish_radius_m, terms, wavenumber).numpy()
            found = np.clip(found, parameters.lower[modes], parameters.upper[modes])
            start[modes] = np.where(movable, found, start[modes])
    return starts


def parameters_of(problem: FitProblem, result: FitResult) -> torch.Tensor:
    """Parameters of a result in the places of a problem of one observation; shape (1, parameters).

    Parameters
    ----------
    problem : FitProblem
    result : FitResult
        What it does not know stays at the start of the problem.

    Returns
    -------
    Tensor
    """
    known = {f"Z({c.n},{c.l})": c.phase_rad for c in result.fit.coefficients}
    known |= {parameter.name: parameter.value for parameter in result.fit.parameters}
    values = problem.start.clone()
    for place, name in enumerate(problem.model.layout.names):
        values[0, place] = known.get(name, float(values[0, place]))
    return values


def _used(beam_map: BeamMap) -> tuple[FloatArray, FloatArray, FloatArray]:
    used = beam_map.used
    return beam_map.u_rad[used], beam_map.v_rad[used], beam_map.power[used]


def _shared(positions: list[list[Positions]]) -> list[list[Positions]]:
    """Let maps with equal positions share one pair of arrays, so that what is made of them is made once."""
    for maps in positions:
        for number in range(1, len(maps)):
            maps[number] = next(
                (other for other in maps[:number] if _same_positions([other], [maps[number]])), maps[number]
            )
    return positions


def _of_every_map(positions: list[list[Positions]], make: Callable[[FloatArray, FloatArray], T]) -> list[list[T]]:
    """What is made of the positions of every map; maps that share their positions share it."""
    made: dict[tuple[int, int], T] = {}
    for u, v in (position for maps in positions for position in maps):
        if (id(u), id(v)) not in made:
            made[id(u), id(v)] = make(u, v)
    return [[made[id(u), id(v)] for u, v in maps] for maps in positions]


def _same_positions(first: list[Positions], second: list[Positions]) -> bool:
    return all(
        np.array_equal(a, b) for one, other in zip(first, second, strict=True) for a, b in zip(one, other, strict=True)
    )


def _require_directions(observation: Observation) -> None:
    if observation.frame.startswith("sky"):
        raise UsageError(
            "the observation is an image of the sky, not yet in directions seen from the dish",
            file=observation.file,
            remedy="pass it through oofpy.in_model_convention",
        )


def _require_meaning(parameters: ParameterSet, observations: tuple[Observation, ...], telescope: Telescope) -> None:
    """Refuse to free what the observation or the telescope does not have."""
    free = parameters.free_names
    unchopped = any(observation.observing.chop is None for observation in observations)
    if unchopped and "chop_gain_ratio" in free:
        raise ConfigurationError(
            "the maps are not chopped, so that there is no gain ratio of the two beams",
            key="parameters.chop_gain_ratio.free",
            value="true",
            remedy="give the chop with observing.chop_throw and observing.chop_angle, or leave the ratio fixed",
        )
    if unchopped and parameters.start[parameters.layout.slice_of("chop_gain_ratio")] != 1.0:
        raise ConfigurationError(
            "the maps are not chopped, so that this has no effect",
            key="parameters.chop_gain_ratio.start",
            remedy="give the chop with observing.chop_throw and observing.chop_angle, or leave it out",
        )
    if telescope.geometry.kind == "tabulated" and any(one.observing.source_distance_m for one in observations):
        raise ConfigurationError(
            f"the shape of the primary of {telescope.name} is not known, and with it the path from a near source",
            key="observing.source_distance",
            remedy="set it to none, or give the path as geometry.static_path",
        )
    moved = parameters.free | (parameters.start != 0)
    lateral = [parameters.layout.slice_of(kind) for kind in ("lateral_x_m", "lateral_y_m")]
    if any(moved[part].any() for part in lateral) and not has_lateral_formula(telescope.geometry):
        raise ConfigurationError(
            f"the path of a lateral move is not known for the {telescope.geometry.kind} geometry of {telescope.name}",
            key="parameters.lateral_x_m, lateral_y_m",
            remedy="leave them fixed at zero",
        )


# Squares of a map's values, and their inverses, must be numbers.
_SMALLEST_RANGE, _LARGEST_VALUE = 1e-100, 1e100


def _require_range(observation: Observation) -> None:
    for number, beam_map in enumerate(observation.maps, start=1):
        _, _, power = _used(beam_map)
        if not power.size:
            continue
        largest = float(np.abs(power).max(initial=0.0))
        if largest < _LARGEST_VALUE and np.ptp(power) > _SMALLEST_RANGE:
            continue
        alike = float(power.min()) == float(power.max())
        raise InputError(
            "all samples are the same: the map shows nothing" if alike else "a value out of all range",
            file=observation.file,
            key=f"map {number}" + (f" ({beam_map.label})" if beam_map.label else ""),
            value=f"{largest:g}",
            remedy="leave the map out with --maps" if alike else "mask the sample, or check the unit",
        )


def _require_samples(observation: Observation, free: int, background_shapes: int) -> None:
    samples = sum(beam_map.samples for beam_map in observation.maps)
    unknown = free + len(observation.maps) * (1 + background_shapes)
    if samples <= 2 * unknown or min(beam_map.samples for beam_map in observation.maps) <= 2 * (1 + background_shapes):
        raise InputError(
            f"too few samples for {unknown} parameters",
            file=observation.file,
            key="samples",
            value=samples,
            remedy="lower the order (for order auto: highest_auto_order), or check the mask and the radius",
        )


def _map_data(
    observations: tuple[Observation, ...],
    model: BeamModel,
    slopes: bool,
    device: torch.device,
    kept: list[list[IndexArray]] | None = None,
) -> MapData:
    """Stack the used samples of all maps, or those of them that are kept, padded with zero weight."""
    maps = [beam_map for observation in observations for beam_map in observation.maps]
    shape = (len(observations), len(observations[0].maps))
    size = model.sky.samples
    values, weight = np.zeros((len(maps), size)), np.zeros((len(maps), size))
    shapes = 3 if slopes else 1
    background = np.zeros((len(maps), shapes, size))
    node_u, node_v = (axis.cpu().expand(*shape, -1).reshape(len(maps), -1).numpy() for axis in model.node_directions())
    node_background = np.ones((len(maps), shapes, node_u.shape[1]))
    for number, beam_map in enumerate(maps):
        u, v, power = _used(beam_map)
        places = slice(None) if kept is None else kept[number // shape[1] % len(kept)][number % shape[1]]
        count = power[places].size
        values[number, :count] = power[places]
        weight[number, :count] = _relative_weight(beam_map, power.size)[places]
        background[number, 0, :count] = 1.0
        if slopes:
            half = max(np.abs(u).max(), np.abs(v).max())
            background[number, 1, :count], background[number, 2, :count] = u[places] / half, v[places] / half
            node_background[number, 1], node_background[number, 2] = node_u[number] / half, node_v[number] / half
    ranges = np.array([np.ptp(_used(beam_map)[2]) for beam_map in maps])

    def tensor(array: FloatArray) -> torch.Tensor:
        return torch.as_tensor(array.reshape(*shape, *array.shape[1:]), device=device)

    return MapData(
        tensor(values),
        tensor(weight),
        tensor(background),
        tensor(node_background),
        tensor(_SMALLEST_SCALE * ranges),
        tensor((weight > 0).sum(axis=-1).astype(float)),
    )


def _relative_weight(beam_map: BeamMap, samples: int) -> FloatArray:
    """Inverse square of the relative errors, 1 for a sample of the map's median error."""
    if beam_map.relative_error is None:
        return np.ones(samples)
    error = beam_map.relative_error[beam_map.used]
    return np.asarray((np.median(error) / error) ** 2, np.float64)


def _pointed_starts(problem: FitProblem) -> tuple[torch.Tensor, torch.Tensor]:
    """Ideal surface, every map pointed at its source, and as the parameters start; what fits better first."""
    parameters, layout = problem.parameters, problem.model.layout
    pointed = problem.start.cpu().numpy().copy()
    sources = np.array([[peak_position(m) for m in o.maps] for o in problem.observations])
    for side, kind in enumerate(("pointing_u_rad", "pointing_v_rad")):
        part = layout.slice_of(kind)
        # A pointing that the user fixes or starts elsewhere is not moved.
        movable = parameters.free[part] & (parameters.start[part] == 0)
        found = np.clip(sources[:, :, side], parameters.lower[part], parameters.upper[part])
        pointed[:, part] = np.where(movable, found, pointed[:, part])
    starts = [torch.as_tensor(pointed, device=problem.start.device), problem.start]
    costs = [_start_costs(problem, start) for start in starts]
    better = (costs[0] <= costs[1])[:, None]
    return torch.where(better, starts[0], starts[1]), torch.where(better, starts[1], starts[0])


def _start_costs(problem: FitProblem, start: torch.Tensor) -> torch.Tensor:
    """Least-squares cost of a start, one observation after the other to save memory; shape (observations,)."""
    free = problem.parameters.for_solver(start.device)
    costs = []
    for number in range(len(problem.observations)):
        one = problem.take([number])
        solver = LevenbergMarquardt(one.model, one.data, LIKELIHOODS["gaussian"], free, Tolerances())
        costs.append(solver.evaluate(start[number : number + 1], None).cost)
    return torch.cat(costs)
