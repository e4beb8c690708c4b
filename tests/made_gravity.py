"""Gravity models to show, made from numbers without any map."""

from datetime import datetime, timedelta

import numpy as np

from oofpy.gravity.model import gravity_terms
from oofpy.gravity.series import CoefficientSeries, ElevationSample
from oofpy.gravity.two_step import fit_two_step
from oofpy.optics.zernike import zernike_terms


def made_fit(order=3, count=24, far=0, *, conditions=False):
    """A model of observations that scatter, of which the first ones lie far off."""
    rng = np.random.default_rng(8)
    terms = zernike_terms(order, 2)
    truth = rng.normal(0, 80, (len(terms), 3))
    samples = []
    for number, elevation in enumerate(np.radians(np.linspace(20, 85, count))):
        errors = rng.uniform(2, 6, len(terms))
        values = truth @ gravity_terms(elevation) + rng.normal(0, 4, len(terms)) + errors * rng.normal(size=len(terms))
        known = {}
        if conditions:
            known = {
                "date_utc": (datetime(2024, 3, 1) + timedelta(days=11.3 * number)).isoformat(),
                "temperature_k": 278 + 6 * np.sin(number),
                "hour_angle_rad": np.cos(2.2 * number),
            }
        samples.append(
            ElevationSample(
                f"scan{number:02d}",
                "dish of 30 m",
                15.0,
                float(elevation),
                1.1e-3,
                terms,
                values + (250 if number < far else 0),
                np.diag(errors**2),
                **known,
            )
        )
    return fit_two_step(CoefficientSeries.of(samples))
