import math

import numpy as np
import pytest
from astropy import wcs as astropy_wcs
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError
from oofpy.io.formats import image_headers, sky_images
from oofpy.io.formats.sky_images import ImagePlane, image_directions, image_values, is_sky_header, sky_image
from oofpy.io.reader import FileContent

ARCSEC = math.pi / 648000
DEG = math.pi / 180
SHAPE = (7, 9)
STEP_DEG = 10 / 3600


def cards(**changes):
    """Header of a small TAN image around (RA, Dec) = (310, 40) deg; a change to None removes a card."""
    values = {
        "NAXIS": 2,
        "NAXIS1": SHAPE[1],
        "NAXIS2": SHAPE[0],
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRPIX1": 5.0,
        "CRPIX2": 4.0,
        "CRVAL1": 310.0,
        "CRVAL2": 40.0,
        "CDELT1": -STEP_DEG,
        "CDELT2": STEP_DEG,
        **changes,
    }
    header = fits.Header()
    for key, value in values.items():
        if value is not None:
            header[key] = value
    return header


@pytest.fixture
def content(make):
    return FileContent.load(make("image.fits", b"SIMPLE  = T"))


def pixel_offsets():
    """Offsets of the pixels from the reference pixel, shape (y, x) each."""
    return np.meshgrid(np.arange(SHAPE[1]) - 4.0, np.arange(SHAPE[0]) - 3.0)


@pytest.mark.parametrize(("lon0", "lat0"), [(310.0, 40.0), (0.0, -75.0), (359.999, 0.0), (180.0, 89.99)])
@pytest.mark.parametrize(("projection", "cosine"), [("SIN", np.ones_like), ("TAN", lambda r: 1 / np.hypot(1, r))])
def test_direction_cosines_are_those_of_the_projection(content, lon0, lat0, projection, cosine):
    step = 0.05
    header = cards(
        CTYPE1=f"RA---{projection}",
        CTYPE2=f"DEC--{projection}",
        CRVAL1=lon0,
        CRVAL2=lat0,
        CDELT1=-step,
        CDELT2=step,
    )
    u, v, frame = image_directions(content, header, SHAPE)
    x, y = (step * DEG * offset for offset in pixel_offsets())
    scale = cosine(np.hypot(x, y))
    np.testing.assert_allclose(u, x * scale, rtol=0, atol=1e-12)
    np.testing.assert_allclose(v, y * scale, rtol=0, atol=1e-12)
    assert frame == "sky-radec"


def test_a_tangent_offset_is_not_a_direction_cosine(content):
    u, _, _ = image_directions(content, cards(CDELT1=-1.0, CDELT2=1.0), SHAPE)
    assert u[3, 8] == pytest.approx(math.sin(math.atan(4 * DEG)), abs=1e-15)
    assert 4 * DEG - u[3, 8] > 1e-4


MATRICES = {
    "CDELT": {},
    "CDELT1 above 0": {"CDELT1": STEP_DEG},
    "PC": {"PC1_1": 0.8, "PC1_2": -0.6, "PC2_1": 0.6, "PC2_2": 0.8},
    "CROTA": {"CROTA2": 30.0},
    "CD": {"CDELT1": None, "CDELT2": None, "CD1_1": -0.002, "CD1_2": 0.001, "CD2_1": 0.0015, "CD2_2": 0.003},
    "half a turn": {"PC1_1": -1.0, "PC2_2": -1.0},
}


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize(
    ("changes", "frame", "right"),
    [
        ({}, "sky-radec", -1),
        ({"RADESYS": "FK4", "EQUINOX": 1950.0, "MJD-OBS": 41675.0}, "sky-radec", -1),
        ({"CTYPE1": "AZ---TAN", "CTYPE2": "EL---TAN"}, "sky-azel", 1),
        ({"CTYPE1": "AZ---TAN", "CTYPE2": "ALT--TAN"}, "sky-azel", 1),
        ({"RADESYS": "altaz"}, "sky-azel", 1),
    ],
)
def test_a_bump_lies_on_its_side_of_the_reference_point(content, matrix, changes, frame, right):
    # The image is made by the sky positions of its pixels, as the library alone computes them.
    header = cards(**MATRICES[matrix], **changes)
    plain = header.copy()
    plain["CTYPE1"], plain["CTYPE2"] = "RA---TAN", "DEC--TAN"
    for key in ("RADESYS", "EQUINOX", "MJD-OBS"):
        plain.remove(key, ignore_missing=True)
    lon, lat = astropy_wcs.WCS(plain).all_pix2world(*(np.indices(SHAPE)[::-1]), 0)
    east = (lon - 310.0) * 3600 * np.cos(40 * DEG)
    bump = np.exp(-((east - 15) ** 2 + ((lat - 40.0) * 3600 - 8) ** 2) / 40)
    raw, found = sky_image(content, header, ImagePlane("bump", bump))
    peak = np.argmax(raw.power)
    assert found == frame
    assert raw.u_rad[peak] == pytest.approx(right * 15 * ARCSEC, abs=8 * ARCSEC)
    assert raw.v_rad[peak] == pytest.approx(8 * ARCSEC, abs=8 * ARCSEC)
    np.testing.assert_allclose(raw.u_rad, right * east.ravel() * ARCSEC, atol=0.02 * ARCSEC)
    np.testing.assert_allclose(raw.v_rad, (lat.ravel() - 40.0) * DEG, atol=0.02 * ARCSEC)
    np.testing.assert_array_equal(raw.power, bump.ravel())


