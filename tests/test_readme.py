"""What README.md, CONTRIBUTING.md and CHANGELOG.md say is so: commands, files, keys, flags, results."""

import ast
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import typer

import oofpy
from oofpy.cli.application import application, main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")}
TOP_LEVEL = ("configs", "data", "notebooks", "oofpy", "scripts", "tests")


def blocks(language):
    """Fenced blocks of the README in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def toml_block(name):
    [text] = [block for block in blocks("toml") if block.startswith(f"# {name}\n")]
    return text


def code_spans(text):
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def shell_lines(text):
    """Command lines in fenced and in indented blocks, as lists of words."""
    fenced = "".join(re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    indented = "\n".join(re.findall(r"^    (?=bash |pip |python |oofpy )(.*)$", text, re.MULTILINE))
    lines = [shlex.split(line, comments=True) for line in f"{fenced}\n{indented}".splitlines()]
    return [words for words in lines if words]


def command_of(words):
    """Find the command that words after `oofpy` name, its name, and what is left of the words."""
    command, names = typer.main.get_command(application), []
    while words and words[0] in getattr(command, "commands", {}):
        command, names, words = command.commands[words[0]], [*names, words[0]], words[1:]
    return command, " ".join(names), words


def parsed(words):
    """Parse the words after `oofpy` without running anything; the name of the command and its arguments."""
    command, name, rest = command_of(words)
    return name, command.make_context(name, list(rest)).params


def options_of(command):
    """Options of a command and of all below it."""
    found = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return found.union(*(options_of(child) for child in getattr(command, "commands", {}).values()))


BLOCK_COMMANDS = [words[1:] for words in shell_lines(README) if words[0] == "oofpy"]
SPAN_COMMANDS = [
    shlex.split(span)[1:] for text in DOCUMENTS.values() for span in code_spans(text) if span.startswith("oofpy ")
]


def test_the_two_commands_are_there():
    lines = [" ".join(words) for words in shell_lines(README)]
    for line in ("bash scripts/demo.sh", "bash scripts/test.sh"):
        assert line in lines
        assert (ROOT / line.split()[1]).stat().st_mode & 0o100


@pytest.mark.parametrize("words", SPAN_COMMANDS, ids=" ".join)
def test_commands_in_the_text_exist(words):
    """They may be short of arguments, but have no option that there is not."""
    command, name, rest = command_of(words)
    assert name or rest[0].startswith("--")
    assert {word for word in rest if word.startswith("--")} <= options_of(command)


def test_a_wrong_command_line_does_not_parse():
    for words in (["fit", "maps.fits", "--ordre", "5"], ["fit"], ["simulate", "--dz", "0"]):
        with pytest.raises(typer.BadParameter.__mro__[1]):
            parsed(words)


@pytest.mark.parametrize("words", BLOCK_COMMANDS, ids=" ".join)
def test_command_lines_are_accepted(words, tmp_path):
    """All but the files, which are placeholders in most of them."""
    from oofpy.fitting.overrides import apply_settings
    from oofpy.fitting.settings import FitSettings
    from oofpy.recipe.entries import settings_of
    from oofpy.recipe.reading import as_taken, reading_of
    from oofpy.telescope import load_telescope, with_overrides

    name, given = parsed(words)
    if name == "simulate":
        assert main([*words, "--out", str(tmp_path)]) == 0
        return
    if name == "report":
        apply_settings(FitSettings(), dict(text.split("=", 1) for text in given["assignments"]))
        return
    if name not in ("fit", "inspect", "convert"):
        return  # it parses, which is what can be asked without the files
    reading = reading_of(*(given[key] for key in ("dz", "wavelength", "frequency", "maps", "radius", "mask")))
    options = {key: given[key] for key in ("order", "likelihood", "device") if key in given}
    _, entries = settings_of(given["settings"], options, given["assignments"] or [])
    said = (given[key] for key in ("axes", "offsets", "parallactic_angle", "in_focus", "part"))
    as_taken(reading, *said, entries.observing)
    if given["telescope"]:
        with_overrides(load_telescope(given["telescope"]), entries.telescope)


def test_options_in_the_text_exist():
    known = options_of(typer.main.get_command(application))
    spans = [span.split()[0] for text in DOCUMENTS.values() for span in code_spans(text)]
    options = {span for span in spans if span.startswith("--")}
    assert options
    assert options <= known


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_exist(name):
    words = [word for words in shell_lines(DOCUMENTS[name]) for word in words]
    words += [word for span in code_spans(DOCUMENTS[name]) for word in span.split()]
    paths = {word for word in words if re.match(rf"({'|'.join(TOP_LEVEL)})/|[A-Z]+\.md$|LICENSE$|pyproject", word)}
    assert paths or name == "CHANGELOG.md"
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_benchmarks_are_those_that_there_are():
    tree = ast.parse((ROOT / "scripts" / "benchmark.py").read_text("utf-8"))
    [function] = [node for node in tree.body if getattr(node, "name", "") == "measurements"]
    [table] = [node for node in ast.walk(function) if isinstance(node, ast.Dict)]
    listed = re.findall(r"`python scripts/benchmark\.py ([a-z]+)`", README)
    assert listed == [key.value for key in table.keys]


def test_every_module_is_on_the_map():
    rows = README.partition("## Map of the code")[2].partition("\n## ")[0]
    listed = {Path(path).name for path in re.findall(r"`(oofpy/[\w.]+/?)`", rows)}
    package = ROOT / "oofpy"
    present = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    present |= {path.name for path in package.glob("[!_]*.py")}
    assert listed - {"oofpy"} == present


def test_the_verdict_changes_with_the_limit_as_said(tmp_path, monkeypatch, capsys):
    [block] = [block for block in blocks("bash") if "oofpy report" in block]
    (tmp_path / "data").symlink_to(ROOT / "data", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        words, said = shlex.split(line, comments=True)[1:], line.partition("#")[2].strip()
        code = main([*words, *(["--no-report", "--no-figures"] if words[0] == "fit" else ["--no-figures"])])
        verdict, _, flag = said.partition(": ")
        out = capsys.readouterr().out
        assert f"verdict {verdict}{f' ({flag})' if flag else ''}\n" in out
        assert code == (0 if verdict == "accept" else 4)


def test_verdicts_are_those_of_results():
    from oofpy.flag_kinds import Level

    rows = rows_of("| verdict | when | what it means |")
    words = [word for row in rows for word in code_spans(row[0])]
    assert words == ["accept", *(level.value for level in list(Level)[1:])]


def test_exit_codes_are_those_of_the_command():
    from oofpy.cli.endings import Ending

    text = README.partition("| exit code |")[2].partition("## The verdict")[0]
    assert {int(code) for code in re.findall(r"\b\d+\b", text)} == {int(ending) for ending in Ending}


def test_files_and_hdus_of_a_result(made_result, tmp_path):
    from astropy.io import fits

    from oofpy.io.posterior_file import POSTERIOR_FILE
    from oofpy.io.results import write_result
    from oofpy.plots import FIGURES
    from oofpy.plots.figure_set import POSTERIOR_FIGURES
    from oofpy.report.fit_report import REPORT_FILE

    folder = write_result(made_result, tmp_path)
    tables = README.partition("| file | what it holds |")[2].partition("`oofpy fit --json`")[0]
    first_cells = [row.split(" | ")[0] for row in tables.splitlines() if row.startswith("| `")]
    names = [name for cell in first_cells for name in re.findall(r"`([\w.]+)`", cell)]
    files = {name for name in names if "." in name}
    drawn = {f"{kind.name}.png" for kind in (*FIGURES, *POSTERIOR_FIGURES)}
    assert files == {path.name for path in folder.iterdir()} | drawn | {REPORT_FILE, POSTERIOR_FILE}
    with fits.open(folder / "result.fits") as hdus:
        assert set(names) - files == {hdu.name for hdu in hdus}


def test_the_telescope_file_is_accepted(tmp_path):
    from oofpy.telescope import load_telescope
    from oofpy.telescope.schema import known_keys

    path = tmp_path / "mydish.toml"
    path.write_text(toml_block("mydish.toml"), "utf-8")
    telescope = load_telescope(path)
    telescope.require_complete()
    assert telescope.conventions.defocus_sign == -1
    assert telescope.blockage.legs is not None
    for key, _ in known_keys():
        assert key.rpartition(".")[2] in README, key


def test_the_residual_path_is_accepted(tmp_path):
    """All ways of writing one together, put into the telescope's file."""
    from astropy.io import fits

    from oofpy.telescope import load_telescope
    from oofpy.telescope.schema import ResidualPathTable

    static, table = toml_block("residual path").partition("[geometry]\n")[2].split("[geometry.residual_path]\n")
    assert all(f"{key} = " in table for key in ResidualPathTable.model_fields)
    path = tmp_path / "mydish.toml"
    text = toml_block("mydish.toml").replace("[geometry]\n", f"[geometry]\n{static}")
    path.write_text(f"{text}\n[geometry.residual_path]\n{table}", "utf-8")
    for name, unit in (("path.fits", "1"), ("static.fits", "m")):
        header = fits.Header({"BUNIT": unit})
        for axis in (1, 2):
            header.update({f"CRPIX{axis}": 33.0, f"CDELT{axis}": 0.5, f"CRVAL{axis}": 0.0, f"CUNIT{axis}": "m"})
        fits.PrimaryHDU(np.full((65, 65), 2e-3), header).writeto(tmp_path / name)
    geometry = load_telescope(path).geometry
    assert geometry.residual_path.coefficients == ((0.0, 0.0, 1e-4), (0.0, 0.0, 0.0))
    assert geometry.residual_path.zernike == ((4, 0, 1, 1e-3),)
    for image in (geometry.residual_path.map, geometry.static_path):
        assert (image.planes == 2e-3).all()


