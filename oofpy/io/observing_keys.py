"""The keys by which a user says how the maps were taken, and what they make of an `Observing`.

Keys are flat and their values are text with a unit, so that the command line, an observation TOML and the header of a
data file speak the same language.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from oofpy.errors import ConfigurationError, OofError
from oofpy.flags import Flag
from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S
from oofpy.observation import SourceFile
from oofpy.observing import (
    LARGEST_ANGLE_RAD,
    WIDEST_BAND,
    AppliedCorrection,
    Chop,
    ExtendedSource,
    Observing,
    Smearing,
    coefficient_fault,
    given_twice,
)
from oofpy.quantities import Dimension, format_angle, format_frequency, parse_quantity

NONE = "none"
PREFIX = "observing."


class _Key(NamedTuple):
    """One key: what it is, and its dimension or the words it takes; neither for text of its own form."""

    what: str
    dimension: Dimension | None = None
    words: tuple[str, ...] = ()


_KEYS = {
    "chop_throw": _Key("distance of the negative beam from the positive one", "angle"),
    "chop_angle": _Key("direction of the negative beam from the positive one, from +u towards +v", "angle"),
    "source_shape": _Key("disc where it is not given", words=("disc", "limb-darkened", "gaussian")),
    "source_diameter": _Key("diameter of the disc, full width at half maximum of the Gaussian", "angle"),
    "limb_darkening": _Key("exponent of the cosine of the angle to the surface of a limb-darkened disc", "number"),
    "bandwidth": _Key("width of the band", "frequency"),
    "scan_smearing": _Key("way of the telescope during one sample", "angle"),
    "scan_angle": _Key("direction of the scan, from +u towards +v", "angle"),
    "pixel_size": _Key("side of a square detector, diameter of a round one", "angle"),
    "pixel_shape": _Key("square where it is not given", words=("square", "round")),
    "source_distance": _Key("distance of a source in the near field from the vertex of the primary", "length"),
    "applied": _Key("correction that was on the dish: Z(2,0)=0.3rad, Z(3,1)=-12deg or a file"),
}
# `none` for the first key takes the others away as well.
_MODES = {
    "chop_throw": ("chop_angle",),
    "source_diameter": ("source_shape", "limb_darkening"),
    "scan_smearing": ("scan_angle",),
    "pixel_size": ("pixel_shape",),
}
_HALVES = (
    ("chop_angle", "chop_throw", "the chop has an angle but no throw", "CHOPTHR in an OOF table"),
    ("chop_throw", "chop_angle", "the chop has a throw but no angle", "from +u towards +v to the negative beam"),
    ("source_shape", "source_diameter", "the source has a shape but no size", "e.g. 3.5arcsec"),
    ("limb_darkening", "source_diameter", "the source has a limb but no size", "e.g. 3.5arcsec"),
    ("scan_angle", "scan_smearing", "the scan has a direction but no length", "the way during one sample"),
    ("scan_smearing", "scan_angle", "the smearing has no direction", "from +u towards +v along the scan"),
    ("pixel_shape", "pixel_size", "the detector has a shape but no size", "e.g. 4arcsec"),
)
_COEFFICIENT = re.compile(r"Z\(\s*([0-9]{1,3})\s*,\s*([+-]?[0-9]{1,3})\s*\)\s*=\s*(.+)")


@dataclass(frozen=True, slots=True, eq=False)
class ResolvedObserving:
    """What `resolve_observing` makes of the texts.

    Parameters
    ----------
    observing : Observing
        How the maps were taken.
    sources : tuple of SourceFile
        Files that were read for it.
    flags : tuple of Flag
        What was assumed.
    """

    observing: Observing
    sources: tuple[SourceFile, ...] = ()
    flags: tuple[Flag, ...] = ()


def observing_keys() -> dict[str, str]:
    """List the keys with what they mean.

    Returns
    -------
    dict of str to str
        One line by key, without the leading `observing.`.
    """
    return {
        name: f"{', '.join(key.words)}; {key.what}" if key.words else f"{key.what} ({key.dimension or 'text'})"
        for name, key in _KEYS.items()
    }


def check_observing_texts(texts: Mapping[str, str], *, file: str | Path | None = None) -> None:
    """Refuse texts that no observation could make sense of, before any file is read.

    Parameters
    ----------
    texts : mapping of str to str
        Keys without the leading `observing.`, and text with a unit, or `none`.
    file : path-like, optional
        Where they stand, for messages.

    Raises
    ------
    ConfigurationError
        If a key is unknown, or a value is without its unit, in a wrong one or not one of the words.
    """
    for key, text in texts.items():
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            remedy = f"did you mean {PREFIX}{near[0]}?" if near else f"known: {', '.join(_KEYS)}"
            raise ConfigurationError("is no key of the observing", file=file, key=PREFIX + key, remedy=remedy)
        if key == "applied" and not text.strip():
            remedy = f"write e.g. 'Z(2,0)=0.3rad', the name of a file, or {NONE}"
            raise ConfigurationError("is empty", file=file, key=PREFIX + key, value="''", remedy=remedy)
        if not _is_none(text) and (key != "applied" or is_coefficient_list(text)):
            _parsed(key, text, 1.0, file)


def apply_observing(
    observing: Observing, texts: Mapping[str, str], wavelength_m: float, *, file: str | Path | None = None
) -> Observing:
    """Change how the maps were taken by what a user says.

    Parameters
    ----------
    observing : Observing
        What is known already.
    texts : mapping of str to str
        Keys of `observing_keys` with their values; `none` takes away what is known. `none` for chop_throw,
        source_diameter, scan_smearing or pixel_size takes away everything about that mode.
    wavelength_m : float, metres
        Wavelength of the observation.
    file : path-like, optional
        The file concerned, for messages.

    Returns
    -------
    Observing
        With directions in the observation's own u, v. A source with a diameter and no shape is a uniform disc.

    Raises
    ------
    ConfigurationError
        If a key or a value is wrong, or only half of a mode is known.
    InputError
        If the file of an applied correction cannot be used.
    """
    return resolve_observing(observing, texts, wavelength_m, file=file).observing


def resolve_observing(
    observing: Observing, texts: Mapping[str, str], wavelength_m: float, *, file: str | Path | None = None
) -> ResolvedObserving:
    """Do the work of `apply_observing`, and give the files and the notes that belong to it.

    Parameters
    ----------
    observing, texts, wavelength_m, file
        As for `apply_observing`.

    Returns
    -------
    ResolvedObserving
        What comes of it.

    Raises
    ------
    ConfigurationError, InputError
        As `apply_observing`.
    """
    check_observing_texts(texts, file=file)
    given = {key: value for key, value in overlaid(values_of(observing), texts).items() if not _is_none(value)}
    sources: tuple[SourceFile, ...] = ()
    flags: tuple[Flag, ...] = ()
    applied = texts.get("applied", NONE)
    if not _is_none(applied) and not is_coefficient_list(applied):
        from oofpy.io.applied import read_applied

        given["applied"], source, flags = read_applied(applied, wavelength_m)
        sources = (source,)
    for key, text in texts.items():
        if not _is_none(text) and isinstance(given[key], str):
            given[key] = _parsed(key, text, wavelength_m, file)
    _refuse_halves(given, file)
    if "source_diameter" in given and "source_shape" not in given:
        given["source_shape"] = "disc"
        message = "a source of this diameter and no shape is taken as a uniform disc (observing.source_shape)"
        flags = (*flags, Flag("source-disc-assumed", message))
    return ResolvedObserving(_built(given, texts, wavelength_m, file), sources, flags)


def overlaid(lower: Mapping[str, Any], upper: Mapping[str, str]) -> dict[str, Any]:
    """Lay what stands above over what stands below; `none` above takes away.

    Parameters
    ----------
    lower : mapping
        By key.
    upper : mapping of str to str
        By key; `none` for the first key of a mode takes the lower keys of the whole mode away.

    Returns
    -------
    dict
        All that is above, and what remains below; `none` stays, for what lies still lower.
    """
    covered = covered_keys(upper)
    return {key: value for key, value in lower.items() if key not in covered} | dict(upper)


def covered_keys(texts: Mapping[str, str]) -> set[str]:
    """Give the keys about which texts decide, whatever stands below them."""
    return {*texts, *(member for key, text in texts.items() if _is_none(text) for member in _MODES.get(key, ()))}


def is_coefficient_list(text: str) -> bool:
    """Whether the text of `applied` is a list of coefficients, not the path of a file."""
    return re.match(r"\s*Z\s*\(", text) is not None


def values_of(observing: Observing) -> dict[str, Any]:
    """Take an `Observing` apart into its keys, in SI units; bandwidth as a fraction."""
    values: dict[str, Any] = {}
    if observing.applied is not None:
        values["applied"] = observing.applied
    if observing.chop is not None:
        values |= {"chop_throw": observing.chop.throw_rad, "chop_angle": observing.chop.angle_rad}
    if observing.source is not None:
        source = observing.source
        values |= {"source_shape": source.shape, "source_diameter": source.diameter_rad}
        values |= {"limb_darkening": source.limb_darkening} if source.shape == "limb-darkened" else {}
    if observing.smearing is not None:
        smearing = observing.smearing
        if smearing.scan_rad:
            values |= {"scan_smearing": smearing.scan_rad, "scan_angle": smearing.scan_angle_rad}
        if smearing.pixel_rad:
            values |= {"pixel_size": smearing.pixel_rad, "pixel_shape": smearing.pixel_shape}
    if observing.fractional_bandwidth:
        values["bandwidth"] = observing.fractional_bandwidth
    if observing.source_distance_m is not None:
        values["source_distance"] = observing.source_distance_m
    return values


def observing_of_values(values: Mapping[str, Any]) -> Observing:
    """Put together what `values_of` takes apart.

    Raises
    ------
    ConfigurationError
        If a value is out of its range.
    """
    chop = source = smearing = None
    if "chop_throw" in values:
        chop = Chop(values["chop_throw"], values["chop_angle"])
    if "source_diameter" in values:
        source = ExtendedSource(values["source_shape"], values["source_diameter"], values.get("limb_darkening", 0.0))
    if values.get("scan_smearing", 0.0) != 0 or values.get("pixel_size", 0.0) != 0:
        smearing = Smearing(
            values.get("scan_smearing", 0.0),
            values.get("scan_angle", 0.0),
            values.get("pixel_size", 0.0),
            values.get("pixel_shape", "square"),
        )
    return Observing(
        applied=values.get("applied"),
        chop=chop,
        source=source,
        smearing=smearing,
        fractional_bandwidth=values.get("bandwidth", 0.0),
        source_distance_m=values.get("source_distance"),
    )


def _is_none(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() == NONE


def _parsed(key: str, text: str, wavelength_m: float, file: str | Path | None) -> Any:
    """Turn one text into its value in SI units."""
    name, words, dimension = PREFIX + key, _KEYS[key].words, _KEYS[key].dimension
    if key == "applied":
        return AppliedCorrection(_coefficients(text, file), origin="coefficients as given")
    if words:
        if text.strip().lower() not in words:
            remedy = f"choose one of {', '.join(words)}"
            raise ConfigurationError("is not known", file=file, key=name, value=text or "''", remedy=remedy)
        return text.strip().lower()
    assert dimension is not None
    value = parse_quantity(text, dimension, key=name, file=file)
    if value == 0 and key in ("pixel_size", "scan_smearing"):
        raise ConfigurationError(
            "must be an angle above zero",
            file=file,
            key=name,
            value=text,
            remedy=f"write {name}=none where there is none",
        )
    return value * wavelength_m / SPEED_OF_LIGHT_M_S if key == "bandwidth" else value


def _coefficients(text: str, file: str | Path | None) -> tuple[tuple[int, int, float], ...]:
    found: list[tuple[int, int, float]] = []
    for item in re.split(r",(?=\s*Z)", text):
        match = _COEFFICIENT.fullmatch(item.strip())
        if match is None:
            raise ConfigurationError(
                "is no list of coefficients",
                file=file,
                key=f"{PREFIX}applied",
                value=text,
                remedy="write e.g. 'Z(2,0)=0.3rad, Z(3,1)=-12deg', or the name of a file",
            )
        phase = parse_quantity(match[3], "angle", key=f"{PREFIX}applied Z({match[1]},{match[2]})", file=file)
        n, l = int(match[1]), int(match[2])
        twice = any((n, l) == (other_n, other_l) for other_n, other_l, _ in found)
        fault = coefficient_fault(n, l, phase) or (given_twice(n, l) if twice else None)
        if fault is not None:
            problem, remedy = fault
            raise ConfigurationError(problem, file=file, key=f"{PREFIX}applied", value=item.strip(), remedy=remedy)
        found.append((n, l, phase))
    return tuple(found)


def _refuse_halves(given: Mapping[str, Any], file: str | Path | None) -> None:
    for present, missing, problem, hint in _HALVES:
        if present in given and missing not in given:
            mode = next((first for first, others in _MODES.items() if missing == first or missing in others), missing)
            raise ConfigurationError(
                f"this is missing: {problem}",
                file=file,
                key=PREFIX + missing,
                remedy=f"give it ({hint}), or {PREFIX}{mode}=none where there is none",
            )
    if given.get("source_shape") == "limb-darkened" and "limb_darkening" not in given:
        raise ConfigurationError(
            "this is missing: the source is limb-darkened by an unknown amount",
            file=file,
            key=f"{PREFIX}limb_darkening",
            remedy="give the exponent, e.g. 0.3, or set observing.source_shape=disc",
        )


def _built(
    given: Mapping[str, Any], texts: Mapping[str, str], wavelength_m: float, file: str | Path | None
) -> Observing:
    try:
        return observing_of_values(given)
    except OofError as error:
        key = (error.key or "").removeprefix(PREFIX)
        # As the user typed it, not as it was converted.
        value = texts[key].strip() if key in texts and key != "applied" else error.value
        remedy = error.remedy or _range_of(key, wavelength_m)
        raise ConfigurationError(
            error.problem, file=error.file or file, key=error.key, value=value, remedy=remedy
        ) from error


def _range_of(key: str, wavelength_m: float) -> str | None:
    """Say what may stand for a key, in a unit that is typed."""
    if key not in _KEYS:
        return None
    dimension = _KEYS[key].dimension
    widest = WIDEST_BAND * SPEED_OF_LIGHT_M_S / wavelength_m
    ranges = {
        "angle": f"an angle up to {format_angle(LARGEST_ANGLE_RAD)}, e.g. 20arcsec",
        "frequency": f"a width up to {format_frequency(widest)}",
        "length": "a length above zero, e.g. 3km",
        "number": "a number from 0 to 10",
    }
    return f"give {ranges[dimension]}, or {PREFIX}{key}={NONE}" if dimension in ranges else None
