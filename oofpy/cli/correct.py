"""`oofpy correct`: the moves of actuators or panels that correct a surface, and what they are predicted to bring."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oofpy.cli import options
from oofpy.cli.correct_inputs import (
    applied_moves_of,
    left_out_of,
    name_of,
    require_layout,
    settings_of,
    source_of,
    wanted_of,
)
from oofpy.cli.endings import Ending
from oofpy.cli.messages import Messages
from oofpy.errors import one_line

if TYPE_CHECKING:
    from oofpy.correction.values import Correction

_FOLDER = Path("oofpy-corrections")

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE",
        show_default=False,
        help="What to correct: a result of 'oofpy fit', or a model of 'oofpy gravity'; its folder or its file.",
    ),
]
Points = Annotated[
    str | None,
    typer.Option(
        metavar="TABLE|NAME",
        show_default=False,
        help="Where the mirror is moved: a CSV or ECSV table with x, y and optionally name, or actuators known by name "
        "(effelsberg).",
    ),
]
PointUnit = Annotated[
    str | None, typer.Option(metavar="UNIT", show_default=False, help="Unit of x and y where the table says none.")
]
On = Annotated[
    str | None,
    typer.Option(metavar="primary|subreflector", show_default=False, help="Mirror of the points; primary if left out."),
]
SubreflectorRadius = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH",
        show_default=False,
        help="Radius on the subreflector at which the rim of the dish is seen, e.g. 3.25m.",
    ),
]
Rotation = Annotated[
    str | None,
    typer.Option(
        metavar="ANGLE",
        show_default=False,
        help="Angle by which x, y of the points are turned, from +x towards +y, to lie on the dish as seen from behind "
        "it looking at the sky; left out: 0deg, and 180deg for a Gregorian subreflector, whose rays have crossed.",
    ),
]
Mirrored = Annotated[
    bool, typer.Option("--mirrored", help="x of the points counts the other way round; mirrored before it is turned.")
]
MappingOption = Annotated[
    str | None,
    typer.Option(
        "--mapping",
        metavar="linear|rays",
        show_default=False,
        help="How radii on the subreflector become radii of the dish; linear if left out.",
    ),
]
Along = Annotated[
    str | None,
    typer.Option(
        metavar="normal|axis|path",
        show_default=False,
        help="Direction of the moves: along the normal of the surface (if left out), along the axis, or as half-path "
        "errors, as at normal incidence.",
    ),
]
PositiveOption = Annotated[
    str | None,
    typer.Option(
        "--positive",
        metavar="raise|lower",
        show_default=False,
        help="What a positive number does to the metal: raise it towards the reflecting side (if left out), or lower "
        "it.",
    ),
]
Gain = Annotated[float, typer.Option(metavar="NUMBER", help="Share of the error that the increment takes away.")]
Limits = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH[,LENGTH]",
        show_default=False,
        help="How far the total may go: 5mm to either side, or -3mm,5mm.",
    ),
]
Threshold = Annotated[
    str | None,
    typer.Option(metavar="LENGTH", show_default=False, help="Leave out increments smaller than this, e.g. 20um."),
]
WithoutFocus = Annotated[bool, typer.Option("--without-focus", help="Leave Z(2,0) to the subreflector.")]
Without = Annotated[
    str | None,
    typer.Option(metavar="TERMS", show_default=False, help="Terms to leave out, e.g. 'Z(2,0),Z(3,1)'; tilt always is."),
]
AppliedMovesTable = Annotated[
    Path | None,
    typer.Option(
        "--applied",
        metavar="TABLE",
        show_default=False,
        help="Moves that stand on the mirror, to which the increment is added: an earlier correction.ecsv, or a table "
        "of the telescope.",
    ),
]
Counted = Annotated[
    bool | None,
    typer.Option(
        "--applied-counted/--applied-not-counted",
        show_default=False,
        help="Of a gravity model: whether its observations named the moves of --applied (observing.applied), so that "
        "it is of the dish without them.",
    ),
]
Elevation = Annotated[
    str | None,
    typer.Option(
        metavar="ANGLE,...", show_default=False, help="Elevations, for a gravity model only, e.g. 30deg,45deg,60deg."
    ),
]
Formats = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME",
        show_default=False,
        help="Write it in the form of a telescope as well: effelsberg (look-up table at 11 elevations, from a gravity "
        "model), gbt (list of Zernike coefficients, needs no points); may be repeated.",
    ),
]
Rejected = Annotated[bool, typer.Option("--rejected", help="Correct even what the verdict of the fit rejects.")]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        parser=options.place_of,
        show_default=False,
        help=f"Folder to make; in {_FOLDER}, named after the source, if left out.",
    ),
]
NoFigures = Annotated[bool, typer.Option("--no-figures", help="Write no figures.")]


def correct_command(
    source: Source,
    points: Points = None,
    point_unit: PointUnit = None,
    on: On = None,
    subreflector_radius: SubreflectorRadius = None,
    rotation: Rotation = None,
    mirrored: Mirrored = False,
    mapping: MappingOption = None,
    along: Along = None,
    positive: PositiveOption = None,
    gain: Gain = 1.0,
    limits: Limits = None,
    threshold: Threshold = None,
    without_focus: WithoutFocus = False,
    without: Without = None,
    applied: AppliedMovesTable = None,
    applied_counted: Counted = None,
    elevation: Elevation = None,
    telescope: options.TelescopeName = None,
    formats: Formats = None,
    wavelengths: options.OtherWavelengths = None,
    rejected: Rejected = False,
    out: Out = None,
    no_figures: NoFigures = False,
    pdf: options.Pdf = False,
    json: options.Json = False,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
) -> int:
    """Turn a surface into the moves that correct it.

    The increment is what to add to what is applied now, the total is both together. Tables, forms of telescopes and
    figures go to a folder; the moves in short and the predicted efficiency to standard output.
    """
    other_wavelengths_m = options.lengths_of(wavelengths, "--wavelengths")
    wanted = wanted_of(points, point_unit, formats or [])
    settings = settings_of(
        wanted.layout,
        which=on,
        along=along,
        mapping=mapping,
        subreflector_radius=subreflector_radius,
        rotation=rotation,
        mirrored=mirrored,
        positive=positive,
        gain=gain,
        limits=limits,
        threshold=threshold,
        left_out=left_out_of(without, without_focus),
    )
    messages = Messages(quiet)
    with messages.working("reading"):
        found = source_of(source, elevation, telescope, wanted.formats, rejected=rejected)
        require_layout(wanted.layout, found)
        moves = applied_moves_of(applied, applied_counted, found)
    from oofpy.correction import correct
    from oofpy.correction.writing import SUMMARY_FILE, write_correction
    from oofpy.io.atomic import refuse_foreign

    folder = out or _FOLDER / name_of(found)
    refuse_foreign(folder, SUMMARY_FILE, overwrite)
    with messages.working("correcting"):
        correction = correct(
            found,
            settings,
            wanted.points,
            applied_moves=moves,
            counted=bool(applied_counted),
            wavelengths_m=other_wavelengths_m,
        )
        correction = replace(
            correction, notes=(*correction.notes, *(note for one in wanted.formats for note in one.notes))
        )

    def illustrate(made: Correction, part: Path) -> None:
        from oofpy.plots.correction_figures import write_correction_figures

        write_correction_figures(made, part, pdf=pdf)

    with messages.working("writing the correction"):
        write_correction(
            correction,
            folder,
            formats=wanted.formats,
            illustrate=None if no_figures else illustrate,
            overwrite=overwrite,
        )
    if json:
        _print_json(correction)
    elif not quiet:
        from oofpy.cli.correct_report import report_of

        print("\n".join([*report_of(correction), one_line(f"correction in {folder}")]), flush=True)
    return Ending.FLAGGED if found.doubtful else Ending.DONE


def _print_json(correction: Correction) -> None:
    import json

    from oofpy.correction.tables import correction_summary

    print(json.dumps(correction_summary(correction), indent=2, allow_nan=False))
