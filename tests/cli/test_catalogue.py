import json
import re
import sys

import pytest
from astropy.table import Table

from oofpy.catalogue import Catalogue
from tests.made_outcomes import digest, done, failed, flagged, under


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    with Catalogue.open(folder, create=True) as catalogue:
        outcomes = [done(number) for number in range(4)]
        outcomes += [flagged(4, "misfit"), failed(5, "the file is cut"), done(1, "strict", rms_um=20.0)]
        catalogue.record(catalogue.begin_run("batch", "0", "host"), outcomes)
        catalogue.decide(digest("key 4 usual"), "Anna", "reject", "ice")
        catalogue.decide(digest("key 2 usual"), "Bo", "accept")
    return folder


def listed(outcome):
    """First words of the lines between the head and the last line, and the last line."""
    assert (outcome.code, outcome.err) == (0, "")
    *table, last = outcome.out.splitlines()
    return [line.split()[0] for line in table[1:]], last


def test_a_list_shows_the_newest_result_of_each_observation(run, results):
    outcome = run("catalogue", "list", results)
    assert listed(outcome) == (
        [f"obs_{number:03d}" for number in range(6)],
        "6 observations that match, 6 observations in the catalogue",
    )
    head, *lines = outcome.out.splitlines()
    assert re.split(r"  +", head) == [
        "name", "status", "verdict", "decision", "rms um", "error", "focus mm", "chi2", "order", "el deg", "date",
        "object", "telescope", "key", "flags or reason",
    ]  # fmt: skip
    assert lines[1].split() == [
        "obs_001", "ok", "accept", "-", "20", "0.3", "-0.1700", "1.04", "3", "25.1", "2024-05-31T22:00:00", "3C273",
        "srt", digest("key 1 strict")[:12], "dz-undocumented",
    ]  # fmt: skip
    assert lines[4].split()[1:4] + lines[4].split()[-1:] == ["flagged", "check", "reject", "misfit"]
    key = digest("key 5 usual")[:12]
    assert lines[5].split() == ["obs_005", "failed", *["-"] * 11, key, "the", "file", "is", "cut"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--telescope", "jcmt"), (0, 3)),
        (("--object", "3c84"), (0, 2, 4)),
        (("--name", "*_00[12]"), ()),
        (("--name", "*_00?", "--status", "failed"), (5,)),
        (("--from", "2024-06-01"), (2, 3, 4)),
        (("--to", "2024-05-31"), (0, 1)),
        (("--to", "2024-05-31T22:00"), (0,)),
        (("--from", "2024-05-31", "--to", "2024-05-31"), (1,)),
        (("--elevation-above", "30deg"), (2, 3, 4)),
        (("--elevation-above", "0.5rad", "--elevation-below", "36 deg"), (2, 3)),
        (("--rms-above", "60um"), (2, 3, 4)),
        (("--rms-below", "0.06mm"), (0, 1)),
        (("--flag", "misfit"), (4,)),
        (("--flag", "misfit", "--flag", "clipped-peak"), (4,)),
        (("--status", "flagged", "--status", "failed"), (4, 5)),
        (("--verdict", "check"), (4,)),
        (("--decision", "reject"), (4,)),
        (("--decision", "none"), (0, 1, 3, 5)),
        (("--accepted",), (0, 1, 2, 3)),
        (("--run", "2"), ()),
        (("--all-results", "--telescope", "srt"), (1, 1, 4)),
        (("--sort", "-rms"), (4, 3, 2, 0, 1, 5)),
        (("--sort=-rms", "--limit", "2"), (4, 3)),
        (("--limit", "0"), range(6)),
    ],
)
def test_options_say_which_are_listed(run, results, words, expected):
    outcome = run("catalogue", "list", results, *words)
    if expected:
        assert listed(outcome)[0] == [f"obs_{number:03d}" for number in expected]
    else:
        assert outcome.out.startswith("0 observations that match")


