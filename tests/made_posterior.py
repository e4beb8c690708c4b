"""A posterior made by hand for a made result: the shape that its covariance says, but for two parameters."""

from dataclasses import replace

import numpy as np

from oofpy.fitting.posterior import FitPosterior, ParameterPosterior, fitted_values

WIDER, NARROWER = "Z(2,0)", "Z(3,1)"


def made_posterior(result, samples=800, seed=2):
    """Samples of the result's own covariance, one parameter widened and skewed, one narrowed."""
    fit, rng = result.fit, np.random.default_rng(seed)
    values = fitted_values(result)
    centre = np.array([np.nan_to_num(values[name]) for name in fit.covariance_names])
    errors = np.sqrt(np.diag(fit.covariance))
    drawn = rng.multivariate_normal(np.zeros(centre.size), fit.covariance, samples, method="eigh")
    wide, narrow = (fit.covariance_names.index(name) for name in (WIDER, NARROWER))
    drawn[:, wide] = 1.6 * drawn[:, wide] + 0.4 * errors[wide] * ((drawn[:, wide] / errors[wide]) ** 2 - 1)
    drawn[:, narrow] *= 0.7
    drawn += centre
    lower, median, upper = np.quantile(drawn, (0.16, 0.5, 0.84), axis=0)
    parameters = tuple(
        ParameterPosterior(
            name=name,
            unit="rad",
            fitted=values[name],
            error=float(errors[place]),
            mean=float(drawn[:, place].mean()),
            standard_deviation=float(drawn[:, place].std()),
            lower=float(lower[place]),
            median=float(median[place]),
            upper=float(upper[place]),
            effective_samples=1234.5 + place,
            split_r_hat=1.0 + 1 / 300,
        )
        for place, name in enumerate(fit.covariance_names)
    )
    surface = fit.surface
    derived = replace(
        parameters[0], name="best_focus_m", unit="m", fitted=surface.best_focus_m, error=surface.best_focus_m_error
    )
    return FitPosterior(
        name=result.name,
        order=fit.order,
        parameters=parameters,
        derived=(replace(derived, effective_samples=np.nan, split_r_hat=np.nan),),
        samples=drawn,
        log_posterior=-rng.chisquare(centre.size, samples) / 2,
        covariance=np.cov(drawn.T),
        combination_ratios=(0.61, 1.83),
        correlation_samples=(70.5, 1.0, 1 / 3 * 10),
        likelihood_share=0.61,
        walkers=64,
        steps=400,
        acceptance_fraction=0.41,
        status="converged",
        advice="the samples can be used",
        seed=7,
        seconds=12.5,
    )
