"""Files in the layout of citlali, written here with astropy alone."""

import io

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError
from oofpy.io import read_file, read_observation
from oofpy.io.formats import citlali
from oofpy.io.reader import FileContent
from oofpy.io.registry import recognise

ARCSEC = np.pi / 648000
FRACTION = st.floats(0, 0.999)
FLIPS = st.lists(st.tuples(FRACTION, st.integers(1, 255)), max_size=4)
ROWS, COLUMNS, PIXEL_ARCSEC = 7, 11, 2.0
# The beam has its peak at the origin and a bump to the right and below: no flip or transposition leaves it alike.
BUMP_RIGHT, BUMP_UP = 6 * ARCSEC, -4 * ARCSEC


def beam(right_rad, up_rad):
    width = 5 * ARCSEC
    main = np.exp(-(right_rad**2 + up_rad**2) / width**2)
    return 900 * main + 300 * np.exp(-((right_rad - BUMP_RIGHT) ** 2 + (up_rad - BUMP_UP) ** 2) / width**2)


def offsets():
    """Azimuth and elevation offsets of the pixels in radians: azimuth falls along the first axis of the file."""
    azimuth = -PIXEL_ARCSEC * (np.arange(COLUMNS) - 6.0) * ARCSEC
    elevation = PIXEL_ARCSEC * (np.arange(ROWS) - 2.0) * ARCSEC
    return np.meshgrid(azimuth, elevation)


def axes(unit="arcsec"):
    scale = {"arcsec": 1.0, "deg": 1 / 3600}[unit]
    cards = {"EQUINOX": 2000.0}
    kinds = [
        ("AZOFFSET", unit, 0.0, -PIXEL_ARCSEC * scale, 7.0),
        ("ELOFFSET", unit, 0.0, PIXEL_ARCSEC * scale, 3.0),
        ("FREQ", "Hz", 2.8e11, 1.0, 1.0),
        ("STOKES", "", 0.0, 1.0, 1.0),
    ]
    for number, (kind, of, value, step, pixel) in enumerate(kinds, start=1):
        cards |= {f"CTYPE{number}": kind, f"CUNIT{number}": of, f"CRVAL{number}": value}
        cards |= {f"CDELT{number}": step, f"CRPIX{number}": pixel}
    return cards


def celestial_axes():
    cards = axes()
    for number, (kind, value, step, pixel) in enumerate(
        [("RA---TAN", 83.6, -PIXEL_ARCSEC / 3600, 7.0), ("DEC--TAN", 22.0, PIXEL_ARCSEC / 3600, 3.0)], start=1
    ):
        cards |= {f"CTYPE{number}": kind, f"CUNIT{number}": "deg", f"CRVAL{number}": value}
        cards |= {f"CDELT{number}": step, f"CRPIX{number}": pixel}
    return cards


PRIMARY = {
    "SOURCE": "3C273",
    "DATEOBS0": "2026-02-18T08:10:00",
    "INSTRUME": "TolTEC",
    "TELESCOP": "LMT",
    "WAV": "a1100",
    "PIPELINE": "CITLALI",
    "OBSGOAL": "Oof",
    "RADESYS": "altaz",
    "MEAN_EL": 66.9,
    "BUNIT": "mJy/beam",
    "OOF_RMS": 0.0,
    "OOF_W": 0.0011,
    "OOF_ID": 1100,
    "OOF_T": 3.0,
    "OOF_M2X": 0.0,
    "OOF_M2Y": 0.0,
    "OOF_M2Z": -952.97993077,
    "OOF_RO": 25.0,
    "OOF_RI": 1.65,
    "HIERARCH HEADER.M2.ZREQ": -0.95297993077,
}


def planes():
    """Images of one file: signal, weight (two pixels without any), coverage."""
    weight = 0.04 * np.ones((ROWS, COLUMNS))
    weight[:, :4] = 0.01
    weight[0, 0] = 0.0
    covered = np.ones((ROWS, COLUMNS))
    covered[ROWS - 1, COLUMNS - 1] = 0.0
    return {
        "signal_I": beam(*offsets()),
        "weight_I": weight,
        "coverage_I": 3 * covered,
        "coverage_bool_I": covered,
        "sig2noise_I": beam(*offsets()) * np.sqrt(weight),
    }


