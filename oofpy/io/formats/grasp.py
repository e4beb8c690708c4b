"""Field grids of physical-optics simulations: the `.grd` files of GRASP.

The layout is that of the GRASP manual: header lines up to one of `++++`, then numbers only. Angles are in degrees. Its
coordinate systems are right-handed with z towards the sky, so that with y up x points to the left, seen from behind the
dish.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from oofpy.errors import ConfigurationError, InputError, UsageError, one_line
from oofpy.flags import Flag
from oofpy.io.formats.grasp_grids import GRIDS, Directions
from oofpy.io.reader import FileContent, GivenNumber, RawFile, RawMap, Reader
from oofpy.observation import FloatArray, SkyOrientation
from oofpy.quantities import parse_quantity

MOST_HEADER_LINES = 200
MOST_POINTS = 4_000_000
MOST_SETS = 64
# ICOMP 1 to 4 are fields in two orthogonal polarisations, so that their powers add. The others are ratios.
FIELDS = {
    1: "E_theta and E_phi",
    2: "right-hand and left-hand circular",
    3: "co- and cross-polar",
    4: "major and minor axis of the polarisation ellipse",
}
COMPONENTS = (2, 3)
EXPORT_AGAIN = "export the grid again"

_CHUNK = 1 << 20
_TICRA = re.compile(r"\s*VERSION\s*:\s*TICRA-EM-FIELD")
_MARK = re.compile(r"[ \t]*\+{4}")
_ALIEN = re.compile(r"[^0-9eEdD+.\s-]")
_TWO_NUMBERS = re.compile(r"(?<=[0-9.])(?=[+-][0-9]*\.)")
# Fortran leaves the letter out where the exponent has three digits: 0.12-100 is 0.12E-100.
_BARE_EXPONENT = re.compile(r"(?<=[0-9.])(?=[+-][0-9]{3}(?:\s|$))")
_FREQUENCY = re.compile(r"\s*(FREQUENC(?:Y|IES))\s*(?:\[\s*(\w+)\s*\])?\s*:(.*)", re.IGNORECASE)


def _file_text(content: FileContent) -> str | None:
    """Give the file as text; header lines with names may be in another encoding than UTF-8."""
    if content.is_fits or b"\0" in content.data:
        return None
    return content.text if content.text is not None else content.data.decode("latin-1")


def _split(text: str) -> tuple[list[str], int | None]:
    """Give the header lines and the offset of the numbers; None where no line ++++ ends the header."""
    lines: list[str] = []
    start = 0
    for line in re.finditer(r"[^\r\n]*(?:\r\n|\r|\n|\Z)", text):
        start = line.end()
        if _MARK.match(line[0]):
            return lines, start
        lines.append(line[0].strip())
        if len(lines) == MOST_HEADER_LINES or start == len(text):
            break
    return lines, None


def recognises(content: FileContent) -> bool:
    """Whether a file is text with a line `++++` among its first lines and a whole number after it.

    A file that names the format in its first line is taken too, so that it is told what it lacks.
    """
    text = _file_text(content)
    if text is None:
        return False
    start = _split(text)[1]
    return bool(_TICRA.match(text)) or (start is not None and re.match(r"\s*[+-]?[0-9]+\s", text[start:]) is not None)


def read(content: FileContent) -> RawFile:
    """Read the power in both polarisations; see `read_component`."""
    return read_component(content, None)


def read_part(content: FileContent, part: str) -> RawFile:
    """Read the power in the polarisation that the user names, "1" or "2"; see `read_component`."""
    if part not in ("1", "2"):
        raise UsageError("a grid has the components 1 and 2", file=content.path, key="part", value=part)
    return read_component(content, int(part))


def read_component(content: FileContent, component: int | None) -> RawFile:
    """Read a grid file.

    Parameters
    ----------
    content : FileContent
        The file, with one or more sets of fields at one frequency on grids of directions.
    component : int, optional
        1 or 2: the power of this polarisation alone. None: the sum of both; the radial component of a near field
        carries no power outwards and is not added.

    Returns
    -------
    RawFile
        One map a set. The direction cosines are those of the source to the right and up: u of the grid turned, and v
        of the grid. Points that the file leaves out are NaN. The defocus is not in such files.

    Raises
    ------
    InputError
        If the file is cut off, its numbers do not fit its counts, it holds no fields on a grid of directions, or its
        sets are not at one frequency.
    """
    text = _file_text(content) or ""
    header, start = _split(text)
    if start is None:
        raise InputError("no line ++++ ends the header", file=content.path, key="++++", remedy=EXPORT_AGAIN)
    numbers = _Numbers(content, text, start)
    layout = _layout(content, numbers)
    frequency = _frequency(content, header)
    sets = len(layout.centres)
    if sets > 1 and (frequency is None or isinstance(frequency.value, str)):
        raise InputError(
            "the file holds several sets, and its header does not say that they are at one frequency",
            file=content.path,
            key="NSET",
            value=sets,
            remedy="export each frequency as a file",
        )
    stem = content.path.stem
    labels = [stem] if sets == 1 else [f"{stem} set {number}" for number in range(1, sets + 1)]
    maps = tuple(
        _read_set(content, numbers, layout, centre, label, component)
        for centre, label in zip(layout.centres, labels, strict=True)
    )
    numbers.refuse_more()
    return RawFile(
        maps=maps,
        sources=(content.source,),
        frequency=frequency,
        flags=(_turned(content),),
        frame="sky-azel",
        orientation=SkyOrientation("source"),
    )


def _turned(content: FileContent) -> Flag:
    message = (
        f"{content.path.name}: u of the grid is turned, since its system is right-handed with z towards the sky and y "
        "is taken as up; where y is down, --offsets telescope gives the map half a turn"
    )
    return Flag("grid-turned", message)


class _Numbers:
    """The numbers after the header, converted as they are asked for, so that a wrong count costs no memory."""

    def __init__(self, content: FileContent, text: str, start: int) -> None:
        self._content = content
        self._text = text
        self._next = start
        self._ready: FloatArray = np.empty(0)

    def take(self, key: str, count: int) -> FloatArray:
        """Give the next numbers; `key` is what they are."""
        # Each number takes a digit and a blank, but for the last.
        if count > self._ready.size + (len(self._text) - self._next + 1) // 2:
            raise self._cut_off(key, count)
        parts, found = [self._ready], self._ready.size
        while found < count:
            if self._next >= len(self._text):
                raise self._cut_off(key, count)
            parts.append(self._chunk())
            found += parts[-1].size
        whole = np.concatenate(parts) if len(parts) > 1 else parts[0]
        self._ready = whole[count:]
        return whole[:count]

    def whole(self, keys: str) -> tuple[int, ...]:
        """Give the next numbers as integers, one for each word of `keys`."""
        values = self.take(keys, len(keys.split()))
        for key, value in zip(keys.split(), values.tolist(), strict=True):
            if not (value.is_integer() and abs(value) < 2**31):
                raise self._error("this must be a whole number", key, f"{value:g}")
        return tuple(int(value) for value in values)

    def refuse_more(self) -> None:
        """Refuse a file with more numbers than its counts say."""
        if self._ready.size or self._text[self._next :].strip():
            raise self._error("more numbers follow than NSET, NX, NY and NCOMP say", "NX NY")

    def _chunk(self) -> FloatArray:
        """Convert about a megabyte of text, up to the end of a number."""
        start, end = self._next, self._next + _CHUNK
        blank = re.compile(r"\s").search(self._text, end)
        self._next = len(self._text) if blank is None else blank.end()
        text = self._text[start : self._next]
        alien = _ALIEN.search(text)
        if alien:
            raise self._not_a_number(start + alien.start())
        words = text.split()
        try:
            values = np.array(words, dtype=np.float64)
        except ValueError:
            values = self._fortran_numbers(text)
        if not np.isfinite(values).all():
            wrong = words[int(np.argmin(np.isfinite(values)))] if len(words) == values.size else None
            raise self._error("a number is beyond all bounds", "F1 F2", wrong and wrong[:60])
        return values

    def _fortran_numbers(self, text: str) -> FloatArray:
        """Convert numbers with the exponent letter D or none, and numbers whose signs leave no blank between them."""
        text = text.replace("D", "E").replace("d", "E")
        text = _BARE_EXPONENT.sub("E", _TWO_NUMBERS.sub(" ", text))
        try:
            return np.array(text.split(), dtype=np.float64)
        except ValueError as error:
            wrong = one_line(str(error).rpartition(":")[2])[:60]
            raise self._error("this is not a number", "F1 F2", wrong) from error

    def _not_a_number(self, place: int) -> InputError:
        line = len(re.findall(r"\r\n|\r|\n", self._text[:place])) + 1
        before = re.split(r"\s", self._text[max(place - 30, 0) : place])[-1]
        word = before + re.split(r"\s", self._text[place : place + 30])[0]
        return self._error("only finite numbers may follow the line ++++", f"line {line}", word)

    def _cut_off(self, key: str, count: int) -> InputError:
        return self._error(f"the file ends before the {count} numbers of {key}", key)

    def _error(self, problem: str, key: str, value: object = None) -> InputError:
        return InputError(problem, file=self._content.path, key=key, value=value, remedy=EXPORT_AGAIN)


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the numbers before the first set say: NCOMP, the kind of grid, and IX, IY of every set."""

    components: int
    directions: Callable[[FloatArray, FloatArray], Directions]
    centres: tuple[tuple[int, ...], ...]


