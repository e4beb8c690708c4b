"""From a request to an observation that can be fitted, or to a map that waits for others."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass, replace

from oofpy.archive.planning import Item
from oofpy.archive.requests import Fragment
from oofpy.errors import InputError, OofError
from oofpy.observation import Observation
from oofpy.telescope import Telescope


@dataclass(frozen=True)
class Prepared:
    """An observation in the convention of the model.

    Parameters
    ----------
    item : Item
    observation : Observation
    telescope : Telescope
    """

    item: Item
    observation: Observation
    telescope: Telescope

    def fits_beside(self, other: Prepared) -> bool:
        """Whether the two can be fitted in one go, at the cost of one: equal shapes, settings and telescopes."""
        return (
            self._shape == other._shape
            and self.item.settings_digest == other.item.settings_digest
            and self.telescope == other.telescope
        )

    @property
    def _shape(self) -> tuple[int, ...]:
        return tuple(beam_map.power.size for beam_map in self.observation.maps)


def read(item: Item) -> Prepared | Fragment:
    """Read what an item asks for.

    Raises
    ------
    OofError
        If it cannot be used.
    """
    if item.problem:
        raise InputError(item.problem)
    request = item.request
    try:
        observation, telescope = request.recipe.prepared(request.files)
    except OofError:
        fragment = _fragment(item)
        if fragment is None:
            raise
        return fragment
    return Prepared(item, replace(observation, name=item.name), telescope)


def _fragment(item: Item) -> Fragment | None:
    """Take a single file that holds one map; None where it does not, or cannot be read."""
    from oofpy.io.registry import read_file
    from oofpy.io.wavelength import wavelength_of

    request = item.request
    if request.complete or len(request.files) > 1:
        return None
    raw = None
    with suppress(OofError):
        raw = read_file(request.files[0], request.recipe.reading.part)
    if raw is None or len(raw.maps) != 1:
        return None
    defocus_m = wavelength_m = math.nan
    with suppress(OofError):  # told when the observation is read
        defocus_m = math.nan if raw.maps[0].defocus is None else raw.maps[0].defocus.finite()
    with suppress(OofError):
        wavelength_m = request.recipe.reading.wavelength_m or wavelength_of(raw)[0] or math.nan
    return Fragment(
        file=request.files[0],
        sha256=item.inputs[0].sha256,
        recipe=request.recipe,
        defocus_m=defocus_m,
        wavelength_m=wavelength_m,
        telescope=raw.telescope,
        object_name=raw.object_name,
        date=raw.date,
    )
