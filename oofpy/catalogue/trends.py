"""Quantities of many results against elevation, date, hour of the day or object: values, medians, rank correlation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from oofpy.catalogue.records import CoefficientRecord, Filter, ObservationRow
from oofpy.errors import UsageError
from oofpy.observation import BoolArray, FloatArray

if TYPE_CHECKING:
    from oofpy.catalogue.catalogue import Catalogue

Against = Literal["elevation", "date", "hour", "object"]
AGAINST: tuple[Against, ...] = get_args(Against)
# Half the width of a normal distribution between its quartiles, as a standard deviation.
_MAD_TO_SIGMA = 1.4826
_FEWEST_TO_CORRELATE = 4
# Of so many results the orders are more than any probability can tell apart.
_MANY = 150
_SMALLEST_PROBABILITY = 1e-6
# Neighbours of which a running median takes at least so many on each side, but for its ends.
_FEWEST_BESIDE = 2
_DAY_S = 86400.0
_ARCSEC = 180 / math.pi * 3600
_COEFFICIENT = re.compile(r"Z\(\s*([0-9]{1,3})\s*,\s*([+-]?[0-9]{1,3})\s*\)")

_Terms = Sequence[CoefficientRecord]


@dataclass(frozen=True)
class Quantity:
    """Something that results have a value of.

    Parameters
    ----------
    name : str
        As it is asked for.
    label : str
        With the unit.
    column : str
        Name of a column in a table, with the unit in it where there is one.
    unit : str
        Empty where there is none.
    value : callable
        Takes a row and its coefficients, and gives value and standard error; NaN where they are not known.
    """

    name: str
    label: str
    column: str
    unit: str
    value: Callable[[ObservationRow, _Terms], tuple[float, float]]


@dataclass(frozen=True)
class Trend:
    """A quantity of many results against something.

    Parameters
    ----------
    quantity : Quantity
    against : {"elevation", "date", "hour", "object"}
    rows : tuple of ObservationRow
        Those for which both are known, in the order of `places`.
    places : array, shape (rows,)
        Elevation in degrees; date in days since 1970; hour of the day; number of the object, from 0.
    values, errors : array, shape (rows,)
        In the unit of the quantity; an error is NaN where it is not known.
    objects : tuple of str
        Names, where it is against the object.
    flagged, rejected : array of bool, shape (rows,)
        By the decision of reviewers that stands, or else by the verdict.
    missing : int
        Results that were selected and are not among the rows.
    """

    quantity: Quantity
    against: Against
    rows: tuple[ObservationRow, ...]
    places: FloatArray
    values: FloatArray
    errors: FloatArray
    objects: tuple[str, ...]
    flagged: BoolArray
    rejected: BoolArray
    missing: int

    def correlation(self) -> tuple[float, float]:
        """Spearman's rank correlation, and the probability of so strong a one by chance; NaN where there is none.

        The probability is never smaller than that of the two orders of the strongest correlation, 2 / n!, which the
        usual approximation by Student's t falls below where results are few.
        An hour of the day counts as a number from 0 to 24, objects have no order.
        """
        few = self.values.size < _FEWEST_TO_CORRELATE
        if few or self.against == "object" or np.ptp(self.places) == 0 or np.ptp(self.values) == 0:
            return math.nan, math.nan
        from scipy.stats import spearmanr

        found = spearmanr(self.places, self.values)
        return float(found.statistic), max(float(found.pvalue), 2 / math.factorial(min(self.values.size, _MANY)))

    def bins(self, count: int) -> list[TrendBin]:
        """Part the results by place, into `count` bins of equal width or one an object; empty ones are left out."""
        if not self.values.size:
            return []
        edges = self._edges(count)
        last = len(edges) - 2
        numbers = np.clip(np.searchsorted(edges, self.places, side="right") - 1, 0, last)
        found = []
        for number in range(last + 1):
            values = self.values[numbers == number]
            if values.size:
                name = self.objects[number] if self.objects else ""
                found.append(TrendBin(edges[number], edges[number + 1], name, values.size, *_middle(values)))
        return found

    def _edges(self, count: int) -> list[float]:
        if self.against == "object":
            return [number - 0.5 for number in range(len(self.objects) + 1)]
        low, high = (0.0, 24.0) if self.against == "hour" else (float(self.places.min()), float(self.places.max()))
        return [float(edge) for edge in np.linspace(low, high if high > low else low + 1, count + 1)]

    def running_median(self) -> tuple[FloatArray, FloatArray]:
        """Median of the values next to each other, at the median of their places, from the first place to the last.

        Towards the ends fewer neighbours are taken, as many on both sides. An end itself is the median of three: its
        own value, the median next to it, and the straight line through the medians next to it (Tukey's rule for ends,
        Exploratory Data Analysis, 1977, chapter 7).

        Returns
        -------
        places, medians : array
            Empty where there are too few, or objects.
        """
        order = np.argsort(self.places, kind="stable")
        beside = max(_FEWEST_BESIDE, order.size // 14)
        if order.size < 2 * beside + 3 or self.against == "object":
            return np.empty(0), np.empty(0)
        x, y = self.places[order], self.values[order]
        windows = []
        for middle in range(_FEWEST_BESIDE, order.size - _FEWEST_BESIDE):
            half = min(beside, middle, order.size - 1 - middle)
            windows.append(slice(middle - half, middle + half + 1))
        places = np.array([np.median(x[window]) for window in windows])
        medians = np.array([np.median(y[window]) for window in windows])
        first = _end(x[0], y[0], places[: beside + 1], medians[: beside + 1])
        last = _end(x[-1], y[-1], places[: -beside - 2 : -1], medians[: -beside - 2 : -1])
        return np.array([x[0], *places, x[-1]]), np.array([first, *medians, last])


def _end(place: float, value: float, places: FloatArray, medians: FloatArray) -> float:
    """Value of a running median at its end; `places` and `medians` are those next to it, the nearest first."""
    across = places[0] - places[-1]
    slope = (medians[0] - medians[-1]) / across if across else 0.0
    return float(np.median([value, medians[0], medians[0] + slope * (place - places[0])]))


@dataclass(frozen=True)
class TrendBin:
    """Results whose place lies between two edges.

    Parameters
    ----------
    low, high : float
        Edges, in the unit of the places.
    name : str
        Of the object; empty for other places.
    count : int
    median, scatter : float
        In the unit of the quantity; the scatter is 1.4826 times the median distance from the median, a standard
        deviation of what is normally distributed, and NaN for a single one.
    """

    low: float
    high: float
    name: str
    count: int
    median: float
    scatter: float


def probability_text(probability: float, equal: str = "") -> str:
    """Write a probability, or that it is below one in a million.

    Parameters
    ----------
    probability : float
    equal : str
        What to write before a number, such as `= `.

    Returns
    -------
    str
    """
    if probability < _SMALLEST_PROBABILITY:
        return f"< {_SMALLEST_PROBABILITY:.0e}".replace("e-0", "e-")
    return f"{equal}{probability:.2g}"


def quantity_of(text: str) -> Quantity:
    """Find a quantity by its name.

    Parameters
    ----------
    text : str
        One of `quantity_names`, or a coefficient such as `Z(2,-2)`.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    term = _COEFFICIENT.fullmatch(text.strip())
    if term is not None:
        return _coefficient(int(term[1]), int(term[2]))
    if text not in _NAMED:
        known = ", ".join(_NAMED)
        raise UsageError("is not known", key="QUANTITY", value=text or "''", remedy=f"choose of Z(n,l), {known}")
    return _NAMED[text]


