"""A gravity model and how every observation lies about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oofpy.gravity.model import GravityModel
from oofpy.gravity.series import CoefficientSeries

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class GravityFit:
    """A model with the observations that it was fitted to.

    Parameters
    ----------
    model : GravityModel
    series : CoefficientSeries
        Who was observed when and where.
    values_um : array, shape (observations, terms), micrometres
        Coefficient of every observation by its own maps; NaN where it was not fitted. In a joint fit that at which the
        likelihood of its maps, drawn out as a Gaussian from the model, would be largest.
    errors_um : array, shape (observations, terms), micrometres
        Their standard errors, without the scatter.
    residuals_um : array, shape (observations, terms), micrometres
        Values minus model.
    standard_residuals : array, shape (observations, terms)
        The same in standard deviations of errors and scatter.
    weights : array, shape (observations, terms)
        Between 0 and 1; how much each counts in the fit.
    probability : array, shape (observations,)
        Of an observation lying as far off or farther, in all its coefficients together, by errors and scatter alone.
    outlying : array of bool, shape (observations, terms)
        Which have less than half the weight.
    passes : int
        Over the observations.
    advice : str
        What to do where the fit did not come to its end; empty where it did.
    """

    model: GravityModel
    series: CoefficientSeries
    values_um: FloatArray
    errors_um: FloatArray
    residuals_um: FloatArray
    standard_residuals: FloatArray
    weights: FloatArray
    probability: FloatArray
    outlying: BoolArray
    passes: int = 1
    advice: str = ""
