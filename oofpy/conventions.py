"""From the signs and the orientation of a telescope's data files to those of the model, and back."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import InputError
from oofpy.observation import BeamMap, Observation
from oofpy.observing import Chop, Observing, Smearing
from oofpy.telescope import Telescope

FloatArray = NDArray[np.float64]


def in_model_convention(observation: Observation, telescope: Telescope) -> Observation:
    """Bring an observation as it was read into the convention of the model.

    `oofpy.read_observation` leaves the signs as the files have them, and `oofpy.fit` takes an observation in
    the convention of the model; this stands between the two. `oofpy fit` calls it itself. A fit cannot
    tell a wrong sign of dz from its residuals: even orders of the surface come out with the wrong sign.

    An image of the sky shows what each pointing of the telescope saw. Its offsets are the telescope's axis minus the
    source (`offsets = "telescope"`), or a program has turned them by half a turn (`"source"`). East lies to the left
    of north, and azimuth grows to the right of the zenith; with the position angle q of the zenith (the parallactic
    angle), the offset to the right of the dish is `-east cos q + north sin q` and that up `east sin q + north cos q`.

    Parameters
    ----------
    observation : Observation
        As read.
    telescope : Telescope
        Whose data they are.

    Returns
    -------
    Observation
        With u to the right and v up, seen from behind the dish looking at the sky, and dz > 0 for a
        subreflector (prime focus: feed) that moved away from the primary; its frame is "model". The directions of a
        chop and of a scan turn with u and v. An observation in this frame is returned as it is.

    Raises
    ------
    InputError
        For an image of the sky whose orientation is not known.
    """
    if observation.frame == "model":
        return observation
    turns = _turns(observation, telescope)
    sign = telescope.conventions.defocus_sign
    return replace(
        observation,
        maps=tuple(_turned(one, turn, sign) for one, turn in zip(observation.maps, turns, strict=True)),
        observing=_turned_observing(observation, turns),
        frame="model",
    )


def in_file_convention(observation: Observation, telescope: Telescope) -> Observation:
    """Bring an observation in the convention of the model into that of a telescope's tables.

    Parameters
    ----------
    observation : Observation
        In the frame "model", or an image of the sky, which is brought there first. One in the frame "file" is
        returned as it is.
    telescope : Telescope
        Whose data files are to be written.

    Returns
    -------
    Observation
        In the frame "file".

    Raises
    ------
    InputError
        For an image of the sky whose orientation is not known.
    """
    if observation.frame == "file":
        return observation
    observation = in_model_convention(observation, telescope)
    signs = telescope.conventions
    turn = np.diag([float(signs.u_sign), float(signs.v_sign)])
    maps = tuple(_turned(one, turn, signs.defocus_sign) for one in observation.maps)
    return replace(observation, maps=maps, observing=_turned_observing(observation, [turn]), frame="file")


def _turns(observation: Observation, telescope: Telescope) -> list[FloatArray]:
    """Matrix from (u, v) as read to (u, v) of the model, for every map."""
    signs = telescope.conventions
    maps = len(observation.maps)
    if observation.frame == "file":
        return [np.diag([float(signs.u_sign), float(signs.v_sign)])] * maps
    offsets = observation.orientation.offsets or signs.image_offsets
    if offsets is None:
        raise InputError(
            "it is not known what the offsets in this image of the sky are",
            file=observation.file,
            key="offsets",
            remedy="give --offsets telescope (where the telescope points relative to the source, as in a map of the "
            "sky) or --offsets source (the reverse), or set conventions.image_offsets of the telescope",
        )
    half_turn = -1.0 if offsets == "telescope" else 1.0
    return [half_turn * _from_sky(angle) for angle in _zenith_angles(observation)]


def _zenith_angles(observation: Observation) -> tuple[float, ...]:
    """Position angle of the zenith of every map, radians; zero for images in azimuth and elevation."""
    maps = len(observation.maps)
    if observation.frame == "sky-azel":
        return (0.0,) * maps
    angles = observation.orientation.parallactic_angle_rad
    if angles is None:
        raise InputError(
            "the image is in right ascension and declination, and how the dish stood to it is not known",
            file=observation.file,
            key="parallactic angle",
            remedy="give the position angle of the zenith with --parallactic-angle, one for all maps or one for each",
        )
    if len(angles) not in (1, maps):
        raise InputError(
            f"there are {len(angles)} values for {maps} maps",
            file=observation.file,
            key="parallactic angle",
            value=", ".join(f"{math.degrees(angle):g} deg" for angle in angles),
            remedy="give one for all maps or one for each",
        )
    return angles if len(angles) == maps else angles * maps


def _from_sky(zenith_angle_rad: float) -> FloatArray:
    """Turn (right, up) with north up into (right, up) with the zenith up; right is west of north."""
    cos, sin = math.cos(zenith_angle_rad), math.sin(zenith_angle_rad)
    return np.array([[cos, sin], [-sin, cos]])


def _turned(beam_map: BeamMap, turn: FloatArray, defocus_sign: int) -> BeamMap:
    if np.array_equal(turn, np.eye(2)) and defocus_sign == 1:
        return beam_map
    # The sum turns -0.0 into 0.0.
    u = turn[0, 0] * beam_map.u_rad + turn[0, 1] * beam_map.v_rad + 0.0
    v = turn[1, 0] * beam_map.u_rad + turn[1, 1] * beam_map.v_rad + 0.0
    return replace(beam_map, u_rad=u, v_rad=v, defocus_m=defocus_sign * beam_map.defocus_m + 0.0)


def _turned_observing(observation: Observation, turns: list[FloatArray]) -> Observing:
    """Turn the directions of the chop and of the scan with u and v."""
    observing = observation.observing
    if observing.chop is None and (observing.smearing is None or observing.smearing.scan_rad == 0):
        return observing
    if any(not np.allclose(turn, turns[0]) for turn in turns):
        raise InputError(
            "the maps have different parallactic angles, and the direction of the chop or of the scan can be given "
            "for all of them only",
            file=observation.file,
            key="parallactic angle",
            remedy="use images in azimuth and elevation",
        )

    def turned_angle(angle: float) -> float:
        u, v = turns[0] @ np.array([math.cos(angle), math.sin(angle)])
        return math.atan2(v, u)

    chop, smearing = observing.chop, observing.smearing
    if chop is not None:
        chop = Chop(chop.throw_rad, turned_angle(chop.angle_rad))
    if smearing is not None:
        smearing = Smearing(
            smearing.scan_rad, turned_angle(smearing.scan_angle_rad), smearing.pixel_rad, smearing.pixel_shape
        )
    return replace(observing, chop=chop, smearing=smearing)
