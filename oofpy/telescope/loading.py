"""Telescope files: found by name or path, checked, and turned into a Telescope."""

from __future__ import annotations

import copy
import hashlib
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from oofpy.errors import ConfigurationError
from oofpy.telescope.checks import check_numbers, unused_keys
from oofpy.telescope.entries import UNKNOWN, Angles, FaultyEntryError, MapFile, Number, Sourced
from oofpy.telescope.model import (
    Blockage,
    Conventions,
    Geometry,
    Illumination,
    Legs,
    Row,
    Telescope,
)
from oofpy.telescope.path_maps import read_path_map
from oofpy.telescope.path_tables import PathMap, ResidualPath
from oofpy.telescope.schema import (
    GeometryTable,
    IlluminationTable,
    LegsTable,
    ResidualPathTable,
    TelescopeTable,
    known_keys,
    validate,
)

_SET_BY_USER = "set by the user"


def telescope_folder() -> Path:
    """Folder of the shipped telescope files.

    A wheel carries them inside the package; a source tree and an editable install have them in
    ``configs`` beside it.

    Raises
    ------
    ConfigurationError
        If neither exists, which means a damaged installation.
    """
    package = Path(str(resources.files("oofpy").joinpath("errors.py"))).parent
    for root in (package, package.parent):
        folder = root / "configs" / "telescopes"
        if folder.is_dir():
            return folder
    raise ConfigurationError(
        "the telescope files are not installed",
        file=package / "configs" / "telescopes",
        remedy="install the package again, or give the path of a telescope's .toml file",
    )


def available_telescopes() -> tuple[str, ...]:
    """Names of the shipped telescopes, in alphabetical order."""
    return tuple(sorted(path.stem for path in telescope_folder().glob("*.toml")))


def load_telescope(name_or_path: str | Path) -> Telescope:
    """Read a telescope.

    Parameters
    ----------
    name_or_path : str or path-like
        Name of a shipped telescope (upper and lower case alike), or the path of a TOML file.

    Returns
    -------
    Telescope
        Checked, in SI units. It may still lack numbers that its file calls unknown, see
        `Telescope.require_complete`.

    Raises
    ------
    ConfigurationError
        If there is no such telescope, or its file is not valid TOML, has unknown or missing
        keys, numbers without units or sources, or numbers out of range.
    """
    path = telescope_file(name_or_path)
    try:
        content = path.read_bytes()
        document = tomllib.loads(content.decode())
    except OSError as error:
        problem, remedy = f"cannot be read ({error.strerror})", "check the path and its permissions"
        raise ConfigurationError(problem, file=path, remedy=remedy) from None
    except UnicodeDecodeError:
        problem, remedy = "is not text in UTF-8", "give a telescope's .toml file"
        raise ConfigurationError(problem, file=path, remedy=remedy) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(
            f"is not valid TOML: {error}", file=path, remedy="correct that place in the file"
        ) from None
    try:
        telescope = _telescope(_validated(document), document, path.parent)
    except FaultyEntryError as fault:
        raise _in_file(fault, path) from None
    return replace(telescope, source_file=path, sha256=hashlib.sha256(content).hexdigest())


def with_overrides(telescope: Telescope, settings: Mapping[str, Any]) -> Telescope:
    """Replace entries of a telescope's file, under the same checks.

    Parameters
    ----------
    telescope : Telescope
        One that was loaded from a file.
    settings : mapping of str to object
        Dotted key in the file (``illumination.edge_taper``) to its new value, as text with a unit
        (``-12 dB``; lists of angles separated by commas), number or bool. None or ``none``
        removes an entry that the file need not have. The name of a map counts from the working folder.

    Returns
    -------
    Telescope
        A new telescope; the replaced numbers have the source "set by the user".

    Raises
    ------
    ConfigurationError
        For an unknown key, or a value the file could not have; it names the key.
    """
    if not settings:
        return telescope
    if not telescope.document:
        raise ConfigurationError(
            "cannot be changed by settings, as it was not read from a file",
            key=f"telescope.{next(iter(settings))}",
            remedy="use dataclasses.replace on the telescope",
        )
    document: dict[str, Any] = copy.deepcopy(dict(telescope.document))
    try:
        for key, value in settings.items():
            _put(document, key, value)
        table = _validated(document)
        _refuse_idle(settings, table)
        folder = telescope.source_file.parent if telescope.source_file else Path()
        changed = _telescope(table, document, folder)
    except FaultyEntryError as fault:
        raise _in_settings(fault, settings, telescope) from None
    replaced = {**dict(telescope.overrides), **{key: str(value) for key, value in settings.items()}}
    return replace(
        changed,
        source_file=telescope.source_file,
        sha256=telescope.sha256,
        overrides=tuple(replaced.items()),
    )


