"""Generalised least squares of vectors against elevation, with a scatter beyond the errors, robust weights.

The coefficients y_k of observation k follow `y_k = (A, B, C) x_k + scatter + error` with x_k = (sin el, cos el, 1),
errors of the known covariance C_k and a scatter that is independent in every coefficient and observation, in sum of the
covariance C_k + diag(s^2). The scatter is that of the largest restricted likelihood (REML; Patterson & Thompson 1971,
Biometrika 58, 545), which counts the parameters fitted. An observation of weight w counts w times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

FloatArray = NDArray[np.float64]

# Weights fall from one to zero between these distances, in standard deviations (Hampel 1974): only 0.3 % of sound
# observations lie beyond the first, so that hardly anything is lost, and what lies far off has no influence at all.
_FULL_WEIGHT, _NO_WEIGHT = 3.0, 5.0
# Half the weight, four standard deviations: one sound observation in 16,000.
OUTLYING_WEIGHT = 0.5


def robust_weight(distance: FloatArray) -> FloatArray:
    """Weight of observations by their distance from the model in standard deviations, of any sign."""
    weight = (_NO_WEIGHT - np.abs(distance)) / (_NO_WEIGHT - _FULL_WEIGHT)
    return np.asarray(np.clip(np.nan_to_num(weight), 0.0, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """Parameters for a given scatter and given weights.

    Parameters
    ----------
    parameters : array, shape (terms, 3)
        A, B, C of every term.
    covariance : array, shape (3 terms, 3 terms)
        Of A, B, C of the first term, then of the second ...
    residuals : array, shape (observations, terms)
        Values minus model.
    precision : array, shape (observations, terms, terms)
        Inverse of C_k + diag(s^2).
    cost : float
        Minus the logarithm of the restricted likelihood, up to a constant.
    """

    parameters: FloatArray
    covariance: FloatArray
    residuals: FloatArray
    precision: FloatArray
    cost: float


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What is fitted.

    Parameters
    ----------
    design : array, shape (observations, 3)
        What A, B and C are multiplied with.
    values : array, shape (observations, terms)
    covariances : array, shape (observations, terms, terms)
    weights : array, shape (observations,)
    """

    design: FloatArray
    values: FloatArray
    covariances: FloatArray
    weights: FloatArray

    def regression(self, variance: FloatArray) -> Regression:
        """Fit A, B and C of all terms together.

        Parameters
        ----------
        variance : array, shape (terms,)
            Square of the scatter.

        Returns
        -------
        Regression
        """
        count = len(variance)
        total = self.covariances + np.diag(variance)
        precision = _symmetric(np.linalg.inv(total))
        weighted = self.weights[:, None, None] * precision
        normal = np.einsum("kij,ka,kb->iajb", weighted, self.design, self.design).reshape(3 * count, 3 * count)
        right = np.einsum("kij,kj,ka->ia", weighted, self.values, self.design).reshape(-1)
        # In units of the single errors, so that terms large and small are treated alike.
        root = 1 / np.sqrt(np.diag(normal))
        inverse = _symmetric(np.linalg.inv(normal * np.outer(root, root))) * np.outer(root, root)
        parameters = (inverse @ right).reshape(count, 3)
        residuals = self.values - self.design @ parameters.T
        squares = np.einsum("kij,ki,kj->", weighted, residuals, residuals)
        volumes = self.weights @ np.linalg.slogdet(total)[1] + np.linalg.slogdet(normal)[1]
        return Regression(parameters, inverse, residuals, precision, float(squares + volumes) / 2)

    def _cost_and_gradient(self, variance: FloatArray) -> tuple[float, FloatArray]:
        """Minus the logarithm of the restricted likelihood, and its derivatives by the squares of the scatter."""
        found = self.regression(variance)
        count = len(variance)
        pulled = np.einsum("kij,kj->ki", found.precision, found.residuals)
        blocks = found.covariance.reshape(count, 3, count, 3)
        predicted = np.einsum("ka,iajb,kb->kij", self.design, blocks, self.design)
        # The diagonal of P V P, without its other elements.
        lost = ((predicted @ found.precision) * found.precision).sum(axis=1)
        diagonal = np.diagonal(found.precision, axis1=1, axis2=2)
        return found.cost, self.weights @ (diagonal - pulled**2 - lost) / 2

    def scatter_variance(self, start: FloatArray) -> FloatArray:
        """Square of the scatter with the largest restricted likelihood, shape (terms,), zero or more.

        Parameters
        ----------
        start : array, shape (terms,)
            From which it is sought.

        Returns
        -------
        array, shape (terms,)
        """
        unit = np.median(np.diagonal(self.covariances, axis1=1, axis2=2), axis=0)
        unit = np.maximum(unit, 1e-12 * unit.max())
        unit = np.maximum(unit, start)

        def scaled(ratio: FloatArray) -> tuple[float, FloatArray]:
            cost, gradient = self._cost_and_gradient(ratio * unit)
            return cost, gradient * unit

        # A start at zero might stay there: the likelihood can have a second maximum far from it.
        first = np.maximum(start / unit, 0.1)
        found = minimize(scaled, first, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(unit))
        return np.asarray(found.x * unit)


def _symmetric(matrix: NDArray[Any]) -> FloatArray:
    return np.asarray((matrix + np.swapaxes(matrix, -1, -2)) / 2)
