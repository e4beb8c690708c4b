"""The report of a fit: one page and its figures, drawn once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from oofpy.fitting.posterior import FitPosterior
from oofpy.fitting.result import FitResult
from oofpy.io.atomic import atomic_file
from oofpy.plots.figure_set import FIGURES, POSTERIOR_FIGURES
from oofpy.plots.saving import DrawnFigure, draw_figures, write_drawn
from oofpy.report.fit_content import fit_content
from oofpy.report.page import render

REPORT_FILE = "report.html"
# Where on the page each figure stands; one that is not named here stands under the last heading before the provenance.
FIGURES_OF_SECTION = {
    "maps": ("beams", "levels", "cuts"),
    "surface": ("phase", "surface", "surface_error"),
    "coefficients": ("coefficients",),
    "checks": ("left_out", "ladder", "correlation", "residuals"),
    "posterior": ("posterior",),
}


def write_report(
    result: FitResult,
    folder: str | Path,
    *,
    other_wavelengths_m: Sequence[float] = (),
    page: bool = True,
    figures: bool = True,
    pdf: bool = False,
    as_fitted: FitResult | None = None,
    posterior: FitPosterior | None = None,
) -> None:
    """Write the report of a result and its figures into a folder; what has their names is replaced.

    Parameters
    ----------
    result : FitResult
        What to show.
    folder : path-like
        An existing folder.
    other_wavelengths_m : sequence of float, metres
        At which the report gives the efficiency as well.
    page : bool
        Write `report.html`, which holds the figures and needs no other file.
    figures : bool
        Write `NAME.png` of every figure.
    pdf : bool
        Write `NAME.pdf` of every figure.
    as_fitted : FitResult, optional
        The result as the fit judged it, where `result` is the same judged again by other limits.
    posterior : FitPosterior, optional
        Of the result, where it was sampled.

    Raises
    ------
    UsageError
        If a file cannot be written; each is written complete or not at all, the page last.
    """
    if not (page or figures or pdf):
        return
    drawn = draw_figures(FIGURES, result, pdf=pdf)
    if posterior is not None:
        drawn += draw_figures(POSTERIOR_FIGURES, (result, posterior), pdf=pdf)
    write_drawn(drawn, Path(folder), png=figures)
    if page:
        text = report_page(
            result, drawn, other_wavelengths_m=other_wavelengths_m, as_fitted=as_fitted, posterior=posterior
        )
        with atomic_file(Path(folder) / REPORT_FILE, overwrite=True) as part:
            part.write_text(text, encoding="utf-8", newline="\n")


def report_page(
    result: FitResult,
    drawn: Iterable[DrawnFigure],
    *,
    other_wavelengths_m: Sequence[float] = (),
    as_fitted: FitResult | None = None,
    posterior: FitPosterior | None = None,
) -> str:
    """Make the page of a result with figures that are drawn already; the same of the same result to the last byte.

    Parameters
    ----------
    result : FitResult
    drawn : iterable of DrawnFigure
    other_wavelengths_m : sequence of float, metres
        As for `write_report`.
    as_fitted : FitResult, optional
        As for `write_report`.
    posterior : FitPosterior, optional
        As for `write_report`.

    Returns
    -------
    str
        HTML.
    """
    content = fit_content(result, other_wavelengths_m=other_wavelengths_m, as_fitted=as_fitted, posterior=posterior)
    return render("fit.html.j2", content=content, figures=_by_section(drawn))


def report_files(*, figures: bool, pdf: bool, posterior: bool = False) -> tuple[str, ...]:
    """Names of the files of a report with its page, with or without those of a posterior."""
    names = [kind.name for kind in FIGURES] + [kind.name for kind in POSTERIOR_FIGURES if posterior]
    endings = [ending for ending, wanted in (("png", figures), ("pdf", pdf)) if wanted]
    return (REPORT_FILE, *(f"{name}.{ending}" for name in names for ending in endings))


def _by_section(drawn: Iterable[DrawnFigure]) -> dict[str, list[DrawnFigure]]:
    sections: dict[str, list[DrawnFigure]] = {section: [] for section in (*FIGURES_OF_SECTION, "further")}
    for figure in drawn:
        place = (section for section, names in FIGURES_OF_SECTION.items() if figure.name in names)
        sections[next(place, "further")].append(figure)
    return sections
