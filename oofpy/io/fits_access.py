"""Open FITS files so that nothing damaged passes, and take plain number columns out of tables."""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from oofpy.errors import InputError

if TYPE_CHECKING:
    from oofpy.io.reader import FileContent
    from oofpy.observation import FloatArray

COPY_AGAIN = "copy or export the file again"
NUMBER_CODES = "BIJKED"
# Most axes and columns of an HDU, FITS standard 4.0, 4.4.1 and 7.3.1.
MOST_FIELDS = 999
_COUNT = re.compile(rb"(?:HIERARCH +)?(NAXIS|TFIELDS) *= *([+-]?[0-9]+)", re.IGNORECASE)
_SIZE = re.compile(rb"(?:HIERARCH +)?(NAXIS[0-9]+|[PG]COUNT) *= *(-[0-9]+)", re.IGNORECASE)


def checked_hdus(content: FileContent) -> tuple[Any, ...]:
    """Open FITS bytes and check every HDU.

    Parameters
    ----------
    content : FileContent
        The bytes of a FITS file.

    Returns
    -------
    tuple of HDU
        All HDUs of the file.

    Raises
    ------
    InputError
        If the file is cut off, an HDU is damaged, bytes are left over, or a checksum does not hold.
    """
    from astropy.io import fits

    _refuse_impossible_counts(content)
    with warnings.catch_warnings():
        # Truncation and left-over bytes are only warnings there; both are found below from the bytes.
        warnings.filterwarnings("ignore", message="(?s).*(truncated|Error validating header)")
        hdus = tuple(
            fits.open(io.BytesIO(content.data), memmap=False, lazy_load_hdus=False, disable_image_compression=True)
        )
    end = 0
    for index, hdu in enumerate(hdus):
        end = _checked_end(content, index, hdu)
    if content.data[end:].strip(b"\0 "):
        raise InputError(
            f"{len(content.data) - end} bytes follow that are no HDU, so the file is damaged there",
            file=content.path,
            key=f"HDU {len(hdus)}",
            remedy=COPY_AGAIN,
        )
    return hdus


def _refuse_impossible_counts(content: FileContent) -> None:
    """Refuse headers with more axes or columns than there can be, or with sizes below zero.

    astropy makes a list of the former before anything else, and goes back in the file by the latter, again and again.
    """
    data = content.data
    for start in range(0, len(data), 2880):
        if not data.startswith((b"SIMPLE  ", b"XTENSION"), start):
            continue
        for place in range(start, len(data), 80):
            card = data[place : place + 80]
            if card.startswith(b"END     "):
                break
            count, negative = _COUNT.match(card), _SIZE.match(card)
            if count and not 0 <= int(count[2]) <= MOST_FIELDS:
                raise _impossible(content, count, f"this must be a number from 0 to {MOST_FIELDS}")
            if negative:
                raise _impossible(content, negative, "this must not be below zero")


def _impossible(content: FileContent, card: re.Match[bytes], problem: str) -> InputError:
    key, value = card[1].decode(), card[2].decode()
    return InputError(problem, file=content.path, key=key, value=value, remedy=COPY_AGAIN)


def _checked_end(content: FileContent, index: int, hdu: Any) -> int:
    """Check that the HDU lies within the file and its checksums hold; give the offset of its end."""
    damaged = InputError("the header of this HDU is damaged", file=content.path, key=f"HDU {index}", remedy=COPY_AGAIN)
    if not hasattr(hdu, "fileinfo"):  # what astropy makes of an HDU that it cannot parse
        raise damaged
    place = hdu.fileinfo()
    start, data_start, span = int(place["hdrLoc"]), int(place["datLoc"]), int(place["datSpan"])
    end = data_start + span
    # Where the size of the HDU before is wrong, astropy takes data for the beginning of a header.
    begins = content.data.startswith(b"XTENSION" if index else b"SIMPLE  ", start)
    if not begins or span < 0 or not start < data_start <= end:
        raise damaged
    if end > len(content.data):
        raise InputError(
            f"the file is truncated: it has {len(content.data)} bytes, and this HDU ends at byte {end}",
            file=content.path,
            key=f"HDU {index}",
            remedy=COPY_AGAIN,
        )
    _check_sum(content, index, hdu, "DATASUM", content.data[data_start:end])
    _check_sum(content, index, hdu, "CHECKSUM", content.data[start:end])
    return end


