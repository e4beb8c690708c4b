import io
import math

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError, UsageError
from oofpy.io import READERS, read_file, read_observation
from oofpy.io.formats.image_errors import errors_of
from oofpy.io.formats.wcs_images import role_of
from oofpy.io.reader import FileContent
from oofpy.io.registry import recognise
from oofpy.observation import SkyOrientation

ARCSEC = math.pi / 648000
STEP_DEG = 4 / 3600
SIDE = 15
FRACTION = st.floats(0, 1, exclude_max=True)


def sky_cards(system="azel", **changes):
    """Coordinates of an image whose reference point is its middle."""
    names = {"azel": ("AZ---TAN", "EL---TAN"), "radec": ("RA---TAN", "DEC--TAN")}[system]
    right = 1 if system == "azel" else -1
    values = {
        "CTYPE1": names[0],
        "CTYPE2": names[1],
        "CRPIX1": (SIDE + 1) / 2,
        "CRPIX2": (SIDE + 1) / 2,
        "CRVAL1": 120.0,
        "CRVAL2": 55.0,
        "CDELT1": right * STEP_DEG,
        "CDELT2": STEP_DEG,
        "BUNIT": "Jy/beam",
        **changes,
    }
    return {key: value for key, value in values.items() if value is not None}


def beam_image(defocus_m=0.0):
    """A beam with a bump to the upper right of its middle, shape (y, x)."""
    x, y = np.meshgrid(np.arange(SIDE) - SIDE // 2, np.arange(SIDE) - SIDE // 2)
    width = 5 + 1e3 * defocus_m
    return np.exp(-(x**2 + y**2) / width) + 0.3 * np.exp(-((x - 5) ** 2 + (y - 2) ** 2) / 2) + 1e-3 * x * y


def image_file(*planes, primary=None):
    """FITS file of image extensions; each plane is (EXTNAME or None, values, header)."""
    hdus = [fits.PrimaryHDU()]
    for name, values, header in planes:
        hdu = fits.ImageHDU(np.asarray(values), name=name)
        hdu.header.update(header)
        hdus.append(hdu)
    hdus[0].header.update(primary or {})
    buffer = io.BytesIO()
    fits.HDUList(hdus).writeto(buffer)
    return buffer.getvalue()


def one_file(values, header):
    """FITS file with one primary image."""
    hdu = fits.PrimaryHDU(np.asarray(values))
    hdu.header.update(header)
    buffer = io.BytesIO()
    hdu.writeto(buffer)
    return buffer.getvalue()


def trio(**changes):
    facts = {"FREQ": 90e9, "TELESCOP": "LMT", "OBJECT": "3C273", "DATE-OBS": "2024-01-02T03:04:05", "MEANEL": 55.0}
    planes = [
        (name, beam_image(dz), {**sky_cards(**changes), "DZ": dz})
        for name, dz in (("minus", -0.002), ("focus", 0.0), ("plus", 0.003))
    ]
    return image_file(*planes, primary=facts)


def test_one_extension_a_focus(make):
    raw = read_file(make("trio.fits", trio()))
    assert [one.label for one in raw.maps] == ["MINUS", "FOCUS", "PLUS"]
    assert [one.defocus.finite() for one in raw.maps] == [-0.002, 0.0, 0.003]
    assert raw.frequency.positive() == 90e9
    assert (raw.telescope, raw.object_name, raw.date) == ("LMT", "3C273", "2024-01-02T03:04:05")
    assert raw.elevation_rad == pytest.approx(math.radians(55))
    assert raw.frame == "sky-azel"
    assert raw.flags == ()
    np.testing.assert_array_equal(raw.maps[2].power, beam_image(0.003).ravel())


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("AZOFF", "ELOFF"), True),
        (("DAZ", "DEL"), True),
        (("AZ", "EL"), True),
        (("XELOFF", "ELOFF"), False),
        (("RAOFF", "DECOFF"), False),
        (("AZ---TAN", "EL---TAN"), False),
    ],
)
def test_offsets_in_azimuth_are_said_to_be_true_angles(make, names, said):
    linear = {"CUNIT1": "deg", "CUNIT2": "deg", "CRVAL1": 0.0, "CRVAL2": 0.0}
    path = make("trio.fits", trio(CTYPE1=names[0], CTYPE2=names[1], **linear))
    found = [(flag.code, flag.serious, flag.message) for flag in read_file(path).flags]
    message = (
        f"trio.fits: offsets along {names[0]} are taken as true angles on the sky; if they are differences of azimuth, "
        "multiply them by cos(elevation), or write a projection such as AZ---TAN"
    )
    assert found == ([("azimuth-offsets-true", False, message)] if said else [])


