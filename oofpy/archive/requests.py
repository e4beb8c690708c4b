"""What an archive asks for: files to be fitted by a recipe, and maps that wait for others of their observation."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oofpy.recipe import Recipe


@dataclass(frozen=True)
class Request:
    """Files to be fitted by one recipe.

    Parameters
    ----------
    files : tuple of Path
        Of one observation, in its order.
    recipe : Recipe
        How they are read and fitted.
    complete : bool
        Whether the files are known to make an observation, as those of a manifest's line. A single file that is not
        may turn out to hold one map of several.
    name : str, optional
        Of the observation; the stem of the first file where None.
    """

    files: tuple[Path, ...]
    recipe: Recipe
    complete: bool = False
    name: str | None = None


@dataclass(frozen=True)
class Fragment:
    """A file that holds one map of an observation.

    Parameters
    ----------
    file : Path
    sha256 : str
        Of its content.
    recipe : Recipe
        By which it was asked for.
    defocus_m : float, metres
        In the sign of the file; NaN where the file does not say it, or says a position of the subreflector.
    wavelength_m : float, metres
        NaN where the file does not say it.
    telescope, object_name, date : str, optional
        As the file says them.
    """

    file: Path
    sha256: str
    recipe: Recipe
    defocus_m: float
    wavelength_m: float
    telescope: str | None
    object_name: str | None
    date: str | None


def inputs_hash(hashes: Sequence[str]) -> str:
    """Hash of what is fitted from the hashes of its files, in their order, to which `--dz` refers; hexadecimal."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def result_key(content: str, recipe_digest: str) -> str:
    """Key of a result: equal for equal content and equal settings; hexadecimal."""
    return hashlib.sha256(f"{content}\n{recipe_digest}".encode()).hexdigest()
