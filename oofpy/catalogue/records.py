"""What a catalogue holds of an observation and of a fit of it: plain values, whatever database keeps them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal

Status = Literal["ok", "flagged", "failed"]
Verdict = Literal["accept", "check", "reject"]
Decision = Literal["accept", "reject", "look", "undo"]

STATUSES: tuple[Status, ...] = ("ok", "flagged", "failed")
VERDICTS: tuple[Verdict, ...] = ("accept", "check", "reject")
DECISIONS: tuple[Decision, ...] = ("accept", "reject", "look", "undo")

# DATE-OBS as FITS wrote it before the year 2000: day, month, year.
_OLD_FITS_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2})")


def _storable(value: Any) -> Any:
    """Give a value that every database keeps: no number that is not finite, no text that is not Unicode or has a zero.

    Names of files may hold bytes that are no text, headers may hold anything.
    """
    if hasattr(value, "item"):  # a number of numpy's
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        plain = value.isascii() and "\0" not in value
        return value if plain else value.encode("utf-8", "backslashreplace").decode().replace("\0", "?")
    return tuple(_storable(item) for item in value) if isinstance(value, tuple) else value


class _Storable:
    """A record whose values are made such that every database keeps them."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for entry in fields(self):  # type: ignore[arg-type]
            value = getattr(self, entry.name)
            kept = _storable(value)
            if kept is not value:
                object.__setattr__(self, entry.name, kept)


@dataclass(frozen=True, slots=True)
class ObservationRecord(_Storable):
    """One observation. What is not known is None, all but the first three of a file that could not be read.

    Parameters
    ----------
    content_hash : str
        Of its files, see `content_hash`: the same files under other names are the same observation.
    name : str
        Of the observation.
    files : tuple of str
        Where its files were when it was last read.
    telescope, object_name, date : str, optional
        As the fit took them; the date as text.
    date_utc : datetime, optional
        The date parsed, in UTC; see `parsed_date`.
    wavelength_m : float, metres, optional
    elevation_rad : float, radians, optional
        Mean of the observation.
    maps : int, optional
        How many.
    dz_m : tuple of float, metres, optional
        Of every map, positive away from the primary.
    file_hashes : tuple of str
        Of the content of its files, each once, sorted; see `oofpy.catalogue.superseding` for what they are for.
    """

    content_hash: str
    name: str
    files: tuple[str, ...]
    telescope: str | None = None
    object_name: str | None = None
    date: str | None = None
    date_utc: datetime | None = None
    wavelength_m: float | None = None
    elevation_rad: float | None = None
    maps: int | None = None
    dz_m: tuple[float, ...] | None = None
    file_hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CoefficientRecord:
    """One coefficient of the phase at one order of the ladder.

    Parameters
    ----------
    order : int
        Highest Zernike order of the fit that it is of.
    n, l : int
        Radial order and azimuthal number.
    phase_rad, phase_rad_error : float or None, radians
        Value, positive for a longer path, and standard error; None where not finite. The error is zero where the
        coefficient was held.
    free : bool
        Whether it was fitted.
    """

    order: int
    n: int
    l: int
    phase_rad: float | None
    phase_rad_error: float | None
    free: bool = True

    def __post_init__(self) -> None:
        # As for all records, but quick: a catalogue has millions of them.
        for name, value in (("phase_rad", self.phase_rad), ("phase_rad_error", self.phase_rad_error)):
            if value is not None and not (type(value) is float and math.isfinite(value)):
                object.__setattr__(self, name, _storable(value))

    @property
    def name(self) -> str:
        """`Z(n,l)`."""
        return f"Z({self.n},{self.l})"


@dataclass(frozen=True, slots=True)
class OrderRecord(_Storable):
    """The fit at one order of the ladder, in short.

    Parameters
    ----------
    order : int
        Highest Zernike order.
    status : str
        How the fit ended: `converged`, `evaluation-limit`, `stalled` or `not-finite`.
    rms_um, rms_um_error : float or None, micrometres
        As of a result.
    best_focus_m : float or None, metres
        As of a result.
    reduced_chi2, bic : float or None
    """

    order: int
    status: str
    rms_um: float | None = None
    rms_um_error: float | None = None
    best_focus_m: float | None = None
    reduced_chi2: float | None = None
    bic: float | None = None


