"""The best defocus of an observation: candidates on a grid, then a bounded search beside the best of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from oofpy.errors import ConfigurationError, InputError, one_line
from oofpy.planning.map_size import DEFAULT_SPACING_BEAMS, covering_half_width_rad, map_grid
from oofpy.planning.noise_budget import NoiseBudget
from oofpy.planning.prediction import Prediction, predict
from oofpy.planning.situation import Situation
from oofpy.simulation import Grid
from oofpy.simulation.ranges import require_between

SURFACE, WITHOUT_FOCUS, FOCUS = "surface", "without-focus", "focus"
# Paths between which candidates lie where none are given, in wavelengths; 0.75 to 2.6 are in real use.
_DEFAULT_WAVES = (0.25, 4.0)
_DEFAULT_CANDIDATES = 20
# Of the logarithm of dz, with which the search is content: the error is flat about its minimum.
_SEARCH_TOLERANCE = 0.01
# Errors that exceed the least by no more than this part are as good.
NEARLY_BEST = 0.1
Report = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Curve:
    """Errors against dz, of one order and one layout of the maps.

    Parameters
    ----------
    order : int
        Highest Zernike order of the fit.
    half_width_rad : float or None, radians
        Of the maps; None where they grow with dz.
    spacing_rad : float, radians
        Of the samples.
    predictions : tuple of Prediction
        Of the candidates and those of the search, in rising order of dz.
    best : Prediction
        With the least error.
    merits : tuple of float
        Of `predictions`; what is least at the best.
    """

    order: int
    half_width_rad: float | None
    spacing_rad: float
    predictions: tuple[Prediction, ...]
    best: Prediction
    merits: tuple[float, ...]

    @property
    def at_edge(self) -> bool:
        """Whether the best lies at an end of the candidates, so that the least error may lie beyond."""
        # Where dz is given there is nothing to search.
        return len(self.predictions) > 1 and self.best in (self.predictions[0], self.predictions[-1])

    @property
    def nearly_best_dz_m(self) -> tuple[float, float]:
        """Least and largest dz, within the candidates, whose error is at most a tenth above the least; metres."""
        dz = np.log([one.dz_m for one in self.predictions])
        merits = np.log(self.merits)
        level = merits.min() + math.log1p(NEARLY_BEST)
        low = high = int(np.argmin(merits))
        while low > 0 and merits[low - 1] <= level:
            low -= 1
        while high < merits.size - 1 and merits[high + 1] <= level:
            high += 1
        first, last = float(dz[low]), float(dz[high])
        if low > 0:
            first = float(np.interp(level, merits[low - 1 : low + 1][::-1], dz[low - 1 : low + 1][::-1]))
        if high < merits.size - 1:
            last = float(np.interp(level, merits[high : high + 2], dz[high : high + 2]))
        return math.exp(first), math.exp(last)


@dataclass(frozen=True, eq=False)
class Plan:
    """What was found out about an observation before it is made.

    Parameters
    ----------
    situation : Situation
        What it is planned for.
    budget : NoiseBudget
        How noisy the samples are.
    merit : str
        What is made least: "surface", "without-focus", "focus" or the label of a coefficient, such as "Z(3,1)".
    curves : tuple of Curve
        One an order and layout of the maps.
    candidates_m : tuple of float, metres
        Candidates for dz, in rising order.
    left_out : tuple of (float, str)
        Those that could not be judged, and why.
    """

    situation: Situation
    budget: NoiseBudget
    merit: str
    curves: tuple[Curve, ...]
    candidates_m: tuple[float, ...]
    left_out: tuple[tuple[float, str], ...] = ()

    @property
    def best(self) -> Curve:
        """Of the highest order the curve with the least error; one without remarks at its best goes before others."""
        return self.best_of_order(self.situation.highest_order)

    def best_of_order(self, order: int) -> Curve:
        """Of an order the same."""
        curves = [curve for curve in self.curves if curve.order == order]
        return min(curves, key=lambda curve: (bool(curve.best.remarks), min(curve.merits)))


def plan_observation(
    situation: Situation,
    budget: NoiseBudget,
    *,
    dz_m: Sequence[float] | None = None,
    half_widths_rad: Sequence[float] = (),
    spacings_rad: Sequence[float] = (),
    merit: str = SURFACE,
    report: Report | None = None,
) -> Plan:
    """Predict the errors of candidates, and find the defocus with the least error.

    Parameters
    ----------
    situation : Situation
        What the observation is planned for.
    budget : NoiseBudget
        How noisy the samples are.
    dz_m : sequence of float, metres, optional
        Candidates, above zero, by which the pattern of the situation is scaled; by default twenty with paths of 0.25
        to 4 wavelengths over the dish. One is taken as it is; between several the best is searched for.
    half_widths_rad : sequence of float, radians
        Half-widths of the maps; by default each map is as large as the pattern at its dz asks for.
    spacings_rad : sequence of float, radians
        Largest distances of neighbouring samples; by default a quarter of lambda/D.
    merit : str
        What is to be least: "surface", the expected rms over the dish of the error of the surface map;
        "without-focus", the same without the focus term; "focus", the error of the focus; or the error of a
        coefficient by its label, such as "Z(3,1)".
    report : callable, optional
        Takes one line of progress at a time.

    Returns
    -------
    Plan

    Raises
    ------
    ConfigurationError
        If a value is out of range, or a rule of the settings is wrong.
    InputError
        If no candidate can be judged.
    """
    candidates = _checked(candidate_dz_m(situation) if dz_m is None else dz_m)
    merit_of = _merit_function(merit, situation)
    spacings = tuple(spacings_rad) or (DEFAULT_SPACING_BEAMS * situation.beam_rad,)
    for key, values in (("half_width_rad", half_widths_rad), ("spacing_rad", spacings)):
        for value in values:
            require_between(key, value, 0, 0.5, open_below=True)
    curves: list[Curve] = []
    left_out: dict[float, str] = {}
    for half_width in tuple(half_widths_rad) or (None,):
        for spacing in spacings:
            layout = _Layout(situation, budget, half_width, spacing)
            found, without = layout.predictions(candidates)
            left_out |= without
            for place, order in enumerate(situation.orders):
                curves.append(_searched(layout, order, [one[place] for one in found], merit_of))
                (report or _silent)(_progress(curves[-1]))
    return Plan(situation, budget, merit, tuple(curves), candidates, tuple(sorted(left_out.items())))


def candidate_dz_m(situation: Situation) -> tuple[float, ...]:
    """Candidates where none are given: paths of 0.25 to 4 wavelengths over the dish, in equal ratios; metres."""
    small_m = 1e-3 * situation.wavelength_m
    waves_per_metre = situation.path_waves(small_m) / small_m
    low, high = (waves / waves_per_metre for waves in _DEFAULT_WAVES)
    return tuple(float(f"{dz:.3g}") for dz in np.geomspace(low, high, _DEFAULT_CANDIDATES))


def _checked(candidates: Sequence[float]) -> tuple[float, ...]:
    for dz in candidates:
        require_between("dz_m", dz, 0, 10, open_below=True)
    if not len(candidates):
        raise ConfigurationError("no candidate is given", key="dz", remedy="give one or more, such as 3 mm")
    return tuple(sorted({float(dz) for dz in candidates}))


def _merit_function(merit: str, situation: Situation) -> Callable[[Prediction], float]:
    """What is to be least: micrometres, metres or radians by the kind of the merit."""
    known: dict[str, Callable[[Prediction], float]] = {
        SURFACE: lambda one: one.surface_error_um,
        WITHOUT_FOCUS: lambda one: one.surface_error_without_focus_um,
        FOCUS: lambda one: one.focus_error_m,
    }
    if merit in known:
        return known[merit]
    labels = [term.label for term in situation.terms if term.n <= min(situation.orders)]
    if merit not in labels:
        raise ConfigurationError(
            "is not known",
            key="merit",
            value=merit or "''",
            remedy=f"choose {', '.join(known)}, or a coefficient that all orders have, such as Z(3,1)",
        )
    place = labels.index(merit)
    return lambda one: float(one.coefficient_errors_rad[place])


@dataclass(frozen=True)
class _Layout:
    """Maps of one size, or of a size that follows dz, and one spacing."""

    situation: Situation
    budget: NoiseBudget
    half_width_rad: float | None
    spacing_rad: float

    def maps(self, dz_m: float) -> Grid:
        half_width = self.half_width_rad
        if half_width is None:
            half_width = covering_half_width_rad(self.situation.reach_rad(dz_m), self.situation.beam_rad)
        return map_grid(half_width, self.spacing_rad)

    def predict(self, dz_m: float, orders: tuple[int, ...] | None = None) -> tuple[Prediction, ...]:
        return predict(self.situation, dz_m, self.maps(dz_m), self.budget, orders)

    def predictions(self, candidates: Sequence[float]) -> tuple[list[tuple[Prediction, ...]], dict[float, str]]:
        """Of all candidates that can be judged, and why the others cannot."""
        found, left_out = [], {}
        for dz in candidates:
            try:
                found.append(self.predict(dz))
            except InputError as error:
                left_out[dz] = one_line(error.problem)
        if not found:
            dz, reason = next(iter(left_out.items()))
            raise InputError(
                reason,
                key="dz",
                value=f"{dz:g} m",
                remedy="give other --dz, --half-width or --spacing, or a lower order",
            )
        return found, left_out


def _searched(layout: _Layout, order: int, grid: list[Prediction], merit_of: Callable[[Prediction], float]) -> Curve:
    """Add to the predictions on the grid those of a search between the neighbours of the best."""
    known = {one.dz_m: one for one in grid}

    def merit(log_dz: float) -> float:
        dz = math.exp(log_dz)
        if dz not in known:
            [known[dz]] = layout.predict(dz, (order,))
        return math.log(merit_of(known[dz]))

    place = int(np.argmin([merit_of(one) for one in grid]))
    low, high = grid[max(place - 1, 0)].dz_m, grid[min(place + 1, len(grid) - 1)].dz_m
    if low < high:
        minimize_scalar(
            merit, bounds=(math.log(low), math.log(high)), method="bounded", options={"xatol": _SEARCH_TOLERANCE}
        )
    predictions = tuple(known[dz] for dz in sorted(known))
    best = min(predictions, key=merit_of)
    return Curve(
        order,
        layout.half_width_rad,
        layout.spacing_rad,
        predictions,
        best,
        tuple(merit_of(one) for one in predictions),
    )


def _progress(curve: Curve) -> str:
    size = "" if curve.half_width_rad is None else f", half-width {curve.half_width_rad:.3g} rad"
    return f"order {curve.order}{size}: best dz {curve.best.dz_m * 1e3:.4g} mm"


def _silent(_: str) -> None:
    """Say nothing."""