def citlali_bytes(images=None, primary=None, wcs=None):
    hdus = [fits.PrimaryHDU()]
    for key, value in (PRIMARY if primary is None else primary).items():
        hdus[0].header[key] = value
    for name, image in (planes() if images is None else images).items():
        hdu = fits.ImageHDU(image[None, None], name=name)
        # citlali keeps the case of the name.
        hdu.header["EXTNAME"] = name
        for key, value in (axes() if wcs is None else wcs).items():
            hdu.header[key] = value
        hdu.header["UNIT"] = "mJy/beam"
        hdus.append(hdu)
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer)
    return buffer.getvalue()


def without(mapping, *keys):
    return {key: value for key, value in mapping.items() if key not in keys}


def read(make, **arguments):
    return read_file(make("toltec_a1100.fits", citlali_bytes(**arguments)))


def test_file_is_recognised(make):
    path = make("x.dat", citlali_bytes())
    assert recognise(FileContent.load(path)) is citlali.READER
    assert not citlali.recognises(FileContent.load(make.pyoof()))


def test_positions_values_and_errors(make):
    raw = read(make)
    (one,) = raw.maps
    assert raw.frame == "sky-azel"
    there = np.isfinite(one.power)
    np.testing.assert_allclose(one.power[there], beam(one.u_rad, one.v_rad)[there], rtol=1e-6)
    # The bump lies at greater azimuth and lower elevation than the peak.
    right, up = offsets()
    assert set(np.round(one.u_rad / ARCSEC, 6)) == set(np.round(right.ravel() / ARCSEC, 6))
    assert set(np.round(one.v_rad / ARCSEC, 6)) == set(np.round(up.ravel() / ARCSEC, 6))
    # 1/sqrt(weight): 10 in the columns of the greatest azimuth, 5 elsewhere.
    far = one.u_rad > 4.1 * ARCSEC + 1e-9
    assert far.any()
    np.testing.assert_allclose(one.error[there & far], 10.0, rtol=1e-12)
    np.testing.assert_allclose(one.error[there & ~far], 5.0, rtol=1e-12)
    missing = {
        (round(u / ARCSEC), round(v / ARCSEC)) for u, v in zip(one.u_rad[~there], one.v_rad[~there], strict=True)
    }
    assert missing == {(12, -4), (-8, 8)}


def test_what_the_header_says(make):
    raw = read(make)
    (one,) = raw.maps
    assert one.defocus is None
    assert one.position.finite() == pytest.approx(-952.97993077e-6, rel=1e-12)
    assert "OOF_M2Z" in one.position.key
    assert raw.wavelength.positive() == 0.0011
    assert raw.frequency is None
    assert raw.telescope == "LMT"
    assert raw.object_name == "3C273"
    assert raw.date == "2026-02-18T08:10:00"
    assert raw.elevation_rad == pytest.approx(np.radians(66.9))
    assert raw.flags == ()


def test_axes_in_degrees_give_the_same_directions(make):
    by_arcsec, by_degree = read(make), read(make, wcs=axes("deg"))
    np.testing.assert_allclose(by_degree.maps[0].u_rad, by_arcsec.maps[0].u_rad, atol=1e-15)
    np.testing.assert_allclose(by_degree.maps[0].v_rad, by_arcsec.maps[0].v_rad, atol=1e-15)
    assert by_degree.frame == "sky-azel"


def test_maps_on_the_sky_have_west_to_the_right(make):
    raw = read(make, wcs=celestial_axes(), primary=PRIMARY | {"RADESYS": "icrs"})
    assert raw.frame == "sky-radec"
    (one,) = raw.maps
    # Right ascension falls along the file's first axis, so that the pixel number rises to the right.
    at_peak_row = np.isclose(one.v_rad, 0, atol=1e-12)
    rights = np.sort(one.u_rad[at_peak_row]) / ARCSEC
    np.testing.assert_allclose(rights, PIXEL_ARCSEC * (np.arange(COLUMNS) - 6.0), atol=1e-6)
    mirrored = np.isfinite(one.power)
    np.testing.assert_allclose(one.power[mirrored], beam(-one.u_rad, one.v_rad)[mirrored], rtol=1e-5)


def test_named_frame_stands_above_the_axis_names(make):
    raw = read(make, wcs=celestial_axes(), primary=PRIMARY)
    assert raw.frame == "sky-azel"
    (one,) = raw.maps
    there = np.isfinite(one.power)
    np.testing.assert_allclose(one.power[there], beam(one.u_rad, one.v_rad)[there], rtol=1e-5)


