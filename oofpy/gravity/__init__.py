"""Gravity: the surface of a dish against elevation, from many observations.

`series` holds what is known of every observation, `two_step` fits `A sin(el) + B cos(el) + C` to their coefficients,
`joint` to their maps, `model` is what comes out, and `files` writes and reads it.
"""

from oofpy.gravity.files import read_gravity as read_gravity
from oofpy.gravity.model import GravityModel as GravityModel
