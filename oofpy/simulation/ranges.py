"""Refusal of settings that make no sense, in one line each."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from oofpy.errors import ConfigurationError


def require_between(key: str, value: Any, lower: float, upper: float, *, open_below: bool = False) -> None:
    """Refuse a setting outside its range.

    Parameters
    ----------
    key : str
        Name of the setting.
    value : object
        Its value.
    lower, upper : float
        The range; an infinite `upper` is no limit, and then infinity itself is allowed.
    open_below : bool
        Whether `lower` itself is refused.

    Raises
    ------
    ConfigurationError
        Naming the setting, its value and the range; also if it is not a number.
    """
    if isinstance(value, bool) or not isinstance(value, Real) or math.isnan(value):
        raise ConfigurationError("is not a number", key=key, value=repr(value))
    number, unit = float(value), _unit(key)
    if number < lower or number > upper or (open_below and number == lower):
        above = f"above {lower:g}{unit}" if open_below else f"at least {lower:g}{unit}"
        below = "" if math.isinf(upper) else f" and at most {upper:g}{unit}"
        raise ConfigurationError(
            "is out of range", key=key, value=f"{value}{unit}", remedy=f"it must be {above}{below}"
        )


def _unit(key: str) -> str:
    """Unit that the name of a setting ends with, after a blank; empty for a number without one."""
    return {"_m": " m", "_rad": " rad", "_db": " dB"}.get(key[key.rfind("_") :] if "_" in key else "", "")


def require_count(key: str, value: Any, least: int) -> None:
    """Refuse a setting that is not a whole number of at least `least`.

    Raises
    ------
    ConfigurationError
        Naming the setting and its value.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ConfigurationError(f"is not a whole number of at least {least}", key=key, value=repr(value))
