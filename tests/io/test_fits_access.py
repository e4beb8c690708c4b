import gzip

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from oofpy.errors import InputError
from oofpy.io import read_observation
from oofpy.io.fits_access import ones_complement_sum


def test_truncated_in_the_last_table(make):
    data = make.pyoof().read_bytes()
    path = make("cut.fits", data[:-2880])
    with pytest.raises(InputError, match=rf"cut.fits: HDU 3: the file is truncated: it has {len(data) - 2880} bytes"):
        read_observation(path)


def test_truncated_within_the_padding(make):
    path = make("cut.fits", make.pyoof().read_bytes()[:-100])
    with pytest.raises(InputError, match="HDU 3: the file is truncated"):
        read_observation(path)


def test_truncated_in_a_header(make):
    data = make.pyoof().read_bytes()
    with fits.open(make.pyoof()) as hdus:
        start = hdus[3].fileinfo()["hdrLoc"]
    with pytest.raises(InputError, match=r"HDU 3: 1000 bytes follow that are no HDU|damaged"):
        read_observation(make("cut.fits", data[: start + 1000]))


def test_cut_at_the_border_of_an_hdu(make):
    data = make.pyoof().read_bytes()
    with fits.open(make.pyoof()) as hdus:
        starts = [hdu.fileinfo()["hdrLoc"] for hdu in hdus]
    found = read_observation(make("two.fits", data[: starts[3]]))
    assert len(found.maps) == 2
    assert [(flag.code, flag.serious) for flag in found.flags] == [("map-missing", True)]
    assert "no map PLUS OOF" in found.flags[0].message
    with pytest.raises(InputError, match=r"one.fits: maps = 1: an observation needs two or more maps; "):
        read_observation(make("one.fits", data[: starts[2]]))
    with pytest.raises(InputError, match=r"none.fits: this is a FITS file, but of no known format"):
        read_observation(make("none.fits", data[: starts[1]]))


@pytest.mark.parametrize("place", [600, 2880 * 2 + 1000, 2880 * 2 + 5, -2880])
def test_any_flipped_bit_breaks_the_checksum(make, place):
    data = bytearray(make.pyoof(checksum=True).read_bytes())
    assert read_observation(make("good.fits", bytes(data))).flags == ()
    data[place] ^= 1
    with pytest.raises(InputError, match=r"bad.fits: (CHECKSUM|DATASUM) = .* does not hold"):
        read_observation(make("bad.fits", bytes(data)))


def test_checksum_of_an_extension_that_is_not_read_counts_too(make):
    data = make.pyoof(checksum=True).read_bytes()
    hdu = fits.ImageHDU(np.arange(10))
    hdu.header["DATASUM"] = "1"
    other = make.folder / "image.fits"
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(other)
    with pytest.raises(InputError, match="DATASUM = 1: the checksum of HDU 4"):
        read_observation(make("both.fits", data + other.read_bytes()[2880:]))


@given(st.binary(min_size=4, max_size=80).map(lambda data: data[: len(data) // 4 * 4]))
def test_sum_agrees_with_astropy(data):
    hdu = fits.PrimaryHDU()
    theirs = int(hdu._compute_checksum(np.frombuffer(data, dtype="ubyte")))
    assert ones_complement_sum(data) == theirs


def test_bytes_left_over(make):
    data = make.pyoof().read_bytes()
    assert len(read_observation(make("padded.fits", data + b"\0" * 5000)).maps) == 3
    with pytest.raises(InputError, match=r"junk.fits: HDU 4: 7 bytes follow that are no HDU"):
        read_observation(make("junk.fits", data + b"garbage"))


def edited(data, old, new):
    assert data.count(old) >= 1
    assert len(old) == len(new)
    return data.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"NAXIS2  =                   12", b"NAXIS2  =     9000000000000012"),
        (b"NAXIS2  =                   12", b"NAXIS2  =                  -12"),
        (b"NAXIS1  =                   12", b"NAXIS1  =                    0"),
        (b"PCOUNT  =                    0", b"PCOUNT  =       99000000000000"),
        (b"TFORM1  = 'E       '          ", b"TFORM1  = '99999999999E'      "),
        (b"TFIELDS =                    3", b"TFIELDS =                    9"),
    ],
)
def test_sizes_beyond_the_file_are_refused_without_being_allocated(make, old, new):
    with pytest.raises(InputError, match=r"big.fits: "):
        read_observation(make("big.fits", edited(make.pyoof().read_bytes(), old, new)))


