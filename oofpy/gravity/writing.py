"""A gravity model with its observations in a folder that comes into being complete or not at all."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from oofpy.errors import one_line
from oofpy.gravity.files import CONVENTIONS, GRAVITY_FILE, gravity_text
from oofpy.gravity.gravity_fit import GravityFit
from oofpy.gravity.model import GravityModel
from oofpy.gravity.results import LeftOut
from oofpy.io.atomic import atomic_directory, refuse_foreign

SUMMARY_FILE = "gravity.json"
RESIDUALS_FILE = "residuals.ecsv"
TWO_STEP_FILE = "two_step.ecsv"
_NOT_ALWAYS_KNOWN = ("temperature_k", "hour_angle_rad")


def residual_table(fit: GravityFit) -> Any:
    """Tabulate how every observation lies about the model, one row a coefficient of an observation.

    Parameters
    ----------
    fit : GravityFit

    Returns
    -------
    astropy.table.Table
        What is known of the observation; value, error, model and residual of the coefficient in micrometres; the
        residual in standard deviations of error and scatter; the weight; whether it lies far off. `probability` is
        that of the whole observation. Masked, or an empty text, where something is not known.
    """
    from astropy.table import Table

    table = Table(rows=[row for place in range(len(fit.series.samples)) for row in _rows(fit, place)])
    for name in _NOT_ALWAYS_KNOWN:
        table[name] = np.ma.masked_invalid(table[name])
    for name in table.colnames:
        ending = name.removesuffix("_error").split("_")[-1]
        table[name].unit = {"um": "um", "rad": "rad", "deg": "deg", "k": "K", "m": "m"}.get(ending)
    table.meta.update(
        {
            "telescope": one_line(fit.model.telescope),
            "method": fit.model.method,
            "conventions": {
                "surface": CONVENTIONS["surface"],
                "outlying": "the coefficient of this observation has less than half its weight in the fit",
                "probability": "of an observation as far off in all its coefficients by errors and scatter alone",
            },
        }
    )
    return table


def _rows(fit: GravityFit, place: int) -> list[dict[str, Any]]:
    sample = fit.series.samples[place]
    rows = []
    for number, term in enumerate(fit.model.terms):
        if not math.isfinite(fit.values_um[place, number]):
            continue
        value, residual = float(fit.values_um[place, number]), float(fit.residuals_um[place, number])
        rows.append(
            {
                "observation": one_line(sample.name),
                "elevation_deg": math.degrees(sample.elevation_rad or 0.0),
                "date": one_line(sample.date_utc or ""),
                "object": one_line(sample.object_name or ""),
                "temperature_k": _or_nan(sample.temperature_k),
                "hour_angle_rad": _or_nan(sample.hour_angle_rad),
                "wavelength_m": float(sample.wavelength_m),
                "n": term.n,
                "l": term.l,
                "value_um": value,
                "value_um_error": float(fit.errors_um[place, number]),
                "model_um": value - residual,
                "residual_um": residual,
                "standard_residual": float(fit.standard_residuals[place, number]),
                "weight": float(fit.weights[place, number]),
                "outlying": bool(fit.outlying[place, number]),
                "probability": float(fit.probability[place]),
            }
        )
    return rows


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def summary(fit: GravityFit, left_out: Sequence[LeftOut] = (), two_step: GravityFit | None = None) -> dict[str, Any]:
    """Summarise a fit in plain values for strict JSON.

    Parameters
    ----------
    fit : GravityFit
    left_out : sequence of LeftOut
        Observations that took no part.
    two_step : GravityFit, optional
        From which a joint fit started.

    Returns
    -------
    dict
        Telescope, method, how it ended, elevations; `coefficients`, `observations`, `left_out`, `two_step` (the
        coefficients of that fit) and `conventions`. What is not known is None.
    """
    model = fit.model
    low, high = model.elevation_range_rad
    plain = {
        "telescope": model.telescope,
        "dish_radius_m": model.dish_radius_m,
        "method": model.method,
        "converged": model.converged,
        "advice": fit.advice,
        "passes": fit.passes,
        "elevation_deg": [math.degrees(low), math.degrees(high)],
        "coefficients": _coefficients(model),
        "observations": [_observation(fit, place) for place in range(len(fit.series.samples))],
        "outlying": list(model.outlying),
        "left_out": [{"name": one_line(one.name), "reason": one_line(one.reason)} for one in left_out],
        "two_step": None if two_step is None else _coefficients(two_step.model),
        "conventions": CONVENTIONS,
    }
    cleaned: dict[str, Any] = _finite_or_none(plain)
    return cleaned


def _coefficients(model: GravityModel) -> list[dict[str, Any]]:
    found = []
    for place, term in enumerate(model.terms):
        parts = zip("abc", model.parameters_um[place], model.errors_um[place], strict=True)
        entry: dict[str, Any] = {"n": term.n, "l": term.l, "name": f"{term.label} {term.common_name}".strip()}
        for part, value, error in parts:
            entry[f"{part}_um"], entry[f"{part}_um_error"] = float(value), float(error)
        entry["covariance_um2"] = model.covariance_of(place).tolist()
        entry["scatter_um"] = float(model.scatter_um[place])
        entry["leave_one_out_um"] = float(model.leave_one_out_um[place])
        found.append(entry)
    return found


def _observation(fit: GravityFit, place: int) -> dict[str, Any]:
    sample = fit.series.samples[place]
    terms = [term.label for term, far in zip(fit.model.terms, fit.outlying[place], strict=True) if far]
    return {
        "name": one_line(sample.name),
        "elevation_deg": math.degrees(sample.elevation_rad or 0.0),
        "date": sample.date_utc,
        "object": sample.object_name,
        "temperature_k": sample.temperature_k,
        "hour_angle_rad": sample.hour_angle_rad,
        "wavelength_m": float(sample.wavelength_m),
        "probability": float(fit.probability[place]),
        "outlying_coefficients": terms,
    }


def _finite_or_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite_or_none(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite_or_none(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def write_gravity(
    fit: GravityFit,
    folder: str | Path,
    *,
    left_out: Sequence[LeftOut] = (),
    two_step: GravityFit | None = None,
    illustrate: Callable[[GravityFit, Path], None] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a fit.

    Parameters
    ----------
    fit : GravityFit
    folder : path-like
        The folder to make, with `gravity.ecsv`, `gravity.json`, `residuals.ecsv` and what `illustrate` writes.
    left_out : sequence of LeftOut
        Observations that took no part.
    two_step : GravityFit, optional
        From which a joint fit started; its model is written as `two_step.ecsv`.
    illustrate : callable, optional
        Writes figures into a folder, as `oofpy.plots.gravity_figures.write_gravity_figures` does.
    overwrite : bool
        Whether an older model may be replaced, with everything in its folder.

    Raises
    ------
    UsageError
        As `oofpy.io.atomic.refuse_foreign`, or if it cannot be written. Nothing is left behind then.
    """
    refuse_foreign(folder, GRAVITY_FILE, overwrite)
    with atomic_directory(folder, overwrite) as part:
        _write_text(part / GRAVITY_FILE, gravity_text(fit.model))
        if two_step is not None:
            _write_text(part / TWO_STEP_FILE, gravity_text(two_step.model))
        table = io.StringIO()
        residual_table(fit).write(table, format="ascii.ecsv")
        _write_text(part / RESIDUALS_FILE, table.getvalue())
        text = json.dumps(summary(fit, left_out, two_step), indent=2, allow_nan=False)
        _write_text(part / SUMMARY_FILE, text + "\n")
        if illustrate is not None:
            illustrate(fit, part)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
