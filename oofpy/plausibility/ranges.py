"""Limits that several of the checks share."""

_REFUSED_BEYOND = 20.0  # times outside the usual range, whatever limits the flags are given
FEWEST_SAMPLES = 20  # in a map
# Peak over the scatter at the border, unsourced choices; the brightest of 1000 cells of pure noise reaches 2.
VISIBLE, FAINTEST = 3.0, 10.0


def refused_below(least: float) -> float:
    """Where an observation is refused that lies below a usual range."""
    return least / _REFUSED_BEYOND


def refused_above(most: float) -> float:
    """Where an observation is refused that lies above a usual range."""
    return most * _REFUSED_BEYOND
