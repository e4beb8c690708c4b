import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from oofpy.catalogue import Catalogue, Filter
from oofpy.catalogue.trends import probability_text, quantity_names, quantity_of, trends_of
from oofpy.errors import UsageError
from tests.made_catalogue import BEGAN, OBJECTS, made_catalogue, outcome


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    with Catalogue.open(made_catalogue(tmp_path_factory.mktemp("trends"))) as opened:
        yield opened


def trend(catalogue, name, against, wanted=None, **options):
    [found] = trends_of(catalogue, wanted or Filter(), [quantity_of(name)], against, **options)
    return found


def test_coefficient_of_the_chosen_order_follows_elevation(catalogue):
    found = trend(catalogue, "Z(2, 2)", "elevation")
    assert found.values.size == 84  # of 90, six rejected
    assert found.missing == 6
    assert np.all(np.diff(found.places) >= 0)
    expected = 0.8 * np.sin(np.radians(found.places)) - 0.5
    assert np.abs(found.values - expected).max() < 5 * 0.03
    np.testing.assert_allclose(found.errors, 0.03)
    rho, probability = found.correlation()
    assert rho > 0.9
    assert probability < 1e-20
    assert [row.elevation_rad for row in found.rows] == pytest.approx(np.radians(found.places))


def test_correlation_is_that_of_ranks(catalogue):
    found = trend(catalogue, "rms", "date")
    ranks = [np.argsort(np.argsort(values)) for values in (found.places, found.values)]
    assert found.correlation()[0] == pytest.approx(np.corrcoef(*ranks)[0, 1])
    steep = replace(found, values=np.exp(found.values / 5))
    assert steep.correlation() == found.correlation()
    constant = replace(found, values=np.ones(found.values.size))
    assert all(math.isnan(value) for value in constant.correlation())
    assert all(math.isnan(value) for value in trend(catalogue, "efficiency", "elevation").correlation())


def test_bins_have_medians_and_scatter(catalogue):
    found = trend(catalogue, "rms", "date")
    bins = found.bins(5)
    assert sum(one.count for one in bins) == found.values.size
    assert bins[0].low == found.places[0]
    assert bins[-1].high == pytest.approx(found.places[-1])
    inside = (found.places >= bins[2].low) & (found.places < bins[2].high)
    assert bins[2].median == np.median(found.values[inside])
    assert bins[2].scatter == pytest.approx(3, rel=0.7)
    assert [one.median for one in bins] == sorted(one.median for one in bins)
    lone = replace(found, places=found.places[:1], values=found.values[:1])
    [one] = lone.bins(3)
    assert (one.count, one.median) == (1, found.values[0])
    assert math.isnan(one.scatter)
    assert replace(found, places=np.empty(0), values=np.empty(0)).bins(3) == []


def test_running_median_follows_and_forgets_one_far_off(catalogue):
    found = trend(catalogue, "rms", "date")
    values = found.values.copy()
    values[40] = 1e6
    places, medians = replace(found, values=values).running_median()
    expected = 40 + 0.2 * (places - BEGAN.timestamp() / 86400) / 9.3
    assert np.abs(medians - expected).max() < 6
    assert trend(catalogue, "rms", "object").running_median()[0].size == 0


def test_rejected_ones_are_taken_when_asked_for(catalogue):
    found = trend(catalogue, "rms", "elevation", with_rejected=True)
    assert (found.values.size, found.rejected.sum(), found.flagged.sum()) == (90, 6, 9)
    assert np.all(found.values[found.rejected] == 400)
    assert not trend(catalogue, "rms", "elevation").rejected.any()


def test_decisions_stand_above_the_verdict(tmp_path):
    with Catalogue.open(made_catalogue(tmp_path / "results", 20)) as opened:
        opened.decide("key007", "rev", "accept", "a good map")
        opened.decide("key001", "rev", "reject", "wind")
        opened.decide("key002", "rev", "look")
        found = trend(opened, "rms", "date")
    names = [row.name for row in found.rows]
    assert "obs007" in names
    assert "obs001" not in names
    flagged = [row.name for row, mark in zip(found.rows, found.flagged, strict=True) if mark]
    assert flagged == ["obs002", "obs003", "obs013"]


