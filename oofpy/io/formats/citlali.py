"""Maps of TolTEC as citlali writes them: one FITS file an array and a focus."""

from __future__ import annotations

from typing import Any

from oofpy.io.formats.image_companions import companion_values, extension_name, named_extension, required_extension
from oofpy.io.formats.image_errors import ImageErrors, image_errors
from oofpy.io.formats.image_headers import header_elevation, header_frequency, header_number, header_text
from oofpy.io.formats.sky_images import ImagePlane, image_values, sky_image
from oofpy.io.reader import FileContent, GivenNumber, RawFile, Reader
from oofpy.observation import BoolArray

SIGNAL, WEIGHT, COVERAGE = "signal_I", "weight_I", "coverage_bool_I"
_MICRON_M = 1e-6


def recognises(content: FileContent) -> bool:
    """Whether a file names citlali as its pipeline, or has the images of signal and weight as citlali calls them."""
    if not content.hdus:
        return False
    names = {extension_name(hdu).upper() for hdu in content.hdus}
    by_name = {SIGNAL.upper(), WEIGHT.upper()} <= names
    return by_name or (header_text(content.hdus[0].header, "PIPELINE") or "").upper() == "CITLALI"


def read(content: FileContent) -> RawFile:
    """Read the map of a citlali file.

    The image is `signal_I`; its standard errors are 1/sqrt(weight). Pixels without weight, or where
    `coverage_bool_I` is 0, are unobserved. A file whose weights are all zero, as simulations write it, gives none.
    The axes are offsets in azimuth (times the cosine of the elevation) and elevation, or right ascension and
    declination.

    Parameters
    ----------
    content : FileContent
        The file.

    Returns
    -------
    RawFile
        One map. Its position is OOF_M2Z, the requested position of the subreflector: absolute, so that the defocus is
        the difference to the map in focus. The wavelength is OOF_W; without it, the frequency is that of the
        frequency axis.

    Raises
    ------
    InputError
        If `signal_I` or `weight_I` is missing, they are on different pixels, or the coordinates cannot be used.
    """
    primary = content.hdus[0].header
    signal = required_extension(content, SIGNAL, "the map")
    weight = companion_values(content, WEIGHT, required_extension(content, WEIGHT, "the weights of the map"), signal)
    said = image_errors(content, "weight", WEIGHT, weight)
    plane = ImagePlane(
        SIGNAL,
        image_values(content, signal, SIGNAL),
        said.error,
        _observed(content, signal, said),
        position=_subreflector_position(content),
        error_origins=said.origins,
    )
    raw, frame = sky_image(content, _coordinates(primary, signal.header), plane)
    wavelength = header_number(content, primary, "OOF_W", "m")
    elevation_rad, elevation_flags = header_elevation(content, primary, "MEAN_EL")
    return RawFile(
        maps=(raw,),
        sources=(content.source,),
        frequency=None if wavelength else header_frequency(content, signal.header),
        wavelength=wavelength,
        telescope=header_text(primary, "TELESCOP"),
        object_name=header_text(primary, "SOURCE", "OBJECT"),
        date=header_text(primary, "DATEOBS0", "DATE-OBS"),
        elevation_rad=elevation_rad,
        flags=(*said.flags, *elevation_flags),
        frame=frame,
    )


def _observed(content: FileContent, signal: Any, said: ImageErrors) -> BoolArray:
    """Where the map is observed by its weights and its coverage; simulations write zero into both."""
    extension = named_extension(content, COVERAGE)
    if extension is None:
        return said.observed
    covered = companion_values(content, COVERAGE, extension, signal) > 0
    if said.error is None and not covered.any():
        return said.observed
    return said.observed & covered


def _coordinates(primary: Any, header: Any) -> Any:
    """Header of the image with the reference frame, which citlali has in the primary header only."""
    merged = header.copy()
    frame = header_text(primary, "RADESYS")
    if frame is not None and header_text(header, "RADESYS") is None:
        merged["RADESYS"] = frame
    return merged


def _subreflector_position(content: FileContent) -> GivenNumber | None:
    """OOF_M2Z, in microns in the file, as metres; what is no number stays as it is, to be named when it is needed."""
    key, primary = "OOF_M2Z", content.hdus[0].header
    if key not in primary:
        return None
    value = primary[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return GivenNumber(content.path, key, value, "um")
    return GivenNumber(content.path, key, value * _MICRON_M, "m")


READER = Reader(
    name="TolTEC citlali",
    description="FITS images signal_I and weight_I of one array and one focus, with header keys OOF_M2Z and OOF_W",
    recognises=recognises,
    read=read,
    needs="which map is in focus; what the offsets are; the parallactic angle, if in RA and Dec",
)
