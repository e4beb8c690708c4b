import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError, OofError
from oofpy.io import read_mask


@pytest.mark.parametrize(
    "text",
    [
        "map,sample\n1,0\n2,3\n",
        '# %ECSV 1.0\n# ---\n# datatype:\nmap sample\n1 0\n"2" 3\n'.replace('"2"', "2"),
        "Map;Sample\r\n\r\n2;3\r\n1;0\r\n1;0",
    ],
)
def test_table_of_samples_to_leave_out(make, text):
    first, second = read_mask(make("mask.csv", text), [3, 4])
    assert first.tolist() == [False, True, True]
    assert second.tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty"),
        ("sample,map\n0,1\n", "this is no mask; give a table with the columns map"),
        ("1,0\n", "this is no mask"),
        ("map,sample\n0,0\n", "line 2 = 0,0: there is no map 0 of 2"),
        ("map,sample\n1,0\n3,0\n", "line 3 = 3,0: there is no map 3 of 2"),
        ("map,sample\n2,4\n", "line 2 = 2,4: map 2 has the samples 0 to 3"),
        ("map,sample\n1,-1\n", "line 2 = 1,-1: this line must hold two whole numbers"),
        ("map,sample\n1,1.5\n", "line 2 = .*: this line must hold two whole numbers"),
        ("map,sample\n1\n", "line 2 = .*: this line must hold two whole numbers"),
        ("map,sample\n1,2,3\n", "line 2 = .*: this line must hold two whole numbers"),
    ],
)
def test_wrong_tables(make, text, problem):
    with pytest.raises(InputError, match=f"mask.csv: {problem}"):
        read_mask(make("mask.csv", text), [3, 4])


def images(path, *arrays):
    fits.HDUList([fits.PrimaryHDU(), *(fits.ImageHDU(array) for array in arrays)]).writeto(path, checksum=True)
    return path


def test_images_of_samples_to_use(tmp_path):
    path = images(tmp_path / "mask.fits", np.array([[1, 0], [5, -1]]), np.array([0, 1, 1], np.uint8))
    first, second = read_mask(path, [4, 3])
    assert first.tolist() == [True, False, True, True]
    assert second.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ([np.ones(4, int)], "the mask has 1 images for 2 maps"),
        (
            [np.ones(4, int), np.ones(2, int)],
            "the image of map 2 has 2 elements of int64, where 3 whole numbers",
        ),
        ([np.ones(4, int), np.ones(3)], "the image of map 2 has 3 elements of float64"),
    ],
)
def test_wrong_images(tmp_path, arrays, problem):
    with pytest.raises(InputError, match=f"mask.fits: {problem}"):
        read_mask(images(tmp_path / "mask.fits", *arrays), [4, 3])


@settings(max_examples=60, deadline=None)
@given(
    size=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=3),
    as_fits=st.booleans(),
)
def test_damaged_masks_give_one_line_errors(scratch, size, flips, as_fits):
    whole = scratch.folder / "whole-mask.fits"
    if not whole.exists():
        hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.ones(4, int)), fits.ImageHDU(np.ones(3, int))]
        fits.HDUList(hdus).writeto(whole)
    data = bytearray(whole.read_bytes() if as_fits else b"map,sample\n1,0\n2,1\n")
    for place, value in flips:
        data[int(place * len(data))] ^= value
    path = scratch("damaged-mask", bytes(data[: int(size * len(data)) if size < 0.5 else None]))
    refused = kept = None
    try:
        kept = read_mask(path, [4, 3])
    except OofError as error:
        refused = str(error)
    if kept is not None:
        assert [mask.shape for mask in kept] == [(4,), (3,)]
    else:
        assert "damaged-mask" in refused
        assert "\n" not in refused
