"""Entries of a telescope file: a value with its unit and its source, and what is wrong with one."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from oofpy.errors import ConfigurationError
from oofpy.quantities import Dimension, parse_quantity
from oofpy.telescope.path_tables import HIGHEST_ORDER, MOST_POWERS, PathTerm

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


class PathTerms(Sourced):
    """Zernike terms of a residual path, each `{ n, l, power, value }`; value in metres^(1 - power)."""

    example: ClassVar[str] = "[{ n = 4, l = 0, power = 1, value = 1e-3 }]"
    unit: Literal["m"]

    @classmethod
    def checked(cls, value: object) -> object:
        """Return the terms if each is one, and none is given twice."""
        rows = value if isinstance(value, list) else []
        if not rows or not all(isinstance(row, dict) and set(row) == set(PathTerm._fields) for row in rows):
            raise _custom("is not a list of terms with n, l, power and value", f"write e.g. {cls.example}")
        seen = set()
        for row in rows:
            place = (row["n"], row["l"], row["power"])
            if not _is_term(*place):
                raise _custom(
                    f"has no Zernike term and power at n = {place[0]}, l = {place[1]}, power = {place[2]}",
                    f"n runs to {HIGHEST_ORDER}, l from -n to n in steps of 2, power from 1 to {MOST_POWERS}",
                )
            if place in seen:
                raise _custom("gives a term twice", "add the two up, or give them different powers")
            seen.add(place)
            if isinstance(row["value"], str):
                raise _custom("holds text where a number belongs", f"write e.g. {cls.example}")
            _to_si(row["value"], "number")
        return value

    @property
    def text(self) -> str:
        """The number of terms."""
        return f"{len(self.value)} Zernike terms, {self.unit}" if self.known else UNKNOWN

    @property
    def si(self) -> tuple[PathTerm, ...]:
        """The terms; one of NaN where they are unknown."""
        if not self.known:
            return (PathTerm(0, 0, 1, float("nan")),)
        return tuple(PathTerm(row["n"], row["l"], row["power"], float(row["value"])) for row in self.value)


def _is_term(n: Any, l: Any, power: Any) -> bool:
    if not all(type(number) is int for number in (n, l, power)):
        return False
    return bool(0 <= n <= HIGHEST_ORDER and abs(l) <= n and (n - l) % 2 == 0 and 1 <= power <= MOST_POWERS)


class MapFile(Sourced):
    """The name of a FITS file with a path over the dish, from the folder of the telescope's file."""

    example: ClassVar[str] = '"path.fits"'

    @classmethod
    def checked(cls, value: object) -> object:
        """Return the name if it is one."""
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise _custom("is not the name of a file", f"write e.g. {cls.example}")
        return value


class ImageOffsets(Sourced):
    """What the offsets in images of the sky are."""

    example: ClassVar[str] = '"telescope"'
    may_be_unknown: ClassVar[bool] = False

    @classmethod
    def checked(cls, value: object) -> object:
        """Return the word if it is known."""
        if value not in ("telescope", "source"):
            raise _custom("is not a known choice", "write 'telescope' or 'source'")
        return value


def _to_si(value: object, dimension: Dimension) -> float:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _custom("is not a number with its unit", "write text such as '50 m'")
    try:
        return parse_quantity(str(value), dimension, key=None)
    except ConfigurationError as error:
        raise _custom(error.problem, error.remedy or "") from None


def _custom(problem: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError("oofpy", "{problem}", {"problem": problem, "remedy": remedy})