@settings(max_examples=25, deadline=None)
@given(st.floats(-180, 180), st.floats(-89, 89), st.floats(0, 360), st.booleans())
def test_rotated_headers_turn_the_image(turn, lat0, lon0, by_crota):
    cos, sin = math.cos(turn * DEG), math.sin(turn * DEG)
    step = 1 / 600
    matrix = {"CROTA2": turn} if by_crota else {"PC1_1": cos, "PC1_2": -sin, "PC2_1": sin, "PC2_2": cos}
    header = cards(CTYPE1="RA---SIN", CTYPE2="DEC--SIN", CRVAL1=lon0, CRVAL2=lat0, CDELT1=step, CDELT2=step, **matrix)
    u, v, _ = image_directions(FileContent("image.fits", b""), header, SHAPE)
    x, y = (step * DEG * offset for offset in pixel_offsets())
    np.testing.assert_allclose(u, -(cos * x - sin * y), rtol=0, atol=1e-12)
    np.testing.assert_allclose(v, sin * x + cos * y, rtol=0, atol=1e-12)


def test_latitude_may_be_the_first_axis(content):
    header = cards(CTYPE1="EL---SIN", CTYPE2="AZ---SIN", CRVAL1=60.0, CRVAL2=10.0, CDELT1=STEP_DEG, CDELT2=2 * STEP_DEG)
    u, v, frame = image_directions(content, header, SHAPE)
    x, y = pixel_offsets()
    assert frame == "sky-azel"
    np.testing.assert_allclose(u, 20 * ARCSEC * y, atol=1e-12)
    np.testing.assert_allclose(v, 10 * ARCSEC * x, atol=1e-12)


def test_a_step_of_azimuth_is_a_true_angle_at_any_elevation(content):
    for elevation in (5.0, 60.0, 85.0):
        header = cards(CTYPE1="AZ---TAN", CTYPE2="EL---TAN", CRVAL1=359.9999, CRVAL2=elevation, CDELT1=STEP_DEG)
        u, _, _ = image_directions(content, header, SHAPE)
        assert u[3, 5] == pytest.approx(10 * ARCSEC, rel=1e-8)


def test_images_by_rows_are_the_same(content, monkeypatch):
    whole = image_directions(content, cards(), (50, 9))
    monkeypatch.setattr(sky_images, "_PIXELS_AT_ONCE", 30)
    parts = image_directions(content, cards(), (50, 9))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("unit", ["arcsec", "deg", "arcmin", "rad", "radians"])
def test_linear_offsets_in_any_angle(content, unit):
    size = {"arcsec": ARCSEC, "deg": DEG, "arcmin": 60 * ARCSEC}.get(unit, 1.0)
    header = cards(
        CTYPE1="AZOFF",
        CTYPE2="ELOFF",
        CRVAL1=0.0,
        CRVAL2=5 * ARCSEC / size,
        CDELT1=10 * ARCSEC / size,
        CDELT2=10 * ARCSEC / size,
        CUNIT1=unit,
        CUNIT2=unit,
    )
    u, v, frame = image_directions(content, header, SHAPE)
    x, y = pixel_offsets()
    assert frame == "sky-azel"
    np.testing.assert_allclose(u, 10 * ARCSEC * x, atol=1e-14)
    np.testing.assert_allclose(v, 10 * ARCSEC * y + 5 * ARCSEC, atol=1e-14)


