"""What parsing libraries raise on nonsense becomes an error of the file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oofpy.errors import InputError, one_line


@contextmanager
def parsing(path: Path) -> Iterator[None]:
    """Turn what the parsing libraries raise on nonsense into the error of this file."""
    from astropy.io.fits import VerifyError

    try:
        yield
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        MemoryError,
        OSError,
        RecursionError,
        TypeError,
        ValueError,
        VerifyError,
        struct.error,
    ) as error:
        reason = one_line(str(error))[:300] or type(error).__name__
        if isinstance(error, KeyError) and " " not in reason:
            reason = f"{reason} is missing"
        raise InputError(f"the file is damaged: {reason}", file=path, remedy="copy or export the file again") from error