@dataclass(frozen=True, slots=True)
class FlagRecord(_Storable):
    """A flag as it was raised.

    Parameters
    ----------
    code : str
    level : str
        `note`, `check` or `reject`.
    message : str
        One line.
    """

    code: str
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class ResultRecord(_Storable):
    """A fit of an observation with certain settings, or why there is none.

    Parameters
    ----------
    key : str
        Hash of the content of the observation and of the resolved settings.
    settings_digest : str
        Hash of `settings`.
    settings : mapping
        The resolved settings, in plain values.
    status : {"ok", "flagged", "failed"}
    verdict : {"accept", "check", "reject"}, optional
        None where it failed.
    reason : str
        One line on why it failed; empty otherwise.
    fault : str, optional
        Which kind of failure: `InputError`, `ConfigurationError`, `UsageError`, `FitFailedError` or `internal`.
    folder : str, optional
        Of the result, relative to the folder of all results.
    order : int, optional
        The chosen order; what follows is of it.
    likelihood : str, optional
    rms_um, rms_um_error, rms_without_focus_um : float, micrometres, optional
    ruze_efficiency, exact_efficiency : float, optional
    best_focus_m, best_focus_m_error : float, metres, optional
        See `oofpy.fitting.result.SurfaceSummary` for these.
    pointing_u_rad, pointing_v_rad : float, radians, optional
        Where the unaberrated beam peaks in the map nearest to focus.
    signal_to_noise : float, optional
        The smallest of its maps; None where not finite.
    reduced_chi2 : float, optional
    seconds : float, optional
        What it took.
    device : str, optional
        Where it ran.
    oofpy_version : str, optional
    flags : tuple of FlagRecord
    orders : tuple of OrderRecord
        The ladder, lowest order first.
    coefficients : tuple of CoefficientRecord
        Of every order.
    """

    key: str
    settings_digest: str
    settings: Mapping[str, Any]
    status: Status
    verdict: Verdict | None = None
    reason: str = ""
    fault: str | None = None
    folder: str | None = None
    order: int | None = None
    likelihood: str | None = None
    rms_um: float | None = None
    rms_um_error: float | None = None
    rms_without_focus_um: float | None = None
    ruze_efficiency: float | None = None
    exact_efficiency: float | None = None
    best_focus_m: float | None = None
    best_focus_m_error: float | None = None
    pointing_u_rad: float | None = None
    pointing_v_rad: float | None = None
    signal_to_noise: float | None = None
    reduced_chi2: float | None = None
    seconds: float | None = None
    device: str | None = None
    oofpy_version: str | None = None
    flags: tuple[FlagRecord, ...] = ()
    orders: tuple[OrderRecord, ...] = ()
    coefficients: tuple[CoefficientRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """An observation and what came of its fit, to be recorded together.

    Parameters
    ----------
    observation : ObservationRecord
    result : ResultRecord
    """

    observation: ObservationRecord
    result: ResultRecord


@dataclass(frozen=True, slots=True)
class KnownResult(_Storable):
    """A result that a run finds in the catalogue and takes over as it is.

    Parameters
    ----------
    key : str
        Of the result.
    name : str
        Of the observation, as the run calls it.
    files : tuple of str
        Where the run found its files.
    """

    key: str
    name: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecisionRecord(_Storable):
    """What a reviewer decided on a result.

    Parameters
    ----------
    decision : {"accept", "reject", "look", "undo"}
        `look`: somebody should look again; `undo` takes back the decision that stood before it.
    who, why : str
        The reviewer; the reason, which may be empty.
    at : datetime
        When, in UTC.
    standing : {"accept", "reject", "look"}, optional
        The decision that stands after this entry; None where all are taken back.
    """

    decision: Decision
    who: str
    why: str
    at: datetime
    standing: Decision | None


@dataclass(frozen=True, slots=True)
class ObservationRow:
    """An observation with one result of it, as a table shows it.

    Parameters
    ----------
    content_hash, name, files, telescope, object_name, date, date_utc, wavelength_m, elevation_rad, maps, dz_m
        See `ObservationRecord`.
    key, settings_digest, status, verdict, reason, fault, folder, order, likelihood, rms_um, rms_um_error, \
rms_without_focus_um, ruze_efficiency, exact_efficiency, best_focus_m, best_focus_m_error, pointing_u_rad, \
pointing_v_rad, signal_to_noise, reduced_chi2, seconds, device, oofpy_version
        See `ResultRecord`.
    run : int
        In which run the result was recorded last.
    recorded_at : datetime
        When, in UTC.
    flags : tuple of str
        Codes of the flags, in the order in which they were raised.
    decision : {"accept", "reject", "look"}, optional
        The decision of reviewers that stands.
    decided_by, decided_at
        Who made the last entry, be it an undo, and when; None where there is none.
    """

    content_hash: str
    name: str
    files: tuple[str, ...]
    telescope: str | None
    object_name: str | None
    date: str | None
    date_utc: datetime | None
    wavelength_m: float | None
    elevation_rad: float | None
    maps: int | None
    dz_m: tuple[float, ...] | None
    key: str
    settings_digest: str
    status: Status
    verdict: Verdict | None
    reason: str
    fault: str | None
    folder: str | None
    order: int | None
    likelihood: str | None
    rms_um: float | None
    rms_um_error: float | None
    rms_without_focus_um: float | None
    ruze_efficiency: float | None
    exact_efficiency: float | None
    best_focus_m: float | None
    best_focus_m_error: float | None
    pointing_u_rad: float | None
    pointing_v_rad: float | None
    signal_to_noise: float | None
    reduced_chi2: float | None
    seconds: float | None
    device: str | None
    oofpy_version: str | None
    run: int
    recorded_at: datetime
    flags: tuple[str, ...] = ()
    decision: Decision | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """Everything that a catalogue holds of one result.

    Parameters
    ----------
    observation : ObservationRecord
    result : ResultRecord
    run : int
        In which run the result was recorded last.
    recorded_at : datetime
        When, in UTC.
    decisions : tuple of DecisionRecord
        All of them, oldest first.
    other_keys : tuple of str
        Of other results of the same observation, and of those that it has superseded or that has superseded it, the
        newest first.
    superseded_by : str, optional
        Key of the current result of the observation that has superseded this one; see `oofpy.catalogue.superseding`.
    """

    observation: ObservationRecord
    result: ResultRecord
    run: int
    recorded_at: datetime
    decisions: tuple[DecisionRecord, ...] = ()
    other_keys: tuple[str, ...] = ()
    superseded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which results are meant: those for which everything said here holds. What is None or empty is not asked for.

    Parameters
    ----------
    telescope : str, optional
    object_name, name : str, optional
        Patterns with `*` and `?`; upper and lower case are alike.
    date_from, date_before : datetime, optional
        On or after the first, before the second, in UTC.
    elevation_from_rad, elevation_to_rad : float, radians, optional
        Both included.
    rms_from_um, rms_to_um : float, micrometres, optional
        Both included.
    flags : tuple of str
        Codes of flags, at least one of which was raised.
    statuses, verdicts : tuple of str
        One of these.
    decisions : tuple of str
        The decision that stands is one of these; `none`: no decision stands.
    accepted_only : bool
        Only what reviewers accepted, or what they did not decide on and the verdict accepts.
    run : int, optional
        Recorded last in this run.
    all_results : bool
        Every result of every observation; otherwise the current one, which is the last that did not fail, or the last
        where all did, and none of observations that are superseded.
    """

    telescope: str | None = None
    object_name: str | None = None
    name: str | None = None
    date_from: datetime | None = None
    date_before: datetime | None = None
    elevation_from_rad: float | None = None
    elevation_to_rad: float | None = None
    rms_from_um: float | None = None
    rms_to_um: float | None = None
    flags: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    accepted_only: bool = False
    run: int | None = None
    all_results: bool = field(default=False, kw_only=True)


def parsed_date(text: str | None) -> datetime | None:
    """Parse the date of an observation.

    Parameters
    ----------
    text : str or None
        ISO 8601, in UTC where it names no zone, or DD/MM/YY of the years 1900 to 1999 as old FITS files have it.

    Returns
    -------
    datetime or None
        In UTC; None where there is no such date.
    """
    words = (text or "").strip().removesuffix("UTC").strip()
    old = _OLD_FITS_DATE.fullmatch(words)
    try:
        if old:
            day, month, year = map(int, old.groups())
            return datetime(1900 + year, month, day, tzinfo=UTC)
        date = datetime.fromisoformat(words)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
