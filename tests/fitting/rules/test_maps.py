import math
from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.fitter import fit_observation
from oofpy.fitting.rules.maps import gain_ratio, left_out_change, map_disagrees, no_beam, source_place
from oofpy.fitting.rules.residuals import structure
from oofpy.optics.zernike import zernike_terms

HALF_WIDTH_RAD = 6 * 1.1e-3 / 15


def test_a_map_without_a_source_is_named(fitted, with_map, by):
    first, second, third = fitted.map_arrays
    named = replace(fitted, map_arrays=(first, replace(second, label="ZERO OOF"), third))
    for gain in (0.0, -3.0):
        assert by(no_beam, with_map(named, gain=gain))["no-beam"].message.startswith(
            "map 2 (ZERO OOF): the model finds"
        )
        # What has no gain has no ratio of gains.
        assert by(gain_ratio, with_map(named, gain=gain)) == {}


@pytest.mark.parametrize(
    ("u", "v", "code"),
    [
        (0.0, 0.0, None),
        (0.49, -0.49, None),
        (0.0, 0.51, "source-off-centre"),
        (-0.51, 0.0, "source-off-centre"),
        (0.99, 0.0, "source-off-centre"),
        (0.0, 1.01, "source-outside"),
        (-1.01, 0.7, "source-outside"),
    ],
)
def test_the_place_of_the_source_in_half_widths(fitted, with_map, by, u, v, code):
    place = (u * HALF_WIDTH_RAD, v * HALF_WIDTH_RAD)
    assert list(by(source_place, with_map(fitted, pointing_rad=place))) == ([code] if code else [])


def test_the_middle_is_that_of_the_samples_that_are_used(fitted, by):
    arrays = fitted.map_arrays[0]
    # Without its left half the source, which stays, lies near the border of the map.
    weight = np.where(arrays.u_rad > -0.05 * HALF_WIDTH_RAD, arrays.weight, 0.0)
    result = replace(fitted, map_arrays=(replace(arrays, weight=weight), *fitted.map_arrays[1:]))
    assert "map 1: the source lies " in by(source_place, result)["source-off-centre"].message


@pytest.mark.parametrize(
    ("gains", "off"),
    [((1, 1.2, 0.9), None), ((2, 1, 1), "+100%"), ((10, 7, 10), "-30%"), ((1, 2), "-33%"), ((1, 1.5), None)],
)
def test_gains_against_the_median_of_all(fitted, with_fit, by, gains, off):
    maps = tuple(replace(one, gain=5.0 * gain) for one, gain in zip(fitted.fit.maps, gains, strict=False))
    result = with_fit(fitted, maps=maps)
    flags = by(gain_ratio, result)
    assert list(flags) == (["gain-ratio"] if off else [])
    assert all(f"off the median of all by {off} (" in flag.message for flag in flags.values())


def test_the_map_whose_gain_is_off_is_named(fitted, with_map, by):
    message = by(gain_ratio, with_map(fitted, 3, gain=2 * fitted.fit.maps[0].gain))["gain-ratio"].message
    assert message.startswith("the gain of map 3 is off")
    assert "clouds" in message


def shifted(fit, shift_rad, error_rad, term=(2, 0)):
    """A fit with one coefficient moved and all errors the same."""
    return replace(
        fit,
        coefficients=tuple(
            replace(c, phase_rad=c.phase_rad + shift_rad * ((c.n, c.l) == term), phase_rad_error=error_rad)
            for c in fit.coefficients
        ),
    )


@pytest.mark.parametrize(("term", "norm"), [((2, 0), math.sqrt(3)), ((2, 2), math.sqrt(6)), ((3, -1), math.sqrt(8))])
def test_the_change_is_counted_in_errors_over_the_disc(fitted, term, norm):
    # Mean squares over the disc: 1/3 of Z(2,0), 1/6 of the other two of order 2, 1/8 of the four of order 3.
    error = 0.01 * math.sqrt(1 / 3 + 2 / 6 + 4 / 8)
    found = left_out_change(fitted.fit, shifted(fitted.fit, 0.05, 0.01, term))
    assert found == pytest.approx(0.05 / norm / error, rel=1e-12)
    assert {(t.n, t.l): t.norm for t in zernike_terms(3, 2)}[term] == pytest.approx(norm)


