"""Write a fit result into a folder that comes into being complete or not at all, and read it back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

from oofpy.errors import UsageError
from oofpy.fitting.posterior import FitPosterior
from oofpy.fitting.result import FitResult
from oofpy.io.atomic import atomic_directory, refuse_foreign
from oofpy.io.posterior_file import POSTERIOR_FILE, write_posterior
from oofpy.io.result_fits import write_result_fits
from oofpy.io.result_reading import RESULT_FILE
from oofpy.io.result_reading import read_result as read_result
from oofpy.io.result_summary import coefficient_table, summary


def result_folder(name: str, folder: str | Path, *, overwrite: bool = False) -> Path:
    """Name the folder of a result, and refuse one that must not be written.

    A caller asks before the fit, so that no time is lost on a result that cannot be kept.

    Parameters
    ----------
    name : str
        Of the observation.
    folder : path-like
        Where results lie.
    overwrite : bool
        Whether an older result may be replaced.

    Returns
    -------
    Path
        `folder/name`.

    Raises
    ------
    UsageError
        If the name is no name of a folder, the folder exists and `overwrite` is not set, or it holds
        something else than a result.
    """
    if name in ("", ".", "..") or "\0" in name or Path(name).name != name:
        raise UsageError("this cannot name a folder", key="name", value=name or "''", remedy="rename the observation")
    target = Path(folder) / name
    refuse_foreign(target, RESULT_FILE, overwrite)
    return target


def write_result(
    result: FitResult,
    folder: str | Path,
    *,
    name: str | None = None,
    log: str = "",
    illustrate: Callable[[FitResult, Path], None] | None = None,
    posterior: FitPosterior | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a result to `folder/<observation>/`.

    Parameters
    ----------
    result : FitResult
        What to write.
    folder : path-like
        Where results lie; it is made where it does not exist.
    name : str, optional
        Of the result's own folder; that of the observation if left out.
    log : str
        Content of `log.txt`.
    illustrate : callable, optional
        Writes figures or a report of a result into a folder, as `oofpy.report.write_report` does.
    posterior : FitPosterior, optional
        Of the result, for `posterior.fits` and `summary.json`.
    overwrite : bool
        Whether an older result may be replaced, with everything in its folder.

    Returns
    -------
    Path
        The folder, with `result.fits`, `coefficients.ecsv`, `summary.json`, `log.txt` and what `illustrate` writes.

    Raises
    ------
    UsageError
        As `result_folder`, or if it cannot be written. Nothing is left behind then, nor after any other
        error, and an older result stays.
    """
    target = result_folder(result.name if name is None else name, folder, overwrite=overwrite)
    with atomic_directory(target, overwrite) as part:
        write_result_fits(result, part / RESULT_FILE)
        if posterior is not None:
            write_posterior(posterior, part / POSTERIOR_FILE)
        _write_text(part / "coefficients.ecsv", _ecsv(result))
        _write_text(part / "summary.json", json.dumps(summary(result, posterior), indent=2, allow_nan=False) + "\n")
        _write_text(part / "log.txt", log if log.endswith("\n") or not log else log + "\n")
        if illustrate is not None:
            illustrate(result, part)
    return target


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _ecsv(result: FitResult) -> str:
    buffer = io.StringIO()
    coefficient_table(result).write(buffer, format="ascii.ecsv")
    return buffer.getvalue()