@pytest.mark.parametrize(("system", "frame"), [("azel", "sky-azel"), ("radec", "sky-radec")])
def test_a_bump_on_the_upper_right_stays_there(make, system, frame):
    # In both systems the image is drawn as the sky is seen, right being west or increasing azimuth.
    raw = read_file(make("trio.fits", trio(system=system)))
    one = raw.maps[1]
    away = np.hypot(one.u_rad, one.v_rad) > 14 * ARCSEC
    peak = np.flatnonzero(away)[np.argmax(one.power[away])]
    assert raw.frame == frame
    assert one.u_rad[peak] == pytest.approx(20 * ARCSEC, rel=1e-6)
    assert one.v_rad[peak] == pytest.approx(8 * ARCSEC, rel=1e-6)


@pytest.mark.parametrize("system", ["azel", "radec"])
def test_offsets_along_axes_without_a_name_are_those_that_the_user_names(make, system):
    named = read_observation(make("named.fits", trio(system=system)), orientation=SkyOrientation("telescope"))
    path = make("offsets.fits", trio(system=system, CTYPE1="OFLN-TAN", CTYPE2="OFLT-TAN", CRVAL1=0.0, CRVAL2=0.0))
    found = read_observation(path, orientation=SkyOrientation("telescope", axes=system))
    assert found.frame == named.frame == f"sky-{system}"
    for one, other in zip(found.maps, named.maps, strict=True):
        np.testing.assert_allclose(one.u_rad, other.u_rad, atol=1e-15)
        np.testing.assert_allclose(one.v_rad, other.v_rad, atol=1e-15)
    with pytest.raises(InputError, match=r"offsets.fits: CTYPE: .*along which axes.*--axes azel or --axes radec"):
        read_observation(path)
    with pytest.raises(UsageError, match=r"named.fits: --axes = azel: the file says itself what its axes are"):
        read_observation(named.sources[0].path, orientation=SkyOrientation(axes="azel"))


def test_a_mirrored_axis_mirrors_the_image(make):
    plain = read_file(make("plain.fits", one_file(beam_image(), sky_cards())))
    mirrored = read_file(make("mirrored.fits", one_file(beam_image()[:, ::-1], sky_cards(CDELT1=-STEP_DEG))))
    one, other = (raw.maps[0] for raw in (plain, mirrored))
    order = np.arange(SIDE**2).reshape(SIDE, SIDE)[:, ::-1].ravel()
    np.testing.assert_array_equal(other.power[order], one.power)
    np.testing.assert_allclose(other.u_rad[order], one.u_rad, atol=1e-15)
    np.testing.assert_allclose(other.v_rad[order], one.v_rad, atol=1e-15)


def test_one_file_a_focus(make):
    paths = [
        make(f"{number}.fits", one_file(beam_image(dz), {**sky_cards(), "DZ": dz, "FREQ": 90e9}))
        for number, dz in enumerate((0.0, 0.003, -0.003))
    ]
    found = read_observation(*paths)
    assert found.defocus_m.tolist() == [0.0, 0.003, -0.003]
    assert [one.label for one in found.maps] == ["HDU 0"] * 3
    assert found.frame == "sky-azel"


def test_what_the_header_leaves_out_is_asked_for(make):
    planes = [(name, beam_image(dz), sky_cards()) for name, dz in (("a", 0.0), ("b", 0.002))]
    path = make("bare.fits", image_file(*planes))
    raw = read_file(path)
    assert [one.defocus for one in raw.maps] == [None, None]
    assert raw.frequency is None
    assert raw.wavelength is None
    assert raw.elevation_rad is None
    with pytest.raises(InputError, match=r"bare.fits: .* give it with --frequency or --wavelength"):
        read_observation(path)
    with pytest.raises(InputError, match=r"bare.fits: DZ: the defocus of map 1 \(A\) is not given; .*--dz"):
        read_observation(path, wavelength_m=0.003)
    found = read_observation(path, wavelength_m=0.003, defocus_m=[0.0, 0.002])
    assert found.defocus_m.tolist() == [0.0, 0.002]


