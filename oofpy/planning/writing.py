"""A plan as plain values, as tables, and in a folder that comes into being complete or not at all."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from oofpy.errors import one_line
from oofpy.io.atomic import atomic_directory, refuse_foreign
from oofpy.planning.observation_plan import Curve, Plan
from oofpy.planning.prediction import Prediction
from oofpy.planning.words import CONVENTIONS, assumptions, recommendation, remarks

PLAN_FILE = "plan.json"


def summary(plan: Plan) -> dict[str, Any]:
    """Summarise a plan in plain values for strict JSON.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    dict
        `assumptions`, `recommendation` and `remarks` in words; `best`; `curves`, each with its candidates in short and
        its best with the errors of all coefficients and other parameters; `left_out` and `conventions`. What is not
        known is None.
    """
    situation = plan.situation
    return {
        "telescope": one_line(situation.telescope.name),
        "wavelength_m": situation.wavelength_m,
        "pattern": list(situation.pattern),
        "focus_m": situation.focus_m,
        "surface_rad": None if situation.surface_rad is None else np.asarray(situation.surface_rad).tolist(),
        "likelihood": situation.settings.likelihood,
        "merit": plan.merit,
        "assumptions": list(assumptions(plan)),
        "recommendation": [line.strip() for line in recommendation(plan)],
        "remarks": [{"code": code, "message": message} for code, message in remarks(plan)],
        "best": _full(plan.best.best),
        "curves": [_curve(curve) for curve in plan.curves],
        "left_out": [{"dz_m": dz_m, "reason": reason} for dz_m, reason in plan.left_out],
        "conventions": CONVENTIONS,
    }


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "order": curve.order,
        "half_width_rad": curve.half_width_rad,
        "spacing_rad": curve.spacing_rad,
        "nearly_best_dz_m": list(curve.nearly_best_dz_m),
        "at_edge": curve.at_edge,
        "best": _full(curve.best),
        "predictions": [_row(one) for one in curve.predictions],
    }


def _row(one: Prediction) -> dict[str, Any]:
    """A prediction in short."""
    return {
        "order": one.order,
        "dz_m": one.dz_m,
        "path_waves": one.path_waves,
        "half_width_rad": one.maps.half_width_rad,
        "spacing_rad": one.maps.spacing_rad,
        "points": one.maps.points,
        "reach_rad": one.reach_rad,
        "samples": one.samples,
        "seconds": one.seconds,
        "noise": one.noise,
        "faintest_peak_over_noise": min(one.peaks) / one.noise,
        "surface_error_um": one.surface_error_um,
        "surface_error_without_focus_um": one.surface_error_without_focus_um,
        "rms_um_error": one.rms_error_um,
        "focus_error_m": one.focus_error_m,
        "remarks": list(one.remarks),
    }


def _full(one: Prediction) -> dict[str, Any]:
    return _row(one) | {
        "defocus_m": list(one.defocus_m),
        "peaks": list(one.peaks),
        "coefficients": coefficient_rows(one),
        "parameters": [{"name": name, "error": error} for name, error in one.other_errors.items()],
    }


def coefficient_rows(one: Prediction) -> list[dict[str, Any]]:
    """List the coefficients with their errors; an error of zero is one that is held.

    Parameters
    ----------
    one : Prediction

    Returns
    -------
    list of dict
        By name `n`, `l`, `name`, `phase_rad_error` and `surface_um_error`.
    """
    rows = zip(one.terms, one.coefficient_errors_rad.tolist(), one.coefficient_errors_um.tolist(), strict=True)
    return [
        {
            "n": term.n,
            "l": term.l,
            "name": f"{term.label} {term.common_name}".strip(),
            "phase_rad_error": error_rad,
            "surface_um_error": error_um,
        }
        for term, error_rad, error_um in rows
    ]


def prediction_table(plan: Plan) -> Any:
    """Tabulate all candidates, a row each.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    astropy.table.Table
        Order, dz, maps, noise and errors; the remarks as one text. The time is masked where it is not known.
    """
    from astropy.table import Table

    rows = [_row(one) | {"best": one is curve.best} for curve in plan.curves for one in curve.predictions]
    for row in rows:
        row["remarks"] = " ".join(row["remarks"])
        row["seconds"] = math.nan if row["seconds"] is None else row["seconds"]
    table = Table(rows=rows)
    table["seconds"] = np.ma.masked_invalid(table["seconds"])
    return _described(table, plan)


def coefficient_table(plan: Plan) -> Any:
    """Tabulate the errors of the coefficients at the best dz of every curve.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    astropy.table.Table
        A row a coefficient, with order, dz and the layout of the maps.
    """
    from astropy.table import Table

    rows = [
        {
            "order": curve.order,
            "dz_m": curve.best.dz_m,
            "half_width_rad": curve.best.maps.half_width_rad,
            "spacing_rad": curve.best.maps.spacing_rad,
            **row,
        }
        for curve in plan.curves
        for row in coefficient_rows(curve.best)
    ]
    return _described(Table(rows=rows), plan)


def _described(table: Any, plan: Plan) -> Any:
    units = {"m": "m", "rad": "rad", "um": "um", "seconds": "s"}
    for name in table.colnames:
        table[name].unit = units.get(name.removesuffix("_error").split("_")[-1])
    table.meta.update(
        {
            "telescope": one_line(plan.situation.telescope.name),
            "wavelength_m": plan.situation.wavelength_m,
            "assumptions": list(assumptions(plan)),
            "conventions": CONVENTIONS,
        }
    )
    return table


def write_plan(
    plan: Plan,
    folder: str | Path,
    *,
    illustrate: Callable[[Plan, Path], None] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a plan.

    Parameters
    ----------
    plan : Plan
        What to write.
    folder : path-like
        The folder to make, with `plan.json`, `predictions.ecsv`, `coefficients.ecsv` and what `illustrate` writes.
    illustrate : callable, optional
        Writes figures into a folder, as `oofpy.plots.plan_figures.write_plan_figures` does.
    overwrite : bool
        Whether an older plan may be replaced, with everything in its folder.

    Raises
    ------
    UsageError
        As `oofpy.io.atomic.refuse_foreign`, or if it cannot be written. Nothing is left behind then.
    """
    refuse_foreign(folder, PLAN_FILE, overwrite)
    with atomic_directory(folder, overwrite) as part:
        _write_text(part / PLAN_FILE, json.dumps(summary(plan), indent=2, allow_nan=False) + "\n")
        for name, table in (("predictions", prediction_table(plan)), ("coefficients", coefficient_table(plan))):
            text = io.StringIO()
            table.write(text, format="ascii.ecsv")
            _write_text(part / f"{name}.ecsv", text.getvalue())
        if illustrate is not None:
            illustrate(plan, part)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
