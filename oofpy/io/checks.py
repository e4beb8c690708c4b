"""What can be wrong with maps, as far as it shows without knowing the telescope."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from oofpy.errors import InputError
from oofpy.flag_kinds import Level
from oofpy.flags import Flag
from oofpy.io.reader import RawMap
from oofpy.observation import BeamMap, BoolArray, FloatArray

# Gaps are often written as 0; measured noise rarely hits it more than now and then.
MOST_EXACT_ZEROS, FEW_EXACT_ZEROS = 0.01, 3
# No unit makes a power of this size; a damaged double can, and its square would overflow.
LARGEST_POWER = 1e100
TRIO = ("MINUS OOF", "ZERO OOF", "PLUS OOF")


def observed(raw: RawMap) -> BoolArray:
    """Where a map has a finite value of a possible size and finite coordinates; shape (samples,)."""
    possible = np.isfinite(raw.power) & (np.abs(raw.power) < LARGEST_POWER)
    return possible & np.isfinite(raw.u_rad) & np.isfinite(raw.v_rad)


def refuse_void(raw: RawMap, number: int) -> None:
    """Refuse a map without any content.

    Parameters
    ----------
    raw : RawMap
        The map.
    number : int
        Its number from 1, for messages.

    Raises
    ------
    InputError
        If nothing is observed, all values are equal, or the coordinates are no directions.
    """
    there = observed(raw)
    power, u_rad, v_rad = raw.power[there], raw.u_rad[there], raw.v_rad[there]
    without = "leave the map out with --maps"
    if not power.size:
        raise _map_error(raw, number, *_nothing_observed(raw, without))
    if np.all(power == power[0]):
        what = "all values are zero" if power[0] == 0 else f"all values are {power[0]:g}"
        raise _map_error(raw, number, f"{what}, so there is no beam in it", without)
    if np.all(u_rad == u_rad[0]) and np.all(v_rad == v_rad[0]):
        raise _map_error(raw, number, "all samples are at one position", "check the coordinate columns")
    extent = max(np.abs(u_rad).max(), np.abs(v_rad).max())
    if extent > 1:
        problem = f"the coordinates reach {extent:.6g}, beyond 1, so they are not in radians"
        raise _map_error(raw, number, problem, "convert them, or state their unit (TUNIT; coordinate_unit in TOML)")


def _nothing_observed(raw: RawMap, without: str) -> tuple[str, str]:
    """Say why no sample is left, and what to do."""
    void = next((origin for origin in raw.error_origins if origin.void), None)
    if not raw.power.size:
        return "there are no samples", without
    if void is not None:
        problem = f"no sample is observed: no {void.kind} in {void.name} is positive"
        return problem, f"correct or remove {void.name}, or {without}"
    if not np.isnan(raw.power).all():
        largest = f"{np.nanmax(np.abs(raw.power)):g}"
        return f"no sample is observed: the values reach {largest}, and below {LARGEST_POWER:g} are possible", without
    if raw.error_origins:
        names = " or ".join(origin.name for origin in raw.error_origins)
        return f"no sample is observed: every pixel is NaN in the map or left out by {names}", without
    return "no sample is observed: every row has NaN", without


def refuse_duplicates(maps: Sequence[RawMap], numbers: Sequence[int]) -> None:
    """Refuse an observation with the same data in two maps.

    Parameters
    ----------
    maps : sequence of RawMap
        The maps.
    numbers : sequence of int
        Their numbers from 1, for messages.

    Raises
    ------
    InputError
        If the power of two maps is equal sample by sample, wherever both are observed.
    """
    for (first, one), (second, other) in combinations(zip(numbers, maps, strict=True), 2):
        if _same_data(one, other):
            problem = f"it holds the same data as map {first} ({one.label})"
            raise _map_error(other, second, problem, "give every map once")


def _same_data(one: RawMap, other: RawMap) -> bool:
    if one.power.shape != other.power.shape:
        return False
    first, second = observed(one), observed(other)
    both = first & second
    # Gaps may differ in copies, but two maps with little in common are no copies.
    mostly = 2 * np.count_nonzero(both) > max(np.count_nonzero(first), np.count_nonzero(second))
    return bool(mostly and np.array_equal(one.power[both], other.power[both]))


def usable_errors(maps: Sequence[RawMap], numbers: Sequence[int]) -> tuple[list[FloatArray | None], tuple[Flag, ...]]:
    """Judge the columns of standard errors.

    Parameters
    ----------
    maps : sequence of RawMap
        The maps.
    numbers : sequence of int
        Their numbers from 1, for messages.

    Returns
    -------
    errors : list of array or None
        The errors of each map; None where they are all equal or all zero, which means none were given.
    flags : tuple of Flag
        What was found.

    Raises
    ------
    InputError
        If no observed sample of a map has a positive error although errors are given.
    """
    errors: list[FloatArray | None] = []
    equal: list[int] = []
    flags = []
    for number, raw in zip(numbers, maps, strict=True):
        there = observed(raw)
        values = None if raw.error is None else raw.error[there]
        if values is None or _all_equal(values):
            errors.append(None)
            equal += [] if values is None else [number]
            continue
        wrong = int(np.count_nonzero(~(np.isfinite(values) & (values > 0))))
        name = raw.error_origins[0].name if raw.error_origins else "the error column"
        if wrong == values.size:
            raise _map_error(raw, number, "no error is a positive number", f"correct or remove {name}")
        if wrong:
            message = (
                f"map {number} ({raw.label}): {wrong} of {values.size} errors"
                f"{f' from {name}' if raw.error_origins else ''} are zero, negative or NaN; "
                "these samples are left out"
            )
            flags.append(Flag("errors-not-positive", message))
        errors.append(raw.error)
    flags += _negative_weights(maps, numbers)
    flags += _some_without_errors(maps, numbers)
    if equal:
        listed = ", ".join(str(number) for number in equal)
        message = f"the errors of map {listed} are all zero or all equal: none are taken as given"
        flags.append(Flag("errors-equal", message))
    return errors, tuple(flags)


def _negative_weights(maps: Sequence[RawMap], numbers: Sequence[int]) -> list[Flag]:
    """Flag the images whose weights or hits are negative somewhere; their readers have left these pixels out."""
    return [
        Flag(
            "errors-not-positive",
            f"map {number} ({raw.label}): {origin.negative} of {raw.power.size} values in {origin.name} "
            f"({origin.kind}) are negative; these samples are left out",
        )
        for number, raw in zip(numbers, maps, strict=True)
        for origin in raw.error_origins
        if origin.negative
    ]


def _some_without_errors(maps: Sequence[RawMap], numbers: Sequence[int]) -> list[Flag]:
    """Note the maps without errors where others have them, unless their reader has said so."""
    without = [
        f"{number} ({raw.label})"
        for number, raw in zip(numbers, maps, strict=True)
        if raw.error is None and not raw.error_origins
    ]
    if not without or all(raw.error is None for raw in maps):
        return []
    message = (
        f"there are no errors of map {', '.join(without)}, though of others: its samples all count as equal, and those "
        "of the others by their errors"
    )
    return [Flag("weights-missing", message)]


def _all_equal(values: FloatArray) -> bool:
    return bool(np.isfinite(values[0]) and values[0] >= 0 and np.all(values == values[0]))


def oddities(maps: Sequence[RawMap], numbers: Sequence[int]) -> tuple[Flag, ...]:
    """Find gaps and exact zeros.

    Parameters
    ----------
    maps : sequence of RawMap
        The maps.
    numbers : sequence of int
        Their numbers from 1, for messages.

    Returns
    -------
    tuple of Flag
        Unobserved samples, and zeros that may be unobserved samples.
    """
    flags = []
    gaps = [
        f"{count} of {raw.power.size} in map {number}"
        for number, raw in zip(numbers, maps, strict=True)
        if (count := int(np.count_nonzero(~observed(raw))))
    ]
    if gaps:
        message = f"unobserved samples are left out: {', '.join(gaps)}"
        flags.append(Flag("samples-unobserved", message))
    zeros = [
        (_exact_zeros(raw), f"{_exact_zeros(raw)} of {raw.power.size} in map {number}")
        for number, raw in zip(numbers, maps, strict=True)
    ]
    if any(count for count, _ in zeros):
        serious = any(
            count > max(FEW_EXACT_ZEROS, MOST_EXACT_ZEROS * raw.power.size)
            for (count, _), raw in zip(zeros, maps, strict=True)
        )
        advice = "if these are gaps, write them as NaN or leave them out with --mask" if serious else "drop-outs?"
        counts = ", ".join(text for count, text in zeros if count)
        flags.append(
            Flag("exact-zeros", f"samples exactly zero: {counts}; {advice}", Level.CHECK if serious else Level.NOTE)
        )
    return tuple(flags)


def _exact_zeros(raw: RawMap) -> int:
    """Count zeros among measured values; among whole numbers (counts) a zero is nothing special."""
    power = raw.power[observed(raw)]
    return 0 if np.all(power == np.round(power)) else int(np.count_nonzero(power == 0))


def trio_flags(maps: Sequence[RawMap]) -> tuple[Flag, ...]:
    """Check maps named MINUS OOF, ZERO OOF, PLUS OOF against their names.

    Parameters
    ----------
    maps : sequence of RawMap
        The maps of one observation.

    Returns
    -------
    tuple of Flag
        Whether one of the three is missing, as from a file that was cut off between two HDUs.
    """
    labels = {raw.label.upper() for raw in maps}
    missing = [name for name in TRIO if name not in labels]
    if len(missing) in (0, len(TRIO)):
        return ()
    message = f"there is no map {' and no map '.join(missing)} beside the others; is the file cut off?"
    return (Flag("map-missing", message),)


def sign_flags(maps: Sequence[BeamMap]) -> tuple[Flag, ...]:
    """Check that MINUS OOF has a negative, ZERO OOF no and PLUS OOF a positive defocus.

    Parameters
    ----------
    maps : sequence of BeamMap
        The maps, with the defocus their file gives.

    Returns
    -------
    tuple of Flag
        One where a name contradicts its dz: the fit itself cannot see a wrong sign.
    """
    wanted = dict(zip(TRIO, (-1, 0, 1), strict=True))
    wrong = [
        f"{beam_map.label} has dz = {beam_map.defocus_m:g} m"
        for beam_map in maps
        if wanted.get(beam_map.label.upper(), np.sign(beam_map.defocus_m)) != np.sign(beam_map.defocus_m)
    ]
    if not wrong:
        return ()
    return (Flag("defocus-contradicts-name", f"{', '.join(wrong)}: check the order and the signs of dz"),)


def _map_error(raw: RawMap, number: int, problem: str, remedy: str) -> InputError:
    return InputError(problem, file=raw.file, key=f"map {number} ({raw.label})", remedy=remedy)
