from dataclasses import fields, replace

from oofpy.fitting.settings import FOR_A_REPORT, FitSettings
from oofpy.limits import Limits
from oofpy.observing import Observing
from oofpy.report import provenance


def test_files_with_their_hashes(made_result):
    table = provenance.input_table(made_result)
    assert table.rows[0] == ("data/beobachtung ü.fits", "ab" * 32)
    assert table.rows[1] == (str(made_result.telescope.source_file), made_result.telescope.sha256)
    assert table.note == "The correction on the dish was read from gravity.fits."


def test_how_it_was_observed(made_result):
    rows = dict(provenance.observation_table(made_result).rows)
    assert rows["elevation"] == "unknown"
    assert rows["how the maps were taken"].startswith("chopped by 41.253 arcsec towards 180 deg; disc of 3.5")
    plain = provenance.observation_table(replace(made_result, observing=Observing()))
    assert dict(plain.rows)["how the maps were taken"] == "nothing special is said"
    assert rows["telescope.illumination.edge_taper, in place of the file's"] == "-11 dB"
    assert rows["telescope.blockage.legs.used, in place of the file's"] == "True"
    assert dict(provenance.observation_table(replace(made_result, elevation_rad=0.7)).rows)["elevation"] == "40.11 deg"


def test_changed_settings_stand_apart_from_the_others(made_result):
    settings = replace(made_result.settings, limits=Limits(most_rim_ratio=2.5))
    result = replace(made_result, settings=settings)
    assert provenance.changed_settings(result).rows == (
        ("order", "auto"),
        ("likelihood", "student-t"),
        ("leave_one_out", "false"),
        ("parameters.Z(2,0).start", "0.1"),
        ("parameters.Z(2,0).lower", "-inf"),
        ("parameters.edge_taper_db.prior_sigma", "0.333333"),
        ("limits.most_rim_ratio", "2.5"),
    )
    unchanged = {row[0] for table in (provenance.other_settings, provenance.other_limits) for row in table(result).rows}
    told = {"parameters", "limits", "order", "likelihood", "leave_one_out"}
    every = {entry.name for entry in fields(FitSettings)} - told
    limits = {f"limits.{entry.name}" for entry in fields(Limits)} - {"limits.most_rim_ratio"}
    assert unchanged == every | limits


def test_settings_that_the_command_has_by_itself_are_not_said_to_be_changed(made_result):
    rows = provenance.changed_settings(replace(made_result, settings=FOR_A_REPORT)).rows
    assert not {"order", "leave_one_out"} & {key for key, *_ in rows}


def test_time_and_versions(made_result):
    rows = dict(provenance.computing_table(made_result).rows)
    assert rows["time of the orders"] == "0.61 s"
    assert rows["evaluations of the model"] == str(22 + 33 + 33 + 33)
    assert rows["version of torch"] == "2.9.0"


def test_conventions_say_what_positive_means(made_result):
    rows = dict(provenance.convention_table(made_result).rows)
    assert "away from the primary" in rows["defocus"]
    assert "below the ideal surface" in rows["surface"]
    assert "seen from behind the dish" in rows["axes"]