def test_a_change_without_errors(fitted):
    assert left_out_change(fitted.fit, shifted(fitted.fit, 0.0, 0.0)) == 0
    assert left_out_change(fitted.fit, shifted(fitted.fit, 0.1, 0.0)) == math.inf


def test_maps_that_agree_change_the_surface_by_about_their_errors(fitted, by):
    changes = [left_out_change(fitted.fit, fit) for fit in fitted.left_out_fits]
    assert len(changes) == 3
    assert 0.1 < max(changes) < 3
    assert by(map_disagrees, fitted) == {}
    other = replace(fitted, left_out_fits=(shifted(fitted.left_out_fits[1], 1.0, 0.01),))
    assert by(map_disagrees, other)["map-disagrees"].message.startswith("without map 2 the surface differs by ")
    assert by(map_disagrees, replace(fitted, left_out_fits=())) == {}


def observed_with(observation, dz_m=None, **third):
    """The observation with other dz, or another third map."""
    maps = (*observation.maps[:2], replace(observation.maps[2], **third))
    if dz_m is not None:
        maps = tuple(replace(one, defocus_m=move) for one, move in zip(maps, dz_m, strict=True))
    return replace(observation, maps=maps)


@pytest.mark.parametrize("likelihood", ["gaussian", "cauchy"])
def test_maps_of_which_none_fits_the_others_disagree(simulated, jcmt, settings, codes, likelihood):
    """Their dz are interchanged."""
    shuffled = observed_with(simulated.observation, dz_m=(0.0, 2e-3, -2e-3))
    result = fit_observation(shuffled, jcmt, settings(likelihood, leave_one_out=True))
    assert {"map-disagrees", "structured-residuals", "misfit"} <= set(codes(result))
    assert result.verdict == "check"
    alone = fit_observation(shuffled, jcmt, settings(likelihood))
    assert "map-disagrees" not in codes(alone)


def ghost_beside(beam_map):
    """A false source of a fifth of the range, 2.9 beams from the middle."""
    beam_rad = HALF_WIDTH_RAD / 6
    r2 = (beam_map.u_rad - 2.5 * beam_rad) ** 2 + (beam_map.v_rad + 1.5 * beam_rad) ** 2
    return beam_map.power + 0.2 * np.ptp(beam_map.power) * np.exp(-4 * math.log(2) * r2 / (1.2 * beam_rad) ** 2)


@pytest.mark.parametrize(("fault", "likelihood"), [("dz", "gaussian"), ("dz", "cauchy"), ("ghost", "gaussian")])
def test_one_map_that_does_not_belong_is_named(
    simulated, jcmt, settings, phases, rms_rad, surface, by, fault, likelihood
):
    third = simulated.observation.maps[2]
    wrong = {"dz": {"defocus_m": 1.6e-3}, "ghost": {"power": ghost_beside(third)}}[fault]
    result = fit_observation(observed_with(simulated.observation, **wrong), jcmt, settings(likelihood))
    assert result.verdict == "check"
    assert by(structure, result)["structured-residuals"].message.startswith("map 3: ")
    # Its noise is fitted for itself and grows until the map has no say.
    assert rms_rad(phases(result) - surface) < 0.002


def test_a_ghost_that_the_likelihood_disregards_does_no_harm(
    simulated, jcmt, settings, codes, phases, rms_rad, surface
):
    spoilt = observed_with(simulated.observation, power=ghost_beside(simulated.observation.maps[2]))
    result = fit_observation(spoilt, jcmt, settings("cauchy", leave_one_out=True))
    assert (result.verdict, codes(result)) == ("accept", [])
    assert rms_rad(phases(result) - surface) < 0.002
