"""Surfaces to correct, made by hand, and grids of points."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from oofpy.correction.points import MirrorPoints
from oofpy.correction.source import CorrectionSource, DishSurface
from oofpy.observation import SourceFile
from oofpy.optics.zernike import ZernikeTerm, zernike_terms
from oofpy.telescope import load_telescope

FILE = SourceFile(Path("result.fits"), "ab" * 32)
WAVELENGTH_M = 7e-3


def surface_of(values_um, telescope="effelsberg", **fields):
    """A dish with these half-path errors by (n, l), each with an error of 3 um."""
    terms = tuple(ZernikeTerm(*term) for term in values_um)
    made = DishSurface(
        name="night 1",
        telescope=load_telescope(telescope),
        shape=(-14.0, 0.0, 0.0, 0.0, 0.0),
        terms=terms,
        values_um=np.array(list(values_um.values()), float),
        covariance_um2=9.0 * np.eye(len(terms)),
        wavelength_m=WAVELENGTH_M,
        elevation_rad=0.8,
    )
    return replace(made, **fields)


def source_of(*surfaces, **fields):
    return CorrectionSource(surfaces, FILE, **fields)


def rough(seed=1, size_um=150.0, order=5, **fields):
    """All terms up to an order, drawn at random."""
    rng = np.random.default_rng(seed)
    return surface_of({tuple(term): rng.normal(0, size_um) for term in zernike_terms(order, 2)}, **fields)


def points_at(x_m, y_m):
    x, y = np.broadcast_arrays(np.asarray(x_m, float), np.asarray(y_m, float))
    return MirrorPoints(tuple(f"p{number}" for number in range(x.size)), x.ravel(), y.ravel(), "made")


def grid_of_points(radius_m=50.0, across=31):
    axis = np.linspace(-radius_m, radius_m, across)
    x, y = np.meshgrid(axis, axis)
    within = np.hypot(x, y) <= radius_m
    rim = np.radians(np.arange(0, 360, 5.0))
    return points_at(
        np.concatenate([x[within], radius_m * np.cos(rim)]), np.concatenate([y[within], radius_m * np.sin(rim)])
    )
