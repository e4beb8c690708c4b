"""Beam maps as text columns u, v, power, and the TOML file that says what they are."""

from __future__ import annotations

import io
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date as calendar_date
from typing import Any

import numpy as np

from oofpy.errors import ConfigurationError, InputError, one_line
from oofpy.io.reader import FileContent, GivenNumber, RawFile, RawMap, Reader
from oofpy.quantities import Dimension, parse_quantity

COMMENTS = ("#", "%", "!")
COLUMN_NAMES = ("u", "v", "power", "error")
OBSERVATION_KEYS = (
    "telescope",
    "frequency",
    "wavelength",
    "object",
    "date",
    "elevation",
    "coordinate_unit",
    "maps",
)
MAP_KEYS = ("file", "dz", "label")
_TOML_LINE = re.compile(r"""\s*(\[.*\]|[\w."'-]+\s*=.*)""")


def _lines(text: str) -> list[str]:
    """Give the lines that carry something, up to the first two: a line of names may stand first."""
    found = []
    for line in io.StringIO(text):
        plain = re.split("[#%!]", line, maxsplit=1)[0].strip()
        if plain:
            found.append(plain)
            if len(found) == 2:
                break
    return found


def _fields(line: str) -> list[str]:
    return re.split(r"\s*[,;]\s*|\s+", line.strip())


def _is_heading(line: str) -> bool:
    return tuple(name.lower() for name in _fields(line)) in (COLUMN_NAMES[:3], COLUMN_NAMES)


def recognises_columns(content: FileContent) -> bool:
    """Whether a file is text whose first line, after comments and names, is two or more numbers."""
    if content.text is None:
        return False
    lines = _lines(content.text)
    if lines and _is_heading(lines[0]):
        return True
    try:
        return bool(lines) and len([float(word) for word in _fields(lines[0])]) >= 2
    except ValueError:
        return False


def read_columns(content: FileContent) -> RawFile:
    """Read one map from text columns.

    Parameters
    ----------
    content : FileContent
        Text with the columns u, v in radians, power, and optionally the standard error, separated by
        blanks, tabs, commas or semicolons; comments begin with #, % or !, and a line of the columns'
        names may stand first.

    Returns
    -------
    RawFile
        One map, without defocus and wavelength: text columns do not say.

    Raises
    ------
    InputError
        If a line is not made of three or four numbers, as many as every other.
    """
    values = _columns(content)
    beam_map = RawMap(
        file=content.path,
        label=content.path.stem,
        u_rad=values[:, 0],
        v_rad=values[:, 1],
        power=values[:, 2],
        error=values[:, 3] if values.shape[1] == 4 else None,
    )
    return RawFile(maps=(beam_map,), sources=(content.source,))


def _columns(content: FileContent) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    text = content.text or ""
    lines = _lines(text)
    heading = bool(lines) and _is_heading(lines[0])
    remedy = "every line must hold u, v, power and optionally the error"
    if len(lines) <= heading:
        raise InputError("there are no samples in the file", file=content.path, remedy=remedy)
    if heading:
        text = text[text.index(lines[0]) + len(lines[0]) :]
    delimiter = next((mark for mark in ",;" if mark in lines[-1]), None)
    try:
        values = np.loadtxt(io.StringIO(text), comments=COMMENTS, delimiter=delimiter, ndmin=2, dtype=np.float64)
    except ValueError as error:
        problem = str(error).partition(";")[0]
        raise InputError(f"the columns cannot be read: {problem}", file=content.path, remedy=remedy) from error
    if values.shape[1] not in (3, 4):
        raise InputError(
            "three or four columns are needed",
            file=content.path,
            key="columns",
            value=values.shape[1],
            remedy=remedy,
        )
    return values