def quantity_names() -> tuple[str, ...]:
    """Names of all quantities but the coefficients."""
    return tuple(_NAMED)


def trends_of(
    catalogue: Catalogue,
    wanted: Filter,
    quantities: Sequence[Quantity],
    against: Against,
    *,
    longitude_rad: float = 0.0,
    with_rejected: bool = False,
) -> list[Trend]:
    """Take quantities out of a catalogue.

    Parameters
    ----------
    catalogue : Catalogue
    wanted : Filter
    quantities : sequence of Quantity
    against : {"elevation", "date", "hour", "object"}
    longitude_rad : float, radians
        East positive; turns the hour in UTC to that of the mean sun there.
    with_rejected : bool
        Whether results are taken that reviewers rejected, or the verdict where they did not decide.

    Returns
    -------
    list of Trend
        One for each quantity.
    """
    rows = [row for row in catalogue.select(wanted) if row.status != "failed"]
    kept = [row for row in rows if with_rejected or not _is_rejected(row)]
    terms = catalogue.coefficients(wanted) if any(_COEFFICIENT.fullmatch(one.name) for one in quantities) else {}
    objects = tuple(sorted({row.object_name or "unknown" for row in kept})) if against == "object" else ()
    places = [_place(row, against, longitude_rad, objects) for row in kept]
    return [_trend(one, against, kept, places, terms, objects, len(rows)) for one in quantities]


