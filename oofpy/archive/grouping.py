"""Which files with one map each make one observation.

Files belong together that lie in one folder, are read by one recipe, and name the same telescope, object and
wavelength. They are ordered by their dates, or by their names (numbers in them as numbers) where one of them has no
date. A new observation begins

- where the time from one map to the next exceeds an hour,
- where a dz comes again,
- where dz is not known, because `--dz` says it or the files give positions only: after as many maps as `--dz` has
  values, or as make an observation (three, unless told otherwise).

An observation with fewer than two different dz is left over. So is a file that is a copy of another. What is taken in
another way, such as a map in focus before and after the others, is listed in a manifest.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from oofpy.archive.requests import Fragment, Request
from oofpy.catalogue import parsed_date
from oofpy.io.plain_records import to_plain
from oofpy.io.wavelength import CONSISTENT
from oofpy.recipe import Recipe

LONGEST_GAP_S = 3600.0
MAPS_PER_OBSERVATION = 3
# dz read back from an encoder scatters; what it must differ by to be another one.
_SAME_DZ_WAVES = 0.05
_SAME_DZ_M = 1e-5

LeftOver = tuple[Fragment, str]


@dataclass(frozen=True)
class _Rules:
    longest_gap_s: float
    maps_per_observation: int


def group_fragments(
    fragments: Iterable[Fragment],
    longest_gap_s: float = LONGEST_GAP_S,
    maps_per_observation: int = MAPS_PER_OBSERVATION,
) -> tuple[list[Request], list[LeftOver]]:
    """Put together the files that make one observation.

    Parameters
    ----------
    fragments : iterable of Fragment
        In whatever order: what comes out does not depend on it.
    longest_gap_s : float, seconds
        Longest time between the dates of two successive maps of one observation.
    maps_per_observation : int
        How many maps make an observation where no file says its dz.

    Returns
    -------
    requests : list of Request
        Complete observations, by folder and name of the first file; the files of each by date, else by name.
    left_over : list of (Fragment, str)
        The others, each with the reason.
    """
    rules = _Rules(longest_gap_s, maps_per_observation)
    requests: list[Request] = []
    left_over: list[LeftOver] = []
    for group in _alike(fragments):
        single, copies = _without_copies(group)
        left_over += copies
        for run in _runs(_ordered(single), rules):
            reason = _fault_of(run, rules)
            if reason:
                left_over += [(fragment, reason) for fragment in run]
            else:
                requests.append(_request(run))
    requests.sort(key=lambda request: _place_of(request.files[0]))
    return requests, sorted(left_over, key=lambda one: _place_of(one[0].file))


def _alike(fragments: Iterable[Fragment]) -> list[list[Fragment]]:
    """Part the files by all that the maps of one observation have in common."""
    groups: dict[tuple[str, ...], list[Fragment]] = {}
    recipes: dict[int, str] = {}
    for fragment in fragments:
        recipe = fragment.recipe
        if id(recipe) not in recipes:
            recipes[id(recipe)] = _recipe_text(recipe)
        key = (
            str(fragment.file.parent),
            _plain(fragment.telescope),
            _plain(fragment.object_name),
            recipes[id(recipe)],
        )
        groups.setdefault(key, []).append(fragment)
    return [alike for key in sorted(groups) for alike in _by_wavelength(groups[key])]


def _by_wavelength(group: Sequence[Fragment]) -> list[list[Fragment]]:
    """Part the files by wavelength: a frequency that follows the source differs a little from map to map."""
    parts: list[list[Fragment]] = []
    for fragment in sorted(group, key=lambda one: math.inf if math.isnan(one.wavelength_m) else one.wavelength_m):
        first_m = parts[-1][0].wavelength_m if parts else math.nan
        both_unknown = bool(parts) and math.isnan(first_m) and math.isnan(fragment.wavelength_m)
        if both_unknown or abs(fragment.wavelength_m / first_m - 1) <= CONSISTENT:
            parts[-1].append(fragment)
        else:
            parts.append([fragment])
    return parts


def _recipe_text(recipe: Recipe) -> str:
    """Write a recipe out; without the dz of one map, which belongs to the file and not to the observation."""
    if _said_for_one(recipe):
        recipe = replace(recipe, reading=replace(recipe.reading, defocus_m=None))
    return json.dumps(to_plain(recipe), sort_keys=True)


def _said_for_one(recipe: Recipe) -> bool:
    return recipe.reading.defocus_m is not None and len(recipe.reading.defocus_m) == 1


def _plain(text: str | None) -> str:
    return "".join(letter for letter in (text or "").casefold() if letter.isalnum())


def _without_copies(group: Sequence[Fragment]) -> tuple[list[Fragment], list[LeftOver]]:
    first: dict[str, Fragment] = {}
    copies: list[LeftOver] = []
    for fragment in sorted(group, key=lambda one: _place_of(one.file)):
        if fragment.sha256 in first:
            copies.append((fragment, f"it has the same content as {first[fragment.sha256].file.name}"))
        else:
            first[fragment.sha256] = fragment
    return list(first.values()), copies


def _ordered(group: Sequence[Fragment]) -> list[Fragment]:
    by_name = sorted(group, key=lambda one: _place_of(one.file))
    dates = {id(one): _time(one) for one in group}
    if None in dates.values():
        return by_name
    return sorted(by_name, key=lambda one: dates[id(one)] or datetime.max.replace(tzinfo=UTC))


def _place_of(file: object) -> list[tuple[bool, int, str]]:
    """Sort names so that 9 comes before 10."""
    parts = re.split(r"([0-9]+)", str(file))
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _time(fragment: Fragment) -> datetime | None:
    return parsed_date(fragment.date)


def _runs(ordered: Sequence[Fragment], rules: _Rules) -> Iterator[list[Fragment]]:
    """Cut a sequence of maps into those of one observation each."""
    size = _fixed_size(ordered, rules)
    run: list[Fragment] = []
    for fragment in ordered:
        full = len(run) == size if size else _comes_again(fragment, run)
        if run and (full or _gap_s(run[-1], fragment) > rules.longest_gap_s):
            yield run
            run = []
        run.append(fragment)
    if run:
        yield run


def _fixed_size(group: Sequence[Fragment], rules: _Rules) -> int | None:
    """How many maps make an observation where their dz does not tell."""
    if not group:
        return None
    reading = group[0].recipe.reading
    if reading.defocus_m is not None and not _said_for_one(group[0].recipe):
        # With some of the maps chosen, dz may be that of the chosen ones.
        return max(len(reading.defocus_m), *(reading.maps or (0,)), 0)
    return rules.maps_per_observation if all(math.isnan(_defocus_m(one)) for one in group) else None


def _defocus_m(fragment: Fragment) -> float:
    said = fragment.recipe.reading.defocus_m
    return said[0] if said is not None and _said_for_one(fragment.recipe) else fragment.defocus_m


def _comes_again(fragment: Fragment, run: Sequence[Fragment]) -> bool:
    return any(_same_defocus(fragment, other) for other in run)


def _same_defocus(one: Fragment, other: Fragment) -> bool:
    wavelength_m = one.wavelength_m
    tolerance_m = _SAME_DZ_M if math.isnan(wavelength_m) else _SAME_DZ_WAVES * wavelength_m
    return abs(_defocus_m(one) - _defocus_m(other)) <= tolerance_m  # not where one is unknown


def _gap_s(earlier: Fragment, later: Fragment) -> float:
    times = _time(earlier), _time(later)
    return 0.0 if times[0] is None or times[1] is None else abs((times[1] - times[0]).total_seconds())


def _fault_of(run: Sequence[Fragment], rules: _Rules) -> str:
    """Why these maps do not make an observation; empty where they do."""
    size = _fixed_size(run, rules)
    if size and len(run) < size:
        said = "--dz has" if run[0].recipe.reading.defocus_m is not None else "an observation has"
        found = f"{len(run)} map{'s' if len(run) > 1 else ''} of one observation"
        return f"{found} found, of which {said} {size}; list its files in a manifest"
    if len(run) > 1:
        return ""  # two maps of a run differ in dz, or one says none, which its reading tells
    near = f"within {rules.longest_gap_s / 3600:g} h of it" if _time(run[0]) else "beside it"
    return (
        f"no map with another dz belongs to it (same folder, telescope, object and wavelength, {near}); "
        "list the files of its observation in a manifest"
    )


def _request(run: Sequence[Fragment]) -> Request:
    recipe = run[0].recipe
    if _said_for_one(recipe):
        reading = replace(recipe.reading, defocus_m=tuple(_defocus_m(one) for one in run))
        recipe = replace(recipe, reading=reading)
    return Request(tuple(one.file for one in run), recipe, complete=True)
