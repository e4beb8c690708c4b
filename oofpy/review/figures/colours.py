"""Colours of the figures: those of the report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bokeh.palettes import Viridis256

from oofpy.plots.frame import BLUE_WHITE_RED

BLANK = "#ffffff"
BLOCKED = "#b9bfc6"
INK, SOFT = "#1b2430", "#8a94a0"
_STEPS = 256


def palette_of(colours: Sequence[str]) -> list[str]:
    """Give a palette that passes through some colours at equal steps.

    Parameters
    ----------
    colours : sequence of str
        As `#rrggbb`.

    Returns
    -------
    list of str
        256 of them.
    """
    known = np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in colours], float)
    steps = np.linspace(0, len(colours) - 1, _STEPS)
    channels = [np.interp(steps, np.arange(len(colours)), known[:, channel]) for channel in range(3)]
    return [
        "#{:02x}{:02x}{:02x}".format(*(round(float(value)) for value in one)) for one in zip(*channels, strict=True)
    ]


# Of what has a sign, and of what has none.
SIGNED = palette_of(BLUE_WHITE_RED)
POSITIVE = list(Viridis256)
