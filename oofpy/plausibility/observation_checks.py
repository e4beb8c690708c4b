"""The checks of an observation against its telescope, put together."""

from __future__ import annotations

import numpy as np

from oofpy.errors import InputError
from oofpy.flag_kinds import FLAG_KINDS, Level
from oofpy.flags import Flag, raised
from oofpy.limits import Limits
from oofpy.map_statistics import brightest_position, extent
from oofpy.observation import BeamMap, Observation
from oofpy.plausibility.clipping import clipped_flags
from oofpy.plausibility.focus import defocus_flags, defocus_path_waves
from oofpy.plausibility.naming import name_of, names_of
from oofpy.plausibility.ranges import FEWEST_SAMPLES, VISIBLE, refused_above, refused_below
from oofpy.plausibility.response import chop_flags, negative_beam_flags, signal_to_noise, source_size_flags
from oofpy.quantities import format_angle, format_length
from oofpy.telescope import Telescope

_USUAL = Limits()
# Outermost part of the half-width, where a source is taken to lie outside; more in maps of few samples.
BORDER, WIDEST_BORDER = 0.05, 0.15


def check_observation(observation: Observation, telescope: Telescope, limits: Limits = _USUAL) -> tuple[Flag, ...]:
    """Compare an observation with what the telescope can have seen.

    Parameters
    ----------
    observation : Observation
        As read, masks applied.
    telescope : Telescope
        The telescope it was taken with.
    limits : Limits
        Beyond which something looks wrong.

    Returns
    -------
    tuple of Flag
        What looks wrong, empty if nothing does: of the kinds in `FLAG_KINDS` whose stage is "maps".

    Raises
    ------
    InputError
        For fewer than 20 samples in a map, a size of the maps or a defocus path more than 20 times outside
        its range, a source that no map shows, or one in the model that is wider than a map.
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
        *_size_flags(observation, telescope, limits),
        *defocus_flags(observation, telescope, waves, (limits.least_defocus_waves, limits.most_defocus_waves)),
        *_source_flags(observation, int(np.argmin(waves)), limits),
        *clipped_flags(observation, limits.fewest_clipped_samples),
        *source_size_flags(observation, telescope),
        *chop_flags(observation, telescope),
        *negative_beam_flags(observation),
    )


def _require_samples(observation: Observation) -> None:
    for number, beam_map in enumerate(observation.maps):
        if beam_map.samples < FEWEST_SAMPLES:
            raise InputError(
                f"has too few samples to hold a beam; at least {FEWEST_SAMPLES} are needed",
                file=observation.file,
                key=name_of(observation, number),
                value=f"{beam_map.samples} of {beam_map.power.size} samples used",
                remedy="check the mask and the radius, or leave the map out with --maps",
            )


def _size_flags(observation: Observation, telescope: Telescope, limits: Limits) -> list[Flag]:
    beam = observation.wavelength_m / (2 * telescope.geometry.dish_radius_m)
    half_widths = np.array([extent(beam_map)[2:] for beam_map in observation.maps]) / beam
    smallest, largest = float(half_widths.min()), float(half_widths.max())
    low, high = limits.least_half_width_beams, limits.most_half_width_beams
    worst = smallest if low / max(smallest, 1e-300) > largest / high else largest
    described = (
        f"half-width {format_angle(worst * beam)}, {worst:.3g} lambda/D at {telescope.name} and a wavelength "
        f"of {format_length(observation.wavelength_m)}"
    )
    if not refused_below(_USUAL.least_half_width_beams) <= worst <= refused_above(_USUAL.most_half_width_beams):
        raise InputError(
            f"cannot be the size of a beam map, usual are {low:g} to {high:g} lambda/D",
            file=observation.file,
            key="U, V",
            value=described,
            remedy=FLAG_KINDS["map-size"].advice,
        )
    flags = []
    if not low <= worst <= high:
        flags.append(raised("map-size", f"unusual size of a map: {described}; usual are {low:g} to {high:g}"))
    counts = np.array([beam_map.samples for beam_map in observation.maps])
    spacing = float(np.sqrt(4 * half_widths.prod(axis=1) / counts).max())
    if spacing > limits.most_spacing_beams:
        flags.append(
            raised(
                "undersampled",
                f"the samples of a map lie {spacing:.2g} lambda/D apart, more than {limits.most_spacing_beams:g}",
            )
        )
    return flags


def _source_flags(observation: Observation, in_focus: int, limits: Limits) -> list[Flag]:
    signals = [signal_to_noise(beam_map, observation.observing.chop) for beam_map in observation.maps]
    at_border = [number for number, beam_map in enumerate(observation.maps) if _is_at_border(beam_map)]
    if all(number in at_border or signal < VISIBLE for number, signal in enumerate(signals)):
        raise InputError(
            "shows no source: the brightest part of every map lies at its border or does not stand out",
            file=observation.file,
            key=names_of(observation, range(len(signals))),
            remedy="check the coordinates' offsets, the mask and the radius",
        )
    flags = []
    if at_border:
        flags.append(
            raised(
                "source-at-border",
                f"the brightest part of {names_of(observation, at_border)} lies at the border: the source may "
                "be outside",
            )
        )
    faint = [number for number, signal in enumerate(signals) if signal < limits.least_signal_to_noise]
    good = len(signals) - len(faint)
    if good < limits.fewest_good_maps:
        message = (
            f"{good} of {len(signals)} maps have a peak of {limits.least_signal_to_noise:g} times the scatter at the "
            f"border; {limits.fewest_good_maps} are needed"
        )
        flags.append(raised("too-few-good-maps", message))
    if faint:
        least = min(signals)
        flags.append(
            raised(
                "low-signal",
                f"the peak of {names_of(observation, faint)} is less than {limits.least_signal_to_noise:g} times the "
                f"scatter at the border (at the least {least:.1f})",
            )
        )
    elif signals[in_focus] < limits.least_signal_in_focus:
        flags.append(
            raised(
                "low-signal",
                f"the peak of {name_of(observation, in_focus)}, nearest to focus, is {signals[in_focus]:.0f} "
                f"times the scatter at the border; {limits.least_signal_in_focus:g} and more is usual",
                Level.NOTE,
            )
        )
    return flags


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
