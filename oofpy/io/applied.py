"""Files of a correction that was on the dish while it was observed.

Every form holds the error that the correction takes away, as `AppliedCorrection` defines it; oof adds such an offset to
what it has fitted.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from oofpy.errors import ConfigurationError, InputError, one_line
from oofpy.flags import Flag
from oofpy.io.fits_access import column_names, is_table, number_column
from oofpy.io.formats.image_headers import header_number, header_text
from oofpy.io.parsing import parsing
from oofpy.io.reader import FileContent, GivenNumber
from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S
from oofpy.observation import FloatArray, SourceFile
from oofpy.observing import HIGHEST_APPLIED_ORDER, AppliedCorrection

HOW = (
    "give a FITS image of the surface with BUNIT m or of the phase with BUNIT rad, the parameter table of oof "
    "(PARNAME, PARVALUE), or a table with columns n, l, phase_rad"
)
# oof itself computes with c = 3e8 m/s, which is 0.07 % off.
_SAME_WAVELENGTH = 1e-3
_LEAST_PIXELS, _MOST_PIXELS = 8, 4096
_ECSV = "# %ECSV"

Applied = tuple[AppliedCorrection, SourceFile, tuple[Flag, ...]]
Coefficients = tuple[tuple[int, int, float], ...]


def read_applied(path: str | Path, wavelength_m: float) -> Applied:
    """Read a correction that was on the dish.

    Parameters
    ----------
    path : path-like
        One of

        - a FITS image over x (first axis) and y of the dish, both linear in a unit of length (CRPIX, CRVAL, CDELT,
          CUNIT), with BUNIT a length for half-path surface error or rad for phase at the wavelength of the observation;
          NaN off the dish is filled with the nearest value;
        - a FITS table of oof with ParName and ParValue, of which z0, z1 ... are the coefficients in radians
          (sequence number (n(n+1)+n+l)/2, sine for l < 0); where it says FREQ [Hz], that must be the frequency of the
          observation;
        - a FITS table or ECSV file with n, l and phase_rad, such as the `coefficients.ecsv` of a result; where it says
          its wavelength (WAVEL [m] or FREQ [Hz] in the header, wavelength_m in the metadata), the phases are scaled to
          that of the observation.

        Phases in radians without a wavelength are taken as they are, with a note.
    wavelength_m : float, metres
        Wavelength of the observation.

    Returns
    -------
    correction : AppliedCorrection
        What it holds. Its origin names the file, and the telescope where the file does (TELESC or TELESCOP in the
        header, telescope in the metadata).
    source : SourceFile
        The file.
    flags : tuple of Flag
        What of it was passed over or assumed.

    Raises
    ------
    InputError
        If the file is of no such form or contradicts the wavelength.
    """
    content = FileContent.load(path)
    with parsing(content.path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units such as 'unknown' in tables of oof
        try:
            correction, flags = _read(content, wavelength_m)
        except ConfigurationError as error:
            raise InputError(
                error.problem, file=content.path, key=error.key, value=error.value, remedy=error.remedy
            ) from error
    return correction, content.source, flags


def _read(content: FileContent, wavelength_m: float) -> tuple[AppliedCorrection, tuple[Flag, ...]]:
    if content.text is not None and content.text.startswith(_ECSV):
        return _ecsv_correction(content, wavelength_m)
    images = [hdu for hdu in content.hdus if not is_table(hdu) and hdu.header.get("NAXIS") == 2]
    tables = [hdu for hdu in content.hdus if is_table(hdu)]
    if len(images) + len(tables) > 1:
        raise InputError(
            f"it holds {len(images)} images and {len(tables)} tables, and which is the correction is not said",
            file=content.path,
            remedy="give a file with one of them",
        )
    if images:
        return _image_correction(content, images[0], wavelength_m), ()
    for hdu in tables:
        names = set(column_names(hdu))
        if {"PARNAME", "PARVALUE"} <= names:
            return _oof_correction(content, hdu, wavelength_m)
        if {"N", "L", "PHASE_RAD"} <= names:
            return _table_correction(content, hdu, wavelength_m)
    raise InputError("this is no correction of the surface", file=content.path, remedy=HOW)


def _origin(content: FileContent, telescope: str | None) -> str:
    return f"{content.path} of the telescope {telescope}" if telescope else str(content.path)


def _telescope(content: FileContent, hdu: Any) -> str | None:
    headers = (hdu.header, content.hdus[0].header)
    return next((name for header in headers if (name := header_text(header, "TELESC", "TELESCOP"))), None)


def _unscaled(content: FileContent) -> Flag:
    message = (
        f"{content.path.name}: it does not say at which wavelength its phases are; they are taken to be at that of the "
        "observation"
    )
    return Flag("correction-unscaled", message)


def _coefficients(content: FileContent, columns: Mapping[str, Any], scale: float) -> Coefficients:
    """Make coefficients of the columns n, l, phase_rad."""
    found = []
    for row, (n, l, phase) in enumerate(zip(columns["n"], columns["l"], columns["phase_rad"], strict=True)):
        if not (float(n).is_integer() and float(l).is_integer()):
            raise InputError("n and l must be whole numbers", file=content.path, key=f"row {row}", value=f"{n}, {l}")
        found.append((int(n), int(l), float(phase) * scale))
    return tuple(found)


def _table_correction(
    content: FileContent, hdu: Any, wavelength_m: float
) -> tuple[AppliedCorrection, tuple[Flag, ...]]:
    """Read a FITS table with n, l and phase_rad."""
    columns = {name: number_column(content, hdu.name, hdu, name.upper()) for name in ("n", "l", "phase_rad")}
    wavelength = _header_number(content, hdu, "WAVEL", "m")
    frequency = _header_number(content, hdu, "FREQ", "Hz")
    made_at = wavelength_m
    if wavelength is not None:
        made_at = wavelength.positive()
    elif frequency is not None:
        made_at = SPEED_OF_LIGHT_M_S / frequency.positive()
    coefficients = _coefficients(content, columns, made_at / wavelength_m)
    flags = (_unscaled(content),) if wavelength is None and frequency is None else ()
    return AppliedCorrection(coefficients, origin=_origin(content, _telescope(content, hdu))), flags


def _header_number(content: FileContent, hdu: Any, key: str, unit: str) -> GivenNumber | None:
    """Give a number of the header of a table, or else of the primary header."""
    return header_number(content, hdu.header, key, unit) or header_number(content, content.hdus[0].header, key, unit)


def _ecsv_correction(content: FileContent, wavelength_m: float) -> tuple[AppliedCorrection, tuple[Flag, ...]]:
    from astropy.table import Table

    table = Table.read((content.text or "").splitlines(), format="ascii.ecsv")
    missing = [name for name in ("n", "l", "phase_rad") if name not in table.colnames]
    if missing:
        problem = f"the table has no column {', '.join(missing)}"
        raise InputError(problem, file=content.path, key=missing[0], remedy=HOW)
    columns = {name: np.asarray(table[name], dtype=np.float64) for name in ("n", "l", "phase_rad")}
    made_at = table.meta.get("wavelength_m")
    telescope = table.meta.get("telescope")
    origin = _origin(content, one_line(telescope) if isinstance(telescope, str) else None)
    if made_at is None:
        return AppliedCorrection(_coefficients(content, columns, 1.0), origin=origin), (_unscaled(content),)
    if isinstance(made_at, bool) or not isinstance(made_at, int | float) or not 0 < made_at < math.inf:
        raise InputError("must be a positive number of metres", file=content.path, key="wavelength_m", value=made_at)
    return AppliedCorrection(_coefficients(content, columns, made_at / wavelength_m), origin=origin), ()


def _oof_correction(content: FileContent, hdu: Any, wavelength_m: float) -> tuple[AppliedCorrection, tuple[Flag, ...]]:
    """Read the parameter table of oof, as its bnmin1io.FSave and ooffitconv.SaveFITS write it."""
    frequency = _header_number(content, hdu, "FREQ", "Hz")
    if frequency is not None:
        _refuse_other_frequency(frequency, wavelength_m)
    unit = str(hdu.columns["PARVALUE"].unit or "")
    if unit in ("m", "mm", "um"):
        raise InputError(
            "these are lengths, as in a list for the GBT, not phases in radians",
            file=content.path,
            key="TUNIT of PARVALUE",
            value=unit,
            remedy="give applied.ecsv, which is written beside such a list",
        )
    values = number_column(content, hdu.name or "offset", hdu, "PARVALUE")
    names = [str(name).strip() for name in hdu.data.field(column_names(hdu).index("PARNAME"))]
    found, others = [], []
    for name, value in zip(names, values, strict=True):
        if re.fullmatch(r"z[0-9]{1,4}", name):
            n, l = _term(int(name[1:]))
            if n > HIGHEST_APPLIED_ORDER and value == 0:
                continue
            if n > HIGHEST_APPLIED_ORDER:
                raise InputError(
                    f"this is Z({n},{l}), and terms above order {HIGHEST_APPLIED_ORDER} (z90) are not supported",
                    file=content.path,
                    key="PARNAME",
                    value=name,
                    remedy="give the correction as an image of the surface, or without these terms",
                )
            found.append((n, l, float(value)))
        elif name and value != 0:
            others.append(name)
    if not found:
        raise InputError("there are no coefficients z0, z1 ... in it", file=content.path, key="PARNAME", remedy=HOW)
    flags = [_unscaled(content)] if frequency is None else []
    if others:
        message = f"{content.path.name}: only z0, z1 ... are the correction; not taken: {one_line(', '.join(others))}"
        flags.append(Flag("correction-parameters-ignored", message[:300]))
    return AppliedCorrection(tuple(found), origin=_origin(content, _telescope(content, hdu))), tuple(flags)


def _term(number: int) -> tuple[int, int]:
    """Invert oof's sequence number (n(n+1)+n+l)/2, which is the OSA/ANSI index."""
    n = (math.isqrt(8 * number + 1) - 1) // 2
    return n, 2 * number - n * (n + 2)


