"""A small dish of the design study, planned with few samples."""

import pytest

from oofpy.planning import SampleNoise, Situation, predict
from oofpy.planning.map_size import covering_half_width_rad, map_grid
from oofpy.telescope import load_telescope


@pytest.fixture(scope="session")
def fyst():
    return load_telescope("fyst")


@pytest.fixture(scope="session")
def situation(fyst):
    """Make a situation at 1.1 mm; of order 3 unless told otherwise."""

    def make(orders=(3,), **changes):
        return Situation(fyst, changes.pop("wavelength_m", 1.1e-3), orders, **changes)

    return make


@pytest.fixture(scope="session")
def predicted():
    """Predict one order with maps as large as the pattern asks for, or of some size."""

    def predicted(planned, dz_m=60e-3, budget=None, *, half_width_rad=None, spacing_beams=0.4):
        covering = covering_half_width_rad(planned.reach_rad(dz_m), planned.beam_rad)
        maps = map_grid(half_width_rad or covering, spacing_beams * planned.beam_rad)
        return predict(planned, dz_m, maps, budget or SampleNoise(1000))

    return predicted
