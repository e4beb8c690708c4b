"""The sampled posterior of the sample observation: how fast, against the errors of the fit; and which moves serve."""

from __future__ import annotations

import time
from typing import Any

import emcee
import numpy as np
import torch

from benchmarks.speed import SAMPLE
from oofpy.conventions import in_model_convention
from oofpy.fitting.fitter import fit_observation
from oofpy.fitting.posterior import FitPosterior
from oofpy.fitting.posterior_sampling import sample_fit
from oofpy.fitting.settings import FitSettings
from oofpy.io import read_observation
from oofpy.sampling import sample_posterior
from oofpy.telescope import load_telescope

Table = list[dict[str, Any]]
_STEPS_OF_MOVES = 3000


def posterior() -> Table:
    """Sample both likelihoods at order 5, then compare moves on a Gaussian of as many parameters."""
    telescope = load_telescope("jcmt")
    observation = in_model_convention(read_observation(SAMPLE), telescope)
    table: Table = []
    parameters = 0
    for likelihood in ("gaussian", "cauchy"):
        result = fit_observation(observation, telescope, FitSettings(likelihood=likelihood, device="cpu"))
        began = time.process_time()
        found = sample_fit(observation, result)
        seconds = time.process_time() - began
        table.append(_walk(likelihood, found, seconds))
        table += _ratios(likelihood, found)
        parameters = len(found.names)
    return table + _moves(parameters)


def _walk(likelihood: str, found: FitPosterior, seconds: float) -> dict[str, Any]:
    ratios = np.array([one.ratio for one in found.parameters])
    return {
        "what": f"{likelihood}: all {len(ratios)} parameters",
        "status": found.status,
        "cpu_s": seconds,
        "effective": found.fewest_effective_samples,
        "effective_per_s": found.fewest_effective_samples / seconds,
        "acceptance": found.acceptance_fraction,
        "steps": found.steps,
        "walkers": found.walkers,
        "likelihood_share": found.likelihood_share,
        "least_over_error": float(ratios.min()),
        "over_error": float(ratios.mean()),
        "most_over_error": float(ratios.max()),
        "least_combination": found.combination_ratios[0],
        "most_combination": found.combination_ratios[1],
    }


def _ratios(likelihood: str, found: FitPosterior) -> Table:
    return [
        {
            "what": f"{likelihood}: {one.name}",
            "error": one.error,
            "deviation": one.standard_deviation,
            "over_error": one.ratio,
            "shift_in_errors": one.shift,
            "effective": one.effective_samples,
            "split_r_hat": one.split_r_hat,
        }
        for one in (*found.parameters, *found.derived)
    ]


def _moves(parameters: int) -> Table:
    """Autocorrelation times of moves on a Gaussian, whose shape matters to none of them but the kernel density."""
    moves = emcee.moves
    choices: dict[str, Any] = {
        "stretch": moves.StretchMove(),
        "differential evolution and snooker": [(moves.DEMove(), 0.8), (moves.DESnookerMove(), 0.2)],
        "kernel density": moves.KDEMove(),
        "those of sample_posterior": None,
    }
    table = []
    for name, chosen in choices.items():
        found = sample_posterior(
            lambda x: -x.square().sum(-1) / 2,
            np.zeros(parameters),
            covariance=np.eye(parameters),
            effective_samples=np.inf,
            steps=_STEPS_OF_MOVES,
            dtype=torch.float64,
            vectorised=True,
            moves=chosen,
        )
        table.append(
            {
                "what": f"moves on a Gaussian of {parameters} dimensions: {name}",
                "autocorrelation_steps": float(found.autocorrelation_steps.max()),
                "acceptance": found.acceptance_fraction,
                "split_r_hat": float(found.split_r_hat.max()),
                "steps": found.steps,
                "walkers": found.walkers,
            }
        )
    return table
