"""Ranges and relations between the numbers of a telescope file."""

from __future__ import annotations

import math

from oofpy.telescope.entries import FaultyEntryError, Number, Sourced
from oofpy.telescope.schema import (
    BlockageTable,
    GeometryTable,
    IlluminationTable,
    LegsTable,
    ResidualPathTable,
    TelescopeTable,
)

_OFFSET_KEYS = ("axis_offset", "primary_tilt", "secondary_tilt")
_FOCAL_KEYS = ("primary_focal_length", "effective_focal_length")
_GEOMETRY_NEEDS: dict[str, tuple[str, ...]] = {
    "prime-focus": ("primary_focal_length",),
    "cassegrain": _FOCAL_KEYS,
    "gregorian": _FOCAL_KEYS,
    "offset-gregorian": (*_FOCAL_KEYS, *_OFFSET_KEYS),
    "tabulated": (),
}
_GEOMETRY_EXAMPLES = {
    "primary_focal_length": "30 m",
    "effective_focal_length": "180 m",
    "axis_offset": "54 m",
    "primary_tilt": "36.7 deg",
    "secondary_tilt": "24.37 deg",
}
_LARGEST_OFFSET = 10.0  # of the axis from the centre of the dish, in dish radii; that of the GBT is 1.08
_TAPER_KEYS = ("edge_taper", "edge_taper_min", "edge_taper_max", "edge_taper_free")
_ILLUMINATION_NEEDS: dict[str, tuple[str, ...]] = {
    "gaussian": _TAPER_KEYS,
    "pedestal": (*_TAPER_KEYS, "pedestal_exponent"),
    "tophat": (),
    "alma": ("width",),
}


def check_numbers(table: TelescopeTable) -> None:
    """Refuse numbers out of range or at odds with each other; unknown ones pass.

    Raises
    ------
    FaultyEntryError
        For the first such number.
    """
    _check_geometry(table.geometry)
    _check_illumination(table.illumination)
    _check_blockage(table.blockage, table.geometry.dish_radius.si)


def unused_keys(table: TelescopeTable) -> tuple[str, ...]:
    """Dotted keys, or beginnings of keys, of numbers that the choices of the file leave out."""
    unused: list[str] = []
    mirrors = _GEOMETRY_NEEDS[table.geometry.kind]
    unused.extend(f"geometry.{name}" for name in (*_FOCAL_KEYS, *_OFFSET_KEYS) if name not in mirrors)
    residual = table.geometry.residual_path
    if residual and not residual.used:
        unused.extend(f"geometry.residual_path.{name}" for name in ResidualPathTable.model_fields if name != "used")
    needed = _ILLUMINATION_NEEDS[table.illumination.kind]
    optional = (*_TAPER_KEYS, "pedestal_exponent", "width")
    unused.extend(f"illumination.{name}" for name in optional if name not in needed)
    if table.blockage.legs and not table.blockage.legs.used:
        unused.extend(f"blockage.legs.{name}" for name in LegsTable.model_fields if name != "used")
    return tuple(unused)


def _check_geometry(geometry: GeometryTable) -> None:
    _above_zero("geometry.dish_radius", geometry.dish_radius)
    _check_residual_path(geometry)
    needed = _GEOMETRY_NEEDS[geometry.kind]
    for name in needed:
        if getattr(geometry, name) is None:
            raise FaultyEntryError(
                f"geometry.{name}",
                f"is missing, and kind = {geometry.kind} needs it",
                f'write e.g. {name} = {{ value = "{_GEOMETRY_EXAMPLES[name]}", source = "where it comes from" }}',
            )
    if "primary_focal_length" in needed and geometry.primary_focal_length is not None:
        _above_zero("geometry.primary_focal_length", geometry.primary_focal_length)
    if "effective_focal_length" in needed:
        _check_focal_lengths(geometry)
    if geometry.kind == "offset-gregorian":
        _check_offset(geometry)
    else:
        _refuse_offset(geometry)


def _check_focal_lengths(geometry: GeometryTable) -> None:
    primary, effective = geometry.primary_focal_length, geometry.effective_focal_length
    if primary is None or effective is None:
        return
    _above_zero("geometry.effective_focal_length", effective)
    if effective.si <= primary.si:
        raise FaultyEntryError(
            "geometry.effective_focal_length",
            f"is not longer than the primary's {primary.text}",
            "check that the two focal lengths are not exchanged",
            effective.text,
        )


def _check_offset(geometry: GeometryTable) -> None:
    if geometry.axis_offset is not None and geometry.axis_offset.si < 0:
        raise FaultyEntryError(
            "geometry.axis_offset",
            "is negative",
            "give the distance from the axis of the paraboloid, which passes y = -axis_offset, to the dish's centre",
            geometry.axis_offset.text,
        )
    if geometry.axis_offset is not None and geometry.axis_offset.si > _LARGEST_OFFSET * geometry.dish_radius.si:
        raise FaultyEntryError(
            "geometry.axis_offset",
            f"is more than {_LARGEST_OFFSET:g} dish radii of {geometry.dish_radius.text}",
            "check the units",
            geometry.axis_offset.text,
        )
    for name in ("primary_tilt", "secondary_tilt"):
        angle = getattr(geometry, name)
        if angle is not None and abs(angle.si) >= math.pi / 2:
            raise FaultyEntryError(
                f"geometry.{name}", "is not between -90 and 90 deg", "give the angle to the direction of dz", angle.text
            )


