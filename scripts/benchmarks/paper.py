"""The experiment of arXiv:1805.07439 in three ways: NumPy, torch under SciPy, and `oofpy.least_squares`.

A feed moved along the axis of a prime-focus dish, Zernike coefficients and a Gaussian illumination that is off centre,
maps over all of a Fourier grid, a Cauchy likelihood of known scale. The free parameters are all terms from order 1 up,
the centre of the illumination and one amplitude.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize

import oofpy
from oofpy.optics.zernike import zernike_basis, zernike_terms

FloatArray = NDArray[np.float64]

DISH_RADIUS_M, FOCAL_LENGTH_M, WAVELENGTH_M = 2.8, 14.4, 1.1e-3
DEFOCUS_M = (0.0, -0.05, 0.05)
GRID_RADII = 4  # the grid reaches from minus to plus this many dish radii
ILLUMINATION_SIGMA = 0.72  # dish radii
COEFFICIENT_RMS_RAD, CENTRE, AMPLITUDE = 0.1, 0.05, 1.0
START_AMPLITUDE = 0.8
MULTIPLICATIVE_NOISE, ADDITIVE_NOISE_OF_PEAK = 0.01, 0.024
SIZES, ORDERS = (32, 64, 128, 256, 512, 1024, 2048), tuple(range(2, 10))
STANDARD_SIZE, STANDARD_ORDER = 256, 5
# Beyond it a minimisation by finite differences takes hours: one gradient is measured instead.
LARGEST_BY_DIFFERENCES = 512
SAME_MINIMUM = 1e-6  # of the cost
REPEATS = {"numpy": 1, "torch": 3, "oofpy": 7}


@dataclass(frozen=True)
class Experiment:
    """Maps of one size, and what the model needs beside its parameters.

    Parameters
    ----------
    aperture : dict of str to array
        `x`, `y` in dish radii, `inside` (1 on the dish, else 0), `modes` (terms, rows, columns), `path_rad` (maps,
        rows, columns): on the whole grid, or on the square around the dish alone.
    maps : array, shape (maps, size, size)
    noise : float
        Additive; the scale of the likelihood.
    truth, start : array
        Coefficients in radians, x0 and y0 in dish radii, amplitude.
    """

    aperture: dict[str, FloatArray]
    maps: FloatArray
    noise: float
    truth: FloatArray
    start: FloatArray

    @classmethod
    def build(cls, size: int, order: int, *, dish_only: bool, seed: int = 0) -> Experiment:
        """Simulate the maps of one seed; the same whether the model holds the whole grid or the dish only."""
        reach = size // (2 * GRID_RADII) if dish_only else size // 2
        axis = np.arange(-reach, reach) * (2 * GRID_RADII / size)
        x, y = np.meshgrid(axis, axis)
        radius = np.hypot(x, y)
        inside = (radius < 1).astype(float)
        terms = zernike_terms(order, 1)
        on_dish = (torch.as_tensor(side * inside) for side in (x, y))
        aperture = {
            "x": x,
            "y": y,
            "inside": inside,
            "modes": zernike_basis(*on_dish, terms).numpy() * inside,
            "path_rad": np.stack([2 * math.pi / WAVELENGTH_M * _path_m(radius, dz) * inside for dz in DEFOCUS_M]),
        }
        rng = np.random.default_rng(seed)
        truth = np.r_[rng.normal(0, COEFFICIENT_RMS_RAD, len(terms)), CENTRE, CENTRE, AMPLITUDE]
        clean = numpy_maps(truth, aperture, size)
        noise = ADDITIVE_NOISE_OF_PEAK * float(clean.max())
        draws = rng.normal(size=(2, *clean.shape))
        maps = clean * (1 + MULTIPLICATIVE_NOISE * draws[0]) + noise * draws[1]
        return cls(aperture, maps, noise, truth, np.r_[np.zeros(len(terms)), 0, 0, START_AMPLITUDE])

    def cost(self, parameters: FloatArray) -> float:
        """Cost in double precision by NumPy, by which all three ways are judged."""
        return numpy_cost(parameters, self)


def _path_m(radius: FloatArray, dz_m: float) -> FloatArray:
    a = radius * DISH_RADIUS_M / (2 * FOCAL_LENGTH_M)
    return np.asarray(dz_m * (1 - a**2) / (1 + a**2))


def numpy_maps(parameters: FloatArray, aperture: dict[str, FloatArray], size: int) -> FloatArray:
    """Beams of an aperture, NumPy."""
    c, (x0, y0, amplitude) = parameters[:-3], parameters[-3:]
    square = (aperture["x"] - x0) ** 2 + (aperture["y"] - y0) ** 2
    illumination = amplitude * np.exp(-square / (2 * ILLUMINATION_SIGMA**2)) * aperture["inside"]
    phase = np.tensordot(c, aperture["modes"], 1) + aperture["path_rad"]
    return np.asarray(np.abs(np.fft.fft2(illumination * np.exp(1j * phase), s=(size, size))) ** 2)


def numpy_cost(parameters: FloatArray, experiment: Experiment) -> float:
    """Minus the logarithm of a Cauchy likelihood, NumPy."""
    maps = numpy_maps(parameters, experiment.aperture, experiment.maps.shape[-1])
    return float(np.log1p(((maps - experiment.maps) / experiment.noise) ** 2).sum())


def torch_maps(p: dict[str, torch.Tensor], aperture: dict[str, torch.Tensor], size: int) -> torch.Tensor:
    """Beams of an aperture, torch: line by line the same."""
    square = (aperture["x"] - p["x0"]) ** 2 + (aperture["y"] - p["y0"]) ** 2
    illumination = p["amplitude"] * torch.exp(-square / (2 * ILLUMINATION_SIGMA**2)) * aperture["inside"]
    phase = torch.tensordot(p["c"], aperture["modes"], 1) + aperture["path_rad"]
    beam = torch.fft.fft2(torch.polar(illumination.expand_as(phase), phase), s=(size, size))
    return beam.real.square() + beam.imag.square()


def torch_residuals(p: dict[str, torch.Tensor], data: dict[str, torch.Tensor]) -> torch.Tensor:
    """Model minus maps; maps of every second pixel need half the transform."""
    return torch_maps(p, data, data["maps"].shape[-1]) - data["maps"]


def torch_cost(p: dict[str, torch.Tensor], data: dict[str, torch.Tensor]) -> torch.Tensor:
    """Minus the logarithm of a Cauchy likelihood, torch."""
    return torch.log1p((torch_residuals(p, data) / data["noise"]) ** 2).sum()


@dataclass(frozen=True)
class Run:
    """One minimisation.

    Parameters
    ----------
    parameters : array
        Where it ended.
    evaluations : int
        Of the function; for NumPy with those of the finite differences.
    gradients : int
        Exact ones.
    """

    parameters: FloatArray
    evaluations: int
    gradients: int = 0


def by_numpy(experiment: Experiment) -> Run:
    """(a) NumPy, finite differences, SciPy's BFGS."""
    found = minimize(numpy_cost, experiment.start, args=(experiment,), method="BFGS")
    return Run(found.x, found.nfev)


