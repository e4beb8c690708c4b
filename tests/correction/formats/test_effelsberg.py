import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import RectBivariateSpline

from oofpy.correction.formats import effelsberg
from oofpy.correction.layouts import LAYOUTS
from oofpy.correction.making import correct
from oofpy.correction.mirror import Mirror
from oofpy.correction.registry import read_moves
from oofpy.correction.values import CorrectionSettings
from oofpy.errors import InputError, UsageError
from oofpy.io.reader import FileContent
from oofpy.optics.zernike import zernike_terms
from tests.correction.made_surfaces import rough, source_of

LAYOUT = LAYOUTS["effelsberg"]
ELEVATIONS = tuple(math.radians(one) for one in effelsberg.ELEVATIONS_DEG)


def corrected(along="path", elevations=ELEVATIONS, **settings):
    surfaces = [
        rough(seed=number, size_um=100.0, elevation_rad=one, wavelength_m=None) for number, one in enumerate(elevations)
    ]
    wanted = CorrectionSettings(mirror=replace(LAYOUT.mirror, along=along), limits_um=LAYOUT.limits_um, **settings)
    return correct(source_of(*surfaces, of_gravity=True), wanted, LAYOUT.points)


@pytest.fixture(scope="module")
def correction():
    return corrected()


def test_the_table_has_its_lines_and_is_read_back(correction, tmp_path):
    effelsberg.check(correction)
    (path,) = effelsberg.write(correction, tmp_path)
    lines = path.read_text().splitlines()
    assert len(lines) == 97
    assert lines[-1] == "**ENDE**"
    first = [round(at.moves.total_um[0]) for at in correction.elevations]
    assert lines[0] == f"NR 1 ffff {'  '.join(map(str, first))}"
    moves = read_moves(path)
    assert moves.elevations_rad == ELEVATIONS
    for at in correction.elevations:
        difference = moves.at(LAYOUT.points, at.surface.elevation_rad) - at.moves.total_um
        assert np.abs(difference).max() <= 0.5
    assert np.abs(moves.moves_um).max() > 100


def test_moves_are_those_that_pyoof_makes_of_the_same_phase(correction):
    # As pyoof @ 94d1e32: actuators = rot90(phase x lambda / (-4 pi)) by -1 quarter, y rising with the row; the new
    # table is the old one minus these, at 7.5 deg, 22.5 deg ... on each ring.
    at = correction.elevations[3]
    axis = np.linspace(-1, 1, 401)
    x, y = np.meshgrid(axis, axis)
    r, angle = np.hypot(x, y), np.arctan2(y, x)
    surface_um = np.zeros_like(x)
    for (n, l), value in zip(zernike_terms(5, 2), at.surface.values_um, strict=True):
        m = abs(l)
        radial = sum(
            (-1) ** s
            * math.factorial(n - s)
            / (math.factorial(s) * math.factorial((n + m) // 2 - s) * math.factorial((n - m) // 2 - s))
            * r ** (n - 2 * s)
            for s in range((n - m) // 2 + 1)
        )
        surface_um += value * radial * (np.sin(m * angle) if l < 0 else np.cos(m * angle))
    actuators = np.rot90(-surface_um, k=-1)
    spline = RectBivariateSpline(axis, axis, actuators.T)
    theta = np.radians(np.linspace(7.5, 360 - 7.5, 24))
    ring = np.array([3250, 2600, 1880, 1210]) / 3250
    expected = -spline(np.outer(ring, np.cos(theta)).ravel(), np.outer(ring, np.sin(theta)).ravel(), grid=False)
    np.testing.assert_allclose(at.moves.total_um, expected, atol=0.01)


def test_totals_stay_within_what_the_actuators_can_do(tmp_path):
    surfaces = [rough(size_um=9000.0, elevation_rad=one, wavelength_m=None) for one in ELEVATIONS]
    wanted = CorrectionSettings(mirror=LAYOUT.mirror, limits_um=LAYOUT.limits_um)
    (path,) = effelsberg.write(correct(source_of(*surfaces, of_gravity=True), wanted, LAYOUT.points), tmp_path)
    assert np.abs(read_moves(path).moves_um).max() == 5000


def test_increments_add_to_an_older_table(correction, tmp_path):
    (path,) = effelsberg.write(correction, tmp_path)
    old = read_moves(path)
    twice = correct(correction.source, correction.settings, LAYOUT.points, applied_moves=old)
    for first, second in zip(correction.elevations, twice.elevations, strict=True):
        np.testing.assert_allclose(second.moves.increment_um, first.moves.total_um, atol=1e-9)
        np.testing.assert_allclose(second.moves.total_um, 2 * first.moves.total_um, atol=0.51)


def test_what_the_table_cannot_hold_is_refused(correction):
    one = source_of(rough(elevation_rad=0.8))
    with pytest.raises(UsageError, match="the same at all of them would be wrong"):
        effelsberg.check(correct(one, correction.settings, LAYOUT.points))
    with pytest.raises(UsageError, match="the table has its own elevations"):
        effelsberg.check(corrected(elevations=ELEVATIONS[:3]))
    with pytest.raises(UsageError, match="--positive = lower"):
        effelsberg.check(corrected(elevations=ELEVATIONS, positive="lower"))
    elsewhere = replace(correction.settings, mirror=Mirror())
    with pytest.raises(UsageError, match="--subreflector-radius = primary, 0 m: the actuators move the subreflector"):
        effelsberg.check(correct(correction.source, elsewhere, LAYOUT.points))
    with pytest.raises(UsageError, match="of the 96 actuators"):
        effelsberg.check(correct(correction.source, CorrectionSettings()))


TABLE = "".join(f"NR {number} ffff {'  '.join(['7'] * 11)}\n" for number in range(1, 97)) + "**ENDE**\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("**ENDE**\n", "", r"there is no \*\*ENDE\*\* in it"),
        ("NR 96 ffff " + "  ".join(["7"] * 11) + "\n", "", "actuators are missing"),
        ("NR 5 ", "NR 6 ", "line 5: the actuators must stand in order"),
        ("NR 5 ffff 7 ", "NR 5 ffff 7.5 ", "line 5 = NR 5 ffff 7.5"),
        ("NR 5 ffff 7 ", "NR 5 ffff ", "line 5 = NR 5 ffff"),
        ("NR 5 ", "NR 97 ", "line 5 = NR 97"),
    ],
)
def test_damaged_tables_are_refused(tmp_path, old, new, said):
    path = tmp_path / "table.data"
    path.write_text(TABLE)
    assert np.all(read_moves(path).moves_um == 7)
    path.write_text(TABLE.replace(old, new))
    with pytest.raises(InputError, match=said):
        effelsberg.read(FileContent.load(path))
