"""FITS files with a path over the dish, measured or computed."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.errors import ConfigurationError
from oofpy.quantities import parse_quantity
from oofpy.telescope.entries import FaultyEntryError
from oofpy.telescope.path_tables import MOST_POWERS, PathMap

if TYPE_CHECKING:
    from oofpy.telescope.path_tables import FloatArray

_MOST_PIXELS = 16_000_000
_LARGEST_FILE = 8 * _MOST_PIXELS + 1_000_000  # bytes
_FEWEST_KNOWN = 0.5  # part of the pixels on the dish that must hold a number
_LINEAR = ("CRPIX", "CDELT", "CRVAL", "CUNIT")
_TURNED = ("CROTA2", "PC1_2", "PC2_1", "CD1_1", "CD1_2", "CD2_1", "CD2_2")


def read_path_map(path: Path, dish_radius_m: float, *, key: str, per_move: bool) -> PathMap:
    """Read the first image of a FITS file as a path over the dish.

    The first axis is x, to the right, the second y, up, seen from behind the dish. `CRPIX`, `CDELT`, `CRVAL` and
    `CUNIT` place the pixels, and `BUNIT` says what they hold; none of them is guessed.

    Parameters
    ----------
    path : Path
        The file.
    dish_radius_m : float, metres
        Radius R that the map must cover.
    key : str
        Entry of the telescope's file, for errors.
    per_move : bool
        True: path per metre of dz, or a cube with one plane for dz, dz^2 and dz^3 each, metres; `BUNIT` is empty, 1 or
        m/m. False: one image of the path at every dz; `BUNIT` is a length.

    Returns
    -------
    PathMap

    Raises
    ------
    FaultyEntryError
        If the file cannot be read, holds no such image, or its axes or unit are others.
    """

    def fault(problem: str, remedy: str) -> FaultyEntryError:
        return FaultyEntryError(key, problem, remedy, str(path))

    data, header, sha256 = _first_image(path, fault)
    planes = data[None] if data.ndim == 2 else data
    if planes.shape[0] > (MOST_POWERS if per_move else 1):
        allowed = f"1 to {MOST_POWERS} planes" if per_move else "one plane"
        raise fault(f"has {planes.shape[0]} planes", f"give an image with {allowed}")
    scale = _unit_factor(header, per_move, fault)
    x = _axis(header, 1, planes.shape[2], fault)
    y = _axis(header, 2, planes.shape[1], fault)
    if x[0] > x[-1]:
        x, planes = x[::-1], planes[:, :, ::-1]
    if y[0] > y[-1]:
        y, planes = y[::-1], planes[:, ::-1]
    _check_cover(x, y, planes, dish_radius_m, fault)
    try:
        return PathMap(x, y, planes * scale, str(path), sha256)
    except ConfigurationError as error:
        raise fault(error.problem, "give a larger image with even axes") from None


def _first_image(path: Path, fault: Any) -> tuple[FloatArray, Any, str]:
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning, AstropyWarning

    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise fault("is too large for a path over the dish", "give an image of fewer pixels")
        content = path.read_bytes()
    except OSError as error:
        raise fault(
            f"cannot be read ({error.strerror})",
            "give the name of a FITS file, from the folder of the telescope's file",
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            # A cut-off file and a checksum that does not hold are only warnings there.
            warnings.simplefilter("error", AstropyUserWarning)
            with fits.open(io.BytesIO(content), memmap=False, checksum=True) as hdus:
                for hdu in hdus:
                    if hdu.is_image and hdu.header.get("NAXIS", 0) in (2, 3):
                        if np.prod(hdu.shape, dtype=float) > _MOST_PIXELS:
                            raise fault("has too many pixels", f"give at most {_MOST_PIXELS}")
                        return np.array(hdu.data, float), hdu.header.copy(), hashlib.sha256(content).hexdigest()
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, AstropyUserWarning, fits.VerifyError):
        raise fault("is not an undamaged FITS file", "copy or export the file again") from None
    raise fault("holds no image of two or three axes", "give the path as an image")


def _unit_factor(header: Any, per_move: bool, fault: Any) -> float:
    """Factor to metres, or 1 for a path per move."""
    remedy = "set BUNIT to m, mm or um"
    if per_move:
        remedy = "divide the path in metres by dz in metres and set BUNIT to 1"
    given = header.get("BUNIT")
    if not isinstance(given, str | int):
        raise fault("does not say the unit of its values (BUNIT)", remedy)
    unit = str(given).strip()
    if per_move:
        if unit in ("", "1", "m/m"):
            return 1.0
        raise fault(f"has the unit '{unit}' (BUNIT), and a path per metre of dz has none", remedy)
    try:
        return parse_quantity(f"1 {unit}", "length", key=None)
    except ConfigurationError:
        raise fault(f"has the unit '{unit}' (BUNIT), which is no length", remedy) from None


def _axis(header: Any, number: int, pixels: int, fault: Any) -> FloatArray:
    """Positions of the pixels along one axis, metres."""
    turned = [name for name in _TURNED if name in header and (name.startswith("CD") or header[name] != 0)]
    if turned:
        raise fault(
            f"has axes that are not plain ({turned[0]})", "give them by CRPIX, CDELT, CRVAL and CUNIT, without rotation"
        )
    names = [f"{name}{number}" for name in _LINEAR]
    remedy = f"give {', '.join(names)} of the pixels over {'xy'[number - 1]} of the dish, CUNIT{number} as m"
    missing = [name for name in names if name not in header]
    if missing:
        raise fault(f"does not say where its pixels lie ({', '.join(missing)})", remedy)
    try:
        unit = parse_quantity(f"1 {str(header[names[3]]).strip()}", "length", key=None)
        reference, step, value = (float(header[name]) for name in names[:3])
    except (ConfigurationError, ValueError, TypeError):
        raise fault(f"has no numbers with a unit of length in {', '.join(names)}", remedy) from None
    if not np.isfinite([reference, step, value]).all() or step == 0:
        raise fault(f"has no usable axis in {', '.join(names)}", remedy)
    return np.asarray((value + (np.arange(pixels) + 1 - reference) * step) * unit)


def _check_cover(x: FloatArray, y: FloatArray, planes: FloatArray, dish_radius_m: float, fault: Any) -> None:
    """Refuse a map that ends more than a pixel within the rim, or mostly holds no numbers."""
    for name, axis in (("x", x), ("y", y)):
        spare = float(axis[1] - axis[0]) if axis.size > 1 else 0.0
        if axis[0] > -dish_radius_m + spare or axis[-1] < dish_radius_m - spare:
            raise fault(
                f"covers {name} from {axis[0]:g} to {axis[-1]:g} m of a dish of radius {dish_radius_m:g} m",
                "check CRPIX, CDELT, CRVAL and CUNIT, or give an image of the whole dish",
            )
    on_dish = np.hypot(x, y[:, None]) <= dish_radius_m
    if not np.isfinite(planes[:, on_dish]).mean(axis=1).min() >= _FEWEST_KNOWN:
        raise fault("holds no numbers on most of the dish", "fill the missing pixels")
