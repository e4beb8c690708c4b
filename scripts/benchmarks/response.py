"""The response of the sky in the model, against sums over directions and an integral over baselines."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import j0, j1, roots_legendre

from benchmarks.scenario import ORDER, WAVELENGTH_M
from oofpy.observing import Chop, ExtendedSource, Observing
from oofpy.optics.beam import BeamModel
from oofpy.optics.beam_building import beam_model
from oofpy.optics.zernike import zernike_terms
from oofpy.simulation import GivenPositions, Grid, Simulator, random_surface
from oofpy.telescope import Geometry, Illumination, Telescope, load_telescope

BEAM_RAD = WAVELENGTH_M / 100
DEFOCUS_M = (0.0, 0.022)
GAIN_RATIO = 0.9


def response() -> list[dict[str, Any]]:
    """Largest differences over the in-focus peak of a point source."""
    return [_chop(), _disc()]


Model = tuple[BeamModel, torch.Tensor]


def _model(telescope: Telescope, observing: Observing, surface: NDArray[np.float64], grid: Grid) -> Model:
    """Model and its parameters."""
    model = beam_model(
        telescope,
        [list(grid.positions(len(DEFOCUS_M)))],
        torch.tensor([DEFOCUS_M], dtype=torch.float64),
        torch.tensor([WAVELENGTH_M], dtype=torch.float64),
        zernike_terms(ORDER, 2),
        observing=[observing],
    )
    parameters = model.nominal_parameters()
    parameters[model.layout.slice_of("modes")] = torch.as_tensor(surface)
    parameters[model.layout.slice_of("chop_gain_ratio")] = GAIN_RATIO
    return model, parameters[None]


def _summed(model: BeamModel, parameters: torch.Tensor, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[Any]:
    """Maps of the model's pixels by the sum over them, written out for one direction after the other."""
    state = model(parameters)
    fields = (state.illumination.amplitude[:, None] * state.phasor)[0].numpy()
    k = float(model.wavenumber_per_m[0])
    along_x = np.exp(-1j * k * np.outer(u, model.x_m[0].numpy()))
    along_y = np.exp(-1j * k * np.outer(v, model.y_m[:, 0].numpy()))
    return np.array([np.abs(np.einsum("sy,yx,sx->s", along_y, field, along_x, optimize=True)) ** 2 for field in fields])


def _chop() -> dict[str, Any]:
    """A chopped map of a known surface against the difference of two maps, one of them shifted.

    Once both are sums over the model's own pixels; once they are simulated with eight times its pixels, and beside that
    the difference of the simulation and the model without a chop.
    """
    telescope = load_telescope("effelsberg")
    chop = Chop(5.3 * BEAM_RAD, math.radians(20))
    grid, surface = Grid(49, 8 * BEAM_RAD), random_surface(ORDER, 0.5, 1)
    (u, v), *_ = grid.positions(1)
    shifted = (u - chop.throw_uv_rad[0], v - chop.throw_uv_rad[1])
    plain, moved = (
        Simulator(telescope, WAVELENGTH_M, DEFOCUS_M, sampling, order=ORDER).maps(surface[None])[0].numpy()
        for sampling in (grid, GivenPositions((shifted, shifted)))
    )
    model, parameters = _model(telescope, Observing(chop=chop), surface, grid)
    found = model(parameters).maps[0].numpy()
    summed = _summed(model, parameters, u, v) - GAIN_RATIO * _summed(model, parameters, *shifted)
    unchopped, same = _model(telescope, Observing(), surface, grid)
    return {
        "case": "chop of 5.3 lambda/D against the difference of two maps",
        "difference_over_peak": float(np.abs(found - summed).max()),
        "to_simulated_maps": float(np.abs(found - (plain - GAIN_RATIO * moved)).max()),
        "unchopped_to_simulated_maps": float(np.abs(unchopped(same).maps[0].numpy() - plain).max()),
    }


def _disc() -> dict[str, Any]:
    """A uniform disc seen by a uniform dish, against the integral over its transfer function."""
    dish = Telescope("uniform dish", Geometry("prime-focus", 50.0, 30.0), Illumination("tophat"))
    diameter, grid = 2.5 * BEAM_RAD, Grid(33, 6 * BEAM_RAD)
    observing = Observing(source=ExtendedSource("disc", diameter))
    model, parameters = _model(dish, observing, np.zeros(len(zernike_terms(ORDER, 2))), grid)
    found = model(parameters).maps[0, 0].numpy()
    node, weight = roots_legendre(3000)
    baseline = (node + 1) / 2
    transfer = weight * baseline * (np.arccos(baseline) - baseline * np.sqrt(1 - baseline**2))
    k_diameter = 2 * math.pi / WAVELENGTH_M * 100
    x = k_diameter * baseline * diameter / 2
    u, v = grid.positions(1)[0]
    kernel = j0(k_diameter * baseline * np.hypot(u, v)[:, None])
    expected = (kernel * transfer * 2 * j1(x) / x).sum(-1) / transfer.sum()
    return {
        "case": "disc of 2.5 lambda/D against the analytic transform",
        "difference_over_peak": float(np.abs(found - expected).max()),
    }
