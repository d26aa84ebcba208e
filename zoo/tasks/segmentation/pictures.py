"""Pictures of a segmentation run: predictions beside the truth, and how well each class is found."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from zoo.data.masks.colours import class_colours, with_legend

_WIDTH = 240
_GAP = 4


def prediction_grid(images: Tensor, masks: Tensor, predicted: Tensor, classes: Sequence[str], out: Path) -> Path:
    """Write a row for each picture: itself, the truth, the prediction. Below stand the classes that occur.

    `images` are floats in [0, 1]; `masks` and `predicted` hold a class for each pixel, of any size.
    """
    from PIL import Image

    colours = class_colours(classes)
    height = round(_WIDTH * images.shape[2] / images.shape[3])
    canvas = Image.new("RGB", (3 * _WIDTH + 2 * _GAP, len(images) * (height + _GAP)), "white")
    pixels = images.mul(255).round().byte().expand(-1, 3, -1, -1).movedim(1, 3).contiguous().cpu().numpy()
    found = [array.cpu().numpy().astype(np.uint8) for array in (masks, predicted)]
    for row, picture in enumerate(pixels):
        tile = Image.fromarray(picture).resize((_WIDTH, height), Image.Resampling.BILINEAR)
        canvas.paste(tile, (0, row * (height + _GAP)))
        for column, array in enumerate(found, start=1):
            tile = Image.fromarray(colours[array[row]]).resize((_WIDTH, height), Image.Resampling.NEAREST)
            canvas.paste(tile, (column * (_WIDTH + _GAP), row * (height + _GAP)))
    present = [place for place in range(len(classes)) if any((array == place).any() for array in found)]
    with_legend(canvas, classes, present).save(out, optimize=True)
    return out


def class_scores(scores: Mapping[str, float]) -> dict[str, float]:
    """Return the intersection over union of each class by its name."""
    return {name.removeprefix("iou/"): value for name, value in scores.items() if name.startswith("iou/")}
