"""Maps of MUSTANG-2 as minkasi writes them: one FITS image whose header holds its coordinates and nothing else."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np

from oofpy.errors import InputError
from oofpy.flags import Flag
from oofpy.io.formats.image_headers import header_text
from oofpy.io.formats.sky_images import direction_cosines, image_values, is_image
from oofpy.io.reader import FileContent, RawFile, RawMap, Reader
from oofpy.observation import FloatArray

# What astropy's WCS.to_header gives for such an image, and what a FITS file has anyway.
_STRUCTURE = re.compile(r"SIMPLE|BITPIX|NAXIS[12]?|EXTEND|CHECKSUM|DATASUM|DATE|COMMENT|")
_COORDINATES = re.compile(
    r"WCSAXES|(CRPIX|CDELT|CUNIT|CTYPE|CRVAL)[12]|PC[12]_[12]|LONPOLE|LATPOLE|MJDREF[IF]?|RADESYS|EQUINOX"
)
# These tell astropy's header from one that someone wrote by hand.
_ALWAYS = ("WCSAXES", "LONPOLE", "LATPOLE")


def recognises(content: FileContent) -> bool:
    """Whether a file is one image in the projection of minkasi, with a header of coordinates and nothing else."""
    if len(content.hdus) != 1 or not is_image(content.hdus[0]):
        return False
    header = content.hdus[0].header
    ctypes = [header_text(header, f"CTYPE{axis}") for axis in (1, 2)]
    return (
        ctypes == ["RA---CAR", "DEC--CAR"]
        and all(key in header for key in _ALWAYS)
        and all(_STRUCTURE.fullmatch(key) or _COORDINATES.fullmatch(key) for key in header)
    )


def read(content: FileContent) -> RawFile:
    """Read the map of a minkasi file.

    minkasi has its maps in memory with right ascension as the first index, and transposes them when it writes. In the
    file the axes are therefore as the header says, and nothing is turned here. The header refers to a corner of the
    map, or to the origin of the coordinates; the directions here are relative to the middle of the image. Pixels that
    are exactly zero are those that no sample fell into.

    Parameters
    ----------
    content : FileContent
        The file.

    Returns
    -------
    RawFile
        One map without errors. The format gives neither unit, defocus, frequency nor source.

    Raises
    ------
    InputError
        If the coordinates cannot be used.
    """
    hdu = content.hdus[0]
    values = image_values(content, hdu, content.path.stem)
    east, north = _directions(content, hdu.header, values.shape)
    gaps = values == 0
    observed = ~gaps & np.isfinite(east) & np.isfinite(north)
    raw = RawMap(
        file=content.path,
        label=content.path.stem,
        u_rad=(0.0 - east).ravel(),
        v_rad=north.ravel(),
        power=np.where(observed, values, np.nan).ravel(),
    )
    count = int(np.count_nonzero(gaps))
    message = (
        f"{content.path.name}: taken as a map of minkasi: axes as the header says, directions from the middle of the "
        f"image, {count} of {values.size} pixels exactly zero taken as unobserved"
    )
    return RawFile(
        maps=(raw,),
        sources=(content.source,),
        flags=(Flag("read-as-minkasi", message),),
        frame="sky-radec",
    )


def _directions(content: FileContent, header: Any, shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Direction cosines of the pixels to the east and north of the middle of the image, shape (y, x)."""
    from astropy.io import fits
    from astropy.wcs import WCS, FITSFixedWarning

    cards = fits.Header([card for card in header.cards if _COORDINATES.fullmatch(card.keyword)])
    rows, columns = shape
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FITSFixedWarning)
            wcs = WCS(cards)
            lon, lat = np.deg2rad(wcs.wcs_pix2world(*np.meshgrid(np.arange(columns), np.arange(rows)), 0))
            lon0, lat0 = np.deg2rad(wcs.wcs_pix2world((columns - 1) / 2, (rows - 1) / 2, 0))
    except (ValueError, TypeError) as error:
        raise InputError(
            f"the coordinates in the header cannot be used: {error}",
            file=content.path,
            key="CTYPE1",
            value=header.get("CTYPE1"),
            remedy="check CRVAL, CRPIX, CDELT, PC, LONPOLE and LATPOLE",
        ) from error
    return direction_cosines(lon, lat, float(lon0), float(lat0))


READER = Reader(
    name="MUSTANG-2 minkasi",
    description="one FITS image in right ascension and declination (CAR) with a header of nothing but coordinates",
    recognises=recognises,
    read=read,
    needs="dz; the frequency; what the offsets are; the parallactic angle",
)