def test_gaps_are_unobserved(make):
    values = beam_image()
    values[3, 4] = np.nan
    raw = read_file(make("gap.fits", one_file(values, sky_cards())))
    assert np.flatnonzero(np.isnan(raw.maps[0].power)).tolist() == [3 * SIDE + 4]


def test_a_plane_of_stokes_and_frequency(make):
    axes = {"CTYPE3": "FREQ", "CRVAL3": 2.6e11, "CRPIX3": 1.0, "CDELT3": 1e9, "CUNIT3": "Hz", "CTYPE4": "STOKES"}
    raw = read_file(make("cube.fits", one_file(beam_image()[None, None], {**sky_cards("radec"), **axes})))
    assert raw.frequency.positive() == 2.6e11
    np.testing.assert_array_equal(raw.maps[0].power, beam_image().ravel())


def rising():
    return 1.0 + np.arange(SIDE**2.0).reshape(SIDE, SIDE)


@pytest.mark.parametrize(
    ("name", "companion", "error"),
    [
        ("VARIANCE", rising() ** 2, rising()),
        ("weight_2", rising() ** -2, rising()),
        ("stddev", rising(), rising()),
        ("RMS", rising(), rising()),
        ("Nhits", rising(), rising() ** -0.5),
        ("exposure time", rising(), rising() ** -0.5),
    ],
)
def test_companions_give_errors(make, name, companion, error):
    path = make("m.fits", image_file(("SIGNAL_2", beam_image(), sky_cards()), (name, companion, {})))
    raw = read_file(path)
    assert [one.label for one in raw.maps] == ["SIGNAL_2"]
    np.testing.assert_allclose(raw.maps[0].error, error.ravel(), rtol=1e-14)
    np.testing.assert_array_equal(raw.maps[0].power, beam_image().ravel())
    assert raw.flags == ()


@pytest.mark.parametrize("name", ["WEIGHT", "HITS", "COVERAGE"])
@pytest.mark.parametrize("empty", [0.0, -1.0, np.nan])
def test_nothing_was_observed_without_weight_or_hits(make, name, empty):
    companion = np.full((SIDE, SIDE), 4.0)
    companion[2, 5] = empty
    raw = read_file(make("m.fits", image_file(("S", beam_image(), sky_cards()), (name, companion, {}))))
    assert np.flatnonzero(np.isnan(raw.maps[0].power)).tolist() == [2 * SIDE + 5]
    assert raw.maps[0].error[0] == 0.5
    assert np.isnan(raw.maps[0].error[2 * SIDE + 5])


def test_noise_stands_above_hits_which_still_tell_the_gaps(make):
    hits = np.full((SIDE, SIDE), 9, "i4")
    hits[0, 0] = 0
    planes = [("Brightness_1mm", beam_image(), sky_cards()), ("Nhits_1mm", hits, {}), ("Stddev_1mm", rising(), {})]
    raw = read_file(make("m.fits", image_file(*planes)))
    assert raw.maps[0].error[1] == 2.0
    assert np.isnan(raw.maps[0].power[0])
    assert np.isfinite(raw.maps[0].power[1:]).all()


def test_bad_quality_is_unobserved(make):
    quality = np.zeros((SIDE, SIDE), "u1")
    quality[1, 1] = 4
    raw = read_file(make("m.fits", image_file(("S", beam_image(), sky_cards()), ("QUALITY", quality, {}))))
    assert np.flatnonzero(np.isnan(raw.maps[0].power)).tolist() == [SIDE + 1]
    assert raw.maps[0].error is None


