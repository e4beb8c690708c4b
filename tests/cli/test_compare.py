import json
import math
from dataclasses import replace

import pytest

from oofpy.io.results import write_result
from tests.made_comparisons import noisy, um_per_rad, variant


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write results into folders of their own, and work beside them."""
    monkeypatch.chdir(tmp_path)

    def write(*results):
        return [write_result(result, tmp_path / f"results {number}") for number, result in enumerate(results)]

    return write


@pytest.fixture
def pair(written, made_result):
    return written(variant(made_result, "before"), variant(made_result, "after", {(3, 1): 0.5}))


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_difference_is_printed_and_written(run, pair, made_result, tmp_path):
    ended = run("compare", *pair)
    assert ended.code == 0
    (coma,) = [line.split() for line in ended.out.splitlines() if line.startswith("Z(3,1)")]
    assert coma[-3:] == [
        f"{-0.5 * um_per_rad(made_result):+.2f}",
        f"{math.sqrt(2) * 0.04 * um_per_rad(made_result):.2f}",
        f"{-0.5 / math.sqrt(2) / 0.04:+.1f}",
    ]
    assert "A - B with focus: " in ended.out
    assert "more than the errors explain" in ended.out
    assert str(pair[0]) in ended.out
    folder = tmp_path / "oofpy-comparisons" / "before-and-after"
    assert ended.out.endswith("comparison in oofpy-comparisons/before-and-after\n")
    assert names_in(folder) == [
        "coefficients.ecsv",
        "coefficients.png",
        "comparison.html",
        "comparison.json",
        "difference.png",
        "numbers.png",
        "surfaces.png",
    ]


def test_result_fits_stands_for_its_folder(run, pair, tmp_path):
    ended = run(
        "compare", pair[0] / "result.fits", pair[1], "--out", tmp_path / "here", "--no-report", "--pdf", "--json"
    )
    assert ended.code == 0
    plain = json.loads(ended.out)
    assert plain == json.loads((tmp_path / "here" / "comparison.json").read_text())
    assert [entry["name"] for entry in plain["results"]] == ["before", "after"]
    assert "comparison.html" not in names_in(tmp_path / "here")
    assert "difference.pdf" in names_in(tmp_path / "here")


def test_several_are_held_against_their_mean(run, written, made_result):
    ended = run("compare", *written(*noisy(made_result, 4)))
    assert ended.code == 0
    assert "scatter of 4 results without focus" in ended.out
    assert ended.out.endswith("comparison in oofpy-comparisons/night_1-and-3-more\n")
    (focus,) = [line.split() for line in ended.out.splitlines() if line.startswith("Z(2,0)")]
    assert 0.2 < float(focus[-2]) < 3


def test_results_of_one_name_are_told_apart(run, written, made_result):
    ended = run("compare", *written(variant(made_result, "night"), variant(made_result, "night", {(3, 1): 0.1})))
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["A", "night"] in [line[:2] for line in lines]
    assert ["B", "night#2"] in [line[:2] for line in lines]
    assert "remark same-data: " in ended.out


def test_quiet_prints_nothing(run, pair, tmp_path):
    ended = run("compare", *pair, "--quiet", "--no-report")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (tmp_path / "oofpy-comparisons").is_dir()


def test_an_existing_comparison_is_kept_unless_told_otherwise(run, refused, pair, tmp_path):
    assert run("compare", *pair, "--no-report").code == 0
    assert "give --overwrite" in refused("compare", *pair)
    assert run("compare", *pair, "--overwrite").code == 0
    assert "comparison.html" in names_in(tmp_path / "oofpy-comparisons" / "before-and-after")


def test_a_result_is_not_replaced_by_a_comparison(refused, pair):
    before = names_in(pair[0])
    assert "holds no comparison.json" in refused("compare", *pair, "--out", pair[0], "--overwrite")
    assert names_in(pair[0]) == before


def test_faults_are_one_line(refused, pair, written, made_result, tmp_path):
    assert "two or more results are needed" in refused("compare", pair[0])
    assert "nowhere" in refused("compare", pair[0], tmp_path / "nowhere")
    telescope = replace(made_result.telescope, name="elsewhere")
    (other,) = written(variant(made_result, "other", telescope=telescope))
    line = refused("compare", pair[1], other)
    assert "after is of srt with a radius of 32.004 m, other of elsewhere" in line
    assert not (tmp_path / "oofpy-comparisons").exists()
