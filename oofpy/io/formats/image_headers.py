"""What the header of an image or a table says, beside its coordinates."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from oofpy.errors import InputError, one_line
from oofpy.flags import Flag
from oofpy.io.reader import FileContent, GivenNumber

# Axes beyond the ninth do not occur in images.
MOST_AXES = 9
# What a unit in the comment of a card, as the FITS standard puts it ("[GHz] ..."), means in SI.
_UNITS = {
    "Hz": {"hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9, "thz": 1e12},
    "m": {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "micron": 1e-6, "microns": 1e-6, "nm": 1e-9},
}


def header_text(header: Any, *keys: str) -> str | None:
    """Give the first text, or number as text, among some keys of a header.

    Parameters
    ----------
    header : astropy.io.fits.Header
        The header.
    *keys : str
        The keys, the most wanted first.

    Returns
    -------
    str or None
        Without blanks around it; None where no key holds any text.
    """
    for key in keys:
        value = header.get(key)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return one_line(str(value))
    return None


def required_number(content: FileContent, header: Any, key: str) -> float:
    """Give a number of a header that must be there.

    Parameters
    ----------
    content : FileContent
        The file, for messages.
    header : astropy.io.fits.Header
        The header.
    key : str
        The key.

    Returns
    -------
    float
        Its value.

    Raises
    ------
    InputError
        If the key is missing or its value is not a finite number.
    """
    if key not in header:
        raise InputError(
            "this key of the coordinates is missing", file=content.path, key=key, remedy="add it to the header"
        )
    return GivenNumber(content.path, key, header[key], "the unit of its axis").finite()


def header_number(content: FileContent, header: Any, key: str, unit: str) -> GivenNumber | None:
    """Give a number of a header, in hertz or metres.

    Parameters
    ----------
    content : FileContent
        The file.
    header : astropy.io.fits.Header
        The header.
    key : str
        The key.
    unit : {"Hz", "m"}
        Its unit, unless the comment of the card begins with another in brackets, as in "[GHz] frequency".

    Returns
    -------
    GivenNumber or None
        None where the key is missing.
    """
    if key not in header:
        return None
    value, factor = header[key], unit_in_comment(header, key, unit) or 1.0
    if factor != 1.0 and isinstance(value, int | float) and not isinstance(value, bool):
        value = value * factor
    return GivenNumber(content.path, key, value, unit)


def unit_in_comment(header: Any, key: str, unit: str) -> float | None:
    """Size in hertz or metres (`unit`) of the unit in brackets in the comment of a card; None without one."""
    match = re.match(r"\s*\[\s*(\w+)\s*\]", str(header.comments[key]))
    return _UNITS[unit].get(match[1].lower()) if match else None


def header_frequency(content: FileContent, header: Any) -> GivenNumber | None:
    """Find the frequency: FREQ, a spectral axis of length 1, RESTFRQ or RESTFREQ, in this order; hertz."""
    found = header_number(content, header, "FREQ", "Hz") or _spectral_axis(content, header, "FREQ", "Hz")
    for key in ("RESTFRQ", "RESTFREQ"):
        found = found or header_number(content, header, key, "Hz")
    return found


def header_wavelength(content: FileContent, header: Any) -> GivenNumber | None:
    """Find the wavelength: WAVEL, WAVELEN where its comment has a unit, or a spectral axis of length 1; metres."""
    found = header_number(content, header, "WAVEL", "m")
    if found is None and "WAVELEN" in header and unit_in_comment(header, "WAVELEN", "m"):
        found = header_number(content, header, "WAVELEN", "m")
    return found or _spectral_axis(content, header, "WAVE", "m")


def _spectral_axis(content: FileContent, header: Any, name: str, unit: str) -> GivenNumber | None:
    """Value of the one pixel of an axis of frequency or wavelength."""
    for axis in range(1, MOST_AXES + 1):
        ctype = (header_text(header, f"CTYPE{axis}") or "").upper()
        if ctype.split("-")[0] != name or header.get(f"NAXIS{axis}", 1) != 1 or f"CRVAL{axis}" not in header:
            continue
        factor = _UNITS[unit].get((header_text(header, f"CUNIT{axis}") or unit).lower())
        if factor is None:
            return None
        key = f"CRVAL{axis}"
        cards = [required_number(content, header, key)]
        cards += [header.get(f"{other}{axis}", default) for other, default in (("CRPIX", 1), ("CDELT", 0))]
        value, pixel, step = (float(card) for card in cards)
        return GivenNumber(content.path, key, (value + (1 - pixel) * step) * factor, unit)
    return None


def header_elevation(content: FileContent, header: Any, *keys: str) -> tuple[float | None, tuple[Flag, ...]]:
    """Find the mean elevation.

    Parameters
    ----------
    content : FileContent
        The file.
    header : astropy.io.fits.Header
        The header.
    *keys : str
        Keys of elevations in degrees; the mean of those that are there is taken.

    Returns
    -------
    elevation_rad : float or None, radians
        None where it is not given, or is 0, which writers put where they do not know it.
    flags : tuple of Flag
        Whether a value is no elevation.
    """
    found = []
    for key in keys:
        value = header.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 90:
            found.append(math.radians(value))
        elif value is not None and value != 0:
            message = f"{content.path.name}: {key} = {value} is no elevation in degrees and is taken as unknown"
            return None, (Flag("elevation-implausible", message),)
    return (float(np.mean(found)) if found else None), ()
