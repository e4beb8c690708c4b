"""The figures of a fit, in the order in which they are read."""

from __future__ import annotations

from pathlib import Path

from oofpy.fitting.posterior import FitPosterior
from oofpy.fitting.result import FitResult
from oofpy.plots.aperture import phase_figure, surface_error_figure, surface_figure
from oofpy.plots.beam_levels import beam_level_figure
from oofpy.plots.beams import beam_figure
from oofpy.plots.coefficients import coefficient_figure, has_left_out_fits, left_out_figure
from oofpy.plots.correlation import correlation_figure, has_correlation
from oofpy.plots.cuts import cut_figure
from oofpy.plots.ladder import has_ladder, ladder_figure
from oofpy.plots.posterior import posterior_figure
from oofpy.plots.residuals import residual_figure
from oofpy.plots.saving import FigureKind, draw_figures, write_drawn

FIGURES: tuple[FigureKind[FitResult], ...] = (
    FigureKind(
        "beams",
        beam_figure,
        "Maps",
        "Observed and model of every map on one linear scale, and observed minus model in standard deviations of the "
        "fitted noise. Lines surround samples to which the likelihood gave less than a tenth of the full weight, solid "
        "where the residual is positive, broken where it is negative. A cross marks the pointing; samples left out are "
        "blank.",
    ),
    FigureKind(
        "levels",
        beam_level_figure,
        "Maps in decibels",
        "Observed and model of every map in decibels below the peak of the model, background taken off, with contours "
        "at -3, -10, -20 and -30 dB; the observed ones only where the level is above three times the noise. Right: "
        "observed contours (black) over those of the model (grey bands, broken lines). Where the power is negative, as "
        "in the second beam of a chopped map, the level is that of its magnitude; in chopped maps such parts are "
        "hatched on the right.",
    ),
    FigureKind(
        "cuts",
        cut_figure,
        "Cuts",
        "Left: mean power in rings about the pointing; points observed with standard errors, line model, triangles "
        "upper limits of two standard errors. Right: power along the brightest ring, or in focus the half-power ring "
        "(dotted on the left), over its mean, against the angle from +u towards +v. Glitches are left out of both; of "
        "a chopped map the half nearer to the negative beam is too.",
    ),
    FigureKind(
        "phase",
        phase_figure,
        "Phase",
        "Phase over the dish (> 0: longer path) as fitted, without tilt, and without tilt and focus; above each at its "
        "own scale, below all at \N{PLUS-MINUS SIGN}2.5 rad, so that observations compare at a glance. Negative "
        "contours are dashed, the zero line is heavy, blockage is grey.",
    ),
    FigureKind(
        "surface",
        surface_figure,
        "Surface error",
        "Half-path surface error (> 0: metal below the ideal surface) in the same views; below at a fixed round scale "
        "near what 2.5 rad are at this wavelength.",
    ),
    FigureKind(
        "surface_error",
        surface_error_figure,
        "How well the surface is known",
        "Standard error of the surface, the surface error over it (white lines at 3, black at 10, dashed where the "
        "error is negative), and the amplitude of the field in dB. Where a correction was on the dish: the surface "
        "without it, what it took away, and the dish as observed.",
    ),
    FigureKind(
        "coefficients",
        coefficient_figure,
        "Coefficients",
        "Coefficients of the chosen order (dark, with standard errors) beside those of the other orders (light); "
        "radians left, waves right; fixed ones hatched, those at a bound edged red.",
    ),
    FigureKind(
        "left_out",
        left_out_figure,
        "Without each of the maps",
        "Coefficients without one of the maps minus those of all maps, in standard errors of the latter (grey band); "
        "right: rms and focus error. A map that disagrees stands apart. Open symbols: not converged.",
        has_left_out_fits,
    ),
    FigureKind(
        "ladder",
        ladder_figure,
        "Order ladder",
        "Reduced chi2, BIC above the least, surface rms, focus error and pointing of the map nearest to focus, against "
        "order. Band: chosen order; open symbols: not converged.",
        has_ladder,
    ),
    FigureKind(
        "correlation",
        correlation_figure,
        "Correlations",
        "Correlations of the free parameters; pairs that are hardly told apart are ringed and named.",
        has_correlation,
    ),
    FigureKind(
        "residuals",
        residual_figure,
        "Distribution of the residuals",
        "Left: density of the residuals over the fitted scale against the likelihood and the Gaussian of its core, "
        "what lies beyond in the outermost bins. Right: normal quantiles with the band of 95 % of Gaussian noise.",
    ),
)

# Of a result whose posterior was sampled.
POSTERIOR_FIGURES: tuple[FigureKind[tuple[FitResult, FitPosterior]], ...] = (
    FigureKind(
        "posterior",
        lambda both: posterior_figure(*both),
        "Posterior",
        "Sampled posterior (blue: density, contours at one and two standard deviations) of the parameters whose "
        "posterior differs from their standard error, then of those that are most correlated, in pairs; along the "
        "diagonal each alone, with its median and half the width of the central 68 %. Axes in standard errors of the "
        "fit about the fitted value. Red: what these errors say.",
    ),
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
    write_drawn(draw_figures(FIGURES, result, pdf=pdf), Path(folder))
