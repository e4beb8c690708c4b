from dataclasses import replace

import numpy as np
import pytest

from oofpy.gravity.series import CoefficientSeries
from oofpy.plots.gravity_residuals import (
    has_dates,
    has_hour_angles,
    has_temperatures,
    residual_hour_angle_figure,
    residual_temperature_figure,
    residual_time_figure,
)
from tests.made_gravity import made_fit

image_test = pytest.mark.mpl_image_compare(tolerance=1, savefig_kwargs={"dpi": 50, "metadata": {"Software": None}})


@pytest.fixture(scope="module")
def fit():
    return made_fit(far=1, conditions=True)


@image_test
def test_image_of_residuals_against_time(fit):
    return residual_time_figure(fit)


@pytest.mark.parametrize(
    ("draw", "field", "scale", "offset"),
    [
        (residual_temperature_figure, "temperature_k", 1.0, -273.15),
        (residual_hour_angle_figure, "hour_angle_rad", 12 / np.pi, 0.0),
    ],
)
def test_residuals_stand_where_they_were_observed(fit, draw, field, scale, offset):
    panel = draw(fit).axes[1]
    sound = next(line for line in panel.get_lines() if line.get_color() == "0.25" and len(line.get_xdata()) > 5)
    expected = [getattr(sample, field) * scale + offset for sample in fit.series.samples[1:]]
    np.testing.assert_allclose(sound.get_xdata(), expected)
    np.testing.assert_allclose(sound.get_ydata(), fit.residuals_um[1:, 1])


def test_what_is_not_known_has_no_figure(fit):
    assert has_dates(fit)
    assert has_temperatures(fit)
    assert has_hour_angles(fit)
    nothing = made_fit()
    assert not any(known(nothing) for known in (has_dates, has_temperatures, has_hour_angles))


def test_one_date_for_all_is_no_axis(fit):
    samples = tuple(replace(one, date_utc="2024-05-01") for one in fit.series.samples)
    assert not has_dates(replace(fit, series=CoefficientSeries(samples, fit.series.terms)))


def test_texts_that_are_no_date_are_left_out(fit):
    samples = [replace(one, date_utc="sometime") for one in fit.series.samples[:5]] + list(fit.series.samples[5:])
    odd = replace(fit, series=CoefficientSeries(tuple(samples), fit.series.terms))
    residual_time_figure(odd).canvas.draw()
    assert has_dates(odd)
