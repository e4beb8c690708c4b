"""A catalogue of simulated results of three years: astigmatism that follows elevation, an rms that grows."""

from datetime import UTC, datetime, timedelta

import numpy as np

from oofpy.catalogue import Catalogue, CoefficientRecord, ObservationRecord, Outcome, ResultRecord

BEGAN = datetime(2022, 1, 1, 3, 30, tzinfo=UTC)
OBJECTS = ("3C273", "Mars", "Uranus with a long name")


def outcome(number, rng, verdict="accept", **changes):
    """One result; every sixth hour comes with it, every one of another object than the one before."""
    elevation = np.radians(20 + 65 * rng.random())
    taken = BEGAN + timedelta(days=9.3 * number)
    phase = 0.8 * np.sin(elevation) - 0.5 + rng.normal(0, 0.03)
    observation = ObservationRecord(
        content_hash=f"content{number}",
        name=f"obs{number:03d}",
        files=(f"obs{number:03d}.fits",),
        telescope="jcmt",
        object_name=OBJECTS[number % 3],
        date=taken.isoformat(),
        date_utc=taken,
        elevation_rad=elevation,
        maps=3,
    )
    values = {
        "key": f"key{number:03d}",
        "settings_digest": "settings",
        "settings": {},
        "status": "ok" if verdict == "accept" else "flagged",
        "verdict": verdict,
        "order": 3,
        "rms_um": 40 + 0.2 * number + rng.normal(0, 3),
        "rms_um_error": 2.0 + rng.random(),
        "best_focus_m": rng.normal(0, 1e-4),
        "best_focus_m_error": 3e-5,
        "exact_efficiency": 0.8,
        "coefficients": (
            CoefficientRecord(2, 2, 2, 0.0, 0.1),
            CoefficientRecord(3, 2, 2, phase, 0.03),
            CoefficientRecord(3, 3, 1, 0.1, None),
        ),
    }
    return Outcome(observation, ResultRecord(**values | changes))


def made_catalogue(folder, results=90):
    """Fill a catalogue: every tenth to be checked, every fifteenth rejected and far off, and one failed."""
    rng = np.random.default_rng(20240301)
    made = []
    for number in range(results):
        if number % 15 == 7:
            made.append(outcome(number, rng, "reject", rms_um=400.0))
        else:
            made.append(outcome(number, rng, "check" if number % 10 == 3 else "accept"))
    failed = ResultRecord("key-failed", "settings", {}, "failed", reason="the file is truncated", fault="InputError")
    made.append(Outcome(ObservationRecord("content-failed", "broken", ("broken.fits",)), failed))
    folder.mkdir(parents=True, exist_ok=True)
    with Catalogue.open(folder, create=True) as catalogue:
        catalogue.record(catalogue.begin_run("oofpy batch", "1.0", "here"), made)
    return folder
