"""A comparison as plain values: a dictionary for `comparison.json`, a table for `coefficients.ecsv`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from oofpy.comparison.values import Comparison, Difference, DifferenceView, DishRms, Repeatability, ScatterView
from oofpy.comparison.words import conventions, findings
from oofpy.fitting.result import FitResult
from oofpy.optics.half_path import phase_of_half_path_rad


def summary(comparison: Comparison) -> dict[str, Any]:
    """Summarise a comparison in plain values for strict JSON.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    dict
        `results`, each with its label A, B ...; `findings` in words; `coefficients`; `difference` of two or
        `repeatability` of several, each with its `views`, with and without focus, the difference also with the rms
        of the terms that both have as `common`; `remarks` and `conventions`. What is unknown or not finite is None.
    """
    difference, repeated = comparison.difference, comparison.repeatability
    return {
        "results": [
            _result(*entry) for entry in zip(comparison.labels, comparison.names, comparison.results, strict=True)
        ],
        "findings": list(findings(comparison)),
        "coefficients": [_plain_row(row) for row in coefficient_rows(comparison)],
        "difference": None if difference is None else _views(difference) | {"common": _dish(difference.common)},
        "repeatability": None if repeated is None else _views(repeated),
        "remarks": [asdict(remark) for remark in comparison.remarks],
        "conventions": conventions(comparison),
    }


def _result(label: str, name: str, result: FitResult) -> dict[str, Any]:
    elevation, surface = result.elevation_rad, result.fit.surface
    return _plain_row(
        {
            "label": label,
            "name": name,
            "observation": result.name,
            "telescope": result.telescope.name,
            "object": result.object_name,
            "date": result.date,
            "elevation_deg": None if elevation is None else math.degrees(elevation),
            "wavelength_m": result.wavelength_m,
            "order": result.chosen_order,
            "verdict": result.verdict,
            "corrected": result.observing.applied is not None,
            **asdict(surface),
            "inputs": [{"file": str(source.path), "sha256": source.sha256} for source in result.sources],
        }
    )


def _views(compared: Difference | Repeatability) -> dict[str, Any]:
    return {"views": [_view(view) for view in compared.views]}


def _view(view: DifferenceView | ScatterView) -> dict[str, Any]:
    found: dict[str, Any] = {"view": view.name, **_dish(view.dish), "chi2": _plain_row(asdict(view.chi2))}
    if isinstance(view, ScatterView):
        found["deviations"] = [_dish(dish) for dish in view.deviations]
    return found


def _dish(dish: DishRms) -> dict[str, Any]:
    return _plain_row({**asdict(dish), "ratio": dish.ratio, "ratio_spread": dish.ratio_spread})


def coefficient_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """List the coefficients of all results with what their comparison says of them.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    list of dict
        One a term: `n`, `l`, `name`, whether it was fitted in all; of every result its half-path error in micrometres,
        its phase in radians at its own wavelength, and their errors, with the label at the end of the key;
        then difference, error and z, or mean, scatter, prediction, chi2 and the pull of every result.
        NaN where there is no number.
    """
    rows = []
    for place, term in enumerate(comparison.terms):
        row: dict[str, Any] = {
            "n": term.n,
            "l": term.l,
            "name": term.name,
            "fitted_in_all": bool(comparison.tested[place]),
        }
        for number, (label, result) in enumerate(zip(comparison.labels, comparison.results, strict=True)):
            value, error = comparison.values_um[number, place], comparison.errors_um[number, place]
            phase, phase_error = (phase_of_half_path_rad(float(one), result.wavelength_m) for one in (value, error))
            row |= {f"surface_um_{label}": value, f"surface_um_error_{label}": error}
            row |= {f"phase_rad_{label}": phase, f"phase_rad_error_{label}": phase_error}
        rows.append(row | _judged(comparison, place))
    return rows


def _judged(comparison: Comparison, place: int) -> dict[str, Any]:
    difference, repeated = comparison.difference, comparison.repeatability
    if difference is not None:
        return {
            "difference_um": difference.values_um[place],
            "difference_um_error": difference.errors_um[place],
            "z": difference.z[place],
        }
    if repeated is None:
        return {}
    return {
        "mean_um": repeated.mean_um[place],
        "mean_um_error": repeated.mean_errors_um[place],
        "scatter_um": repeated.scatter_um[place],
        "predicted_um": repeated.predicted_um[place],
        "chi2": repeated.chi2[place].value,
        "degrees_of_freedom": repeated.chi2[place].degrees_of_freedom,
        "probability": repeated.chi2[place].probability,
        **{f"pull_{label}": pull for label, pull in zip(comparison.labels, repeated.pulls[:, place], strict=True)},
    }


def coefficient_table(comparison: Comparison) -> Any:
    """Tabulate `coefficient_rows`.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    astropy.table.Table
        With units; the metadata name the results and the conventions.
    """
    from astropy.table import Table

    rows = coefficient_rows(comparison)
    table = Table(rows=rows)
    for name in table.colnames:
        unit = next((unit for part, unit in (("_um", "um"), ("_rad", "rad")) if part in name), None)
        if unit is not None:
            table[name].unit = unit
    table.meta["results"] = dict(zip(comparison.labels, comparison.names, strict=True))
    table.meta["conventions"] = conventions(comparison)
    return table


def _plain_row(row: dict[str, Any]) -> dict[str, Any]:
    return dict(_plain(row.items()))


def _plain(items: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    for key, value in items:
        # Numbers of numpy are no numbers to json.
        number = float(value) if isinstance(value, float) else value
        yield key, None if isinstance(number, float) and not math.isfinite(number) else number