def _layout(content: FileContent, numbers: _Numbers) -> _Layout:
    def error(problem: str, key: str, value: int, remedy: str) -> InputError:
        return InputError(problem, file=content.path, key=key, value=value, remedy=remedy)

    (kind,) = numbers.whole("KTYPE")
    if kind != 1:
        raise error("this is no two-dimensional grid", "KTYPE", kind, "export the field as a grid with KTYPE = 1")
    sets, fields, components, grid = numbers.whole("NSET ICOMP NCOMP IGRID")
    if not 1 <= sets <= MOST_SETS:
        raise error(f"there must be 1 to {MOST_SETS} sets of fields", "NSET", sets, EXPORT_AGAIN)
    if fields not in FIELDS:
        known = ", ".join(f"{number} ({name})" for number, name in FIELDS.items())
        raise error("these are not two components of a field", "ICOMP", fields, f"export one of: {known}")
    if components not in COMPONENTS:
        raise error("a field has two components, or three near the antenna", "NCOMP", components, EXPORT_AGAIN)
    if grid not in GRIDS:
        known = ", ".join(f"{number} ({name})" for number, (name, _) in GRIDS.items())
        raise error("this is no grid of directions that is known here", "IGRID", grid, f"export one of: {known}")
    return _Layout(components, GRIDS[grid][1], tuple(numbers.whole("IX IY") for _ in range(sets)))


