from dataclasses import replace

import pytest

from oofpy.fitting.settings import FitSettings
from oofpy.planning import SampleNoise, plan_observation
from oofpy.planning.situation import PLAN_SETTINGS
from oofpy.planning.words import assumptions, defocus_in_words, recommendation, remarks, rounded_angle
from oofpy.simulation import random_surface


@pytest.fixture(scope="module")
def plan_for(situation):
    def plan_for(dz_m, snr=500, merit="surface", half_widths=(), **changes):
        planned = situation((2,), **changes)
        return plan_observation(
            planned,
            SampleNoise(snr),
            dz_m=dz_m,
            half_widths_rad=half_widths,
            spacings_rad=(0.5 * planned.beam_rad,),
            merit=merit,
        )

    return plan_for


def test_what_a_plan_rests_on(plan_for):
    surface = random_surface(2, 0.4, seed=1)
    said = "\n".join(assumptions(plan_for((40e-3,), surface_rad=surface)))
    # 0.4 rad of phase are 35 um of half path at 1.1 mm.
    assert "fyst, wavelength 1.1 mm: 3 maps at -dz, 0, +dz; a dish of 35 um rms" in said
    assert "peak in focus / 500" in said
    assert "gain and background of every map, edge_taper_db, pointing_u_rad, pointing_v_rad" in said
    assert "with cauchy, the default of a fit, the errors are 1.29 times as large" in said
    robust = plan_for((40e-3,), settings=FitSettings(likelihood="huber"))
    assert "which costs a factor 1.04 where the noise is Gaussian" in "\n".join(assumptions(robust))


def test_what_to_do(plan_for):
    plan = plan_for((15e-3, 30e-3, 60e-3, 150e-3), snr=5000)
    first, second, third = recommendation(plan)
    best = plan.best.best
    assert first.startswith(f"best: dz = +-{best.dz_m * 1e3:.3g} mm and in focus (path ")
    assert f"maps of +-{best.maps.half_width_rad * 180 / 3.14159265 * 60:.3g} arcmin" in first
    assert f"error of the surface {best.surface_error_um:.3g} um" in second
    low, high = plan.best.nearly_best_dz_m
    assert f"from dz = {low * 1e3:.3g} mm to {high * 1e3:.3g} mm the error of the surface map" in third
    assert not list(remarks(plan))


def test_a_best_at_the_edge_says_to_look_further(plan_for):
    assert any("may lie beyond" in line for line in recommendation(plan_for((5e-3, 8e-3))))


def test_patterns_in_words(situation):
    assert defocus_in_words(situation(pattern=(-2.0, 0.0, 1.5))) == "-2 dz, 0, +1.5 dz"
    assert defocus_in_words(situation(pattern=(0.0, 1.0)), 0.0123) == "0 mm, 12.3 mm"
    assert rounded_angle(1e-4) == "20.6 arcsec"


def test_remarks_of_the_best_come_first(plan_for, situation):
    limits = replace(PLAN_SETTINGS.limits, most_defocus_waves=1.2)
    settings = replace(PLAN_SETTINGS, limits=limits)
    found = dict(remarks(plan_for((30e-3, 100e-3), snr=30, settings=settings, half_widths=(2 * situation().beam_rad,))))
    assert next(iter(found)) == "small-map"
    assert not found["small-map"].startswith("not at the best")
    assert found["defocus-range"].startswith("not at the best: the path of the defocus lies outside 0.2 to 1.2")