def by_torch(experiment: Experiment, device: str) -> Run:
    """(b) torch, exact gradients, SciPy's BFGS."""
    data = {**experiment.aperture, "maps": experiment.maps, "noise": experiment.noise}
    found = oofpy.minimise(torch_cost, named(experiment.start), method="bfgs", data=data, device=device)
    return Run(found.x, found.nfev, found.njev)


def by_oofpy(experiment: Experiment, device: str) -> Run:
    """(c) Least squares of the package: steps shaped by the Fisher matrix of every second pixel of each axis."""
    few = np.ascontiguousarray(experiment.maps[:, ::2, ::2])
    found = oofpy.least_squares(
        torch_residuals,
        named(experiment.start),
        loss="cauchy",
        f_scale=experiment.noise,
        data={**experiment.aperture, "maps": experiment.maps},
        coarse_data={**experiment.aperture, "maps": few},
        coarse_dtype=torch.float32,
        device=device,
        ftol=1e-8,  # SciPy's own; all three must agree to 1e-6
    )
    return Run(found.x, found.nfev, found.nfev)


def named(flat: FloatArray) -> dict[str, Any]:
    """Parameters by their names."""
    return {"c": flat[:-3], "x0": flat[-3], "y0": flat[-2], "amplitude": flat[-1]}


def paper(sizes: list[int], orders: list[int], figures: Path | None) -> list[dict[str, Any]]:
    """All three ways over the sizes at one order, and over the orders at one size.

    Parameters
    ----------
    sizes, orders : list of int
        Pixels along a side; highest Zernike order.
    figures : Path, optional
        Folder for the two figures.

    Returns
    -------
    list of dict
        One a way, size and order; `excess` is the cost over the lowest of the three, relative.
    """
    settings = dict.fromkeys([(size, STANDARD_ORDER) for size in sizes] + [(STANDARD_SIZE, order) for order in orders])
    table = []
    for size, order in settings:
        print(f"{size} x {size} pixels, order {order} ...", file=sys.stderr, flush=True)
        table += compared(size, order)
    if figures is not None:
        draw(table, figures)
    return table


