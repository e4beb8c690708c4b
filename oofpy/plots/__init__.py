"""Figures of fit results: a result goes in, a Figure comes out; nothing is read, fitted or shown.

`FIGURES` is the set of a fit, in the order in which it is read. matplotlib is imported when the first figure is drawn.
"""

from oofpy.plots.aperture import phase_figure as phase_figure
from oofpy.plots.aperture import surface_error_figure as surface_error_figure
from oofpy.plots.aperture import surface_figure as surface_figure
from oofpy.plots.beam_levels import beam_level_figure as beam_level_figure
from oofpy.plots.beams import beam_figure as beam_figure
from oofpy.plots.coefficients import coefficient_figure as coefficient_figure
from oofpy.plots.coefficients import left_out_figure as left_out_figure
from oofpy.plots.correlation import correlation_figure as correlation_figure
from oofpy.plots.cuts import cut_figure as cut_figure
from oofpy.plots.figure_set import FIGURES as FIGURES
from oofpy.plots.figure_set import write_figures as write_figures
from oofpy.plots.ladder import ladder_figure as ladder_figure
from oofpy.plots.residuals import residual_figure as residual_figure