def test_companions_find_their_map_by_name_or_by_place(make):
    maps = [(f"SIGNAL_{k}", beam_image(k / 1e3), sky_cards()) for k in (1, 2)]
    noise = [(f"NOISE_{k}", np.full((SIDE, SIDE), float(k)), {}) for k in (1, 2)]
    by_name = image_file(*maps, *noise[::-1])
    by_place = image_file(
        (None, beam_image(), sky_cards()),
        ("ERR", noise[0][1], {}),
        (None, beam_image(0.001), sky_cards()),
        ("ERR", noise[1][1], {}),
    )
    for data in (by_name, by_place):
        raw = read_file(make("m.fits", data))
        assert [one.error[0] for one in raw.maps] == [1.0, 2.0]


def test_a_mask_of_unknown_sense_is_not_read_silently(make):
    mask = np.ones((SIDE, SIDE), "u1")
    raw = read_file(make("m.fits", image_file(("S", beam_image(), sky_cards()), ("MASK", mask, {}))))
    assert [(flag.code, flag.serious) for flag in raw.flags] == [("mask-not-read", True)]
    assert np.isfinite(raw.maps[0].power).all()


def test_other_images_are_named_and_left_out(make):
    planes = [
        ("SIGNAL", beam_image(), sky_cards()),
        ("sig2noise_I", beam_image(), sky_cards()),
        ("PHOTO", np.ones((4, 4)), {}),
    ]
    raw = read_file(make("m.fits", image_file(*planes)))
    assert [one.label for one in raw.maps] == ["SIGNAL"]
    assert [(flag.code, flag.serious) for flag in raw.flags] == [("extension-ignored", False)]
    assert "sig2noise_I, PHOTO" in raw.flags[0].message.replace("SIG2NOISE_I", "sig2noise_I")


def test_a_companion_without_a_map_is_flagged(make):
    planes = [("NOISE_9", rising(), {}), ("A", beam_image(), sky_cards()), ("B", beam_image(1e-3), sky_cards())]
    raw = read_file(make("m.fits", image_file(*planes)))
    assert [(flag.code, flag.serious) for flag in raw.flags] == [("extension-without-map", True)]
    assert "HDU 1 (NOISE_9)" in raw.flags[0].message


@pytest.mark.parametrize(
    ("planes", "message"),
    [
        (
            [("S", beam_image(), sky_cards()), ("VAR", np.ones((4, 5)), {})],
            r"HDU 2 \(VAR\) = 5 x 4 pixels beside 15 x 15: it differs in shape from the map S",
        ),
        (
            [("A", beam_image(), sky_cards()), ("B", beam_image(), sky_cards("radec"))],
            r"HDU 2 \(B\) = sky-radec beside sky-azel: its coordinates are of another kind than those of A",
        ),
        (
            [("A", beam_image(), sky_cards(FREQ=9e10)), ("B", beam_image(), sky_cards(FREQ=1.5e11))],
            r"FREQ = 150000000000.0: another map of the file has 90000000000.0 Hz; give the maps of one band",
        ),
        ([("NOISE", beam_image(), sky_cards())], r"EXTNAME = NOISE \(error\): no image in the file is a map of the"),
        ([("A", beam_image(), sky_cards(BUNIT="dB"))], r"BUNIT = dB: the map is in decibels"),
    ],
)
def test_what_contradicts_itself_is_refused(make, planes, message):
    with pytest.raises(InputError, match=rf"m\.fits: {message}"):
        read_file(make("m.fits", image_file(*planes)))


def test_compressed_images_are_told_apart(make):
    hdu = fits.CompImageHDU(beam_image().astype("f4"), name="A")
    hdu.header.update(sky_cards())
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(make.folder / "packed.fits")
    with pytest.raises(InputError, match=r"packed.fits: HDU 1: the image is compressed; unpack it with funpack"):
        read_file(make.folder / "packed.fits")


def test_formats_are_not_confused(make):
    assert recognise(FileContent.load(make("m.dat", trio()))).name == "FITS image"
    assert recognise(FileContent.load(make.pyoof("p.fits"))).name == "pyoof FITS"
    reader = next(reader for reader in READERS if reader.name == "FITS image")
    for path in (make.pyoof("p.fits"), make.oof("o.fits"), make.columns()):
        assert not reader.recognises(FileContent.load(path))
    aperture = sky_cards(CTYPE1="X----LIN", CTYPE2="Y----LIN")
    with pytest.raises(InputError, match="a FITS file, but of no known format"):
        read_file(make("aperture.fits", one_file(beam_image(), aperture)))


