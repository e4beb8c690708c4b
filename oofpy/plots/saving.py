"""Draw figures once, as images in memory, and write them as files."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from oofpy.io.atomic import atomic_file
from oofpy.plots.frame import drawing_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

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
    pdf : bytes or None
        The same as PDF, where it was asked for.
    width, height : int
        Its size in pixels.
    """

    name: str
    title: str
    caption: str
    png: bytes
    pdf: bytes | None
    width: int
    height: int


def draw_figures(kinds: Iterable[FigureKind[Subject]], subject: Subject, *, pdf: bool = False) -> list[DrawnFigure]:
    """Draw figures, each once.

    Parameters
    ----------
    kinds : iterable of FigureKind
        Which; those without anything to draw are left out.
    subject : object
        What they show.
    pdf : bool
        As PDF as well.

    Returns
    -------
    list of DrawnFigure
    """
    drawn = []
    # Compressing takes a fifth of the time, and the next figure can be drawn meanwhile.
    with drawing_style(), warnings.catch_warnings(), ThreadPoolExecutor(1) as encoder:
        # A name in a script that the font lacks is drawn as boxes; that is no reason to speak.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for kind in kinds:
            if kind.present(subject):
                figure = kind.draw(subject)
                image = _image(figure)
                drawn.append((kind, image, encoder.submit(_png, image), _pdf(figure) if pdf else None))
        return [
            DrawnFigure(kind.name, kind.title, kind.caption, png.result(), document, image.width, image.height)
            for kind, image, png, document in drawn
        ]


def write_drawn(figures: Iterable[DrawnFigure], folder: Path, *, png: bool = True) -> None:
    """Write figures that are drawn already; what has their names is replaced.

    Parameters
    ----------
    figures : iterable of DrawnFigure
        Which.
    folder : Path
        An existing folder, for `NAME.png` and, of those that were drawn as PDF, `NAME.pdf`.
    png : bool
        Whether the PNG are written.

    Raises
    ------
    UsageError
        If a file cannot be written; each is written complete or not at all.
    """
    for figure in figures:
        for ending, content in (("png", figure.png if png else None), ("pdf", figure.pdf)):
            if content is not None:
                with atomic_file(folder / f"{figure.name}.{ending}", overwrite=True) as part:
                    part.write_bytes(content)


def _image(figure: Figure) -> Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import PngImagePlugin  # noqa: F401  # here, as an import in the thread could wait for ever on an interrupt
    from PIL.Image import fromarray

    figure.set_dpi(_DOTS_PER_INCH)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    return fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]


def _png(image: Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", dpi=(_DOTS_PER_INCH, _DOTS_PER_INCH))
    return buffer.getvalue()


def _pdf(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    # Without the time of day: equal content gives equal bytes.
    figure.savefig(buffer, format="pdf", metadata={"CreationDate": None})
    return buffer.getvalue()
