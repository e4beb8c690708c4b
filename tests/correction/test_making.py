import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.correction.making import correct
from oofpy.correction.mirror import Mirror
from oofpy.correction.points import AppliedMoves
from oofpy.correction.values import CorrectionSettings, PointStatus
from oofpy.errors import UsageError
from oofpy.observing import AppliedCorrection
from oofpy.optics.zernike import ZernikeTerm
from tests.correction.made_surfaces import FILE, WAVELENGTH_M, grid_of_points, points_at, rough, source_of, surface_of

PATH = CorrectionSettings(mirror=Mirror(along="path"))
UM_PER_RAD = WAVELENGTH_M / (4 * math.pi) * 1e6
# On the open dish of Effelsberg, between the legs.
X, Y = np.array([20.0, -15.0, 30.0]), np.array([25.0, 20.0, -28.0])


def moves_of(surface, settings=PATH, points=None, **given):
    points = points_at(X, Y) if points is None else points
    return correct(source_of(surface), settings, points, **given).elevations[0].moves


def test_metal_that_lies_high_is_moved_down_by_as_much():
    # Z(2,2) is (x^2 - y^2) / R^2: along x the metal lies 100 um too high at the rim, along y 100 um too low.
    surface = surface_of({(2, 2): -100.0})
    moves = moves_of(surface, points=points_at([50.0, 0.0, 25.0], [0.0, 50.0, 0.0]))
    np.testing.assert_allclose(moves.increment_um, [-100.0, 100.0, -25.0], atol=1e-9)
    np.testing.assert_array_equal(moves.total_um, moves.increment_um)
    lowered = moves_of(surface, replace(PATH, positive="lower"), points_at([50.0], [0.0]))
    np.testing.assert_allclose(lowered.increment_um, [100.0], atol=1e-9)


def test_terms_have_their_parities():
    increment = {
        term: moves_of(
            surface_of({term: 100.0}), points=points_at([30.0, -30.0, -30.0], [12.0, -12.0, 12.0])
        ).increment_um
        for term in [(2, -2), (2, 0), (3, -1), (3, 1), (3, -3), (4, 2)]
    }
    for (n, _), (there, opposite, _) in increment.items():
        assert opposite == pytest.approx((-1) ** n * there)
        assert abs(there) > 5
    # Mirrored in x: sines of even l and cosines of odd l change their signs.
    for (_, l), (there, _, mirrored) in increment.items():
        assert mirrored == pytest.approx((1 if l >= 0 else -1) * (1 if l % 2 == 0 else -1) * there)


@pytest.mark.parametrize("along", ["normal", "axis"])
def test_moves_along_the_metal_are_longer_by_what_they_miss_of_the_path(along):
    surface = rough()
    path, moved = (moves_of(surface, CorrectionSettings(mirror=Mirror(along=one))) for one in ("path", along))
    lean = np.arctan(np.hypot(X, Y) / 60.0)
    power = 1 if along == "normal" else 2
    np.testing.assert_allclose(moved.increment_um, path.increment_um / np.cos(lean) ** power, rtol=1e-12)
    np.testing.assert_allclose(moved.error_um, path.error_um / np.cos(lean) ** power, rtol=1e-12)


def test_turning_the_points_back_gives_the_same():
    surface = rough()
    straight = moves_of(surface)
    turned = moves_of(surface, replace(PATH, mirror=Mirror(along="path", rotation_rad=math.pi / 2)), points_at(Y, -X))
    np.testing.assert_allclose(turned.increment_um, straight.increment_um, rtol=1e-9)
    mirrored = moves_of(surface, replace(PATH, mirror=Mirror(along="path", mirrored=True)), points_at(-X, Y))
    np.testing.assert_allclose(mirrored.increment_um, straight.increment_um, rtol=1e-9)


def test_a_mirrored_drawing_of_a_subreflector():
    surface = rough()
    mirror = Mirror("subreflector", "path", rotation_rad=math.pi, mirrored=True, subreflector_radius_m=3.25)
    # Turned by half a turn, mirrored in x, at 3.25 of 50 m: only y changes its sign.
    drawn = moves_of(surface, replace(PATH, mirror=mirror), points_at(X * 3.25 / 50, -Y * 3.25 / 50))
    np.testing.assert_allclose(drawn.increment_um, moves_of(surface).increment_um, rtol=1e-9)