@pytest.mark.parametrize(
    ("name", "role", "stem"),
    [
        ("", "signal", ""),
        ("signal_I", "signal", "i"),
        ("weight_I", "weight", "i"),
        ("WeightMap_2", "weight", "2"),
        ("IVAR", "weight", ""),
        ("inv_var", "weight", ""),
        ("WHT", "weight", ""),
        ("coverage_bool_I", "hits", "bool i"),
        ("sig2noise_I", "other", "i"),
        ("S/N", "other", ""),
        ("Brightness_2mm", "signal", "2mm"),
        ("Stddev_2mm", "error", "2mm"),
        ("Nhits_2mm", "hits", "2mm"),
        ("m1.VARIANCE", "variance", "m1"),
        ("variable star", "signal", "variable star"),
        ("DQ", "quality", ""),
        ("MASK", "mask", ""),
        ("wavefront", "signal", "wavefront"),
    ],
)
def test_roles_by_name(name, role, stem):
    assert role_of(name) == (role, stem)


def test_errors_that_are_no_numbers_are_nan():
    error, observed = errors_of("variance", np.array([[4.0, -1.0, np.nan]]))
    np.testing.assert_array_equal(error, [[2.0, np.nan, np.nan]])
    assert observed.tolist() == [[True, True, False]]


@settings(max_examples=60, deadline=None)
@given(
    cut=st.sampled_from([0, 0, 0.02, 0.3]) | FRACTION,
    flips=st.lists(st.tuples(FRACTION, st.integers(1, 255)), max_size=4),
    deletion=st.none() | FRACTION,
)
def test_damaged_files_give_one_line_errors(scratch, damage, survives, cut, flips, deletion):
    survives(scratch("damaged-image.fits", damage(trio(), cut, flips, deletion)))


@settings(max_examples=60, deadline=None)
@given(
    key=st.sampled_from([*sky_cards(), "NAXIS1", "NAXIS2", "BITPIX", "DZ", "PC1_2", "CD1_1", "CUNIT1", "LONPOLE"]),
    value=st.none()
    | st.booleans()
    | st.integers(-9, 10**9)
    | st.floats(-1e300, 1e300)
    | st.sampled_from(["", "x", "rad"]),
)
def test_changed_cards_give_one_line_errors(scratch, survives, key, value):
    hdus = fits.open(io.BytesIO(trio()))
    header = hdus[2].header
    if key in ("NAXIS1", "NAXIS2", "BITPIX"):
        buffer = io.BytesIO()
        hdus.writeto(buffer)
        card = fits.Card(key, 7).image.encode()[:10]
        text = str(value)[:20].rjust(20).encode()
        before, found, after = buffer.getvalue().rpartition(card)
        survives(scratch("changed-image.fits", before + found + text + after[20:]))
        return
    header.remove(key, ignore_missing=True)
    if value is not None:
        header[key] = value
    buffer = io.BytesIO()
    hdus.writeto(buffer)
    survives(scratch("changed-image.fits", buffer.getvalue()))


WEIGHED = {"wavelength_m": 0.003, "orientation": SkyOrientation("telescope")}


def weighed(make, *weights, name="WEIGHT"):
    """File with a map and its companion for each of the given weights; without one for None."""
    planes = []
    for number, weight in enumerate(weights):
        planes.append((f"S_{number}", beam_image(number / 1e3), {**sky_cards(), "DZ": number / 1e3}))
        if weight is not None:
            planes.append((f"{name}_{number}", np.full((SIDE, SIDE), 1.0) * weight, {}))
    return make("w.fits", image_file(*planes))


@pytest.mark.parametrize("name", ["WEIGHT", "HITS"])
def test_negative_weights_are_counted_and_left_out(make, name):
    some = rising().copy()
    some[2, 3:6] = -4.0
    some[7, 7] = 0.0  # says in the usual way that nothing was observed
    found = read_observation(weighed(make, rising(), some, name=name), **WEIGHED)
    flag = next(flag for flag in found.flags if flag.code == "errors-not-positive")
    kind = {"WEIGHT": "weight", "HITS": "number of hits"}[name]
    assert flag.serious
    assert flag.message == (
        f"map 2 (S_1): 3 of 225 values in {name}_1 ({kind}) are negative; these samples are left out"
    )
    assert [one.masked for one in found.maps] == [0, 4]
    assert [one.code for one in found.flags].count("errors-not-positive") == 1


