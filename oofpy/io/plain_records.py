"""Frozen records as plain values that JSON can hold, and back, without a loss."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

# Strict JSON has no such numbers; a bound may well be infinite.
_NOT_FINITE = "not_finite"
# Nor has it arrays of numbers that keep every bit: little-endian doubles in base 64, and their shape.
_ARRAY = "float64"


def to_plain(value: Any) -> Any:
    """Reduce a value to dictionaries, lists, text, numbers, truth values and None.

    Parameters
    ----------
    value : object
        Dataclass, mapping with text as keys, sequence, path, enumeration member or plain value, nested
        at will. Numbers that are not finite become ``{"not_finite": "nan"}``, arrays of numbers
        ``{"float64": their bytes in base 64, "shape": [...]}``.

    Returns
    -------
    object
        For `json.dumps` with ``allow_nan=False``.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return {_ARRAY: base64.b64encode(value.astype("<f8").tobytes()).decode(), "shape": list(value.shape)}
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: to_plain(getattr(value, entry.name)) for entry in fields(value) if entry.init}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return {_NOT_FINITE: repr(value)}
    return value


def from_plain(kind: Any, plain: Any) -> Any:
    """Build a value of a type from what `to_plain` made of it.

    Parameters
    ----------
    kind : type or type hint
        Dataclass, named tuple, tuple, mapping, array, optional, literal, path, enumeration or plain type.
    plain : object
        As parsed from JSON.

    Returns
    -------
    object
        Equal to the original.

    Raises
    ------
    TypeError, ValueError, LookupError
        If the plain value does not have that type.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _optional(arguments, plain)
    if origin is np.ndarray:
        values = np.frombuffer(base64.b64decode(plain[_ARRAY], validate=True), "<f8")
        return values.reshape(plain["shape"]).astype(np.float64)
    if origin is Literal:
        return _checked(plain in arguments, kind, plain)
    if origin is tuple or (isinstance(kind, type) and issubclass(kind, tuple)):
        return _tuple(kind, arguments, plain)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: from_plain(arguments[1], item) for key, item in plain.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: from_plain(hints[name], item) for name, item in plain.items()})
    return _scalar(kind, plain)


def _optional(options: tuple[Any, ...], plain: Any) -> Any:
    if plain is None and NoneType in options:
        return None
    left = [option for option in options if option is not NoneType]
    return from_plain(left[0], plain) if len(left) == 1 else _checked(isinstance(plain, tuple(left)), left, plain)


def _tuple(kind: Any, arguments: tuple[Any, ...], plain: Any) -> Any:
    _checked(isinstance(plain, list), kind, plain)
    if not arguments:  # a named tuple
        hints = get_type_hints(kind)
        return kind(*(from_plain(hint, item) for hint, item in zip(hints.values(), plain, strict=True)))
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(from_plain(arguments[0], item) for item in plain)
    return tuple(from_plain(hint, item) for hint, item in zip(arguments, plain, strict=True))


def _scalar(kind: Any, plain: Any) -> Any:
    if isinstance(plain, dict) and list(plain) == [_NOT_FINITE]:
        plain = float(plain[_NOT_FINITE])
    if kind is Any:
        if isinstance(plain, dict):
            return {key: _scalar(Any, item) for key, item in plain.items()}
        return [_scalar(Any, item) for item in plain] if isinstance(plain, list) else plain
    if kind is Path or (isinstance(kind, type) and issubclass(kind, Enum)):
        return kind(plain)
    if kind is float:
        # A whole number in place of a float stays one, so that the record is equal and prints alike.
        return _checked(isinstance(plain, int | float) and not isinstance(plain, bool), kind, plain)
    return _checked(type(plain) is kind, kind, plain)


def _checked(fits: bool, kind: Any, plain: Any) -> Any:
    if not fits:
        raise TypeError(f"{str(plain)[:60]} is not of type {kind}")
    return plain