def telescope_file(name_or_path: str | Path) -> Path:
    """Find the file of a telescope, see `load_telescope`.

    Raises
    ------
    ConfigurationError
        If there is none.
    """
    path = Path(name_or_path)
    is_name = isinstance(name_or_path, str) and path.name == name_or_path and path.suffix != ".toml"
    if is_name:
        named = telescope_folder() / f"{path.name.lower()}.toml"
        if named.is_file():
            return named
    if path.is_file():
        return path
    known = ", ".join(available_telescopes())
    raise ConfigurationError(
        "is not a known telescope" if is_name else "there is no such file",
        file=None if is_name else path,
        key="telescope" if is_name else None,
        value=f"'{name_or_path}'" if is_name else None,
        remedy=f"known telescopes: {known}; the path of a .toml file works too",
    )


def _validated(document: dict[str, Any]) -> TelescopeTable:
    table = validate(document)
    check_numbers(table)
    return table


def _in_file(fault: FaultyEntryError, path: Path) -> ConfigurationError:
    return ConfigurationError(fault.problem, file=path, key=fault.key, value=fault.value, remedy=fault.remedy)


def _in_settings(fault: FaultyEntryError, settings: Mapping[str, Any], telescope: Telescope) -> ConfigurationError:
    """Blame the setting where it is at fault, and the file under its settings otherwise."""
    if fault.key in settings:
        return ConfigurationError(
            f"{fault.problem} (a setting in place of the one in {telescope.source_file})",
            key=f"telescope.{fault.key}",
            value=fault.value,
            remedy=fault.remedy,
        )
    changed = ", ".join(f"telescope.{key}" for key in settings)
    return ConfigurationError(
        f"{fault.problem} (with {changed} set)",
        file=telescope.source_file,
        key=fault.key,
        value=fault.value,
        remedy=fault.remedy,
    )


def _put(document: dict[str, Any], key: str, value: Any) -> None:
    """Set one entry, as the file would have it."""
    every = dict(known_keys())
    if key not in every:
        near = [known for known in every if known.endswith(f".{key}")] or list(every)
        raise FaultyEntryError(key, "is not a setting of a telescope", f"known: {', '.join(near)}")
    kind, parts = every[key], key.split(".")
    target = document
    for part in parts[:-1]:
        target = target.setdefault(part, {})
    if _removes(value):
        target.pop(parts[-1], None)
        return
    if issubclass(kind, Angles) and isinstance(value, str):
        value = [item.strip() for item in value.split(",")]
    if issubclass(kind, MapFile) and isinstance(value, str) and value != UNKNOWN:
        value = str(Path(value).absolute())
    if kind is bool and isinstance(value, str):
        value = {"true": True, "false": False}.get(value.strip().lower(), value)
    if issubclass(kind, Sourced):
        kept = {k: v for k, v in target.get(parts[-1], {}).items() if k not in ("source", "note")}
        if "unit" in kind.model_fields:
            kept.setdefault("unit", "m")
        value = {**kept, "value": value, "source": _SET_BY_USER}
    target[parts[-1]] = value


def _removes(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() == "none")


def _refuse_idle(settings: Mapping[str, Any], table: TelescopeTable) -> None:
    """Refuse a setting that would change nothing, so that nobody takes it for applied."""
    for key, value in settings.items():
        if key in unused_keys(table) and not _removes(value):
            switch = "used" if key.startswith(("blockage.", "geometry.residual_path.")) else "kind"
            switch = f"{key.rpartition('.')[0]}.{switch}"
            raise FaultyEntryError(
                key, "has no effect with this telescope", f"set telescope.{switch} too, or leave it out"
            )


def _telescope(table: TelescopeTable, document: dict[str, Any], folder: Path) -> Telescope:
    conventions = table.conventions
    legs = table.blockage.legs
    maps = _read_maps(table, folder)
    return Telescope(
        name=table.name,
        description=table.description,
        geometry=_geometry(table.geometry, maps),
        illumination=_illumination(table.illumination),
        blockage=Blockage(table.blockage.disc_radius.si, _legs(legs) if legs and legs.used else None),
        conventions=Conventions(
            defocus_sign=int(conventions.defocus_sign.si),
            u_sign=int(conventions.u_sign.si),
            v_sign=int(conventions.v_sign.si),
            image_offsets=conventions.image_offsets.value if conventions.image_offsets else None,
            defocus=conventions.defocus,
            sky=conventions.sky,
            surface=conventions.surface,
        ),
        missing=_missing(table),
        rows=tuple(_rows(table, unused_keys(table), maps)),
        document=document,
    )


