import math

import numpy as np
import pytest
import torch

from oofpy.correction.mirror import Mirror
from oofpy.errors import UsageError
from oofpy.optics.defocus import defocus_images
from oofpy.telescope import Geometry, load_telescope

CASSEGRAIN = Geometry("cassegrain", 6.0, 4.8, 96.0)
GREGORIAN = Geometry("gregorian", 50.0, 30.0, 387.39435)
RADII = np.array([0.2, 0.5, 0.8, 1.0])


def on_subreflector(along="normal", **fields):
    return Mirror("subreflector", along, subreflector_radius_m=3.0, **fields)


@pytest.mark.parametrize("geometry", [CASSEGRAIN, GREGORIAN])
def test_moving_the_whole_subreflector_along_the_axis_is_its_defocus(geometry):
    x, y = RADII * geometry.dish_radius_m, np.zeros(4)
    per_raise = on_subreflector("axis").half_path_per_raise(x, y, geometry)
    path_per_dz = defocus_images(geometry, torch.as_tensor(x), torch.as_tensor(y))[0].numpy()
    # dz goes away from the primary, a raise towards it; a raise takes half a path away.
    np.testing.assert_allclose(-2 * per_raise * -1.0, path_per_dz, rtol=1e-12)


def conic_of(geometry, radius_m):
    """Points of a conic with foci at the origin and at distance 1 on its axis, and of its normal, by their angles.

    The second coordinate is along the axis, positive from the prime focus towards the sky.
    """
    magnification = geometry.effective_focal_length_m / geometry.primary_focal_length_m
    angle = 2 * np.arctan(radius_m / (2 * geometry.primary_focal_length_m))
    if geometry.kind == "gregorian":  # an ellipse of the eccentricity e; the subreflector lies beyond the prime focus
        e = (magnification - 1) / (magnification + 1)
        length = (1 - e**2) / (2 * e) / (1 + e * np.cos(angle))
        return np.stack([-length * np.sin(angle), length * np.cos(angle)])
    e = (magnification + 1) / (magnification - 1)
    length = (e**2 - 1) / (2 * e) / (1 + e * np.cos(angle))
    return np.stack([length * np.sin(angle), -length * np.cos(angle)])


def path_by_way_of(geometry, points):
    """Path beyond the prime focus to the other focus, or from before it."""
    to_prime = np.hypot(*points)
    to_feed = np.hypot(points[0], points[1] + 1.0)
    return to_prime + to_feed if geometry.kind == "gregorian" else to_feed - to_prime


@pytest.mark.parametrize("geometry", [CASSEGRAIN, GREGORIAN])
def test_moving_the_subreflector_along_its_normal_changes_the_path_of_the_conic(geometry):
    radius = np.linspace(0.1, 1.0, 10) * geometry.dish_radius_m
    points = conic_of(geometry, radius)
    # All paths by way of the conic are equal; that is what makes it one.
    np.testing.assert_allclose(path_by_way_of(geometry, points), path_by_way_of(geometry, points)[0], rtol=1e-9)
    step = 1e-6
    slope = np.stack(
        [
            (path_by_way_of(geometry, points + step * unit) - path_by_way_of(geometry, points - step * unit)) / 2 / step
            for unit in (np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]]))
        ]
    )
    normal = slope / np.hypot(*slope)
    towards_primary = np.where(normal[1] < 0, 1, -1) * normal
    change = (slope * towards_primary).sum(axis=0)
    per_raise = on_subreflector().half_path_per_raise(radius, 0 * radius, geometry)
    np.testing.assert_allclose(-change / 2, per_raise, rtol=1e-6)


