import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.correction.source import source_of_model, source_of_result
from oofpy.errors import UsageError
from oofpy.flags import Flag
from oofpy.gravity.model import GravityModel
from oofpy.observing import AppliedCorrection, Observing
from oofpy.optics.zernike import ZernikeTerm
from oofpy.telescope import load_telescope
from tests.correction.made_surfaces import FILE
from tests.made_comparisons import COVARIANCE, TERMS, um_per_rad, variant


def test_a_result_gives_its_coefficients_with_their_covariance(made_result):
    result = variant(made_result, "night", elevation_rad=0.7)
    (surface,) = (source := source_of_result(result, FILE)).surfaces
    scale = um_per_rad(result)
    assert [term.label for term in surface.terms] == list(TERMS)
    np.testing.assert_allclose(surface.values_um, [one.phase_rad * scale for one in result.fit.coefficients])
    np.testing.assert_allclose(surface.covariance_um2, COVARIANCE * scale**2)
    assert surface.elevation_rad == 0.7
    assert surface.shape[0] == -12.1 / 7
    assert (source.notes, source.doubtful, source.of_gravity) == ((), False, False)


def test_terms_that_were_held_have_no_error(made_result):
    result = variant(made_result, "night", covariance=COVARIANCE[1:, 1:], names=TERMS[1:])
    (surface,) = source_of_result(result, FILE).surfaces
    assert np.all(surface.covariance_um2[0] == 0)
    np.testing.assert_allclose(surface.covariance_um2[1:, 1:], COVARIANCE[1:, 1:] * um_per_rad(result) ** 2)


def test_what_is_doubtful_about_a_result_is_noted(made_result):
    applied = AppliedCorrection(((2, 2, 0.1),), origin="winter.ecsv")
    flags = (Flag("source-off-centre", "3 beams off"),)
    result = variant(made_result, "night", flags=flags, observing=Observing(applied=applied))
    source = source_of_result(result, FILE)
    assert source.doubtful
    assert source.surfaces[0].applied is applied
    assert source.notes[0] == "the verdict on the result is check (source-off-centre)"
    assert "(winter.ecsv): the increment comes on top of it" in source.notes[1]


def model(**fields):
    terms = (ZernikeTerm(1, 1), ZernikeTerm(2, 0), ZernikeTerm(3, -1))
    made = GravityModel(
        telescope="effelsberg",
        dish_radius_m=50.0,
        method="two-step",
        terms=terms,
        parameters_um=np.array([[1000.0, 0, 0], [100.0, -40.0, 7.0], [0.0, 200.0, 0.0]]),
        covariance_um2=4.0 * np.eye(9),
        scatter_um=np.zeros(3),
        leave_one_out_um=np.zeros(3),
        elevation_range_rad=(math.radians(20), math.radians(80)),
        observations=("a", "b", "c"),
        outlying=(),
    )
    return replace(made, **fields)


def test_a_model_gives_a_surface_for_every_elevation_without_tilt():
    elevations = (math.radians(30), math.radians(90))
    source = source_of_model(model(), load_telescope("effelsberg"), elevations, FILE, "gravity")
    low, high = source.surfaces
    assert low.terms == (ZernikeTerm(2, 0), ZernikeTerm(3, -1))
    np.testing.assert_allclose(low.values_um, [50 - 40 * math.sqrt(0.75) + 7, 200 * math.sqrt(0.75)])
    np.testing.assert_allclose(high.values_um, [107.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(np.diag(low.covariance_um2), 4 * 2.0)
    assert low.shape == (-14.0, 0, 0, 0, 0)
    assert source.of_gravity
    assert source.notes == ("the model rests on observations from 20 to 80 deg: at 90 deg it extrapolates",)
    within = source_of_model(model(), load_telescope("effelsberg"), elevations[:1], FILE, "gravity")
    assert within.notes == ()


def test_a_model_of_another_dish_is_refused():
    with pytest.raises(UsageError, match=r"has a radius of 7\.5 m, that of the model 50 m"):
        source_of_model(model(), load_telescope("jcmt"), (1.0,), FILE, "gravity")
    other = source_of_model(model(telescope="other"), load_telescope("effelsberg"), (1.0,), FILE, "gravity")
    assert other.notes == ("the model is of the telescope other, used is effelsberg",)
