import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import ConfigurationError, InputError, UsageError
from oofpy.io import read_observation

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


def test_text_files_directly(made):
    found = read_observation(
        made.folder / "a.txt", made.folder / "sub/b.txt", defocus_m=[-0.027, 0.027], wavelength_m=0.0135
    )
    assert found.name == "a"
    assert found.defocus_m.tolist() == [-0.027, 0.027]
    assert [beam_map.label for beam_map in found.maps] == ["a", "b"]
    assert found.flags == ()


def test_text_files_alone_lack_frequency_and_defocus(made):
    files = made.folder / "a.txt", made.folder / "sub/b.txt"
    with pytest.raises(InputError, match=r"neither frequency nor wavelength is given; .*--frequency"):
        read_observation(*files, defocus_m=[-0.027, 0.027])
    with pytest.raises(InputError, match=r"a.txt: DZ: the defocus of map 1 \(a\) is not given; .*--dz"):
        read_observation(*files, wavelength_m=0.0135)


@pytest.mark.parametrize(
    "text",
    [
        "# u v power\n1e-4 2e-4 5\n-1e-4\t0 7 # peak\n\n",
        "u,v,power\n1e-4,2e-4,5\n-1e-4,0,7\n",
        "! comment\nU V POWER\r\n1e-4 2e-4 5\r\n-1e-4 0 7\r\n",
        "1e-4; 2e-4; 5\n-1e-4; 0; 7",
        "\ufeff1e-4, 2e-4, 5\n-1e-4, 0, 7",
    ],
)
def test_layouts_of_columns(make, text):
    other = make.columns("other.txt")
    found = read_observation(make("map.txt", text), other, defocus_m=[0, 1e-3], wavelength_m=1e-3)
    assert found.maps[0].u_rad.tolist() == [1e-4, -1e-4]
    assert found.maps[0].v_rad.tolist() == [2e-4, 0]
    assert found.maps[0].power.tolist() == [5, 7]


def test_fourth_column_is_the_error_and_nan_is_masked(make):
    text = "u v power error\n1e-4 0 5 1\n0 0 nan 2\n-1e-4 0 7 3\n"
    found = read_observation(make("map.txt", text), make.columns("b.txt"), defocus_m=[0, 1e-3], wavelength_m=1e-3)
    assert found.maps[0].relative_error.tolist() == [1, 2, 3]
    assert found.maps[0].used.tolist() == [True, False, True]
    assert found.maps[1].relative_error is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1e-4 0 5\n0 0\n", "number of columns changed from 3 to 2"),
        ("1e-4 0 5\n0 0 x\n", "could not convert string 'x'"),
        ("1 2\n3 4\n", "columns = 2: three or four columns"),
        ("1 2 3 4 5\n", "columns = 5"),
        ("u v power\n", "no samples"),
        ("1e-4,0,5\n0,0\n", "columns changed"),
    ],
)
def test_wrong_columns(make, text, problem):
    with pytest.raises(InputError, match=rf"map\.txt: .*{problem}"):
        read_observation(make("map.txt", text), make.columns("b.txt"), defocus_m=[0, 1], wavelength_m=1)


@pytest.mark.parametrize("text", ["hello\n", "# only a comment\n", "\n\n", "a b c d\n", "\x00\x01\x02", "{}"])
def test_text_that_is_neither_is_of_no_known_format(make, text):
    with pytest.raises(InputError, match=r"not FITS and of no known format; known are: pyoof FITS .*observation TOML"):
        read_observation(make("map.txt", text))


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
        ("telescope", "telescop", InputError, "telescop: this key is unknown; known keys: telescope, "),
        ("label", "lable", InputError, r"maps\[1\].lable: this key is unknown"),
        ('file = "a.txt"', "", InputError, r"maps\[1\].file: the map has no file"),
        ('file = "a.txt"', "file = 3", InputError, r"maps\[1\].file = 3: this must be text"),
        ('"a.txt"', '"no.txt"', InputError, "no.txt: there is no such file"),
        ('"a.txt"', '"obs.toml"', InputError, "obs.toml: this is not text columns"),
        ('"a.txt"', '"."', InputError, "not a regular file"),
        ('"45 deg"', '"95 deg"', InputError, "elevation = 95 deg: .* at most 90 deg"),
        ('"srt"', "5", InputError, "telescope = 5: this must be text"),
        ('"srt"', '"srt', InputError, "not valid TOML: .*line 2"),
        ("[[maps]]", "[maps]", InputError, "not valid TOML|maps are not named"),
        ('dz = "-27 mm"', "", InputError, r"map 1 \(out\) is not given"),
        ('frequency = "22.23 GHz"', "", InputError, "neither frequency nor wavelength"),
        ('frequency = "22.23 GHz"', 'coordinate_unit = "furlong"', ConfigurationError, "coordinate_unit"),
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


@settings(max_examples=60, deadline=None)
@given(
    cut=st.sampled_from([0, 0, 0.1]) | st.floats(0, 1, exclude_max=True),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=3),
)
def test_damaged_columns_give_one_line_errors(scratch, damage, survives, cut, flips):
    (scratch.folder / "sub").mkdir(exist_ok=True)
    data = scratch.columns("sub/whole.txt", 0).read_bytes()
    scratch.columns("sub/good.txt", 1)
    scratch("sub/damaged.txt", damage(data, cut, flips, None))
    toml = TOML.replace("a.txt", "sub/damaged.txt").replace("b.txt", "good.txt")
    survives(scratch("damaged.txt.toml", toml))
