import sys
from dataclasses import replace

import numpy as np
import pytest

from oofpy.errors import UsageError
from oofpy.plots.posterior import MOST_SHOWN, posterior_figure, shown_parameters
from tests.few_colours import FewColours
from tests.made_posterior import NARROWER, WIDER, made_posterior

image_test = pytest.mark.mpl_image_compare(tolerance=1, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})


@pytest.fixture(scope="module")
def posterior(made_result):
    return made_posterior(made_result)


def panels(figure):
    side = round(len(figure.axes) ** 0.5)
    return np.array(figure.axes).reshape(side, side)


@image_test
def test_image_of_posterior(made_result, posterior):
    return FewColours(posterior_figure(made_result, posterior))


def test_at_most_eight_of_all_maps_those_that_differ_first(posterior):
    shown = [one.name for one in shown_parameters(posterior)]
    assert len(shown) == MOST_SHOWN
    assert {WIDER, NARROWER} <= set(shown)
    assert not any("[" in name for name in shown)
    assert shown == [name for name in posterior.names if name in shown]


def test_most_correlated_are_chosen_where_none_differs(posterior):
    agreeing = tuple(replace(one, standard_deviation=one.error) for one in posterior.parameters)
    shown = {one.name for one in shown_parameters(replace(posterior, parameters=agreeing))}
    assert {"Z(2,0)", "edge_taper_db"} <= shown  # hardly told apart in the made result


def test_axes_are_errors_of_the_fit_about_its_values(made_result, posterior):
    shown = shown_parameters(posterior)
    grid = panels(posterior_figure(made_result, posterior))
    row, column = (next(i for i, one in enumerate(shown) if one.name == name) for name in (NARROWER, WIDER))
    panel = grid[max(row, column), min(row, column)]
    assert panel.get_xlim() == panel.get_ylim()
    # The dashed ellipses reach one and two standard errors, whatever the posterior.
    reach = sorted(np.abs(line.get_xdata()).max() for line in panel.lines)
    assert reach == pytest.approx([1, 2], rel=1e-3)
    assert panel.get_xticks().tolist() in ([-2, 0, 2], [-4, 0, 4])


def test_ellipses_have_the_correlation_of_the_fit(made_result, posterior):
    shown = [one.name for one in shown_parameters(posterior)]
    grid = panels(posterior_figure(made_result, posterior))
    names = made_result.fit.covariance_names
    line = grid[2, 1].lines[0]
    x, y = line.get_xdata()[:-1], line.get_ydata()[:-1]
    expected = made_result.fit.correlation[names.index(shown[2]), names.index(shown[1])]
    assert np.mean(x * y) / np.mean(x * x) == pytest.approx(expected, abs=0.02)


def test_heading_says_what_is_shown_and_that_it_has_not_converged(made_result, posterior):
    def words(one):
        return " ".join(text.get_text() for text in posterior_figure(made_result, one).texts)

    assert f"posterior of 8 of {len(posterior.names)} parameters" in words(posterior)
    assert "not converged" not in words(posterior)
    assert "not converged" in words(replace(posterior, status="not-converged"))


def test_single_parameter_is_drawn(made_result, posterior):
    one = replace(posterior, parameters=posterior.parameters[:1], samples=posterior.samples[:, :1])
    figure = posterior_figure(made_result, one)
    figure.canvas.draw()
    assert len(figure.axes) == 1


def test_missing_extra_is_named(made_result, posterior, monkeypatch):
    monkeypatch.setitem(sys.modules, "corner", None)
    with pytest.raises(UsageError, match=r"pip install 'oofpy\[posterior\]'"):
        posterior_figure(made_result, posterior)
