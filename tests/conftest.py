"""A fit result made by hand, with what is hard to keep: unknowns, infinities, text beyond ASCII."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from oofpy.fitting.result import (
    ApertureImages,
    Coefficient,
    FitResult,
    MapArrays,
    MapFit,
    OrderFit,
    Parameter,
    SurfaceSummary,
)
from oofpy.fitting.settings import FitSettings, ParameterRule
from oofpy.fitting.status import FitStatus
from oofpy.flags import Flag
from oofpy.observation import SourceFile
from oofpy.observing import AppliedCorrection, Chop, ExtendedSource, Observing, Smearing
from oofpy.telescope import load_telescope, with_overrides

# Small matrices gain little from a second thread and lose much where the cores are shared.
torch.set_num_threads(1)

WAVELENGTH_M = 0.013485940530814217
DZ_M = (-0.027, 0.0, 0.027)
PHASES_RAD = {
    (2, -2): 0.31,
    (2, 0): -1.2,
    (2, 2): 0.05,
    (3, -3): -1.07,
    (3, -1): -1.7,
    (3, 1): 0.4,
    (3, 3): 0.1,
}


def polar(x, y):
    return np.hypot(x, y), np.arctan2(y, x)


def phase_at(x, y):
    """Phase of `PHASES_RAD` at x/R, y/R, written out so that it depends on nothing under test."""
    r, angle = polar(x, y)
    radial = {(2, 2): r**2, (2, 0): 2 * r**2 - 1, (3, 3): r**3, (3, 1): 3 * r**3 - 2 * r}
    phase = np.zeros_like(r)
    for (n, l), value in PHASES_RAD.items():
        wave = np.sin(-l * angle) if l < 0 else np.cos(l * angle)
        phase += value * radial[n, abs(l)] * wave
    return phase


def aperture_images(pixels=64, radius_m=32.004, disc_m=3.953):
    axis = (np.arange(pixels) - (pixels - 1) / 2) * (2 * radius_m / pixels) / 3 * 3
    x, y = np.meshgrid(axis / radius_m, axis / radius_m)
    r = np.hypot(x, y)
    phase = np.where(r < 1, phase_at(x, y), np.nan)
    surface = phase * WAVELENGTH_M / (4 * np.pi) * 1e6
    amplitude = np.where((r < 1) & (r > disc_m / radius_m), 10 ** (-12 * r**2 / 20), 0.0)
    applied = np.where(r < 1, 30.0 * r**2, np.nan)
    return ApertureImages(axis, phase, surface, np.where(r < 1, 12 + 40 * r**4, np.nan), amplitude, applied)


def beam_at(u, v, dz, pointing):
    """A beam that looks defocused and comatic."""
    width = 6e-5 * (1 + 1.2 * abs(dz) / 0.027)
    r, angle = polar((u - pointing[0]) / width, (v - pointing[1]) / width)
    ring = 1 - 0.6 * np.exp(-(r**2)) * (dz != 0)
    return 4500 * (6e-5 / width) ** 2 * ring * np.exp(-(r**2) / 2) * (1 + 0.4 * r * np.sin(angle)).clip(0)


def map_arrays(rng, grid=25, samples=900):
    """Two maps on a grid, the grid's rows in a shuffled order, and one of scattered samples."""
    axis = np.linspace(-6e-4, 6e-4, grid)
    arrays = []
    for number, dz in enumerate(DZ_M):
        u, v = (values.ravel() for values in np.meshgrid(axis, axis))
        if number == 2:
            u, v = rng.uniform(-6e-4, 6e-4, (2, samples))
        order = rng.permutation(u.size)
        u, v = u[order], v[order]
        model = 40.0 + beam_at(u, v, dz, (1e-4 * number, -5e-5))
        observed = model + rng.normal(0, 10 + 0.02 * model)
        weight = rng.uniform(0.2, 1, u.size)
        observed[:5], weight[:9] = np.nan, 0.0
        label = ("MINUS OOF", "Karte µ", "")[number]
        error = np.where(weight > 0, 1.0 if number else rng.uniform(0.5, 2, u.size), np.nan)
        arrays.append(MapArrays(label, u, v, observed, model, error, weight, (37.1, np.inf, 1 / 3)[number]))
    return tuple(arrays)


def map_fit(number, arrays):
    used = arrays.weight > 0
    rms = np.sqrt(np.mean(arrays.residual[used] ** 2)) / np.ptp(arrays.observed[used])
    return MapFit(
        dz_m=DZ_M[number],
        gain=4500.0 / 3,
        background=40.0,
        background_slope_per_rad=(0.1, -1 / 3),
        pointing_rad=(1e-4 * number, -5e-5),
        noise=8.1,
        border_noise=10.3,
        samples=int(used.sum()),
        masked=int((~used).sum()),
        residual_rms_over_peak=float(rms),
        correlation_samples=70.5,
        beam_scale_correlation=0.31,
        down_weighted_fraction=0.012,
        bright_weight=0.47,
    )


