"""Write a correction into a folder that comes into being complete or not at all."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from oofpy.correction.tables import applied_table, correction_summary, correction_table
from oofpy.correction.telescope_format import TelescopeFormat
from oofpy.correction.values import Correction, CorrectionAt
from oofpy.io.atomic import atomic_directory, refuse_foreign

SUMMARY_FILE = "correction.json"
TABLE_FILE = "correction.ecsv"


def write_correction(
    correction: Correction,
    folder: str | Path,
    *,
    formats: Sequence[TelescopeFormat] = (),
    illustrate: Callable[[Correction, Path], None] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a correction.

    Parameters
    ----------
    correction : Correction
        What to write.
    folder : path-like
        The folder to make, with `correction.json`, with `correction.ecsv` where there are points, for each elevation
        with `applied.ecsv` where coefficients say all of the correction that is then on the dish and else with the
        image `applied.fits`, with the files of the formats and what `illustrate` writes.
    formats : sequence of TelescopeFormat
        Forms of telescopes to write as well.
    illustrate : callable, optional
        Writes figures into a folder.
    overwrite : bool
        Whether an older correction may be replaced, with everything in its folder.

    Raises
    ------
    UsageError
        As `oofpy.io.atomic.refuse_foreign`, if a format cannot hold the correction, or it cannot be written. Nothing is
        left behind then.
    """
    refuse_foreign(folder, SUMMARY_FILE, overwrite)
    for one in formats:
        one.check(correction)
    with atomic_directory(folder, overwrite) as part:
        summary = json.dumps(correction_summary(correction), indent=2, allow_nan=False)
        (part / SUMMARY_FILE).write_text(summary + "\n", encoding="utf-8", errors="backslashreplace", newline="\n")
        if correction.points is not None:
            _write_table(part / TABLE_FILE, correction_table(correction))
        for at in correction.elevations:
            _write_applied(correction, at, part)
        for one in formats:
            one.write(correction, part)
        if illustrate is not None:
            illustrate(correction, part)


def _write_table(path: Path, table: Any) -> None:
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    path.write_text(text.getvalue(), encoding="utf-8", errors="backslashreplace", newline="\n")


def elevation_suffix(correction: Correction, at: CorrectionAt) -> str:
    """Name one of several elevations in the name of a file; nothing where there is one."""
    if len(correction.elevations) == 1 or at.surface.elevation_rad is None:
        return ""
    return f"-el{math.degrees(at.surface.elevation_rad):.6g}"


def _write_applied(correction: Correction, at: CorrectionAt, folder: Path) -> None:
    stem = f"applied{elevation_suffix(correction, at)}"
    if at.as_coefficients:
        _write_table(folder / f"{stem}.ecsv", applied_table(correction, at))
    elif at.prediction is not None:
        _write_applied_image(correction, at, folder / f"{stem}.fits")


def _write_applied_image(correction: Correction, at: CorrectionAt, path: Path) -> None:
    from astropy.io import fits

    assert at.prediction is not None
    axis = at.prediction.axis_m
    hdu = fits.PrimaryHDU(at.prediction.applied_um)
    cards: list[tuple[str, Any, str]] = [
        ("BUNIT", "um", "half-path error that the correction takes away"),
        ("TELESCOP", correction.source.telescope.name.encode("ascii", "replace").decode(), ""),
    ]
    for number, name in ((1, "x"), (2, "y")):
        cards += [
            (f"CTYPE{number}", name.upper(), f"{name} of the dish"),
            (f"CRPIX{number}", 1.0, ""),
            (f"CRVAL{number}", float(axis[0]), "[m]"),
            (f"CDELT{number}", float(axis[1] - axis[0]), "[m]"),
            (f"CUNIT{number}", "m", ""),
        ]
    for key, value, comment in cards:
        hdu.header[key] = (value, comment)
    hdu.header["COMMENT"] = "the total, orders 0 and 1 of what was on the dish before left out"
    hdu.writeto(path, checksum=True)
