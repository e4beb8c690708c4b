import io

import numpy as np
import pytest
from astropy.io import fits

from oofpy.errors import InputError
from oofpy.io.formats.image_companions import (
    companion_values,
    coordinate_difference,
    named_extension,
    required_extension,
)
from oofpy.io.reader import FileContent

GRID = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": 2.0,
    "CRPIX2": 3.0,
    "CRVAL1": 83.6,
    "CRVAL2": 22.0,
    "CDELT1": -0.001,
    "CDELT2": 0.001,
}


def header(**cards):
    return fits.Header({**GRID, **cards})


def content_of(make, *extensions):
    hdus = [fits.PrimaryHDU()]
    for name, image, cards in extensions:
        hdus.append(fits.ImageHDU(image, fits.Header(cards), name=name))
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer)
    return FileContent.load(make("x.fits", buffer.getvalue()))


@pytest.mark.parametrize(
    "cards",
    [
        {},
        {"CUNIT1": "deg"},
        {"CROTA2": 0.0},
        {"PC1_1": 1.0, "PC1_2": 0.0},
        {"LONPOLE": 180.0},
        {"CRPIX1": 2.0 + 1e-12},
        {"BUNIT": "Jy", "CRVAL3": 7.0},
    ],
)
def test_headers_that_mean_the_same(cards):
    assert coordinate_difference(header(**cards), header()) is None
    assert coordinate_difference(header(), header(**cards)) is None


@pytest.mark.parametrize(
    ("key", "value", "usual"),
    [
        ("CRPIX1", 2.5, 2.0),
        ("CRVAL2", 22.0001, 22.0),
        ("CDELT1", 0.001, -0.001),
        ("CTYPE1", "RA---SIN", "RA---TAN"),
        ("CROTA2", 10.0, 0.0),
        ("PC1_2", 0.1, 0.0),
        ("PC1_1", 0.9, 1.0),
        ("PV2_1", 0.1, None),
    ],
)
def test_headers_that_differ(key, value, usual):
    assert coordinate_difference(header(**{key: value}), header()) == (key, value, usual)
    assert coordinate_difference(header(), header(**{key: value})) == (key, usual, value)


def test_missing_card_is_a_difference():
    cut = header()
    del cut["CRPIX2"]
    assert coordinate_difference(cut, header()) == ("CRPIX2", None, 3.0)


def test_extensions_are_found_by_name_in_any_case(make):
    content = content_of(make, ("Map", np.ones((2, 3)), GRID))
    assert named_extension(content, "MAP") is content.hdus[1]
    assert named_extension(content, "weights") is None
    with pytest.raises(InputError, match=r"x.fits: weights: the extension with the weights is missing; .*MAP"):
        required_extension(content, "weights", "the weights")


def test_a_name_that_occurs_twice_is_refused(make):
    content = content_of(make, ("Map", np.ones((2, 3)), GRID), ("map", np.ones((2, 3)), GRID))
    with pytest.raises(InputError, match="Map: 2 extensions have this name"):
        named_extension(content, "Map")


def test_companion_without_coordinates_needs_the_same_shape_only(make):
    values = np.arange(6.0).reshape(2, 3)
    content = content_of(make, ("map", values, GRID), ("same", values, {}), ("other", values.T.copy(), {}))
    _, image, same, other = content.hdus
    np.testing.assert_array_equal(companion_values(content, "same", same, image), values)
    with pytest.raises(InputError, match=r"other = 2 x 3: its pixels are not those of the map, which has 3 x 2"):
        companion_values(content, "other", other, image)
