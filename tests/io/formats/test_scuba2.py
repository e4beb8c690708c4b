import io
import math

import numpy as np
import pytest
from astropy.io import fits

from oofpy.errors import InputError
from oofpy.io import read_file, read_observation
from oofpy.io.reader import FileContent
from oofpy.io.registry import recognise

SIDE = (12, 17)
STEP_DEG = 2 / 3600
ARCSEC = math.pi / 648000


def beam_image(shift=0.0):
    x, y = np.meshgrid(np.arange(SIDE[1]) - 8.0, np.arange(SIDE[0]) - 5.0)
    return np.exp(-(((x - shift) ** 2) + y**2) / 9) + 0.2 * np.exp(-((x - 6) ** 2 + (y - 4) ** 2) / 2)


def primary_cards(**changes):
    """Header of a map as makemap and ndf2fits leave it, in azimuth and elevation."""
    values = {
        "TELESCOP": "JCMT",
        "INSTRUME": "SCUBA-2",
        "OBJECT": "URANUS",
        "DATE-OBS": "2014-09-11T11:36:04",
        "FILTER": "850",
        "ELSTART": 60.0,
        "ELEND": 62.0,
        "EXTNAME": "DATA",
        "HDUCLAS1": "NDF",
        "HDUCLAS2": "DATA",
        "BUNIT": "pW",
        "LBOUND1": -8,
        "CTYPE1": "AZ---TAN",
        "CTYPE2": "EL---TAN",
        "CTYPE3": "FREQ",
        "CRPIX1": 9.0,
        "CRPIX2": 6.0,
        "CRPIX3": 1.0,
        "CRVAL1": 150.0,
        "CRVAL2": 61.0,
        "CRVAL3": 353e9,
        "CDELT1": STEP_DEG,
        "CDELT2": STEP_DEG,
        "CDELT3": 1e9,
        "CUNIT1": "deg",
        "CUNIT2": "deg",
        "CUNIT3": "Hz",
        **changes,
    }
    return {key: value for key, value in values.items() if value is not None}


def ndf2fits(values, variance=None, quality=None, extras=(), names=("VARIANCE", "QUALITY"), **changes):
    """FITS file with a plane of the data array, its variance and its quality, and extensions of the NDF."""
    cards = primary_cards(**changes)
    hdus = [fits.PrimaryHDU(np.asarray(values)[None])]
    hdus[0].header.update(cards)
    where = {key: cards[key] for key in cards if key[:5] in ("CTYPE", "CRPIX", "CRVAL", "CDELT", "CUNIT")}
    for name, component, plane in ((names[0], "VARIANCE", variance), (names[1], "QUALITY", quality)):
        if plane is not None:
            hdu = fits.ImageHDU(np.asarray(plane)[None])
            hdu.header.update({"EXTNAME": name, "HDUCLAS1": "NDF", "HDUCLAS2": component, **where})
            hdus.append(hdu)
    for name, plane in extras:
        hdu = fits.ImageHDU(np.asarray(plane)[None])
        hdu.header.update({"EXTNAME": name, "HDUCLAS1": "NDF", "HDUCLAS2": "DATA", **where})
        hdus.append(hdu)
    hdus.append(fits.BinTableHDU.from_columns([fits.Column("NAME", "4A", array=["abcd"])], name="MORE.SMURF"))
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer, checksum=True)
    return buffer.getvalue()


def variance_image():
    return 1e-4 * (1 + np.arange(SIDE[0] * SIDE[1], dtype=float).reshape(SIDE))


def test_data_variance_and_quality(make):
    values = beam_image()
    values[0, 0] = np.nan
    quality = np.zeros(SIDE, "u1")
    quality[3, 2] = 1
    raw = read_file(make("s8.fits", ndf2fits(values.astype("f4"), variance_image(), quality)))
    assert len(raw.maps) == 1
    one = raw.maps[0]
    np.testing.assert_allclose(one.error[1:3], np.sqrt([2e-4, 3e-4]), rtol=1e-12)
    assert np.flatnonzero(np.isnan(one.power)).tolist() == [0, 3 * SIDE[1] + 2]
    np.testing.assert_array_equal(one.power[1:20], values.ravel()[1:20].astype("f4"))
    assert (raw.telescope, raw.object_name, raw.date) == ("JCMT", "URANUS", "2014-09-11T11:36:04")
    assert raw.elevation_rad == pytest.approx(math.radians(61))
    assert one.defocus is None
    assert raw.frame == "sky-azel"
    assert [(flag.code, flag.serious) for flag in raw.flags] == [
        ("extension-ignored", False),
        ("quality-masked", False),
    ]
    assert "1 of 204 pixels" in raw.flags[1].message