def _read_set(
    content: FileContent,
    numbers: _Numbers,
    layout: _Layout,
    centre: tuple[int, ...],
    label: str,
    component: int | None,
) -> RawMap:
    limits = numbers.take("XS YS XE YE", 4)
    columns, rows, limited = numbers.whole("NX NY KLIMIT")
    _check_grid(content, limits, columns, rows, limited)
    x, y = (_axis(limits[axis], limits[axis + 2], count, centre[axis]) for axis, count in enumerate((columns, rows)))
    with np.errstate(over="ignore", invalid="ignore"):
        u, v, ahead = layout.directions(*np.meshgrid(x, y))
    if not ahead.all():
        raise InputError(
            "the grid reaches beyond the directions in front of the dish",
            file=content.path,
            key="XS YS XE YE",
            value=" ".join(f"{limit:g}" for limit in limits),
            remedy="export the main beam and its surroundings",
        )
    field = _field(content, numbers, (columns, rows), limited == 1, 2 * layout.components)
    chosen = field[..., :4] if component is None else field[..., 2 * component - 2 : 2 * component]
    with np.errstate(over="ignore"):
        power = np.sum(chosen**2, axis=-1)
    if np.isinf(power).any():
        raise InputError("the field is too large to square", file=content.path, key=label, remedy=EXPORT_AGAIN)
    # x of the grid points to the left.
    return RawMap(file=content.path, label=label, u_rad=0.0 - u.ravel(), v_rad=v.ravel(), power=power.ravel())


