"""Everything that the report of a fit says, as plain values made from its result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from oofpy.fitting.posterior import FitPosterior
from oofpy.fitting.result import FitResult
from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S
from oofpy.quantities import format_frequency, format_length
from oofpy.report import fit_tables, provenance
from oofpy.report.corrections import FocusCorrection, PointingCorrection, focus_correction, pointing_correction
from oofpy.report.numbers import KeyNumber, measured, number, percent, ratio, signed
from oofpy.report.posterior_table import posterior_table
from oofpy.report.tables import Column, Table
from oofpy.report.verdicts import Verdict, verdict_of, verdict_words

_MICRO_M = "\N{MICRO SIGN}m"
_CAUTION = {
    "check": "Look at the flags before any of this is sent to the telescope.",
    "reject": "The result is rejected: send none of this to the telescope.",
}


@dataclass(frozen=True)
class FitContent:
    """What the page of a fit says; figures apart.

    Parameters
    ----------
    title, subtitle : str
    verdict : Verdict
    judged_anew : tuple of str
        Limits that are not those of the fit, each with both values; empty where they are the same.
    stored_verdict : str
        That of the fit, with its reasons, where the result may have been judged again; else empty.
    numbers : tuple of KeyNumber
    focus, pointing : str
        What to correct, in words.
    remarks : tuple of str
        What has to be known to use them.
    efficiencies, coefficients, parameters, maps, residuals, orders, left_out, degenerate, posterior : Table
    origin : tuple of Table
        Files, observation, computation, conventions and changed settings.
    defaults : tuple of Table
        Settings and limits that were left as they are.
    """

    title: str
    subtitle: str
    verdict: Verdict
    judged_anew: tuple[str, ...]
    stored_verdict: str
    numbers: tuple[KeyNumber, ...]
    focus: str
    pointing: str
    remarks: tuple[str, ...]
    efficiencies: Table
    coefficients: Table
    parameters: Table
    maps: Table
    residuals: Table
    orders: Table
    left_out: Table
    degenerate: Table
    posterior: Table
    origin: tuple[Table, ...]
    defaults: tuple[Table, ...]


def fit_content(
    result: FitResult,
    *,
    other_wavelengths_m: Sequence[float] = (),
    as_fitted: FitResult | None = None,
    posterior: FitPosterior | None = None,
) -> FitContent:
    """Say what there is to say about a result.

    Parameters
    ----------
    result : FitResult
    other_wavelengths_m : sequence of float, metres
        At which the efficiency is asked for as well.
    as_fitted : FitResult, optional
        The result as the fit judged it, where `result` is the same judged again by other limits.
    posterior : FitPosterior, optional
        Of the result, where it was sampled.

    Returns
    -------
    FitContent
    """
    focus, pointing = focus_correction(result), pointing_correction(result)
    limits = result.settings.limits
    return FitContent(
        title=" \N{MIDDLE DOT} ".join(
            text for text in (result.telescope.name, result.object_name or result.name, result.date) if text
        ),
        subtitle=_subtitle(result),
        verdict=verdict_of(result),
        judged_anew=() if as_fitted is None else provenance.limit_changes(limits, as_fitted.settings.limits),
        stored_verdict="" if as_fitted is None else verdict_words(as_fitted),
        numbers=_numbers(result, focus, pointing),
        focus=focus.sentence,
        pointing=pointing.sentence,
        remarks=_remarks(result),
        efficiencies=efficiency_table(result, other_wavelengths_m),
        coefficients=fit_tables.coefficient_table(result),
        parameters=fit_tables.parameter_table(result),
        maps=fit_tables.map_table(result),
        residuals=fit_tables.residual_table(result),
        orders=fit_tables.order_table(result),
        left_out=fit_tables.left_out_table(result),
        degenerate=fit_tables.degenerate_table(result),
        posterior=posterior_table(posterior),
        origin=(
            provenance.input_table(result),
            provenance.observation_table(result),
            provenance.changed_settings(result),
            provenance.computing_table(result),
            provenance.convention_table(result),
        ),
        defaults=(provenance.other_settings(result), provenance.other_limits(result)),
    )


def efficiency(rms_um: float, wavelength_m: float) -> float:
    """Ruze's efficiency of a surface with a half-path rms."""
    return math.exp(-((4 * math.pi * rms_um * 1e-6 / wavelength_m) ** 2))


