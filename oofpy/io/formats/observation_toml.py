"""The TOML file of an observation: which files hold its maps, and what they do not say themselves."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date as calendar_date
from pathlib import Path
from typing import Any, get_args

from oofpy.errors import ConfigurationError, InputError, one_line
from oofpy.io.joined_files import (
    FRAMES,
    differences,
    first_said,
    joint_observing,
    mean_elevation_rad,
    notes,
    one_frame,
    one_offsets,
    with_axes_named,
    zenith_angles,
)
from oofpy.io.observing_keys import NONE, check_observing_texts, is_coefficient_list, overlaid
from oofpy.io.reader import FileContent, GivenNumber, RawFile, RawMap, Reader
from oofpy.io.wavelength import resolve_wavelength
from oofpy.observation import FileFrame, Offsets, SkyOrientation, SkySystem
from oofpy.quantities import Dimension, parse_quantity

OBSERVATION_KEYS = (
    "telescope",
    "frequency",
    "wavelength",
    "object",
    "date",
    "elevation",
    "coordinate_unit",
    "axes",
    "offsets",
    "parallactic_angle",
    "observing",
    "maps",
)
MAP_KEYS = ("file", "part", "dz", "label", "in_focus", "parallactic_angle")
_TOML_LINE = re.compile(r"""\s*(\[.*\]|[\w."'-]+\s*=.*)""")


def recognises(content: FileContent) -> bool:
    """Whether a file is text whose first line, after comments, is a key or a table of TOML."""
    if content.text is None:
        return False
    lines = [line for line in content.text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return bool(lines) and _TOML_LINE.fullmatch(lines[0]) is not None


def read(content: FileContent) -> RawFile:
    """Read the TOML file of an observation and the files it lists.

    What it says stands above what the files say.

    Parameters
    ----------
    content : FileContent
        TOML with, all optional, `telescope`, `frequency` or `wavelength`, `object`, `date`, `elevation`,
        `coordinate_unit` (of text columns; "rad" if absent), `axes` ("azel" or "radec"), `offsets` ("telescope" or
        "source") and
        `parallactic_angle` for images of the sky, and a table `[observing]` with the keys of
        `oofpy.io.observing_keys`. For each map a table `[[maps]]` with `file`, which may be of any format that holds
        one map, and optionally `part`, `dz`, `label`, `in_focus = true` and `parallactic_angle`. Quantities are text
        with a unit. Files are relative to the TOML file.

    Returns
    -------
    RawFile
        The maps in the order of the tables; the sources are the TOML file and all that it lists.

    Raises
    ------
    InputError
        If it is not TOML, a key is unknown or of the wrong kind, or a file cannot be read or holds several maps.
    ConfigurationError
        If a quantity is without its unit or in a wrong one.
    """
    toml = _Toml(content, _parsed(content))
    toml.refuse_unknown(OBSERVATION_KEYS)
    entries = toml.table.get("maps")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(
            "the maps are not named", file=content.path, key="maps", remedy="write a table [[maps]] for each map"
        )
    maps = [_Toml(content, entry, f"maps[{number}].") for number, entry in enumerate(entries, start=1)]
    observing_texts = _observing_texts(toml)
    files = [_listed_file(entry, toml) for entry in maps]
    return _joined(toml, maps, files, observing_texts)


@dataclass(frozen=True, slots=True)
class _Toml:
    """A table of the file, with what its keys are called in messages."""

    content: FileContent
    table: Mapping[str, Any]
    where: str = ""

    def error(self, problem: str, key: str, remedy: str) -> InputError:
        return InputError(
            problem, file=self.content.path, key=self.where + key, value=self.table.get(key), remedy=remedy
        )

    def refuse_unknown(self, known: Sequence[str]) -> None:
        for key in self.table:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean '{near[0]}'? " if near else ""
                raise InputError(
                    "this key is unknown",
                    file=self.content.path,
                    key=self.where + key,
                    remedy=f"{hint}known keys: {', '.join(known)}",
                )

    def text(self, key: str) -> str | None:
        value = self.table.get(key)
        if value is None:
            return None
        if key == "date" and isinstance(value, calendar_date):
            return value.isoformat()
        if not isinstance(value, str) or not value.strip():
            raise self.error("this must be text", key, "put it into quotation marks")
        return one_line(value)

    def quantity(self, key: str, dimension: Dimension, unit: str) -> GivenNumber | None:
        if key not in self.table:
            return None
        value, name, path = self.table[key], self.where + key, self.content.path
        if not isinstance(value, str):
            raise ConfigurationError(
                "this must be text with a unit", file=path, key=name, value=value, remedy=f'write e.g. "{value} {unit}"'
            )
        return GivenNumber(path, name, parse_quantity(value, dimension, key=name, file=path), unit)

    def angle_rad(self, key: str) -> float | None:
        given = self.quantity(key, "angle", "deg")
        return None if given is None else given.finite()


def _parsed(content: FileContent) -> dict[str, Any]:
    try:
        return tomllib.loads((content.text or "").replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"this is not valid TOML: {error}", file=content.path, remedy="correct the line") from error


def _observing_texts(toml: _Toml) -> dict[str, str]:
    """Take the table `[observing]`; the path of a correction becomes relative to the TOML file's folder."""
    table = toml.table.get("observing", {})
    if not isinstance(table, dict):
        raise toml.error("this must be a table", "observing", "write [observing] and its keys below")
    texts = {}
    for key, value in table.items():
        number = key == "limb_darkening" and isinstance(value, int | float) and not isinstance(value, bool)
        if not isinstance(value, str) and not number:
            entry = _Toml(toml.content, table, "observing.")
            raise entry.error("this must be text with a unit", key, "put it into quotation marks")
        texts[key] = str(value)
    check_observing_texts(texts, file=toml.content.path)
    applied = texts.get("applied")
    if applied is not None and applied.strip().lower() != NONE and not is_coefficient_list(applied):
        texts["applied"] = str(toml.content.path.parent / applied)
    return texts


def _listed_file(entry: _Toml, toml: _Toml) -> RawFile:
    """Read the file of one `[[maps]]` table, with what the table says about it."""
    entry.refuse_unknown(MAP_KEYS)
    name = entry.text("file")
    if name is None:
        raise entry.error("the map has no file", "file", "name its file")
    raw = _read_listed(entry.content.path.parent / name, entry.text("part"), toml)
    if len(raw.maps) != 1:
        raise InputError(
            f"it holds {len(raw.maps)} maps, and {entry.content.path.name} names it for one",
            file=raw.path,
            remedy="give this file itself, without a TOML, or files with one map each",
        )
    angle = entry.angle_rad("parallactic_angle")
    orientation = raw.orientation
    if angle is not None:
        orientation = replace(orientation, parallactic_angle_rad=(angle,))
    return replace(raw, maps=(_said_map(entry, raw.maps[0]),), orientation=orientation)


def _read_listed(path: Path, part: str | None, toml: _Toml) -> RawFile:
    from oofpy.io import registry  # which lists this module
    from oofpy.io.formats import text_columns

    listed = FileContent.load(path)
    reader = registry.recognise(listed)
    if reader is READER:
        raise InputError(
            f"this is an observation TOML itself, and {toml.content.path.name} lists it",
            file=path,
            remedy="list the files of the maps",
        )
    raw = registry.read_file(path, part)
    if "coordinate_unit" not in toml.table:
        return raw
    if reader is not text_columns.COLUMNS_READER:
        raise toml.error(
            f"this is for text columns only, and {path.name} is of the format {reader.name}",
            "coordinate_unit",
            "leave it out: the file has its own units",
        )
    unit = toml.text("coordinate_unit")
    scale = parse_quantity(f"1 {unit}", "angle", key="coordinate_unit", file=toml.content.path)
    return replace(raw, maps=tuple(replace(one, u_rad=one.u_rad * scale, v_rad=one.v_rad * scale) for one in raw.maps))


def _said_map(entry: _Toml, raw: RawMap) -> RawMap:
    """Give a map the label and the defocus of its table."""
    defocus = entry.quantity("dz", "length", "m")
    in_focus = entry.table.get("in_focus", False)
    if not isinstance(in_focus, bool):
        raise entry.error("this must be true or false", "in_focus", "write in_focus = true")
    if in_focus and defocus is not None and defocus.value != 0:
        raise entry.error("this map is said to be in focus, and its dz is not zero", "dz", "correct one of them")
    return replace(raw, label=entry.text("label") or raw.label, defocus=defocus or raw.defocus)


def _joined(
    toml: _Toml, maps: Sequence[_Toml], files: Sequence[RawFile], observing_texts: Mapping[str, str]
) -> RawFile:
    """Make one of the listed files, with what the TOML file says above what they say."""
    system: SkySystem | None = _one_of(toml, "axes", get_args(SkySystem), "choose azel or radec")
    if system is not None:
        if all(file.frame != "sky-offset" for file in files):
            raise toml.error("the files name their axes themselves", "axes", "leave it out")
        files = with_axes_named(files, system)
    frame = one_frame(files)
    observing, texts = joint_observing(files, observing_texts)
    frequency, wavelength = _frequency_and_wavelength(toml, files)
    elevation_rad = _elevation_rad(toml)
    return RawFile(
        maps=tuple(file.maps[0] for file in files),
        sources=(toml.content.source, *(source for file in files for source in file.sources)),
        frequency=frequency,
        wavelength=wavelength,
        telescope=toml.text("telescope") or first_said(files, "telescope"),
        object_name=toml.text("object") or first_said(files, "object_name"),
        date=toml.text("date") or first_said(files, "date"),
        elevation_rad=mean_elevation_rad(files) if elevation_rad is None else elevation_rad,
        flags=(*notes(files, observing_texts), *differences(files)),
        observing=observing,
        observing_texts=overlaid(texts, observing_texts),
        frame=frame,
        orientation=_orientation(toml, maps, files, frame),
        in_focus=_in_focus(maps),
    )


def _frequency_and_wavelength(toml: _Toml, files: Sequence[RawFile]) -> tuple[GivenNumber | None, GivenNumber | None]:
    """Give what the TOML file says, or else what the files say, which must agree."""
    frequency = toml.quantity("frequency", "frequency", "Hz")
    wavelength = toml.quantity("wavelength", "length", "m")
    if frequency is not None or wavelength is not None:
        return frequency, wavelength
    said = [file for file in files if file.frequency is not None or file.wavelength is not None]
    if not said:
        return None, None
    if len(said) > 1:
        resolve_wavelength(said)
    return said[0].frequency, said[0].wavelength


def _elevation_rad(toml: _Toml) -> float | None:
    elevation = toml.angle_rad("elevation")
    if elevation is not None and not 0 < elevation <= math.pi / 2:
        raise toml.error(
            "the elevation must be above 0 and at most 90 deg", "elevation", "leave it out where it is unknown"
        )
    return elevation


def _orientation(toml: _Toml, maps: Sequence[_Toml], files: Sequence[RawFile], frame: FileFrame) -> SkyOrientation:
    remedy = "choose telescope (as in a map of the sky) or source (the reverse)"
    offsets: Offsets | None = _one_of(toml, "offsets", get_args(Offsets), remedy)
    common = toml.angle_rad("parallactic_angle")
    own = [entry for entry in maps if "parallactic_angle" in entry.table]
    if frame not in ("sky-radec", "sky-offset") and (common is not None or own):
        where = own[0] if common is None else toml
        raise where.error(f"this means nothing for {FRAMES[frame]}", "parallactic_angle", "leave it out")
    if frame == "file" and offsets is not None:
        raise toml.error(f"this means nothing for {FRAMES[frame]}", "offsets", "leave it out")
    if common is not None:
        files = [
            file if entry in own else replace(file, orientation=SkyOrientation(None, (common,)))
            for entry, file in zip(maps, files, strict=True)
        ]
    return SkyOrientation(offsets or one_offsets(files), zenith_angles(files))


def _one_of(toml: _Toml, key: str, words: tuple[Any, ...], remedy: str) -> Any:
    """Give the word of a key, one of those that it may have; None where it is not there."""
    text = toml.text(key)
    if text is not None and text not in words:
        raise toml.error("is not known", key, remedy)
    return text


def _in_focus(maps: Sequence[_Toml]) -> int | None:
    """Number from 1 of the map that is said to be in focus."""
    numbers = [number for number, entry in enumerate(maps, start=1) if entry.table.get("in_focus")]
    if len(numbers) > 1:
        second = maps[numbers[1] - 1]
        raise second.error(f"map {numbers[0]} is said to be in focus as well", "in_focus", "say it for one map")
    return numbers[0] if numbers else None


READER = Reader(
    name="observation TOML",
    description="TOML that lists files with one map each, and says what they do not: dz, frequency, how it was taken",
    recognises=recognises,
    read=read,
)