def _read_maps(table: TelescopeTable, folder: Path) -> dict[str, PathMap]:
    """Read the FITS files that are named and used, by their keys."""
    unused = unused_keys(table)
    return {
        key: read_path_map(
            folder / entry.value, table.geometry.dish_radius.si, key=key, per_move=key != "geometry.static_path"
        )
        for key, entry in _entries(table)
        if isinstance(entry, MapFile) and entry.known and key not in unused
    }


def _geometry(table: GeometryTable, maps: Mapping[str, PathMap]) -> Geometry:
    plain = table.kind != "tabulated"
    offset = table.kind == "offset-gregorian"
    residual = table.residual_path
    return Geometry(
        kind=table.kind,
        dish_radius_m=table.dish_radius.si,
        primary_focal_length_m=_si(table.primary_focal_length) if plain else None,
        effective_focal_length_m=_si(table.effective_focal_length) if plain and table.kind != "prime-focus" else None,
        shaped=table.shaped,
        residual_path=_residual_path(residual, maps) if residual and residual.used else None,
        axis_offset_m=_si(table.axis_offset) if offset else 0.0,
        primary_tilt_rad=_si(table.primary_tilt) if offset else 0.0,
        secondary_tilt_rad=_si(table.secondary_tilt) if offset else 0.0,
        static_path=maps.get("geometry.static_path"),
    )


def _residual_path(table: ResidualPathTable, maps: Mapping[str, PathMap]) -> ResidualPath:
    return ResidualPath(
        coefficients=table.coefficients.si if table.coefficients else (),
        zernike=table.zernike.si if table.zernike else (),
        map=maps.get("geometry.residual_path.map"),
    )


def _illumination(table: IlluminationTable) -> Illumination:
    if table.kind == "tophat":
        return Illumination("tophat")
    if table.kind == "alma":
        width = _si(table.width)
        gaussian = math.exp(-1 / width**2)
        edge_db = 10 * math.log10(1 - (1 - gaussian) ** 2)
        return Illumination("alma", edge_db, edge_db, edge_db, width=width)
    return Illumination(
        kind=table.kind,
        edge_taper_db=_si(table.edge_taper),
        edge_taper_min_db=_si(table.edge_taper_min),
        edge_taper_max_db=_si(table.edge_taper_max),
        edge_taper_free=bool(table.edge_taper_free),
        pedestal_exponent=_si(table.pedestal_exponent) if table.kind == "pedestal" else None,
    )


def _legs(table: LegsTable) -> Legs:
    return Legs(
        position_angles_rad=table.position_angles.si,
        half_width_m=table.half_width.si,
        outer_radius_m=table.outer_radius.si,
        shade_angle_rad=None if table.shade_angle is None else table.shade_angle.si,
    )


def _si(number: Number | None) -> float:
    return math.nan if number is None else number.si


def _entries(table: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted key and the entry of everything the file holds, in order."""
    for name in type(table).model_fields:
        entry = getattr(table, name)
        if entry is None:
            continue
        if isinstance(entry, BaseModel) and not isinstance(entry, Sourced):
            yield from _entries(entry, f"{prefix}{name}.")
        else:
            yield prefix + name, entry


def _missing(table: TelescopeTable) -> tuple[str, ...]:
    unused = unused_keys(table)
    missing = [
        key for key, entry in _entries(table) if isinstance(entry, Sourced) and not entry.known and key not in unused
    ]
    geometry = table.geometry
    tabulated = geometry.kind == "tabulated"
    if (geometry.shaped and geometry.residual_path is None) or (
        tabulated and not (geometry.residual_path and geometry.residual_path.used)
    ):
        missing.append("geometry.residual_path")
    return tuple(missing)


def _rows(table: TelescopeTable, unused: tuple[str, ...], maps: Mapping[str, PathMap]) -> Iterator[Row]:
    for key, entry in _entries(table):
        mark = " (not used)" if key in unused else ""
        if key in maps:
            mark = f" (sha256 {maps[key].sha256})"
        if isinstance(entry, Sourced):
            yield Row(key, entry.text + mark, entry.citation)
        else:
            yield Row(key, (str(entry).lower() if isinstance(entry, bool) else entry) + mark, "")
