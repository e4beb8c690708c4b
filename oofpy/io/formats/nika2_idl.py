"""Maps of NIKA2 as its IDL pipeline writes them: brightness, standard deviation and hits, by band."""

from __future__ import annotations

import numpy as np

from oofpy.errors import InputError
from oofpy.flags import Flag
from oofpy.io.formats.image_companions import companion_values, extension_name, named_extension, required_extension
from oofpy.io.formats.image_errors import ImageErrors, image_errors
from oofpy.io.formats.image_headers import header_frequency, header_text, header_wavelength
from oofpy.io.formats.sky_images import ImagePlane, azimuth_offset_notes, image_values, sky_image
from oofpy.io.reader import FileContent, RawFile, Reader
from oofpy.observation import FloatArray

# Arrays 1 and 3 together make the band 1mm; array 2 makes 2mm.
BANDS = ("1mm", "2mm", "1", "2", "3")


def recognises(content: FileContent) -> bool:
    """Whether a file has an extension with the brightness in a band."""
    return bool(_named_bands(content))


def bands_of(content: FileContent) -> tuple[str, ...]:
    """Bands in which a file has data.

    Parameters
    ----------
    content : FileContent
        A file that was recognised.

    Returns
    -------
    tuple of str
        Out of `BANDS`, in the order of the file: those with an observed pixel, and those without hits to tell.
    """
    return tuple(
        band
        for band in _named_bands(content)
        if (hits := named_extension(content, f"Nhits_{band}")) is None
        or np.any(image_values(content, hits, f"Nhits_{band}") > 0)
    )


def read(content: FileContent) -> RawFile:
    """Read the map of a file with data in one band.

    Parameters
    ----------
    content : FileContent
        The file.

    Returns
    -------
    RawFile
        As `read_band`.

    Raises
    ------
    InputError
        If there are data in several bands, which are no foci of one observation; or as `read_band`.
    """
    named = _named_bands(content)
    bands = bands_of(content) if len(named) > 1 else named
    if len(bands) == 1:
        return read_band(content, bands[0])
    if not bands:
        raise InputError(
            f"no pixel was hit in any of the bands {', '.join(named)}",
            file=content.path,
            key="Nhits",
            remedy="check that the file is complete",
        )
    raise InputError(
        f"there are maps in the bands {', '.join(bands)}, and the bands are no foci of one observation",
        file=content.path,
        key="Brightness",
        remedy=f"name the band to fit, for example --part {bands[0]}",
    )


def read_band(content: FileContent, band: str) -> RawFile:
    """Read the map of one band.

    Pixels without hits are unobserved, though their values are finite. The standard errors are those of `Stddev`;
    without it they are 1/sqrt(hits), which is right up to a factor.

    Parameters
    ----------
    content : FileContent
        The file.
    band : str
        One of `BANDS`.

    Returns
    -------
    RawFile
        One map. The format gives neither defocus nor frequency.

    Raises
    ------
    InputError
        If the file has no such band, its hits are missing, or its images do not fit each other.
    """
    names = {kind: f"{kind}_{band}" for kind in ("Brightness", "Stddev", "Nhits")}
    named = _named_bands(content)
    if band not in named:
        raise InputError(
            f"there is no band {band} in the file",
            file=content.path,
            key=names["Brightness"],
            remedy=f"it has {', '.join(named) or 'none'}",
        )
    image = required_extension(content, names["Brightness"], "the map")
    hits_image = required_extension(content, names["Nhits"], "the hits of the map")
    hits = companion_values(content, names["Nhits"], hits_image, image)
    said, flags = _errors(content, names, hits)
    values = image_values(content, image, names["Brightness"])
    origins = tuple(origin for one in said for origin in one.origins)
    plane = ImagePlane(names["Brightness"], values, said[0].error, said[-1].observed, error_origins=origins)
    raw, frame = sky_image(content, image.header, plane)
    primary = content.hdus[0].header
    return RawFile(
        maps=(raw,),
        sources=(content.source,),
        frequency=header_frequency(content, image.header) or header_frequency(content, primary),
        wavelength=header_wavelength(content, image.header) or header_wavelength(content, primary),
        telescope=header_text(primary, "TELESCOP"),
        object_name=header_text(primary, "OBJECT") or header_text(image.header, "OBJECT"),
        date=header_text(primary, "DATE-OBS"),
        flags=(*flags, *azimuth_offset_notes(content, image.header)),
        frame=frame,
    )


def _named_bands(content: FileContent) -> tuple[str, ...]:
    """Bands for which there is an extension with the brightness, in the order of the file."""
    by_name = {f"BRIGHTNESS_{band}".upper(): band for band in BANDS}
    found = (by_name.get(extension_name(hdu).upper()) for hdu in content.hdus)
    return tuple(dict.fromkeys(band for band in found if band is not None))


def _errors(
    content: FileContent, names: dict[str, str], hits: FloatArray
) -> tuple[list[ImageErrors], tuple[Flag, ...]]:
    """What the standard deviation and the hits say, the hits last, and a flag where only these give errors."""
    by_hits = image_errors(content, "hits", names["Nhits"], hits)
    stddev = named_extension(content, names["Stddev"])
    if stddev is not None:
        image = required_extension(content, names["Brightness"], "the map")
        values = companion_values(content, names["Stddev"], stddev, image)
        return [image_errors(content, "error", names["Stddev"], values), by_hits], ()
    message = f"{content.path.name}: {names['Stddev']} is missing; the errors go as 1/sqrt of {names['Nhits']}"
    return [by_hits], (Flag("errors-from-hits", message),)


READER = Reader(
    name="NIKA2 IDL",
    description="FITS images Brightness_, Stddev_ and Nhits_ of one band (1mm, 2mm, 1, 2 or 3) and one focus",
    recognises=recognises,
    read=read,
    needs="dz; the frequency; what the offsets are; the parallactic angle, if in RA and Dec",
    read_part=read_band,
    parts=f"bands: {', '.join(BANDS)}",
)
