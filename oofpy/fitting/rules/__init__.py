"""The rules by which a fit is judged: each takes a result and limits and raises flags of one kind.

`FLAG_KINDS` says of each kind what its rule is, how much it weighs and what to do about it.
"""

from oofpy.fitting.rules.judging import judge as judge
from oofpy.fitting.rules.judging import rejudged as rejudged
