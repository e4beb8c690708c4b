"""`oofpy fit`: from files to a surface, one observation after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oofpy.cli import options
from oofpy.cli.endings import Ending, FitFailedError, guarded, worst
from oofpy.cli.messages import Messages
from oofpy.cli.reading import description_of, groups_of
from oofpy.cli.text_tables import flag_line
from oofpy.errors import UsageError, one_line
from oofpy.recipe import Recipe, RecipeTexts

if TYPE_CHECKING:
    from oofpy.fitting.posterior import FitPosterior
    from oofpy.fitting.result import FitResult
    from oofpy.observation import Observation
    from oofpy.telescope import Telescope

Order = Annotated[
    str | None,
    typer.Option(metavar="N|auto", show_default=False, help="Highest Zernike order, 2 to 12; 5 if left out."),
]
Likelihood = Annotated[
    str | None,
    typer.Option(
        metavar="gaussian|cauchy|student-t|huber",
        show_default=False,
        help="Distribution of the residuals; cauchy if left out.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="auto|cpu|cuda",
        show_default=False,
        help="Where to compute; auto, if left out, takes CUDA where there is one.",
    ),
]
Out = Annotated[Path, typer.Option(metavar="DIR", parser=options.place_of, help="Where the results go, a folder each.")]
NoFigures = Annotated[
    bool, typer.Option("--no-figures", help="Write no files of single figures; the report has them all the same.")
]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write no report.html.")]
Posterior = Annotated[
    bool,
    typer.Option(
        "--posterior",
        help="Sample the posterior as well, to see whether the errors hold; takes minutes, and the extra 'posterior'.",
    ),
]
PosteriorSteps = Annotated[
    int,
    typer.Option(metavar="N", min=1, show_default=True, help="Most steps of every walker through the posterior."),
]


@dataclass(frozen=True)
class _Job:
    """What to do with every observation.

    `summaries` collects what `--json` prints; `posterior_steps` is None where no posterior is wanted.
    """

    recipe: Recipe
    out: Path
    illustrate: Callable[[FitResult, Path, FitPosterior | None], None]
    posterior_steps: int | None
    overwrite: bool
    quiet: bool
    json: bool
    summaries: list[dict[str, Any]] = field(default_factory=list)


def fit_command(
    files: options.Files,
    telescope: options.TelescopeName = None,
    order: Order = None,
    likelihood: Likelihood = None,
    device: Device = None,
    out: Out = Path("oofpy-results"),
    dz: options.Dz = None,
    wavelength: options.Wavelength = None,
    frequency: options.Frequency = None,
    maps: options.Maps = None,
    radius: options.Radius = None,
    mask: options.Mask = None,
    axes: options.Axes = None,
    offsets: options.Offsets = None,
    parallactic_angle: options.ParallacticAngle = None,
    in_focus: options.InFocus = None,
    part: options.Part = None,
    settings: options.SettingsFile = None,
    assignments: options.Set = None,
    no_report: NoReport = False,
    no_figures: NoFigures = False,
    pdf: options.Pdf = False,
    posterior: Posterior = False,
    posterior_steps: PosteriorSteps = 3000,
    wavelengths: options.OtherWavelengths = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> int:
    """Fit a telescope's surface to beam maps.

    The coefficients, the surface rms and where the results lie go to standard output, progress to
    standard error. Of several observations each is fitted for itself; the exit code is the worst.
    """
    from oofpy.fitting.settings import FOR_A_REPORT

    texts = RecipeTexts.of_options(
        settings={"order": order, "likelihood": likelihood, "device": device},
        assignments=assignments,
        settings_file=settings,
        telescope=telescope,
        dz=dz,
        wavelength=wavelength,
        frequency=frequency,
        maps=maps,
        radius=radius,
        mask=mask,
        axes=axes,
        offsets=offsets,
        parallactic_angle=parallactic_angle,
        in_focus=in_focus,
        part=part,
    )
    job = _Job(
        recipe=texts.recipe(FOR_A_REPORT),
        out=out,
        illustrate=_illustrations(not no_report, not no_figures, pdf, options.lengths_of(wavelengths, "--wavelengths")),
        posterior_steps=posterior_steps if posterior else None,
        overwrite=overwrite,
        quiet=quiet,
        json=json,
    )
    require_place(out)
    if posterior:
        _require_posterior_extra()
    groups = groups_of(files, part)
    ending = worst([guarded(partial(_fit_group, group, job)) for group in groups])
    if json:
        _print_json(job.summaries, several=len(groups) > 1)
    return ending


def require_place(out: Path) -> None:
    """Refuse, before any work, a folder that cannot be made or written to."""
    existing = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not existing.is_dir():
        raise UsageError("this is a file, not a folder", file=existing, key="--out", remedy="choose another")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError("you may not write here", file=existing, key="--out", remedy="choose another folder")


def _fit_group(files: Sequence[Path], job: _Job) -> Ending:
    """Fit one observation, write its result and print it."""
    from oofpy.io.result_summary import summary
    from oofpy.io.results import result_folder, write_result

    result_folder(files[0].stem, job.out, overwrite=job.overwrite)  # before any work, not after it
    messages = Messages(job.quiet)
    observation = job.recipe.reading.observation(files)
    for line in description_of(observation):
        messages.say(line)
    ready, telescope = job.recipe.in_model_convention(observation)
    _say_how_taken(observation, telescope, messages)
    result = _fitted(ready, telescope, job, messages)
    if result.status == "failed":
        if job.json:
            job.summaries.append(summary(result))
        raise FitFailedError(f"{observation.name}: the fit failed: {result.fit.status.advice}")
    posterior = _sampled(ready, result, job.posterior_steps, messages)
    if job.json:
        job.summaries.append(summary(result, posterior))
    with messages.working(f"{observation.name}: writing the results"):
        folder = write_result(
            result,
            job.out,
            log=_log(messages, result),
            illustrate=lambda result, folder: job.illustrate(result, folder, posterior),
            posterior=posterior,
            overwrite=job.overwrite,
        )
    if not (job.quiet or job.json):
        from oofpy.cli.fit_report import posterior_lines, report_of

        print("\n".join([*report_of(result), *posterior_lines(posterior), f"results in {folder}"]), flush=True)
    return Ending.FLAGGED if result.status == "flagged" else Ending.DONE


def _say_how_taken(observation: Observation, telescope: Telescope, messages: Messages) -> None:
    from oofpy.io.observing_words import conversions, how_taken

    for line in (conversions(observation, telescope), how_taken(observation.observing)):
        if line:
            messages.say(line)


def _fitted(observation: Observation, telescope: Telescope, job: _Job, messages: Messages) -> FitResult:
    with messages.working(f"{observation.name}: fitting"):
        # Importing torch takes longer than most fits.
        import torch

        from oofpy import fit

        if "OMP_NUM_THREADS" not in os.environ:
            # A second thread gains a fifth on an idle machine; on a busy one the threads wait for each other, and the
            # fit takes ten times as long.
            torch.set_num_threads(1)
        result = fit(
            observation,
            telescope,
            job.recipe.settings,
            report=lambda line: messages.progress(one_line(f"{observation.name}: {line}")),
        )
    outcome = f"order {result.fit.order}, {result.fit.status.value}, {result.fit.seconds:.2f} s"
    messages.say(f"{observation.name}: {outcome}")
    return result


def _require_posterior_extra() -> None:
    """Refuse before the fit, not after it, what needs libraries that are not there."""
    from importlib.util import find_spec

    missing = [name for name in ("emcee", "corner") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"a posterior needs {' and '.join(missing)}, which is not installed",
            key="--posterior",
            remedy="pip install 'oofpy[posterior]'",
        )


def _sampled(
    observation: Observation, result: FitResult, most_steps: int | None, messages: Messages
) -> FitPosterior | None:
    """The posterior of a result, where it is wanted."""
    if most_steps is None:
        return None
    with messages.working(f"{result.name}: sampling the posterior"):
        from oofpy.fitting.posterior_sampling import sample_fit

        posterior = sample_fit(
            observation,
            result,
            steps=most_steps,
            report=lambda line: messages.progress(one_line(f"{result.name}: posterior: {line}")),
        )
    messages.say(one_line(f"{result.name}: posterior {posterior.status}, {posterior.seconds:.0f} s"))
    return posterior


def _log(messages: Messages, result: FitResult) -> str:
    for flag in result.flags:
        messages.record(flag_line(flag))
    return messages.log


def _illustrations(
    page: bool, figures: bool, pdf: bool, wavelengths_m: tuple[float, ...]
) -> Callable[[FitResult, Path, FitPosterior | None], None]:
    """What is written for people beside the result."""

    def illustrate(result: FitResult, folder: Path, posterior: FitPosterior | None) -> None:
        if page or figures or pdf:
            from oofpy.report import write_report

            write_report(
                result,
                folder,
                other_wavelengths_m=wavelengths_m,
                page=page,
                figures=figures,
                pdf=pdf,
                posterior=posterior,
            )

    return illustrate


def _print_json(summaries: Sequence[dict[str, Any]], several: bool) -> None:
    """Print an object for one observation, and for several a list of those that were fitted."""
    import json

    if several:
        print(json.dumps(summaries, indent=2, allow_nan=False))
    elif summaries:
        print(json.dumps(summaries[0], indent=2, allow_nan=False))
