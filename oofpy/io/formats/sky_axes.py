"""Which axes of a FITS image are directions on the sky, and what they say."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from oofpy.errors import InputError
from oofpy.io.formats.image_headers import MOST_AXES, header_text

RADIANS_PER_UNIT = {
    "rad": 1.0,
    "deg": math.pi / 180,
    "arcmin": math.pi / 10800,
    "arcsec": math.pi / 648000,
    "mas": math.pi / 648e6,
}
_OTHER_SPELLINGS = {
    "radian": "rad",
    "radians": "rad",
    "degree": "deg",
    "degrees": "deg",
    "arcminute": "arcmin",
    "arcminutes": "arcmin",
    "arcsecond": "arcsec",
    "arcseconds": "arcsec",
    "asec": "arcsec",
}
# The projections of the FITS standard without distortion; GLS and NCP are older names of SFL and a SIN.
PROJECTIONS = re.compile(
    "AZP|SZP|TAN|STG|SIN|ARC|ZPN|ZEA|AIR|CYP|CEA|CAR|MER|COP|COE|COD|COO|SFL|PAR|MOL|AIT|BON|PCO|TSC|CSC|QSC|HPX|XPH|"
    "GLS|NCP"
)
# Names that have become known for horizontal coordinates in RADESYS, which the standard does not define there.
_HORIZONTAL = ("ALTAZ", "AZALT", "AZEL", "HORIZON", "HORIZONTAL")
_NAMES = {
    "AZ": ("azel", "lon"),
    "EL": ("azel", "lat"),
    "ALT": ("azel", "lat"),
    "RA": ("radec", "lon"),
    "DEC": ("radec", "lat"),
    # Offsets as Starlink's AST writes them for moving sources; of which system they are the header does not say.
    "OFLN": ("offset", "lon"),
    "OFLT": ("offset", "lat"),
}
_OFFSET = r"(?P<before>D|DELTA|OFF|OFFSET|REL)?(?P<name>{names})(?P<after>OFF|OFFS|OFFSET|OFFSETS|REL)?"
_OFFSET_NAMES = (
    (re.compile(_OFFSET.format(names="AZ|AZIM|AZIMUTH")), ("azel", "lon")),
    (re.compile(_OFFSET.format(names="EL|ELEV|ELEVATION|ALT|ALTITUDE")), ("azel", "lat")),
    (re.compile(_OFFSET.format(names="RA")), ("radec", "lon")),
    (re.compile(_OFFSET.format(names="DEC")), ("radec", "lat")),
)
_CROSS_ELEVATION = re.compile(r"(X|CROSS)(EL|ELEV|ELEVATION)(OFF|OFFS|OFFSET|OFFSETS)?")

System = Literal["azel", "radec", "offset", "other"]


@dataclass(frozen=True, slots=True)
class SkyAxes:
    """The two axes of an image that are directions on the sky.

    Parameters
    ----------
    longitude, latitude : int
        Their numbers in the header, from 1.
    system : {"azel", "radec", "offset", "other"}
        Azimuth and elevation, right ascension and declination, offsets along one of these pairs, or coordinates that
        are known but not read.
    projection : str, optional
        Three letters of the projection; None for linear axes.
    named_offsets : bool
        Linear axes only: their names say that they are offsets.
    azimuth : bool
        Linear axes only: by their names, the longitude is an azimuth and not a cross-elevation.
    """

    longitude: int
    latitude: int
    system: System
    projection: str | None
    named_offsets: bool = False
    azimuth: bool = False

    @property
    def sorted(self) -> tuple[int, int]:
        """Numbers of the axes along x and along y of the image."""
        return min(self.longitude, self.latitude), max(self.longitude, self.latitude)


@dataclass(frozen=True, slots=True)
class _Axis:
    system: str
    role: str
    projection: str | None
    named_offset: bool
    cross_elevation: bool = False


def find_sky_axes(header: Any) -> SkyAxes | None:
    """Find the axes of an image that are directions on the sky.

    Known are RA and DEC, AZ and EL or ALT, with a projection (`RA---TAN`) or linear (`AZOFF`, `DAZ`, `XEL`), and, to
    be refused, other celestial systems. Where RADESYS says that RA and DEC are horizontal coordinates ("altaz"),
    they are azimuth and elevation.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Header of an image.

    Returns
    -------
    SkyAxes or None
        None where no two axes belong together.
    """
    axes: dict[str, tuple[int, _Axis]] = {}
    for number in range(1, MOST_AXES + 1):
        axis = _axis(header_text(header, f"CTYPE{number}") or "")
        if axis is not None and axis.role not in axes:
            axes[axis.role] = (number, axis)
    if len(axes) < 2:
        return None
    (longitude, lon), (latitude, lat) = axes["lon"], axes["lat"]
    if lon.system != lat.system or (lon.projection is None) != (lat.projection is None):
        return None
    system: Any = lon.system
    if system == "radec" and (header_text(header, "RADESYS", "RADECSYS") or "").upper() in _HORIZONTAL:
        system = "azel"
    projection = lon.projection if lon.projection == lat.projection else f"{lon.projection} and {lat.projection}"
    azimuth = lon.system == "azel" and projection is None and not lon.cross_elevation
    return SkyAxes(longitude, latitude, system, projection, lon.named_offset and lat.named_offset, azimuth)


def _axis(ctype: str) -> _Axis | None:
    """What one CTYPE says; None where it is no direction on the sky."""
    text = ctype.upper()
    # Four letters filled up with hyphens, a hyphen, three letters of the projection.
    projected = re.fullmatch(r"(?=.{4}-)([A-Z]{1,4})-+(?<=^.{5})([A-Z0-9]{3})(-[A-Z0-9]+)?", text)
    if projected:
        projection = projected[2] + (projected[3] or "")
        if projected[1] in _NAMES:
            return _Axis(*_NAMES[projected[1]], projection, False)
        if re.fullmatch(r".?LON|..LN|.?LAT|..LT", projected[1]):
            return _Axis("other", "lon" if projected[1].endswith("N") else "lat", projection, False)
        return None
    plain = re.sub(r"[^A-Z]", "", text)
    if _CROSS_ELEVATION.fullmatch(plain):
        return _Axis("azel", "lon", None, True, cross_elevation=True)
    for pattern, (system, role) in _OFFSET_NAMES:
        match = pattern.fullmatch(plain)
        if match:
            return _Axis(system, role, None, bool(match["before"] or match["after"]))
    return None


def angle_unit(file: Path, header: Any, axis: int, *, required: bool) -> str:
    """Give the unit of a direction axis as the standard spells it.

    Parameters
    ----------
    file : Path
        For messages.
    header : astropy.io.fits.Header
        Header of the image.
    axis : int
        Number of the axis, from 1.
    required : bool
        Whether the unit must be there; without one, celestial axes are in degrees by the standard.

    Returns
    -------
    str
        A key of `RADIANS_PER_UNIT`.

    Raises
    ------
    InputError
        If the unit is missing though required, or is no angle.
    """
    key = f"CUNIT{axis}"
    text = header_text(header, key)
    if text is None:
        if not required:
            return "deg"
        raise InputError(
            f"the unit of the linear axis {header.get(f'CTYPE{axis}')} is missing",
            file=file,
            key=key,
            remedy=f"add {key}, for example 'arcsec'",
        )
    unit = _OTHER_SPELLINGS.get(text.lower(), text.lower())
    if unit not in RADIANS_PER_UNIT:
        raise InputError(
            "this is no unit of angle for an axis of the sky",
            file=file,
            key=key,
            value=text,
            remedy=f"known are {', '.join(RADIANS_PER_UNIT)}",
        )
    return unit
