"""The formats that can be read, and the one way into them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

from oofpy.errors import InputError, UsageError, one_line
from oofpy.flags import Flag
from oofpy.io.formats import (
    citlali,
    grasp,
    minkasi,
    nika2_idl,
    nika2_piic,
    observation_toml,
    oof_fits,
    pyoof_fits,
    scuba2,
    text_columns,
    wcs_images,
)
from oofpy.io.parsing import parsing
from oofpy.io.reader import FileContent, RawFile, Reader

# A further format is one more file with a Reader, and one more line here. The first that recognises
# a file reads it.
READERS: tuple[Reader, ...] = (
    pyoof_fits.READER,
    oof_fits.READER,
    scuba2.READER,
    citlali.READER,
    nika2_idl.READER,
    nika2_piic.READER,
    minkasi.READER,
    wcs_images.READER,
    grasp.READER,
    text_columns.COLUMNS_READER,
    observation_toml.READER,
)
MOST_WARNINGS = 5


def read_file(path: str | Path, part: str | None = None) -> RawFile:
    """Read one file of any known format.

    Parameters
    ----------
    path : path-like
        The file. Its name says nothing about its format.
    part : str, optional
        Which part of a file that holds several; see `Reader.parts`.

    Returns
    -------
    RawFile
        What it holds; warnings of the libraries that parse it are among its flags.

    Raises
    ------
    InputError
        If the file is absent, damaged, of no known format, or lacks something.
    ConfigurationError
        If a quantity in a TOML file has no unit or a wrong one.
    UsageError
        If a part is named and the format has none, or not this one.
    """
    content = FileContent.load(path)
    with parsing(content.path), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        raw = _read(recognise(content), content, part)
    messages = dict.fromkeys(one_line(str(warning.message)) for warning in caught)
    odd = [Flag("file-odd", f"{content.path.name}: {message[:300]}") for message in list(messages)[:MOST_WARNINGS]]
    return replace(raw, flags=(*raw.flags, *odd))


def _read(reader: Reader, content: FileContent, part: str | None) -> RawFile:
    if part is None:
        return reader.read(content)
    if reader.read_part is None:
        parted = ", ".join(f"{one.name} ({one.parts})" for one in READERS if one.read_part is not None)
        raise UsageError(
            f"a file of the format {reader.name} has no parts to choose from",
            file=content.path,
            key="part",
            value=part,
            remedy=f"leave it out; parts have: {parted}",
        )
    return reader.read_part(content, part)


def recognise(content: FileContent) -> Reader:
    """Find the reader of a file.

    Parameters
    ----------
    content : FileContent
        The file.

    Returns
    -------
    Reader
        The first of `READERS` that recognises the bytes.

    Raises
    ------
    InputError
        If none does.
    """
    for reader in READERS:
        if reader.recognises(content):
            return reader
    if content.data.startswith((b"\x1f\x8b", b"BZh", b"PK\x03\x04", b"\xfd7zXZ")):
        raise InputError("the file is compressed", file=content.path, remedy="unpack it first")
    kind = "a FITS file, but" if content.is_fits else "not FITS and"
    known = ", ".join(reader.name for reader in READERS)
    remedy = f"known are {known}; 'oofpy formats' says what they hold"
    raise InputError(f"this is {kind} of no known format", file=content.path, remedy=remedy)