@pytest.mark.parametrize(
    ("names", "frame", "right"),
    [
        (("AZ", "EL"), "sky-azel", 1),
        (("DAZ", "DEL"), "sky-azel", 1),
        (("XEL", "EL_OFFSET"), "sky-azel", 1),
        (("OFFSET-RA", "OFFSET-DEC"), "sky-radec", -1),
    ],
)
def test_names_of_linear_axes(content, names, frame, right):
    header = cards(
        CTYPE1=names[0], CTYPE2=names[1], CRVAL1=0.0, CRVAL2=0.0, CDELT1=-2.0, CUNIT1="arcsec", CUNIT2="arcsec"
    )
    u, _, found = image_directions(content, header, SHAPE)
    assert found == frame
    assert u[0, 8] == pytest.approx(-8 * right * ARCSEC)


def test_celestial_units_other_than_degrees(content):
    wanted = image_directions(content, cards(), SHAPE)
    changed = cards(
        CUNIT1="radians",
        CUNIT2="rad",
        CRVAL1=310 * DEG,
        CRVAL2=40 * DEG,
        CDELT1=-STEP_DEG * DEG,
        CDELT2=STEP_DEG * DEG,
    )
    found = image_directions(content, changed, SHAPE)
    np.testing.assert_allclose(found[0], wanted[0], atol=1e-12)
    np.testing.assert_allclose(found[1], wanted[1], atol=1e-12)


def test_pixels_outside_the_projection_are_unobserved(content):
    header = cards(CTYPE1="RA---SIN", CTYPE2="DEC--SIN", CDELT1=-30.0, CDELT2=30.0)
    raw, _ = sky_image(content, header, ImagePlane("wide", np.ones(SHAPE), error=np.ones(SHAPE)))
    x, y = pixel_offsets()
    inside = (np.hypot(x, y) * 30 * DEG <= 1).ravel()
    np.testing.assert_array_equal(np.isfinite(raw.power), inside)
    np.testing.assert_array_equal(np.isfinite(raw.error), inside)


def test_the_far_side_of_the_sky_is_unobserved(content):
    header = cards(CTYPE1="RA---ARC", CTYPE2="DEC--ARC", CDELT1=-30.0, CDELT2=30.0)
    u, _, _ = image_directions(content, header, SHAPE)
    assert u[3].tolist() == pytest.approx(
        [np.nan] * 2 + [-math.sin(60 * DEG), -0.5, 0, 0.5, math.sin(60 * DEG)] + [np.nan] * 2, nan_ok=True
    )


def test_unobserved_pixels_and_samples_in_order(content):
    values = np.arange(63.0).reshape(SHAPE)
    values[0, 1] = np.inf
    observed = np.ones(SHAPE, bool)
    observed[2, 3] = False
    raw, _ = sky_image(content, cards(), ImagePlane("m", values, observed=observed))
    assert np.flatnonzero(np.isnan(raw.power)).tolist() == [1, 21]
    assert raw.power[10] == 10
    assert np.all(np.diff(raw.u_rad[:9]) > 0)
    assert raw.label == "m"
    assert raw.error is None


def test_other_axes_of_the_header_do_not_disturb(content):
    wanted = image_directions(content, cards(), SHAPE)
    header = cards(
        WCSAXES=4, NAXIS=4, NAXIS3=1, NAXIS4=1, CTYPE3="FREQ", CRVAL3=2.7e11, CRPIX3=1.0, CDELT3=0.0, CUNIT3="nonsense"
    )
    header.update({"CTYPE4": "STOKES", "CRPIX4": 1.0, "RADESYS": "odd", "DATE-OBS": "not a date", "EQUINOX": "what"})
    found = image_directions(content, header, SHAPE)
    np.testing.assert_array_equal(found[0], wanted[0])