@pytest.mark.parametrize("name", ["signal_I", "weight_I"])
def test_missing_extension_is_named(make, name):
    with pytest.raises(InputError, match=f"toltec_a1100.fits: {name}: .*missing"):
        read(make, images=without(planes(), name))


def test_coverage_may_be_missing(make):
    raw = read(make, images=without(planes(), "coverage_I", "coverage_bool_I", "sig2noise_I"))
    assert np.count_nonzero(np.isnan(raw.maps[0].power)) == 1


def test_extensions_of_another_shape_are_refused(make):
    images = planes()
    images["weight_I"] = images["weight_I"].T.copy()
    with pytest.raises(InputError, match=r"weight_I = 7 x 11: .*11 x 7"):
        read(make, images=images)


def test_extensions_on_another_grid_are_refused(make):
    path = make("toltec_a1100.fits", citlali_bytes())
    with fits.open(path, mode="update") as hdus:
        hdus["weight_I"].header["CRPIX1"] = 8.0
    with pytest.raises(InputError, match=r"CRPIX1 of weight_I = 8"):
        read_file(path)


def test_weights_all_zero_mean_none_were_given(make):
    # As the simulations of out-of-focus maps write them.
    void = np.zeros((ROWS, COLUMNS))
    images = {name: image if name == "signal_I" else void for name, image in planes().items()}
    raw = read(make, images=images)
    assert raw.maps[0].error is None
    assert np.isfinite(raw.maps[0].power).all()
    assert [(flag.code, flag.serious) for flag in raw.flags] == [("weights-void", False)]


def test_what_the_file_does_not_say_stays_open(make):
    raw = read(make, primary=without(PRIMARY, "OOF_M2Z", "OOF_W", "MEAN_EL", "SOURCE", "DATEOBS0", "TELESCOP"))
    assert raw.maps[0].position is None
    assert raw.maps[0].defocus is None
    assert raw.wavelength is None
    # Without OOF_W there is the axis of frequency.
    assert raw.frequency.positive() == 2.8e11
    assert raw.elevation_rad is None
    assert raw.telescope is None


@pytest.mark.parametrize("value", ["-0.95 mm", True])
def test_position_that_is_no_number_names_file_key_and_value(make, value):
    raw = read(make, primary=PRIMARY | {"OOF_M2Z": value})
    with pytest.raises(InputError, match=rf"toltec_a1100.fits: OOF_M2Z = {value}: this must be a number in um"):
        raw.maps[0].position.finite()


def test_defocus_is_the_difference_to_the_map_in_focus(make):
    paths = []
    for number, microns in enumerate((-952.97993077, -3952.97993077, 2047.02006923)):
        images = planes()
        images["signal_I"] = images["signal_I"] / (1 + number)
        paths.append(make(f"{number}.fits", citlali_bytes(images, PRIMARY | {"OOF_M2Z": microns})))
    found = read_observation(*paths, in_focus=1)
    np.testing.assert_allclose(found.defocus_m, [0, -3e-3, 3e-3], atol=1e-15)
    assert found.wavelength_m == 0.0011
    assert found.frame == "sky-azel"
    # Two of the pixels are unobserved.
    assert [one.samples for one in found.maps] == [ROWS * COLUMNS - 2] * 3


@settings(max_examples=40, deadline=None)
@given(cut=st.sampled_from([0, 0, 0, 0.3]), flips=FLIPS, deletion=st.none() | FRACTION)
def test_damaged_files_give_one_line_errors(scratch, damage, sound_or_refused, cut, flips, deletion):
    sound_or_refused(scratch("damaged.fits", damage(citlali_bytes(), cut, flips, deletion)))


def test_negative_weights_are_left_out_and_counted(make):
    images = planes()
    images["weight_I"][3, 3:5] = -1.0
    (one,) = read(make, images=images).maps
    assert np.count_nonzero(np.isnan(one.power)) == 4
    assert [(origin.name, origin.negative, origin.void) for origin in one.error_origins] == [("weight_I", 2, False)]
    void = read(make, images=images | {"weight_I": np.full((ROWS, COLUMNS), -1.0)}).maps[0]
    assert void.error_origins[0].void
    assert np.isnan(void.power).all()
