"""Beam maps in the layout of OOF: FITS tables with DX, DY, FNU, UFNU, TIME."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from oofpy.flags import Flag
from oofpy.io.formats.map_tables import HeaderValue, TableLayout, has_layout, read_map_tables, write_map_tables
from oofpy.io.formats.observing_cards import LAYOUT_KEY
from oofpy.io.reader import FileContent, RawFile, Reader
from oofpy.observation import Observation

# Direction of the negative beam of oof's chopped receivers, and the telescopes it knows them for.
CHOP_ANGLES = {"qunbal": "0 deg", "Ka": "180 deg"}
CHOPPED_TELESCOPES = ("GBT", "90GBT")
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
        DZ in metres, FREQ in hertz. UFNU, where it is there, is the standard error of FNU. What the header says about
        how the maps were taken is among its `observing_texts`: CHOPTHR in arcsec, RECV, OBJRADS in radians, and the
        file `<name>-offset.fits` beside it. A file that `write_oof_fits` wrote says it in full.

    Raises
    ------
    InputError
        If a column is missing or not made of numbers.
    """
    raw = read_map_tables(content, LAYOUT)
    texts: dict[str, str] = {}
    flags: list[Flag] = []
    if LAYOUT_KEY not in content.hdus[0].header:
        for found, notes in (_chop(content), _source(content)):
            texts |= found
            flags += notes
    if raw.observing.applied is None:
        found, notes = _correction(content)
        texts |= found
        flags += notes
    return replace(raw, observing_texts=texts, flags=(*raw.flags, *flags))


def _chop(content: FileContent) -> tuple[dict[str, str], list[Flag]]:
    """Find what the header says about chopping, as oof understands it.

    oof adds the phase of half a tilt `hchop` to the aperture for the positive beam and takes it away for the negative
    one, so that with its forward transform the negative beam lies at -hchop along DX from the positive one; hchop is
    -CHOPTHR for the receiver qunbal and +CHOPTHR for Ka (oof: choppedff.cxx, oofreduce.py).
    """
    header, name = content.hdus[0].header, content.path.name
    receiver, telescope = (str(header.get(key, "")).strip() for key in ("RECV", "TELESC"))
    throw = header.get("CHOPTHR") or None
    if receiver == "mustang":
        return {}, []
    texts = {} if throw is None else {"chop_throw": f"{throw} arcsec"}
    angle = CHOP_ANGLES.get(receiver) if telescope in ("", *CHOPPED_TELESCOPES) else None
    if angle is not None:
        message = (
            f"{name}: RECV = {receiver}: beam-switched, the negative beam at {angle} from +DX, as oof has it; "
            "observing.chop_throw=none takes the maps as not chopped"
        )
        return texts | {"chop_angle": angle}, [Flag("chop-from-header", message)]
    if throw is None and telescope in CHOPPED_TELESCOPES:
        message = (
            f"{name}: RECV = {receiver or 'nothing'} and no CHOPTHR: the maps are taken as not beam-switched; "
            "if they are, set observing.chop_throw and observing.chop_angle, if not, observing.chop_throw=none"
        )
        return {}, [Flag("chop-unknown", message)]
    return texts, []


def _source(content: FileContent) -> tuple[dict[str, str], list[Flag]]:
    """Find the radius of the source, which oof takes as it stands for that of a uniform disc in radians."""
    radius = content.hdus[0].header.get("OBJRADS") or None
    if radius is None:
        return {}, []
    number = isinstance(radius, int | float) and not isinstance(radius, bool)
    message = (
        f"{content.path.name}: OBJRADS = {radius}, in rad as oof has it: the source is a uniform disc of this radius; "
        "observing.source_diameter=none takes it as a point"
    )
    texts = {"source_shape": "disc", "source_diameter": f"{2 * radius if number else radius} rad"}
    return texts, [Flag("source-size-from-header", message)]


def _correction(content: FileContent) -> tuple[dict[str, str], list[Flag]]:
    """Find the file of a correction that was on the dish, which oof looks for beside the data."""
    beside = content.path.with_name(f"{content.path.stem}-offset.fits")
    if not beside.is_file():
        return {}, []
    message = (
        f"{beside.name}: this correction, beside {content.path.name}, is taken as one that was on the dish; "
        "observing.applied=none leaves it out"
    )
    return {"applied": str(beside)}, [Flag("correction-found", message)]


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
    relative errors, or 0 where there are none; TIME is 0, since an observation does not record it. How the maps were
    taken is kept in cards of the primary header that oof passes over; the image of an applied correction becomes one
    more table, which oof would take for a map without DZ.

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
    name="OOF FITS",
    description="FITS tables, one a map, with columns DX, DY, FNU, UFNU and header keys DZ, FREQ, TELESC",
    recognises=recognises,
    read=read,
)
