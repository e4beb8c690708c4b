"""Files of the PIIC pipeline of NIKA2 and their companions, written here with astropy alone."""

import hashlib
import io

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError
from oofpy.io import read_file, read_observation
from oofpy.io.checks import refuse_void
from oofpy.io.formats import nika2_piic
from oofpy.io.reader import FileContent
from oofpy.io.registry import recognise
from oofpy.observation import SkyOrientation

ARCSEC = np.pi / 648000
FRACTION = st.floats(0, 0.999)
FLIPS = st.lists(st.tuples(FRACTION, st.integers(1, 255)), max_size=4)
ROWS, COLUMNS, PIXEL_ARCSEC = 9, 14, 2.0
WCS = {
    "CTYPE1": "RA---TAN",
    "CTYPE2": "DEC--TAN",
    "CRPIX1": 6.0,
    "CRPIX2": 4.0,
    "CRVAL1": 263.26,
    "CRVAL2": 0.0,
    "CDELT1": -PIXEL_ARCSEC / 3600,
    "CDELT2": PIXEL_ARCSEC / 3600,
    "OBJECT": "Uranus",
    "TELESCOP": "30M",
    "INSTRUME": "NIKA2",
}


def beam(right_rad, up_rad):
    """Peak at the origin and a bump to the right and below."""
    width = 5 * ARCSEC
    main = np.exp(-(right_rad**2 + up_rad**2) / width**2)
    return 900 * main + 300 * np.exp(-((right_rad - 7 * ARCSEC) ** 2 + (up_rad + 4 * ARCSEC) ** 2) / width**2)


def values():
    right, up = np.meshgrid(
        PIXEL_ARCSEC * (np.arange(COLUMNS) - 5.0) * ARCSEC, PIXEL_ARCSEC * (np.arange(ROWS) - 3.0) * ARCSEC
    )
    image = beam(right, up)
    image[0, :3] = np.nan
    return image


def weights():
    image = np.full((ROWS, COLUMNS), 0.25)
    image[:, 9:] = 0.04
    image[-1, -1] = 0.0
    image[0, :3] = np.nan
    return image


def image_bytes(image, header=None, history=()):
    hdu = fits.PrimaryHDU(image)
    for key, value in (WCS if header is None else header).items():
        hdu.header[key] = value
    for line in history:
        hdu.header.add_history(line)
    buffer = io.BytesIO()
    hdu.writeto(buffer)
    return buffer.getvalue()


@pytest.fixture
def pair(make):
    """Write a map and its companion."""

    def write(header=None, rgw_header=None, rgw=None, history=()):
        make("uranus_2rgw.fits", image_bytes(weights() if rgw is None else rgw, rgw_header or header, history))
        return make("uranus_2.fits", image_bytes(values(), header, history))

    return write


def without(*keys):
    return {key: value for key, value in WCS.items() if key not in keys}


def test_file_is_recognised_by_its_header(make):
    for number, (header, history) in enumerate(
        [(WCS, ()), (without("INSTRUME") | {"ORIGIN": "PIIC"}, ()), (without("INSTRUME"), ("reduced by PIIC 5/2022",))]
    ):
        content = FileContent.load(make(f"{number}.dat", image_bytes(values(), header, history)))
        assert recognise(content) is nika2_piic.READER
    assert not nika2_piic.recognises(FileContent.load(make("p.fits", image_bytes(values(), without("INSTRUME")))))
    assert not nika2_piic.recognises(FileContent.load(make.pyoof()))


def test_a_companion_beside_it_makes_it_one_too(pair):
    content = FileContent.load(pair(without("INSTRUME")))
    assert recognise(content) is nika2_piic.READER
    assert read_file(content.path).maps[0].error is not None


def test_positions_values_and_errors(pair):
    raw = read_file(pair())
    (one,) = raw.maps
    assert raw.frame == "sky-radec"
    there = np.isfinite(one.power)
    # Three NaN pixels and one of no weight.
    assert np.count_nonzero(~there) == 4
    np.testing.assert_allclose(one.power[there], beam(one.u_rad, one.v_rad)[there], rtol=1e-6)
    west = one.u_rad > 7.1 * ARCSEC
    np.testing.assert_allclose(one.error[there & west], 5.0, rtol=1e-12)
    np.testing.assert_allclose(one.error[there & ~west], 2.0, rtol=1e-12)
    assert raw.flags == ()
    assert raw.object_name == "Uranus"
    assert raw.telescope == "30M"
    assert one.defocus is None


def test_offsets_in_azimuth_are_said_to_be_true_angles(pair):
    offsets = {"CTYPE1": "AZOFF", "CTYPE2": "ELOFF", "CRVAL1": 0.0, "CUNIT1": "deg", "CUNIT2": "deg"}
    assert [flag.code for flag in read_file(pair(WCS | offsets)).flags] == ["azimuth-offsets-true"]


