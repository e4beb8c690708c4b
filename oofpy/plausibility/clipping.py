"""Peaks that are cut off where the receiver or its recording ends."""

from __future__ import annotations

import numpy as np

from oofpy.flags import Flag
from oofpy.observation import Observation
from oofpy.plausibility.naming import names_of

# Over the range of a map: samples so near to its highest are the same but for the rounding of a file.
_SAME = 1e-6


def clipped_flags(observation: Observation, fewest_samples: int) -> list[Flag]:
    """Flag maps of whose used samples so many share the highest value.

    Noise parts the samples at the top of a beam; where several are alike, something cut them off.
    """
    counts = [_at_the_top(np.asarray(one.power[one.used])) for one in observation.maps]
    clipped = [number for number, count in enumerate(counts) if count >= fewest_samples]
    if not clipped:
        return []
    message = (
        f"{names_of(observation, clipped)}: {max(counts)} samples share the highest value, as if the receiver or its "
        "recording saturates; observe a fainter source or with more attenuation, or mask these samples"
    )
    return [Flag("clipped-peak", message)]


def _at_the_top(power: np.ndarray) -> int:
    highest = float(power.max())
    return int(np.count_nonzero(power >= highest - _SAME * float(np.ptp(power))))