def recognises_observation(content: FileContent) -> bool:
    """Whether a file is text whose first line, after comments, is a key or a table of TOML."""
    if content.text is None:
        return False
    lines = [line for line in content.text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and _TOML_LINE.fullmatch(lines[0]) is not None


def read_observation_toml(content: FileContent) -> RawFile:
    """Read the TOML file of an observation and the text columns it names.

    Parameters
    ----------
    content : FileContent
        TOML with `telescope`, `frequency` or `wavelength`, optionally `object`, `date`, `elevation` and
        `coordinate_unit` ("rad" if absent), and for each map a table `[[maps]]` with `file`, `dz` and
        optionally `label`. Quantities are text with a unit. Files are relative to the TOML file.

    Returns
    -------
    RawFile
        The maps in the order of the tables.

    Raises
    ------
    InputError
        If it is not TOML, a key is unknown or of the wrong kind, or a file cannot be read.
    ConfigurationError
        If a quantity is without its unit or in a wrong one.
    """
    table = _parsed(content)
    _refuse_unknown(content, table, OBSERVATION_KEYS, "")
    entries = table.get("maps")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(
            "the maps are not named",
            file=content.path,
            key="maps",
            remedy="write a table [[maps]] for each map",
        )
    unit = _coordinate_unit(content, table)
    read = [_read_entry(content, entry, f"maps[{n}]", unit) for n, entry in enumerate(entries, start=1)]
    return RawFile(
        maps=tuple(raw.maps[0] for raw in read),
        sources=(content.source, *(raw.sources[0] for raw in read)),
        frequency=_quantity(content, table, "frequency", "frequency", "Hz"),
        wavelength=_quantity(content, table, "wavelength", "length", "m"),
        telescope=_text(content, table, "telescope"),
        object_name=_text(content, table, "object"),
        date=_text(content, table, "date"),
        elevation_rad=_elevation(content, table),
    )


def _parsed(content: FileContent) -> dict[str, Any]:
    try:
        return tomllib.loads((content.text or "").replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"this is not valid TOML: {error}", file=content.path, remedy="correct the line") from error


def _refuse_unknown(content: FileContent, table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(
                "this key is unknown",
                file=content.path,
                key=where + key,
                remedy=f"known keys: {', '.join(known)}",
            )


def _read_entry(content: FileContent, entry: dict[str, Any], where: str, unit_rad: float) -> RawFile:
    """Read the map of one `[[maps]]` table."""
    _refuse_unknown(content, entry, MAP_KEYS, f"{where}.")
    name = _text(content, entry, "file", where)
    if name is None:
        raise InputError("the map has no file", file=content.path, key=f"{where}.file", remedy="name its file")
    map_content = FileContent.load(content.path.parent / name)
    if not recognises_columns(map_content):
        raise InputError(
            f"this is not text columns, as {content.path.name} expects",
            file=map_content.path,
            remedy="every line must hold u, v, power and optionally the error",
        )
    raw = read_columns(map_content)
    beam_map = raw.maps[0]
    changed = replace(
        beam_map,
        label=_text(content, entry, "label", where) or beam_map.label,
        u_rad=beam_map.u_rad * unit_rad,
        v_rad=beam_map.v_rad * unit_rad,
        defocus=_quantity(content, entry, "dz", "length", "m", where),
    )
    return replace(raw, maps=(changed,))


def _text(content: FileContent, table: Mapping[str, Any], key: str, where: str = "") -> str | None:
    value = table.get(key)
    if value is None:
        return None
    if key == "date" and isinstance(value, calendar_date):
        return value.isoformat()
    if not isinstance(value, str) or not value.strip():
        name = f"{where}.{key}" if where else key
        raise InputError(
            "this must be text",
            file=content.path,
            key=name,
            value=value,
            remedy="put it into quotation marks",
        )
    return one_line(value)


def _quantity(
    content: FileContent, table: Mapping[str, Any], key: str, dimension: Dimension, unit: str, where: str = ""
) -> GivenNumber | None:
    if key not in table:
        return None
    value = table[key]
    name = f"{where}.{key}" if where else key
    if not isinstance(value, str):
        raise ConfigurationError(
            "this must be text with a unit",
            file=content.path,
            key=name,
            value=value,
            remedy=f'write e.g. "{value} {unit}"',
        )
    return GivenNumber(content.path, name, parse_quantity(value, dimension, key=name, file=content.path), unit)


def _elevation(content: FileContent, table: Mapping[str, Any]) -> float | None:
    given = _quantity(content, table, "elevation", "angle", "rad")
    if given is None:
        return None
    elevation = given.finite()
    if not 0 < elevation <= math.pi / 2:
        raise InputError(
            "the elevation must be above 0 and at most 90 deg",
            file=content.path,
            key="elevation",
            value=table["elevation"],
            remedy="leave it out where it is unknown",
        )
    return elevation


def _coordinate_unit(content: FileContent, table: Mapping[str, Any]) -> float:
    unit = _text(content, table, "coordinate_unit") or "rad"
    return parse_quantity(f"1 {unit}", "angle", key="coordinate_unit", file=content.path)


COLUMNS_READER = Reader(
    name="text columns",
    description="text with the columns u, v in rad, power and optionally the error; one map a file",
    recognises=recognises_columns,
    read=read_columns,
)
OBSERVATION_READER = Reader(
    name="observation TOML",
    description="TOML that names text columns, with dz, frequency or wavelength, and telescope",
    recognises=recognises_observation,
    read=read_observation_toml,
)
