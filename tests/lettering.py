"""What is written into images, and how large: kept as it is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import ImageDraw

READABLE = 12
"""Pixels that a capital letter has at least."""


@contextmanager
def written() -> Iterator[dict[str, float]]:
    """Yield a dictionary that gets the height of a capital, in the file's pixels, of each text that is drawn."""
    found: dict[str, float] = {}
    into_image, save = ImageDraw.ImageDraw.text, Figure.savefig

    def text(self: ImageDraw.ImageDraw, xy: Any, text: str, *args: Any, **options: Any) -> None:
        _, top, _, bottom = options["font"].getbbox("H")
        found[text] = bottom - top
        into_image(self, xy, text, *args, **options)

    def savefig(self: Figure, out: Any, **options: Any) -> None:
        save(self, out, **options)
        for item in self.findobj(Text):
            if item.get_visible() and item.get_text():
                one = Text(text="H", fontproperties=item.get_fontproperties())
                one.set_figure(self)
                found[item.get_text()] = one.get_window_extent(dpi=self.dpi).height

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ImageDraw.ImageDraw, "text", text)
        patch.setattr(Figure, "savefig", savefig)
        yield found
