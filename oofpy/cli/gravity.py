"""`oofpy gravity`: how the surface of a dish changes with elevation, from many observations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oofpy.cli import options
from oofpy.cli.endings import Ending
from oofpy.cli.messages import Messages
from oofpy.cli.text_tables import aligned, number
from oofpy.errors import InputError, UsageError, one_line

if TYPE_CHECKING:
    from oofpy.gravity.gravity_fit import GravityFit
    from oofpy.gravity.results import LeftOut

_FOLDER = Path("oofpy-gravity")
_RESULT_FILE, _CATALOGUE_FILE = "result.fits", "catalogue.sqlite"

Results = Annotated[
    list[Path],
    typer.Argument(
        metavar="RESULTS...",
        show_default=False,
        help="A folder of results with its catalogue, or single results: their folders or result.fits.",
    ),
]
Accepted = Annotated[
    bool,
    typer.Option(
        "--accepted", help="Only what reviewers accepted, or what they did not decide on and the verdict accepts."
    ),
]
Order = Annotated[
    int | None,
    typer.Option(metavar="N", show_default=False, help="Order of the fits to take; left out, that of each result."),
]
Telescopes = Annotated[
    list[str] | None,
    typer.Option("--telescope", metavar="NAME", show_default=False, help="Only observations of this telescope."),
]
Joint = Annotated[bool, typer.Option("--joint", help="Fit the model to the maps of all observations together as well.")]
ConditionsFile = Annotated[
    Path | None,
    typer.Option(
        "--conditions",
        metavar="FILE",
        show_default=False,
        help="CSV or ECSV with the columns observation and temperature_k, temperature_c, hour_angle_rad, "
        "hour_angle_deg or hour_angle_h, against which figures show what is left.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=options.place_of,
        show_default=False,
        help=f"Folder to make; in {_FOLDER}, named after the telescope, if left out.",
    ),
]
NoFigures = Annotated[bool, typer.Option("--no-figures", help="Write no figures.")]


def gravity_command(
    results: Results,
    accepted: Accepted = False,
    order: Order = None,
    telescopes: Telescopes = None,
    joint: Joint = False,
    catalogue: options.CatalogueUrl = None,
    conditions: ConditionsFile = None,
    out: Out = None,
    pdf: options.Pdf = False,
    no_figures: NoFigures = False,
    json: options.Json = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> int:
    """Fit A sin(el) + B cos(el) + C to the coefficients of many observations.

    Half-path errors in micrometres of the dish without the corrections that were on it. Observations that lie far off
    are named and have no influence. With --joint the same is fitted to the maps of all observations in one likelihood,
    which then is what gravity.ecsv holds.
    """
    from oofpy.gravity.conditions import read_conditions
    from oofpy.gravity.files import GRAVITY_FILE
    from oofpy.gravity.results import gravity_input
    from oofpy.gravity.two_step import fit_two_step
    from oofpy.gravity.writing import write_gravity
    from oofpy.io.atomic import refuse_foreign

    if out is not None:
        refuse_foreign(out, GRAVITY_FILE, overwrite)
    messages = Messages(quiet)
    known = read_conditions(conditions) if conditions is not None else {}
    with messages.working("reading the results"):
        places, left_out = _places(results, accepted, catalogue)
        found = gravity_input(
            places,
            order=order,
            telescopes=telescopes or (),
            accepted_only=[place for place in results if accepted],
            conditions=known,
            left_out=left_out,
        )
    folder = out or _FOLDER / _folder_name(found.series.samples[0].telescope)
    refuse_foreign(folder, GRAVITY_FILE, overwrite)
    fit, two_step = fit_two_step(found.series), None
    if joint:
        from oofpy.gravity.joint import fit_joint

        two_step = fit
        with messages.working("fitting the maps of all observations"):
            fit = fit_joint(found.maps, two_step, report=messages.progress)

    def illustrate(made: GravityFit, part: Path) -> None:
        from oofpy.plots.gravity_figures import write_gravity_figures

        write_gravity_figures(made, part, pdf=pdf)

    with messages.working("writing the model"):
        write_gravity(
            fit,
            folder,
            left_out=found.left_out,
            two_step=two_step,
            illustrate=None if no_figures else illustrate,
            overwrite=overwrite,
        )
    if json:
        _print_json(fit, found.left_out, two_step)
    elif not quiet:
        print("\n".join([*_lines(fit, found.left_out), f"model in {folder}"]), flush=True)
    return Ending.DONE if fit.model.converged else Ending.FLAGGED


def _places(results: list[Path], accepted: bool, catalogue: str | None) -> tuple[list[Path], list[LeftOut]]:
    """Where single results are, and which of a catalogue are left out."""
    from oofpy.gravity.results import LeftOut

    if catalogue is not None and (len(results) != 1 or not results[0].is_dir() or (results[0] / _RESULT_FILE).exists()):
        raise UsageError(
            "needs the one folder that holds the results of this catalogue",
            key="--catalogue",
            remedy="give the folder that 'oofpy batch --catalogue' filled as RESULTS",
        )
    places: list[Path] = []
    left_out: list[LeftOut] = []
    for given in results:
        if given.is_dir() and not (given / _RESULT_FILE).is_file():
            found, others = _of_catalogue(given, accepted, catalogue)
            places += found
            left_out += [LeftOut(name, reason) for name, reason in others]
        else:
            places.append(given)
    return places, left_out


def _of_catalogue(folder: Path, accepted: bool, url: str | None) -> tuple[list[Path], list[tuple[str, str]]]:
    """Results of a catalogue, those that reviewers rejected left out."""
    if url is None and not (folder / _CATALOGUE_FILE).is_file():
        raise InputError(
            f"the folder holds neither {_RESULT_FILE} nor {_CATALOGUE_FILE}",
            file=folder,
            remedy="give the folder of results that 'oofpy batch' filled, with --catalogue URL where its catalogue is "
            "on a server, or single results of 'oofpy fit'",
        )
    from oofpy.catalogue import Catalogue, Filter

    with Catalogue.open(url or folder) as catalogue:
        rows = catalogue.select(Filter(accepted_only=accepted))
    places, left_out = [], []
    for row in rows:
        if row.status == "failed" or row.folder is None:
            left_out.append((row.name, row.reason or "its fit failed"))
        elif row.decision == "reject":
            left_out.append((row.name, "a reviewer rejected it"))
        else:
            places.append(folder / row.folder)
    return places, left_out


def _folder_name(telescope: str) -> str:
    return re.sub(r"[^\w.+-]+", "_", telescope).strip("._")[:60] or "unnamed"


def _print_json(fit: GravityFit, left_out: tuple[LeftOut, ...], two_step: GravityFit | None) -> None:
    import json

    from oofpy.gravity.writing import summary

    print(json.dumps(summary(fit, left_out, two_step), indent=2, allow_nan=False))


def _lines(fit: GravityFit, left_out: tuple[LeftOut, ...]) -> Iterator[str]:
    """Describe a model: what it is made of, its coefficients, and who lies far off."""
    from math import degrees

    model = fit.model
    low, high = (degrees(end) for end in model.elevation_range_rad)
    method = f"jointly with their maps in {fit.passes} passes" if model.method == "joint" else "in two steps"
    yield one_line(
        f"{model.telescope}: {len(model.observations)} observations, {low:.1f} to {high:.1f} deg, fitted {method}"
    )
    yield "A sin(el) + B cos(el) + C, half-path errors in um without corrections, > 0: metal below the ideal surface"
    yield ""
    yield from _table(fit)
    yield ""
    for name, reasons in _far_off(fit):
        yield one_line(f"far off: {name} in {reasons}")
    for one in left_out:
        yield one_line(f"left out: {one.name}: {one.reason}")
    if fit.advice:
        yield one_line(f"not converged: {fit.advice}")


def _table(fit: GravityFit) -> list[str]:
    model = fit.model
    rows = []
    for place, term in enumerate(model.terms):
        row = [f"{term.label} {term.common_name}".strip()]
        for value, error in zip(model.parameters_um[place], model.errors_um[place], strict=True):
            row += [number(value, "+.2f"), number(error, ".2f")]
        row += [number(model.scatter_um[place], ".2f"), number(model.leave_one_out_um[place], ".2f")]
        rows.append(row)
    header = ["coefficient", "A um", "error", "B um", "error", "C um", "error", "scatter", "left out"]
    return aligned(header, rows)


def _far_off(fit: GravityFit) -> Iterator[tuple[str, str]]:
    """Names of the observations that lie far off, and in which coefficients."""
    for name, far in zip(fit.model.observations, fit.outlying, strict=True):
        labels = [term.label for term, flag in zip(fit.model.terms, far, strict=True) if flag]
        if len(labels) == len(fit.model.terms):
            yield name, "all coefficients together" if fit.model.method == "joint" else "all coefficients"
        elif labels:
            yield name, ", ".join(labels)
