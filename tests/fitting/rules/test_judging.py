"""All rules together: each kind of flag is raised by what it is about and by nothing else, at the limit that is set."""

from dataclasses import replace

import numpy as np
import pytest

from oofpy.fitting.fitter import fit_observation
from oofpy.fitting.result import Parameter
from oofpy.fitting.rules import judge, rejudged
from oofpy.fitting.rules.judging import observation_of
from oofpy.fitting.status import FitStatus
from oofpy.flag_kinds import FLAG_KINDS, Level
from oofpy.flags import Flag
from oofpy.limits import Limits

AT_BOUND = Parameter("edge_taper_db", -6.0, 0.1, "dB", True, at_bound=True)
FIT_KINDS = {code: kind for code, kind in FLAG_KINDS.items() if kind.stage == "fit"}


def half_widths(count):
    """Pointing so many half-widths of the simulated maps off their middle."""
    return (0.0, count * 6 * 1.1e-3 / 15)


def pair(result, correlation):
    """A covariance in which only the focus and the taper are correlated."""
    names = result.fit.covariance_names
    covariance = np.eye(len(names))
    places = [names.index("Z(2,0)"), names.index("edge_taper_db")]
    covariance[places, places[::-1]] = correlation
    return {"covariance": covariance}


def focus_at(result, order, dz_m):
    fits = (
        replace(fit, surface=replace(fit.surface, best_focus_m=dz_m)) if fit.order in order else fit
        for fit in result.orders
    )
    return replace(result, orders=tuple(fits))


def left_out(result, shift_rad):
    """The coefficients of the fit without the second map shifted."""
    fits = list(result.left_out_fits)
    moved = tuple(replace(c, phase_rad=c.phase_rad + shift_rad) for c in result.fit.coefficients)
    fits[1] = replace(fits[1], coefficients=moved)
    return replace(result, left_out_fits=tuple(fits))


@pytest.fixture(scope="module")
def spoilt(with_fit, with_surface, with_map, with_phase):
    """What each kind of flag is about, made of a sound fit."""
    radius = 7.5
    return {
        "no-beam": lambda r: with_map(r, gain=0.0),
        "source-outside": lambda r: with_map(r, pointing_rad=half_widths(1.1)),
        "source-off-centre": lambda r: with_map(r, pointing_rad=half_widths(-0.6)),
        "not-converged": lambda r: with_fit(r, status=FitStatus.STALLED),
        "surface-implausible": lambda r: with_surface(r, ruze_efficiency=1e-9, rms_as_observed_um=4e3),
        "large-rms": lambda r: with_surface(r, rms_as_observed_um=1.2 * 1100 / (4 * np.pi)),
        # Over 15 m / 4 at order 3: 3.375 rad.
        "steep-phase": lambda r: with_phase(r, lambda x, y: 0.9 * x + 0 * y),
        "rim-dominated": lambda r: with_phase(r, lambda x, y: np.where(np.hypot(x, y) > 0.85 * radius, 0.4, 0.1)),
        "large-focus": lambda r: focus_at(r, (2, 3), -1.2e-3),
        "focus-jumps": lambda r: focus_at(r, (2,), r.fit.surface.best_focus_m - 0.6e-3),
        "structured-residuals": lambda r: with_map(r, beam_scale_correlation=0.2),
        "misfit": lambda r: with_fit(r, reduced_chi2=9.0),
        "gain-ratio": lambda r: with_map(r, gain=1.5 * r.fit.maps[0].gain),
        "map-disagrees": lambda r: left_out(r, 10 * r.fit.coefficients[0].phase_rad_error),
        "parameter-at-bound": lambda r: with_fit(r, parameters=(*r.fit.parameters, AT_BOUND)),
        "competing-minimum": lambda r: with_fit(r, rival_log_likelihood=3.0, rival_distance_rad=0.4),
        "start-trapped": lambda r: with_fit(r, rival_log_likelihood=500.0, rival_distance_rad=0.4),
        "ill-conditioned": lambda r: with_fit(r, **pair(r, 0.8)),
        "many-samples-down-weighted": lambda r: with_map(r, down_weighted_fraction=0.4),
        "peak-disregarded": lambda r: with_map(r, bright_weight=0.1),
        "correlated-residuals": lambda r: with_map(r, correlation_samples=70.0),
        "degenerate-pair": lambda r: with_fit(r, **pair(r, -0.97)),
    }


