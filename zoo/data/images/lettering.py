"""Text in and beside images, large enough to read: captions, legends, and small images enlarged to bear them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.printable import printable

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

TEXT = 18
"""Size of text in pixels; its capitals are 13 high."""
INK = "#1f2a44"
Colour = tuple[int, int, int]

_LINE = 24
_MARGIN = 4
_SWATCH = 16
_LEAST = 320
_LONGEST = 40


def text_font(size: int = TEXT) -> "FreeTypeFont | ImageFont":
    """Return the font of what is written into images."""
    from PIL import ImageFont

    return ImageFont.load_default(max(TEXT, size))


def shown_name(name: str, longest: int = _LONGEST) -> str:
    """Return the name of a class as it is drawn: printable, and cut where it is very long."""
    text = printable(name)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def enlarged(picture: "Image") -> tuple["Image", int]:
    """Return an image in color whose longer side has 320 pixels or more, and the whole factor by which it grew."""
    from PIL import Image

    times = max(1, -(-_LEAST // max(picture.size)))
    size = (picture.width * times, picture.height * times)
    return picture.convert("RGB").resize(size, Image.Resampling.NEAREST), times


def with_caption(picture: "Image", text: str, *, size: int = TEXT) -> "Image":
    """Return the image with a line of text above it."""
    from PIL import Image, ImageDraw

    font = text_font(size)
    band = round(size * _LINE / TEXT)
    width = max(picture.width, round(font.getlength(text)) + 2 * _MARGIN)
    canvas = Image.new("RGB", (width, picture.height + band), "white")
    canvas.paste(picture, (0, band))
    ImageDraw.Draw(canvas).text((_MARGIN, band // 2), text, fill=INK, font=font, anchor="lm")
    return canvas


def with_legend(picture: "Image", entries: Sequence[tuple[str, Colour]]) -> "Image":
    """Return the image with names and their colors below it, in as many lines as they take."""
    from PIL import Image, ImageDraw

    if not entries:
        return picture
    font = text_font()
    texts = [shown_name(name) for name, _ in entries]
    widths = [_SWATCH + 6 + round(font.getlength(text)) + 14 for text in texts]
    width = max(picture.width, max(widths) + _MARGIN)
    places, row, left = [], 0, _MARGIN
    for taken in widths:
        if left + taken > width and left > _MARGIN:
            row, left = row + 1, _MARGIN
        places.append((left, picture.height + _MARGIN + row * _LINE))
        left += taken
    canvas = Image.new("RGB", (width, picture.height + _LINE * (row + 1) + 2 * _MARGIN), "white")
    canvas.paste(picture, (0, 0))
    draw = ImageDraw.Draw(canvas)
    for text, (_, colour), (left, top) in zip(texts, entries, places, strict=True):
        middle = top + _LINE // 2
        swatch = (left, middle - _SWATCH // 2, left + _SWATCH - 1, middle + _SWATCH // 2 - 1)
        draw.rectangle(swatch, fill=colour, outline=INK)
        draw.text((left + _SWATCH + 6, middle), text, fill=INK, font=font, anchor="lm")
    return canvas