def test_azimuth_increases_to_the_right(make):
    raw = read_file(make("s8.fits", ndf2fits(beam_image())))
    one = raw.maps[0]
    away = np.hypot(one.u_rad, one.v_rad) > 12 * ARCSEC
    peak = np.flatnonzero(away)[np.argmax(one.power[away])]
    assert one.u_rad[peak] == pytest.approx(12 * ARCSEC, rel=1e-6)
    assert one.v_rad[peak] == pytest.approx(8 * ARCSEC, rel=1e-6)


def test_east_is_left_in_a_tracking_map(make):
    data = ndf2fits(beam_image(), CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CDELT1=-STEP_DEG, CRVAL1=12.0, CRVAL2=-3.0)
    raw = read_file(make("s8.fits", data))
    assert raw.frame == "sky-radec"
    assert raw.maps[0].u_rad[:17].argmax() == 16


def test_extensions_of_the_ndf_and_paths_as_names(make):
    extras = [("MORE.SMURF.EXP_TIME", np.full(SIDE, 7.0)), ("MORE.SMURF.EXP_TIME.VARIANCE", np.ones(SIDE))]
    names = ("MAP8.VARIANCE", "MAP8.QUALITY")
    raw = read_file(make("s8.fits", ndf2fits(beam_image(), variance_image(), np.zeros(SIDE, "u1"), extras, names)))
    assert len(raw.maps) == 1
    assert raw.maps[0].error[0] == pytest.approx(0.01)
    assert np.isfinite(raw.maps[0].power).all()
    assert [flag.code for flag in raw.flags] == ["extension-ignored"]


@pytest.mark.parametrize(
    ("changes", "wavelength_m", "key", "flags"),
    [
        ({"WAVELEN": 850e-6}, 850e-6, "WAVELEN", []),
        ({}, 299792458 / 353e9, "CRVAL3", []),
        ({"CTYPE3": "ODD"}, 850e-6, "FILTER", [("wavelength-of-band", False)]),
        ({"CTYPE3": "ODD", "FILTER": 450}, 450e-6, "FILTER", [("wavelength-of-band", False)]),
    ],
)
def test_wavelength(make, changes, wavelength_m, key, flags):
    raw = read_file(make("s8.fits", ndf2fits(beam_image(), **changes)))
    given = raw.wavelength or raw.frequency
    assert given.key == key
    assert (given.finite() if given.unit == "m" else 299792458 / given.finite()) == pytest.approx(wavelength_m)
    found = [(flag.code, flag.serious) for flag in raw.flags if flag.code != "extension-ignored"]
    assert found == flags


def test_an_unknown_band_is_not_guessed(make):
    raw = read_file(make("s8.fits", ndf2fits(beam_image(), CTYPE3="ODD", FILTER="POL")))
    assert raw.wavelength is None
    assert raw.frequency is None


def test_three_files_make_an_observation(make):
    paths = [make(f"{k}.fits", ndf2fits(beam_image(k), variance_image())) for k in range(3)]
    found = read_observation(*paths, defocus_m=[0.0, 1e-4, -1e-4])
    assert found.defocus_m.tolist() == [0.0, 1e-4, -1e-4]
    assert found.elevation_rad == pytest.approx(math.radians(61))
    assert found.maps[0].relative_error is not None


def test_recognised_by_the_instrument(make):
    assert recognise(FileContent.load(make("a.dat", ndf2fits(beam_image())))).name == "SCUBA-2 FITS"
    assert recognise(FileContent.load(make("b.dat", ndf2fits(beam_image(), INSTRUME="MUSIC")))).name == "FITS image"
    assert recognise(FileContent.load(make("c.dat", ndf2fits(beam_image(), INSTRUME=None)))).name == "FITS image"


def test_a_variance_of_another_shape_is_refused(make):
    with pytest.raises(InputError, match=r"s8.fits: HDU 1 \(VARIANCE\) = 5 x 4 pixels beside 17 x 12"):
        read_file(make("s8.fits", ndf2fits(beam_image(), np.ones((4, 5)))))


def test_offsets_from_a_moving_source_do_not_say_along_which_axes(make):
    raw = read_file(make("s8.fits", ndf2fits(beam_image(), CTYPE1="OFLN-TAN", CTYPE2="OFLT-TAN")))
    assert raw.frame == "sky-offset"