def test_the_observation_file_is_accepted(tmp_path):
    from oofpy.io.formats.observation_toml import MAP_KEYS, OBSERVATION_KEYS

    text = toml_block("observation.toml")
    assert all(re.search(rf"\b{key}\b", text) for key in (*OBSERVATION_KEYS, *MAP_KEYS))
    rng = np.random.default_rng(1)
    for name in re.findall(r'file = "(.*)"', text):
        np.savetxt(tmp_path / name, rng.normal(size=(4300, 3)))
    (tmp_path / "observation.toml").write_text(text, "utf-8")
    [mask] = blocks("csv")
    (tmp_path / "bad.csv").write_text(mask, "utf-8")
    observation = oofpy.read_observation(tmp_path / "observation.toml", mask=tmp_path / "bad.csv")
    assert observation.defocus_m.tolist() == [-3e-3, 0.0, 3e-3]
    assert observation.wavelength_m == pytest.approx(1.1e-3, rel=1e-3)
    assert np.abs(observation.maps[0].u_rad).max() < 1e-3
    assert [beam_map.masked for beam_map in observation.maps] == [1, 0, 1]
    assert observation.observing.source.shape == "disc"


def rows_of(heading):
    """Cells of the table below a heading line."""
    table = README.partition(heading)[2].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table if row.startswith("| ")]