def test_errors_follow_from_the_covariance():
    terms = {(2, 0): 50.0, (3, 1): -20.0}
    covariance = np.array([[9.0, -4.0], [-4.0, 16.0]])
    surface = surface_of(terms, covariance_um2=covariance)
    r, angle = np.hypot(X, Y) / 50, np.arctan2(Y, X)
    modes = np.stack([2 * r**2 - 1, (3 * r**3 - 2 * r) * np.cos(angle)])
    expected = np.sqrt(np.einsum("tp,tu,up->p", modes, covariance, modes))
    np.testing.assert_allclose(moves_of(surface).error_um, expected, rtol=1e-9)
    halved = moves_of(surface, replace(PATH, gain=0.5))
    np.testing.assert_allclose(halved.error_um, expected / 2, rtol=1e-9)
    np.testing.assert_allclose(halved.increment_um, moves_of(surface).increment_um / 2, rtol=1e-9)
    without = moves_of(surface, replace(PATH, left_out=(ZernikeTerm(2, 0),)))
    np.testing.assert_allclose(without.increment_um, -20.0 * modes[1], rtol=1e-9)
    np.testing.assert_allclose(without.error_um, 4.0 * np.abs(modes[1]), rtol=1e-9)


def test_limits_hold_the_total_and_are_told():
    surface = surface_of({(2, 2): 100.0})
    points = points_at([50.0, 0.0, 25.0], [0.0, 50.0, 0.0])
    moves = moves_of(surface, replace(PATH, limits_um=(-30.0, 60.0)), points)
    np.testing.assert_allclose(moves.total_um, [60.0, -30.0, 25.0], atol=1e-9)
    np.testing.assert_allclose(moves.wanted_um, [100.0, -100.0, 25.0], atol=1e-9)
    assert moves.status == (PointStatus.CLIPPED, PointStatus.CLIPPED, PointStatus.MOVED)


def test_limits_count_from_where_the_points_stand():
    surface = surface_of({(2, 2): 100.0})
    applied = AppliedMoves(("p0", "p1", "p2"), (), np.array([[-80.0, -80.0, 0.0]]), FILE)
    points = points_at([50.0, 0.0, 25.0], [0.0, 50.0, 0.0])
    moves = moves_of(surface, replace(PATH, limits_um=(-100.0, 100.0)), points, applied_moves=applied)
    np.testing.assert_allclose(moves.total_um, [20.0, -100.0, 25.0], atol=1e-9)
    np.testing.assert_allclose(moves.increment_um, [100.0, -20.0, 25.0], atol=1e-9)
    assert moves.status == (PointStatus.MOVED, PointStatus.CLIPPED, PointStatus.MOVED)


def test_small_moves_are_left_out():
    moves = moves_of(surface_of({(2, 2): 100.0}), replace(PATH, threshold_um=30.0), points_at([50.0, 25.0], [0.0, 0.0]))
    np.testing.assert_allclose(moves.increment_um, [100.0, 0.0], atol=1e-9)
    assert moves.status == (PointStatus.MOVED, PointStatus.BELOW_THRESHOLD)


def test_points_outside_the_dish_do_not_move_and_are_named():
    correction = correct(source_of(rough()), PATH, points_at([20.0, 60.0], [25.0, 0.0]))
    moves = correction.elevations[0].moves
    assert moves.status == (PointStatus.MOVED, PointStatus.OUTSIDE)
    assert moves.increment_um[1] == moves.total_um[1] == 0
    assert math.isnan(moves.error_um[1])
    assert "point p1 lies outside the dish: not moved" in correction.notes
    assert "the points do not span the dish: what they bring is not predicted" in correction.notes
    assert correction.elevations[0].prediction is None


def test_points_in_the_shadow_are_moved_and_named():
    correction = correct(source_of(rough()), PATH, points_at([1.0, 40.0, 20.0, 50.0], [0.0, 0.5, 25.0, 0.0]))
    moves = correction.elevations[0].moves
    np.testing.assert_array_equal(moves.blocked, [True, True, False, True])
    assert set(moves.status) == {PointStatus.MOVED}
    assert any(note.startswith("3 of 4 points (p0, p1, p3) lie in the shadow") for note in correction.notes)


def test_a_correction_on_the_dish_stays_and_the_increment_adds_to_it():
    values = {(2, 0): 100.0, (2, 2): 40.0, (3, 1): -30.0}
    on_dish = {(2, 2): 70.0, (1, 1): 500.0, (4, 0): 25.0}
    applied = AppliedCorrection(tuple((n, l, one / UM_PER_RAD) for (n, l), one in on_dish.items()))
    at = correct(source_of(surface_of(values, applied=applied)), PATH, points_at(X, Y)).elevations[0]
    left = {(2, 0): 100.0, (2, 2): 40.0 - 70.0, (3, 1): -30.0}
    assert {tuple(term): one for term, one in at.increment.items()} == pytest.approx(left)
    np.testing.assert_allclose(at.moves.increment_um, moves_of(surface_of(left)).increment_um, rtol=1e-9)
    # What was not fitted of it, tilt and Z(4,0), stays on the dish.
    total = {(2, 0): 100.0, (2, 2): 40.0, (3, 1): -30.0, (1, 1): 500.0, (4, 0): 25.0}
    assert {tuple(term): one for term, one in at.total.items()} == pytest.approx(total)
    r = np.hypot(X, Y) / 50
    fitted = moves_of(surface_of(values)).increment_um
    others = 500.0 * X / 50 + 25.0 * (6 * r**4 - 6 * r**2 + 1)
    np.testing.assert_allclose(at.moves.total_um, fitted + others, rtol=1e-9)


