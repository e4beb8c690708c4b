import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.errors import InputError
from oofpy.io import read_observation

TOML = """\
frequency = "22.23 GHz"
[[maps]]
file = "sub/damaged.txt"
dz = "-27 mm"
[[maps]]
file = "sub/good.txt"
dz = "27mm"
"""


@pytest.fixture
def made(make):
    (make.folder / "sub").mkdir(exist_ok=True)
    make.columns("a.txt", 0)
    make.columns("sub/b.txt", 1)
    return make


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
    with pytest.raises(InputError, match=r"not FITS and of no known format; known are pyoof FITS, .*observation TOML"):
        read_observation(make("map.txt", text))


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
    survives(scratch("damaged.txt.toml", TOML))
