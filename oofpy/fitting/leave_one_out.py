"""The same fit without each of the maps, to see whether one of them contradicts the others."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from oofpy.errors import InputError
from oofpy.fitting.assemble import assemble_order
from oofpy.fitting.problem import FitProblem, prepare
from oofpy.fitting.result import OrderFit
from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.fitting.solver import Tolerances
from oofpy.observation import Observation
from oofpy.optics.parameter_names import MAP_PARAMETERS, RESPONSE_PARAMETERS, SHAPE_PARAMETERS

_FEWEST_MAPS = 2


def fits_without_a_map(problem: FitProblem, number: int, order: int, full: torch.Tensor) -> tuple[OrderFit, ...]:
    """Fit one order again without each map, from where the fit of all maps ended.

    Parameters
    ----------
    problem : FitProblem
    number : int
        Of the observation in the batch.
    order : int
    full : Tensor, shape (parameters,)
        Where the fit of all maps ended.

    Returns
    -------
    tuple of OrderFit
        In the order of the maps; without those that are needed: the last two, or the last with another dz.
    """
    observation = problem.observations[number]
    fits = []
    for left_out in range(len(observation.maps)):
        rest = _without(observation, left_out)
        if rest is None:
            continue
        began = time.perf_counter()
        settings = _settings_without(problem.settings, left_out + 1)
        try:
            part = prepare((rest,), problem.telescope, settings, order)
        except InputError:  # too few samples are left
            continue
        start = _start_without(problem, part, full, left_out)
        tolerances = Tolerances(settings.ladder_tolerance, settings.max_evaluations)
        solution = part.solve(start, part.at_order(order).for_solver(start.device), tolerances)
        [fit] = assemble_order(part, order, solution, ("all maps",))
        fits.append(replace(fit, left_out=left_out + 1, seconds=time.perf_counter() - began))
    return tuple(fits)


def _without(observation: Observation, left_out: int) -> Observation | None:
    """Leave a map out; None where what is left is no observation."""
    maps = tuple(one for place, one in enumerate(observation.maps) if place != left_out)
    if len(maps) < _FEWEST_MAPS or len({one.defocus_m for one in maps}) == 1:
        return None
    return replace(observation, maps=maps)


def _settings_without(settings: FitSettings, left_out: int) -> FitSettings:
    """Drop the rules of a map, counted from 1, and number those of the later ones anew."""
    rules: dict[str, ParameterRule] = {}
    for name, rule in settings.parameters.items():
        kind, _, number = name.removesuffix("]").partition("[")
        if kind not in MAP_PARAMETERS or not number:
            rules[name] = rule
        elif int(number) != left_out:
            rules[f"{kind}[{int(number) - (int(number) > left_out)}]"] = rule
    return replace(settings, parameters=rules)


def _start_without(problem: FitProblem, part: FitProblem, full: torch.Tensor, left_out: int) -> torch.Tensor:
    """Parameters of all maps as a start of the fit without one, shape (1, parameters)."""
    start = part.start.clone()
    before, after = problem.model.layout, part.model.layout
    modes = after.slice_of("modes")
    start[0, modes] = full[before.slice_of("modes")][: modes.stop]
    kept = torch.as_tensor([place for place in range(before.maps) if place != left_out])
    for kind in MAP_PARAMETERS:
        start[0, after.slice_of(kind)] = full[before.slice_of(kind)][kept]
    for name in (*SHAPE_PARAMETERS, *RESPONSE_PARAMETERS):
        start[0, after.slice_of(name)] = full[before.slice_of(name)]
    return start
