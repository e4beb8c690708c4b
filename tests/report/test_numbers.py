import math

import pytest

from oofpy.report.numbers import measured, number, percent, ratio, rounded


@pytest.mark.parametrize(
    ("value", "error", "shown"),
    [
        (52.2812, 0.0213, ("52.281", "0.021")),
        (1179.7, 10.96, ("1180", "11")),
        (-0.17184, 0.00026, ("-0.17184", "0.00026")),
        (3.0, 250.0, ("3", "250")),
        (1.23456, 0.0, ("1.235", "-")),
        (1.23456, None, ("1.235", "-")),
        (1.23456, math.nan, ("1.235", "-")),
        (math.nan, 0.1, ("-", "-")),
        (math.inf, 0.1, ("infinite", "-")),
    ],
)
def test_digits_follow_the_error(value, error, shown):
    assert rounded(value, error) == shown


def test_sign_and_unit():
    assert measured(2.1, 0.4, "mm", "+") == "+2.10 \N{PLUS-MINUS SIGN} 0.40 mm"
    assert measured(2.1, None, "") == "2.1"
    assert measured(math.nan, 1.0, "mm") == "- mm"


def test_large_ratios_are_whole_numbers():
    assert [ratio(value) for value in (0.3333, 37.12, 999.4, 3291.0, math.inf)] == [
        "0.333",
        "37.1",
        "999",
        "3291",
        "infinite",
    ]


def test_what_is_no_number():
    assert [number(value) for value in (None, math.nan, math.inf, -math.inf)] == ["-", "-", "infinite", "-infinite"]
    assert percent(0.1234) == "12.3 %"