def test_a_list_says_how_many_it_leaves_out(run, results):
    assert listed(run("catalogue", "list", results, "--limit", "2", "--status", "ok"))[1] == (
        "2 shown of 4 observations that match, 6 observations in the catalogue"
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--elevation-above", "30"), "--elevation-above = 30: has no unit"),
        (("--rms-below", "3deg"), "--rms-below = 3deg: has the unit 'deg', which is a unit of angle"),
        (("--from", "yesterday"), "--from = yesterday: is no date"),
        (("--flag", "nothing"), "--flag = nothing: is not known; 'oofpy flags' lists them"),
        (("--status", "good"), "choose of ok, flagged, failed"),
        (("--decision", "undo"), "choose of accept, reject, look, none"),
        (("--sort", "-colour"), "--sort = -colour: nothing to sort by; choose of name, date"),
        (("--limit", "-1"), "--limit"),
    ],
)
def test_what_is_no_filter_is_refused(refused, results, words, text):
    assert text in refused("catalogue", "list", results, *words)


@pytest.mark.parametrize("command", [("list",), ("show", "obs_001"), ("export",)])
def test_where_there_is_no_catalogue_it_is_said(refused, tmp_path, command):
    command, *words = command
    assert "there is no catalogue here" in refused("catalogue", command, tmp_path, *words)
    assert list(tmp_path.iterdir()) == []


def test_text_from_files_obeys_no_terminal(run, tmp_path):
    with Catalogue.open(tmp_path, create=True) as catalogue:
        outcome = under(done(1), name="a\x1b[2Jb\nc", object_name="\x9b1m")
        catalogue.record(catalogue.begin_run("batch", "0", "host"), [outcome, failed(2, "\x1b[2J" + "long " * 40)])
    shown = run("catalogue", "list", tmp_path).out + run("catalogue", "show", tmp_path, digest("key 1 usual")).out
    assert "a?[2Jb c" in shown
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)
    assert re.search(r"(long ){8,14}l?o?n?g?\.\.\.$", shown, re.M)


def test_show_prints_what_is_held(run, results):
    outcome = run("catalogue", "show", results, "obs_004")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    facts = {line[:17].strip(): line[17:].strip() for line in lines}
    assert facts["telescope"] == "srt"
    assert facts["dz"] == "-3, +0, +3 mm"
    assert facts["status"] == "flagged, verdict check, decision reject"
    assert facts["rms"] == "90 +- 0.3 um"
    assert facts["focus error"] == "dz = -0.1700 +- 0.0003 mm"
    assert facts["pointing"] == "u -2.269, v +2.475 arcsec"
    assert "check misfit: misfit: look at it" in lines
    assert any(line.startswith("decision 20") and line.endswith("UTC Anna: reject: ice") for line in lines)
    assert "Z(2,0)        +2.3257 (0.002)  +3.3257 (0.003)" in lines
    assert "Z(3,-3)                     -  +3.4386 (0.003)" in lines


def test_show_names_the_other_results_and_the_reason_of_a_failure(run, results):
    shown = run("catalogue", "show", results, "obs_001").out
    assert re.search(rf"^key +{digest('key 1 strict')}$", shown, re.M)
    assert re.search(rf"^other result +{digest('key 1 usual')}$", shown, re.M)
    older = run("catalogue", "show", results, digest("key 1 usual")[:12]).out
    assert re.search(r"^rms +60 \+- 0\.3 um$", older, re.M)
    reason = run("catalogue", "show", results, "obs_005").out
    assert re.search(r"^reason +InputError: the file is cut$", reason, re.M)


def test_what_is_not_held_is_not_shown(refused, results):
    assert "NAME = obs: is neither the name" in refused("catalogue", "show", results, "obs")


def test_an_export_goes_to_standard_output_and_what_is_said_elsewhere(run, results):
    outcome = run("catalogue", "export", results, "--format", "json", "--rms-above", "60um", "--order", "2")
    assert outcome.code == 0
    found = json.loads(outcome.out)
    assert [entry["name"] for entry in found] == ["obs_002", "obs_003", "obs_004"]
    assert {entry["coefficients_order"] for entry in found} == {2}
    assert "Z(3,1)_rad" not in found[0]
    assert re.fullmatch(r"3 rows of \d+ columns written\n", outcome.err)
    quiet = run("catalogue", "export", results, "--quiet")
    assert quiet.err == ""
    assert len(Table.read(quiet.out, format="ascii.ecsv")) == 6


