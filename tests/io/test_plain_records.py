import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.fitting.status import FitStatus
from oofpy.io.plain_records import from_plain, to_plain


class Pair(NamedTuple):
    key: str
    value: int


@dataclass(frozen=True)
class Everything:
    number: float
    count: int
    yes: bool
    text: str
    path: Path | None
    status: FitStatus
    pair: Pair
    row: tuple[float, ...]
    mixed: tuple[str, float]
    choice: int | str
    words: dict[str, str]


SAMPLE = Everything(
    -np.inf,
    3,
    True,
    "é",
    Path("a/b"),
    FitStatus.STALLED,
    Pair("k", 1),
    (0.1, 2),
    ("x", 1 / 3),
    "auto",
    {"a": "b"},
)


def through_json(kind, value):
    return from_plain(kind, json.loads(json.dumps(to_plain(value), allow_nan=False)))


def test_every_kind_of_field_comes_back_equal():
    assert through_json(Everything, SAMPLE) == SAMPLE


@settings(max_examples=50, deadline=None)
@given(st.floats(allow_nan=True))
def test_numbers_come_back_to_the_last_bit(value):
    found = through_json(float, value)
    assert np.float64(found).tobytes() == np.float64(value).tobytes() or (np.isnan(found) and np.isnan(value))


def test_settings_with_open_bounds_come_back_equal():
    rules = {"Z(2,0)": ParameterRule(lower=-np.inf, upper=0.1, free=False)}
    assert through_json(FitSettings, FitSettings(order="auto", parameters=rules)) == FitSettings(
        order="auto", parameters=rules
    )


def test_numpy_numbers_become_plain():
    assert to_plain({"a": np.float64(0.1), "b": np.int64(2), "c": np.bool_(True)}) == {
        "a": 0.1,
        "b": 2,
        "c": True,
    }


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (float, "1.0"),
        (float, True),
        (int, 1.0),
        (bool, 1),
        (str, None),
        (int | str, 1.5),
        (tuple[float, ...], 3.0),
        (tuple[float, float], [1.0]),
        (FitStatus, "none such"),
        (Pair, ["k"]),
        (Everything, {"number": 1.0}),
        (Everything, {**to_plain(SAMPLE), "unknown": 1}),
        (dict[str, str], [1]),
    ],
)
def test_other_types_are_refused(kind, plain):
    with pytest.raises((TypeError, ValueError, LookupError, AttributeError)):
        from_plain(kind, plain)