# Of every limit: the kind, a value at which the spoilt fit raises it, and one at which it does not.
LIMITS = [
    ("source-off-centre", "most_off_centre", 0.59, 0.61),
    ("large-rms", "most_phase_rms_rad", 1.19, 1.21),
    ("steep-phase", "most_phase_step_rad", 3.3, 3.4),
    ("rim-dominated", "most_rim_ratio", 3.9, 4.1),
    ("large-focus", "most_focus_error", 0.59, 0.61),
    ("focus-jumps", "most_focus_jump", 0.29, 0.31),
    ("structured-residuals", "most_beam_scale_correlation", 0.19, 0.21),
    ("misfit", "most_reduced_chi2", 8.9, 9.1),
    ("gain-ratio", "most_gain_difference", 0.2, 0.7),
    ("map-disagrees", "most_left_out_change", 5.0, 20.0),
    ("competing-minimum", "rival_log_likelihood", 3.1, 2.9),
    ("competing-minimum", "rival_distance_rad", 0.39, 0.41),
    ("start-trapped", "rival_distance_rad", 0.39, 0.41),
    ("start-trapped", "rival_log_likelihood", 499.0, 501.0),
    ("ill-conditioned", "most_condition_number", 8.9, 9.1),  # 1.8 over 0.2
    ("many-samples-down-weighted", "most_down_weighted", 0.39, 0.41),
    ("peak-disregarded", "least_bright_weight", 0.11, 0.09),
    ("correlated-residuals", "most_correlated_samples", 69.0, 71.0),
    ("degenerate-pair", "least_correlation", 0.96, 0.98),
]


def found(result, **limits):
    return {flag.code for flag in judge(result, Limits(**limits))}


def test_a_sound_fit_has_none(fitted):
    assert judge(fitted, Limits()) == ()
    assert (fitted.flags, fitted.verdict, fitted.status) == ((), "accept", "ok")


def test_every_kind_is_tried(spoilt):
    assert set(spoilt) == set(FIT_KINDS)
    tried = {(code, name) for code, name, _, _ in LIMITS} | {("large-rms", "most_surface_rms_m")}
    assert {(code, name) for code, kind in FIT_KINDS.items() for name in kind.limits} <= tried


@pytest.mark.parametrize("code", FIT_KINDS)
def test_each_kind_is_raised_by_what_it_is_about_and_by_nothing_else(fitted, spoilt, code):
    # Nine is no bad condition unless somebody says so.
    limits = {"most_condition_number": 8.0} if code == "ill-conditioned" else {}
    if limits:
        fitted = replace(fitted, orders=tuple(replace(f, covariance=np.eye(len(f.covariance))) for f in fitted.orders))
        assert found(fitted, **limits) == set()
    [flag] = judge(spoilt[code](fitted), Limits(**limits))
    assert (flag.code, flag.level) == (code, FIT_KINDS[code].level)
    assert flag.message.isprintable()
    assert not flag.message.endswith(("nothing", "."))


@pytest.mark.parametrize(("code", "name", "raises", "does_not"), LIMITS)
def test_each_limit_can_be_set(fitted, spoilt, code, name, raises, does_not):
    result = spoilt[code](fitted)
    assert code in found(result, **{name: raises})
    assert code not in found(result, **{name: does_not})


def test_the_rms_of_the_surface_has_a_limit_when_one_is_set(fitted):
    rms_m = fitted.fit.surface.rms_as_observed_um * 1e-6
    assert found(fitted, most_surface_rms_m=0.99 * rms_m) == {"large-rms"}
    assert found(fitted, most_surface_rms_m=1.01 * rms_m) == set()


@pytest.mark.parametrize("code", FIT_KINDS)
def test_the_verdict_is_that_of_the_level(fitted, spoilt, code):
    limits = Limits(most_condition_number=8.0) if code == "ill-conditioned" else Limits()
    result = spoilt[code](fitted)
    judged = replace(result, flags=judge(result, limits))
    level = FIT_KINDS[code].level
    assert judged.verdict == {Level.NOTE: "accept", Level.CHECK: "check", Level.REJECT: "reject"}[level]
    expected = "failed" if code == "no-beam" else "ok" if level is Level.NOTE else "flagged"
    assert judged.status == expected