def _trend(
    quantity: Quantity,
    against: Against,
    rows: Sequence[ObservationRow],
    places: Sequence[float],
    terms: dict[str, tuple[CoefficientRecord, ...]],
    objects: tuple[str, ...],
    selected: int,
) -> Trend:
    found = [
        (place, *quantity.value(row, terms.get(row.key, ())), row) for row, place in zip(rows, places, strict=True)
    ]
    known = sorted((one for one in found if math.isfinite(one[0]) and math.isfinite(one[1])), key=lambda one: one[0])
    columns = [np.array([one[number] for one in known], np.float64) for number in range(3)]
    return Trend(
        quantity=quantity,
        against=against,
        rows=tuple(one[3] for one in known),
        places=columns[0],
        values=columns[1],
        errors=columns[2],
        objects=objects,
        flagged=np.array([_is_flagged(one[3]) for one in known], bool),
        rejected=np.array([_is_rejected(one[3]) for one in known], bool),
        missing=selected - len(known),
    )


def _is_rejected(row: ObservationRow) -> bool:
    return row.decision == "reject" or (row.decision is None and row.verdict == "reject")


def _is_flagged(row: ObservationRow) -> bool:
    return row.decision == "look" or (row.decision is None and row.verdict == "check")


def _place(row: ObservationRow, against: Against, longitude_rad: float, objects: Sequence[str]) -> float:
    if against == "elevation":
        return math.nan if row.elevation_rad is None else math.degrees(row.elevation_rad)
    if against == "object":
        return float(objects.index(row.object_name or "unknown"))
    if row.date_utc is None:
        return math.nan
    days = row.date_utc.timestamp() / _DAY_S
    # A date without a time of day is kept as midnight, and says nothing of the hour.
    if against == "hour":
        return math.nan if ":" not in (row.date or "") else (days % 1 * 24 + math.degrees(longitude_rad) / 15) % 24
    return days


def _middle(values: FloatArray) -> tuple[float, float]:
    median = float(np.median(values))
    scatter = _MAD_TO_SIGMA * float(np.median(np.abs(values - median))) if values.size > 1 else math.nan
    return median, scatter


def _number(value: float | None, scale: float = 1.0) -> float:
    return math.nan if value is None else scale * value


def _coefficient(n: int, l: int) -> Quantity:
    name = f"Z({n},{l})"
    if abs(l) > n or (n - l) % 2:
        remedy = "l runs from -n to n in steps of 2, as in Z(2,-2)"
        raise UsageError("is no coefficient", key="QUANTITY", value=name, remedy=remedy)

    def value(_: ObservationRow, terms: _Terms) -> tuple[float, float]:
        found = next((one for one in terms if (one.n, one.l) == (n, l)), None)
        return (math.nan, math.nan) if found is None else (_number(found.phase_rad), _number(found.phase_rad_error))

    return Quantity(name, f"{name} [rad]", f"{name}_rad", "rad", value)


def _field(
    name: str, label: str, column: str, unit: str, field: str, scale: float = 1.0, error: str | None = None
) -> Quantity:
    def value(row: ObservationRow, _: _Terms) -> tuple[float, float]:
        return _number(getattr(row, field), scale), math.nan if error is None else _number(getattr(row, error), scale)

    return Quantity(name, f"{label} [{unit}]" if unit else label, column, unit, value)


_NAMED = {
    one.name: one
    for one in (
        _field("rms", "surface rms", "rms_um", "um", "rms_um", error="rms_um_error"),
        _field("rms-without-focus", "surface rms without focus", "rms_without_focus_um", "um", "rms_without_focus_um"),
        _field("focus", "focus error dz", "focus_mm", "mm", "best_focus_m", 1e3, "best_focus_m_error"),
        _field("pointing-u", "pointing u", "pointing_u_arcsec", "arcsec", "pointing_u_rad", _ARCSEC),
        _field("pointing-v", "pointing v", "pointing_v_arcsec", "arcsec", "pointing_v_rad", _ARCSEC),
        _field("efficiency", "surface efficiency", "efficiency", "", "exact_efficiency"),
        _field("ruze-efficiency", "surface efficiency by Ruze", "ruze_efficiency", "", "ruze_efficiency"),
        _field("chi2", "reduced chi2", "reduced_chi2", "", "reduced_chi2"),
        _field("snr", "smallest signal to noise", "signal_to_noise", "", "signal_to_noise"),
    )
}