def test_formats_are_those_that_are_read():
    from oofpy.io import READERS

    listed = [row[0] for row in rows_of("| format | what a file holds | what must be said beside it |")]
    assert sorted(listed) == sorted(reader.name for reader in READERS)


def test_what_can_be_said_about_the_observing():
    """Every key is explained, and every example is accepted."""
    from oofpy.io.observing_keys import check_observing_texts, observing_keys

    rows = rows_of("| mode | keys | model |")
    spans = [span.split("=", 1) for row in rows for span in code_spans(row[1]) if "=" in span]
    named = {part for row in rows for span in code_spans(" ".join(row)) for part in re.findall(r"[a-z_]+", span)}
    assert named >= set(observing_keys())
    assert len(spans) > 8
    check_observing_texts(dict(spans))
    for words in ("limb-darkened", "gaussian", "round"):
        assert f"`{words}`" in README


def test_geometries_are_those_that_are_known():
    from typing import get_args

    from oofpy.telescope import load_telescope
    from oofpy.telescope.loading import available_telescopes
    from oofpy.telescope.model import GeometryKind

    rows = rows_of("| `geometry.kind` | what it needs | what moves by dz |")
    assert [kind for row in rows for kind in code_spans(row[0])] == list(get_args(GeometryKind))
    [sentence] = re.findall(r"Of the shipped telescopes (.*?) are refused", README, re.DOTALL)
    unknown = [name for name in available_telescopes() if load_telescope(name).missing]
    assert code_spans(sentence) == unknown
    shaped = [name for name in unknown if "geometry.residual_path" in load_telescope(name).missing]
    [sentence] = re.findall(r"are given; (.*?), whose mirrors are shaped", README, re.DOTALL)
    assert code_spans(sentence) == shaped


def test_units_are_those_that_are_known():
    from oofpy.quantities import accepted_units

    text = " ".join(README.partition("Quantities carry a unit:")[2].partition("A zero")[0].split())
    for noun, dimension in (
        ("lengths", "length"),
        ("frequencies", "frequency"),
        ("angles", "angle"),
        ("levels", "level_db"),
    ):
        listed = re.search(rf"{noun} ([\w, ]+)", text)[1]
        assert set(listed.split(", ")) == set(accepted_units(dimension))


def test_parameters_and_rules_are_those_that_can_be_set():
    from oofpy.fitting.overrides import DISH_PARAMETERS, MAP_PARAMETERS, RESPONSE_PARAMETERS, RULE_KEYS

    section = README.partition("## Settings")[2].partition("\n## ")[0]
    assert all(f"`{name}`" in section for name in (*DISH_PARAMETERS, *RESPONSE_PARAMETERS, *MAP_PARAMETERS))
    assert all(rule in section for rule in RULE_KEYS)


def test_python_examples_run(tmp_path, monkeypatch, capsys):
    (tmp_path / "data").symlink_to(ROOT / "data", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    names = {}
    first, *others = blocks("python")
    exec(compile(first, "README.md", "exec"), names)
    assert names["result"].status == "ok"
    assert names["again"].fit.surface == names["result"].fit.surface
    assert names["surface"].rms_unweighted_um == pytest.approx(60, rel=0.01)
    assert (tmp_path / "oofpy-results" / "jcmt_270GHz" / "surface.png").stat().st_size > 0
    simulated, general = others
    exec(compile(general, "README.md", "exec"), names)
    for found in (names["fitted"], names["found"]):
        assert found.parameters == pytest.approx({"height": 3, "length": 2}, rel=0.03)
    capsys.readouterr()
    exec(compile(simulated, "README.md", "exec"), names)
    true_um, fitted_um = map(float, capsys.readouterr().out.split())
    assert fitted_um == pytest.approx(true_um, rel=0.01)
    assert true_um == pytest.approx(60)
