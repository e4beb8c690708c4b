import re

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import ConfigurationError, InputError, UsageError
from oofpy.io import read_observation
from oofpy.observation import SkyOrientation

TOML = """\
# an observation
telescope = "srt"
frequency = "22.23 GHz"
object = "W3(OH)"
date = 2019-04-26
elevation = "45 deg"

[[maps]]
file = "a.txt"
dz = "-27 mm"
label = "out"

[[maps]]
file = "sub/b.txt"
dz = "27mm"
"""


@pytest.fixture
def made(make):
    (make.folder / "sub").mkdir(exist_ok=True)
    make.columns("a.txt", 0)
    make.columns("sub/b.txt", 1)
    return make


def test_toml_names_files_and_quantities(made):
    found = read_observation(made("obs.toml", TOML))
    assert found.name == "obs"
    assert found.defocus_m.tolist() == [-0.027, 0.027]
    assert found.wavelength_m == 299792458 / 22.23e9
    assert found.telescope == "srt"
    assert found.object_name == "W3(OH)"
    assert found.date == "2019-04-26"
    assert found.elevation_rad == pytest.approx(np.pi / 4)
    assert [beam_map.label for beam_map in found.maps] == ["out", "b"]
    assert [source.path.name for source in found.sources] == ["obs.toml", "a.txt", "b.txt"]
    assert found.flags == ()


def test_real_text_files_hold_the_maps_of_the_fits_file(shared_data, tmp_path):
    folder = shared_data / "srt_2019-04-26"
    names = {-27: "*OUT1.txt", 0: "*IN.txt", 27: "*OUT2.txt"}
    tables = [f"[[maps]]\nfile = '{next(folder.glob(name)).resolve()}'\ndz = '{dz} mm'\n" for dz, name in names.items()]
    toml = tmp_path / "srt.toml"
    toml.write_text("frequency = '22.23 GHz'\n" + "".join(tables))
    text, table = read_observation(toml), read_observation(folder / "srt_2019-04-26.fits")
    assert text.defocus_m.tolist() == table.defocus_m.tolist()
    assert text.wavelength_m == pytest.approx(table.wavelength_m, rel=1e-15)

    def order(beam_map):
        # Both are grids of 1 urad accuracy, but one varies u and the other v first.
        return np.lexsort((np.round(beam_map.u_rad, 6), np.round(beam_map.v_rad, 6)))

    for one, other in zip(text.maps, table.maps, strict=True):
        mine, theirs = order(one), order(other)
        np.testing.assert_allclose(one.u_rad[mine], other.u_rad[theirs], atol=0.51e-6)
        np.testing.assert_allclose(one.v_rad[mine], other.v_rad[theirs], atol=0.51e-6)
        np.testing.assert_allclose(one.power[mine], other.power[theirs], rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "error", "problem"),
    [
        (
            '"22.23 GHz"',
            "22.23e9",
            ConfigurationError,
            'frequency = 22230000000.0: .*write e.g. "22230000000.0 Hz"',
        ),
        ('"22.23 GHz"', '"22.23"', ConfigurationError, "obs.toml: frequency = '?22.23'?: has no unit"),
        ('"22.23 GHz"', '"22 mm"', ConfigurationError, "frequency"),
        ('"22.23 GHz"', '"-22 GHz"', InputError, r"frequency = -22000000000.0: .*positive"),
        ('"-27 mm"', "-27", ConfigurationError, r"maps\[1\].dz = -27: this must be text with a unit"),
        ('"-27 mm"', '"-27 GHz"', ConfigurationError, r"maps\[1\].dz"),
        (
            "telescope",
            "telescop",
            InputError,
            "telescop: this key is unknown; did you mean 'telescope'. known keys: telescope, ",
        ),
        ("label", "lable", InputError, r"maps\[1\].lable: this key is unknown"),
        ('file = "a.txt"', "", InputError, r"maps\[1\].file: the map has no file"),
        ('file = "a.txt"', "file = 3", InputError, r"maps\[1\].file = 3: this must be text"),
        ('"a.txt"', '"no.txt"', InputError, "no.txt: there is no such file"),
        (
            '"a.txt"',
            '"obs.toml"',
            InputError,
            "obs.toml: this is an observation TOML itself, and obs.toml lists it; list the files",
        ),
        ('"a.txt"', '"."', InputError, "not a regular file"),
        ('"45 deg"', '"95 deg"', InputError, "elevation = 95 deg: .* at most 90 deg"),
        ('"srt"', "5", InputError, "telescope = 5: this must be text"),
        ('"srt"', '"srt', InputError, "not valid TOML: .*line 2"),
        ("[[maps]]", "[maps]", InputError, "not valid TOML|maps are not named"),
        ('dz = "-27 mm"', "", InputError, r"map 1 \(out\) is not given"),
        ('frequency = "22.23 GHz"', "", InputError, "neither frequency nor wavelength"),
        ('frequency = "22.23 GHz"', 'coordinate_unit = "furlong"', ConfigurationError, "coordinate_unit"),
        ('label = "out"', 'in_focus = "yes"', InputError, r"maps\[1\].in_focus = yes: this must be true or false"),
        (
            'label = "out"',
            "in_focus = true",
            InputError,
            r"maps\[1\].dz = -27 mm: this map is said to be in focus, and",
        ),
        (
            'label = "out"',
            'parallactic_angle = "3 deg"',
            InputError,
            r"maps\[1\].parallactic_angle = 3 deg: this means",
        ),
        ("date", 'offsets = "telescope"\ndate', InputError, "offsets = telescope: this means nothing for directions"),
        ("date", 'offsets = "sky"\ndate', InputError, "offsets = sky: is not known; choose telescope"),
        ("date", "observing = 3\ndate", InputError, "observing = 3: this must be a table; write"),
        ("date", "observing = {bandwidth = 3}\ndate", InputError, "observing.bandwidth = 3: this must be text with a"),
        (
            "date",
            'observing = {chop_trow = "3 deg"}\ndate',
            ConfigurationError,
            "obs.toml: observing.chop_trow: is no key of the observing; did you mean observing.chop_throw",
        ),
    ],
)
def test_wrong_toml(made, old, new, error, problem):
    assert old in TOML
    path = made("obs.toml", TOML.replace(old, new, 1))
    with pytest.raises(error, match=problem) as caught:
        read_observation(path)
    assert re.search(r"\.(toml|txt)|folder|" + path.parent.name, str(caught.value))


