import re

import numpy as np
import pytest

from oofpy.plots.gravity_model import gravity_model_figure
from tests.made_gravity import made_fit

image_test = pytest.mark.mpl_image_compare(tolerance=1, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})


@image_test
def test_image_of_gravity_model():
    return gravity_model_figure(made_fit())


def test_every_coefficient_has_a_panel_with_its_model():
    fit = made_fit()
    figure = gravity_model_figure(fit)
    assert len(figure.axes) == len(fit.model.terms)
    assert "24 observations at 20.0 to 85.0\N{DEGREE SIGN}" in figure.texts[0].get_text()
    for place, panel in enumerate(figure.axes):
        assert panel.get_title(loc="left").startswith(fit.model.terms[place].label)
        curve = next(line for line in panel.get_lines() if len(line.get_xdata()) > 50)
        elevation, values = np.asarray(curve.get_xdata()), np.asarray(curve.get_ydata())
        expected = [fit.model.coefficients_um(np.radians(one))[0][place] for one in elevation]
        np.testing.assert_allclose(values, expected)
        words = next(text.get_text() for text in panel.texts)
        [a] = re.findall(r"A (\S+) ", words)
        assert words.endswith(" \N{MICRO SIGN}m")
        assert float(a) == pytest.approx(fit.model.parameters_um[place, 0], abs=fit.model.errors_um[place, 0] / 2)


def test_sound_observations_are_seen_and_those_far_off_red():
    fit = made_fit(far=2)
    panel = gravity_model_figure(fit).axes[0]
    low, high = panel.get_ylim()
    values = fit.values_um[2:, 0]
    assert ((values > low) & (values < high)).all()
    red = [line for line in panel.get_lines() if line.get_color() == "firebrick"]
    assert sum(len(line.get_xdata()) for line in red) == 2
    assert any("scan00, scan01" in text.get_text() for text in panel.figure.texts)


def test_of_many_terms_those_that_change_most_are_shown():
    fit = made_fit(order=9)
    figure = gravity_model_figure(fit)
    assert len(figure.axes) == 28
    assert any("28 of 52 terms" in text.get_text() for text in figure.texts)
