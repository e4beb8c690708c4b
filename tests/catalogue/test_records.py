import hashlib
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from oofpy.catalogue import (
    CoefficientRecord,
    FlagRecord,
    ObservationRecord,
    content_hash,
    observation_record,
    parsed_date,
    record_of,
)
from oofpy.fitting.status import FitStatus
from oofpy.observation import BeamMap, Observation, SourceFile


def of(result, **fields):
    return record_of(result, key="k", settings_digest="d", settings={"order": 3}, **fields)


def test_a_result_is_recorded_as_it_is(made_result):
    record, fit = of(made_result, folder="a/b", seconds=2.5), made_result.fit
    assert (record.status, record.verdict, record.reason, record.fault) == ("flagged", "check", "", None)
    assert (record.order, record.likelihood, record.folder, record.seconds) == (3, "student-t", "a/b", 2.5)
    for name in ("rms_um", "rms_um_error", "rms_without_focus_um", "ruze_efficiency", "best_focus_m"):
        assert getattr(record, name) == getattr(fit.surface, name)
    assert (record.pointing_u_rad, record.pointing_v_rad) == fit.pointing_in_focus_rad
    assert record.signal_to_noise == 1 / 3
    assert [flag.code for flag in record.flags] == ["source-off-centre", "file-odd"]
    assert record.flags[1] == FlagRecord("file-odd", "note", "a note")
    assert [(one.order, one.status) for one in record.orders] == [(2, "evaluation-limit"), (3, "converged")]


def test_coefficients_of_every_order_are_recorded(made_result):
    held = [(one.order, one.n, one.l, one.phase_rad, one.phase_rad_error) for one in of(made_result).coefficients]
    fitted = [
        (fit.order, one.n, one.l, one.phase_rad, one.phase_rad_error)
        for fit in made_result.orders
        for one in fit.coefficients
    ]
    assert held == fitted
    assert len(held) == 3 + 7


def test_what_is_not_finite_is_unknown(made_result):
    record = of(made_result)
    assert record.orders[0].reduced_chi2 is None
    assert CoefficientRecord(3, 2, 0, math.nan, np.float64(math.inf)).phase_rad is None
    assert CoefficientRecord(3, 2, 0, math.nan, np.float64(math.inf)).phase_rad_error is None
    assert type(CoefficientRecord(3, 2, 0, np.float64(0.5), None).phase_rad) is float


def test_text_is_what_a_database_can_keep():
    record = ObservationRecord("hash", "Königstuhl\0", ("bad\udcff.fits",), telescope="λ")
    assert (record.name, record.files, record.telescope) == ("Königstuhl?", ("bad\\udcff.fits",), "λ")


def test_a_failed_fit_says_why(made_result):
    dark = replace(made_result.fit, maps=(*made_result.fit.maps[:2], replace(made_result.fit.maps[2], gain=-1.0)))
    record = of(replace(made_result, orders=(made_result.orders[0], dark)))
    assert (record.status, record.verdict, record.fault) == ("failed", None, "FitFailedError")
    assert "no source in map 3" in record.reason
    broken = replace(made_result.fit, status=FitStatus.NOT_FINITE)
    assert FitStatus.NOT_FINITE.advice in of(replace(made_result, orders=(made_result.orders[0], broken))).reason


def sources(*hashes):
    return [SourceFile(Path(f"/data/{number}.fits"), text) for number, text in enumerate(hashes)]


def test_the_same_files_in_another_order_are_the_same_observation():
    expected = hashlib.sha256(("aa" * 32 + "\n" + "bb" * 32).encode()).hexdigest()
    assert content_hash(sources("bb" * 32, "aa" * 32)) == content_hash(sources("aa" * 32, "bb" * 32)) == expected
    assert content_hash(sources("aa" * 32, "aa" * 32)) != content_hash(sources("aa" * 32))


def test_an_observation_is_recorded_as_it_was_read():
    maps = tuple(BeamMap([0.0, 1e-4], [0.0, 1e-4], [1.0, 0.5], dz) for dz in (-3e-3, 3e-3))
    read = Observation("first", maps, 1.1e-3, "jcmt", np.float64(0.7), "3C84", "2024-05-31T01:02:03.5")
    record = observation_record(sources("aa" * 32), read, telescope="jcmt-new")
    assert (record.name, record.files, record.telescope) == ("first", ("/data/0.fits",), "jcmt-new")
    assert (record.wavelength_m, record.elevation_rad, record.maps, record.dz_m) == (1.1e-3, 0.7, 2, (-3e-3, 3e-3))
    assert record.date_utc == datetime(2024, 5, 31, 1, 2, 3, 500_000, UTC)


def test_of_files_that_could_not_be_read_name_and_place_are_known():
    record = observation_record(sources("aa" * 32, "bb" * 32))
    assert (record.name, record.files) == ("0", ("/data/0.fits", "/data/1.fits"))
    assert {record.telescope, record.maps, record.dz_m, record.date_utc} == {None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-31", datetime(2024, 5, 31, tzinfo=UTC)),
        ("2024-05-31T23:30:00+02:00", datetime(2024, 5, 31, 21, 30, tzinfo=UTC)),
        ("2024-05-31 10:00:00 UTC", datetime(2024, 5, 31, 10, tzinfo=UTC)),
        ("2024-05-31T10:00:00Z", datetime(2024, 5, 31, 10, tzinfo=UTC)),
        ("31/12/98", datetime(1998, 12, 31, tzinfo=UTC)),
        ("31/13/98", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_parsed_where_they_can_be(text, expected):
    assert parsed_date(text) == expected