def test_control_characters_do_not_reach_the_terminal(made):
    found = read_observation(made("obs.toml", TOML.replace("W3(OH)", "W3\\u001b[3m\\n(OH)")))
    assert found.object_name == "W3?[3m (OH)"


def test_toml_without_maps(made):
    with pytest.raises(InputError, match=r"maps: the maps are not named; write a table \[\[maps\]\]"):
        read_observation(made("obs.toml", 'telescope = "srt"\n'))


def test_coordinate_unit(made):
    plain = read_observation(made("obs.toml", TOML))
    small = read_observation(made("obs2.toml", 'coordinate_unit = "mrad"\n' + TOML))
    np.testing.assert_allclose(small.maps[0].u_rad, plain.maps[0].u_rad * 1e-3, rtol=1e-15)


def test_wavelength_and_frequency_must_agree(made):
    with pytest.raises(InputError, match=r"wavelength = 0.013: with frequency = 22230000000.0, .* 0.964 c"):
        read_observation(made("obs.toml", 'wavelength = "13 mm"\n' + TOML))


def test_the_same_file_for_two_maps(made):
    with pytest.raises(InputError, match=r"map 2 \(a\): it holds the same data as map 1 \(out\)"):
        read_observation(made("obs.toml", TOML.replace("sub/b.txt", "a.txt")))


def test_toml_with_one_map_is_a_file_of_one_map(made):
    one = made("one.toml", 'frequency = "22 GHz"\n[[maps]]\nfile = "a.txt"\ndz = "1 mm"\n')
    two = made("two.toml", 'frequency = "22 GHz"\n[[maps]]\nfile = "sub/b.txt"\ndz = "-1 mm"\n')
    assert read_observation(one, two).defocus_m.tolist() == [1e-3, -1e-3]
    with pytest.raises(UsageError, match=r"it holds one map and .*obs.toml holds 2"):
        read_observation(one, made("obs.toml", TOML))


@settings(max_examples=60, deadline=None)
@given(
    cut=st.sampled_from([0, 0, 0.1]) | st.floats(0, 1, exclude_max=True),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=3),
    line=st.none() | st.integers(0, 14),
)
def test_damaged_toml_gives_one_line_errors(scratch, damage, survives, cut, flips, line):
    (scratch.folder / "sub").mkdir(exist_ok=True)
    scratch.columns("a.txt", 0)
    scratch.columns("sub/b.txt", 1)
    lines = [text for number, text in enumerate(TOML.splitlines(keepends=True)) if number != line]
    survives(scratch("damaged.toml", damage("".join(lines).encode(), cut, flips, None)))


SINGLE = """\
frequency = "90 GHz"
[[maps]]
file = "one.fits"
[[maps]]
file = "two.fits"
"""


def single_fits(make, name, power, primary, **header):
    u = np.linspace(-1e-3, 1e-3, 6)
    return make.oof(name, tables=[({"DX": u, "DY": u**2, "FNU": (u * 1e3 + 2) ** power}, header)], primary=primary)


