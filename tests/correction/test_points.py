import math

import numpy as np
import pytest

from oofpy.correction.layouts import LAYOUTS
from oofpy.correction.points import read_applied_moves, read_points
from oofpy.errors import InputError, UsageError
from tests.correction.made_surfaces import points_at


@pytest.fixture
def table(tmp_path):
    def write(text, name="points.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


ECSV = """# %ECSV 1.0
# ---
# datatype:
# - {name: name, datatype: string}
# - {name: x, unit: cm, datatype: float64}
# - {name: y, unit: mm, datatype: float64}
# schema: astropy-2.0
name x y
a 100.0 2000.0
b -50.0 0.0
"""


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("name,x,y\na,1.0,2.0\nb,-0.5,0\n", "m"),
        ("Name,X [mm],Y [mm]\na,1000,2000\nb,-500,0\n", None),
        ("name;x_cm;y (m)\na;100;2\nb;-50;0\n", None),
        ("y x name\n2000.0 1000.0 a\n0.0 -500.0 b\n", "mm"),
        (ECSV, None),
    ],
)
def test_tables_are_read_in_their_units(table, text, unit):
    points = read_points(table(text), unit)
    assert points.names == ("a", "b")
    np.testing.assert_allclose(points.x_m, [1.0, -0.5])
    np.testing.assert_allclose(points.y_m, [2.0, 0.0])
    assert points.source is not None


def test_points_without_names_are_numbered(table):
    assert read_points(table("x [m],y [m]\n1,2\n3,4\n5,6\n")).names == ("1", "2", "3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,x,y\na,1,2\n", "x: has no unit"),
        ("name,x [km],y [km]\na,1,2\n", "the table has no column x"),
        ("name,x [m]\na,1\n", "the table has no column y"),
        ("name,x [m],y [m]\na,1,2\na,3,4\n", "name = a: comes twice"),
        ("name,x [m],y [m]\na,1,nan\n", "y, row 1: is not a finite number"),
        ("name,x [m],y [m]\na,1,\nb,2,3\n", "y, row 1: is not a finite number"),
        ("name,x [m],y [m]\na,1,two\n", "y: must hold numbers"),
        ("", "the file is empty"),
    ],
)
def test_bad_tables_are_refused(table, text, said):
    path = table(text)
    with pytest.raises(InputError) as refused:
        read_points(path)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_two_units_are_refused(table):
    with pytest.raises(UsageError, match="--point-unit = mm: the table says m"):
        read_points(table("x [m],y [m]\n1,2\n"), "mm")
    with pytest.raises(InputError, match="no table of text"):
        read_points(table("a\0b"))


MOVES = """# %ECSV 1.0
# ---
# datatype:
# - {name: elevation_deg, unit: deg, datatype: float64}
# - {name: name, datatype: string}
# - {name: total_um, unit: um, datatype: float64}
# schema: astropy-2.0
elevation_deg name total_um
30.0 p0 10.0
30.0 p1 11.0
60.0 p1 21.0
60.0 p0 20.0
"""


def test_applied_moves_are_found_by_name_and_elevation(table):
    moves = read_applied_moves(table(MOVES))
    points = points_at([1.0, 2.0], [0.0, 0.0])
    np.testing.assert_array_equal(moves.at(points, math.radians(60)), [20.0, 21.0])
    np.testing.assert_array_equal(moves.at(points, math.radians(30)), [10.0, 11.0])
    for elevation in (math.radians(45), None):
        with pytest.raises(UsageError, match="for the elevations 30, 60 deg only"):
            moves.at(points, elevation)
    with pytest.raises(UsageError, match="no moves for 1 of 3 points, such as p2"):
        moves.at(points_at([1.0, 2.0, 3.0], 0.0), math.radians(30))


def test_moves_without_an_elevation_hold_everywhere(table):
    moves = read_applied_moves(table("name,total_um\np1,-5\np0,4\n"))
    np.testing.assert_array_equal(moves.at(points_at([1.0, 2.0], [0.0, 0.0]), 1.0), [4.0, -5.0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,total_mm\np0,4\n", "total: has the unit mm, not um"),
        ("name,move_um\np0,4\n", "the table has no column total"),
        ("point,total_um\np0,4\n", "the table has no column name"),
        ("name,total_um\np0,4\np0,5\n", "every point must stand once"),
        (MOVES.replace("60.0 p0 20.0\n", ""), "every point must stand once"),
    ],
)
def test_bad_tables_of_moves_are_refused(table, text, said):
    with pytest.raises(InputError) as refused:
        read_applied_moves(table(text))
    assert said in str(refused.value)


def test_the_actuators_of_effelsberg_stand_where_pyoof_has_them():
    layout = LAYOUTS["effelsberg"]
    from oofpy.telescope import load_telescope

    x, y = layout.mirror.in_aperture(layout.points.x_m, layout.points.y_m, load_telescope("effelsberg").geometry)
    on_subreflector_mm = np.stack([x, y]) * 3250 / 50
    # From pyoof/data/act_effelsberg.csv @ 0fc8d07, numbers 1, 7, 12, 25, 49, 96.
    known = {
        1: (424.2101, -3222.1958),
        7: (3222.1958, 424.2101),
        12: (424.2101, 3222.1958),
        25: (339.3681, -2577.7566),
        49: (245.3892, -1863.9163),
        96: (-157.9367, -1199.6483),
    }
    assert len(layout.points) == 96
    for number, place in known.items():
        np.testing.assert_allclose(on_subreflector_mm[:, number - 1], place, atol=1e-3)
