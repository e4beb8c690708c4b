"""What all figures share: style, size in inches, heading, colour bars."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.errors import one_line
from oofpy.fitting.result import FitResult
from oofpy.io.convention_words import VIEW
from oofpy.io.wavelength import SPEED_OF_LIGHT_M_S
from oofpy.quantities import format_frequency, format_length

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of signed values. The maps that matplotlib brings either change two or three times faster in one place than in another
# (RdBu), have the grey of the background in their middle (coolwarm) or print as black paper (berlin).
DIVERGING = "blue-white-red"
# Two curves in the colour space Oklab, at the hues 252 and 30 degrees, of the same lightness and chroma, in equal
# steps: what differs by as much looks as different, on both sides of zero. Which side it is, contours say in grey.
BLUE_WHITE_RED = (
    *("#00407a", "#005ca8", "#2c7ccd", "#5a9de7", "#8bbdf6", "#c0dbfb"),
    "#f7f7f7",
    *("#f9ccc4", "#f1a294", "#de7869", "#c15243", "#9b3326", "#702016"),
)
_TITLE_IN, _LINE_IN = 0.42, 0.18
BLANK = "0.86"
MICROMETRE = "\N{MICRO SIGN}m"
VIEW_LINE = f"x, u to the right and y, v up, {VIEW}"
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "image.composite_image": False,
    "text.usetex": False,
    # Names come from files; a dollar sign in one is not the start of a formula.
    "text.parse_math": False,
}


@contextmanager
def drawing_style() -> Iterator[None]:
    """Draw in one style whatever the user's own is, and leave the latter as it was."""
    from matplotlib import rc_context, rcdefaults, rcParams

    with rc_context():
        rcdefaults()
        rcParams.update(_STYLE)
        yield


def new_figure(result: FitResult, width_in: float, body_in: float, *more: str) -> Figure:
    """Make a figure of a result, with the heading that names what it shows.

    Parameters
    ----------
    result : FitResult
        For the heading.
    width_in, body_in : float, inches
        Width of the whole, and height of what lies below the heading.
    *more : str
        Further lines of the heading, such as `VIEW_LINE`.

    Returns
    -------
    Figure
        With a canvas that draws into memory.
    """
    return framed([*heading(result), *more], _warning(result), width_in, body_in)


def framed(lines: Sequence[str], warning: str, width_in: float, body_in: float) -> Figure:
    """Make a figure with a heading.

    Parameters
    ----------
    lines : sequence of str
        The heading, its first line in bold.
    warning : str
        Its last line, in red; empty for none.
    width_in, body_in : float, inches
        Width of the whole, and height of what lies below the heading.

    Returns
    -------
    Figure
        With a canvas that draws into memory.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    title, *others = lines
    height_in = body_in + _TITLE_IN + _LINE_IN * (len(others) + bool(warning))
    figure = Figure(figsize=(width_in, height_in))
    FigureCanvasAgg(figure)
    left, top = 0.15 / width_in, height_in - 0.12
    figure.text(left, top / height_in, title, va="top", weight="bold", size=10.5)
    for number, line in enumerate([*others, *([warning] if warning else [])]):
        colour = "firebrick" if line is warning else "0.2"
        level = top - 0.23 - _LINE_IN * number
        figure.text(left, level / height_in, line, va="top", size=8.5, color=colour)
    return figure


def heading(result: FitResult) -> list[str]:
    """Write the lines over a figure: what was observed, how it was fitted."""
    surface = result.fit.surface
    observed = (result.telescope.name, result.object_name or result.name, result.date)
    wavelength = length_words(result.wavelength_m)
    frequency = format_frequency(float(f"{SPEED_OF_LIGHT_M_S / result.wavelength_m:.5g}"))
    without = "" if result.observing.applied is None else " without the correction"
    return [
        "   ".join(shorten(text, 30) for text in observed if text),
        f"\N{GREEK SMALL LETTER LAMDA} {wavelength} ({frequency})   order {result.chosen_order}   "
        f"surface rms{without} {with_error(surface.rms_um, surface.rms_um_error)} \N{MICRO SIGN}m",
    ]


def length_words(length_m: float) -> str:
    """Write a length for a figure, in m, mm or µm by its size."""
    return format_length(float(f"{length_m:.5g}")).replace("um", MICROMETRE)


def _warning(result: FitResult) -> str:
    """Say that a result is not to be trusted as it is."""
    if result.status == "ok":
        return ""
    codes = ", ".join(result.serious_codes)
    word = "failed" if result.status == "failed" else result.verdict
    return shorten(f"{word}: {codes or result.fit.status.value}", 90)


def shorten(text: str, longest: int) -> str:
    """Make one printable line of a text, cut with an ellipsis where it is longer."""
    line = one_line(text)
    return line if len(line) <= longest else line[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"


def with_error(value: float, error: float) -> str:
    """Write a number and its standard error with as many digits as the error warrants."""
    if not (math.isfinite(value) and math.isfinite(error)):
        return f"{value:.3g}" if math.isfinite(value) else "unknown"
    decimals = 0 if error <= 0 else max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{decimals}f} \N{PLUS-MINUS SIGN} {error:.{decimals}f}"


def add_panel(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes at a place given in inches."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def colour_map(name: str) -> Any:
    """Give a colour map that leaves what is not a number in light grey.

    Parameters
    ----------
    name : str
        `DIVERGING`, or one that matplotlib knows.

    Returns
    -------
    Colormap
    """
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    if name == DIVERGING:
        return LinearSegmentedColormap.from_list(name, BLUE_WHITE_RED).with_extremes(bad=BLANK)
    return colormaps[name].with_extremes(bad=BLANK)


def add_colour_bar(figure: Figure, panel: Axes, image: Any, label: str, values: Any) -> Any:
    """Add a colour bar beside a panel, pointed where values lie beyond its ends.

    Parameters
    ----------
    figure : Figure
        To which all belongs.
    panel : Axes
        Panel to the right of which it goes.
    image : AxesImage
        What it explains.
    label : str
        With the unit.
    values : array
        All values shown.

    Returns
    -------
    Colorbar
    """
    across = float(figure.get_size_inches()[0])
    box = panel.get_position()
    axes = figure.add_axes((box.x1 + 0.08 / across, box.y0, 0.11 / across, box.height))
    low, high = image.get_clim()
    beyond = (bool(np.any(values < low)), bool(np.any(values > high)))
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    return figure.colorbar(image, cax=axes, label=label, extend=extend[beyond])


def symmetric_limit(values: Any, percentile: float) -> float:
    """Give the limit of a scale symmetric about zero; single outliers do not stretch it.

    Parameters
    ----------
    values : array
        Those that are not finite do not count.
    percentile : float
        Of the absolute values, in per cent.

    Returns
    -------
    float
        Positive.
    """
    finite = np.abs(values[np.isfinite(values)])
    limit = float(np.percentile(finite, percentile)) if finite.size else 0.0
    return limit if limit > 0 else 1.0