def test_a_matrix_of_three_axes(content):
    wanted = image_directions(content, cards(), SHAPE)
    matrix = {"CDELT1": None, "CDELT2": None, "CD1_1": -STEP_DEG, "CD2_2": STEP_DEG, "CD1_3": 0.0, "CRPIX3": 1.0}
    found = image_directions(content, cards(**matrix), SHAPE)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-14)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"}, r"CTYPE1 = GLON-TAN: images in these coordinates are not read"),
        ({"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"}, r"CTYPE1 = RA---TAN-SIP: the projection TAN-SIP"),
        ({"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV"}, r"CTYPE1 = RA---TPV: the projection TPV"),
        ({"CTYPE2": "DEC--SIN"}, r"CTYPE1 = RA---TAN: the projection TAN and SIN"),
        ({"CTYPE1": "X----LIN", "CTYPE2": "Y----LIN"}, r"CTYPE = X----LIN, Y----LIN: .* no axes of the sky"),
        ({"CTYPE1": "RA---TAN", "CTYPE2": "EL---TAN"}, r"CTYPE = RA---TAN, EL---TAN: .* no axes of the sky"),
        ({"CTYPE1": 5}, r"CTYPE = 5, DEC--TAN: .* no axes of the sky"),
        ({"CTYPE1": "AZ", "CTYPE2": "EL"}, r"CTYPE1 = AZ: linear axes that are no offsets"),
        ({"CTYPE1": "AZOFF", "CTYPE2": "ELOFF"}, r"CUNIT1: the unit of the linear axis AZOFF is missing"),
        ({"CUNIT2": "furlong"}, r"CUNIT2 = furlong: this is no unit of angle .* arcsec"),
        ({"CRPIX2": None}, r"CRPIX2: this key of the coordinates is missing; add it"),
        ({"CRVAL1": None}, r"CRVAL1: this key of the coordinates is missing"),
        ({"CDELT1": None}, r"CDELT1: this key of the coordinates is missing"),
        ({"CDELT1": "fine"}, r"CDELT1 = fine: this must be a number"),
        ({"CRVAL2": True}, r"CRVAL2 = True: this must be a number"),
        ({"CDELT1": 0.0}, r"CTYPE1 = RA---TAN: the coordinates .*singular; check CTYPE"),
        ({"CRVAL2": 95.0}, r"CTYPE1 = RA---TAN: the coordinates .* cannot be used"),
        ({"PC1_1": 1.0, "CD1_1": 1.0}, r"CD1_1: the header has both a PC and a CD matrix"),
        ({"BUNIT": "dB"}, r"BUNIT = dB: the map is in decibels"),
        ({"BUNIT": "dBm"}, r"BUNIT = dBm: the map is in decibels"),
    ],
)
def test_what_is_refused_is_named(content, changes, message):
    with pytest.raises(InputError, match=rf"image\.fits: {message}") as caught:
        sky_image(content, cards(**changes), ImagePlane("m", np.ones(SHAPE)))
    assert "wcslib" not in str(caught.value)


def test_companions_of_another_shape_are_refused(content):
    with pytest.raises(InputError, match=r"image.fits: error = \(2, 2\) beside \(7, 9\): the image of the map m"):
        sky_image(content, cards(), ImagePlane("m", np.ones(SHAPE), error=np.ones((2, 2))))


def test_sky_headers_are_told_from_others():
    assert is_sky_header(cards())
    assert is_sky_header(cards(CTYPE1="GLON-CAR", CTYPE2="GLAT-CAR"))
    assert is_sky_header(cards(CTYPE1="AZOFF", CTYPE2="ELOFF"))
    assert not is_sky_header(cards(CTYPE1="X----LIN", CTYPE2="Y----LIN"))
    assert not is_sky_header(cards(CTYPE1="LINEAR", CTYPE2="LINEAR"))
    assert not is_sky_header(fits.Header())


def opened(make, hdu):
    path = make.folder / "image.fits"
    fits.HDUList([hdu] if isinstance(hdu, fits.PrimaryHDU) else [fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)
    content = FileContent.load(path)
    return content, content.hdus[-1]


@pytest.mark.parametrize("shape", [(3, 4), (1, 3, 4), (1, 1, 3, 4), (3, 1, 4)])
def test_axes_of_length_one_are_left_out(make, shape):
    values = np.arange(12.0).reshape(shape)
    content, hdu = opened(make, fits.ImageHDU(values))
    found = image_values(content, hdu, "m")
    np.testing.assert_array_equal(found, values.reshape(3, 4))
    assert found.dtype == np.dtype("=f8")


def test_scaled_integers_with_blanks(make):
    hdu = fits.PrimaryHDU(np.array([[1, 2, 3], [4, -99, 6]], "i2"))
    hdu.header["BLANK"] = -99
    path = make.folder / "image.fits"
    hdu.writeto(path)
    data = path.read_bytes()
    card = b"BLANK   ="
    scaled = data.replace(
        card, b"BSCALE  =                  0.5" + b" " * 50 + b"BZERO   =                 10.0" + b" " * 50 + card
    )
    # The header is one block; the two added cards take the place of two blank ones.
    end = scaled.index(b"END     ") + 80
    path.write_bytes(scaled[:end].ljust(2880) + data[2880:])
    content = FileContent.load(path)
    found = image_values(content, content.hdus[0], "m")
    np.testing.assert_array_equal(found, [[10.5, 11, 11.5], [12, np.nan, 13]])


def test_infinite_pixels_are_nan(make):
    content, hdu = opened(make, fits.PrimaryHDU(np.array([[1, np.inf], [-np.inf, np.nan]], "f4")))
    assert np.isnan(image_values(content, hdu, "m")).tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (1, 4)])