def test_zero_width_rows_without_number_allocate_nothing(make):
    data = edited(make.pyoof().read_bytes(), b"NAXIS1  =                   12", b"NAXIS1  =                    0")
    data = edited(data, b"NAXIS2  =                   12", b"NAXIS2  =   999999999999999999")
    data = edited(data, b"'E       '", b"'0E      '")
    with pytest.raises(InputError, match=r"big.fits: "):
        read_observation(make("big.fits", data))


def test_repeated_column(make):
    u = np.linspace(-1e-3, 1e-3, 4)
    data = make.pyoof(tables=[({"U": u, "V": u, "BEAM": u, "ABCD": u}, {"DZ": 1e-3})]).read_bytes()
    with pytest.raises(InputError, match="HDU 1 has more than one column BEAM; columns found: U, V, BEAM, BEAM"):
        read_observation(make("twice.fits", edited(data, b"'ABCD", b"'BEAM")))


def test_header_card_of_nonsense(make):
    data = make.pyoof().read_bytes()
    with pytest.raises(InputError, match=r"bad.fits: "):
        read_observation(make("bad.fits", edited(data, b"FREQ    =        3200", b"FREQ    = 'abc   3200")))


def test_header_that_does_not_give_the_size(make):
    whole = make.pyoof().read_bytes()
    for key in (b"XTENSION", b"BITPIX", b"NAXIS ", b"NAXIS1", b"NAXIS2", b"PCOUNT", b"TFIELDS"):
        start = whole.index(key, 2880)
        data = whole[:start] + b"Q" + whole[start + 1 :]
        with pytest.raises(InputError, match=r"bad.fits: .*(damaged|missing|not found)"):
            read_observation(make("bad.fits", data))


def test_control_characters_of_a_header_are_not_shown(make):
    data = edited(make.pyoof().read_bytes(), b"'3C84", b"'\x1b[3m")
    with pytest.raises(InputError, match=r"odd.fits: .*OBJECT") as caught:
        read_observation(make("odd.fits", data))
    assert str(caught.value).isprintable()


def test_compressed_file(make):
    with pytest.raises(InputError, match=r"obs.fits.gz: the file is compressed; unpack it first"):
        read_observation(make("obs.fits.gz", gzip.compress(make.pyoof().read_bytes())))


def test_warnings_of_the_parser_become_notes(make):
    u = np.linspace(-1e-3, 1e-3, 4)
    tables = [({"U": u, "V": u, "BEAM": u + k}, {"DZ": k * 1e-3, "TNULL3": 7}) for k in (1, 2)]
    found = read_observation(make.pyoof(tables=tables))
    assert {(flag.code, flag.serious) for flag in found.flags} == {("file-odd", False)}
    assert "TNULL" in found.flags[0].message
    assert "\n" not in found.flags[0].message


@pytest.mark.parametrize("count", ["9223372036854775807", "1000000000", "1000", "-1"])
@pytest.mark.parametrize("key", ["NAXIS", "TFIELDS"])
def test_impossible_counts_are_refused_before_anything_is_made_of_them(make, key, count):
    data = make.pyoof().read_bytes()
    extension = data.index(b"XTENSION")
    place = data.index(key.ljust(8).encode() + b"=", extension)
    card = f"{key:<8}= {count:>20}".ljust(80).encode()
    with pytest.raises(InputError, match=rf"bad.fits: {key} = {count}: this must be a number from 0 to 999"):
        read_observation(make("bad.fits", data[:place] + card + data[place + 80 :]))


@pytest.mark.parametrize("key", ["NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT"])
def test_sizes_below_zero_are_refused(make, key):
    data = make.pyoof().read_bytes()
    place = data.index(key.ljust(8).encode() + b"=", data.index(b"XTENSION"))
    card = f"{key:8}= {-5:20d}".ljust(80).encode()
    with pytest.raises(InputError, match=rf"bad.fits: {key} = -5: this must not be below zero"):
        read_observation(make("bad.fits", data[:place] + card + data[place + 80 :]))
