"""Files broken in the ways seen in archives, and words that the reason given for each must hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

Change = Callable[[fits.HDUList], None]


@dataclass(frozen=True)
class Broken:
    """One way of being broken.

    Parameters
    ----------
    make : callable
        Takes a good OOF FITS file with three maps and the file to write.
    reason : str
        What the reason must say.
    """

    make: Callable[[Path, Path], None]
    reason: str


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path, Path], None]:
    return lambda good, path: _write(path, change(good.read_bytes()))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _hdus(change: Change) -> Callable[[Path, Path], None]:
    """Change the content, and make it a valid file again."""

    def make(good: Path, path: Path) -> None:
        with fits.open(good) as hdus:
            copied = fits.HDUList([hdu.copy() for hdu in hdus])
        change(copied)
        copied.writeto(path, overwrite=True, checksum=True)

    return make


def _tables(hdus: fits.HDUList) -> list[Any]:
    return [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)]


def _unobserved(hdus: fits.HDUList) -> None:
    _tables(hdus)[1].data["FNU"][:] = np.nan


def _same_map(hdus: fits.HDUList) -> None:
    first, second, *_ = _tables(hdus)
    second.data["FNU"][:] = first.data["FNU"]


def _no_dz(hdus: fits.HDUList) -> None:
    for table in _tables(hdus):
        table.header.remove("DZ")


def _equal_dz(hdus: fits.HDUList) -> None:
    for table in _tables(hdus):
        table.header["DZ"] = 0.0


def _frequency_in_ghz(hdus: fits.HDUList) -> None:
    for hdu in hdus:
        if "FREQ" in hdu.header:
            hdu.header["FREQ"] = hdu.header["FREQ"] / 1e9
        hdu.header.remove("WAVEL", ignore_missing=True)


def _other_telescope(hdus: fits.HDUList) -> None:
    for hdu in hdus:
        for key in ("TELESC", "TELESCOP"):
            if key in hdu.header:
                hdu.header[key] = "Arecibo"


def _renamed_column(hdus: fits.HDUList) -> None:
    for table in _tables(hdus):
        table.columns.change_name("FNU", "POWER")


def _few_samples(hdus: fits.HDUList) -> None:
    for table in _tables(hdus):
        table.data = table.data[:5]


def _offsets_in_degrees(hdus: fits.HDUList) -> None:
    for table in _tables(hdus):
        for name in ("DX", "DY"):
            table.data[name][:] = np.degrees(table.data[name])


def _one_map_left(data: bytes) -> bytes:
    """Cut where the second table begins: to astropy the file is whole."""
    return data[: data.index(b"XTENSION", data.index(b"XTENSION") + 1)]


def _flipped(data: bytes) -> bytes:
    place = data.rindex(b"XTENSION") + 2880 * 3 + 5
    return data[:place] + bytes([data[place] ^ 64]) + data[place + 1 :]


BROKEN = {
    "empty": Broken(_bytes(lambda _: b""), "the file is empty"),
    "cut short": Broken(_bytes(lambda data: data[: len(data) * 3 // 5]), "truncated"),
    "cut after one map": Broken(_bytes(_one_map_left), "no map with another dz"),
    "header only": Broken(_bytes(lambda data: data[:2000]), "damaged"),
    "byte flipped": Broken(_bytes(_flipped), "checksum"),
    "no FITS": Broken(_bytes(lambda _: b"<html>404 Not Found</html>\n"), "format"),
    "map unobserved": Broken(_hdus(_unobserved), "NaN"),
    "map twice": Broken(_hdus(_same_map), "same data"),
    "no dz": Broken(_hdus(_no_dz), "--dz"),
    "equal dz": Broken(_hdus(_equal_dz), "same defocus"),
    "frequency in GHz": Broken(_hdus(_frequency_in_ghz), "GHz"),
    "unknown telescope": Broken(_hdus(_other_telescope), "telescope is not known"),
    "column missing": Broken(_hdus(_renamed_column), "FNU"),
    "few samples": Broken(_hdus(_few_samples), "samples"),
    "offsets in degrees": Broken(_hdus(_offsets_in_degrees), "unit"),
}
