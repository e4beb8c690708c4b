"""Beam maps of SCUBA-2 as Starlink's `ndf2fits` writes them.

The data array is the primary image, usually with an axis of frequency of length 1; the variance and the quality are
image extensions named VARIANCE and QUALITY, or end in these after the path of their NDF; what lies under MORE are
extensions of the NDF (exposure times and the like). Sources: the documents SUN/55 on `ndf2fits` and SUN/258 on SMURF.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from oofpy.flags import Flag
from oofpy.io.formats.image_headers import header_elevation, header_number, header_text
from oofpy.io.formats.sky_images import image_values, is_image, is_sky_header
from oofpy.io.formats.wcs_images import Extension, Role, image_extensions, read_images
from oofpy.io.reader import FileContent, GivenNumber, RawFile, Reader

# The two bands, as FILTER names them: the wavelength in micrometres.
_BANDS_M = {"450": 450e-6, "850": 850e-6}
_COMPONENTS: dict[str, Role] = {"DATA": "signal", "VARIANCE": "variance", "QUALITY": "quality"}


def recognises(content: FileContent) -> bool:
    """Whether a file is a map of the sky made by SCUBA-2."""
    if not content.hdus:
        return False
    instrument = (header_text(content.hdus[0].header, "INSTRUME") or "").upper().replace("-", "").replace(" ", "")
    return instrument == "SCUBA2" and any(is_image(hdu) and is_sky_header(hdu.header) for hdu in content.hdus)


def read(content: FileContent) -> RawFile:
    """Read a map of SCUBA-2.

    Parameters
    ----------
    content : FileContent
        The file.

    Returns
    -------
    RawFile
        The data array as a map; its errors are the root of the variance. Pixels of a quality other than 0 are
        unobserved: where `makemap` used a mask, they lie outside it, and the sky there was held at zero while the
        map was made, which suppresses the outer beam. The wavelength is WAVELEN [m], or else that of the axis of
        frequency, or that of the band in FILTER; the elevation is the mean of ELSTART and ELEND. The defocus is not in
        the header.

    Raises
    ------
    InputError
        If there is no usable image, or the variance or quality differs from it in shape.
    """
    extensions = [_as_component(one) for one in image_extensions(content)]
    header = content.hdus[0].header
    raw, wavelength_flags = _wavelength(content, header, read_images(content, extensions))
    elevation_rad, elevation_flags = header_elevation(content, header, "ELSTART", "ELEND")
    return replace(
        raw,
        elevation_rad=elevation_rad,
        flags=(*raw.flags, *wavelength_flags, *elevation_flags, *_masked(content, extensions)),
    )


def _as_component(extension: Extension) -> Extension:
    """Tell what an image is by its component or the end of its path; what is under MORE is no part of the map."""
    path = extension.label.upper().split(".")
    component = (header_text(extension.hdu.header, "HDUCLAS2") or path[-1]).upper()
    if "MORE" in path or extension.role == "other":
        return replace(extension, role="other")
    if component in _COMPONENTS:
        return replace(extension, role=_COMPONENTS[component], stem="")
    return replace(extension, role="signal", stem="") if extension.index == 0 else extension


def _wavelength(content: FileContent, header: Any, raw: RawFile) -> tuple[RawFile, tuple[Flag, ...]]:
    """Settle what gives the wavelength: WAVELEN, the axis of the image, FILTER, in this order."""
    given = header_number(content, header, "WAVELEN", "m")
    if given is not None:
        return replace(raw, frequency=None, wavelength=given), ()
    band = str(header.get("FILTER", "")).strip()
    if raw.frequency is not None or raw.wavelength is not None or band not in _BANDS_M:
        return raw, ()
    message = f"{content.path.name}: the wavelength is taken from FILTER = {band}, in micrometres"
    flag = Flag("wavelength-of-band", message)
    return replace(raw, wavelength=GivenNumber(content.path, "FILTER", _BANDS_M[band], "m")), (flag,)


def _masked(content: FileContent, extensions: Sequence[Extension]) -> list[Flag]:
    flags = []
    for one in extensions:
        if one.role == "quality":
            values = image_values(content, one.hdu, one.label)
            masked = int(np.count_nonzero(values))
            if masked:
                message = (
                    f"{content.path.name}: {masked} of {values.size} pixels have a quality other than 0 (bad, or "
                    "outside a mask of makemap) and are left out; convert with comp=DV to keep them"
                )
                flags.append(Flag("quality-masked", message))
    return flags


READER = Reader(
    name="SCUBA-2 FITS",
    description="maps of SCUBA-2 at the JCMT as ndf2fits writes them, with extensions VARIANCE and QUALITY",
    recognises=recognises,
    read=read,
    needs="dz; what the offsets are; the parallactic angle, if in RA and Dec",
)