@pytest.fixture
def listed(make):
    """Two OOF tables of one map each."""
    single_fits(make, "one.fits", 1, {"FREQ": 85e9, "TELESC": "JCMT", "OBJECT": "Mars", "MEANEL": 40.0}, DZ=0.0)
    single_fits(make, "two.fits", 2, {"FREQ": 85e9, "TELESC": "JCMT", "OBJECT": "Mars", "MEANEL": 50.0}, DZ=1e-3)
    return make


def test_files_of_another_format_keep_what_the_toml_does_not_say(listed):
    found = read_observation(listed("obs.toml", SINGLE))
    assert found.wavelength_m == 299792458 / 90e9
    assert found.defocus_m.tolist() == [0.0, 1e-3]
    assert (found.telescope, found.object_name) == ("JCMT", "Mars")
    assert found.elevation_rad == pytest.approx(np.radians(45))
    assert [source.path.name for source in found.sources] == ["obs.toml", "one.fits", "two.fits"]
    assert all(len(source.sha256) == 64 for source in found.sources)
    bare = read_observation(listed("bare.toml", SINGLE.replace('frequency = "90 GHz"', "")))
    assert bare.wavelength_m == 299792458 / 85e9


def test_the_toml_stands_above_the_files(listed):
    text = 'telescope = "gbt"\nobject = "Uranus"\nelevation = "30 deg"\n' + SINGLE + 'dz = "-2 mm"\nlabel = "far"\n'
    found = read_observation(listed("obs.toml", text))
    assert (found.telescope, found.object_name) == ("gbt", "Uranus")
    assert found.elevation_rad == pytest.approx(np.pi / 6)
    assert found.defocus_m.tolist() == [0.0, -2e-3]
    assert [beam_map.label for beam_map in found.maps] == ["HDU 1", "far"]


def test_files_that_contradict_each_other_about_the_frequency(listed):
    single_fits(listed, "two.fits", 2, {"FREQ": 95e9}, DZ=1e-3)
    with pytest.raises(InputError, match=r"two.fits: its wavelength of .* differs from .*one.fits"):
        read_observation(listed("obs.toml", SINGLE.replace('frequency = "90 GHz"', "")))
    assert read_observation(listed("obs.toml", SINGLE)).wavelength_m == 299792458 / 90e9


def test_listed_files_hold_one_map_each(listed):
    listed.oof("one.fits")
    with pytest.raises(InputError, match=r"one.fits: it holds 3 maps, and obs.toml names it for one; give this file"):
        read_observation(listed("obs.toml", SINGLE))


def test_a_toml_lists_no_toml(listed):
    listed("inner.toml", SINGLE)
    with pytest.raises(InputError, match=r"inner.toml: this is an observation TOML itself, and obs.toml lists it"):
        read_observation(listed("obs.toml", SINGLE.replace("one.fits", "inner.toml")))


def test_coordinate_unit_is_for_text_columns_only(listed):
    with pytest.raises(InputError) as caught:
        read_observation(listed("obs.toml", 'coordinate_unit = "mrad"\n' + SINGLE))
    assert str(caught.value).endswith(
        "obs.toml: coordinate_unit = mrad: this is for text columns only, and one.fits is of the format OOF FITS; "
        "leave it out: the file has its own units"
    )


def test_observing_of_the_toml_stands_above_the_files_and_below_the_user(listed):
    for number, name in enumerate(("one.fits", "two.fits"), start=1):
        primary = {"FREQ": 90e9, "CHOPTHR": 60.0, "OBJRADS": 1e-5}
        single_fits(listed, name, number, primary, DZ=number * 1e-3)
    plain = listed("plain.toml", SINGLE)
    with pytest.raises(ConfigurationError, match=r"plain.toml: observing.chop_angle: this is missing: the chop has a"):
        read_observation(plain)
    path = listed("obs.toml", SINGLE + '[observing]\nchop_angle = "90 deg"\nsource_diameter = "none"\n')
    found = read_observation(path)
    assert found.observing.chop.throw_rad == pytest.approx(np.radians(1 / 60))
    assert found.observing.chop.angle_rad == pytest.approx(np.pi / 2)
    assert found.observing.source is None
    assert found.flags == ()
    over = read_observation(path, observing={"chop_angle": "none", "chop_throw": "none", "source_diameter": "3arcsec"})
    assert over.observing.chop is None
    assert over.observing.source.diameter_rad == pytest.approx(np.radians(3 / 3600))


