import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy import FitSettings, fit, load_telescope, simulate
from oofpy.report.corrections import focus_correction, pointing_correction

ARCSEC_RAD = math.pi / 648000


def of_surface(result, **fields):
    """The result with other numbers of the surface of its chosen order."""
    surface = replace(result.fit.surface, **fields)
    orders = tuple(replace(one, surface=surface) if one is result.fit else one for one in result.orders)
    return replace(result, orders=orders)


def of_pointing(result, *pointing_rad):
    maps = tuple(replace(one, pointing_rad=place) for one, place in zip(result.fit.maps, pointing_rad, strict=True))
    return replace(result, orders=tuple(replace(one, maps=maps) if one is result.fit else one for one in result.orders))


@pytest.mark.parametrize(("best_focus_m", "way"), [(-0.002, "away from the primary"), (0.002, "towards the primary")])
def test_focus_moves_by_minus_its_error(made_result, best_focus_m, way):
    correction = focus_correction(of_surface(made_result, best_focus_m=best_focus_m, best_focus_m_error=0.0004))
    assert correction.move_m == -best_focus_m
    assert correction.sentence == (
        f"Move the subreflector by 2.00 \N{PLUS-MINUS SIGN} 0.40 mm {way} from where it stood at dz = 0."
    )


def test_a_move_within_its_error_is_said_to_be_none(made_result):
    correction = focus_correction(of_surface(made_result, best_focus_m=-0.0007, best_focus_m_error=0.0004))
    assert not correction.significant
    assert correction.sentence.endswith("This is within 2 standard errors of no move.")


def test_what_moves_at_the_prime_focus(made_result):
    geometry = replace(made_result.telescope.geometry, kind="prime-focus")
    telescope = replace(made_result.telescope, geometry=geometry)
    assert focus_correction(replace(made_result, telescope=telescope)).what == "feed"
    assert focus_correction(made_result).what == "subreflector"


def test_unknown_focus_is_said(made_result):
    assert focus_correction(of_surface(made_result, best_focus_m=math.nan)).sentence == "The focus is unknown."


def test_the_axis_moves_by_minus_u_v(made_result):
    """A beam that peaks with the source to the right of the axis looks to the right: the axis must go left."""
    result = of_pointing(
        made_result, (3 * ARCSEC_RAD, -2 * ARCSEC_RAD), (5 * ARCSEC_RAD, -1 * ARCSEC_RAD), (1 * ARCSEC_RAD, 0.0)
    )
    correction = pointing_correction(result)
    np.testing.assert_allclose(np.divide(correction.add_rad, ARCSEC_RAD), [-5, 1])
    assert "left and 1 arcsec up, seen from behind the dish" in correction.sentence
    np.testing.assert_allclose(correction.by_map_rad[0], [-3 * ARCSEC_RAD, 2 * ARCSEC_RAD])
    assert correction.scatter_rad == pytest.approx(math.hypot(4, 1) * ARCSEC_RAD)


def with_errors(result, u_rad, v_rad):
    """The result whose pointing of the map in focus has these errors."""
    names = ("pointing_u_rad[2]", "pointing_v_rad[2]")
    full = replace(result.fit, covariance_names=names, covariance=np.diag([u_rad**2, v_rad**2]))
    return replace(result, orders=tuple(full if one is result.fit else one for one in result.orders))


@pytest.mark.parametrize(
    ("errors", "significant"), [((3.0, 0.6), False), ((2.4, 0.6), True), ((3.0, 0.4), True), ((2.4, 0.4), True)]
)
def test_a_move_of_the_axis_within_its_errors_is_said_to_be_none(made_result, errors, significant):
    """5 arcsec to the left and 1 up: more than two errors of either is a move."""
    pointed = of_pointing(made_result, (0.0, 0.0), (5 * ARCSEC_RAD, -ARCSEC_RAD), (0.0, 0.0))
    correction = pointing_correction(with_errors(pointed, *np.multiply(errors, ARCSEC_RAD)))
    assert correction.significant == significant
    words = "This is within 2 standard errors of no move. This is from the map nearest to focus"
    assert (words in correction.sentence) == (not significant)


def test_the_move_of_the_axis_in_short_has_its_errors(made_result):
    pointed = of_pointing(made_result, (0.0, 0.0), (5 * ARCSEC_RAD, -ARCSEC_RAD), (0.0, 0.0))
    known = pointing_correction(with_errors(pointed, 1.2 * ARCSEC_RAD, 0.25 * ARCSEC_RAD))
    sign = "\N{PLUS-MINUS SIGN}"
    assert known.short == f"5.0 {sign} 1.2\N{DOUBLE PRIME} left, 1.00 {sign} 0.25\N{DOUBLE PRIME} up"
    fixed = replace(known, error_rad=(math.nan, math.nan))
    assert fixed.short == "5\N{DOUBLE PRIME} left, 1\N{DOUBLE PRIME} up"
    assert fixed.significant


def test_unknown_pointing_is_said(made_result):
    lost = of_pointing(made_result, (0.0, 0.0), (math.nan, 0.0), (0.0, 0.0))
    assert pointing_correction(lost).sentence == "The pointing is unknown."


def test_error_of_the_pointing_in_focus_counts_what_its_maps_share(made_result):
    names = ("pointing_u_rad[1]", "pointing_u_rad[2]", "pointing_u_rad[3]", "edge_taper_db")
    covariance = np.array([[4.0, 1, 1, 7], [1, 4, 1, 7], [1, 1, 4, 7], [7, 7, 7, 90]])
    full = replace(made_result.fit, covariance_names=names, covariance=covariance)
    result = replace(made_result, orders=(made_result.orders[0], full))
    u_error, v_error = pointing_correction(result).error_rad
    assert u_error == pytest.approx(2.0)
    maps = tuple(replace(one, dz_m=dz_m) for one, dz_m in zip(full.maps, (0.0, 0.0, 0.01), strict=True))
    twice = replace(made_result, orders=(made_result.orders[0], replace(full, maps=maps)))
    assert pointing_correction(twice).error_rad[0] == pytest.approx(math.sqrt(10) / 2)
    assert math.isnan(v_error)


def test_moving_the_axis_so_brings_the_source_into_the_beam():
    """A telescope whose beam looks to the right of its axis and below it sees the source peak there.

    Its maps are those of a telescope without that fault, every sample labelled with where the source was from its axis.
    To look at the source it has to go back.
    """
    looks_rad = (4 * ARCSEC_RAD, -3 * ARCSEC_RAD)
    made = simulate("jcmt", wavelength_m=1.1e-3, defocus_m=(-3e-3, 0, 3e-3), surface=30.0, order=3, snr=500, seed=5)
    maps = tuple(
        replace(one, u_rad=one.u_rad + looks_rad[0], v_rad=one.v_rad + looks_rad[1]) for one in made.observation.maps
    )
    result = fit(replace(made.observation, maps=maps), load_telescope("jcmt"), FitSettings(order=3))
    correction = pointing_correction(result)
    np.testing.assert_allclose(correction.add_rad, np.negative(looks_rad), atol=0.3 * ARCSEC_RAD)
    assert "left" in correction.sentence
    assert " up," in correction.sentence
