"""Images of the sky with a FITS world coordinate system: what all readers of images have in common.

A reader of an image format takes the pixels out of an HDU with `image_values`, its companions (noise, hits) too, and
hands them to `sky_image` with the header that holds the coordinates. What else a header says is found by
`oofpy.io.formats.image_headers`.
"""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import InputError
from oofpy.flags import Flag
from oofpy.io.formats.image_headers import MOST_AXES, header_text, required_number
from oofpy.io.formats.sky_axes import PROJECTIONS, RADIANS_PER_UNIT, SkyAxes, angle_unit, find_sky_axes
from oofpy.io.reader import ErrorOrigin, FileContent, GivenNumber, RawMap
from oofpy.observation import BoolArray, FileFrame, FloatArray

# Beyond this the arrays of a few maps would not fit into a gigabyte; beam maps have some hundred pixels a side.
MOST_PIXELS = 2048**2
_PIXELS_AT_ONCE = 2**17
_CUT_OUT = "cut out the part around the source"


@dataclass(frozen=True, slots=True, eq=False)
class ImagePlane:
    """The pixels of one map and what belongs to them.

    Parameters
    ----------
    label : str
        What the file calls the map.
    values : array, shape (y, x)
        Beam power; the second index runs along the first axis of the two of the sky in the header.
    error : array, shape (y, x), optional
        Standard errors.
    observed : array of bool, shape (y, x), optional
        False where a pixel was not observed.
    defocus, position : GivenNumber, optional
        Defocus, or absolute position of the subreflector, in metres, as the file gives it.
    error_origins : tuple of ErrorOrigin
        What says the errors and where there is an observation, first what gives the errors.
    """

    label: str
    values: FloatArray
    error: FloatArray | None = None
    observed: BoolArray | None = None
    defocus: GivenNumber | None = None
    position: GivenNumber | None = None
    error_origins: tuple[ErrorOrigin, ...] = ()


def is_image(hdu: Any) -> bool:
    """Whether an HDU is an image of two or more axes."""
    from astropy.io import fits

    axes = hdu.header.get("NAXIS")
    return isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU) and isinstance(axes, int) and axes >= 2


def is_sky_header(header: Any) -> bool:
    """Whether two axes of a header are directions on the sky, in whatever system."""
    return find_sky_axes(header) is not None


def sky_image(content: FileContent, header: Any, plane: ImagePlane) -> tuple[RawMap, FileFrame]:
    """Make a map of an image of the sky.

    Directions are direction cosines of each pixel relative to the reference point (CRVAL), whatever the projection:
    `east = cos(lat) sin(lon - lon0)` and `north = sin(lat) cos(lat0) - cos(lat) sin(lat0) cos(lon - lon0)`. To the
    right is west for right ascension and increasing azimuth for azimuth. Linear axes must be named as offsets, or
    have CRVAL 0 on both, and are taken as true angles on the sky: a difference of azimuth that was not multiplied by
    the cosine of the elevation does not belong there. The directions of right ascension and declination are those at
    the equinox of the header.

    Parameters
    ----------
    content : FileContent
        The file.
    header : astropy.io.fits.Header
        Header with the coordinates; NAXIS is not looked at.
    plane : ImagePlane
        The pixels.

    Returns
    -------
    raw : RawMap
        One sample a pixel, x fastest; u_rad to the right, v_rad up. Unobserved pixels have NaN as their power: those
        that are not finite, not in `plane.observed`, outside the projection, or on the far side of the sky.
    frame : {"sky-azel", "sky-radec", "sky-offset"}
        What u_rad and v_rad are.

    Raises
    ------
    InputError
        If the header has no usable celestial coordinates, the unit is dB, or the arrays do not fit each other.
    """
    _refuse_decibel(content, header)
    for name in ("values", "error", "observed"):
        array = getattr(plane, name)
        if array is not None and (array.ndim != 2 or array.shape != plane.values.shape):
            raise InputError(
                f"the image of the map {plane.label} and its companion differ in shape, or are no images",
                file=content.path,
                key=name,
                value=f"{array.shape} beside {plane.values.shape}",
            )
    u_rad, v_rad, frame = image_directions(content, header, plane.values.shape)
    observed = np.isfinite(plane.values) & np.isfinite(u_rad) & np.isfinite(v_rad)
    if plane.observed is not None:
        observed &= plane.observed
    raw = RawMap(
        file=content.path,
        label=plane.label,
        u_rad=u_rad.ravel(),
        v_rad=v_rad.ravel(),
        power=np.where(observed, plane.values, np.nan).ravel(),
        error=None if plane.error is None else np.where(observed, plane.error, np.nan).ravel(),
        defocus=plane.defocus,
        position=plane.position,
        error_origins=plane.error_origins,
    )
    return raw, frame


