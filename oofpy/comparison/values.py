"""A comparison of results: plain values that whatever shows them never computes again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from oofpy.fitting.result import FitResult

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
ViewName = Literal["with focus", "without focus"]

# Of a chi2 below which it is too large for the errors alone.
SIGNIFICANT_PROBABILITY = 0.01


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the surface.

    Parameters
    ----------
    n, l : int
        Radial order and azimuthal number of the Zernike term.
    name : str
        `Z(n,l)`, followed by the aberration's common name where it has one.
    """

    n: int
    l: int
    name: str

    @property
    def label(self) -> str:
        """`Z(n,l)`."""
        return f"Z({self.n},{self.l})"


@dataclass(frozen=True, slots=True)
class Chi2:
    """A sum of squares in units of the errors.

    Parameters
    ----------
    value : float
    degrees_of_freedom : int
        What it is expected to be where the errors explain everything.
    probability : float
        Of a value as large or larger by the errors alone; NaN without degrees of freedom.
    """

    value: float
    degrees_of_freedom: int
    probability: float

    @property
    def significant(self) -> bool:
        """Whether it is too large for the errors alone: the probability is below 0.01."""
        return self.probability < SIGNIFICANT_PROBABILITY


# Where there is nothing to test.
NO_TEST = Chi2(float("nan"), 0, float("nan"))


@dataclass(frozen=True, slots=True)
class DishRms:
    """An rms over the dish, and the one that the errors alone would make.

    Half-path errors, weighted by the illumination of the first result, about their weighted mean.

    Parameters
    ----------
    rms_um : float, micrometres
        As found.
    expected_um : float, micrometres
        Root of the mean square that the errors alone make.
    expected_spread_um : float, micrometres
        One standard deviation of the rms by which it varies from case to case if the errors are right.
    """

    rms_um: float
    expected_um: float
    expected_spread_um: float

    @property
    def ratio(self) -> float:
        """Found over expected; 1 where the errors explain it, NaN where no errors are known."""
        return self.rms_um / self.expected_um if self.expected_um > 0 else float("nan")

    @property
    def ratio_spread(self) -> float:
        """Standard deviation of `ratio` if the errors are right."""
        return self.expected_spread_um / self.expected_um if self.expected_um > 0 else float("nan")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know before the numbers are used.

    Parameters
    ----------
    code : str
        Short and stable, for programs.
    message : str
        One line, for people.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class DifferenceView:
    """The difference A - B over the dish, seen in one way.

    Parameters
    ----------
    name : {"with focus", "without focus"}
        Whether Z(2,0) is in it: focus changes between observations without the surface having changed.
    map_um : array, shape (y, x), micrometres
        A - B; NaN off the dish.
    error_um : array, shape (y, x), micrometres
        Its standard error.
    significance : array, shape (y, x)
        Size of the difference over its error; NaN where the error is zero.
    dish : DishRms
    chi2 : Chi2
        Of the differences of the terms that both results fitted.
    """

    name: ViewName
    map_um: FloatArray
    error_um: FloatArray
    significance: FloatArray
    dish: DishRms
    chi2: Chi2


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """The first of two results minus the second, as observations independent of each other.

    Parameters
    ----------
    values_um : array, shape (terms,), micrometres
        Differences of the coefficients as half-path errors; a term that one result does not have counts as zero there.
    errors_um : array, shape (terms,), micrometres
        Their standard errors.
    z : array, shape (terms,)
        Difference over its error; NaN for terms that were not fitted in both.
    views : tuple of DifferenceView
        With and without focus.
    common : DishRms
        Of the terms that both have, focus included; the same as of the first view where both have the same terms.
    """

    values_um: FloatArray
    errors_um: FloatArray
    z: FloatArray
    views: tuple[DifferenceView, ...]
    common: DishRms


