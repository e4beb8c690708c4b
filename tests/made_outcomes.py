"""Observations and results for catalogues, made by hand."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from oofpy.catalogue import (
    CoefficientRecord,
    FlagRecord,
    ObservationRecord,
    OrderRecord,
    Outcome,
    ResultRecord,
)

TERMS = ((2, -2), (2, 0), (2, 2), (3, -3), (3, -1), (3, 1), (3, 3))


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def observation(number, **fields):
    """Observations of three telescopes, a day and 5 degrees apart."""
    date = datetime(2024, 5, 30, 22, tzinfo=UTC) + timedelta(days=number)
    given = {
        "content_hash": digest(f"content {number}"),
        "name": f"obs_{number:03d}",
        "files": (f"/archive/obs_{number:03d}.fits",),
        "telescope": ("jcmt", "srt", "gbt")[number % 3],
        "object_name": ("3C84", "3C273")[number % 2],
        "date": date.isoformat(),
        "date_utc": date,
        "wavelength_m": 1.1e-3,
        "elevation_rad": 0.35 + 0.0873 * number,
        "maps": 3,
        "dz_m": (-3e-3, 0.0, 3e-3),
        "file_hashes": (digest(f"file {number}"),),
    }
    return ObservationRecord(**(given | fields))


def coefficients(number, orders=(2, 3)):
    return tuple(
        CoefficientRecord(order, n, l, 0.01 * number + n / 7 + l / 100 + order, 0.001 * order)
        for order in orders
        for n, l in TERMS
        if n <= order
    )


def result(number, settings="usual", **fields):
    given = {
        "key": digest(f"key {number} {settings}"),
        "settings_digest": digest(settings),
        "settings": {"name": settings, "order": 3},
        "status": "ok",
        "verdict": "accept",
        "folder": f"obs_{number:03d}",
        "order": 3,
        "likelihood": "cauchy",
        "rms_um": 50.0 + 10 * number,
        "rms_um_error": 0.3,
        "rms_without_focus_um": 45.0 + number,
        "ruze_efficiency": 0.7,
        "exact_efficiency": 0.71,
        "best_focus_m": -1.7e-4,
        "best_focus_m_error": 3e-7,
        "pointing_u_rad": -1.1e-5,
        "pointing_v_rad": 1.2e-5,
        "signal_to_noise": 200.0,
        "reduced_chi2": 1.04,
        "seconds": 0.25,
        "device": "cpu",
        "oofpy_version": "0.1.0",
        "flags": (FlagRecord("dz-undocumented", "note", "a note"),),
        "orders": tuple(OrderRecord(order, "converged", 50.0 + order, 0.3, -1e-4, 1.1, 99.5) for order in (2, 3)),
        "coefficients": coefficients(number),
    }
    return ResultRecord(**(given | fields))


def done(number, settings="usual", **fields):
    return Outcome(observation(number), result(number, settings, **fields))


def flagged(number, *codes, level="check"):
    flags = tuple(FlagRecord(code, level, f"{code}: look at it") for code in codes)
    return done(number, status="flagged", verdict=level, flags=flags)


def failed(number, reason="the file is damaged", settings="usual"):
    """A file that could not be read."""
    seen = observation(number)
    unread = ObservationRecord(seen.content_hash, seen.name, seen.files, file_hashes=seen.file_hashes)
    key, shared = digest(f"key {number} {settings}"), {"name": settings, "order": 3}
    kept = ResultRecord(key, digest(settings), shared, "failed", None, reason, "InputError")
    return Outcome(unread, kept)


def under(outcome, **fields):
    """The same outcome of an observation with other fields."""
    return replace(outcome, observation=replace(outcome.observation, **fields))
