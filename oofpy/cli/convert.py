"""`oofpy convert`: an observation in any known format as one FITS file of OOF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from oofpy.cli import options
from oofpy.cli.endings import Ending
from oofpy.cli.reading import map_line
from oofpy.cli.text_tables import flag_line
from oofpy.errors import UsageError, one_line
from oofpy.recipe.entries import entries_of
from oofpy.recipe.reading import as_taken, reading_of
from oofpy.recipe.telescopes import require_orientation, telescope_flags, telescope_of

if TYPE_CHECKING:
    from oofpy.observation import Observation
    from oofpy.telescope import Telescope

Out = Annotated[
    Path,
    typer.Option(metavar="NAME.fits", parser=options.place_of, show_default=False, help="The file to write."),
]


def convert_command(
    files: options.Files,
    out: Out,
    telescope: options.TelescopeName = None,
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
    assignments: options.SetEntry = None,
    overwrite: options.Overwrite = False,
) -> int:
    """Write beam maps of any known format as FITS tables of OOF, in double precision.

    Values are those of the files. Images of the sky are turned to the directions and signs of the telescope's data, for
    which the telescope must be known. Samples that are not observed or left out become NaN. The image of a correction
    on the dish becomes one more table, which oof itself would take for a map without DZ.
    """
    from oofpy.io import write_oof_fits

    _require_place(out, overwrite)
    _require_other(out, [*files, *([settings] if settings else [])])
    entries = entries_of(settings, assignments or [])
    reading = reading_of(dz, wavelength, frequency, maps, radius, mask)
    read = as_taken(reading, axes, offsets, parallactic_angle, in_focus, part, entries.observing).observation(files)
    dish = None
    if read.frame != "file" or telescope is not None or entries.telescope:
        dish = telescope_of(telescope, read, entries.telescope)
    _require_other(out, [*(source.path for source in read.sources), *_files_of(dish)])
    observation = read if dish is None else _of_telescope(read, dish)
    write_oof_fits(observation, out, overwrite=overwrite, header=_header())
    print("\n".join(_told(out, read, observation, dish)), flush=True)
    return Ending.FLAGGED if any(flag.serious for flag in observation.flags) else Ending.DONE


def _require_place(out: Path, overwrite: bool) -> None:
    """Refuse, before any work, to replace a file that is not to be replaced."""
    from oofpy.io.atomic import refuse_existing

    refuse_existing(out, overwrite)


def _require_other(out: Path, files: Sequence[str | Path]) -> None:
    """Refuse to replace a file that was read, by whatever name it goes."""
    if out.exists() and any(Path(file).exists() and out.samefile(file) for file in files):
        raise UsageError("this is one of the files that are read", file=out, key="--out", remedy="choose another name")


def _files_of(telescope: Telescope | None) -> list[str | Path]:
    """Give the files that a telescope was read from."""
    if telescope is None:
        return []
    own = [telescope.source_file] if telescope.source_file else []
    return [*own, *(path_map.origin for path_map in telescope.path_maps() if path_map.origin)]


def _of_telescope(read: Observation, telescope: Telescope) -> Observation:
    """Bring images of the sky into the convention of the telescope's tables, and note whose data they are."""
    from oofpy.conventions import in_file_convention

    flags = (*read.flags, *telescope_flags(read, telescope))
    if read.frame != "file":
        require_orientation(read, telescope)
        read = in_file_convention(read, telescope)
    return replace(read, telescope=telescope.name, flags=flags)


def _header() -> dict[str, str | int | float | bool | None]:
    from oofpy._version import __version__

    return {"ORIGIN": f"oofpy {__version__} convert"}


def _told(out: Path, read: Observation, written: Observation, telescope: Telescope | None) -> list[str]:
    """Say what was written, what was turned for it, and what looks odd."""
    from oofpy.io.observing_words import conversions, how_taken

    lines = [one_line(f"{out}: {len(written.maps)} maps, wavelength {written.wavelength_m * 1e3:.6g} mm")]
    lines += [map_line(place, beam_map) for place, beam_map in enumerate(written.maps, 1)]
    if telescope is not None and read.frame != "file":
        lines += [f"turned: {conversions(read, telescope)}", f"u, v and dz as in the tables of {telescope.name}"]
    if how_taken(written.observing):
        lines.append(how_taken(written.observing))
    return [*lines, *(flag_line(flag) for flag in written.flags)]