@pytest.mark.parametrize("geometry", [CASSEGRAIN, GREGORIAN])
def test_rays_join_the_radii_of_both_mirrors(geometry):
    radius = np.linspace(0.0, 1.0, 11) * geometry.dish_radius_m
    points = conic_of(geometry, radius)
    on_conic = np.abs(points[0]) / abs(points[0, -1]) * 3.0
    turned = 0.0 if geometry.kind == "cassegrain" else math.pi
    x, y = on_subreflector(mapping="rays").in_aperture(on_conic, 0 * on_conic, geometry)
    np.testing.assert_allclose(x * math.cos(turned), radius, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(y, 0, atol=1e-9)
    linear, _ = on_subreflector().in_aperture(on_conic, 0 * on_conic, geometry)
    assert 0.002 < np.max(np.abs(np.abs(linear) - radius)) / geometry.dish_radius_m < 0.05


@pytest.mark.parametrize(("along", "power"), [("normal", 1), ("axis", 2)])
def test_moving_the_primary_changes_the_path_of_the_paraboloid(along, power):
    focal = GREGORIAN.primary_focal_length_m
    r = np.linspace(0, 50, 6)
    lean = np.arctan(r / (2 * focal))
    direction = np.stack([-np.sin(lean), np.cos(lean)]) if along == "normal" else np.stack([0 * r, 0 * r + 1])

    def path(step):
        x, z = np.stack([r, r**2 / (4 * focal)]) + step * direction
        return -z + np.hypot(x, z - focal)

    change = (path(1e-5) - path(-1e-5)) / 2e-5
    per_raise = Mirror(along=along).half_path_per_raise(r, 0 * r, GREGORIAN)
    np.testing.assert_allclose(per_raise, -change / 2, rtol=1e-7)
    np.testing.assert_allclose(per_raise, np.cos(lean) ** power, rtol=1e-12)


def test_an_offset_dish_leans_by_the_distance_from_its_axis():
    geometry = load_telescope("gbt").geometry
    y = np.array([-54.0 + 4.0, 0.0, 50.0])
    lean = np.arctan((y + 54.0) / 120.0)
    np.testing.assert_allclose(Mirror().half_path_per_raise(0 * y, y, geometry), np.cos(lean), rtol=1e-12)


def test_points_are_mirrored_then_turned_then_scaled():
    x, y = np.array([1.0, 0.0]), np.array([0.0, 2.0])
    turned = Mirror(rotation_rad=math.pi / 2).in_aperture(x, y, CASSEGRAIN)
    np.testing.assert_allclose(turned, [[0, -2], [1, 0]], atol=1e-12)
    both = Mirror(rotation_rad=math.pi / 2, mirrored=True).in_aperture(x, y, CASSEGRAIN)
    np.testing.assert_allclose(both, [[0, -2], [-1, 0]], atol=1e-12)
    np.testing.assert_allclose(on_subreflector().in_aperture(x, y, CASSEGRAIN), [[2, 0], [0, 4]], atol=1e-12)


def test_a_gregorian_subreflector_shows_the_dish_turned_by_half_a_turn():
    x, y = on_subreflector().in_aperture(np.array([3.0]), np.array([1.5]), GREGORIAN)
    np.testing.assert_allclose([x[0], y[0]], [-50, -25], atol=1e-9)
    x, y = on_subreflector(rotation_rad=0.0).in_aperture(np.array([3.0]), np.array([1.5]), GREGORIAN)
    np.testing.assert_allclose([x[0], y[0]], [50, 25], atol=1e-9)


@pytest.mark.parametrize(
    ("mirror", "telescope", "said"),
    [
        (Mirror("subreflector"), "jcmt", "--subreflector-radius: must be a positive length"),
        (Mirror("subreflector", subreflector_radius_m=-1.0), "jcmt", "--subreflector-radius = -1 m"),
        (Mirror(subreflector_radius_m=1.0), "jcmt", "means nothing for the primary"),
        (Mirror("subreflector", subreflector_radius_m=4.0), "gbt", "--along path --mapping linear"),
    ],
)
def test_what_a_dish_does_not_have_is_refused(mirror, telescope, said):
    with pytest.raises(UsageError, match=said):
        mirror.require_usable(load_telescope(telescope).geometry)


def test_a_prime_focus_has_no_subreflector():
    with pytest.raises(UsageError, match="the dish has no subreflector"):
        on_subreflector().require_usable(Geometry("prime-focus", 50.0, 30.0))
    with pytest.raises(UsageError, match="use --along path"):
        Mirror().require_usable(Geometry("tabulated", 3.0, None))