def test_an_image_on_the_dish_counts_like_its_coefficients():
    axis = np.linspace(-50, 50, 101)
    x, y = np.meshgrid(axis / 50, axis / 50)
    image = AppliedCorrection(axis_m=axis, surface_m=70e-6 * (x**2 - y**2) + 300e-6 * x)
    terms = AppliedCorrection(((2, 2, 70 / UM_PER_RAD), (1, 1, 300 / UM_PER_RAD)))
    values = {(2, 0): 100.0, (2, 2): 40.0}
    by_image, by_terms = (
        correct(source_of(surface_of(values, applied=one)), PATH, points_at(X, Y)).elevations[0]
        for one in (image, terms)
    )
    np.testing.assert_allclose(by_image.moves.increment_um, by_terms.moves.increment_um, atol=1e-3)
    np.testing.assert_allclose(by_image.moves.total_um, by_terms.moves.total_um, atol=1e-3)
    assert by_image.total is None


def test_a_corrected_dish_needs_nothing_more():
    values = {(2, 0): 100.0, (2, 2): 40.0}
    applied = AppliedCorrection(tuple((n, l, one / UM_PER_RAD) for (n, l), one in values.items()))
    at = correct(source_of(surface_of(values, applied=applied)), PATH, points_at(X, Y)).elevations[0]
    np.testing.assert_allclose(at.moves.increment_um, 0, atol=1e-9)
    np.testing.assert_allclose(at.moves.total_um, moves_of(surface_of(values)).increment_um, rtol=1e-9)


def test_moves_that_a_model_counts_are_taken_off_it_first():
    surface = surface_of({(2, 0): 100.0, (3, 1): 60.0}, wavelength_m=None)
    points = grid_of_points(across=21)
    wanted = correct(source_of(surface), PATH, points).elevations[0].moves.increment_um
    halfway = AppliedMoves(points.names, (), wanted[None] / 2, FILE)
    source = source_of(surface, of_gravity=True)
    at = correct(source, PATH, points, applied_moves=halfway, counted=True).elevations[0]
    np.testing.assert_allclose(at.moves.increment_um, wanted / 2, atol=1e-9)
    np.testing.assert_allclose(at.moves.total_um, wanted, atol=1e-9)
    assert at.prediction.rms_before_um == pytest.approx(
        correct(source, PATH, points).elevations[0].prediction.rms_before_um / 2, rel=1e-6
    )
    added = correct(source, PATH, points, applied_moves=halfway).elevations[0]
    np.testing.assert_allclose(added.moves.total_um, 1.5 * wanted, atol=1e-9)
    few = points_at(X, Y)
    moves = AppliedMoves(few.names, (), np.ones((1, 3)), FILE)
    with pytest.raises(UsageError, match="3 points cannot tell what their moves are of 5 terms"):
        correct(source, PATH, few, applied_moves=moves, counted=True)
    with pytest.raises(UsageError, match="a result says itself"):
        correct(source_of(surface), PATH, points, applied_moves=halfway, counted=True)
    with pytest.raises(UsageError, match="give --applied TABLE"):
        correct(source, PATH, points, counted=True)


def test_what_counted_moves_hold_beyond_the_model_stays():
    surface = surface_of({(2, 0): 100.0}, wavelength_m=None)
    points = grid_of_points(across=15)
    rest = 20.0 * np.where(np.arange(len(points)) % 2, 1, -1)
    applied = AppliedMoves(points.names, (), rest[None], FILE)
    source = source_of(surface, of_gravity=True)
    correction = correct(source, PATH, points, applied_moves=applied, counted=True)
    moves = correction.elevations[0].moves
    np.testing.assert_allclose(moves.total_um - moves.increment_um, rest, atol=1e-9)
    np.testing.assert_allclose(moves.increment_um, moves_of(surface, points=points).increment_um, atol=5)
    assert any(note.startswith("the applied moves hold up to 20 um rms") for note in correction.notes)


def test_coefficients_need_no_points():
    at = correct(source_of(rough()), replace(PATH, gain=0.5)).elevations[0]
    assert at.moves is None
    np.testing.assert_allclose(list(at.increment.values()), rough().values_um / 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gain": 0.0}, "--gain = 0.0"),
        ({"gain": math.nan}, "--gain = nan"),
        ({"threshold_um": -1.0}, "--threshold = -1 um"),
        ({"limits_um": (5.0, -5.0)}, "--limits = 5, -5 um"),
    ],
)
def test_nonsense_is_refused(change, said):
    with pytest.raises(UsageError, match=said):
        replace(PATH, **change)


def test_a_term_that_the_surface_does_not_have_is_refused():
    with pytest.raises(UsageError, match=r"--without = Z\(4,0\)"):
        correct(source_of(surface_of({(2, 0): 1.0})), replace(PATH, left_out=(ZernikeTerm(4, 0),)), points_at(X, Y))
