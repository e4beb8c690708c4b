"""What to correct on the telescope, in words: its focus and its pointing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from oofpy.fitting.result import FitResult, OrderFit
from oofpy.io.convention_words import VIEW
from oofpy.report.numbers import ARCSEC_PER_RAD, measured, number, rounded

_SIGNIFICANT = 2.0  # standard errors below which a correction is not worth a move
_WITHIN = f" This is within {_SIGNIFICANT:g} standard errors of no move."


@dataclass(frozen=True)
class FocusCorrection:
    """By how much to move the subreflector, or at the prime focus the feed.

    Parameters
    ----------
    move_m, error_m : float, metres
        Positive away from the primary, counted from where it stood at dz = 0.
    what : str
        What moves.
    """

    move_m: float
    error_m: float
    what: str

    @property
    def significant(self) -> bool:
        """Whether the move is larger than its error can explain."""
        return abs(self.move_m) > _SIGNIFICANT * self.error_m

    @property
    def short(self) -> str:
        """The move with its sign and error."""
        return measured(1e3 * self.move_m, 1e3 * self.error_m, "mm", "+")

    @property
    def direction(self) -> str:
        """Which way it goes."""
        return "away from the primary" if self.move_m > 0 else "towards the primary"

    @property
    def sentence(self) -> str:
        """The correction in words."""
        if not math.isfinite(self.move_m):
            return "The focus is unknown."
        size = measured(1e3 * abs(self.move_m), 1e3 * self.error_m, "mm")
        words = f"Move the {self.what} by {size} {self.direction} from where it stood at dz = 0."
        return words if self.significant else words + _WITHIN


@dataclass(frozen=True)
class PointingCorrection:
    """What to add to the telescope's pointing so that its axis meets the source.

    (u, v) of a map is the direction of the source minus the telescope's axis at which the unaberrated beam peaks. The
    beam looks there, so the axis must move by minus (u, v) for the beam to look at the source.

    Parameters
    ----------
    add_rad : (float, float), radians
        To the right and up, seen from behind the dish looking at the sky; as it is in focus.
    error_rad : (float, float), radians
        Its standard error; NaN where the pointing was not fitted.
    by_map_rad : tuple of (float, float)
        The same of every map.
    """

    add_rad: tuple[float, float]
    error_rad: tuple[float, float]
    by_map_rad: tuple[tuple[float, float], ...]

    @property
    def significant(self) -> bool:
        """Whether the move is larger, to the side or up, than its error can explain; so where there is no error."""
        return not all(
            abs(angle) <= _SIGNIFICANT * error for angle, error in zip(self.add_rad, self.error_rad, strict=True)
        )

    @property
    def short(self) -> str:
        """Both offsets with their errors and directions."""
        return ", ".join(
            f"{measured(abs(angle) * ARCSEC_PER_RAD, error * ARCSEC_PER_RAD, '')}\N{DOUBLE PRIME} {way}"
            for angle, error, way in zip(self.add_rad, self.error_rad, self._ways, strict=True)
        )

    @property
    def _ways(self) -> tuple[str, str]:
        return ("right" if self.add_rad[0] >= 0 else "left", "up" if self.add_rad[1] >= 0 else "down")

    @property
    def scatter_rad(self) -> float:
        """Largest distance of a map from it."""
        return max(math.hypot(*(np.subtract(one, self.add_rad))) for one in self.by_map_rad)

    @property
    def sentence(self) -> str:
        """The correction in words."""
        if not all(map(math.isfinite, self.add_rad)):
            return "The pointing is unknown."
        parts = [
            f"{measured(abs(angle) * ARCSEC_PER_RAD, error * ARCSEC_PER_RAD, 'arcsec')} {way}"
            for angle, error, way in zip(self.add_rad, self.error_rad, self._ways, strict=True)
        ]
        scatter = number(self.scatter_rad * ARCSEC_PER_RAD, ".3g")
        return (
            f"Move the telescope's axis by {' and '.join(parts)}, {VIEW}.{'' if self.significant else _WITHIN} This is "
            f"from the map nearest to focus; others differ from it by up to {scatter} arcsec."
        )


def focus_correction(result: FitResult) -> FocusCorrection:
    """Say how to remove the focus error of a dish as it was observed."""
    surface = result.fit.surface
    what = "feed" if result.telescope.geometry.kind == "prime-focus" else "subreflector"
    # Plus zero, as minus zero would be shown with its sign.
    return FocusCorrection(0.0 - surface.best_focus_m, surface.best_focus_m_error, what)


def pointing_correction(result: FitResult) -> PointingCorrection:
    """Say how to point in focus."""
    u, v = result.fit.pointing_in_focus_rad
    return PointingCorrection(
        # Plus zero, as minus zero would be shown with its sign.
        add_rad=(0.0 - u, 0.0 - v),
        error_rad=(_error_in_focus(result.fit, "pointing_u_rad"), _error_in_focus(result.fit, "pointing_v_rad")),
        by_map_rad=tuple((0.0 - one.pointing_rad[0], 0.0 - one.pointing_rad[1]) for one in result.fit.maps),
    )


def _error_in_focus(fit: OrderFit, name: str) -> float:
    """Standard error of the mean over the maps in focus of a parameter of theirs; NaN where it was not fitted."""
    names = [f"{name}[{place + 1}]" for place in fit.maps_in_focus]
    rows = [row for row, known in enumerate(fit.covariance_names) if known in names]
    if not rows:
        return math.nan
    return math.sqrt(max(float(fit.covariance[np.ix_(rows, rows)].sum()), 0.0)) / len(names)


def pointing_cells(pointing_rad: tuple[float, float], errors_rad: tuple[float | None, float | None]) -> list[str]:
    """Write (u, v) of a map in seconds of arc."""
    cells = []
    for angle, error in zip(pointing_rad, errors_rad, strict=True):
        shown, uncertainty = rounded(angle * ARCSEC_PER_RAD, None if error is None else error * ARCSEC_PER_RAD, "+")
        cells.append(f"{shown} \N{PLUS-MINUS SIGN} {uncertainty}" if error else shown)
    return cells
