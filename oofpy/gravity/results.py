"""Results of single observations as the input of a gravity model, and their maps, a few at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from oofpy.errors import InputError, UsageError, one_line
from oofpy.fitting.result import FitResult, MapArrays
from oofpy.gravity.joint import MapBatch
from oofpy.gravity.series import FEWEST_OBSERVATIONS, CoefficientSeries, ElevationSample
from oofpy.io.results import read_result
from oofpy.observation import BeamMap, Observation

_BATCH = 16
# So many of those left out are named in an error.
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An observation that takes no part.

    Parameters
    ----------
    name : str
        Of the observation, or its place where it could not be read.
    reason : str
        One line.
    """

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is known of an observation beside its maps.

    Parameters
    ----------
    temperature_k : float or None, kelvin
    hour_angle_rad : float or None, radians
    """

    temperature_k: float | None = None
    hour_angle_rad: float | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where the result of an observation is, of what data, and with which others it can be fitted side by side."""

    name: str
    place: Path
    kind: str
    maps: tuple[str, ...]

    @classmethod
    def of(cls, name: str, place: Path, result: FitResult) -> _Entry:
        """Take from a result what is kept of it."""
        return cls(
            name,
            place,
            _kind(result),
            tuple(_hash_of(arrays) for arrays in result.map_arrays),
        )


@dataclass(frozen=True, slots=True, eq=False)
class GravityInput:
    """Observations of one dish, read from results.

    Parameters
    ----------
    series : CoefficientSeries
    left_out : tuple of LeftOut
    entries : tuple
        Where the maps of the observations are.
    """

    series: CoefficientSeries
    left_out: tuple[LeftOut, ...]
    entries: tuple[_Entry, ...]

    @property
    def maps(self) -> ResultMaps:
        """Their maps, as `fit_joint` takes them."""
        return ResultMaps(self.entries)


def gravity_input(
    places: Iterable[Path],
    *,
    order: int | None = None,
    telescopes: Sequence[str] = (),
    accepted_only: Collection[Path] = (),
    conditions: Mapping[str, Conditions] | None = None,
    left_out: Sequence[LeftOut] = (),
) -> GravityInput:
    """Read the coefficients of results.

    Parameters
    ----------
    places : iterable of Path
        Folders of results, or the result.fits in them; read one after the other.
    order : int, optional
        Of the ladder, for all of them; that which was chosen for each by default.
    telescopes : sequence of str
        Names of those whose observations are taken; all by default.
    accepted_only : collection of Path
        Those among the places whose results are left out unless their verdict accepts them.
    conditions : mapping of str to Conditions, optional
        By the name of the observation.
    left_out : sequence of LeftOut
        What the caller left out already.

    Returns
    -------
    GravityInput
        Observations of other telescopes, failed ones, those without an elevation and those that were not fitted at the
        order are left out, each with its reason. So are, of results that share maps, all but the one with the most
        maps, or the first of those.

    Raises
    ------
    InputError, UsageError
        As `CoefficientSeries.of`; where every observation is left out for one reason, it says which.
    """
    samples: list[ElevationSample] = []
    entries: list[_Entry] = []
    others = list(left_out)
    taken: set[str] = set()
    wanted = {name.casefold() for name in telescopes}
    for place in places:
        try:
            result = read_result(place)
        except InputError as fault:
            others.append(LeftOut(str(place), fault.problem))
            continue
        name = _told_apart(result.name, taken)
        reason = _reason(result, wanted, place in accepted_only)
        try:
            if not reason:
                known = (conditions or {}).get(result.name, Conditions())
                sample = ElevationSample.from_result(
                    result,
                    order,
                    name=name,
                    temperature_k=known.temperature_k,
                    hour_angle_rad=known.hour_angle_rad,
                )
                samples.append(sample)
                entries.append(_Entry.of(name, place, result))
                taken.add(name)
                continue
        except InputError as fault:
            reason = fault.problem
        others.append(LeftOut(name, reason))
    if not samples and others:
        raise _nothing_left(others)
    again = _held_again(entries)
    others += [LeftOut(entries[number].name, reason) for number, reason in again.items()]
    kept = [number for number in range(len(entries)) if number not in again]
    if others and len(kept) < FEWEST_OBSERVATIONS:
        raise _too_few(len(kept), others)
    series = CoefficientSeries.of([samples[number] for number in kept])
    return GravityInput(series, tuple(others), tuple(entries[number] for number in kept))


