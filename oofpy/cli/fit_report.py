"""A fit in text, for standard output."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from oofpy.cli.text_tables import aligned, flag_line, number, verdict_words
from oofpy.errors import one_line

if TYPE_CHECKING:
    from oofpy.fitting.posterior import FitPosterior
    from oofpy.fitting.result import Coefficient, FitResult, MapFit, Parameter

_ARCSEC_RAD = math.pi / 648000
_OF_MAPS = ("pointing_u_rad", "pointing_v_rad")
_OF_CHOP = "chop_gain_ratio"


def report_of(result: FitResult) -> list[str]:
    """Describe a result: coefficients, parameters, maps, surface, conventions and flags, as lines."""
    return [
        *_heading(result),
        "",
        *_coefficients(result),
        "",
        *_maps(result),
        "",
        *_parameters(result),
        *_surface(result),
        *_conventions(result),
        verdict_words(result),
        *(flag_line(flag) for flag in result.flags),
    ]


def posterior_lines(posterior: FitPosterior | None) -> list[str]:
    """Describe a sampled posterior beside the errors of the fit; nothing where there is none."""
    if posterior is None:
        return []
    from oofpy.report.posterior_table import posterior_table

    table = posterior_table(posterior)
    header = [column.name for column in table.columns]
    text = [place for place, column in enumerate(table.columns) if not column.numeric]
    return ["", one_line(f"posterior: {table.note}"), *aligned(header, table.rows, text)]


def _heading(result: FitResult) -> list[str]:
    fit = result.fit
    chosen = " (chosen by auto)" if result.settings.order == "auto" else ""
    return [
        one_line(f"{result.name}: {result.telescope.name}, wavelength {result.wavelength_m * 1e3:.6g} mm"),
        one_line(
            f"order {fit.order}{chosen}, {result.settings.likelihood}: {fit.status.value} after "
            f"{fit.evaluations} evaluations in {fit.seconds:.2f} s on {result.device} ({result.dtype}), "
            f"reduced chi2 {number(fit.reduced_chi2, '.3g')}"
        ),
    ]


def _coefficients(result: FitResult) -> list[str]:
    def row(coefficient: Coefficient) -> list[str]:
        return [
            one_line(coefficient.name),
            number(coefficient.phase_rad, "+.5f"),
            number(coefficient.phase_rad_error, ".5f") if coefficient.free else "fixed",
            number(coefficient.surface_rms_um(result.wavelength_m), ".2f"),
        ]

    header = ["coefficient", "rad", "error", "um rms"]
    return aligned(header, [row(coefficient) for coefficient in result.fit.coefficients])


def _maps(result: FitResult) -> list[str]:
    import numpy as np

    def row(place: int, label: str, peak: float, fit: MapFit) -> list[str]:
        u_rad, v_rad = fit.pointing_rad
        return [
            one_line(f"{place} {label}"),
            f"{fit.dz_m * 1e3:+.6g}",
            number(peak),
            number(fit.gain),
            f"{u_rad / _ARCSEC_RAD:+.2f}",
            f"{v_rad / _ARCSEC_RAD:+.2f}",
            number(fit.noise, ".3g"),
            number(100 * fit.residual_rms_over_peak, ".3g"),
            str(fit.samples),
            str(fit.masked),
        ]

    def peak_of(observed: np.ndarray) -> float:
        return float(np.nanmax(observed, initial=-np.inf))

    header = [
        "map",
        "dz mm",
        "peak",
        "gain",
        "u arcsec",
        "v arcsec",
        "noise",
        "residual % of peak",
        "samples",
        "masked",
    ]
    pairs = enumerate(zip(result.map_arrays, result.fit.maps, strict=True), 1)
    rows = [row(place, arrays.label, peak_of(arrays.observed), fit) for place, (arrays, fit) in pairs]
    return aligned(header, rows)


def _parameters(result: FitResult) -> list[str]:
    """Show every parameter that was fitted or moved, but the pointing, which stands with the maps."""

    def shown(parameter: Parameter) -> bool:
        if parameter.name.startswith(_OF_MAPS) or (parameter.name == _OF_CHOP and result.observing.chop is None):
            return False
        return parameter.free or parameter.value != 0

    def line(parameter: Parameter) -> str:
        error = f" +- {number(parameter.error)}" if parameter.free else ""
        note = "" if parameter.free else " (fixed)"
        note = " (at its bound)" if parameter.at_bound else note
        unit = f" {parameter.unit}" if parameter.unit else ""
        return one_line(f"{parameter.name} = {number(parameter.value)}{error}{unit}{note}")

    return [line(parameter) for parameter in result.fit.parameters if shown(parameter)]


def _surface(result: FitResult) -> list[str]:
    surface = result.fit.surface
    corrected = result.observing.applied is not None
    # The rms is of the dish without the correction, efficiency and focus are of the dish with it.
    without, observed = (" without the correction", " as observed") if corrected else ("", "")
    with_correction = (
        f"  as observed, with the correction that was on it, {number(surface.rms_as_observed_um, '.2f')} um"
    )
    return [
        f"surface rms{without} {number(surface.rms_um, '.2f')} +- {number(surface.rms_um_error, '.2f')} um "
        "(half path, weighted by the illumination, focus kept)",
        f"  unweighted {number(surface.rms_unweighted_um, '.2f')} um, "
        f"without focus {number(surface.rms_without_focus_um, '.2f')} um",
        *([with_correction] if corrected else []),
        f"  efficiency{observed} {number(surface.ruze_efficiency)} by Ruze, {number(surface.exact_efficiency)} exact",
        f"focus error{observed} dz = {number(surface.best_focus_m * 1e3, '+.4f')} "
        f"+- {number(surface.best_focus_m_error * 1e3, '.4f')} mm (a move by minus this corrects it)",
    ]


def _conventions(result: FitResult) -> list[str]:
    from oofpy.io.convention_words import conventions_in_words

    words = conventions_in_words(result)
    return [one_line(f"convention ({subject}): {words[subject]}") for subject in ("defocus", "surface")]
