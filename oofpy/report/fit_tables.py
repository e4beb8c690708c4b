"""The tables of a fit: coefficients, other parameters, maps, orders, fits without a map, degenerate pairs."""

from __future__ import annotations

import math
from dataclasses import replace

from oofpy.fitting.result import Coefficient, FitResult, MapArrays, MapFit, OrderFit, Parameter
from oofpy.fitting.rules.maps import left_out_change
from oofpy.report.corrections import pointing_cells
from oofpy.report.numbers import UNKNOWN, measured, number, percent, ratio, rounded, signed
from oofpy.report.tables import Column, Table

_MICRO_M = "\N{MICRO SIGN}m"
_OF_MAPS = ("pointing_u_rad", "pointing_v_rad")


def coefficient_table(result: FitResult) -> Table:
    """Tabulate the coefficients of the chosen order."""
    without = ", of the dish without the correction that was on it" if result.observing.applied else ""
    return Table(
        f"Coefficients at order {result.chosen_order}",
        (
            Column("name"),
            Column("n", numeric=True),
            Column("l", numeric=True),
            Column("rad", numeric=True),
            Column("error", numeric=True),
            Column("waves", numeric=True, explanation="phase over 2 \N{GREEK SMALL LETTER PI}, as pyoof quotes it"),
            Column(
                f"{_MICRO_M} rms",
                numeric=True,
                explanation="half-path rms of the term over the full disc, of the normalised (orthonormal) polynomial",
            ),
            Column("significance", numeric=True, explanation="size over error"),
        ),
        tuple(_coefficient_row(coefficient, result.wavelength_m) for coefficient in result.fit.coefficients),
        f"Positive for a longer path{without}.",
    )


def _coefficient_row(coefficient: Coefficient, wavelength_m: float) -> tuple[str, ...]:
    value, error = coefficient.phase_rad, coefficient.phase_rad_error if coefficient.free else 0.0
    shown, uncertainty = rounded(value, error, "+")
    waves, _ = rounded(value / (2 * math.pi), error / (2 * math.pi), "+")
    size_um, error_um = (replace(coefficient, phase_rad=one).surface_rms_um(wavelength_m) for one in (value, error))
    held = "fixed" if not coefficient.free else uncertainty
    return (
        coefficient.name + (" (at its bound)" if coefficient.at_bound else ""),
        str(coefficient.n),
        str(coefficient.l),
        shown,
        held,
        waves,
        rounded(size_um, error_um)[0],
        ratio(abs(value) / error) if error > 0 else UNKNOWN,
    )


def parameter_table(result: FitResult) -> Table:
    """Tabulate the parameters other than coefficients and pointing, which stands with the maps."""
    others = [entry for entry in result.fit.parameters if not entry.name.startswith(_OF_MAPS)]
    at_zero = [entry.name for entry in others if not entry.free and entry.value == 0]
    return Table(
        "Other parameters",
        (Column("name"), Column("value", numeric=True), Column("error", numeric=True), Column("unit"), Column("state")),
        tuple(_parameter_row(entry) for entry in others if entry.name not in at_zero),
        f"Fixed at zero: {', '.join(at_zero)}." if at_zero else "",
    )


def _parameter_row(parameter: Parameter) -> tuple[str, ...]:
    state = "at its bound" if parameter.at_bound else "fitted" if parameter.free else "fixed"
    return (parameter.name, *rounded(parameter.value, parameter.error), parameter.unit, state)


def map_table(result: FitResult) -> Table:
    """Tabulate where the source is in every map, and how bright."""
    columns = (
        Column("map"),
        Column("dz mm", numeric=True),
        Column("signal to noise", numeric=True, explanation="peak over the scatter at the border, before the fit"),
        Column("gain", numeric=True, explanation="peak of the unaberrated beam, map units"),
        Column("background", numeric=True, explanation="map units, at u = v = 0"),
        Column("u arcsec", numeric=True),
        Column("v arcsec", numeric=True),
        Column("samples", numeric=True),
        Column("left out", numeric=True),
    )
    errors = {parameter.name: parameter.error for parameter in result.fit.parameters}
    pairs = enumerate(zip(result.map_arrays, result.fit.maps, strict=True), start=1)
    return Table(
        "Maps",
        columns,
        tuple(
            _map_row(
                place, arrays, fitted, (errors.get(f"{_OF_MAPS[0]}[{place}]"), errors.get(f"{_OF_MAPS[1]}[{place}]"))
            )
            for place, (arrays, fitted) in pairs
        ),
        "(u, v): direction of the source minus the telescope's axis where the unaberrated beam peaks.",
    )


def _map_row(
    place: int, arrays: MapArrays, fitted: MapFit, errors_rad: tuple[float | None, float | None]
) -> tuple[str, ...]:
    return (
        f"{place} {arrays.label}".strip(),
        signed(1e3 * fitted.dz_m),
        ratio(arrays.signal_to_noise),
        number(fitted.gain, ".5g"),
        number(fitted.background),
        *pointing_cells(fitted.pointing_rad, errors_rad),
        str(fitted.samples),
        str(fitted.masked),
    )


