"""What the observing makes of the beam in the maps: the size of the source and chopping."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from oofpy.errors import InputError
from oofpy.flag_kinds import Level
from oofpy.flags import Flag, raised
from oofpy.map_statistics import border_noise, border_places, brightest_position, extent, height_and_depth, peak_height
from oofpy.observation import BeamMap, Observation
from oofpy.observing import Chop
from oofpy.plausibility.naming import name_of
from oofpy.plausibility.ranges import FAINTEST, FEWEST_SAMPLES, VISIBLE
from oofpy.quantities import format_angle
from oofpy.telescope import Telescope

FWHM_BEAMS = 1.2  # full width at half maximum of a usual beam, in lambda/D
EXTENDED_FWHM, LARGEST_SOURCE_FWHM = 0.3, 3.0
LEAST_THROW_BEAMS = 0.5  # a shorter chop leaves little but the slope of one beam; unsourced
NEGATIVE_BEAM = 0.2  # of the peak; unsourced. A beam without chopping has no negative lobes.
# Smallest and largest apparent diameter in arcseconds, from the NASA planetary fact sheets.
APPARENT_DIAMETERS_ARCSEC = {
    "sun": (1887.0, 1952.0),
    "moon": (1761.0, 2010.0),
    "mercury": (4.5, 13.0),
    "venus": (9.7, 66.0),
    "mars": (3.5, 25.1),
    "jupiter": (29.8, 50.1),
    "saturn": (14.5, 20.1),
    "uranus": (3.3, 4.1),
    "neptune": (2.2, 2.4),
}
_ARCSEC = np.pi / 648000


def source_size_flags(observation: Observation, telescope: Telescope) -> list[Flag]:
    """Judge the size of the source that is modelled, or of a planet where none is; refuse one wider than a map."""
    beam = FWHM_BEAMS * observation.wavelength_m / (2 * telescope.geometry.dish_radius_m)
    of_beam = f"of the beam's full width at half maximum, about {FWHM_BEAMS:g} lambda/D = {format_angle(beam)}"
    source = observation.observing.source
    if source is not None:
        _refuse_wider_than_a_map(observation, source.diameter_rad)
        if source.diameter_rad <= LARGEST_SOURCE_FWHM * beam:
            return []
        message = (
            f"the source of {format_angle(source.diameter_rad)} is {source.diameter_rad / beam:.2g} times {of_beam}: "
            "it blurs what tells of the surface"
        )
        return [raised("source-size", message)]
    # Underscores and digits part words too: MARS_20190426.
    words = set(re.findall(r"[a-z]+", (observation.object_name or "").lower()))
    flags = []
    for body in sorted(words & APPARENT_DIAMETERS_ARCSEC.keys()):
        smallest, largest = (arcsec * _ARCSEC / beam for arcsec in APPARENT_DIAMETERS_ARCSEC[body])
        if largest <= EXTENDED_FWHM:
            continue
        message = f"{body} is {smallest:.2g} to {largest:.2g} times {of_beam}, and the model has a point source"
        flags.append(raised("source-size", message, Level.CHECK if smallest > EXTENDED_FWHM else Level.NOTE))
    return flags


def _refuse_wider_than_a_map(observation: Observation, diameter_rad: float) -> None:
    widths = [2 * min(extent(beam_map)[2:]) for beam_map in observation.maps]
    smallest = int(np.argmin(widths))
    if diameter_rad > widths[smallest]:
        raise InputError(
            f"the source is wider than {name_of(observation, smallest)} with its {format_angle(widths[smallest])}",
            file=observation.file,
            key="observing.source_diameter",
            value=format_angle(diameter_rad),
            remedy="check its unit, or leave the map out with --maps",
        )


def chop_flags(observation: Observation, telescope: Telescope) -> list[Flag]:
    """Flag a throw so short that the two beams lie on each other."""
    chop = observation.observing.chop
    beam = observation.wavelength_m / (2 * telescope.geometry.dish_radius_m)
    if chop is None or chop.throw_rad >= LEAST_THROW_BEAMS * beam:
        return []
    message = (
        f"the chop throw of {format_angle(chop.throw_rad)} is {chop.throw_rad / beam:.2g} lambda/D, less than "
        f"{LEAST_THROW_BEAMS:g}: the two beams all but cancel, and neither gain nor chop_gain_ratio can be told"
    )
    return [raised("chop-unresolved", message)]


def negative_beam_flags(observation: Observation) -> list[Flag]:
    """Look for what beam switching leaves in the clearest map and in most of those that show the source.

    A small map of a defocused beam may have a hollow middle below its border; one in focus has none.
    """
    if observation.observing.chop is not None:
        return []
    found = [_excursions(_without_slope(beam_map)) for beam_map in observation.maps]
    signals = [_over_noise(height, noise) for height, _, noise in found]
    bright = [number for number in np.argsort(signals)[::-1] if signals[number] >= FAINTEST]
    depths = [_negative_part(*found[number]) for number in bright]
    seen = [depth > NEGATIVE_BEAM for depth in depths]
    if 2 * sum(seen) <= len(bright) or not seen[0]:
        return []
    message = f"the maps have a negative part as deep as {max(depths):.0%} of their peak: they look beam-switched"
    return [raised("negative-beam", message)]


def _excursions(beam_map: BeamMap) -> tuple[float, float, float]:
    """Height of the peak and depth of the lowest part about the border, and the noise there.

    The first two are medians of cells of several samples, which single glitches do not move.
    """
    return *height_and_depth(beam_map), border_noise(beam_map)


def _negative_part(height: float, depth: float, noise: float) -> float:
    """Depth of the lowest part over the height of the peak; 0 where it is noise."""
    return depth / height if depth > VISIBLE * noise else 0.0


def _without_slope(beam_map: BeamMap) -> BeamMap:
    """Take the plane through the border off a map, by least absolute deviations."""
    used = np.asarray(beam_map.used)
    border = border_places(beam_map.u_rad[used], beam_map.v_rad[used])
    u, v, power = (values[used][border] for values in (beam_map.u_rad, beam_map.v_rad, beam_map.power))
    scale = max(float(np.abs([u, v]).max()), float(np.finfo(float).tiny))
    shapes = np.stack([np.ones_like(u), u / scale, v / scale], axis=1)
    weight = np.ones_like(u)
    for _ in range(10):  # reweighted least squares: a beam that reaches the border has no say
        weighted = (shapes * weight[:, None]).T
        plane = np.linalg.lstsq(weighted @ shapes, weighted @ power, rcond=None)[0]
        away = np.abs(power - shapes @ plane)
        weight = 1 / (away + 1e-6 * (away.max() or 1.0))
    rise = (plane[1] * beam_map.u_rad + plane[2] * beam_map.v_rad) / scale
    return replace(beam_map, power=beam_map.power - rise)


def signal_to_noise(beam_map: BeamMap, chop: Chop | None = None) -> float:
    """Peak over the scatter at the border, where a known negative beam is left out."""
    noise = border_noise(beam_map if chop is None else _without_negative_beam(beam_map, chop))
    return _over_noise(peak_height(beam_map), noise)


def _over_noise(height: float, noise: float) -> float:
    if noise > 0:
        return height / noise
    return np.inf if height > 0 else 0.0


def _without_negative_beam(beam_map: BeamMap, chop: Chop) -> BeamMap:
    """Leave out what is nearer to the negative beam than to the middle of the throw, where enough remains."""
    u, v = brightest_position(beam_map)
    throw_u, throw_v = chop.throw_uv_rad
    away = np.hypot(beam_map.u_rad - u - throw_u, beam_map.v_rad - v - throw_v)
    kept = np.asarray(beam_map.used) & (away > chop.throw_rad / 2)
    return replace(beam_map, used=kept) if np.count_nonzero(kept) >= FEWEST_SAMPLES else beam_map
