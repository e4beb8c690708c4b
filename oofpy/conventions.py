"""From the signs of a telescope's data files to those of the model."""

from __future__ import annotations

from dataclasses import replace

from oofpy.observation import BeamMap, Observation
from oofpy.telescope import Telescope


def in_model_convention(observation: Observation, telescope: Telescope) -> Observation:
    """Apply the signs of a telescope's `[conventions]` to an observation as it was read.

    `oofpy.read_observation` leaves the signs as the files have them, and `oofpy.fit` takes an observation in
    the convention of the model; this stands between the two. `oofpy fit` calls it itself. A fit cannot
    tell a wrong sign of dz from its residuals: even orders of the surface come out with the wrong sign.

    Parameters
    ----------
    observation : Observation
        With u, v and dz as the files have them.
    telescope : Telescope
        Whose data they are.

    Returns
    -------
    Observation
        With u to the right and v up, seen from behind the dish looking at the sky, and dz > 0 for a
        subreflector (prime focus: feed) that moved away from the primary. The same object where the files
        have these signs already; to call it twice undoes it otherwise.
    """
    signs = telescope.conventions
    if signs.u_sign == signs.v_sign == signs.defocus_sign == 1:
        return observation

    def converted(beam_map: BeamMap) -> BeamMap:
        # The sum turns -0.0 into 0.0.
        return replace(
            beam_map,
            u_rad=signs.u_sign * beam_map.u_rad,
            v_rad=signs.v_sign * beam_map.v_rad,
            defocus_m=signs.defocus_sign * beam_map.defocus_m + 0.0,
        )

    return replace(observation, maps=tuple(converted(beam_map) for beam_map in observation.maps))
