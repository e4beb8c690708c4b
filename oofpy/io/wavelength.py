"""The wavelength of an observation, from what its files and the user say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress

from oofpy.errors import InputError, UsageError
from oofpy.flags import Flag
from oofpy.io.reader import GivenNumber, RawFile

SPEED_OF_LIGHT_M_S = 299_792_458.0
SHORTEST_M, LONGEST_M = 0.2e-3, 0.3
REFUSE_BEYOND = 20.0
# oof itself computes with c = 3e8 m/s, which is 0.07 % off.
CONSISTENT, REFUSE_INCONSISTENT = 1e-3, 1e-2
GIVE_IT = "give the right one with --frequency or --wavelength"


def resolve_wavelength(files: Sequence[RawFile], wavelength_m: float | None = None) -> tuple[float, tuple[Flag, ...]]:
    """Find the one wavelength of the files.

    Parameters
    ----------
    files : sequence of RawFile
        The files of one observation.
    wavelength_m : float, optional, metres
        What the user says; it stands above what the files say.

    Returns
    -------
    wavelength_m : float, metres
        The wavelength.
    flags : tuple of Flag
        What is odd about it.

    Raises
    ------
    InputError
        If no wavelength is given, the files disagree, or it is beyond 20 times the range 0.2 mm to 0.3 m.
    UsageError
        If `wavelength_m` is not a positive number.
    """
    if wavelength_m is not None:
        return _given_by_user(files, wavelength_m)
    found: list[tuple[RawFile, float]] = []
    flags: list[Flag] = []
    for file in files:
        value, odd = wavelength_of(file)
        flags += odd
        if value is not None:
            found.append((file, value))
    if not found:
        raise InputError(
            "neither frequency nor wavelength is given",
            file=files[0].path,
            key="FREQ",
            remedy="give it with --frequency or --wavelength",
        )
    first, wavelength = found[0]
    for file, value in found[1:]:
        if abs(value / wavelength - 1) > CONSISTENT:
            raise InputError(
                f"its wavelength of {value:.6g} m differs from the {wavelength:.6g} m of {first.path}",
                file=file.path,
                remedy="fit the maps of one wavelength together",
            )
    given = first.wavelength or first.frequency
    return wavelength, (*flags, *_range_flags(wavelength, given))


def wavelength_of(file: RawFile) -> tuple[float | None, tuple[Flag, ...]]:
    """Find the wavelength one file gives, by its wavelength or else its frequency.

    Parameters
    ----------
    file : RawFile
        The file.

    Returns
    -------
    wavelength_m : float or None, metres
        None where the file does not say.
    flags : tuple of Flag
        Whether frequency and wavelength disagree.

    Raises
    ------
    InputError
        If a value is not a positive number, or frequency times wavelength is not c within 1 %.
    """
    wavelength = None if file.wavelength is None else file.wavelength.positive()
    if file.frequency is None:
        return wavelength, ()
    by_frequency = SPEED_OF_LIGHT_M_S / file.frequency.positive()
    if wavelength is None:
        return by_frequency, ()
    excess = wavelength / by_frequency - 1
    if abs(excess) > REFUSE_INCONSISTENT:
        raise InputError(
            f"with {file.frequency.key} = {file.frequency.value}, frequency times wavelength is {1 + excess:.4g} c",
            file=file.path,
            key=file.wavelength.key if file.wavelength else None,
            value=file.wavelength.value if file.wavelength else None,
            remedy=f"is one of them in GHz or mm instead of Hz and m? {GIVE_IT}",
        )
    if abs(excess) > CONSISTENT:
        message = f"{file.path.name}: frequency times wavelength is {1 + excess:.5f} c; the wavelength is used"
        return wavelength, (Flag("wavelength-inconsistent", message),)
    return wavelength, ()


def _given_by_user(files: Sequence[RawFile], wavelength_m: float) -> tuple[float, tuple[Flag, ...]]:
    if not (math.isfinite(wavelength_m) and wavelength_m > 0):
        raise UsageError("the wavelength must be a positive number of metres", key="--wavelength", value=wavelength_m)
    flags = list(_range_flags(wavelength_m, None))
    for file in files:
        # What is wrong in the file does not matter where the user says otherwise.
        value = None
        with suppress(InputError):
            value, _ = wavelength_of(file)
        if value is not None and abs(value / wavelength_m - 1) > CONSISTENT:
            message = f"the given wavelength of {wavelength_m:.6g} m replaces the {value:.6g} m of {file.path.name}"
            flags.append(Flag("wavelength-replaced", message))
    return float(wavelength_m), tuple(flags)


def _range_flags(wavelength_m: float, given: GivenNumber | None) -> tuple[Flag, ...]:
    if SHORTEST_M <= wavelength_m <= LONGEST_M:
        return ()
    problem = f"a wavelength of {wavelength_m:.4g} m is outside {SHORTEST_M * 1e3:g} mm to {LONGEST_M:g} m"
    if SHORTEST_M / REFUSE_BEYOND <= wavelength_m <= LONGEST_M * REFUSE_BEYOND:
        return (Flag("wavelength-implausible", f"{problem}; check its unit"),)
    if given is None:
        raise UsageError(problem, key="--wavelength", value=wavelength_m, remedy="check its unit")
    raise given.error(problem, f"is it in GHz or mm instead of {given.unit}? {GIVE_IT}")
