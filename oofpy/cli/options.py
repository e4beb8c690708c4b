"""Options that more than one command has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oofpy.errors import UsageError

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        show_default=False,
        help="Beam maps: files with two or more maps are one observation each, files with one map are "
        "one observation together, in this order.",
    ),
]
TelescopeName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE.toml",
        show_default=False,
        help="Telescope, see 'oofpy telescopes'; left out, the one that the file names.",
    ),
]
Dz = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH,...",
        show_default=False,
        help="Defocus of every map in order, e.g. -3mm,0mm,3mm, in the sign of the telescope's data.",
    ),
]
Wavelength = Annotated[str | None, typer.Option(metavar="LENGTH", show_default=False, help="Wavelength, e.g. 1.1mm.")]
Frequency = Annotated[str | None, typer.Option(metavar="FREQUENCY", show_default=False, help="Frequency, e.g. 26GHz.")]
Maps = Annotated[
    str | None,
    typer.Option(metavar="NUMBER,...", show_default=False, help="Maps to keep, counted from 1, e.g. 1,3."),
]
Radius = Annotated[
    str | None,
    typer.Option(
        metavar="ANGLE", show_default=False, help="Keep samples within this distance of (0, 0), e.g. 2arcmin."
    ),
]
Mask = Annotated[
    Path | None,
    typer.Option(metavar="FILE", show_default=False, help="File that says which samples to leave out."),
]
Offsets = Annotated[
    str | None,
    typer.Option(
        metavar="telescope|source",
        show_default=False,
        help="What the offsets in an image of the sky are: where the telescope points relative to the source, as in "
        "a map of the sky, or the reverse.",
    ),
]
Axes = Annotated[
    str | None,
    typer.Option(
        metavar="azel|radec",
        show_default=False,
        help="Along which axes the offsets are in an image that does not name them (CTYPE OFLN, OFLT).",
    ),
]
ParallacticAngle = Annotated[
    str | None,
    typer.Option(
        metavar="ANGLE,...",
        show_default=False,
        help="Position angle of the zenith, from north through east, of every map or one for all; for images in "
        "right ascension and declination, e.g. 35deg.",
    ),
]
Part = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        show_default=False,
        help="Which part of files that hold several: a band of NIKA2, e.g. 2mm, or a component of a GRASP grid.",
    ),
]
InFocus = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        show_default=False,
        help="Number of the map in focus, for files that give positions of the subreflector instead of dz.",
    ),
]
SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE.toml",
        show_default=False,
        help="Settings in a file, keys as for --set; what the command line says stands above it.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        show_default=False,
        help="Any setting; may be repeated, e.g. --set parameters.edge_taper_db.start=-12dB "
        "--set telescope.blockage.legs.used=true --set observing.source_diameter=3.5arcsec.",
    ),
]
SetEntry = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        show_default=False,
        help="An entry of the telescope, or how the maps were taken; may be repeated, e.g. "
        "--set telescope.illumination.edge_taper=-12dB --set observing.source_diameter=3.5arcsec.",
    ),
]
Pdf = Annotated[bool, typer.Option("--pdf", help="Write every figure as PDF as well.")]
OtherWavelengths = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH,...",
        show_default=False,
        help="Further wavelengths for which the report gives the efficiency, e.g. 0.87mm,3mm.",
    ),
]
CatalogueUrl = Annotated[
    str | None,
    typer.Option(
        "--catalogue",
        metavar="URL",
        show_default=False,
        help="Catalogue on a PostgreSQL server, postgresql://user@host/database, of the folder RESULTS.",
    ),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print JSON instead: an object for one observation, a list of them for several."),
]


def lengths_of(text: str | None, key: str) -> tuple[float, ...]:
    """Read lengths that are listed with commas, in metres; none where there is no text.

    Raises
    ------
    ConfigurationError
        If one of them is no positive length with a unit.
    """
    from oofpy.quantities import parse_quantity

    lengths = tuple(parse_quantity(part, "length", key=key) for part in (text or "").split(",") if part.strip())
    for length in lengths:
        if not length > 0:
            raise UsageError("is not a wavelength", key=key, value=text, remedy="give lengths such as 0.87mm,3mm")
    return lengths


def place_of(text: str | Path) -> Path:
    """Take the name of a file or folder to write; an empty one would be the working folder.

    Raises
    ------
    UsageError
        If it is empty.
    """
    if not str(text).strip():
        raise UsageError("is empty", key="--out", value="''", remedy="give a name")
    return Path(text)


Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors, and JSON where asked for.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what exists.")]
