from dataclasses import replace

import numpy as np
import pytest

from oofpy.errors import InputError, UsageError
from oofpy.gravity.series import CoefficientSeries, ElevationSample
from oofpy.optics.half_path import half_path_um
from tests.gravity.conftest import TERMS
from tests.made_comparisons import COVARIANCE, variant


def test_result_gives_micrometres_with_their_covariance(made_result):
    result = variant(made_result, "one", elevation_rad=0.8)
    sample = ElevationSample.from_result(result, temperature_k=281.0)
    scale = half_path_um(1.0, result.wavelength_m)
    assert sample.terms == TERMS
    assert (sample.name, sample.temperature_k, sample.elevation_rad) == ("one", 281.0, 0.8)
    np.testing.assert_allclose(sample.values_um, [one.phase_rad * scale for one in result.fit.coefficients])
    np.testing.assert_allclose(sample.covariance_um2, COVARIANCE * scale**2)


def test_lower_order_of_the_ladder_can_be_taken(made_result):
    sample = ElevationSample.from_result(made_result, order=2)
    assert [term.n for term in sample.terms] == [2, 2, 2]
    with pytest.raises(InputError, match=r"--order = 7: .* choose one of 2, 3"):
        ElevationSample.from_result(made_result, order=7)


def test_coefficient_that_was_held_says_nothing(made_result):
    result = variant(made_result, "held", covariance=COVARIANCE[1:, 1:], names=("Z(2,0)", "Z(2,2)", "Z(3,-3)",
                     "Z(3,-1)", "Z(3,1)", "Z(3,3)"))  # fmt: skip
    assert (2, -2) not in ElevationSample.from_result(result).terms


def test_unknown_errors_are_refused(made_result):
    with pytest.raises(InputError, match="not known"):
        ElevationSample.from_result(variant(made_result, "bad", covariance=COVARIANCE * np.nan))


def test_observations_stand_side_by_side_with_gaps(make_samples):
    samples = make_samples(count=6)
    short = samples[2]
    samples[2] = replace(
        short, terms=TERMS[:3], values_um=short.values_um[:3], covariance_um2=short.covariance_um2[:3, :3]
    )
    series = CoefficientSeries.of(samples)
    assert series.terms == TERMS
    assert series.values_um.shape == (6, len(TERMS))
    np.testing.assert_array_equal(np.isnan(series.values_um[2]), [False] * 3 + [True] * 4)
    np.testing.assert_array_equal(series.covariances_um2[2, :3, :3], short.covariance_um2[:3, :3])
    np.testing.assert_array_equal(series.covariances_um2[4], samples[4].covariance_um2)


def test_term_of_few_observations_is_dropped(make_samples):
    samples = make_samples(count=6)
    for number in (1, 3, 5):
        one = samples[number]
        samples[number] = replace(
            one, terms=TERMS[:3], values_um=one.values_um[:3], covariance_um2=one.covariance_um2[:3, :3]
        )
    assert CoefficientSeries.of(samples).terms == TERMS[:3]


def test_fewer_than_four_observations_are_refused(make_samples):
    with pytest.raises(UsageError, match=r"RESULTS = 3: .* four observations or more"):
        CoefficientSeries.of(make_samples(count=3))


def test_more_than_one_telescope_is_refused(make_samples):
    samples = make_samples(count=6)
    with pytest.raises(UsageError, match="more than one telescope"):
        CoefficientSeries.of([*samples[:5], replace(samples[5], telescope="other")])
    with pytest.raises(UsageError, match=r"--telescope = dish .*radius 16 m.*choose one"):
        CoefficientSeries.of([*samples[:5], replace(samples[5], dish_radius_m=16.0)])


@pytest.mark.parametrize("elevation", [None, -0.1, 2.0])
def test_unknown_elevation_is_refused(make_samples, elevation):
    samples = make_samples(count=6)
    with pytest.raises(InputError, match=r"scan03.*elevation"):
        CoefficientSeries.of(
            [replace(one, elevation_rad=elevation) if one.name == "scan03" else one for one in samples]
        )


def test_elevations_that_cannot_tell_the_terms_apart_are_refused(make_samples):
    samples = make_samples(count=8)
    close = [replace(one, elevation_rad=np.radians(45 + number)) for number, one in enumerate(samples)]
    with pytest.raises(UsageError, match=r"45\.0 to 52\.0 deg in 8 observations: .*condition 2"):
        CoefficientSeries.of(close)
    two = [replace(one, elevation_rad=np.radians(30 if number % 2 else 70)) for number, one in enumerate(samples)]
    with pytest.raises(UsageError, match="without limit"):
        CoefficientSeries.of(two)


def test_wavelength_in_common(make_samples):
    samples = make_samples(count=5)
    assert CoefficientSeries.of(samples).wavelength_m == 1.1e-3
    other = replace(samples[2], wavelength_m=0.87e-3)
    assert CoefficientSeries.of([*samples, other]).wavelength_m is None
