"""Figures of fit results: a result goes in, a Figure comes out; nothing is read, fitted or shown.

`FIGURES` is the set of a fit, in the order in which it is read; each kind draws one. matplotlib is imported when the
first figure is drawn.
"""

from oofpy.plots.figure_set import FIGURES as FIGURES
from oofpy.plots.figure_set import write_figures as write_figures
from oofpy.plots.saving import FigureKind as FigureKind
from oofpy.plots.saving import draw_figures as draw_figures