@pytest.mark.parametrize("form", ["ecsv", "csv", "parquet", "json"])
def test_the_name_of_the_output_says_the_format(run, results, tmp_path, form):
    file = tmp_path / "new" / f"table.{form}"
    outcome = run("catalogue", "export", results, "--output", file)
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err.endswith(f"columns written to {file}\n")
    begins = {"ecsv": b"# %ECSV", "csv": b"content_hash,", "parquet": b"PAR1", "json": b"["}
    assert file.read_bytes().startswith(begins[form])


def test_what_exists_is_replaced_only_where_it_is_said(run, refused, results, tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("old")
    assert "exists already" in refused("catalogue", "export", results, "--output", file)
    assert file.read_text() == "old"
    assert run("catalogue", "export", results, "--output", file, "--overwrite", "--format", "json").code == 0
    assert len(json.loads(file.read_text())) == 6


def test_an_export_that_fails_leaves_no_file(refused, results, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert "oofpy[parquet]" in refused("catalogue", "export", results, "--output", tmp_path / "new" / "table.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--format", "xlsx"), "--format = xlsx: is no format of a table; choose of ecsv, csv, parquet, json"),
        (("--output", "table.txt"), "give --format, or choose of ecsv"),
        (("--output", ""), "is empty"),
        (("--order", "1"), "--order"),
    ],
)
def test_what_is_no_table_is_refused(refused, results, words, text):
    assert text in refused("catalogue", "export", results, *words)


@pytest.mark.parametrize("width", [70, 90, 130, 250])
def test_a_list_fits_the_terminal_and_names_what_it_leaves_out(run, results, monkeypatch, width):
    piped = run("catalogue", "list", results).out
    monkeypatch.setenv("COLUMNS", str(width))
    assert run("catalogue", "list", results).out == piped
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    head, *lines = run("catalogue", "list", results).out.splitlines()
    assert max(map(len, [head, *lines[:6]])) <= width
    heads = re.split(r"  +", head)
    assert heads[:3] == ["name", "status", "verdict"]
    assert heads[-1].startswith("flags or")
    assert "misfit" in lines[4]
    shown = {name for name in re.split(r"  +", piped.splitlines()[0]) if name in heads}
    left_out = set(re.findall(r"for want of room: (.*);", lines[-2])[0].split(", ")) if len(lines) == 8 else set()
    assert len(shown) + len(left_out) == 15
    assert (width == 250) == (not left_out)


def test_an_order_that_was_never_fitted_is_refused(refused, results, tmp_path):
    line = refused("catalogue", "export", results, "--order", "9", "--output", tmp_path / "table.csv", "--quiet")
    assert "--order = 9: no result that matches was fitted at this order; choose of 2, 3" in line
    assert not (tmp_path / "table.csv").exists()


@pytest.mark.parametrize("words", [("list",), ("show", "obs"), ("export", "--quiet")])
def test_a_catalogue_on_a_server_is_named(refused, tmp_path, words):
    (tmp_path / "log.txt").write_text(
        "2026-01-01T00:00:00Z run 1 begins: oofpy batch maps --catalogue postgresql://old@host/db --out here\n"
        "2026-01-02T00:00:00Z run 2 begins: oofpy batch maps --catalogue=postgresql://me:secret@host/db --out here\n"
        "2026-01-02T00:00:01Z failed: --catalogue postgresql://no/run\n"
    )
    line = refused("catalogue", words[0], tmp_path, *words[1:])
    assert "is on a server, postgresql://me:***@host/db; give this URL" in line


def test_show_names_what_has_taken_the_place(tmp_path, run):
    three, four = (
        under(done(n), content_hash=digest(str(n)), file_hashes=tuple(map(digest, letters)))
        for n, letters in ((1, "abc"), (2, "abcd"))
    )
    with Catalogue.open(tmp_path, create=True) as catalogue:
        for outcome in (three, four):
            catalogue.record(catalogue.begin_run("oofpy batch", "0.1.0", "telescope-pc"), [outcome])
    shown = run("catalogue", "show", tmp_path, three.result.key).out
    assert f"{four.result.key}, an observation with all files of this one" in shown
