import numpy as np
import pytest

from oofpy.errors import ConfigurationError, InputError
from oofpy.planning import SampleNoise, SharedTime, plan_observation
from oofpy.planning.observation_plan import candidate_dz_m

DZ_M = (10e-3, 25e-3, 60e-3, 150e-3)


@pytest.fixture(scope="module")
def plan(situation):
    """Of two orders, maps of two sizes and two samplings."""
    planned = situation((2, 3))
    beam = planned.beam_rad
    return plan_observation(
        planned,
        SampleNoise(500),
        dz_m=DZ_M,
        half_widths_rad=(8 * beam, 12 * beam),
        spacings_rad=(0.5 * beam, 0.4 * beam),
    )


def test_every_order_size_and_sampling_has_a_curve(plan):
    assert [curve.order for curve in plan.curves] == [2, 3] * 4
    assert len({(curve.half_width_rad, curve.spacing_rad) for curve in plan.curves}) == 4
    for curve in plan.curves:
        dz = [one.dz_m for one in curve.predictions]
        assert dz == sorted(dz)
        assert set(DZ_M) <= set(dz)
        assert {one.order for one in curve.predictions} == {curve.order}
        assert curve.best.maps.half_width_rad == curve.half_width_rad


def test_the_best_beats_its_neighbours(plan, situation):
    for curve in plan.curves:
        assert curve.best.surface_error_um == min(curve.merits)
        assert not curve.at_edge
        low, high = curve.nearly_best_dz_m
        assert DZ_M[0] < low < curve.best.dz_m < high < DZ_M[-1]
    curve = plan.curves[1]
    near = plan_observation(
        situation((3,)),
        SampleNoise(500),
        dz_m=[factor * curve.best.dz_m for factor in (0.5, 0.9, 1.1, 2.0)],
        half_widths_rad=[curve.half_width_rad],
        spacings_rad=[curve.spacing_rad],
    ).curves[0]
    errors = {round(one.dz_m / curve.best.dz_m, 6): one.surface_error_um for one in near.predictions}
    least = curve.best.surface_error_um
    assert errors[0.9] >= 0.999 * least
    assert errors[1.1] >= 0.999 * least
    assert errors[0.5] > 1.03 * least
    assert errors[2.0] > 1.03 * least


def test_the_search_finds_what_a_fine_grid_finds(situation):
    planned = situation((3,))
    beam = planned.beam_rad
    layout = {"half_widths_rad": (10 * beam,), "spacings_rad": (0.5 * beam,)}
    searched = plan_observation(planned, SampleNoise(500), dz_m=(20e-3, 40e-3, 80e-3), **layout).best
    fine = plan_observation(planned, SampleNoise(500), dz_m=np.geomspace(20e-3, 80e-3, 40), **layout).best
    assert searched.best.surface_error_um == pytest.approx(fine.best.surface_error_um, rel=2e-3)
    assert len(searched.predictions) < 20


@pytest.mark.parametrize("merit", ["focus", "without-focus", "Z(3,-1)"])
def test_other_merits_are_made_least(situation, merit):
    planned = situation((3,))
    spacing = (0.5 * planned.beam_rad,)
    plan = plan_observation(planned, SampleNoise(500), dz_m=DZ_M, spacings_rad=spacing, merit=merit)
    curve = plan.best
    wanted = {
        "focus": lambda one: one.focus_error_m,
        "without-focus": lambda one: one.surface_error_without_focus_um,
        "Z(3,-1)": lambda one: one.coefficient_errors_rad[[term.label for term in one.terms].index("Z(3,-1)")],
    }[merit]
    assert curve.merits == pytest.approx([wanted(one) for one in curve.predictions])
    assert wanted(curve.best) == min(curve.merits)


def test_one_dz_is_taken_as_it_is(situation):
    planned = situation((2,))
    plan = plan_observation(planned, SampleNoise(500), dz_m=(40e-3,), spacings_rad=(0.5 * planned.beam_rad,))
    assert len(plan.best.predictions) == 1
    assert plan.best.best.dz_m == 40e-3
    assert not plan.best.at_edge
    assert plan.best.nearly_best_dz_m == pytest.approx((40e-3, 40e-3))


def test_candidates_that_are_all_too_small_end_at_the_edge(situation):
    planned = situation((2,))
    plan = plan_observation(planned, SampleNoise(500), dz_m=(4e-3, 6e-3, 9e-3), spacings_rad=(0.5 * planned.beam_rad,))
    assert plan.best.at_edge
    assert plan.best.best.dz_m > 8.5e-3


def test_default_candidates_follow_the_path_over_the_dish(situation):
    planned = situation()
    candidates = candidate_dz_m(planned)
    waves = [planned.path_waves(dz) for dz in (candidates[0], candidates[-1])]
    assert waves == pytest.approx([0.25, 4], rel=0.01)
    assert candidate_dz_m(situation(wavelength_m=2.2e-3)) == pytest.approx(2 * np.array(candidates), rel=0.01)


def test_in_a_fixed_time_small_maps_are_better_until_they_are_too_small(situation):
    planned = situation((3,))
    beam = planned.beam_rad
    plan = plan_observation(
        planned,
        SharedTime(600, 1000),
        dz_m=(60e-3,),
        half_widths_rad=[size * beam for size in (2, 8, 16)],
        spacings_rad=(0.5 * beam,),
    )
    assert [curve.best.remarks for curve in plan.curves] == [("small-map",), (), ()]
    assert plan.best is plan.curves[1]
    assert plan.curves[2].best.surface_error_um > 1.8 * plan.best.best.surface_error_um


def test_what_cannot_be_judged_is_left_out_with_its_reason(situation):
    planned = situation((2,), wavelength_m=0.35e-3)
    spacing = (0.5 * planned.beam_rad,)
    plan = plan_observation(planned, SampleNoise(500), dz_m=(5e-3, 0.5), spacings_rad=spacing)
    [(dz, reason)] = plan.left_out
    assert dz == 0.5
    assert "pixels across the dish" in reason
    with pytest.raises(InputError, match=r"dz = 0.5 m: the model would need .* pixels"):
        plan_observation(planned, SampleNoise(500), dz_m=(0.5,), spacings_rad=spacing)
    with pytest.raises(InputError, match="too few samples"):
        plan_observation(planned, SampleNoise(500), dz_m=(5e-3,), half_widths_rad=(1e-5,), spacings_rad=(1e-5,))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dz_m": ()}, "dz: no candidate is given"),
        ({"dz_m": (0.0, 1e-3)}, "dz_m = 0.0 m: is out of range"),
        ({"dz_m": (-1e-3,)}, "dz_m = -0.001 m: is out of range"),
        ({"half_widths_rad": (0.0,)}, "half_width_rad"),
        ({"spacings_rad": (1.0,)}, "spacing_rad = 1.0 rad: is out of range"),
        ({"merit": "rms"}, "merit = rms: is not known; choose surface, without-focus, focus"),
        ({"merit": "Z(4,0)"}, "merit = Z(4,0): is not known"),
    ],
)
def test_what_is_no_plan_is_refused(situation, changes, said):
    with pytest.raises(ConfigurationError) as refused:
        plan_observation(situation(), SampleNoise(500), **({"dz_m": (30e-3,)} | changes))
    assert said in str(refused.value)
