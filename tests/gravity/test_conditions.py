import math

import pytest

from oofpy.errors import InputError
from oofpy.gravity.conditions import read_conditions


@pytest.fixture
def read(tmp_path):
    def read(text):
        (tmp_path / "weather.csv").write_text(text)
        return read_conditions(tmp_path / "weather.csv")

    return read


def test_units_are_those_of_the_columns(read):
    found = read("observation,temperature_c,hour_angle_h\nfirst,7.5,-6\nsecond,,2\n")
    assert found["first"].temperature_k == pytest.approx(280.65)
    assert found["first"].hour_angle_rad == pytest.approx(-math.pi / 2)
    assert found["second"].temperature_k is None
    found = read("observation,temperature_k,hour_angle_deg\n17,270,90\n")
    assert found["17"].temperature_k == 270.0
    assert found["17"].hour_angle_rad == pytest.approx(math.pi / 2)


def test_residuals_of_a_model_can_be_given_again(read):
    found = read(
        "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: observation, datatype: string}\n"
        "# - {name: temperature_k, datatype: float64}\nobservation temperature_k\nfirst 281.0\nsecond nan\n"
    )
    assert found["first"].temperature_k == 281.0
    assert found["second"].temperature_k is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,temperature_k\na,3\n", "holds no conditions"),
        ("observation,wind\na,3\n", "holds no conditions"),
        ("observation,temperature_k\na,cold\n", r"temperature_k of a = cold: is not a number"),
        ("observation,temperature_k\na,inf\n", "is not a number"),
    ],
)
def test_tables_that_say_nothing_are_refused(read, text, message):
    with pytest.raises(InputError, match=message):
        read(text)


def test_absent_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_conditions(tmp_path / "weather.csv")
