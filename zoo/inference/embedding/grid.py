"""Draw images beside those whose vectors are nearest to theirs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.images.lettering import INK, text_font
from zoo.data.images.pictures import open_picture
from zoo.files import new_file, storage_errors

if TYPE_CHECKING:
    from PIL.Image import Image

_TILE = 96
_LINE = 24
_GAP = 6


def draw_nearest(items: Sequence[Any], nearest: Sequence[Sequence[tuple[int, float]]], out: Path) -> None:
    """Write a row for each of the first items: itself, a line, and those nearest to it above their similarity."""
    from PIL import Image, ImageDraw

    font = text_font()
    columns = 1 + max(map(len, nearest))
    size = (_left(columns), _GAP + len(nearest) * (_TILE + _LINE + _GAP))
    canvas = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(canvas)
    for row, found in enumerate(nearest):
        top = _GAP + row * (_TILE + _LINE + _GAP)
        for column, (place, similarity) in enumerate([(row, 1.0), *found]):
            tile, left = _tile(items[place]), _left(column)
            canvas.paste(tile, (left + (_TILE - tile.width) // 2, top + (_TILE - tile.height) // 2))
            said = f"{similarity:.3f}" if column else "query"
            pen.text((left + _TILE // 2, top + _TILE + _LINE // 2), said, fill=INK, font=font, anchor="mm")
        pen.line([(_left(1) - _GAP, top), (_left(1) - _GAP, top + _TILE)], fill=INK)
    with storage_errors(f"writing {out}"), new_file(out) as file:
        canvas.save(file, format="PNG")


def _left(column: int) -> int:
    return _GAP + column * (_TILE + _GAP) + (_GAP if column else 0)


def _tile(item: Any) -> "Image":
    """Return an image as large as a tile allows, small ones enlarged by whole pixels."""
    from PIL import Image

    if isinstance(item, np.ndarray):
        picture = Image.fromarray(item[0] if len(item) == 1 else np.ascontiguousarray(item.transpose(1, 2, 0)))
    else:
        with open_picture(Path(item) if isinstance(item, str) else item) as opened:
            picture = opened.convert("RGB")
    longest = max(picture.size)
    if longest <= _TILE // 2:
        times = _TILE // longest
        return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    share = _TILE / longest
    return picture.resize((max(1, round(picture.width * share)), max(1, round(picture.height * share))))
