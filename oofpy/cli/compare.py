"""`oofpy compare`: what differs between results, and whether their errors explain it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oofpy.cli import options
from oofpy.cli.endings import Ending
from oofpy.cli.messages import Messages
from oofpy.cli.text_tables import aligned, number
from oofpy.errors import UsageError, one_line

if TYPE_CHECKING:
    from oofpy.comparison import Comparison, Difference, Repeatability
    from oofpy.fitting.result import FitResult

_FOLDER = Path("oofpy-comparisons")

Results = Annotated[
    list[Path],
    typer.Argument(
        metavar="RESULT...", show_default=False, help="Results of 'oofpy fit': their folders or result.fits."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=options.place_of,
        show_default=False,
        help=f"Folder to make; in {_FOLDER}, named after the results, if left out.",
    ),
]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write no comparison.html.")]


def compare_command(
    results: Results,
    out: Out = None,
    pdf: options.Pdf = False,
    no_report: NoReport = False,
    json: options.Json = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> int:
    """Compare results of one telescope.

    Of two results the difference is taken, the first minus the second; three and more are held against their mean, for
    the repeatability. What differs and whether the errors explain it goes to standard output, tables and figures to a
    folder. A difference is no failure: the exit code is 0.
    """
    from oofpy.comparison import compare
    from oofpy.comparison.writing import COMPARISON_FILE, comparison_name, write_comparison
    from oofpy.io.atomic import refuse_foreign
    from oofpy.io.results import read_result

    if len(results) < 2:
        raise UsageError(
            "two or more results are needed", key="RESULT", value=len(results), remedy="give the folders of two or more"
        )
    messages = Messages(quiet)
    with messages.working("reading the results"):
        found = [read_result(place) for place in results]
    comparison = compare(found)
    folder = out or _FOLDER / comparison_name(comparison.names)
    refuse_foreign(folder, COMPARISON_FILE, overwrite)

    def illustrate(made: Comparison, part: Path) -> None:
        from oofpy.report.comparison_page import write_comparison_page

        write_comparison_page(made, part, page=not no_report, pdf=pdf)

    with messages.working("writing the comparison"):
        write_comparison(comparison, folder, illustrate=illustrate, overwrite=overwrite)
    if json:
        _print_json(comparison)
    elif not quiet:
        print("\n".join([*_lines(comparison, results), f"comparison in {folder}"]), flush=True)
    return Ending.DONE


def _print_json(comparison: Comparison) -> None:
    import json

    from oofpy.comparison.summary import summary

    print(json.dumps(summary(comparison), indent=2, allow_nan=False))


def _lines(comparison: Comparison, places: list[Path]) -> list[str]:
    """Describe a comparison: the results, their coefficients, what it comes to, and what to know about it."""
    from oofpy.comparison.words import findings

    difference, repeated = comparison.difference, comparison.repeatability
    table: list[str] = []
    if difference is not None:
        table = _differences(comparison, difference)
    elif repeated is not None:
        table = [*_deviations(comparison, repeated), "", *_scatters(comparison, repeated)]
    return [
        one_line(
            f"{comparison.results[0].telescope.name}: half-path surface errors, > 0: metal below the ideal surface"
        ),
        *_results(comparison, places),
        "",
        *table,
        "",
        *findings(comparison),
        *(f"remark {remark.code}: {remark.message}" for remark in comparison.remarks),
    ]


def _results(comparison: Comparison, places: list[Path]) -> list[str]:
    def row(label: str, name: str, result: FitResult, place: Path) -> list[str]:
        surface, elevation = result.fit.surface, result.elevation_rad
        return [
            label,
            name,
            one_line(result.date or "-"),
            number(None if elevation is None else math.degrees(elevation), ".3g"),
            f"{result.wavelength_m * 1e3:.6g}",
            str(result.chosen_order),
            number(surface.rms_um, ".2f"),
            number(surface.rms_um_error, ".2f"),
            number(surface.rms_without_focus_um, ".2f"),
            number(surface.best_focus_m * 1e3, "+.4f"),
            result.verdict,
            one_line(str(place)),
        ]

    header = ["", "result", "date", "el deg", "mm", "order", "rms um", "error", "no focus", "dz mm", "verdict", "from"]
    entries = zip(comparison.labels, comparison.names, comparison.results, places, strict=True)
    return aligned(header, [row(*entry) for entry in entries], left=(0, 1, 2, 10, 11))


def _differences(comparison: Comparison, difference: Difference) -> list[str]:
    rows = [
        [
            one_line(term.name),
            number(comparison.values_um[0, place], "+.2f"),
            number(comparison.values_um[1, place], "+.2f"),
            number(difference.values_um[place], "+.2f"),
            number(difference.errors_um[place], ".2f"),
            number(difference.z[place], "+.1f"),
        ]
        for place, term in enumerate(comparison.terms)
    ]
    return aligned(["coefficient", "A um", "B um", "A - B um", "error", "z"], rows)


def _deviations(comparison: Comparison, repeated: Repeatability) -> list[str]:
    rows = []
    for place, label in enumerate(comparison.labels):
        row = [label]
        for view in repeated.views:
            dish = view.deviations[place]
            row += [number(dish.rms_um, ".2f"), number(dish.expected_um, ".2f")]
        rows.append(row)
    return aligned(["minus mean", "rms um", "expected", "no focus", "expected"], rows)


def _scatters(comparison: Comparison, repeated: Repeatability) -> list[str]:
    from oofpy.comparison.words import probability_in_words

    rows = []
    for place, term in enumerate(comparison.terms):
        if math.isnan(repeated.mean_um[place]):
            continue
        scatter, predicted = repeated.scatter_um[place], repeated.predicted_um[place]
        rows.append(
            [
                one_line(term.name),
                number(repeated.mean_um[place], "+.2f"),
                number(repeated.mean_errors_um[place], ".2f"),
                number(scatter, ".2f"),
                number(predicted, ".2f"),
                number(scatter / predicted if predicted > 0 else None, ".2f"),
                probability_in_words(repeated.chi2[place].probability),
            ]
        )
    return aligned(["coefficient", "mean um", "error", "scatter", "predicted", "ratio", "probability"], rows)
