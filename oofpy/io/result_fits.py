"""Write a fit result as one FITS file: tables, images and a record, each with its checksum."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from oofpy.errors import one_line
from oofpy.fitting.result import Coefficient, FitResult, MapFit, OrderFit, Parameter, SurfaceSummary
from oofpy.fitting.settings import ParameterRule
from oofpy.fitting.status import FitStatus
from oofpy.io.convention_words import conventions_in_words
from oofpy.io.fits_cards import add_lines, float_card
from oofpy.io.record_tables import record_columns, text_column, value_column
from oofpy.io.result_record import (
    FORMAT_KEY,
    FORMAT_VERSION,
    IMAGE_UNITS,
    IMAGES,
    MAP_COLUMNS,
    ORDER_FIELDS,
    SURFACE_FIELDS,
    ResultRecord,
    covariance_version,
)
from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S
from oofpy.observation import FloatArray


def write_result_fits(result: FitResult, path: Path) -> None:
    """Write a result as a FITS file from which `read_result` gives back the same.

    Parameters
    ----------
    result : FitResult
        What to write.
    path : Path
        The file to make, in a folder that exists.
    """
    from astropy.io import fits

    hdus = fits.HDUList(
        [
            fits.PrimaryHDU(header=_primary_header(result)),
            *_tables(result),
            *_covariances(result),
            *_images(result),
            *_maps(result),
            _table("RECORD", [text_column("JSON", ResultRecord.of(result).lines())]),
        ]
    )
    hdus.update_extend()  # writing would do it, after the checksums
    for hdu in hdus:
        # A fixed comment instead of the time of day: equal content gives equal bytes.
        hdu.add_datasum(when="data unit checksum")
        hdu.add_checksum(when="HDU checksum", override_datasum=True)
    hdus.writeto(path)


def _table(name: str, columns: list[Any], version: int = 1) -> Any:
    from astropy.io import fits

    return fits.BinTableHDU.from_columns(columns, name=name, ver=version)


def _tables(result: FitResult) -> list[Any]:
    orders = _all_fits(result)
    coefficients = list(chain.from_iterable(fit.coefficients for fit in orders))
    parameters = list(chain.from_iterable(fit.parameters for fit in orders))
    map_fits = list(chain.from_iterable(fit.maps for fit in orders))
    numbers = [number for fit in orders for number in range(1, len(fit.maps) + 1)]

    def key_columns(member: str) -> list[Any]:
        owners = [fit for fit in orders for _ in getattr(fit, member)]
        return [
            value_column("ORDER", int, [fit.order for fit in owners]),
            value_column("LEFT_OUT", int, [fit.left_out for fit in owners]),
        ]

    return [
        _table("COEFFICIENTS", [*key_columns("coefficients"), *record_columns(Coefficient, coefficients)]),
        _table("PARAMETERS", [*key_columns("parameters"), *record_columns(Parameter, parameters)]),
        _table(
            "ORDERS",
            [
                *record_columns(type(result.fit), orders, ORDER_FIELDS),
                *record_columns(SurfaceSummary, [fit.surface for fit in orders], SURFACE_FIELDS),
            ],
        ),
        _table(
            "MAPFITS",
            [*key_columns("maps"), value_column("MAP", int, numbers), *record_columns(MapFit, map_fits)],
        ),
    ]


def _all_fits(result: FitResult) -> tuple[OrderFit, ...]:
    """Fits of the ladder, then those without one of the maps."""
    return (*result.orders, *result.left_out_fits)


def _covariances(result: FitResult) -> list[Any]:
    """Make one image a fit, its EXTVER from `covariance_version`; the names of the rows are in the header."""
    from astropy.io import fits

    hdus = []
    for fit in _all_fits(result):
        version = covariance_version(fit.order, fit.left_out)
        hdu = fits.ImageHDU(np.array(fit.covariance, np.float64), name="COVARIANCE", ver=version)
        hdu.header["PARAMS"] = (len(fit.covariance_names), "free parameters, PAR1 ... by row and column")
        for number, name in enumerate(fit.covariance_names, start=1):
            hdu.header[f"PAR{number}"] = name
        hdus.append(hdu)
    return hdus


def _images(result: FitResult) -> list[Any]:
    from astropy.io import fits

    axis = result.aperture.axis_m
    hdus = []
    for name, member in IMAGES.items():
        hdu = fits.ImageHDU(np.array(getattr(result.aperture, member), np.float64), name=name)
        if IMAGE_UNITS[name]:
            hdu.header["BUNIT"] = IMAGE_UNITS[name]
        for card in _linear_axes(axis):
            hdu.header.append(card)
        hdus.append(hdu)
    # The linear axes are for viewers; this is the axis to the last bit.
    return [*hdus, _table("AXIS", [value_column("AXIS_M", float, axis, "m")])]


def _linear_axes(axis_m: FloatArray) -> list[Any]:
    """Make the cards that place an image over the dish, x along rows and y along columns, in metres."""
    from astropy.io import fits

    middle = (axis_m.size + 1) / 2
    pitch = float(axis_m[-1] - axis_m[0]) / max(axis_m.size - 1, 1)
    cards = []
    for number, letter in ((1, "X"), (2, "Y")):
        cards += [
            fits.Card(f"CTYPE{number}", letter, "seen from behind the dish, to the sky"),
            fits.Card(f"CUNIT{number}", "m"),
            float_card(f"CRPIX{number}", middle, ""),
            float_card(f"CRVAL{number}", float(axis_m[0] + axis_m[-1]) / 2, ""),
            float_card(f"CDELT{number}", pitch, ""),
        ]
    return cards


def _maps(result: FitResult) -> list[Any]:
    hdus = []
    for number, (arrays, fit) in enumerate(zip(result.map_arrays, result.fit.maps, strict=True), start=1):
        columns = [
            value_column(name, float, getattr(arrays, member), "rad" if member.endswith("_rad") else None)
            for name, member in MAP_COLUMNS.items()
        ]
        columns.insert(-1, value_column("RESIDUAL", float, arrays.residual))
        hdu = _table("MAPS", columns, version=number)
        hdu.header["LABEL"] = (_ascii(arrays.label)[:60], "name of the map in its file")
        hdu.header.append(_number("DZ", fit.dz_m, "[m] defocus"))
        hdu.header["COMMENT"] = "OBSERVED, MODEL and RESIDUAL are in the unit of the input map."
        hdu.header["COMMENT"] = "RESIDUAL is observed minus model; WEIGHT 0 marks samples left out."
        hdu.header["COMMENT"] = "ERROR is the error given, over its median in the map; 1 where none was."
        hdus.append(hdu)
    return hdus


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    value: str | float | int | bool | None
    comment: str


def _primary_header(result: FitResult) -> Any:
    from astropy.io import fits

    header = fits.PrimaryHDU().header
    for entry in _entries(result):
        if isinstance(entry.value, float):
            header.append(_number(entry.key, entry.value, entry.comment))
        elif isinstance(entry.value, str):
            header.append(fits.Card(entry.key, _ascii(entry.value), entry.comment))
        else:
            header.append(fits.Card(entry.key, entry.value, entry.comment))
    for source, (path, digest) in enumerate(_files(result), start=1):
        header[f"FILE{source}"] = _ascii(path)
        header[f"HASH{source}"] = _ascii(digest)
    add_lines(header, "HISTORY", _history(result))
    words = conventions_in_words(result)
    add_lines(header, "COMMENT", [f"{subject}: {sentence}." for subject, sentence in words.items()])
    return header


def _entries(result: FitResult) -> list[_Entry]:
    elevation = result.elevation_rad
    fit, surface = result.fit, result.fit.surface
    return [
        _Entry(FORMAT_KEY, FORMAT_VERSION, "version of this layout: a result of oofpy"),
        _Entry("OBSNAME", result.name, "observation"),
        _Entry("TELESCOP", result.telescope.name, "telescope"),
        _Entry("OBJECT", result.object_name, "source"),
        _Entry("DATE-OBS", result.date, "as the input gives it"),
        _Entry("ELEV", None if elevation is None else math.degrees(elevation), "[deg] mean elevation"),
        _Entry("WAVEL", float(result.wavelength_m), "[m] wavelength"),
        _Entry("FREQ", SPEED_OF_LIGHT_M_S / result.wavelength_m, "[Hz] frequency"),
        _Entry("STATUS", result.status, "ok, flagged or failed"),
        _Entry("VERDICT", result.verdict, "accept, check or reject"),
        _Entry("ORDER", fit.order, "Zernike order of images and maps"),
        _Entry("LIKELIHD", result.settings.likelihood, "distribution of the residuals"),
        _Entry("CONVERGD", fit.status is FitStatus.CONVERGED, "whether the fit converged"),
        _Entry("RMS", float(surface.rms_um), "[um] half-path, weighted, with focus"),
        _Entry("RMSERR", float(surface.rms_um_error), "[um] its standard error"),
        _Entry("DEVICE", result.device, "where it ran"),
        _Entry("DTYPE", result.dtype, "precision"),
    ]


def _files(result: FitResult) -> list[tuple[str, str]]:
    """Every file that went in: path and sha256, the data first."""
    files = [(str(source.path), source.sha256) for source in result.sources]
    if result.telescope.source_file is not None:
        files.append((str(result.telescope.source_file), result.telescope.sha256))
    return [*files, *((one.origin, one.sha256) for one in result.telescope.path_maps())]


def _history(result: FitResult) -> list[str]:
    settings = {entry.name: getattr(result.settings, entry.name) for entry in fields(result.settings)}
    del settings["parameters"], settings["limits"]
    return [
        *(f"version: {name} {version}" for name, version in result.versions.items()),
        *(f"setting: {name} = {value}" for name, value in settings.items()),
        *(f"setting: parameters.{name}: {_rule(rule)}" for name, rule in result.settings.parameters.items()),
        *(f"setting: limits.{name} = {value}" for name, value in asdict(result.settings.limits).items()),
        *(f"setting: telescope.{name} = {value}" for name, value in result.telescope.overrides),
        *(f"flag: {flag.code}: {flag.message}" for flag in result.flags),
    ]


def _rule(rule: ParameterRule) -> str:
    """Write down what a rule sets."""
    values = {entry.name: getattr(rule, entry.name) for entry in fields(rule)}
    return ", ".join(f"{name} = {value}" for name, value in values.items() if value is not None)


def _number(key: str, value: float, comment: str) -> Any:
    """Make a card to the last digit; FITS has no number that is not finite, and leaves the value out."""
    from astropy.io import fits

    return float_card(key, value, comment) if math.isfinite(value) else fits.Card(key, None, comment)


def _ascii(text: str) -> str:
    """Reduce text to what a FITS header can hold; the exact text stands in the record."""
    return one_line(text).encode("ascii", "replace").decode("ascii")