def test_a_fit_that_is_not_finite_says_no_more(fitted, with_fit):
    nan = float("nan")
    broken = with_fit(
        fitted,
        status=FitStatus.NOT_FINITE,
        covariance=fitted.fit.covariance * nan,
        maps=tuple(replace(one, gain=nan, pointing_rad=(nan, nan)) for one in fitted.fit.maps),
    )
    broken = replace(broken, map_arrays=tuple(replace(one, weight=one.weight * nan) for one in broken.map_arrays))
    assert found(broken) == {"not-converged"}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_start_that_is_not_finite_ends_in_a_failed_result(simulated, jcmt, settings, codes):
    from oofpy.fitting.settings import ParameterRule

    chosen = settings(parameters={"defocus_error_m": ParameterRule(start=1e308, free=False)})
    result = fit_observation(simulated.observation, jcmt, chosen)
    assert result.fit.status is FitStatus.NOT_FINITE
    assert (codes(result), result.status, result.verdict) == (["not-converged"], "failed", "reject")


def test_many_doubts_are_one_line_each(fitted, spoilt):
    result = fitted
    for code in ("gain-ratio", "misfit", "degenerate-pair", "structured-residuals", "not-converged", "start-trapped"):
        result = spoilt[code](result)
    flags = judge(result, Limits())
    assert {flag.code for flag in flags} >= {"gain-ratio", "misfit", "structured-residuals", "start-trapped"}
    assert len({flag.code for flag in flags}) == len(flags)


def as_told(result):
    return [(flag.code, flag.level, flag.message) for flag in result.flags]


def test_judged_again_by_the_same_limits_a_result_is_the_same(fitted):
    again = rejudged(fitted, Limits())
    assert as_told(again) == as_told(fitted) == []
    assert again.fit is fitted.fit
    assert again.settings == fitted.settings


@pytest.fixture(scope="module")
def doubtful(simulated, jcmt, settings):
    """Another dz than the maps had, the third map faint and with samples left out, and something told by the reader."""
    rng, maps = np.random.default_rng(5), list(simulated.observation.maps)
    power = maps[2].power + rng.normal(0, 0.03 * np.ptp(maps[2].power), maps[2].power.size)
    power[rng.choice(power.size, 50, replace=False)] = np.nan
    maps[2] = replace(maps[2], power=power, defocus_m=1.2e-3, label="PLUS OOF")
    told = (Flag("samples-unobserved", "as read"), Flag("telescope-replaced", "as read"))
    observation = replace(simulated.observation, maps=tuple(maps), flags=told, object_name="Jupiter")
    return fit_observation(observation, jcmt, settings("cauchy", ladder=True, leave_one_out=True))


def test_judged_again_every_doubt_is_the_same(doubtful):
    codes = {flag.code for flag in doubtful.flags}
    assert {FLAG_KINDS[code].stage for code in codes} == {"reading", "maps", "fit"}
    assert len(codes) >= 5
    assert as_told(rejudged(doubtful, Limits())) == as_told(doubtful)


def test_judged_by_other_limits_only_the_flags_and_the_limits_are_others(doubtful):
    limits = Limits(fewest_good_maps=3, least_signal_to_noise=1e5, most_reduced_chi2=1e9)
    strict = rejudged(doubtful, limits)
    assert strict.verdict == "reject"
    assert strict.settings == replace(doubtful.settings, limits=limits)
    codes, before = ({flag.code for flag in one.flags} for one in (strict, doubtful))
    assert "too-few-good-maps" in codes - before
    assert "misfit" not in codes
    # What the reader has told it cannot judge again.
    assert strict.flags[:2] == doubtful.flags[:2]
    assert as_told(rejudged(strict, Limits())) == as_told(doubtful)


def test_a_tighter_limit_makes_another_verdict(fitted):
    strict = rejudged(fitted, Limits(most_surface_rms_m=10e-6))
    assert (strict.verdict, strict.status) == ("check", "flagged")
    assert [flag.code for flag in strict.flags] == ["large-rms"]
    assert rejudged(fitted, Limits(fewest_good_maps=4)).verdict == "reject"
    assert rejudged(strict, Limits(most_surface_rms_m=1e-3)).verdict == "accept"
    # A note at the most.
    assert rejudged(fitted, Limits(least_signal_in_focus=1e6)).verdict == "accept"


def test_the_observation_of_a_result_is_the_one_that_was_fitted(doubtful):
    observation = observation_of(doubtful)
    assert observation.frame == "model"
    assert observation.object_name == "Jupiter"
    assert observation.defocus_m.tolist() == [-2e-3, 0.0, 1.2e-3]
    assert [one.samples for one in observation.maps] == [1681, 1681, 1631]
    assert observation.maps[2].label == "PLUS OOF"
    np.testing.assert_array_equal(observation.maps[0].power, doubtful.map_arrays[0].observed)