def _refuse_other_frequency(frequency: GivenNumber, wavelength_m: float) -> None:
    if abs(frequency.positive() * wavelength_m / SPEED_OF_LIGHT_M_S - 1) > _SAME_WAVELENGTH:
        raise frequency.error(
            f"the phases are for another frequency than the {SPEED_OF_LIGHT_M_S / wavelength_m:.6g} Hz observed",
            "make the correction for the frequency of the observation",
        )


def _image_correction(content: FileContent, hdu: Any, wavelength_m: float) -> AppliedCorrection:
    header = hdu.header
    width, height = int(header["NAXIS1"]), int(header["NAXIS2"])
    if width != height or not _LEAST_PIXELS <= width <= _MOST_PIXELS:
        problem = f"the image must be square, with {_LEAST_PIXELS} to {_MOST_PIXELS} pixels a side"
        raise InputError(problem, file=content.path, key="NAXIS1, NAXIS2", value=f"{width}, {height}")
    x, y = (_axis(content, header, number, width) for number in (1, 2))
    surface: FloatArray = np.array(hdu.data, dtype=np.float64) * _metres_per_unit(content, header, wavelength_m)
    if np.isinf(surface).any():
        raise InputError("the image has infinite values", file=content.path, remedy="write NaN where nothing is known")
    # A falling axis is turned round with its pixels.
    surface = surface[:: -1 if y[0] > y[-1] else 1, :: -1 if x[0] > x[-1] else 1]
    x.sort()
    y.sort()
    if not np.allclose(x, y, rtol=0, atol=1e-6 * (x[-1] - x[0])):
        raise InputError(
            "x and y of the image must be the same axis",
            file=content.path,
            key="CRVAL1, CRVAL2",
            value=f"x from {x[0]:g} to {x[-1]:g} m, y from {y[0]:g} to {y[-1]:g} m",
            remedy="resample the image to a square grid about the centre of the dish",
        )
    return AppliedCorrection(axis_m=x, surface_m=surface, origin=_origin(content, _telescope(content, hdu)))


