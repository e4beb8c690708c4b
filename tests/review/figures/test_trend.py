import numpy as np
import pytest

from oofpy.catalogue import Catalogue
from oofpy.catalogue.records import Filter
from oofpy.catalogue.trends import AGAINST, quantity_of, trends_of
from oofpy.review.bending import bending_of
from oofpy.review.figures.trend import TrendFigure
from tests.made_catalogue import made_catalogue


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    with Catalogue.open(made_catalogue(tmp_path_factory.mktemp("trend") / "results")) as opened:
        yield opened


def trend_of(catalogue, quantity, against):
    [found] = trends_of(catalogue, Filter(telescope="jcmt"), [quantity_of(quantity)], against)
    return found


class Heard(list):
    """A figure, and what it was asked for."""

    def __init__(self, against):
        super().__init__()
        self.figure = TrendFigure(against, lambda place: self.append(("open", place)), lambda some: self.append(some))


@pytest.mark.parametrize("against", AGAINST)
def test_points_are_those_of_the_trend(catalogue, against):
    trend, heard = trend_of(catalogue, "rms", against), Heard(against)
    heard.figure.show(trend)
    data = heard.figure._points.data
    assert len(trend.rows) > 10
    np.testing.assert_array_equal(data["y"], trend.values)
    scale = 86400e3 if against == "date" else 1
    np.testing.assert_allclose(data["x"], trend.places * scale, atol=0.26 if against == "object" else 0)
    assert data["name"] == [row.name for row in trend.rows]


def test_the_model_is_a_line_or_a_mark_at_each(catalogue):
    for against in ("elevation", "date"):
        trend, heard = trend_of(catalogue, "focus", against), Heard(against)
        bending = bending_of(trend)
        heard.figure.show(trend, bending)
        line, marks = heard.figure._line.data, heard.figure._expected.data
        if against == "elevation":
            np.testing.assert_array_equal(line["y"], bending.line()[1])
            assert len(marks["y"]) == 0
        else:
            np.testing.assert_array_equal(marks["y"], bending.curve.at(bending.elevation_rad))
            assert len(line["y"]) == 0


def test_a_tap_opens_and_a_lasso_chooses(catalogue):
    trend, heard = trend_of(catalogue, "rms", "elevation"), Heard("elevation")
    heard.figure.show(trend, chosen=[1, 2])
    assert heard == []
    heard.figure._points.selected.indices = [4]
    heard.figure._points.selected.indices = [7, 5]
    heard.figure._points.selected.indices = []
    assert heard == [("open", 4), [5, 7], []]
