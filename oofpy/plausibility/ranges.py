"""Limits that several of the checks share."""

REFUSED_BEYOND = 20.0  # times outside a range
FEWEST_SAMPLES = 20  # in a map
# Peak over the scatter at the border, unsourced choices; the brightest of 1000 cells of pure noise reaches 2.
VISIBLE, FAINTEST = 3.0, 10.0