def test_hours_are_of_utc_or_of_the_mean_sun(catalogue):
    utc = trend(catalogue, "rms", "hour")
    first = next(place for row, place in zip(utc.rows, utc.places, strict=True) if row.name == "obs000")
    assert first == pytest.approx(3.5)
    local = trend(catalogue, "rms", "hour", longitude_rad=math.radians(-155.5))
    first = next(place for row, place in zip(local.rows, local.places, strict=True) if row.name == "obs000")
    assert first == pytest.approx((3.5 - 155.5 / 15) % 24)
    assert (local.bins(4)[0].low, local.bins(4)[-1].high) == (0, 24)


def test_a_day_says_nothing_of_the_hour(tmp_path):
    made = outcome(0, np.random.default_rng(1))
    days = [
        replace(made.observation, content_hash=f"{number}", date="2022-01-01", date_utc=BEGAN + timedelta(days=number))
        for number in range(3)
    ]
    (tmp_path / "r").mkdir()
    with Catalogue.open(tmp_path / "r", create=True) as opened:
        results = [replace(made.result, key=f"{number}") for number in range(3)]
        opened.record(
            opened.begin_run("", "", ""),
            [replace(made, observation=o, result=r) for o, r in zip(days, results, strict=True)],
        )
        assert trend(opened, "rms", "hour").values.size == 0
        assert trend(opened, "rms", "date").values.size == 3


def test_objects_have_a_bin_each(catalogue):
    found = trend(catalogue, "rms", "object")
    assert found.objects == OBJECTS
    assert [one.name for one in found.bins(99)] == list(OBJECTS)
    assert math.isnan(found.correlation()[0])
    only = trend(catalogue, "rms", "object", Filter(object_name="mars"))
    assert only.objects == ("Mars",)


def test_values_and_units(catalogue):
    focus = trend(catalogue, "focus", "elevation")
    assert (focus.quantity.unit, focus.quantity.column) == ("mm", "focus_mm")
    assert focus.values.std() == pytest.approx(0.1, rel=0.3)
    np.testing.assert_allclose(focus.errors, 0.03)
    unknown = trend(catalogue, "pointing-u", "elevation")
    assert (unknown.values.size, unknown.missing) == (0, 90)
    assert np.isnan(trend(catalogue, "Z(3,1)", "date").errors).all()
    assert trend(catalogue, "Z(5,1)", "date").values.size == 0


def test_what_is_no_quantity():
    assert [quantity_of(name).name for name in quantity_names()] == list(quantity_names())
    with pytest.raises(UsageError, match=r"QUANTITY = seeing: is not known; choose of Z\(n,l\), rms, "):
        quantity_of("seeing")
    with pytest.raises(UsageError, match=r"Z\(2,1\): is no coefficient"):
        quantity_of("Z(2,1)")


def test_running_median_reaches_from_the_first_to_the_last(catalogue):
    found = trend(catalogue, "rms", "date")
    line = replace(found, values=2.0 + 0.1 * (found.places - found.places[0]))
    places, medians = line.running_median()
    assert (places[0], places[-1]) == (found.places[0], found.places[-1])
    np.testing.assert_allclose(medians, 2.0 + 0.1 * (places - places[0]))
    wild = line.values.copy()
    wild[[0, -1]] = 1e6, -1e6
    ends = replace(line, values=wild).running_median()[1][[0, -1]]
    assert np.abs(ends - medians[[0, -1]]).max() < 0.1 * np.ptp(medians)


@pytest.mark.parametrize(("count", "orders"), [(4, 24), (6, 720)])
def test_few_results_make_no_tiny_probability(catalogue, count, orders):
    found = trend(catalogue, "rms", "date")
    steep = replace(found, places=np.arange(count, dtype=float), values=np.arange(count) ** 3.0)
    assert steep.correlation() == pytest.approx((1.0, 2 / orders))


def test_probabilities_are_never_written_as_zero():
    assert [probability_text(value, "= ") for value in (0.0, 9e-7, 1e-6, 0.0123)] == [
        "< 1e-6", "< 1e-6", "= 1e-06", "= 0.012",
    ]  # fmt: skip
