from dataclasses import FrozenInstanceError, fields, replace

import pytest

from oofpy.errors import ConfigurationError
from oofpy.limits import Limits

NAMES = [entry.name for entry in fields(Limits)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [-1, float("nan")])
def test_what_cannot_be_a_limit_is_refused_by_name(name, value):
    with pytest.raises(ConfigurationError, match=f"limits.{name} = .*: a limit must be zero or a positive number"):
        Limits(**{name: value})


@pytest.mark.parametrize("name", NAMES)
def test_none_of_them_is_needed(name):
    """Zero where a limit is from below, infinity where it is from above."""
    never = 0 if name.startswith(("least", "fewest", "rival")) else float("inf")
    never = {"fewest_clipped_samples": 10**9, "least_correlation": 1.0}.get(name, never)
    assert getattr(replace(Limits(), **{name: never}), name) == never


@pytest.mark.parametrize(("name", "value"), [("fewest_clipped_samples", 1), ("least_correlation", 1.1)])
def test_what_is_out_of_its_range_is_refused(name, value):
    with pytest.raises(ConfigurationError, match=f"limits.{name} = {value}: is outside of its range"):
        Limits(**{name: value})


@pytest.mark.parametrize("range_of", ["half_width_beams", "defocus_waves"])
def test_a_range_must_not_be_empty(range_of):
    least, most = f"least_{range_of}", f"most_{range_of}"
    with pytest.raises(ConfigurationError, match=f"limits.{least}, limits.{most} = 50, 50: the least is not below"):
        Limits(**{least: 50.0, most: 50.0})
    with pytest.raises(ConfigurationError, match="the least is not below the most"):
        Limits(**{most: 0.0})
    assert getattr(Limits(**{least: 50.0, most: 51.0}), least) == 50


def test_limits_do_not_change():
    with pytest.raises(FrozenInstanceError):
        Limits().most_rim_ratio = 2.0
