"""Beams, paths and areas by formulas and quadratures that share no code with the package."""

import math

import numpy as np
from scipy.special import j0, j1, roots_legendre

from oofpy.telescope import Blockage, Geometry, Illumination, Legs, Telescope


def axisymmetric_dish(
    kind="gregorian",
    radius=50.0,
    primary=30.0,
    effective=387.394,
    illumination=None,
    disc=0.0,
    legs=None,
):
    """A dish made in Python; Effelsberg's mirrors unless told otherwise."""
    return Telescope(
        name="test dish",
        geometry=Geometry(
            kind=kind,
            dish_radius_m=radius,
            primary_focal_length_m=primary,
            effective_focal_length_m=None if kind == "prime-focus" else effective,
        ),
        illumination=illumination or Illumination(kind="tophat"),
        blockage=Blockage(disc_radius_m=disc, legs=legs),
    )


def four_legs(half_width=1.0, outer_radius=23.25, shade_angle_deg=10.0, first_angle_deg=0.0):
    angles = tuple(math.radians(first_angle_deg + 90 * number) for number in range(4))
    shade = None if shade_angle_deg is None else math.radians(shade_angle_deg)
    return Legs(angles, half_width_m=half_width, outer_radius_m=outer_radius, shade_angle_rad=shade)


GAUSSIAN = Illumination(kind="gaussian", edge_taper_db=-12.0, edge_taper_min_db=-25.0, edge_taper_max_db=-6.0)
PEDESTAL = Illumination(
    kind="pedestal",
    edge_taper_db=-14.0,
    edge_taper_min_db=-25.0,
    edge_taper_max_db=-6.0,
    pedestal_exponent=2.0,
)


def taper(illumination, rho, taper_db=None):
    """Field amplitude at the distance rho from the centre in units of the dish radius."""
    edge_db = illumination.edge_taper_db if taper_db is None else taper_db
    edge = 10 ** (edge_db / 20)
    if illumination.kind == "gaussian":
        return edge ** (rho**2)
    if illumination.kind == "pedestal":
        return edge + (1 - edge) * (1 - rho**2) ** illumination.pedestal_exponent
    if illumination.kind == "alma":
        return np.sqrt(1 - (1 - np.exp(-(rho**2) / illumination.width**2)) ** 2)
    return np.ones_like(rho)


def axial_path(geometry, r, defocus):
    """Path of an axial move by the angles at the foci: cos(psi) = cos(2 atan(r / 2F))."""
    factor = np.cos(2 * np.arctan2(r, 2 * geometry.primary_focal_length_m))
    if geometry.kind != "prime-focus":
        factor = factor + np.cos(2 * np.arctan2(r, 2 * geometry.effective_focal_length_m))
    return defocus * factor


def hankel_beam(telescope, wavelength, angle, defocus=0.0, phase_of_rho=None, taper_db=None, points=400):
    """Power of an axisymmetric dish at an angle from the axis, 1 at the peak of the focused beam.

    E(theta) = integral A(r) exp(i phi(r)) J0(k r theta) r dr, by Gauss-Legendre quadrature.
    """
    radius, hole = telescope.geometry.dish_radius_m, telescope.blockage.disc_radius_m
    node, weight = roots_legendre(points)
    r = hole + (radius - hole) * (node + 1) / 2
    k = 2 * math.pi / wavelength
    amplitude = taper(telescope.illumination, r / radius, taper_db) * weight * r
    nominal = (taper(telescope.illumination, r / radius) * weight * r).sum()
    phase = k * axial_path(telescope.geometry, r, defocus)
    if phase_of_rho is not None:
        phase = phase + phase_of_rho(r / radius)
    angle = np.asarray(angle, float)
    field = (amplitude * np.exp(1j * phase) * j0(k * r * angle[..., None])).sum(-1) / nominal
    return np.abs(field) ** 2


def airy(q):
    """Beam of a uniform disc, q = k R sin(theta)."""
    q = np.where(q == 0, 1e-12, q)
    return (2 * j1(q) / q) ** 2


def annulus(q, ratio):
    """Beam of a uniform disc with a central hole of `ratio` times its radius."""
    q = np.where(q == 0, 1e-9, q)
    field = (2 * j1(q) / q - ratio**2 * 2 * j1(ratio * q) / (ratio * q)) / (1 - ratio**2)
    return field**2


def effelsberg_open_area(pixels, columns=400):
    """Open fraction of each pixel: along y in closed form, along x by many columns a pixel.

    Along a line of constant x > 0 the open part of y > 0 is one interval: above the disc and the legs along
    x, below the rim and the wedge of the leg along y.
    """
    radius, hole, half_width, end, shade = 50.0, 3.25, 1.0, 23.25, math.radians(10)
    sine2 = math.sin(shade) ** 2
    h = (-half_width + math.sqrt(half_width**2 - (half_width**2 - radius**2) / sine2)) * sine2
    slope = h / (h / math.tan(shade) - end)
    pitch = 2 * radius / pixels
    x = np.abs((np.arange(pixels * columns) + 0.5) * pitch / columns - radius)
    beside_leg = np.where(x < end, half_width, half_width + slope * (x - end))
    low = np.maximum(np.sqrt(np.clip(hole**2 - x**2, 0, None)), beside_leg)
    high = np.minimum(np.sqrt(radius**2 - x**2), np.where(x < half_width, 0.0, end + (x - half_width) / slope))
    area = np.empty((pixels, pixels))
    for row in range(pixels):
        bottom = row * pitch - radius
        lengths = [
            np.clip(np.minimum(top, bottom + pitch) - np.maximum(start, bottom), 0, None)
            for start, top in ((low, high), (-high, -low))
        ]
        area[row] = sum(lengths).reshape(pixels, columns).mean(1) / pitch
    return area
