"""Maps of NIKA2 as PIIC writes them: an image of the map, and one of its weights in a file beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from oofpy.errors import InputError
from oofpy.flags import Flag
from oofpy.io.formats.image_companions import refuse_other_pixels
from oofpy.io.formats.image_errors import ImageErrors, image_errors
from oofpy.io.formats.image_headers import header_frequency, header_text, header_wavelength
from oofpy.io.formats.sky_images import (
    ImagePlane,
    azimuth_offset_notes,
    image_values,
    is_image,
    is_sky_header,
    sky_image,
)
from oofpy.io.parsing import parsing
from oofpy.io.reader import ErrorOrigin, FileContent, RawFile, Reader
from oofpy.observation import SourceFile

# The weights of `map.fits` are in `maprgw.fits`.
WEIGHTS = "rgw"
_MARKED = ("ORIGIN", "CREATOR", "PROGRAM", "PIPELINE", "SOFTWARE", "HISTORY", "COMMENT")


def recognises(content: FileContent) -> bool:
    """Whether a file is one image of the sky that NIKA2 or PIIC made.

    The header says so, or there are weights beside the file as PIIC leaves them: PIIC is not known to sign its
    headers always, and without its weights a map would be fitted wrongly.
    """
    if len(content.hdus) != 1 or not is_image(content.hdus[0]) or not is_sky_header(content.hdus[0].header):
        return False
    header = content.hdus[0].header
    if re.match(r"NIKA", header_text(header, "INSTRUME") or "", re.IGNORECASE):
        return True
    texts = (str(header[key]) for key in _MARKED if key in header)
    return any("PIIC" in text.upper() for text in texts) or _has_partner(content.path)


def read(content: FileContent) -> RawFile:
    """Read a map, and its weights from the file beside it.

    The standard errors are 1/sqrt(weight). Pixels that are NaN or have no weight are unobserved. The unit is not in
    the header, and is not needed.

    Parameters
    ----------
    content : FileContent
        The file with the map.

    Returns
    -------
    RawFile
        One map; the file with the weights is the second of its sources. The format gives no defocus.

    Raises
    ------
    InputError
        If the file holds weights itself, holds several planes, or its weights are not on the same pixels.
    """
    _refuse_weights(content.path)
    hdu = content.hdus[0]
    values = image_values(content, hdu, content.path.stem)
    said, sources = _weights(content, hdu, values.shape)
    plane = ImagePlane(content.path.stem, values, said.error, said.observed, error_origins=said.origins)
    raw, frame = sky_image(content, hdu.header, plane)
    return RawFile(
        maps=(raw,),
        sources=(content.source, *sources),
        frequency=header_frequency(content, hdu.header),
        wavelength=header_wavelength(content, hdu.header),
        telescope=header_text(hdu.header, "TELESCOP"),
        object_name=header_text(hdu.header, "OBJECT"),
        date=header_text(hdu.header, "DATE-OBS"),
        flags=(*said.flags, *azimuth_offset_notes(content, hdu.header)),
        frame=frame,
    )


def _weights_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}{WEIGHTS}.fits")


def _map_path(path: Path) -> Path | None:
    """Where the map of a file of weights would be; None for a file that is not named as one."""
    return path.with_name(f"{path.stem.removesuffix(WEIGHTS)}.fits") if _named_as_weights(path) else None


def _named_as_weights(path: Path) -> bool:
    return path.stem.endswith(WEIGHTS) and path.stem != WEIGHTS


def _has_partner(path: Path) -> bool:
    """Whether the weights of this map, or the map of these weights, are beside it in a FITS file."""
    partner = _map_path(path) or _weights_path(path)
    try:
        with partner.open("rb") as file:
            return file.read(9) == b"SIMPLE  ="
    except OSError:
        return False


def _refuse_weights(path: Path) -> None:
    map_path = _map_path(path)
    if map_path is not None:
        raise InputError(
            "by its name, this file holds the weights of a map",
            file=path,
            remedy=f"give {map_path.name}, and the weights are found beside it; if it is a map, rename it",
        )


def _weights(content: FileContent, image: Any, shape: tuple[int, ...]) -> tuple[ImageErrors, tuple[SourceFile, ...]]:
    """What the weights of the map say, and their file; a flag where there is none."""
    path = _weights_path(content.path)
    if not path.exists():
        message = f"{content.path.name}: there are no weights beside it ({path.name}), so all errors count as equal"
        origins = (ErrorOrigin(path.name, "weight"),)
        return ImageErrors(None, np.ones(shape, bool), origins, (Flag("weights-missing", message),)), ()
    companion = FileContent.load(path)
    with parsing(path):
        if not companion.hdus or not is_image(companion.hdus[0]):
            raise InputError(
                f"these should be the weights of {content.path.name}, but it is no FITS image",
                file=path,
                remedy="copy it again, or move it away to fit without weights",
            )
        weight = image_values(companion, companion.hdus[0], path.stem)
        refuse_other_pixels(companion, companion.hdus[0], image, where=content.path.name)
    return image_errors(content, "weight", path.name, weight), (companion.source,)


READER = Reader(
    name="NIKA2 PIIC",
    description="one FITS image of one focus, map.fits, with its weights beside it in maprgw.fits",
    recognises=recognises,
    read=read,
    needs="dz; the frequency, if not in the header; what the offsets are; the parallactic angle, if in RA and Dec",
)