def compared(size: int, order: int) -> list[dict[str, Any]]:
    """The ways at one size and order, on the CPU and on CUDA where there is one."""
    whole = Experiment.build(size, order, dish_only=False)
    dish = Experiment.build(size, order, dish_only=True)
    cuda = ["cuda"] if torch.cuda.is_available() else []
    ways: list[tuple[str, str, Experiment, Callable[[], Run]]] = [
        *(("torch", d, whole, partial(by_torch, whole, d)) for d in ("cpu", *cuda)),
        *(("oofpy", d, dish, partial(by_oofpy, dish, d)) for d in ("cpu", *cuda)),
    ]
    if size <= LARGEST_BY_DIFFERENCES:
        ways.insert(0, ("numpy", "cpu", whole, partial(by_numpy, whole)))
    if (size, order) == (STANDARD_SIZE, STANDARD_ORDER):
        # How much of the gain comes from leaving out the empty grid around the dish.
        ways += [
            ("numpy, dish only", "cpu", dish, partial(by_numpy, dish)),
            ("torch, dish only", "cpu", dish, partial(by_torch, dish, "cpu")),
        ]
    rows = [_measured(way, device, experiment, call) for way, device, experiment, call in ways]
    if size > LARGEST_BY_DIFFERENCES:
        rows.insert(0, _scaled(whole, rows[0]["gradients"]))
    lowest = min(row["cost"] for row in rows if "cost" in row)
    for row in rows:
        row.update(size=size, order=order, faster=rows[0]["seconds"] / row["seconds"])
        if "cost" in row:
            row["excess"] = row.pop("cost") / lowest - 1
            row["same_minimum"] = row["excess"] <= SAME_MINIMUM
    return rows


def _measured(way: str, device: str, experiment: Experiment, call: Callable[[], Run]) -> dict[str, Any]:
    repeats = REPEATS[way.split(",")[0]]
    if repeats > 1:
        call()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        run = call()
        seconds.append(time.perf_counter() - began)
    off = float(np.abs(run.parameters - experiment.truth).max())
    return {
        "way": way,
        "device": device if device == "cpu" else torch.cuda.get_device_name(),
        "seconds": float(np.median(seconds)),
        "longest": max(seconds),
        "evaluations": run.evaluations,
        "gradients": run.gradients,
        "cost": experiment.cost(run.parameters),
        "largest_error": off,
    }


def _scaled(experiment: Experiment, gradients: int) -> dict[str, Any]:
    """Time of NumPy from one gradient by finite differences, times the gradients that the same method took in torch."""
    began = time.perf_counter()
    for number in range(experiment.start.size + 1):
        shifted = experiment.start.copy()
        shifted[number - 1] += 1e-8 * (number > 0)
        numpy_cost(shifted, experiment)
    one = time.perf_counter() - began
    return {"way": "numpy", "device": "cpu", "seconds": one * gradients, "scaled_from_one_gradient": one}


def draw(table: list[dict[str, Any]], folder: Path) -> None:
    """The two figures of the paper: time against the size of the maps, and against the highest order."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    for key, other, value, label in (
        ("size", "order", STANDARD_ORDER, "pixels along a side of the grid"),
        ("order", "size", STANDARD_SIZE, "highest Zernike order"),
    ):
        figure = Figure(figsize=(6, 4.2), layout="constrained")
        axes = figure.add_subplot()
        lines = dict.fromkeys((row["way"], row["device"]) for row in table if "," not in row["way"])
        for (way, device), marker in zip(lines, "osDv^", strict=False):
            rows = [row for row in table if (row["way"], row["device"]) == (way, device) and row[other] == value]
            (line,) = axes.plot([r[key] for r in rows], [r["seconds"] for r in rows], label=_label(way, device))
            for row in rows:
                hollow = {"markerfacecolor": "white"} if "scaled_from_one_gradient" in row else {}
                axes.plot(row[key], row["seconds"], marker, color=line.get_color(), **hollow)
        axes.set_yscale("log")
        if key == "size":
            axes.set_xscale("log", base=2)
            axes.set_xticks(sorted({row["size"] for row in table}), labels=sorted({row["size"] for row in table}))
        fixed = f"order {value}" if other == "order" else f"{value} x {value} pixels"
        hollow = "; hollow: scaled from one gradient" if key == "size" else ""
        axes.set(xlabel=label, ylabel="seconds to the minimum", title=f"Three maps, {fixed}{hollow}")
        axes.title.set_fontsize(10)
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
        figure.savefig(folder / f"time_against_{key}.png", dpi=150)


def _label(way: str, device: str) -> str:
    names = {
        "numpy": "NumPy, finite differences, BFGS",
        "torch": "torch, exact gradients, BFGS",
        "oofpy": "oofpy.least_squares",
    }
    return names[way] + ("" if device == "cpu" else f" ({device})")
