"""Results to compare, made from one made by hand: other coefficients, other covariances, data of their own."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from oofpy.fitting.result import Coefficient
from oofpy.observation import SourceFile
from oofpy.observing import Observing

TERMS = ("Z(2,-2)", "Z(2,0)", "Z(2,2)", "Z(3,-3)", "Z(3,-1)", "Z(3,1)", "Z(3,3)")
# Errors in radians, and how far neighbouring terms are correlated.
ERRORS_RAD = np.array([0.03, 0.02, 0.03, 0.05, 0.04, 0.04, 0.05])
NEIGHBOURS = -0.4
COVARIANCE = np.outer(ERRORS_RAD, ERRORS_RAD) * (np.eye(7) + NEIGHBOURS * (np.eye(7, k=1) + np.eye(7, k=-1)))
ELEVATIONS_DEG = (41.0, 47.0, 45.0, 44.0, 49.0, 43.0, 46.0, 48.0)


def um_per_rad(result):
    return result.wavelength_m / (4 * math.pi) * 1e6


def variant(result, name, changes_rad=(), covariance=COVARIANCE, names=TERMS, **fields):
    """A result with data of its own, coefficients changed by so much, and a given covariance."""
    changes = dict(changes_rad)
    errors = dict(zip(names, np.sqrt(np.diag(covariance)), strict=True))
    coefficients = tuple(
        replace(
            one,
            phase_rad=one.phase_rad + changes.pop((one.n, one.l), 0.0),
            phase_rad_error=float(errors.get(f"Z({one.n},{one.l})", 0.0)),
            free=f"Z({one.n},{one.l})" in errors,
        )
        for one in result.fit.coefficients
    )
    coefficients += tuple(Coefficient(n, l, f"Z({n},{l})", value, 0.01) for (n, l), value in changes.items())
    fit = replace(result.fit, coefficients=coefficients, covariance_names=tuple(names), covariance=covariance)
    number = int(hashlib.sha256(name.encode()).hexdigest()[:4], 16)
    given = {
        "name": name,
        "sources": (SourceFile(Path(f"{name}.fits"), hashlib.sha256(name.encode()).hexdigest()),),
        "map_arrays": tuple(replace(one, observed=one.observed + number) for one in result.map_arrays),
        "orders": tuple(fit if one.order == fit.order else one for one in result.orders),
        "observing": Observing(),
        "flags": (),
    }
    return replace(result, **(given | fields))


def noisy(result, count, seed=1, covariance=COVARIANCE, changes_rad=(), **fields):
    """Observations of one surface that differ by what their errors make."""
    rng = np.random.default_rng(seed)
    draws = rng.multivariate_normal(np.zeros(len(TERMS)), covariance, count)
    keys = [tuple(int(part) for part in term[2:-1].split(",")) for term in TERMS]
    common = dict(changes_rad)
    return [
        variant(
            result,
            f"night {number + 1}",
            {key: value + common.get(key, 0.0) for key, value in zip(keys, draw, strict=True)},
            covariance,
            date=f"2026-01-{number % 28 + 1:02d}",
            elevation_rad=math.radians(ELEVATIONS_DEG[number % len(ELEVATIONS_DEG)]),
            **fields,
        )
        for number, draw in enumerate(draws)
    ]


def twin_of(result, name):
    """What a wrong sign of dz makes of a result: the even orders turn their signs."""
    even = {(one.n, one.l): -2 * one.phase_rad for one in result.fit.coefficients if one.n % 2 == 0}
    return variant(result, name, even)


def coarse(result, every=4):
    """The result with every fourth pixel, of which a small file can hold a picture."""
    aperture = result.aperture
    names = ("phase_rad", "surface_um", "surface_error_um", "amplitude", "applied_um")
    images = {name: getattr(aperture, name)[every // 2 :: every, every // 2 :: every] for name in names}
    return replace(result, aperture=replace(aperture, axis_m=aperture.axis_m[every // 2 :: every], **images))
