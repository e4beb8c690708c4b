"""All rules together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from oofpy.fitting.result import FitResult
from oofpy.fitting.rules import ending, maps, residuals, surface
from oofpy.fitting.status import FitStatus
from oofpy.flag_kinds import FLAG_KINDS
from oofpy.flags import Flag
from oofpy.limits import Limits
from oofpy.observation import BeamMap, Observation
from oofpy.plausibility import check_observation

Rule = Callable[[FitResult, Limits], Iterator[Flag]]

RULES: tuple[Rule, ...] = (*ending.RULES, *maps.RULES, *surface.RULES, *residuals.RULES)


def judge(result: FitResult, limits: Limits) -> tuple[Flag, ...]:
    """Apply every rule to a fit.

    Parameters
    ----------
    result : FitResult
        Its own flags do not count.
    limits : Limits

    Returns
    -------
    tuple of Flag
    """
    # Of a fit without a finite cost nothing else is a number.
    rules = RULES if result.fit.status is not FitStatus.NOT_FINITE else (ending.not_converged,)
    return tuple(flag for rule in rules for flag in rule(result, limits))


def rejudged(result: FitResult, limits: Limits) -> FitResult:
    """Judge a result again, by other limits: its maps and its fit, without fitting.

    Parameters
    ----------
    result : FitResult
    limits : Limits

    Returns
    -------
    FitResult
        The same with other flags and limits; what reading the files has raised stays.
    """
    kept = [flag for flag in result.flags if flag.code not in FLAG_KINDS or FLAG_KINDS[flag.code].stage == "reading"]
    of_maps = check_observation(observation_of(result), result.telescope, limits)
    settings = replace(result.settings, limits=limits)
    return replace(result, settings=settings, flags=(*kept, *of_maps, *judge(result, limits)))


def observation_of(result: FitResult) -> Observation:
    """Take the observation out of a result, directions in the convention of the model, without errors of samples."""
    maps = tuple(
        BeamMap(one.u_rad, one.v_rad, one.observed, fitted.dz_m, used=one.weight > 0, label=one.label)
        for one, fitted in zip(result.map_arrays, result.fit.maps, strict=True)
    )
    return Observation(
        name=result.name,
        maps=maps,
        wavelength_m=result.wavelength_m,
        elevation_rad=result.elevation_rad,
        object_name=result.object_name,
        date=result.date,
        sources=result.sources,
        observing=result.observing,
        frame="model",
    )
