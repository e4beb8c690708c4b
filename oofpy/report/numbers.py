"""Numbers in words, with as many digits as their errors warrant."""

from __future__ import annotations

import math
from dataclasses import dataclass

UNKNOWN = "-"
ARCSEC_PER_RAD = 648000 / math.pi


@dataclass(frozen=True)
class KeyNumber:
    """A number that is to be seen at once.

    Parameters
    ----------
    name : str
    value : str
        With the unit.
    lines : tuple of str
        What else belongs to it.
    """

    name: str
    value: str
    lines: tuple[str, ...] = ()


def number(value: float | None, form: str = ".4g") -> str:
    """Write a number; a dash where there is none, a word where it has no end."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "infinite" if value > 0 else "-infinite"
    return f"{value:{form}}"


def ratio(value: float | None) -> str:
    """Write a signal to noise, a significance or another ratio, which may be large."""
    return number(value, ".3g" if value is None or not abs(value) >= 999.5 else ".0f")


def signed(value: float) -> str:
    """Write a number with its sign, and zero without one."""
    return number(value, "+.6g") if value else "0"


def rounded(value: float, error: float | None, sign: str = "") -> tuple[str, str]:
    """Write a number and its standard error, both to the second digit of the error.

    Parameters
    ----------
    value, error : float
        In the same unit; without a usable error the number has four digits, and the error is a dash.
    sign : {"", "+"}
        A plus sign stands before positive values.

    Returns
    -------
    (value, error) : tuple of str
    """
    if error is None or not (math.isfinite(value) and math.isfinite(error) and error > 0):
        return number(value, f"{sign if value else ''}.4g"), UNKNOWN
    decimals = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:{sign}.{decimals}f}", f"{error:.{decimals}f}"


def measured(value: float, error: float | None, unit: str, sign: str = "") -> str:
    """Write a number with its standard error, where it has one, and its unit."""
    shown, uncertainty = rounded(value, error, sign)
    between = "" if uncertainty == UNKNOWN else f" \N{PLUS-MINUS SIGN} {uncertainty}"
    return f"{shown}{between} {unit}".rstrip()


def percent(part: float, form: str = ".3g") -> str:
    """Write a part of one in per cent."""
    return f"{number(100 * part, form)} %"
