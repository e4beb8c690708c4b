"""Corrections: from the surface of a dish to the moves of its actuators, or to the lists that a telescope takes.

`source` is the surface, `points`, `layouts` and `mirror` are what is moved, `making` makes a `Correction` (`values`) of
them, with what it is predicted to bring (`prediction`); `tables` and `writing` write it, `formats` hold the forms of
single telescopes, which `registry` lists.
"""

from oofpy.correction.making import correct as correct
from oofpy.correction.mirror import Mirror as Mirror
from oofpy.correction.points import MirrorPoints as MirrorPoints
from oofpy.correction.points import read_points as read_points
from oofpy.correction.source import source_of_model as source_of_model
from oofpy.correction.source import source_of_result as source_of_result
from oofpy.correction.values import Correction as Correction
from oofpy.correction.values import CorrectionSettings as CorrectionSettings
