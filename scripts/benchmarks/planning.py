"""Plans against simulated fits: are the errors as predicted, is the best dz the best, and what a design study sees."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oofpy.errors import InputError
from oofpy.fitting.fitter import fit_batch
from oofpy.observation import BeamMap, Observation
from oofpy.optics.half_path import half_path_um
from oofpy.planning import Prediction, SampleNoise, SharedTime, Situation, plan_observation, predict
from oofpy.planning.map_size import covering_half_width_rad, map_grid
from oofpy.simulation import Simulator, random_surface
from oofpy.telescope import load_telescope

FloatArray = NDArray[np.float64]
Table = list[dict[str, Any]]
_BATCH = 50
# Noise over the peak in focus within a square of lambda/D a side, dz in metres and orders of the study of FYST.
STUDY_WAVELENGTHS_M = (1.1e-3, 0.73e-3, 0.35e-3)
STUDY_DZ_M = (3e-3, 10e-3, 30e-3, 60e-3, 100e-3, 200e-3, 300e-3)
STUDY_ORDERS = (4, 5, 6, 7, 8)
STUDY_NOISE = (1e-4, 1e-3, 1e-2, 6e-2)


@dataclass(frozen=True)
class Setting:
    """An observation whose predicted errors are held against simulated fits."""

    telescope: str
    wavelength_m: float
    dz_m: float
    peak_over_noise: float
    order: int = 5
    surface_rms_rad: float = 0.3
    pattern: tuple[float, ...] = (-1.0, 0.0, 1.0)
    spacing_beams: float = 0.25

    def situation(self) -> Situation:
        """What it is planned for; a random surface."""
        surface = random_surface(self.order, self.surface_rms_rad, seed=1)
        telescope = load_telescope(self.telescope)
        return Situation(telescope, self.wavelength_m, (self.order,), self.pattern, surface_rad=surface)

    def prediction(self, situation: Situation) -> Prediction:
        """What is predicted."""
        half_width = covering_half_width_rad(situation.reach_rad(self.dz_m), situation.beam_rad)
        maps = map_grid(half_width, self.spacing_beams * situation.beam_rad)
        return predict(situation, self.dz_m, maps, SampleNoise(self.peak_over_noise))[0]


SETTINGS = (
    Setting("jcmt", 1.1e-3, 1.5e-3, 1000),
    Setting("effelsberg", 299_792_458 / 32e9, 22e-3, 3000, pattern=(-1.0, 1.0)),
    Setting("fyst", 1.1e-3, 60e-3, 500, order=4),
)


def simulated_fits(
    situation: Situation, prediction: Prediction, fits: int, seed: int = 0, *, ladder: bool = False
) -> dict[str, FloatArray]:
    """Fit simulated observations of one dish, each with its own noise.

    Gives the coefficients, (fits, terms) in radians; the rms in um and the focus in m, (fits,).
    """
    simulator = Simulator(
        situation.telescope,
        situation.wavelength_m,
        prediction.defocus_m,
        prediction.maps,
        order=situation.terms[-1].n,
        observing=situation.observing,
    )
    clean = simulator.maps(situation.coefficients_rad[None])[0].numpy() / situation.peak_in_focus
    settings = replace(situation.settings, order=prediction.order, ladder=ladder)
    rng = np.random.default_rng(seed)
    found: dict[str, list[Any]] = {"coefficients_rad": [], "rms_um": [], "focus_m": []}
    for start in range(0, fits, _BATCH):
        drawn = [
            Observation(
                "simulated",
                tuple(
                    BeamMap(u, v, power + prediction.noise * rng.normal(size=power.size), dz)
                    for (u, v), power, dz in zip(simulator.positions, clean, prediction.defocus_m, strict=True)
                ),
                situation.wavelength_m,
                frame="model",
            )
            for _ in range(min(_BATCH, fits - start))
        ]
        for result in fit_batch(drawn, situation.telescope, settings):
            found["coefficients_rad"].append([one.phase_rad for one in result.fit.coefficients])
            found["rms_um"].append(result.fit.surface.rms_um)
            found["focus_m"].append(result.fit.surface.best_focus_m)
    return {name: np.array(values) for name, values in found.items()}


def scatter(fits: int, settings: tuple[Setting, ...] = SETTINGS) -> Table:
    """Predicted errors against the scatter of simulated fits, relative: one row a setting."""
    table = []
    for setting in settings:
        situation = setting.situation()
        prediction = setting.prediction(situation)
        fitted = simulated_fits(situation, prediction, fits)
        coefficients = fitted["coefficients_rad"]
        ratio = coefficients.std(axis=0, ddof=1) / prediction.coefficient_errors_rad - 1
        worst = int(np.abs(ratio).argmax())
        table.append(
            {
                "measured": "scatter over prediction - 1",
                "telescope": setting.telescope,
                "order": setting.order,
                "dz_mm": setting.dz_m * 1e3,
                "maps": len(setting.pattern),
                "peak_over_noise": setting.peak_over_noise,
                "fits": fits,
                "own_noise": 1 / math.sqrt(2 * (fits - 1)),
                "coefficients_rms": float(np.sqrt(np.mean(ratio**2))),
                "coefficients_mean": float(ratio.mean()),
                "coefficients_largest": float(ratio[worst]),
                "largest_of": prediction.terms[worst].label,
                "surface_map": _rms_of_maps(prediction, coefficients) / prediction.surface_error_um - 1,
                "surface_rms": float(fitted["rms_um"].std(ddof=1)) / prediction.rms_error_um - 1,
                "focus": float(fitted["focus_m"].std(ddof=1)) / prediction.focus_error_m - 1,
                "predicted_um": prediction.surface_error_um,
            }
        )
    return table


def _rms_of_maps(prediction: Prediction, coefficients_rad: FloatArray) -> float:
    """Rms over fits and dish of the error of the surface map, um."""
    covariance = np.cov(coefficients_rad.T)
    return half_path_um(prediction.dish.rms_of_errors_rad(covariance), prediction.dish.wavelength_m)


def optimum(fits: int, setting: Setting = SETTINGS[0]) -> Table:
    """Fits at half the best dz, at the best, and at twice it: the error of the surface map in um."""
    situation = setting.situation()
    best = plan_observation(situation, SampleNoise(setting.peak_over_noise)).best.best
    table = []
    for factor in (0.5, 1.0, 2.0):
        prediction = replace(setting, dz_m=factor * best.dz_m).prediction(situation)
        fitted = simulated_fits(situation, prediction, fits)
        table.append(
            {
                "measured": "error of the surface map",
                "telescope": setting.telescope,
                "order": setting.order,
                "dz_mm": prediction.dz_m * 1e3,
                "dz_over_best": factor,
                "peak_over_noise": setting.peak_over_noise,
                "fits": fits,
                "predicted_um": prediction.surface_error_um,
                "scatter_um": _rms_of_maps(prediction, fitted["coefficients_rad"]),
            }
        )
    return table


def found(surfaces: int, rms_rad: float = 1.5) -> Table:
    """Rough dishes at half the best dz, at the best, and at twice it: how many fits from the default start are right.

    Right is a surface within five times the predicted error: what lies farther off is another minimum.
    """
    setting = replace(SETTINGS[0], peak_over_noise=300, surface_rms_rad=rms_rad)
    ideal = replace(setting, surface_rms_rad=0.0).situation()
    best = plan_observation(ideal, SampleNoise(setting.peak_over_noise)).best.best
    table = []
    for factor in (0.5, 1.0, 2.0):
        chosen = replace(setting, dz_m=factor * best.dz_m)
        ratios = np.array([_error_over_prediction(chosen, seed) for seed in range(surfaces)])
        table.append(
            {
                "measured": "found from the default start",
                "telescope": setting.telescope,
                "order": setting.order,
                "dz_mm": chosen.dz_m * 1e3,
                "dz_over_best": factor,
                "surface_rms_rad": rms_rad,
                "fits": surfaces,
                "found": float((ratios < 5).mean()),
                "median_over_predicted": float(np.median(ratios)),
            }
        )
    return table


def _error_over_prediction(setting: Setting, seed: int) -> float:
    """Error of the surface map of one fit over what is predicted."""
    situation = replace(setting.situation(), surface_rad=random_surface(setting.order, setting.surface_rms_rad, seed))
    prediction = setting.prediction(situation)
    [fitted] = simulated_fits(situation, prediction, 1, seed, ladder=True)["coefficients_rad"]
    error_rad = prediction.dish.rms_rad(fitted - situation.coefficients_rad)
    return half_path_um(error_rad, situation.wavelength_m) / prediction.surface_error_um


def study() -> Table:
    """The design study of FYST: error of the surface in um against dz, order and noise, and whether it is as expected.

    Error of the noise 0.001 in a square of lambda/D a side; the rows "checked" say at which dz the least error of every
    order lies, whether it falls up to there and rises beyond, whether it rises with the order at every dz, and by how
    much it departs from being proportional to the noise.
    """
    table: Table = []
    for wavelength_m in STUDY_WAVELENGTHS_M:
        situation = Situation(load_telescope("fyst"), wavelength_m, STUDY_ORDERS)
        row = {"wavelength_mm": wavelength_m * 1e3}
        errors, known = [], []
        for dz_m in STUDY_DZ_M:
            try:
                of_dz = _errors_um(situation, dz_m)
            except InputError as error:
                table.append({"measured": "fyst", **row, "dz_mm": dz_m * 1e3, "left_out": error.problem})
                continue
            errors.append(of_dz)
            known.append(dz_m)
            by_order = {f"order_{order}_um": float(value) for order, value in zip(STUDY_ORDERS, of_dz[1], strict=True)}
            table.append(
                {"measured": "fyst", **row, "dz_mm": dz_m * 1e3, "path": situation.path_waves(dz_m)} | by_order
            )
        table.append({"measured": "fyst, checked", **row} | _checked(np.array(errors), np.array(known)))
    return table


def _errors_um(situation: Situation, dz_m: float) -> FloatArray:
    """Errors of the surface, shape (noise, orders)."""
    half_width = covering_half_width_rad(situation.reach_rad(dz_m), situation.beam_rad)
    maps = map_grid(half_width, 0.4 * situation.beam_rad)
    return np.array(
        [
            [one.surface_error_um for one in predict(situation, dz_m, maps, _per_beam(noise, situation, half_width))]
            for noise in STUDY_NOISE
        ]
    )


def _per_beam(noise: float, situation: Situation, half_width_rad: float) -> SharedTime:
    """A budget in which every square of lambda/D has one second, and the noise after it."""
    return SharedTime(3 * (2 * half_width_rad / situation.beam_rad) ** 2, 1 / noise)


def _checked(errors_um: FloatArray, dz_m: FloatArray) -> dict[str, Any]:
    """What is expected of errors of shape (dz, noise, orders)."""
    of_order = errors_um[:, 1].T
    least = of_order.argmin(axis=1)
    bends = [
        0 < place < dz_m.size - 1 and (np.diff(one[: place + 1]) < 0).all() and (np.diff(one[place:]) > 0).all()
        for one, place in zip(of_order, least, strict=True)
    ]
    noise = np.array(STUDY_NOISE)[:, None]
    ratio = errors_um / noise / (errors_um[:, :1] / noise[:1])
    return {
        "least_at_mm": " ".join(f"{dz_m[place] * 1e3:g}" for place in least),
        "falls_then_rises": bool(all(bends)),
        "rises_with_order": bool((np.diff(errors_um, axis=2) > 0).all()),
        "not_proportional": float(np.abs(ratio - 1).max()),
    }


def planning(fits: int, only: list[str] | None = None) -> Table:
    """All of it, or the parts scatter, optimum, found and study whose name holds one of the words."""
    parts: dict[str, Callable[[], Table]] = {
        "scatter": lambda: scatter(fits),
        "optimum": lambda: optimum(max(3 * fits // 10, 2)),
        "found": lambda: found(max(fits // 10, 2)),
        "study": study,
    }
    return [
        row
        for name, measure in parts.items()
        if only is None or any(word in name for word in only)
        for row in measure()
    ]
