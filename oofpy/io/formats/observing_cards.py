"""How maps were taken, as cards of the primary header and one table, and back without a loss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from oofpy.errors import InputError, OofError
from oofpy.io.fits_access import COPY_AGAIN, column_names, is_table, number_column
from oofpy.io.fits_cards import fits_text, float_card
from oofpy.io.observing_keys import observing_of_values, values_of
from oofpy.io.reader import FileContent
from oofpy.observing import AppliedCorrection, Observing

# Says that the header tells the whole of the observing, in this layout. Programs that do not know it pass it over.
LAYOUT_KEY, LAYOUT = "OOFPYOBS", 1
TABLE = "APPLIED"
# Written for oof where they apply; passed over in a file that has LAYOUT_KEY.
_FOR_OOF = ("CHOPTHR", "OBJRADS")
_ORIGIN, _COUNT = "OOBORIG", "OOBNCOEF"
_MOST_COEFFICIENTS = 91

_NUMBERS = {
    "chop_throw": ("OOBTHROW", "[rad] throw of the chop"),
    "chop_angle": ("OOBANGLE", "[rad] negative beam, from +DX/U to +DY/V"),
    "source_diameter": ("OOBDIAM", "[rad] diameter or FWHM of the source"),
    "limb_darkening": ("OOBLIMB", "exponent of mu"),
    "bandwidth": ("OOBBAND", "width of the band over its centre"),
    "scan_smearing": ("OOBSCAN", "[rad] way during one sample"),
    "scan_angle": ("OOBSCANG", "[rad] scan, from +DX/U to +DY/V"),
    "pixel_size": ("OOBPIXEL", "[rad] size of the detector"),
    "source_distance": ("OOBDIST", "[m] distance of the source"),
}
_WORDS = {
    "source_shape": ("OOBSHAPE", "shape of the source"),
    "pixel_shape": ("OOBPIXSH", "shape of the detector"),
}
_ARCSEC_RAD = math.pi / 648000


def observing_cards(observing: Observing) -> list[Any]:
    """Make the header cards that say how the maps were taken.

    Parameters
    ----------
    observing : Observing
        What to write.

    Returns
    -------
    list of astropy.io.fits.Card
        For the primary header; none where nothing is special. `CHOPTHR` [arcsec] and `OBJRADS` [rad], which oof knows,
        are among them.
    """
    from astropy.io import fits

    if observing.is_plain:
        return []
    values = values_of(observing)
    cards = [fits.Card(LAYOUT_KEY, LAYOUT, "how the maps were taken: see OOB...")]
    if observing.chop is not None:
        cards.append(float_card("CHOPTHR", observing.chop.throw_rad / _ARCSEC_RAD, "[arcsec] throw of the chop"))
    if observing.source is not None and observing.source.shape == "disc":
        cards.append(float_card("OBJRADS", observing.source.diameter_rad / 2, "[rad] radius of the source"))
    cards += [float_card(key, values[name], what) for name, (key, what) in _NUMBERS.items() if name in values]
    cards += [fits.Card(key, values[name], what) for name, (key, what) in _WORDS.items() if name in values]
    return cards + (_applied_cards(observing.applied) if observing.applied is not None else [])


def reserved_keys(observing: Observing) -> tuple[str, ...]:
    """Give the keys that nobody else may write beside `observing_cards`, since reading passes them over."""
    return () if observing.is_plain else _FOR_OOF


def _applied_cards(applied: AppliedCorrection) -> list[Any]:
    from astropy.io import fits

    cards = [
        fits.Card(_ORIGIN, fits_text(applied.origin, 2000), "correction on the dish"),
        fits.Card(_COUNT, len(applied.coefficients), "coefficients OOBN, OOBL, OOBC [rad]"),
    ]
    for number, (n, l, phase) in enumerate(applied.coefficients, start=1):
        cards += [fits.Card(f"OOBN{number}", n), fits.Card(f"OOBL{number}", l)]
        cards.append(float_card(f"OOBC{number}", phase, f"[rad] Z({n},{l})"))
    return cards


def observing_tables(observing: Observing) -> list[Any]:
    """Make the table of the image of an applied correction.

    Parameters
    ----------
    observing : Observing
        What to write.

    Returns
    -------
    list of astropy.io.fits.BinTableHDU
        One row a y with AXIS_M and SURFACE_M, so that the axis keeps its exact values; empty without an image.
    """
    from astropy.io import fits

    applied = observing.applied
    if applied is None or applied.axis_m is None or applied.surface_m is None:
        return []
    columns = [
        fits.Column("AXIS_M", "D", unit="m", array=np.array(applied.axis_m)),
        fits.Column("SURFACE_M", f"{applied.axis_m.size}D", unit="m", array=np.array(applied.surface_m)),
    ]
    table = fits.BinTableHDU.from_columns(columns, name=TABLE)
    return [table]


def is_observing_table(content: FileContent, hdu: Any) -> bool:
    """Whether an HDU is the table that `observing_tables` makes."""
    return LAYOUT_KEY in content.hdus[0].header and is_table(hdu) and column_names(hdu) == ["AXIS_M", "SURFACE_M"]


def observing_in_header(content: FileContent) -> Observing | None:
    """Read back what `observing_cards` and `observing_tables` made.

    Parameters
    ----------
    content : FileContent
        A FITS file.

    Returns
    -------
    Observing or None
        None where the header does not have the cards.

    Raises
    ------
    InputError
        If the cards are of another layout, incomplete or out of range.
    """
    header = content.hdus[0].header
    if LAYOUT_KEY not in header:
        return None
    if header[LAYOUT_KEY] != LAYOUT:
        raise InputError(
            f"this version of oofpy reads layout {LAYOUT} of what is said about the observing",
            file=content.path,
            key=LAYOUT_KEY,
            value=header[LAYOUT_KEY],
            remedy="read it with the version of oofpy that wrote it",
        )
    values: dict[str, Any] = {name: _number(content, key) for name, (key, _) in _NUMBERS.items() if key in header}
    values |= {name: str(header[key]) for name, (key, _) in _WORDS.items() if key in header}
    try:
        if _COUNT in header:
            values["applied"] = _applied(content)
        return observing_of_values(values)
    except KeyError as error:
        lost = {**_NUMBERS, **_WORDS}[str(error.args[0])][0]
        raise InputError("this card is missing", file=content.path, key=lost, remedy=COPY_AGAIN) from error
    except OofError as error:
        raise InputError(error.problem, file=content.path, key=error.key, value=error.value) from error


def _number(content: FileContent, key: str) -> float:
    value = content.hdus[0].header.get(key)
    if value is None:
        raise InputError("this card is missing", file=content.path, key=key, remedy=COPY_AGAIN)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError("must be a number", file=content.path, key=key, value=value, remedy=COPY_AGAIN)
    return float(value)


def _applied(content: FileContent) -> AppliedCorrection:
    header = content.hdus[0].header
    count = header[_COUNT]
    if not isinstance(count, int) or not 0 <= count <= _MOST_COEFFICIENTS:
        raise InputError("is no number of coefficients", file=content.path, key=_COUNT, value=count, remedy=COPY_AGAIN)
    coefficients = []
    for number in range(1, count + 1):
        n, l, phase = (_number(content, f"OOB{letter}{number}") for letter in "NLC")
        coefficients.append((int(n), int(l), phase))
    axis = surface = None
    for hdu in content.hdus:
        if is_observing_table(content, hdu):
            axis = number_column(content, TABLE, hdu, "AXIS_M")
            surface = np.array(hdu.data.field("SURFACE_M"), dtype=np.float64)
    return AppliedCorrection(tuple(coefficients), axis, surface, origin=str(header.get(_ORIGIN, "")))