def _check_sum(content: FileContent, index: int, hdu: Any, key: str, data: bytes) -> None:
    """Compare the sum of the bytes on disk with the header.

    The sum is taken of the file itself; astropy's is of the header as parsed, and only ever warns.
    With a CHECKSUM the ones' complement sum of the whole HDU is all ones (FITS standard 4.0, appendix J).
    """
    given = str(hdu.header.get(key, "")).strip()
    if not given:
        return
    found = ones_complement_sum(data)
    wanted = "4294967295" if key == "CHECKSUM" else given
    if str(found) != wanted:
        raise InputError(
            f"the checksum of HDU {index} does not hold, so its content was changed or damaged",
            file=content.path,
            key=key,
            value=given,
            remedy=COPY_AGAIN,
        )


def ones_complement_sum(data: bytes) -> int:
    """Sum bytes as big-endian 32-bit words with end-around carry, as FITS checksums do."""
    total = int(np.frombuffer(data, dtype=">u4").sum(dtype=np.uint64))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def is_table(hdu: Any) -> bool:
    """Whether an HDU is a binary table."""
    from astropy.io import fits

    return isinstance(hdu, fits.BinTableHDU)


def column_names(hdu: Any) -> list[str]:
    """Names of the columns of a table in upper case, in order; no names for another HDU."""
    return [str(name).strip().upper() for name in hdu.columns.names] if is_table(hdu) else []


def check_rows(content: FileContent, label: str, hdu: Any) -> None:
    """Refuse a table without rows before its data are touched.

    Raises
    ------
    InputError
        If the table has no rows or empty rows.
    """
    rows, width = hdu.header["NAXIS2"], hdu.header["NAXIS1"]
    if not (rows > 0 and width > 0):
        raise InputError(
            f"the map {label} has no samples",
            file=content.path,
            key="NAXIS2" if width > 0 else "NAXIS1",
            value=rows if width > 0 else width,
            remedy="leave the map out of the file",
        )


def check_column(content: FileContent, label: str, hdu: Any, name: str) -> None:
    """Check from the header alone that a table has a column of plain numbers: its data may be nonsense.

    Raises
    ------
    InputError
        If the table has no rows, or the column is missing, there twice, or not one number a row.
    """
    names = column_names(hdu)
    if names.count(name) != 1:
        problem = "has no column" if name not in names else "has more than one column"
        raise InputError(
            f"the map {label} {problem} {name}",
            file=content.path,
            key=name,
            remedy=f"columns found: {', '.join(names) or 'none'}",
        )
    form = str(hdu.columns[names.index(name)].format)
    match = re.match(r"\s*(\d*)([A-Z])", form)
    if match is None or match[2] not in NUMBER_CODES or match[1] not in ("", "1"):
        raise _not_numbers(content, label, name, form)
    check_rows(content, label, hdu)


def number_column(content: FileContent, label: str, hdu: Any, name: str) -> FloatArray:
    """Take a column of plain numbers out of a table.

    Parameters
    ----------
    content : FileContent
        The file, for messages.
    label : str
        What the map is called, for messages.
    hdu : BinTableHDU
        The table.
    name : str
        Name of the column in upper case; the file may write it in any case.

    Returns
    -------
    array, shape (rows,)
        The values in native double precision; integers equal to TNULL are NaN.

    Raises
    ------
    InputError
        If `check_column` refuses it.
    """
    check_column(content, label, hdu, name)
    index = column_names(hdu).index(name)
    column = hdu.columns[index]
    raw = np.asarray(hdu.data.field(index))
    if raw.ndim != 1 or raw.dtype.kind not in "iuf":
        raise _not_numbers(content, label, name, f"{raw.dtype.name} of shape {raw.shape}")
    values = raw.astype(np.float64)
    if column.null is not None and str(column.format).strip("1 ")[:1] in "BIJK":
        scale = 1.0 if column.bscale in (None, "") else float(column.bscale)
        zero = 0.0 if column.bzero in (None, "") else float(column.bzero)
        values[values == float(column.null) * scale + zero] = np.nan
    return values


def _not_numbers(content: FileContent, label: str, name: str, found: str) -> InputError:
    return InputError(
        f"the column {name} of the map {label} must hold one number a row",
        file=content.path,
        key=name,
        value=found,
        remedy="write it as float64 or float32 (TFORM D or E), one sample a row",
    )
