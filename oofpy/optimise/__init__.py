"""Minimise an ordinary torch function: exact derivatives for SciPy's minimisers, and a fitter for many residuals.

The general tool that this package grew from (B. Nikolic, arXiv:1805.07439): write f(x) with torch instead of NumPy, and
gradients and the GPU come for nothing. It knows no telescope; the fit of beam maps has a solver of its own, batched and
with eliminated gains, in `oofpy.fitting`.
"""

from oofpy.optimise.minimising import minimise as minimise
from oofpy.optimise.residual_fit import least_squares as least_squares
