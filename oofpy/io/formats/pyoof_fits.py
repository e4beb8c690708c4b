"""Beam maps in the layout of pyoof: FITS tables with U, V, BEAM."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from oofpy.io.formats.map_tables import HeaderValue, TableLayout, has_layout, read_map_tables, write_map_tables
from oofpy.io.reader import FileContent, RawFile, Reader
from oofpy.observation import Observation

# The column ERROR is an addition of oofpy; programs that read by name pass it over.
LAYOUT = TableLayout(u="U", v="V", power="BEAM", error="ERROR", telescope_key="TELESCOP")


def recognises(content: FileContent) -> bool:
    """Whether a file has this layout."""
    return has_layout(content, LAYOUT)


def read(content: FileContent) -> RawFile:
    """Read the maps of a pyoof file.

    Parameters
    ----------
    content : FileContent
        The file.

    Returns
    -------
    RawFile
        Any number of maps: U and V in radians unless TUNIT says otherwise, DZ in metres, FREQ in hertz
        and WAVEL in metres, MEANEL in degrees with 0 for unknown.

    Raises
    ------
    InputError
        If a column is missing or not made of numbers.
    """
    return read_map_tables(content, LAYOUT)


def write_pyoof_fits(
    observation: Observation,
    path: str | Path,
    *,
    overwrite: bool = False,
    header: Mapping[str, HeaderValue] | None = None,
) -> None:
    """Write an observation in the layout of pyoof.

    The columns are in double precision and have their exact values; the file carries checksums and comes
    into being complete or not at all. Samples that are not used get NaN as their power. Standard errors,
    where there are any, go into a further column ERROR. pyoof itself takes the first three maps as dz
    below, at and above focus; the order here is that of the observation.

    Parameters
    ----------
    observation : Observation
        What to write.
    path : path-like
        The file to make.
    overwrite : bool
        Whether an existing file may be replaced.
    header : mapping, optional
        Further cards of the primary header.

    Raises
    ------
    UsageError
        If the file exists and `overwrite` is not set, it cannot be written, `header` does not fit FITS, or the
        observation is not in the signs of the telescope's data: see `oofpy.conventions.in_file_convention`.
    """
    write_map_tables(observation, path, LAYOUT, overwrite=overwrite, header=header)


READER = Reader(
    name="pyoof FITS",
    description="FITS tables, one a map, with columns U, V, BEAM and header keys DZ, FREQ or WAVEL",
    recognises=recognises,
    read=read,
)
