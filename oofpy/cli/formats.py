"""`oofpy formats`: which files can be read, and what must be said beside them."""

from __future__ import annotations

from oofpy.cli.endings import Ending

_NAME_WIDTH, _HOLDS_WIDTH, _NEEDS_WIDTH = 20, 56, 42


def formats_command() -> int:
    """List the file formats that can be read.

    The format of a file is told by its content. What a file does not say is asked for, never guessed; the telescope
    belongs to it where the file names none.
    """
    from oofpy.cli.text_tables import aligned, wrapped
    from oofpy.io.registry import READERS

    rows = []
    for reader in READERS:
        cells = [reader.name, reader.description, reader.needs or "-"]
        rows += wrapped(cells, [_NAME_WIDTH, _HOLDS_WIDTH, _NEEDS_WIDTH])
    print("\n".join(aligned(["name", "what a file holds", "to be said beside it"], rows, left=(0, 1, 2))))
    return Ending.DONE