def efficiency_table(result: FitResult, other_wavelengths_m: Sequence[float]) -> Table:
    """Tabulate what the surface costs at the wavelength of the maps and at others."""
    surface = result.fit.surface
    observed = _wavelength_row(result.wavelength_m, surface.ruze_efficiency, surface.exact_efficiency, " (of the maps)")
    others = [
        _wavelength_row(wavelength_m, efficiency(surface.rms_as_observed_um, wavelength_m))
        for wavelength_m in other_wavelengths_m
    ]
    dish = "the dish as it was observed, the correction included" if result.observing.applied else "the dish"
    return Table(
        "Efficiency",
        (
            Column("wavelength"),
            Column("frequency", numeric=True),
            Column("efficiency by Ruze", numeric=True),
            Column("lost", numeric=True),
            Column(
                "exact",
                numeric=True,
                explanation="|sum A exp(i phase)|\N{SUPERSCRIPT TWO} / (sum A)\N{SUPERSCRIPT TWO}",
            ),
        ),
        (observed, *others),
        f"Of {dish}: exp(-(4\N{GREEK SMALL LETTER PI} rms / wavelength)\N{SUPERSCRIPT TWO}) with an rms of "
        f"{number(surface.rms_as_observed_um)} {_MICRO_M}, focus error included.",
    )


def _wavelength_row(wavelength_m: float, ruze: float, exact: float | None = None, remark: str = "") -> tuple[str, ...]:
    return (
        _short_length(wavelength_m) + remark,
        _short_frequency(wavelength_m),
        number(ruze, ".4f"),
        percent(1 - ruze),
        number(exact, ".4f"),
    )


def _short_length(length_m: float) -> str:
    return format_length(float(f"{length_m:.5g}")).replace("um", _MICRO_M)


def _short_frequency(wavelength_m: float) -> str:
    return format_frequency(float(f"{SPEED_OF_LIGHT_M_S / wavelength_m:.5g}"))


def _subtitle(result: FitResult) -> str:
    wavelength = f"{_short_length(result.wavelength_m)} ({_short_frequency(result.wavelength_m)})"
    parts = [f"observation {result.name}", f"wavelength {wavelength}", f"{len(result.fit.maps)} maps"]
    if result.elevation_rad is not None:
        parts.append(f"elevation {math.degrees(result.elevation_rad):.3g}\N{DEGREE SIGN}")
    return ", ".join(parts)


def _numbers(result: FitResult, focus: FocusCorrection, pointing: PointingCorrection) -> tuple[KeyNumber, ...]:
    surface, corrected = result.fit.surface, result.observing.applied is not None
    as_observed = (f"as observed, with the correction on it, {number(surface.rms_as_observed_um)} {_MICRO_M}",)
    of_dish = ", as observed" if corrected else ""
    return (
        KeyNumber(
            "surface rms, half path" + (", without the correction" if corrected else ""),
            measured(surface.rms_um, surface.rms_um_error, _MICRO_M),
            (
                "weighted by the illumination, focus kept",
                f"unweighted {number(surface.rms_unweighted_um)}, without focus "
                f"{number(surface.rms_without_focus_um)} {_MICRO_M}",
                *(as_observed if corrected else ()),
            ),
        ),
        KeyNumber(
            f"efficiency lost at {_short_length(result.wavelength_m)}{of_dish}",
            percent(1 - surface.ruze_efficiency),
            (f"efficiency {number(surface.ruze_efficiency)} by Ruze, {number(surface.exact_efficiency)} exact",),
        ),
        KeyNumber(f"recommended move in focus{of_dish}", focus.short, (f"of the {focus.what}, {focus.direction}",)),
        KeyNumber(
            "recommended move of the telescope's axis",
            pointing.short,
            ("in focus, seen from behind the dish",),
        ),
        KeyNumber("order and likelihood", f"{result.chosen_order}, {result.settings.likelihood}", _how_fitted(result)),
        KeyNumber(
            "signal to noise of the maps",
            ", ".join(ratio(arrays.signal_to_noise) for arrays in result.map_arrays),
            (f"at dz {', '.join(signed(1e3 * fitted.dz_m) for fitted in result.fit.maps)} mm",),
        ),
    )


def _how_fitted(result: FitResult) -> tuple[str, ...]:
    settings, fit = result.settings, result.fit
    if settings.order == "auto":
        how = f"order chosen by BIC and the errors, up to {settings.highest_auto_order}"
    else:
        how = "order as given"
    return how, f"{fit.status.value}, reduced chi\N{SUPERSCRIPT TWO} {number(fit.reduced_chi2, '.3g')}"


def _remarks(result: FitResult) -> tuple[str, ...]:
    """Say of which dish the numbers are, and what the focus rests on."""
    remarks = [_CAUTION[result.verdict]] if result.verdict in _CAUTION else []
    if result.observing.applied is not None:
        remarks.append(
            "A correction was on the dish while it was observed. Surface, rms and coefficients are of the dish without "
            "it; the rms as observed, the efficiencies and the focus are of the dish with it."
        )
    if result.telescope.conventions.defocus_sign == -1:
        remarks.append("dz has the sign of the model here, which is the opposite of that in the telescope's data.")
    remarks.append(
        "The sign of the focus, as of all even orders, rests on the sign of dz in the data: see the conventions."
    )
    return tuple(remarks)
