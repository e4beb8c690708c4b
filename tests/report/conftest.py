import pytest

from oofpy.plots.figure_set import FIGURES
from oofpy.plots.saving import draw_figures
from oofpy.report import write_report
from oofpy.report.fit_report import report_page


@pytest.fixture(scope="session")
def drawn(made_result):
    """The figures of the made result."""
    return list(draw_figures(FIGURES, made_result))


@pytest.fixture
def page_of(drawn):
    """The page of a result, with the figures of the made one."""
    return lambda result, **arguments: report_page(result, drawn, **arguments)


@pytest.fixture(scope="session")
def written(made_result, tmp_path_factory):
    """A folder with the report of the made result, and its figures as PDF as well."""
    folder = tmp_path_factory.mktemp("report")
    write_report(made_result, folder, other_wavelengths_m=(3e-3,), pdf=True)
    return folder