def test_the_companion_is_an_input(pair):
    path = pair()
    raw = read_file(path)
    companion = path.with_name("uranus_2rgw.fits")
    assert raw.path == path
    assert [source.path for source in raw.sources] == [path, companion]
    assert raw.sources[1].sha256 == hashlib.sha256(companion.read_bytes()).hexdigest()


def test_without_a_companion_there_are_no_errors(make):
    raw = read_file(make("uranus_2.fits", image_bytes(values())))
    assert raw.maps[0].error is None
    assert len(raw.sources) == 1
    assert [(flag.code, flag.serious) for flag in raw.flags] == [("weights-missing", False)]
    assert "uranus_2rgw.fits" in raw.flags[0].message


@pytest.mark.parametrize(
    ("key", "value"),
    [("CRPIX1", 6.5), ("CRVAL2", 0.001), ("CDELT1", 2 / 3600), ("CTYPE1", "RA---SIN"), ("CROTA2", 10.0)],
)
def test_companion_on_another_grid_is_refused(pair, key, value):
    path = pair(rgw_header=WCS | {key: value})
    with pytest.raises(InputError, match=rf"uranus_2rgw.fits: {key} = .*uranus_2.fits"):
        read_file(path)


def test_companion_of_another_shape_is_refused(pair):
    with pytest.raises(InputError, match=r"uranus_2rgw.fits: NAXIS = 9 x 14: .*14 x 9"):
        read_file(pair(rgw=weights().T.copy()))


def test_companion_that_is_no_image_is_refused(make):
    path = make("uranus_2.fits", image_bytes(values()))
    make("uranus_2rgw.fits", "not FITS\n")
    with pytest.raises(InputError, match=r"uranus_2rgw.fits: .*no FITS image"):
        read_file(path)


def test_damaged_companion_is_named(make):
    path = make("uranus_2.fits", image_bytes(values()))
    make("uranus_2rgw.fits", image_bytes(weights())[:-2880])
    with pytest.raises(InputError, match=r"uranus_2rgw.fits: HDU 0: the file is truncated"):
        read_file(path)


@pytest.mark.parametrize("header", [WCS, without("INSTRUME")])
def test_companion_given_as_a_map_is_refused(pair, header):
    path = pair(header).with_name("uranus_2rgw.fits")
    with pytest.raises(InputError, match=r"uranus_2rgw.fits: .*weights of a map; give uranus_2.fits"):
        read_file(path)


def test_polarisation_planes_are_refused(make):
    cube = np.stack([values()] * 3)
    with pytest.raises(InputError, match=r"NAXIS = 14 x 9 x 3: .*two axes"):
        read_file(make("uranus_2.fits", image_bytes(cube)))


DAMAGED = given(cut=st.sampled_from([0, 0, 0, 0.3]), flips=FLIPS, deletion=st.none() | FRACTION)


@settings(max_examples=40, deadline=None)
@DAMAGED
def test_damaged_files_give_one_line_errors(scratch, damage, sound_or_refused, cut, flips, deletion):
    sound_or_refused(scratch("damaged.fits", damage(image_bytes(values()), cut, flips, deletion)))


@settings(max_examples=40, deadline=None)
@DAMAGED
def test_damaged_companions_give_one_line_errors(scratch, damage, sound_or_refused, cut, flips, deletion):
    path = scratch("whole.fits", image_bytes(values()))
    scratch("wholergw.fits", damage(image_bytes(weights()), cut, flips, deletion))
    for one in sound_or_refused(path, named="wholergw.fits"):
        assert (one.error[np.isfinite(one.power)] > 0).all()


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_weights_that_are_not_positive(pair, value):
    raw = read_file(pair(rgw=np.full((ROWS, COLUMNS), value)))
    (one,) = raw.maps
    if value == 0:
        assert one.error is None
        assert np.count_nonzero(np.isnan(one.power)) == 3
        assert [(flag.code, flag.serious) for flag in raw.flags] == [("weights-void", False)]
        assert "uranus_2rgw.fits is zero everywhere" in raw.flags[0].message
    else:
        with pytest.raises(
            InputError, match=r"no weight in uranus_2rgw.fits is positive; correct or remove uranus_2rgw"
        ):
            refuse_void(one, 1)


def test_missing_weights_are_noted_once(pair, make):
    paths = [pair(), make("other.fits", image_bytes(2 * values() ** 1.1))]
    found = read_observation(
        *paths, defocus_m=[0, 1e-3], wavelength_m=1e-3, orientation=SkyOrientation("telescope", (0.1,))
    )
    assert [flag.code for flag in found.flags].count("weights-missing") == 1
