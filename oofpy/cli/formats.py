"""`oofpy formats`: which files can be read, and what must be said beside them."""

from __future__ import annotations

from itertools import zip_longest
from textwrap import wrap

from oofpy.cli.endings import Ending

_HOLDS_WIDTH, _NEEDS_WIDTH = 56, 42


def formats_command() -> int:
    """List the file formats that can be read.

    The format of a file is told by its content. What a file does not say is asked for, never guessed; the telescope
    belongs to it where the file names none.
    """
    from oofpy.cli.text_tables import aligned
    from oofpy.io.registry import READERS

    rows = []
    for reader in READERS:
        holds, needs = _lines(reader.description, _HOLDS_WIDTH), _lines(reader.needs or "-", _NEEDS_WIDTH)
        rows += [list(row) for row in zip_longest([reader.name], holds, needs, fillvalue="")]
    print("\n".join(aligned(["name", "what a file holds", "to be said beside it"], rows, left=(0, 1, 2))))
    return Ending.DONE


def _lines(text: str, width: int) -> list[str]:
    return wrap(text, width, break_on_hyphens=False)
