import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import ConfigurationError
from oofpy.quantities import (
    accepted_units,
    format_angle,
    format_frequency,
    format_length,
    parse_quantities,
    parse_quantity,
)

DIMENSIONS = ("length", "frequency", "angle", "level_db", "number")
SI_UNIT = {"length": "m", "frequency": "Hz", "angle": "rad", "level_db": "dB", "number": ""}


@pytest.mark.parametrize(
    ("text", "dimension", "expected"),
    [
        ("-3mm", "length", -3e-3),
        ("-3 mm", "length", -3e-3),
        (" +1.1e-3 m ", "length", 1.1e-3),
        ("1.1e-3m", "length", 1.1e-3),
        ("13.5 mm", "length", 13.5e-3),
        (".5cm", "length", 5e-3),
        ("2km", "length", 2e3),
        ("30 um", "length", 30e-6),
        ("30 \N{MICRO SIGN}m", "length", 30e-6),
        ("\N{MINUS SIGN}3 mm", "length", -3e-3),
        ("26GHz", "frequency", 26e9),
        ("22.23 GHz", "frequency", 22.23e9),
        ("1.2e3 MHz", "frequency", 1.2e9),
        ("0.1THz", "frequency", 1e11),
        ("5 kHz", "frequency", 5e3),
        ("180 deg", "angle", math.pi),
        ("60 arcmin", "angle", math.pi / 180),
        ("3600arcsec", "angle", math.pi / 180),
        ("1.5 mrad", "angle", 1.5e-3),
        ("33 urad", "angle", 33e-6),
        ("-12 dB", "level_db", -12.0),
        ("2.0", "number", 2.0),
        ("-1e-9", "number", -1e-9),
    ],
)
def test_quantity_in_si(text, dimension, expected):
    assert parse_quantity(text, dimension, key="k") == pytest.approx(expected, rel=1e-15)


def test_decimal_units_convert_without_rounding():
    assert parse_quantity("1.1 mm", "length", key="k") == 1.1e-3
    assert parse_quantity("22.23 GHz", "frequency", key="k") == 22.23e9


@pytest.mark.parametrize("dimension", DIMENSIONS)
@pytest.mark.parametrize("text", ["0", "0.0", "-0"])
def test_zero_needs_no_unit(text, dimension):
    value = parse_quantity(text, dimension, key="k")
    assert value == 0
    assert math.copysign(1, value) == 1


@pytest.mark.parametrize(
    ("text", "dimension", "said"),
    [
        ("-3", "length", "has no unit; write e.g. '-3 mm'"),
        ("26", "frequency", "has no unit; write e.g. '26 GHz'"),
        ("10", "angle", "has no unit; write e.g. '10 deg'"),
        ("-12", "level_db", "has no unit; write e.g. '-12 dB'"),
        ("3 mm", "frequency", "has the unit 'mm', which is a unit of length"),
        ("3 GHz", "length", "has the unit 'GHz', which is a unit of frequency"),
        ("0 GHz", "length", "has the unit 'GHz', which is a unit of frequency"),
        ("3 ghz", "frequency", "write e.g. '3 GHz'"),
        ("3 parsec", "length", "which is not a known unit"),
        ("2 m", "number", "takes none; write e.g. '2'"),
        ("", "length", "is not a finite number"),
        ("mm", "length", "is not a finite number"),
        ("nan", "number", "is not a finite number"),
        ("nan mm", "length", "is not a finite number"),
        ("inf m", "length", "is not a finite number"),
        ("1e999 m", "length", "is not a finite number"),
        ("-1e400", "number", "is not a finite number"),
        ("3,5 mm", "length", "is not a finite number"),
        ("3 m m", "length", "is not a finite number"),
        ("1_000 m", "length", "is not a finite number"),
        ("\N{ARABIC-INDIC DIGIT THREE} mm", "length", "is not a finite number"),
    ],
)
def test_refusal_names_file_key_value_and_units(text, dimension, said):
    with pytest.raises(ConfigurationError) as caught:
        parse_quantity(text, dimension, key="some.key", file="some.toml")
    message = str(caught.value)
    assert said in message
    assert message.startswith("some.toml: some.key = ")
    assert text.strip() in message
    assert all(unit in message for unit in accepted_units(dimension))
    assert "\n" not in message


def test_list_of_quantities():
    assert parse_quantities("-3mm,0mm, 3 mm", "length", key="--dz") == (-3e-3, 0.0, 3e-3)
    assert parse_quantities("-3mm,0,3mm", "length", key="--dz") == (-3e-3, 0.0, 3e-3)
    assert parse_quantities("1mm", "length", key="--dz") == (1e-3,)


@pytest.mark.parametrize("text", ["", "3mm,", "3mm,,4mm", " , "])
def test_empty_item_of_a_list_is_refused(text):
    with pytest.raises(ConfigurationError, match=r"--dz = .*empty item"):
        parse_quantities(text, "length", key="--dz")


def test_item_without_unit_is_named():
    with pytest.raises(ConfigurationError, match=r"--dz = -3: has no unit"):
        parse_quantities("-3,0,3mm", "length", key="--dz")


@given(
    value=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e200, max_value=1e200),
    dimension=st.sampled_from(DIMENSIONS),
    space=st.sampled_from(["", " "]),
)
@settings(max_examples=60, deadline=None)
def test_round_trip_in_si_is_exact(value, dimension, space):
    text = f"{value!r}{space}{SI_UNIT[dimension]}"
    assert parse_quantity(text, dimension, key="k") == value


@given(value=st.floats(min_value=1e-9, max_value=1e9), data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_unit_scales_linearly(value, data):
    dimension = data.draw(st.sampled_from(("length", "frequency", "angle", "level_db")))
    unit = data.draw(st.sampled_from(accepted_units(dimension)))
    one = parse_quantity(f"1 {unit}", dimension, key="k")
    assert parse_quantity(f"{value!r} {unit}", dimension, key="k") == pytest.approx(value * one, rel=1e-14)


@given(text=st.text(max_size=12), dimension=st.sampled_from(DIMENSIONS))
@settings(max_examples=100, deadline=None)
def test_any_text_gives_a_finite_number_or_one_line(text, dimension):
    try:
        said = f"{parse_quantity(text, dimension, key='k')}"
    except ConfigurationError as error:
        said = str(error)
    assert len(said.splitlines()) == 1
    assert said.startswith("k = ") or math.isfinite(float(said))


@pytest.mark.parametrize(
    ("length_m", "text"),
    [
        (-3e-3, "-3 mm"),
        (1.1e-3, "1.1 mm"),
        (22e-6, "22 um"),
        (50, "50 m"),
        (0, "0 m"),
        (9.9999999e-4, "1 mm"),
    ],
)
def test_length_for_people(length_m, text):
    assert format_length(length_m) == text


def test_frequency_and_angle_for_people():
    assert format_frequency(22.23e9) == "22.23 GHz"
    assert format_frequency(12.0) == "12 Hz"
    assert format_angle(math.radians(30)) == "30 deg"
    assert format_angle(math.radians(5 / 60)) == "5 arcmin"
    assert format_angle(math.radians(12 / 3600)) == "12 arcsec"
