from dataclasses import replace

import numpy as np
import pytest

from oofpy.catalogue import Catalogue
from oofpy.catalogue.records import CoefficientRecord, Filter
from oofpy.catalogue.trends import quantity_of, trends_of
from oofpy.errors import UsageError
from oofpy.gravity.two_step import fit_curve
from oofpy.review.bending import bending_of, bends
from tests.made_catalogue import outcome
from tests.review.reviewing import recorded

A, B, C = 0.8, -0.5, 0.1
ERROR_RAD = 0.01


def trend_of(folder, quantity="Z(2,2)", count=30, **changes):
    """Observations from 20 to 85 deg whose astigmatism bends; the last one is far off."""
    rng, elevation = np.random.default_rng(3), np.radians(np.linspace(20, 85, count))
    values = A * np.sin(elevation) + B * np.cos(elevation) + C + ERROR_RAD * rng.normal(size=count)
    values[-1] += 1.0
    made = []
    for number, (place, value) in enumerate(zip(elevation, values, strict=True)):
        term = CoefficientRecord(5, 2, 2, float(value), ERROR_RAD)
        fields = {"elevation_rad": float(place), "wavelength_m": 0.009, "telescope": "effelsberg"}
        fields |= {name: given(number) for name, given in changes.items()}
        one = outcome(number, rng, order=5, coefficients=(term,))
        made.append(replace(one, observation=replace(one.observation, **fields)))
    with Catalogue.open(folder, create=True) as catalogue:
        recorded(catalogue, *made)
        return trends_of(catalogue, Filter(), [quantity_of(quantity)], "elevation")[0]


def test_the_model_is_found_and_what_is_far_off_named(tmp_path):
    bending = bending_of(trend_of(tmp_path))
    elevation, values = bending.line()
    truth = A * np.sin(elevation) + B * np.cos(elevation) + C
    assert np.abs(values - truth).max() < 3 * ERROR_RAD
    assert list(np.flatnonzero(bending.outlying)) == [29]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"telescope": lambda number: "effelsberg" if number else "gbt"}, "several dishes"),
        ({"wavelength_m": lambda number: 0.009 if number else 0.003}, "several wavelengths"),
        ({"elevation_rad": lambda number: 0.7 + 1e-4 * number}, "cannot be told apart"),
    ],
)
def test_what_has_no_model(tmp_path, changes, words):
    with pytest.raises(UsageError, match=words):
        bending_of(trend_of(tmp_path, **changes))


def test_what_follows_gravity(tmp_path):
    assert bends(trend_of(tmp_path))
    assert not bends(trend_of(tmp_path / "rms", "rms"))


def test_a_curve_needs_four_values():
    with pytest.raises(UsageError, match="four observations"):
        fit_curve(np.array([0.3, 0.8, 1.2]), np.zeros(3), np.ones(3))
