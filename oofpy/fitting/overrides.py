"""Settings given as text, such as `order` = `auto` or `parameters.edge_taper_db.start` = `-12dB`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from oofpy.errors import ConfigurationError
from oofpy.fitting.settings import HIGHEST_FIT_ORDER, LOWEST_FIT_ORDER, FitSettings, ParameterRule
from oofpy.limits import Limits
from oofpy.optics.parameter_names import MAP_PARAMETERS, RESPONSE_PARAMETERS
from oofpy.optics.parameter_names import SHAPE_PARAMETERS as DISH_PARAMETERS
from oofpy.quantities import Dimension, parse_quantity

RULE_KEYS = tuple(field.name for field in fields(ParameterRule))
_PREFIX = "parameters."
_LIMITS = "limits."
_TABLES = ("parameters", "limits")  # settings that hold others
_ZERNIKE = re.compile(r"Z\(\s*(?P<n>[0-9]{1,3})\s*,\s*(?P<l>-?[0-9]{1,3})\s*\)")
_OF_ONE_MAP = re.compile(r"(?P<name>[^\[\]]*)\[(?P<number>[1-9][0-9]{0,3})\]")
_DIMENSION_OF_SUFFIX: dict[str, Dimension] = {"_m": "length", "_rad": "angle", "_db": "level_db"}
_TRUTH = {"true": True, "false": False}


def setting_keys() -> tuple[str, ...]:
    """Every key that `apply_settings` knows, PARAMETER and RULE standing for a name each."""
    plain = [field.name for field in fields(FitSettings) if field.name not in _TABLES]
    limits = [f"{_LIMITS}{field.name}" for field in fields(Limits)]
    return (*plain, *(f"{_PREFIX}PARAMETER.{rule}" for rule in RULE_KEYS), *limits)


def apply_settings(settings: FitSettings, texts: Mapping[str, str]) -> FitSettings:
    """Replace settings by values given as text.

    Parameters
    ----------
    settings : FitSettings
        Where to start from.
    texts : mapping of str to str
        Key to value: a setting's name (`order`), `limits.NAME` with a name of `Limits`, or
        `parameters.PARAMETER.RULE` with the rules of `ParameterRule` (`parameters.Z(2,0).free`,
        `parameters.pointing_u_rad[2].start`). Lengths, angles
        and levels carry their unit (`0.5mm`, `2arcsec`, `-12dB`); coefficients are angles. `none` takes a
        rule of a parameter back to its default.

    Returns
    -------
    FitSettings
        New settings; the rules of parameters that are not named stay.

    Raises
    ------
    ConfigurationError
        For an unknown key or a value that the setting cannot have; it names both.
    """
    plain: dict[str, Any] = {}
    rules: dict[str, dict[str, Any]] = {}
    limits: dict[str, Any] = {}
    for key, text in texts.items():
        if key.startswith(_PREFIX):
            parameter, rule = _parameter_and_rule(key)
            rules.setdefault(parameter, {})[rule] = _rule_value(key, parameter, rule, text.strip())
        elif key.startswith(_LIMITS):
            limits[key.removeprefix(_LIMITS)] = _limit_value(key, text.strip())
        else:
            plain[key] = _plain_value(key, text.strip())
    parameters = dict(settings.parameters)
    for parameter, changes in rules.items():
        parameters[parameter] = _changed_rule(parameter, parameters.get(parameter, ParameterRule()), changes)
    return replace(settings, parameters=parameters, limits=replace(settings.limits, **limits), **plain)


def _plain_value(key: str, text: str) -> object:
    """Convert the text to the type that the setting has by default."""
    defaults = {field.name: field.default for field in fields(FitSettings) if field.name not in _TABLES}
    if key not in defaults:
        raise _unknown("is not a setting", key, setting_keys())
    default = defaults[key]
    if isinstance(default, bool):
        return _truth(key, text)
    if isinstance(default, int):
        return text if (key, text) == ("order", "auto") else _whole(key, text)
    return parse_quantity(text, "number", key=key) if isinstance(default, float) else text


def _limit_value(key: str, text: str) -> object:
    """Convert the text of a limit: a whole number or a quantity, in the unit of its name; none where it has none."""
    name = key.removeprefix(_LIMITS)
    defaults = {field.name: field.default for field in fields(Limits)}
    if name not in defaults:
        raise _unknown("is not a limit", key, [f"{_LIMITS}{known}" for known in defaults])
    if defaults[name] is None and text.lower() == "none":
        return None
    if isinstance(defaults[name], int):
        return _whole(key, text)
    return parse_quantity(text, _dimension(name), key=key)


def _parameter_and_rule(key: str) -> tuple[str, str]:
    parameter, _, rule = key.removeprefix(_PREFIX).rpartition(".")
    if not parameter or rule not in RULE_KEYS:
        raise ConfigurationError(
            "does not end in a rule",
            key=key,
            remedy=f"write {_PREFIX}{parameter or rule}. and one of {', '.join(RULE_KEYS)}",
        )
    return _parameter_name(key, parameter), rule


def _parameter_name(key: str, text: str) -> str:
    """Give the name of a parameter in its one spelling, without blanks in `Z(n,l)`."""
    term = _ZERNIKE.fullmatch(text)
    if term:
        n, l = int(term["n"]), int(term["l"])
        if not LOWEST_FIT_ORDER <= n <= HIGHEST_FIT_ORDER or abs(l) > n or (n - l) % 2:
            raise ConfigurationError(
                f"Z({n},{l}) is not a coefficient that can be fitted",
                key=key,
                remedy=f"n runs from {LOWEST_FIT_ORDER} to {HIGHEST_FIT_ORDER}, l from -n to n in steps of 2",
            )
        return f"Z({n},{l})"
    if _known_parameter(text):
        return text
    per_map = [name for plain in MAP_PARAMETERS for name in (plain, f"{plain}[1]")]
    raise _unknown(
        f"'{text}' is not a parameter", key, ("Z(2,0)", *DISH_PARAMETERS, *RESPONSE_PARAMETERS, *per_map), text
    )


def _known_parameter(text: str) -> bool:
    of_one = _OF_ONE_MAP.fullmatch(text)
    plain = DISH_PARAMETERS + RESPONSE_PARAMETERS + MAP_PARAMETERS
    return text in plain or bool(of_one and of_one["name"] in MAP_PARAMETERS)


def _rule_value(key: str, parameter: str, rule: str, text: str) -> object:
    if text.lower() == "none":
        return None
    if rule == "free":
        return _truth(key, text)
    return parse_quantity(text, _dimension(parameter), key=key)


def _dimension(parameter: str) -> Dimension:
    if parameter.startswith("Z("):
        return "angle"
    name = parameter.partition("[")[0]
    return next((unit for suffix, unit in _DIMENSION_OF_SUFFIX.items() if name.endswith(suffix)), "number")


def _changed_rule(parameter: str, rule: ParameterRule, changes: Mapping[str, Any]) -> ParameterRule:
    try:
        return replace(rule, **changes)
    except ConfigurationError as error:
        raise ConfigurationError(
            error.problem, key=f"{_PREFIX}{parameter}.{error.key}", value=error.value, remedy=error.remedy
        ) from None


def _whole(key: str, text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        remedy = "write e.g. 5" + (" or auto" if key == "order" else "")
        raise ConfigurationError("is not a whole number", key=key, value=text or "''", remedy=remedy)
    return int(text)


def _truth(key: str, text: str) -> bool:
    if text.lower() not in _TRUTH:
        raise ConfigurationError("is neither true nor false", key=key, value=text or "''", remedy="write one")
    return _TRUTH[text.lower()]


def _unknown(problem: str, key: str, known: Iterable[str], name: str | None = None) -> ConfigurationError:
    choices = list(known)
    near = difflib.get_close_matches(name or key, choices, n=2, cutoff=0.75)
    remedy = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(choices)}"
    return ConfigurationError(problem, key=key, remedy=remedy)