def residual_table(result: FitResult) -> Table:
    """Tabulate what is left of every map, and what the likelihood made of it."""
    columns = (
        Column("map"),
        Column("noise", numeric=True, explanation="scale of the likelihood, map units"),
        Column("at the border", numeric=True, explanation="scatter of the residuals there, map units"),
        Column("residual", numeric=True, explanation="rms of observed minus model over the range of the map"),
        Column("down-weighted", numeric=True, explanation="samples with less than a tenth of the full weight"),
        Column("weight of the peak", numeric=True, explanation="mean weight where the model is above half its peak"),
        Column("correlation", numeric=True, explanation="of residuals half a beam to a beam apart; 0 for noise"),
        Column("samples together", numeric=True, explanation="neighbours whose residuals move together; 1 for noise"),
    )
    pairs = enumerate(zip(result.map_arrays, result.fit.maps, strict=True), start=1)
    return Table(
        "Residuals of the maps",
        columns,
        tuple(
            (
                f"{place} {arrays.label}".strip(),
                number(fitted.noise, ".3g"),
                number(fitted.border_noise, ".3g"),
                percent(fitted.residual_rms_over_peak),
                percent(fitted.down_weighted_fraction, ".2g"),
                number(fitted.bright_weight, ".2f"),
                number(fitted.beam_scale_correlation, ".2f"),
                number(fitted.correlation_samples, ".3g"),
            )
            for place, (arrays, fitted) in pairs
        ),
    )


def order_table(result: FitResult) -> Table:
    """Tabulate the ladder of orders."""
    columns = (
        Column("order"),
        Column(f"rms {_MICRO_M}", numeric=True),
        Column("focus error mm", numeric=True),
        Column("reduced chi2", numeric=True, explanation="fitted noise over that at the border of the maps, squared"),
        Column("BIC", numeric=True, explanation="Bayesian information criterion; the lower the better"),
        Column("start", explanation="the start that won"),
        Column("ending"),
        Column("evaluations", numeric=True),
        Column("s", numeric=True, explanation="wall time in seconds"),
    )
    rows = tuple(_order_row(fit, result.chosen_order) for fit in result.orders)
    return Table("Orders", columns, rows, _of_which_dish(result))


def _order_row(fit: OrderFit, chosen: int) -> tuple[str, ...]:
    return (
        f"{fit.order} (chosen)" if fit.order == chosen else str(fit.order),
        *_surface_cells(fit),
        number(fit.reduced_chi2, ".3g"),
        number(fit.bic, ".1f"),
        fit.start,
        fit.status.value,
        str(fit.evaluations),
        number(fit.seconds, ".2f"),
    )


def _of_which_dish(result: FitResult) -> str:
    """Say of which dish rms and focus error are, where a correction was on it."""
    if result.observing.applied is None:
        return ""
    return "The rms is of the dish without the correction that was on it, the focus error of the dish as observed."


def _surface_cells(fit: OrderFit) -> tuple[str, str]:
    """Write rms and focus error of a fit with their errors."""
    surface = fit.surface
    return (
        measured(surface.rms_um, surface.rms_um_error, ""),
        measured(1e3 * surface.best_focus_m, 1e3 * surface.best_focus_m_error, "", "+"),
    )


def left_out_table(result: FitResult) -> Table:
    """Tabulate the fits without one of the maps beside the full one."""
    columns = (
        Column("fit"),
        Column(f"rms {_MICRO_M}", numeric=True),
        Column("focus error mm", numeric=True),
        Column(
            "change",
            numeric=True,
            explanation="rms of the change of the phase over the disc, in standard errors of the fit without the map",
        ),
        Column("ending"),
    )
    full = ("all maps", *_surface_cells(result.fit), UNKNOWN, result.fit.status.value)
    rows = [
        (
            f"without map {fit.left_out} {result.map_arrays[fit.left_out - 1].label}".strip(),
            *_surface_cells(fit),
            ratio(left_out_change(result.fit, fit)),
            fit.status.value,
        )
        for fit in result.left_out_fits
    ]
    return Table("Fits without one of the maps", columns, (full, *rows) if rows else (), _of_which_dish(result))


def degenerate_table(result: FitResult) -> Table:
    """Tabulate the pairs of parameters that are hardly told apart."""
    least = result.settings.limits.least_correlation
    condition = number(result.fit.condition_number, ".3g")
    return Table(
        f"Pairs with a correlation of {least:g} and more",
        (Column("parameter"), Column("and"), Column("correlation", numeric=True)),
        tuple((first, second, f"{correlation:+.3f}") for first, second, correlation in result.degenerate_pairs),
        f"Condition number of the matrix of correlations: {condition}.",
    )