def _check_grid(content: FileContent, limits: FloatArray, columns: int, rows: int, limited: int) -> None:
    error = partial(InputError, file=content.path)
    if not (columns >= 2 and rows >= 2 and columns * rows <= MOST_POINTS):
        raise error(
            f"a map needs two or more columns and rows, and at most {MOST_POINTS} points",
            key="NX NY",
            value=f"{columns} {rows}",
            remedy="export the main beam and its surroundings",
        )
    if limited not in (0, 1):
        raise error("this must be 0 or 1", key="KLIMIT", value=limited, remedy=EXPORT_AGAIN)
    x_start, y_start, x_end, y_end = limits
    if x_start == x_end or y_start == y_end:
        value = " ".join(f"{limit:g}" for limit in limits)
        raise error("the grid has no extent", key="XS YS XE YE", value=value, remedy=EXPORT_AGAIN)


def _axis(start: float, end: float, count: int, centre: int) -> FloatArray:
    """Give the coordinates of an axis; the centre is given in steps."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.linspace(start, end, count) + (end - start) / (count - 1) * centre


def _field(
    content: FileContent, numbers: _Numbers, shape: tuple[int, int], limited: bool, per_point: int
) -> FloatArray:
    """Give real and imaginary part of each component, shape (y, x, per_point); NaN at points left out."""
    columns, rows = shape
    if not limited:
        return numbers.take("F1 F2", rows * columns * per_point).reshape(rows, columns, per_point)
    return np.stack([_row(content, numbers, row, columns, per_point) for row in range(1, rows + 1)])


def _row(content: FileContent, numbers: _Numbers, row: int, columns: int, per_point: int) -> FloatArray:
    first, count = numbers.whole("IS IN")
    if not (0 <= count <= columns and (count == 0 or 1 <= first <= columns - count + 1)):
        raise InputError(
            f"row {row} does not fit {columns} columns",
            file=content.path,
            key="IS IN",
            value=f"{first} {count}",
            remedy=EXPORT_AGAIN,
        )
    field = np.full((columns, per_point), np.nan)
    if count:
        field[first - 1 : first - 1 + count] = numbers.take("F1 F2", count * per_point).reshape(count, per_point)
    return field


def _frequency(content: FileContent, header: list[str]) -> GivenNumber | None:
    """Find the frequency in the header, in hertz; as text where it is not one number with its unit."""
    for number, line in enumerate(header):
        match = _FREQUENCY.fullmatch(line)
        if match is None:
            continue
        key, unit, given = match[1].upper(), match[2] or "", match[3]
        # Older versions write the values below the key, which then holds their unit.
        below = []
        for other in header[number + 1 :]:
            if given.strip(" ,") or ":" in other:
                break
            below.append(other)
        shown = one_line(" ".join([given, *below])).strip(" ,")
        if not shown:
            return None
        quantity = f"{shown} {unit}".strip()
        try:
            value: object = parse_quantity(re.sub("(?<=[0-9.])[dD]", "E", quantity), "frequency", key=key)
        except ConfigurationError:
            value = quantity
        return GivenNumber(content.path, key, value, "Hz")
    return None


READER = Reader(
    name="GRASP grid",
    description="text of a simulation: a header up to ++++, then a far field on a grid, y up; one map a set",
    recognises=recognises,
    read=read,
    needs="dz; the frequency, if not in the header",
    read_part=read_part,
    parts="components of the field: 1 or 2; the sum of both where none is named",
)
