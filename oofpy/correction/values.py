"""A correction: how it is wanted, what it comes to at every point, and what it is predicted to bring."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from oofpy.correction.mirror import Mirror
from oofpy.correction.points import AppliedMoves, MirrorPoints
from oofpy.correction.source import CorrectionSource, DishSurface
from oofpy.errors import UsageError
from oofpy.optics.zernike import ZernikeTerm

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Positive = Literal["raise", "lower"]

FOCUS = ZernikeTerm(2, 0)


class PointStatus(StrEnum):
    """What became of a point."""

    MOVED = "moved"
    CLIPPED = "clipped"
    BELOW_THRESHOLD = "below-threshold"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class CorrectionSettings:
    """How a correction is wanted.

    Parameters
    ----------
    mirror : Mirror
        Which mirror is moved, and how its points lie before the dish.
    positive : {"raise", "lower"}
        What a positive number does to the metal: moves it towards the reflecting side, or away from it.
    gain : float
        Share of what is left that the increment takes away, above 0, at most 2.
    limits_um : (float, float), micrometres, optional
        Least and largest total that a point can take, in the sign and direction of the moves.
    threshold_um : float, micrometres
        Increments smaller than this are left out.
    left_out : tuple of ZernikeTerm
        Terms that are not corrected; orders 0 and 1 never are.
    """

    mirror: Mirror = field(default_factory=Mirror)
    positive: Positive = "raise"
    gain: float = 1.0
    limits_um: tuple[float, float] | None = None
    threshold_um: float = 0.0
    left_out: tuple[ZernikeTerm, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.gain <= 2:
            raise UsageError("must be above 0 and at most 2", key="--gain", value=self.gain, remedy="1 corrects fully")
        if not (math.isfinite(self.threshold_um) and self.threshold_um >= 0):
            raise UsageError("must not be negative", key="--threshold", value=f"{self.threshold_um:g} um")
        if self.limits_um is not None and not self.limits_um[0] < self.limits_um[1]:
            low, high = self.limits_um
            raise UsageError("the lower limit must be below the upper", key="--limits", value=f"{low:g}, {high:g} um")

    @property
    def sign(self) -> int:
        """+1 where a positive move raises the metal, -1 where it lowers it."""
        return 1 if self.positive == "raise" else -1


@dataclass(frozen=True, eq=False)
class PointMoves:
    """Moves of all points at one elevation, in the sign and direction of `CorrectionSettings`.

    Parameters
    ----------
    aperture_x_m, aperture_y_m : array, shape (points,), metres
        Where the points stand in the aperture.
    half_path_per_move : array, shape (points,), dimensionless
        Half-path error that one unit of a move takes away, with its sign.
    increment_um, error_um : array, shape (points,), micrometres
        What to add to what is applied, and its standard error; the error is NaN outside the dish.
    total_um : array, shape (points,), micrometres
        Applied plus increment.
    wanted_um : array, shape (points,), micrometres
        The increment before limits and threshold; zero outside the dish.
    status : tuple of PointStatus
        Of every point.
    blocked : array of bool, shape (points,)
        Whether the point stands in the shadow of subreflector or legs, where the maps see nothing.
    """

    aperture_x_m: FloatArray
    aperture_y_m: FloatArray
    half_path_per_move: FloatArray
    increment_um: FloatArray
    error_um: FloatArray
    total_um: FloatArray
    wanted_um: FloatArray
    status: tuple[PointStatus, ...]
    blocked: BoolArray

    def having(self, status: PointStatus) -> BoolArray:
        """Which points have a status, shape (points,)."""
        return np.array([one is status for one in self.status], bool)


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Efficiencies at one wavelength.

    Parameters
    ----------
    wavelength_m : float, metres
    exact_before, exact_after : float
        |sum A exp(i phi)|^2 / (sum A)^2, without and with the increment.
    ruze_before, ruze_after : float
        exp(-(4 pi rms / wavelength)^2).
    exact_without_left_out : float
        As `exact_after`, were the terms that are left out corrected otherwise, such as focus by the subreflector.
    """

    wavelength_m: float
    exact_before: float
    exact_after: float
    ruze_before: float
    ruze_after: float
    exact_without_left_out: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """The dish before and after the increment.

    Parameters
    ----------
    axis_m : array, shape (pixels,), metres
        Pixel centres of the images along x and y.
    before_um, after_um : array, shape (y, x), micrometres
        Half-path errors of the dish as it is and as it will be, orders 0 and 1 left out; NaN off the dish.
    applied_um : array, shape (y, x), micrometres
        Half-path error that the correction takes away which is on the dish when the increment is applied, counted as
        `observing.applied` of the observations is; NaN off the dish.
    open_dish : array of bool, shape (y, x)
        Pixels that are neither blocked nor off the dish.
    rms_before_um, rms_after_um : float, micrometres
        Half-path rms over the unblocked dish, weighted by the illumination.
    efficiencies : tuple of Efficiency
        One for each wavelength.
    """

    axis_m: FloatArray
    before_um: FloatArray
    after_um: FloatArray
    applied_um: FloatArray
    open_dish: BoolArray
    rms_before_um: float
    rms_after_um: float
    efficiencies: tuple[Efficiency, ...]


@dataclass(frozen=True, eq=False)
class CorrectionAt:
    """The correction at one elevation.

    Parameters
    ----------
    surface : DishSurface
        What is corrected.
    increment : mapping of ZernikeTerm to float, micrometres
        Half-path error that the increment takes away where no point holds it back: the terms of the surface less those
        of the correction on the dish, those left out taken away, times the gain.
    total : mapping of ZernikeTerm to float, micrometres, or None
        The same of the correction that is then on the dish, counted as `observing.applied` is; None where the one that
        is on it is no list of coefficients.
    moves : PointMoves or None
        None where no points were given.
    prediction : Prediction or None
        None where the points do not span the dish.
    """

    surface: DishSurface
    increment: Mapping[ZernikeTerm, float]
    total: Mapping[ZernikeTerm, float] | None
    moves: PointMoves | None
    prediction: Prediction | None

    @property
    def as_coefficients(self) -> bool:
        """Whether the coefficients say all of the correction: no point was held back."""
        if self.total is None:
            return False
        return self.moves is None or set(self.moves.status) <= {PointStatus.MOVED, PointStatus.OUTSIDE}


@dataclass(frozen=True, eq=False)
class Correction:
    """A correction at one or more elevations.

    Parameters
    ----------
    source : CorrectionSource
    settings : CorrectionSettings
    points : MirrorPoints or None
    applied_moves : AppliedMoves or None
        Moves on the mirror to which the increment is added.
    elevations : tuple of CorrectionAt
        In the order of the surfaces of the source.
    notes : tuple of str
        What has to be known to use it.
    """

    source: CorrectionSource
    settings: CorrectionSettings
    points: MirrorPoints | None
    applied_moves: AppliedMoves | None
    elevations: tuple[CorrectionAt, ...]
    notes: tuple[str, ...]
