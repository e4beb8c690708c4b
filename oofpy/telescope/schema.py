"""The telescope file: which tables, keys and units it may hold, and what is wrong with one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from oofpy.errors import ConfigurationError
from oofpy.quantities import Dimension, parse_quantity
from oofpy.telescope.model import GeometryKind, IlluminationKind

UNKNOWN = "unknown"
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class FaultyEntryError(Exception):
    """What is wrong with a telescope file, before it is known whose fault it is.

    Parameters
    ----------
    key : str
        Dotted key in the file.
    problem, remedy : str
        As in `OofError`.
    value : object, optional
        The offending value.
    """

    def __init__(self, key: str, problem: str, remedy: str, value: object = None) -> None:
        super().__init__(problem)
        self.key, self.problem, self.remedy, self.value = key, problem, remedy, value


class Table(BaseModel):
    """A table of the file: unknown keys refused, no conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Sourced(Table):
    """A value with its source."""

    dimension: ClassVar[Dimension] = "number"
    example: ClassVar[str] = "2.0"
    may_be_unknown: ClassVar[bool] = True

    value: Any
    source: Line
    note: Line | None = None

    @field_validator("value", mode="before")
    @classmethod
    def _check_value(cls, value: object) -> object:
        return value if cls.may_be_unknown and value == UNKNOWN else cls.checked(value)

    @classmethod
    def checked(cls, value: object) -> object:
        """Return the value if `si` can convert it; raise what pydantic reports otherwise."""
        _to_si(value, cls.dimension)
        return value

    @property
    def known(self) -> bool:
        """Whether the file gives a value."""
        return bool(self.value != UNKNOWN)

    @property
    def text(self) -> str:
        """The value as the file has it."""
        return str(self.value)

    @property
    def citation(self) -> str:
        """The source, and the note where there is one, on one line."""
        return " ".join((f"{self.source} ({self.note})" if self.note else self.source).split())


class Number(Sourced):
    """A single number."""

    @property
    def si(self) -> float:
        """The value in SI; NaN where it is unknown."""
        return _to_si(self.value, self.dimension) if self.known else float("nan")


class Length(Number):
    """A length."""

    dimension: ClassVar[Dimension] = "length"
    example: ClassVar[str] = '"50 m"'


class Angle(Number):
    """An angle."""

    dimension: ClassVar[Dimension] = "angle"
    example: ClassVar[str] = '"10 deg"'


class Level(Number):
    """A level in decibels."""

    dimension: ClassVar[Dimension] = "level_db"
    example: ClassVar[str] = '"-12 dB"'


class Sign(Number):
    """+1 or -1."""

    example: ClassVar[str] = "1"
    may_be_unknown: ClassVar[bool] = False

    @classmethod
    def checked(cls, value: object) -> object:
        """Return the value if it is +1 or -1."""
        if _to_si(value, "number") not in (1.0, -1.0):
            raise _custom("is neither 1 nor -1", "write 1 or -1")
        return value


class Angles(Sourced):
    """A list of angles."""

    dimension: ClassVar[Dimension] = "angle"
    example: ClassVar[str] = '["0 deg", "90 deg"]'

    @classmethod
    def checked(cls, value: object) -> object:
        """Return the list if each of its items is an angle."""
        if not isinstance(value, list) or not value:
            raise _custom("is not a list of angles", f"write e.g. {cls.example}")
        for item in value:
            _to_si(item, "angle")
        return value

    @property
    def text(self) -> str:
        """The angles, separated by commas."""
        return ", ".join(str(item) for item in self.value) if self.known else UNKNOWN

    @property
    def si(self) -> tuple[float, ...]:
        """The angles in radians; one NaN where they are unknown."""
        return tuple(_to_si(item, "angle") for item in self.value) if self.known else (float("nan"),)


class Coefficients(Sourced):
    """The polynomial of a residual path, rows of three numbers for metres."""

    example: ClassVar[str] = "[[0.0, 0.0, 1e-6]]"
    unit: Literal["m"]

    @classmethod
    def checked(cls, value: object) -> object:
        """Return the rows if each holds three finite numbers."""
        rows = value if isinstance(value, list) else []
        if not rows or not all(isinstance(row, list) and len(row) == 3 for row in rows):
            raise _custom("is not a list of rows of three numbers", f"write e.g. {cls.example}")
        for item in (item for row in rows for item in row):
            if isinstance(item, str):
                raise _custom("holds text where a number belongs", f"write e.g. {cls.example}")
            _to_si(item, "number")
        return value

    @property
    def text(self) -> str:
        """The size of the table."""
        return f"{len(self.value)} x 3 coefficients, {self.unit}" if self.known else UNKNOWN

    @property
    def si(self) -> tuple[tuple[float, ...], ...]:
        """The rows; one of NaN where they are unknown."""
        rows = self.value if self.known else [[float("nan")] * 3]
        return tuple(tuple(float(item) for item in row) for row in rows)


class ResidualPathTable(Table):
    """[geometry.residual_path]."""

    used: bool
    coefficients: Coefficients


class GeometryTable(Table):
    """[geometry]."""

    kind: GeometryKind
    shaped: bool
    dish_radius: Length
    primary_focal_length: Length
    effective_focal_length: Length | None = None
    residual_path: ResidualPathTable | None = None


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


def _to_si(value: object, dimension: Dimension) -> float:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _custom("is not a number with its unit", "write text such as '50 m'")
    try:
        return parse_quantity(str(value), dimension, key=None)
    except ConfigurationError as error:
        raise _custom(error.problem, error.remedy or "") from None


def _custom(problem: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("oofpy", "{problem}", {"problem": problem, "remedy": remedy})


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
