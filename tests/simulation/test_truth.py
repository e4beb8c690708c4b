import json
import math

import numpy as np
import pytest

from oofpy.simulation import NoiseModel


@pytest.fixture(scope="module")
def made(coarse, surface):
    noise = NoiseModel(gain_error=0.05, background=0.1, pointing_error_beams=0.2, glitch_fraction=0.02)
    return coarse.observe(surface, noise, 9)


def test_the_truth_survives_json(made, coarse, surface):
    found = json.loads(json.dumps(made.truth.to_dict(), allow_nan=False))
    assert found["telescope"] == "jcmt"
    assert found["wavelength_m"] == 1.1e-3
    assert found["seed"] == 9
    assert found["edge_taper_db"] == -12.0
    assert [(c["n"], c["l"]) for c in found["coefficients"]] == [(t.n, t.l) for t in coarse.terms]
    assert [c["phase_rad"] for c in found["coefficients"]] == surface.tolist()
    assert [one["defocus_m"] for one in found["maps"]] == [-3e-3, 0.0, 3e-3]
    for one, truth in zip(found["maps"], made.truth.maps, strict=True):
        assert tuple(one["pointing_rad"]) == truth.pointing_rad
        assert one["gain"] == truth.disturbance.gain
        assert one["background"] == truth.disturbance.background
        assert one["glitched_samples"] == truth.disturbance.glitched.tolist()
        assert len(one["glitch"]) == 12  # 2 % of 625 samples, rounded to even
    assert found["noise_model"]["pointing_error_beams"] == 0.2


def test_no_noise_is_null(coarse, surface):
    made = coarse.observe(surface, NoiseModel(faintest_peak_over_noise=math.inf), 0)
    found = json.loads(json.dumps(made.truth.to_dict(), allow_nan=False))
    assert found["noise_model"]["faintest_peak_over_noise"] is None
    assert found["maps"][0]["noise_sigma"] == 0


def test_rms_of_phase_and_surface_belong_together(made):
    # The surface of these tests was drawn with an rms of 0.6 rad.
    assert made.truth.phase_rms_rad == pytest.approx(0.6, rel=1e-12)
    assert made.truth.half_path_rms_m == pytest.approx(0.6 * 1.1e-3 / (4 * np.pi), rel=1e-12)
    assert made.truth.to_dict()["surface"]["half_path_rms_um"] == pytest.approx(52.521, abs=1e-3)
