"""What is told about an observation beside its maps: how it was taken, and what was turned to read it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from oofpy.errors import one_line
from oofpy.quantities import format_angle, format_length

if TYPE_CHECKING:
    from oofpy.observation import Observation
    from oofpy.observing import AppliedCorrection, ExtendedSource, Observing, Smearing
    from oofpy.telescope import Telescope


def how_taken(observing: Observing) -> str:
    """Say on one line, with its subject, what is special about the observing; empty where nothing is."""
    special = special_observing(observing)
    return f"how it was taken: {special}" if special else ""


def special_observing(observing: Observing) -> str:
    """Say on one line what is special about the observing; empty where nothing is.

    Directions run from +u towards +v, as in `oofpy.observing`.
    """
    parts = []
    if observing.chop is not None:
        throw, towards = observing.chop.throw_rad, observing.chop.angle_rad
        parts.append(f"chopped by {format_angle(throw)} towards {_degrees(towards)}")
    if observing.source is not None:
        parts.append(_source(observing.source))
    if observing.smearing is not None:
        parts += _smearing(observing.smearing)
    if observing.fractional_bandwidth:
        parts.append(f"band of {100 * observing.fractional_bandwidth:.4g} % of its centre frequency")
    if observing.source_distance_m is not None:
        parts.append(f"source at {format_length(observing.source_distance_m)}")
    if observing.applied is not None:
        parts.append(_correction(observing.applied))
    return one_line("; ".join(parts))


def _source(source: ExtendedSource) -> str:
    size = format_angle(source.diameter_rad)
    if source.shape == "gaussian":
        return f"Gaussian source of {size} full width at half maximum"
    if source.shape == "limb-darkened":
        return f"disc of {size}, darker to its limb as mu^{source.limb_darkening:g}"
    return f"uniform disc of {size}"


def _smearing(smearing: Smearing) -> list[str]:
    parts = []
    if smearing.scan_rad:
        way, towards = format_angle(smearing.scan_rad), _degrees(smearing.scan_angle_rad)
        parts.append(f"smeared by {way} along {towards}")
    if smearing.pixel_rad:
        parts.append(f"{smearing.pixel_shape} detector of {format_angle(smearing.pixel_rad)}")
    return parts


def _correction(applied: AppliedCorrection) -> str:
    held = [f"{len(applied.coefficients)} coefficients"] if applied.coefficients else []
    if applied.axis_m is not None:
        held.append(f"an image of {applied.axis_m.size} x {applied.axis_m.size} pixels")
    origin = f" from {applied.origin}" if applied.origin else ""
    return f"with a correction on the dish{origin} ({' and '.join(held) or 'zero'})"


def conversions(observation: Observation, telescope: Telescope) -> str:
    """Say on one line what `in_model_convention` does to this observation; empty where it changes nothing."""
    conventions = telescope.conventions
    by = f"by the conventions of {telescope.name}"
    parts = []
    turned = ["dz"] if conventions.defocus_sign == -1 else []
    if observation.frame == "file":
        turned += [axis for axis in ("u", "v") if getattr(conventions, f"{axis}_sign") == -1]
    elif observation.frame != "model":
        given = observation.orientation.offsets
        offsets = given or conventions.image_offsets
        reason = "as given" if given else by
        if offsets == "telescope":
            parts.append(f"offsets are telescope minus source, turned by half a turn ({reason})")
        elif offsets == "source":
            parts.append(f"offsets are source minus telescope ({reason})")
        angles = observation.orientation.parallactic_angle_rad
        if observation.frame == "sky-radec" and angles:
            shown = ", ".join(_degrees(angle) for angle in angles)
            parts.append(f"turned from north to the zenith by the parallactic angle {shown}")
    if observation.frame != "model" and turned:
        parts.append(f"{', '.join(turned)} of the data times -1, {by}")
    return one_line("; ".join(parts))


def _degrees(angle_rad: float) -> str:
    return f"{math.degrees(angle_rad):.6g} deg"
