import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oofpy.optics.illumination import SHAPE_PARAMETERS, illuminate
from oofpy.telescope import Illumination
from tests.optics.references import GAUSSIAN, PEDESTAL, taper

RADIUS = 6.0
ALMA = Illumination(kind="alma", width=0.8)
TOPHAT = Illumination(kind="tophat")
SHARP_PEDESTAL = Illumination(kind="pedestal", edge_taper_db=-10.0, pedestal_exponent=1.4)
PROFILES = [GAUSSIAN, PEDESTAL, SHARP_PEDESTAL, ALMA, TOPHAT]


def evaluate(illumination, x, y, **shape):
    values = {"edge_taper_db": illumination.edge_taper_db, **shape}
    parameters = {name: torch.tensor([values.get(name, 0.0)], dtype=torch.float64) for name in SHAPE_PARAMETERS}
    return illuminate(illumination, x, y, RADIUS, parameters)


def points(seed=0, shape=(5, 7)):
    rng = np.random.default_rng(seed)
    r, angle = 0.7 * RADIUS * np.sqrt(rng.uniform(0, 1, shape)), rng.uniform(-math.pi, math.pi, shape)
    return torch.from_numpy(r * np.cos(angle)), torch.from_numpy(r * np.sin(angle))


@pytest.mark.parametrize("illumination", [GAUSSIAN, PEDESTAL, SHARP_PEDESTAL])
@pytest.mark.parametrize("taper_db", [-25.0, -12.0, -6.0])
def test_field_at_the_rim_is_the_taper(illumination, taper_db):
    angle = torch.linspace(0, 6, 9, dtype=torch.float64)[None]
    rim = evaluate(illumination, RADIUS * torch.cos(angle), RADIUS * torch.sin(angle), edge_taper_db=taper_db)
    assert (rim.amplitude - 10 ** (taper_db / 20)).abs().max() < 1e-12


@pytest.mark.parametrize("illumination", PROFILES)
def test_centre_is_one_wherever_it_lies(illumination):
    x, y = torch.tensor([[0.4]], dtype=torch.float64), torch.tensor([[-0.7]], dtype=torch.float64)
    field = evaluate(illumination, x, y, illumination_x_m=0.4, illumination_y_m=-0.7)
    assert field.amplitude.item() == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("illumination", PROFILES)
def test_profile_is_the_formula(illumination):
    x, y = points(1)
    expected = taper(illumination, (torch.hypot(x, y) / RADIUS).numpy())
    assert np.abs(evaluate(illumination, x, y).amplitude[0].numpy() - expected).max() < 1e-14


def test_ellipticity_stretches_along_the_axes_it_names():
    # q > 0 lengthens the squared distance along x and shortens it along y; p does so along the diagonals.
    axis = torch.tensor([[0.5 * RADIUS]], dtype=torch.float64)
    zero = torch.zeros_like(axis)
    along_x = evaluate(GAUSSIAN, axis, zero, ellipticity_q=0.2).amplitude.item()
    along_y = evaluate(GAUSSIAN, zero, axis, ellipticity_q=0.2).amplitude.item()
    edge = 10 ** (GAUSSIAN.edge_taper_db / 20)
    assert along_x == pytest.approx(edge ** (0.25 * 1.2), rel=1e-12)
    assert along_y == pytest.approx(edge ** (0.25 * 0.8), rel=1e-12)
    diagonal = evaluate(GAUSSIAN, axis, axis, ellipticity_p=0.2).amplitude.item()
    across = evaluate(GAUSSIAN, axis, -axis, ellipticity_p=0.2).amplitude.item()
    assert diagonal == pytest.approx(edge ** (0.5 + 0.05), rel=1e-12)
    assert across == pytest.approx(edge ** (0.5 - 0.05), rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    profile=st.integers(0, len(PROFILES) - 1),
    taper_db=st.floats(-25, -6),
    x0=st.floats(-0.1, 0.1),
    y0=st.floats(-0.1, 0.1),
    p=st.floats(-0.2, 0.2),
    q=st.floats(-0.2, 0.2),
)
def test_derivatives_are_those_of_the_amplitude(profile, taper_db, x0, y0, p, q):
    illumination = PROFILES[profile]
    x, y = points(2)
    shape = dict(zip(SHAPE_PARAMETERS, (taper_db, x0 * RADIUS, y0 * RADIUS, p, q), strict=True))
    field = evaluate(illumination, x, y, **shape)
    for name in SHAPE_PARAMETERS:
        step = 1e-4 * (RADIUS if name.endswith("_m") else 1.0)
        above = evaluate(illumination, x, y, **{**shape, name: shape[name] + step}).amplitude
        below = evaluate(illumination, x, y, **{**shape, name: shape[name] - step}).amplitude
        difference = (above - below) / (2 * step)
        assert (field.derivatives[name] - difference).abs().max() < 2e-7, name


def test_values_stay_moderate_beyond_the_rim_where_the_mask_still_asks_for_them():
    x = torch.linspace(0, 1.2 * RADIUS, 49, dtype=torch.float64)[None]
    y = torch.zeros_like(x)
    for illumination in PROFILES:
        field = evaluate(illumination, x, y)
        assert torch.isfinite(field.amplitude).all()
        assert all(torch.isfinite(value).all() for value in field.derivatives.values())
        assert float(field.amplitude.max()) <= 1.0 + 1e-12


def test_a_batch_has_one_field_for_each_parameter_vector():
    x, y = points(3)
    tapers = torch.tensor([-8.0, -12.0, -20.0], dtype=torch.float64)
    shape = {name: torch.zeros(3, dtype=torch.float64) for name in SHAPE_PARAMETERS}
    together = illuminate(GAUSSIAN, x, y, RADIUS, {**shape, "edge_taper_db": tapers})
    assert together.amplitude.shape == (3, *x.shape)
    for number, value in enumerate(tapers.tolist()):
        alone = evaluate(GAUSSIAN, x, y, edge_taper_db=value)
        assert torch.equal(together.amplitude[number], alone.amplitude[0])