def _held_again(entries: Sequence[_Entry]) -> dict[int, str]:
    """Numbers of those whose maps are in another with as many or more, which would count twice, with the reason."""
    holders: dict[str, str] = {}
    again: dict[int, str] = {}
    for number in sorted(range(len(entries)), key=lambda one: -len(entries[one].maps)):
        entry = entries[number]
        shared = [one for one in entry.maps if one in holders]
        if shared:
            count = "its maps are" if len(shared) == len(entry.maps) else f"{len(shared)} of its maps are"
            again[number] = f"{count} in {holders[shared[0]]} as well"
        else:
            holders.update(dict.fromkeys(entry.maps, entry.name))
    return dict(sorted(again.items()))


def _hash_of(arrays: MapArrays) -> str:
    # Of the samples and not of the file, which may hold several bands or observations.
    return hashlib.sha256(np.sort(arrays.observed).tobytes()).hexdigest()


def _reason(result: FitResult, wanted: set[str], accepted_only: bool) -> str:
    """Why a result takes no part; empty where it does."""
    if wanted and result.telescope.name.casefold() not in wanted:
        return f"its telescope is {result.telescope.name}"
    if result.status == "failed":
        return "its fit failed"
    if result.elevation_rad is None:
        return "its elevation is not known"
    if accepted_only and result.verdict != "accept":
        return f"its verdict is {result.verdict}"
    return ""


def _nothing_left(left_out: list[LeftOut]) -> UsageError:
    reasons = list(dict.fromkeys(one.reason for one in left_out))
    return UsageError(
        f"none of {len(left_out)} results can be used: "
        + (reasons[0] if len(reasons) == 1 else "; ".join(reasons[:3])),
        key="RESULTS",
        remedy="give results with known elevations (MEANEL in the files, or elevation in an observation TOML), of one "
        "telescope and fitted at the order asked for",
    )


def _too_few(kept: int, left_out: list[LeftOut]) -> UsageError:
    named = "; ".join(f"{one.name}: {one.reason}" for one in left_out[:_MOST_NAMED])
    more = f"; and {len(left_out) - _MOST_NAMED} more" if len(left_out) > _MOST_NAMED else ""
    return UsageError(
        f"A, B and C and their errors need {FEWEST_OBSERVATIONS} observations or more: {kept} can be used, "
        f"{len(left_out)} {'is' if len(left_out) == 1 else 'are'} left out ({named}{more})",
        key="RESULTS",
        remedy="give more, at elevations far apart",
    )


def _told_apart(name: str, taken: set[str]) -> str:
    """Name with a number, where it is taken."""
    number, other = 1, one_line(name)
    while other in taken:
        number += 1
        other = f"{one_line(name)}#{number}"
    return other


def _kind(result: FitResult) -> str:
    """What observations that are fitted side by side have in common."""
    telescope = result.telescope
    same = (len(result.map_arrays), telescope.name, telescope.sha256, dict(telescope.overrides), _common(result))
    return repr(same)


def _common(result: FitResult) -> str:
    return repr(replace(result.settings, order=2))


@dataclass(frozen=True, slots=True)
class ResultMaps:
    """Maps of observations out of their results, read anew whenever they are gone through.

    Parameters
    ----------
    entries : tuple
        Of a `GravityInput`.
    """

    entries: tuple[_Entry, ...]

    def __iter__(self) -> Iterator[MapBatch]:
        """Batches of observations with equal numbers of maps, telescope and settings."""
        for kind in dict.fromkeys(entry.kind for entry in self.entries):
            group = [entry for entry in self.entries if entry.kind == kind]
            for first in range(0, len(group), _BATCH):
                yield _batch(group[first : first + _BATCH])


def _batch(entries: list[_Entry]) -> MapBatch:
    results = [read_result(entry.place) for entry in entries]
    observations = tuple(observation_of(result) for result in results)
    return MapBatch(tuple(entry.name for entry in entries), observations, results[0].telescope, results[0].settings)


def observation_of(result: FitResult) -> Observation:
    """Give back the observation that a result came from.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    Observation
        In the convention of the model; samples that were left out of the fit stay so.
    """
    return Observation(
        name=result.name,
        maps=tuple(
            _beam_map(arrays, fitted.dz_m) for arrays, fitted in zip(result.map_arrays, result.fit.maps, strict=True)
        ),
        wavelength_m=result.wavelength_m,
        telescope=result.telescope.name,
        elevation_rad=result.elevation_rad,
        object_name=result.object_name,
        date=result.date,
        sources=result.sources,
        observing=result.observing,
        frame="model",
    )


def _beam_map(arrays: MapArrays, dz_m: float) -> BeamMap:
    return BeamMap(
        arrays.u_rad,
        arrays.v_rad,
        arrays.observed,
        dz_m,
        relative_error=arrays.relative_error,
        used=np.isfinite(arrays.relative_error),
        label=arrays.label,
    )