def test_what_is_no_image_is_refused(make, shape):
    content, hdu = opened(make, fits.ImageHDU(np.ones(shape)))
    with pytest.raises(InputError, match=r"image.fits: NAXIS = .*: the image m must have two axes longer than 1"):
        image_values(content, hdu, "m")


def test_planes_that_are_not_of_the_sky_are_refused(make):
    hdu = fits.ImageHDU(np.ones((4, 1, 5)))
    hdu.header.update(cards(NAXIS=None, NAXIS1=None, NAXIS2=None, CTYPE3="FREQ"))
    content, found = opened(make, hdu)
    with pytest.raises(InputError, match=r"NAXIS = 5 x 1 x 4: the axes of the image m .* are not those of the sky"):
        image_values(content, found, "m")


def test_large_images_are_refused_before_they_are_read(make, monkeypatch):
    monkeypatch.setattr(sky_images, "MOST_PIXELS", 11)
    content, hdu = opened(make, fits.ImageHDU(np.ones((3, 4))))
    with pytest.raises(InputError, match=r"NAXIS = 4 x 3: the image m has more than 11 pixels; cut out the part"):
        image_values(content, hdu, "m")


def with_comment(key, value, comment):
    header = fits.Header()
    header[key] = (value, comment)
    return header


@pytest.mark.parametrize(
    ("comment", "wanted"),
    [("", 270.0), ("[GHz] sky", 270e9), ("[ MHz ]", 270e6), ("in GHz", 270.0), ("[K] no unit of it", 270.0)],
)
def test_units_in_comments_are_heeded(content, comment, wanted):
    found = image_headers.header_frequency(content, with_comment("FREQ", 270.0, comment))
    assert (found.value, found.key, found.unit) == (wanted, "FREQ", "Hz")


def test_wavelength_without_a_unit_is_not_guessed(content):
    find = image_headers.header_wavelength
    assert find(content, with_comment("WAVELEN", 850.0, "wavelength")) is None
    assert find(content, with_comment("WAVELEN", 850.0, "[um]")).value == pytest.approx(850e-6)
    assert find(content, with_comment("WAVEL", 0.002, "")).value == 0.002


def test_wrong_types_are_kept_for_when_they_are_needed(content):
    found = image_headers.header_frequency(content, with_comment("FREQ", "high", "[GHz]"))
    with pytest.raises(InputError, match=r"image.fits: FREQ = high: this must be a number in Hz"):
        found.finite()


def test_a_spectral_axis_gives_the_frequency(content):
    header = cards(NAXIS3=1, CTYPE3="FREQ", CRVAL3=345.0, CRPIX3=0.5, CDELT3=2.0, CUNIT3="GHz", RESTFRQ=1e9)
    found = image_headers.header_frequency(content, header)
    assert (found.key, found.finite()) == ("CRVAL3", 346e9)
    header["NAXIS3"] = 7
    assert image_headers.header_frequency(content, header).key == "RESTFRQ"
    header["FREQ"] = 5e9
    assert image_headers.header_frequency(content, header).finite() == 5e9
    header["CTYPE3"], header["NAXIS3"], header["CUNIT3"], header["CRVAL3"] = "WAVE", 1, "mm", 3.0
    header["CDELT3"] = 0.0
    assert image_headers.header_wavelength(content, header).finite() == pytest.approx(0.003)


def test_elevations(content):
    find = image_headers.header_elevation
    assert find(content, fits.Header([("EL1", 30.0), ("EL2", 50)]), "EL1", "EL2")[0] == pytest.approx(40 * DEG)
    assert find(content, fits.Header([("EL1", 0.0)]), "EL1", "EL2") == (None, ())
    value, flags = find(content, fits.Header([("EL1", 450.0)]), "EL1")
    assert value is None
    assert [(flag.code, flag.serious) for flag in flags] == [("elevation-implausible", False)]
