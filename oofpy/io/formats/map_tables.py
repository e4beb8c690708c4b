"""Beam maps as FITS binary tables, one a map: what the pyoof and the OOF layout have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from oofpy.errors import InputError, UsageError, one_line
from oofpy.flags import Flag
from oofpy.io.atomic import atomic_file
from oofpy.io.fits_access import check_column, column_names, is_table, number_column
from oofpy.io.fits_cards import add_lines, fits_text, float_card
from oofpy.io.formats.image_headers import header_elevation, header_number, header_text
from oofpy.io.formats.observing_cards import (
    is_observing_table,
    observing_cards,
    observing_in_header,
    observing_tables,
    reserved_keys,
)
from oofpy.io.joined_files import FRAMES
from oofpy.io.reader import FileContent, RawFile, RawMap
from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S
from oofpy.observation import BeamMap, FloatArray, Observation
from oofpy.observing import Observing

HeaderValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class TableLayout:
    """Names of the columns of one format.

    Parameters
    ----------
    u, v, power : str
        The columns every map has.
    error : str
        The column of standard errors a map may have.
    telescope_key : str
        Key of the telescope in the primary header.
    """

    u: str
    v: str
    power: str
    error: str
    telescope_key: str

    @property
    def required(self) -> tuple[str, str, str]:
        """The columns every map has."""
        return self.u, self.v, self.power


def has_layout(content: FileContent, layout: TableLayout) -> bool:
    """Whether a table of the file has at least two of the three columns.

    Two suffice so that a file which lacks the third is told so, instead of being called unknown.
    """
    return any(len(set(layout.required) & set(column_names(hdu))) >= 2 for hdu in content.hdus)


def read_map_tables(content: FileContent, layout: TableLayout) -> RawFile:
    """Read every map of a file.

    Parameters
    ----------
    content : FileContent
        The file.
    layout : TableLayout
        Its column names.

    Returns
    -------
    RawFile
        The maps in the order of the file.

    Raises
    ------
    InputError
        If a column is missing, in a wrong unit or not made of numbers.
    """
    maps, flags = [], []
    for index, hdu in enumerate(content.hdus):
        if is_observing_table(content, hdu):
            continue
        names = column_names(hdu)
        label = one_line(str(hdu.header.get("EXTNAME", ""))) or f"HDU {index}"
        if is_table(hdu) and (set(layout.required) & set(names) or "DZ" in hdu.header):
            maps.append(_read_map(content, layout, label, hdu))
        elif index > 0 or hdu.header.get("NAXIS", 0):
            message = f"{content.path.name}: HDU {index} ({label}) is no beam map and is not read"
            flags.append(Flag("extension-ignored", message))
    header = content.hdus[0].header
    elevation_rad, elevation_flags = header_elevation(content, header, "MEANEL")
    return RawFile(
        maps=tuple(maps),
        sources=(content.source,),
        frequency=header_number(content, header, "FREQ", "Hz"),
        wavelength=header_number(content, header, "WAVEL", "m"),
        telescope=header_text(header, "TELESC", "TELESCOP"),
        object_name=header_text(header, "OBJECT"),
        date=header_text(header, "DATE_OBS", "DATE-OBS"),
        elevation_rad=elevation_rad,
        flags=(*flags, *elevation_flags),
        observing=observing_in_header(content) or Observing(),
    )


def _read_map(content: FileContent, layout: TableLayout, label: str, hdu: Any) -> RawMap:
    def column(name: str) -> FloatArray:
        return number_column(content, label, hdu, name)

    for name in layout.required:
        check_column(content, label, hdu, name)
    return RawMap(
        file=content.path,
        label=label,
        u_rad=column(layout.u) * _radians_per_unit(content, label, hdu, layout.u),
        v_rad=column(layout.v) * _radians_per_unit(content, label, hdu, layout.v),
        power=column(layout.power),
        error=column(layout.error) if layout.error in column_names(hdu) else None,
        defocus=header_number(content, hdu.header, "DZ", "m"),
    )


def _radians_per_unit(content: FileContent, label: str, hdu: Any, name: str) -> float:
    """Give the size of the unit of a coordinate column; without a unit it is in radians."""
    from astropy import units

    text = str(hdu.columns[column_names(hdu).index(name)].unit or "").strip()
    if text.lower() in ("", "rad", "radian", "radians"):
        return 1.0
    try:
        return float(units.Unit(text).to(units.rad))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"the unit of the column {name} of the map {label} is no angle",
            file=content.path,
            key=f"TUNIT of {name}",
            value=text,
            remedy="give the coordinates in rad",
        ) from error


def write_map_tables(
    observation: Observation,
    path: str | Path,
    layout: TableLayout,
    *,
    overwrite: bool,
    header: Mapping[str, HeaderValue] | None,
) -> None:
    """Write an observation as one binary table a map, in double precision, with checksums.

    Samples that are not used get NaN as their power: this is how both layouts say "unobserved". Flags become HISTORY.
    How the maps were taken goes into cards of the primary header, the image of an applied correction into one more
    table.

    Parameters
    ----------
    observation : Observation
        What to write.
    path : path-like
        Where to.
    layout : TableLayout
        Names of the columns.
    overwrite : bool
        Whether an existing file may be replaced.
    header : mapping, optional
        Further cards of the primary header.

    Raises
    ------
    UsageError
        If the file exists, cannot be written, or `header` is not fit for FITS; or u and v are not in the signs of the
        telescope's data.
    """
    from astropy.io import fits

    _refuse_frame(observation, path)
    labels = _labels(observation)
    primary = fits.PrimaryHDU(header=_primary_header(observation, layout, header))
    add_lines(primary.header, "HISTORY", [f"flag: {flag.code}: {flag.message}" for flag in observation.flags])
    hdus = [primary]
    for label, beam_map in zip(labels, observation.maps, strict=True):
        table = fits.BinTableHDU.from_columns(_columns(beam_map, layout))
        table.header.append(fits.Card("EXTNAME", fits_text(label)))
        table.header.append(float_card("DZ", beam_map.defocus_m, "[m] defocus"))
        hdus.append(table)
    hdus += observing_tables(observation.observing)
    whole = fits.HDUList(hdus)
    whole.update_extend()  # writing would do it, after the checksums
    for hdu in whole:
        # A fixed comment instead of the time of day: equal content gives equal bytes.
        hdu.add_datasum(when="data unit checksum")
        hdu.add_checksum(when="HDU checksum", override_datasum=True)
    with atomic_file(path, overwrite) as part:
        whole.writeto(part)


def _refuse_frame(observation: Observation, path: str | Path) -> None:
    """Refuse what a table could not give back: it cannot say what its u and v are."""
    if observation.frame != "file":
        raise UsageError(
            f"a table has the signs of the telescope's data, and the observation is {FRAMES[observation.frame]}",
            file=path,
            key="frame",
            value=observation.frame,
            remedy="bring it there with oofpy.conventions.in_file_convention, which needs the telescope",
        )


def _columns(beam_map: BeamMap, layout: TableLayout) -> list[Any]:
    from astropy.io import fits

    power = np.where(np.asarray(beam_map.used), beam_map.power, np.nan)
    columns = [
        fits.Column(layout.u, "D", unit="rad", array=np.array(beam_map.u_rad)),
        fits.Column(layout.v, "D", unit="rad", array=np.array(beam_map.v_rad)),
        fits.Column(layout.power, "D", array=power),
    ]
    # The OOF layout always has the column, 0 meaning none given; in the pyoof layout it is an addition.
    error = beam_map.relative_error
    if error is None and layout.error == "UFNU":
        error = np.zeros_like(power)
    if error is not None:
        columns.append(fits.Column(layout.error, "D", array=np.array(error)))
    if layout.error == "UFNU":
        columns.append(fits.Column("TIME", "D", unit="d", array=np.zeros_like(power)))
    return columns


def _labels(observation: Observation) -> list[str]:
    """Labels of the maps; three unnamed maps with dz below, at and above zero get the names of pyoof."""
    trio = {-1: "MINUS OOF", 0: "ZERO OOF", 1: "PLUS OOF"}
    signs = [int(np.sign(dz)) for dz in observation.defocus_m]
    is_trio = sorted(signs) == [-1, 0, 1]
    return [
        beam_map.label or (trio[sign] if is_trio else f"MAP {number}")
        for number, (beam_map, sign) in enumerate(zip(observation.maps, signs, strict=True), start=1)
    ]


def _primary_header(observation: Observation, layout: TableLayout, extra: Mapping[str, HeaderValue] | None) -> Any:
    from astropy.io import fits

    elevation = observation.elevation_rad
    cards: list[Any] = [
        float_card("FREQ", SPEED_OF_LIGHT_M_S / observation.wavelength_m, "[Hz] frequency"),
        float_card("WAVEL", observation.wavelength_m, "[m] wavelength"),
        float_card("MEANEL", 0.0 if elevation is None else math.degrees(elevation), "[deg] 0: unknown"),
        fits.Card("OBJECT", fits_text(observation.object_name or "")),
        fits.Card("DATE_OBS", fits_text(observation.date or "")),
        fits.Card(layout.telescope_key, fits_text(observation.telescope or "")),
        *observing_cards(observation.observing),
    ]
    written = fits.PrimaryHDU().header
    taken = {*written, *(card.keyword for card in cards), *reserved_keys(observation.observing), "CHECKSUM", "DATASUM"}
    cards += [_extra_card(key, value, taken) for key, value in (extra or {}).items()]
    for card in cards:
        written.append(card)
    return written


def _extra_card(key: str, value: HeaderValue, taken: set[str]) -> Any:
    from astropy.io import fits

    keyword = key.upper()
    if keyword in taken or not 0 < len(keyword) <= 8:
        problem = "this key is written by oofpy itself" if keyword in taken else "a FITS key has 1 to 8 characters"
        raise UsageError(problem, key=key, value=value, remedy="choose another key")
    try:
        if isinstance(value, float):
            return float_card(keyword, value, "")
        return fits.Card(keyword, fits_text(value) if isinstance(value, str) else value)
    except ValueError as error:
        raise UsageError(f"this does not fit a FITS header: {error}", key=key, value=value) from error