def _axis(content: FileContent, header: Any, number: int, pixels: int) -> FloatArray:
    """Pixel centres along an axis, metres."""
    from astropy import units

    rotated = [key for key in (f"PC{number}_{3 - number}", f"CD{number}_{3 - number}", "CROTA2") if header.get(key)]
    if rotated:
        raise InputError("the axes must not be rotated", file=content.path, key=rotated[0], value=header[rotated[0]])
    values = []
    for name in (f"CRPIX{number}", f"CRVAL{number}", f"CDELT{number}"):
        value = header.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            problem = "must be a number" if name in header else "this key of an axis is missing"
            raise InputError(problem, file=content.path, key=name, value=value, remedy=HOW)
        values.append(float(value))
    unit = str(header.get(f"CUNIT{number}", "")).strip()
    reference, start, step = values
    try:
        scale = float(units.Unit(unit).to(units.m))
    except (ValueError, TypeError) as error:
        problem = "the axes must be in a unit of length"
        raise InputError(problem, file=content.path, key=f"CUNIT{number}", value=unit or "''") from error
    if step == 0:
        raise InputError("must not be zero", file=content.path, key=f"CDELT{number}", value=step)
    return np.asarray((start + (np.arange(1, pixels + 1) - reference) * step) * scale, dtype=np.float64)


def _metres_per_unit(content: FileContent, header: Any, wavelength_m: float) -> float:
    """Metres of half-path surface error per unit of the image; a phase is `4 pi / wavelength` times it."""
    from astropy import units

    text = str(header.get("BUNIT", "")).strip()
    try:
        unit = units.Unit(text)
        if unit.is_equivalent(units.m):
            return float(unit.to(units.m))
        if text and unit.is_equivalent(units.rad):
            return float(unit.to(units.rad)) * wavelength_m / (4 * math.pi)
    except (ValueError, TypeError):
        pass
    problem = "must be a length for surface error or rad for phase" if text else "this key is missing"
    raise InputError(problem, file=content.path, key="BUNIT", value=text or None, remedy="set BUNIT, e.g. to m or rad")
