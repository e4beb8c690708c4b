"""Beam maps in the layout of OOF: FITS tables with DX, DY, FNU, UFNU, TIME."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from oofpy.flags import Flag
from oofpy.io.map_tables import HeaderValue, TableLayout, has_layout, read_map_tables, write_map_tables
from oofpy.io.reader import FileContent, RawFile, Reader
from oofpy.observation import Observation

LAYOUT = TableLayout(u="DX", v="DY", power="FNU", error="UFNU", telescope_key="TELESC")


def recognises(content: FileContent) -> bool:
    """Whether a file has this layout."""
    return has_layout(content, LAYOUT)


def read(content: FileContent) -> RawFile:
    """Read the maps of an OOF file.

    Parameters
    ----------
    content : FileContent
        The file.

    Returns
    -------
    RawFile
        Any number of maps in any order of defocus: DX and DY in radians unless TUNIT says otherwise,
        DZ in metres, FREQ in hertz. UFNU, where it is there, is the standard error of FNU.

    Raises
    ------
    InputError
        If a column is missing or not made of numbers.
    """
    raw = read_map_tables(content, LAYOUT)
    return replace(raw, flags=(*raw.flags, *_unmodelled(content)))


def _unmodelled(content: FileContent) -> tuple[Flag, ...]:
    """Find what the header says about the observing that the model of the beam leaves out."""
    header, name = content.hdus[0].header, content.path.name
    flags = []
    if header.get("CHOPTHR"):
        message = (
            f"{name}: CHOPTHR = {header['CHOPTHR']}: the maps are chopped, which the model leaves out; "
            "give maps without a chop"
        )
        flags.append(Flag("chop-not-modelled", message))
    if header.get("OBJRADS"):
        message = (
            f"{name}: OBJRADS = {header['OBJRADS']}: the source is modelled as a point; "
            "its disc should be small against the beam"
        )
        flags.append(Flag("source-size-not-modelled", message, serious=False))
    return tuple(flags)


def write_oof_fits(
    observation: Observation,
    path: str | Path,
    *,
    overwrite: bool = False,
    header: Mapping[str, HeaderValue] | None = None,
) -> None:
    """Write an observation in the layout of OOF.

    The columns are in double precision and have their exact values; the file carries checksums and comes
    into being complete or not at all. Samples that are not used get NaN as their power. UFNU holds the
    relative errors, or 0 where there are none; TIME is 0, since an observation does not record it.

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
        If the file exists and `overwrite` is not set, it cannot be written, or `header` does not fit FITS.
    """
    write_map_tables(observation, path, LAYOUT, overwrite=overwrite, header=header)


READER = Reader(
    name="OOF FITS",
    description="FITS tables, one a map, with columns DX, DY, FNU, UFNU and header keys DZ, FREQ, TELESC",
    recognises=recognises,
    read=read,
)
