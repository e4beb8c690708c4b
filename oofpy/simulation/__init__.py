"""Simulated observations with their truth, by another route to the beam than the fit's.

The aperture is sampled by covered area at about eight times the fit's pixels and propagated with a
zero-padded FFT, where the fit has a band-limited mask and a matrix transform: a recovery of the truth is then
a test of both. What a sample averages (source, detector, scan, chop, band) is summed direction by direction and
frequency by frequency, where the fit multiplies the transform of the beam.
"""

from oofpy.simulation.noise import NoiseModel as NoiseModel
from oofpy.simulation.sampling import Daisy as Daisy
from oofpy.simulation.sampling import GivenPositions as GivenPositions
from oofpy.simulation.sampling import Grid as Grid
from oofpy.simulation.sampling import Raster as Raster
from oofpy.simulation.sampling import Sampling as Sampling
from oofpy.simulation.simulator import Simulator as Simulator
from oofpy.simulation.single_call import simulate as simulate
from oofpy.simulation.surfaces import random_surface as random_surface
from oofpy.simulation.truth import MapTruth as MapTruth
from oofpy.simulation.truth import SimulatedObservation as SimulatedObservation
from oofpy.simulation.truth import Truth as Truth
