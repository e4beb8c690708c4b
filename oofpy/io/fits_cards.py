"""FITS header cards that give back exactly what was put in."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from typing import Any

from oofpy.errors import one_line


def float_card(key: str, value: float, comment: str) -> Any:
    """Make a header card that gives back exactly the number put in.

    astropy cuts numbers at 20 characters, which loses digits of many doubles; the standard allows more.

    Parameters
    ----------
    key : str
        Keyword of at most 8 characters.
    value : float
        Finite number.
    comment : str
        Comment of the card.

    Returns
    -------
    astropy.io.fits.Card
        The card.

    Raises
    ------
    ValueError
        If the number is not finite.
    """
    from astropy.io import fits

    text = repr(float(value)).upper()
    if not math.isfinite(value):
        raise ValueError(f"{text} is not finite")
    return fits.Card.fromstring(f"{key:<8}= {text:>20}{' / ' if comment else ''}{comment}")


def add_lines(header: Any, key: str, lines: Iterable[str]) -> None:
    """Add lines of text as HISTORY or COMMENT, broken between words and not, as astropy would, within them."""
    for line in lines:
        plain = one_line(line).encode("ascii", "replace").decode("ascii")
        for piece in textwrap.wrap(plain, 72, subsequent_indent="  "):
            header[key] = piece


def fits_text(text: str, most: int = 67) -> str:
    """Reduce text to what a FITS header can hold, by default on one card."""
    plain = text.encode("ascii", "replace").decode("ascii")
    return "".join(letter if " " <= letter <= "~" else "?" for letter in plain)[:most].strip()
