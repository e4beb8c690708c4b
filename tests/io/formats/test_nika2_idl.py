"""Files of the IDL pipeline of NIKA2, written here with astropy alone."""

import io

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError
from oofpy.io import read_file
from oofpy.io.formats import nika2_idl
from oofpy.io.reader import FileContent
from oofpy.io.registry import recognise

ARCSEC = np.pi / 648000
FRACTION = st.floats(0, 0.999)
FLIPS = st.lists(st.tuples(FRACTION, st.integers(1, 255)), max_size=4)
ROWS, COLUMNS, PIXEL_ARCSEC = 9, 14, 2.0


def beam(right_rad, up_rad):
    """Peak at the origin and a bump to the right and below."""
    width = 5 * ARCSEC
    main = np.exp(-(right_rad**2 + up_rad**2) / width**2)
    return 0.9 * main + 0.3 * np.exp(-((right_rad - 7 * ARCSEC) ** 2 + (up_rad + 4 * ARCSEC) ** 2) / width**2)


def planes(seed=0):
    """Brightness, Stddev and Nhits; the unobserved corner has finite data."""
    right, up = np.meshgrid(
        PIXEL_ARCSEC * (np.arange(COLUMNS) - 5.0) * ARCSEC, PIXEL_ARCSEC * (np.arange(ROWS) - 3.0) * ARCSEC
    )
    hits = np.random.default_rng(seed).integers(4, 30, (ROWS, COLUMNS)).astype(float)
    hits[:2, :3] = 0
    values = beam(right, up)
    values[:2, :3] = 0.123
    with np.errstate(divide="ignore"):
        stddev = np.where(hits > 0, 0.01 / np.sqrt(hits), 0.0)
    return {"Brightness": values, "Stddev": stddev, "Nhits": hits}


WCS = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": 6.0,
    "CRPIX2": 4.0,
    "CRVAL1": 263.26,
    "CRVAL2": 0.0,
    "CDELT1": -PIXEL_ARCSEC / 3600,
    "CDELT2": PIXEL_ARCSEC / 3600,
    "CUNIT1": "deg",
    "CUNIT2": "deg",
    "UNIT": "Jy / beam",
}
PRIMARY = {"f_sampli": 23.84, "FWHM_260": 12.5, "FWHM_150": 18.5, "OBJECT": "Uranus", "TELESCOP": "IRAM 30m"}


def idl_bytes(bands=("1mm",), primary=None, wcs=None, drop=(), change=None):
    hdus = [fits.PrimaryHDU()]
    for key, value in (PRIMARY if primary is None else primary).items():
        hdus[0].header[key] = value
    for band in bands:
        for kind, image in planes(len(hdus)).items():
            name = f"{kind}_{band}"
            if name in drop:
                continue
            hdu = fits.ImageHDU((change or {}).get(name, image), name=name)
            hdu.header["EXTNAME"] = name
            for key, value in (WCS if wcs is None else wcs).items():
                hdu.header[key] = value
            hdus.append(hdu)
    hdus.append(fits.BinTableHDU.from_columns([fits.Column("P", "D", array=[1.0])], name="Param"))
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer)
    return buffer.getvalue()


def read(make, **arguments):
    return read_file(make("nika2.fits", idl_bytes(**arguments)))


def test_file_is_recognised(make):
    path = make("x.dat", idl_bytes())
    assert recognise(FileContent.load(path)) is nika2_idl.READER
    assert not nika2_idl.recognises(FileContent.load(make.pyoof()))


@pytest.mark.parametrize("band", ["1mm", "2mm", "1", "2", "3"])
def test_positions_values_and_errors(make, band):
    raw = read(make, bands=[band])
    (one,) = raw.maps
    assert raw.frame == "sky-radec"
    assert one.label == f"Brightness_{band}"
    there = np.isfinite(one.power)
    # West is to the right: right ascension falls along the rows of the file.
    np.testing.assert_allclose(one.power[there], beam(one.u_rad, one.v_rad)[there], rtol=1e-6)
    hits = planes(1)["Nhits"]
    expected = np.sort(0.01 / np.sqrt(hits[hits > 0]))
    np.testing.assert_allclose(np.sort(one.error[there]), expected, rtol=1e-12)


