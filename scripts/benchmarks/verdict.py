"""The verdict: good observations must be accepted, and spoiled ones flagged for what spoils them."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed import SAMPLE, SRT
from benchmarks.spoiled import SITES, SPOILED, Maker, Site, Spoiled, good, with_panels
from oofpy.conventions import in_model_convention
from oofpy.fitting.fitter import fit_batch
from oofpy.fitting.result import FitResult
from oofpy.fitting.rules import ending, maps, residuals, surface
from oofpy.fitting.settings import FitSettings
from oofpy.flag_kinds import FLAG_KINDS
from oofpy.flags import Flag
from oofpy.io import read_observation
from oofpy.limits import Limits
from oofpy.observation import Observation
from oofpy.plausibility import check_observation
from oofpy.telescope import load_telescope

Row = dict[str, Any]
FloatArray = NDArray[np.float64]
USUAL = FitSettings(leave_one_out=True)
PANEL_RMS_RAD = 0.05
PANELLED = 6
LOWEST, HIGHEST = 1e-9, 1e18
HALVINGS = 16


@dataclass(frozen=True)
class Judged:
    """What a rule compares with a limit.

    Parameters
    ----------
    rule : callable
        Takes a result and limits and gives flags.
    limit : str
        Its name.
    above : bool
        Whether the rule speaks where its quantity is above the limit, or below.
    """

    rule: Callable[[FitResult, Limits], Iterator[Flag]]
    limit: str
    above: bool = True

    def of(self, result: FitResult, code: str) -> float:
        """The quantity: the limit at which the rule changes its mind; NaN where no limit makes it speak."""

        def speaks(limit: float) -> bool:
            limits = replace(Limits(), **{self.limit: limit})
            return any(flag.code == code for flag in self.rule(result, limits))

        if not speaks(LOWEST if self.above else HIGHEST):
            return math.nan
        low, high = math.log(LOWEST), math.log(HIGHEST)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if speaks(math.exp(middle)) == self.above else (low, middle)
        return math.exp((low + high) / 2)


JUDGED = {
    "large-rms": Judged(surface.size, "most_phase_rms_rad"),
    "steep-phase": Judged(surface.steepness, "most_phase_step_rad"),
    "rim-dominated": Judged(surface.rim, "most_rim_ratio"),
    "large-focus": Judged(surface.focus, "most_focus_error"),
    "focus-jumps": Judged(surface.focus, "most_focus_jump"),
    "structured-residuals": Judged(residuals.structure, "most_beam_scale_correlation"),
    "misfit": Judged(residuals.misfit, "most_reduced_chi2"),
    "many-samples-down-weighted": Judged(residuals.weights, "most_down_weighted"),
    "peak-disregarded": Judged(residuals.weights, "least_bright_weight", above=False),
    "gain-ratio": Judged(maps.gain_ratio, "most_gain_difference"),
    "source-off-centre": Judged(maps.source_place, "most_off_centre"),
    "map-disagrees": Judged(maps.map_disagrees, "most_left_out_change"),
    "ill-conditioned": Judged(ending.ill_conditioned, "most_condition_number"),
    "competing-minimum": Judged(ending.other_minimum, "rival_log_likelihood", above=False),
}


def verdicts(good_ones: int, spoiled_ones: int, only: Sequence[str] | None = None) -> list[Row]:
    """Flagged part of good and of spoiled observations, and the quantities that the rules judge.

    Parameters
    ----------
    good_ones, spoiled_ones : int
        How many observations, the latter of each kind.
    only : sequence of str, optional
        Kinds whose code holds one of these words.

    Returns
    -------
    list of dict
        First the good observations and each of their flags, then the kinds, at last what is judged for its own sake.
    """
    began = time.perf_counter()
    accepted = [result for site, share in _shares(SITES, good_ones) for result in _fitted(site, share, good, USUAL, 0)]
    table = [_summary("good", "", accepted, began), *_false_flags(accepted)]
    for number, kind in enumerate(SPOILED, start=1):
        if not only or any(word in kind.code for word in only):
            table.append(_spoiled(kind, spoiled_ones, number, accepted))
    began, make = time.perf_counter(), partial(with_panels, PANEL_RMS_RAD)
    found = [one for site, share in _shares(SITES, PANELLED) for one in _fitted(site, share, make, USUAL, 0)]
    table.append(_summary("for comparison", f"good but for {PANEL_RMS_RAD:g} rad of orders 6 to 12", found, began))
    return [*table, *_real()]


def _shares(sites: Sequence[Site], number: int) -> list[tuple[Site, range]]:
    """Numbers of observations, parted among sites."""
    edges = [round(number * place / len(sites)) for place in range(len(sites) + 1)]
    return [(site, range(*edges[place : place + 2])) for place, site in enumerate(sites)]


def _made(site: Site, numbers: range, make: Maker, stream: int) -> list[Observation]:
    return [make(site, np.random.default_rng([stream, number])) for number in numbers]


def _fitted(site: Site, numbers: range, make: Maker, settings: FitSettings, stream: int) -> list[FitResult]:
    return fit_batch(_made(site, numbers, make, stream), site.telescope, settings)


def _spoiled(kind: Spoiled, number: int, stream: int, accepted: list[FitResult]) -> Row:
    """One kind; what is judged before a fit is judged without one."""
    began = time.perf_counter()
    shares = _shares(kind.sites, number)
    if FLAG_KINDS[kind.code].stage == "maps":
        flags = [
            check_observation(one, site.telescope)
            for site, share in shares
            for one in _made(site, share, kind.make, stream)
        ]
        return _row(kind.code, kind.how, flags, began)
    found = [one for site, share in shares for one in _fitted(site, share, kind.make, kind.settings, stream)]
    row = _row(kind.code, kind.how, [result.flags for result in found], began)
    if judged := JUDGED.get(kind.code):
        row |= _compared(judged, kind.code, accepted, found)
    return row


def _row(code: str, how: str, flags: Sequence[Sequence[Flag]], began: float) -> Row:
    codes = [{flag.code for flag in some if flag.serious} for some in flags]
    others = Counter(one for some in codes for one in some if one != code)
    return {
        "kind": code,
        "observations": how,
        "number": len(codes),
        "flagged": sum(code in some for some in codes) / len(codes),
        "seconds": time.perf_counter() - began,
        "other_flags": ", ".join(f"{one} {times}" for one, times in others.most_common(5)),
    }


def _summary(kind: str, how: str, results: list[FitResult], began: float) -> Row:
    """Observations of which none need be flagged."""
    row = _row(kind, how, [result.flags for result in results], began)
    return row | {"flagged": sum(result.verdict != "accept" for result in results) / len(results)}


def _compared(judged: Judged, code: str, accepted: list[FitResult], found: list[FitResult]) -> Row:
    """Limit and quantity, of the good ones from the middle towards the limit, of the spoiled ones on to the middle."""
    row: Row = {"limit": getattr(Limits(), judged.limit)}
    side = 1 if judged.above else -1
    for name, results, places in (("good", accepted, (0.5, 0.95, 1)), ("spoiled", found, (0, 0.05, 0.5))):
        values = np.array([judged.of(result, code) for result in results])
        # No number: far on the good side.
        values = np.where(np.isnan(values), -math.inf, side * values)
        for place in places:
            value = side * float(np.quantile(values, place, method="nearest"))
            row[f"{name}_{place:.0%}"] = value if math.isfinite(value) else "none"
    return row


def _false_flags(results: list[FitResult]) -> Iterator[Row]:
    for number, result in enumerate(results):
        name = f"good, number {number}"
        for flag in result.flags:
            if flag.serious:
                yield {
                    "kind": name,
                    "observations": result.telescope.name,
                    "other_flags": f"{flag.code}: {flag.message.split(';')[0]}",
                }


def _real() -> Iterator[Row]:
    """The observation that ships with this repository, and a real one where it is present."""
    for name, file, telescope_name in (("sample", SAMPLE, "jcmt"), ("real", SRT, "srt")):
        if not file.exists():
            continue
        began, telescope = time.perf_counter(), load_telescope(telescope_name)
        observation = in_model_convention(read_observation(file), telescope)
        results = fit_batch([observation], telescope, USUAL)
        yield _summary(name, file.name, results, began)