@dataclass(frozen=True, slots=True, eq=False)
class ScatterView:
    """The scatter of several results over the dish, seen in one way.

    Parameters
    ----------
    name : {"with focus", "without focus"}
        Whether Z(2,0) is in it.
    scatter_um : array, shape (y, x), micrometres
        Standard deviation (n - 1) of the surfaces at every point; NaN off the dish.
    predicted_um : array, shape (y, x), micrometres
        The same as their errors predict it: root of their mean variance.
    dish : DishRms
        Rms of both over the dish.
    deviations_um : array, shape (results, y, x), micrometres
        Each surface minus the weighted mean; NaN off the dish.
    deviations : tuple of DishRms
        Their rms, one a result.
    chi2 : Chi2
        Of all terms together about the mean that makes it smallest, with their correlations.
    """

    name: ViewName
    scatter_um: FloatArray
    predicted_um: FloatArray
    dish: DishRms
    deviations_um: FloatArray
    deviations: tuple[DishRms, ...]
    chi2: Chi2


@dataclass(frozen=True, slots=True, eq=False)
class Repeatability:
    """Three or more results against their mean: how well the measurement repeats, beside what its errors predict.

    Of the terms that all results have; NaN stands for the others.

    Parameters
    ----------
    mean_um, mean_errors_um : array, shape (terms,), micrometres
        Mean of each coefficient, weighted by the inverse variances, and its standard error.
    pulls : array, shape (results, terms)
        Each result minus the mean over the error of this difference; NaN for terms that were not fitted in all.
    scatter_um : array, shape (terms,), micrometres
        Standard deviation (n - 1) of each coefficient.
    predicted_um : array, shape (terms,), micrometres
        The same as the errors predict it.
    chi2 : tuple of Chi2
        Of each term about its mean; `NO_TEST` for terms that were not fitted in all.
    views : tuple of ScatterView
        With and without focus.
    """

    mean_um: FloatArray
    mean_errors_um: FloatArray
    pulls: FloatArray
    scatter_um: FloatArray
    predicted_um: FloatArray
    chi2: tuple[Chi2, ...]
    views: tuple[ScatterView, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Two or more results of one dish beside each other.

    All surfaces are half-path errors of orders 2 and up of the dish without any correction that was on it.

    Parameters
    ----------
    names : tuple of str
        One a result, no two alike.
    results : tuple of FitResult
        At their chosen orders.
    terms : tuple of Term
        All that any result has, in OSA/ANSI order.
    values_um : array, shape (results, terms), micrometres
        Coefficients as half-path errors, wavelength times coefficient over 4 pi; NaN where a result does not have the
        term.
    errors_um : array, shape (results, terms), micrometres
        Their standard errors; zero where a coefficient was held, NaN where it is not there.
    tested : array of bool, shape (terms,)
        Which terms were fitted in every result.
    axis_m : array, shape (pixels,), metres
        Pixel centres of all images along x and y.
    surfaces_um, surfaces_without_focus_um : array, shape (results, y, x), micrometres
        Surface of each; NaN off the dish.
    difference : Difference or None
        Of two results.
    repeatability : Repeatability or None
        Of three and more.
    remarks : tuple of Remark
        They call the results A, B, C ... as `labels` does.
    """

    names: tuple[str, ...]
    results: tuple[FitResult, ...]
    terms: tuple[Term, ...]
    values_um: FloatArray
    errors_um: FloatArray
    tested: BoolArray
    axis_m: FloatArray
    surfaces_um: FloatArray
    surfaces_without_focus_um: FloatArray
    difference: Difference | None
    repeatability: Repeatability | None
    remarks: tuple[Remark, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Short labels of the results: A, B ... Z, A2, B2 ..."""
        return letters(len(self.names))

    @property
    def views(self) -> tuple[DifferenceView, ...] | tuple[ScatterView, ...]:
        """With and without focus."""
        if self.difference is not None:
            return self.difference.views
        return () if self.repeatability is None else self.repeatability.views


def letters(count: int) -> tuple[str, ...]:
    """Give short labels: A, B ... Z, A2, B2 ..."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return tuple(alphabet[number % 26] + (str(number // 26 + 1) if number >= 26 else "") for number in range(count))
