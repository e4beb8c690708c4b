"""Numbers with units: text such as ``-3mm`` or ``26 GHz`` to SI, and back to text for messages."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Literal, NamedTuple

from oofpy.errors import ConfigurationError

Dimension = Literal["length", "frequency", "angle", "level_db", "number"]


class _Unit(NamedTuple):
    """A unit as a power of ten times a factor, so that decimal units convert without rounding."""

    power: int = 0
    factor: float = 1.0


_UNITS: dict[Dimension, dict[str, _Unit]] = {
    "length": {"m": _Unit(), "mm": _Unit(-3), "um": _Unit(-6), "cm": _Unit(-2), "km": _Unit(3)},
    "frequency": {"Hz": _Unit(), "kHz": _Unit(3), "MHz": _Unit(6), "GHz": _Unit(9), "THz": _Unit(12)},
    "angle": {
        "rad": _Unit(),
        "mrad": _Unit(-3),
        "urad": _Unit(-6),
        "deg": _Unit(factor=math.pi / 180),
        "arcmin": _Unit(factor=math.pi / 10800),
        "arcsec": _Unit(factor=math.pi / 648000),
    },
    "level_db": {"dB": _Unit()},
    "number": {},
}
_NOUN = {"length": "length", "frequency": "frequency", "angle": "angle", "level_db": "level"}
_EXAMPLE_UNIT = {"length": "mm", "frequency": "GHz", "angle": "deg", "level_db": "dB"}
# The micro sign, the Greek mu and the typographic minus arrive by copy and paste.
_SPELLINGS = str.maketrans({"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", "\N{MINUS SIGN}": "-"})
_QUANTITY = re.compile(
    r"(?P<mantissa>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE](?P<exponent>[+-]?[0-9]{1,4}))?\s*(?P<unit>(?:[^\s0-9]\S*)?)"
)


def accepted_units(dimension: Dimension) -> tuple[str, ...]:
    """Units that `parse_quantity` knows for a dimension, the SI unit first."""
    return tuple(_UNITS[dimension])


def parse_quantity(text: str, dimension: Dimension, *, key: str | None, file: str | Path | None = None) -> float:
    """Convert a number with its unit to SI.

    Parameters
    ----------
    text : str
        For example ``-3mm``, ``-3 mm``, ``1.1e-3 m``, ``26GHz``. A zero needs no unit.
    dimension : {"length", "frequency", "angle", "level_db", "number"}
        What is expected: metres, hertz, radians, decibels or a number without a unit.
    key : str, optional
        The setting or option concerned, named in the error.
    file : path-like, optional
        The file in which it stands, named in the error.

    Returns
    -------
    float
        The value in m, Hz, rad, dB or without a unit; always finite.

    Raises
    ------
    ConfigurationError
        If the text is no finite number, or its unit is missing, unknown or of another dimension.
    """
    match = _QUANTITY.fullmatch(text.strip().translate(_SPELLINGS))
    if match is None:
        raise _not_a_number(text, dimension, key, file)
    mantissa, exponent, symbol = match["mantissa"], int(match["exponent"] or 0), match["unit"]
    unit = _UNITS[dimension].get(symbol)
    if unit is None:
        needs_no_unit = dimension == "number" or float(mantissa) == 0
        if symbol or not needs_no_unit:
            raise _wrong_unit(text, match, dimension, key, file)
        unit = _Unit()
    value = float(f"{mantissa}e{exponent + unit.power}") * unit.factor
    if not math.isfinite(value):
        raise _not_a_number(text, dimension, key, file)
    return value + 0.0  # turns -0.0 into 0.0


def parse_quantities(
    text: str, dimension: Dimension, *, key: str | None, file: str | Path | None = None
) -> tuple[float, ...]:
    """Convert a comma-separated list such as ``-3mm,0,3mm`` to SI.

    Parameters
    ----------
    text : str
        One or more quantities, each as for `parse_quantity`.
    dimension, key, file
        As for `parse_quantity`.

    Returns
    -------
    tuple of float
        The values in SI, in the order given.

    Raises
    ------
    ConfigurationError
        As `parse_quantity`, and if an item of the list is empty.
    """
    items = text.split(",")
    if not all(item.strip() for item in items):
        raise ConfigurationError(
            "has an empty item",
            file=file,
            key=key,
            value=_shown(text),
            remedy=f"separate the values by single commas, e.g. '{_example_list(dimension)}'",
        )
    return tuple(parse_quantity(item, dimension, key=key, file=file) for item in items)


def format_length(length_m: float) -> str:
    """Write a length in metres for people, in m, mm or um by its size."""
    return _format(length_m, (("m", 1.0), ("mm", 1e-3), ("um", 1e-6)))


def format_frequency(frequency_hz: float) -> str:
    """Write a frequency in hertz for people, in GHz, MHz, kHz or Hz by its size."""
    return _format(frequency_hz, (("GHz", 1e9), ("MHz", 1e6), ("kHz", 1e3), ("Hz", 1.0)))


def format_angle(angle_rad: float) -> str:
    """Write an angle in radians for people, in deg, arcmin or arcsec by its size."""
    return _format(angle_rad, (("deg", math.pi / 180), ("arcmin", math.pi / 10800), ("arcsec", math.pi / 648000)))


def _format(value: float, scales: tuple[tuple[str, float], ...]) -> str:
    if value == 0:
        return f"0 {scales[0][0]}"
    # The margin keeps 0.9999999 mm, which is printed as 1, from being shown as 1000 um.
    symbol, scale = next(((s, f) for s, f in scales if abs(value) >= f * (1 - 5e-7)), scales[-1])
    return f"{value / scale:.6g} {symbol}"


def _shown(text: str) -> str:
    return text.strip() or "''"


def _example_list(dimension: Dimension) -> str:
    unit = _EXAMPLE_UNIT.get(dimension, "")
    return f"-3{unit},0,3{unit}"


def _example(number: str, dimension: Dimension, key: str | None) -> str:
    if dimension == "angle" and "Z(" in (key or ""):  # the phase of a Zernike term
        return f"{number} rad"
    return f"{number} {_EXAMPLE_UNIT[dimension]}" if dimension in _EXAMPLE_UNIT else number


def _accepted(dimension: Dimension) -> str:
    if dimension == "number":
        return "a plain number without a unit"
    return f"units of {_NOUN[dimension]}: {', '.join(accepted_units(dimension))}"


def _not_a_number(text: str, dimension: Dimension, key: str | None, file: str | Path | None) -> ConfigurationError:
    return ConfigurationError(
        "is not a finite number with a unit" if dimension != "number" else "is not a finite number",
        file=file,
        key=key,
        value=_shown(text),
        remedy=f"write e.g. '{_example('3', dimension, key)}' ({_accepted(dimension)})",
    )


def _wrong_unit(
    text: str, match: re.Match[str], dimension: Dimension, key: str | None, file: str | Path | None
) -> ConfigurationError:
    symbol = match["unit"]
    number = match[0][: match.start("unit")].strip()
    if dimension == "number":
        problem, remedy = f"has the unit '{symbol}' but takes none", f"write e.g. '{number}'"
    else:
        similar = [unit for unit in accepted_units(dimension) if unit.lower() == symbol.lower()]
        example = f"{number} {similar[0]}" if similar else _example(number, dimension, key)
        remedy = f"write e.g. '{example}' ({_accepted(dimension)})"
        problem = "has no unit"
        if symbol:
            of_another = [_NOUN[d] for d, units in _UNITS.items() if symbol in units and d != dimension]
            what = f"a unit of {of_another[0]}" if of_another else "not a known unit"
            problem = f"has the unit '{symbol}', which is {what}"
    return ConfigurationError(problem, file=file, key=key, value=_shown(text), remedy=remedy)
