"""The conventions of a correction, in words."""

from __future__ import annotations

import math

from oofpy.correction.values import Correction
from oofpy.io.convention_words import VIEW

_ALONG = {
    "normal": "along the normal of the surface",
    "axis": "along the axis of the paraboloid",
    "path": "as half-path errors, as at normal incidence",
}


def conventions_of(correction: Correction) -> dict[str, str]:
    """State what the numbers of a correction mean.

    Parameters
    ----------
    correction : Correction

    Returns
    -------
    dict of str to str
        One sentence by subject.
    """
    settings, geometry = correction.settings, correction.source.telescope.geometry
    mirror = settings.mirror
    direction = "towards the reflecting side" if settings.positive == "raise" else "away from the reflecting side"
    words = {
        "sign": f"> 0 moves the metal {direction}; what lies below the ideal surface (half-path error > 0) is raised",
        "moves": f"of the {mirror.which}, in micrometres, {_ALONG[mirror.along]}",
        "increment": "what to add to what is applied now",
        "total": "what is applied now plus the increment, within the limits",
        "error": "one standard deviation of the increment, from the errors of the coefficients",
        "aperture": f"aperture_x to the right, aperture_y up, {VIEW}",
        "points": (
            f"x, y as in the table of points, {'mirrored in x, then ' if mirror.mirrored else ''}turned by "
            f"{math.degrees(mirror.turn_rad(geometry)):.6g} deg from +x towards +y{_scaled(correction)}"
        ),
        "terms": "tilt is never corrected" + _left_out(correction),
        "prediction": (
            "between the points the surface follows a thin plate spline through them; rms over the unblocked dish, "
            "weighted by the illumination, orders 0 and 1 removed"
        ),
    }
    if mirror.along != "path":
        words["path"] = (
            "a move s along the normal changes the path by -2 s cos i, i the angle of incidence; along the axis by "
            "that times the cosine of the angle between normal and axis"
        )
    return words


def _scaled(correction: Correction) -> str:
    mirror = correction.settings.mirror
    if mirror.which == "primary" or mirror.subreflector_radius_m is None:
        return ""
    radius = correction.source.telescope.geometry.dish_radius_m
    how = "in proportion" if mirror.mapping == "linear" else "along the rays"
    return f", and scaled {how} so that the radius {mirror.subreflector_radius_m:.6g} m becomes {radius:.6g} m"


def _left_out(correction: Correction) -> str:
    labels = [term.label for term in correction.settings.left_out]
    return f"; left out: {', '.join(labels)}" if labels else ""
