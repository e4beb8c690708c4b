import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import j1

from oofpy.conventions import in_model_convention
from oofpy.errors import InputError, UsageError
from oofpy.io import read_file, read_observation
from oofpy.io.formats import grasp
from oofpy.io.reader import FileContent
from oofpy.observation import SkyOrientation
from oofpy.telescope import Conventions, load_telescope

K_26GHZ = 2 * np.pi * 26e9 / 299792458
HEADER = "VERSION: TICRA-EM-FIELD-V0.1\nHEADER: Field data in grid\nFREQUENCY_NAME: Freq\nFREQUENCY:  26.0000 GHz,\n"


def field(shape=(4, 5), components=2, seed=0):
    """Complex field in the order of a file, y by y and x fastest: (y, x, component)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(*shape, components)) + 1j * rng.normal(size=(*shape, components))


def set_text(values, limits=(-1e-3, -2e-3, 3e-3, 1e-3), rows=None):
    """One set; rows gives (first column, values) of each row, which KLIMIT = 1 writes."""
    ny, nx, _ = values.shape
    lines = [" ".join(f"{limit:.10E}" for limit in limits), f" {nx} {ny} {int(rows is not None)}"]
    for j, row in enumerate(values):
        first, count = (1, nx) if rows is None else rows[j]
        lines += [] if rows is None else [f" {first} {count}"]
        for point in row[first - 1 : first - 1 + count]:
            parts = [part for component in point for part in (component.real, component.imag)]
            lines.append(" ".join(f"{part:17.10E}" for part in parts))
    return "\n".join(lines) + "\n"


def grid_text(*sets, icomp=3, ncomp=2, igrid=1, centres=((0, 0),), header=HEADER, ktype=1):
    centre_lines = "".join(f" {ix} {iy}\n" for ix, iy in centres)
    return f"{header}++++\n {ktype}\n {len(sets)} {icomp} {ncomp} {igrid}\n{centre_lines}" + "".join(sets)


def as_written(values):
    """The values after their round trip through ten decimals."""
    return np.vectorize(lambda x: float(f"{x:.10E}"))(values)


def test_power_is_the_sum_of_both_components_to_the_last_digit(make):
    values = field()
    raw = read_file(make("a.grd", grid_text(set_text(values))))
    wanted = as_written(values.real) ** 2 + as_written(values.imag) ** 2
    np.testing.assert_allclose(raw.maps[0].power, wanted.sum(axis=-1).ravel(), rtol=1e-14)
    assert raw.frame == "sky-azel"
    assert raw.orientation == SkyOrientation("source")
    assert raw.frequency.finite() == 26e9
    assert raw.maps[0].label == "a"
    assert raw.maps[0].defocus is None
    assert [(flag.code, flag.serious) for flag in raw.flags] == [("grid-turned", False)]
    assert raw.flags[0].message == (
        "a.grd: u of the grid is turned, since its system is right-handed with z towards the sky and y is taken as up; "
        "where y is down, --offsets telescope gives the map half a turn"
    )


@pytest.mark.parametrize("component", [1, 2])
def test_one_component_may_be_chosen(make, component):
    values = field(components=3)
    file = make("a.grd", grid_text(set_text(values), ncomp=3))
    content = FileContent.load(file)
    both = np.abs(values[..., :2]) ** 2
    chosen = read_file(file, str(component)).maps[0].power
    np.testing.assert_allclose(chosen, both[..., component - 1].ravel(), rtol=1e-8)
    np.testing.assert_allclose(grasp.read(content).maps[0].power, both.sum(axis=-1).ravel(), rtol=1e-8)
    with pytest.raises(UsageError, match=r"a.grd: part = 3: a grid has the components 1 and 2"):
        read_file(file, "3")


def test_x_runs_fastest_and_the_centre_shifts_the_grid(make):
    values = np.zeros((4, 5, 2), complex)
    values[3, 1, 0] = 2j  # fourth row (y), second column (x)
    found = read_file(make("a.grd", grid_text(set_text(values), centres=((2, -1),)))).maps[0]
    brightest = int(np.argmax(found.power))
    assert found.power[brightest] == 4
    # Steps of 1 mrad along x and y; the centre is 2 steps along x, which is to the left, and 1 down.
    assert found.u_rad[brightest] == pytest.approx(-(-1e-3 + 1e-3 + 2e-3), abs=1e-15)
    assert found.v_rad[brightest] == pytest.approx(-2e-3 + 3e-3 - 1e-3, abs=1e-15)
    np.testing.assert_allclose(found.u_rad[:5], [-1e-3, -2e-3, -3e-3, -4e-3, -5e-3], atol=1e-15)
    np.testing.assert_allclose(found.v_rad[::5], [-3e-3, -2e-3, -1e-3, 0], atol=1e-15)


def test_airy_pattern_of_a_uniform_disc(shared_data):
    path = shared_data / "grasp_example" / "airy_26GHz.grd"
    raw = read_file(path)
    assert raw.frequency.finite() == 26e9
    u, v = raw.maps[0].u_rad, raw.maps[0].v_rad
    q = np.maximum(K_26GHZ * 32.004 * np.hypot(u, v), 1e-9)
    co = grasp.read_component(FileContent.load(path), 1).maps[0].power
    np.testing.assert_allclose(co, (1000 * 2 * j1(q) / q) ** 2, rtol=2e-9, atol=1e-12)
    cross = raw.maps[0].power - co
    assert 1e-4 < cross.max() / co.max() < 1e-3


def test_files_of_an_observation_need_dz_alone(make):
    files = [make(f"{name}.grd", grid_text(set_text(field(seed=seed)))) for seed, name in enumerate("abc")]
    found = read_observation(*files, defocus_m=[-0.011, 0, 0.011])
    assert found.wavelength_m == 299792458 / 26e9
    assert [one.label for one in found.maps] == ["a", "b", "c"]
    assert found.maps[0].samples == 20
    with pytest.raises(InputError, match=r"a.grd: DZ: the defocus of map 1 \(a\) is not given; .*--dz"):
        read_observation(*files)


def test_signs_of_tables_do_not_apply_and_offsets_of_the_telescope_are_half_a_turn(make):
    files = [make(f"{name}.grd", grid_text(set_text(field(seed=seed)))) for seed, name in enumerate("ab")]
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(-1e-3, 3e-3, 5), np.linspace(-2e-3, 1e-3, 4)))
    telescope = replace(load_telescope("srt"), conventions=Conventions(defocus_sign=-1, u_sign=-1, v_sign=-1))
    for offsets, turn in ((None, 1), ("source", 1), ("telescope", -1)):
        found = read_observation(*files, defocus_m=[0, 1e-3], orientation=SkyOrientation(offsets))
        turned = in_model_convention(found, telescope)
        np.testing.assert_allclose(turned.maps[0].u_rad, -x * turn, atol=1e-15)
        np.testing.assert_allclose(turned.maps[0].v_rad, y * turn, atol=1e-15)
        assert turned.defocus_m.tolist() == [0, -1e-3]


@pytest.mark.parametrize(
    ("igrid", "direction"),
    [
        (1, lambda x, y: (np.radians(x), np.radians(y))),
        (4, lambda x, y: rotated(-np.radians(x), np.radians(y), elevation_first=True)),
        (6, lambda x, y: rotated(-np.radians(x), np.radians(y), elevation_first=False)),
        (5, lambda x, y: on_sphere(np.hypot(x, y), np.degrees(np.arctan2(y, -x)))),
        (7, lambda x, y: on_sphere(y, x)),
    ],
)
def test_kinds_of_grids(make, igrid, direction):
    limits = np.array([2.0, -3.0, 11.0, 7.0])
    text = set_text(field(), limits=np.radians(limits) if igrid == 1 else limits)
    found = read_file(make("a.grd", grid_text(text, igrid=igrid))).maps[0]
    x, y = np.meshgrid(np.linspace(2, 11, 5), np.linspace(-3, 7, 4))
    u, v = direction(x.ravel(), y.ravel())
    # x of a right-handed system with y up and z towards the sky points to the left.
    np.testing.assert_allclose(found.u_rad, -u, atol=1e-10)
    np.testing.assert_allclose(found.v_rad, v, atol=1e-10)


def on_sphere(theta_deg, phi_deg):
    """Turn the boresight by theta about the axis that stands at right angles to phi."""
    theta, phi = np.radians(theta_deg), np.radians(phi_deg)
    return np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi)


def rotated(about_vertical, about_horizontal, elevation_first):
    """Turn the boresight (0, 0, 1) by two rotations, written as matrices."""
    found = []
    for a, e in zip(about_vertical, about_horizontal, strict=True):
        turn_u = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
        turn_v = np.array([[1, 0, 0], [0, np.cos(e), np.sin(e)], [0, -np.sin(e), np.cos(e)]])
        turn = turn_u @ turn_v if elevation_first else turn_v @ turn_u
        found.append((turn @ [0, 0, 1])[:2])
    return np.array(found).T


def test_points_left_out_are_unobserved(make):
    values = field((3, 4))
    rows = [(2, 2), (1, 0), (1, 4)]
    found = read_file(make("a.grd", grid_text(set_text(values, rows=rows)))).maps[0]
    there = np.array([[0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
    np.testing.assert_array_equal(np.isfinite(found.power).reshape(3, 4), there)
    wanted = (np.abs(values) ** 2).sum(axis=-1)
    np.testing.assert_allclose(found.power.reshape(3, 4)[there], wanted[there], rtol=1e-8)


def test_sets_at_one_frequency_are_maps(make):
    one, other = field((2, 2)), field((3, 2), seed=1)
    path = make("a.grd", grid_text(set_text(one), set_text(other), centres=((0, 0), (1, 0))))
    raw = read_file(path)
    assert [beam_map.label for beam_map in raw.maps] == ["a set 1", "a set 2"]
    np.testing.assert_allclose(raw.maps[1].power, (np.abs(other) ** 2).sum(axis=-1).ravel(), rtol=1e-8)
    for header in (HEADER.replace("26.0000 GHz,", "26.0 GHz, 27.0 GHz"), "HEADER: none\n"):
        text = grid_text(set_text(one), set_text(other), centres=((0, 0), (0, 0)), header=header)
        with pytest.raises(InputError, match=r"b.grd: NSET = 2: .*at one frequency; export each frequency as a file"):
            read_file(make("b.grd", text))


@pytest.mark.parametrize(
    ("line", "hertz"),
    [
        ("FREQUENCY:  26.0000000000000 GHz,", 26e9),
        ("FREQUENCY: 0.26D+02 GHz", 26e9),
        ("Frequency : 350 MHz", 350e6),
        ("FREQUENCIES [GHz]:\n    0.1190000000E+03", 119e9),
    ],
)
def test_frequency_with_its_unit(make, line, hertz):
    raw = read_file(make("a.grd", grid_text(set_text(field()), header=f"FREQUENCY_NAME: f\n{line}\n")))
    assert raw.frequency.finite() == hertz


@pytest.mark.parametrize("line", ["FREQUENCY: 26", "FREQUENCY: 1 GHz, 2 GHz", "FREQUENCY: x", "FREQUENCY: 3 mm"])
def test_unusable_frequency_matters_only_where_none_is_given(make, line):
    files = [
        make(f"{seed}.grd", grid_text(set_text(field(seed=seed)), header=f"HEADER: x\n{line}\n")) for seed in (0, 1)
    ]
    assert read_observation(*files, defocus_m=[0, 1e-3], wavelength_m=1e-2).wavelength_m == 1e-2
    with pytest.raises(InputError, match=r"0.grd: FREQUENCY = .*this must be a number in Hz"):
        read_observation(*files, defocus_m=[0, 1e-3])


@pytest.mark.parametrize(
    ("written", "value"),
    [("1.5D+01-2.5d-01", (15, -0.25)), ("0.15+102-.25E-01", (0.15e102, -0.025)), ("1.5-101 2.5E-101", (1.5e-101, 0))],
)
def test_numbers_as_fortran_writes_them(make, written, value):
    text = grid_text(set_text(np.zeros((2, 2, 2), complex)))
    blank = " ".join([f"{0:17.10E}"] * 2)
    assert text.count(blank) == 8
    found = read_file(make("a.grd", text.replace(blank, written, 1))).maps[0].power
    assert found[0] == pytest.approx(value[0] ** 2 + value[1] ** 2, rel=1e-14)


def test_other_line_ends_and_encodings(make):
    text = grid_text(set_text(field()), header="HEADER: Sendeleistung Übersicht\n" + HEADER)
    wanted = read_file(make("a.grd", text)).maps[0]
    for data in (text.replace("\n", "\r\n").encode(), text.replace("\n", "\r").encode(), text.encode("latin-1")):
        np.testing.assert_array_equal(read_file(make("b.grd", data)).maps[0].power, wanted.power)


GOOD = grid_text(set_text(field()))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("++++\n", "", r"a.grd: \+\+\+\+: no line \+\+\+\+ ends the header; export the grid again"),
        ("++++\n 1\n", "++++\n 2\n", r"KTYPE = 2: this is no two-dimensional grid; export .*KTYPE = 1"),
        ("\n 1 3 2 1\n", "\n 0 3 2 1\n", r"NSET = 0: there must be 1 to 64 sets"),
        ("\n 1 3 2 1\n", "\n 999999999 3 2 1\n", r"NSET = 999999999: there must be"),
        ("\n 1 3 2 1\n", "\n 1 7 2 1\n", r"ICOMP = 7: these are not two components of a field; export one of: 1 \(E_"),
        ("\n 1 3 2 1\n", "\n 1 3 1 1\n", r"NCOMP = 1: a field has two components"),
        ("\n 1 3 2 1\n", "\n 1 3 2 9\n", r"IGRID = 9: .*no grid of directions .*; export one of: 1 \(u and v\), 4"),
        ("\n 1 3 2 1\n", "\n 1.5 3 2 1\n", r"NSET = 1.5: this must be a whole number"),
        ("\n 1 3 2 1\n", "\n 1 3 3 1\n", r"F1 F2: the file ends before the 120 numbers of F1 F2"),
        ("\n 5 4 0\n", "\n 4 4 0\n", r"NX NY: more numbers follow than NSET, NX, NY and NCOMP say"),
        ("\n 5 4 0\n", "\n 5 5 0\n", r"F1 F2: the file ends before the 100 numbers of F1 F2"),
        ("\n 5 4 0\n", "\n 1 20 0\n", r"NX NY = 1 20: a map needs two or more columns and rows, and at most 4000000"),
        ("\n 5 4 0\n", "\n 1000000000 1000000000 0\n", r"NX NY = 1000000000 1000000000: a map needs"),
        ("\n 5 4 0\n", "\n -5 -4 0\n", r"NX NY = -5 -4: a map needs"),
        ("\n 5 4 0\n", "\n 2000 2000 0\n", r"F1 F2: the file ends before the 16000000 numbers"),
        ("\n 5 4 0\n", "\n 5 4 2\n", r"KLIMIT = 2: this must be 0 or 1"),
        ("\n 5 4 0\n", "\n 5 4 1\n", r"IS = .*: this must be a whole number"),
        ("\n 5 4 0\n", "\n 5 4 1\n 4 3\n", r"IS IN = 4 3: row 1 does not fit 5 columns"),
        ("-1.0000000000E-03", "3.0000000000E-03", r"XS YS XE YE = .*: the grid has no extent"),
        (
            "-1.0000000000E-03",
            "-1.0000000000E+00",
            r"XS YS XE YE = .*: the grid reaches beyond the directions in front",
        ),
        ("-1.0000000000E-03", "-1.0000000000E+308", r"XS YS XE YE = .*: the grid reaches beyond"),
        ("-1.0000000000E-03", "-1.0000000000E+999", r"a number is beyond all bounds"),
        ("-1.0000000000E-03", "1.2.3", r"= '?1.2.3'?: this is not a number"),
        ("-1.0000000000E-03", "NaN", r"line 9 = NaN: only finite numbers may follow the line \+\+\+\+"),
        ("-1.0000000000E-03", "**********", r"line 9 = \*+: only finite numbers"),
        ("\n 0 0\n", "\n 0 2147483647\n", r"the grid reaches beyond the directions in front"),
        ("1.2573022109E-01", "1.2573022109E+190", r"a.grd: a: the field is too large to square"),
    ],
)
def test_errors_name_the_item_its_value_and_a_remedy(make, old, new, problem):
    assert GOOD.count(old) == 1
    path = make("a.grd", GOOD.replace(old, new))
    with pytest.raises(InputError, match=problem) as caught:
        read_file(path)
    assert str(caught.value).startswith(str(path))
    assert re.search(r"; (export|copy)", str(caught.value))


def test_every_cut_is_noticed(make):
    last = GOOD.rindex(" ")
    for length in range(len(HEADER), last, 7):
        with pytest.raises(InputError, match=r"a.grd: .*(ends before|not a number|\+\+\+\+|known format)"):
            read_file(make("a.grd", GOOD[:length]))


@pytest.mark.parametrize("text", ["a\n++++\nb\n", "x\n" * 300 + GOOD, "# u v power\n1 2 3\n", "title = '++++'\n"])
def test_other_text_is_not_taken(make, text):
    assert not grasp.recognises(FileContent.load(make("a.grd", text)))
