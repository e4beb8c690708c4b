"""Pictures for comparison with what was drawn before, in small files."""

import io

from PIL import Image


class FewColours:
    """A figure that is saved in 256 colours: a third of the bytes."""

    def __init__(self, figure):
        self.figure = figure

    def savefig(self, file, *, dpi, metadata):
        whole = io.BytesIO()
        self.figure.savefig(whole, format="png", dpi=dpi, metadata=metadata)
        with Image.open(whole) as image:
            image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
