import math

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from oofpy.io.fits_cards import add_lines, float_card


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_header_numbers_come_back_exactly(value):
    header = fits.Header()
    header.append(float_card("DZ", value, "[m] defocus"))
    text = header.tostring()
    assert len(text) % 80 == 0
    again = fits.Header.fromstring(text)["DZ"]
    assert float(again) == value
    assert math.copysign(1, float(again)) == math.copysign(1, value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_fits_cannot_hold(value):
    with pytest.raises(ValueError, match="not finite"):
        float_card("DZ", value, "")


def test_long_lines_are_broken_between_words():
    header = fits.Header()
    add_lines(header, "HISTORY", ["flag: odd: " + "word " * 30, "short \u03bb"])
    lines = [str(line) for line in header["HISTORY"]]
    assert len(lines) == 4
    assert all(len(line) <= 72 for line in lines)
    assert " ".join(line.strip() for line in lines[:3]) == ("flag: odd: " + "word " * 30).strip()
    assert lines[3] == "short ?"
