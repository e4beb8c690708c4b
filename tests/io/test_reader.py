import numpy as np
import pytest

from oofpy.errors import InputError
from oofpy.io import reader
from oofpy.io.reader import FileContent, GivenNumber


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match=r"none: there is no such file"):
        FileContent.load(tmp_path / "none")
    with pytest.raises(InputError, match=r"this is not a regular file"):
        FileContent.load(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read: File name too long"):
        FileContent.load(tmp_path / ("n" * 300))
    (tmp_path / "empty.fits").touch()
    with pytest.raises(InputError, match=r"empty.fits: the file is empty"):
        FileContent.load(tmp_path / "empty.fits")


def test_size_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "MAX_BYTES", 10)
    (tmp_path / "a").write_bytes(b"x" * 10)
    assert FileContent.load(tmp_path / "a").data == b"x" * 10
    (tmp_path / "a").write_bytes(b"x" * 11)
    with pytest.raises(InputError, match="size = 11 bytes: the file is larger than the limit of 10 bytes"):
        FileContent.load(tmp_path / "a")


def test_hash_is_of_the_content(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    source = FileContent.load(tmp_path / "a").source
    assert source.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert source.path == tmp_path / "a"


@pytest.mark.parametrize("value", ["1", True, None, np.nan, np.inf, 1j])
def test_values_that_are_no_finite_number(tmp_path, value):
    with pytest.raises(InputError, match=r"FREQ.* number in Hz"):
        GivenNumber(tmp_path, "FREQ", value, "Hz").finite()


def test_positive_numbers(tmp_path):
    assert GivenNumber(tmp_path, "FREQ", 3, "Hz").positive() == 3.0
    assert GivenNumber(tmp_path, "FREQ", -3, "Hz").finite() == -3.0
    for value in (0, -1.0):
        with pytest.raises(InputError, match="positive number in Hz"):
            GivenNumber(tmp_path, "FREQ", value, "Hz").positive()


def test_a_number_beyond_64_bits_is_a_number(tmp_path):
    assert GivenNumber(tmp_path / "a.fits", "FREQ", 10**30, "Hz").positive() == 1e30
