"""Files in the layout of minkasi, made as it makes them: a map indexed [right ascension, declination]."""

import io

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.io import read_file
from oofpy.io.formats import minkasi
from oofpy.io.reader import FileContent
from oofpy.io.registry import recognise

ARCSEC = np.pi / 648000
FRACTION = st.floats(0, 0.999)
FLIPS = st.lists(st.tuples(FRACTION, st.integers(1, 255)), max_size=4)
PIXEL_ARCSEC = 2.0
RA_PIXELS, DEC_PIXELS = 15, 11
RA0, DEC0 = np.radians(150.0), np.radians(40.0)


def beam(right_rad, up_rad):
    """Peak at the origin and a bump to the right and below."""
    width = 5 * ARCSEC
    main = np.exp(-(right_rad**2 + up_rad**2) / width**2)
    return 0.9 * main + 0.3 * np.exp(-((right_rad - 8 * ARCSEC) ** 2 + (up_rad + 6 * ARCSEC) ** 2) / width**2)


def wcs_of_minkasi(reference_at_origin):
    """Coordinates that begin at the corner of greatest right ascension and least declination."""
    step = PIXEL_ARCSEC / 3600
    # With the reference at the origin, a step of right ascension is not shortened by cos(dec).
    shorten = 1.0 if reference_at_origin else np.cos(DEC0)
    corner = (
        np.degrees(RA0) + step * (RA_PIXELS - 1) / 2 / shorten,
        np.degrees(DEC0) - step * (DEC_PIXELS - 1) / 2,
    )
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---CAR", "DEC--CAR"]
    wcs.wcs.cdelt = [-step, step]
    if reference_at_origin:
        wcs.wcs.crval = [0.0, 0.0]
        wcs.wcs.crpix = [corner[0] / step + 1, -corner[1] / step + 1]
    else:
        wcs.wcs.crval = corner
        wcs.wcs.crpix = [1.0, 1.0]
    return wcs


def sky_map(reference_at_origin):
    """Map in memory, shape (RA, dec): for every pixel the beam at its own direction, with two pixels never hit."""
    i, j = np.meshgrid(np.arange(RA_PIXELS), np.arange(DEC_PIXELS), indexing="ij")
    wcs = wcs_of_minkasi(reference_at_origin)
    ra, dec = np.radians(wcs.wcs_pix2world(i + 1.0, j + 1.0, 1))
    west = -np.cos(dec) * np.sin(ra - RA0)
    north = np.sin(dec - DEC0) + np.cos(dec) * np.sin(DEC0) * (1 - np.cos(ra - RA0))
    image = beam(west, north)
    image[0, 0] = image[-1, -2] = 0.0
    return image


def minkasi_bytes(reference_at_origin=False, extra=(), image=None):
    header = wcs_of_minkasi(reference_at_origin).to_header()
    for key, value in extra:
        header[key] = value
    image = sky_map(reference_at_origin) if image is None else image
    buffer = io.BytesIO()
    # "Written transposed": the index of right ascension becomes the first axis of the file.
    fits.PrimaryHDU(image.transpose().copy(), header=header).writeto(buffer)
    return buffer.getvalue()


def test_file_is_recognised_by_what_its_header_lacks(make):
    path = make("x.dat", minkasi_bytes())
    assert recognise(FileContent.load(path)) is minkasi.READER
    for key, value in (("BUNIT", "K"), ("TELESCOP", "GBT"), ("CTYPE2", "DEC--TAN"), ("OBJECT", "Mars")):
        other = FileContent.load(make("y.fits", minkasi_bytes(extra=[(key, value)])))
        assert not minkasi.recognises(other)
    assert not minkasi.recognises(FileContent.load(make.pyoof()))


@pytest.mark.parametrize("reference_at_origin", [False, True])
def test_positions_and_values(make, reference_at_origin):
    raw = read_file(make("m2.fits", minkasi_bytes(reference_at_origin)))
    (one,) = raw.maps
    assert raw.frame == "sky-radec"
    there = np.isfinite(one.power)
    assert np.count_nonzero(~there) == 2
    # The middle of the image is within a thousandth of a pixel of where the beam was put.
    np.testing.assert_allclose(one.power[there], beam(one.u_rad, one.v_rad)[there], rtol=0, atol=2e-3)
    # A transposed image, or one of the wrong sign, is off by a hundred times that.
    for u, v in ((-one.u_rad, one.v_rad), (one.u_rad, -one.v_rad), (one.v_rad, one.u_rad)):
        assert np.abs(one.power - beam(u, v))[there].max() > 0.2


def test_extent_is_that_of_the_map(make):
    (one,) = read_file(make("m2.fits", minkasi_bytes())).maps
    assert np.ptp(one.u_rad) / ARCSEC == pytest.approx(PIXEL_ARCSEC * (RA_PIXELS - 1), rel=1e-3)
    assert np.ptp(one.v_rad) / ARCSEC == pytest.approx(PIXEL_ARCSEC * (DEC_PIXELS - 1), rel=1e-3)


def test_what_the_format_does_not_say_stays_open(make):
    raw = read_file(make("m2.fits", minkasi_bytes()))
    assert raw.maps[0].defocus is None
    assert raw.maps[0].position is None
    assert raw.maps[0].error is None
    assert raw.frequency is None
    assert raw.wavelength is None
    assert raw.telescope is None
    assert [(flag.code, flag.serious) for flag in raw.flags] == [("read-as-minkasi", False)]
    assert "2 of 165 pixels exactly zero" in raw.flags[0].message


@settings(max_examples=40, deadline=None)
@given(cut=st.sampled_from([0, 0, 0, 0.3]), flips=FLIPS, deletion=st.none() | FRACTION)
def test_damaged_files_give_one_line_errors(scratch, damage, sound_or_refused, cut, flips, deletion):
    sound_or_refused(scratch("damaged.fits", damage(minkasi_bytes(), cut, flips, deletion)))
