import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from oofpy.flags import Flag
from oofpy.io.results import write_result
from oofpy.limits import Limits
from oofpy.plots.figure_set import FIGURES
from oofpy.report import fit_report

FEWER = FIGURES[-1:]
FIGURE = f"{FEWER[0].name}.png"


@pytest.fixture(scope="module")
def written(made_result, tmp_path_factory):
    return write_result(made_result, tmp_path_factory.mktemp("results"))


@pytest.fixture
def folder(written, tmp_path, monkeypatch):
    """A result without a report; one figure stands for all."""
    monkeypatch.setattr(fit_report, "FIGURES", FEWER)
    return shutil.copytree(written, tmp_path / "made")


def page_in(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_report_of_a_folder(run, folder):
    before = (folder / "result.fits").read_bytes()
    outcome = run("report", folder)
    assert outcome.code == 4
    assert outcome.out.splitlines() == [
        "srt_2019-04-26: verdict check (source-off-centre)",
        f"report in {folder / 'report.html'}",
    ]
    assert "171 \N{PLUS-MINUS SIGN} 22 \N{MICRO SIGN}m" in page_in(folder)
    assert (folder / FIGURE).read_bytes().startswith(b"\x89PNG")
    assert (folder / "result.fits").read_bytes() == before


def test_the_report_of_a_file_replaces_the_old_one(run, folder):
    (folder / "report.html").write_text("old")
    assert run("report", folder / "result.fits", "--quiet").out == ""
    assert page_in(folder).startswith("<!DOCTYPE html>")


def test_an_accepted_result_ends_well(run, made_result, tmp_path, monkeypatch):
    monkeypatch.setattr(fit_report, "FIGURES", FEWER)
    accepted = write_result(replace(made_result, flags=(Flag("file-odd", "a note"),)), tmp_path)
    outcome = run("report", accepted)
    assert (outcome.code, outcome.out.splitlines()[0]) == (0, "srt_2019-04-26: verdict accept")


def test_another_folder(run, refused, folder, tmp_path):
    out = tmp_path / "new" / "place"
    run("report", folder, "--out", out, "--pdf")
    assert {path.name for path in out.iterdir()} == {"report.html", FIGURE, f"{FEWER[0].name}.pdf"}
    assert not (folder / "report.html").exists()
    error = refused("report", folder, "--out", out)
    assert f"{out / 'report.html'}: this exists already; give --overwrite" in error
    (out / "report.html").write_text("old")
    assert run("report", folder, "--out", out, "--overwrite").code == 4
    assert page_in(out) != "old"


def test_no_figures_beside_the_page(run, folder, tmp_path):
    run("report", folder, "--out", tmp_path / "out", "--no-figures")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]
    assert "data:image/png;base64," in page_in(tmp_path / "out")


def test_other_wavelengths(run, folder):
    run("report", folder, "--wavelengths", "3mm, 870um")
    # exp(-(4 pi 530.2 um / 3 mm)^2), of the dish as it was observed.
    assert "0.0072" in page_in(folder)
    assert "870 \N{MICRO SIGN}m" in page_in(folder)


def test_judged_again_by_other_limits(run, folder):
    """The made maps have a source well inside, and residuals 1.8 times the noise at the border."""
    usual = Limits().most_reduced_chi2
    before = (folder / "result.fits").read_bytes()
    outcome = run("report", folder, "--set", "limits.most_reduced_chi2=1.9", "--set", "limits.most_surface_rms_m=0.5mm")
    assert outcome.code == 4
    assert "misfit" in outcome.out
    assert "large-rms" in outcome.out
    assert "source-off-centre" not in outcome.out
    page = page_in(folder)
    assert "Judged by other limits than the fit:" in page
    assert f"most_reduced_chi2 = 1.9 (fit: {usual:g}); most_surface_rms_m = 0.0005 (fit: none)" in page
    assert "The verdict stored with the result is check (source-off-centre)." in page
    assert (folder / "result.fits").read_bytes() == before
    assert "misfit" not in run("report", folder).out
    assert "Judged by other limits" not in page_in(folder)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "order=4"], "--set order = 4: is no limit, and a report does not fit again; set limits.NAME only"),
        (["--set", "limits.most_chi2=4"], "limits.most_chi2: is not a limit"),
        (["--set", "limits.most_reduced_chi2=-1"], "a limit must be zero or a positive number"),
        (["--set", "limits.most_reduced_chi2"], "is not KEY=VALUE"),
        (["--wavelengths", "3"], "--wavelengths = 3: has no unit"),
        (["--wavelengths", "0mm"], "--wavelengths = 0mm: is not a wavelength"),
        (["--out", ""], "--out = '': is empty"),
    ],
)
def test_what_is_refused_leaves_no_report(refused, folder, words, said):
    assert said in refused("report", folder, *words)
    assert not (folder / "report.html").exists()


def test_what_is_no_result_is_refused(refused, tmp_path, folder):
    assert "there is no such file" in refused("report", tmp_path / "nothing")
    assert f"{tmp_path / 'result.fits'}: there is no such file" in refused("report", tmp_path)
    (folder / "result.fits").write_bytes((folder / "result.fits").read_bytes()[:20000])
    assert str(folder / "result.fits") in refused("report", folder)


def test_help_names_the_options(run):
    text = run("report", "--help").out
    assert all(option in text for option in ("--out", "--wavelengths", "--pdf", "--set", "--no-figures", "--overwrite"))


def test_the_command_line_loads_no_templates():
    program = "import sys, oofpy.cli; sys.exit('jinja2' in sys.modules or 'matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
