import pytest

from oofpy.plots.figure_set import POSTERIOR_FIGURES
from oofpy.plots.saving import draw_figures
from oofpy.report import fit_report, write_report
from oofpy.report.fit_report import FIGURES_OF_SECTION, report_files
from tests.made_posterior import made_posterior


@pytest.fixture(scope="module")
def posterior(made_result):
    return made_posterior(made_result)


@pytest.fixture(scope="module")
def figure(made_result, posterior):
    return draw_figures(POSTERIOR_FIGURES, (made_result, posterior))


def test_page_shows_table_and_figure(page_of, made_result, posterior, drawn, figure):
    page = fit_report.report_page(made_result, [*drawn, *figure], posterior=posterior)
    assert '<h2 id="posterior">Posterior</h2>' in page
    assert '<a href="#posterior">Posterior</a>' in page
    assert "Standard errors and posterior" in page
    assert "differ from the error by more than a factor of 1.2" in page
    assert page.count("data:image/png;base64,") == len(drawn) + 1
    # It stands after the cross-checks and before where everything came from.
    assert page.index('id="checks"') < page.index('id="posterior"') < page.index('id="provenance"')
    assert 'id="posterior"' not in page_of(made_result)


def test_figure_has_its_section():
    assert [kind.name for kind in POSTERIOR_FIGURES] == list(FIGURES_OF_SECTION["posterior"])


def test_files_of_a_report_with_a_posterior(made_result, posterior, tmp_path, monkeypatch):
    monkeypatch.setattr(fit_report, "FIGURES", ())
    write_report(made_result, tmp_path, posterior=posterior, pdf=True)
    names = report_files(figures=True, pdf=True, posterior=True)
    assert {path.name for path in tmp_path.iterdir()} == set(names) == {"report.html", "posterior.png", "posterior.pdf"}
    assert report_files(figures=True, pdf=True) == ("report.html",)