@pytest.mark.parametrize(("name", "kind", "value"), [("WEIGHT", "weight", -2.0), ("HITS", "number of hits", 0.0)])
def test_map_without_any_positive_weight_is_refused_by_name(make, name, kind, value):
    path = weighed(make, rising(), rising() + 1, value, name=name)
    with pytest.raises(InputError) as caught:
        read_observation(path, **WEIGHED)
    assert str(caught.value) == (
        f"{path}: map 3 (S_2): no sample is observed: no {kind} in {name}_2 is positive; correct or remove "
        f"{name}_2, or leave the map out with --maps"
    )
    assert len(read_observation(path, maps=[1, 2], **WEIGHED).maps) == 2


def test_weights_all_zero_mean_none_were_given(make):
    zero = np.zeros((SIDE, SIDE))
    zero[0, 0] = np.nan
    found = read_observation(weighed(make, zero, rising()), **WEIGHED)
    assert [one.masked for one in found.maps] == [1, 0]
    assert found.maps[0].relative_error is None
    flags = {flag.code: flag for flag in found.flags}
    assert set(flags) == {"weights-void", "samples-unobserved"}
    assert not flags["weights-void"].serious
    assert flags["weights-void"].message == "w.fits: WEIGHT_0 is zero everywhere, so no weights are taken as given"


def test_the_image_of_wrong_errors_is_named(make):
    noise = rising().copy()
    noise[0, :2] = -1.0
    found = read_observation(weighed(make, rising(), noise, name="NOISE"), **WEIGHED)
    (flag,) = found.flags
    assert flag.message.startswith("map 2 (S_1): 2 of 225 errors from NOISE_1 are zero, negative or NaN")
    with pytest.raises(InputError, match=r"map 2 \(S_1\): no error is a positive number; correct or remove NOISE_1"):
        read_observation(weighed(make, rising(), -rising(), name="NOISE"), **WEIGHED)


def test_a_map_without_weights_among_others_is_noted(make):
    found = read_observation(weighed(make, rising(), None, rising()), **WEIGHED)
    assert [(flag.code, flag.serious) for flag in found.flags] == [("weights-missing", False)]
    assert "there are no errors of map 2 (S_1), though of others" in found.flags[0].message
    assert read_observation(weighed(make, None, None), **WEIGHED).flags == ()


def test_no_pixel_in_both_the_map_and_its_weights(make):
    half = np.where(np.arange(SIDE) < 8, 1.0, np.nan) * np.ones((SIDE, 1))
    planes = [
        ("A", beam_image() * half, {**sky_cards(), "DZ": 0.0}),
        ("WEIGHT_A", np.nan_to_num(1 - np.nan_to_num(half)), {}),
        ("B", beam_image(1e-3), {**sky_cards(), "DZ": 1e-3}),
    ]
    with pytest.raises(InputError, match="every pixel is NaN in the map or left out by WEIGHT_A; leave"):
        read_observation(make("m.fits", image_file(*planes)), **WEIGHED)


def test_a_copied_extension_is_refused(make):
    planes = [(name, beam_image(dz), {**sky_cards(), "DZ": dz}) for name, dz in (("a", 0.0), ("b", 1e-3), ("c", 1e-3))]
    with pytest.raises(InputError, match=r"map 3 \(C\): it holds the same data as map 2 \(B\); give every map once"):
        read_observation(make("m.fits", image_file(*planes)), **WEIGHED)


def test_focus_means_nothing_for_images_without_positions(make):
    path = make("bare.fits", image_file(*[(name, beam_image(dz), sky_cards()) for name, dz in (("a", 0), ("b", 2e-3))]))
    for dz, remedy in ((None, "give the defocus of every map with --dz instead"), ([0, 1e-3], "leave it out")):
        with pytest.raises(UsageError) as caught:
            read_observation(path, wavelength_m=0.003, in_focus=2, defocus_m=dz)
        assert str(caught.value) == (
            f"{path}: --in-focus = 2: these files give no positions of the subreflector, so it means nothing here; "
            f"{remedy}"
        )
