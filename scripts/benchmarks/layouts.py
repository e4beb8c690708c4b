"""One observation in every layout that can be read, each as its own program writes it, and what must be said beside it.

Numbers that those programs keep in single precision or print with few digits are written in full here, so that every
file holds the same data.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from benchmarks.directions import (
    AZ_DEG,
    CONVENTIONS,
    DEC_DEG,
    EL_DEG,
    ONE_ZENITH_DEG,
    RA_DEG,
    ROTATION_DEG,
    ZENITH_DEG,
    Directions,
    FloatArray,
    Pixels,
    in_azimuth_and_elevation,
    in_equatorial,
    in_linear_offsets,
    in_plate_carree,
    in_turned_equatorial,
    on_a_grid,
    on_a_right_handed_grid,
    where_the_telescope_points,
)
from oofpy.observation import SkyOrientation

Header = dict[str, Any]

LIGHT_M_S = 299_792_458.0


@dataclass(frozen=True)
class TakenMap:
    """One map in the signs of the telescope's data, each array of shape (rows, columns); NaN is unobserved."""

    u_rad: FloatArray
    v_rad: FloatArray
    power: FloatArray
    error: FloatArray
    defocus_m: float

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Where there is a value."""
        return np.isfinite(self.power)

    def filled(self, value: float) -> FloatArray:
        """The power, with a value where nothing was observed."""
        return np.where(self.observed, self.power, value)


@dataclass(frozen=True)
class Taken:
    """What was observed: maps in the order minus, zero, plus of the dz of the files."""

    pixels: Pixels
    maps: tuple[TakenMap, ...]
    wavelength_m: float

    @property
    def frequency_hz(self) -> float:
        """Frequency."""
        return LIGHT_M_S / self.wavelength_m

    @property
    def defocus_m(self) -> tuple[float, ...]:
        """Defocus of the maps."""
        return tuple(one.defocus_m for one in self.maps)


@dataclass(frozen=True)
class Written:
    """Files, and what `oofpy.read_observation` must be told beside them, as its keyword arguments."""

    files: tuple[Path, ...]
    said: Header = field(default_factory=dict)


def _telescope_offsets(*zenith_deg: float) -> SkyOrientation:
    return SkyOrientation("telescope", tuple(math.radians(angle) for angle in zenith_deg) or None)


def _axes(pixels: Pixels, *axes: tuple[str, float, int], unit: str = "deg") -> Header:
    """Cards of the two axes of an image: name, CRVAL, sign of CDELT."""
    step = pixels.step_deg * {"deg": 1, "arcsec": 3600}[unit]
    cards: Header = {}
    for number, ((name, value, sign), pixel) in enumerate(zip(axes, pixels.reference, strict=True), start=1):
        cards |= {f"CTYPE{number}": name, f"CUNIT{number}": unit, f"CRPIX{number}": pixel}
        cards |= {f"CRVAL{number}": value, f"CDELT{number}": sign * step}
    return cards


def _equatorial(pixels: Pixels) -> Header:
    return _axes(pixels, ("RA---TAN", RA_DEG, -1), ("DEC--TAN", DEC_DEG, 1))


def _horizontal(pixels: Pixels) -> Header:
    return _axes(pixels, ("AZ---TAN", AZ_DEG, 1), ("EL---TAN", EL_DEG, 1))


def _image(values: FloatArray, name: str, cards: Header) -> fits.ImageHDU:
    hdu = fits.ImageHDU(values)
    hdu.header.update({**cards, "EXTNAME": name})
    return hdu


def _write(path: Path, primary: fits.PrimaryHDU, cards: Header, *hdus: Any) -> Path:
    primary.header.update(cards)
    fits.HDUList([primary, *hdus]).writeto(path)
    return path


def oof_table(taken: Taken, folder: Path) -> Written:
    """OOF: maps in the order zero, plus, minus, coordinates in 'radians'."""
    minus, zero, plus = taken.maps
    tables = []
    for one in (zero, plus, minus):
        names = ("DX", "DY", "FNu", "UFNu", "Time")
        units = ("radians", "radians", "Jy", "Jy", "d")
        values = (one.u_rad, one.v_rad, one.power, one.error, np.zeros_like(one.power))
        columns = [
            fits.Column(name, "D", unit=unit, array=array.ravel())
            for name, unit, array in zip(names, units, values, strict=True)
        ]
        tables.append(fits.BinTableHDU.from_columns(columns))
        tables[-1].header["DZ"] = one.defocus_m
    cards = {"TELESC": "JCMT", "FREQ": taken.frequency_hz, "RECV": "scuba", "OBJECT": "uranus"}
    return Written((_write(folder / "oof.fits", fits.PrimaryHDU(), cards, *tables),))


def pyoof_table(taken: Taken, folder: Path) -> Written:
    """Write as pyoof: maps in the order minus, zero, plus; columns without units and without errors."""
    tables = []
    for one, name in zip(taken.maps, ("MINUS OOF", "ZERO OOF", "PLUS OOF"), strict=True):
        values = {"U": one.u_rad, "V": one.v_rad, "BEAM": one.power}
        columns = [fits.Column(name, "D", array=array.ravel()) for name, array in values.items()]
        tables.append(fits.BinTableHDU.from_columns(columns, name=name))
        tables[-1].header["DZ"] = one.defocus_m
    cards = {"FREQ": taken.frequency_hz, "WAVEL": taken.wavelength_m, "MEANEL": 0.0, "OBJECT": "uranus"}
    return Written((_write(folder / "pyoof.fits", fits.PrimaryHDU(), cards | {"DATE_OBS": "created"}, *tables),))


def _text_maps(taken: Taken, folder: Path) -> tuple[Path, ...]:
    """Text columns of the Sardinia Radio Telescope: no header, u slow and v fast."""
    files = tuple(folder / f"MAPPA_{name}.txt" for name in ("OUT1", "IN", "OUT2"))
    for file, one in zip(files, taken.maps, strict=True):
        np.savetxt(file, np.column_stack([array.T.ravel() for array in (one.u_rad, one.v_rad, one.power)]), "%.17g")
    return files


def text_columns(taken: Taken, folder: Path) -> Written:
    """Text columns alone."""
    return Written(_text_maps(taken, folder), {"defocus_m": taken.defocus_m, "wavelength_m": taken.wavelength_m})


def observation_toml(taken: Taken, folder: Path) -> Written:
    """Text columns listed in a TOML file."""
    lines = [f'frequency = "{taken.frequency_hz:.17g} Hz"']
    for file, one in zip(_text_maps(taken, folder), taken.maps, strict=True):
        lines += ["[[maps]]", f'file = "{file.name}"', f'dz = "{one.defocus_m:.17g} m"']
    path = folder / "observation.toml"
    path.write_text("\n".join(lines) + "\n")
    return Written((path,))


def grasp_grids(taken: Taken, folder: Path) -> Written:
    """GRASP: co- and cross-polar fields on a right-handed grid, a file a focus, without the points not computed."""
    rng = np.random.default_rng(1)
    files = []
    for number, one in enumerate(taken.maps):
        # From the signs of the tables to those of the model, and with u to the left.
        x, y = -CONVENTIONS.u_sign * one.u_rad, CONVENTIONS.v_sign * one.v_rad
        limits = (x[0, 0], y[0, 0], x[-1, -1], y[-1, -1])
        rows, columns = one.power.shape
        lines = ["VERSION: TICRA-EM-FIELD-V0.1", "HEADER: Field data in grid", "FREQUENCY_NAME: Freq"]
        lines += [f"FREQUENCY: {taken.frequency_hz / 1e9:.17g} GHz,", "++++", " 1", " 1 3 2 1", " 0 0"]
        lines += [" ".join(f"{limit:.16E}" for limit in limits), f" {columns} {rows} 1"]
        for power in one.power:
            there = np.flatnonzero(np.isfinite(power))
            lines.append(f" {there[0] + 1} {there.size}")
            shares = rng.uniform(0.5, 1, there.size)
            phases = np.exp(1j * rng.uniform(0, 2 * math.pi, (2, there.size)))
            fields = phases * np.sqrt([shares * power[there], (1 - shares) * power[there]])
            lines += [
                " ".join(f"{part:24.16E}" for field in point for part in (field.real, field.imag)) for point in fields.T
            ]
        files.append(folder / f"field_{number}.grd")
        files[-1].write_text("\n".join(lines) + "\n")
    return Written(tuple(files), {"defocus_m": taken.defocus_m})


def images_with_variance(taken: Taken, folder: Path) -> Written:
    """Plain images, one file a focus, with the variance; right ascension and declination, turned by a matrix."""
    cos, sin = math.cos(math.radians(ROTATION_DEG)), math.sin(math.radians(ROTATION_DEG))
    cards = _equatorial(taken.pixels) | {"PC1_1": cos, "PC1_2": sin, "PC2_1": -sin, "PC2_2": cos}
    files = []
    for number, one in enumerate(taken.maps):
        primary = fits.PrimaryHDU(one.power)
        variance = _image(one.error**2, "VARIANCE", cards)
        path = folder / f"focus_{number}.fits"
        files.append(_write(path, primary, cards | {"BUNIT": "Jy/beam", "FREQ": taken.frequency_hz}, variance))
    return Written(tuple(files), {"defocus_m": taken.defocus_m, "orientation": _telescope_offsets(ONE_ZENITH_DEG[0])})


def images_in_one_file(taken: Taken, folder: Path) -> Written:
    """Plain images in azimuth and elevation, one extension a focus, each with its weights."""
    cards, hdus = _horizontal(taken.pixels), []
    for one, name in zip(taken.maps, ("MINUS", "FOCUS", "PLUS"), strict=True):
        hdus.append(_image(one.power, f"SIGNAL {name}", cards | {"DZ": one.defocus_m, "BUNIT": "K"}))
        hdus.append(_image(np.where(one.observed, one.error**-2, 0.0), f"WEIGHT {name}", cards))
    path = _write(folder / "foci.fits", fits.PrimaryHDU(), {"FREQ": taken.frequency_hz}, *hdus)
    return Written((path,), {"orientation": SkyOrientation("source")})


def scuba2_images(taken: Taken, folder: Path) -> Written:
    """Write as ndf2fits: an axis of frequency of length 1, variance, quality; half of the gaps are NaN."""
    frequency = {"CTYPE3": "FREQ", "CUNIT3": "Hz", "CRPIX3": 1.0, "CRVAL3": taken.frequency_hz, "CDELT3": 1e9}
    where = _horizontal(taken.pixels) | frequency
    cards = {"TELESCOP": "JCMT", "INSTRUME": "SCUBA-2", "FILTER": "850", "WAVELEN": taken.wavelength_m}
    cards |= {"EXTNAME": "DATA", "HDUCLAS1": "NDF", "HDUCLAS2": "DATA", "BUNIT": "pW", **where}
    files = []
    for number, one in enumerate(taken.maps):
        values = one.filled(0.0)
        values[::2] = one.power[::2]
        planes = {"VARIANCE": one.error**2, "QUALITY": (~one.observed).astype("u1")}
        hdus = [_image(plane[None], name, where | {"HDUCLAS2": name}) for name, plane in planes.items()]
        extra = fits.BinTableHDU.from_columns([fits.Column("NAME", "4A", array=["abcd"])], name="MORE.SMURF")
        path = folder / f"s8_{number}.fits"
        files.append(_write(path, fits.PrimaryHDU(values[None]), cards, *hdus, extra))
    return Written(tuple(files), {"defocus_m": taken.defocus_m, "orientation": _telescope_offsets()})


def citlali_images(taken: Taken, folder: Path) -> Written:
    """Write as citlali: offsets in azimuth and elevation, and the absolute position of the subreflector in microns."""
    cards = _axes(taken.pixels, ("AZOFFSET", 0.0, -1), ("ELOFFSET", 0.0, 1), unit="arcsec")
    for number, (name, unit, value) in enumerate((("FREQ", "Hz", taken.frequency_hz), ("STOKES", "", 0.0)), start=3):
        cards |= {f"CTYPE{number}": name, f"CUNIT{number}": unit, f"CRVAL{number}": value}
        cards |= {f"CDELT{number}": 1.0, f"CRPIX{number}": 1.0}
    primary = {"PIPELINE": "CITLALI", "OBSGOAL": "Oof", "RADESYS": "altaz", "INSTRUME": "TolTEC"}
    primary |= {"OOF_W": taken.wavelength_m, "OOF_M2X": 0.0, "OOF_M2Y": 0.0, "OOF_RO": 25.0, "OOF_RI": 1.65}
    files = []
    for number, one in enumerate(taken.maps):
        weight, there = np.where(one.observed, one.error**-2, 0.0), one.observed * 1.0
        planes = {"signal_I": one.filled(0.0), "weight_I": weight, "coverage_I": 3 * there, "coverage_bool_I": there}
        planes["sig2noise_I"] = planes["signal_I"] * np.sqrt(weight)
        hdus = [_image(plane[None, None], name, cards | {"UNIT": "mJy/beam"}) for name, plane in planes.items()]
        position = {"OOF_M2Z": -950.0 + 1e6 * one.defocus_m}
        files.append(_write(folder / f"toltec_{number}.fits", fits.PrimaryHDU(), primary | position, *hdus))
    return Written(tuple(files), {"in_focus": 2, "orientation": _telescope_offsets()})


def nika2_idl_images(taken: Taken, folder: Path) -> Written:
    """Write as the IDL pipeline of NIKA2: brightness, standard deviation and hits; gaps have values but no hits."""
    cards, files = _equatorial(taken.pixels) | {"UNIT": "Jy / beam"}, []
    for number, one in enumerate(taken.maps):
        planes = {"Brightness_1mm": one.filled(0.123), "Stddev_1mm": one.error, "Nhits_1mm": 9.0 * one.observed}
        hdus = [_image(plane, name, cards) for name, plane in planes.items()]
        primary = {"f_sampli": 23.84, "FWHM_260": 12.5, "FWHM_150": 18.5, "OBJECT": "Uranus"}
        files.append(_write(folder / f"idl_{number}.fits", fits.PrimaryHDU(), primary, *hdus))
    said = {"defocus_m": taken.defocus_m, "wavelength_m": taken.wavelength_m}
    return Written(tuple(files), said | {"orientation": _telescope_offsets(*ZENITH_DEG)})


def toml_of_images(taken: Taken, folder: Path) -> Written:
    """Images listed in a TOML file that says all they do not."""
    lines = [f'wavelength = "{taken.wavelength_m:.17g} m"', 'offsets = "telescope"']
    for file, dz, angle in zip(nika2_idl_images(taken, folder).files, taken.defocus_m, ZENITH_DEG, strict=True):
        lines += ["[[maps]]", f'file = "{file.name}"', f'dz = "{dz:.17g} m"', f'parallactic_angle = "{angle} deg"']
    path = folder / "observation.toml"
    path.write_text("\n".join(lines) + "\n")
    return Written((path,))


def nika2_piic_images(taken: Taken, folder: Path) -> Written:
    """Write as PIIC: the map and its weights in two files."""
    cards = _equatorial(taken.pixels) | {"CROTA2": ROTATION_DEG, "INSTRUME": "NIKA2", "RESTFREQ": taken.frequency_hz}
    files = []
    for number, one in enumerate(taken.maps):
        weight = np.where(one.observed, one.error**-2, 0.0)
        _write(folder / f"piic_{number}rgw.fits", fits.PrimaryHDU(weight), cards)
        files.append(_write(folder / f"piic_{number}.fits", fits.PrimaryHDU(one.power), cards))
    return Written(tuple(files), {"defocus_m": taken.defocus_m, "orientation": _telescope_offsets(ONE_ZENITH_DEG[0])})


def minkasi_images(taken: Taken, folder: Path) -> Written:
    """Write as minkasi: the map has right ascension as its first index and is transposed; gaps are zero."""
    wcs, step = WCS(naxis=2), taken.pixels.step_deg
    wcs.wcs.ctype = ["RA---CAR", "DEC--CAR"]
    wcs.wcs.cdelt, wcs.wcs.crpix, wcs.wcs.crval = [-step, step], [1.0, 1.0], [RA_DEG, DEC_DEG]
    files = []
    for number, one in enumerate(taken.maps):
        in_memory = one.filled(0.0).T
        files.append(folder / f"minkasi_{number}.fits")
        fits.PrimaryHDU(in_memory.transpose().copy(), header=wcs.to_header()).writeto(files[-1])
    said = {"defocus_m": taken.defocus_m, "wavelength_m": taken.wavelength_m}
    return Written(tuple(files), said | {"orientation": _telescope_offsets(ONE_ZENITH_DEG[0])})


@dataclass(frozen=True)
class Layout:
    """One layout.

    Parameters
    ----------
    name : str
    reader : str
        Name of the reader that must take it.
    directions : callable
        Where its samples lie.
    write : callable
        Writes an observation into a folder.
    errors : bool
        Whether it carries errors.
    """

    name: str
    reader: str
    directions: Callable[[Pixels], Directions]
    write: Callable[[Taken, Path], Written]
    errors: bool = True


LAYOUTS = (
    Layout("OOF FITS", "OOF FITS", on_a_grid, oof_table),
    Layout("pyoof FITS", "pyoof FITS", on_a_grid, pyoof_table, errors=False),
    Layout("text columns", "text columns", on_a_grid, text_columns, errors=False),
    Layout("observation TOML", "observation TOML", on_a_grid, observation_toml, errors=False),
    Layout("observation TOML of images", "observation TOML", in_equatorial, toml_of_images),
    Layout("GRASP grids", "GRASP grid", on_a_right_handed_grid, grasp_grids, errors=False),
    Layout("images, RA and Dec, turned", "FITS image", in_turned_equatorial, images_with_variance),
    Layout("images in one file, az and el", "FITS image", in_azimuth_and_elevation, images_in_one_file),
    Layout("SCUBA-2", "SCUBA-2 FITS", where_the_telescope_points, scuba2_images),
    Layout("TolTEC citlali", "TolTEC citlali", in_linear_offsets, citlali_images),
    Layout("NIKA2 IDL", "NIKA2 IDL", in_equatorial, nika2_idl_images),
    Layout("NIKA2 PIIC", "NIKA2 PIIC", in_turned_equatorial, nika2_piic_images),
    Layout("MUSTANG-2 minkasi", "MUSTANG-2 minkasi", in_plate_carree, minkasi_images, errors=False),
)
