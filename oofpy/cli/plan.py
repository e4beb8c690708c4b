"""`oofpy plan`: which defocus, and how well a fit will then know the surface."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oofpy.cli import options
from oofpy.cli.endings import Ending
from oofpy.cli.messages import Messages

if TYPE_CHECKING:
    from oofpy.planning import Plan

Which = Annotated[
    str,
    typer.Option(metavar="NAME|FILE.toml", show_default=False, help="Telescope, see 'oofpy telescopes'."),
]
Dz = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH,...|FROM:TO[:N]",
        show_default=False,
        help="Candidates for dz, a list such as 1mm,2mm,3mm or a range such as 0.5mm:6mm; one is taken as it is. Left "
        "out, paths of 0.25 to 4 wavelengths over the dish.",
    ),
]
Pattern = Annotated[
    str,
    typer.Option(metavar="FACTOR,...", help="Defocus of every map in units of dz, positive away from the primary."),
]
Snr = Annotated[
    float | None,
    typer.Option(
        metavar="NUMBER", show_default=False, help="Peak in focus over the noise of a sample, the same in all maps."
    ),
]
Time = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        show_default=False,
        help="Instead of --snr: time on the source in all maps together, e.g. 20min, of which every sample has the "
        "same share; with --snr-1s.",
    ),
]
SnrOneSecond = Annotated[
    float | None,
    typer.Option(
        "--snr-1s",
        metavar="NUMBER",
        show_default=False,
        help="Peak in focus over the noise after one second on one position, with all detectors that cross it.",
    ),
]
HalfWidth = Annotated[
    str | None,
    typer.Option(
        metavar="ANGLE,...",
        show_default=False,
        help="Half-widths of the maps, e.g. 1arcmin,2arcmin; left out, each as large as its pattern asks for.",
    ),
]
Spacing = Annotated[
    str | None,
    typer.Option(
        metavar="ANGLE,...",
        show_default=False,
        help="Largest distances of neighbouring samples; lambda/4D if left out.",
    ),
]
Orders = Annotated[
    str | None,
    typer.Option(
        "--order",
        metavar="N,...",
        show_default=False,
        help="Highest Zernike orders, 2 to 12; 5 if left out.",
    ),
]
Likelihood = Annotated[
    str | None,
    typer.Option(
        metavar="gaussian|cauchy|student-t|huber",
        show_default=False,
        help="Of the fit; gaussian if left out. The others have larger errors where the noise is Gaussian.",
    ),
]
Surface = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH",
        show_default=False,
        help="Half-path rms of a random surface of the dish, e.g. 60um; an ideal dish if left out.",
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", help="Of the random surface.")]
Result = Annotated[
    Path | None,
    typer.Option(
        metavar="RESULT", show_default=False, help="Instead of --surface: a result of 'oofpy fit' with the surface."
    ),
]
Merit = Annotated[
    str,
    typer.Option(
        metavar="surface|without-focus|focus|Z(n,l)",
        help="Whose error is to be least: the surface map's, as rms over the dish, with or without focus; the "
        "focus's, or a coefficient's.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=options.place_of,
        show_default=False,
        help="Folder to make, with plan.json, tables and a figure; nothing is written if left out.",
    ),
]
NoFigures = Annotated[bool, typer.Option("--no-figures", help="Write no figure.")]


def plan_command(
    telescope: Which,
    dz: Dz = None,
    pattern: Pattern = "-1,0,1",
    wavelength: options.Wavelength = None,
    frequency: options.Frequency = None,
    snr: Snr = None,
    time: Time = None,
    snr_in_1s: SnrOneSecond = None,
    half_width: HalfWidth = None,
    spacing: Spacing = None,
    orders: Orders = None,
    likelihood: Likelihood = None,
    surface: Surface = None,
    seed: Seed = 0,
    result: Result = None,
    merit: Merit = "surface",
    settings: options.SettingsFile = None,
    assignments: options.Set = None,
    out: Out = None,
    pdf: options.Pdf = False,
    no_figures: NoFigures = False,
    json: options.Json = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> int:
    """Plan an observation: the best defocus, and the errors that a fit will have.

    The errors are those that the noise allows a fit of such maps, with everything free that a fit leaves free: gain,
    background and pointing of every map, the taper, and what --set parameters.NAME.free=true says. dz, the pattern and
    the directions of a chop and of a scan are in the signs of the model.
    """
    from oofpy.cli.plan_inputs import budget_of, candidates_of, options_named, situation_of, with_surface
    from oofpy.io.atomic import refuse_foreign
    from oofpy.planning import plan_observation
    from oofpy.planning.writing import PLAN_FILE, write_plan
    from oofpy.quantities import parse_quantities

    if out is not None:
        refuse_foreign(out, PLAN_FILE, overwrite)
    half_widths, spacings = (
        () if text is None else parse_quantities(text, "angle", key=key)
        for text, key in ((half_width, "--half-width"), (spacing, "--spacing"))
    )
    messages = Messages(quiet)
    with messages.working("planning"), options_named():
        _use_one_thread()
        budget = budget_of(snr, time, snr_in_1s)
        situation = situation_of(
            telescope, wavelength, frequency, orders, pattern, likelihood, settings, assignments or []
        )
        plan = plan_observation(
            with_surface(situation, surface, seed, result),
            budget,
            dz_m=candidates_of(dz),
            half_widths_rad=half_widths,
            spacings_rad=spacings,
            merit="".join(merit.split()),
            report=messages.progress,
        )

    def illustrate(made: Plan, part: Path) -> None:
        from oofpy.plots.plan_figures import write_plan_figures

        write_plan_figures(made, part, pdf=pdf)

    if out is not None:
        with messages.working("writing the plan"):
            write_plan(plan, out, illustrate=None if no_figures else illustrate, overwrite=overwrite)
    if json:
        _print_json(plan)
    elif not quiet:
        from oofpy.cli.plan_report import plan_lines

        print("\n".join([*plan_lines(plan), *([] if out is None else [f"plan in {out}"])]), flush=True)
    return Ending.DONE


def _use_one_thread() -> None:
    """Keep the threads of a busy machine from waiting for each other, as `oofpy fit` does."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)


def _print_json(plan: Plan) -> None:
    import json

    from oofpy.planning.writing import summary

    print(json.dumps(summary(plan), indent=2, allow_nan=False))
