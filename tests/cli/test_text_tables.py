import math

from oofpy.cli.text_tables import aligned, flag_line, number
from oofpy.flag_kinds import Level
from oofpy.flags import Flag


def test_text_goes_left_and_numbers_right():
    assert aligned(["name", "m"], [["a", "1.5"], ["longer", "10"]]) == [
        "name      m",
        "a       1.5",
        "longer   10",
    ]
    assert aligned(["a", "b"], [["1", ""], ["22", "x"]], left=(1,)) == [" a  b", " 1", "22  x"]


def test_number_that_is_none_is_a_dash():
    assert [number(value) for value in (None, math.nan, math.inf)] == ["-", "-", "-"]
    assert number(0.123456, "+.2f") == "+0.12"


def test_flags_and_notes():
    assert flag_line(Flag("map-size", "it\x07 is\nodd")) == "check map-size: it? is odd"
    assert flag_line(Flag("map-size", "fine", Level.NOTE)) == "note map-size: fine"
    assert flag_line(Flag("no-beam", "empty")) == "reject no-beam: empty"
