"""The sampled posterior of a fit against its standard errors, as a corner plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import UsageError
from oofpy.fitting.posterior import FitPosterior, ParameterPosterior
from oofpy.fitting.result import FitResult
from oofpy.plots.frame import drawing_style, new_figure, shorten, with_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

MOST_SHOWN = 8
_PANEL_IN, _LEFT_IN, _BOTTOM_IN, _RIGHT_IN, _TOP_IN = 1.02, 0.62, 0.62, 0.4, 0.55
_LEAST_WIDTH_IN = 6.4
_BINS = 26
_LEAST_LIMIT, _MOST_LIMIT = 3.2, 8.0
# Parts of a Gaussian in two dimensions within one and two standard deviations.
_LEVELS = (1 - float(np.exp(-0.5)), 1 - float(np.exp(-2.0)))
_OF_POSTERIOR, _OF_ERRORS = "#00407a", "#c15243"


def shown_parameters(posterior: FitPosterior) -> tuple[ParameterPosterior, ...]:
    """Choose what the corner plot shows.

    Parameters
    ----------
    posterior : FitPosterior

    Returns
    -------
    tuple of ParameterPosterior
        Parameters that all maps share, at most `MOST_SHOWN`: first those whose posterior differs from the error, then
        those that are most correlated with another; in the order of the fit.
    """
    places = [place for place, one in enumerate(posterior.parameters) if one.error > 0 and "[" not in one.name]
    if len(places) > MOST_SHOWN:
        with np.errstate(invalid="ignore"):
            correlation = np.abs(np.nan_to_num(np.corrcoef(posterior.samples[:, places].T)))
        strongest = (correlation - np.eye(len(places))).max(axis=1)
        differs = [posterior.parameters[place].differs for place in places]
        # lexsort takes the last key first.
        best = np.lexsort((-strongest, ~np.array(differs)))[:MOST_SHOWN]
        places = sorted(places[rank] for rank in best)
    return tuple(posterior.parameters[place] for place in places)


def posterior_figure(result: FitResult, posterior: FitPosterior) -> Figure:
    """Draw the posterior of the parameters that say most, in pairs, over the standard errors of the fit.

    Parameters
    ----------
    result : FitResult
        What was fitted.
    posterior : FitPosterior
        Of it.

    Returns
    -------
    Figure
        Every axis in standard errors of the fit about the fitted value: a posterior that agrees with the errors lies
        on their ellipses and curves, which are red.

    Raises
    ------
    UsageError
        If the extra `posterior` is not installed.
    """
    try:
        import corner
    except ImportError as error:
        raise UsageError(
            "the figure of a posterior needs corner, which is not installed", remedy="pip install 'oofpy[posterior]'"
        ) from error
    shown = shown_parameters(posterior)
    values = _in_errors(posterior, shown)
    with drawing_style():
        width = max(_LEAST_WIDTH_IN, _LEFT_IN + _PANEL_IN * len(shown) + _RIGHT_IN)
        body = _TOP_IN + _PANEL_IN * len(shown) + _BOTTOM_IN
        figure = new_figure(result, width, body, *_lines(posterior, shown))
        limit = _limit(values)
        corner.corner(
            values,
            fig=figure,
            bins=_BINS,
            range=[(-limit, limit)] * len(shown),
            levels=_LEVELS,
            smooth=1.0,
            color=_OF_POSTERIOR,
            plot_datapoints=False,
            hist_kwargs={"density": True, "linewidth": 1.0},
            contour_kwargs={"linewidths": 0.9},
            max_n_ticks=3,
        )
        height = float(figure.get_size_inches()[1])
        figure.subplots_adjust(
            left=_LEFT_IN / width,
            right=(_LEFT_IN + _PANEL_IN * len(shown)) / width,
            bottom=_BOTTOM_IN / height,
            top=(_BOTTOM_IN + _PANEL_IN * len(shown)) / height,
            wspace=0.06,
            hspace=0.06,
        )
        panels: Any = np.array(figure.axes).reshape(len(shown), len(shown))
        _dress(panels, shown, limit)
        _draw_errors(panels, result, shown, limit)
    return figure


def _lines(posterior: FitPosterior, shown: tuple[ParameterPosterior, ...]) -> list[str]:
    """Lines of the heading below that of the result."""
    count = len(posterior.parameters)
    which = (
        "those that differ from their errors, then the most correlated" if len(shown) == MOST_SHOWN else "all shared"
    )
    walk = f"{posterior.walkers} walkers, {posterior.steps} steps, {posterior.fewest_effective_samples:.0f} independent"
    state = "" if posterior.status == "converged" else "   not converged"
    return [
        f"posterior of {len(shown)} of {count} parameters, {which}; {walk}{state}",
        "axes: standard errors of the fit, from its values; red: these errors, at one and two standard deviations",
    ]


def _in_errors(posterior: FitPosterior, shown: tuple[ParameterPosterior, ...]) -> FloatArray:
    """Samples as deviations from the fit in its standard errors, shape (samples, shown)."""
    places = [posterior.names.index(one.name) for one in shown]
    fitted, error = (np.array([getattr(one, key) for one in shown]) for key in ("fitted", "error"))
    return np.asarray((posterior.samples[:, places] - fitted) / error)


def _limit(values: FloatArray) -> float:
    return float(np.clip(1.1 * np.percentile(np.abs(values), 99.7), _LEAST_LIMIT, _MOST_LIMIT))


def _dress(panels: Any, shown: tuple[ParameterPosterior, ...], limit: float) -> None:
    ticks = [-2, 0, 2] if limit < 5 else [-4, 0, 4]
    for row, one in enumerate(shown):
        for column, panel in enumerate(panels[row, : row + 1]):
            panel.set_xticks(ticks, labels=[f"{tick:+d}" if tick else "0" for tick in ticks], rotation=0)
            panel.tick_params(length=2.5, width=0.5, labelsize=7, labelbottom=row == len(shown) - 1)
            if column < row:
                panel.set_yticks(ticks, labels=[f"{tick:+d}" if tick else "0" for tick in ticks], rotation=0)
                panel.tick_params(labelleft=column == 0)
            if row == len(shown) - 1:
                panel.set_xlabel(shorten(shown[column].name, 16), size=8, labelpad=3)
            if column == 0 and row:
                panel.set_ylabel(shorten(one.name, 16), size=8, labelpad=2)
        panels[row, row].set_title(_value(one), size=6.5, pad=3, loc="left")


def _value(one: ParameterPosterior) -> str:
    """Name, median and half the width of the central 68 %, and how wide it is against the error."""
    unit = f" {one.unit}" if one.unit else ""
    value = f"{with_error(one.median, (one.upper - one.lower) / 2)}{unit}"
    return f"{shorten(one.name, 24)}\n{value}\n{one.ratio:.2f} of the error"


def _draw_errors(panels: Any, result: FitResult, shown: tuple[ParameterPosterior, ...], limit: float) -> None:
    """Draw what the errors of the fit say: Gaussians along the diagonal, ellipses below it."""
    names = result.fit.covariance_names
    places = [names.index(one.name) for one in shown]
    correlation = result.fit.correlation[np.ix_(places, places)]
    angle = np.linspace(0, 2 * np.pi, 120)
    for row in range(len(shown)):
        grid = np.linspace(-limit, limit, 200)
        panels[row, row].plot(grid, np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), color=_OF_ERRORS, linewidth=0.9)
        for column in range(row):
            r = float(np.clip(correlation[row, column], -1, 1))
            x, y = np.cos(angle), r * np.cos(angle) + np.sqrt(1 - r * r) * np.sin(angle)
            for size in (1, 2):
                _ellipse(panels[row, column], size * x, size * y)


def _ellipse(panel: Axes, x: FloatArray, y: FloatArray) -> None:
    panel.plot(x, y, color=_OF_ERRORS, linewidth=0.9, linestyle="--")
