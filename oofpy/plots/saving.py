"""Draw figures once, as images in memory and as files."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DOTS_PER_INCH = 120
Subject = TypeVar("Subject")


@dataclass(frozen=True)
class FigureKind(Generic[Subject]):
    """One figure of a set.

    Parameters
    ----------
    name : str
        Stem of its files.
    draw : callable
        Takes what is shown and gives a Figure.
    title : str
        Heading over it in a report.
    caption : str
        What is to be seen, in a sentence or two; also for those who cannot see it.
    present : callable
        Whether there is something to draw.
    """

    name: str
    draw: Callable[[Subject], Figure]
    title: str
    caption: str
    present: Callable[[Subject], bool] = lambda _: True


@dataclass(frozen=True)
class DrawnFigure:
    """A figure as an image.

    Parameters
    ----------
    name, title, caption : str
        Of its kind.
    png : bytes
        The image.
    width, height : int
        Its size in pixels.
    """

    name: str
    title: str
    caption: str
    png: bytes
    width: int
    height: int


def draw_figures(
    kinds: Iterable[FigureKind[Subject]], subject: Subject, *, folder: Path | None = None, pdf: bool = False
) -> Iterator[DrawnFigure]:
    """Draw figures, each once.

    Parameters
    ----------
    kinds : iterable of FigureKind
        Which; those without anything to draw are left out.
    subject : object
        What they show.
    folder : Path, optional
        An existing folder, in which each is written as PNG.
    pdf : bool
        Write each there as PDF as well.

    Yields
    ------
    DrawnFigure
    """
    for kind in kinds:
        if not kind.present(subject):
            continue
        with warnings.catch_warnings():
            # A name in a script that the font lacks is drawn as boxes; that is no reason to speak.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure = kind.draw(subject)
            image = io.BytesIO()
            figure.savefig(image, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
            png = image.getvalue()
            if folder is not None:
                (folder / f"{kind.name}.png").write_bytes(png)
                if pdf:
                    # Without the time of day: equal content gives equal bytes.
                    figure.savefig(folder / f"{kind.name}.pdf", metadata={"CreationDate": None})
        width, height = struct.unpack(">II", png[16:24])
        yield DrawnFigure(kind.name, kind.title, kind.caption, png, width, height)
