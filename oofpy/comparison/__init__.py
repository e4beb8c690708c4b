"""Comparison of results: what differs between two, and how well several repeat, beside what their errors predict.

`compare` makes a `Comparison` of results of one dish: `dish` brings their coefficients to micrometres and lays them out
over the dish, `statistics` holds them against their errors, `remarks` says what to know before the numbers are used,
`summary` writes them as plain values.
"""

from oofpy.comparison.comparing import compare as compare
from oofpy.comparison.values import Comparison as Comparison
from oofpy.comparison.values import Difference as Difference
from oofpy.comparison.values import Repeatability as Repeatability
