import numpy as np
import pytest

from oofpy.errors import ConfigurationError, InputError
from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.observing import ExtendedSource, Observing
from oofpy.planning import Situation
from oofpy.planning.map_size import map_grid
from oofpy.simulation import Grid, Simulator, random_surface


def test_the_same_is_free_as_in_a_fit(situation):
    rules = {"edge_taper_db": ParameterRule(free=False), "defocus_error_m[1]": ParameterRule(free=True)}
    planned = situation(settings=FitSettings(parameters=rules, likelihood="gaussian"))
    problem = planned.problem(planned.defocus_m(0.06), Grid(21, 1e-3))
    names = problem.at_order(3).free_names
    assert "edge_taper_db" not in names
    assert "defocus_error_m[1]" in names
    assert "defocus_error_m[2]" not in names
    assert {"Z(2,0)", "Z(3,3)", "pointing_u_rad[1]", "pointing_v_rad[3]"} <= set(names)
    assert problem.model.defocus_m.tolist() == [[-0.06, 0.0, 0.06]]


def test_any_pattern_of_defocus(situation):
    assert situation(pattern=(-1.0, 0.5, 2.0)).defocus_m(0.02) == pytest.approx((-0.02, 0.01, 0.04))
    twice = situation(pattern=(-1.0, 0.0, 2.0))
    assert twice.path_waves(0.02) == pytest.approx(situation().path_waves(0.04))


def test_a_near_source_has_its_own_focus(fyst):
    far = Situation(fyst, 1.1e-3)
    near = Situation(fyst, 1.1e-3, observing=Observing(source_distance_m=800.0))
    assert far.focus_m == 0
    # 1/f = 1/d + 1/f': the focus lies behind that for infinity by f^2/d.
    assert near.focus_m == pytest.approx(14.4**2 / 800, rel=0.02)
    assert near.defocus_m(0.03) == pytest.approx(near.focus_m + np.array([-0.03, 0, 0.03]))
    assert near.peak_in_focus == pytest.approx(1, abs=2e-3)


def test_the_peak_in_focus_is_that_of_the_dish_and_the_source(situation):
    assert situation().peak_in_focus == pytest.approx(1, abs=1e-6)
    surface = random_surface(4, 0.4, seed=3)
    planned = situation((3,), surface_rad=surface)
    assert len(planned.terms) == len(surface)
    simulator = Simulator(planned.telescope, 1.1e-3, (0.0, 0.1), Grid(81, 4 * planned.beam_rad), order=4)
    assert planned.peak_in_focus == pytest.approx(float(simulator.maps(surface[None])[0, 0].max()), rel=1e-3)
    disc = situation(observing=Observing(source=ExtendedSource("disc", 2 * planned.beam_rad)))
    assert 0.2 < disc.peak_in_focus < 0.6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pattern": (1.0,)}, "pattern = 1: needs two or more maps with different defocus"),
        ({"pattern": (1.0, 1.0)}, "needs two or more maps"),
        ({"orders": ()}, "order: no order is given"),
        ({"orders": (1,)}, "order = 1"),
        ({"orders": (5, 13)}, "order = 13"),
        ({"wavelength_m": 0.0}, "wavelength = 0 m: must be above zero"),
    ],
)
def test_what_cannot_be_planned_for_is_refused(situation, changes, said):
    with pytest.raises(ConfigurationError) as refused:
        situation(**changes)
    assert said in str(refused.value)


def test_a_model_that_is_too_large_is_refused_without_advice_about_maps(situation):
    planned = situation(wavelength_m=0.35e-3)
    with pytest.raises(InputError, match="pixels across the dish") as refused:
        planned.problem(planned.defocus_m(0.5), map_grid(planned.reach_rad(0.5), planned.beam_rad))
    assert "--radius" not in str(refused.value)
