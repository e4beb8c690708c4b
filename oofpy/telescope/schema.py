"""The telescope file: which tables and keys it may hold, and what is wrong with one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from oofpy.telescope.entries import (
    Angle,
    Angles,
    Coefficients,
    FaultyEntryError,
    ImageOffsets,
    Length,
    Level,
    Line,
    MapFile,
    Number,
    PathTerms,
    Sign,
    Sourced,
    Table,
)
from oofpy.telescope.model import GeometryKind, IlluminationKind


class ResidualPathTable(Table):
    """[geometry.residual_path]."""

    used: bool = True
    coefficients: Coefficients | None = None
    zernike: PathTerms | None = None
    map: MapFile | None = None


class GeometryTable(Table):
    """[geometry]."""

    kind: GeometryKind
    shaped: bool
    dish_radius: Length
    primary_focal_length: Length | None = None
    effective_focal_length: Length | None = None
    axis_offset: Length | None = None
    primary_tilt: Angle | None = None
    secondary_tilt: Angle | None = None
    residual_path: ResidualPathTable | None = None
    static_path: MapFile | None = None


class IlluminationTable(Table):
    """[illumination]."""

    kind: IlluminationKind
    edge_taper: Level | None = None
    edge_taper_min: Level | None = None
    edge_taper_max: Level | None = None
    edge_taper_free: bool | None = None
    pedestal_exponent: Number | None = None
    width: Number | None = None


class LegsTable(Table):
    """[blockage.legs]."""

    used: bool
    position_angles: Angles
    half_width: Length
    outer_radius: Length
    shade_angle: Angle | None = None


class BlockageTable(Table):
    """[blockage]."""

    disc_radius: Length
    legs: LegsTable | None = None


class ConventionsTable(Table):
    """[conventions]."""

    defocus_sign: Sign
    u_sign: Sign
    v_sign: Sign
    image_offsets: ImageOffsets | None = None
    defocus: Line
    sky: Line
    surface: Line


class TelescopeTable(Table):
    """The whole file."""

    name: Line
    description: Line
    geometry: GeometryTable
    illumination: IlluminationTable
    blockage: BlockageTable
    conventions: ConventionsTable


def validate(document: dict[str, Any]) -> TelescopeTable:
    """Check the shape of a parsed telescope file.

    Raises
    ------
    FaultyEntryError
        For the first unknown key, missing key, missing unit or wrong type.
    """
    try:
        return TelescopeTable.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False)
    # A misspelt key is reported as unknown and as missing; only the first tells the user why.
    details.sort(key=lambda detail: detail["type"] != "extra_forbidden")
    raise _fault(details[0])


def known_keys(table: type[BaseModel] = TelescopeTable, prefix: str = "") -> Iterator[tuple[str, type]]:
    """Yield every dotted key a file may hold, with the type of its entry."""
    for name, info in table.model_fields.items():
        kind = _entry_type(info.annotation)
        if issubclass(kind, Table) and not issubclass(kind, Sourced):
            yield from known_keys(kind, f"{prefix}{name}.")
        else:
            yield prefix + name, kind


def _entry_type(annotation: Any) -> type:
    """Strip `None` off an annotation; literals count as text."""
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and candidate is not type(None):
            return candidate
    return str


def _fault(detail: ErrorDetails) -> FaultyEntryError:
    """Say in our words what pydantic found."""
    location = [part for part in detail["loc"] if isinstance(part, str)]
    inside = location[:-1] if location[-1] == "value" else location
    key, kind, given = ".".join(inside), detail["type"], detail["input"]
    context = detail.get("ctx", {})
    if kind == "oofpy":
        return FaultyEntryError(key, context["problem"], context["remedy"], _shown(given))
    if kind == "extra_forbidden":
        return _unknown_key(".".join(location))
    if kind == "missing":
        return FaultyEntryError(key, *_missing(key, location[-1]))
    if kind in ("model_type", "model_attributes_type"):
        return FaultyEntryError(key, *_not_a_table(key), _shown(given))
    if kind == "literal_error":
        return FaultyEntryError(key, "is not a known choice", f"write one of {context['expected']}", _shown(given))
    if kind == "bool_type":
        return FaultyEntryError(key, "is neither true nor false", "write true or false", _shown(given))
    remedy = "write text between quotes" if kind.startswith("string") else "correct the value"
    return FaultyEntryError(key, detail["msg"].lower(), remedy, _shown(given))


def _unknown_key(key: str) -> FaultyEntryError:
    parent, _, name = key.rpartition(".")
    siblings = dict.fromkeys(k.removeprefix(f"{parent}.").split(".")[0] for k in _keys_under(parent))
    close = difflib.get_close_matches(name, siblings, n=1)
    remedy = f"did you mean '{close[0]}'? " if close else "remove it; "
    return FaultyEntryError(key, "is not a known key", f"{remedy}(known here: {', '.join(siblings)})")


def _keys_under(parent: str) -> list[str]:
    """List the keys of one table; those of a number are value, source and note."""
    every = dict(known_keys())
    kind = every.get(parent, Table)
    if issubclass(kind, Sourced):
        return [f"{parent}.{field}" for field in kind.model_fields]
    return [key for key in every if not parent or key.startswith(f"{parent}.")]


def _missing(key: str, name: str) -> tuple[str, str]:
    if name == "source":
        return "is missing", 'say where the number comes from, or write source = "unsourced"'
    if name == "unit":
        return "is missing", 'write unit = "m" inside the entry, between its braces'
    if name == "value":
        return "has no value", 'write e.g. value = "50 m", or value = "unknown"'
    return "is missing", _example_entry(key)


def _not_a_table(key: str) -> tuple[str, str]:
    every = dict(known_keys())
    if key in every:
        return "has no source", _example_entry(key)
    return "is not a table", f"write its keys under [{key}]"


def _example_entry(key: str) -> str:
    kind = dict(known_keys()).get(key, Table)
    name = key.rpartition(".")[2]
    if issubclass(kind, Sourced):
        return f'write e.g. {name} = {{ value = {kind.example}, source = "where it comes from" }}'
    if issubclass(kind, Table):
        return f"add the table [{key}]"
    return f"write {name} = {'true or false' if kind is bool else 'its text between quotes'}"


def _shown(value: object) -> str | None:
    """Show a value that fits into a line; tables and long lists do not."""
    if value is None or isinstance(value, dict):
        return None
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
