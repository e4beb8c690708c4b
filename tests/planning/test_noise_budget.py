import math

import pytest

from oofpy.errors import ConfigurationError
from oofpy.planning import SampleNoise, SharedTime


def test_noise_of_every_sample():
    budget = SampleNoise(200)
    assert budget.sample_noise(100) == budget.sample_noise(90_000) == 1 / 200
    assert budget.seconds(100) is None


def test_a_time_is_shared_by_all_samples():
    budget = SharedTime(1200, 50)
    # 300 samples have 4 s each, in which the noise of one second falls by two.
    assert budget.sample_noise(300) == pytest.approx(1 / 100)
    assert budget.sample_noise(1200) == pytest.approx(2 * budget.sample_noise(300))
    assert SharedTime(4800, 50).sample_noise(300) == pytest.approx(budget.sample_noise(300) / 2)
    assert budget.seconds(300) == 1200
    assert "20 min in all maps together" in budget.described


@pytest.mark.parametrize("values", [(0, 1), (-1, 1), (1, 0), (math.nan, 1), (1, math.inf)])
def test_what_makes_no_noise_is_refused(values):
    with pytest.raises(ConfigurationError):
        SharedTime(*values)


@pytest.mark.parametrize("ratio", [0, -5, math.nan, math.inf])
def test_a_ratio_that_is_none_is_refused(ratio):
    with pytest.raises(ConfigurationError, match="peak_over_noise"):
        SampleNoise(ratio)
