"""Beam maps as text columns u, v, power."""

from __future__ import annotations

import io
import re

import numpy as np

from oofpy.errors import InputError
from oofpy.io.reader import FileContent, RawFile, RawMap, Reader

COMMENTS = ("#", "%", "!")
COLUMN_NAMES = ("u", "v", "power", "error")


def _lines(text: str) -> list[str]:
    """Give the lines that carry something, up to the first two: a line of names may stand first."""
    found = []
    for line in io.StringIO(text):
        plain = re.split("[#%!]", line, maxsplit=1)[0].strip()
        if plain:
            found.append(plain)
            if len(found) == 2:
                break
    return found


def _fields(line: str) -> list[str]:
    return re.split(r"\s*[,;]\s*|\s+", line.strip())


def _is_heading(line: str) -> bool:
    return tuple(name.lower() for name in _fields(line)) in (COLUMN_NAMES[:3], COLUMN_NAMES)


def recognises(content: FileContent) -> bool:
    """Whether a file is text whose first line, after comments and names, is two or more numbers."""
    if content.text is None:
        return False
    lines = _lines(content.text)
    if lines and _is_heading(lines[0]):
        return True
    try:
        return bool(lines) and len([float(word) for word in _fields(lines[0])]) >= 2
    except ValueError:
        return False


def read(content: FileContent) -> RawFile:
    """Read one map from text columns.

    Parameters
    ----------
    content : FileContent
        Text with the columns u, v in radians, power, and optionally the standard error, separated by
        blanks, tabs, commas or semicolons; comments begin with #, % or !, and a line of the columns'
        names may stand first.

    Returns
    -------
    RawFile
        One map, without defocus and wavelength: text columns do not say.

    Raises
    ------
    InputError
        If a line is not made of three or four numbers, as many as every other.
    """
    values = _columns(content)
    beam_map = RawMap(
        file=content.path,
        label=content.path.stem,
        u_rad=values[:, 0],
        v_rad=values[:, 1],
        power=values[:, 2],
        error=values[:, 3] if values.shape[1] == 4 else None,
    )
    return RawFile(maps=(beam_map,), sources=(content.source,))


def _columns(content: FileContent) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    text = content.text or ""
    lines = _lines(text)
    heading = bool(lines) and _is_heading(lines[0])
    remedy = "every line must hold u, v, power and optionally the error"
    if len(lines) <= heading:
        raise InputError("there are no samples in the file", file=content.path, remedy=remedy)
    if heading:
        text = text[text.index(lines[0]) + len(lines[0]) :]
    delimiter = next((mark for mark in ",;" if mark in lines[-1]), None)
    try:
        values = np.loadtxt(io.StringIO(text), comments=COMMENTS, delimiter=delimiter, ndmin=2, dtype=np.float64)
    except ValueError as error:
        problem = str(error).partition(";")[0]
        raise InputError(f"the columns cannot be read: {problem}", file=content.path, remedy=remedy) from error
    if values.shape[1] not in (3, 4):
        raise InputError(
            "three or four columns are needed",
            file=content.path,
            key="columns",
            value=values.shape[1],
            remedy=remedy,
        )
    return values


COLUMNS_READER = Reader(
    name="text columns",
    description="text with the columns u, v in rad, power and optionally the error; one map a file",
    recognises=recognises,
    read=read,
    needs="dz; the frequency",
)
