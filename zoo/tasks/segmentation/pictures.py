"""Pictures of a segmentation run: predictions beside the truth, and how well each class is found."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from zoo.data.images.lettering import with_caption, with_legend
from zoo.data.masks.colours import class_colours, class_legend

_WIDTH = 240
_GAP = 4
_MASKS = ("ground truth", "prediction")


def prediction_grid(images: Tensor, masks: Tensor, predicted: Tensor, classes: Sequence[str], out: Path) -> Path:
    """Write a row for each picture: itself, the truth, the prediction. Below stand the classes that occur.

    `images` are floats in [0, 1]; `masks` and `predicted` hold a class for each pixel, of any size.
    """
    from PIL import Image

    colours = class_colours(classes)
    height = round(_WIDTH * images.shape[2] / images.shape[3])
    pixels = images.mul(255).round().byte().expand(-1, 3, -1, -1).movedim(1, 3).contiguous().cpu().numpy()
    found = [array.cpu().numpy().astype(np.uint8) for array in (masks, predicted)]
    kinds = [
        ("image", list(pixels), Image.Resampling.BILINEAR),
        *((name, list(colours[array]), Image.Resampling.NEAREST) for name, array in zip(_MASKS, found, strict=True)),
    ]
    columns = []
    for name, tiles, resampling in kinds:
        column = Image.new("RGB", (_WIDTH, len(tiles) * (height + _GAP)), "white")
        for row, tile in enumerate(tiles):
            column.paste(Image.fromarray(tile).resize((_WIDTH, height), resampling), (0, row * (height + _GAP)))
        columns.append(with_caption(column, name))
    canvas = Image.new("RGB", (3 * _WIDTH + 2 * _GAP, columns[0].height), "white")
    for place, column in enumerate(columns):
        canvas.paste(column, (place * (_WIDTH + _GAP), 0))
    present = [place for place in range(len(classes)) if any((array == place).any() for array in found)]
    with_legend(canvas, class_legend(classes, present)).save(out, optimize=True)
    return out


def class_scores(scores: Mapping[str, float]) -> dict[str, float]:
    """Return the intersection over union of each class by its name."""
    return {name.removeprefix("iou/"): value for name, value in scores.items() if name.startswith("iou/")}
