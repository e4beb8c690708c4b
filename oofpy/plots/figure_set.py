"""The figures of a fit, in the order in which they are read."""

from __future__ import annotations

from pathlib import Path

from oofpy.fitting.result import FitResult
from oofpy.plots.aperture import phase_figure, surface_figure
from oofpy.plots.beams import beam_figure
from oofpy.plots.saving import FigureKind, draw_figures

FIGURES: tuple[FigureKind[FitResult], ...] = (
    FigureKind(
        "beams",
        beam_figure,
        "Maps",
        "Observed, model and residual of every map.",
    ),
    FigureKind("phase", phase_figure, "Phase", "Phase over the dish."),
    FigureKind("surface", surface_figure, "Surface error", "Half-path surface error over the dish."),
)


def write_figures(result: FitResult, folder: str | Path, *, pdf: bool = False) -> None:
    """Draw every figure of a result into a folder.

    Parameters
    ----------
    result : FitResult
        What to draw.
    folder : path-like
        An existing folder, for `NAME.png` of every figure.
    pdf : bool
        Write `NAME.pdf` as well.
    """
    for _ in draw_figures(FIGURES, result, folder=Path(folder), pdf=pdf):
        pass