def test_pixels_without_hits_are_unobserved_though_finite(make):
    (one,) = read(make).maps
    gaps = ~np.isfinite(one.power)
    assert np.count_nonzero(gaps) == 6
    assert one.u_rad[gaps].max() < -5 * ARCSEC
    assert one.v_rad[gaps].max() < -3 * ARCSEC


def test_what_the_header_says(make):
    raw = read(make)
    assert raw.object_name == "Uranus"
    assert raw.telescope == "IRAM 30m"
    assert raw.frequency is None
    assert raw.wavelength is None
    assert raw.maps[0].defocus is None
    assert raw.flags == ()


def test_azimuth_and_elevation(make):
    frame = {"CTYPE1": "AZ---TAN", "CTYPE2": "EL---TAN", "CDELT1": PIXEL_ARCSEC / 3600}
    raw = read(make, wcs=WCS | frame)
    assert raw.frame == "sky-azel"
    (one,) = raw.maps
    there = np.isfinite(one.power)
    np.testing.assert_allclose(one.power[there], beam(one.u_rad, one.v_rad)[there], rtol=1e-6)
    linear = {"CTYPE1": "AZOFF", "CTYPE2": "ELOFF", "CRVAL1": 0.0}
    assert [flag.code for flag in read(make, wcs=WCS | linear).flags] == ["azimuth-offsets-true"]


def test_several_bands_are_no_foci(make):
    with pytest.raises(InputError, match=r"nika2.fits: Brightness: .*bands 1mm, 2mm, 3.*") as caught:
        read(make, bands=["1mm", "2mm", "3"])
    assert "--part 1mm" in str(caught.value)


def test_one_band_of_several_can_be_read(make):
    content = FileContent.load(make("nika2.fits", idl_bytes(bands=["1mm", "2mm"])))
    assert nika2_idl.bands_of(content) == ("1mm", "2mm")
    raw = read_file(content.path, "2mm")
    assert [one.label for one in raw.maps] == ["Brightness_2mm"]
    with pytest.raises(InputError, match=r"Brightness_3: .*no band 3.*1mm, 2mm"):
        nika2_idl.read_band(content, "3")


def test_a_band_without_data_does_not_count(make):
    void = {"Nhits_2mm": np.zeros((ROWS, COLUMNS))}
    assert read(make, bands=["1mm", "2mm"], change=void).maps[0].label == "Brightness_1mm"


def test_missing_hits_are_named(make):
    with pytest.raises(InputError, match=r"nika2.fits: Nhits_1mm: .*missing"):
        read(make, drop=["Nhits_1mm"])


def test_without_stddev_the_hits_set_the_weights(make):
    raw = read(make, drop=["Stddev_1mm"])
    (one,) = raw.maps
    there = np.isfinite(one.power)
    hits = planes(1)["Nhits"]
    np.testing.assert_allclose(np.sort(one.error[there]), np.sort(1 / np.sqrt(hits[hits > 0])), rtol=1e-12)
    assert [(flag.code, flag.serious) for flag in raw.flags] == [("errors-from-hits", False)]


def test_extensions_of_another_shape_are_refused(make):
    with pytest.raises(InputError, match=r"Nhits_1mm = 9 x 14: .*14 x 9"):
        read(make, change={"Nhits_1mm": planes()["Nhits"].T.copy()})


@settings(max_examples=40, deadline=None)
@given(cut=st.sampled_from([0, 0, 0, 0.3]), flips=FLIPS, deletion=st.none() | FRACTION)
def test_damaged_files_give_one_line_errors(scratch, damage, sound_or_refused, cut, flips, deletion):
    sound_or_refused(scratch("damaged.fits", damage(idl_bytes(), cut, flips, deletion)))
