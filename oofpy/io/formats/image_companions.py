"""Images that belong together: the extensions of one file found by name, on one grid of pixels."""

from __future__ import annotations

import math
import re
from typing import Any

from oofpy.errors import InputError
from oofpy.io.formats.sky_axes import find_sky_axes
from oofpy.io.formats.sky_images import image_values
from oofpy.io.reader import FileContent
from oofpy.observation import FloatArray

# Headers are written with ten digits or more, and no grid of a beam map is finer than this in degrees or pixels.
_SAME = 1e-9
_SAME_PIXELS = "write both on the same pixels"


def extension_name(hdu: Any) -> str:
    """Name of an HDU as its header has it; empty where there is none."""
    return str(hdu.header.get("EXTNAME", "")).strip()


def named_extension(content: FileContent, name: str) -> Any | None:
    """Find an HDU by its name, in any case of the letters.

    Parameters
    ----------
    content : FileContent
        A FITS file.
    name : str
        Value of EXTNAME.

    Returns
    -------
    HDU or None
        None where the file has none of this name.

    Raises
    ------
    InputError
        If several HDUs have the name.
    """
    found = [hdu for hdu in content.hdus if extension_name(hdu).upper() == name.upper()]
    if len(found) > 1:
        raise InputError(
            f"{len(found)} extensions have this name",
            file=content.path,
            key=name,
            remedy="keep one of them",
        )
    return found[0] if found else None


def required_extension(content: FileContent, name: str, what: str) -> Any:
    """Find an HDU by its name that must be there.

    Parameters
    ----------
    content : FileContent
        A FITS file.
    name : str
        Value of EXTNAME.
    what : str
        What it holds, for messages.

    Returns
    -------
    HDU
        The one of this name.

    Raises
    ------
    InputError
        If none or several HDUs have the name.
    """
    found = named_extension(content, name)
    if found is None:
        names = [text for hdu in content.hdus if (text := extension_name(hdu))]
        raise InputError(
            f"the extension with {what} is missing",
            file=content.path,
            key=name,
            remedy=f"the file has {', '.join(names[:20]) or 'no named extension'}; write it again with all of them",
        )
    return found


def companion_values(content: FileContent, name: str, hdu: Any, image: Any) -> FloatArray:
    """Take the pixels out of an extension that goes with an image of the same file, such as its weights.

    Parameters
    ----------
    content : FileContent
        The file.
    name : str
        Name of the extension, for messages.
    hdu : HDU
        The extension. Without any coordinates of its own it is taken to have those of the image.
    image : HDU
        The image it goes with.

    Returns
    -------
    array, shape (y, x)
        The values, pixel by pixel those of the image.

    Raises
    ------
    InputError
        If it has another shape or other coordinates than the image, or is no image.
    """
    values = image_values(content, hdu, name)
    if find_sky_axes(hdu.header) is None:
        _refuse_other_shape(content, hdu, image, key=name, where="the map")
    else:
        refuse_other_pixels(content, hdu, image, name=name, where="the map")
    return values


def refuse_other_pixels(content: FileContent, hdu: Any, image: Any, *, name: str = "", where: str) -> None:
    """Refuse an image whose pixels are not those of another.

    Parameters
    ----------
    content : FileContent
        The file of the image, for messages.
    hdu : HDU
        The image to check.
    image : HDU
        The one it goes with.
    name : str
        Name of the extension to check, for messages; empty for the only image of a file.
    where : str
        What the other image is called in messages.

    Raises
    ------
    InputError
        If the shape or the sky coordinates differ.
    """
    _refuse_other_shape(content, hdu, image, key=name or "NAXIS", where=where)
    difference = coordinate_difference(hdu.header, image.header)
    if difference is not None:
        key, value, wanted = difference
        raise InputError(
            f"its pixels are not those of {where}, which has {'none' if wanted is None else wanted}",
            file=content.path,
            key=f"{key} of {name}" if name else key,
            value="missing" if value is None else value,
            remedy=_SAME_PIXELS,
        )


def _refuse_other_shape(content: FileContent, hdu: Any, image: Any, *, key: str, where: str) -> None:
    if _size(hdu) != _size(image):
        raise InputError(
            f"its pixels are not those of {where}, which has {_size(image)}",
            file=content.path,
            key=key,
            value=_size(hdu),
            remedy=_SAME_PIXELS,
        )


def _size(hdu: Any) -> str:
    """Lengths of the axes longer than 1, the first of the header first."""
    lengths = [hdu.header.get(f"NAXIS{number}") for number in range(1, int(hdu.header.get("NAXIS", 0)) + 1)]
    return " x ".join(str(length) for length in lengths if length != 1)


def coordinate_difference(header: Any, other: Any) -> tuple[str, Any, Any] | None:
    """Find where the sky coordinates of two headers differ.

    Parameters
    ----------
    header, other : astropy.io.fits.Header
        Headers of images; the axes looked at are those of the sky in `other`.

    Returns
    -------
    tuple of (key, value, other value) or None
        The first key that differs, None standing for a key that is not there and has no usual value. None where the
        coordinates agree.
    """
    axes = find_sky_axes(other)
    first, second = (1, 2) if axes is None else axes.sorted
    pair = f"[{first}{second}]"
    wanted = re.compile(
        rf"(CTYPE|CRPIX|CRVAL|CDELT|CUNIT|CROTA){pair}|(PC|CD){pair}_{pair}|PV{pair}_\d\d?|LONPOLE|LATPOLE"
    )
    keys = [key for key in dict.fromkeys((*other, *header)) if wanted.fullmatch(key)]
    for key in keys:
        value, expected = (_value(one, another, key) for one, another in ((header, other), (other, header)))
        if not _equal(value, expected):
            return key, value, expected
    return None


def _value(header: Any, other: Any, key: str) -> Any:
    """Value of a key; where it is missing, what the standard assumes or, of what may be left out, what `other` says."""
    if key in header:
        value = header[key]
        return value.strip() if isinstance(value, str) else value
    if key.startswith("CROTA"):
        return 0.0
    if re.match(r"PC\d", key):
        return float(key[2] == key[4])
    if re.match(r"CD\d", key) and any(re.match(r"CD\d_\d$", name) for name in header):
        return 0.0
    return other.get(key) if key.startswith(("CUNIT", "LONPOLE", "LATPOLE")) else None


def _equal(value: Any, expected: Any) -> bool:
    numbers = [item for item in (value, expected) if isinstance(item, int | float) and not isinstance(item, bool)]
    if len(numbers) == 2:
        return math.isclose(*numbers, rel_tol=_SAME, abs_tol=_SAME)
    return bool(value == expected)
