"""The table of a sampled posterior beside the errors of the fit."""

from __future__ import annotations

from oofpy.fitting.posterior import LARGEST_RATIO, FitPosterior, ParameterPosterior
from oofpy.report.numbers import ARCSEC_PER_RAD, number, ratio, rounded
from oofpy.report.tables import Column, Table

_COLUMNS = (
    Column("parameter"),
    Column("unit"),
    Column("fitted", numeric=True),
    Column("error", numeric=True, explanation="standard error of the fit, from the curvature at its end"),
    Column("deviation", numeric=True, explanation="standard deviation of the posterior"),
    Column("over error", numeric=True, explanation="deviation over error"),
    Column("16 %", numeric=True, explanation="of the posterior lie below"),
    Column("median", numeric=True),
    Column("84 %", numeric=True),
    Column("remark"),
)


def posterior_table(posterior: FitPosterior | None) -> Table:
    """Tabulate errors against the posterior; without rows where none was sampled.

    Parameters
    ----------
    posterior : FitPosterior or None

    Returns
    -------
    Table
    """
    if posterior is None:
        return Table("Posterior", _COLUMNS, ())
    rows = (*posterior.parameters, *posterior.derived)
    return Table(
        "Standard errors and posterior", _COLUMNS, tuple(_row(one) for one in rows), posterior_words(posterior)
    )


def _row(one: ParameterPosterior) -> tuple[str, ...]:
    name, unit, scale = _shown(one)
    size = scale * one.error
    fitted, error = rounded(scale * one.fitted, size, "+")
    deviation = rounded(scale * one.standard_deviation, size)[0]
    lower, median, upper = (rounded(scale * value, size, "+")[0] for value in (one.lower, one.median, one.upper))
    return (
        *(name, unit, fitted, error, deviation, number(one.ratio, ".2f"), lower, median, upper),
        "differs" if one.differs else "",
    )


_DERIVED = {"rms_um": "surface rms", "best_focus_m": "focus error"}


def _shown(one: ParameterPosterior) -> tuple[str, str, float]:
    """Name and unit of a row, and what its values are multiplied by, as radians and metres make small numbers."""
    name = _DERIVED.get(one.name, one.name)
    if name.startswith("pointing"):
        return name.replace("_rad", ""), "arcsec", ARCSEC_PER_RAD
    if one.unit == "m":
        return name.replace("_m", ""), "mm", 1e3
    return name, one.unit.replace("um", "\N{MICRO SIGN}m"), 1.0


def posterior_words(posterior: FitPosterior) -> str:
    """Say how the posterior was sampled, and what it says of the errors.

    Parameters
    ----------
    posterior : FitPosterior

    Returns
    -------
    str
        A few sentences.
    """
    walk = (
        f"{posterior.walkers} walkers, {posterior.steps} steps each after the warm-up, "
        f"{posterior.fewest_effective_samples:.0f} effective samples or more, "
        f"acceptance {posterior.acceptance_fraction:.2f}"
    )
    state = "" if posterior.status == "converged" else f"Not converged: {posterior.advice}. "
    shared = ", ".join(ratio(one) for one in posterior.correlation_samples)
    counted = (
        f"The log-likelihood was multiplied by {number(posterior.likelihood_share, '.3g')}, for samples whose "
        f"residuals move together ({shared} in the maps) and for noise that is not as the likelihood says"
    )
    least, most = (number(one, ".2f") for one in posterior.combination_ratios)
    together = f"Over all combinations of the parameters, the deviation is {least} to {most} of the error."
    return f"{state}{walk}. {_judgement(posterior)} {together} {counted}; the errors of the fit count the same."


def _judgement(posterior: FitPosterior) -> str:
    if not posterior.differing:
        return f"Every deviation is within a factor of {LARGEST_RATIO:g} of the error."
    many = len(posterior.differing) > 1
    return (
        f"The {'deviations' if many else 'deviation'} of {', '.join(posterior.differing)} "
        f"{'differ' if many else 'differs'} from the error by more than a factor of {LARGEST_RATIO:g}: there the "
        "16 and 84 % are to be used."
    )
