"""The page of a comparison: findings and remarks first, then tables and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oofpy.comparison.values import Comparison, Difference, Remark, Repeatability
from oofpy.comparison.words import Finding, conventions, key_findings, probability_in_words
from oofpy.fitting.result import FitResult
from oofpy.io.atomic import atomic_file
from oofpy.optics.half_path import phase_of_half_path_rad
from oofpy.plots.comparison_figures import COMPARISON_FIGURES
from oofpy.plots.saving import DrawnFigure, draw_figures, write_drawn
from oofpy.report.numbers import UNKNOWN, KeyNumber, measured, number, ratio, rounded
from oofpy.report.page import render
from oofpy.report.tables import Column, Table

COMPARISON_PAGE = "comparison.html"
_MICRO_M = "\N{MICRO SIGN}m"
_CHI2 = "chi\N{SUPERSCRIPT TWO}"


@dataclass(frozen=True)
class ComparisonContent:
    """What the page of a comparison says; figures apart.

    Parameters
    ----------
    title, subtitle : str
    remarks : tuple of Remark
    numbers : tuple of KeyNumber
    results, coefficients : Table
    deviations : tuple of Table
        How far each of several results lies from their mean; empty for two.
    each : tuple of Table
        Coefficients of each result in micrometres and radians.
    origin : tuple of Table
        Files and conventions.
    """

    title: str
    subtitle: str
    remarks: tuple[Remark, ...]
    numbers: tuple[KeyNumber, ...]
    results: Table
    coefficients: Table
    deviations: tuple[Table, ...]
    each: tuple[Table, ...]
    origin: tuple[Table, ...]


def write_comparison_page(comparison: Comparison, folder: str | Path, *, page: bool = True, pdf: bool = False) -> None:
    """Draw the figures of a comparison into a folder, and write its page.

    Parameters
    ----------
    comparison : Comparison
        What to show.
    folder : path-like
        An existing folder, for `NAME.png` of every figure.
    page : bool
        Write `comparison.html`, which holds the figures and needs no other file.
    pdf : bool
        Write `NAME.pdf` of every figure as well.

    Raises
    ------
    UsageError
        If a file cannot be written.
    """
    drawn = draw_figures(COMPARISON_FIGURES, comparison, pdf=pdf)
    write_drawn(drawn, Path(folder))
    if page:
        with atomic_file(Path(folder, COMPARISON_PAGE), overwrite=True) as part:
            part.write_text(comparison_page(comparison, drawn), encoding="utf-8", newline="\n")


def comparison_page(comparison: Comparison, drawn: Sequence[DrawnFigure]) -> str:
    """Make the page of a comparison with figures that are drawn already.

    Parameters
    ----------
    comparison : Comparison
    drawn : sequence of DrawnFigure

    Returns
    -------
    str
        HTML.
    """
    return render("comparison.html.j2", content=comparison_content(comparison), figures=drawn)


def comparison_content(comparison: Comparison) -> ComparisonContent:
    """Say what there is to say about a comparison.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    ComparisonContent
    """
    difference, repeated = comparison.difference, comparison.repeatability
    coefficients: Table | None = None
    if difference is not None:
        coefficients = _difference_table(comparison, difference)
    elif repeated is not None:
        coefficients = _repeatability_table(comparison, repeated)
    return ComparisonContent(
        title=f"{comparison.results[0].telescope.name} \N{MIDDLE DOT} comparison of {len(comparison.names)} results",
        subtitle=", ".join(_names(comparison)),
        remarks=comparison.remarks,
        numbers=tuple(map(_key_number, key_findings(comparison))),
        results=_result_table(comparison),
        coefficients=coefficients or Table("Coefficients", (Column("term"),), ()),
        deviations=() if repeated is None else (_deviation_table(comparison, repeated),),
        each=tuple(_value_table(comparison, place) for place in range(len(comparison.names))),
        origin=(_input_table(comparison), _convention_table(comparison)),
    )


def _names(comparison: Comparison) -> list[str]:
    return [f"{label} {name}" for label, name in zip(comparison.labels, comparison.names, strict=True)]


def _key_number(found: Finding) -> KeyNumber:
    dish, chi2 = found.dish, found.chi2
    spread = f"1 \N{PLUS-MINUS SIGN} {number(dish.ratio_spread, '.2g')} by chance"
    lines = [
        f"errors alone {number(dish.expected_um, '.2g')} {_MICRO_M}",
        f"ratio {ratio(dish.ratio)} ({spread})",
    ]
    if chi2 is not None:
        lines += [
            f"{_CHI2} {ratio(chi2.value)} for {chi2.degrees_of_freedom} degrees of freedom",
            f"probability {probability_in_words(chi2.probability)}: {found.verdict}",
        ]
    subject = found.subject.replace(" - ", " \N{MINUS SIGN} ")
    value = f"{number(dish.rms_um, '.3g' if abs(dish.rms_um) < 999.5 else '.0f')} {_MICRO_M} rms"
    return KeyNumber(f"{subject}, {found.part}", value, tuple(lines))


def _result_table(comparison: Comparison) -> Table:
    corrected = [
        label
        for label, result in zip(comparison.labels, comparison.results, strict=True)
        if result.observing.applied is not None
    ]
    note = "Weighted by the illumination of each."
    if corrected:
        note += (
            f" A correction was on the dish for {', '.join(corrected)}: rms is of the dish without it, focus and "
            "efficiency are of the dish as observed."
        )
    columns = (
        Column("result"),
        Column("object"),
        Column("date"),
        Column("elevation", numeric=True, explanation="deg"),
        Column("\N{GREEK SMALL LETTER LAMDA} mm", numeric=True),
        Column("order", numeric=True),
        Column(f"rms {_MICRO_M}", numeric=True, explanation="half path, focus kept"),
        Column(f"no focus {_MICRO_M}", numeric=True, explanation="rms without the fitted Z(2,0)"),
        Column("dz mm", numeric=True, explanation="focus error; a move by minus this corrects it"),
        Column("efficiency", numeric=True, explanation="exact, at the wavelength of the result"),
        Column("verdict"),
    )
    rows = [_result_row(name, result) for name, result in zip(_names(comparison), comparison.results, strict=True)]
    return Table("Results", columns, tuple(rows), note)


def _result_row(name: str, result: FitResult) -> tuple[str, ...]:
    surface, elevation = result.fit.surface, result.elevation_rad
    return (
        name,
        result.object_name or UNKNOWN,
        result.date or UNKNOWN,
        UNKNOWN if elevation is None else number(math.degrees(elevation), ".3g"),
        number(result.wavelength_m * 1e3, ".6g"),
        str(result.chosen_order),
        measured(surface.rms_um, surface.rms_um_error, ""),
        number(surface.rms_without_focus_um),
        measured(surface.best_focus_m * 1e3, surface.best_focus_m_error * 1e3, "", "+"),
        number(surface.exact_efficiency),
        result.verdict,
    )


def _difference_table(comparison: Comparison, difference: Difference) -> Table:
    columns = (
        Column("term"),
        Column(f"A {_MICRO_M}", numeric=True),
        Column(f"B {_MICRO_M}", numeric=True),
        Column(f"A \N{MINUS SIGN} B {_MICRO_M}", numeric=True),
        Column("error", numeric=True),
        Column(
            "z", numeric=True, explanation="difference over its error; a dash for terms that were not fitted in both"
        ),
    )
    rows = []
    for place, term in enumerate(comparison.terms):
        value, error = rounded(difference.values_um[place], difference.errors_um[place], "+")
        each = (
            rounded(float(values[place]), float(errors[place]), "+")[0]
            for values, errors in zip(comparison.values_um, comparison.errors_um, strict=True)
        )
        rows.append((term.name, *each, value, error, number(difference.z[place], "+.1f")))
    return Table(
        "Difference",
        columns,
        tuple(rows),
        "Half-path errors: wavelength x coefficient / 4 \N{GREEK SMALL LETTER PI}.",
    )


def _repeatability_table(comparison: Comparison, repeated: Repeatability) -> Table:
    columns = (
        Column("term"),
        Column(f"mean {_MICRO_M}", numeric=True, explanation="weighted by the inverse variances"),
        Column("error", numeric=True),
        Column(f"scatter {_MICRO_M}", numeric=True, explanation="standard deviation of the results"),
        Column(f"predicted {_MICRO_M}", numeric=True, explanation="the same by their errors"),
        Column("ratio", numeric=True),
        Column(_CHI2, numeric=True, explanation="about the weighted mean"),
        Column("probability", numeric=True, explanation="of a larger one by the errors alone"),
        Column("largest pull", numeric=True, explanation="a result minus the mean over the error of this difference"),
    )
    rows = []
    for place, term in enumerate(comparison.terms):
        if math.isnan(repeated.mean_um[place]):
            continue
        mean, error = rounded(repeated.mean_um[place], repeated.mean_errors_um[place], "+")
        scatter, predicted = repeated.scatter_um[place], repeated.predicted_um[place]
        chi2 = repeated.chi2[place]
        rows.append(
            (
                term.name,
                mean,
                error,
                number(scatter, ".3g"),
                number(predicted, ".3g"),
                ratio(scatter / predicted if predicted > 0 else None),
                ratio(chi2.value),
                probability_in_words(chi2.probability),
                _largest_pull(comparison, repeated, place),
            )
        )
    freedom = f"{len(comparison.names) - 1} degrees of freedom each"
    return Table(
        "Mean and scatter",
        columns,
        tuple(rows),
        f"Terms that all results have. Half-path errors; {_CHI2} with {freedom}.",
    )


def _largest_pull(comparison: Comparison, repeated: Repeatability, place: int) -> str:
    known = [
        (abs(pull), float(pull), label)
        for pull, label in zip(repeated.pulls[:, place], comparison.labels, strict=True)
        if math.isfinite(pull)
    ]
    return f"{max(known)[1]:+.1f} ({max(known)[2]})" if known else UNKNOWN


def _deviation_table(comparison: Comparison, repeated: Repeatability) -> Table:
    columns = [Column("result")]
    for view in repeated.views:
        columns += [
            Column(f"rms {_MICRO_M} {view.name}", numeric=True),
            Column(f"errors alone {_MICRO_M}", numeric=True),
            Column("ratio", numeric=True),
        ]
    rows = []
    for place, name in enumerate(_names(comparison)):
        row = [name]
        for view in repeated.views:
            dish = view.deviations[place]
            row += [number(dish.rms_um, ".3g"), number(dish.expected_um, ".2g"), ratio(dish.ratio)]
        rows.append(tuple(row))
    return Table("Each result minus the weighted mean", tuple(columns), tuple(rows))


def _value_table(comparison: Comparison, place: int) -> Table:
    result = comparison.results[place]
    rows = []
    coefficients = zip(comparison.terms, comparison.values_um[place], comparison.errors_um[place], strict=True)
    for term, value, error in coefficients:
        if math.isnan(value):
            continue
        held = "fixed" if error == 0 else None
        um, um_error = rounded(value, error, "+")
        phase, phase_error = (phase_of_half_path_rad(one, result.wavelength_m) for one in (value, error))
        rad, rad_error = rounded(phase, phase_error, "+")
        rows.append((term.name, um, held or um_error, rad, held or rad_error))
    columns = (
        Column("term"),
        Column(_MICRO_M, numeric=True),
        Column("error", numeric=True),
        Column("rad", numeric=True),
        Column("error", numeric=True),
    )
    title = f"{_names(comparison)[place]}, wavelength {result.wavelength_m * 1e3:.6g} mm"
    return Table(title, columns, tuple(rows))


def _input_table(comparison: Comparison) -> Table:
    rows = [
        (name, str(source.path), source.sha256)
        for name, result in zip(_names(comparison), comparison.results, strict=True)
        for source in result.sources
    ]
    return Table("Files", (Column("result"), Column("file"), Column("SHA-256")), tuple(rows))


def _convention_table(comparison: Comparison) -> Table:
    return Table("Conventions", (Column("of"), Column("what holds")), tuple(conventions(comparison).items()))
