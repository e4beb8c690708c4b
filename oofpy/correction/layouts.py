"""Actuators that are known by name, with the mirror they move."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from oofpy.correction.mirror import Mirror
from oofpy.correction.points import MirrorPoints


@dataclass(frozen=True, eq=False)
class Layout:
    """The actuators of one telescope.

    Parameters
    ----------
    name : str
        What it is called by, that of the telescope.
    points : MirrorPoints
        The actuators.
    mirror : Mirror
        How they stand before the dish.
    dish_radius_m : float, metres
        Of the dish they belong to.
    limits_um : (float, float), micrometres
        How far they can move.
    source : str
        Where the numbers are from.
    """

    name: str
    points: MirrorPoints
    mirror: Mirror
    dish_radius_m: float
    limits_um: tuple[float, float]
    source: str


def _effelsberg() -> Layout:
    """The 96 actuators of the subreflector of 6.5 m.

    Four rings from the outermost inwards, each of 24 actuators from 7.5 deg in steps of 15 deg. Turned by -90 deg they
    stand in the aperture as seen from behind the dish: number 1 just to the right of the lowest point, counting on
    to the right and up. Positive moves shorten the path. Rings, angles, limits and sign: pyoof @ 94d1e32,
    pyoof/actuator/actuator.py (nrot = 1, sign = -1); the turned positions are those of its earlier
    pyoof/data/act_effelsberg.csv @ 0fc8d07. pyoof found turn and sign by tests at the telescope.
    """
    angle = np.radians(7.5 + 15.0 * np.arange(24))
    ring_m = np.array([3.250, 2.600, 1.880, 1.210])
    source = "pyoof @ 94d1e32, pyoof/actuator/actuator.py"
    return Layout(
        name="effelsberg",
        points=MirrorPoints(
            names=tuple(str(number) for number in range(1, 97)),
            x_m=np.outer(ring_m, np.cos(angle)).ravel(),
            y_m=np.outer(ring_m, np.sin(angle)).ravel(),
            origin="the 96 actuators of Effelsberg",
        ),
        mirror=Mirror("subreflector", rotation_rad=-math.pi / 2, subreflector_radius_m=3.25),
        dish_radius_m=50.0,
        limits_um=(-5000.0, 5000.0),
        source=source,
    )


LAYOUTS: dict[str, Layout] = {layout.name: layout for layout in (_effelsberg(),)}
