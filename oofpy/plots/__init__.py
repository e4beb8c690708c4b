"""Figures of fit results: a result goes in, a Figure comes out; nothing is read, fitted or shown.

matplotlib is imported when the first figure is drawn.
"""

from oofpy.plots.aperture import phase_figure as phase_figure
from oofpy.plots.aperture import surface_figure as surface_figure
from oofpy.plots.beams import beam_figure as beam_figure
from oofpy.plots.figure_set import FIGURES as FIGURES
from oofpy.plots.figure_set import write_figures as write_figures
