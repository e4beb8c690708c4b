import math

import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from oofpy.io.fits_cards import float_card


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
