"""The mirror that is moved: where its points lie in the aperture, and what a move of its surface does to the path.

A move is counted towards the reflecting side, that is, towards the incoming wave; on either mirror this is towards the
other one. It *raises* the metal and shortens the path of the ray that is reflected there. With the unit vectors of the
ray before and after the mirror, moving its surface by the vector d changes the path by `d . (k_in - k_out)`, so that a
move s along the normal changes it by `-2 s cos i`, i being the angle of incidence, and one along the axis by
`-2 s cos i cos t`, t being the angle between the normal and the axis. The half-path error eps = path / 2 that a raise
takes away is therefore s times

====================  ==========================  =====================
along                 primary                     subreflector
====================  ==========================  =====================
normal                cos i = cos t1/2            cos i
axis                  cos i cos t = cos^2 t1/2    (cos t1 + cos t2) / 2
path                  1                           1
====================  ==========================  =====================

with tan(t1/2) = r/2F of the primary and tan(t2/2) = r/2F_eff. On a paraboloid the normal leans by the angle of
incidence t1/2. On a Cassegrain subreflector, which stands before the focus, i = (t1 + t2)/2 and the normal leans by
(t1 - t2)/2; on a Gregorian one, behind the focus, the two change places. A whole subreflector moved away from the
primary by dz, a move of -dz along the axis at every point, thus gives the path dz (cos t1 + cos t2) of its defocus.
`path` leaves the geometry out: every number is the half-path error itself, as at normal incidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import UsageError
from oofpy.telescope import Geometry

FloatArray = NDArray[np.float64]
MirrorName = Literal["primary", "subreflector"]
Along = Literal["normal", "axis", "path"]
Mapping = Literal["linear", "rays"]


@dataclass(frozen=True, slots=True)
class Mirror:
    """Which mirror is moved, in which direction, and how the frame of its points lies before the dish.

    Points go from their table to the aperture in three steps: mirrored in x where that is wanted, turned, scaled.

    Parameters
    ----------
    which : {"primary", "subreflector"}
        The mirror.
    along : {"normal", "axis", "path"}
        Direction of a move: along the normal of the surface, along the axis of the paraboloid, or as half-path error.
    rotation_rad : float, radians, optional
        Angle by which the points are turned, from +x towards +y, to lie in the aperture. None: not at all, but by half
        a turn for a Gregorian subreflector, whose rays have crossed.
    mirrored : bool
        Whether x of the points counts to the left, seen from behind the dish looking at the sky, as in a drawing of a
        mirror seen from its other side.
    subreflector_radius_m : float, metres, optional
        Radius on the subreflector that the rim of the dish is seen at; needed for the subreflector.
    mapping : {"linear", "rays"}
        How radii on the subreflector become radii in the aperture: in proportion, or along the rays of a paraboloid and
        a hyperboloid or ellipsoid.
    """

    which: MirrorName = "primary"
    along: Along = "normal"
    rotation_rad: float | None = None
    mirrored: bool = False
    subreflector_radius_m: float | None = None
    mapping: Mapping = "linear"

    def require_usable(self, geometry: Geometry) -> None:
        """Refuse what cannot be done with this geometry.

        Raises
        ------
        UsageError
            If the dish has no such mirror, its radius is missing, or the direction is not known for it.
        """
        if self.which == "subreflector":
            self._require_subreflector(geometry)
        elif self.subreflector_radius_m is not None:
            raise UsageError(
                "means nothing for the primary", key="--subreflector-radius", remedy="leave it out, or give --on"
            )
        if self.along != "path" and geometry.primary_focal_length_m is None:
            raise UsageError(
                f"the normal of a {geometry.kind} dish is not known here",
                key="--along",
                value=self.along,
                remedy="use --along path",
            )

    def _require_subreflector(self, geometry: Geometry) -> None:
        if geometry.kind == "prime-focus":
            raise UsageError("the dish has no subreflector", key="--on", value="subreflector", remedy="use primary")
        radius = self.subreflector_radius_m
        if radius is None or not (math.isfinite(radius) and radius > 0):
            raise UsageError(
                "must be a positive length for points on the subreflector",
                key="--subreflector-radius",
                value=None if radius is None else f"{radius:g} m",
                remedy="give the radius at which the rim of the dish is seen, e.g. 3.25m",
            )
        plain = geometry.kind in ("cassegrain", "gregorian")
        if not plain and (self.along != "path" or self.mapping != "linear"):
            raise UsageError(
                f"rays and normals of the subreflector of a dish of the kind {geometry.kind} are not known here",
                key="--along, --mapping",
                value=f"{self.along}, {self.mapping}",
                remedy="use --along path --mapping linear",
            )

    def turn_rad(self, geometry: Geometry) -> float:
        """Give the angle by which points are turned to lie in the aperture, radians from +x towards +y."""
        if self.rotation_rad is not None:
            return self.rotation_rad
        crossed = self.which == "subreflector" and geometry.kind in ("gregorian", "offset-gregorian")
        return math.pi if crossed else 0.0

    def in_aperture(self, x_m: FloatArray, y_m: FloatArray, geometry: Geometry) -> tuple[FloatArray, FloatArray]:
        """Bring points of the mirror into the aperture.

        Parameters
        ----------
        x_m, y_m : array, shape (points,), metres
            In the frame of their table.
        geometry : Geometry
            Of the telescope.

        Returns
        -------
        x_m, y_m : array, shape (points,), metres
            To the right and up, seen from behind the dish looking at the sky. Points that no ray from the dish meets
            lie beyond the rim.
        """
        turn = self.turn_rad(geometry)
        x = -x_m if self.mirrored else x_m
        turned = x * math.cos(turn) - y_m * math.sin(turn), x * math.sin(turn) + y_m * math.cos(turn)
        if self.which == "primary":
            return turned
        scale = self._scale(np.hypot(*turned), geometry)
        return turned[0] * scale, turned[1] * scale

    def _scale(self, radius_m: FloatArray, geometry: Geometry) -> FloatArray:
        """Metres in the aperture per metre on the subreflector."""
        assert self.subreflector_radius_m is not None
        dish_radius = geometry.dish_radius_m
        if self.mapping == "linear":
            return np.full(radius_m.shape, dish_radius / self.subreflector_radius_m)
        assert geometry.primary_focal_length_m is not None
        assert geometry.effective_focal_length_m is not None
        # A conic about the prime focus, l = p / (1 + e cos t1): radius l sin t1 = 2 p a / ((1 + e) + (1 - e) a^2),
        # a = tan(t1/2) = r / 2F, with e = (M - 1) / (M + 1) of a Gregorian subreflector and its inverse of a
        # Cassegrain one, M = F_eff / F.
        magnification = geometry.effective_focal_length_m / geometry.primary_focal_length_m
        e = (magnification - 1) / (magnification + 1)
        if geometry.kind == "cassegrain":
            e = 1 / e
        rim = dish_radius / (2 * geometry.primary_focal_length_m)
        at_rim = rim / ((1 + e) + (1 - e) * rim**2)
        t = radius_m / self.subreflector_radius_m * at_rim
        a = 2 * t * (1 + e) / (1 + np.sqrt(np.clip(1 - 4 * t**2 * (1 - e**2), 0, None)))
        centre = at_rim * (1 + e) * 2 * geometry.primary_focal_length_m / self.subreflector_radius_m
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = a * 2 * geometry.primary_focal_length_m / radius_m
        return np.where(radius_m > 0, scale, centre)

    def half_path_per_raise(self, x_m: FloatArray, y_m: FloatArray, geometry: Geometry) -> FloatArray:
        """Half-path error that a raise of one metre takes away.

        Parameters
        ----------
        x_m, y_m : array, shape (points,), metres
            In the aperture.
        geometry : Geometry
            Of the telescope.

        Returns
        -------
        array, shape (points,), dimensionless
            Positive, at most one.
        """
        if self.along == "path":
            return np.ones(x_m.shape)
        assert geometry.primary_focal_length_m is not None
        t1 = 2 * np.arctan(np.hypot(x_m, y_m + geometry.axis_offset_m) / (2 * geometry.primary_focal_length_m))
        if self.which == "primary":
            return np.asarray(np.cos(t1 / 2) ** (2 if self.along == "axis" else 1))
        assert geometry.effective_focal_length_m is not None
        t2 = 2 * np.arctan(np.hypot(x_m, y_m) / (2 * geometry.effective_focal_length_m))
        if self.along == "axis":
            return np.asarray((np.cos(t1) + np.cos(t2)) / 2)
        return np.asarray(np.cos((t1 + t2) / 2 if geometry.kind == "cassegrain" else (t1 - t2) / 2))