def azimuth_offset_notes(content: FileContent, header: Any) -> tuple[Flag, ...]:
    """Say that offsets along an axis of azimuth are taken as true angles, as `sky_image` does.

    Parameters
    ----------
    content : FileContent
        The file, for messages.
    header : astropy.io.fits.Header
        Header with the coordinates.

    Returns
    -------
    tuple of Flag
        None for cross-elevation, for a projection and for other systems.
    """
    axes = find_sky_axes(header)
    if axes is None or not axes.azimuth:
        return ()
    name = header_text(header, f"CTYPE{axes.longitude}")
    message = (
        f"{content.path.name}: offsets along {name} are taken as true angles on the sky; if they are differences of "
        "azimuth, multiply them by cos(elevation), or write a projection such as AZ---TAN"
    )
    return (Flag("azimuth-offsets-true", message),)


def _refuse_decibel(content: FileContent, header: Any) -> None:
    for key in ("BUNIT", "UNIT"):
        unit = header_text(header, key) or ""
        if re.match(r"d(eci)?b", unit, re.IGNORECASE):
            raise InputError(
                "the map is in decibels, and power must be linear",
                file=content.path,
                key=key,
                value=unit,
                remedy="write the map as linear power",
            )


def image_values(content: FileContent, hdu: Any, label: str) -> FloatArray:
    """Take the pixels of an image out of its HDU.

    Parameters
    ----------
    content : FileContent
        The file, for messages.
    hdu : PrimaryHDU or ImageHDU
        The image; axes of length 1 are left out. BSCALE, BZERO and BLANK are heeded.
    label : str
        What the map is called, for messages.

    Returns
    -------
    array, shape (y, x)
        In native double precision; what is not finite is NaN.

    Raises
    ------
    InputError
        If it is not an image of two axes longer than 1, the two are not those of the sky, or it is too large.
    """
    header = hdu.header
    lengths = {number: header.get(f"NAXIS{number}") for number in range(1, int(header.get("NAXIS", 0)) + 1)}
    long = [number for number, length in lengths.items() if length != 1]
    pixels = math.prod(int(lengths[number]) for number in long)
    axes = find_sky_axes(header)
    problem = None
    if not is_image(hdu) or len(long) != 2 or pixels == 0:
        problem = f"the image {label} must have two axes longer than 1"
    elif axes is not None and tuple(long) != axes.sorted:
        problem = f"the axes of the image {label} that are longer than 1 are not those of the sky"
    elif pixels > MOST_PIXELS:
        problem = f"the image {label} has more than {MOST_PIXELS} pixels"
    if problem:
        raise InputError(
            problem,
            file=content.path,
            key="NAXIS",
            value=" x ".join(str(length) for length in lengths.values()) or "none",
            remedy=_CUT_OUT if pixels > MOST_PIXELS else "give one plane a map",
        )
    data = np.asarray(hdu.data)
    if data.dtype.kind not in "iuf":
        raise InputError(f"the image {label} is not made of numbers", file=content.path, key="BITPIX")
    values = data.reshape(lengths[long[1]], lengths[long[0]]).astype(np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def image_directions(
    content: FileContent, header: Any, shape: tuple[int, ...]
) -> tuple[FloatArray, FloatArray, FileFrame]:
    """Directions of all pixels of an image; see `sky_image`.

    Parameters
    ----------
    content : FileContent
        The file, for messages.
    header : astropy.io.fits.Header
        Header with the coordinates.
    shape : tuple of int
        Number of pixels along y and x.

    Returns
    -------
    u_rad, v_rad : array, shape (y, x), radians
        Direction cosines to the right and up; NaN outside the projection.
    frame : {"sky-azel", "sky-radec", "sky-offset"}
        What they are.

    Raises
    ------
    InputError
        If the header has no usable celestial coordinates.
    """
    axes = _readable_axes(content, header)
    linear = axes.projection is None
    units = {axis: angle_unit(content.path, header, axis, required=linear) for axis in axes.sorted}
    wcs = _wcs(content, header, axes, units)
    u_rad, v_rad = np.empty(shape), np.empty(shape)
    lon0, lat0 = (header[f"CRVAL{axis}"] * RADIANS_PER_UNIT[units[axis]] for axis in (axes.longitude, axes.latitude))
    rows = max(1, _PIXELS_AT_ONCE // shape[1])
    for start in range(0, shape[0], rows):
        part = slice(start, start + rows)
        world = _world(wcs, axes, np.arange(start, min(start + rows, shape[0])), shape[1])
        if linear:
            u_rad[part], v_rad[part] = (
                world[axis - 1] * RADIANS_PER_UNIT[units[axis]] for axis in (axes.longitude, axes.latitude)
            )
        else:
            lon, lat = np.deg2rad(world[axes.longitude - 1]), np.deg2rad(world[axes.latitude - 1])
            u_rad[part], v_rad[part] = direction_cosines(lon, lat, lon0, lat0)
    if axes.system == "radec":
        return 0.0 - u_rad, v_rad, "sky-radec"
    return u_rad, v_rad, "sky-azel" if axes.system == "azel" else "sky-offset"


def direction_cosines(lon: FloatArray, lat: FloatArray, lon0: float, lat0: float) -> tuple[FloatArray, FloatArray]:
    """Direction cosines towards increasing longitude and latitude, relative to a reference point; all in radians.

    On the far side of the sky they are NaN, since two directions there would have those of one here.
    """
    east = np.cos(lat) * np.sin(lon - lon0)
    north = np.sin(lat) * math.cos(lat0) - np.cos(lat) * math.sin(lat0) * np.cos(lon - lon0)
    ahead = np.sin(lat) * math.sin(lat0) + np.cos(lat) * math.cos(lat0) * np.cos(lon - lon0)
    there = ahead > 0
    return np.where(there, east, np.nan), np.where(there, north, np.nan)


def _readable_axes(content: FileContent, header: Any) -> SkyAxes:
    axes = find_sky_axes(header)
    if axes is None:
        found = [text for number in range(1, MOST_AXES + 1) if (text := header_text(header, f"CTYPE{number}"))]
        raise InputError(
            "the image has no axes of the sky",
            file=content.path,
            key="CTYPE",
            value=", ".join(found) or "none",
            remedy="known are RA and DEC, AZ and EL or ALT, with a projection such as RA---TAN, and linear offsets "
            "such as AZOFF and ELOFF",
        )
    problem = remedy = ""
    if axes.system == "other":
        problem, remedy = "images in these coordinates are not read", "write it in RA and DEC, or in AZ and EL"
    elif axes.projection is not None and not PROJECTIONS.fullmatch(axes.projection):
        problem = f"the projection {axes.projection} is not known, is different on the two axes, or has a distortion"
        remedy = "write the image in the projection TAN"
    elif axes.projection is None and not axes.named_offsets and _reference(content, header, axes) != (0.0, 0.0):
        problem = "linear axes that are no offsets do not say where the pixels are on the sky"
        remedy = "write a projection such as RA---TAN, or offsets that are true angles, named such as AZOFF and ELOFF"
    if problem:
        key = f"CTYPE{axes.longitude}"
        raise InputError(problem, file=content.path, key=key, value=header.get(key), remedy=remedy)
    return axes


def _reference(content: FileContent, header: Any, axes: SkyAxes) -> tuple[float, float]:
    """Give CRVAL of the longitude and the latitude."""
    lon, lat = (required_number(content, header, f"CRVAL{axis}") for axis in (axes.longitude, axes.latitude))
    return lon, lat


def _wcs(content: FileContent, header: Any, axes: SkyAxes, units: dict[int, str]) -> Any:
    """Make a coordinate system of the cards of the two axes alone, so that no other card can disturb it."""
    from astropy.io import fits
    from astropy.wcs import WCS, FITSFixedWarning

    cards = fits.Header()
    for key in _coordinate_keys(content, header, axes):
        cards[key] = required_number(content, header, key)
    # In the matrix of the old form, rows that are not there are zero.
    highest = max(int(key[-1]) for key in cards if re.match(r"CRPIX|CD\d|PC\d", key))
    if any(re.match(r"CD\d", key) for key in cards):
        cards.update({f"CD{axis}_{axis}": 1.0 for axis in range(1, highest + 1) if axis not in axes.sorted})
    if axes.projection is not None:
        for axis, name in ((axes.longitude, "RA-"), (axes.latitude, "DEC")):
            cards[f"CTYPE{axis}"] = f"{name}--{axes.projection}"
            cards[f"CUNIT{axis}"] = units[axis]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FITSFixedWarning)
            wcs = WCS(cards)
            wcs.wcs.set()
    except (ValueError, TypeError, MemoryError) as error:
        key = f"CTYPE{axes.longitude}"
        # The library names the places in its own source as well.
        reason = re.sub(r"ERROR \d+ in \w+\(\) at line \d+ of file \S+", "", str(error)).strip(" .:\n")
        raise InputError(
            f"the coordinates in the header cannot be used: {reason}",
            file=content.path,
            key=key,
            value=header.get(key),
            remedy="check CTYPE, CRVAL, CDELT, CD or PC, PV and LONPOLE",
        ) from error
    return wcs


def _coordinate_keys(content: FileContent, header: Any, axes: SkyAxes) -> list[str]:
    """Give the keys of the header that say where the pixels are; the required ones among them are there."""
    pair = f"[{axes.longitude}{axes.latitude}]"
    wanted = rf"CRPIX[1-9]|(CRVAL|CDELT|CROTA){pair}|(PC|CD){pair}_[1-9]"
    if axes.projection is not None:
        wanted += rf"|PV{pair}_\d\d?|LONPOLE|LATPOLE"
    keys = [key for key in dict.fromkeys(header) if re.fullmatch(wanted, key)]
    matrices = {key[:2] for key in keys if re.match(r"(PC|CD)\d", key)}
    if len(matrices) > 1:
        raise InputError(
            "the header has both a PC and a CD matrix, which exclude each other",
            file=content.path,
            key=next(key for key in keys if re.match(r"CD\d", key)),
            remedy="keep the one that holds",
        )
    for axis in axes.sorted:
        missing = [f"{name}{axis}" for name in ("CRPIX", "CRVAL") if f"{name}{axis}" not in keys]
        if not any(re.match(rf"CDELT{axis}|(CD|PC){axis}_", key) for key in keys):
            missing.append(f"CDELT{axis}")
        if missing:
            required_number(content, header, missing[0])
    return keys


def _world(wcs: Any, axes: SkyAxes, rows: NDArray[np.int_], columns: int) -> FloatArray:
    """World coordinates of some rows of pixels, shape (axes, rows, columns); NaN outside the projection."""
    x_axis, y_axis = axes.sorted
    pixels = np.ones((rows.size, columns, wcs.naxis))
    pixels[..., x_axis - 1] = np.arange(columns) + 1.0
    pixels[..., y_axis - 1] = rows[:, None] + 1.0
    world = wcs.wcs_pix2world(pixels.reshape(-1, wcs.naxis), 1)
    found: FloatArray = np.moveaxis(world.reshape(pixels.shape), -1, 0)
    return found