def order_fit(order, arrays, status, rng, left_out=0):
    """A fit whose focus and taper can hardly be told apart."""
    terms = [term for term in PHASES_RAD if term[0] <= order]
    coefficients = tuple(
        Coefficient(n, l, f"Z({n},{l})" + (" focus" if (n, l) == (2, 0) else ""), PHASES_RAD[n, l] / 3 * 3, 0.01 / n)
        for n, l in terms
    )
    parameters = (
        Parameter("edge_taper_db", -12.1 / 7, 0.31, "dB", True, at_bound=True),
        Parameter("pointing_u_rad[2]", 1e-4, 3e-7, "rad", True),
        Parameter("illumination_x_m", 0.0, None, "m", False),
        Parameter("ellipticity_p", 0.1, float("nan"), "", True),
    )
    names = (*(f"Z({n},{l})" for n, l in terms), "edge_taper_db", "pointing_u_rad[2]", "ellipticity_p")
    root = rng.normal(0, 1e-3, (len(names), len(names)))
    root[names.index("edge_taper_db")] = -root[names.index("Z(2,0)")] + 0.1 * root[names.index("edge_taper_db")]
    return OrderFit(
        order=order,
        coefficients=coefficients,
        parameters=parameters,
        covariance_names=names,
        covariance=root @ root.T,
        maps=tuple(map_fit(number, entry) for number, entry in enumerate(arrays)),
        surface=SurfaceSummary(512.3 / order, 21.7, 601.0, 480.5, 530.2, 0.81, 0.83, -0.0021, 0.0004),
        status=status,
        start="order below" if order > 2 else "zero",
        cost=4321.0 / order,
        bic=8765.4 / order,
        effective_samples=93.7,
        reduced_chi2=3.3 if order == 3 else float("inf"),
        evaluations=11 * order,
        seconds=0.123 * order,
        rival_log_likelihood=float("nan") if order == 2 else 123.4 / 3,
        rival_distance_rad=float("nan") if order == 2 else 0.2 / 3,
        left_out=left_out,
    )


@pytest.fixture(scope="session")
def made_result():
    rng = np.random.default_rng(20190426)
    arrays = map_arrays(rng)
    telescope = with_overrides(load_telescope("srt"), {"illumination.edge_taper": "-11 dB", "blockage.legs.used": True})
    rules = {
        "Z(2,0)": ParameterRule(start=0.1, lower=-np.inf),
        "edge_taper_db": ParameterRule(prior_sigma=1 / 3),
    }
    return FitResult(
        name="srt_2019-04-26",
        wavelength_m=WAVELENGTH_M,
        elevation_rad=None,
        object_name="W3(OH) $\\alpha$ Königstuhl",
        date="2019-04-26",
        sources=(SourceFile(Path("data") / "beobachtung ü.fits", "ab" * 32),),
        observing=Observing(
            applied=AppliedCorrection(
                ((2, 2, 0.1 / 3),),
                np.linspace(-33, 33, 9) / 3,
                np.where(np.eye(9) > 0, 1 / 3e4, np.nan),
                "gravity.fits",
            ),
            chop=Chop(2e-4, np.pi),
            source=ExtendedSource("limb-darkened", 1.7e-5, 0.3),
            smearing=Smearing(1e-5, 0.2, 2e-5, "round"),
            fractional_bandwidth=0.01,
            source_distance_m=13e3,
        ),
        telescope=telescope,
        settings=FitSettings(order="auto", likelihood="student-t", parameters=rules),
        orders=(
            order_fit(2, arrays, FitStatus.EVALUATION_LIMIT, rng),
            order_fit(3, arrays, FitStatus.CONVERGED, rng),
        ),
        chosen_order=3,
        left_out_fits=tuple(
            order_fit(3, arrays[: number - 1] + arrays[number:], FitStatus.CONVERGED, rng, left_out=number)
            for number in (1, 3)
        ),
        map_arrays=arrays,
        aperture=aperture_images(),
        flags=(
            Flag(
                "source-off-centre",
                "map 2: the source is 3.1 lambda/D from the centre; λ, check the pointing",
            ),
            Flag("file-odd", "a note"),
        ),
        device="cpu",
        dtype="float64",
        versions={"oofpy": "0.1.0", "torch": "2.9.0"},
    )


@pytest.fixture
def named(made_result):
    """The result under another name, or with other fields."""
    return lambda **fields: replace(made_result, **fields)
