"""Write a comparison into a folder that comes into being complete or not at all."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from oofpy.comparison.summary import coefficient_table, summary
from oofpy.comparison.values import Comparison
from oofpy.io.atomic import atomic_directory, refuse_foreign

COMPARISON_FILE = "comparison.json"
_LONGEST_NAME = 60


def comparison_name(names: Sequence[str]) -> str:
    """Name the folder of a comparison after its results.

    Parameters
    ----------
    names : sequence of str
        Of the results.

    Returns
    -------
    str
        Both names of two, the first of several and the number of the others; without letters that a folder's name
        should not have.
    """
    plain = [re.sub(r"[^\w.+-]+", "_", name).strip("._")[:_LONGEST_NAME] or "unnamed" for name in names]
    return f"{plain[0]}-and-{plain[1] if len(plain) == 2 else f'{len(plain) - 1}-more'}"


def write_comparison(
    comparison: Comparison,
    folder: str | Path,
    *,
    illustrate: Callable[[Comparison, Path], None] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a comparison.

    Parameters
    ----------
    comparison : Comparison
        What to write.
    folder : path-like
        The folder to make, with `comparison.json`, `coefficients.ecsv` and what `illustrate` writes.
    illustrate : callable, optional
        Writes figures or a page into a folder, as `oofpy.report.comparison_page.write_comparison_page` does.
    overwrite : bool
        Whether an older comparison may be replaced, with everything in its folder.

    Raises
    ------
    UsageError
        As `oofpy.io.atomic.refuse_foreign`, or if it cannot be written. Nothing is left behind then.
    """
    refuse_foreign(folder, COMPARISON_FILE, overwrite)
    with atomic_directory(folder, overwrite) as part:
        _write_text(part / COMPARISON_FILE, json.dumps(summary(comparison), indent=2, allow_nan=False) + "\n")
        table = io.StringIO()
        coefficient_table(comparison).write(table, format="ascii.ecsv")
        _write_text(part / "coefficients.ecsv", table.getvalue())
        if illustrate is not None:
            illustrate(comparison, part)


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
