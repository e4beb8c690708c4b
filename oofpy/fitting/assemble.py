"""From the solver's tensors to the values of a result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from oofpy._version import __version__
from oofpy.fitting.dish_images import dish_images, mode_covariance
from oofpy.fitting.elimination import LinearFit
from oofpy.fitting.order_choice import with_common_count
from oofpy.fitting.parameters import ParameterSet, parameter_unit
from oofpy.fitting.problem import FitProblem
from oofpy.fitting.residual_correlation import Autocorrelation
from oofpy.fitting.result import (
    LOW_WEIGHT,
    Coefficient,
    FitResult,
    MapArrays,
    MapFit,
    OrderFit,
    Parameter,
    SurfaceSummary,
)
from oofpy.fitting.rules import judge
from oofpy.fitting.solver import Solution
from oofpy.fitting.uncertainty import parameter_covariance
from oofpy.flags import Flag
from oofpy.map_statistics import robust_sigma
from oofpy.optics.half_path import half_path_um
from oofpy.optics.parameter_names import SHAPE_PARAMETERS
from oofpy.plausibility import signal_to_noise
from oofpy.surface import WeightedDish

FloatArray = NDArray[np.float64]

_BEAM_SCALE = (0.5, 1.0)  # lambda/D: what the noise of a finely gridded map hardly reaches, and a beam fills


def assemble_order(problem: FitProblem, order: int, solution: Solution, starts: tuple[str, ...]) -> list[OrderFit]:
    """Values, errors and diagnostics of one order, for every observation.

    Parameters
    ----------
    problem : FitProblem
    order : int
    solution : Solution
    starts : tuple of str
        Start that won, for every observation.

    Returns
    -------
    list of OrderFit
        With `seconds` zero: the caller knows the time.
    """
    parameters = problem.at_order(order)
    free = parameters.for_solver(problem.start.device)
    state = problem.model(solution.parameters)
    correlation = problem.correlations(solution.linear)
    areas = torch.tensor([[one.area for one in maps] for maps in correlation], dtype=torch.float64)
    covariance = parameter_covariance(
        problem.model,
        state,
        solution.linear,
        problem.data,
        problem.likelihood,
        free,
        areas.to(problem.start.device),
    )
    peaks = problem.model.unaberrated_peak(solution.parameters)
    values = _Values(problem, parameters, solution, correlation, covariance, peaks)
    return [values.order_fit(order, number, starts[number]) for number in range(len(problem.observations))]


class _Values:
    """One order of a batch, as arrays, from which the values of single observations are read."""

    def __init__(
        self,
        problem: FitProblem,
        parameters: ParameterSet,
        solution: Solution,
        correlation: list[list[Autocorrelation]],
        covariance: torch.Tensor,
        peaks: torch.Tensor,
    ) -> None:
        self.problem, self.set = problem, parameters
        self.values = solution.parameters.cpu().numpy()
        self.covariance = covariance.cpu().numpy()
        self.correlation = correlation
        self.peaks = peaks.cpu().numpy()
        self.evaluations = solution.evaluations.tolist()
        self.status = solution.status
        self.cost = solution.cost.tolist()
        linear = solution.linear
        self.linear_coefficients = linear.coefficients.cpu().numpy()
        self.scale = linear.scale.cpu().numpy()
        self.residual = linear.residual.cpu().numpy()
        self.relative = relative_weight(problem, linear).cpu().numpy()

    def order_fit(self, order: int, number: int, start: str) -> OrderFit:
        observation = self.problem.observations[number]
        names = self.set.free_names
        covariance = self.covariance[number]
        errors = dict(zip(names, np.sqrt(np.clip(np.diag(covariance), 0, None)), strict=True))
        coefficients = tuple(
            self._coefficient(number, place, errors) for place, term in enumerate(self.problem.terms) if term.n <= order
        )
        maps = tuple(self._map_fit(number, m) for m in range(len(observation.maps)))
        samples = sum(fitted.samples for fitted in maps)
        effective = sum(fitted.samples / fitted.correlation_samples for fitted in maps)
        # In units of each map's range, so that the number does not depend on the unit of the data.
        ranges = [float(np.ptp(m.power[m.used])) for m in observation.maps]
        cost = self.cost[number] - sum(m.samples * math.log(r) for m, r in zip(maps, ranges, strict=True))
        return OrderFit(
            order=order,
            coefficients=coefficients,
            parameters=self._parameters(number, errors),
            covariance_names=names,
            covariance=covariance,
            maps=maps,
            surface=self._surface(number, order),
            status=self.status[number],
            start=start,
            cost=cost,
            bic=2 * cost * effective / samples + len(names) * math.log(effective),
            effective_samples=effective,
            reduced_chi2=self._reduced_chi2(maps, len(names)),
            evaluations=self.evaluations[number],
            seconds=0.0,
        )

    def _coefficient(self, number: int, place: int, errors: dict[str, Any]) -> Coefficient:
        term, value = self.problem.terms[place], float(self.values[number, place])
        name, error = f"{term.label} {term.common_name}".strip(), float(errors.get(term.label, 0.0))
        return Coefficient(term.n, term.l, name, value, error, bool(self.set.free[place]), self._at_bound(place, value))

    def _at_bound(self, place: int, value: float) -> bool:
        return bool(self.set.free[place] and (value <= self.set.lower[place] or value >= self.set.upper[place]))

    def _parameters(self, number: int, errors: dict[str, Any]) -> tuple[Parameter, ...]:
        modes = len(self.problem.terms)
        found = []
        for place, name in enumerate(self.problem.model.layout.names):
            if place < modes:
                continue
            value, free = float(self.values[number, place]), bool(self.set.free[place])
            error = float(errors[name]) if free else None
            found.append(Parameter(name, value, error, parameter_unit(name), free, self._at_bound(place, value)))
        return tuple(found)

    def _map_fit(self, number: int, m: int) -> MapFit:
        beam_map = self.problem.observations[number].maps[m]
        layout = self.problem.model.layout
        linear = self.linear_coefficients[number, m]
        residual = self.residual[number, m, : beam_map.samples]
        u, v = beam_map.u_rad[beam_map.used], beam_map.v_rad[beam_map.used]
        observed = beam_map.power[beam_map.used]
        # Slopes are fitted per half-width of the map (see the problem's data).
        half = max(np.abs(u).max(), np.abs(v).max())
        slopes = linear[2:] / half if linear.size > 2 else (0.0, 0.0)
        pointing = [
            float(self.values[number, layout.slice_of(kind)][m]) for kind in ("pointing_u_rad", "pointing_v_rad")
        ]
        weight = self.relative[number, m, : beam_map.samples]
        error = self.problem.data.relative_error(number, m)[: beam_map.samples]
        correlation = self.correlation[number][m]
        beam_rad = self.problem.observations[number].wavelength_m / (2 * self.problem.telescope.geometry.dish_radius_m)
        beam = observed - residual - linear[1] - slopes[0] * u - slopes[1] * v
        spread = float(np.ptp(observed))
        return MapFit(
            dz_m=beam_map.defocus_m,
            gain=float(linear[0] * self.peaks[number]),
            background=float(linear[1]),
            background_slope_per_rad=(float(slopes[0]), float(slopes[1])),
            pointing_rad=(pointing[0], pointing[1]),
            noise=float(self.scale[number, m]),
            border_noise=robust_sigma((residual / error)[self.problem.borders[number % len(self.problem.borders)][m]]),
            samples=beam_map.samples,
            masked=beam_map.masked,
            residual_rms_over_peak=float(np.sqrt(np.mean(residual**2)) / spread) if spread > 0 else 0.0,
            correlation_samples=correlation.area,
            beam_scale_correlation=correlation.mean_between(*(beam_rad * edge for edge in _BEAM_SCALE)),
            down_weighted_fraction=float(np.mean(weight < LOW_WEIGHT)),
            bright_weight=float(np.mean(weight[beam > beam.max() / 2])) if beam.max() > 0 else 1.0,
        )

    def _reduced_chi2(self, maps: tuple[MapFit, ...], free: int) -> float:
        scale = self.problem.likelihood.gaussian_scale
        judged = [fitted for fitted in maps if fitted.border_noise > 0]
        squares = sum(fitted.samples * (fitted.noise / scale / fitted.border_noise) ** 2 for fitted in judged)
        return squares / max(sum(fitted.samples for fitted in judged) - free, 1)

    def _surface(self, number: int, order: int) -> SurfaceSummary:
        wavelength = self.problem.observations[number].wavelength_m
        terms = tuple(term for term in self.problem.terms if term.n <= order)
        applied = self.problem.observations[number].observing.applied
        shape = _shape(self.problem, self.values[number])
        dish = WeightedDish(self.problem.telescope, shape, terms, wavelength, applied)
        values = self.values[number, : len(terms)]
        covariance = mode_covariance(self.set.free_names, self.covariance[number], terms)
        without_focus = np.where([(term.n, term.l) == (2, 0) for term in dish.terms], 0.0, values)
        rms, observed = dish.rms_rad(values), dish.rms_as_observed_rad(values)
        focus, focus_error = dish.best_focus_m(values, covariance)

        def micrometres(phase: float) -> float:
            return half_path_um(phase, wavelength)

        return SurfaceSummary(
            rms_um=micrometres(rms),
            rms_um_error=micrometres(dish.rms_error_rad(values, covariance)),
            rms_unweighted_um=micrometres(dish.uniform_rms_rad(values)),
            rms_without_focus_um=micrometres(dish.rms_rad(without_focus)),
            rms_as_observed_um=micrometres(observed),
            ruze_efficiency=math.exp(-(observed**2)),
            exact_efficiency=dish.exact_efficiency(values),
            best_focus_m=focus,
            best_focus_m_error=focus_error,
        )


def relative_weight(problem: FitProblem, linear: LinearFit) -> torch.Tensor:
    """Weight the likelihood gave each sample over that of a sample that fits perfectly; 0 where masked."""
    weight = problem.likelihood.weight(linear.standardised(problem.data))
    at_zero = problem.likelihood.weight(torch.zeros((), dtype=weight.dtype, device=weight.device))
    return torch.where(problem.data.weight > 0, weight / at_zero, 0.0)


def assemble_result(
    problem: FitProblem,
    number: int,
    orders: Sequence[OrderFit],
    winners: Sequence[Any],
    chosen_order: int,
    left_out_fits: tuple[OrderFit, ...],
    flags: tuple[Flag, ...],
) -> FitResult:
    """Put the result of one observation together.

    Parameters
    ----------
    problem : FitProblem
    number : int
        Of the observation in the batch.
    orders : sequence of OrderFit
    winners : sequence of Winner
        Of the same orders.
    chosen_order : int
    left_out_fits : tuple of OrderFit
        Of that order without one of the maps each.
    flags : tuple of Flag
        Of the observation.

    Returns
    -------
    FitResult
    """
    observation = problem.observations[number]
    place = [fit.order for fit in orders].index(chosen_order)
    chosen, solution = orders[place], winners[place].solution
    result = FitResult(
        name=observation.name,
        wavelength_m=observation.wavelength_m,
        elevation_rad=observation.elevation_rad,
        object_name=observation.object_name,
        date=observation.date,
        sources=observation.sources,
        observing=observation.observing,
        telescope=problem.telescope,
        settings=problem.settings,
        orders=with_common_count(orders),
        chosen_order=chosen_order,
        left_out_fits=left_out_fits,
        map_arrays=_map_arrays(problem, number, solution),
        aperture=dish_images(chosen, problem.telescope, observation.wavelength_m, observation.observing.applied),
        flags=flags,
        device=str(problem.start.device.type),
        dtype="float64" if problem.settings.precision == "double" else "float32",
        versions=dict(library_versions()),
    )
    return replace(result, flags=(*flags, *judge(result, problem.settings.limits)))


def _map_arrays(problem: FitProblem, number: int, solution: Solution) -> tuple[MapArrays, ...]:
    observation = problem.observations[number]
    residual = solution.linear.residual[number].cpu().numpy()
    weight = relative_weight(problem, solution.linear)[number].cpu().numpy()
    arrays = []
    for m, beam_map in enumerate(observation.maps):
        model, given = np.full(beam_map.power.size, np.nan), np.zeros(beam_map.power.size)
        error = np.full(beam_map.power.size, np.nan)
        used = beam_map.used
        error[used] = problem.data.relative_error(number, m)[: beam_map.samples]
        model[used] = beam_map.power[used] - residual[m, : beam_map.samples]
        given[used] = weight[m, : beam_map.samples]
        signal = signal_to_noise(beam_map, observation.observing.chop)
        arrays.append(
            MapArrays(
                label=beam_map.label,
                u_rad=beam_map.u_rad,
                v_rad=beam_map.v_rad,
                observed=beam_map.power,
                model=model,
                relative_error=error,
                weight=given,
                signal_to_noise=signal,
            )
        )
    return tuple(arrays)


def _shape(problem: FitProblem, values: FloatArray) -> tuple[float, ...]:
    """Shape parameters of the illumination in a full parameter vector."""
    layout = problem.model.layout
    return tuple(float(values[layout.slice_of(name)][0]) for name in SHAPE_PARAMETERS)


@lru_cache(maxsize=1)
def library_versions() -> dict[str, str]:
    """Versions of oofpy and of the libraries that decide its numbers."""
    versions = {"oofpy": __version__}
    for name in ("torch", "numpy", "scipy", "astropy"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "unknown"
    return versions