def test_none_in_the_toml_takes_away_what_a_file_says_in_full(listed, observation):
    from oofpy.io import apply_observing, write_oof_fits

    chopped = apply_observing(observation.observing, {"chop_throw": "60 arcsec", "chop_angle": "10 deg"}, 1e-3)
    for name, first in zip(("one", "two"), observation.maps, strict=False):
        pair = type(observation)(name, (first, observation.maps[2]), 1e-3, observing=chopped)
        write_oof_fits(pair, listed.folder / f"{name}.fits", overwrite=True)
        with fits.open(listed.folder / f"{name}.fits") as hdus:
            hdus[:2].writeto(listed.folder / f"{name}.fits", overwrite=True)  # one map a file
    assert read_observation(listed("obs.toml", SINGLE)).observing.chop.angle_rad == pytest.approx(np.radians(10))
    none = listed("none.toml", SINGLE + '[observing]\nchop_throw = "none"\n')
    assert read_observation(none).observing.is_plain


def test_correction_is_named_relative_to_the_toml(listed):
    (listed.folder / "sub").mkdir()
    listed("sub/offset.ecsv", ECSV)
    found = read_observation(listed("obs.toml", SINGLE + '[observing]\napplied = "sub/offset.ecsv"\n'))
    assert found.observing.applied.coefficients == ((2, 0, 0.25), (3, -1, -0.5))
    assert found.sources[-1].path == listed.folder / "sub/offset.ecsv"
    text = SINGLE + '[observing]\napplied = "Z(2,0)=0.3rad"\nlimb_darkening = 0.5\n'
    text += 'source_diameter = "4 arcsec"\nsource_shape = "limb-darkened"\n'
    found = read_observation(listed("obs.toml", text))
    assert found.observing.applied.coefficients == ((2, 0, 0.3),)
    assert found.observing.source.limb_darkening == 0.5


ECSV = """\
# %ECSV 1.0
# ---
# datatype:
# - {name: n, datatype: int64}
# - {name: l, datatype: int64}
# - {name: phase_rad, unit: rad, datatype: float64}
# schema: astropy-2.0
n l phase_rad
2 0 0.25
3 -1 -0.5
"""


def image(make, name, ctypes, seed):
    rng = np.random.default_rng(seed)
    hdu = fits.PrimaryHDU(rng.normal(1, 0.1, (5, 5)))
    for number, (ctype, step) in enumerate(zip(ctypes, (-1e-3, 1e-3), strict=True), start=1):
        hdu.header[f"CTYPE{number}"] = ctype
        hdu.header[f"CUNIT{number}"] = "deg"
        hdu.header[f"CRVAL{number}"] = 30.0
        hdu.header[f"CRPIX{number}"] = 3.0
        hdu.header[f"CDELT{number}"] = step
    hdu.header["BUNIT"] = "Jy/beam"
    hdu.writeto(make.folder / name, overwrite=True)


IMAGES = """\
frequency = "90 GHz"
offsets = "telescope"
[[maps]]
file = "one.fits"
dz = "0"
[[maps]]
file = "two.fits"
dz = "3 mm"
"""


def test_images_of_the_sky_with_their_orientation(make):
    for seed, name in enumerate(("one.fits", "two.fits")):
        image(make, name, ("RA---TAN", "DEC--TAN"), seed)
    found = read_observation(make("obs.toml", IMAGES))
    assert found.frame == "sky-radec"
    assert (found.orientation.offsets, found.orientation.parallactic_angle_rad) == ("telescope", None)
    assert found.defocus_m.tolist() == [0.0, 3e-3]
    text = 'parallactic_angle = "30 deg"\n' + IMAGES + 'parallactic_angle = "-40 deg"\n'
    found = read_observation(make("obs.toml", text))
    assert found.orientation.parallactic_angle_rad == pytest.approx(np.radians([30, -40]))
    again = read_observation(make.folder / "obs.toml", maps=[2, 1], orientation=SkyOrientation("source", (0.5,)))
    assert again.orientation == SkyOrientation("source", (0.5,))


def test_images_in_azimuth_and_elevation_need_no_angle(make):
    for seed, name in enumerate(("one.fits", "two.fits")):
        image(make, name, ("AZ---TAN", "EL---TAN"), seed)
    assert read_observation(make("obs.toml", IMAGES)).frame == "sky-azel"
    with pytest.raises(InputError, match=r"angle.toml: parallactic_angle = 3 deg: this means nothing for a map in az"):
        read_observation(make("angle.toml", 'parallactic_angle = "3 deg"\n' + IMAGES))


def test_two_maps_in_focus(made):
    text = TOML.replace('"-27 mm"', '"0"\nin_focus = true').replace('"27mm"', '"0"\nin_focus = true')
    with pytest.raises(InputError, match=r"maps\[2\].in_focus = True: map 1 is said to be in focus as well"):
        read_observation(made("obs.toml", text))
