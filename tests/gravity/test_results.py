from dataclasses import replace

import numpy as np
import pytest

from oofpy.errors import InputError, UsageError
from oofpy.flags import Flag
from oofpy.gravity.results import Conditions, LeftOut, gravity_input, observation_of
from oofpy.io.results import write_result


@pytest.fixture(scope="module")
def places(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return [write_result(result, folder) for result in archive.results]


@pytest.fixture
def written(archive, tmp_path):
    """Write one result of the archive with other fields."""

    def write(number=0, **changes):
        return write_result(replace(archive.results[number], **changes), tmp_path)

    return write


def test_maps_come_back_as_they_were_fitted(archive):
    for result, observation in zip(archive.results, archive.observations, strict=True):
        again = observation_of(result)
        assert again.frame == "model"
        assert again.observing == observation.observing
        assert again.wavelength_m == observation.wavelength_m
        for one, other in zip(again.maps, observation.maps, strict=True):
            np.testing.assert_array_equal(one.power, other.power)
            np.testing.assert_array_equal(one.used, other.used)
            np.testing.assert_array_equal(one.u_rad, other.u_rad)
            assert one.defocus_m == other.defocus_m


def test_samples_left_out_stay_so(made_result):
    again = observation_of(made_result)
    for one, arrays in zip(again.maps, made_result.map_arrays, strict=True):
        np.testing.assert_array_equal(one.used, np.isfinite(arrays.relative_error))
        assert one.masked == 9


def test_results_are_read_with_their_coefficients_and_maps(archive, places):
    found = gravity_input(iter(places), conditions={"night3": Conditions(temperature_k=275.0)})
    assert found.series.names == tuple(result.name for result in archive.results)
    assert found.series.samples[3].temperature_k == 275.0
    assert found.left_out == ()
    assert [sorted(batch.names) for batch in found.maps] == [list(found.series.names)]
    assert [len(batch.observations) for batch in found.maps] == [10]  # and again


def other_data(arrays, factor=2.0):
    return tuple(replace(one, observed=factor * one.observed) for one in arrays)


def test_names_that_come_again_are_told_apart(archive, places, written):
    found = gravity_input([*places, written(map_arrays=other_data(archive.results[0].map_arrays))])
    assert found.series.names[-1] == "night0#2"


def test_maps_that_come_again_count_once(archive, places, written):
    first, fewer = archive.results[0], archive.results[1]
    twice = written(name="twice")
    orders = tuple(replace(one, maps=one.maps[:2]) for one in fewer.orders)
    short = written(1, name="short", map_arrays=fewer.map_arrays[:2], orders=orders)
    overlap = written(
        0, name="overlap", map_arrays=(*first.map_arrays[:1], *other_data(first.map_arrays[1:])),
    )  # fmt: skip
    found = gravity_input([short, *places, twice, overlap])
    assert found.series.names == tuple(result.name for result in archive.results)
    assert {one.name: one.reason for one in found.left_out} == {
        "short": "its maps are in night1 as well",
        "twice": "its maps are in night0 as well",
        "overlap": "1 of its maps are in night0 as well",
    }
    assert sorted(name for batch in found.maps for name in batch.names) == sorted(found.series.names)


def test_reasons_of_those_left_out(places, written, tmp_path):
    odd = [
        written(name="nowhere", elevation_rad=None),
        written(name="doubtful", flags=(Flag("misfit", "large"),)),
        tmp_path / "absent",
    ]
    found = gravity_input([*places, *odd], accepted_only=odd, left_out=[LeftOut("before", "for a reason")])
    reasons = {one.name: one.reason for one in found.left_out}
    assert reasons["nowhere"] == "its elevation is not known"
    assert reasons["doubtful"].startswith("its verdict is ")
    assert reasons["before"] == "for a reason"
    assert len(reasons) == 4
    assert len(found.series.samples) == 10


def test_telescopes_and_orders_that_nobody_has_are_refused(places):
    with pytest.raises(UsageError, match=r"none of 10 results can be used: its telescope is jcmt"):
        gravity_input(places, telescopes=["effelsberg"])
    with pytest.raises(UsageError, match="not fitted at this order"):
        gravity_input(places, order=9)
    assert len(gravity_input(places, telescopes=["JCMT"], order=3).series.samples) == 10


def test_no_elevation_in_any_is_refused(written):
    with pytest.raises(UsageError, match=r"its elevation is not known.*MEANEL") as refused:
        gravity_input([written(number, name=f"n{number}", elevation_rad=None) for number in range(4)])
    assert not isinstance(refused.value, InputError)


def test_too_few_are_told_with_those_left_out(places, written):
    odd = [written(number, name=f"n{number}", elevation_rad=None) for number in range(4)]
    said = r"3 can be used, 4 are left out \(n0: its elevation is not known; n1: .*; n2: .*known; and 1 more\)"
    with pytest.raises(UsageError, match=said):
        gravity_input([*places[:3], *odd])
