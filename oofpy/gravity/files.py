"""A gravity model as a table in a file, and back without a loss."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from oofpy.errors import InputError, one_line
from oofpy.gravity.model import METHODS, PARTS, FloatArray, GravityModel
from oofpy.optics.zernike import ZernikeTerm

GRAVITY_FILE = "gravity.ecsv"
_KIND = "oofpy gravity model"
_PAIRS = tuple((i, j) for i in range(3) for j in range(i, 3))

CONVENTIONS = {
    "model": "coefficient = A sin(elevation) + B cos(elevation) + C",
    "surface": (
        "half-path error, wavelength times phase over 4 pi; > 0: metal below the ideal surface, towards the back, and "
        "the correction raises it; of the dish without the correction that was on it while it was observed"
    ),
    "zernike": (
        "circle polynomials of Born & Wolf in x/R, y/R, not normalised (radial part 1 at the rim), l < 0 sine, "
        "l >= 0 cosine, OSA/ANSI order; x to the right, y up, seen from behind the dish looking at the sky"
    ),
    "errors": "one standard deviation; of the model, to which a single observation adds scatter_um and its own error",
    "covariance": (
        "a, b, c in column names: A, B, C of one term; covariance_with_all: rows A, B, C of the term of the row, "
        "columns A, B, C of the term of the first row, then of the second ..."
    ),
}


def gravity_table(model: GravityModel) -> Any:
    """Tabulate a model, one row a coefficient.

    Parameters
    ----------
    model : GravityModel

    Returns
    -------
    astropy.table.Table
        n, l, name; A, B, C and their errors in micrometres, their covariances in square micrometres, scatter and
        leave-one-out scatter; in its metadata everything else of the model, and the conventions.
    """
    from astropy.table import Table

    count = len(model.terms)
    own = np.array([model.covariance_of(place) for place in range(count)]).reshape(count, 3, 3)
    columns: dict[str, Any] = {
        "n": [term.n for term in model.terms],
        "l": [term.l for term in model.terms],
        "name": [f"{term.label} {term.common_name}".strip() for term in model.terms],
    }
    for number, part in enumerate(PARTS):
        columns[f"{part.lower()}_um"] = model.parameters_um[:, number]
    for number, part in enumerate(PARTS):
        columns[f"{part.lower()}_um_error"] = model.errors_um[:, number]
    columns["scatter_um"] = model.scatter_um
    columns["leave_one_out_um"] = model.leave_one_out_um
    for i, j in _PAIRS:
        columns[f"covariance_{PARTS[i]}{PARTS[j]}_um2".lower()] = own[:, i, j]
    columns["covariance_with_all_um2"] = model.covariance_um2.reshape(count, 3, 3 * count)
    table = Table(columns)
    for name in table.colnames:
        ending = name.removesuffix("_error").split("_")[-1]
        table[name].unit = {"um": "um", "um2": "um2"}.get(ending)
    table.meta.update(_metadata(model))
    return table


def _metadata(model: GravityModel) -> dict[str, Any]:
    low, high = model.elevation_range_rad
    return {
        "kind": _KIND,
        "telescope": one_line(model.telescope),
        "dish_radius_m": float(model.dish_radius_m),
        "method": model.method,
        "converged": bool(model.converged),
        "wavelength_m": None if model.wavelength_m is None else float(model.wavelength_m),
        "elevation_range_rad": [float(low), float(high)],
        "elevation_range_deg": [round(math.degrees(low), 6), round(math.degrees(high), 6)],
        "observations": [one_line(name) for name in model.observations],
        "outlying": [one_line(name) for name in model.outlying],
        "conventions": CONVENTIONS,
    }


def gravity_text(model: GravityModel) -> str:
    """Write a model as the text of an ECSV file; see `gravity_table`."""
    buffer = io.StringIO()
    gravity_table(model).write(buffer, format="ascii.ecsv")
    return buffer.getvalue()


def read_gravity(path: str | Path) -> GravityModel:
    """Read a model that `oofpy gravity` wrote.

    Parameters
    ----------
    path : path-like
        `gravity.ecsv`, or the folder with it.

    Returns
    -------
    GravityModel

    Raises
    ------
    InputError
        If the file is not there, or holds something else.
    """
    from astropy.table import Table

    place = Path(path)
    file = place / GRAVITY_FILE if place.is_dir() else place
    remedy = "give the folder that 'oofpy gravity' made, or the gravity.ecsv in it"
    try:
        table = Table.read(file, format="ascii.ecsv")
    except FileNotFoundError:
        raise InputError("there is no such file", file=file, remedy=remedy) from None
    # A damaged file makes the parsers of the table and of its header raise whatever they stumble over.
    except Exception as fault:
        raise InputError(f"cannot be read as a table: {fault}"[:200], file=file, remedy=remedy) from fault
    if table.meta.get("kind") != _KIND:
        raise InputError("holds no gravity model", file=file, remedy=remedy)
    try:
        return _model_of(table)
    except (LookupError, ValueError, TypeError, AttributeError) as fault:
        raise InputError(f"is damaged: {fault}"[:200], file=file, remedy="make it again") from fault


def _model_of(table: Any) -> GravityModel:
    count, meta = len(table), table.meta
    if meta["method"] not in METHODS:
        raise ValueError(f"method {meta['method']}")
    low, high = (float(value) for value in meta["elevation_range_rad"])
    parameters = np.column_stack([_numbers(table, f"{part.lower()}_um") for part in PARTS])
    covariance = _numbers(table, "covariance_with_all_um2").reshape(3 * count, 3 * count)
    if not (count and np.isfinite(parameters).all() and np.isfinite(covariance).all() and math.isfinite(low + high)):
        raise ValueError("a number is missing")
    return GravityModel(
        telescope=str(meta["telescope"]),
        dish_radius_m=float(meta["dish_radius_m"]),
        method=meta["method"],
        terms=tuple(ZernikeTerm(int(n), int(l)) for n, l in zip(table["n"], table["l"], strict=True)),
        parameters_um=parameters,
        covariance_um2=covariance,
        scatter_um=_numbers(table, "scatter_um"),
        leave_one_out_um=_numbers(table, "leave_one_out_um"),
        elevation_range_rad=(low, high),
        observations=tuple(str(name) for name in meta["observations"]),
        outlying=tuple(str(name) for name in meta["outlying"]),
        converged=bool(meta["converged"]),
        wavelength_m=_wavelength_m(meta),
    )


def _wavelength_m(meta: dict[str, Any]) -> float | None:
    """Take the wavelength of the observations, which older files do not name."""
    given = meta.get("wavelength_m")
    if given is None:
        return None
    wavelength_m = float(given)
    if not (math.isfinite(wavelength_m) and wavelength_m > 0):
        raise ValueError(f"wavelength_m {given}")
    return wavelength_m


def _numbers(table: Any, name: str) -> FloatArray:
    """Take a column of numbers; what is masked becomes NaN."""
    column = table[name]
    return np.asarray(np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan), np.float64)
