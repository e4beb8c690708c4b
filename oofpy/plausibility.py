"""Does an observation make sense for its telescope? Checked before a fit, without one.

Millimetres where metres belong, gigahertz for hertz, arcseconds for radians: each moves the size of the map
in lambda/D or the defocus path in wavelengths far out of what is ever observed. A little outside is a flag,
far outside a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from oofpy.errors import InputError
from oofpy.flags import Flag
from oofpy.map_statistics import border_noise, border_places, brightest_position, extent, peak_height
from oofpy.observation import BeamMap, Observation
from oofpy.observing import Chop
from oofpy.quantities import format_angle, format_length
from oofpy.telescope import Telescope

# In real use the defocus adds 0.75 to 2.6 wavelengths of path; the rest of the ranges is margin, unsourced.
HALF_WIDTH_BEAMS = (2.0, 40.0)
DEFOCUS_PATH_WAVES = (0.2, 6.0)
REFUSED_BEYOND = 20.0  # times outside a range

FEWEST_SAMPLES = 20  # in a map
COARSEST_SPACING_BEAMS = 1.0
NEAR_FOCUS_WAVES = 0.25  # a map with less path than this shows the focused beam

# Peak over the scatter at the border, unsourced choices; the brightest of 1000 cells of pure noise reaches 2.
VISIBLE, FAINTEST, FAINTEST_IN_FOCUS = 3.0, 10.0, 100.0
# Outermost part of the half-width, where a source is taken to lie outside; more in maps of few samples.
BORDER, WIDEST_BORDER = 0.05, 0.15

FWHM_BEAMS = 1.2  # full width at half maximum of a usual beam, in lambda/D
EXTENDED_FWHM, LARGEST_SOURCE_FWHM = 0.3, 3.0
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
_RINGS, _SPOKES = 64, 64  # points over the open aperture, on which a path is judged


def check_observation(observation: Observation, telescope: Telescope) -> tuple[Flag, ...]:
    """Compare an observation with what the telescope can have seen.

    Parameters
    ----------
    observation : Observation
        As read, masks applied.
    telescope : Telescope
        The telescope it was taken with.

    Returns
    -------
    tuple of Flag
        What looks wrong, empty if nothing does: `map-size`, `undersampled`, `defocus-size`, `no-focus-map`,
        `source-off-centre`, `low-signal`, `source-size`, `negative-beam`.

    Raises
    ------
    InputError
        For fewer than 20 samples in a map, a size of the maps or a defocus path more than 20 times outside
        its range, or a source that no map shows.
    ConfigurationError
        If the telescope lacks a number.
    """
    telescope.require_complete()
    _require_samples(observation)
    distance = observation.observing.source_distance_m
    waves = [
        defocus_path_waves(telescope, float(move), observation.wavelength_m, distance) for move in observation.defocus_m
    ]
    return (
        *_size_flags(observation, telescope),
        *_defocus_flags(observation, telescope, waves),
        *_source_flags(observation, in_focus=int(np.argmin(waves))),
        *_source_size_flags(observation, telescope),
        *_negative_beam_flags(observation),
    )


def defocus_path_waves(
    telescope: Telescope, defocus_m: float, wavelength_m: float, source_distance_m: float | None = None
) -> float:
    """Peak-to-valley of the path that a move of the subreflector adds over the open aperture.

    Parameters
    ----------
    telescope : Telescope
        Geometry and central blockage.
    defocus_m : float, metres
        Move from focus.
    wavelength_m : float, metres
        Wavelength.
    source_distance_m : float, metres, optional
        Distance of a source that is near, whose own path is added.

    Returns
    -------
    float
        In wavelengths; piston and tilt are removed.
    """
    import torch

    from oofpy.optics.defocus import defocus_images, defocus_path
    from oofpy.optics.fixed_phase import near_field_path

    geometry = telescope.geometry
    r = torch.linspace(telescope.blockage.disc_radius_m, geometry.dish_radius_m, _RINGS, dtype=torch.float64)
    angle = torch.arange(_SPOKES, dtype=torch.float64) * (2 * np.pi / _SPOKES)
    x, y = r[:, None] * angle.cos(), r[:, None] * angle.sin()
    area = r.clone()
    area[[0, -1]] /= 2
    path = defocus_path(defocus_images(geometry, x, y), torch.tensor(defocus_m, dtype=torch.float64))
    if source_distance_m is not None:
        path = path + near_field_path(geometry, x, y, source_distance_m)
    plane = torch.stack([torch.ones_like(x), x, y]).flatten(1)
    weighted = plane * area[:, None].expand_as(x).flatten()
    tilt = torch.linalg.solve(weighted @ plane.T, weighted @ path.flatten())
    left = path.flatten() - tilt @ plane
    return float(left.max() - left.min()) / wavelength_m


def _file(observation: Observation) -> str | Path:
    return observation.sources[0].path if observation.sources else observation.name


def _name(observation: Observation, number: int) -> str:
    label = observation.maps[number].label
    return f"map {number + 1}" + (f" ({label})" if label else "")


def _names(observation: Observation, numbers: Sequence[int]) -> str:
    return ", ".join(_name(observation, number) for number in numbers)


def _require_samples(observation: Observation) -> None:
    for number, beam_map in enumerate(observation.maps):
        if beam_map.samples < FEWEST_SAMPLES:
            raise InputError(
                f"has too few samples to hold a beam; at least {FEWEST_SAMPLES} are needed",
                file=_file(observation),
                key=_name(observation, number),
                value=f"{beam_map.samples} of {beam_map.power.size} samples used",
                remedy="check the mask and the radius, or leave the map out with --maps",
            )


def _size_flags(observation: Observation, telescope: Telescope) -> list[Flag]:
    beam = observation.wavelength_m / (2 * telescope.geometry.dish_radius_m)
    half_widths = np.array([extent(beam_map)[2:] for beam_map in observation.maps]) / beam
    smallest, largest = float(half_widths.min()), float(half_widths.max())
    low, high = HALF_WIDTH_BEAMS
    worst = smallest if low / max(smallest, 1e-300) > largest / high else largest
    described = (
        f"half-width {format_angle(worst * beam)}, {worst:.3g} lambda/D at {telescope.name} and a wavelength "
        f"of {format_length(observation.wavelength_m)}"
    )
    remedy = "check the unit of the coordinates (rad expected), the wavelength or frequency (m, Hz), the telescope"
    if not low / REFUSED_BEYOND <= worst <= high * REFUSED_BEYOND:
        raise InputError(
            f"cannot be the size of a beam map, usual are {low:g} to {high:g} lambda/D",
            file=_file(observation),
            key="U, V",
            value=described,
            remedy=remedy,
        )
    flags = []
    if not low <= worst <= high:
        flags.append(Flag("map-size", f"unusual size of a map: {described}; usual are {low:g} to {high:g}; {remedy}"))
    counts = np.array([beam_map.samples for beam_map in observation.maps])
    spacing = float(np.sqrt(4 * half_widths.prod(axis=1) / counts).max())
    if spacing > COARSEST_SPACING_BEAMS:
        flags.append(
            Flag(
                "undersampled",
                f"the samples of a map lie {spacing:.2g} lambda/D apart, more than "
                f"{COARSEST_SPACING_BEAMS:g}; what the beam does between them is not seen",
            )
        )
    return flags


def _defocus_flags(observation: Observation, telescope: Telescope, path_waves: Sequence[float]) -> list[Flag]:
    smallest = float(np.abs(observation.defocus_m)[np.argmin(path_waves)])
    waves = max(path_waves)
    low, high = DEFOCUS_PATH_WAVES
    usual = f"usual are {low:g} to {high:g} wavelengths"
    subject, key, described, remedy = _cause_of_path(observation, telescope, path_waves)
    if not low / REFUSED_BEYOND <= waves <= high * REFUSED_BEYOND:
        raise InputError(
            f"cannot be the {subject} of an observation, {usual}",
            file=_file(observation),
            key=key,
            value=described,
            remedy=remedy,
        )
    flags = []
    if not low <= waves <= high:
        flags.append(Flag("defocus-size", f"unusual {subject}: {described}; {usual}; {remedy}"))
    if min(path_waves) > NEAR_FOCUS_WAVES:
        flags.append(
            Flag(
                "no-focus-map",
                f"no map is near focus: the smallest dz is {format_length(smallest)}; "
                "taper and pointing are less well determined",
                serious=False,
            )
        )
    return flags


def _cause_of_path(
    observation: Observation, telescope: Telescope, path_waves: Sequence[float]
) -> tuple[str, str, str, str]:
    """Tell what makes the longest path, dz or a near source: in a word, its key, its value and the remedy."""
    wavelength_m, distance = observation.wavelength_m, observation.observing.source_distance_m
    longest = int(np.argmax(path_waves))
    move = float(observation.defocus_m[longest])
    path = f"a path of {path_waves[longest]:.3g} wavelengths over the aperture"
    # Negated, as a source that lies behind the dish has no path.
    if distance is not None and not path_waves[longest] <= DEFOCUS_PATH_WAVES[1]:
        of_source = defocus_path_waves(telescope, 0.0, wavelength_m, distance)
        if not of_source <= defocus_path_waves(telescope, move, wavelength_m):
            return (
                "distance of the source",
                "observing.source_distance",
                f"{format_length(distance)}, {path}, {of_source:.3g} from the distance alone",
                "check its unit, or leave it out with --set observing.source_distance=none",
            )
    return (
        "defocus",
        "DZ",
        f"largest dz {format_length(abs(move))}, {path}",
        "check the unit of dz (metres expected) and of the wavelength or frequency (m, Hz expected), or give --dz",
    )


def _source_flags(observation: Observation, in_focus: int) -> list[Flag]:
    signals = [_signal_to_noise(beam_map, observation.observing.chop) for beam_map in observation.maps]
    at_border = [number for number, beam_map in enumerate(observation.maps) if _is_at_border(beam_map)]
    if all(number in at_border or signal < VISIBLE for number, signal in enumerate(signals)):
        raise InputError(
            "shows no source: the brightest part of every map lies at its border or does not stand out",
            file=_file(observation),
            key=_names(observation, range(len(signals))),
            remedy="check the coordinates' offsets, the mask and the radius",
        )
    flags = []
    if at_border:
        flags.append(
            Flag(
                "source-off-centre",
                f"the brightest part of {_names(observation, at_border)} lies at the border: the source may "
                "be outside; check the coordinates' offsets, or leave the map out with --maps",
            )
        )
    faint = [number for number, signal in enumerate(signals) if signal < FAINTEST]
    if faint:
        least = min(signals)
        flags.append(
            Flag(
                "low-signal",
                f"the peak of {_names(observation, faint)} is less than {FAINTEST:g} times the scatter at "
                f"the border (at the least {least:.1f}): low signal, or a map hardly wider than the beam",
            )
        )
    elif signals[in_focus] < FAINTEST_IN_FOCUS:
        flags.append(
            Flag(
                "low-signal",
                f"the peak of {_name(observation, in_focus)}, nearest to focus, is {signals[in_focus]:.0f} "
                f"times the scatter at the border; {FAINTEST_IN_FOCUS:g} and more is usual",
                serious=False,
            )
        )
    return flags


def _source_size_flags(observation: Observation, telescope: Telescope) -> list[Flag]:
    beam = FWHM_BEAMS * observation.wavelength_m / (2 * telescope.geometry.dish_radius_m)
    of_beam = f"of the beam's full width at half maximum, about {FWHM_BEAMS:g} lambda/D = {format_angle(beam)}"
    source = observation.observing.source
    if source is not None:
        if source.diameter_rad <= LARGEST_SOURCE_FWHM * beam:
            return []
        message = (
            f"the source of {format_angle(source.diameter_rad)} is {source.diameter_rad / beam:.2g} times {of_beam}: "
            "it blurs what tells of the surface; check the unit of observing.source_diameter"
        )
        return [Flag("source-size", message)]
    # Underscores and digits part words too: MARS_20190426.
    words = set(re.findall(r"[a-z]+", (observation.object_name or "").lower()))
    flags = []
    for body in sorted(words & APPARENT_DIAMETERS_ARCSEC.keys()):
        smallest, largest = (arcsec * _ARCSEC / beam for arcsec in APPARENT_DIAMETERS_ARCSEC[body])
        if largest <= EXTENDED_FWHM:
            continue
        message = (
            f"{body} is {smallest:.2g} to {largest:.2g} times {of_beam}, and the model has a point source; "
            "give observing.source_shape and observing.source_diameter"
        )
        flags.append(Flag("source-size", message, serious=smallest > EXTENDED_FWHM))
    return flags


def _negative_beam_flags(observation: Observation) -> list[Flag]:
    """Look for what beam switching leaves in the clearest map and in most of those that show the source.

    A small map of a defocused beam may have a hollow middle below its border; one in focus has none.
    """
    if observation.observing.chop is not None:
        return []
    level = [_without_slope(beam_map) for beam_map in observation.maps]
    signals = [_signal_to_noise(beam_map) for beam_map in level]
    bright = [number for number in np.argsort(signals)[::-1] if signals[number] >= FAINTEST]
    depths = [_negative_part(level[number]) for number in bright]
    seen = [depth > NEGATIVE_BEAM for depth in depths]
    if 2 * sum(seen) <= len(bright) or not seen[0]:
        return []
    message = (
        f"the maps have a negative part as deep as {max(depths):.0%} of their peak: they look beam-switched; "
        "give observing.chop_throw"
    )
    return [Flag("negative-beam", message)]


def _negative_part(beam_map: BeamMap) -> float:
    """Depth of the lowest part of a map below its border, over the height of its peak; 0 where it is noise.

    Both are medians of cells of several samples, which single glitches do not move.
    """
    depth = peak_height(replace(beam_map, power=-beam_map.power))
    return depth / peak_height(beam_map) if depth > VISIBLE * border_noise(beam_map) else 0.0


def _without_slope(beam_map: BeamMap) -> BeamMap:
    """Take the plane through the border off a map, by least absolute deviations."""
    used = np.asarray(beam_map.used)
    border = border_places(beam_map.u_rad[used], beam_map.v_rad[used])
    u, v, power = (values[used][border] for values in (beam_map.u_rad, beam_map.v_rad, beam_map.power))
    scale = max(float(np.abs([u, v]).max()), float(np.finfo(float).tiny))
    shapes = np.stack([np.ones_like(u), u / scale, v / scale], axis=1)
    weight = np.ones_like(u)
    for _ in range(10):  # reweighted least squares: a beam that reaches the border has no say
        plane = np.linalg.lstsq(shapes * weight[:, None], power * weight, rcond=None)[0]
        away = np.abs(power - shapes @ plane)
        weight = 1 / np.sqrt(away + 1e-6 * (away.max() or 1.0))
    rise = (plane[1] * beam_map.u_rad + plane[2] * beam_map.v_rad) / scale
    return replace(beam_map, power=beam_map.power - rise)


def _signal_to_noise(beam_map: BeamMap, chop: Chop | None = None) -> float:
    noise = border_noise(beam_map if chop is None else _without_negative_beam(beam_map, chop))
    height = peak_height(beam_map)
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


def _is_at_border(beam_map: BeamMap) -> bool:
    """Whether the brightest part lies in the outermost twentieth of the map, or in its outermost cells."""
    u, v = brightest_position(beam_map)
    u_centre, v_centre, u_half_width, v_half_width = extent(beam_map)
    outwards = max(
        abs(u - u_centre) / max(u_half_width, np.finfo(float).tiny),
        abs(v - v_centre) / max(v_half_width, np.finfo(float).tiny),
    )
    spacing = 2 / np.sqrt(beam_map.samples)  # in half-widths
    # A cell of three by three samples at the border has its middle a sample and a half inside it.
    return outwards > 1 - min(max(BORDER, 1.6 * float(spacing)), WIDEST_BORDER)
