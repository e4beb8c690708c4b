"""The figures of a result as PNG files."""

from __future__ import annotations

import warnings
from pathlib import Path

from oofpy.fitting.result import FitResult
from oofpy.plots.aperture import phase_figure, surface_figure
from oofpy.plots.beams import beam_figure

_DOTS_PER_INCH = 120
FIGURES = {"beams.png": beam_figure, "phase.png": phase_figure, "surface.png": surface_figure}


def write_figures(result: FitResult, folder: str | Path) -> None:
    """Draw every figure of a result into a folder.

    Parameters
    ----------
    result : FitResult
        What to draw.
    folder : path-like
        An existing folder; `beams.png`, `phase.png` and `surface.png` are made there.
    """
    for name, draw in FIGURES.items():
        with warnings.catch_warnings():
            # A name in a script that the font lacks is drawn as boxes; that is no reason to speak.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            draw(result).savefig(Path(folder) / name, dpi=_DOTS_PER_INCH)
