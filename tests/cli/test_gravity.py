import json
import math

import numpy as np
import pytest

from oofpy.gravity.files import read_gravity
from oofpy.gravity.model import gravity_terms
from oofpy.io.results import write_result
from tests.made_comparisons import variant

TRUTH_RAD = {(2, -2): (0.5, -0.2, 0.1), (2, 2): (0.1, 0.4, -0.3)}


@pytest.fixture
def results(made_result, tmp_path, monkeypatch):
    """Results at ten elevations; the fifth lies far off, the last has no elevation."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    places = []
    for number, elevation in enumerate(np.radians(np.linspace(20, 85, 10))):
        changes = {term: float(gravity_terms(elevation) @ abc) for term, abc in TRUTH_RAD.items()}
        changes = {term: value + 0.03 * rng.normal() for term, value in changes.items()}
        if number == 4:
            changes[2, 2] += 2.0
        known = {"elevation_rad": float(elevation), "flags": ()}
        places.append(write_result(variant(made_result, f"night{number}", changes, **known), tmp_path / "results"))
    places.append(write_result(variant(made_result, "unknown", elevation_rad=None), tmp_path / "results"))
    return places


def test_model_is_printed_and_written(run, results, made_result, tmp_path):
    ended = run("gravity", *results, "--out", tmp_path / "model")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].startswith("srt: 10 observations, 20.0 to 85.0 deg, fitted in two steps")
    assert "far off: night4 in Z(2,2)" in lines
    assert "left out: unknown: its elevation is not known" in lines
    assert lines[-1] == f"model in {tmp_path / 'model'}"
    [row] = [line.split() for line in lines if line.startswith("Z(2,-2)")]
    model = read_gravity(tmp_path / "model")
    assert row[-8] == f"{model.parameters_um[0, 0]:+.2f}"
    micrometres = made_result.wavelength_m / (4 * math.pi) * 1e6
    expected = np.add(TRUTH_RAD[2, -2], (0, 0, made_result.fit.coefficients[0].phase_rad))
    pulls = (model.parameters_um[0] / micrometres - expected) / (model.errors_um[0] / micrometres)
    assert np.abs(pulls).max() < 3
    assert {path.name for path in (tmp_path / "model").iterdir()} == {
        "gravity.ecsv",
        "gravity.json",
        "gravity.png",
        "residuals.ecsv",
    }


def test_json_is_that_of_the_folder(run, results, tmp_path):
    (tmp_path / "weather.csv").write_text("observation,temperature_c\nnight1,5\nnight2,8\n")
    ended = run("gravity", *results, "--json", "--no-figures", "--conditions", "weather.csv", "--order", 3)
    assert ended.code == 0
    plain = json.loads(ended.out)
    assert plain == json.loads((tmp_path / "oofpy-gravity" / "srt" / "gravity.json").read_text())
    assert plain["observations"][1]["temperature_k"] == pytest.approx(278.15)


def test_older_model_is_replaced_only_when_asked(run, refused, results):
    assert run("gravity", *results, "--quiet", "--no-figures").out == ""
    assert "exists already" in refused("gravity", *results, "--no-figures")
    assert run("gravity", *results, "--quiet", "--no-figures", "--overwrite").code == 0


def test_bad_usage_is_one_line(refused, results, tmp_path):
    assert "four observations or more" in refused("gravity", *results[:3])
    assert "its telescope is srt" in refused("gravity", *results, "--telescope", "jcmt")
    assert "not fitted at this order" in refused("gravity", *results, "--order", 11)
    assert "neither result.fits nor catalogue.sqlite" in refused("gravity", tmp_path)
    assert "no such file" in refused("gravity", *results, "--conditions", "absent.csv")
    assert not (tmp_path / "oofpy-gravity").exists()


def test_catalogue_gives_what_reviewers_left(run, results, made_result, tmp_path):
    from oofpy.catalogue import Catalogue, ObservationRecord, Outcome, record_of

    folder = tmp_path / "results"
    with Catalogue.open(folder, create=True) as catalogue:
        number = catalogue.begin_run("batch", "1", "here")
        for place in results[:10]:
            record = record_of(
                variant(made_result, place.name), key=place.name, settings_digest="s", settings={}, folder=place.name
            )
            catalogue.record(number, [Outcome(ObservationRecord(place.name, place.name, ()), record)])
        catalogue.decide("night4", "somebody", "reject", "clouds")
    ended = run("gravity", folder, "--no-figures")
    assert ended.code == 0
    assert ended.out.startswith("srt: 9 observations")
    assert "left out: night4: a reviewer rejected it" in ended.out.splitlines()


def test_results_in_a_folder_have_their_catalogue_on_a_server(
    run, refused, results, made_result, tmp_path, monkeypatch
):
    from oofpy.catalogue import Catalogue, ObservationRecord, Outcome, record_of

    opened, open_honestly = [], Catalogue.open
    with open_honestly(tmp_path / "server", create=True) as catalogue:
        number = catalogue.begin_run("batch", "1", "here")
        for place in results[:8]:
            record = record_of(
                variant(made_result, place.name), key=place.name, settings_digest="s", settings={}, folder=place.name
            )
            catalogue.record(number, [Outcome(ObservationRecord(place.name, place.name, ()), record)])

    def open_server(place):
        opened.append(place)
        return open_honestly(tmp_path / "server")

    monkeypatch.setattr(Catalogue, "open", open_server)
    url = "postgresql://observer@host/archive"
    ended = run("gravity", tmp_path / "results", "--catalogue", url, "--no-figures")
    assert ended.code == 0
    assert opened == [url]
    assert ended.out.startswith("srt: 8 observations")
    assert "needs the one folder" in refused("gravity", *results, "--catalogue", url)
    assert opened == [url]