def _refuse_offset(geometry: GeometryTable) -> None:
    for name in _OFFSET_KEYS:
        entry = getattr(geometry, name)
        if entry is not None:
            raise FaultyEntryError(
                f"geometry.{name}",
                f"means nothing for kind = {geometry.kind}",
                f"leave it out (telescope.geometry.{name}=none), or set geometry.kind = offset-gregorian",
                entry.text,
            )


def _check_residual_path(geometry: GeometryTable) -> None:
    residual = geometry.residual_path
    if residual is None or residual.coefficients or residual.zernike or residual.map:
        return
    remedy = "give coefficients, zernike or map, or leave the table out"
    if geometry.shaped and geometry.kind != "tabulated":
        remedy += ", and set telescope.geometry.shaped=false to do without it"
    raise FaultyEntryError("geometry.residual_path", "gives no path", remedy)


def _check_illumination(illumination: IlluminationTable) -> None:
    for name in _ILLUMINATION_NEEDS[illumination.kind]:
        if getattr(illumination, name) is None:
            raise FaultyEntryError(
                f"illumination.{name}",
                f"is missing, and kind = {illumination.kind} needs it",
                f"add it to [illumination], or set telescope.illumination.{name}=VALUE",
            )
    for name in ("pedestal_exponent", "width"):
        number = getattr(illumination, name)
        if number is not None:
            _above_zero(f"illumination.{name}", number)
    start, low, high = (getattr(illumination, name) for name in _TAPER_KEYS[:3])
    for name, level in zip(_TAPER_KEYS, (start, low, high), strict=False):
        if level is not None and level.si >= 0:
            raise FaultyEntryError(
                f"illumination.{name}",
                "is not below 0 dB",
                "a taper is the power at the rim relative to the centre, e.g. '-12 dB'",
                level.text,
            )
    if low is not None and high is not None and low.si > high.si:
        raise FaultyEntryError(
            "illumination.edge_taper_min",
            f"lies above edge_taper_max = {high.text}",
            "exchange the two",
            low.text,
        )
    if start is not None and low is not None and high is not None:
        _check_taper_within(start, low, high)


def _check_taper_within(start: Number, low: Number, high: Number) -> None:
    if start.si < low.si or start.si > high.si:
        raise FaultyEntryError(
            "illumination.edge_taper",
            f"lies outside its bounds {low.text} to {high.text}",
            "change it, or edge_taper_min or edge_taper_max",
            start.text,
        )


def _check_blockage(blockage: BlockageTable, dish_radius_m: float) -> None:
    disc = blockage.disc_radius
    if disc.si < 0:
        raise FaultyEntryError("blockage.disc_radius", "is negative", "write '0 m' for no disc", disc.text)
    if disc.si >= dish_radius_m:
        raise FaultyEntryError(
            "blockage.disc_radius",
            f"is not smaller than the dish radius of {dish_radius_m:g} m",
            "give radii, not diameters, and check the units",
            disc.text,
        )
    if blockage.legs is not None:
        _check_legs(blockage.legs, disc.si, dish_radius_m)


def _check_legs(legs: LegsTable, disc_radius_m: float, dish_radius_m: float) -> None:
    _above_zero("blockage.legs.half_width", legs.half_width)
    _above_zero("blockage.legs.outer_radius", legs.outer_radius)
    outer_m = legs.outer_radius.si
    if outer_m > dish_radius_m or outer_m <= disc_radius_m:
        raise FaultyEntryError(
            "blockage.legs.outer_radius",
            f"does not lie between the disc ({disc_radius_m:g} m) and the rim ({dish_radius_m:g} m)",
            "give the radius from the axis, at most the dish radius",
            legs.outer_radius.text,
        )
    if legs.half_width.si >= outer_m:
        raise FaultyEntryError(
            "blockage.legs.half_width",
            f"is not smaller than outer_radius = {legs.outer_radius.text}",
            "check the units",
            legs.half_width.text,
        )
    shade = legs.shade_angle
    if shade is not None and shade.known and not 0 < shade.si < math.pi / 2:
        raise FaultyEntryError(
            "blockage.legs.shade_angle", "is not between 0 and 90 deg", "write e.g. '10 deg'", shade.text
        )
    if shade is not None and shade.known and dish_radius_m * math.cos(shade.si) <= outer_m:
        raise FaultyEntryError(
            "blockage.legs.shade_angle",
            f"is so steep that the shadow would end within the bar, which reaches {outer_m:g} m",
            "give the angle between the edge of the shadow and the leg",
            shade.text,
        )


def _above_zero(key: str, number: Sourced) -> None:
    if isinstance(number, Number) and number.si <= 0:
        raise FaultyEntryError(key, "is not above zero", "correct the value or its sign", number.text)
