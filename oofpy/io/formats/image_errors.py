"""Standard errors of an image from the image that goes with it: noise, variance, weights or hits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from oofpy.flags import Flag
from oofpy.io.reader import ErrorOrigin, FileContent
from oofpy.observation import BoolArray, FloatArray

_KINDS = {"error": "error", "variance": "variance", "weight": "weight", "hits": "number of hits"}


@dataclass(frozen=True, slots=True, eq=False)
class ImageErrors:
    """What a companion image says.

    Parameters
    ----------
    error : array, shape (y, x), or None
        Standard errors; None where the companion gives none.
    observed : array of bool, shape (y, x)
        Where there is an observation by it.
    origins : tuple of ErrorOrigin
        The companion, for messages; none for quality.
    flags : tuple of Flag
        A note where all weights are zero.
    """

    error: FloatArray | None
    observed: BoolArray
    origins: tuple[ErrorOrigin, ...] = ()
    flags: tuple[Flag, ...] = ()


def image_errors(content: FileContent, role: str, name: str, values: FloatArray) -> ImageErrors:
    """Judge a companion image as a whole, and take the errors from it.

    Parameters
    ----------
    content : FileContent
        The file of the map, for messages.
    role : {"error", "variance", "weight", "hits", "quality"}
        What the companion holds.
    name : str
        Name of its extension or file, for messages.
    values : array, shape (y, x)
        Its pixels.

    Returns
    -------
    ImageErrors
        As `errors_of`, but that weights which are all zero, as simulations write them, count as none given. What is
        negative is counted in `origins`.
    """
    if role == "quality":
        return ImageErrors(*errors_of(role, values))
    known = np.isfinite(values)
    if role == "weight" and known.any() and not np.any(values[known]):
        message = f"{content.path.name}: {name} is zero everywhere, so no weights are taken as given"
        origins = (ErrorOrigin(name, _KINDS[role]),)
        return ImageErrors(None, known, origins, (Flag("weights-void", message),))
    error, observed = errors_of(role, values)
    # Negative errors and variances stay in the error and are counted with it.
    counted = role in ("weight", "hits")
    negative = int(np.count_nonzero(values < 0)) if counted else 0
    origin = ErrorOrigin(name, _KINDS[role], negative, void=counted and not observed.any())
    return ImageErrors(error, observed, (origin,))


def errors_of(role: str, values: FloatArray) -> tuple[FloatArray | None, BoolArray]:
    """Standard errors from a companion image, and where there is an observation by it.

    Parameters
    ----------
    role : {"error", "variance", "weight", "hits", "quality"}
        What the companion holds.
    values : array, shape (y, x)
        Its pixels.

    Returns
    -------
    error : array, shape (y, x), or None
        The errors themselves, the root of the variance, or one over the root of the weight or of the hits, the last
        up to a common factor; NaN where that is no number. None for quality.
    observed : array of bool, shape (y, x)
        False where a companion is NaN, a weight or number of hits is not above zero, or a quality is not zero.
    """
    known = np.isfinite(values)
    if role == "quality":
        return None, known & (values == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        if role == "error":
            return values, known
        if role == "variance":
            return np.sqrt(values), known
        return 1 / np.sqrt(values), known & (values > 0)
