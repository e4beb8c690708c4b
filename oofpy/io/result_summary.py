"""A fit result in short: a dictionary for `summary.json`, a table of coefficients for `coefficients.ecsv`."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from oofpy.errors import one_line
from oofpy.fitting.posterior import FitPosterior
from oofpy.fitting.result import Coefficient, FitResult, MapArrays, MapFit, OrderFit
from oofpy.fitting.status import FitStatus
from oofpy.io.convention_words import conventions_in_words
from oofpy.io.plain_records import to_plain
from oofpy.io.posterior_file import posterior_summary
from oofpy.optics.zernike import ZernikeTerm


def summary(result: FitResult, posterior: FitPosterior | None = None) -> dict[str, Any]:
    """Summarise a result in plain values for strict JSON.

    Parameters
    ----------
    result : FitResult
        What to summarise.
    posterior : FitPosterior, optional
        Of the result.

    Returns
    -------
    dict
        `status`, `verdict`, `flags`, `observation`, `fit`, `coefficients`, `parameters`, `surface`, `maps` of the
        chosen order; `orders`, the ladder in short; `left_out_fits`, those without one of the maps;
        `degenerate_pairs`; `observing`, what is special about how the maps were taken; `conventions`, `settings`,
        `inputs`, `telescope` and `versions`; `posterior` where there is one. What is unknown or not finite is None.
    """
    fit = result.fit
    plain = {
        "status": result.status,
        "verdict": result.verdict,
        "flags": [asdict(flag) for flag in result.flags],
        "observation": _observation(result),
        "fit": _fit(result),
        "coefficients": [asdict(coefficient) for coefficient in fit.coefficients],
        "parameters": [asdict(parameter) for parameter in fit.parameters],
        "surface": asdict(fit.surface),
        "maps": [_map(map_fit, arrays) for map_fit, arrays in zip(fit.maps, result.map_arrays, strict=True)],
        "orders": [_order(entry) for entry in result.orders],
        "left_out_fits": [_left_out(entry) for entry in result.left_out_fits],
        "degenerate_pairs": [
            {"first": first, "second": second, "correlation": correlation}
            for first, second, correlation in result.degenerate_pairs
        ],
        "observing": result.observing.as_dict(),
        "conventions": conventions_in_words(result),
        "settings": result.settings,
        "inputs": [{"file": source.path, "sha256": source.sha256} for source in result.sources],
        "telescope": {
            "name": result.telescope.name,
            "file": result.telescope.source_file,
            "sha256": result.telescope.sha256 or None,
            "path_maps": [{"file": one.origin, "sha256": one.sha256} for one in result.telescope.path_maps()],
            "overrides": dict(result.telescope.overrides),
        },
        "versions": result.versions,
    }
    if posterior is not None:
        plain["posterior"] = posterior_summary(posterior)
    cleaned: dict[str, Any] = _finite_or_none(plain)
    return cleaned


def _finite_or_none(value: Any) -> Any:
    plain = to_plain(value)
    if isinstance(plain, dict):
        return None if "not_finite" in plain else {key: _finite_or_none(item) for key, item in plain.items()}
    return [_finite_or_none(item) for item in plain] if isinstance(plain, list) else plain


def _observation(result: FitResult) -> dict[str, Any]:
    elevation = result.elevation_rad
    return {
        "name": result.name,
        "telescope": result.telescope.name,
        "wavelength_m": result.wavelength_m,
        "dz_m": [map_fit.dz_m for map_fit in result.fit.maps],
        "elevation_deg": None if elevation is None else math.degrees(elevation),
        "object": result.object_name,
        "date": result.date,
    }


def _fit(result: FitResult) -> dict[str, Any]:
    fit = result.fit
    return {
        "order": fit.order,
        "requested_order": result.settings.order,
        "likelihood": result.settings.likelihood,
        "converged": fit.status is FitStatus.CONVERGED,
        "status": fit.status,
        "advice": fit.status.advice,
        "start": fit.start,
        "evaluations": fit.evaluations,
        "seconds": fit.seconds,
        "cost": fit.cost,
        "bic": fit.bic,
        "effective_samples": fit.effective_samples,
        "reduced_chi2": fit.reduced_chi2,
        "device": result.device,
        "dtype": result.dtype,
    }


def _map(map_fit: MapFit, arrays: MapArrays) -> dict[str, Any]:
    return {"label": arrays.label, "signal_to_noise": arrays.signal_to_noise, **asdict(map_fit)}


def _order(fit: OrderFit) -> dict[str, Any]:
    return {
        "order": fit.order,
        "converged": fit.status is FitStatus.CONVERGED,
        "status": fit.status,
        "start": fit.start,
        "rms_um": fit.surface.rms_um,
        "rms_um_error": fit.surface.rms_um_error,
        "best_focus_m": fit.surface.best_focus_m,
        "reduced_chi2": fit.reduced_chi2,
        "bic": fit.bic,
        "evaluations": fit.evaluations,
        "seconds": fit.seconds,
    }


def _left_out(fit: OrderFit) -> dict[str, Any]:
    return {
        "left_out": fit.left_out,
        **_order(fit),
        "coefficients": [asdict(coefficient) for coefficient in fit.coefficients],
    }


def coefficient_table(result: FitResult) -> Any:
    """Tabulate the coefficients of the chosen order.

    Parameters
    ----------
    result : FitResult
        Whose coefficients.

    Returns
    -------
    astropy.table.Table
        n, l, OSA/ANSI index, name; phase and its error in radians, the same in waves (phase over 2 pi,
        as pyoof quotes it), and the rms half-path error of the term over the full disc in micrometres.
        The metadata name the observation, the wavelength, the order and the conventions.
    """
    from astropy.table import Table

    rows = [_row(coefficient, result.wavelength_m) for coefficient in result.fit.coefficients]
    units = {"phase_rad": "rad", "phase_rad_error": "rad", "surface_rms_um": "um"}
    table = Table(rows=rows, units=units)
    table.meta.update(
        {
            "observation": one_line(result.name),
            "telescope": one_line(result.telescope.name),
            "object": None if result.object_name is None else one_line(result.object_name),
            "date": None if result.date is None else one_line(result.date),
            "wavelength_m": float(result.wavelength_m),
            "order": result.fit.order,
            "conventions": {key: one_line(text) for key, text in conventions_in_words(result).items()},
        }
    )
    return table


def _row(coefficient: Coefficient, wavelength_m: float) -> dict[str, Any]:
    term = ZernikeTerm(coefficient.n, coefficient.l)
    turn = 2 * math.pi
    return {
        "n": term.n,
        "l": term.l,
        "osa_index": term.osa_index,
        "name": coefficient.name,
        "phase_rad": coefficient.phase_rad,
        "phase_rad_error": coefficient.phase_rad_error,
        "waves": coefficient.phase_rad / turn,
        "waves_error": coefficient.phase_rad_error / turn,
        "surface_rms_um": coefficient.surface_rms_um(wavelength_m),
    }
