"""`oofpy report`: the page and the figures of a result again, without a fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oofpy.cli import options
from oofpy.cli.endings import Ending
from oofpy.errors import UsageError, one_line
from oofpy.recipe.entries import from_command_line

if TYPE_CHECKING:
    from oofpy.fitting.result import FitResult

_LIMITS = "limits."

Result = Annotated[
    Path,
    typer.Argument(
        metavar="RESULT", show_default=False, help="Folder that 'oofpy fit' has written, or the result.fits in it."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=options.place_of,
        show_default=False,
        help="Where the report goes; left out, into the folder of the result, where it replaces the old one.",
    ),
]
SetLimit = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="limits.NAME=VALUE",
        show_default=False,
        help="A limit by which the result is judged again, see 'oofpy flags'; may be repeated, e.g. "
        "--set limits.most_reduced_chi2=9.",
    ),
]
NoFigures = Annotated[bool, typer.Option("--no-figures", help="Write no figures beside the page.")]


def report_command(
    result: Result,
    out: Out = None,
    wavelengths: options.OtherWavelengths = None,
    pdf: options.Pdf = False,
    assignments: SetLimit = None,
    no_figures: NoFigures = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> int:
    """Write the report and the figures of a result again, without fitting.

    With --set the result is judged by other limits; what it says itself stays as it is.
    """
    from oofpy.cli.text_tables import verdict_words
    from oofpy.io.result_reading import read_result

    other_wavelengths_m = options.lengths_of(wavelengths, "--wavelengths")
    texts = _limit_texts(assignments or [])
    fitted = read_result(result)
    judged = _judged_again(fitted, texts) if texts else fitted
    from oofpy.io.posterior_file import posterior_beside

    posterior = posterior_beside(fitted, result)
    from oofpy.report import write_report
    from oofpy.report.fit_report import REPORT_FILE, report_files

    folder = out or (result if result.is_dir() else result.parent)
    if out is not None:
        _require_free(out, report_files(figures=not no_figures, pdf=pdf, posterior=posterior is not None), overwrite)
    write_report(
        judged,
        folder,
        other_wavelengths_m=other_wavelengths_m,
        figures=not no_figures,
        pdf=pdf,
        as_fitted=fitted,
        posterior=posterior,
    )
    if not quiet:
        print(one_line(f"{judged.name}: {verdict_words(judged)}"))
        print(one_line(f"report in {folder / REPORT_FILE}"), flush=True)
    return Ending.DONE if judged.status == "ok" else Ending.FLAGGED


def _limit_texts(assignments: Sequence[str]) -> dict[str, str]:
    """Read what `--set` says; it may set limits only, as all else would need a fit."""
    texts = from_command_line({}, assignments)
    for key, text in texts.items():
        if not key.startswith(_LIMITS):
            raise UsageError(
                "is no limit, and a report does not fit again",
                key=f"--set {key}",
                value=text or "''",
                remedy="set limits.NAME only (see 'oofpy flags'), or use 'oofpy fit'",
            )
    return texts


def _judged_again(result: FitResult, texts: dict[str, str]) -> FitResult:
    from oofpy.fitting.overrides import apply_settings

    limits = apply_settings(result.settings, texts).limits  # before torch is loaded: it may be refused
    from oofpy.fitting.rules import rejudged

    return rejudged(result, limits)


def _require_free(folder: Path, names: Sequence[str], overwrite: bool) -> None:
    """Refuse, before any work, to replace another report."""
    from oofpy.io.atomic import refuse_existing

    for name in names:
        refuse_existing(folder / name, overwrite)
