"""The list of Zernike coefficients of the active surface of the Green Bank Telescope.

A FITS table of PARNAME, `z1`, `z2` ..., and PARVALUE, in micrometres of half-path error, lambda / 4 pi times the phase,
with FREQ [Hz] in its header: what `MkGBTSfcFile` of oof writes (bnikolic/oof, oof/bin/ooffitconv.py @ 123fc4e). From
oof's coefficients, which have the norm (1 at the rim), order and sign of those here, it differs in three ways: the
numbers count from 1, `k = n(n+1)/2 + (n+m)/2 + 1` (Schwab's), with m = -l, since his sine and cosine have changed
places; the sine terms have the other sign; and z2 and z3, the tilts, are zero. The list is of the error that the
correction takes away, and it is the total: oof takes its fit together with the offset that was on the dish.
The control system keeps 21 coefficients, orders 0 to 5 (gbtdocs, OOF.rst @ 0171e46), its log files 36, orders 0 to 7
(GBT M&C, gbtActiveSurfaceFits). No source says whether the actuators go up for a positive coefficient.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from oofpy.correction.source import DishSurface
from oofpy.correction.telescope_format import TelescopeFormat
from oofpy.correction.values import Correction
from oofpy.errors import InputError, UsageError
from oofpy.io.fits_access import column_names, is_table, number_column
from oofpy.io.parsing import parsing
from oofpy.io.reader import FileContent
from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S
from oofpy.optics.zernike import ZernikeTerm, zernike_terms

_ORDERS = (5, 7)
_RADIUS_M, _SAME_RADIUS = 50.0, 1e-3
_STEM = "zernikes_gbt"


def gbt_number(term: ZernikeTerm) -> int:
    """Number of a term in the list, from 1."""
    return term.n * (term.n + 1) // 2 + (term.n - term.l) // 2 + 1


def gbt_list(total_um: Mapping[ZernikeTerm, float], order: int) -> dict[str, float]:
    """Make the list of coefficients.

    Parameters
    ----------
    total_um : mapping of ZernikeTerm to float, micrometres
        Half-path error that the correction takes away.
    order : int
        Up to which the list goes.

    Returns
    -------
    dict of str to float, micrometres
        z1, z2 ... in order; piston as it is, tilts zero.
    """
    found = {}
    for term in sorted(zernike_terms(order, 0), key=gbt_number):
        value = total_um.get(term, 0.0) if term.n != 1 else 0.0
        found[f"z{gbt_number(term)}"] = -value if term.l < 0 else value
    return found


def terms_of_list(values: Mapping[str, float]) -> dict[ZernikeTerm, float]:
    """Invert `gbt_list`."""
    found = {}
    for name, value in values.items():
        k = int(name[1:]) - 1
        n = (math.isqrt(8 * k + 1) - 1) // 2
        l = n - 2 * (k - n * (n + 1) // 2)
        found[ZernikeTerm(n, l)] = -value if l < 0 else value
    return found


def check(correction: Correction) -> None:
    """Refuse a correction that is no list of coefficients, has orders above 7, or is normalised to another radius."""
    radius = correction.source.telescope.geometry.dish_radius_m
    if abs(radius / _RADIUS_M - 1) > _SAME_RADIUS:
        raise UsageError(
            f"the polynomials of the list are 1 at {_RADIUS_M:g} m from the centre, and those of "
            f"{correction.source.telescope.name} at {radius:g} m",
            key="--format",
            value="gbt",
            remedy="fit with the telescope gbt",
        )
    for at in correction.elevations:
        if at.total is None:
            raise UsageError(
                "the correction that is on the dish is an image, and the list holds coefficients only",
                key="--format",
                value="gbt",
                remedy="fit with the list of coefficients as observing.applied",
            )
        highest = max((term for term, value in at.total.items() if value != 0), default=ZernikeTerm(0, 0))
        if highest.n > _ORDERS[-1]:
            raise UsageError(
                f"the list holds orders up to {_ORDERS[-1]}",
                key="--format gbt",
                value=highest.label,
                remedy="leave higher terms out (--without), or fit to a lower order",
            )


def write(correction: Correction, folder: Path) -> list[Path]:
    """Write a list for every elevation into a folder."""
    from astropy.io import fits

    paths = []
    for at in correction.elevations:
        total = at.total or {}
        highest = max((term.n for term, value in total.items() if value != 0), default=0)
        order = next(one for one in _ORDERS if one >= highest)
        values = gbt_list({term: correction.settings.sign * value for term, value in total.items()}, order)
        columns = [
            fits.Column("PARNAME", "30A", array=np.array(list(values))),
            fits.Column("PARVALUE", "1D", unit="um", array=np.array(list(values.values()))),
        ]
        hdu = fits.BinTableHDU.from_columns(columns, name="ZERNIKE")
        surface = at.surface
        if surface.wavelength_m is not None:
            hdu.header["FREQ"] = (SPEED_OF_LIGHT_M_S / surface.wavelength_m, "[Hz] of the observation")
        if surface.elevation_rad is not None:
            hdu.header["ELEV"] = (math.degrees(surface.elevation_rad), "[deg] elevation")
        hdu.header["COMMENT"] = "half-path error that the correction takes away, total, GBT numbering and signs"
        path = folder / _file_name(surface, len(correction.elevations))
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, checksum=True)
        paths.append(path)
    return paths


def _file_name(surface: DishSurface, count: int) -> str:
    if count == 1 or surface.elevation_rad is None:
        return f"{_STEM}.fits"
    return f"{_STEM}-el{math.degrees(surface.elevation_rad):.6g}.fits"


def read_gbt_list(path: str | Path) -> dict[ZernikeTerm, float]:
    """Read such a list.

    Parameters
    ----------
    path : path-like
        A FITS table with PARNAME and PARVALUE in micrometres.

    Returns
    -------
    dict of ZernikeTerm to float, micrometres
        Half-path error that the correction takes away.

    Raises
    ------
    InputError
        If it is no such table, or says another unit than micrometres.
    """
    content = FileContent.load(path)
    with parsing(content.path), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units such as 'unknown'
        for hdu in content.hdus:
            if is_table(hdu) and {"PARNAME", "PARVALUE"} <= set(column_names(hdu)):
                unit = str(hdu.columns["PARVALUE"].unit or "")
                if unit not in ("um", "unknown", ""):
                    raise InputError("must be um", file=content.path, key="TUNIT of PARVALUE", value=unit)
                values = number_column(content, hdu.name or "ZERNIKE", hdu, "PARVALUE")
                names = [str(name).strip() for name in hdu.data["PARNAME"]]
                listed = zip(names, values.tolist(), strict=True)
                return terms_of_list({name: one for name, one in listed if re.fullmatch(r"z[1-9][0-9]?", name)})
    raise InputError("there is no table of PARNAME and PARVALUE in it", file=content.path, key="PARNAME")


FORMAT = TelescopeFormat(
    name="gbt",
    holds="list of Zernike coefficients of the active surface, the totals in micrometres (FITS)",
    check=check,
    write=write,
    coefficients=True,
    notes=(
        "gbt: numbering, signs and unit are those of oof's ooffitconv; whether a positive coefficient raises the metal "
        "has no source: the list is of the error that the correction takes away (--positive lower turns it)",
        "gbt: the list holds the terms in full, whatever limits and threshold hold back at points",
    ),
)
