"""Peaks that are cut off where the receiver or its recording ends."""

from __future__ import annotations

import numpy as np

from oofpy.flags import Flag, raised
from oofpy.observation import Observation
from oofpy.plausibility.naming import names_of

# Over the range of a map: samples so near to its highest are the same but for the rounding of a file.
_SAME = 1e-6


def clipped_flags(observation: Observation, fewest_samples: int) -> list[Flag]:
    """Flag maps of whose used samples so many share the highest value.

    Noise parts the samples at the top of a beam; where several are alike, something cut them off. That says nothing
    where those below come in groups of like ones as well: in a symmetric map without noise, or a coarsely rounded one.
    """
    counts = [_at_the_top(np.asarray(one.power[one.used])) for one in observation.maps]
    clipped = [number for number, count in enumerate(counts) if count >= fewest_samples]
    if not clipped:
        return []
    return [raised("clipped-peak", f"{names_of(observation, clipped)}: {max(counts)} samples share the highest value")]


def _at_the_top(power: np.ndarray) -> int:
    """Count the samples that share the highest value; 1 where as many below them are hardly parted either."""
    falling = np.sort(power)[::-1]
    same = _SAME * float(falling[0] - falling[-1])
    count = int(np.count_nonzero(falling >= falling[0] - same))
    parted = -np.diff(falling[count : 2 * count + 1]) > same
    return count if 2 * np.count_nonzero(parted) > parted.size else 1
